//! Opening tickets and changing them, each with what is noted of it.

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use super::{Happening, TicketNumber};
use crate::audit::{Audit, Entry, Event};
use crate::calendar::Calendar;
use crate::clock::{self, Millis};
use crate::outbox::{Content, Letter, Post, To};
use crate::secret::{RandomKey, Sealer};
use crate::storage::Connection;
use crate::storage::ticket::{self, TicketRow};
use crate::storage::ticket_event::{self, TicketEventRow};
use crate::storage::ticket_word;

/// Words by which one ticket is found, at most: no title has more.
const WORDS: usize = 80;
/// Characters by which a word of what was said is known.
const SAID: usize = 10;
/// Characters of a title that are kept.
const TITLE: usize = 160;

/// A ticket to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewTicket<'a> {
    /// The conversation that it comes from; empty if none.
    pub conversation_id: &'a str,
    /// How it came; `web` if nothing is said.
    pub channel: &'a str,
    /// Whose work it is.
    pub queue: &'a str,
    /// What it is about, as the bot names it.
    pub topic: &'a str,
    /// What it is about, in the person's words, redacted.
    pub title: &'a str,
    /// The entry of the knowledge that it is about.
    pub entry: Option<&'a str>,
    /// The person's department or company, as they say.
    pub department: Option<&'a str>,
    /// The person's name.
    pub name: Option<&'a str>,
    /// The last four characters of the person's number.
    pub last4: Option<&'a str>,
    /// What the officer needs, for their eyes only.
    pub details: Option<&'a str>,
    /// Whom it concerns, as a name that tells nothing.
    pub subject: &'a str,
    /// Who was proved in the conversation, as a name that tells nothing.
    pub requester: Option<&'a str>,
    /// Who was proved, by role and the portal's own name.
    pub person: Option<(&'a str, &'a str)>,
    /// Whether the person waits in the chat for somebody to take it.
    pub live: bool,
}

/// Something that happened, by whom, and what else there is to know.
#[derive(Clone, Copy, Debug)]
pub struct Happened<'a> {
    /// What.
    pub what: Happening,
    /// The agent; empty where the person or the program did it.
    pub agent: &'a str,
    /// What else there is to know; for a note its text.
    pub text: &'a str,
}

/// Opens tickets and changes them.
pub struct Tickets<'a> {
    /// Seals what only officers may know.
    pub sealer: &'a Sealer,
    /// Makes words of names findable that stand nowhere.
    pub names: &'a RandomKey,
    /// The record.
    pub audit: &'a Audit,
    /// What mails the queues.
    pub post: &'a Post,
    /// By when something is due.
    pub calendar: Arc<Calendar>,
}

impl Tickets<'_> {
    /// Opens a ticket, and has its queue told by mail.
    pub async fn open(
        &self,
        connection: &mut Connection,
        new: NewTicket<'_>,
        now: Millis,
    ) -> sqlx::Result<TicketNumber> {
        let year = i64::from(clock::local(now).year());
        let serial = ticket::next_serial(connection, year).await?;
        let number = TicketNumber::new(year, serial);
        let row = self.row(&new, &number, now);
        ticket::insert(connection, &row).await?;
        self.index(connection, number.as_str(), new.title, false)
            .await?;
        self.index(
            connection,
            number.as_str(),
            new.name.unwrap_or_default(),
            true,
        )
        .await?;
        let opened = Happened {
            what: Happening::Opened,
            agent: "",
            text: "",
        };
        note(connection, number.as_str(), opened, now).await?;
        self.mail_queue(connection, &row, now).await?;
        let entry = Entry::new(Event::Ticket, "opened")
            .within(new.conversation_id)
            .about(new.subject)
            .detail(number.as_str());
        self.audit.record(connection, entry, now).await?;
        Ok(number)
    }

    fn row(&self, new: &NewTicket<'_>, number: &TicketNumber, now: Millis) -> TicketRow {
        let seal = |what: &str, text: Option<&str>| {
            text.and_then(|text| self.sealer.seal(&format!("{number}{what}"), text).ok())
        };
        let person = new
            .person
            .map(|(kind, reference)| format!("{kind} {reference}"));
        let channel = if new.channel.is_empty() {
            "web"
        } else {
            new.channel
        };
        TicketRow {
            number: number.to_string(),
            conversation_id: new.conversation_id.to_owned(),
            channel: channel.to_owned(),
            queue: new.queue.to_owned(),
            topic: new.topic.to_owned(),
            title: new.title.chars().take(TITLE).collect(),
            entry: new.entry.map(str::to_owned),
            department: new.department.map(str::to_owned),
            status: "open".to_owned(),
            priority: "normal".to_owned(),
            requester: new.requester.map(str::to_owned),
            person: seal(" person", person.as_deref()),
            name: seal(" name", new.name),
            last4: new.last4.map(str::to_owned),
            details: seal("", new.details),
            live_at: new.live.then_some(now),
            acknowledge_by: Some(self.calendar.acknowledge_by(now)),
            answer_by: Some(self.calendar.answer_by(now)),
            created_at: now,
            ..TicketRow::default()
        }
    }

    /// The person's name on a ticket.
    pub fn name(&self, row: &TicketRow) -> Option<String> {
        let about = format!("{} name", row.number);
        self.sealer.open(&about, row.name.as_deref()?).ok()
    }

    /// Who was proved on a ticket: as what, and the portal's own name for them.
    pub fn person(&self, row: &TicketRow) -> Option<(String, String)> {
        let about = format!("{} person", row.number);
        let text = self.sealer.open(&about, row.person.as_deref()?).ok()?;
        let (kind, reference) = text.split_once(' ')?;
        Some((kind.to_owned(), reference.to_owned()))
    }

    /// Has a ticket found by the words of a text.
    async fn index(
        &self,
        connection: &mut Connection,
        number: &str,
        text: &str,
        names: bool,
    ) -> sqlx::Result<()> {
        for word in words(text).take(WORDS) {
            let word = if names { self.name_word(&word) } else { word };
            ticket_word::insert(connection, &word, number).await?;
        }
        Ok(())
    }

    /// A word of a name as it is stored.
    pub fn name_word(&self, word: &str) -> String {
        self.names.sign(&format!("ticket name {word}"))
    }

    /// Has the queue told by mail that there is something new on a ticket.
    pub async fn mail_queue(
        &self,
        connection: &mut Connection,
        row: &TicketRow,
        now: Millis,
    ) -> sqlx::Result<()> {
        let to = To::Queue {
            name: row.queue.clone(),
        };
        let content = Content::Task {
            number: row.number.clone(),
            topic: row.topic.clone(),
        };
        self.mail(connection, to, content, now).await
    }

    /// Has the supervisor told by mail that a ticket is overdue, or that nobody has taken it.
    pub async fn mail_supervisor(
        &self,
        connection: &mut Connection,
        row: &TicketRow,
        what: Happening,
        now: Millis,
    ) -> sqlx::Result<()> {
        let content = Content::Chased {
            number: row.number.clone(),
            topic: row.topic.clone(),
            untaken: what == Happening::Untaken,
        };
        self.mail(connection, To::Supervisor, content, now).await
    }

    /// Has the supervisor told by mail of an incident that has to be confirmed or dismissed.
    pub async fn mail_incident(
        &self,
        connection: &mut Connection,
        row: &TicketRow,
        now: Millis,
    ) -> sqlx::Result<()> {
        let content = Content::Incident {
            number: row.number.clone(),
            topic: row.topic.clone(),
        };
        self.mail(connection, To::Supervisor, content, now).await
    }

    async fn mail(
        &self,
        connection: &mut Connection,
        to: To,
        content: Content,
        now: Millis,
    ) -> sqlx::Result<()> {
        let letter = Letter {
            to,
            content,
            subject: String::new(),
            conversation_id: String::new(),
            language: "ms".to_owned(),
            expires_at: None,
        };
        self.post.mail(connection, &letter, now).await
    }

    /// Hands what is sealed on a ticket on to the one that it becomes part of, unless that has something of its own.
    pub fn hand_on_details(&self, from: &TicketRow, to: &mut TicketRow) {
        let sealed = from.details.as_deref().filter(|_| to.details.is_none());
        let opened = sealed.and_then(|sealed| self.sealer.open(&from.number, sealed).ok());
        if let Some(details) = opened {
            to.details = self.sealer.seal(&to.number, &details).ok();
        }
    }

    /// Writes a changed ticket and what happened to it, if nobody else changed it since it was read; tells whether it was
    /// written.
    pub async fn save(
        &self,
        connection: &mut Connection,
        row: &mut TicketRow,
        happened: Happened<'_>,
        now: Millis,
    ) -> sqlx::Result<bool> {
        row.updated_at = now;
        if !ticket::update(connection, row).await? {
            return Ok(false);
        }
        row.version += 1;
        self.note(connection, &row.number, happened, now).await?;
        Ok(true)
    }

    /// Notes what happened to a ticket; what an officer noted has it found, as what was said in its chat has.
    pub async fn note(
        &self,
        connection: &mut Connection,
        number: &str,
        happened: Happened<'_>,
        now: Millis,
    ) -> sqlx::Result<()> {
        note(connection, number, happened, now).await?;
        if happened.what == Happening::Note {
            let words: HashSet<String> = words(happened.text).collect();
            for word in words {
                let word = said_word(self.names, &word);
                ticket_word::insert(connection, &word, number).await?;
            }
        }
        Ok(())
    }

    /// What an officer needs for a ticket; that somebody looked is recorded.
    pub async fn details(
        &self,
        connection: &mut Connection,
        row: &TicketRow,
        agent: &str,
        now: Millis,
    ) -> sqlx::Result<Option<String>> {
        let entry = Entry::new(Event::Ticket, "shown")
            .within(&row.conversation_id)
            .about(agent)
            .detail(&row.number);
        self.audit.record(connection, entry, now).await?;
        let sealed = row.details.as_deref();
        Ok(sealed.and_then(|sealed| self.sealer.open(&row.number, sealed).ok()))
    }
}

/// Notes what happened to a ticket.
pub async fn note(
    connection: &mut Connection,
    number: &str,
    happened: Happened<'_>,
    now: Millis,
) -> sqlx::Result<()> {
    let row = TicketEventRow {
        id: Uuid::now_v7().to_string(),
        number: number.to_owned(),
        at: now,
        agent: happened.agent.to_owned(),
        kind: happened.what.as_str().to_owned(),
        text: happened.text.to_owned(),
    };
    ticket_event::insert(connection, &row).await
}

/// A word of what was said in a chat or noted, as it is stored: so much of its HMAC as tells words apart.
pub fn said_word(names: &RandomKey, word: &str) -> String {
    let signed = names.sign(&format!("said {word}"));
    let plain = signed.chars().filter(char::is_ascii_alphanumeric);
    plain.take(SAID).collect::<String>().to_lowercase()
}

/// The words of a text by which something is found: in lower case, two characters and more.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| word.chars().count() > 1);
    words.map(|word| word.chars().take(40).collect::<String>().to_lowercase())
}

//! What many chats are told without having asked just now: that an outage is over, and announcements. Each chat once: the
//! row that says so and the message are one transaction.

use super::deed::Changes;
use super::effect::Doing;
use super::hub::{DESK, Signal};
use super::message::{Channel, Kind, Reply, Sender};
use super::trouble::{News, over};
use super::{Engine, EngineError};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::incident::{Overview, Report, System};
use crate::knowledge::Knowledge;
use crate::knowledge::messages::fill;
use crate::knowledge::text::Language;
use crate::storage::announcement::{self, AnnouncementRow};
use crate::storage::conversation::{self, ConversationRow};
use crate::storage::{Connection, incident, outage, ticket};
use crate::ticket::{Happened, Happening, NewTicket, note};

/// Chats that are told in one go, a second: less than a bot may send, so that nobody's answer waits behind them.
const AT_ONCE: i64 = 15;

/// What the supervisor decides about an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is one: everybody is told so until it is closed.
    Confirm,
    /// It is none.
    Dismiss,
    /// It is over.
    Close,
}

impl Verdict {
    /// The name as recorded.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirmed",
            Self::Dismiss => "dismissed",
            Self::Close => "closed",
        }
    }
}

/// Something that a chat is told once.
enum Word<'a> {
    Over { outage: &'a str, system: System },
    Announcement(&'a AnnouncementRow),
}

impl Word<'_> {
    fn reply(&self, knowledge: &Knowledge, language: Language) -> Reply {
        match self {
            Self::Over { system, .. } => over(knowledge, *system, language),
            Self::Announcement(row) => {
                let text = match language {
                    Language::Ms => &row.text_ms,
                    Language::En => &row.text_en,
                };
                let foot = knowledge.messages().announcement_foot.get(language);
                Reply::text(format!("{text}\n\n{foot}")).kind(Kind::Notice)
            }
        }
    }

    /// Notes that the chat has it, or cannot have it; false if that was noted before.
    async fn settle(
        &self,
        connection: &mut Connection,
        (chat, seq): (&str, Option<i64>),
        now: Millis,
    ) -> sqlx::Result<bool> {
        let outcome = if seq.is_some() { "told" } else { "skipped" };
        match self {
            Self::Over { outage, .. } => {
                outage::settle(connection, (outage, chat), outcome, now).await
            }
            Self::Announcement(row) => {
                let settled = (outcome, seq.unwrap_or_default());
                announcement::settle(connection, (&row.id, chat), settled, now).await
            }
        }
    }
}

impl Engine {
    /// What a turn needs to know of the systems and of what its chat wants to hear.
    pub(super) async fn news_for(
        &self,
        connection: &mut Connection,
        row: &ConversationRow,
    ) -> sqlx::Result<News> {
        let open = outage::open(connection).await?;
        let names = open.iter();
        let names = names.filter_map(|it| Some((System::parse(&it.system)?, it.id.clone())));
        let names = names.collect();
        let troubles = self.incidents.troubles_of(connection, open, Some(&row.id));
        Ok(News {
            troubles: troubles.await?,
            open: names,
            subscribed: announcement::is_subscribed(connection, &row.id).await?,
        })
    }

    /// Notes what a turn says of a system, and what its chat wants to be told.
    pub(super) async fn note_news(
        &self,
        connection: &mut Connection,
        doing: &Doing<'_>,
        now: Millis,
    ) -> sqlx::Result<()> {
        let Doing { row, effects, .. } = doing;
        let news = &effects.news;
        if let Some(outage) = &news.tell_over {
            outage::subscribe(connection, outage, &row.id, now).await?;
        }
        match news.subscribe {
            Some(true) => announcement::subscribe(connection, &row.id, now).await?,
            Some(false) => {
                announcement::unsubscribe(connection, &row.id).await?;
                announcement::forget(connection, &row.id).await?;
            }
            None => {}
        }
        let telegram = row.channel == Channel::Telegram.as_str();
        // Of whom neither a network nor a name is known, nobody knows whether they are many.
        let Some(system) = news.report.filter(|_| telegram || doing.network.is_some()) else {
            return Ok(());
        };
        let contact = row.contact.as_deref();
        let reporter = self.identity.chat(&row.channel, contact, &row.id);
        let report = Report {
            system,
            conversation_id: &row.id,
            channel: &row.channel,
            reporter: &reporter,
            network: doing
                .network
                .map(|network| (network.name.as_str(), network.factor)),
        };
        self.incidents.report(connection, &report).await
    }

    /// Opens the incident of a system that enough people say does not open, with one ticket, and has the supervisor
    /// told; later reports join it.
    pub async fn raise_incidents(&self) -> sqlx::Result<()> {
        let mut connection = self.store.connection().await?;
        if !self.incidents.has_reports(&mut connection).await? {
            return Ok(());
        }
        drop(connection);
        for system in System::ALL {
            self.raise_incident(system).await?;
        }
        let mut transaction = self.store.begin().await?;
        self.incidents.join(&mut transaction).await?;
        transaction.commit().await
    }

    async fn raise_incident(&self, system: System) -> sqlx::Result<()> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let raised = self.incidents.raise(&mut transaction, system).await?;
        let Some(id) = raised else {
            return Ok(());
        };
        let tickets = self.tickets();
        let new = NewTicket {
            queue: "teknikal",
            topic: match system {
                System::Sistem => "insiden-sistem",
                System::Portal => "insiden-portal",
            },
            title: system.name(),
            ..NewTicket::default()
        };
        let number = tickets.open(&mut transaction, new, now).await?;
        incident::set_ticket(&mut transaction, &id, number.as_str()).await?;
        if let Some(mut row) = ticket::by_number(&mut transaction, number.as_str()).await? {
            "urgent".clone_into(&mut row.priority);
            let happened = Happened {
                what: Happening::Prioritised,
                agent: "",
                text: "urgent",
            };
            tickets
                .save(&mut transaction, &mut row, happened, now)
                .await?;
            tickets.mail_incident(&mut transaction, &row, now).await?;
        }
        let figures = self.incidents.figures(&mut transaction, &id).await?;
        let knowledge = self.knowledge.current();
        let figures = [
            ("people", figures.people.to_string()),
            ("departments", figures.departments.to_string()),
            ("networks", figures.networks.to_string()),
        ];
        let values = figures
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let sentence = &knowledge.messages().incident_note;
        let text = fill(sentence, Language::Ms, &values);
        let happened = Happened {
            what: Happening::Note,
            agent: "",
            text: &text,
        };
        note(&mut transaction, number.as_str(), happened, now).await?;
        let entry = Entry::new(Event::Incident, "suspected").detail(system.as_str());
        let audit = self.identity.audit();
        audit.record(&mut transaction, entry, now).await?;
        let news = self.news_of(DESK, Signal::Written);
        self.store.announce(&mut transaction, &news).await?;
        transaction.commit().await?;
        metrics::counter!("tanya_incidents_total", "system" => system.as_str()).increment(1);
        self.post.ring();
        self.hub.signal(DESK, Signal::Written);
        Ok(())
    }

    /// Does what the supervisor decides about an incident; false if somebody else decided before.
    pub async fn decide_incident(
        &self,
        agent: &str,
        id: &str,
        verdict: Verdict,
    ) -> sqlx::Result<bool> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let Some(row) = incident::by_id(&mut transaction, id).await? else {
            return Ok(false);
        };
        let by = (id, agent);
        let decided = match verdict {
            Verdict::Confirm => incident::confirm(&mut transaction, by, now).await?,
            Verdict::Dismiss => incident::dismiss(&mut transaction, by, now).await?,
            Verdict::Close => incident::close(&mut transaction, by, now).await?,
        };
        if !decided {
            return Ok(false);
        }
        self.incidents.settle(&mut transaction).await?;
        let knowledge = self.knowledge.current();
        let messages = knowledge.messages();
        let text = match verdict {
            Verdict::Confirm => &messages.incident_confirmed,
            Verdict::Dismiss => &messages.incident_dismissed,
            Verdict::Close => &messages.incident_closed,
        };
        let happened = Happened {
            what: Happening::Note,
            agent,
            text: text.get(Language::Ms),
        };
        note(&mut transaction, &row.ticket, happened, now).await?;
        let entry = Entry::new(Event::Incident, verdict.as_str());
        let entry = entry.about(agent).detail(&row.system);
        let audit = self.identity.audit();
        audit.record(&mut transaction, entry, now).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Tells some chats that an outage is over, those that wanted to know.
    pub async fn tell_over(&self) -> sqlx::Result<()> {
        let mut connection = self.store.connection().await?;
        let untold = outage::untold(&mut connection, AT_ONCE).await?;
        drop(connection);
        for (outage, system, chat) in untold {
            let Some(system) = System::parse(&system) else {
                continue;
            };
            let outage = &outage;
            self.say_once(&chat, &Word::Over { outage, system }).await?;
        }
        Ok(())
    }

    /// Tells some chats what was announced, those that want announcements.
    pub async fn tell_announced(&self) -> sqlx::Result<()> {
        let mut connection = self.store.connection().await?;
        let waiting = announcement::undelivered(&mut connection, AT_ONCE).await?;
        let mut told = Vec::new();
        let mut known: Option<AnnouncementRow> = None;
        for (id, chat) in waiting {
            if known.as_ref().is_none_or(|row| row.id != id) {
                known = announcement::by_id(&mut connection, &id).await?;
            }
            told.extend(known.clone().map(|row| (row, chat)));
        }
        // Waiting for a chat's turn holds no connection.
        drop(connection);
        for (row, chat) in told {
            self.say_once(&chat, &Word::Announcement(&row)).await?;
        }
        Ok(())
    }

    /// Says something in a chat, whoever holds it, and notes that it was said; next time if somebody writes just now.
    async fn say_once(&self, id: &str, word: &Word<'_>) -> sqlx::Result<()> {
        let _turn = self.take_turn(id).await;
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let chat = conversation::by_id(&mut transaction, id).await?;
        let reachable = conversation::is_reachable(&mut transaction, id).await?;
        let Some(chat) = chat.filter(|_| reachable) else {
            word.settle(&mut transaction, (id, None), now).await?;
            return transaction.commit().await;
        };
        let knowledge = self.knowledge.current();
        let language = Language::parse(&chat.language).unwrap_or_default();
        let changes = Changes {
            says: Some((Sender::Bot, word.reply(&knowledge, language))),
            ..Changes::default()
        };
        let seq = Some(chat.last_seq + 1);
        if !self.write(&mut transaction, &chat, &changes, now).await?
            || !word.settle(&mut transaction, (id, seq), now).await?
        {
            return transaction.rollback().await;
        }
        let news = self.news_of(id, Signal::Written);
        self.store.announce(&mut transaction, &news).await?;
        transaction.commit().await?;
        self.bells.outbound.ring();
        self.hub.signal(id, Signal::Written);
        Ok(())
    }

    /// How the systems are and what is announced, for whoever looks.
    pub async fn overview(&self) -> Result<(Overview, Option<AnnouncementRow>), EngineError> {
        let now = self.clock.now();
        let mut connection = self.store.connection().await?;
        let overview = self.incidents.overview(&mut connection).await?;
        let announced = announcement::shown(&mut connection, now).await?;
        Ok((overview, announced))
    }
}

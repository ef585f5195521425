//! What a chat is told that it did not just ask for: how an errand went, that a link was opened, that a task is done.

use std::sync::Arc;

use uuid::Uuid;

use super::commit::bot_rows;
use super::handoff::OFFICER;
use super::hub::Signal;
use super::message::{Channel, Kind, Reply};
use super::turn::entry_choice;
use super::{Engine, EngineError, TRIES};
use crate::audit::Entry;
use crate::clock::{Millis, shown};
use crate::identity::limits::DAY;
use crate::identity::link::Pressed;
use crate::identity::number::IdentityNumber;
use crate::identity::request::Request;
use crate::identity::{AskingNetwork, Ended, Opened, Refused, Who};
use crate::knowledge::Knowledge;
use crate::knowledge::messages::fill;
use crate::knowledge::text::Language;
use crate::mail::letters::request_label;
use crate::outbox::{Content, Letter, To};
use crate::storage::conversation;
use crate::storage::{Connection, message as transcript, outbox as deliveries, verification};
use crate::ticket::{NewTicket, TicketNumber, Tickets};

/// What happened.
#[derive(Clone, Debug)]
pub enum Told {
    /// The portal mails a temporary password.
    ResetByPortal {
        /// The address, masked, where it is known.
        address: Option<String>,
    },
    /// We mailed a one-time link to choose a password.
    ResetByUs {
        /// The address, masked, where it is known.
        address: Option<String>,
    },
    /// The portal mails an activation.
    ActivationByPortal {
        /// The address, masked, where it is known.
        address: Option<String>,
    },
    /// We mailed a one-time link to activate an account.
    ActivationByUs {
        /// The address, masked, where it is known.
        address: Option<String>,
    },
    /// The portal gave a link, which is being mailed.
    Mailing,
    /// A mail could not be sent; an officer has it.
    MailFailed,
    /// The portal gave no answer; an officer has it.
    Unsure,
    /// The portal refused; an officer has it.
    RefusedByPortal,
    /// It was not asked any more: too late, or nobody is known any more.
    NotRun,
    /// No code goes out: there were too many.
    CodeWithheld,
    /// The account is not what it has to be.
    NoAccount,
    /// The account is active already.
    AlreadyActive,
    /// The person is not paid through Modul PY.
    NotInPayroll,
    /// The record changed.
    PersonGone,
    /// There is no address.
    NoAddress,
    /// A link was opened.
    LinkOpened(Request),
    /// A spent link was pressed again.
    LinkAgain(Request),
    /// An officer has the number.
    ManualTaken,
    /// An answer did not help: an officer is offered.
    OfficerOffered,
    /// A task was settled.
    TicketSettled {
        /// Its number.
        number: String,
    },
}

/// Something to be told, and what is noted in the same transaction.
#[derive(Debug, Default)]
pub struct Report<'a> {
    /// What is said, if anything.
    pub told: Option<Told>,
    /// The proof under which it is said.
    pub proof: Option<&'a str>,
    /// The delivery that is done with this, and how.
    pub delivery: Option<(&'a str, &'a str)>,
    /// A mail that follows.
    pub letter: Option<Letter>,
    /// A line of the record.
    pub entry: Option<Entry<'a>>,
    /// A ticket that is opened.
    pub ticket: Option<NewTicket<'a>>,
    /// A ticket that is settled.
    pub settles: Option<&'a str>,
    /// A request for a proof that is done with this: an officer has the number.
    pub hands_over: Option<&'a str>,
}

impl Engine {
    /// Tells a chat, and notes the rest whether or not the chat is still there; the number of the ticket, if one was
    /// opened.
    pub async fn tell(
        &self,
        conversation_id: &str,
        report: &Report<'_>,
    ) -> Result<Option<TicketNumber>, EngineError> {
        let _turn = self.take_turn(conversation_id).await;
        for _ in 0..TRIES {
            if let Some(number) = self.try_tell(conversation_id, report).await? {
                self.post.ring();
                return Ok(number);
            }
        }
        Err(EngineError::Busy)
    }

    /// One try; none if somebody else wrote in between.
    async fn try_tell(
        &self,
        id: &str,
        report: &Report<'_>,
    ) -> Result<Option<Option<TicketNumber>>, EngineError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let row = match report.told {
            Some(_) => conversation::by_id(&mut transaction, id).await?,
            None => None,
        };
        if let Some(row) = &row
            && !conversation::tell(&mut transaction, row, 1).await?
        {
            transaction.rollback().await?;
            return Ok(None);
        }
        if let Some(request) = report.hands_over
            && !verification::hand_over(&mut transaction, request, now).await?
        {
            return Err(EngineError::Gone);
        }
        let number = self.note(&mut transaction, report, now).await?;
        let knowledge = self.knowledge.current();
        if let (Some(row), Some(told)) = (row, &report.told) {
            let language = Language::parse(&row.language).unwrap_or_default();
            let number = number.as_ref().map(TicketNumber::as_str);
            let reply = reply(&knowledge, told, language, number, now);
            let reply = match report.proof {
                Some(proof) => reply.under(proof),
                None => reply,
            };
            let replies = bot_rows(vec![reply], row.last_seq, None, now);
            for reply in &replies {
                transcript::insert(&mut transaction, id, reply).await?;
            }
            self.send(&mut transaction, &row, &replies, now).await?;
            if report.ticket.is_some() {
                self.take_up_words(&mut transaction, id).await?;
            }
        }
        if let Some(entry) = report.entry {
            let audit = self.identity.audit();
            audit.record(&mut transaction, entry, now).await?;
        }
        let news = self.news_of(id, Signal::Written);
        self.store.announce(&mut transaction, &news).await?;
        transaction.commit().await?;
        self.bells.outbound.ring();
        self.hub.signal(id, Signal::Written);
        Ok(Some(number))
    }

    /// Notes what belongs to a report: the delivery that is done, a mail, a ticket.
    async fn note(
        &self,
        connection: &mut Connection,
        report: &Report<'_>,
        now: Millis,
    ) -> sqlx::Result<Option<TicketNumber>> {
        if let Some((delivery, outcome)) = report.delivery {
            deliveries::finish(connection, delivery, outcome, now).await?;
        }
        if let Some(letter) = &report.letter {
            self.post.mail(connection, letter, now).await?;
        }
        if let Some(number) = report.settles {
            crate::storage::ticket::resolve(connection, number, now).await?;
        }
        let Some(new) = report.ticket else {
            return Ok(None);
        };
        let number = self.tickets().open(connection, new, now).await?;
        Ok(Some(number))
    }

    /// Ends everything that is known of a person whose record changed at the portal: their chats are told, and they are
    /// mailed at the address that is on record now.
    pub async fn forget_changed(&self, subject: &str, who: &Who) -> sqlx::Result<()> {
        let now = self.clock.now();
        let identity = &self.identity;
        let mut transaction = self.store.begin().await?;
        let connection = &mut transaction;
        let ended = self.end_and_tell(connection, subject, now).await?;
        if !ended.contacts.is_empty() {
            self.mail_unbound(connection, subject, who, now).await?;
        }
        identity
            .note_ended(connection, subject, "record-changed", now)
            .await?;
        transaction.commit().await?;
        self.tell_ended(&ended).await;
        Ok(())
    }

    /// Has a person mailed that nobody is known any more as them.
    pub(super) async fn mail_unbound(
        &self,
        connection: &mut Connection,
        subject: &str,
        who: &Who,
        now: Millis,
    ) -> sqlx::Result<()> {
        let letter = Letter {
            to: To::Person {
                reference: who.reference.clone(),
                kind: who.kind.as_str().to_owned(),
            },
            content: Content::Unbound,
            subject: subject.to_owned(),
            conversation_id: String::new(),
            language: Language::default().as_str().to_owned(),
            expires_at: None,
        };
        self.identity.notify(connection, &letter, now).await
    }

    /// Ends what is known of a person, and has their bound chats told.
    async fn end_and_tell(
        &self,
        connection: &mut Connection,
        subject: &str,
        now: Millis,
    ) -> sqlx::Result<Ended> {
        let ended = self
            .identity
            .end_everywhere(connection, subject, now)
            .await?;
        let nowhere = super::new_row(Channel::Telegram, None, Language::default(), now);
        self.tell_unbound(connection, &nowhere, &ended.contacts, now)
            .await?;
        Ok(ended)
    }

    /// Once it is kept: who watches reads anew, and what has to go out goes.
    async fn tell_ended(&self, ended: &Ended) {
        self.bells.outbound.ring();
        self.post.ring();
        for conversation in &ended.conversations {
            self.tell_changed(conversation).await;
        }
    }

    /// Takes "this was not me" from a mail: everything is ended, and the IT unit looks. False if the token is spent or
    /// unknown.
    pub async fn disavow(&self, token: &str) -> Result<bool, EngineError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let connection = &mut transaction;
        let identity = &self.identity;
        let Some(subject) = identity.take_disavowal(connection, token, now).await? else {
            identity.note_false_disavowal(connection, now).await?;
            transaction.commit().await?;
            return Ok(false);
        };
        let ended = self.end_and_tell(connection, &subject, now).await?;
        let new = NewTicket {
            conversation_id: "",
            queue: "teknikal",
            topic: "bukan-saya",
            subject: &subject,
            ..NewTicket::default()
        };
        self.tickets().open(connection, new, now).await?;
        identity.disavow(connection, &subject, now).await?;
        transaction.commit().await?;
        self.tell_ended(&ended).await;
        Ok(true)
    }

    /// Manual mode: takes a number for an officer, opens the task, and tells the chat.
    pub async fn hand_over(
        &self,
        opened: Opened<'_>,
        number: &IdentityNumber,
        network: Option<AskingNetwork>,
    ) -> Result<(), Refused> {
        let row = self.identity.hand_over(opened, number, network).await?;
        let request = Request::parse(&row.request).ok_or(Refused::Gone)?;
        let details = format!("{} {}", number.kind().as_str(), number.reveal());
        let last4 = number.last4();
        let subject = self.identity.subject(number);
        let report = Report {
            told: Some(Told::ManualTaken),
            hands_over: Some(&row.id),
            ticket: Some(NewTicket {
                conversation_id: &row.conversation_id,
                queue: "helpdesk",
                topic: request.action.as_str(),
                last4: Some(&last4),
                details: Some(&details),
                subject: &subject,
                ..NewTicket::default()
            }),
            ..Report::default()
        };
        match self.tell(&row.conversation_id, &report).await {
            Ok(_) => Ok(()),
            Err(EngineError::Database(error)) => Err(error.into()),
            Err(EngineError::Gone) => Err(Refused::Gone),
            Err(_) => Err(Refused::Wait(1_000)),
        }
    }

    /// Whether a secret brings a proof back to this conversation, or has already.
    pub async fn can_return(
        &self,
        id: &str,
        client_id: Uuid,
        secret: &str,
    ) -> Result<bool, EngineError> {
        if self.identity.returned(id, secret).await?.is_some()
            || self.claimable(secret).await?.is_some()
        {
            return Ok(true);
        }
        // Asked last: what took the proof meanwhile has left its message.
        let mut connection = self.store.connection().await?;
        let known = transcript::seq_of(&mut connection, id, &client_id.to_string()).await?;
        Ok(known.is_some())
    }

    /// Records how opening a document went; who left or has another address is known no more.
    pub async fn note_opened(&self, pressed: &Pressed, outcome: &str) -> sqlx::Result<()> {
        let mut transaction = self.store.begin().await?;
        let identity = &self.identity;
        identity
            .opened_link(&mut transaction, pressed, outcome)
            .await?;
        transaction.commit().await?;
        let proof = pressed.proof.as_ref();
        if let Some(proof) = proof.filter(|_| outcome == "record-changed") {
            self.forget_changed(&proof.subject, &proof.who).await?;
        }
        Ok(())
    }

    /// What opens tickets.
    pub fn tickets(&self) -> Tickets<'_> {
        Tickets {
            sealer: &self.ticket_sealer,
            names: self.identity.names(),
            audit: self.identity.audit(),
            post: &self.post,
            calendar: Arc::clone(self.knowledge.current().calendar()),
        }
    }

    /// Whether a chat may be told once more today that a spent link was pressed.
    pub async fn may_tell_again(&self, conversation_id: &str) -> sqlx::Result<bool> {
        let window = [crate::identity::limits::Window {
            within: DAY,
            most: 5,
        }];
        let key = format!("links-again {conversation_id}");
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let may = crate::identity::limits::take(&mut transaction, &key, &window, now).await?;
        transaction.commit().await?;
        Ok(may)
    }
}

fn reply(
    knowledge: &Knowledge,
    told: &Told,
    language: Language,
    number: Option<&str>,
    now: Millis,
) -> Reply {
    let messages = knowledge.messages();
    let number = number.unwrap_or_default();
    let time = shown(now);
    let say = |sentence, values: &[(&str, &str)]| Reply::text(fill(sentence, language, values));
    let registered = messages.registered_address.get(language);
    let to = |address: &Option<String>| {
        let address = address.as_ref().unwrap_or(registered);
        vec![("address", address.clone())]
    };
    let (sentence, values) = match told {
        Told::ResetByPortal { address } => (&messages.reset_by_portal, to(address)),
        Told::ResetByUs { address } => (&messages.reset_by_us, to(address)),
        Told::ActivationByPortal { address } => (&messages.activation_by_portal, to(address)),
        Told::ActivationByUs { address } => (&messages.activation_by_us, to(address)),
        Told::Mailing => (&messages.mailing, Vec::new()),
        Told::MailFailed => (&messages.mail_failed, Vec::new()),
        Told::Unsure => (&messages.errand_unsure, Vec::new()),
        Told::RefusedByPortal => (&messages.errand_refused, Vec::new()),
        Told::NotRun => (&messages.errand_not_run, Vec::new()),
        Told::CodeWithheld => (&messages.code_withheld, Vec::new()),
        Told::NoAccount => (&messages.no_account, Vec::new()),
        Told::AlreadyActive => (&messages.account_active, Vec::new()),
        Told::NotInPayroll => (&messages.not_in_payroll, Vec::new()),
        Told::PersonGone => (&messages.person_gone, Vec::new()),
        Told::NoAddress => (&messages.no_address, Vec::new()),
        Told::LinkOpened(request) | Told::LinkAgain(request) => {
            let what = request_label(knowledge, request, language);
            let sentence = match told {
                Told::LinkOpened(_) => &messages.link_opened,
                _ => &messages.link_again,
            };
            (sentence, vec![("what", what), ("time", time)])
        }
        Told::ManualTaken => (&messages.manual_taken, Vec::new()),
        Told::OfficerOffered => (&messages.unhelpful_offer, Vec::new()),
        Told::TicketSettled { number } => {
            let reply = say(&messages.ticket_settled, &[("number", number)]);
            return reply.kind(Kind::Notice).ticket(number, "resolved");
        }
    };
    let mut values: Vec<(&str, &str)> = values
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    values.push(("number", number));
    let reply = say(sentence, &values).kind(Kind::Notice);
    let more = match told {
        Told::NoAccount => entry_choice(knowledge, "action:daftar", language),
        Told::AlreadyActive => entry_choice(knowledge, "action:lupa-kata-laluan", language),
        Told::OfficerOffered => entry_choice(knowledge, OFFICER, language),
        _ => None,
    };
    let reply = reply.choices(more.into_iter().collect());
    if number.is_empty() {
        reply
    } else {
        reply.ticket(number, "open")
    }
}

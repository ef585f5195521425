//! The engine that every channel talks to: loads a conversation, decides, and commits what was decided in one
//! transaction. It knows no channel.

pub mod action;
mod answering;
mod casework;
mod chase;
pub mod command;
mod commit;
mod context;
mod deed;
pub mod desk;
mod effect;
mod errands;
mod exchange;
pub mod follow;
pub mod handoff;
pub mod hub;
pub mod keeping;
pub mod message;
pub mod once;
mod personal;
pub mod picture;
mod present;
pub mod rehearsal;
pub mod report;
mod spoken;
pub mod state;
pub mod telling;
pub mod trouble;
mod turn;
pub mod visit;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::bell::Bells;
use crate::clock::{Clock, Millis};
use crate::identity::Identity;
use crate::incident::Incidents;
use crate::knowledge::Knowledge;
use crate::knowledge::ask::Unaskable;
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::text::Language;
use crate::outbox::Post;
use crate::picture::{Decoding, PictureRefused};
use crate::portal::Portal;
use crate::redact::redact;
use crate::secret::{Sealer, random_token};
use crate::storage::Store;
use crate::storage::conversation::{self, ConversationRow};
use crate::storage::feedback::{self, FeedbackRow};
use crate::storage::message::{self as transcript};
use crate::storage::pace::Rate;
use commit::bot_rows;
use exchange::settle;
use hub::{Hub, Signal};
use message::{Channel, Contact, Content, Message, Receipt, Sender};
use state::State;
use turn::{ChoiceExpired, Circumstances, Decision};

pub use crate::ticket::NewTicket;

/// How often something is decided anew when another one was faster.
const TRIES: usize = 8;
/// What other processes are told when something came in.
pub const INBOUND_NEWS: &str = "inbound";
/// How many turns can be under way; conversations are spread over as many locks.
const TURNS_AT_ONCE: usize = 256;

/// Why the engine did not do what it was asked.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The conversation is not there, or over.
    #[error("there is no such conversation")]
    Gone,
    /// There is no such message to vote on.
    #[error("there is no such message")]
    NoSuchMessage,
    /// The choice is not offered any more.
    #[error("the choice is not offered any more")]
    ChoiceExpired,
    /// The text cannot be asked.
    #[error(transparent)]
    Unaskable(#[from] Unaskable),
    /// The person writes faster than anybody reads.
    #[error("too many messages at once")]
    TooFast {
        /// When the next one is taken.
        wait: Duration,
    },
    /// The picture is not taken.
    #[error(transparent)]
    Picture(#[from] PictureRefused),
    /// The conversation sends pictures without end.
    #[error("too many pictures")]
    TooManyPictures,
    /// The conversation is written to from too many sides.
    #[error("the conversation is busy")]
    Busy,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// A conversation that was just begun.
#[derive(Debug)]
pub struct Begun {
    /// Its id.
    pub id: String,
    /// What opens it on the web; shown once, stored only as a hash.
    pub token: String,
    /// The first messages.
    pub replies: Vec<Message>,
}

/// The bounds of conversations.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long a web chat may be idle.
    pub chat_idle: Duration,
    /// How long transcripts are kept, in days.
    pub transcript_days: u32,
    /// How fast one may write in a conversation.
    pub rate: Rate,
}

/// How a turn is decided; tests break it to see what is left standing.
type Decide = fn(
    &Knowledge,
    &State,
    Language,
    &Content,
    Circumstances<'_>,
) -> Result<Decision, ChoiceExpired>;

/// What the engine works with.
pub struct Parts {
    /// The database.
    pub store: Arc<Store>,
    /// What is known.
    pub knowledge: Arc<LiveKnowledge>,
    /// The time.
    pub clock: Clock,
    /// The bounds of conversations.
    pub bounds: Bounds,
    /// Wakes those who carry.
    pub bells: Arc<Bells>,
    /// Proves who people are.
    pub identity: Arc<Identity>,
    /// The portal; without one, officers do what it would.
    pub portal: Option<Arc<Portal>>,
    /// Knows how the two systems are.
    pub incidents: Arc<Incidents>,
    /// What takes mails and errands.
    pub post: Arc<Post>,
    /// Seals what officers need.
    pub ticket_sealer: Sealer,
    /// Whether number and code may be typed where the channel can remove messages.
    pub typed_proof: bool,
}

/// The engine.
pub struct Engine {
    store: Arc<Store>,
    knowledge: Arc<LiveKnowledge>,
    clock: Clock,
    bounds: Bounds,
    hub: Hub,
    bells: Arc<Bells>,
    identity: Arc<Identity>,
    portal: Option<Arc<Portal>>,
    incidents: Arc<Incidents>,
    post: Arc<Post>,
    ticket_sealer: Sealer,
    decoding: Decoding,
    typed_proof: bool,
    /// This process among those on the database: its own news are none to it.
    process: String,
    decide: Decide,
    /// One turn of a conversation at a time in this process; other processes are met by its version.
    turns: Vec<Mutex<()>>,
}

impl Engine {
    /// An engine of these parts.
    pub fn new(parts: Parts) -> Self {
        Self {
            store: parts.store,
            knowledge: parts.knowledge,
            clock: parts.clock,
            bounds: parts.bounds,
            hub: Hub::default(),
            bells: parts.bells,
            identity: parts.identity,
            portal: parts.portal,
            incidents: parts.incidents,
            post: parts.post,
            ticket_sealer: parts.ticket_sealer,
            decoding: Decoding::default(),
            typed_proof: parts.typed_proof,
            process: Uuid::new_v4().simple().to_string(),
            decide: turn::decide,
            turns: (0..TURNS_AT_ONCE).map(|_| Mutex::new(())).collect(),
        }
    }

    /// Who watches conversations in this process.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Begins a conversation on a channel that does not tell who it is.
    pub async fn begin(&self, channel: Channel, language: Language) -> Result<Begun, EngineError> {
        let now = self.clock.now();
        let knowledge = self.knowledge.current();
        let replies = turn::opening(&knowledge, language, self.bounds.transcript_days);
        let mut state = State::default();
        let offered = replies.iter().flat_map(|r| r.body.choices.clone());
        state.offer(offered.collect());
        let token = random_token();
        let row = ConversationRow {
            state: state.to_json(),
            last_seq: replies.len() as i64,
            ..new_row(channel, None, language, now)
        };
        let rows = bot_rows(replies, 0, None, now);
        let mut transaction = self.store.begin().await?;
        conversation::insert(&mut transaction, &row, Some(&hash(&token))).await?;
        for message in &rows {
            transcript::insert(&mut transaction, &row.id, message).await?;
        }
        transaction.commit().await?;
        Ok(Begun {
            id: row.id,
            token,
            replies: rows.into_iter().map(Message::from_row).collect(),
        })
    }

    /// The live conversation with a contact; a new and silent one if there is none.
    pub async fn reach(
        &self,
        contact: &Contact,
        language: Language,
    ) -> Result<String, EngineError> {
        let channel = contact.channel;
        loop {
            let mut connection = self.store.connection().await?;
            let known =
                conversation::by_contact(&mut connection, channel.as_str(), &contact.id).await?;
            if let Some(row) = known {
                return Ok(row.id);
            }
            drop(connection);
            let row = new_row(channel, Some(&contact.id), language, self.clock.now());
            let mut transaction = self.store.begin().await?;
            let made = conversation::insert(&mut transaction, &row, None).await?;
            transaction.commit().await?;
            if made {
                return Ok(row.id);
            }
        }
    }

    /// The live conversation that a token opens.
    pub async fn opened_by(&self, token: &str) -> Result<Option<String>, EngineError> {
        let since = self.idle_since();
        let mut connection = self.store.connection().await?;
        let row = conversation::by_token(&mut connection, &hash(token), since).await?;
        Ok(row.map(|row| row.id))
    }

    /// Whether a conversation goes on.
    pub async fn is_open(&self, id: &str) -> Result<bool, EngineError> {
        let mut connection = self.store.connection().await?;
        Ok(conversation::goes_on(&mut connection, id, self.idle_since()).await?)
    }

    /// Chats that nobody wrote in since then are over.
    fn idle_since(&self) -> Millis {
        let idle = Millis::try_from(self.bounds.chat_idle.as_millis()).unwrap_or(Millis::MAX);
        self.clock.now().saturating_sub(idle)
    }

    /// The messages after `seq`, both sides, in order.
    pub async fn messages(&self, id: &str, seq: i64) -> Result<Vec<Message>, EngineError> {
        let mut connection = self.store.connection().await?;
        let rows = transcript::after(&mut connection, id, seq).await?;
        Ok(self.present(&mut connection, id, rows).await?)
    }

    /// Notes whether a message of the bot's or an officer's helped.
    pub async fn vote(&self, id: &str, vote: Vote<'_>) -> Result<(), EngineError> {
        let Vote { seq, helpful, .. } = vote;
        let mut transaction = self.store.begin().await?;
        if let Some(receipt) = vote.receipt
            && !settle(&mut transaction, receipt, self.clock.now()).await?
        {
            return Ok(());
        }
        let sender = transcript::sender_of(&mut transaction, id, seq).await?;
        if sender.is_none_or(|sender| sender == Sender::User.as_str()) {
            return Err(EngineError::NoSuchMessage);
        }
        let row = FeedbackRow {
            conversation_id: id.to_owned(),
            seq,
            vote: if helpful { "helpful" } else { "unhelpful" },
            comment: vote.comment.map(redact),
            created_at: self.clock.now(),
        };
        feedback::put(&mut transaction, &row).await?;
        transaction.commit().await?;
        if !helpful {
            self.offer_officer(id, seq).await?;
        }
        metrics::counter!("tanya_feedback_total", "vote" => row.vote).increment(1);
        Ok(())
    }

    /// Ends a conversation.
    pub async fn end(&self, id: &str) -> Result<(), EngineError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let row = conversation::by_id(&mut transaction, id).await?;
        conversation::end(&mut transaction, id, now).await?;
        if let Some(row) = row {
            self.identity.leave(&mut transaction, &row, now).await?;
        }
        let news = self.news_of(id, Signal::Ended);
        self.store.announce(&mut transaction, &news).await?;
        transaction.commit().await?;
        self.hub.signal(id, Signal::Ended);
        Ok(())
    }
}

/// Whether a message helped.
#[derive(Clone, Copy, Debug)]
pub struct Vote<'a> {
    /// The message.
    pub seq: i64,
    /// Whether it did.
    pub helpful: bool,
    /// What the person adds.
    pub comment: Option<&'a str>,
    /// What is settled with it.
    pub receipt: Option<&'a Receipt>,
}

fn new_row(
    channel: Channel,
    contact: Option<&str>,
    language: Language,
    now: Millis,
) -> ConversationRow {
    ConversationRow {
        id: Uuid::now_v7().to_string(),
        channel: channel.as_str().to_owned(),
        contact: contact.map(str::to_owned),
        language: language.as_str().to_owned(),
        state: State::default().to_json(),
        version: 1,
        last_seq: 0,
        calm_at: 0,
        active_at: now,
        holder: None,
        seen_at: 0,
    }
}

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests;

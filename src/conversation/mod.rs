//! The engine that every channel talks to: loads a conversation, decides, and commits what was decided in one
//! transaction. It knows no channel.

mod context;
pub mod hub;
pub mod message;
pub mod rehearsal;
pub mod state;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::clock::{Clock, Millis};
use crate::knowledge::ask::{Unaskable, askable};
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::text::Language;
use crate::redact::redact;
use crate::storage::Store;
use crate::storage::conversation::{self, ConversationRow};
use crate::storage::feedback::{self, FeedbackRow};
use crate::storage::message::{self as transcript, MessageRow};
use hub::{Hub, Signal};
use message::{Body, Content, Incoming, Message, Reply, Sender};
use state::State;
use turn::{ChoiceExpired, Circumstances, Decision};

/// How often a turn is decided anew when another one was faster.
const TRIES: usize = 8;
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
    /// What opens it; shown once, stored only as a hash.
    pub token: String,
    /// The first messages.
    pub replies: Vec<Message>,
}

/// How long things are kept.
#[derive(Clone, Copy, Debug)]
pub struct Keeping {
    /// How long a web chat may be idle.
    pub chat_idle: Duration,
    /// How long transcripts are kept, in days.
    pub transcript_days: u32,
}

/// The engine.
pub struct Engine {
    store: Arc<Store>,
    knowledge: Arc<LiveKnowledge>,
    clock: Clock,
    keeping: Keeping,
    hub: Hub,
    /// One turn of a conversation at a time in this process; other processes are met by its version.
    turns: Vec<Mutex<()>>,
}

impl Engine {
    /// An engine over a database and a knowledge.
    pub fn new(
        store: Arc<Store>,
        knowledge: Arc<LiveKnowledge>,
        clock: Clock,
        keeping: Keeping,
    ) -> Self {
        Self {
            store,
            knowledge,
            clock,
            keeping,
            hub: Hub::default(),
            turns: (0..TURNS_AT_ONCE).map(|_| Mutex::new(())).collect(),
        }
    }

    /// Who watches conversations in this process.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Begins a conversation on the web.
    pub async fn begin(&self, language: Language) -> Result<Begun, EngineError> {
        let now = self.clock.now();
        let knowledge = self.knowledge.current();
        let replies = turn::opening(&knowledge, language, self.keeping.transcript_days);
        let mut state = State::default();
        state.offer(
            replies
                .iter()
                .flat_map(|r| r.body.choices.clone())
                .collect(),
        );
        let token = new_token();
        let row = ConversationRow {
            id: Uuid::now_v7().to_string(),
            language: language.as_str().to_owned(),
            state: state.to_json(),
            version: 1,
            last_seq: replies.len() as i64,
            active_at: now,
        };
        let rows = bot_rows(replies, 0, None, now);
        let mut transaction = self.store.begin().await?;
        conversation::insert(&mut transaction, &row, "web", &hash(&token)).await?;
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
        let row = conversation::by_id(&mut connection, id).await?;
        Ok(row.is_some_and(|row| row.active_at >= self.idle_since()))
    }

    /// Chats that nobody wrote in since then are over.
    fn idle_since(&self) -> Millis {
        let idle = Millis::try_from(self.keeping.chat_idle.as_millis()).unwrap_or(Millis::MAX);
        self.clock.now().saturating_sub(idle)
    }

    /// Handles one message and returns what is said to it; the same message again returns the same and does nothing.
    pub async fn handle(&self, id: &str, incoming: Incoming) -> Result<Vec<Message>, EngineError> {
        if let Content::Text(text) = &incoming.content {
            askable(text)?;
        }
        let _turn = self.take_turn(id).await;
        for _ in 0..TRIES {
            if let Some(replies) = self.attempt(id, &incoming).await? {
                self.hub.signal(id, Signal::Written);
                return Ok(replies);
            }
        }
        Err(EngineError::Busy)
    }

    /// Waits for the other turns of this conversation, and for those that happen to share its lock.
    async fn take_turn(&self, id: &str) -> Option<MutexGuard<'_, ()>> {
        let number = id.bytes().fold(0_usize, |sum, byte| {
            sum.wrapping_mul(31) + usize::from(byte)
        });
        let turn = self.turns.get(number % self.turns.len().max(1))?;
        Some(turn.lock().await)
    }

    /// One try at a turn; none if somebody else wrote in between.
    async fn attempt(
        &self,
        id: &str,
        incoming: &Incoming,
    ) -> Result<Option<Vec<Message>>, EngineError> {
        let client_id = incoming.client_id.to_string();
        let mut connection = self.store.connection().await?;
        let row = conversation::by_id(&mut connection, id).await?;
        let mut row = row.ok_or(EngineError::Gone)?;
        if let Some(seq) = transcript::seq_of(&mut connection, id, &client_id).await? {
            let replies = transcript::replies_to(&mut connection, id, seq).await?;
            return Ok(Some(replies.into_iter().map(Message::from_row).collect()));
        }
        drop(connection);

        let knowledge = self.knowledge.current();
        let state = State::parse(&row.state);
        let language = Language::parse(&row.language).unwrap_or_default();
        let circumstances = Circumstances {
            transcript_days: self.keeping.transcript_days,
            today: self.clock.today(),
        };
        let decision = turn::decide(
            &knowledge,
            &state,
            language,
            &incoming.content,
            circumstances,
        )
        .map_err(|ChoiceExpired| EngineError::ChoiceExpired)?;

        self.hub.signal(id, Signal::Typing);
        let now = self.clock.now();
        let heard_seq = row.last_seq + 1;
        let heard = heard_row(&decision, heard_seq, client_id, now);
        let outcome = decision.routed.as_ref().map(|f| f.outcome);
        row.language = decision.language.as_str().to_owned();
        row.state = decision.state.to_json();
        row.last_seq = heard_seq + decision.replies.len() as i64;
        row.active_at = now;
        let replies = bot_rows(decision.replies, heard_seq, Some(heard_seq), now);

        let mut transaction = self.store.begin().await?;
        if !conversation::advance(&mut transaction, &row).await? {
            transaction.rollback().await?;
            return Ok(None);
        }
        transcript::insert(&mut transaction, id, &heard).await?;
        for reply in &replies {
            transcript::insert(&mut transaction, id, reply).await?;
        }
        transaction.commit().await?;
        let outcome = outcome.map_or("choice", |outcome| outcome.as_str());
        metrics::counter!("tanya_messages_total", "outcome" => outcome).increment(1);
        Ok(Some(replies.into_iter().map(Message::from_row).collect()))
    }

    /// The messages after `seq`, both sides, in order.
    pub async fn messages(&self, id: &str, seq: i64) -> Result<Vec<Message>, EngineError> {
        let mut connection = self.store.connection().await?;
        let rows = transcript::after(&mut connection, id, seq).await?;
        Ok(rows.into_iter().map(Message::from_row).collect())
    }

    /// Notes whether a message of the bot's or an officer's helped.
    pub async fn vote(
        &self,
        id: &str,
        seq: i64,
        helpful: bool,
        comment: Option<&str>,
    ) -> Result<(), EngineError> {
        let mut transaction = self.store.begin().await?;
        let sender = transcript::sender_of(&mut transaction, id, seq).await?;
        if sender.is_none_or(|sender| sender == Sender::User.as_str()) {
            return Err(EngineError::NoSuchMessage);
        }
        let row = FeedbackRow {
            conversation_id: id.to_owned(),
            seq,
            vote: if helpful { "helpful" } else { "unhelpful" },
            comment: comment.map(redact),
            created_at: self.clock.now(),
        };
        feedback::put(&mut transaction, &row).await?;
        transaction.commit().await?;
        metrics::counter!("tanya_feedback_total", "vote" => row.vote).increment(1);
        Ok(())
    }

    /// Ends a conversation.
    pub async fn end(&self, id: &str) -> Result<(), EngineError> {
        let mut transaction = self.store.begin().await?;
        conversation::end(&mut transaction, id, self.clock.now()).await?;
        transaction.commit().await?;
        self.hub.signal(id, Signal::Ended);
        Ok(())
    }
}

fn heard_row(decision: &Decision, seq: i64, client_id: String, now: Millis) -> MessageRow {
    let body = Body {
        text: decision.heard.clone(),
        ..Body::default()
    };
    let best = decision.routed.as_ref();
    MessageRow {
        seq,
        sender: Sender::User.as_str().to_owned(),
        client_id: Some(client_id),
        body: to_json(&body),
        target: best.and_then(|f| Some(f.candidates.first()?.target.clone())),
        outcome: best.map(|f| f.outcome.as_str().to_owned()),
        confidence_ppm: best.map(|f| (f.confidence * 1e6) as i64),
        created_at: now,
        ..MessageRow::default()
    }
}

fn bot_rows(
    replies: Vec<Reply>,
    last_seq: i64,
    reply_to: Option<i64>,
    now: Millis,
) -> Vec<MessageRow> {
    (last_seq + 1..)
        .zip(replies)
        .map(|(seq, reply)| MessageRow {
            seq,
            sender: Sender::Bot.as_str().to_owned(),
            reply_to,
            body: to_json(&reply.body),
            target: reply.target,
            created_at: now,
            ..MessageRow::default()
        })
        .collect()
}

fn to_json(body: &Body) -> String {
    serde_json::to_string(body).unwrap_or_default()
}

/// 256 random bits, as text.
fn new_token() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

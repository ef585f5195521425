//! The engine that every channel talks to: loads a conversation, decides, and commits what was decided in one
//! transaction. It knows no channel.

pub mod action;
mod answering;
mod casework;
mod chase;
pub mod command;
mod commit;
mod context;
pub mod desk;
mod errands;
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

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::bell::Bells;
use crate::clock::{Clock, Millis};
use crate::identity::Identity;
use crate::incident::Incidents;
use crate::knowledge::Knowledge;
use crate::knowledge::ask::{Unaskable, askable};
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::text::Language;
use crate::outbox::{Payload, Post};
use crate::picture::{Decoding, PictureRefused};
use crate::portal::Portal;
use crate::redact::{HIDDEN, redact};
use crate::secret::{Sealer, random_token};
use crate::storage::conversation::{self, ConversationRow};
use crate::storage::feedback::{self, FeedbackRow};
use crate::storage::message::{self as transcript};
use crate::storage::pace::{self, Rate};
use crate::storage::{Connection, Store, inbound};
use crate::trace::{self, Fact, Span, Work};
use commit::{bot_rows, heard_row, numbered};
use handoff::Desk;
use hub::{DESK, Hub, Signal};
use message::{Channel, Contact, Content, Incoming, Message, Receipt, Sender};
use personal::{Ahead, Doing};
use state::State;
use trouble::News;
use turn::{ChoiceExpired, Circumstances, Decision};

pub use crate::ticket::NewTicket;

/// How often a turn is decided anew when another one was faster.
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

/// What a message is decided with, besides the conversation and itself.
#[derive(Clone, Copy)]
struct Around<'a> {
    /// Whether a pressed choice stands under a message of the conversation's.
    offered: bool,
    ahead: &'a Ahead,
    desk: &'a Desk,
    news: &'a News,
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

    /// Handles one message and returns what is said to it; the same message again returns the same and does nothing.
    pub async fn handle(&self, id: &str, incoming: Incoming) -> Result<Vec<Message>, EngineError> {
        if let Content::Text(text) = &incoming.content {
            askable(text)?;
        }
        let span = Span::begin(Work::Turn);
        let handled = span.around(self.tried(id, incoming)).await;
        if let Err(EngineError::Database(_) | EngineError::Busy) = handled {
            span.fail();
        }
        handled
    }

    /// Tries a turn until nobody else was faster.
    async fn tried(&self, id: &str, incoming: Incoming) -> Result<Vec<Message>, EngineError> {
        let began = Instant::now();
        let mut turn = self.take_turn(id).await;
        let mut ahead = Ahead::default();
        for _ in 0..TRIES {
            let attempted = self.attempt(id, &incoming, &mut ahead, &mut turn).await?;
            if let Some(replies) = attempted {
                let seconds = began.elapsed().as_secs_f64();
                metrics::histogram!("tanya_turn_seconds").record(seconds);
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
        ahead: &mut Ahead,
        turn: &mut Option<MutexGuard<'_, ()>>,
    ) -> Result<Option<Vec<Message>>, EngineError> {
        let client_id = incoming.client_id.to_string();
        let mut connection = self.store.connection().await?;
        let row = conversation::by_id(&mut connection, id).await?;
        let mut row = row.ok_or(EngineError::Gone)?;
        if let Some(seq) = transcript::seq_of(&mut connection, id, &client_id).await? {
            let replies = transcript::replies_to(&mut connection, id, seq).await?;
            if let Some(receipt) = &incoming.receipt {
                settle(&mut connection, receipt, self.clock.now()).await?;
            }
            let replies = self.present(&mut connection, id, replies).await?;
            return Ok(Some(replies));
        }
        let now = self.clock.now();
        row.calm_at = self.calmer(row.calm_at, now)?;
        let offered = was_offered(&mut connection, id, &incoming.content).await?;
        let mut desk = self.desk(&mut connection, &row).await?;
        if let Content::Picture(_) = incoming.content {
            desk.pictures = self.picture_room(&mut connection, id, &desk).await?;
        }
        let news = self.news_for(&mut connection, &row).await?;
        drop(connection);

        self.look_ahead(&row, incoming, ahead).await?;
        let around = Around {
            offered,
            ahead,
            desk: &desk,
            news: &news,
        };
        let mut decision = self.decided(&row, &incoming.content, around)?;
        if decision.effects.wish.is_some() {
            // The portal may take its time: nobody else waits for it. Whoever writes meanwhile is met by the version.
            turn.take();
        }
        self.fulfil(&row, &mut decision, ahead).await?;
        self.respect_holds(&row, &mut decision).await?;
        let hides = decision.heard.contains(HIDDEN);
        if hides && incoming.original.is_some() && !decision.effects.expected_secret {
            let notice = turn::removal(&self.knowledge.current(), decision.language);
            decision.insert_reply(notice);
        }
        self.hub.signal(id, Signal::Typing);
        let heard_seq = row.last_seq + 1;
        let outcome = decision.routed.as_ref().map(|f| f.outcome);
        row.language = decision.language.as_str().to_owned();
        row.state = decision.state.to_json();
        row.last_seq = heard_seq + decision.replies.len() as i64;
        row.active_at = now;
        let erase = decision.erase;
        let heard = heard_row(&decision, heard_seq, client_id, now);
        let effects = std::mem::take(&mut decision.effects);
        let mut replies = bot_rows(decision.replies, heard_seq, Some(heard_seq), now);

        let mut transaction = self.store.begin().await?;
        if !conversation::advance(&mut transaction, &row).await? {
            transaction.rollback().await?;
            return Ok(None);
        }
        if let Some(receipt) = &incoming.receipt
            && !settle(&mut transaction, receipt, now).await?
        {
            // Somebody else has handled it in the meantime.
            transaction.rollback().await?;
            return Ok(Some(Vec::new()));
        }
        if let (Some(number), true) = (incoming.original, hides) {
            let payload = Payload::Remove { number };
            let place = Some((id, heard_seq));
            self.carry(&mut transaction, &row, place, &payload, now)
                .await?;
        }
        let mut opened = None;
        if let Some(effect) = &effects.ticket {
            opened = self
                .ticket_effect(&mut transaction, (&row, ahead), effect, now)
                .await?;
            replies = numbered(replies, opened.as_ref());
        }
        let kept = effects.picture.as_ref();
        self.keep_pictures(&mut transaction, (&row, heard_seq), kept, opened.as_ref())
            .await?;
        if erase {
            self.erase(&mut transaction, &row, &replies, now).await?;
        } else {
            transcript::insert(&mut transaction, id, &heard).await?;
            for reply in &replies {
                transcript::insert(&mut transaction, id, reply).await?;
            }
            self.send(&mut transaction, &row, &replies, now).await?;
            if desk.ticketed || effects.ticket.is_some() {
                self.take_up_words(&mut transaction, id).await?;
            }
        }
        let doing = Doing {
            row: &row,
            effects: &effects,
            ahead,
            heard_seq,
            who: incoming.who.as_deref(),
            network: incoming.network.as_ref(),
        };
        let changed = self.take_effect(&mut transaction, &doing, now).await?;
        let Some(changed) = changed else {
            // The proof was brought back by another request in the meantime.
            transaction.rollback().await?;
            ahead.returned = None;
            return Ok(None);
        };
        let signal = if erase {
            Signal::Ended
        } else {
            Signal::Written
        };
        let news = self.news_of(id, signal);
        self.store.announce(&mut transaction, &news).await?;
        if effects.ticket.is_some() {
            let news = self.news_of(DESK, Signal::Written);
            self.store.announce(&mut transaction, &news).await?;
        }
        transaction.commit().await?;
        self.bells.outbound.ring();
        self.hub.signal(id, signal);
        if effects.ticket.is_some() {
            self.post.ring();
            self.hub.signal(DESK, Signal::Written);
        }
        self.after_effect(&row, &effects, ahead.verification(), &changed)
            .await;
        let outcome = outcome.map_or("choice", |outcome| outcome.as_str());
        trace::note(Fact::Outcome(outcome));
        metrics::counter!("tanya_messages_total", "outcome" => outcome).increment(1);
        let channel = row.channel.clone();
        metrics::counter!("tanya_turns_total", "channel" => channel, "outcome" => outcome)
            .increment(1);
        let mut connection = self.store.connection().await?;
        let replies = self.present(&mut connection, id, replies).await?;
        Ok(Some(replies))
    }

    /// When a conversation is calm again after one more message.
    fn calmer(&self, calm_at: Millis, now: Millis) -> Result<Millis, EngineError> {
        let rate = self.bounds.rate;
        let wait = calm_at - now - rate.slack();
        // What lies further ahead was written before the clock was set back.
        let known = wait <= rate.every + pace::CLOCKS_DIFFER;
        let calm_at = if known { calm_at } else { now };
        if known && wait > 0 {
            let wait = Duration::from_millis(wait.unsigned_abs());
            return Err(EngineError::TooFast { wait });
        }
        Ok(calm_at.max(now) + rate.every)
    }

    /// What is decided; an apology if deciding breaks, so that one message harms nobody else's.
    fn decided(
        &self,
        row: &ConversationRow,
        content: &Content,
        around: Around<'_>,
    ) -> Result<Decision, EngineError> {
        let knowledge = self.knowledge.current();
        let state = State::parse(&row.state);
        let language = Language::parse(&row.language).unwrap_or_default();
        let circumstances = Circumstances {
            transcript_days: self.bounds.transcript_days,
            today: self.clock.today(),
            first: row.last_seq == 0,
            offered: around.offered,
            personal: self.personal(row, around.ahead),
            desk: around.desk,
            news: around.news,
        };
        let decided = catch_unwind(AssertUnwindSafe(|| {
            (self.decide)(&knowledge, &state, language, content, circumstances)
        }));
        match decided {
            Ok(decision) => decision.map_err(|ChoiceExpired| EngineError::ChoiceExpired),
            Err(_) => {
                let reference = new_reference();
                tracing::error!(reference, "a message broke its turn");
                metrics::counter!("tanya_broken_turns_total").increment(1);
                Ok(turn::apology(
                    &knowledge, &state, language, content, &reference,
                ))
            }
        }
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

async fn settle(
    transaction: &mut Connection,
    receipt: &Receipt,
    now: Millis,
) -> sqlx::Result<bool> {
    inbound::settle(transaction, &receipt.source, receipt.number, "handled", now).await
}

/// Whether a pressed choice stands under a message that the bot or an officer wrote in this conversation.
async fn was_offered(
    connection: &mut Connection,
    id: &str,
    content: &Content,
) -> sqlx::Result<bool> {
    let Content::Choice(pressed) = content else {
        return Ok(false);
    };
    let Some(seq) = pressed.under else {
        return Ok(false);
    };
    let row = transcript::by_seq(connection, id, seq).await?;
    Ok(row.map(Message::from_row).is_some_and(|message| {
        let mut choices = message.body.choices.iter();
        message.from != Sender::User && choices.any(|choice| choice.value == pressed.value)
    }))
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

/// What a person may quote and the log knows: it tells nothing.
fn new_reference() -> String {
    let mut bytes = [0_u8; 4];
    rand::rng().fill_bytes(&mut bytes);
    format!("R-{:08X}", u32::from_be_bytes(bytes))
}

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests;

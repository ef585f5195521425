//! Carrying what must go out: in the order of each chat, no faster than Telegram takes it, until it is done.

use std::sync::Arc;
use std::time::Duration;

use teloxide::payloads::SendMessageSetters;
use teloxide::requests::Requester;
use teloxide::types::{
    ChatId, InlineKeyboardMarkup, LinkPreviewOptions, MessageId, ReplyParameters,
};
use teloxide::{Bot, RequestError};
use tokio_util::sync::CancellationToken;

use super::api::Refusal;
use super::button::keyboard;
use super::inbox::Inbox;
use super::text::{Formatted, LIMIT};
use crate::bell::LOOK_EVERY;
use crate::clock::Millis;
use crate::conversation::message::{Body, Channel};
use crate::conversation::{Engine, EngineError};
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::text::Language;
use crate::outbox::{Carrier, Payload};
use crate::storage::outbox::{self, OutboxRow};
use crate::storage::pace::{self, Rate};
use crate::storage::{Connection, conversation, document_link};
use crate::trace::{Fact, Span, Work};

/// How long a delivery belongs to who claimed it: longer than a request takes, the client's wait after a fault included.
const LEASE: Millis = 40_000;
/// How often a delivery that Telegram refuses is tried, and one that fails while others get through or whose answers
/// get lost.
const TRIES: i64 = 5;
const MOST_TRIES: i64 = 35;
/// What could not be delivered in this time is nobody's answer any more.
const LATEST: Millis = 24 * 3_600_000;
/// Between the pieces of a long message.
const BETWEEN_PIECES: Duration = Duration::from_secs(1);
/// The shortest and the longest wait before the next try.
const SHORTEST: Millis = 500;
const LONGEST: Millis = 60_000;
/// The longest where answers get lost, or only some chats are reached: all the tries together outlast an hour.
const LONGEST_DOUBTFUL: Millis = 3 * 60_000;
/// What Telegram takes of one bot, of one chat, of one group (core.telegram.org/bots/faq, "My bot is hitting limits").
const OVER_ALL: Rate = Rate {
    every: 34,
    burst: 25,
};
const PER_CHAT: Rate = Rate {
    every: 1_000,
    burst: 4,
};
const PER_GROUP: Rate = Rate {
    every: 3_000,
    burst: 3,
};

/// What carries deliveries to Telegram.
#[derive(Clone)]
pub struct Sending {
    /// The bot.
    pub bot: Bot,
    /// What it shares with what takes updates: the database, the time, the bells, the bot whose pace it is.
    pub inbox: Inbox,
    /// What shows messages with their links.
    pub engine: Arc<Engine>,
    /// The words on buttons.
    pub knowledge: Arc<LiveKnowledge>,
}

/// What there is to do.
enum Next {
    /// This delivery.
    Deliver(OutboxRow),
    /// Nothing yet, look again at once.
    Again,
    /// Nothing before this time has passed.
    Wait(Duration),
    /// Nothing.
    Nothing,
}

/// What a delivery carries.
struct Parcel {
    body: Body,
    language: Language,
    answers: Option<i32>,
    /// Whether buttons can be put under it: they lead back to a message of a transcript.
    buttons: bool,
}

/// How a delivery went.
enum Went {
    Sent,
    /// There is nothing to carry any more.
    Empty,
    Refused(Refusal),
}

impl Sending {
    /// Carries until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let wait = match self.next().await {
                Ok(Next::Deliver(row)) => {
                    // There may be more than one can do alone.
                    self.inbox.bells.outbound.ring();
                    if let Err(error) = self.carry(row).await {
                        tracing::error!(%error, "a delivery could not be noted");
                    }
                    Duration::ZERO
                }
                Ok(Next::Again) => Duration::ZERO,
                Ok(Next::Wait(wait)) => wait,
                Ok(Next::Nothing) => {
                    if !self.inbox.bells.outbound.sleep(&stop).await {
                        return;
                    }
                    continue;
                }
                Err(error) => {
                    tracing::error!(%error, "nothing can be carried");
                    LOOK_EVERY
                }
            };
            if stop.is_cancelled() || tokio::time::timeout(wait, stop.cancelled()).await.is_ok() {
                return;
            }
        }
    }

    /// Claims the next delivery, if its chat and the whole bot may send now.
    async fn next(&self) -> sqlx::Result<Next> {
        let carrier = Carrier::Telegram.as_str();
        let mut transaction = self.inbox.store.begin().await?;
        // Asked after the wait for the transaction: the pace of others is not measured with an old time.
        let now = self.inbox.clock.now();
        let claimed = outbox::claim(&mut transaction, carrier, now, now + LEASE).await?;
        let Some(row) = claimed else {
            transaction.rollback().await?;
            return Ok(Next::Nothing);
        };
        if now - row.created_at > LATEST || row.attempts > MOST_TRIES {
            tracing::error!(delivery = row.id, "a delivery was given up");
            outbox::finish(&mut transaction, &row.id, "dead", now).await?;
            if row.lane.ends_with(" remove") {
                let id = &row.conversation_id;
                self.engine
                    .note_unremoved(&mut transaction, id, now)
                    .await?;
            }
            transaction.commit().await?;
            return Ok(Next::Again);
        }
        let key = format!("{} {}", self.inbox.source, self.inbox.pseudonym(&row.lane));
        let group = row.lane.starts_with('-');
        let rate = if group { PER_GROUP } else { PER_CHAT };
        let wait = pace::take(&mut transaction, &key, rate, now).await?;
        if wait > 0 {
            // Others go first.
            let due = now + wait.min(LONGEST);
            outbox::release(&mut transaction, &row.id, due, row.attempts - 1).await?;
            transaction.commit().await?;
            return Ok(Next::Again);
        }
        let wait = pace::take(&mut transaction, &self.inbox.source, OVER_ALL, now).await?;
        if wait > 0 {
            transaction.rollback().await?;
            let wait = Duration::from_millis(wait.unsigned_abs());
            return Ok(Next::Wait(wait.min(LOOK_EVERY)));
        }
        transaction.commit().await?;
        Ok(Next::Deliver(row))
    }

    /// Carries one delivery and notes what became of it.
    async fn carry(&self, row: OutboxRow) -> sqlx::Result<()> {
        let claimed_at = self.inbox.clock.now();
        let span = Span::begin(Work::Delivery);
        span.note(Fact::Carrier(Carrier::Telegram.as_str()));
        span.note(Fact::Reference(&row.id));
        let (worker, parcel) = (self.clone(), row.clone());
        // In a task of its own, so that one that panics takes nothing with it.
        let delivering = span.around(async move { worker.deliver(&parcel).await });
        let went = tokio::spawn(delivering).await;
        let went = match went {
            Ok(went) => went?,
            Err(_) => {
                tracing::error!(delivery = row.id, "a delivery broke");
                span.fail();
                Went::Refused(Refusal::Wrong)
            }
        };
        let now = self.inbox.clock.now();
        let mut transaction = self.inbox.store.begin().await?;
        let connection = &mut transaction;
        let outcome = match went {
            Went::Sent => {
                if row.payload.is_some() {
                    // It stands in no transcript, and nobody asks for it again.
                    outbox::delete(connection, &row.id).await?;
                } else {
                    outbox::finish(connection, &row.id, "sent", now).await?;
                }
                pace::reached(connection, &self.inbox.source, now).await?;
                "sent"
            }
            Went::Empty => {
                outbox::finish(connection, &row.id, "dead", now).await?;
                "dead"
            }
            Went::Refused(refusal) => {
                metrics::counter!("tanya_telegram_refused_total", "what" => "send", "why" => refusal.as_str())
                    .increment(1);
                self.refused(connection, &row, refusal, claimed_at).await?
            }
        };
        transaction.commit().await?;
        span.note(Fact::Outcome(outcome));
        metrics::counter!("tanya_telegram_deliveries_total", "outcome" => outcome).increment(1);
        Ok(())
    }

    /// Does what a refusal asks for; returns what it is counted as.
    async fn refused(
        &self,
        connection: &mut Connection,
        row: &OutboxRow,
        refusal: Refusal,
        claimed_at: Millis,
    ) -> sqlx::Result<&'static str> {
        let now = self.inbox.clock.now();
        let age = now - row.created_at;
        let mut longest = LONGEST;
        let (wait, tried, most) = match refusal {
            Refusal::Slow(wait) => {
                tracing::warn!(seconds = wait.as_secs(), "Telegram asks for a pause");
                metrics::counter!("tanya_telegram_pauses_total").increment(1);
                let wait = Millis::try_from(wait.as_millis()).unwrap_or(pace::LONGEST_PAUSE);
                let wait = wait.min(pace::LONGEST_PAUSE);
                pace::pause(connection, &self.inbox.source, now + wait).await?;
                (wait.min(LONGEST), false, TRIES)
            }
            Refusal::Token => {
                tracing::error!(
                    "Telegram does not know the bot's token; check TANYA_TELEGRAM_TOKEN"
                );
                pace::pause(connection, &self.inbox.source, now + LONGEST).await?;
                (LONGEST, false, TRIES)
            }
            Refusal::Forbidden => {
                let channel = Channel::Telegram.as_str();
                conversation::set_unreachable(connection, channel, &row.lane, Some(now)).await?;
                let (carrier, lane) = (&row.carrier, &row.lane);
                outbox::drop_lane(connection, carrier, lane, claimed_at, now).await?;
                return Ok("blocked");
            }
            Refusal::Moved(chat) => {
                let chat = chat.to_string();
                outbox::move_lane(connection, &row.carrier, &row.lane, &chat, now).await?;
                return Ok("again");
            }
            Refusal::Conflict | Refusal::Hooked | Refusal::Wrong => {
                (500 << row.attempts.clamp(0, 6), true, TRIES)
            }
            Refusal::Down | Refusal::Lost => {
                let reached = pace::reached_at(connection, &self.inbox.source).await?;
                if refusal == Refusal::Down && reached < claimed_at {
                    // While nobody gets through it is not this delivery's fault.
                    (age / 2, false, MOST_TRIES)
                } else {
                    // Others get through, or it may have arrived: not too often.
                    longest = LONGEST_DOUBTFUL;
                    (age, true, MOST_TRIES)
                }
            }
        };
        if tried && row.attempts >= most {
            tracing::error!(delivery = row.id, "a delivery was given up");
            outbox::finish(connection, &row.id, "dead", now).await?;
            if row.lane.ends_with(" remove") {
                let id = &row.conversation_id;
                self.engine.note_unremoved(connection, id, now).await?;
            }
            return Ok("dead");
        }
        let attempts = if tried {
            row.attempts
        } else {
            row.attempts - 1
        };
        let due = now + wait.clamp(SHORTEST, longest);
        outbox::release(connection, &row.id, due, attempts).await?;
        Ok("again")
    }

    async fn deliver(&self, row: &OutboxRow) -> sqlx::Result<Went> {
        let chat = row.lane.split(' ').next();
        let Some(chat) = chat.and_then(|chat| chat.parse().ok()).map(ChatId) else {
            return Ok(Went::Empty);
        };
        let payload = row.payload.as_deref();
        let payload = payload.and_then(|payload| serde_json::from_str::<Payload>(payload).ok());
        let parcel = match payload {
            Some(Payload::Remove { number }) => {
                let removed = self.bot.delete_message(chat, MessageId(number)).await;
                return Ok(removed.map_or_else(|error| removed_or_refused(&error), |_| Went::Sent));
            }
            Some(Payload::Leave) => {
                let left = self.bot.leave_chat(chat).await;
                return Ok(left.map_or_else(|error| gone_or_refused(&error), |_| Went::Sent));
            }
            // Somebody else carries these.
            Some(Payload::Sealed { .. }) => return Ok(Went::Empty),
            Some(Payload::Say {
                body,
                language,
                answers,
            }) => Some(Parcel {
                body: serde_json::from_value(body).unwrap_or_default(),
                language: Language::parse(&language).unwrap_or_default(),
                answers,
                buttons: false,
            }),
            None => self.message(row).await?,
        };
        let Some(parcel) = parcel else {
            return Ok(Went::Empty);
        };
        self.say(row, chat, &parcel).await
    }

    /// The message of a transcript that a delivery carries; none if it was deleted.
    async fn message(&self, row: &OutboxRow) -> sqlx::Result<Option<Parcel>> {
        let mut connection = self.inbox.store.connection().await?;
        let id = &row.conversation_id;
        let shown = self.engine.message(id, row.seq).await;
        let message = match shown {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(None),
            Err(EngineError::Database(error)) => return Err(error),
            Err(_) => return Ok(None),
        };
        let conversation = conversation::by_id(&mut connection, id).await?;
        let language = conversation.and_then(|row| Language::parse(&row.language));
        Ok(Some(Parcel {
            body: message.body,
            language: language.unwrap_or_default(),
            answers: None,
            buttons: true,
        }))
    }

    /// Says what a parcel holds, piece by piece, from the first that has not gone yet.
    async fn say(&self, row: &OutboxRow, chat: ChatId, parcel: &Parcel) -> sqlx::Result<Went> {
        let knowledge = self.knowledge.current();
        let buttons = parcel
            .buttons
            .then(|| keyboard(&parcel.body, &row.id, knowledge.messages(), parcel.language));
        let buttons = buttons.flatten();
        let secret = parcel.body.link.is_some();
        let pieces = Formatted::of(&parcel.body).pieces(LIMIT);
        let last = pieces.len().saturating_sub(1);
        let gone = usize::try_from(row.parts).unwrap_or_default();
        for (place, piece) in pieces.into_iter().enumerate().skip(gone) {
            let buttons = buttons.clone().filter(|_| place == last);
            let answers = parcel.answers.filter(|_| place == 0);
            let shape = Shape {
                buttons,
                answers,
                protected: secret,
            };
            match self.send(chat, piece, shape).await {
                Ok(number) if secret => self.note_link(row, number).await?,
                Ok(_) => {}
                Err(error) => return Ok(Went::Refused(Refusal::from(&error))),
            }
            if place < last {
                tokio::time::sleep(BETWEEN_PIECES).await;
                let mut connection = self.inbox.store.connection().await?;
                outbox::advance(&mut connection, &row.id, place as i64 + 1).await?;
            }
        }
        Ok(Went::Sent)
    }

    /// Notes the number of a message with a link: it is removed when the link is dead.
    async fn note_link(&self, row: &OutboxRow, number: i32) -> sqlx::Result<()> {
        let mut connection = self.inbox.store.connection().await?;
        let id = &row.conversation_id;
        document_link::carried(&mut connection, id, row.seq, i64::from(number)).await
    }

    /// Sends one piece, as plain text if it is not taken as it is; its number.
    async fn send(
        &self,
        chat: ChatId,
        piece: Formatted,
        shape: Shape,
    ) -> Result<i32, RequestError> {
        let plain = Shape {
            buttons: None,
            answers: None,
            protected: shape.protected,
        };
        let refused = match self.send_once(chat, &piece, shape).await {
            Ok(number) => return Ok(number),
            Err(error) => error,
        };
        if Refusal::from(&refused) != Refusal::Wrong {
            return Err(refused);
        }
        self.send_once(chat, &piece.plain(), plain).await
    }

    async fn send_once(
        &self,
        chat: ChatId,
        piece: &Formatted,
        shape: Shape,
    ) -> Result<i32, RequestError> {
        let preview = LinkPreviewOptions {
            is_disabled: true,
            url: None,
            prefer_small_media: false,
            prefer_large_media: false,
            show_above_text: false,
        };
        let mut request = self
            .bot
            .send_message(chat, piece.text.clone())
            .link_preview_options(preview);
        if shape.protected {
            request = request.protect_content(true);
        }
        if !piece.entities.is_empty() {
            request = request.entities(piece.entities.clone());
        }
        if let Some(buttons) = shape.buttons {
            request = request.reply_markup(buttons);
        }
        if let Some(number) = shape.answers {
            let reply = ReplyParameters::new(MessageId(number)).allow_sending_without_reply();
            request = request.reply_parameters(reply);
        }
        request.await.map(|message| message.id.0)
    }
}

/// What goes with a piece of a message.
struct Shape {
    buttons: Option<InlineKeyboardMarkup>,
    answers: Option<i32>,
    /// Whether it can be forwarded or kept.
    protected: bool,
}

/// What is not there any more was removed; what cannot be removed was not.
fn removed_or_refused(error: &RequestError) -> Went {
    let gone = error.to_string().contains("not found");
    match Refusal::from(error) {
        Refusal::Wrong if !gone => Went::Refused(Refusal::Wrong),
        _ => gone_or_refused(error),
    }
}

/// What is not there any more was left, or was removed.
fn gone_or_refused(error: &RequestError) -> Went {
    match Refusal::from(error) {
        Refusal::Forbidden | Refusal::Wrong => Went::Sent,
        // Where messages are sent with the same token, it is the method that is not there.
        Refusal::Token => Went::Refused(Refusal::Conflict),
        refusal => Went::Refused(refusal),
    }
}

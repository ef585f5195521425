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
use super::text::{Formatted, LIMIT};
use crate::bell::{Bells, LOOK_EVERY};
use crate::clock::{Clock, Millis};
use crate::conversation::message::{Body, Channel, Message};
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::text::Language;
use crate::outbox::{Carrier, Payload};
use crate::storage::outbox::{self, OutboxRow};
use crate::storage::pace::{self, Rate};
use crate::storage::{Store, conversation, message as transcript};

/// How long a delivery belongs to who claimed it: longer than a request takes, the client's wait after a fault included.
const LEASE: Millis = 60_000;
/// How often a delivery that Telegram refuses while it takes others is tried.
const TRIES: i64 = 5;
/// What could not be delivered in this time is nobody's answer any more.
const LATEST: Millis = 24 * 3_600_000;
/// The longest wait before the next try.
const LONGEST: Millis = 60_000;
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
/// After an answer that the token is none.
const TOKEN_PAUSE: Millis = 60_000;

/// What carries deliveries to Telegram.
#[derive(Clone)]
pub struct Sending {
    /// The bot.
    pub bot: Bot,
    /// The database.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Clock,
    /// The words on buttons.
    pub knowledge: Arc<LiveKnowledge>,
    /// Wakes this.
    pub bells: Arc<Bells>,
    /// The bot that the pace belongs to.
    pub source: String,
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
                    self.bells.outbound.ring();
                    if let Err(error) = self.carry(row).await {
                        tracing::error!(%error, "a delivery could not be noted");
                    }
                    Duration::ZERO
                }
                Ok(Next::Again) => Duration::ZERO,
                Ok(Next::Wait(wait)) => wait,
                Ok(Next::Nothing) => {
                    if !self.bells.outbound.sleep(&stop).await {
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
        let now = self.clock.now();
        let carrier = Carrier::Telegram.as_str();
        let mut transaction = self.store.begin().await?;
        let claimed = outbox::claim(&mut transaction, carrier, now, now + LEASE).await?;
        let Some(row) = claimed else {
            transaction.rollback().await?;
            return Ok(Next::Nothing);
        };
        let key = format!("{} {}", self.source, row.lane);
        let group = row.lane.starts_with('-');
        let rate = if group { PER_GROUP } else { PER_CHAT };
        let wait = pace::take(&mut transaction, &key, rate, now).await?;
        if wait > 0 {
            // Others go first.
            outbox::release(&mut transaction, &row.id, now + wait, row.attempts - 1).await?;
            transaction.commit().await?;
            return Ok(Next::Again);
        }
        let wait = pace::take(&mut transaction, &self.source, OVER_ALL, now).await?;
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
        let claimed_at = self.clock.now();
        let went = self.deliver(&row).await?;
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let connection = &mut transaction;
        let outcome = match went {
            Went::Sent => {
                outbox::finish(connection, &row.id, "sent", now).await?;
                pace::reached(connection, &self.source, now).await?;
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
        metrics::counter!("tanya_telegram_deliveries_total", "outcome" => outcome).increment(1);
        Ok(())
    }

    /// Does what a refusal asks for; returns what it is counted as.
    async fn refused(
        &self,
        connection: &mut crate::storage::Connection,
        row: &OutboxRow,
        refusal: Refusal,
        claimed_at: Millis,
    ) -> sqlx::Result<&'static str> {
        let now = self.clock.now();
        let uncounted = row.attempts - 1;
        match refusal {
            Refusal::Slow(wait) => {
                let wait_for = Millis::try_from(wait.as_millis()).unwrap_or(LONGEST);
                let until = now + wait_for.min(pace::LONGEST_PAUSE);
                tracing::warn!(seconds = wait.as_secs(), "Telegram asks for a pause");
                pace::pause(connection, &self.source, until).await?;
                outbox::release(connection, &row.id, until, uncounted).await?;
            }
            Refusal::Token => {
                tracing::error!(
                    "Telegram does not know the bot's token; check TANYA_TELEGRAM_TOKEN"
                );
                pace::pause(connection, &self.source, now + TOKEN_PAUSE).await?;
                outbox::release(connection, &row.id, now + TOKEN_PAUSE, uncounted).await?;
            }
            Refusal::Forbidden => {
                let channel = Channel::Telegram.as_str();
                conversation::set_unreachable(connection, channel, &row.lane, Some(now)).await?;
                outbox::drop_lane(connection, &row.carrier, &row.lane, now).await?;
                return Ok("blocked");
            }
            Refusal::Moved(chat) => {
                outbox::move_lane(connection, &row.carrier, &row.lane, &chat.to_string(), now)
                    .await?;
            }
            Refusal::Conflict | Refusal::Wrong => {
                return self.try_again(connection, row, row.attempts).await;
            }
            Refusal::Down => {
                // While nobody gets through it is not this delivery's fault.
                let reached = pace::reached_at(connection, &self.source).await?;
                let attempts = if reached >= claimed_at {
                    row.attempts
                } else {
                    uncounted
                };
                return self.try_again(connection, row, attempts).await;
            }
        }
        Ok("again")
    }

    async fn try_again(
        &self,
        connection: &mut crate::storage::Connection,
        row: &OutboxRow,
        attempts: i64,
    ) -> sqlx::Result<&'static str> {
        let now = self.clock.now();
        if attempts >= TRIES || now - row.created_at > LATEST {
            tracing::error!(delivery = row.id, "a delivery was given up");
            outbox::finish(connection, &row.id, "dead", now).await?;
            return Ok("dead");
        }
        let wait = (500_i64 << row.attempts.clamp(0, 10)).min(LONGEST);
        outbox::release(connection, &row.id, now + wait, attempts).await?;
        Ok("again")
    }

    async fn deliver(&self, row: &OutboxRow) -> sqlx::Result<Went> {
        let Ok(chat) = row.lane.parse::<i64>().map(ChatId) else {
            return Ok(Went::Empty);
        };
        let payload = row.payload.as_deref();
        let payload = payload.and_then(|payload| serde_json::from_str::<Payload>(payload).ok());
        let parcel = match payload {
            Some(Payload::Leave) => {
                let left = self.bot.leave_chat(chat).await;
                return Ok(left.map_or_else(|error| gone_or_refused(&error), |_| Went::Sent));
            }
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
        let mut connection = self.store.connection().await?;
        let id = &row.conversation_id;
        let Some(message) = transcript::by_seq(&mut connection, id, row.seq).await? else {
            return Ok(None);
        };
        let conversation = conversation::by_id(&mut connection, id).await?;
        let language = conversation.and_then(|row| Language::parse(&row.language));
        Ok(Some(Parcel {
            body: Message::from_row(message).body,
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
        let pieces = Formatted::of(&parcel.body).pieces(LIMIT);
        let last = pieces.len().saturating_sub(1);
        let gone = usize::try_from(row.parts).unwrap_or_default();
        for (place, piece) in pieces.into_iter().enumerate().skip(gone) {
            let buttons = buttons.clone().filter(|_| place == last);
            let answers = parcel.answers.filter(|_| place == 0);
            if let Err(error) = self.send(chat, piece, buttons, answers).await {
                return Ok(Went::Refused(Refusal::from(&error)));
            }
            if place < last {
                let mut connection = self.store.connection().await?;
                outbox::advance(&mut connection, &row.id, place as i64 + 1).await?;
            }
        }
        Ok(Went::Sent)
    }

    /// Sends one piece; as plain text if it is not taken as it is.
    async fn send(
        &self,
        chat: ChatId,
        piece: Formatted,
        buttons: Option<InlineKeyboardMarkup>,
        answers: Option<i32>,
    ) -> Result<(), RequestError> {
        let refused = match self.send_once(chat, &piece, buttons, answers).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if Refusal::from(&refused) != Refusal::Wrong {
            return Err(refused);
        }
        self.send_once(chat, &piece.plain(), None, None).await
    }

    async fn send_once(
        &self,
        chat: ChatId,
        piece: &Formatted,
        buttons: Option<InlineKeyboardMarkup>,
        answers: Option<i32>,
    ) -> Result<(), RequestError> {
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
        if !piece.entities.is_empty() {
            request = request.entities(piece.entities.clone());
        }
        if let Some(buttons) = buttons {
            request = request.reply_markup(buttons);
        }
        if let Some(number) = answers {
            let reply = ReplyParameters::new(MessageId(number)).allow_sending_without_reply();
            request = request.reply_parameters(reply);
        }
        request.await.map(|_| ())
    }
}

/// Who is not there any more has left.
fn gone_or_refused(error: &RequestError) -> Went {
    match Refusal::from(error) {
        Refusal::Forbidden | Refusal::Wrong => Went::Sent,
        refusal => Went::Refused(refusal),
    }
}

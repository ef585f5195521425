//! Handling what was kept: one update of a chat after another, chats side by side, in whichever process is free.

use std::sync::Arc;

use teloxide::Bot;
use teloxide::payloads::AnswerCallbackQuerySetters;
use teloxide::requests::Requester;
use teloxide::types::{CallbackQueryId, ChatAction, ChatId};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::button::Button;
use super::group;
use super::identity::Whoami;
use super::inbox::Inbox;
use super::update::{Heard, Press, PrivateMessage, hear};
use crate::clock::Millis;
use crate::conversation::message::{Channel, Contact, Content, Incoming, Pressed, Receipt};
use crate::conversation::{Engine, EngineError, Vote};
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::messages::fill;
use crate::knowledge::text::Language;
use crate::outbox::{Carrier, Delivery, Payload};
use crate::storage::inbound::{self, ClaimedInbound};
use crate::storage::{conversation, message as transcript, outbox as deliveries};

/// How long an update belongs to who claimed it.
const LEASE: Millis = 60_000;
/// How often something that fails is tried.
const TRIES: i64 = 5;
/// How often a conversation that ended in between is begun anew.
const ENDINGS: usize = 3;
/// What the ids of Telegram's updates are made unique with.
const NAMESPACE: u64 = 0x7461_6e79_6100_7467;

/// What handles updates.
#[derive(Clone)]
pub struct Handling {
    /// Answers callbacks and says that an answer is coming; nothing that must arrive.
    pub bot: Bot,
    /// Where updates are kept.
    pub inbox: Inbox,
    /// What answers.
    pub engine: Arc<Engine>,
    /// The answers for groups.
    pub knowledge: Arc<LiveKnowledge>,
    /// Who the bot is.
    pub whoami: Arc<Whoami>,
}

/// Why an update is not settled now.
#[derive(Debug, Error)]
enum NotNow {
    #[error("the person writes too fast")]
    TooFast(Millis),
    #[error("it is not known yet who the bot is")]
    Nameless,
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Handling {
    /// Handles until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            match self.handle_next().await {
                // There may be more than one can do alone.
                Ok(true) => self.inbox.bells.inbound.ring(),
                Ok(false) => {
                    if !self.inbox.bells.inbound.sleep(&stop).await {
                        return;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "updates cannot be handled");
                    if !self.inbox.bells.inbound.sleep(&stop).await {
                        return;
                    }
                }
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    /// Handles one update; tells whether there was one.
    pub async fn handle_next(&self) -> sqlx::Result<bool> {
        let now = self.inbox.clock.now();
        let mut transaction = self.inbox.store.begin().await?;
        let claimed =
            inbound::claim(&mut transaction, &self.inbox.source, now, now + LEASE).await?;
        transaction.commit().await?;
        let Some(claimed) = claimed else {
            return Ok(false);
        };
        let worker = self.clone();
        let update = claimed.clone();
        // In a task of its own, so that one that panics takes nothing with it.
        let handled = tokio::spawn(async move { worker.handle(&update).await }).await;
        match handled {
            Ok(Ok(())) => {}
            Ok(Err(NotNow::TooFast(wait))) => {
                let due = self.inbox.clock.now() + wait;
                self.release(&claimed, due, claimed.attempts - 1).await?;
            }
            Ok(Err(NotNow::Nameless)) => {
                let due = self.inbox.clock.now() + 1_000;
                self.release(&claimed, due, claimed.attempts - 1).await?;
            }
            Ok(Err(NotNow::Database(error) | NotNow::Engine(EngineError::Database(error)))) => {
                tracing::error!(%error, "an update could not be handled; it is tried again");
                let due = self.inbox.clock.now() + 1_000;
                self.release(&claimed, due, claimed.attempts - 1).await?;
            }
            Ok(Err(NotNow::Engine(error))) => {
                tracing::warn!(%error, "an update could not be handled");
                self.failed(&claimed).await?;
            }
            Err(_) => {
                tracing::error!("an update broke its handling");
                self.failed(&claimed).await?;
            }
        }
        Ok(true)
    }

    async fn release(
        &self,
        claimed: &ClaimedInbound,
        due: Millis,
        attempts: i64,
    ) -> sqlx::Result<()> {
        let mut connection = self.inbox.store.connection().await?;
        let source = &self.inbox.source;
        inbound::release(&mut connection, source, claimed.number, due, attempts).await
    }

    /// Tries again later; after some tries it is given up, and the person told.
    async fn failed(&self, claimed: &ClaimedInbound) -> sqlx::Result<()> {
        let now = self.inbox.clock.now();
        if claimed.attempts < TRIES {
            let due = now + (500 << claimed.attempts);
            return self.release(claimed, due, claimed.attempts).await;
        }
        let reference = format!("T-{}", claimed.number);
        tracing::error!(reference, "an update was given up");
        let mut transaction = self.inbox.store.begin().await?;
        inbound::give_up(&mut transaction, &self.inbox.source, claimed.number, now).await?;
        // A person's own chat has a positive number.
        if claimed.lane.parse::<i64>().is_ok_and(|chat| chat > 0) {
            let knowledge = self.knowledge.current();
            let language = Language::default();
            let values = [("reference", reference.as_str())];
            let text = fill(&knowledge.messages().apology, language, &values);
            let payload = group::say(&text, language, None);
            self.enqueue(&mut transaction, &claimed.lane, &payload)
                .await?;
        }
        transaction.commit().await?;
        self.inbox.bells.outbound.ring();
        Ok(())
    }

    async fn handle(&self, claimed: &ClaimedInbound) -> Result<(), NotNow> {
        let receipt = Receipt {
            source: self.inbox.source.clone(),
            number: claimed.number,
        };
        let Some(update) = self.inbox.open(claimed.number, &claimed.sealed) else {
            tracing::error!("an update was sealed with another key");
            return self.settle(&receipt, "unreadable").await;
        };
        let me = self.whoami.identity();
        match hear(&update, &me) {
            Heard::Private(message) => self.private(&receipt, message).await,
            Heard::Press(press) => self.press(&receipt, press).await,
            Heard::Group(question) => {
                // Without the bot's name nobody knows who was addressed.
                if me.name.is_empty() {
                    return Err(NotNow::Nameless);
                }
                let knowledge = self.knowledge.current();
                let payload = group::answer(&knowledge, &question, &me.name);
                self.settle_saying(&receipt, &question.chat.to_string(), &payload)
                    .await
            }
            Heard::Leave { chat } => {
                self.settle_saying(&receipt, &chat.to_string(), &Payload::Leave)
                    .await
            }
            Heard::Reachable { chat, reachable } => {
                self.note_reachable(&receipt, chat, reachable).await
            }
            Heard::Nothing if me.name.is_empty() && claimed.lane.starts_with('-') => {
                Err(NotNow::Nameless)
            }
            Heard::Nothing => self.settle(&receipt, "ignored").await,
            Heard::Unreadable => self.settle(&receipt, "unreadable").await,
        }
    }

    async fn private(&self, receipt: &Receipt, message: PrivateMessage) -> Result<(), NotNow> {
        self.show_typing(message.chat);
        // The pictures of an album are one message to a person.
        let client_id = match &message.album {
            Some(album) => album_id(message.chat, album),
            None => Uuid::from_u64_pair(NAMESPACE, receipt.number.unsigned_abs()),
        };
        let contact = contact(message.chat);
        self.answer(
            receipt,
            &contact,
            message.language,
            client_id,
            message.content,
        )
        .await?;
        count("handled");
        Ok(())
    }

    async fn answer(
        &self,
        receipt: &Receipt,
        contact: &Contact,
        language: Language,
        client_id: Uuid,
        content: Content,
    ) -> Result<(), NotNow> {
        let mut content = content;
        for _ in 0..ENDINGS {
            let id = self.engine.reach(contact, language).await?;
            let incoming = Incoming {
                client_id,
                content: content.clone(),
                receipt: Some(receipt.clone()),
            };
            match self.engine.handle(&id, incoming).await {
                Ok(_) => return Ok(()),
                // It ended in between: a new one begins.
                Err(EngineError::Gone) => {}
                Err(EngineError::ChoiceExpired) => content = Content::Lapsed,
                Err(EngineError::Unaskable(_)) => content = Content::Unreadable,
                Err(EngineError::TooFast { wait }) => {
                    let wait = Millis::try_from(wait.as_millis()).unwrap_or(LEASE);
                    return Err(NotNow::TooFast(wait));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(EngineError::Busy.into())
    }

    async fn press(&self, receipt: &Receipt, press: Press) -> Result<(), NotNow> {
        let stands_under = self.pressed(&press).await?;
        let knowledge = self.knowledge.current();
        let messages = knowledge.messages();
        let lapsed = messages.lapsed.get(press.language).clone();
        let Some((button, id, seq)) = stands_under else {
            // Forwarded, of another chat, or too old to be known: nothing is done, and kindly said so.
            let known = press.private_message.is_some() && press.button.is_some();
            self.acknowledge(&press, Some(lapsed));
            if !known {
                return self.settle(receipt, "ignored").await;
            }
            let client_id = Uuid::from_u64_pair(NAMESPACE, receipt.number.unsigned_abs());
            let contact = contact(press.person);
            return self
                .answer(
                    receipt,
                    &contact,
                    press.language,
                    client_id,
                    Content::Lapsed,
                )
                .await;
        };
        match button {
            Button::Vote(helpful) => {
                let vote = Vote {
                    seq,
                    helpful,
                    comment: None,
                    receipt: Some(receipt),
                };
                self.engine.vote(&id, vote).await?;
                let thanks = messages.vote_thanks.get(press.language).clone();
                self.acknowledge(&press, Some(thanks));
                Ok(())
            }
            Button::Choice(place) => {
                self.acknowledge(&press, None);
                self.show_typing(press.person);
                let value = self.choice(&id, seq, place).await?;
                let content = value.map_or(Content::Lapsed, |value| {
                    Content::Choice(Pressed {
                        value,
                        under: Some(seq),
                    })
                });
                let client_id = Uuid::from_u64_pair(NAMESPACE, receipt.number.unsigned_abs());
                let contact = contact(press.person);
                self.answer(receipt, &contact, press.language, client_id, content)
                    .await?;
                count("handled");
                Ok(())
            }
        }
    }

    /// The button, and the conversation and message that it stands under; none unless both are the person's own.
    async fn pressed(&self, press: &Press) -> sqlx::Result<Option<(Button, String, i64)>> {
        let (Some(_), Some(pressed)) = (press.private_message, &press.button) else {
            return Ok(None);
        };
        let mut connection = self.inbox.store.connection().await?;
        let carried = deliveries::carried(&mut connection, &pressed.delivery).await?;
        let Some((id, seq)) = carried else {
            return Ok(None);
        };
        let row = conversation::by_id(&mut connection, &id).await?;
        let own = row.is_some_and(|row| row.contact == Some(press.person.to_string()));
        Ok(own.then_some((pressed.button, id, seq)))
    }

    /// The value of the choice at a place of a message.
    async fn choice(&self, id: &str, seq: i64, place: usize) -> sqlx::Result<Option<String>> {
        let mut connection = self.inbox.store.connection().await?;
        let row = transcript::by_seq(&mut connection, id, seq).await?;
        let message = row.map(crate::conversation::message::Message::from_row);
        let choice = message.and_then(|message| message.body.choices.get(place).cloned());
        Ok(choice.map(|choice| choice.value))
    }

    async fn note_reachable(
        &self,
        receipt: &Receipt,
        chat: i64,
        reachable: bool,
    ) -> Result<(), NotNow> {
        let now = self.inbox.clock.now();
        let contact = contact(chat);
        let since = (!reachable).then_some(now);
        let channel = contact.channel.as_str();
        let mut transaction = self.inbox.store.begin().await?;
        conversation::set_unreachable(&mut transaction, channel, &contact.id, since).await?;
        if !reachable {
            let carrier = Carrier::Telegram.as_str();
            deliveries::drop_lane(&mut transaction, carrier, &contact.id, now).await?;
        }
        let Receipt { source, number } = receipt;
        inbound::settle(&mut transaction, source, *number, "handled", now).await?;
        transaction.commit().await?;
        count("handled");
        Ok(())
    }

    async fn settle(&self, receipt: &Receipt, outcome: &'static str) -> Result<(), NotNow> {
        let now = self.inbox.clock.now();
        let mut connection = self.inbox.store.connection().await?;
        let Receipt { source, number } = receipt;
        inbound::settle(&mut connection, source, *number, outcome, now).await?;
        count(outcome);
        Ok(())
    }

    /// Settles an update by doing something outside any conversation.
    async fn settle_saying(
        &self,
        receipt: &Receipt,
        lane: &str,
        payload: &Payload,
    ) -> Result<(), NotNow> {
        let now = self.inbox.clock.now();
        let Receipt { source, number } = receipt;
        let mut transaction = self.inbox.store.begin().await?;
        if inbound::settle(&mut transaction, source, *number, "handled", now).await? {
            self.enqueue(&mut transaction, lane, payload).await?;
        }
        transaction.commit().await?;
        self.inbox.bells.outbound.ring();
        count("handled");
        Ok(())
    }

    async fn enqueue(
        &self,
        transaction: &mut crate::storage::Connection,
        lane: &str,
        payload: &Payload,
    ) -> sqlx::Result<()> {
        let delivery = Delivery {
            carrier: Carrier::Telegram,
            lane,
            message: None,
            payload: Some(payload),
        };
        let now = self.inbox.clock.now();
        delivery.enqueue(&self.inbox.store, transaction, now).await
    }

    /// Shows that an answer is coming. Nobody waits for it, and nobody misses it.
    fn show_typing(&self, chat: i64) {
        let bot = self.bot.clone();
        tokio::spawn(async move {
            let shown = bot.send_chat_action(ChatId(chat), ChatAction::Typing);
            let _ = shown.await;
        });
    }

    /// Tells the person's app that the press was heard, with a word for the person.
    fn acknowledge(&self, press: &Press, word: Option<String>) {
        let bot = self.bot.clone();
        let query = CallbackQueryId(press.query.clone());
        tokio::spawn(async move {
            let answer = bot.answer_callback_query(query);
            let answer = match word {
                Some(word) => answer.text(word.chars().take(200).collect::<String>()),
                None => answer,
            };
            let _ = answer.await;
        });
    }
}

fn contact(chat: i64) -> Contact {
    Contact {
        channel: Channel::Telegram,
        id: chat.to_string(),
    }
}

fn album_id(chat: i64, album: &str) -> Uuid {
    let number = album.parse::<u64>().unwrap_or_else(|_| {
        album.bytes().fold(0, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(byte))
        })
    });
    Uuid::from_u64_pair(NAMESPACE ^ chat.unsigned_abs(), number)
}

fn count(outcome: &'static str) {
    metrics::counter!("tanya_telegram_updates_total", "outcome" => outcome).increment(1);
}

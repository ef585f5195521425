//! Handling what was kept: one update of a chat after another, chats side by side, in whichever process is free.

use std::sync::Arc;

use teloxide::Bot;
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::button::Button;
use super::claiming::{LONGEST, NotNow, TRIES};
use super::courtesy::Courtesy;
use super::group;
use super::identity::Whoami;
use super::inbox::Inbox;
use super::picture::{self, Taken};
use super::update::{Heard, Press, PrivateMessage, hear};
use crate::clock::Millis;
use crate::conversation::keeping::RawPicture;
use crate::conversation::message::{
    Channel, Contact, Content, Incoming, NoPicture, Pressed, Receipt,
};
use crate::conversation::{Engine, EngineError, Vote};
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::text::Language;
use crate::outbox::{Carrier, Delivery, Payload};
use crate::storage::inbound::{self, ClaimedInbound};
use crate::storage::pace::{self, Rate};
use crate::storage::{conversation, message as transcript, outbox as deliveries};

/// Questions that a group may ask.
const PER_GROUP: Rate = Rate {
    every: 6_000,
    burst: 10,
};
/// How often a conversation that ended in between is begun anew.
const ENDINGS: usize = 3;
/// What the ids of Telegram's updates are made unique with.
const NAMESPACE: u64 = 0x7461_6e79_6100_7467;

/// What handles updates.
#[derive(Clone)]
pub struct Handling {
    /// What fetches pictures.
    pub bot: Bot,
    /// What may get lost.
    pub courtesy: Courtesy,
    /// Where updates are kept.
    pub inbox: Inbox,
    /// What answers.
    pub engine: Arc<Engine>,
    /// The answers for groups.
    pub knowledge: Arc<LiveKnowledge>,
    /// Who the bot is.
    pub whoami: Arc<Whoami>,
    /// Held by all who handle in this process, or by the one that does it alone.
    pub gate: Arc<RwLock<()>>,
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

    pub(super) async fn handle(&self, claimed: &ClaimedInbound) -> Result<(), NotNow> {
        let receipt = Receipt {
            source: self.inbox.source.clone(),
            number: claimed.number,
        };
        let Some(update) = self.inbox.open(claimed.number, &claimed.sealed) else {
            // Another process may have the key; it is not wiped.
            return Err(NotNow::Sealed);
        };
        let me = self.whoami.identity();
        match hear(&update, &me) {
            Heard::Private(message) => self.private(&receipt, message, claimed.attempts).await,
            Heard::Press(press) => self.press(&receipt, press).await,
            Heard::Group(question) => {
                // Without the bot's name nobody knows who was addressed.
                if me.name.is_empty() {
                    return Err(NotNow::Nameless);
                }
                if !self.group_may_ask(question.chat).await? {
                    return self.settle(&receipt, "ignored").await;
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

    async fn private(
        &self,
        receipt: &Receipt,
        message: PrivateMessage,
        attempts: i64,
    ) -> Result<(), NotNow> {
        self.courtesy.show_typing(message.chat);
        // The pictures of an album are one message to a person.
        let own = Uuid::from_u64_pair(NAMESPACE, receipt.number.unsigned_abs());
        let album = message.album.as_deref();
        let album = album.map(|album| album_id(message.chat, album));
        let contact = contact(message.chat);
        let mut incoming = Incoming {
            client_id: album.unwrap_or(own),
            content: message.content,
            receipt: Some(receipt.clone()),
            original: Some(message.number),
            who: message.who,
            network: None,
        };
        let mut raw = None;
        if let Some(attached) = &message.attached {
            match picture::take(&self.bot, attached).await {
                Taken::Bytes(bytes) => {
                    incoming.client_id = own;
                    let caption = message.caption;
                    raw = Some(RawPicture {
                        bytes,
                        caption,
                        album,
                    });
                }
                Taken::Later(wait) if attempts < TRIES => return Err(NotNow::Picture(wait)),
                Taken::Later(_) => incoming.content = Content::NoPicture(NoPicture::Lost),
                Taken::Not(why) => incoming.content = Content::NoPicture(why),
            }
        }
        self.answer(&contact, message.language, incoming, raw).await
    }

    async fn answer(
        &self,
        contact: &Contact,
        language: Language,
        mut incoming: Incoming,
        mut raw: Option<RawPicture>,
    ) -> Result<(), NotNow> {
        for _ in 0..ENDINGS {
            let id = self.engine.reach(contact, language).await?;
            let handled = match raw.clone() {
                Some(raw) => self.engine.handle_picture(&id, incoming.clone(), raw).await,
                None => self.engine.handle(&id, incoming.clone()).await,
            };
            match handled {
                Ok(_) => {
                    count("handled");
                    return Ok(());
                }
                // It ended in between: a new one begins.
                Err(EngineError::Gone) => {}
                Err(EngineError::ChoiceExpired) => incoming.content = Content::Lapsed,
                Err(EngineError::Unaskable(_)) => incoming.content = Content::Unreadable,
                Err(EngineError::Picture(why)) => {
                    incoming.content = Content::NoPicture(NoPicture::Refused(why));
                    raw = None;
                }
                Err(EngineError::TooManyPictures) => {
                    incoming.content = Content::NoPicture(NoPicture::TooOften);
                    raw = None;
                }
                Err(EngineError::TooFast { wait }) => {
                    let wait = Millis::try_from(wait.as_millis()).unwrap_or(LONGEST);
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
        let Some((button, id, seq)) = stands_under else {
            // Forwarded, of another chat, or too old to be known: nothing is done, and kindly said so.
            let lapsed = messages.lapsed.get(press.language);
            self.courtesy.acknowledge(&press.query, Some(lapsed));
            let ours = press.private_message.is_some() && press.button.is_some();
            if ours {
                return self.choose(receipt, &press, Content::Lapsed).await;
            }
            return self.settle(receipt, "ignored").await;
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
                let thanks = messages.vote_thanks.get(press.language);
                self.courtesy.acknowledge(&press.query, Some(thanks));
                count("handled");
                Ok(())
            }
            Button::Choice(place) => {
                self.courtesy.acknowledge(&press.query, None);
                self.courtesy.show_typing(press.person);
                let value = self.choice(&id, seq, place).await?;
                let content = value.map_or(Content::Lapsed, |value| {
                    Content::Choice(Pressed {
                        value,
                        under: Some(seq),
                    })
                });
                self.choose(receipt, &press, content).await
            }
        }
    }

    async fn choose(
        &self,
        receipt: &Receipt,
        press: &Press,
        content: Content,
    ) -> Result<(), NotNow> {
        let incoming = Incoming {
            client_id: Uuid::from_u64_pair(NAMESPACE, receipt.number.unsigned_abs()),
            content,
            receipt: Some(receipt.clone()),
            original: None,
            who: press.who.clone(),
            network: None,
        };
        let contact = contact(press.person);
        self.answer(&contact, press.language, incoming, None).await
    }

    /// Whether a group has not asked too much.
    async fn group_may_ask(&self, chat: i64) -> sqlx::Result<bool> {
        let key = format!("group {}", self.inbox.pseudonym(&chat.to_string()));
        let mut transaction = self.inbox.store.begin().await?;
        let now = self.inbox.clock.now();
        let wait = pace::take(&mut transaction, &key, PER_GROUP, now).await?;
        transaction.commit().await?;
        Ok(wait == 0)
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
            deliveries::drop_lane(&mut transaction, carrier, &contact.id, now, now).await?;
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

    pub(super) async fn enqueue(
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

/// What an update is known by, in the log and to the person.
pub(super) fn reference(number: i64) -> String {
    format!("T-{number}")
}

pub(super) fn count(outcome: &'static str) {
    metrics::counter!("tanya_telegram_updates_total", "outcome" => outcome).increment(1);
}

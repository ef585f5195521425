//! One message and what is said to it: read, decided, and written down in one transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rand::Rng;
use sqlx::Any;
use sqlx::pool::PoolConnection;
use tokio::sync::MutexGuard;

use super::action::Effects;
use super::commit::{bot_rows, heard_row, numbered};
use super::effect::Doing;
use super::handoff::Desk;
use super::hub::{DESK, Signal};
use super::message::{Content, Incoming, Message, Receipt, Sender};
use super::personal::Ahead;
use super::state::State;
use super::trouble::News;
use super::turn::{self, ChoiceExpired, Circumstances, Decision};
use super::{Engine, EngineError, TRIES};
use crate::clock::Millis;
use crate::knowledge::ask::askable;
use crate::knowledge::text::Language;
use crate::outbox::Payload;
use crate::redact::HIDDEN;
use crate::storage::conversation::{self, ConversationRow};
use crate::storage::message::{self as transcript, MessageRow};
use crate::storage::{Connection, inbound, pace};
use crate::trace::{self, Fact, Span, Work};

/// What a message is decided with, besides the conversation and itself.
#[derive(Clone, Copy)]
struct Around<'a> {
    /// Whether a pressed choice stands under a message of the conversation's.
    offered: bool,
    ahead: &'a Ahead,
    desk: &'a Desk,
    news: &'a News,
}

/// What was decided and is not written down yet.
struct Draft<'m> {
    /// The conversation as it is afterwards.
    row: ConversationRow,
    incoming: &'m Incoming,
    /// What the router found; `choice` for what was not routed.
    outcome: &'static str,
    heard: MessageRow,
    replies: Vec<MessageRow>,
    effects: Effects,
    /// Whether everything that was said is to be deleted.
    erase: bool,
    /// The number of the channel's message that is to be removed there.
    removes: Option<i32>,
    /// Whether there is a ticket of this conversation.
    ticketed: bool,
    now: Millis,
}

impl<'m> Draft<'m> {
    fn of(
        mut row: ConversationRow,
        incoming: &'m Incoming,
        mut decision: Decision,
        now: Millis,
    ) -> Self {
        let heard_seq = row.last_seq + 1;
        let outcome = decision.routed.as_ref().map(|found| found.outcome);
        row.language = decision.language.as_str().to_owned();
        row.state = decision.state.to_json();
        row.last_seq = heard_seq + decision.replies.len() as i64;
        row.active_at = now;
        let heard = heard_row(&decision, heard_seq, incoming.client_id.to_string(), now);
        let effects = std::mem::take(&mut decision.effects);
        Self {
            row,
            incoming,
            outcome: outcome.map_or("choice", |outcome| outcome.as_str()),
            heard,
            replies: bot_rows(decision.replies, heard_seq, Some(heard_seq), now),
            effects,
            erase: decision.erase,
            removes: None,
            ticketed: false,
            now,
        }
    }

    /// What whoever watches the conversation is told.
    fn signal(&self) -> Signal {
        if self.erase {
            Signal::Ended
        } else {
            Signal::Written
        }
    }
}

/// What became of a draft.
enum Written {
    /// It is written; conversations that it changed besides.
    Changed(Vec<String>),
    /// Somebody else has handled the message in the meantime.
    Elsewhere,
    /// Somebody else wrote in between: it is to be decided anew.
    Overtaken,
}

impl Engine {
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
    pub(super) async fn take_turn(&self, id: &str) -> Option<MutexGuard<'_, ()>> {
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
        let mut connection = self.store.connection().await?;
        let row = conversation::by_id(&mut connection, id).await?;
        let row = row.ok_or(EngineError::Gone)?;
        if let Some(replies) = self.said_before(&mut connection, id, incoming).await? {
            let replies = self.present(&mut connection, id, replies).await?;
            return Ok(Some(replies));
        }
        let mut draft = self.draft(connection, row, incoming, (ahead, turn)).await?;
        let changed = match self.write_down(&mut draft, ahead).await? {
            Written::Changed(changed) => changed,
            Written::Elsewhere => return Ok(Some(Vec::new())),
            Written::Overtaken => return Ok(None),
        };
        self.was_written(&draft, ahead, &changed).await;
        let mut connection = self.store.connection().await?;
        let replies = self.present(&mut connection, id, draft.replies).await?;
        Ok(Some(replies))
    }

    /// What was said to this very message, if it came before; it is settled then.
    async fn said_before(
        &self,
        connection: &mut Connection,
        id: &str,
        incoming: &Incoming,
    ) -> sqlx::Result<Option<Vec<MessageRow>>> {
        let client_id = incoming.client_id.to_string();
        let Some(seq) = transcript::seq_of(connection, id, &client_id).await? else {
            return Ok(None);
        };
        let replies = transcript::replies_to(connection, id, seq).await?;
        if let Some(receipt) = &incoming.receipt {
            settle(connection, receipt, self.clock.now()).await?;
        }
        Ok(Some(replies))
    }

    /// Decides what is said and done. Of the conversation nothing is written yet.
    async fn draft<'m>(
        &self,
        mut connection: PoolConnection<Any>,
        mut row: ConversationRow,
        incoming: &'m Incoming,
        (ahead, turn): (&mut Ahead, &mut Option<MutexGuard<'_, ()>>),
    ) -> Result<Draft<'m>, EngineError> {
        let now = self.clock.now();
        row.calm_at = self.calmer(row.calm_at, now)?;
        let offered = was_offered(&mut connection, &row.id, &incoming.content).await?;
        let mut desk = self.desk(&mut connection, &row).await?;
        if let Content::Picture(_) = incoming.content {
            desk.pictures = self.picture_room(&mut connection, &row.id, &desk).await?;
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
        self.hub.signal(&row.id, Signal::Typing);
        let mut draft = Draft::of(row, incoming, decision, now);
        draft.removes = incoming.original.filter(|_| hides);
        draft.ticketed = desk.ticketed || draft.effects.ticket.is_some();
        Ok(draft)
    }

    /// Writes it down and has done what is to be done, all in one transaction.
    async fn write_down(&self, draft: &mut Draft<'_>, ahead: &mut Ahead) -> sqlx::Result<Written> {
        let (now, incoming) = (draft.now, draft.incoming);
        let mut transaction = self.store.begin().await?;
        if !conversation::advance(&mut transaction, &draft.row).await? {
            transaction.rollback().await?;
            return Ok(Written::Overtaken);
        }
        if let Some(receipt) = &incoming.receipt
            && !settle(&mut transaction, receipt, now).await?
        {
            transaction.rollback().await?;
            return Ok(Written::Elsewhere);
        }
        self.keep(&mut transaction, draft, ahead).await?;
        let doing = Doing {
            row: &draft.row,
            effects: &draft.effects,
            ahead,
            heard_seq: draft.heard.seq,
            who: incoming.who.as_deref(),
            network: incoming.network.as_ref(),
        };
        let changed = self.take_effect(&mut transaction, &doing, now).await?;
        let Some(changed) = changed else {
            // The proof was brought back by another request in the meantime.
            transaction.rollback().await?;
            ahead.returned = None;
            return Ok(Written::Overtaken);
        };
        let news = self.news_of(&draft.row.id, draft.signal());
        self.store.announce(&mut transaction, &news).await?;
        if draft.effects.ticket.is_some() {
            let news = self.news_of(DESK, Signal::Written);
            self.store.announce(&mut transaction, &news).await?;
        }
        transaction.commit().await?;
        Ok(Written::Changed(changed))
    }

    /// Keeps what was said, and what goes with it: a ticket, pictures, what is to be carried.
    async fn keep(
        &self,
        transaction: &mut Connection,
        draft: &mut Draft<'_>,
        ahead: &Ahead,
    ) -> sqlx::Result<()> {
        let (now, id, heard_seq) = (draft.now, draft.row.id.clone(), draft.heard.seq);
        if let Some(number) = draft.removes {
            let payload = Payload::Remove { number };
            let place = Some((id.as_str(), heard_seq));
            self.carry(transaction, &draft.row, place, &payload, now)
                .await?;
        }
        let mut opened = None;
        if let Some(effect) = &draft.effects.ticket {
            let turn = (&draft.row, ahead);
            opened = self.ticket_effect(transaction, turn, effect, now).await?;
            let replies = std::mem::take(&mut draft.replies);
            draft.replies = numbered(replies, opened.as_ref());
        }
        let picture = draft.effects.picture.as_ref();
        self.keep_pictures(
            transaction,
            (&draft.row, heard_seq),
            picture,
            opened.as_ref(),
        )
        .await?;
        if draft.erase {
            return self
                .erase(transaction, &draft.row, &draft.replies, now)
                .await;
        }
        transcript::insert(transaction, &id, &draft.heard).await?;
        for reply in &draft.replies {
            transcript::insert(transaction, &id, reply).await?;
        }
        self.send(transaction, &draft.row, &draft.replies, now)
            .await?;
        if draft.ticketed {
            self.take_up_words(transaction, &id).await?;
        }
        Ok(())
    }

    /// Wakes whoever waits for what was written, and counts it.
    async fn was_written(&self, draft: &Draft<'_>, ahead: &Ahead, changed: &[String]) {
        self.bells.outbound.ring();
        self.hub.signal(&draft.row.id, draft.signal());
        if draft.effects.ticket.is_some() {
            self.post.ring();
            self.hub.signal(DESK, Signal::Written);
        }
        self.after_effect(&draft.row, &draft.effects, ahead.verification(), changed)
            .await;
        let outcome = draft.outcome;
        trace::note(Fact::Outcome(outcome));
        metrics::counter!("tanya_messages_total", "outcome" => outcome).increment(1);
        let channel = draft.row.channel.clone();
        metrics::counter!("tanya_turns_total", "channel" => channel, "outcome" => outcome)
            .increment(1);
    }

    /// When a conversation is calm again after one more message.
    pub(super) fn calmer(&self, calm_at: Millis, now: Millis) -> Result<Millis, EngineError> {
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
}

/// Notes that what the channel brought is handled; tells whether it was not before.
pub(super) async fn settle(
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

/// What a person may quote and the log knows: it tells nothing.
fn new_reference() -> String {
    let mut bytes = [0_u8; 4];
    rand::rng().fill_bytes(&mut bytes);
    format!("R-{:08X}", u32::from_be_bytes(bytes))
}

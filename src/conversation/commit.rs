//! What a decision leaves behind: rows of the transcript, what must be carried, what is deleted, and who is told.

use super::handoff::NUMBER;
use super::hub::Signal;
use super::message::{Body, Channel, Kind, Reply, Sender};
use super::turn::Decision;
use super::{Engine, INBOUND_NEWS};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::outbox::{self, Delivery, Payload};
use crate::storage::conversation::{self, ConversationRow};
use crate::storage::message::MessageRow;
use crate::storage::{
    Connection, announcement, chat_word, hold, inbound, outage, outbox as deliveries, picture,
    trouble_report,
};
use crate::ticket::TicketNumber;

const WRITTEN: &str = "written";
const CHANGED: &str = "changed";
const ENDED: &str = "ended";

impl Engine {
    /// Has the replies carried, where the channel does not fetch them.
    pub(super) async fn send(
        &self,
        transaction: &mut Connection,
        row: &ConversationRow,
        replies: &[MessageRow],
        now: Millis,
    ) -> sqlx::Result<()> {
        let Some((carrier, lane)) = carried(row) else {
            return Ok(());
        };
        for reply in replies {
            let delivery = Delivery {
                carrier,
                lane,
                message: Some((&row.id, reply.seq)),
                payload: None,
            };
            delivery.enqueue(&self.store, transaction, now).await?;
        }
        Ok(())
    }

    /// What a hold keeps is not deleted, and its person is told so.
    pub(super) async fn respect_holds(
        &self,
        row: &ConversationRow,
        decision: &mut Decision,
    ) -> sqlx::Result<()> {
        if !decision.erase {
            return Ok(());
        }
        let mut transaction = self.store.begin().await?;
        hold::cover(&mut transaction, self.clock.now()).await?;
        let held = hold::covers(&mut transaction, "conversation", &row.id).await?;
        transaction.commit().await?;
        if held {
            decision.erase = false;
            let knowledge = self.knowledge.current();
            let sentence = knowledge.messages().erase_held.get(decision.language);
            decision.replies = vec![Reply::text(sentence.clone()).kind(Kind::Notice)];
        }
        Ok(())
    }

    /// Deletes a conversation's record and ends it; what is said last stands in no transcript.
    pub(super) async fn erase(
        &self,
        transaction: &mut Connection,
        row: &ConversationRow,
        replies: &[MessageRow],
        now: Millis,
    ) -> sqlx::Result<()> {
        conversation::delete_feedback_of(transaction, &row.id).await?;
        conversation::delete_messages_of(transaction, &row.id).await?;
        picture::delete_of(transaction, &row.id).await?;
        chat_word::delete_of(transaction, &row.id).await?;
        outage::forget(transaction, &row.id).await?;
        trouble_report::forget(transaction, &row.id).await?;
        announcement::unsubscribe(transaction, &row.id).await?;
        announcement::forget(transaction, &row.id).await?;
        deliveries::delete_of(transaction, &row.id).await?;
        conversation::end(transaction, &row.id, now).await?;
        conversation::forget_contact(transaction, &row.id).await?;
        self.identity.forget(transaction, row, now).await?;
        if let Some(contact) = &row.contact {
            inbound::wipe_lane(transaction, contact).await?;
        }
        for reply in replies {
            let payload = Payload::Say {
                body: serde_json::from_str(&reply.body).unwrap_or_default(),
                language: row.language.clone(),
                answers: None,
            };
            let place = Some((row.id.as_str(), reply.seq));
            self.carry(transaction, row, place, &payload, now).await?;
        }
        Ok(())
    }

    /// Has something carried that stands in no transcript.
    pub(super) async fn carry(
        &self,
        transaction: &mut Connection,
        row: &ConversationRow,
        place: Option<(&str, i64)>,
        payload: &Payload,
        now: Millis,
    ) -> sqlx::Result<()> {
        let Some((carrier, lane)) = carried(row) else {
            return Ok(());
        };
        let lane = match payload {
            // Beside the answers: neither waits for the other.
            Payload::Remove { .. } => format!("{lane} remove"),
            Payload::Say { .. } | Payload::Leave | Payload::Sealed { .. } => lane.to_owned(),
        };
        let delivery = Delivery {
            carrier,
            lane: &lane,
            message: place,
            payload: Some(payload),
        };
        delivery.enqueue(&self.store, transaction, now).await
    }

    /// Has everybody who watches a conversation read it anew, in every process.
    pub async fn tell_changed(&self, id: &str) {
        self.hub.signal(id, Signal::Changed);
        let news = self.news_of(id, Signal::Changed);
        let told = async {
            let mut transaction = self.store.begin().await?;
            self.store.announce(&mut transaction, &news).await?;
            transaction.commit().await
        };
        if let Err(error) = told.await {
            tracing::error!(%error, "other processes were not told of a change");
        }
    }

    /// Records that a message that should be removed is still there.
    pub async fn note_unremoved(
        &self,
        connection: &mut Connection,
        id: &str,
        now: Millis,
    ) -> sqlx::Result<()> {
        let entry = Entry::new(Event::RemovalFailed, "failed").within(id);
        self.identity.audit().record(connection, entry, now).await
    }

    /// What other processes are told of a conversation.
    pub(super) fn news_of(&self, id: &str, signal: Signal) -> String {
        let process = &self.process;
        match signal {
            Signal::Ended => format!("{ENDED} {process} {id}"),
            Signal::Changed => format!("{CHANGED} {process} {id}"),
            Signal::Written | Signal::Typing => format!("{WRITTEN} {process} {id}"),
        }
    }

    /// Takes up what another process announced.
    pub fn take_up(&self, news: &str) {
        let words: Vec<&str> = news.split(' ').collect();
        match *words {
            [outbox::NEWS] => {
                self.bells.outbound.ring();
                self.post.ring();
            }
            [INBOUND_NEWS] => self.bells.inbound.ring(),
            [what, process, id] if process != self.process => {
                let signal = match what {
                    ENDED => Signal::Ended,
                    CHANGED => Signal::Changed,
                    _ => Signal::Written,
                };
                self.hub.signal(id, signal);
            }
            _ => {}
        }
    }
}

/// What carries the messages of a conversation, and to whom; none where they are fetched.
fn carried(row: &ConversationRow) -> Option<(outbox::Carrier, &str)> {
    let carrier = Channel::parse(&row.channel)?.carrier()?;
    Some((carrier, row.contact.as_deref()?))
}

pub(super) fn heard_row(
    decision: &Decision,
    seq: i64,
    client_id: String,
    now: Millis,
) -> MessageRow {
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

pub(super) fn bot_rows(
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

/// The replies with the number of the ticket that was opened with them.
pub(super) fn numbered(
    mut rows: Vec<MessageRow>,
    number: Option<&TicketNumber>,
) -> Vec<MessageRow> {
    if let Some(number) = number {
        for row in &mut rows {
            row.body = row.body.replace(NUMBER, number.as_str());
        }
    }
    rows
}

pub(super) fn to_json(body: &Body) -> String {
    serde_json::to_string(body).unwrap_or_default()
}

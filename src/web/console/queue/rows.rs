//! A ticket as the list shows it: who asks is masked.

use super::SOON;
use super::view::QueueRow;
use crate::agent::SignedIn;
use crate::clock::Millis;
use crate::mail::letters::topic_label;
use crate::storage::ticket::TicketRow;
use crate::ticket::Status;
use crate::web::WebState;
use crate::web::console::page::{named, when};
use crate::web::console::view::{When, Words};

/// What rows are shown with, besides their tickets.
pub struct Around {
    /// Agents' names by their ids.
    pub names: Vec<(String, String)>,
    /// Conversations whose chat is open now.
    pub open: Vec<String>,
    pub now: Millis,
}

pub fn row_of(
    state: &WebState,
    who: &SignedIn,
    w: &Words,
    row: &TicketRow,
    around: &Around,
) -> QueueRow {
    let active = Status::parse(&row.status).is_some_and(Status::is_active);
    let now = around.now;
    let due = row.answer_by.filter(|_| active);
    let promise = row
        .acknowledge_by
        .filter(|_| active && row.acknowledged_at.is_none());
    let due = promise.or(due);
    QueueRow {
        number: row.number.clone(),
        subject: subject(state, w, row),
        who: who_of(state, row),
        channel: w.channel(shown_channel(&row.channel)),
        queue: w.queue(&row.queue),
        status: w.status(&row.status),
        priority: w.priority(&row.priority),
        mine: row.assignee.as_ref() == Some(&who.id),
        assignee: row
            .assignee
            .as_deref()
            .map_or_else(String::new, |id| named(&around.names, id)),
        since: if row.status == "open" {
            when(Some(row.unread_at.unwrap_or(row.created_at)))
        } else {
            When::default()
        },
        due: when(due),
        overdue: due.is_some_and(|due| due < now),
        soon: due.is_some_and(|due| (now..now + SOON).contains(&due)),
        unread: row.unread_at.is_some(),
        waiting: row.live_at.is_some(),
        present: active && around.open.contains(&row.conversation_id),
    }
}

/// What a ticket is about: the person's words, or the topic's name.
pub fn subject(state: &WebState, w: &Words, row: &TicketRow) -> String {
    if !row.title.is_empty() {
        return row.title.clone();
    }
    let knowledge = state.knowledge.current();
    topic_label(&knowledge, &row.topic, w.language())
}

/// The name on a ticket with the first letter of each word: enough to speak to somebody, not enough to copy.
pub fn masked_name(state: &WebState, row: &TicketRow) -> String {
    let name = state.engine.tickets().name(row).unwrap_or_default();
    let words = name.split_whitespace().map(|word| {
        let between = ["bin", "binti", "bt", "bt.", "b.", "a/l", "a/p"];
        match word.chars().next() {
            Some(first) if !between.contains(&word.to_lowercase().as_str()) => {
                format!("{first}•••")
            }
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Who asks, masked: the name, and the last four characters of the number.
fn who_of(state: &WebState, row: &TicketRow) -> String {
    let name = masked_name(state, row);
    let last4 = row.last4.as_deref().map(|last4| format!("••••{last4}"));
    let parts = [Some(name), last4, row.department.clone()];
    let parts: Vec<String> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(", ")
}

/// The name of a channel on a page, from its name as stored.
pub fn shown_channel(stored: &str) -> &str {
    match stored {
        "counter" => "kaunter",
        "phone" => "telefon",
        other => other,
    }
}

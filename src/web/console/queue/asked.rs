//! What the address of the list asks for.

use serde::Deserialize;

use super::SOON;
use crate::agent::SignedIn;
use crate::clock::Millis;
use crate::storage::ticket_list::TicketFilter;
use crate::ticket::{Queue, Status};

/// What the list is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub view: String,
    #[serde(default)]
    pub q: String,
    /// Where is searched: `chats`, or in subjects and names.
    #[serde(default, rename = "in")]
    pub place: String,
    #[serde(default)]
    pub queue: String,
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub channel: String,
    /// `MILLIS.NUMBER`: the place where the page before ended.
    #[serde(default)]
    pub before: String,
}

impl Asked {
    /// The address of the list with another view, or another place.
    pub fn href(&self, view: &str, before: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let pairs = [
            ("view", view),
            ("q", &self.q),
            ("in", &self.place),
            ("queue", &self.queue),
            ("status", &self.status),
            ("channel", &self.channel),
            ("before", before),
        ];
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        let query = query.finish();
        if query.is_empty() {
            "/console".to_owned()
        } else {
            format!("/console?{query}")
        }
    }

    fn before(&self) -> Option<(Millis, String)> {
        let (at, number) = self.before.split_once('.')?;
        Some((at.parse().ok()?, number.to_owned()))
    }

    /// The address of the same search in another place, from the beginning or from where a page ended.
    pub fn searched_in(&self, place: &str, before: &str) -> String {
        let other = Self {
            place: place.to_owned(),
            ..self.clone()
        };
        other.href(&other.view, before)
    }

    pub fn filter(&self, who: &SignedIn, now: Millis) -> TicketFilter {
        let some = |text: &str| (!text.is_empty() && text != "all").then(|| text.to_owned());
        let status = Status::parse(&self.status).map(|status| status.as_str().to_owned());
        TicketFilter {
            queue: Queue::parse(&self.queue).map(|queue| queue.as_str().to_owned()),
            // What is searched for may be settled already.
            status: status.or_else(|| {
                (self.q.is_empty() && self.status != "all").then(|| "active".to_owned())
            }),
            assignee: (self.view == "mine").then(|| who.id.clone()),
            unassigned: self.view == "unassigned",
            waiting: self.view == "waiting",
            due_before: match self.view.as_str() {
                "soon" => Some(now + SOON),
                "overdue" => Some(now),
                _ => None,
            },
            channel: some(&self.channel).map(|channel| stored_channel(&channel).to_owned()),
            before: self.before(),
            ..TicketFilter::default()
        }
    }
}

/// The name of a channel as stored, from its name on a page.
fn stored_channel(shown: &str) -> &str {
    match shown {
        "kaunter" => "counter",
        "telefon" => "phone",
        other => other,
    }
}

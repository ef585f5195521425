//! The demonstration's inbox: what would have been mailed, by us and by the portal simulator.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::WebState;
use super::error::Code;
use super::pages::{PLAIN_PAGE, page};
use crate::clock::shown;
use crate::mail::inbox::{Inbox, InboxMail};
use crate::portal::simulator::Simulator;

/// What the demonstration has instead of the world.
#[derive(Clone)]
pub struct Demo {
    /// What we would have mailed.
    pub inbox: Arc<Inbox>,
    /// The portal's simulator, which mails too.
    pub simulator: Option<Simulator>,
}

impl Demo {
    /// All mails, the oldest first.
    fn mails(&self) -> Vec<InboxMail> {
        let mut mails = self.inbox.mails();
        let simulator = self.simulator.iter();
        mails.extend(simulator.flat_map(Simulator::mails).map(|mail| InboxMail {
            to: mail.to,
            subject: mail.subject,
            text: mail.text,
            message_id: mail.message_id,
            at: mail.at,
        }));
        mails.sort_by(|one, other| one.at.cmp(&other.at));
        mails
    }
}

/// A piece of a mail's text: an address, or words.
struct Part {
    text: String,
    url: bool,
}

struct ShownMail {
    to: String,
    subject: String,
    at: String,
    parts: Vec<Part>,
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage {
    mails: Vec<ShownMail>,
}

/// `/demo/inbox.json`.
pub async fn inbox_json(State(state): State<WebState>) -> Result<Json<Vec<InboxMail>>, Code> {
    let demo = state.demo.as_ref().ok_or(Code::NotFound)?;
    Ok(Json(demo.mails()))
}

/// `/demo/inbox`: the latest first.
pub async fn inbox(State(state): State<WebState>) -> Response {
    let Some(demo) = &state.demo else {
        return Code::NotFound.into_response();
    };
    let mails = demo.mails().into_iter().rev().map(|mail| ShownMail {
        parts: parts(&mail.text),
        to: mail.to,
        subject: mail.subject,
        at: local_time(&mail.at),
    });
    let shown = InboxPage {
        mails: mails.collect(),
    };
    page(PLAIN_PAGE, &shown)
}

/// A moment as people in Kelantan read it.
fn local_time(at: &str) -> String {
    let parsed = at.parse::<jiff::Timestamp>();
    parsed.map_or_else(|_| at.to_owned(), |at| shown(at.as_millisecond()))
}

fn parts(text: &str) -> Vec<Part> {
    let pieces = text.split_inclusive(char::is_whitespace);
    let mut parts: Vec<Part> = Vec::new();
    for piece in pieces {
        let word = piece.trim_end();
        let url = word.starts_with("http://") || word.starts_with("https://");
        let rest = piece.get(word.len()..).unwrap_or_default();
        if url {
            let text = word.to_owned();
            parts.push(Part { text, url: true });
        }
        let words = if url { rest } else { piece };
        match parts.last_mut() {
            Some(last) if !last.url => last.text.push_str(words),
            _ => parts.push(Part {
                text: words.to_owned(),
                url: false,
            }),
        }
    }
    parts
}

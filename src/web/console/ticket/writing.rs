//! What an officer writes under a ticket: replies to the person, and notes that stay inside.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::at_ticket::AtTicket;
use super::done::Done;
use super::page::{Extra, page};
use super::reading::filled;
use crate::conversation::desk::{Act, DeskError};
use crate::conversation::once::Form;
use crate::storage::{canned_reply, conversation, ticket};
use crate::web::console::access::Posted;
use crate::web::console::page::{not_found, words};
use crate::web::console::view::Words;
use crate::web::error::Refusal;

/// What is typed under a ticket.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    #[serde(default)]
    text: String,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    canned: String,
    #[serde(default, rename = "do")]
    what: String,
    #[serde(default)]
    seen: String,
    #[serde(default)]
    once: String,
}

impl Written {
    /// What the form says of itself.
    fn form(&self) -> Form {
        Form {
            seen: self.seen.parse().ok(),
            once: Uuid::parse_str(&self.once).ok(),
        }
    }
}

/// `POST …/balas`: answers the person, with or without settling; or puts a canned reply into the field.
pub async fn reply(at: AtTicket, Posted(written): Posted<Written>) -> Result<Response, Refusal> {
    if written.what == "insert" {
        return insert(&at, written).await;
    }
    // What was written as a note never reaches the person, whatever was pressed.
    if written.what == "note" || written.mode == "note" {
        return noted(&at, written).await;
    }
    let settles = written.what == "resolve";
    let act = Act::Reply {
        text: &written.text,
        settles,
    };
    match at.act(written.form(), act).await {
        Ok(()) if settles => Ok(at.told(Done::Resolved)),
        Ok(()) => Ok(at.told(Done::Replied)),
        Err(error) => refused(&at, written.text, false, error).await,
    }
}

/// `POST …/nota`.
pub async fn note(at: AtTicket, Posted(written): Posted<Written>) -> Result<Response, Refusal> {
    noted(&at, written).await
}

async fn noted(at: &AtTicket, written: Written) -> Result<Response, Refusal> {
    // A note may be written whatever others did meanwhile.
    let form = Form {
        seen: None,
        ..written.form()
    };
    match at.act(form, Act::Note(&written.text)).await {
        Ok(()) => Ok(at.told(Done::Noted)),
        Err(error) => refused(at, written.text, true, error).await,
    }
}

/// The page again, a canned reply put below what was typed.
async fn insert(at: &AtTicket, written: Written) -> Result<Response, Refusal> {
    let mut connection = at.state.limits.store.connection().await?;
    let replies = canned_reply::all(&mut connection).await?;
    let row = ticket::by_number(&mut connection, at.number.as_str()).await?;
    let chat = row.as_ref().map(|row| row.conversation_id.as_str());
    let chat = conversation::by_id(&mut connection, chat.unwrap_or_default()).await?;
    drop(connection);
    let english = chat.is_some_and(|chat| chat.language == "en");
    let name = row.and_then(|row| at.state.engine.tickets().name(&row));
    let name = name.unwrap_or_default();
    let chosen = replies.iter().find(|reply| reply.id == written.canned);
    let text = chosen.map_or_else(String::new, |reply| {
        filled(reply, english, at.number.as_str(), &name)
    });
    let draft = match written.text.trim().is_empty() {
        true => text,
        false => format!("{}\n{text}", written.text),
    };
    let extra = Extra {
        note: written.mode == "note",
        draft,
        ..Extra::default()
    };
    page(at, extra, StatusCode::OK).await
}

/// The page again, with what was typed and why it was not taken.
async fn refused(
    at: &AtTicket,
    draft: String,
    note: bool,
    error: DeskError,
) -> Result<Response, Refusal> {
    let why = match error {
        DeskError::Database(error) => return Err(error.into()),
        DeskError::NoSuchTicket => return Ok(not_found(&at.who)),
        error => why(&words(&at.who, ""), &error),
    };
    let extra = Extra {
        note,
        draft,
        draft_error: why.to_owned(),
        ..Extra::default()
    };
    page(at, extra, StatusCode::UNPROCESSABLE_ENTITY).await
}

fn why(w: &Words, error: &DeskError) -> &'static str {
    match error {
        DeskError::Changed => w.t(
            "Tiket ini telah berubah sejak halaman dibuka. Sila semak, kemudian hantar semula.",
            "This ticket has changed since the page was opened. Please look, then send again.",
        ),
        DeskError::Held => w.t(
            "Pegawai lain sedang memegang sembang ini.",
            "Another officer holds this chat.",
        ),
        DeskError::Unaskable(_) => w.t(
            "Teks kosong atau melebihi 4,096 aksara.",
            "The text is empty or longer than 4,096 characters.",
        ),
        _ => w.t(
            "Tidak dapat dihantar sekarang. Sila cuba lagi.",
            "It cannot be sent now. Please try again.",
        ),
    }
}

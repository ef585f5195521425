//! What an officer does to a ticket with one press: whose it is, where it stands, how urgent it is, what it belongs to.

use axum::response::Response;
use serde::Deserialize;

use super::at_ticket::{AtTicket, told};
use super::done::Done;
use crate::agent::role::Permission;
use crate::conversation::desk::{Act, DeskError};
use crate::ticket::{PRIORITIES, Queue, Status, TicketNumber};
use crate::web::console::access::Posted;
use crate::web::console::page::{at_desk, forbidden};
use crate::web::error::{Code, Refusal};

/// `POST …/ambil`.
pub async fn take(at: AtTicket) -> Result<Response, Refusal> {
    at.press(Act::Take, Done::Taken).await
}

/// `POST …/serah`.
pub async fn hand_back(at: AtTicket) -> Result<Response, Refusal> {
    at.press(Act::HandBack, Done::HandedBack).await
}

/// Whose work it becomes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assigned {
    to: String,
}

/// `POST …/tugas`: everybody may take work themselves; giving it to others is the supervisor's.
pub async fn assign(at: AtTicket, Posted(form): Posted<Assigned>) -> Result<Response, Refusal> {
    let to = match form.to.as_str() {
        "me" => at.who.id.clone(),
        _ => form.to,
    };
    if to != at.who.id && !at.who.may(Permission::AssignOthers) {
        return Ok(forbidden(&at.who));
    }
    if !to.is_empty() {
        let mut connection = at.state.limits.store.connection().await?;
        let workers = at.state.agents.workers(&mut connection).await?;
        if !workers.iter().any(|(id, _)| *id == to) {
            return Err(Code::InvalidBody.into());
        }
    }
    let to = (!to.is_empty()).then_some(to.as_str());
    at.press(Act::Assign(to), Done::Edited).await
}

/// Where it goes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    queue: String,
}

/// `POST …/pindah`.
pub async fn move_to(at: AtTicket, Posted(form): Posted<Moved>) -> Result<Response, Refusal> {
    let queue = Queue::parse(&form.queue).ok_or(Code::InvalidBody)?;
    at.press(Act::Move(queue.as_str()), Done::Edited).await
}

/// How urgent it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prioritised {
    priority: String,
}

/// `POST …/keutamaan`.
pub async fn prioritise(
    at: AtTicket,
    Posted(form): Posted<Prioritised>,
) -> Result<Response, Refusal> {
    if !PRIORITIES.contains(&form.priority.as_str()) {
        return Err(Code::InvalidBody.into());
    }
    at.press(Act::Prioritise(&form.priority), Done::Edited)
        .await
}

/// How far it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetStatus {
    status: String,
}

/// `POST …/status`: closing for good is the supervisor's.
pub async fn set_status(
    at: AtTicket,
    Posted(form): Posted<SetStatus>,
) -> Result<Response, Refusal> {
    let status = Status::parse(&form.status).ok_or(Code::InvalidBody)?;
    if status == Status::Closed && !at.who.may(Permission::MergeTickets) {
        return Ok(forbidden(&at.who));
    }
    at.press(Act::Set(status), Done::Edited).await
}

/// The entry that is linked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linked {
    entry: String,
}

/// `POST …/pautan`.
pub async fn link(at: AtTicket, Posted(form): Posted<Linked>) -> Result<Response, Refusal> {
    let knowledge = at.state.knowledge.current();
    let entry = knowledge.book().entry(form.entry.trim());
    let entry = entry.ok_or(Code::InvalidBody)?;
    at.press(Act::Link(&entry.id), Done::Edited).await
}

/// The ticket that it becomes part of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merged {
    into: String,
}

/// `POST …/gabung`.
pub async fn merge(at: AtTicket, Posted(form): Posted<Merged>) -> Result<Response, Refusal> {
    let Some(into) = TicketNumber::find(&form.into) else {
        return Ok(at.told(Done::Outdated));
    };
    let agent = at_desk(&at.who);
    match at.state.engine.merge(agent, &at.number, &into).await {
        Ok(()) => Ok(told(&into, Done::Edited)),
        Err(DeskError::Database(error)) => Err(error.into()),
        Err(_) => Ok(at.told(Done::Outdated)),
    }
}

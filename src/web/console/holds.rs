//! What must be kept although its time is over: placed and lifted by who answers for it.

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::civil::Date;
use serde::Deserialize;

use super::super::WebState;
use super::super::error::Refusal;
use super::access::{Posted, Who};
use super::rights::{UNREADABLE, done, failed, page, whom};
use crate::clock::end_of_day;
use crate::rights::{HoldKind, NewHold, Whom};

/// What is to be kept.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Held {
    person: String,
    number: String,
    ticket: String,
    until: String,
    reason: String,
}

/// `POST /console/hak/tahan`.
pub async fn place(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(held): Posted<Held>,
) -> Result<Response, Refusal> {
    let until = match held.until.trim() {
        "" => Ok(None),
        day => day.parse::<Date>().map(|day| Some(end_of_day(day))),
    };
    let whom = whom(&held.person, &held.number, &held.ticket);
    let (Ok(until), Some(whom), false) = (until, whom, held.reason.trim().is_empty()) else {
        return page(&state, &who, UNREADABLE).await;
    };
    let kind = match whom {
        Whom::Ticket(number) => HoldKind::Ticket(number),
        Whom::Number(number) => HoldKind::Subject {
            subject: state.rights.subject(&number),
            last4: number.last4(),
        },
    };
    let new = NewHold {
        kind,
        reason: held.reason.trim(),
        until,
        by: &who.id,
    };
    match state.rights.holds.place(&new).await {
        Ok(_) => Ok(done("tahan")),
        Err(error) => failed(&state, &who, error).await,
    }
}

/// `POST /console/hak/tahan/{id}/tamat`.
pub async fn lift(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    match state.rights.holds.lift(&id, &who.id).await {
        Ok(()) => Ok(done("tamat")),
        Err(error) => failed(&state, &who, error).await,
    }
}

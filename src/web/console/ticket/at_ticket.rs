//! An officer at a ticket: what every address below `/console/tiket/{number}` begins with, and how an act ends.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::done::Done;
use crate::agent::SignedIn;
use crate::conversation::desk::{Act, DeskError};
use crate::conversation::once::Form;
use crate::ticket::TicketNumber;
use crate::web::WebState;
use crate::web::console::access::Who;
use crate::web::console::page::{at_desk, not_found};
use crate::web::error::Refusal;

/// Who does something, and to which ticket. A number that is none is not found.
pub struct AtTicket {
    pub state: WebState,
    pub who: SignedIn,
    pub number: TicketNumber,
}

/// The part of the address that names the ticket.
#[derive(Deserialize)]
struct Named {
    number: String,
}

impl FromRequestParts<WebState> for AtTicket {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Response> {
        let who = Who::from_request_parts(parts, state).await;
        let Who(who) = who.map_err(IntoResponse::into_response)?;
        let named = Path::<Named>::from_request_parts(parts, state).await;
        let Path(named) = named.map_err(IntoResponse::into_response)?;
        match TicketNumber::parse(&named.number) {
            Some(number) => Ok(Self {
                state: state.clone(),
                who,
                number,
            }),
            None => Err(not_found(&who)),
        }
    }
}

impl AtTicket {
    /// Does something to the ticket.
    pub async fn act(&self, form: Form, act: Act<'_>) -> Result<(), DeskError> {
        let agent = at_desk(&self.who);
        self.state.engine.act(agent, &self.number, form, act).await
    }

    /// Does what needs no more than a press; the page that follows tells what became of it.
    pub async fn press(&self, act: Act<'_>, done: Done) -> Result<Response, Refusal> {
        let done = match self.act(Form::default(), act).await {
            Ok(()) => done,
            Err(DeskError::Database(error)) => return Err(error.into()),
            Err(DeskError::NoSuchTicket) => return Ok(not_found(&self.who)),
            Err(DeskError::Held) => Done::HeldByOther,
            Err(DeskError::NoChat) => Done::ChatOver,
            Err(DeskError::Changed | DeskError::Unaskable(_) | DeskError::Busy) => Done::Outdated,
        };
        Ok(self.told(done))
    }

    /// Leads to the ticket's page, which tells what was done.
    pub fn told(&self, done: Done) -> Response {
        told(&self.number, done)
    }
}

/// Leads to a ticket's page, which tells what was done.
pub fn told(number: &TicketNumber, done: Done) -> Response {
    let code = done.code();
    Redirect::to(&format!("/console/tiket/{number}?done={code}")).into_response()
}

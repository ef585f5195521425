//! The sealed details of a ticket, shown once to whoever says why.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::at_ticket::AtTicket;
use super::page::{Extra, page};
use super::view::Opened;
use crate::conversation::desk::DeskError;
use crate::web::console::access::Posted;
use crate::web::console::page::{at_desk, not_found, words};
use crate::web::error::Refusal;

/// Characters of a reason, at least.
const REASON: usize = 5;

/// Why somebody wants to see what is sealed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    reason: String,
}

/// `POST …/dedah`: the sealed details, once, with a reason that is recorded.
pub async fn unmask(at: AtTicket, Posted(form): Posted<Reason>) -> Result<Response, Refusal> {
    let reason = form.reason.trim();
    let w = words(&at.who, "");
    if reason.chars().count() < REASON {
        let why = w.t(
            "Sila nyatakan sebab dengan jelas.",
            "Please state the reason clearly.",
        );
        let extra = Extra {
            open_error: why.to_owned(),
            ..Extra::default()
        };
        return page(&at, extra, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let agent = at_desk(&at.who);
    match at.state.engine.unmask(agent, &at.number, reason).await {
        Ok(details) => {
            let label = w.t("Nombor pengenalan", "Identity number");
            let opened = details.into_iter().map(|value| Opened {
                label: label.to_owned(),
                value,
            });
            let extra = Extra {
                opened: opened.collect(),
                ..Extra::default()
            };
            page(&at, extra, StatusCode::OK).await
        }
        Err(DeskError::Database(error)) => Err(error.into()),
        Err(_) => Ok(not_found(&at.who)),
    }
}

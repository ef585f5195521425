//! Officers who are absent: how much they hold, and how it goes to others.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::conversation::desk::Act;
use crate::conversation::once::Form;
use crate::storage::ticket::ActiveCount;
use crate::storage::ticket_list::{self, TicketFilter};
use crate::ticket::TicketNumber;
use crate::web::WebState;
use crate::web::console::access::{Posted, Who};
use crate::web::console::page::{at_desk, named};
use crate::web::console::view::{Choice, Words};
use crate::web::error::{Code, Refusal};

/// Tickets of an absent officer that are given to another in one go.
const AT_ONCE: i64 = 200;

/// Officers with open tickets, with how many.
pub fn holders(active: &[ActiveCount], names: &[(String, String)]) -> Vec<Choice> {
    let mut loads: BTreeMap<&str, i64> = BTreeMap::new();
    for row in active {
        if let Some(assignee) = &row.assignee {
            *loads.entry(assignee).or_default() += row.count;
        }
    }
    let loads = loads.into_iter();
    loads
        .map(|(id, count)| Choice::new(id, format!("{} ({count})", named(names, id)), false))
        .collect()
}

/// Those who may take them; nobody at first.
pub fn takers(w: &Words, workers: &[(String, String)]) -> Vec<Choice> {
    let nobody = Choice::new("", w.t("Kembali ke barisan", "Back to the queue"), true);
    let workers = workers.iter();
    let workers = workers.map(|(id, name)| Choice::new(id, name, false));
    std::iter::once(nobody).chain(workers).collect()
}

/// From whom to whom.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reassigned {
    from: String,
    to: String,
}

/// `POST /console/laporan/agih`: the tickets of an officer who is absent go to another, or back to the queue.
pub async fn reassign(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(form): Posted<Reassigned>,
) -> Result<Response, Refusal> {
    let mut connection = state.limits.store.connection().await?;
    let names = state.agents.workers(&mut connection).await?;
    let filter = TicketFilter {
        status: Some("active".to_owned()),
        assignee: Some(form.from.clone()),
        ..TicketFilter::default()
    };
    let rows = ticket_list::list(&mut connection, &filter, AT_ONCE).await?;
    drop(connection);
    let known = form.to.is_empty() || names.iter().any(|(id, _)| *id == form.to);
    if !known || form.from.is_empty() {
        return Err(Code::InvalidBody.into());
    }
    let to = (!form.to.is_empty()).then_some(form.to.as_str());
    for row in rows {
        if let Some(number) = TicketNumber::parse(&row.number) {
            // One that somebody settles meanwhile needs nobody any more.
            let _ = state
                .engine
                .act(at_desk(&who), &number, Form::default(), Act::Assign(to))
                .await;
        }
    }
    Ok(Redirect::to("/console/laporan").into_response())
}

//! What the supervisor sees: today and a month in numbers and charts, tables to take away, who looked at what is sealed.

mod absence;
mod chart;
mod counts;
mod drawing;
mod month;
mod plot;
mod tables;
mod tiles;
mod view;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::access::{Wanted, Who};
use super::page::{named, render, shell, when, words};
use super::view::{Choice, When, Words};
use crate::agent::role::Permission;
use crate::clock::{DAY, local, midnight, shown_day};
use crate::storage::ticket;
use crate::storage::ticket_event::{self, TicketEventRow};
use crate::web::WebState;
use crate::web::error::Refusal;
use counts::Counts;
use drawing::Drawing;
use month::Month;
use view::{ReportsPage, Unmasked};

pub use absence::reassign;
pub use tables::table;

/// Months that can be chosen.
const MONTHS: usize = 13;

/// Which month is shown, or which table of it is taken away.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    month: String,
    table: String,
}

/// `GET /console/laporan`.
pub async fn show(
    State(state): State<WebState>,
    Who(who): Who,
    Wanted(asked): Wanted<Asked>,
) -> Result<Response, Refusal> {
    let now = state.limits.clock.now();
    let today = local(now).date();
    let month = Month::parse(&asked.month).unwrap_or_else(|| Month::of(today));
    let w = words(&who, &format!("/console/laporan?month={}", month.code()));
    let knowledge = state.knowledge.current();
    let mut connection = state.limits.store.connection().await?;
    let counts = Counts::of(&mut connection, month.span).await?;
    let of_today = Counts::of(&mut connection, (midnight(today), midnight(today) + DAY)).await?;
    let names = state.agents.names(&mut connection).await?;
    let workers = state.agents.workers(&mut connection).await?;
    let unmasked = match who.may(Permission::ViewUnmasked) {
        true => ticket_event::of_kind(&mut connection, "unmasked", month.span.0).await?,
        false => Vec::new(),
    };
    let active = ticket::active_counts(&mut connection, now).await?;
    drop(connection);
    let drawing = Drawing {
        w: &w,
        knowledge: &knowledge,
    };
    let months = Month::latest(today, MONTHS).into_iter();
    let page = ReportsPage {
        months: months
            .map(|it| Choice::new(&it.code(), it.name(&w), it.first == month.first))
            .collect(),
        month_name: month.name(&w),
        today: When {
            at: today.to_string(),
            text: shown_day(now),
        },
        made: when(Some(now)),
        tiles: tiles::tiles(&w, &counts),
        today_charts: drawing.today(&of_today),
        month_charts: drawing.month(&counts, month),
        tables: match who.may(Permission::ExportCsv) {
            true => tables::tables(&w, month),
            false => Vec::new(),
        },
        unmasked: unmasked
            .iter()
            .map(|event| opened(&w, &names, event))
            .collect(),
        can_reassign: who.may(Permission::AssignOthers),
        absent: absence::holders(&active, &names),
        takers: absence::takers(&w, &workers),
        shell: shell(&state, &who, &w, "reports").await?,
        w: w.clone(),
    };
    Ok(render(&page))
}

fn opened(w: &Words, names: &[(String, String)], event: &TicketEventRow) -> Unmasked {
    Unmasked {
        when: when(Some(event.at)),
        who: named(names, &event.agent),
        number: event.number.clone(),
        what: w.t("Nombor pengenalan", "Identity number").to_owned(),
        reason: event.text.clone(),
    }
}

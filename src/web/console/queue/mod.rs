//! The list of tickets: views, filters, search, pages.

mod asked;
mod filters;
mod rows;
mod search;
mod view;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::access::{Wanted, Who};
use super::page::{render, shell_around, words};
use super::view::Words;
use crate::agent::SignedIn;
use crate::agent::role::Permission;
use crate::clock::{Millis, shown};
use crate::conversation::desk::HERE;
use crate::storage::{conversation, ticket};
use crate::ticket::TicketNumber;
use crate::web::WebState;
use crate::web::error::Refusal;
use asked::Asked;
use filters::{channels, queues, statuses, tabs};
use rows::{Around, row_of};
use search::Search;
use view::{OnDuty, QueuePage, QueueRow};

pub use rows::{masked_name, shown_channel, subject};

/// Tickets on a page.
const PAGE: i64 = 50;
/// What is due within this is due soon, in milliseconds.
pub const SOON: Millis = 24 * 3_600_000;

/// `GET /console`.
pub async fn show(
    State(state): State<WebState>,
    Who(who): Who,
    Wanted(asked): Wanted<Asked>,
) -> Result<Response, Refusal> {
    if !who.may(Permission::ViewQueue) {
        // Whoever has no tickets to see begins elsewhere.
        return Ok(Redirect::to(first_page(&who)).into_response());
    }
    if let Some(number) = TicketNumber::find(&asked.q) {
        return Ok(Redirect::to(&format!("/console/tiket/{number}")).into_response());
    }
    let now = state.limits.clock.now();
    let w = words(&who, &asked.href(&asked.view, &asked.before));
    let mut connection = state.limits.store.connection().await?;
    let search = Search {
        state: &state,
        who: &who,
        asked: &asked,
    };
    let (found, place) = search.found(&mut connection, PAGE + 1, now).await?;
    let counts = ticket::active_counts(&mut connection, now).await?;
    let soon = ticket::due_before(&mut connection, now + SOON).await?;
    let around = Around {
        names: state.agents.names(&mut connection).await?,
        open: conversation::seen_since(&mut connection, now - HERE).await?,
        now,
    };
    let rows = found.iter().take(PAGE as usize);
    let rows: Vec<QueueRow> = rows
        .map(|row| row_of(&state, &who, &w, row, &around))
        .collect();
    let mut shell = shell_around(&mut connection, &who, &w, "queue", &counts).await?;
    drop(connection);
    shell.live = "/console/langsung".to_owned();
    let last = found
        .get(PAGE as usize - 1)
        .filter(|_| found.len() > PAGE as usize);
    let older = last.map(|row| format!("{}.{}", row.updated_at, row.number));
    let duty = state.agents.present().await?;
    Ok(render(&QueuePage {
        tabs: tabs(&asked, &w, &who, &counts, soon, shell.waiting.len()),
        view: if asked.view.is_empty() {
            "all".to_owned()
        } else {
            asked.view.clone()
        },
        search: asked.q.clone(),
        place: asked.place.clone(),
        queues: queues(&w, &asked.queue),
        statuses: statuses(&w, &asked.status),
        channels: channels(&w, &asked.channel),
        searched: search.told(&w, place),
        filtered: [&asked.q, &asked.queue, &asked.status, &asked.channel]
            .iter()
            .any(|it| !it.is_empty()),
        clear_href: "/console".to_owned(),
        agents: duty
            .into_iter()
            .map(|name| OnDuty {
                you: name == who.name,
                name,
                present: true,
                chats: 0,
            })
            .collect(),
        hours: hours(&state, &w, now),
        summary: summary(&w, rows.len(), !asked.q.is_empty()),
        rows,
        newer_href: if asked.before.is_empty() {
            String::new()
        } else {
            asked.href(&asked.view, "")
        },
        older_href: older.map_or_else(String::new, |before| search.older(place, &before)),
        shell,
        w,
    }))
}

fn first_page(who: &SignedIn) -> &'static str {
    if who.may(Permission::ManageAgents) {
        "/console/pegawai"
    } else if who.may(Permission::ManageCanned) {
        "/console/jawapan"
    } else {
        "/console/akaun"
    }
}

/// Whether the office is open, in words.
fn hours(state: &WebState, w: &Words, now: Millis) -> String {
    let knowledge = state.knowledge.current();
    let calendar = knowledge.calendar();
    let opening = calendar.next_opening(now).map(shown).unwrap_or_default();
    let mut text = match calendar.is_open(now) {
        Some(true) => w
            .t("Pejabat sedang dibuka.", "The office is open now.")
            .to_owned(),
        Some(false) => format!(
            "{} {opening}.",
            w.t(
                "Di luar waktu pejabat; dibuka semula pada",
                "Outside office hours; opens again at"
            )
        ),
        None => w
            .t(
                "Waktu pejabat belum ditetapkan.",
                "Office hours are not set.",
            )
            .to_owned(),
    };
    if calendar.is_sample() {
        text.push(' ');
        text.push_str(w.t("(Waktu contoh)", "(Sample hours)"));
    }
    text
}

fn summary(w: &Words, count: usize, searched: bool) -> String {
    match (count, searched) {
        (0, true) => w
            .t("Tiada tiket yang sepadan.", "No ticket matches.")
            .to_owned(),
        (0, false) => w
            .t("Tiada tiket di sini.", "There is no ticket here.")
            .to_owned(),
        (count, _) => format!(
            "{count} {}",
            w.t("tiket pada halaman ini", "tickets on this page")
        ),
    }
}

//! Whether the two systems work, and what many people say about them: the supervisor confirms or dismisses it.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::WebState;
use super::super::error::Refusal;
use super::access::Who;
use super::announcements::{self, Typed};
use super::incidents_view::{IncidentCard, IncidentsPage, ReportRow, SystemRow};
use super::page::{named, not_found, render_as, shell, when, words};
use super::view::{Tag, Words};
use crate::agent::SignedIn;
use crate::conversation::telling::Verdict;
use crate::incident::{Figures, Health, Overview, System};
use crate::storage::incident::IncidentRow;
use crate::storage::{incident, trouble_report};

/// Incidents on the page, and reports of one.
const SHOWN: i64 = 20;
const REPORTS: i64 = 200;

/// What was done just now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    telah: String,
}

/// `GET /console/insiden`.
pub async fn show(
    State(state): State<WebState>,
    Who(who): Who,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let typed = Typed::fresh(state.limits.clock.now());
    page(&state, &who, typed, "", &asked.telah).await
}

/// The page, with a form as it was typed and what is wrong with it.
pub(super) async fn page(
    state: &WebState,
    who: &SignedIn,
    typed: Typed,
    error: &str,
    done: &str,
) -> Result<Response, Refusal> {
    let w = words(who, "/console/insiden");
    let (overview, _) = state.engine.overview().await?;
    let mut connection = state.limits.store.connection().await?;
    let names = state.agents.names(&mut connection).await?;
    let (mut open, mut past) = (Vec::new(), Vec::new());
    for row in incident::latest(&mut connection, SHOWN).await? {
        let figures = state.incidents.figures(&mut connection, &row.id).await?;
        let mut card = card(&w, &row, figures, &names);
        if row.closed_at.is_some() {
            past.push(card);
            continue;
        }
        let reports = trouble_report::of_incident(&mut connection, &row.id, REPORTS).await?;
        let reports = reports.into_iter();
        card.reports = reports
            .map(|(at, channel, department, ticket)| ReportRow {
                when: when(Some(at)),
                channel: w.channel(&channel),
                department,
                ticket: ticket.unwrap_or_default(),
            })
            .collect();
        open.push(card);
    }
    drop(connection);
    let mut shell = shell(state, who, &w, "incidents").await?;
    shell.flash = flash(&w, done).to_owned();
    shell.flash_bad = done == "berubah";
    let page = IncidentsPage {
        systems: System::ALL.map(|it| system(&w, &overview, it)).to_vec(),
        announcements: announcements::lines(state, &w, &names).await?,
        open,
        past,
        text_ms: typed.text_ms,
        text_en: typed.text_en,
        from: typed.from,
        until: typed.until,
        banner: typed.banner == "yes",
        error: error.to_owned(),
        shell,
        w,
    };
    let status = match error {
        "" => StatusCode::OK,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Ok(render_as(status, &page))
}

fn flash<'a>(w: &'a Words, done: &str) -> &'a str {
    match done {
        "sahkan" => w.t(
            "Insiden disahkan. Jawapan Tanya kini memberitahunya.",
            "The incident was confirmed. Tanya’s answers say so now.",
        ),
        "tolak" => w.t("Insiden ditolak.", "The incident was dismissed."),
        "tutup" => w.t(
            "Insiden ditutup. Mereka yang meminta akan dimaklumkan sebaik sahaja sistem disahkan pulih.",
            "The incident was closed. Those who asked for it are told as soon as the system is known to work.",
        ),
        "hantar" => w.t(
            "Pengumuman sedang dihantar.",
            "The announcement is on its way.",
        ),
        "tarik" => w.t(
            "Pengumuman tidak dipapar lagi.",
            "The announcement is not shown any more.",
        ),
        "berubah" => w.t(
            "Perkara ini telah diputuskan oleh orang lain.",
            "Somebody else has decided this.",
        ),
        _ => "",
    }
}

fn system(w: &Words, overview: &Overview, system: System) -> SystemRow {
    let health = match system {
        System::Sistem => overview.sistem,
        System::Portal => overview.portal,
    };
    let state = match health {
        Health::Up => Tag::new("resolved", w.t("Berfungsi", "Works")),
        Health::Down => Tag::new("down", w.t("Tergendala", "Down")),
        Health::Maintenance => Tag::new("pending", w.t("Diselenggara", "Maintenance")),
        Health::Unknown => Tag::new("closed", w.t("Tidak diketahui", "Not known")),
    };
    let mut troubles = overview.troubles.iter();
    let trouble = troubles.find(|trouble| trouble.system == system);
    let word = trouble.map_or_else(String::new, |trouble| match trouble.by_helpdesk {
        true => w
            .t("Disahkan oleh meja bantuan", "Confirmed by the helpdesk")
            .to_owned(),
        false if trouble.note.is_empty() => w
            .t("Dikesan oleh pemantauan", "Found by watching")
            .to_owned(),
        false => trouble.note.clone(),
    });
    SystemRow {
        name: system.name().to_owned(),
        state,
        since: when(trouble.map(|trouble| trouble.since)),
        word,
    }
}

fn card(
    w: &Words,
    row: &IncidentRow,
    figures: Figures,
    names: &[(String, String)],
) -> IncidentCard {
    let state = match row.state.as_str() {
        "suspected" => Tag::new("pending", w.t("Belum disahkan", "Not confirmed")),
        "confirmed" => Tag::new("open", w.t("Disahkan", "Confirmed")),
        "dismissed" => Tag::new("closed", w.t("Ditolak", "Dismissed")),
        _ => Tag::new("resolved", w.t("Ditutup", "Closed")),
    };
    let by = match row.closed_by.as_str() {
        "" => row.decided_by.as_str(),
        closed_by => closed_by,
    };
    IncidentCard {
        id: row.id.clone(),
        system: System::parse(&row.system).map_or_else(String::new, |it| it.name().to_owned()),
        state,
        ticket: row.ticket.clone(),
        opened: when(Some(row.opened_at)),
        closed: when(row.closed_at),
        who: named(names, by),
        figures: format!(
            "{} {}, {} {}, {} {}",
            figures.people,
            w.t("orang", "people"),
            figures.departments,
            w.t("jabatan dinamakan", "departments named"),
            figures.networks,
            w.t("rangkaian", "networks"),
        ),
        reports: Vec::new(),
    }
}

/// `POST /console/insiden/{id}/sahkan`.
pub async fn confirm(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    decide(&state, &who, &id, Verdict::Confirm).await
}

/// `POST /console/insiden/{id}/tolak`.
pub async fn dismiss(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    decide(&state, &who, &id, Verdict::Dismiss).await
}

/// `POST /console/insiden/{id}/tutup`.
pub async fn close(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    decide(&state, &who, &id, Verdict::Close).await
}

async fn decide(
    state: &WebState,
    who: &SignedIn,
    id: &str,
    verdict: Verdict,
) -> Result<Response, Refusal> {
    let mut connection = state.limits.store.connection().await?;
    // A name that no database takes is nobody's.
    if id.contains('\0') || incident::by_id(&mut connection, id).await?.is_none() {
        return Ok(not_found(who));
    }
    drop(connection);
    let decided = state.engine.decide_incident(&who.id, id, verdict).await?;
    let done = match (decided, verdict) {
        (false, _) => "berubah",
        (true, Verdict::Confirm) => "sahkan",
        (true, Verdict::Dismiss) => "tolak",
        (true, Verdict::Close) => "tutup",
    };
    Ok(Redirect::to(&format!("/console/insiden?telah={done}")).into_response())
}

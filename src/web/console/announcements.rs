//! What is announced to those who asked for it: written, looked at again with the number of recipients, sent.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::WebState;
use super::super::error::Refusal;
use super::access::{Posted, Who};
use super::incidents;
use super::incidents_view::{AnnouncementLine, AnnouncementPage};
use super::page::{named, not_found, render, shell, when, words};
use super::view::{Tag, Words};
use crate::announcement::{Draft, LONGEST, Unfit};
use crate::clock::{Millis, at_local, local};
use crate::storage::announcement::{AnnouncementRow, Reach};

/// Announcements on the page.
const SHOWN: i64 = 30;
const DAY: Millis = 24 * 3_600_000;

/// What is typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Typed {
    pub(super) text_ms: String,
    pub(super) text_en: String,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) banner: String,
}

impl Typed {
    /// An empty form: shown from now on, for a day.
    pub(super) fn fresh(now: Millis) -> Self {
        let field = |at: Millis| local(at).strftime("%Y-%m-%dT%H:%M").to_string();
        Self {
            from: field(now),
            until: field(now + DAY),
            ..Self::default()
        }
    }
}

/// Announcements as the list shows them.
pub(super) async fn lines(
    state: &WebState,
    w: &Words,
    names: &[(String, String)],
) -> Result<Vec<AnnouncementLine>, Refusal> {
    let now = state.limits.clock.now();
    let found = state.announcements.latest(SHOWN).await?;
    let lines = found.into_iter();
    let lines = lines.map(|(row, reach)| line(w, &row, reach, (names, now)));
    Ok(lines.collect())
}

fn line(
    w: &Words,
    row: &AnnouncementRow,
    reach: Reach,
    (names, now): (&[(String, String)], Millis),
) -> AnnouncementLine {
    let state = match row.sent_at {
        None => Tag::new("pending", w.t("Draf", "Draft")),
        Some(_) => Tag::new("resolved", w.t("Dihantar", "Sent")),
    };
    let figures = format!(
        "{} {}, {} {}, {} {}",
        reach.recipients,
        w.t("penerima", "recipients"),
        reach.delivered,
        w.t("dihantar", "delivered"),
        reach.failed,
        w.t("gagal", "failed"),
    );
    let shows = row.banner == "yes" && now < row.shows_until;
    let goes_out = reach.delivered + reach.failed < reach.recipients;
    AnnouncementLine {
        id: row.id.clone(),
        text: match w.english {
            true => row.text_en.clone(),
            false => row.text_ms.clone(),
        },
        state,
        when: when(row.sent_at.or(Some(row.created_at))),
        who: named(names, &row.author),
        reach: row.sent_at.map(|_| figures).unwrap_or_default(),
        can_be_stopped: row.sent_at.is_some() && row.withdrawn_at.is_none() && (shows || goes_out),
    }
}

/// `POST /console/pengumuman`: keeps a draft and shows it.
pub async fn write(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Refusal> {
    let draft = Draft {
        text_ms: &typed.text_ms,
        text_en: &typed.text_en,
        banner: typed.banner == "yes",
        from: at_local(&typed.from).unwrap_or_default(),
        until: at_local(&typed.until).unwrap_or_default(),
    };
    match state.announcements.draft(&who.id, draft).await? {
        Ok(id) => Ok(Redirect::to(&format!("/console/pengumuman/{id}")).into_response()),
        Err(unfit) => {
            let w = words(&who, "");
            let error = unfit_in_words(&w, unfit);
            incidents::page(&state, &who, typed, &error, "").await
        }
    }
}

fn unfit_in_words(w: &Words, unfit: Unfit) -> String {
    match unfit {
        Unfit::Empty => w
            .t("Kedua-dua teks diperlukan.", "Both texts are needed.")
            .to_owned(),
        Unfit::TooLong => format!(
            "{} {LONGEST}.",
            w.t("Had aksara setiap teks:", "Characters of each text at most:")
        ),
        Unfit::Person => w
            .t(
                "Teks mengandungi sesuatu yang kelihatan seperti nombor pengenalan, kod atau kata laluan.",
                "A text holds what looks like an identity number, a code or a password.",
            )
            .to_owned(),
        Unfit::Times => w
            .t(
                "Masa tamat mestilah selepas masa mula, belum berlalu, dan dalam tempoh 60 hari.",
                "The end has to be after the beginning, not past, and within 60 days.",
            )
            .to_owned(),
    }
}

/// `GET /console/pengumuman/{id}`.
pub async fn preview(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    if id.contains('\0') {
        return Ok(not_found(&who));
    }
    let Some((row, recipients)) = state.announcements.preview(&id).await? else {
        return Ok(not_found(&who));
    };
    let w = words(&who, &format!("/console/pengumuman/{id}"));
    let page = AnnouncementPage {
        decided: row.sent_at.is_some() || row.withdrawn_at.is_some(),
        banner: row.banner == "yes",
        from: when(Some(row.shows_from)),
        until: when(Some(row.shows_until)),
        text_ms: row.text_ms,
        text_en: row.text_en,
        recipients,
        id,
        shell: shell(&state, &who, &w, "incidents").await?,
        w,
    };
    Ok(render(&page))
}

/// `POST /console/pengumuman/{id}/hantar`.
pub async fn send(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let sent = !id.contains('\0') && state.announcements.send(&who.id, &id).await?;
    Ok(back(if sent { "hantar" } else { "berubah" }))
}

/// `POST /console/pengumuman/{id}/tarik`.
pub async fn withdraw(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let withdrawn = !id.contains('\0') && state.announcements.withdraw(&who.id, &id).await?;
    Ok(back(if withdrawn { "tarik" } else { "berubah" }))
}

fn back(done: &str) -> Response {
    Redirect::to(&format!("/console/insiden?telah={done}")).into_response()
}

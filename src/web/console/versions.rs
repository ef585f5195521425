//! The editions of every knowledge file, what each changed, and the way back.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::WebState;
use super::super::error::{Code, Refusal};
use super::access::{Posted, Wanted, Who};
use super::file;
use super::page::{named, not_found, render_as, shell, when, words};
use super::proposals::{REASON, shown_troubles};
use super::view::{Shell, When, Words};
use crate::agent::SignedIn;
use crate::edition::difference::{self, Change, Line};
use crate::edition::proposal::{Decision, ProposalError};
use crate::knowledge::trial::Trouble;
use crate::redact::redact;
use crate::storage::edition::{self, EditionRow};

/// Versions on a page.
const SHOWN: usize = 20;

/// `GET /console/versi`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/versions.html")]
pub struct VersionsPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// The versions, the latest first.
    pub versions: Vec<VersionRow>,
    /// What the shown version changed; empty if none is shown.
    pub diff: Vec<DiffLine>,
    /// Which version that is.
    pub shown: String,
    /// Where its patch is downloaded.
    pub patch_href: String,
    /// Why it was not rolled back.
    pub problems: Vec<String>,
    /// The page before this one; empty on the first.
    pub newer_href: String,
    /// The page after this one; empty on the last.
    pub older_href: String,
}

/// A version of a file.
#[derive(Clone, Debug, Default)]
pub struct VersionRow {
    /// The file.
    pub file: String,
    /// Its number.
    pub number: i64,
    /// When.
    pub when: When,
    /// Who; empty for the file as it was found.
    pub who: String,
    /// Why.
    pub reason: String,
    /// Lines added and taken out; empty where nothing is known before it.
    pub size: String,
    /// Whether it is in use.
    pub current: bool,
    /// Whether its changes are shown.
    pub is_shown: bool,
}

/// A line of a difference.
#[derive(Clone, Debug, Default)]
pub struct DiffLine {
    /// `add`, `del`, `same`, or `skip` for lines left out.
    pub kind: &'static str,
    /// The line's number before; empty if it was not there.
    pub old: String,
    /// The line's number after; empty if it is not there.
    pub new: String,
    /// The line.
    pub text: String,
}

/// What is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    fail: String,
    no: String,
    laman: String,
    telah: String,
}

/// What the page says besides.
#[derive(Default)]
struct Extra {
    error: String,
    troubles: Vec<Trouble>,
    status: StatusCode,
}

async fn page(
    state: &WebState,
    who: &SignedIn,
    asked: &Asked,
    extra: Extra,
) -> Result<Response, Refusal> {
    let w = words(who, "/console/versi");
    let number: usize = asked.laman.parse().unwrap_or_default();
    let number = number.min(10_000);
    let texts = state.knowledge.texts().map_err(|_| Code::Unavailable)?;
    let mut connection = state.limits.store.connection().await?;
    let (first, count) = (number * SHOWN, SHOWN + 1);
    let mut rows = edition::page(&mut connection, first as i64, count as i64).await?;
    let more = rows.len() > SHOWN;
    rows.truncate(SHOWN);
    let names = state.agents.names(&mut connection).await?;
    let latest = edition::latest(&mut connection).await?;
    let mut versions = Vec::new();
    let mut diff = Vec::new();
    let chosen: i64 = asked.no.parse().unwrap_or_default();
    for row in &rows {
        let before = edition::by_number(&mut connection, &row.file, row.number - 1).await?;
        let is_latest = latest
            .iter()
            .any(|last| last.file == row.file && last.number == row.number);
        let in_use = texts.get(&row.file).map(|file| &file.text);
        let is_shown = row.file == asked.fail && row.number == chosen;
        if is_shown {
            let before = before.as_ref().map_or("", |before| &before.text);
            diff = difference::lines(before, &row.text);
        }
        versions.push(VersionRow {
            current: is_latest && in_use == Some(&row.text),
            is_shown,
            size: before.map_or_else(String::new, |before| size(&before, row)),
            file: row.file.clone(),
            number: row.number,
            when: when(Some(row.created_at)),
            who: named(&names, &row.author),
            reason: row.reason.clone(),
        });
    }
    drop(connection);
    let mut shell = shell(state, who, &w, "versions").await?;
    if !extra.error.is_empty() {
        shell.flash = extra.error;
        shell.flash_bad = true;
    } else if asked.telah == "kembali" {
        shell.flash = w
            .t(
                "Versi itu digunakan semula. Tanya menggunakannya dalam beberapa saat.",
                "That version is in use again. Tanya uses it within seconds.",
            )
            .to_owned();
    }
    let href = |number: usize| format!("/console/versi?laman={number}");
    let page = VersionsPage {
        problems: shown_troubles(&w, &state.knowledge.current(), &extra.troubles),
        shown: match diff.is_empty() {
            true => String::new(),
            false => format!("{} {chosen}", asked.fail),
        },
        patch_href: format!("/console/versi/{}-{chosen}.patch", asked.fail),
        diff: diff.into_iter().map(shown).collect(),
        versions,
        newer_href: number.checked_sub(1).map(href).unwrap_or_default(),
        older_href: match more {
            true => href(number + 1),
            false => String::new(),
        },
        shell,
        w,
    };
    Ok(render_as(extra.status, &page))
}

fn size(before: &EditionRow, row: &EditionRow) -> String {
    let (added, removed) = difference::size(&before.text, &row.text);
    format!("+{added} −{removed}")
}

fn shown(line: Line) -> DiffLine {
    let number = |number: Option<usize>| number.map_or_else(String::new, |n| n.to_string());
    DiffLine {
        kind: match line.change {
            Change::Added => "add",
            Change::Removed => "del",
            Change::Same => "same",
            Change::Skipped => "skip",
        },
        old: number(line.old),
        new: number(line.new),
        text: line.text,
    }
}

/// `GET /console/versi`.
pub async fn list(
    State(state): State<WebState>,
    Who(who): Who,
    Wanted(asked): Wanted<Asked>,
) -> Result<Response, Refusal> {
    page(&state, &who, &asked, Extra::default()).await
}

/// `GET /console/versi/{file}-{number}.patch`.
pub async fn patch(
    State(state): State<WebState>,
    Who(who): Who,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let named = name.strip_suffix(".patch");
    let named = named.and_then(|name| name.rsplit_once('-'));
    let named = named.and_then(|(file, number)| Some((file, number.parse().ok()?)));
    let Some((of, number)) = named else {
        return Ok(not_found(&who));
    };
    match state.proposals.patch_of(of, number).await {
        Ok((_, patch)) => Ok(file::patch(&format!("versi-{number}.patch"), patch)),
        Err(ProposalError::Database(error)) => Err(error.into()),
        Err(_) => Ok(not_found(&who)),
    }
}

/// What is taken back, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    file: String,
    number: String,
    #[serde(default)]
    reason: String,
}

/// `POST /console/versi/kembali`: makes a new version of an old one's text.
pub async fn roll_back(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Refusal> {
    let number: i64 = typed.number.parse().map_err(|_| Code::InvalidBody)?;
    let reason: String = redact(typed.reason.trim()).chars().take(REASON).collect();
    if reason.is_empty() {
        return said(
            &state,
            &who,
            "Sila nyatakan sebabnya.",
            "Please give a reason.",
            Vec::new(),
        )
        .await;
    }
    let (proposals, by) = (state.proposals.clone(), who.id.clone());
    // It goes on even if the browser leaves.
    let done = tokio::spawn(async move {
        let decision = Decision {
            by: &by,
            reason: &reason,
        };
        proposals.roll_back((&typed.file, number), decision).await
    });
    match done.await.unwrap_or(Err(ProposalError::Unavailable)) {
        Ok(()) => Ok(Redirect::to("/console/versi?telah=kembali").into_response()),
        Err(ProposalError::Missing) => Ok(not_found(&who)),
        Err(ProposalError::Database(error)) => Err(error.into()),
        Err(ProposalError::Unavailable) => Err(Code::Unavailable.into()),
        Err(ProposalError::Troubled(troubles)) => {
            let (ms, en) = (
                "Tidak dikembalikan: semakan mendapati masalah.",
                "Not rolled back: the check found problems.",
            );
            said(&state, &who, ms, en, troubles).await
        }
        Err(ProposalError::Same) => {
            let (ms, en) = ("Versi itu sedang digunakan.", "That version is in use.");
            said(&state, &who, ms, en, Vec::new()).await
        }
        Err(_) => {
            let (ms, en) = (
                "Pengetahuan telah diubah oleh orang lain. Sila semak semula.",
                "Somebody else has edited the knowledge. Please look again.",
            );
            said(&state, &who, ms, en, Vec::new()).await
        }
    }
}

async fn said(
    state: &WebState,
    who: &SignedIn,
    ms: &str,
    en: &str,
    troubles: Vec<Trouble>,
) -> Result<Response, Refusal> {
    let extra = Extra {
        error: words(who, "").t(ms, en).to_owned(),
        troubles,
        status: StatusCode::UNPROCESSABLE_ENTITY,
    };
    page(state, who, &Asked::default(), extra).await
}

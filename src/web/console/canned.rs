//! Answers that are written once, with the ticket's number and the person's name as fields.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::super::WebState;
use super::super::error::Refusal;
use super::access::{Posted, Who};
use super::page::{not_found, render_as, shell, when, words};
use super::view::{Shell, When, Words};
use crate::agent::SignedIn;
use crate::knowledge::ask::MAX_CHARS;
use crate::storage::canned_reply::{self, CannedReplyRow};

/// `GET /console/jawapan`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/canned.html")]
pub struct CannedPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// The canned replies.
    pub rows: Vec<CannedRow>,
    /// The key of the one in the form; empty for a new one.
    pub id: String,
    /// Its Malay title as typed.
    pub title: String,
    /// Its Malay text as typed.
    pub text_ms: String,
    /// Its English text as typed.
    pub text_en: String,
    /// What is wrong; empty if nothing is.
    pub error: String,
}

/// A canned reply in the list.
#[derive(Clone, Debug, Default)]
pub struct CannedRow {
    /// Its key.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its text in the page's language.
    pub text: String,
    /// Whether it lacks the English text.
    pub no_english: bool,
    /// How often it was used in the last thirty days.
    pub used: u32,
    /// When it was changed last, and by whom.
    pub changed: When,
    /// By whom.
    pub who: String,
    /// Whether it stands in the form now.
    pub editing: bool,
}

/// What is typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Typed {
    title: String,
    text_ms: String,
    text_en: String,
}

async fn page(
    state: &WebState,
    who: &SignedIn,
    id: &str,
    typed: Typed,
    error: &str,
) -> Result<Response, Refusal> {
    let w = words(who, "/console/jawapan");
    let mut connection = state.limits.store.connection().await?;
    let rows = canned_reply::all(&mut connection).await?;
    drop(connection);
    let shell = shell(state, who, &w, "canned").await?;
    let rows = rows.into_iter().map(|row| CannedRow {
        no_english: row.text_en.is_empty(),
        editing: row.id == id,
        id: row.id,
        title: row.title,
        text: if w.english && !row.text_en.is_empty() {
            row.text_en
        } else {
            row.text_ms
        },
        used: 0,
        changed: when(Some(row.updated_at)),
        who: String::new(),
    });
    let page = CannedPage {
        rows: rows.collect(),
        id: id.to_owned(),
        title: typed.title,
        text_ms: typed.text_ms,
        text_en: typed.text_en,
        error: error.to_owned(),
        shell,
        w,
    };
    let status = if error.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok(render_as(status, &page))
}

/// `GET /console/jawapan`.
pub async fn list(State(state): State<WebState>, Who(who): Who) -> Result<Response, Refusal> {
    page(&state, &who, "", Typed::default(), "").await
}

/// `GET /console/jawapan/{id}`.
pub async fn edit(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let mut connection = state.limits.store.connection().await?;
    let rows = canned_reply::all(&mut connection).await?;
    drop(connection);
    let Some(row) = rows.into_iter().find(|row| row.id == id) else {
        return Ok(not_found(&who));
    };
    let typed = Typed {
        title: row.title,
        text_ms: row.text_ms,
        text_en: row.text_en,
    };
    page(&state, &who, &id, typed, "").await
}

/// `POST /console/jawapan`.
pub async fn add(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Refusal> {
    put(&state, &who, None, typed).await
}

/// `POST /console/jawapan/{id}`.
pub async fn change(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Refusal> {
    let mut connection = state.limits.store.connection().await?;
    let known = canned_reply::all(&mut connection)
        .await?
        .iter()
        .any(|row| row.id == id);
    drop(connection);
    if !known {
        return Ok(not_found(&who));
    }
    put(&state, &who, Some(id), typed).await
}

async fn put(
    state: &WebState,
    who: &SignedIn,
    id: Option<String>,
    typed: Typed,
) -> Result<Response, Refusal> {
    let too_long = [&typed.text_ms, &typed.text_en]
        .iter()
        .any(|text| text.chars().count() > MAX_CHARS);
    if typed.title.trim().is_empty() || typed.text_ms.trim().is_empty() || too_long {
        let w = words(who, "");
        let error = w.t(
            "Tajuk dan teks bahasa Melayu diperlukan; teks tidak melebihi 4,096 aksara.",
            "A title and the Malay text are needed; a text has at most 4,096 characters.",
        );
        return page(state, who, id.as_deref().unwrap_or_default(), typed, error).await;
    }
    let row = CannedReplyRow {
        id: id.unwrap_or_else(|| Uuid::now_v7().to_string()),
        title: typed.title.trim().chars().take(80).collect(),
        text_ms: typed.text_ms.trim().to_owned(),
        text_en: typed.text_en.trim().to_owned(),
        updated_at: state.limits.clock.now(),
    };
    let mut connection = state.limits.store.connection().await?;
    canned_reply::put(&mut connection, &row).await?;
    Ok(Redirect::to("/console/jawapan").into_response())
}

/// `POST /console/jawapan/{id}/padam`.
pub async fn delete(
    State(state): State<WebState>,
    Who(_): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let mut connection = state.limits.store.connection().await?;
    canned_reply::delete(&mut connection, &id).await?;
    Ok(Redirect::to("/console/jawapan").into_response())
}

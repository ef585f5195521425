//! What officers propose to add to the knowledge, and who decides on it: never its author.

mod reading;
mod view;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::access::{Posted, Wanted, Who};
use super::file;
use super::page::{not_found, render_as, shell, words};
use super::questions::begin_check;
use crate::agent::SignedIn;
use crate::agent::role::Permission;
use crate::edition::proposal::{Decision, PROPOSED, ProposalError};
use crate::redact::redact;
use crate::storage::proposal;
use crate::web::WebState;
use crate::web::error::{Code, Refusal};
use reading::Reading;
use view::ProposalsPage;

pub use reading::shown_troubles;

/// Proposals of each kind on the page.
const SHOWN: i64 = 100;
/// Characters of a reason.
pub const REASON: usize = 300;

/// What was done just now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    telah: String,
}

/// What the page says besides.
enum Flash {
    None,
    Done(&'static str, &'static str),
    Failed(StatusCode, &'static str, &'static str),
}

async fn page(state: &WebState, who: &SignedIn, flash: Flash) -> Result<Response, Refusal> {
    let w = words(who, "/console/cadangan");
    let mut connection = state.limits.store.connection().await?;
    let waiting = proposal::waiting(&mut connection, SHOWN).await?;
    let decided = proposal::decided(&mut connection, SHOWN).await?;
    let names = state.agents.names(&mut connection).await?;
    drop(connection);
    let knowledge = state.knowledge.current();
    let reading = Reading {
        w: &w,
        who,
        knowledge: &knowledge,
        names: &names,
    };
    let mut shell = shell(state, who, &w, "proposals").await?;
    let mut status = StatusCode::OK;
    match flash {
        Flash::None => {}
        Flash::Done(ms, en) => shell.flash = w.t(ms, en).to_owned(),
        Flash::Failed(code, ms, en) => {
            status = code;
            shell.flash = w.t(ms, en).to_owned();
            shell.flash_bad = true;
        }
    }
    let page = ProposalsPage {
        can_approve: who.may(Permission::ApproveKnowledge),
        waiting: waiting.iter().map(|row| reading.card(row)).collect(),
        decided: decided.iter().map(|row| reading.decided(row)).collect(),
        shell,
        w: w.clone(),
    };
    Ok(render_as(status, &page))
}

/// `GET /console/cadangan`.
pub async fn list(
    State(state): State<WebState>,
    Who(who): Who,
    Wanted(asked): Wanted<Asked>,
) -> Result<Response, Refusal> {
    let flash = match asked.telah.as_str() {
        "lulus" => Flash::Done(
            "Cadangan diluluskan. Tanya menggunakannya dalam beberapa saat.",
            "The proposal was approved. Tanya uses it within seconds.",
        ),
        "tolak" => Flash::Done("Cadangan ditolak.", "The proposal was refused."),
        "tarik" => Flash::Done("Cadangan ditarik balik.", "The proposal was withdrawn."),
        _ => Flash::None,
    };
    page(&state, &who, flash).await
}

/// `GET /console/cadangan/{id}.patch`.
pub async fn patch(
    State(state): State<WebState>,
    Who(who): Who,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let Some(id) = name.strip_suffix(".patch") else {
        return Ok(not_found(&who));
    };
    match state.proposals.patch(id).await {
        Ok((_, patch)) => Ok(file::patch("cadangan.patch", patch)),
        Err(error) => failed(&state, &who, error).await,
    }
}

/// `POST /console/cadangan/{id}/semak`: checks once more, as when the program was stopped meanwhile.
pub async fn check(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let row = match state.proposals.by_id(&id).await {
        Ok(row) if row.state == PROPOSED => row,
        Ok(_) => return Ok(not_found(&who)),
        Err(error) => return failed(&state, &who, error).await,
    };
    let contested = state.questions.is_contested(&row.text).await?;
    begin_check(&state, &id, contested).await;
    Ok(Redirect::to(&format!("/console/cadangan#c-{id}")).into_response())
}

/// Why.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Because {
    reason: String,
}

impl Because {
    fn text(&self) -> String {
        redact(&self.reason).chars().take(REASON).collect()
    }
}

/// `POST /console/cadangan/{id}/lulus`.
pub async fn approve(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
    Posted(because): Posted<Because>,
) -> Result<Response, Refusal> {
    let (proposals, by) = (state.proposals.clone(), who.id.clone());
    // It goes on even if the browser leaves.
    let approved = tokio::spawn(async move {
        let reason = because.text();
        let decision = Decision {
            by: &by,
            reason: &reason,
        };
        proposals.approve(&id, decision).await
    });
    match approved.await.unwrap_or(Err(ProposalError::Unavailable)) {
        Ok(()) => Ok(Redirect::to("/console/cadangan?telah=lulus").into_response()),
        Err(error) => failed(&state, &who, error).await,
    }
}

/// `POST /console/cadangan/{id}/tolak`.
pub async fn refuse(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
    Posted(because): Posted<Because>,
) -> Result<Response, Refusal> {
    let reason = because.text();
    let decision = Decision {
        by: &who.id,
        reason: &reason,
    };
    match state.proposals.refuse(&id, decision).await {
        Ok(()) => Ok(Redirect::to("/console/cadangan?telah=tolak").into_response()),
        Err(error) => failed(&state, &who, error).await,
    }
}

/// `POST /console/cadangan/{id}/tarik`: only one's own.
pub async fn withdraw(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    match state.proposals.by_id(&id).await {
        Ok(row) if row.author == who.id => {}
        Ok(_) => return Ok(not_found(&who)),
        Err(error) => return failed(&state, &who, error).await,
    }
    let decision = Decision {
        by: &who.id,
        reason: "",
    };
    match state.proposals.refuse(&id, decision).await {
        Ok(()) => Ok(Redirect::to("/console/cadangan?telah=tarik").into_response()),
        Err(error) => failed(&state, &who, error).await,
    }
}

/// The page that says why something was not done.
async fn failed(
    state: &WebState,
    who: &SignedIn,
    error: ProposalError,
) -> Result<Response, Refusal> {
    let flash = match error {
        ProposalError::Missing => return Ok(not_found(who)),
        ProposalError::Database(error) => return Err(error.into()),
        ProposalError::Unavailable => return Err(Code::Unavailable.into()),
        ProposalError::Own => Flash::Failed(
            StatusCode::FORBIDDEN,
            "Cadangan sendiri perlu diluluskan oleh pegawai lain.",
            "Another officer has to approve your own proposal.",
        ),
        ProposalError::Troubled(_) => Flash::Failed(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Tidak diluluskan: semakan mendapati masalah.",
            "Not approved: the check found problems.",
        ),
        ProposalError::Text
        | ProposalError::Pending
        | ProposalError::Same
        | ProposalError::Changed => Flash::Failed(
            StatusCode::CONFLICT,
            "Sudah diputuskan, atau pengetahuan telah diubah oleh orang lain. Sila semak semula.",
            "It was decided already, or somebody else has edited the knowledge. Please look again.",
        ),
    };
    page(state, who, flash).await
}

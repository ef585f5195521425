//! What officers propose to add to the knowledge, and who decides on it: never its author.

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::WebState;
use super::super::error::{Code, Refusal};
use super::access::{Posted, Who};
use super::knowledge_view::{DecidedRow, Measure, ProposalCard, ProposalsPage};
use super::page::{not_found, render_as, shell, when, words};
use super::questions::begin_check;
use super::view::{Tag, Words};
use crate::agent::SignedIn;
use crate::agent::role::Permission;
use crate::edition::proposal::{APPROVED, Decision, PROPOSED, ProposalError, ROLLED_BACK};
use crate::knowledge::Knowledge;
use crate::knowledge::golden::{Figure, Moved};
use crate::knowledge::text::Language;
use crate::knowledge::trial::{Trial, Trouble};
use crate::redact::redact;
use crate::storage::proposal::{self, ProposalRow};

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

/// An agent's name; empty where nobody is known by that id.
pub fn named(names: &[(String, String)], id: &str) -> String {
    let name = names.iter().find(|(known, _)| known == id);
    name.map_or_else(String::new, |(_, name)| name.clone())
}

async fn page(state: &WebState, who: &SignedIn, flash: Flash) -> Result<Response, Refusal> {
    let w = words(who, "/console/cadangan");
    let mut connection = state.limits.store.connection().await?;
    let waiting = proposal::waiting(&mut connection, SHOWN).await?;
    let decided = proposal::decided(&mut connection, SHOWN).await?;
    let names = state.agents.names(&mut connection).await?;
    drop(connection);
    let knowledge = state.knowledge.current();
    let reader = Reader {
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
        waiting: waiting.iter().map(|row| reader.card(row)).collect(),
        decided: decided.iter().map(|row| reader.decided(row)).collect(),
        shell,
        w: w.clone(),
    };
    Ok(render_as(status, &page))
}

/// Proposals in the words of whoever reads them.
struct Reader<'a> {
    w: &'a Words,
    who: &'a SignedIn,
    knowledge: &'a Knowledge,
    names: &'a [(String, String)],
}

impl Reader<'_> {
    fn entry(&self, id: &str) -> String {
        entry_name(self.w, self.knowledge, id)
    }

    fn card(&self, row: &ProposalRow) -> ProposalCard {
        let trial = row.result.as_deref();
        let trial = trial.and_then(|result| serde_json::from_str::<Trial>(result).ok());
        let moved = trial.as_ref().and_then(|trial| trial.moved.as_ref());
        ProposalCard {
            id: row.id.clone(),
            entry: self.entry(&row.entry),
            text: row.text.clone(),
            who: named(self.names, &row.author),
            when: when(Some(row.created_at)),
            own: row.author == self.who.id,
            check: match &trial {
                None => "running",
                Some(trial) if trial.is_good() => "ok",
                Some(_) => "problems",
            },
            problems: trial.as_ref().map_or_else(Vec::new, |trial| {
                shown_troubles(self.w, self.knowledge, &trial.troubles)
            }),
            measures: moved.map_or_else(Vec::new, |moved| self.measures(moved)),
            moved: moved.map_or_else(String::new, |moved| {
                format!(
                    "{}: {} {}, {} {}.",
                    self.w.t("Soalan rujukan", "Reference questions"),
                    moved.gained,
                    self.w.t("bertambah baik", "better"),
                    moved.lost,
                    self.w.t("bertambah buruk", "worse"),
                )
            }),
        }
    }

    fn measures(&self, moved: &Moved) -> Vec<Measure> {
        let figures = moved.figures.iter();
        figures.map(|figure| self.measure(figure)).collect()
    }

    fn measure(&self, figure: &Figure) -> Measure {
        let w = self.w;
        let label = match figure.name.as_str() {
            "useful" => w.t(
                "Dijawab atau ditawarkan dengan betul",
                "Answered or offered rightly",
            ),
            "direct" => w.t("Dijawab terus dengan betul", "Answered rightly at once"),
            "harm" => w.t("Dijawab dengan salah", "Answered wrongly"),
            "oos_recall" => w.t("Ditolak dengan betul", "Refused rightly"),
            name => name,
        };
        let change = figure.after - figure.before;
        let worse = match figure.name.as_str() {
            "harm" => change > 0.0,
            _ => change < 0.0,
        };
        Measure {
            label: label.to_owned(),
            before: format!("{:.1}%", figure.before * 100.0),
            after: format!("{:.1}%", figure.after * 100.0),
            change: format!("{:+.1}", change * 100.0),
            worse,
        }
    }

    fn decided(&self, row: &ProposalRow) -> DecidedRow {
        let w = self.w;
        let state = match row.state.as_str() {
            APPROVED => Tag::new("active", w.t("Diluluskan", "Approved")),
            ROLLED_BACK => Tag::new("invited", w.t("Dikembalikan", "Rolled back")),
            _ if row.author == row.decided_by => {
                Tag::new("disabled", w.t("Ditarik balik", "Withdrawn"))
            }
            _ => Tag::new("disabled", w.t("Ditolak", "Refused")),
        };
        DecidedRow {
            id: row.id.clone(),
            entry: self.entry(&row.entry),
            text: row.text.clone(),
            who: named(self.names, &row.author),
            state,
            decided_by: named(self.names, &row.decided_by),
            when: when(row.decided_at),
            reason: row.reason.clone(),
            has_patch: row.edition.is_some(),
        }
    }
}

/// An entry's name in the page's language; its id where it is gone.
fn entry_name(w: &Words, knowledge: &Knowledge, id: &str) -> String {
    let language = Language::parse(w.lang()).unwrap_or_default();
    let entry = knowledge.book().entry(id);
    entry.map_or_else(|| id.to_owned(), |entry| entry.label.get(language).clone())
}

/// Why something is not taken, one sentence each.
pub fn shown_troubles(w: &Words, knowledge: &Knowledge, troubles: &[Trouble]) -> Vec<String> {
    let shown = troubles.iter().map(|trouble| match trouble {
        Trouble::NoEntry => w.t("Entri itu tiada lagi.", "The entry is not there any more.").to_owned(),
        Trouble::Unusual => w.t(
            "Fail ini ditulis dengan cara yang hanya boleh diubah sendiri dalam fail.",
            "The file is written in a way that only a person changes safely, in the file.",
        ).to_owned(),
        Trouble::Broken => w.t(
            "Semakan tidak dapat dijalankan. Sila cuba lagi.",
            "The check could not be run. Please try again.",
        ).to_owned(),
        Trouble::Check { file, line, message, repair } if *line == 0 => format!("{file}: {message} → {repair}"),
        Trouble::Check { file, line, message, repair } => format!(
            "{file}, {} {line}: {message} → {repair}",
            w.t("baris", "line")
        ),
        Trouble::Answered { entry, percent } => format!(
            "{} “{}” ({percent}%). {}",
            w.t("Kini dijawab dengan", "It is now answered with"),
            entry_name(w, knowledge, entry),
            w.t(
                "Ayat ini milik entri itu, melainkan ada pengguna yang menyatakan jawapan itu tidak membantu.",
                "It belongs there, unless some user has said that this answer does not help.",
            )
        ),
        Trouble::Misled { question } => format!(
            "{} “{question}”.",
            w.t("Soalan rujukan ini akan dijawab dengan entri yang salah:", "This reference question would be answered with the wrong entry:")
        ),
        Trouble::Worse { lost, gained } => format!(
            "{} ({} {lost}, {} {gained}).",
            w.t("Soalan rujukan bertambah buruk melebihi perubahan rawak", "Reference questions get worse beyond chance"),
            w.t("buruk", "worse"),
            w.t("baik", "better"),
        ),
        Trouble::Fallen { figure } => format!(
            "{}: {figure}",
            w.t("Di bawah tahap minimum", "Below the floor")
        ),
    });
    shown.collect()
}

/// `GET /console/cadangan`.
pub async fn list(
    State(state): State<WebState>,
    Who(who): Who,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
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

/// A file to take away that shows as text.
pub fn file(name: &str, text: String) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/x-patch; charset=utf-8".to_owned(),
        ),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, text).into_response()
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
        Ok((_, patch)) => Ok(file("cadangan.patch", patch)),
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

//! What persons ask about their data, and what must be kept: one officer files, another one approves. A number that is
//! typed here is read, hashed and forgotten.

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::WebState;
use super::super::error::{Code, Refusal};
use super::access::{Posted, Who};
use super::page::{named, not_found, render_as, shell, when, words};
use super::rights_view::{HoldLine, OverRow, RequestCard, RightsPage};
use super::view::{Tag, When, Words};
use crate::agent::SignedIn;
use crate::agent::role::Permission;
use crate::clock::shown_day;
use crate::identity::number::{IdentityNumber, Kind};
use crate::rights::{Decided, NewRequest, RequestKind, RightsError, TAKEABLE, Whom};
use crate::storage::data_request::{self, DataRequestRow};
use crate::storage::hold::{self, HoldRow};
use crate::ticket::TicketNumber;

/// Requests and holds of each kind on the page.
const SHOWN: i64 = 100;

/// What was done just now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    telah: String,
}

/// What the page says besides.
pub(super) enum Flash {
    None,
    Done(&'static str, &'static str),
    Failed(StatusCode, &'static str, &'static str),
}

/// The page.
pub(super) async fn page(
    state: &WebState,
    who: &SignedIn,
    flash: Flash,
) -> Result<Response, Refusal> {
    let w = words(who, "/console/hak");
    let mut connection = state.limits.store.connection().await?;
    let late = state.limits.clock.now() - TAKEABLE;
    let open = data_request::open(&mut connection, late, SHOWN).await?;
    let over = data_request::over(&mut connection, late, SHOWN).await?;
    let can_decide = who.may(Permission::DecideDataRequest);
    let holds = match can_decide {
        true => hold::list(&mut connection, SHOWN).await?,
        false => Vec::new(),
    };
    let names = state.agents.names(&mut connection).await?;
    drop(connection);
    let reader = Reader {
        w: &w,
        who,
        names: &names,
        now: state.limits.clock.now(),
    };
    let mut cards = Vec::new();
    for row in &open {
        // Only an erasure waits for the end of a hold.
        let held = row.kind == RequestKind::Erase.as_str() && state.rights.is_held(row).await?;
        cards.push(reader.card(row, held));
    }
    let mut shell = shell(state, who, &w, "rights").await?;
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
    let page = RightsPage {
        can_decide,
        open: cards,
        over: over.iter().map(|row| reader.over(row)).collect(),
        holds: holds.iter().map(|row| reader.hold(row)).collect(),
        shell,
        w: w.clone(),
    };
    Ok(render_as(status, &page))
}

/// Requests and holds in the words of whoever reads them.
struct Reader<'a> {
    w: &'a Words,
    who: &'a SignedIn,
    names: &'a [(String, String)],
    now: i64,
}

impl Reader<'_> {
    fn kind(&self, code: &str) -> Tag {
        let label = match RequestKind::parse(code) {
            Some(RequestKind::Export) => self.w.t("Salinan data", "Copy of the data"),
            Some(RequestKind::Erase) => self.w.t("Padam data", "Erase the data"),
            None => code,
        };
        Tag::new(code, label)
    }

    fn whom(&self, row: &DataRequestRow) -> String {
        let ends = match row.last4.is_empty() {
            true => String::new(),
            false => format!(
                "{} …{}",
                self.w.t("No. pengenalan", "Identity number"),
                row.last4
            ),
        };
        [row.number.clone(), ends]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · ")
    }

    fn card(&self, row: &DataRequestRow, held: bool) -> RequestCard {
        let approved = row.state == "approved";
        let late = approved && row.decided_at.is_some_and(|at| self.now > at + TAKEABLE);
        let mine = row.agent == self.who.id || row.decided_by == self.who.id;
        RequestCard {
            id: row.id.clone(),
            kind: self.kind(&row.kind),
            whom: self.whom(row),
            reason: row.reason.clone(),
            who: named(self.names, &row.agent),
            when: when(Some(row.filed_at)),
            own: row.agent == self.who.id,
            approved,
            decided_by: named(self.names, &row.decided_by),
            can_take: approved && mine && !late,
            late,
            held,
        }
    }

    fn over(&self, row: &DataRequestRow) -> OverRow {
        let w = self.w;
        let state = match (row.state.as_str(), RequestKind::parse(&row.kind)) {
            ("done", Some(RequestKind::Export)) => {
                Tag::new("active", w.t("Diserahkan", "Handed out"))
            }
            ("done", _) => Tag::new("active", w.t("Dipadam", "Erased")),
            ("withdrawn", _) => Tag::new("disabled", w.t("Ditarik balik", "Withdrawn")),
            _ => Tag::new("disabled", w.t("Ditolak", "Refused")),
        };
        OverRow {
            kind: self.kind(&row.kind),
            whom: self.whom(row),
            who: named(self.names, &row.agent),
            state,
            decided_by: named(self.names, &row.decided_by),
            when: when(row.done_at.or(row.decided_at)),
            note: row.note.clone(),
        }
    }

    fn hold(&self, row: &HoldRow) -> HoldLine {
        let w = self.w;
        let what = match row.kind.as_str() {
            "subject" => format!("{} …{}", w.t("Orang", "Person"), row.last4),
            "ticket" => row.key.clone(),
            _ => format!("{} {}", w.t("Sembang", "Chat"), row.key),
        };
        let active = row.is_active(self.now);
        let state = match active {
            true => Tag::new("active", w.t("Berkuat kuasa", "In force")),
            false => Tag::new("disabled", w.t("Tamat", "Over")),
        };
        HoldLine {
            id: row.id.clone(),
            what,
            reason: row.reason.clone(),
            who: named(self.names, &row.agent),
            when: when(Some(row.placed_at)),
            until: row.until.map_or_else(When::default, |until| When {
                // The last day that it holds.
                text: shown_day(until - 1),
                ..when(Some(until))
            }),
            state,
            active,
        }
    }
}

/// `GET /console/hak`.
pub async fn show(
    State(state): State<WebState>,
    Who(who): Who,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let flash = match asked.telah.as_str() {
        "mohon" => Flash::Done(
            "Permohonan direkodkan. Pegawai lain perlu meluluskannya.",
            "The request was filed. Another officer has to approve it.",
        ),
        "lulus" => Flash::Done("Permohonan diluluskan.", "The request was approved."),
        "tolak" => Flash::Done("Permohonan ditolak.", "The request was refused."),
        "tarik" => Flash::Done("Permohonan ditarik balik.", "The request was withdrawn."),
        "tahan" => Flash::Done(
            "Pelupusan ditangguhkan: data ini tidak akan dipadam.",
            "The hold is placed: these data will not be deleted.",
        ),
        "tamat" => Flash::Done("Penangguhan ditamatkan.", "The hold was lifted."),
        _ => Flash::None,
    };
    page(&state, &who, flash).await
}

/// Back to the page, which says what was done.
pub(super) fn done(what: &str) -> Response {
    Redirect::to(&format!("/console/hak?telah={what}")).into_response()
}

/// Whom or what a form names: a ticket's number, or an identity number of a kind.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filed {
    kind: String,
    person: String,
    number: String,
    ticket: String,
    reason: String,
}

impl Filed {
    fn whom(&self) -> Option<Whom> {
        whom(&self.person, &self.number, &self.ticket)
    }
}

/// Whom two fields name; none if both or neither is filled, or what is there is no number.
pub(super) fn whom(person: &str, number: &str, ticket: &str) -> Option<Whom> {
    let (number, ticket) = (number.trim(), ticket.trim());
    match (number.is_empty(), ticket.is_empty()) {
        (false, true) => {
            let number = IdentityNumber::parse(Kind::parse(person)?, number)?;
            Some(Whom::Number(number))
        }
        (true, false) => TicketNumber::parse(ticket).map(Whom::Ticket),
        _ => None,
    }
}

/// What is said of a form that names nobody, or no reason.
pub(super) const UNREADABLE: Flash = Flash::Failed(
    StatusCode::UNPROCESSABLE_ENTITY,
    "Sila isi nombor pengenalan atau nombor tiket yang betul (salah satu sahaja), dan sebabnya.",
    "Please fill in a valid identity number or a ticket number (one of them only), and the reason.",
);

/// `POST /console/hak`.
pub async fn file(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(filed): Posted<Filed>,
) -> Result<Response, Refusal> {
    let kind = RequestKind::parse(&filed.kind);
    let (Some(kind), Some(whom), false) = (kind, filed.whom(), filed.reason.trim().is_empty())
    else {
        return page(&state, &who, UNREADABLE).await;
    };
    let new = NewRequest {
        kind,
        whom,
        reason: filed.reason.trim(),
        by: &who.id,
    };
    match state.rights.file(&new).await {
        Ok(_) => Ok(done("mohon")),
        Err(error) => failed(&state, &who, error).await,
    }
}

/// What is noted with a decision.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Noted {
    note: String,
}

/// `POST /console/hak/{id}/lulus`: an erasure begins at once.
pub async fn approve(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
    Posted(noted): Posted<Noted>,
) -> Result<Response, Refusal> {
    let note = (who.id.as_str(), noted.note.as_str());
    match state.rights.decide(&id, Decided::Approved, note).await {
        Ok(row) => {
            if row.kind == RequestKind::Erase.as_str() {
                let rights = state.rights.clone();
                tokio::spawn(async move {
                    if let Err(error) = rights.erase(&row, None).await {
                        tracing::error!(%error, "what was approved could not be erased; it is tried again");
                    }
                });
            }
            Ok(done("lulus"))
        }
        Err(error) => failed(&state, &who, error).await,
    }
}

/// `POST /console/hak/{id}/tolak`.
pub async fn refuse(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
    Posted(noted): Posted<Noted>,
) -> Result<Response, Refusal> {
    let note = (who.id.as_str(), noted.note.as_str());
    match state.rights.decide(&id, Decided::Refused, note).await {
        Ok(_) => Ok(done("tolak")),
        Err(error) => failed(&state, &who, error).await,
    }
}

/// `POST /console/hak/{id}/tarik`: only one's own.
pub async fn withdraw(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let note = (who.id.as_str(), "");
    match state.rights.decide(&id, Decided::Withdrawn, note).await {
        Ok(_) => Ok(done("tarik")),
        // That there is another's is nobody's affair.
        Err(RightsError::Own) => Ok(not_found(&who)),
        Err(error) => failed(&state, &who, error).await,
    }
}

/// `POST /console/hak/{id}/salinan`: the copy, once.
pub async fn take(
    State(state): State<WebState>,
    Who(who): Who,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let copy = match state.rights.take_copy(&id, &who.id).await {
        Ok(copy) => copy,
        Err(error) => return failed(&state, &who, error).await,
    };
    let text = serde_json::to_string_pretty(&copy).map_err(|error| {
        tracing::error!(%error, "a copy could not be written");
        Code::Unavailable
    })?;
    let headers = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"tanya-salinan-data.json\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text).into_response())
}

/// The page that says why something was not done.
pub(super) async fn failed(
    state: &WebState,
    who: &SignedIn,
    error: RightsError,
) -> Result<Response, Refusal> {
    let flash = match error {
        RightsError::Missing => return Ok(not_found(who)),
        RightsError::Database(error) => return Err(error.into()),
        RightsError::Nobody => Flash::Failed(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Tiada sembang atau tiket yang dikaitkan dengan nombor itu.",
            "No chat and no ticket is linked to that number.",
        ),
        RightsError::Own => Flash::Failed(
            StatusCode::FORBIDDEN,
            "Permohonan sendiri perlu diputuskan oleh pegawai lain.",
            "Another officer has to decide on your own request.",
        ),
        RightsError::Late => Flash::Failed(
            StatusCode::GONE,
            "Tempoh untuk mengambil salinan ini telah tamat. Sila mohon semula.",
            "The time to take this copy is over. Please file it again.",
        ),
        RightsError::Changed => Flash::Failed(
            StatusCode::CONFLICT,
            "Sudah diputuskan atau sudah diambil. Sila semak semula.",
            "It was decided or taken already. Please look again.",
        ),
    };
    page(state, who, flash).await
}

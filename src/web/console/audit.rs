//! The record of sensitive steps, for the auditor alone: what happened, when, by whom. It holds no text of a person, no
//! number and no address, and people are named in it by what tells nothing.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use serde::Deserialize;

use super::super::WebState;
use super::super::error::{Code, Refusal};
use super::access::{Posted, Who};
use super::knowledge_view::{AuditLine, AuditPage};
use super::page::{forbidden, render, shell, when, words};
use super::proposals::named;
use super::reports::{DAY, midnight};
use super::view::{Choice, Words};
use crate::agent::SignedIn;
use crate::agent::role::Permission;
use crate::audit::{Broken, Event};
use crate::clock::{rfc3339, shown};
use crate::csv::{Cell, Csv};
use crate::storage::audit::{self, AuditFilter, AuditRow};

/// Lines on a page.
const SHOWN: usize = 100;
/// Lines in a table.
const TAKEN: i64 = 10_000;
/// A longer record is checked on the command line.
const CHECKED: i64 = 200_000;
/// What names nobody is shown by so many of its last characters.
const SHORT: usize = 10;

/// What is wanted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    event: String,
    agent: String,
    dari: String,
    hingga: String,
    sebelum: String,
}

impl Asked {
    fn filter(&self) -> AuditFilter {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let day = |text: &str| text.parse::<Date>().ok().map(midnight);
        AuditFilter {
            event: given(&self.event),
            subject: given(&self.agent),
            from: day(&self.dari),
            to: day(&self.hingga).map(|midnight| midnight + DAY),
            before: self.sebelum.parse().ok(),
        }
    }

    /// The address of a page of this list, or of its table.
    fn href(&self, page: &str, before: Option<i64>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let fields = [
            ("event", &self.event),
            ("agent", &self.agent),
            ("dari", &self.dari),
            ("hingga", &self.hingga),
        ];
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        if let Some(before) = before {
            query.append_pair("sebelum", &before.to_string());
        }
        format!("{page}?{}", query.finish())
    }
}

/// What a check found: whether the record is whole, and a sentence.
type Verified = Option<(bool, String)>;

async fn page(
    state: &WebState,
    who: &SignedIn,
    asked: Asked,
    verified: Verified,
) -> Result<Response, Refusal> {
    let w = words(who, &asked.href("/console/audit", None));
    let mut connection = state.limits.store.connection().await?;
    let mut rows = audit::filtered(&mut connection, &asked.filter(), SHOWN as i64 + 1).await?;
    let (end, mac) = audit::head(&mut connection).await?;
    let anchors = AuditFilter {
        event: Some(Event::Anchored.as_str().to_owned()),
        ..AuditFilter::default()
    };
    let anchored = audit::filtered(&mut connection, &anchors, 1).await?;
    let names = state.agents.names(&mut connection).await?;
    drop(connection);
    let more = rows.len() > SHOWN;
    rows.truncate(SHOWN);
    let last = rows.last().map(|row| row.seq).filter(|_| more);
    let older_href = last.map(|seq| asked.href("/console/audit", Some(seq)));
    let newer_href = (!asked.sebelum.is_empty()).then(|| asked.href("/console/audit", None));
    let table_href = who
        .may(Permission::ExportCsv)
        .then(|| asked.href("/console/audit.csv", None));
    let page = AuditPage {
        events: events(&w, &asked.event),
        agents: agents(&w, &names, &asked.agent),
        from: asked.dari.clone(),
        to: asked.hingga.clone(),
        chain: chain(&w, end, &mac, anchored.first()),
        verified: verified.as_ref().map(|(whole, _)| *whole),
        verified_text: verified.map(|(_, text)| text).unwrap_or_default(),
        can_verify: end <= CHECKED,
        summary: format!(
            "{} {}",
            rows.len(),
            w.t("rekod pada halaman ini", "records on this page")
        ),
        rows: rows.iter().map(|row| line(&w, &names, row)).collect(),
        table_href: table_href.unwrap_or_default(),
        newer_href: newer_href.unwrap_or_default(),
        older_href: older_href.unwrap_or_default(),
        shell: shell(state, who, &w, "audit").await?,
        w,
    };
    Ok(render(&page))
}

fn chain(w: &Words, end: i64, mac: &str, anchored: Option<&AuditRow>) -> Vec<String> {
    let length = format!(
        "{} {end} {} …{}.",
        w.t("Rekod ini mempunyai", "The record has"),
        w.t("baris; hujungnya", "lines; its end is"),
        short(mac),
    );
    let anchor = match anchored {
        Some(row) => format!(
            "{} {}.",
            w.t(
                "Hujungnya kali terakhir dihantar kepada penyelia pada",
                "Its end was last sent to the supervisor on"
            ),
            shown(row.at)
        ),
        None => w
            .t(
                "Hujungnya belum pernah dihantar kepada penyelia.",
                "Its end was never sent to the supervisor yet.",
            )
            .to_owned(),
    };
    vec![length, anchor]
}

/// The last characters of what tells nothing.
fn short(text: &str) -> String {
    let skipped = text.chars().count().saturating_sub(SHORT);
    text.chars().skip(skipped).collect()
}

fn events(w: &Words, chosen: &str) -> Vec<Choice> {
    let all = Choice {
        value: String::new(),
        label: w.t("Semua", "All").to_owned(),
        selected: chosen.is_empty(),
    };
    let events = Event::ALL.iter().map(|event| Choice {
        value: event.as_str().to_owned(),
        label: event_name(w, event.as_str()),
        selected: event.as_str() == chosen,
    });
    std::iter::once(all).chain(events).collect()
}

fn agents(w: &Words, names: &[(String, String)], chosen: &str) -> Vec<Choice> {
    let all = Choice {
        value: String::new(),
        label: w.t("Semua", "All").to_owned(),
        selected: chosen.is_empty(),
    };
    let agents = names.iter().map(|(id, name)| Choice {
        value: id.clone(),
        label: name.clone(),
        selected: id == chosen,
    });
    std::iter::once(all).chain(agents).collect()
}

fn event_name(w: &Words, code: &str) -> String {
    let event = Event::ALL.into_iter().find(|event| event.as_str() == code);
    let name = event.map(|event| match event {
        Event::VerifyAsked => w.t("Bukti diminta", "Proof asked for"),
        Event::VerifyStarted => w.t("Nombor diberi", "Number given"),
        Event::CodeMailed => w.t("E-mel kod", "Code mail"),
        Event::VerifyFinished => w.t("Kod diberi", "Code given"),
        Event::ProofReturned => w.t("Bukti dikembalikan", "Proof returned"),
        Event::Binding => w.t("Pautan sembang", "Chat binding"),
        Event::SessionsEnded => w.t("Sesi ditamatkan", "Sessions ended"),
        Event::PasswordReset => w.t("Set semula kata laluan", "Password reset"),
        Event::Activation => w.t("Pendaftaran", "Activation"),
        Event::PayslipLink => w.t("Pautan slip gaji", "Payslip link"),
        Event::StatementLink => w.t("Pautan penyata", "Statement link"),
        Event::LinkOpened => w.t("Pautan dibuka", "Link opened"),
        Event::Disavowed => w.t("Bukan saya", "Not me"),
        Event::Mailed => w.t("E-mel", "Mail"),
        Event::Ticket => w.t("Tiket", "Ticket"),
        Event::SignIn => w.t("Log masuk konsol", "Console sign-in"),
        Event::Agent => w.t("Akaun pegawai", "Officer’s account"),
        Event::Knowledge => w.t("Pengetahuan", "Knowledge"),
        Event::RemovalFailed => w.t("Mesej tidak dapat dipadam", "Message not removed"),
        Event::Breaker => w.t("Pemutus", "Breaker"),
        Event::Erased => w.t("Perbualan dipadam", "Conversation erased"),
        Event::Anchored => w.t("Hujung rekod dihantar", "End of the record sent"),
        Event::Cut => w.t("Baris lama dipadam", "Old lines deleted"),
        Event::Hold => w.t("Penangguhan pelupusan", "Legal hold"),
        Event::DataRequest => w.t("Hak subjek data", "Data subject rights"),
    });
    name.map_or_else(|| code.to_owned(), str::to_owned)
}

fn line(w: &Words, names: &[(String, String)], row: &AuditRow) -> AuditLine {
    let who = named(names, &row.subject);
    let subject = match who.is_empty() {
        true => short(&row.subject),
        false => String::new(),
    };
    let conversation = short(&row.conversation_id);
    let about: Vec<String> = [subject, conversation]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| format!("…{part}"))
        .collect();
    AuditLine {
        serial: row.seq,
        when: when(Some(row.at)),
        who,
        event: event_name(w, &row.event),
        outcome: row.outcome.clone(),
        about: about.join(" "),
        detail: row.detail.clone(),
    }
}

/// `GET /console/audit`.
pub async fn show(
    State(state): State<WebState>,
    Who(who): Who,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    page(&state, &who, asked, None).await
}

/// A form with nothing in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// `POST /console/audit/semak`: reads the whole record, and changes nothing.
pub async fn verify(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(Nothing {}): Posted<Nothing>,
) -> Result<Response, Refusal> {
    let mut connection = state.limits.store.connection().await?;
    let (end, _) = audit::head(&mut connection).await?;
    drop(connection);
    if end > CHECKED {
        return Err(Code::TooLarge.into());
    }
    let w = words(&who, "");
    let checked = state.editions.audit.verify(&state.limits.store, None).await;
    let verified = match checked {
        Ok(anchor) => (
            true,
            format!(
                "{} ({} {}).",
                w.t("Rekod ini utuh", "The record is whole"),
                anchor.seq,
                w.t("baris", "lines")
            ),
        ),
        Err(Broken::Database(error)) => return Err(error.into()),
        Err(broken) => {
            let head = w.t("Rekod ini TIDAK utuh:", "The record is NOT whole:");
            (false, format!("{head} {broken}."))
        }
    };
    page(&state, &who, Asked::default(), Some(verified)).await
}

/// `GET /console/audit.csv`.
pub async fn table(
    State(state): State<WebState>,
    Who(who): Who,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    if !who.may(Permission::ExportCsv) {
        return Ok(forbidden(&who));
    }
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let mut connection = state.limits.store.connection().await?;
    let rows = audit::filtered(&mut connection, &asked.filter(), TAKEN).await?;
    let names = state.agents.names(&mut connection).await?;
    drop(connection);
    let w = words(&who, "");
    let file = written(&w, &names, &rows).map_err(|error| {
        tracing::error!(%error, "a table could not be written");
        Code::Unavailable
    })?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"tanya-audit.csv\"",
        ),
    ];
    Ok((headers, file).into_response())
}

fn written(
    w: &Words,
    names: &[(String, String)],
    rows: &[AuditRow],
) -> Result<Vec<u8>, ::csv::Error> {
    let mut csv = Csv::new(&[
        w.t("Siri", "Serial"),
        w.t("Masa", "Time"),
        w.t("Peristiwa", "Event"),
        w.t("Hasil", "Outcome"),
        w.t("Pegawai", "Officer"),
        w.t("Tentang", "About"),
        w.t("Butiran", "Detail"),
        "HMAC",
    ])?;
    for row in rows {
        let line = line(w, names, row);
        csv.row(&[
            Cell::Number(row.seq),
            Cell::Text(&rfc3339(row.at)),
            Cell::Text(&row.event),
            Cell::Text(&row.outcome),
            Cell::Text(&line.who),
            Cell::Text(&line.about),
            Cell::Text(&row.detail),
            Cell::Text(&row.mac),
        ])?;
    }
    csv.finish()
}

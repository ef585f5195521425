//! The record of sensitive steps, for the auditor alone: what happened, when, by whom. It holds no text of a person, no
//! number and no address, and people are named in it by what tells nothing.

mod line;
mod table;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::civil::Date;
use serde::Deserialize;

use super::access::{Posted, Wanted, Who};
use super::page::{render, shell, words};
use super::view::{Choice, Shell, Words};
use crate::agent::SignedIn;
use crate::agent::role::Permission;
use crate::audit::{Broken, Event};
use crate::clock::{DAY, midnight, shown};
use crate::storage::audit::{self, AuditFilter, AuditRow};
use crate::web::WebState;
use crate::web::error::{Code, Refusal};
use line::{AuditLine, event_name, line, short};

pub use table::table;

/// Lines on a page.
const SHOWN: usize = 100;
/// A longer record is checked on the command line.
const CHECKED: i64 = 200_000;

/// `GET /console/audit`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/audit.html")]
pub struct AuditPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// Events to choose from.
    pub events: Vec<Choice>,
    /// Officers to choose from.
    pub agents: Vec<Choice>,
    /// From which day, `YYYY-MM-DD` or empty.
    pub from: String,
    /// To which day, `YYYY-MM-DD` or empty.
    pub to: String,
    /// How the chain stands, as sentences.
    pub chain: Vec<String>,
    /// What the check just found, if there was one: whether the record is whole.
    pub verified: Option<bool>,
    /// The same as a sentence.
    pub verified_text: String,
    /// Whether the record is short enough to be checked here.
    pub can_verify: bool,
    /// The rows, the latest first.
    pub rows: Vec<AuditLine>,
    /// What the list shows, as a sentence.
    pub summary: String,
    /// Where the table is downloaded; empty if the reader may not.
    pub table_href: String,
    /// The page before this one; empty on the first.
    pub newer_href: String,
    /// The page after this one; empty on the last.
    pub older_href: String,
}

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

fn events(w: &Words, chosen: &str) -> Vec<Choice> {
    let events = Event::ALL.iter().map(|event| event.as_str());
    let events = events.map(|code| Choice::new(code, event_name(w, code), code == chosen));
    std::iter::once(Choice::all(w, chosen))
        .chain(events)
        .collect()
}

fn agents(w: &Words, names: &[(String, String)], chosen: &str) -> Vec<Choice> {
    let agents = names.iter();
    let agents = agents.map(|(id, name)| Choice::new(id, name, id == chosen));
    std::iter::once(Choice::all(w, chosen))
        .chain(agents)
        .collect()
}

/// `GET /console/audit`.
pub async fn show(
    State(state): State<WebState>,
    Who(who): Who,
    Wanted(asked): Wanted<Asked>,
) -> Result<Response, Refusal> {
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

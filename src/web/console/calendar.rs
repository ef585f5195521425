//! The office calendar: hours, holidays, what Ramadan changes. Checked before it is used.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Weekday;
use serde::Deserialize;

use super::super::WebState;
use super::super::error::{Code, Refusal};
use super::access::{Posted, Who};
use super::page::{render_as, shell, when, words};
use super::view::{Shell, When, Words};
use crate::agent::SignedIn;
use crate::calendar::{Calendar, CalendarError, Day, ical};
use crate::clock::local;
use crate::edition::{Edited, EditionError};
use crate::knowledge::hash;
use crate::knowledge::source::CALENDAR;

/// Days that are shown ahead.
const AHEAD: usize = 14;

/// `GET /console/kalendar`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/calendar.html")]
pub struct CalendarPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// Whether no hours are set at all.
    pub unset: bool,
    /// Whether the hours are the sample's.
    pub sample: bool,
    /// The calendar's YAML.
    pub yaml: String,
    /// The hash of the one in use.
    pub base: String,
    /// The one in use, where somebody else saved it meanwhile.
    pub overtaken: Option<String>,
    /// What is wrong with it.
    pub errors: Vec<LineError>,
    /// Whether it was checked, found right, and not saved yet.
    pub checked: bool,
    /// When it was saved last.
    pub saved: When,
    /// By whom.
    pub saved_by: String,
    /// The iCal text as pasted.
    pub ical: String,
    /// Why it could not be read; empty if it could.
    pub ical_error: String,
    /// The coming fourteen days.
    pub days: Vec<CalendarDay>,
}

/// Something wrong with a line.
#[derive(Clone, Debug, Default)]
pub struct LineError {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong.
    pub text: String,
}

/// A day to come.
#[derive(Clone, Debug, Default)]
pub struct CalendarDay {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// The weekday's name.
    pub weekday: String,
    /// The date as people read it.
    pub text: String,
    /// The hours, one for each stretch; none if closed.
    pub hours: Vec<String>,
    /// Why it is closed or differs; empty if it is an ordinary day.
    pub reason: String,
    /// Whether it is today.
    pub today: bool,
}

/// What the page shows.
#[derive(Default)]
struct Shown {
    /// The text in the field, if it is not the one in use.
    yaml: Option<String>,
    error: Option<CalendarError>,
    checked: bool,
    ical: String,
    ical_error: String,
    /// What the coming days are shown of, if not of the calendar in use.
    calendar: Option<Calendar>,
    saved: bool,
    /// Whether somebody else saved meanwhile what this was not made from.
    overtaken: bool,
}

async fn page(state: &WebState, who: &SignedIn, shown: Shown) -> Result<Response, Refusal> {
    let w = words(who, "/console/kalendar");
    let now = state.limits.clock.now();
    let knowledge = state.knowledge.current();
    let calendar = shown.calendar.as_ref().unwrap_or(knowledge.calendar());
    let in_use = in_use(state)?;
    let last = state.editions.last(CALENDAR).await?;
    let mut connection = state.limits.store.connection().await?;
    let author = match &last {
        Some(row) => state.agents.name_of(&mut connection, &row.author).await?,
        None => String::new(),
    };
    drop(connection);
    let today = local(now).date();
    let days = calendar.days(today, AHEAD);
    let wrong = shown.error.is_some() || !shown.ical_error.is_empty() || shown.overtaken;
    let mut shell = shell(state, who, &w, "calendar").await?;
    if shown.saved {
        shell.flash = w
            .t("Kalendar telah disimpan.", "The calendar was saved.")
            .to_owned();
    }
    let page = CalendarPage {
        unset: !calendar.has_hours(),
        sample: calendar.is_sample(),
        base: hash(&in_use),
        overtaken: shown.overtaken.then(|| in_use.clone()),
        yaml: shown.yaml.unwrap_or(in_use),
        errors: shown.error.iter().map(line_error).collect(),
        checked: shown.checked,
        saved: when(last.map(|row| row.created_at)),
        saved_by: author,
        ical: shown.ical,
        ical_error: shown.ical_error,
        days: days
            .iter()
            .map(|day| day_of(&w, day, day.date == today))
            .collect(),
        shell,
        w,
    };
    let status = if wrong {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    Ok(render_as(status, &page))
}

/// The text that is in use.
fn in_use(state: &WebState) -> Result<String, Refusal> {
    let texts = state.knowledge.texts().map_err(|_| Code::Unavailable)?;
    Ok(texts
        .get(CALENDAR)
        .map_or_else(String::new, |file| file.text.clone()))
}

fn line_error(error: &CalendarError) -> LineError {
    LineError {
        line: u32::try_from(error.line).unwrap_or_default(),
        text: format!("{}: {}", error.message, error.repair),
    }
}

fn day_of(w: &Words, day: &Day, today: bool) -> CalendarDay {
    let hours: Vec<String> = day.blocks.iter().map(ToString::to_string).collect();
    let name = day.holiday.as_ref().or(day.period.as_ref());
    let reason = name.map(|name| if w.english { &name.en } else { &name.ms });
    CalendarDay {
        date: day.date.to_string(),
        weekday: weekday(w, day.weekday).to_owned(),
        text: day.date.strftime("%d/%m/%Y").to_string(),
        hours,
        reason: reason.cloned().unwrap_or_default(),
        today,
    }
}

fn weekday(w: &Words, day: Weekday) -> &'static str {
    match day {
        Weekday::Sunday => w.t("Ahad", "Sunday"),
        Weekday::Monday => w.t("Isnin", "Monday"),
        Weekday::Tuesday => w.t("Selasa", "Tuesday"),
        Weekday::Wednesday => w.t("Rabu", "Wednesday"),
        Weekday::Thursday => w.t("Khamis", "Thursday"),
        Weekday::Friday => w.t("Jumaat", "Friday"),
        Weekday::Saturday => w.t("Sabtu", "Saturday"),
    }
}

/// `GET /console/kalendar`.
pub async fn show(State(state): State<WebState>, Who(who): Who) -> Result<Response, Refusal> {
    page(&state, &who, Shown::default()).await
}

/// What is typed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    yaml: String,
    #[serde(default, rename = "do")]
    what: String,
    /// The hash of the text that was in use when the page was shown.
    #[serde(default)]
    base: String,
}

/// `POST /console/kalendar`: checks, and saves if that was asked and nothing is wrong.
pub async fn save(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Refusal> {
    let yaml = typed.yaml.replace("\r\n", "\n");
    let shown = match Calendar::parse(&yaml) {
        Err(error) => Shown {
            yaml: Some(yaml),
            error: Some(error),
            ..Shown::default()
        },
        Ok(calendar) if typed.what == "check" => Shown {
            yaml: Some(yaml),
            checked: true,
            calendar: Some(calendar),
            ..Shown::default()
        },
        Ok(calendar) => {
            let saved = keep(&state, &who, &yaml, &typed.base).await?;
            Shown {
                yaml: Some(yaml),
                calendar: Some(calendar),
                saved,
                overtaken: !saved,
                ..Shown::default()
            }
        }
    };
    page(&state, &who, shown).await
}

/// Keeps a calendar, unless another one is in use than it was made from; tells whether it was kept.
async fn keep(state: &WebState, who: &SignedIn, text: &str, base: &str) -> Result<bool, Refusal> {
    let in_use = in_use(state)?;
    if hash(&in_use) != base {
        return Ok(false);
    }
    let edited = Edited {
        file: CALENDAR,
        text,
        author: &who.id,
        reason: "",
        onto: Some(&in_use),
    };
    match state.editions.keep(edited, state.limits.clock.now()).await {
        Ok(()) => Ok(true),
        Err(EditionError::Changed) => Ok(false),
        Err(EditionError::Database(error)) => Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "a calendar was not kept");
            Err(Code::Unavailable.into())
        }
    }
}

/// Holidays as another calendar writes them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    ical: String,
}

/// `POST /console/kalendar/ical`: shows the calendar with the holidays in it; it is saved after a look.
pub async fn import(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(given): Posted<Imported>,
) -> Result<Response, Refusal> {
    let knowledge = state.knowledge.current();
    let refused = |error: String| Shown {
        ical: given.ical.clone(),
        ical_error: error,
        ..Shown::default()
    };
    let shown = match ical::holidays(&given.ical) {
        Err(error) => refused(error.to_string()),
        Ok(holidays) => match knowledge.calendar().with_holidays(&holidays) {
            Err(error) => refused(error.to_string()),
            Ok(calendar) => Shown {
                yaml: Some(calendar.to_yaml()),
                checked: true,
                calendar: Some(calendar),
                ..Shown::default()
            },
        },
    };
    page(&state, &who, shown).await
}

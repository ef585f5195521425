//! What the supervisor sees: today and a month in numbers and charts, tables to take away, who looked at what is sealed.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::{Date, date};
use serde::Deserialize;

use super::super::WebState;
use super::super::error::{Code, Refusal};
use super::access::{Posted, Who};
use super::chart::{Caption, Chart, DayValues, Value, bars, columns, line};
use super::page::{render, shell, when, words};
use super::view::{Choice, Download, ReportsPage, Tile, Unmasked, When, Words};
use crate::agent::role::Permission;
use crate::clock::{Millis, local, shown_day};
use crate::conversation::desk::{Act, Agent};
use crate::conversation::once::Form;
use crate::csv::{Cell, Csv};
use crate::knowledge::Knowledge;
use crate::knowledge::text::Language;
use crate::storage::report::{self, CountRow, DayRow, Span, TicketTimes};
use crate::storage::{Connection, ticket, ticket_event, ticket_list};
use crate::ticket::TicketNumber;

pub(super) const DAY: Millis = 86_400_000;
/// Kelantan is ahead of UTC by this.
const AHEAD: Millis = 8 * 3_600_000;
/// Months that can be chosen.
const MONTHS: usize = 13;
/// Tickets of an absent officer that are given to another in one go.
const AT_ONCE: i64 = 200;

/// Which month is shown.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    month: String,
    #[serde(default)]
    table: String,
}

/// A month: its first day, and the span that it is.
#[derive(Clone, Copy)]
struct Month {
    first: Date,
    span: Span,
}

/// The beginning of a day in Kelantan.
pub(super) fn midnight(day: Date) -> Millis {
    let since = day.since(date(1970, 1, 1));
    since.map_or(0, |since| Millis::from(since.get_days()) * DAY - AHEAD)
}

impl Month {
    fn of(day: Date) -> Self {
        let first = day.first_of_month();
        let next = first.last_of_month().tomorrow().unwrap_or(first);
        Self {
            first,
            span: (midnight(first), midnight(next)),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        format!("{text}-01").parse().ok().map(Self::of)
    }

    fn code(self) -> String {
        self.first.strftime("%Y-%m").to_string()
    }

    fn name(self, w: &Words) -> String {
        let period = crate::knowledge::period::Period::parse(&self.code());
        let language = Language::parse(w.lang()).unwrap_or_default();
        period.map_or_else(|| self.code(), |period| period.shown(language))
    }
}

/// Everything that is counted in a span.
struct Counts {
    outcomes: Vec<CountRow>,
    topics: Vec<CountRow>,
    channels: Vec<CountRow>,
    days: Vec<DayRow>,
    tickets: Vec<TicketTimes>,
    votes: Vec<CountRow>,
    conversations: i64,
    handed_over: i64,
}

impl Counts {
    async fn of(connection: &mut Connection, span: Span) -> sqlx::Result<Self> {
        Ok(Self {
            outcomes: report::questions_by_outcome(connection, span).await?,
            topics: report::questions_by_target(connection, span).await?,
            channels: report::messages_by_channel(connection, span).await?,
            days: report::questions_by_day(connection, span).await?,
            tickets: report::tickets(connection, span).await?,
            votes: report::votes(connection, span).await?,
            conversations: report::conversations(connection, span).await?,
            handed_over: report::conversations_with_ticket(connection, span).await?,
        })
    }

    fn questions(&self) -> i64 {
        self.outcomes.iter().map(|row| row.count).sum()
    }

    fn sum(&self, pick: impl Fn(&TicketTimes) -> i64) -> i64 {
        self.tickets.iter().map(pick).sum()
    }

    fn helpful(&self) -> (i64, i64) {
        let helpful = self.votes.iter().filter(|row| row.name == "helpful");
        let helpful = helpful.map(|row| row.count).sum();
        (helpful, self.votes.iter().map(|row| row.count).sum())
    }
}

/// So much of the whole, in percent; nothing of nothing.
fn percent(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64 * 100.0)
}

fn shown_percent(part: i64, whole: i64) -> String {
    percent(part, whole).map_or_else(|| "–".to_owned(), |percent| format!("{percent:.0}%"))
}

/// A time in the unit that suits it.
fn span_text(w: &Words, millis: i64) -> String {
    let minutes = millis / 60_000;
    match minutes {
        0..=119 => format!("{minutes} min"),
        120..=2_879 => format!("{:.1} {}", minutes as f64 / 60.0, w.t("jam", "h")),
        _ => format!("{:.1} {}", minutes as f64 / 1_440.0, w.t("hari", "days")),
    }
}

/// `GET /console/laporan`.
pub async fn show(
    State(state): State<WebState>,
    Who(who): Who,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let now = state.limits.clock.now();
    let today = local(now).date();
    let month = Month::parse(&asked.month).unwrap_or_else(|| Month::of(today));
    let w = words(&who, &format!("/console/laporan?month={}", month.code()));
    let knowledge = state.knowledge.current();
    let mut connection = state.limits.store.connection().await?;
    let counts = Counts::of(&mut connection, month.span).await?;
    let of_today = Counts::of(&mut connection, (midnight(today), midnight(today) + DAY)).await?;
    let names = state.agents.names(&mut connection).await?;
    let workers = state.agents.workers(&mut connection).await?;
    let unmasked = match who.may(Permission::ViewUnmasked) {
        true => ticket_event::of_kind(&mut connection, "unmasked", month.span.0).await?,
        false => Vec::new(),
    };
    let active = ticket::active_counts(&mut connection, now).await?;
    drop(connection);
    let named = |id: &str| {
        let found = names.iter().find(|(known, _)| known == id);
        found.map_or_else(String::new, |(_, name)| name.clone())
    };
    let mut loads: BTreeMap<String, i64> = BTreeMap::new();
    for row in &active {
        if let Some(assignee) = &row.assignee {
            *loads.entry(assignee.clone()).or_default() += row.count;
        }
    }
    let drawing = Drawing {
        w: &w,
        knowledge: &knowledge,
    };
    let months = (0..MONTHS).scan(month_after(today), |first, _| {
        let month = Month::of(first.yesterday().unwrap_or(*first));
        *first = month.first;
        Some(month)
    });
    let page = ReportsPage {
        months: months
            .map(|choice| Choice {
                value: choice.code(),
                label: choice.name(&w),
                selected: choice.first == month.first,
            })
            .collect(),
        month_name: month.name(&w),
        today: When {
            at: today.to_string(),
            text: shown_day(now),
        },
        made: when(Some(now)),
        tiles: drawing.tiles(&counts),
        today_charts: drawing.today(&of_today),
        month_charts: drawing.month(&counts, month),
        tables: match who.may(Permission::ExportCsv) {
            true => tables(&w, month),
            false => Vec::new(),
        },
        unmasked: unmasked
            .iter()
            .map(|event| Unmasked {
                when: when(Some(event.at)),
                who: named(&event.agent),
                number: event.number.clone(),
                what: w.t("Nombor pengenalan", "Identity number").to_owned(),
                reason: event.text.clone(),
            })
            .collect(),
        can_reassign: who.may(Permission::AssignOthers),
        absent: loads
            .iter()
            .map(|(id, count)| Choice {
                value: id.clone(),
                label: format!("{} ({count})", named(id)),
                selected: false,
            })
            .collect(),
        takers: takers(&w, &workers),
        shell: shell(&state, &who, &w, "reports").await?,
        w: w.clone(),
    };
    Ok(render(&page))
}

/// The first day of the month after this one.
fn month_after(today: Date) -> Date {
    let last = today.last_of_month();
    last.tomorrow().unwrap_or(last)
}

fn takers(w: &Words, names: &[(String, String)]) -> Vec<Choice> {
    let nobody = Choice {
        value: String::new(),
        label: w.t("Kembali ke barisan", "Back to the queue").to_owned(),
        selected: true,
    };
    let agents = names.iter().map(|(id, name)| Choice {
        value: id.clone(),
        label: name.clone(),
        selected: false,
    });
    std::iter::once(nobody).chain(agents).collect()
}

fn tables(w: &Words, month: Month) -> Vec<Download> {
    let table = |code: &str, label: &str| Download {
        label: label.to_owned(),
        href: format!("/console/laporan.csv?table={code}&month={}", month.code()),
    };
    vec![
        table("harian", w.t("Soalan mengikut hari", "Questions by day")),
        table("tiket", w.t("Tiket dan masa", "Tickets and times")),
        table("topik", w.t("Topik", "Topics")),
    ]
}

/// Draws what was counted, in a language.
struct Drawing<'a> {
    w: &'a Words,
    knowledge: &'a Knowledge,
}

impl Drawing<'_> {
    fn tiles(&self, counts: &Counts) -> Vec<Tile> {
        let w = self.w;
        let tile = |label: &str, value: String, note: String| Tile {
            label: label.to_owned(),
            value,
            note,
            state: String::new(),
        };
        let opened = counts.sum(|row| row.opened);
        let acknowledged = counts.sum(|row| row.acknowledged);
        let resolved = counts.sum(|row| row.resolved);
        let average = |sum: i64, count: i64| {
            if count > 0 {
                span_text(w, sum / count)
            } else {
                "–".to_owned()
            }
        };
        let without = counts.conversations - counts.handed_over;
        let (helpful, votes) = counts.helpful();
        vec![
            tile(
                w.t("Soalan", "Questions"),
                counts.questions().to_string(),
                format!(
                    "{} {}",
                    counts.conversations,
                    w.t("perbualan", "conversations")
                ),
            ),
            tile(
                w.t("Selesai tanpa pegawai", "Settled without an officer"),
                shown_percent(without, counts.conversations),
                format!(
                    "{} {}",
                    counts.handed_over,
                    w.t("diserahkan", "handed over")
                ),
            ),
            tile(
                w.t("Tiket dibuka", "Tickets opened"),
                opened.to_string(),
                format!("{resolved} {}", w.t("diselesaikan", "resolved")),
            ),
            tile(
                w.t("Disahkan dalam piagam", "Acknowledged within the charter"),
                shown_percent(counts.sum(|row| row.acknowledged_in_time), acknowledged),
                format!(
                    "{} {}",
                    w.t("purata menunggu", "average wait"),
                    average(counts.sum(|row| row.waited), acknowledged)
                ),
            ),
            tile(
                w.t("Dijawab dalam piagam", "Answered within the charter"),
                shown_percent(
                    counts.sum(|row| row.answered_in_time),
                    counts.sum(|row| row.answered),
                ),
                format!(
                    "{} {}",
                    w.t("purata penyelesaian", "average resolution"),
                    average(counts.sum(|row| row.took), resolved)
                ),
            ),
            tile(
                w.t("Undian membantu", "Helpful votes"),
                shown_percent(helpful, votes),
                format!("{helpful} {} {votes}", w.t("daripada", "of")),
            ),
        ]
    }

    fn counted(&self, id: &str, title: &str, head: &str, rows: &[(String, i64)]) -> Chart {
        let texts: Vec<String> = rows.iter().map(|(_, count)| count.to_string()).collect();
        let values: Vec<Value<'_>> = rows
            .iter()
            .zip(&texts)
            .map(|((label, count), text)| Value {
                label,
                amount: *count as f64,
                text,
                goal: None,
            })
            .collect();
        let most = rows
            .first()
            .map_or_else(String::new, |(label, count)| format!("{label}: {count}"));
        let caption = Caption {
            id,
            title,
            desc: &most,
        };
        bars(caption, [head, self.w.t("Bilangan", "Count")], &values)
    }

    fn channel(&self, row: &CountRow) -> (String, i64) {
        (
            self.w.channel(super::queue::shown_channel(&row.name)).label,
            row.count,
        )
    }

    fn topic(&self, row: &CountRow) -> (String, i64) {
        let language = Language::parse(self.w.lang()).unwrap_or_default();
        let entry = self.knowledge.book().entry(&row.name);
        let label = entry.map_or_else(
            || row.name.clone(),
            |entry| entry.label.get(language).clone(),
        );
        (label, row.count)
    }

    fn outcome(&self, row: &CountRow) -> (String, i64) {
        let w = self.w;
        let label = match row.name.as_str() {
            "answer" => w.t("Dijawab", "Answered"),
            "clarify" => w.t("Ditanya semula", "Asked back"),
            _ => w.t("Tiada jawapan", "No answer"),
        };
        (label.to_owned(), row.count)
    }

    fn today(&self, counts: &Counts) -> Vec<Chart> {
        let w = self.w;
        let channels: Vec<_> = counts
            .channels
            .iter()
            .map(|row| self.channel(row))
            .collect();
        let topics: Vec<_> = counts.topics.iter().map(|row| self.topic(row)).collect();
        let outcomes: Vec<_> = counts
            .outcomes
            .iter()
            .map(|row| self.outcome(row))
            .collect();
        vec![
            self.counted(
                "today-channel",
                w.t("Mengikut saluran", "By channel"),
                w.t("Saluran", "Channel"),
                &channels,
            ),
            self.counted(
                "today-topic",
                w.t("Mengikut topik", "By topic"),
                w.t("Topik", "Topic"),
                &topics,
            ),
            self.counted(
                "today-outcome",
                w.t("Mengikut hasil", "By outcome"),
                w.t("Hasil", "Outcome"),
                &outcomes,
            ),
        ]
    }

    fn month(&self, counts: &Counts, month: Month) -> Vec<Chart> {
        let w = self.w;
        let day = w.t("Hari", "Day");
        let (volume, rate) = self.days(counts, month);
        let total = format!("{} {}", counts.questions(), w.t("soalan", "questions"));
        let answered = w.t("Dijawab", "Answered");
        let others = w.t("Lain", "Others");
        let volume_caption = Caption {
            id: "volume",
            title: w.t("Soalan mengikut hari", "Questions by day"),
            desc: &total,
        };
        let rate_caption = Caption {
            id: "rate",
            title: w.t("Kadar dijawab oleh Tanya", "Share answered by Tanya"),
            desc: &total,
        };
        let topics: Vec<_> = counts.topics.iter().map(|row| self.topic(row)).collect();
        let votes: Vec<_> = counts.votes.iter().map(|row| self.vote(row)).collect();
        vec![
            columns(volume_caption, &[day, answered, others], &volume),
            line(rate_caption, [day, w.t("Kadar", "Share")], &rate, None),
            self.counted(
                "topics",
                w.t("Topik", "Topics"),
                w.t("Topik", "Topic"),
                &topics,
            ),
            self.counted(
                "votes",
                w.t("Undian", "Votes"),
                w.t("Undian", "Vote"),
                &votes,
            ),
        ]
    }

    fn vote(&self, row: &CountRow) -> (String, i64) {
        let w = self.w;
        let label = match row.name.as_str() {
            "helpful" => w.t("Membantu", "Helpful"),
            _ => w.t("Tidak membantu", "Not helpful"),
        };
        (label.to_owned(), row.count)
    }

    /// Questions of each day, answered and others; and the share that was answered.
    fn days(&self, counts: &Counts, month: Month) -> (Vec<DayValues>, Vec<DayValues>) {
        let mut volume = Vec::new();
        let mut rate = Vec::new();
        let last = month.first.last_of_month();
        let mut day = month.first;
        while day <= last {
            let number = (midnight(day) + AHEAD) / DAY;
            let row = counts.days.iter().find(|row| row.day == number);
            let (questions, answered) = row.map_or((0, 0), |row| (row.questions, row.answered));
            let of = |values: Vec<f64>| DayValues {
                tick: day.day().to_string(),
                day: day.strftime("%d/%m/%Y").to_string(),
                values,
            };
            volume.push(of(vec![answered as f64, (questions - answered) as f64]));
            rate.push(of(percent(answered, questions).into_iter().collect()));
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        (volume, rate)
    }
}

/// `GET /console/laporan.csv`.
pub async fn table(
    State(state): State<WebState>,
    Who(who): Who,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let month = Month::parse(&asked.month).ok_or(Code::NotFound)?;
    let w = words(&who, "");
    let mut connection = state.limits.store.connection().await?;
    let counts = Counts::of(&mut connection, month.span).await?;
    drop(connection);
    let file = match asked.table.as_str() {
        "harian" => daily(&w, &counts, month),
        "tiket" => times(&w, &counts),
        "topik" => topics(&w, &counts),
        _ => return Err(Code::NotFound.into()),
    };
    let file = file.map_err(|error| {
        tracing::error!(%error, "a table could not be written");
        Code::Unavailable
    })?;
    let name = format!(
        "attachment; filename=\"tanya-{}-{}.csv\"",
        asked.table,
        month.code()
    );
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, file).into_response())
}

type Written = Result<Vec<u8>, ::csv::Error>;

fn daily(w: &Words, counts: &Counts, month: Month) -> Written {
    let mut csv = Csv::new(&[
        w.t("Hari", "Day"),
        w.t("Soalan", "Questions"),
        w.t("Dijawab", "Answered"),
    ])?;
    for row in &counts.days {
        let since = row.day - (month.span.0 + AHEAD) / DAY;
        let span = jiff::Span::new().try_days(since).unwrap_or_default();
        let day = month.first.checked_add(span).unwrap_or(month.first);
        csv.row(&[
            Cell::Text(&day.to_string()),
            Cell::Number(row.questions),
            Cell::Number(row.answered),
        ])?;
    }
    csv.finish()
}

fn times(w: &Words, counts: &Counts) -> Written {
    let mut csv = Csv::new(&[
        w.t("Barisan", "Queue"),
        w.t("Dibuka", "Opened"),
        w.t("Disahkan", "Acknowledged"),
        w.t("Disahkan dalam piagam", "Acknowledged in time"),
        w.t("Dijawab", "Answered"),
        w.t("Dijawab dalam piagam", "Answered in time"),
        w.t("Selesai", "Resolved"),
        w.t("Purata menunggu (minit)", "Average wait (minutes)"),
        w.t(
            "Purata penyelesaian (minit)",
            "Average resolution (minutes)",
        ),
    ])?;
    for row in &counts.tickets {
        let average = |sum: i64, count: i64| match count {
            0 => Cell::Empty,
            count => Cell::Decimal((sum / count) as f64 / 60_000.0),
        };
        csv.row(&[
            Cell::Text(&w.queue(&row.queue).label),
            Cell::Number(row.opened),
            Cell::Number(row.acknowledged),
            Cell::Number(row.acknowledged_in_time),
            Cell::Number(row.answered),
            Cell::Number(row.answered_in_time),
            Cell::Number(row.resolved),
            average(row.waited, row.acknowledged),
            average(row.took, row.resolved),
        ])?;
    }
    csv.finish()
}

fn topics(w: &Words, counts: &Counts) -> Written {
    let mut csv = Csv::new(&[w.t("Topik", "Topic"), w.t("Soalan", "Questions")])?;
    for row in &counts.topics {
        csv.row(&[Cell::Text(&row.name), Cell::Number(row.count)])?;
    }
    csv.finish()
}

/// From whom to whom.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reassigned {
    from: String,
    to: String,
}

/// `POST /console/laporan/agih`: the tickets of an officer who is absent go to another, or back to the queue.
pub async fn reassign(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(form): Posted<Reassigned>,
) -> Result<Response, Refusal> {
    let mut connection = state.limits.store.connection().await?;
    let names = state.agents.workers(&mut connection).await?;
    let filter = ticket_list::TicketFilter {
        status: Some("active".to_owned()),
        assignee: Some(form.from.clone()),
        ..ticket_list::TicketFilter::default()
    };
    let rows = ticket_list::list(&mut connection, &filter, AT_ONCE).await?;
    drop(connection);
    let known = form.to.is_empty() || names.iter().any(|(id, _)| *id == form.to);
    if !known || form.from.is_empty() {
        return Err(Code::InvalidBody.into());
    }
    let agent = Agent {
        id: &who.id,
        name: &who.name,
        supervises: who.may(Permission::AssignOthers),
    };
    let to = (!form.to.is_empty()).then_some(form.to.as_str());
    for row in rows {
        if let Some(number) = TicketNumber::parse(&row.number) {
            // One that somebody settles meanwhile needs nobody any more.
            let _ = state
                .engine
                .act(agent, &number, Form::default(), Act::Assign(to))
                .await;
        }
    }
    Ok(Redirect::to("/console/laporan").into_response())
}

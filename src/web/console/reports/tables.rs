//! The month's figures as tables to take away.

use axum::extract::State;
use axum::response::Response;

use super::Asked;
use super::counts::Counts;
use super::month::Month;
use super::view::Download;
use crate::clock::day_number;
use crate::csv::{Cell, Csv};
use crate::web::WebState;
use crate::web::console::access::{Wanted, Who};
use crate::web::console::file;
use crate::web::console::page::words;
use crate::web::console::view::Words;
use crate::web::error::{Code, Refusal};

/// The tables of a month.
pub fn tables(w: &Words, month: Month) -> Vec<Download> {
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

/// `GET /console/laporan.csv`.
pub async fn table(
    State(state): State<WebState>,
    Who(who): Who,
    Wanted(asked): Wanted<Asked>,
) -> Result<Response, Refusal> {
    let month = Month::parse(&asked.month).ok_or(Code::NotFound)?;
    let w = words(&who, "");
    let mut connection = state.limits.store.connection().await?;
    let counts = Counts::of(&mut connection, month.span).await?;
    drop(connection);
    let table = match asked.table.as_str() {
        "harian" => daily(&w, &counts, month),
        "tiket" => times(&w, &counts),
        "topik" => topics(&w, &counts),
        _ => return Err(Code::NotFound.into()),
    };
    let name = format!("tanya-{}-{}.csv", asked.table, month.code());
    Ok(file::table(&name, table)?)
}

fn daily(w: &Words, counts: &Counts, month: Month) -> Result<Vec<u8>, ::csv::Error> {
    let mut csv = Csv::new(&[
        w.t("Hari", "Day"),
        w.t("Soalan", "Questions"),
        w.t("Dijawab", "Answered"),
    ])?;
    for row in &counts.days {
        let since = row.day - day_number(month.first);
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

fn times(w: &Words, counts: &Counts) -> Result<Vec<u8>, ::csv::Error> {
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

fn topics(w: &Words, counts: &Counts) -> Result<Vec<u8>, ::csv::Error> {
    let mut csv = Csv::new(&[w.t("Topik", "Topic"), w.t("Soalan", "Questions")])?;
    for row in &counts.topics {
        csv.row(&[Cell::Text(&row.name), Cell::Number(row.count)])?;
    }
    csv.finish()
}

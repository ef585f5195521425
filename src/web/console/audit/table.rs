//! The record as a table to take away.

use axum::extract::State;
use axum::response::Response;

use super::Asked;
use super::line::line;
use crate::agent::role::Permission;
use crate::clock::rfc3339;
use crate::csv::{Cell, Csv};
use crate::storage::audit::{self, AuditRow};
use crate::web::WebState;
use crate::web::console::access::{Wanted, Who};
use crate::web::console::file;
use crate::web::console::page::{forbidden, words};
use crate::web::console::view::Words;
use crate::web::error::Refusal;

/// Lines in a table.
const TAKEN: i64 = 10_000;

/// `GET /console/audit.csv`.
pub async fn table(
    State(state): State<WebState>,
    Who(who): Who,
    Wanted(asked): Wanted<Asked>,
) -> Result<Response, Refusal> {
    if !who.may(Permission::ExportCsv) {
        return Ok(forbidden(&who));
    }
    let mut connection = state.limits.store.connection().await?;
    let rows = audit::filtered(&mut connection, &asked.filter(), TAKEN).await?;
    let names = state.agents.names(&mut connection).await?;
    drop(connection);
    let written = written(&words(&who, ""), &names, &rows);
    Ok(file::table("tanya-audit.csv", written)?)
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

//! Files to take away: tables and patches, under names that are ours.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::super::error::Code;

/// A table, if it could be written.
pub fn table(name: &str, written: Result<Vec<u8>, ::csv::Error>) -> Result<Response, Code> {
    let table = written.map_err(|error| {
        tracing::error!(%error, "a table could not be written");
        Code::Unavailable
    })?;
    Ok(attached("text/csv; charset=utf-8", name, table))
}

/// A patch, which shows as text.
pub fn patch(name: &str, text: String) -> Response {
    attached("text/x-patch; charset=utf-8", name, text)
}

fn attached(kind: &'static str, name: &str, body: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, body).into_response()
}

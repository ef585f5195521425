//! The documents behind the one-time links: the first GET takes it, a HEAD takes nothing.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::extract::At;
use super::link::Purpose;
use super::records::Document;
use super::{Simulator, page, sheet};

/// `/documents/{token}`.
pub fn router() -> Router<Simulator> {
    Router::new().route("/documents/{token}", get(open).head(look))
}

async fn open(State(simulator): State<Simulator>, At(token): At<String>) -> Response {
    let now = simulator.clock().now();
    let document = simulator.records().take_document(&token, now);
    let printed = document.and_then(|document| Some((headers(&document), print(&document)?)));
    match printed {
        Some((headers, pdf)) => (headers, pdf).into_response(),
        None => gone(),
    }
}

async fn look(State(simulator): State<Simulator>, At(token): At<String>) -> Response {
    let now = simulator.clock().now();
    let document = simulator.records().see_document(&token, now);
    document.map_or_else(gone, |document| headers(&document).into_response())
}

fn gone() -> Response {
    (StatusCode::GONE, page::gone()).into_response()
}

fn print(document: &Document) -> Option<Vec<u8>> {
    match document.purpose {
        Purpose::Payslip(month) => Some(sheet::payslip(&document.person, month)),
        Purpose::Statement(year) => sheet::statement(&document.person, year),
        Purpose::Password => None,
    }
}

fn headers(document: &Document) -> HeaderMap {
    let name = match document.purpose {
        Purpose::Payslip(month) => format!("slip-gaji-{month}.pdf"),
        Purpose::Statement(year) => format!("penyata-tahunan-{year}.pdf"),
        Purpose::Password => String::new(),
    };
    let disposition = format!("inline; filename=\"{name}\"");
    let plain = HeaderValue::from_static("inline");
    let disposition = HeaderValue::from_str(&disposition).unwrap_or(plain);
    let kind = HeaderValue::from_static("application/pdf");
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, disposition),
    ])
}

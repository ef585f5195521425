//! What goes wrong on purpose: switched with `PUT /faults`, in force for everything under `/v1` and nothing else.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};

use super::problem::Code;
use super::{Simulator, page};

/// The longest delay.
const SLOWEST_MS: u64 = 120_000;

/// The faults in force. `PUT /faults` replaces them all; a field left out is off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Milliseconds that every answer is held back. What was asked for is done before.
    pub slow_ms: u64,
    /// Answers 500 and does nothing.
    pub error: bool,
    /// Answers with a login page instead of JSON and does nothing.
    pub html: bool,
    /// Answers with JSON that ends in the middle and does nothing.
    pub garbage: bool,
    /// Does what was asked, but answers 500 to the first call of each key.
    pub duplicate: bool,
    /// Breaks the connection off and does nothing.
    pub down: bool,
    /// Answers that the mail could not be sent, and sends none.
    pub mail_not_sent: bool,
    /// Tells about somebody else than was asked.
    pub lies: bool,
    /// Hands out links that lead to another site.
    pub foreign_link: bool,
    /// What `/v1/status` tells.
    pub status: Status,
}

/// How the two systems are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Status {
    /// Sistem iSPEKS, for the offices.
    pub sistem: Health,
    /// Portal iSPEKS, for staff and suppliers.
    pub portal: Health,
    /// A sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How one system is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It works.
    #[default]
    Up,
    /// It does not.
    Down,
    /// It is being worked on.
    Maintenance,
}

/// Lets the faults in force happen around a call.
pub async fn happen(State(simulator): State<Simulator>, request: Request, next: Next) -> Response {
    let faults = simulator.faults();
    let answer = if faults.down {
        broken_off()
    } else if faults.html {
        page::login("").into_response()
    } else if faults.garbage {
        garbage()
    } else if faults.error {
        Code::Internal.into_response()
    } else {
        next.run(request).await
    };
    if faults.slow_ms > 0 {
        tokio::time::sleep(Duration::from_millis(faults.slow_ms.min(SLOWEST_MS))).await;
    }
    answer
}

/// A body that fails before its first byte, at which the server closes the connection.
fn broken_off() -> Response {
    let failed = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    let body = stream::once(std::future::ready(Err::<Vec<u8>, _>(failed)));
    Response::new(Body::from_stream(body))
}

fn garbage() -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, r#"{"person":{"ref":"p_0"#).into_response()
}

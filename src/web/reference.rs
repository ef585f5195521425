//! A reference for each request: in its lines of the log, in its answer's head, and in what a person is told when it
//! fails. It tells nothing, and is long enough to be the only one of its day.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;
use rand::Rng;
use tracing::Instrument;

use super::WebState;
use crate::trace::{Fact, Span, Work};

/// The header that carries it.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The longest one that is taken from a proxy.
const LONGEST: usize = 64;
/// The methods that are told to a collector of traces by their names.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

tokio::task_local! {
    /// The reference of the request that is being answered.
    static CURRENT: String;
}

/// The reference of the request that is being answered, if there is one.
pub fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Gives a request its reference.
pub async fn give(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let brought = brought(&request, &state.limits.trusted_proxies);
    let reference = brought.unwrap_or_else(drawn);
    // At the level of errors: whatever is logged within it says whose it is.
    let span = tracing::error_span!("request", reference);
    let traced = traced(&request, &reference);
    let answer = CURRENT.scope(reference.clone(), next.run(request));
    let mut response = traced.around(answer.instrument(span)).await;
    traced.note(Fact::Status(response.status().as_u16()));
    if let Ok(value) = HeaderValue::from_str(&reference) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// What a collector of traces is told of a request: no path, since that may hold anything, and no method that somebody made up.
fn traced(request: &Request, reference: &str) -> Span {
    let route = request.extensions().get::<MatchedPath>();
    let given = request.method().as_str();
    let known = METHODS.into_iter().find(|method| *method == given);
    let span = Span::begin(Work::Request {
        method: known.unwrap_or("_OTHER"),
        route: route.map(MatchedPath::as_str),
    });
    span.note(Fact::Reference(reference));
    span
}

/// What a trusted proxy gave; nobody else is believed.
fn brought(request: &Request, trusted: &[IpNet]) -> Option<String> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    let peer = peer.0.ip().to_canonical();
    if !trusted.iter().any(|network| network.contains(&peer)) {
        return None;
    }
    let given = request.headers().get(HEADER)?.to_str().ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let fits = (8..=LONGEST).contains(&given.len()) && given.chars().all(plain);
    fits.then(|| given.to_owned())
}

fn drawn() -> String {
    let mut bytes = [0_u8; 6];
    rand::rng().fill_bytes(&mut bytes);
    let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("R-{digits}")
}

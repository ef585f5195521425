//! How requests are read: JSON bodies within their limits, and whose chat it is.

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use super::WebState;
use super::error::Code;

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// A JSON body, read within the limits of size and time; unknown fields are for its type to refuse.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<WebState> for JsonBody<T> {
    type Rejection = Code;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, Code> {
        if !is_json(request.headers()) {
            return Err(Code::UnsupportedType);
        }
        let bytes = tokio::time::timeout(state.body_timeout, read(request, state)).await;
        let bytes = bytes.map_err(|_| Code::Timeout)??;
        let parsed = serde_json::from_slice(&bytes).map_err(|_| Code::InvalidBody)?;
        Ok(Self(parsed))
    }
}

async fn read(request: Request<Body>, state: &WebState) -> Result<Bytes, Code> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(failure)
                if failure.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE =>
            {
                Code::TooLarge
            }
            _ => Code::InvalidBody,
        })
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    let kind = value.and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// The conversation that the path names, opened by the token that came along. A foreign one and a missing one are the
/// same: not found.
#[derive(Clone, Debug)]
pub struct OpenConversation(pub String);

impl FromRequestParts<WebState> for OpenConversation {
    type Rejection = Code;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Code> {
        let token = bearer(&parts.headers).ok_or(Code::SessionEnded)?;
        let opened = state.engine.opened_by(token).await?;
        let opened = opened.ok_or(Code::SessionEnded)?;
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Code::NotFound)?;
        if id == opened {
            Ok(Self(opened))
        } else {
            Err(Code::NotFound)
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

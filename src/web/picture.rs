//! Pictures into the chat over HTTP: raw bytes, read within the limits of size, time and number. What comes is never shown
//! again to whoever sent it.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use std::time::Duration;
use uuid::Uuid;

use super::WebState;
use super::chat::Replies;
use super::error::{Code, Problem, Refusal};
use super::extract::OpenConversation;
use super::limit::ClientNetwork;
use crate::conversation::keeping::RawPicture;
use crate::conversation::message::{Content, Incoming};
use crate::picture::MOST_BYTES;

/// How long a picture's body may take: five megabytes over a slow line.
const BODY: Duration = Duration::from_secs(60);

/// Who sends it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// The sender's own id; the same id again does nothing twice.
    client_id: Uuid,
}

/// Send a picture to the officers: PNG or JPEG, 5 MB at most. It is made anew from its pixels, and never given back.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/pictures", tag = "chat",
    request_body(content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"))),
    params(("id" = String, Path), ("client_id" = Uuid, Query)), security(("chat" = [])),
    responses((status = 200, body = Replies), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub async fn send(
    State(state): State<WebState>,
    OpenConversation(id): OpenConversation,
    ClientNetwork(network): ClientNetwork,
    sent: Result<Query<Sent>, QueryRejection>,
    request: Request,
) -> Result<Json<Replies>, Refusal> {
    let Query(sent) = sent.map_err(|_| Code::InvalidBody)?;
    if !is_picture(request.headers()) {
        return Err(Code::UnsupportedType.into());
    }
    if length(request.headers()).is_some_and(|length| length > MOST_BYTES as u64) {
        return Err(Code::TooLarge.into());
    }
    state.limits.admit_picture(&network).await?;
    let _place = state.limits.uploads.admit().ok_or(Code::Unavailable)?;
    let bytes = read(request.into_body()).await?;
    let incoming = Incoming {
        client_id: sent.client_id,
        content: Content::Unreadable,
        receipt: None,
        original: None,
        who: None,
        network: None,
    };
    let picture = RawPicture {
        bytes,
        ..RawPicture::default()
    };
    let replies = state.engine.handle_picture(&id, incoming, picture).await?;
    Ok(Json(Replies { replies }))
}

async fn read(body: Body) -> Result<Vec<u8>, Code> {
    let bytes = tokio::time::timeout(BODY, to_bytes(body, MOST_BYTES)).await;
    match bytes.map_err(|_| Code::Timeout)? {
        Ok(bytes) => Ok(bytes.into()),
        Err(_) => Err(Code::TooLarge),
    }
}

fn is_picture(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    ["image/png", "image/jpeg"]
        .iter()
        .any(|taken| kind.trim().eq_ignore_ascii_case(taken))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

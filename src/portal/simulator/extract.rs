//! What handlers take from a request. Whatever is wrong with it becomes a problem document.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Code;

/// The longest `Idempotency-Key`.
const LONGEST_KEY: usize = 200;

/// Parts of the address; what cannot be read leads nowhere.
pub struct At<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Code;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Code> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(path)| Self(path))
            .map_err(|_| Code::NotFound)
    }
}

/// A JSON body.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Code;

    async fn from_request(request: Request, state: &S) -> Result<Self, Code> {
        let json = Json::from_request(request, state).await;
        json.map(|Json(body)| Self(body))
            .map_err(|error| refusal(&error))
    }
}

fn refusal(error: &JsonRejection) -> Code {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedType,
        _ => Code::InvalidBody,
    }
}

/// The `Idempotency-Key` that every effect needs, and the certainty that no body came with it (or `{}`).
pub struct EffectKey(pub String);

impl<S: Send + Sync> FromRequest<S> for EffectKey {
    type Rejection = Code;

    async fn from_request(request: Request, state: &S) -> Result<Self, Code> {
        let header = request.headers().get("idempotency-key");
        let key = header.and_then(|key| key.to_str().ok()).unwrap_or_default();
        let key = key.trim().to_owned();
        if key.is_empty() || key.len() > LONGEST_KEY {
            return Err(Code::IdempotencyKeyMissing);
        }
        let body = String::from_request(request, state).await;
        let body = body.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
            _ => Code::InvalidBody,
        })?;
        match body.trim() {
            "" | "{}" => Ok(Self(key)),
            _ => Err(Code::InvalidBody),
        }
    }
}

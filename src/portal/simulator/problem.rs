//! What the sample portal answers when it refuses: RFC 9457 problem documents with a code from a closed set.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Everything that may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The body is not what it should be.
    InvalidBody,
    /// An effect without a usable `Idempotency-Key`.
    IdempotencyKeyMissing,
    /// No token, or a wrong one.
    Unauthorized,
    /// No such person or address.
    NotFound,
    /// The person is a supplier, and only staff have such documents.
    NotStaff,
    /// There is no document for that month or year.
    NoDocument,
    /// There is such an address, but not in this way.
    MethodNotAllowed,
    /// The person has left.
    Inactive,
    /// The person never registered.
    NoAccount,
    /// No e-mail address is registered.
    NoEmail,
    /// The account is in use already.
    AlreadyActive,
    /// The salary does not come through module PY.
    NotInPayroll,
    /// The body is over 64 KiB.
    TooLarge,
    /// The body is not JSON.
    UnsupportedType,
    /// The portal failed.
    Internal,
    /// The mail could not be sent and nothing was changed.
    MailNotSent,
}

#[derive(Serialize)]
struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: Code,
    detail: &'static str,
}

impl Code {
    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidBody | Self::IdempotencyKeyMissing => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound | Self::NotStaff | Self::NoDocument => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Inactive
            | Self::NoAccount
            | Self::NoEmail
            | Self::AlreadyActive
            | Self::NotInPayroll => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::MailNotSent => StatusCode::BAD_GATEWAY,
        }
    }

    fn detail(self) -> &'static str {
        match self {
            Self::InvalidBody => "The body cannot be read, or has a field that is not known here.",
            Self::IdempotencyKeyMissing => {
                "Send an Idempotency-Key of 1 to 200 visible ASCII characters."
            }
            Self::Unauthorized => "Send the bearer token of this interface.",
            Self::NotFound => "There is nothing under this address or number.",
            Self::NotStaff => "Only staff have payslips and annual statements.",
            Self::NoDocument => "There is no document for this period.",
            Self::MethodNotAllowed => "This address does not take this method.",
            Self::Inactive => "This person is not in service any more.",
            Self::NoAccount => "This person has no account yet; activation comes first.",
            Self::NoEmail => "No e-mail address is registered for this person.",
            Self::AlreadyActive => "This account is active already.",
            Self::NotInPayroll => "This person is not paid through module PY.",
            Self::TooLarge => "The body is over 64 KiB.",
            Self::UnsupportedType => "Send application/json.",
            Self::Internal => "The portal failed. The outcome is not known.",
            Self::MailNotSent => "The mail could not be sent. Nothing was changed.",
        }
    }
}

impl IntoResponse for Code {
    fn into_response(self) -> Response {
        let status = self.status();
        let problem = Problem {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Problem"),
            status: status.as_u16(),
            code: self,
            detail: self.detail(),
        };
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        if self == Self::Unauthorized {
            let challenge = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

//! What goes wrong for a caller: RFC 9457 problem documents with a stable `code`, from a closed set. An unexpected
//! fault is logged here, once, and told as `unavailable` without its reason.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::conversation::EngineError;
use crate::knowledge::ask::Unaskable;
use crate::picture::PictureRefused;

/// Everything that a caller may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::enum_variant_names,
    reason = "the wrong code of a person is `wrong_code` in the contract"
)]
pub enum Code {
    /// The body cannot be read as what it should be.
    InvalidBody,
    /// The token is missing, wrong, or its chat is over.
    SessionEnded,
    /// There is no such thing, or it is somebody else's.
    NotFound,
    /// There is such a thing, but not in this way.
    MethodNotAllowed,
    /// The choice is not offered any more.
    ChoiceExpired,
    /// The body did not come in time.
    Timeout,
    /// The body is over the limit.
    TooLarge,
    /// The body is of another type than the address takes.
    UnsupportedType,
    /// The link is spent, expired or unknown.
    LinkGone,
    /// It has not the form of an identity number.
    InvalidIdNo,
    /// It is not the code.
    WrongCode,
    /// The code is too old.
    Expired,
    /// Too many failures.
    Locked,
    /// The text has nothing to read.
    EmptyText,
    /// The text is over 4,096 characters.
    TextTooLong,
    /// The picture is incomplete or broken.
    DamagedPicture,
    /// Too much at once; Retry-After says when to go on.
    SlowDown,
    /// The request comes from a page of another site.
    ForeignOrigin,
    /// Something that is needed does not answer; worth trying again.
    Unavailable,
}

/// A problem document.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the code says which problem it is.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// Which problem it is.
    code: Code,
    /// What to do, for people.
    detail: &'static str,
    /// Guesses that are left, where the code was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts_left: Option<usize>,
    /// What to quote to the helpdesk, where something failed: the log knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

impl Code {
    fn status(self) -> StatusCode {
        match self {
            Self::InvalidBody => StatusCode::BAD_REQUEST,
            Self::SessionEnded => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::ChoiceExpired => StatusCode::CONFLICT,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::LinkGone => StatusCode::GONE,
            Self::InvalidIdNo
            | Self::WrongCode
            | Self::Expired
            | Self::Locked
            | Self::EmptyText
            | Self::TextTooLong
            | Self::DamagedPicture => StatusCode::UNPROCESSABLE_ENTITY,
            Self::SlowDown => StatusCode::TOO_MANY_REQUESTS,
            Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn detail(self) -> &'static str {
        match self {
            Self::InvalidBody => "The body is not the JSON object that this address takes.",
            Self::SessionEnded => "The chat is over or the token is not valid. Begin a new chat.",
            Self::NotFound => "There is nothing here.",
            Self::MethodNotAllowed => "This address does not take this method.",
            Self::ChoiceExpired => "This choice is not offered any more. Ask again.",
            Self::Timeout => "The body did not arrive in time.",
            Self::TooLarge => {
                "The body is over the limit of this address: 64 KiB, or 5 MB for a picture."
            }
            Self::UnsupportedType => {
                "The body must be application/json, or a PNG or JPEG where a picture is taken."
            }
            Self::LinkGone => "The link is spent, expired or not valid. Ask again in the chat.",
            Self::InvalidIdNo => "This is not the form of an identity number.",
            Self::WrongCode => "The code is not right.",
            Self::Expired => "The code has expired. Ask for another.",
            Self::Locked => "Too many attempts. Ask again later.",
            Self::EmptyText => "The text is empty.",
            Self::TextTooLong => "The text is longer than 4,096 characters.",
            Self::DamagedPicture => "The picture is incomplete or broken.",
            Self::SlowDown => "Too much at once. Go on after the time in Retry-After.",
            Self::ForeignOrigin => "Pages of other sites cannot use this address.",
            Self::Unavailable => "The service cannot do this now. Try again shortly.",
        }
    }
}

/// A refusal that may say when to try again.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    code: Code,
    after: Option<Duration>,
    attempts_left: Option<usize>,
}

impl Refusal {
    /// Too much at once; to go on after `wait`.
    pub fn slow_down(wait: Duration) -> Self {
        Self {
            code: Code::SlowDown,
            after: Some(wait),
            attempts_left: None,
        }
    }

    /// It is not the code; so many guesses are left.
    pub fn wrong_code(left: usize) -> Self {
        Self {
            code: Code::WrongCode,
            after: None,
            attempts_left: Some(left),
        }
    }
}

/// Who has sent as many pictures as are looked at in a day comes back later.
const AN_HOUR: Duration = Duration::from_secs(3_600);
/// What is too busy now is worth trying again after this.
const SHORTLY: Duration = Duration::from_secs(2);

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        let after = matches!(code, Code::SlowDown | Code::Unavailable).then_some(SHORTLY);
        Self {
            code,
            after,
            attempts_left: None,
        }
    }
}

impl IntoResponse for Code {
    fn into_response(self) -> Response {
        Refusal::from(self).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self {
            code,
            after,
            attempts_left,
        } = self;
        let status = code.status();
        let problem = Problem {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail: code.detail(),
            attempts_left,
            reference: super::reference::current().filter(|_| status.is_server_error()),
        };
        let mut response = (status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(after) = after {
            let seconds = after.as_millis().div_ceil(1000).max(1) as u64;
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Unaskable> for Code {
    fn from(error: Unaskable) -> Self {
        match error {
            Unaskable::Empty => Self::EmptyText,
            Unaskable::TooLong => Self::TextTooLong,
        }
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::TooFast { wait } => Self::slow_down(wait),
            EngineError::TooManyPictures => Self::slow_down(AN_HOUR),
            other => Code::from(other).into(),
        }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        EngineError::from(error).into()
    }
}

impl From<EngineError> for Code {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::TooFast { .. } => Self::SlowDown,
            EngineError::Gone => Self::SessionEnded,
            EngineError::NoSuchMessage => Self::NotFound,
            EngineError::ChoiceExpired => Self::ChoiceExpired,
            EngineError::Unaskable(error) => error.into(),
            EngineError::Picture(PictureRefused::TooLarge | PictureRefused::TooManyPixels) => {
                Self::TooLarge
            }
            EngineError::Picture(PictureRefused::Unsupported) => Self::UnsupportedType,
            EngineError::Picture(PictureRefused::Damaged) => Self::DamagedPicture,
            EngineError::TooManyPictures => Self::SlowDown,
            EngineError::Busy => {
                tracing::warn!("a conversation was too busy for a turn");
                Self::Unavailable
            }
            EngineError::Database(error) => {
                tracing::error!(%error, "the database failed");
                Self::Unavailable
            }
        }
    }
}

impl From<tantivy::TantivyError> for Code {
    fn from(error: tantivy::TantivyError) -> Self {
        tracing::error!(%error, "the index failed");
        Self::Unavailable
    }
}

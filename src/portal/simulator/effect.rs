//! What a caller may make the portal do, and the answers already given: one key has one effect.

use std::collections::{HashMap, VecDeque};

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::link::Link;
use super::problem::Code;

/// How many answers are remembered.
const REMEMBERED: usize = 10_000;
/// Where the links lead while the fault `foreign_link` is on.
const FOREIGN: &str = "https://evil.example/";

/// Something that happens once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// A new temporary password.
    PasswordReset,
    /// Registration, and the first password.
    Activation,
    /// A link to the payslip of a month, as the caller wrote it.
    PayslipLink(String),
    /// A link to the annual statement of a year, as the caller wrote it.
    StatementLink(String),
}

impl Effect {
    /// Whether somebody gets a mail out of it.
    pub fn mails(&self) -> bool {
        match self {
            Self::PasswordReset | Self::Activation => true,
            Self::PayslipLink(_) | Self::StatementLink(_) => false,
        }
    }
}

/// One call for an effect; the same call again is the same effect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// The `Idempotency-Key`.
    pub key: String,
    /// Whom it is about.
    pub reference: String,
    /// What shall happen.
    pub effect: Effect,
}

/// What came of an effect.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The portal mailed it.
    Mailed,
    /// The helpdesk mails this link.
    ToMail(Link),
    /// A link to a document.
    Document(Link),
}

impl Answer {
    /// The same answer with a link that leads away from the portal.
    pub fn leading_elsewhere(self) -> Self {
        let elsewhere = |link: Link| Link {
            url: link
                .url
                .rsplit('/')
                .next()
                .map_or(FOREIGN.to_owned(), |end| format!("{FOREIGN}{end}")),
            ..link
        };
        match self {
            Self::Mailed => Self::Mailed,
            Self::ToMail(link) => Self::ToMail(elsewhere(link)),
            Self::Document(link) => Self::Document(elsewhere(link)),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Mailed => {
                (StatusCode::ACCEPTED, Json(json!({"delivery": "portal"}))).into_response()
            }
            Self::ToMail(Link { url, expires_at }) => {
                Json(json!({"delivery": "helpdesk", "url": url, "expires_at": expires_at}))
                    .into_response()
            }
            Self::Document(link) => Json(link).into_response(),
        }
    }
}

/// What came of a call: an answer, or why not.
pub type Outcome = Result<Answer, Code>;

/// The outcomes of the latest calls.
#[derive(Debug, Default)]
pub struct Outcomes {
    known: HashMap<Call, Outcome>,
    order: VecDeque<Call>,
}

impl Outcomes {
    /// What came of this call, if it was made before.
    pub fn of(&self, call: &Call) -> Option<Outcome> {
        self.known.get(call).cloned()
    }

    /// Remembers what came of a call.
    pub fn remember(&mut self, call: Call, outcome: Outcome) {
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(call.clone());
        self.known.insert(call, outcome);
    }
}

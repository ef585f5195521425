//! Proving who one is: the page's own interface (contracts, section 5). What it answers before a proof is the same for
//! every number of the right form.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::WebState;
use super::error::{Code, Problem, Refusal};
use super::extract::{JsonBody, OpenConversation};
use super::limit::ClientNetwork;
use super::pages::{self, SECRET_PAGE};
use crate::clock::rfc3339;
use crate::conversation::message::{Content, Incoming};
use crate::identity::number::{IdentityNumber, Kind};
use crate::identity::request::Action;
use crate::identity::{Opened, Refused, Step};
use crate::knowledge::period::Period;
use crate::knowledge::text::Language;
use crate::mail::letters::named;
use crate::secret::Secret;

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage;

/// `/verify`: the page.
pub async fn page() -> Response {
    pages::page(SECRET_PAGE, &VerifyPage)
}

/// A request's link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The part of the link behind `#`.
    token: String,
}

/// What a page says before it takes anything.
#[derive(Debug, Serialize, ToSchema)]
pub struct About {
    /// `web` or `telegram`.
    channel: String,
    /// How the channel names whoever asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    /// When it was asked, RFC 3339 in UTC.
    asked_at: String,
    /// When the link dies.
    expires_at: String,
    /// The language of the chat.
    language: String,
    /// What for.
    action: Action,
    /// Of which month or year, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<String>,
    /// `number` or `code`: what is to be given next.
    step: &'static str,
    /// `portal`, or `manual` where an officer does it.
    mode: &'static str,
    /// In how many seconds a code can be asked for again.
    #[serde(skip_serializing_if = "Option::is_none")]
    resend_after: Option<i64>,
    /// The last four characters of the number, where the chat knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_with: Option<String>,
}

/// What a request for a proof is about.
#[utoipa::path(post, path = "/api/v1/verify/about", tag = "verify", request_body = Token,
    responses((status = 200, body = About), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub async fn about(
    State(state): State<WebState>,
    JsonBody(token): JsonBody<Token>,
) -> Result<Json<About>, Refusal> {
    let about = state.identity.about(&token.token).await?;
    let language = Language::parse(&about.language).unwrap_or_default();
    let period = about.request.period.as_deref().and_then(Period::parse);
    let manual = state.portal.is_none();
    Ok(Json(About {
        channel: about.channel,
        who: about
            .who
            .as_deref()
            .map(named)
            .filter(|who| !who.is_empty()),
        asked_at: rfc3339(about.asked_at),
        expires_at: rfc3339(about.expires_at),
        language: about.language,
        action: about.request.action,
        period: period.map(|period| period.shown(language)),
        step: match about.step {
            Step::Number => "number",
            Step::Code => "code",
        },
        mode: if manual { "manual" } else { "portal" },
        resend_after: about.resend_after.map(seconds),
        ends_with: about.last4,
    }))
}

fn seconds(millis: i64) -> i64 {
    (millis + 999) / 1000
}

/// A number.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The part of the link behind `#`.
    token: String,
    /// As whom.
    #[serde(default)]
    kind: Option<Kind>,
    /// The identity card's number, or the company's; none to have another code for the one that was given before.
    #[serde(default)]
    id_no: Option<String>,
}

/// A code is on its way, if the number is known.
#[derive(Debug, Serialize, ToSchema)]
pub struct Started {
    /// In how many seconds another code can be asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    resend_after: Option<i64>,
    /// An officer has the number: there is nothing more to do on the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<bool>,
}

/// Give a number, and have a code mailed to whom it belongs.
#[utoipa::path(post, path = "/api/v1/verify/start", tag = "verify", request_body = Start,
    responses((status = 202, body = Started), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub async fn start(
    State(state): State<WebState>,
    ClientNetwork(network): ClientNetwork,
    JsonBody(start): JsonBody<Start>,
) -> Result<(StatusCode, Json<Started>), Refusal> {
    let opened = Opened::Token(&start.token);
    let number = match (start.kind, &start.id_no) {
        (Some(kind), Some(text)) => {
            let number = IdentityNumber::parse(kind, text);
            Some(number.ok_or(Code::InvalidIdNo)?)
        }
        (None, None) => None,
        _ => return Err(Code::InvalidBody.into()),
    };
    let network = Some(state.limits.asking(&network));
    let started = if state.portal.is_some() {
        let started = state.identity.start(opened, number.as_ref(), network);
        Started {
            resend_after: Some(seconds(started.await?.resend_after)),
            done: None,
        }
    } else {
        let number = number.ok_or(Code::InvalidBody)?;
        state.engine.hand_over(opened, &number, network).await?;
        Started {
            resend_after: None,
            done: Some(true),
        }
    };
    Ok((StatusCode::ACCEPTED, Json(started)))
}

/// A code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Finish {
    /// The part of the link behind `#`.
    token: String,
    /// The eight digits.
    code: String,
}

/// What brings the proof back to the chat that asked.
#[derive(Serialize, ToSchema)]
pub struct Finished {
    /// The secret, shown once.
    r#return: String,
    /// Where the person goes on, on Telegram.
    #[serde(skip_serializing_if = "Option::is_none")]
    telegram: Option<String>,
}

/// Give the code.
#[utoipa::path(post, path = "/api/v1/verify/finish", tag = "verify", request_body = Finish,
    responses((status = 200, body = Finished), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub async fn finish(
    State(state): State<WebState>,
    ClientNetwork(network): ClientNetwork,
    JsonBody(finish): JsonBody<Finish>,
) -> Result<Json<Finished>, Refusal> {
    let network = Some(state.limits.asking(&network));
    let opened = Opened::Token(&finish.token);
    let finished = state.identity.finish(opened, &finish.code, network).await?;
    let bot = state.bot_name.current();
    let bot = bot.filter(|_| finished.channel == "telegram");
    Ok(Json(Finished {
        telegram: bot.map(|bot| format!("https://t.me/{bot}?start={}", finished.secret.reveal())),
        r#return: finished.secret.reveal().to_owned(),
    }))
}

/// A proof that comes back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    /// The secret that the page got.
    r#return: String,
}

/// The message that a secret comes in: the same secret again is the same message.
fn message_of(secret: &str) -> Uuid {
    let digest = Sha256::digest(secret.as_bytes());
    let half = digest.first_chunk::<16>().copied();
    uuid::Builder::from_custom_bytes(half.unwrap_or_default()).into_uuid()
}

/// Bring a proof back to the chat that asked for it; the chat goes on by itself.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/proof", tag = "chat", request_body = Returned,
    params(("id" = String, Path)), security(("chat" = [])),
    responses((status = 204), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub async fn prove(
    State(state): State<WebState>,
    OpenConversation(id): OpenConversation,
    JsonBody(returned): JsonBody<Returned>,
) -> Result<StatusCode, Refusal> {
    let client_id = message_of(&returned.r#return);
    if !state
        .engine
        .can_return(&id, client_id, &returned.r#return)
        .await?
    {
        return Err(Code::LinkGone.into());
    }
    let incoming = Incoming {
        client_id,
        content: Content::Returned(Secret::new(returned.r#return)),
        receipt: None,
        original: None,
        who: None,
        network: None,
    };
    state.engine.handle(&id, incoming).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Gone => Code::LinkGone.into(),
            Refused::WrongCode { left } => Self::wrong_code(left),
            Refused::Expired => Code::Expired.into(),
            Refused::Locked => Code::Locked.into(),
            Refused::Wait(wait) => {
                Self::slow_down(std::time::Duration::from_millis(wait.unsigned_abs()))
            }
            Refused::Database(error) => error.into(),
        }
    }
}

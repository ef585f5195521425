//! Updates that are brought: the secret is compared before the body is read, and 200 is said after they are kept.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::post;
use serde_json::Value;
use teloxide::Bot;
use teloxide::payloads::SetWebhookSetters;
use teloxide::requests::Requester;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::api::{Refusal, WANTED};
use super::inbox::Inbox;
use crate::secret::{Secret, same};

/// Where updates are brought.
pub const PATH: &str = "/telegram/webhook";
/// Where updates are brought of a deployment that is reached so.
pub fn webhook_url(public_url: &str) -> String {
    format!("{public_url}{PATH}")
}

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// The largest update that is read, in bytes: a text of 4,096 characters with all its entities is far smaller.
const MAX_UPDATE: usize = 1024 * 1024;
/// Updates that Telegram may bring at the same time; those of one chat come one after another.
const AT_ONCE: u8 = 40;
const AGAIN: Duration = Duration::from_secs(10);

/// What takes updates that are brought.
#[derive(Clone)]
pub struct Webhook {
    /// Where updates are kept.
    pub inbox: Inbox,
    /// What Telegram proves itself with.
    pub secret: Secret,
    /// What it proved itself with before a change; it takes a moment until it brings the new one.
    pub old: Option<Secret>,
    /// How long a body may take.
    pub body_timeout: Duration,
}

impl Webhook {
    /// The address that updates are brought to.
    pub fn routes(self) -> Router {
        Router::new().route(PATH, post(take)).with_state(self)
    }

    /// Tells Telegram where to bring updates, until it has understood. Nobody ever tells it to stop: others may be
    /// there to take them.
    pub async fn announce(self, bot: Bot, public_url: String, stop: CancellationToken) {
        let Ok(url) = Url::parse(&webhook_url(&public_url)) else {
            return;
        };
        loop {
            let request = bot
                .set_webhook(url.clone())
                .secret_token(self.secret.reveal().to_owned())
                .max_connections(AT_ONCE)
                .allowed_updates(WANTED);
            let refusal = match request.await {
                Ok(_) => return tracing::info!("Telegram brings updates to this address"),
                Err(error) => Refusal::from(&error),
            };
            let why = refusal.as_str();
            tracing::warn!(why, "Telegram does not take the webhook; trying again");
            let wait = refusal.wait(AGAIN);
            if tokio::time::timeout(wait, stop.cancelled()).await.is_ok() {
                return;
            }
        }
    }

    /// Whether the request comes with the secret, once.
    fn is_proven(&self, headers: &HeaderMap) -> bool {
        let mut given = headers.get_all(SECRET_HEADER).iter();
        match (given.next(), given.next()) {
            (Some(given), None) => {
                let is = |secret: &Secret| same(given.as_bytes(), secret.reveal().as_bytes());
                is(&self.secret) | self.old.as_ref().is_some_and(is)
            }
            _ => false,
        }
    }
}

async fn take(State(webhook): State<Webhook>, request: Request<Body>) -> StatusCode {
    if !webhook.is_proven(request.headers()) {
        metrics::counter!("tanya_telegram_updates_total", "outcome" => "unproven").increment(1);
        return StatusCode::UNAUTHORIZED;
    }
    let body = to_bytes(request.into_body(), MAX_UPDATE);
    let body = match tokio::time::timeout(webhook.body_timeout, body).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE,
        Err(_) => return StatusCode::REQUEST_TIMEOUT,
    };
    // What nobody can read will not get better by being brought again.
    let Ok(update) = serde_json::from_slice::<Value>(&body) else {
        metrics::counter!("tanya_telegram_updates_total", "outcome" => "unreadable").increment(1);
        return StatusCode::OK;
    };
    match webhook.inbox.keep(&[update]).await {
        Ok(_) => StatusCode::OK,
        Err(error) => {
            tracing::error!(%error, "an update could not be kept; it is brought again");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

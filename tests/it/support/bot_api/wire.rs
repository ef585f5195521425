//! HTTP: requests as the bot sends them, answers as Telegram gives them, and the ways in which a connection fails.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{BotApi, Fault, Outcome, Refusal, TOKEN};

/// What two bots with one token hear.
const OTHER_POLL: &str =
    "terminated by other getUpdates request; make sure that only one bot instance is running";
/// Fields of forms that are text even if they look like JSON.
const TEXTS: [&str; 3] = ["url", "ip_address", "secret_token"];

/// Everything that the server serves.
pub fn router(api: BotApi) -> Router {
    Router::new()
        .route("/{bot}/{method}", any(serve))
        .route("/file/{bot}/{*path}", get(serve_file))
        .fallback(async || answer(&Err(Refusal::new(404, "Not Found"))))
        .with_state(api)
}

async fn serve(
    State(api): State<BotApi>,
    Path((bot, method)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refusal) = authorise(&api, &bot) {
        api.telegram().refused.push(method.to_lowercase());
        return answer(&Err(refusal));
    }
    let method = method.to_lowercase();
    let Some(params) = parameters(&headers, &body) else {
        let complaint = format!("{method}: the body is neither a JSON object nor a form");
        api.telegram().violations.push(complaint);
        return answer(&Err(Refusal::bad("can't parse the request")));
    };
    let fault = api.telegram().receive(&method, &params);
    if let Some(refused) = fault
        .as_ref()
        .and_then(|fault| refuse(fault, &method, &params))
    {
        return refused;
    }
    let outcome = if method == "getupdates" {
        get_updates(&api, &params).await
    } else {
        api.telegram().perform(&method, &params)
    };
    api.telegram().settle(&method, &params, &outcome);
    if method == "setwebhook" {
        api.inner.arrived.notify_waiters();
    }
    match fault {
        Some(Fault::Slow(time)) => {
            api.telegram().held += 1;
            tokio::time::sleep(time).await;
        }
        Some(Fault::DoneThenCut) => cut(),
        _ => {}
    }
    answer(&outcome)
}

async fn serve_file(
    State(api): State<BotApi>,
    Path((bot, path)): Path<(String, String)>,
) -> Response {
    match authorise(&api, &bot) {
        Ok(()) => api.telegram().files.serve(&path),
        Err(refusal) => answer(&Err(refusal)),
    }
}

fn authorise(api: &BotApi, bot: &str) -> Result<(), Refusal> {
    let token = bot.strip_prefix("bot").unwrap_or_default();
    if token == api.telegram().token.as_deref().unwrap_or(TOKEN) {
        return Ok(());
    }
    let secret = |secret: &str| (30..=40).contains(&secret.len()) && !secret.contains(['/', ' ']);
    let well_formed = |(id, key): (&str, &str)| id.parse::<u64>().is_ok() && secret(key);
    if token.split_once(':').is_some_and(well_formed) {
        return Err(Refusal::new(401, "Unauthorized"));
    }
    Err(Refusal::new(404, "Not Found"))
}

/// The answer of a fault that stands in the way of the call; none if the call goes on.
fn refuse(fault: &Fault, method: &str, params: &Value) -> Option<Response> {
    let refusal = match fault {
        Fault::TooMany { retry_after } => {
            let text = format!("Too Many Requests: retry after {retry_after}");
            let mut refusal = Refusal::new(429, text);
            refusal.parameters = Some(json!({"retry_after": retry_after}));
            refusal
        }
        Fault::Forbidden => Refusal::forbidden(params["chat_id"].as_i64().unwrap_or_default()),
        Fault::Conflict if method == "getupdates" => conflict(OTHER_POLL),
        Fault::Conflict => conflict("the request conflicts with another one"),
        Fault::Server(500) => Refusal::new(500, "Internal Server Error"),
        Fault::Server(status) => return Some(gateway(*status)),
        Fault::BadRequest(text) => Refusal::bad(text),
        Fault::Unauthorized => Refusal::new(401, "Unauthorized"),
        Fault::Cut => cut(),
        Fault::Slow(_) | Fault::DoneThenCut => return None,
    };
    Some(answer(&Err(refusal)))
}

/// Ends the task of this connection, and with it the connection; the panic hook is not told.
fn cut() -> ! {
    std::panic::resume_unwind(Box::new("the connection is cut"))
}

/// What the proxy before Telegram's servers says when they do not answer it.
fn gateway(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    let page = format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n\
         <hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
    );
    (status, [(CONTENT_TYPE, "text/html")], page).into_response()
}

fn conflict(text: &str) -> Refusal {
    Refusal::new(409, format!("Conflict: {text}"))
}

fn answer(outcome: &Outcome) -> Response {
    let (status, body) = match outcome {
        Ok(result) => (200, json!({"ok": true, "result": result})),
        Err(refusal) => (refusal.status, refusal.body()),
    };
    let status = StatusCode::from_u16(status).unwrap();
    let kind = [(CONTENT_TYPE, "application/json")];
    (status, kind, body.to_string()).into_response()
}

/// Waits until there are updates, until the time is over, or until a later call ends this one.
async fn get_updates(api: &BotApi, params: &Value) -> Outcome {
    let timeout = Duration::from_secs(params["timeout"].as_u64().unwrap_or(0));
    let deadline = Instant::now() + timeout;
    let limit = params["limit"].as_u64().unwrap_or(100).clamp(1, 100) as usize;
    let (turn, token) = {
        let mut telegram = api.telegram();
        if telegram.webhook.is_some() {
            return Err(conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            ));
        }
        telegram.allow(params);
        telegram
            .queue
            .confirm(params["offset"].as_i64().unwrap_or(0));
        telegram.polls += 1;
        (telegram.polls, telegram.token.clone())
    };
    api.inner.arrived.notify_waiters();
    loop {
        let arrived = api.inner.arrived.notified();
        {
            let mut telegram = api.telegram();
            if telegram.webhook.is_some() {
                return Err(conflict("terminated by setWebhook request"));
            }
            if telegram.token != token {
                return Err(Refusal::new(401, "Unauthorized"));
            }
            if telegram.polls != turn {
                return Err(conflict(OTHER_POLL));
            }
            let batch = telegram.queue.hand_out(limit);
            if !batch.is_empty() {
                return Ok(json!(batch));
            }
        }
        if tokio::time::timeout_at(deadline, arrived).await.is_err() {
            return Ok(json!([]));
        }
    }
}

/// The parameters of a call, from JSON or from a form.
fn parameters(headers: &HeaderMap, body: &Bytes) -> Option<Value> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    if let Some((_, boundary)) = kind.and_then(|kind| kind.split_once("boundary=")) {
        return Some(Value::Object(form(
            &String::from_utf8_lossy(body),
            boundary.trim_matches('"'),
        )));
    }
    if body.is_empty() {
        return Some(json!({}));
    }
    let params: Value = serde_json::from_slice(body).ok()?;
    params.is_object().then_some(params)
}

fn form(body: &str, boundary: &str) -> Map<String, Value> {
    let field = |part: &str| {
        let (head, text) = part.split_once("\r\n\r\n")?;
        let (name, _) = head.split_once("name=\"")?.1.split_once('"')?;
        let text = text.strip_suffix("\r\n")?;
        let value = serde_json::from_str(text).ok();
        let value = value.filter(|_| !TEXTS.contains(&name));
        Some((name.to_owned(), value.unwrap_or_else(|| json!(text))))
    };
    body.split(&format!("--{boundary}"))
        .filter_map(field)
        .collect()
}

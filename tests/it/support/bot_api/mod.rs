//! Telegram, as the bot meets it: a server that speaks the Bot API over HTTP, refuses what the real one refuses, and
//! notes every request that breaks the published description. It keeps everything in memory and reaches no network.

mod chats;
mod description;
pub mod files;
mod methods;
mod queue;
pub mod updates;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use description::DESCRIPTION;
use methods::{Planned, Telegram};

/// The bot's token, as in Telegram's own manual.
pub const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
/// The bot's user id.
pub const BOT_ID: i64 = 110201543;
/// The bot's username.
pub const BOT_NAME: &str = "tanya_test_bot";

/// The update before the first one.
const LAST_UPDATE: i64 = 861_000_000;
/// How long a story waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a method does: its result, or why not.
type Outcome = Result<Value, Refusal>;

/// An answer that is no result.
#[derive(Clone, Debug)]
struct Refusal {
    status: u16,
    description: String,
    parameters: Option<Value>,
    /// Whether the request itself is wrong, whatever the chat is like.
    broken: bool,
}

impl Refusal {
    fn new(status: u16, description: impl Into<String>) -> Self {
        Self {
            status,
            description: description.into(),
            parameters: None,
            broken: false,
        }
    }

    /// What can happen to a correct request.
    fn bad(reason: &str) -> Self {
        Self::new(400, format!("Bad Request: {reason}"))
    }

    /// What no bot should ever ask.
    fn broken(reason: &str) -> Self {
        Self {
            broken: true,
            ..Self::bad(reason)
        }
    }

    fn forbidden(chat: i64) -> Self {
        let reason = match chat {
            0.. => "bot was blocked by the user",
            _ => "bot was kicked from the supergroup chat",
        };
        Self::new(403, format!("Forbidden: {reason}"))
    }

    fn body(&self) -> Value {
        let mut body =
            json!({"ok": false, "error_code": self.status, "description": self.description});
        if let Some(parameters) = &self.parameters {
            body["parameters"] = parameters.clone();
        }
        body
    }
}

/// What can go wrong with a call.
#[derive(Clone, Debug)]
pub enum Fault {
    /// 429, with the seconds to wait.
    TooMany { retry_after: u64 },
    /// 403: blocked by the person, or put out of the group.
    Forbidden,
    /// 409: another instance asks for updates.
    Conflict,
    /// 500 as JSON; any other status as the HTML page of a proxy.
    Server(u16),
    /// 400, with what comes after "Bad Request: ".
    BadRequest(&'static str),
    /// Does it at once and answers after this time.
    Slow(Duration),
    /// Does nothing and closes the connection without an answer.
    Cut,
    /// Does it and closes the connection without an answer.
    DoneThenCut,
    /// 401: the token was revoked.
    Unauthorized,
}

/// Where updates are to be delivered.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub url: String,
    pub secret: Option<String>,
    pub allowed_updates: Vec<String>,
    pub max_connections: Option<i64>,
}

/// The server, as a story holds it; clones are the same server.
#[derive(Clone)]
pub struct BotApi {
    inner: Arc<Inner>,
}

struct Inner {
    address: SocketAddr,
    client: reqwest::Client,
    telegram: Mutex<Telegram>,
    /// Tells long polls to look again.
    arrived: Notify,
}

impl BotApi {
    /// On a free port.
    pub async fn start() -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// On a port that a story has chosen, for a bot that was started before Telegram could be reached.
    pub async fn start_at(address: SocketAddr) -> Self {
        LazyLock::force(&DESCRIPTION);
        let listener = TcpListener::bind(address).await.unwrap();
        let api = Self {
            inner: Arc::new(Inner {
                address: listener.local_addr().unwrap(),
                client: reqwest::Client::builder().no_proxy().build().unwrap(),
                telegram: Mutex::new(Telegram {
                    last_update: LAST_UPDATE,
                    ..Telegram::default()
                }),
                arrived: Notify::new(),
            }),
        };
        let router = wire::router(api.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        api
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.inner.address
    }

    /// Ends the bot's token, as `/revoke` does; this one is good from now on.
    pub fn revoke(&self, token: &str) {
        self.telegram().token = Some(token.to_owned());
        self.inner.arrived.notify_waiters();
    }

    /// Where the bot is to send its calls.
    pub fn url(&self) -> String {
        format!("http://{}", self.inner.address)
    }

    /// Queues an update for getUpdates, under the next id unless it has one; returns the id.
    pub fn give(&self, update: Value) -> i64 {
        self.queue(update, true, false)
    }

    /// Queues an update under this id at the end, even if the id was there before or is lower than the last.
    pub fn give_as(&self, update_id: i64, mut update: Value) {
        update["update_id"] = json!(update_id);
        self.queue(update, true, false);
    }

    /// As `give`, but it also comes if the bot has not asked for its kind, as it can after a change of what is asked for.
    pub fn give_unasked(&self, update: Value) -> i64 {
        self.queue(update, true, true)
    }

    /// As `give_unasked`, but not held against the description: for what Telegram should never send.
    pub fn give_unchecked(&self, update: Value) -> i64 {
        self.queue(update, false, true)
    }

    fn queue(&self, update: Value, check: bool, unasked: bool) -> i64 {
        let mut telegram = self.telegram();
        let update = telegram.issue(update, check);
        let id = update["update_id"].as_i64().unwrap_or_default();
        telegram.queue.push(update, unasked);
        drop(telegram);
        self.inner.arrived.notify_waiters();
        id
    }

    /// Delivers an update to the webhook as Telegram would; returns the status, 0 if there was no answer.
    pub async fn post(&self, update: Value) -> u16 {
        let webhook = self.webhook().expect("the bot has set a webhook");
        let update = self.telegram().issue(update, true);
        let secret = webhook.secret.iter();
        let secret = secret.map(|secret| ("X-Telegram-Bot-Api-Secret-Token", secret.as_str()));
        let headers: Vec<(&str, &str)> = secret
            .chain([("Content-Type", "application/json")])
            .collect();
        self.post_raw(update.to_string(), &headers).await
    }

    /// Posts anything to the webhook, with these headers and no others; returns the status, 0 if there was no answer.
    pub async fn post_raw(&self, body: String, headers: &[(&str, &str)]) -> u16 {
        let webhook = self.webhook().expect("the bot has set a webhook");
        let mut request = self.inner.client.post(&webhook.url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.timeout(PATIENCE).send().await;
        response.map_or(0, |response| response.status().as_u16())
    }

    /// What the bot has set as its webhook, if it has.
    pub fn webhook(&self) -> Option<Webhook> {
        self.telegram().webhook.clone()
    }

    /// While on, every getUpdates gives everything that was ever given, whatever was confirmed.
    pub fn redeliver_everything(&self, on: bool) {
        self.telegram().queue.redeliver = on;
        self.inner.arrived.notify_waiters();
    }

    /// The highest offset that the bot has named: every update below it is confirmed.
    pub fn confirmed(&self) -> Option<i64> {
        self.telegram().queue.confirmed
    }

    /// The parameters of all calls of a method that took effect, in order.
    pub fn calls(&self, method: &str) -> Vec<Value> {
        let telegram = self.telegram();
        let calls = telegram.calls.iter();
        calls
            .filter(|(name, _)| name.eq_ignore_ascii_case(method))
            .map(|(_, params)| params.clone())
            .collect()
    }

    /// How often a method was called, refused calls included.
    pub fn attempts(&self, method: &str) -> usize {
        times(method, &self.telegram().attempts)
    }

    /// How often a method was called with a token that is not the bot's.
    pub fn refused(&self, method: &str) -> usize {
        times(method, &self.telegram().refused)
    }

    /// How many calls were done and had their answer held back.
    pub fn held(&self) -> usize {
        self.telegram().held
    }

    /// The messages that the bot has sent to a chat, as they were sent.
    pub fn sent(&self, chat: i64) -> Vec<Value> {
        self.sent_with_time(chat)
            .into_iter()
            .map(|(_, message)| message)
            .collect()
    }

    /// When each of them was sent.
    pub fn sent_at(&self, chat: i64) -> Vec<Instant> {
        self.sent_with_time(chat)
            .into_iter()
            .map(|(time, _)| time)
            .collect()
    }

    fn sent_with_time(&self, chat: i64) -> Vec<(Instant, Value)> {
        let telegram = self.telegram();
        let sent = telegram.chats.sent.iter();
        sent.filter(|(_, message)| message["chat"]["id"] == chat)
            .cloned()
            .collect()
    }

    /// Waits until the bot has sent at least so many messages to a chat.
    pub async fn until_sent(&self, chat: i64, count: usize) -> Vec<Value> {
        let what = format!("{count} messages in chat {chat}");
        self.until(&what, count, || self.sent(chat)).await
    }

    /// Waits until at least so many calls of a method took effect.
    pub async fn until_called(&self, method: &str, count: usize) -> Vec<Value> {
        let what = format!("{count} calls of {method}");
        self.until(&what, count, || self.calls(method)).await
    }

    async fn until(&self, what: &str, count: usize, there: impl Fn() -> Vec<Value>) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let values = there();
            if values.len() >= count {
                return values;
            }
            if begun.elapsed() > PATIENCE {
                panic!(
                    "never {what}; there are {}: {values:#?}\n{:#?}",
                    values.len(),
                    self.violations()
                );
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The next so many calls of a method, or of any method for `*`, meet this fault; what was planned first comes first.
    pub fn fail(&self, method: &str, fault: Fault, times: usize) {
        let method = (method != "*").then(|| method.to_lowercase());
        self.plan(method, None, fault, times);
    }

    /// The next so many calls that name this chat meet this fault.
    pub fn fail_in_chat(&self, chat: i64, fault: Fault, times: usize) {
        self.plan(None, Some(chat), fault, times);
    }

    fn plan(&self, method: Option<String>, chat: Option<i64>, fault: Fault, times: usize) {
        self.telegram().faults.push(Planned {
            method,
            chat,
            fault,
            times,
        });
    }

    /// Forgets every fault that was planned.
    pub fn heal(&self) {
        self.telegram().faults.clear();
    }

    /// Every request, answer or update that broke the description or a limit.
    pub fn violations(&self) -> Vec<String> {
        self.telegram().violations.clone()
    }

    fn telegram(&self) -> MutexGuard<'_, Telegram> {
        self.inner.telegram.lock().unwrap()
    }
}

/// How often a method is among these.
fn times(method: &str, names: &[String]) -> usize {
    let names = names.iter();
    names
        .filter(|name| name.eq_ignore_ascii_case(method))
        .count()
}

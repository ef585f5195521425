//! What the program depends on is away for an hour while people go on: the mail server, the portal, Telegram, the
//! database. Told on the program's own clock, minute by minute. Once it is back, everything that must still go out has
//! gone within five minutes, once; what was over is told and never sent; nothing was lost or claimed.

mod database;
mod mail;
mod portal;
mod telegram;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::Connection;

use crate::mail::until;
use crate::support::{Chat, Database, TestApp, bot_api, desk::Officer};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
/// How long an outage lasts, in minutes.
const LASTS: i64 = 60;
/// How long may be needed for what waited.
const DRAINED: i64 = 5 * MINUTE;

fn name(database: &Database) -> &'static str {
    match database {
        Database::Sqlite => "SQLite",
        Database::Postgres(_) => "PostgreSQL",
    }
}

/// People who write on the web, one after another.
struct Regulars<'a> {
    chats: Vec<Chat<'a>>,
    asked: usize,
}

impl<'a> Regulars<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let mut chats = Vec::new();
        for _ in 0..6 {
            chats.push(app.begin().await);
        }
        Self { chats, asked: 0 }
    }

    /// The next asks, and is answered at once.
    async fn ask(&mut self) {
        let chat = &self.chats[self.asked % self.chats.len()];
        self.asked += 1;
        let replies = chat.say("lupa kata laluan portal").await;
        assert_eq!(replies.len(), 1, "{replies:#?}");
    }
}

/// Tickets of people on the web, and what officers did about them.
#[derive(Default)]
struct Desk<'a> {
    opened: Vec<(Chat<'a>, String)>,
    replies: Vec<String>,
}

impl<'a> Desk<'a> {
    /// Somebody new hands a matter over.
    async fn open(&mut self, app: &'a TestApp) {
        let chat = app.begin().await;
        let number = chat.hand_over("skrin putih selepas log masuk").await;
        self.opened.push((chat, number));
    }

    /// An officer answers the latest ticket, and its person reads it at once.
    async fn reply(&mut self, officer: &Officer<'_>) {
        let (chat, number) = self.opened.last().unwrap();
        let text = format!("Sila cuba pelayar lain ({}).", letters(self.replies.len()));
        let fields = [("text", text.as_str()), ("do", "resolve")];
        officer.does(number, "balas", &fields).await;
        let heard = chat.until_said(&text).await;
        assert_eq!(heard["from"], "officer");
        self.replies.push(text);
    }
}

/// A number in letters: digits could be a code, and would be hidden.
fn letters(number: usize) -> String {
    number
        .to_string()
        .bytes()
        .map(|digit| char::from(digit - b'0' + b'a'))
        .collect()
}

/// Lets a minute pass, and those who work look.
async fn a_minute_passes(app: &TestApp) {
    app.app.clock.advance(MINUTE);
    tokio::time::sleep(Duration::from_millis(50)).await;
    until("nothing is on its way", async || {
        on_their_way(app).await == 0
    })
    .await;
}

/// Mails that are on their way: each belongs to whoever carries it for a time that must not pass meanwhile. They are due
/// again later than any that waits for its next try.
async fn on_their_way(app: &TestApp) -> i64 {
    let claimed = "SELECT COUNT(*) FROM outbox
         WHERE done_at IS NULL AND carrier IN ('code', 'mail') AND due_at > $1";
    count_at(app, claimed, app.app.clock.now() + 61 * SECOND).await
}

/// Waits until nothing is on its way; not for what somebody claimed who then lost the database.
async fn arrived(app: &TestApp) {
    let begun = Instant::now();
    while on_their_way(app).await > 0 && begun.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn count_at(app: &TestApp, statement: &'static str, at: i64) -> i64 {
    let url = app.database.url(app.folder());
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let count = sqlx::query_scalar(statement).bind(at);
    let count = count.fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    count
}

/// How much is due now, or not handled yet.
async fn due(app: &TestApp) -> i64 {
    let due = "SELECT (SELECT COUNT(*) FROM outbox WHERE done_at IS NULL AND due_at <= $1)
                    + (SELECT COUNT(*) FROM inbound WHERE settled_at IS NULL AND due_at <= $1)";
    count_at(app, due, app.app.clock.now()).await
}

async fn waiting(app: &TestApp) -> i64 {
    let waiting = "SELECT (SELECT COUNT(*) FROM outbox WHERE done_at IS NULL)
                        + (SELECT COUNT(*) FROM inbound WHERE settled_at IS NULL)";
    app.database.count(app.folder(), waiting).await
}

/// How the time goes on while what waited drains: in steps, each of which those who work have so long for.
struct Steps {
    by: i64,
    within: Duration,
}

/// Goes on until nothing waits any more; the seconds since the dependency was back, on the program's clock.
async fn drained(app: &TestApp, back: i64, steps: &Steps, mut look: impl FnMut()) -> i64 {
    loop {
        let begun = Instant::now();
        while due(app).await > 0 && begun.elapsed() < steps.within {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        until("nothing is on its way", async || {
            on_their_way(app).await == 0
        })
        .await;
        look();
        let (took, still) = (app.app.clock.now() - back, waiting(app).await);
        if still == 0 {
            return (took + SECOND - 1) / SECOND;
        }
        assert!(took <= DRAINED, "{still} wait after {took} ms");
        app.app.clock.advance(steps.by);
    }
}

/// Whatever happened, the database holds together: so many tickets, and so many deliveries that had to be given up.
async fn is_whole(app: &TestApp, tickets: usize, dead: usize) {
    // Officers are told of what nobody takes minutes later.
    until("settled", async || {
        arrived(app).await;
        app.app.clock.advance(SECOND);
        waiting(app).await == 0
    })
    .await;
    let count = async |statement| app.database.count(app.folder(), statement).await;
    let gaps = "SELECT COUNT(*) FROM conversation c
         WHERE c.last_seq <> (SELECT COUNT(*) FROM message m WHERE m.conversation_id = c.id)
            OR c.last_seq <> (SELECT MAX(m.seq) FROM message m WHERE m.conversation_id = c.id)";
    assert_eq!(count(gaps).await, 0, "a transcript has a gap");
    let unanswered = "SELECT COUNT(*) FROM message u JOIN conversation c ON c.id = u.conversation_id
         WHERE u.sender = 'user' AND c.holder IS NULL AND NOT EXISTS
             (SELECT 1 FROM message r WHERE r.conversation_id = u.conversation_id AND r.reply_to = u.seq)";
    assert_eq!(count(unanswered).await, 0, "nobody answered");
    let tickets = i64::try_from(tickets).unwrap();
    for statement in [
        "SELECT COUNT(*) FROM ticket",
        "SELECT COALESCE(MAX(last), 0) FROM ticket_serial",
        "SELECT COUNT(*) FROM ticket_event WHERE kind = 'opened'",
    ] {
        assert_eq!(count(statement).await, tickets, "{statement}");
    }
    for (figure, value) in [
        ("tanya_outbox_waiting", 0),
        ("tanya_inbound_waiting", 0),
        ("tanya_inbound_failed", 0),
        ("tanya_outbox_dead", dead),
    ] {
        assert_eq!(app.figure(figure).await, value as f64, "{figure}");
    }
    let checked = crate::audit::beside(app, &["audit", "verify"]).await;
    assert!(checked.status.success(), "the record is broken");
}

/// A code that still had a minute came, any other did not; whether it came.
fn did_come(minute: i64, came: usize) -> bool {
    let alive = LASTS - minute < 9;
    assert_eq!(came, usize::from(alive), "the code of minute {minute}");
    alive
}

/// How old a code gets.
const CODE_LIVES: i64 = 10 * MINUTE;

/// No mail came twice.
fn came_once<'a>(ids: impl Iterator<Item = &'a String>) {
    let ids: Vec<&String> = ids.collect();
    let different: BTreeSet<&&String> = ids.iter().collect();
    assert_eq!(different.len(), ids.len(), "a mail came twice");
}

fn said_by_the_bot(message: &Value, words: &str) -> bool {
    message["from"] != "user" && message["text"].as_str().unwrap().contains(words)
}

/// Settings of a bot whose Telegram is behind a gate.
fn bot_behind(url: &str) -> [(&'static str, &str); 2] {
    [
        ("TANYA_TELEGRAM_TOKEN", bot_api::TOKEN),
        ("TANYA_TELEGRAM_API_URL", url),
    ]
}

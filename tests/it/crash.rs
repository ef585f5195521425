//! The server is killed at random moments under traffic on both channels: nothing that was accepted is lost, nothing is
//! decided twice. `TANYA_TEST_CRASHES` says how often; `scripts/crash` does it many more times.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::Connection;
use uuid::Uuid;

use crate::support::bot_api::{TOKEN, updates::private_text};
use crate::support::crash::{
    Crashes, LockedTable, Moments, Point, leases_end, the_record_is_whole,
};
use crate::support::process::Process;
use crate::support::{BotApi, Database};

/// Chats on the web and people on Telegram.
const CHATS: usize = 6;
const PEOPLE: i64 = 8;
const QUESTIONS: [&str; 4] = [
    "lupa kata laluan portal",
    "slip gaji",
    "macam mana nak daftar portal ispeks",
    "/bahasa",
];

/// What a person on the web holds: what was sent, and the numbers of what was answered to it.
pub type Told = BTreeMap<Uuid, Vec<i64>>;

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy();
    client.timeout(Duration::from_secs(5)).build().unwrap()
}

/// Begins a chat, however often it takes; its id and its token.
pub async fn begin_on_the_web(http: SocketAddr) -> (String, String) {
    let client = client();
    let base = format!("http://{http}/api/v1/conversations");
    let begun: Value = loop {
        let response = client.post(&base).json(&json!({})).send().await;
        match response {
            Ok(response) if response.status() == 201 => {
                if let Ok(begun) = response.json().await {
                    break begun;
                }
            }
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let field = |name: &str| begun[name].as_str().unwrap().to_owned();
    (field("id"), field("token"))
}

/// Writes in a chat until told to stop; what is not answered is sent again under the same id until it is.
pub async fn write_on_the_web(
    http: SocketAddr,
    (id, token): (String, String),
    stop: Arc<AtomicBool>,
) -> (String, String, Told) {
    let client = client();
    let base = format!("http://{http}/api/v1/conversations");
    let mut told = Told::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let client_id = Uuid::new_v4();
        let message = json!({"client_id": client_id, "text": QUESTIONS[number % QUESTIONS.len()]});
        let replies = loop {
            let request = client.post(format!("{base}/{id}/messages"));
            let response = request.bearer_auth(&token).json(&message).send().await;
            if let Ok(response) = response {
                let status = response.status();
                assert!(status == 200 || status == 503, "{status}");
                if let Ok(body) = response.json::<Value>().await
                    && status == 200
                {
                    let replies = body["replies"].as_array().unwrap().clone();
                    break replies;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let seqs = replies.iter().map(|reply| reply["seq"].as_i64().unwrap());
        told.insert(client_id, seqs.collect());
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    (id, token, told)
}

/// Writes on Telegram until told to stop; returns how many messages each person wrote.
pub async fn write_on_telegram(telegram: BotApi, stop: Arc<AtomicBool>) -> BTreeMap<i64, Vec<i64>> {
    let mut written: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let person = 8_000_000 + number % PEOPLE;
        let question = QUESTIONS[number as usize % QUESTIONS.len()];
        let update = telegram.give(private_text(person, question));
        written.entry(person).or_default().push(update);
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    written
}

/// The points of this work: what is written, and what Telegram is asked.
fn points(database: &Database, telegram: &BotApi) -> Vec<Point> {
    let methods = ["getUpdates", "sendMessage"].into_iter();
    let methods = methods.map(|method| Point::Telegram(telegram.clone(), method));
    let tables = ["conversation", "message", "inbound", "outbox", "pace"];
    methods.chain(Point::writes(database, &tables)).collect()
}

async fn killed_again_and_again(database: Database, moments: Moments) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let url = database.url(folder);
    let telegram = BotApi::start().await;
    let api_url = telegram.url();
    let mut process = Process::start(
        folder,
        &[
            ("TANYA_DATABASE_URL", &url),
            ("TANYA_TELEGRAM_TOKEN", TOKEN),
            ("TANYA_TELEGRAM_API_URL", &api_url),
            ("TANYA_CHAT_MESSAGES_PER_MINUTE", "1000000"),
        ],
    )
    .await;
    let stop = Arc::new(AtomicBool::new(false));
    let chats: Vec<_> = (0..CHATS)
        .map(|_| {
            let (http, stop) = (process.http_addr, Arc::clone(&stop));
            tokio::spawn(async move {
                let chat = begin_on_the_web(http).await;
                write_on_the_web(http, chat, stop).await
            })
        })
        .collect();
    let people = tokio::spawn(write_on_telegram(telegram.clone(), Arc::clone(&stop)));

    let crashes = match moments {
        Moments::Random => Crashes::new(6, Duration::from_millis(600)),
        Moments::Points => Crashes::At(points(&database, &telegram)),
    };
    let place = (&database, folder);
    let meanwhile = async || leases_end(&database, folder).await;
    crashes.befall(&mut process, place, meanwhile).await;
    stop.store(true, Ordering::Relaxed);
    let mut told = Vec::new();
    for chat in chats {
        told.push(chat.await.unwrap());
    }
    let written = people.await.unwrap();
    let given: i64 = written.values().map(|updates| updates.len() as i64).sum();
    until_carried(&process, &url, &telegram, given).await;
    process.kill();
    let messages: usize = told.iter().map(|(_, _, told)| told.len()).sum();
    eprintln!(
        "{} crashes, {messages} messages on the web, {given} on Telegram",
        crashes.times()
    );
    assert!(messages > CHATS && given > 1);
    the_record_is_whole(folder, &url);
    every_chat_is_whole(&url, &told).await;
    every_person_was_answered(&url, &telegram, &written).await;
    assert_eq!(telegram.violations(), Vec::<String>::new());
}

/// Waits until everything that was given is settled and carried.
pub async fn until_carried(process: &Process, url: &str, telegram: &BotApi, given: i64) {
    let begun = Instant::now();
    loop {
        let waiting = process.figure("tanya_inbound_waiting").await.unwrap()
            + process.figure("tanya_outbox_waiting").await.unwrap();
        if waiting == 0.0 && telegram.confirmed().is_some() && settled(url).await == given {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(300),
            "{waiting} are left"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub async fn rows<T>(url: &str, statement: &'static str) -> Vec<T>
where
    T: for<'r> sqlx::FromRow<'r, sqlx::any::AnyRow> + Send + Unpin,
{
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
    let rows = sqlx::query_as(statement)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    rows
}

async fn settled(url: &str) -> i64 {
    let count: Vec<(i64,)> = rows(
        url,
        "SELECT COUNT(*) FROM inbound WHERE settled_at IS NOT NULL",
    )
    .await;
    count[0].0
}

type Line = (String, i64, String, Option<String>, Option<i64>);

/// The transcripts, by conversation.
async fn transcripts(url: &str) -> BTreeMap<String, Vec<Line>> {
    let lines: Vec<Line> = rows(
        url,
        "SELECT conversation_id, seq, sender, client_id, reply_to FROM message ORDER BY conversation_id, seq",
    )
    .await;
    let mut transcripts: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    for line in lines {
        transcripts.entry(line.0.clone()).or_default().push(line);
    }
    transcripts
}

/// Numbers without a gap; every message of the person once, and answered once.
fn is_whole(transcript: &[Line]) -> usize {
    let mut heard = BTreeMap::new();
    for (place, (_, seq, sender, client_id, reply_to)) in transcript.iter().enumerate() {
        assert_eq!(*seq, place as i64 + 1, "a gap");
        if sender == "user" {
            let before = heard.insert(*seq, (client_id.clone().unwrap(), 0));
            assert!(before.is_none());
        } else if let Some(answered) = reply_to {
            heard.get_mut(answered).expect("it answers a message").1 += 1;
        }
    }
    let ids: std::collections::BTreeSet<&String> = heard.values().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), heard.len(), "a message was heard twice");
    assert!(
        heard.values().all(|(_, answers)| *answers > 0),
        "a message has no answer"
    );
    heard.len()
}

pub async fn every_chat_is_whole(url: &str, told: &[(String, String, Told)]) {
    let transcripts = transcripts(url).await;
    for (id, _, told) in told {
        let transcript = &transcripts[id];
        assert_eq!(is_whole(transcript), told.len());
        for (_, seq, _, client_id, _) in transcript {
            let Some(client_id) = client_id else { continue };
            let answers = transcript.iter().filter(|line| line.4 == Some(*seq));
            let answers: Vec<i64> = answers.map(|line| line.1).collect();
            let was_told = &told[&client_id.parse::<Uuid>().unwrap()];
            assert_eq!(
                &answers, was_told,
                "somebody was told something else than is kept"
            );
        }
    }
}

pub async fn every_person_was_answered(
    url: &str,
    telegram: &BotApi,
    written: &BTreeMap<i64, Vec<i64>>,
) {
    let transcripts = transcripts(url).await;
    let conversations: Vec<(String, String)> = rows(
        url,
        "SELECT contact, id FROM conversation WHERE channel = 'telegram'",
    )
    .await;
    let conversations: BTreeMap<String, String> = conversations.into_iter().collect();
    let deliveries: Vec<(String, i64, String)> =
        rows(url, "SELECT conversation_id, seq, outcome FROM outbox").await;
    for (person, updates) in written {
        let id = &conversations[&person.to_string()];
        let transcript = &transcripts[id];
        assert_eq!(is_whole(transcript), updates.len(), "{person}");
        let said: Vec<i64> = transcript
            .iter()
            .filter(|line| line.2 == "bot")
            .map(|line| line.1)
            .collect();
        let mut sent: Vec<i64> = deliveries
            .iter()
            .filter(|(conversation, _, outcome)| conversation == id && outcome == "sent")
            .map(|(_, seq, _)| *seq)
            .collect();
        sent.sort_unstable();
        assert_eq!(said, sent, "every answer is delivered, under one id");
        assert!(telegram.sent(*person).len() >= said.len(), "{person}");
    }
}

#[tokio::test]
async fn ac_105_nothing_is_lost_or_doubled_on_sqlite() {
    killed_again_and_again(Database::sqlite(), Moments::Random).await;
}

#[tokio::test]
async fn ac_105_nothing_is_lost_or_doubled_on_postgres() {
    if let Some(database) = Database::postgres().await {
        killed_again_and_again(database, Moments::Random).await;
    }
}

#[tokio::test]
async fn ac_105_nothing_is_lost_or_doubled_at_any_point() {
    for database in Database::both().await {
        killed_again_and_again(database, Moments::Points).await;
    }
}

/// How often an update was cut off at most, the last time included.
async fn times_cut_off(url: &str) -> i64 {
    let most = "SELECT MAX(cut_off + leased) FROM inbound WHERE settled_at IS NULL";
    let most: Vec<(Option<i64>,)> = rows(url, most).await;
    most[0].0.unwrap_or_default()
}

/// Waits until an update is held by somebody, and not just looked at.
async fn until_one_is_handled(url: &str) {
    let leased = "SELECT number FROM inbound WHERE leased = 1 AND due_at > received_at + 30000";
    let (begun, mut before) = (Instant::now(), Vec::<(i64,)>::new());
    loop {
        let now: Vec<(i64,)> = rows(url, leased).await;
        if !now.is_empty() && now == before {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody handles");
        before = now;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn ac_111_what_ends_the_process_again_and_again_is_given_up_alone() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (url, telegram) = (database.url(folder), BotApi::start().await);
    let api_url = telegram.url();
    let settings = [
        ("TANYA_DATABASE_URL", url.as_str()),
        ("TANYA_TELEGRAM_TOKEN", TOKEN),
        ("TANYA_TELEGRAM_API_URL", &api_url),
    ];
    let mut process = Process::start(folder, &settings).await;
    for person in 0..PEOPLE {
        telegram.give(private_text(person + 1, "/start"));
        telegram.until_sent(person + 1, 2).await;
    }
    // Everybody's next message is in the middle of being handled; from then on whichever comes first.
    let mut locked = LockedTable::of(&database, "conversation").await;
    for person in 0..PEOPLE {
        telegram.give(private_text(person + 1, "/bahasa"));
    }
    locked.until_met(4).await;
    loop {
        process.kill();
        locked.open().await;
        if times_cut_off(&url).await == 10 {
            break;
        }
        leases_end(&database, folder).await;
        locked = LockedTable::of(&database, "conversation").await;
        process.again(folder).await;
        until_one_is_handled(&url).await;
    }
    leases_end(&database, folder).await;
    process.again(folder).await;
    until_carried(&process, &url, &telegram, PEOPLE * 2).await;
    assert_eq!(process.figure("tanya_inbound_failed").await, Some(1.0));
    let mut told = 0;
    for person in 0..PEOPLE {
        let sent = telegram.until_sent(person + 1, 3).await;
        let said = sent[2]["text"].as_str().unwrap();
        told += usize::from(said.starts_with("Sila pilih bahasa"));
    }
    assert_eq!(told, usize::try_from(PEOPLE).unwrap() - 1);
}

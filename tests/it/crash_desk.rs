//! The server is killed at random moments while matters are handed over, answered, settled, opened again and chased:
//! every matter is one ticket, every answer is heard once, no number is used twice or left out. The people, the mail
//! server and Telegram are outside and keep the ledger. `TANYA_TEST_CRASHES` says how often; `scripts/crash` kills it
//! 200 times on each database.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::{Value, json};
use tanya::calendar::Calendar;
use tanya::clock::Clock;
use tanya::ticket::TicketNumber;
use uuid::Uuid;

use crate::crash::rows;
use crate::crash_actions::the_record_is_whole;
use crate::support::bot_api::{TOKEN, updates::private_text};
use crate::support::desk::{between, code_of, cookie_of};
use crate::support::mail_server::MailServer;
use crate::support::process::Process;
use crate::support::{BotApi, Chat, Database};

/// People on the web, people on Telegram, and officers at the counter, at the same time.
const ON_THE_WEB: usize = 4;
const ON_TELEGRAM: usize = 2;
const SUPERVISOR: &str = "penyelia@perbendaharaan.example";

fn crashes() -> usize {
    let said = std::env::var("TANYA_TEST_CRASHES").ok();
    said.map_or(3, |said| said.parse().unwrap())
}

/// What people and officers know to have happened.
#[derive(Default)]
struct Ledger {
    /// Tickets and the conversations that they were opened in; none for those from the counter.
    opened: BTreeMap<String, Option<(String, String)>>,
    /// What officers said, and on which ticket.
    answers: Vec<(String, String)>,
    /// What officers noted.
    notes: Vec<(String, String)>,
    /// Tickets that were opened again.
    reopened: BTreeSet<String>,
    /// People on Telegram, and what they have to have heard.
    on_telegram: Vec<(i64, String)>,
}

/// Everybody who is at it.
#[derive(Clone)]
struct People {
    http: SocketAddr,
    client: reqwest::Client,
    telegram: BotApi,
    ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
    /// The officer's cookie, and what their forms carry.
    cookie: String,
    csrf: String,
}

/// How long something has been asked for in vain.
struct Patience {
    what: String,
    begun: Instant,
}

impl Patience {
    fn with(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            begun: Instant::now(),
        }
    }

    /// Rests before it is asked for again, unless that was long enough.
    async fn rest(&self) {
        let long = self.begun.elapsed() > Duration::from_secs(120);
        assert!(!long, "never: {}", self.what);
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy();
    let builder = builder.redirect(reqwest::redirect::Policy::none());
    builder.timeout(Duration::from_secs(8)).build().unwrap()
}

/// A text that nobody else says; without digits, which could be a code and would be hidden.
fn unique(what: &str) -> String {
    let id = Uuid::new_v4().simple().to_string();
    let letters = id.bytes().map(|byte| match byte {
        digit @ b'0'..=b'9' => char::from(digit - b'0' + b'g'),
        letter => char::from(letter),
    });
    format!("{what} {}", letters.collect::<String>())
}

fn says(text: &str, words: &str) -> bool {
    text.contains(words)
}

fn numbers(text: &str, _: &str) -> bool {
    TicketNumber::find(text).is_some()
}

/// Whether the console says that it is done; what cannot be done now is asked for again.
async fn is_done(path: &str, response: Response) -> bool {
    let status = response.status();
    if status == 422 {
        let page = response.text().await.unwrap_or_default();
        let busy = page.is_empty() || page.contains("Sila cuba lagi");
        assert!(busy, "{path}: {page}");
        return false;
    }
    assert_eq!(status, 303, "{path}");
    let to = response.headers()["location"].to_str().unwrap();
    assert!(to.starts_with("/console/tiket/"), "{to}");
    !to.ends_with("berubah")
}

impl People {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Posts JSON until there is an answer that is no failure of the server's.
    async fn post(&self, path: &str, bearer: &str, body: &Value) -> Value {
        let patience = Patience::with(path);
        loop {
            let request = self.client.post(format!("http://{}{path}", self.http));
            let response = request.bearer_auth(bearer).json(body).send().await;
            if let Ok(response) = response {
                let status = response.status();
                assert!(
                    status.is_success() || status.is_server_error(),
                    "{path}: {status}"
                );
                if let Ok(body) = response.json().await
                    && status.is_success()
                {
                    return body;
                }
            }
            patience.rest().await;
        }
    }

    async fn say(&self, chat: &(String, String), mut message: Value) -> Vec<Value> {
        message["client_id"] = json!(Uuid::new_v4());
        let path = format!("/api/v1/conversations/{}/messages", chat.0);
        let body = self.post(&path, &chat.1, &message).await;
        body["replies"].as_array().unwrap().clone()
    }

    /// Hands a matter over in a new chat on the web.
    async fn ask_on_the_web(&self) -> (String, (String, String)) {
        let begun = self.post("/api/v1/conversations", "", &json!({})).await;
        let id = begun["id"].as_str().unwrap().to_owned();
        let chat = (id, begun["token"].as_str().unwrap().to_owned());
        let asked = self
            .say(&chat, json!({"text": "nak cakap dengan pegawai"}))
            .await;
        let matter = Chat::choice(&asked[0], "Masalah teknikal Sistem iSPEKS");
        self.say(&chat, json!({"choice": matter})).await;
        self.say(&chat, json!({"text": "JKR Kota Bharu"})).await;
        let opened = self.say(&chat, json!({"text": "sistem hang"})).await;
        let number = opened[0]["ticket"]["number"].as_str();
        let number = number.unwrap_or_else(|| panic!("no ticket: {opened:#?}"));
        (number.to_owned(), chat)
    }

    async fn heard(&self, person: i64, what: fn(&str, &str) -> bool, words: &str) -> String {
        let patience = Patience::with(&format!("{person} hears {words:?}"));
        loop {
            let sent = self.telegram.sent(person);
            let mut texts = sent.iter().filter_map(|message| message["text"].as_str());
            if let Some(text) = texts.find(|text| what(text, words)) {
                return text.to_owned();
            }
            patience.rest().await;
        }
    }

    /// Hands a matter over on Telegram, as somebody who was not there before.
    async fn ask_on_telegram(&self) -> (String, i64) {
        static NEXT: AtomicI64 = AtomicI64::new(8_200_000);
        let person = NEXT.fetch_add(1, Ordering::Relaxed);
        for (said, heard) in [
            ("nak cakap dengan pegawai", "berkaitan apa"),
            ("Portal iSPEKS", "jabatan/PTJ"),
            ("JKR Machang", "ayat ralat"),
        ] {
            self.telegram.give(private_text(person, said));
            self.heard(person, says, heard).await;
        }
        self.telegram
            .give(private_text(person, "skrin putih selepas log masuk"));
        let opened = self.heard(person, numbers, "a ticket's number").await;
        (TicketNumber::find(&opened).unwrap().to_string(), person)
    }

    async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Option<Response> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", &self.csrf)
            .extend_pairs(fields)
            .finish();
        let request = self.client.post(format!("http://{}{path}", self.http));
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", &self.cookie)
            .body(body);
        let response = request.send().await.ok()?;
        (!response.status().is_server_error()).then_some(response)
    }

    /// Does something to a ticket, again and again until it is said to be done.
    async fn does(&self, number: &str, act: &str, fields: &[(&str, &str)]) {
        let path = format!("/console/tiket/{number}/{act}");
        let patience = Patience::with(&path);
        loop {
            let response = if number.contains('3') {
                // Somebody who clicks twice.
                let twice =
                    tokio::join!(self.post_form(&path, fields), self.post_form(&path, fields));
                twice.0.or(twice.1)
            } else {
                self.post_form(&path, fields).await
            };
            if let Some(response) = response
                && is_done(&path, response).await
            {
                return;
            }
            patience.rest().await;
        }
    }

    /// Answers on a ticket.
    async fn answer(&self, number: &str, settles: bool) -> String {
        let (text, once) = (unique("Sila cuba"), Uuid::new_v4().to_string());
        let what = if settles { "resolve" } else { "send" };
        let fields = [("text", text.as_str()), ("do", what), ("once", &once)];
        self.does(number, "balas", &fields).await;
        let mut ledger = self.ledger.lock().unwrap();
        ledger.answers.push((number.to_owned(), text.clone()));
        text
    }

    /// What an officer does with a ticket, some of it with all of them.
    async fn work(&self, number: &str, place: usize) -> String {
        if place.is_multiple_of(3) {
            // Long enough that somebody is told that nobody takes it.
            tokio::time::sleep(Duration::from_millis(1_500)).await;
        }
        self.does(number, "ambil", &[]).await;
        let (note, once) = (unique("Nota"), Uuid::new_v4().to_string());
        self.does(number, "nota", &[("text", &note), ("once", &once)])
            .await;
        self.ledger
            .lock()
            .unwrap()
            .notes
            .push((number.to_owned(), note));
        self.answer(number, false).await;
        self.answer(number, true).await
    }

    async fn live_on_the_web(self) {
        for place in 0.. {
            if self.stopped() {
                return;
            }
            let (number, chat) = self.ask_on_the_web().await;
            let place_of = Some(chat.clone());
            self.ledger
                .lock()
                .unwrap()
                .opened
                .insert(number.clone(), place_of);
            self.work(&number, place).await;
            if place.is_multiple_of(2) {
                let text = "eh masih keluar benda yang sama ni";
                let again = self.say(&chat, json!({"text": text})).await;
                let said = again[0]["text"].as_str().unwrap();
                assert!(said.contains("dibuka semula"), "{said}");
                self.ledger.lock().unwrap().reopened.insert(number.clone());
                if place.is_multiple_of(4) {
                    self.answer(&number, true).await;
                }
            }
        }
    }

    /// The page that says which ticket a visitor has.
    async fn visited(&self, fields: &[(&str, &str)]) -> String {
        let patience = Patience::with("a ticket at the counter");
        loop {
            if let Some(response) = self.post_form("/console/baharu", fields).await {
                assert_eq!(response.status(), 200);
                if let Ok(page) = response.text().await {
                    return page;
                }
            }
            patience.rest().await;
        }
    }

    async fn live_on_telegram(self) {
        for place in 0.. {
            if self.stopped() {
                return;
            }
            let (number, person) = self.ask_on_telegram().await;
            let of = Some((person.to_string(), String::new()));
            let new = self
                .ledger
                .lock()
                .unwrap()
                .opened
                .insert(number.clone(), of);
            assert!(new.is_none(), "{number} twice");
            let last = self.work(&number, place).await;
            self.ledger.lock().unwrap().on_telegram.push((person, last));
        }
    }

    async fn live_at_the_counter(self) {
        while !self.stopped() {
            let (subject, once) = (unique("Kaunter"), Uuid::new_v4().to_string());
            let fields = [
                ("channel", "kaunter"),
                ("name", "Aminah Yusof"),
                ("ptj", "JKR"),
                ("queue", "naziran"),
                ("priority", "high"),
                ("subject", &subject),
                ("description", "Borang capaian"),
                ("once", &once),
            ];
            let page = self.visited(&fields).await;
            let number = TicketNumber::find(&page[page.find("TK-").unwrap()..]).unwrap();
            let new = self
                .ledger
                .lock()
                .unwrap()
                .opened
                .insert(number.to_string(), None);
            assert!(new.is_none(), "{number} twice");
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
    }
}

/// How far the clock is set on, so that the sample's office is open, in milliseconds.
fn until_office_hours() -> i64 {
    let now = Clock::default().now();
    let opening = Calendar::sample().next_opening(now).unwrap();
    let morning = Calendar::sample()
        .next_opening(opening + 12 * 3_600_000)
        .unwrap();
    morning + 3_600_000 - now
}

/// The demonstration's officer, signed in: the cookie, and what forms carry.
async fn signed_in(http: SocketAddr, folder: &Path, offset: i64) -> (String, String) {
    let text = std::fs::read_to_string(folder.join("data/demo.json")).unwrap();
    let demo: Value = serde_json::from_str(&text).unwrap();
    let known = |name: &str| demo["console"][name].as_str().unwrap().to_owned();
    let code = code_of(&known("totp_secret"), Clock::shifted(offset).now());
    let mut cookie = String::new();
    for (path, fields) in [
        (
            "/console/masuk",
            vec![
                ("username", known("username")),
                ("password", known("password")),
            ],
        ),
        ("/console/kod", vec![("code", code)]),
    ] {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = client()
            .post(format!("http://{http}{path}"))
            .header("cookie", &cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = request.body(body).send().await.unwrap();
        assert_eq!(response.status(), 303, "{path}");
        cookie = cookie_of(&response);
    }
    let request = client().get(format!("http://{http}/console/akaun"));
    let page = request.header("cookie", &cookie).send().await.unwrap();
    let page = page.text().await.unwrap();
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
    (cookie, csrf)
}

/// What happens to all of them while nobody is there: time goes by.
async fn time_goes_by(database: &Database, folder: &Path) {
    for statement in [
        "UPDATE ticket SET answer_by = 1 WHERE status IN ('open', 'pending') AND escalated_at IS NULL",
        "UPDATE ticket SET live_at = 1 WHERE live_at IS NOT NULL",
    ] {
        database.execute(folder, statement).await;
    }
    if let Database::Postgres(_) = database {
        // What the killed process had claimed is free later, where others could be at work on it.
        for statement in [
            "UPDATE outbox SET due_at = created_at WHERE done_at IS NULL",
            "UPDATE inbound SET due_at = received_at WHERE settled_at IS NULL",
            "DELETE FROM lease WHERE name NOT LIKE 'once %'",
        ] {
            database.execute(folder, statement).await;
        }
    }
}

async fn killed_again_and_again(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let url = database.url(folder);
    let (mail, telegram) = (MailServer::start().await, BotApi::start().await);
    let (smtp, api_url) = (mail.url(), telegram.url());
    let offset = until_office_hours();
    let offset_s = (offset / 1_000).to_string();
    let many = "1000000";
    let settings = [
        ("TANYA_DATABASE_URL", url.as_str()),
        ("TANYA_SMTP_URL", &smtp),
        ("TANYA_MAIL_FROM", "tanya@perbendaharaan.example"),
        ("TANYA_SUPERVISOR_EMAIL", SUPERVISOR),
        ("TANYA_TELEGRAM_TOKEN", TOKEN),
        ("TANYA_TELEGRAM_API_URL", &api_url),
        ("TANYA_CLOCK_OFFSET_S", &offset_s),
        ("TANYA_CHAT_MESSAGES_PER_MINUTE", many),
        ("TANYA_NEW_CHATS_PER_HOUR", "100000"),
        ("TANYA_MAILS_PER_MINUTE", many),
        ("TANYA_MAILS_PER_HOUR", many),
    ];
    let mut process = Process::start(folder, &settings).await;
    let (cookie, csrf) = signed_in(process.http_addr, folder, offset).await;
    let people = People {
        http: process.http_addr,
        client: client(),
        telegram: telegram.clone(),
        ledger: Arc::default(),
        stop: Arc::default(),
        cookie,
        csrf,
    };
    let mut lives = tokio::task::JoinSet::new();
    for _ in 0..ON_THE_WEB {
        lives.spawn(people.clone().live_on_the_web());
    }
    for _ in 0..ON_TELEGRAM {
        lives.spawn(people.clone().live_on_telegram());
    }
    lives.spawn(people.clone().live_at_the_counter());

    let crashes = crashes();
    let mut random = Uuid::new_v4().as_u128();
    for crash in 0..crashes {
        // From the middle of starting to a while of work.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let wait = (random >> 64) as u64 % 2_500;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        process.kill();
        time_goes_by(&database, folder).await;
        process.again(folder).await;
        if crash % 20 == 19 {
            eprintln!("{} crashes", crash + 1);
        }
    }
    // Whatever the moments were, some work is done between and after them.
    tokio::time::sleep(Duration::from_secs(1)).await;
    people.stop.store(true, Ordering::Relaxed);
    while let Some(life) = lives.join_next().await {
        life.unwrap();
    }
    until_nothing_is_left(&process, &database, folder).await;
    let ledger = std::mem::take(&mut *people.ledger.lock().unwrap());
    people.every_answer_is_read(&ledger).await;
    process.kill();
    the_record_is_whole(folder, &url);
    every_number_is_used_once(&url, &ledger).await;
    every_answer_is_there_once(&url, &ledger).await;
    whoever_chases_is_told(&url, &mail).await;
    let dead = "SELECT COUNT(*) FROM outbox WHERE outcome = 'dead'";
    assert_eq!(database.count(folder, dead).await, 0);
    let chased = "SELECT COUNT(*) FROM ticket_event WHERE kind IN ('escalated', 'untaken')";
    eprintln!(
        "{crashes} crashes: {} tickets, {} answers, {} opened again, {} times somebody was chased, {} mails",
        ledger.opened.len(),
        ledger.answers.len(),
        ledger.reopened.len(),
        database.count(folder, chased).await,
        mail.mails().len(),
    );
    assert!(ledger.opened.len() > ON_THE_WEB && !ledger.on_telegram.is_empty());
    assert_eq!(telegram.violations(), Vec::<String>::new());
}

async fn until_nothing_is_left(process: &Process, database: &Database, folder: &Path) {
    let begun = Instant::now();
    let chased = "SELECT COUNT(*) FROM ticket WHERE status IN ('open', 'pending') AND answer_by = 1 AND escalated_at IS NULL";
    while process.figure("tanya_outbox_waiting").await != Some(0.0)
        || database.count(folder, chased).await > 0
    {
        assert!(
            begun.elapsed() < Duration::from_secs(180),
            "something never came to its end"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl People {
    /// What officers said is in the chats of those whom it is for, once; and it went out on Telegram.
    async fn every_answer_is_read(&self, ledger: &Ledger) {
        for (person, answer) in &ledger.on_telegram {
            self.heard(*person, says, answer).await;
        }
        for (number, place) in &ledger.opened {
            let Some((id, token)) = place.as_ref().filter(|(_, token)| !token.is_empty()) else {
                continue;
            };
            let url = format!(
                "http://{}/api/v1/conversations/{id}/messages?after=0",
                self.http
            );
            let response = self
                .client
                .get(url)
                .bearer_auth(token)
                .send()
                .await
                .unwrap();
            let body: Value = response.json().await.unwrap();
            let messages = body["messages"].as_array().unwrap();
            for (_, answer) in ledger.answers.iter().filter(|(of, _)| of == number) {
                let heard = messages.iter().filter(|message| {
                    message["from"] == "officer" && message["text"] == answer.as_str()
                });
                assert_eq!(heard.count(), 1, "{number}: {answer}");
            }
        }
    }
}

/// The tickets are those that somebody was told of, one for each matter, numbered from 1 without a gap.
async fn every_number_is_used_once(url: &str, ledger: &Ledger) {
    let tickets: Vec<(String, String, String)> = rows(
        url,
        "SELECT number, conversation_id, title FROM ticket ORDER BY number",
    )
    .await;
    let numbers: Vec<&String> = tickets.iter().map(|(number, _, _)| number).collect();
    let known: Vec<&String> = ledger.opened.keys().collect();
    assert_eq!(numbers, known);
    let years: Vec<(i64, i64)> = rows(url, "SELECT year, last FROM ticket_serial").await;
    let [(year, last)] = years[..] else {
        panic!("tickets of two years: {years:?}");
    };
    let expected: Vec<String> = (1..=last)
        .map(|serial| TicketNumber::new(year, serial).to_string())
        .collect();
    assert_eq!(numbers, expected.iter().collect::<Vec<_>>());
    let chats = tickets.iter().filter(|(_, chat, _)| !chat.is_empty());
    let chats: Vec<&String> = chats.map(|(_, chat, _)| chat).collect();
    assert_eq!(
        chats.iter().collect::<BTreeSet<_>>().len(),
        chats.len(),
        "a chat with two tickets"
    );
    let titles = tickets.iter().map(|(_, _, title)| title);
    let titles: Vec<&String> = titles
        .filter(|title| title.starts_with("Kaunter"))
        .collect();
    assert_eq!(
        titles.iter().collect::<BTreeSet<_>>().len(),
        titles.len(),
        "a visitor with two tickets"
    );
    let opened: Vec<(String, i64)> = rows(
        url,
        "SELECT number, COUNT(*) FROM ticket_event WHERE kind = 'opened' GROUP BY number",
    )
    .await;
    assert_eq!(opened.len(), tickets.len());
    assert!(opened.iter().all(|(_, count)| *count == 1), "{opened:?}");
    let reopened: Vec<(String, i64)> = rows(
        url,
        "SELECT number, COUNT(*) FROM ticket_event WHERE kind = 'reopened' GROUP BY number",
    )
    .await;
    assert!(
        reopened.iter().all(|(_, count)| *count == 1),
        "{reopened:?}"
    );
    let reopened: BTreeSet<String> = reopened.into_iter().map(|(number, _)| number).collect();
    assert_eq!(reopened, ledger.reopened);
}

/// What officers wrote stands in a transcript once, and is noted on its ticket once.
async fn every_answer_is_there_once(url: &str, ledger: &Ledger) {
    let said: Vec<(String,)> = rows(url, "SELECT body FROM message WHERE sender = 'officer'").await;
    assert_eq!(said.len(), ledger.answers.len());
    for (number, answer) in &ledger.answers {
        let count = said.iter().filter(|(body,)| body.contains(answer)).count();
        assert_eq!(count, 1, "{number}: {answer}");
    }
    let noted: Vec<(String, String)> = rows(
        url,
        "SELECT number, text FROM ticket_event WHERE text LIKE 'Nota %' OR text LIKE 'Sila cuba %'",
    )
    .await;
    let mut noted: Vec<&(String, String)> = noted.iter().collect();
    let mut expected: Vec<&(String, String)> = ledger.answers.iter().chain(&ledger.notes).collect();
    noted.sort();
    expected.sort();
    assert_eq!(noted, expected);
}

/// Each chase was marked once and mailed under one id, and each new ticket was mailed to its queue.
async fn whoever_chases_is_told(url: &str, mail: &MailServer) {
    let mut mails: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for mail in mail.mails() {
        let subject = mail.header("Subject").unwrap();
        let to = if mail.to == [SUPERVISOR] {
            "supervisor"
        } else {
            "queue"
        };
        let number = TicketNumber::find(&subject).map(|number| number.to_string());
        let what = match subject.as_str() {
            subject if subject.contains("Tiket lewat") => "escalated",
            subject if subject.contains("masih menunggu") => "untaken",
            _ => "told",
        };
        let key = format!("{to} {what} {}", number.unwrap_or_default());
        mails.entry(key).or_default().insert(mail.message_id());
    }
    let count = |key: String| mails.get(&key).map_or(0, BTreeSet::len) as i64;
    let chased: Vec<(String, String, i64)> = rows(
        url,
        "SELECT number, kind, COUNT(*) FROM ticket_event WHERE kind IN ('escalated', 'untaken') GROUP BY number, kind",
    )
    .await;
    assert!(!chased.is_empty(), "nobody was chased");
    for (number, kind, times) in &chased {
        assert_eq!(
            count(format!("supervisor {kind} {number}")),
            *times,
            "{number} {kind}"
        );
        assert!(
            *times == 1 || kind == "escalated",
            "{number} {kind} {times}"
        );
    }
    let all: usize = mails
        .iter()
        .filter(|(key, _)| key.starts_with("supervisor e") || key.starts_with("supervisor u"))
        .map(|(_, ids)| ids.len())
        .sum();
    let marked: i64 = chased.iter().map(|(_, _, times)| times).sum();
    assert_eq!(all as i64, marked, "a chase that nobody noted");
    let tickets: Vec<(String,)> = rows(url, "SELECT number FROM ticket").await;
    for (number,) in tickets {
        assert!(
            count(format!("queue told {number}")) > 0,
            "{number} was not mailed to its queue"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ac_105_every_matter_is_one_ticket_and_every_answer_is_heard_on_sqlite() {
    killed_again_and_again(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ac_105_every_matter_is_one_ticket_and_every_answer_is_heard_on_postgres() {
    if let Some(database) = Database::postgres().await {
        killed_again_and_again(database).await;
    }
}

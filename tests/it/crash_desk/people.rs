//! Who is at it while the server is killed: people on the web and on Telegram, and the officer who answers them. Each does
//! what they do until it is said to be done.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::{Value, json};
use tanya::ticket::TicketNumber;
use uuid::Uuid;

use super::ledger::Ledger;
use crate::support::bot_api::updates::private_text;
use crate::support::{BotApi, Chat};

/// Everybody who is at it.
#[derive(Clone)]
pub struct People {
    pub http: SocketAddr,
    pub client: reqwest::Client,
    pub telegram: BotApi,
    pub ledger: Arc<Mutex<Ledger>>,
    pub stop: Arc<AtomicBool>,
    /// The officer's cookie, and what their forms carry.
    pub cookie: String,
    pub csrf: String,
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

/// A client that follows nothing by itself.
pub fn client() -> reqwest::Client {
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

/// Whether a text says some words.
pub fn says(text: &str, words: &str) -> bool {
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

    pub async fn heard(&self, person: i64, what: fn(&str, &str) -> bool, words: &str) -> String {
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

    pub async fn live_on_the_web(self) {
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

    pub async fn live_on_telegram(self) {
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

    pub async fn live_at_the_counter(self) {
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

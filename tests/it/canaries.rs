//! The program as a process of its own, at its most talkative, through whole stories of many people: then its log, its
//! figures and its database are searched for what must be in none of them.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::bot_api::TOKEN;
use crate::support::bot_api::updates::{press, private_text};
use crate::support::collector::{self, Came, Collector};
use crate::support::process::{tanya, vacant};
use crate::support::proof::{InboxMail, Sample, TWIN, pressed, token_of};
use crate::support::{BotApi, Database, SECRET_KEY};

const AMINAH: i64 = 7_330_001;
/// People who prove who they are on the web.
const PEOPLE: usize = 8;
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `tanya demo` whose log goes to a file.
struct Server {
    child: Child,
    http: SocketAddr,
    admin: SocketAddr,
    simulator: String,
    log: PathBuf,
    client: reqwest::Client,
}

impl Server {
    async fn start(folder: &Path, more: &[(&str, &str)]) -> Self {
        let (http, admin) = (vacant(), vacant());
        let log = folder.join("log.jsonl");
        std::fs::write(folder.join("tanya.toml"), "").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tanya"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TANYA_")) {
            command.env_remove(name);
        }
        let child = command
            .env("TANYA_HTTP_ADDR", http.to_string())
            .env("TANYA_ADMIN_ADDR", admin.to_string())
            .env("TANYA_SIMULATOR_ADDR", "127.0.0.1:0")
            .env("TANYA_SECRET_KEY", SECRET_KEY)
            .env("TANYA_LOG", "trace")
            .envs(more.iter().copied())
            .current_dir(folder)
            .arg("demo")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let client = reqwest::Client::builder().no_proxy();
        let client = client.redirect(reqwest::redirect::Policy::none());
        let mut server = Self {
            child,
            http,
            admin,
            simulator: String::new(),
            log,
            client: client.build().unwrap(),
        };
        server.until_ready().await;
        let described = std::fs::read_to_string(folder.join("data/demo.json")).unwrap();
        let described: Value = serde_json::from_str(&described).unwrap();
        server.simulator = described["simulator"].as_str().unwrap().to_owned();
        server
    }

    async fn until_ready(&mut self) {
        let begun = Instant::now();
        loop {
            let url = format!("http://{}/readyz", self.admin);
            let ready = self.client.get(url).send().await;
            if ready.is_ok_and(|response| response.status() == 200) {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended: {ended:?}");
            assert!(begun.elapsed() < Duration::from_secs(60), "never ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.http);
        self.client.request(method, url)
    }

    async fn post(&self, path: &str, body: Value) -> Response {
        let request = self.request(Method::POST, path).json(&body);
        request.send().await.unwrap()
    }

    async fn people(&self) -> Vec<Sample> {
        let url = format!("{}/demo/people.json", self.simulator);
        let people = self.client.get(url).send().await.unwrap();
        people.json().await.unwrap()
    }

    async fn faults(&self, faults: Value) {
        let url = format!("{}/faults", self.simulator);
        let put = self.client.put(url).json(&faults).send().await.unwrap();
        assert!(put.status().is_success());
    }

    async fn mails_to(&self, address: &str) -> Vec<InboxMail> {
        let inbox = self.request(Method::GET, "/demo/inbox.json").send().await;
        let mut mails: Vec<InboxMail> = inbox.unwrap().json().await.unwrap();
        mails.retain(|mail| mail.to == address);
        mails
    }

    /// The mails to an address that fit, once there are so many.
    async fn until_mailed(
        &self,
        address: &str,
        count: usize,
        fits: impl Fn(&InboxMail) -> bool,
    ) -> Vec<InboxMail> {
        let begun = Instant::now();
        loop {
            let mut mails = self.mails_to(address).await;
            mails.retain(&fits);
            if mails.len() >= count {
                return mails;
            }
            assert!(begun.elapsed() < PATIENCE, "no mail came to {address}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn figures(&self) -> String {
        let url = format!("http://{}/metrics", self.admin);
        let figures = self.client.get(url).send().await.unwrap();
        figures.text().await.unwrap()
    }

    async fn begin(&self) -> Talk<'_> {
        let begun = self.post("/api/v1/conversations", json!({})).await;
        assert_eq!(begun.status(), StatusCode::CREATED);
        let begun: Value = begun.json().await.unwrap();
        Talk {
            server: self,
            id: begun["id"].as_str().unwrap().to_owned(),
            token: begun["token"].as_str().unwrap().to_owned(),
        }
    }

    /// The cookie that a page sets.
    async fn cookie(&self, page: &str) -> String {
        let page = self.request(Method::GET, page).send().await.unwrap();
        let cookie = page.headers()["set-cookie"].to_str().unwrap().to_owned();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Presses the button of a page.
    async fn press(&self, page: &str, action: &str, token: &str) -> Response {
        let headers = pressed(&self.cookie(page).await);
        let request = self.request(Method::POST, action).headers(headers);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(format!("token={token}")).send().await.unwrap()
    }

    /// Ends it as an operator does, so that everything is written; its log.
    fn stop(mut self) -> String {
        let stopped = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(stopped.unwrap().success());
        let ended = self.child.wait().unwrap();
        assert!(ended.success(), "{ended:?}");
        String::from_utf8(std::fs::read(&self.log).unwrap()).expect("the log is text")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A chat as its person has it.
struct Talk<'a> {
    server: &'a Server,
    id: String,
    token: String,
}

impl Talk<'_> {
    async fn post(&self, rest: &str, body: Value) -> Response {
        let path = format!("/api/v1/conversations/{}{rest}", self.id);
        let request = self.server.request(Method::POST, &path);
        let request = request.bearer_auth(&self.token).json(&body);
        request.send().await.unwrap()
    }

    async fn say(&self, text: &str) -> Vec<Value> {
        let message = json!({"client_id": Uuid::new_v4(), "text": text});
        let said: Value = self.post("/messages", message).await.json().await.unwrap();
        said["replies"].as_array().unwrap().clone()
    }

    async fn until_said(&self, words: &str) -> Value {
        let begun = Instant::now();
        loop {
            let path = format!("/api/v1/conversations/{}/messages?after=0", self.id);
            let request = self.server.request(Method::GET, &path);
            let heard = request.bearer_auth(&self.token).send().await.unwrap();
            let heard: Value = heard.json().await.unwrap();
            let mut messages = heard["messages"].as_array().unwrap().iter().rev();
            let found = messages.find(|it| it["text"].as_str().unwrap().contains(words));
            if let Some(found) = found {
                return found.clone();
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{words:?} was not said: {heard:#}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// What was planted.
#[derive(Default)]
struct Planted {
    /// Must be nowhere.
    secrets: Vec<(&'static str, String)>,
    /// What people said: kept in the transcript, and nowhere else.
    words: Vec<String>,
}

impl Planted {
    fn plant(&mut self, what: &'static str, secret: &str) {
        assert!(secret.len() >= 6, "{what} {secret:?} could stand anywhere");
        self.secrets.push((what, secret.to_owned()));
    }

    fn person(&mut self, person: &Sample) {
        self.number(&person.id_no);
        self.plant("name", &person.name);
        self.plant("address", person.email());
    }

    fn number(&mut self, id_no: &str) {
        let plain = id_no.replace('-', "");
        self.plant("number", &plain);
        if plain.len() == 12 {
            let hyphens = format!("{}-{}-{}", &plain[..6], &plain[6..8], &plain[8..]);
            self.plant("number", &hyphens);
        }
    }

    fn code(&mut self, code: &str) {
        self.plant("code", code);
        self.plant("code", &format!("{} {}", &code[..4], &code[4..]));
    }
}

/// Whether a secret stands in a text; digits within longer ones, as in times and figures, are none.
fn stands_in(text: &str, secret: &str) -> bool {
    let digits = secret.bytes().all(|byte| byte.is_ascii_digit());
    text.match_indices(secret).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = text[at + secret.len()..].chars().next();
        let within = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.');
        !digits || !(within(before) || within(behind))
    })
}

/// The token at the end of an address.
fn end_of(url: &str) -> String {
    url.rsplit(['/', '#', '=']).next().unwrap().to_owned()
}

/// Somebody asks for a payslip, guesses once, proves who they are, opens it twice.
async fn payslip(server: &Server, person: &Sample, planted: &mut Planted) {
    planted.person(person);
    let talk = server.begin().await;
    planted.plant("chat token", &talk.token);
    let words = format!("kucing{}belang", planted.words.len());
    talk.say(&format!(
        "{words} ic saya {} kata laluan saya Rahsia#{words}9",
        person.id_no
    ))
    .await;
    planted.plant("password", &format!("Rahsia#{words}9"));
    planted.words.push(words);
    let prompt = talk.say("/slip").await.remove(0);
    let token = token_of(&prompt);
    planted.plant("verify token", &token);
    let start = json!({"token": token, "kind": person.kind, "id_no": person.id_no});
    assert_eq!(
        server.post("/api/v1/verify/start", start).await.status(),
        StatusCode::ACCEPTED
    );
    let is_code = |mail: &InboxMail| mail.code().is_some();
    let mail = server
        .until_mailed(person.email(), 1, is_code)
        .await
        .remove(0);
    let code = mail.code().unwrap();
    planted.code(&code);
    planted.plant(
        "disavowal",
        &end_of(&mail.link("http://localhost").unwrap()),
    );
    let wrong = json!({"token": token, "code": "13571357"});
    assert_eq!(
        server.post("/api/v1/verify/finish", wrong).await.status(),
        422
    );
    let right = json!({"token": token, "code": code});
    let finished = server.post("/api/v1/verify/finish", right).await;
    let finished: Value = finished.json().await.unwrap();
    let secret = finished["return"].as_str().unwrap();
    planted.plant("return secret", secret);
    let brought = talk.post("/proof", json!({"return": secret})).await;
    assert_eq!(brought.status(), StatusCode::NO_CONTENT);
    talk.until_said("Slip gaji yang ada").await;
    let link = token_of(&talk.say("slip gaji bulan lepas").await[0]);
    planted.plant("link", &link);
    let opened = server.press("/l", "/l/open", &link).await;
    assert_eq!(opened.status(), StatusCode::SEE_OTHER);
    let at = opened.headers()["location"].to_str().unwrap().to_owned();
    planted.plant("portal link", &end_of(&at));
    let document = server.client.get(&at).send().await.unwrap();
    assert_eq!(document.status(), StatusCode::OK);
    assert_eq!(
        server.press("/l", "/l/open", &link).await.status(),
        StatusCode::GONE
    );
    // A portal that answers with what nobody agreed: what it says is nobody's affair.
    for fault in ["foreign_link", "garbage", "html", "lies"] {
        let link = token_of(&talk.say("slip gaji bulan lepas").await[0]);
        planted.plant("link", &link);
        server.faults(json!({fault: true})).await;
        assert_ne!(
            server.press("/l", "/l/open", &link).await.status(),
            StatusCode::SEE_OTHER
        );
        server.faults(json!({})).await;
        // One request that is answered, so that the line to the portal is not paused.
        talk.say("/ec").await;
    }
}

/// Somebody has a password reset by a link that we mail, and says afterwards that it was not them.
async fn reset(server: &Server, person: &Sample, planted: &mut Planted) {
    let talk = server.begin().await;
    planted.plant("chat token", &talk.token);
    let token = token_of(&talk.say("/lupa").await[0]);
    planted.plant("verify token", &token);
    let start = json!({"token": token, "kind": person.kind, "id_no": person.id_no});
    server.post("/api/v1/verify/start", start).await;
    let is_code = |mail: &InboxMail| mail.code().is_some();
    // The first was for the payslip.
    let mail = server
        .until_mailed(person.email(), 2, is_code)
        .await
        .remove(1);
    let code = mail.code().unwrap();
    planted.code(&code);
    let finished = server
        .post(
            "/api/v1/verify/finish",
            json!({"token": token, "code": code}),
        )
        .await;
    assert_eq!(finished.status(), StatusCode::OK);
    let finished: Value = finished.json().await.unwrap();
    let secret = finished["return"].as_str().unwrap();
    planted.plant("return secret", secret);
    talk.post("/proof", json!({"return": secret})).await;
    talk.until_said("telah dihantar ke").await;
    let about = |mail: &InboxMail| mail.subject.contains("Set semula");
    let mail = server
        .until_mailed(person.email(), 1, about)
        .await
        .remove(0);
    let one_time = mail.link(&server.simulator).expect("the one-time link");
    planted.plant("one-time link", &end_of(&one_time));
    let disavowal = end_of(&mail.link("http://localhost").unwrap());
    planted.plant("disavowal", &disavowal);
    let said = server.press("/bukan-saya", "/bukan-saya", &disavowal).await;
    assert_eq!(said.status(), StatusCode::OK);
}

async fn until_told(telegram: &BotApi, words: &str) -> Value {
    let begun = Instant::now();
    loop {
        let sent = telegram.sent(AMINAH);
        let found = sent
            .iter()
            .rev()
            .find(|it| it["text"].as_str().is_some_and(|text| text.contains(words)));
        if let Some(found) = found {
            return found.clone();
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "{words:?} was not sent: {sent:#?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Somebody types number and code in the Telegram chat.
async fn typed_on_telegram(
    server: &Server,
    telegram: &BotApi,
    person: &Sample,
    planted: &mut Planted,
) {
    planted.person(person);
    planted.plant("bot token", TOKEN);
    planted.plant("bot token", TOKEN.split_once(':').unwrap().1);
    telegram.give(private_text(AMINAH, "/slip"));
    let choose = until_told(telegram, "kakitangan atau pembekal").await;
    let prompt = until_told(telegram, "sahkan diri").await.to_string();
    let (_, verify) = prompt.split_once("/verify#").expect("the page is offered");
    let end = verify.find(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)));
    planted.plant("verify token", &verify[..end.unwrap()]);
    let rows = choose["reply_markup"]["inline_keyboard"]
        .as_array()
        .unwrap()
        .iter();
    let mut buttons = rows.flat_map(|row| row.as_array().unwrap());
    let staff = buttons
        .find(|button| button["text"].as_str().unwrap().contains("Kakitangan"))
        .unwrap();
    telegram.give(press(
        AMINAH,
        &choose,
        staff["callback_data"].as_str().unwrap(),
    ));
    until_told(telegram, "Sila taip nombor kad pengenalan").await;
    telegram.give(private_text(AMINAH, &person.id_no));
    let is_code = |mail: &InboxMail| mail.code().is_some();
    let mail = server
        .until_mailed(person.email(), 1, is_code)
        .await
        .remove(0);
    let code = mail.code().unwrap();
    planted.code(&code);
    until_told(telegram, "satu kod 8 digit").await;
    telegram.give(private_text(
        AMINAH,
        &format!("{} {}", &code[..4], &code[4..]),
    ));
    until_told(telegram, "Slip gaji yang ada").await;
    telegram.until_called("deleteMessage", 2).await;
}

async fn nothing_secret_is_written_anywhere(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let telegram = BotApi::start().await;
    let (url, api_url) = (database.url(folder.path()), telegram.url());
    let collector = Collector::start();
    let server = Server::start(
        folder.path(),
        &[
            ("TANYA_DATABASE_URL", &url),
            ("TANYA_TELEGRAM_TOKEN", TOKEN),
            ("TANYA_TELEGRAM_API_URL", &api_url),
            ("TANYA_OTLP_URL", collector.url()),
            ("TANYA_OTLP_TOKEN", collector::TOKEN),
        ],
    )
    .await;
    let mut planted = Planted::default();
    planted.plant("secret key", SECRET_KEY);
    planted.plant("collector's token", collector::TOKEN);
    planted.number(TWIN);
    let people = server.people().await;
    let fit = |it: &&Sample| it.kind == "staff" && it.note == "ordinary staff";
    let ordinary: Vec<&Sample> = people.iter().filter(fit).collect();
    for person in &ordinary[..PEOPLE] {
        payslip(&server, person, &mut planted).await;
    }
    let mailed_by_us = ordinary[..PEOPLE]
        .iter()
        .find(|it| it.delivery == "helpdesk");
    reset(&server, mailed_by_us.unwrap(), &mut planted).await;
    typed_on_telegram(&server, &telegram, ordinary[PEOPLE], &mut planted).await;
    // Numbers of nobody's, and what is no number, token or body at all.
    let token = token_of(&server.begin().await.say("/slip").await[0]);
    for body in [
        json!({"token": token, "kind": "staff", "id_no": format!("{TWIN}-{TWIN}")}),
        json!({"token": token, "kind": "staff", "id_no": TWIN}),
        json!({"token": TWIN, "kind": TWIN, "id_no": TWIN, TWIN: TWIN}),
    ] {
        server.post("/api/v1/verify/start", body).await;
    }
    let path = format!("/l/{TWIN}?token={TWIN}&ic={}", planted.secrets[1].1);
    server.request(Method::GET, &path).send().await.unwrap();

    let figures = server.figures().await;
    let log = server.stop();
    let dump = database.dump(folder.path()).await;
    let copy = backup(&database, folder.path());
    let (traces, spans) = (collector.text(), collector.spans());
    // All four show what they are there for.
    assert!(
        log.contains("/l/open") && log.contains("tanya::"),
        "the log is at work"
    );
    assert!(figures.contains("tanya_audit_total") && figures.contains("link.opened"));
    for carrier in ["telegram", "code", "mail", "portal"] {
        let told = |span: &Came| span.fact("tanya.carrier") == carrier;
        assert!(
            spans.iter().any(told),
            "no delivery by {carrier} is told of"
        );
    }
    let update = spans.iter().find(|span| span.name == "update");
    let update = update.expect("updates are told of");
    assert!(
        spans
            .iter()
            .any(|span| span.name == "turn" && span.trace == update.trace)
    );
    assert!(
        planted
            .words
            .iter()
            .all(|words| dump.contains(words.as_str())),
        "transcripts are kept"
    );
    let mut words = planted.words.iter();
    assert!(
        words.all(|words| copy.contains(words.as_str())),
        "the backup has them"
    );
    assert!(planted.secrets.len() >= 50, "{}", planted.secrets.len());
    let mut found = Vec::new();
    for (what, secret) in &planted.secrets {
        for (place, text) in [("log", &log), ("figures", &figures), ("traces", &traces)] {
            if stands_in(text, secret) {
                let line = text
                    .lines()
                    .find(|line| stands_in(line, secret))
                    .unwrap_or_default();
                found.push(format!("{what} {secret} in the {place}: {line:.300}"));
            }
        }
        if dump.contains(secret.as_str()) {
            found.push(format!("{what} {secret} in the database"));
        }
        if copy.contains(secret.as_str()) {
            found.push(format!("{what} {secret} in the backup"));
        }
    }
    for words in &planted.words {
        for (place, text) in [("log", &log), ("figures", &figures), ("traces", &traces)] {
            if text.contains(words.as_str()) {
                found.push(format!("what was said is in the {place}"));
            }
        }
    }
    let kinds: std::collections::BTreeSet<&str> = found
        .iter()
        .map(|it| it.split(' ').next().unwrap())
        .collect();
    assert!(
        found.is_empty(),
        "{} finds, {kinds:?}, such as {:#?}",
        found.len(),
        &found[..found.len().min(6)]
    );
}

/// What `tanya backup` writes, as text.
fn backup(database: &Database, folder: &Path) -> String {
    let copy = folder.join("copy.db");
    let url = database.url(folder);
    let settings = [
        ("TANYA_DATABASE_URL", url.as_str()),
        ("TANYA_SECRET_KEY", SECRET_KEY),
        ("TANYA_LOG", "error"),
    ];
    let made = tanya(folder, &["backup", copy.to_str().unwrap()], &settings).status();
    assert!(made.unwrap().success());
    let text = match database {
        Database::Sqlite => std::fs::read(copy).unwrap(),
        // It is packed: what PostgreSQL's own program makes of it again.
        Database::Postgres(_) => {
            let mut unpack = std::process::Command::new("pg_restore");
            let unpacked = unpack.arg("--file=-").arg(copy).output().unwrap();
            let complaint = String::from_utf8_lossy(&unpacked.stderr);
            assert!(unpacked.status.success(), "{complaint}");
            unpacked.stdout
        }
    };
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn ac_82_nothing_secret_is_written_anywhere_on_sqlite() {
    nothing_secret_is_written_anywhere(Database::sqlite()).await;
}

#[tokio::test]
async fn ac_82_nothing_secret_is_written_anywhere_on_postgres() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    nothing_secret_is_written_anywhere(database).await;
}

/// What somebody types who wants to write the log themselves.
const FORGED: &str = "lupa kata laluan\r\n{\"level\":\"ERROR\",\"forged\":true}\n\u{1b}[31mMERAH\u{1b}[0m\u{2028}\"}},{\"forged\":true}\\\u{8}\0%s{0}${x}{{7*7}}";

#[tokio::test]
async fn ac_81_whatever_is_typed_each_event_is_one_line_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let telegram = BotApi::start().await;
    let api_url = telegram.url();
    let server = Server::start(
        folder.path(),
        &[
            ("TANYA_DATABASE_URL", "sqlite://data/tanya.db"),
            ("TANYA_TELEGRAM_TOKEN", TOKEN),
            ("TANYA_TELEGRAM_API_URL", &api_url),
        ],
    )
    .await;
    let talk = server.begin().await;
    let replies = talk.say(FORGED).await;
    let seq = replies[0]["seq"].as_i64().unwrap();
    talk.post(
        "/feedback",
        json!({"seq": seq, "helpful": false, "comment": FORGED}),
    )
    .await;
    talk.post(
        "/messages",
        json!({"client_id": Uuid::new_v4(), "choice": FORGED}),
    )
    .await;
    talk.post(
        "/messages",
        json!({"client_id": FORGED, "text": FORGED, FORGED: FORGED}),
    )
    .await;
    talk.post("/proof", json!({"return": FORGED})).await;
    server
        .post("/api/v1/ask", json!({"text": FORGED, "lang": FORGED}))
        .await;
    server.post("/api/v1/ask", json!({"text": FORGED})).await;
    server
        .post(
            "/api/v1/verify/start",
            json!({"token": FORGED, "kind": "staff", "id_no": FORGED}),
        )
        .await;
    server
        .post(
            "/api/v1/verify/finish",
            json!({"token": FORGED, "code": FORGED}),
        )
        .await;
    let encoded = "%0d%0a%7B%22level%22:%22ERROR%22,%22forged%22:true%7D%0a%1b%5b31m";
    for path in ["/", "/assets/", "/l?token=", "/api/v1/conversations/"] {
        let request = server.request(Method::GET, &format!("{path}{encoded}"));
        // What a header may hold at all.
        let hostile = b"x\"}{\"forged\":true}\t\\\xff\xfe";
        let hostile = reqwest::header::HeaderValue::from_bytes(hostile).unwrap();
        let mut request = request.bearer_auth("x\"}{\"forged\":true}");
        for name in [
            "user-agent",
            "referer",
            "accept-language",
            "x-forwarded-for",
            "cookie",
            "last-event-id",
        ] {
            request = request.header(name, hostile.clone());
        }
        request.send().await.unwrap();
    }
    let odd = Method::from_bytes(b"FORGED!#$%&'*+|~").unwrap();
    server.request(odd, "/").send().await.unwrap();
    server.press("/l", "/l/open", encoded).await;
    server.press("/bukan-saya", "/bukan-saya", encoded).await;
    telegram.give(private_text(AMINAH, FORGED));
    telegram.until_sent(AMINAH, 2).await;

    let log = server.stop();
    assert!(
        !log.contains('\u{1b}'),
        "a terminal would be told something"
    );
    let mut events = 0;
    for line in log.lines() {
        let event: Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line:?}"));
        assert!(
            event["timestamp"].is_string() && event["level"].is_string(),
            "{line}"
        );
        assert!(
            event.get("forged").is_none(),
            "somebody wrote this line: {line}"
        );
        assert!(
            !event["fields"].to_string().contains("MERAH"),
            "what was said is in the log: {line}"
        );
        events += 1;
    }
    assert!(events > 20, "{events} events");
}

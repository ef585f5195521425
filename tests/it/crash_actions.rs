//! The server is killed at random moments while people have their passwords reset: nothing is claimed that did not
//! happen, nothing is done twice at the portal, nothing goes to anybody else, no code works twice, no guess is forgotten.
//! The people, the mail server and the portal are outside and keep the ledger. `TANYA_TEST_CRASHES` says how often;
//! `scripts/crash` does it many more times.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::crash::rows;
use crate::support::Database;
use crate::support::crash::{Crashes, Moments, Point, VERBS, leases_end, the_record_is_whole};
use crate::support::mail_server::{MailServer, ReceivedMail};
use crate::support::process::{Process, tanya, vacant};
use crate::support::proof::{InboxMail, Sample, token_of};

/// People at work at the same time: for some the portal mails, for some we do.
const PEOPLE: usize = 6;
/// How often somebody asks in one chat, and how long they rest between.
const TIMES: usize = 12;
const REST: Duration = Duration::from_millis(60);
const TOKEN: &str = "a token for the portal";

/// Mails that may be on their way when the program is killed: as many as are carried at once. They come
/// again, under the same id.
const IN_FLIGHT: usize = 4;

/// What the chat says: that it has begun, and that it is done.
const BEGUN: &str = "Saya sedang menghantar permintaan";
const BY_PORTAL: &str = "telah menerima permintaan";
const BY_US: &str = "telah dihantar ke";

fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy();
    builder.timeout(Duration::from_secs(8)).build().unwrap()
}

/// The portal, a process of its own that nobody kills before the end.
struct Portal {
    child: Child,
    url: String,
}

impl Drop for Portal {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Portal {
    async fn start(folder: &Path) -> Self {
        let addr = vacant().to_string();
        let arguments = ["simulator", "--addr", &addr, "--token", TOKEN];
        let child = tanya(folder, &arguments, &[]).spawn().unwrap();
        let portal = Self {
            child,
            url: format!("http://{addr}"),
        };
        let begun = Instant::now();
        while client()
            .get(format!("{}/demo/people.json", portal.url))
            .send()
            .await
            .is_err()
        {
            assert!(begun.elapsed() < Duration::from_secs(30), "never ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        portal
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> T {
        let response = client().get(format!("{}{path}", self.url)).send().await;
        response.unwrap().json().await.unwrap()
    }

    /// People whose password can be reset, of both kinds.
    async fn people(&self) -> Vec<Sample> {
        let people: Vec<Sample> = self.get("/demo/people.json").await;
        let able = people.into_iter().filter(|it| {
            it.kind == "staff" && it.active && it.account == "active" && it.email.is_some()
        });
        let people: Vec<Sample> = able.take(PEOPLE).collect();
        let by_us = people.iter().filter(|it| it.delivery == "helpdesk").count();
        assert!((1..PEOPLE).contains(&by_us));
        people
    }

    /// What it mailed, to whom, by the ids of the mails; it remembers the last few hundred.
    async fn note_mails(&self, ledger: &mut BTreeMap<String, String>) {
        let mails: Vec<InboxMail> = self.get("/demo/mails.json").await;
        ledger.extend(mails.into_iter().map(|mail| (mail.message_id, mail.to)));
    }
}

/// What somebody does who wants their password reset.
struct Person {
    client: reqwest::Client,
    http: SocketAddr,
    mail: MailServer,
    who: Sample,
    stop: Arc<AtomicBool>,
    /// Errands of all people that the program accepted.
    accepted: Arc<AtomicUsize>,
}

/// A chat that somebody had: who opens it again.
struct Diary {
    email: String,
    id: String,
    token: String,
    /// Errands that the program accepted, as far as its answers came through.
    accepted: usize,
    /// Guesses at a code that the program looked at, as far as its answers came through.
    guesses: i64,
}

/// What a chat says in the end.
#[derive(Default)]
struct Told {
    begun: usize,
    by_portal: usize,
    by_us: usize,
}

impl Person {
    fn codes(&self) -> Vec<ReceivedMail> {
        let mut mails = self.mail.mails();
        mails.retain(|mail| mail.to == [self.who.email()] && mail.code().is_some());
        mails
    }

    /// Sends it until there is an answer that is no failure of the server's.
    async fn post(&self, path: &str, bearer: &str, body: &Value) -> (u16, Value) {
        loop {
            let request = self.client.post(format!("http://{}{path}", self.http));
            let response = request.bearer_auth(bearer).json(body).send().await;
            if let Ok(response) = response {
                let status = response.status().as_u16();
                if let Ok(body) = response.bytes().await
                    && status < 500
                {
                    let body = serde_json::from_slice(&body).unwrap_or_default();
                    return (status, body);
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn say(&self, id: &str, token: &str, text: &str) -> Vec<Value> {
        let message = json!({"client_id": Uuid::new_v4(), "text": text});
        let path = format!("/api/v1/conversations/{id}/messages");
        let (status, body) = self.post(&path, token, &message).await;
        assert_eq!(status, 200, "{body}");
        body["replies"].as_array().unwrap().clone()
    }

    /// Guesses at a code; what came back, and whether it was right.
    async fn guess(&self, page: &str, code: &str, guesses: &mut i64) -> (u16, Value) {
        let code = json!({"token": page, "code": code});
        let (status, body) = self.post("/api/v1/verify/finish", "", &code).await;
        // None is left, and none is spent, where the answers to five got lost.
        *guesses += i64::from(status == 200 || body["code"] == "wrong_code");
        (status, body)
    }

    /// Gives the number, reads the code, mistypes it and gives it; the secret, unless it got lost or came too late.
    async fn prove(&self, page: &str, guesses: &mut i64) -> Option<String> {
        let before = self.codes().len();
        let number = json!({"token": page, "kind": "staff", "id_no": self.who.id_no});
        let (status, _) = self.post("/api/v1/verify/start", "", &number).await;
        if status != 202 {
            return None;
        }
        let begun = Instant::now();
        let mut given = before;
        // A code comes late after a crash, and one that was sent twice may be an old one.
        while begun.elapsed() < Duration::from_secs(30) && !self.stop.load(Ordering::Relaxed) {
            let codes = self.codes();
            let Some(mail) = codes.get(given) else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            given += 1;
            let code = mail.code().unwrap();
            if *guesses == 0 {
                let (status, body) = self.guess(page, &mistyped(&code), guesses).await;
                assert!(status == 422 || status == 410, "{status}: {body}");
            }
            let (status, body) = self.guess(page, &code, guesses).await;
            match status {
                200 => {
                    let (again, said) = self.guess(page, &code, guesses).await;
                    assert_eq!(again, 410, "a code works once: {said}");
                    return Some(body["return"].as_str().unwrap().to_owned());
                }
                // The answer that held the secret may have got lost: then there is none any more.
                410 => return None,
                422 => {}
                other => panic!("{other}: {body}"),
            }
        }
        None
    }

    /// Asks, proves and asks again in one chat.
    async fn chat(&self) -> Diary {
        let (status, begun) = self.post("/api/v1/conversations", "", &json!({})).await;
        assert_eq!(status, 201, "{begun}");
        let mut diary = Diary {
            email: self.who.email().to_owned(),
            id: begun["id"].as_str().unwrap().to_owned(),
            token: begun["token"].as_str().unwrap().to_owned(),
            accepted: 0,
            guesses: 0,
        };
        let prompt = self.say(&diary.id, &diary.token, "/lupa").await.remove(0);
        assert_eq!(prompt["kind"], "prompt", "{prompt}");
        let guesses = &mut diary.guesses;
        let Some(secret) = self.prove(&token_of(&prompt), guesses).await else {
            return diary;
        };
        let path = format!("/api/v1/conversations/{}/proof", diary.id);
        let brought = json!({"return": secret});
        let (status, body) = self.post(&path, &diary.token, &brought).await;
        assert_eq!(status, 204, "{body}");
        // The chat goes on by itself with what was asked for.
        self.note_accepted(&mut diary);
        for _ in 1..TIMES {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            tokio::time::sleep(REST).await;
            let replies = self.say(&diary.id, &diary.token, "/lupa").await;
            let text = replies[0]["text"].as_str().unwrap();
            assert!(text.contains(BEGUN), "{text}");
            self.note_accepted(&mut diary);
        }
        diary
    }

    fn note_accepted(&self, diary: &mut Diary) {
        diary.accepted += 1;
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    async fn live(self) -> Vec<Diary> {
        let mut diaries = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            diaries.push(self.chat().await);
        }
        diaries
    }
}

impl Diary {
    async fn told(&self, http: SocketAddr) -> Told {
        let url = format!(
            "http://{http}/api/v1/conversations/{}/messages?after=0",
            self.id
        );
        let request = client().get(url).bearer_auth(&self.token);
        let body: Value = request.send().await.unwrap().json().await.unwrap();
        let mut told = Told::default();
        for message in body["messages"].as_array().unwrap() {
            let text = message["text"].as_str().unwrap();
            told.begun += usize::from(text.contains(BEGUN));
            told.by_portal += usize::from(text.contains(BY_PORTAL));
            told.by_us += usize::from(text.contains(BY_US));
        }
        told
    }
}

/// Another code, with one digit changed.
fn mistyped(code: &str) -> String {
    let (first, rest) = code.split_at(1);
    let other = if first == "1" { "2" } else { "1" };
    format!("{other}{rest}")
}

/// Guesses that were spent, by conversation: never fewer than before.
async fn no_guess_is_forgotten(url: &str, before: &mut BTreeMap<String, i64>) {
    let spent: Vec<(String, i64)> =
        rows(url, "SELECT conversation_id, tries FROM verification").await;
    for (conversation, tries) in spent {
        let known = before.entry(conversation).or_default();
        assert!(*known <= tries, "a counter fell from {known} to {tries}");
        *known = tries;
    }
}

/// The points of this work: what is written, and what the mail server is told.
fn points(database: &Database, mail: &MailServer) -> Vec<Point> {
    let verbs = VERBS.into_iter();
    let verbs = verbs.map(|verb| Point::Mail(mail.clone(), verb));
    let tables = [
        "verification",
        "proof",
        "tally",
        "audit",
        "message",
        "outbox",
    ];
    verbs.chain(Point::writes(database, &tables)).collect()
}

async fn killed_again_and_again(database: Database, moments: Moments) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let url = database.url(folder);
    let (mail, portal) = (MailServer::start().await, Portal::start(folder).await);
    let smtp = mail.url();
    let many = "1000000";
    let process = [
        ("TANYA_DATABASE_URL", url.as_str()),
        ("TANYA_SMTP_URL", &smtp),
        ("TANYA_MAIL_FROM", "tanya@perbendaharaan.example"),
        ("TANYA_PORTAL_URL", &portal.url),
        ("TANYA_PORTAL_TOKEN", TOKEN),
        ("TANYA_REQUESTS_PER_HOUR", many),
        ("TANYA_REQUESTS_PER_DAY", many),
        ("TANYA_CHAT_MESSAGES_PER_MINUTE", many),
        ("TANYA_NEW_CHATS_PER_HOUR", "100000"),
        ("TANYA_NETWORK_STARTS_PER_HOUR", many),
        ("TANYA_CODES_PER_HOUR", many),
        ("TANYA_CODES_PER_DAY", many),
        ("TANYA_NETWORK_FAILURES_PER_HOUR", many),
        ("TANYA_FAILURES_PER_HOUR", many),
        ("TANYA_IDENTITY_FAILURES_SLOW", many),
        ("TANYA_IDENTITY_FAILURES_MOST", many),
        // What a chat was told stays to be read until the end.
        ("TANYA_PROOF_IDLE_MINUTES", "10000"),
        ("TANYA_PROOF_MINUTES", "10000"),
        ("TANYA_MAILS_PER_MINUTE", many),
        ("TANYA_MAILS_PER_HOUR", many),
    ];
    let mut process = Process::start(folder, &process).await;
    let stop = Arc::new(AtomicBool::new(false));
    let accepted = Arc::new(AtomicUsize::new(0));
    let people = portal.people().await;
    let lives: Vec<_> = people
        .iter()
        .map(|who| {
            let person = Person {
                client: client(),
                http: process.http_addr,
                mail: mail.clone(),
                who: who.clone(),
                stop: Arc::clone(&stop),
                accepted: Arc::clone(&accepted),
            };
            tokio::spawn(person.live())
        })
        .collect();

    let crashes = match moments {
        Moments::Random => Crashes::new(4, Duration::from_millis(1_500)),
        Moments::Points => Crashes::At(points(&database, &mail)),
    };
    let mut by_portal = BTreeMap::new();
    let mut spent = BTreeMap::new();
    let mut ends = Vec::new();
    let meanwhile = async || {
        portal.note_mails(&mut by_portal).await;
        the_record_is_whole(folder, &url);
        no_guess_is_forgotten(&url, &mut spent).await;
        leases_end(&database, folder).await;
        ends.push(mail.mails().len());
    };
    let place = (&database, folder);
    crashes.befall(&mut process, place, meanwhile).await;
    // Whatever the moments were, some work is done between and after them.
    let patience = Instant::now() + Duration::from_secs(60);
    while accepted.load(Ordering::Relaxed) <= PEOPLE && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.store(true, Ordering::Relaxed);
    let mut diaries = Vec::new();
    for life in lives {
        diaries.extend(life.await.unwrap());
    }
    until_everything_ended(&process).await;
    portal.note_mails(&mut by_portal).await;
    let mut accepted: BTreeMap<&str, usize> = BTreeMap::new();
    for diary in &diaries {
        let told = diary.told(process.http_addr).await;
        assert_eq!(told.begun, diary.accepted, "errands that were accepted");
        assert_eq!(
            told.by_portal + told.by_us,
            told.begun,
            "every errand came to its end, once, in its chat"
        );
        let by_us = is_mailed_by_us(&people, &diary.email);
        assert_eq!(if by_us { told.by_us } else { told.by_portal }, told.begun);
        *accepted.entry(&diary.email).or_default() += told.begun;
    }
    process.kill();
    the_record_is_whole(folder, &url);
    no_guess_is_forgotten(&url, &mut spent).await;
    for diary in &diaries {
        let spent = spent.get(&diary.id).copied().unwrap_or_default();
        assert!(
            spent >= diary.guesses,
            "{} of {} guesses were counted",
            spent,
            diary.guesses
        );
    }
    // A code that was given before it could be noted as mailed is not wanted any more; nothing else is given up.
    sqlx::any::install_default_drivers();
    let dead = "SELECT COUNT(*) FROM outbox WHERE outcome = 'dead' AND carrier <> 'code'";
    assert_eq!(database.count(folder, dead).await, 0);
    let total: usize = accepted.values().sum();
    eprintln!(
        "{} crashes, {} chats, {total} resets, {} mails",
        crashes.times(),
        diaries.len(),
        mail.mails().len()
    );
    assert!(total > PEOPLE, "nearly nothing was asked for");
    no_life_sends_twice(&mail.mails(), &ends);
    let mails = by_id(&mail, &people);
    let again: usize = mails.values().map(|mails| mails.len() - 1).sum();
    let in_flight = crashes.times() * IN_FLIGHT;
    assert!(again <= in_flight, "{again} mails came again");
    for person in &people {
        let email = person.email();
        let accepted = accepted.get(email).copied().unwrap_or_default();
        let at_portal = by_portal.values().filter(|to| *to == email).count();
        let resets = mails.values().filter(|mails| is_reset_to(&mails[0], email));
        let links: Vec<String> = resets.map(|mails| link_in(&mails[0])).collect();
        let different: BTreeSet<&String> = links.iter().collect();
        assert_eq!(different.len(), links.len(), "each errand's own link");
        let by_us = is_mailed_by_us(&people, email);
        // Each errand was done once, by the one or by the other, and what the chat says of it is so.
        let expected = if by_us { (0, accepted) } else { (accepted, 0) };
        assert_eq!((at_portal, links.len()), expected, "{email}");
    }
    let strangers = by_portal
        .values()
        .filter(|to| !people.iter().any(|it| it.email() == *to));
    assert_eq!(strangers.count(), 0);
}

/// A mail comes again only after a kill; `ends` says how many had come at each.
fn no_life_sends_twice(mails: &[ReceivedMail], ends: &[usize]) {
    let mut rest = mails;
    let mut before = 0;
    for end in ends.iter().copied().chain([mails.len()]) {
        let (life, later) = rest.split_at(end - before);
        let ids: BTreeSet<String> = life.iter().map(ReceivedMail::message_id).collect();
        assert_eq!(ids.len(), life.len(), "a mail was sent twice in one life");
        (rest, before) = (later, end);
    }
}

fn is_mailed_by_us(people: &[Sample], email: &str) -> bool {
    let mut people = people.iter();
    people.any(|it| it.email() == email && it.delivery == "helpdesk")
}

fn is_reset_to(mail: &ReceivedMail, email: &str) -> bool {
    mail.to == [email] && mail.header("Subject").unwrap().contains("Set semula")
}

fn link_in(mail: &ReceivedMail) -> String {
    let links = mail.links();
    let link = links.iter().find(|link| link.contains("/kata-laluan/"));
    link.expect("the one-time link").clone()
}

/// The mails by their ids: one that came twice is the same, and goes to nobody but whom it concerns.
fn by_id(server: &MailServer, people: &[Sample]) -> BTreeMap<String, Vec<ReceivedMail>> {
    let mut mails: BTreeMap<String, Vec<ReceivedMail>> = BTreeMap::new();
    for mail in server.mails() {
        let known = people.iter().any(|it| mail.to == [it.email()]);
        assert!(known || mail.to == ["helpdesk@localhost"], "{:?}", mail.to);
        mails.entry(mail.message_id()).or_default().push(mail);
    }
    for (id, mails) in &mails {
        let first = &mails[0];
        let same = |mail: &ReceivedMail| mail.to == first.to && mail.text() == first.text();
        let texts: Vec<_> = mails.iter().map(|mail| (&mail.to, mail.text())).collect();
        assert!(mails.iter().all(same), "{id} is two mails: {texts:#?}");
    }
    mails
}

async fn until_everything_ended(process: &Process) {
    let begun = Instant::now();
    while process.figure("tanya_outbox_waiting").await != Some(0.0) {
        assert!(
            begun.elapsed() < Duration::from_secs(180),
            "something never came to its end"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ac_105_a_reset_is_done_once_and_told_truly_on_sqlite() {
    killed_again_and_again(Database::sqlite(), Moments::Random).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ac_105_a_reset_is_done_once_and_told_truly_on_postgres() {
    if let Some(database) = Database::postgres().await {
        killed_again_and_again(database, Moments::Random).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ac_105_a_reset_is_done_once_and_told_truly_at_any_point() {
    for database in Database::both().await {
        killed_again_and_again(database, Moments::Points).await;
    }
}

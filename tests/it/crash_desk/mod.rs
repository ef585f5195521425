//! The server is killed at random moments while matters are handed over, answered, settled, opened again and chased:
//! every matter is one ticket, every answer is heard once, no number is used twice or left out. The people, the mail
//! server and Telegram are outside and keep the ledger. `TANYA_TEST_CRASHES` says how often; `scripts/crash` does it many
//! more times.

mod ledger;
mod people;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::Value;
use tanya::calendar::Calendar;
use tanya::clock::Clock;
use tokio::task::JoinSet;

use crate::support::bot_api::TOKEN;
use crate::support::crash::{Crashes, Moments, Point, leases_end, the_record_is_whole};
use crate::support::desk::{between, code_of, cookie_of};
use crate::support::mail_server::{MailServer, Verb};
use crate::support::process::Process;
use crate::support::{BotApi, Database};
use ledger::{
    Ledger, SUPERVISOR, every_answer_is_there_once, every_number_is_used_once,
    whoever_chases_is_told,
};
use people::{People, client};

/// People on the web, people on Telegram, and officers at the counter, at the same time.
const ON_THE_WEB: usize = 4;
const ON_TELEGRAM: usize = 2;

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
    leases_end(database, folder).await;
}

/// What is outside and keeps the ledger, and where the program keeps its own.
pub struct Outside {
    database: Database,
    url: String,
    mail: MailServer,
    telegram: BotApi,
    /// How far the clock is set on, in milliseconds.
    offset: i64,
}

impl Outside {
    pub async fn begin(database: Database, folder: &Path) -> Self {
        Self {
            url: database.url(folder),
            database,
            mail: MailServer::start().await,
            telegram: BotApi::start().await,
            offset: until_office_hours(),
        }
    }

    /// The points of this work: what is written, what goes to queues, and what Telegram is asked.
    fn points(&self) -> Vec<Point> {
        let tables = [
            "ticket",
            "ticket_event",
            "ticket_serial",
            "ticket_word",
            "audit",
            "inbound",
            "outbox",
        ];
        let outside = [
            Point::Mail(self.mail.clone(), Verb::Body),
            Point::Telegram(self.telegram.clone(), "sendMessage"),
        ];
        let written = Point::writes(&self.database, &tables);
        outside.into_iter().chain(written).collect()
    }

    /// What the program is told.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let many = || "1000000".to_owned();
        vec![
            ("TANYA_DATABASE_URL", self.url.clone()),
            ("TANYA_SMTP_URL", self.mail.url()),
            ("TANYA_MAIL_FROM", "tanya@perbendaharaan.example".to_owned()),
            ("TANYA_SUPERVISOR_EMAIL", SUPERVISOR.to_owned()),
            ("TANYA_TELEGRAM_TOKEN", TOKEN.to_owned()),
            ("TANYA_TELEGRAM_API_URL", self.telegram.url()),
            ("TANYA_CLOCK_OFFSET_S", (self.offset / 1_000).to_string()),
            ("TANYA_TRUSTED_PROXIES", "127.0.0.1/32".to_owned()),
            ("TANYA_CHAT_MESSAGES_PER_MINUTE", many()),
            ("TANYA_NEW_CHATS_PER_HOUR", many()),
            ("TANYA_MAILS_PER_MINUTE", many()),
            ("TANYA_MAILS_PER_HOUR", many()),
        ]
    }

    /// People and officers who do what they do at this address until they are told to stop; whoever signs in is known
    /// from the folder of the program.
    pub async fn people(&self, http: SocketAddr, folder: &Path) -> (People, JoinSet<()>) {
        let (cookie, csrf) = signed_in(http, folder, self.offset).await;
        let people = People {
            http,
            client: client(),
            telegram: self.telegram.clone(),
            ledger: Arc::default(),
            stop: Arc::default(),
            cookie,
            csrf,
        };
        let mut lives = JoinSet::new();
        for _ in 0..ON_THE_WEB {
            lives.spawn(people.clone().live_on_the_web());
        }
        for _ in 0..ON_TELEGRAM {
            lives.spawn(people.clone().live_on_telegram());
        }
        lives.spawn(people.clone().live_at_the_counter());
        (people, lives)
    }

    /// Everybody comes to an end with what they do, and the program with what it has to; what they know happened.
    pub async fn ends(
        &self,
        (people, mut lives): (People, JoinSet<()>),
        process: &Process,
        folder: &Path,
    ) -> Ledger {
        people.stop.store(true, Ordering::Relaxed);
        while let Some(life) = lives.join_next().await {
            life.unwrap();
        }
        until_nothing_is_left(process, &self.database, folder).await;
        let ledger = std::mem::take(&mut *people.ledger.lock().unwrap());
        people.every_answer_is_read(&ledger).await;
        ledger
    }

    /// What the program has kept is what they know.
    pub async fn is_whole(&self, ledger: &Ledger, folder: &Path) {
        the_record_is_whole(folder, &self.url);
        every_number_is_used_once(&self.url, ledger).await;
        every_answer_is_there_once(&self.url, ledger).await;
        let dead = "SELECT COUNT(*) FROM outbox WHERE outcome = 'dead'";
        assert_eq!(self.database.count(folder, dead).await, 0);
        assert!(ledger.opened.len() > ON_THE_WEB && !ledger.on_telegram.is_empty());
        assert_eq!(self.telegram.violations(), Vec::<String>::new());
    }
}

async fn killed_again_and_again(database: Database, moments: Moments) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let outside = Outside::begin(database, folder).await;
    let settings = outside.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let mut process = Process::start(folder, &settings).await;
    let people = outside.people(process.http_addr, folder).await;
    let crashes = match moments {
        Moments::Random => Crashes::new(3, Duration::from_millis(2_500)),
        Moments::Points => Crashes::At(outside.points()),
    };
    let meanwhile = async || time_goes_by(&outside.database, folder).await;
    let place = (&outside.database, folder);
    crashes.befall(&mut process, place, meanwhile).await;
    // Whatever the moments were, some work is done between and after them.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ledger = outside.ends(people, &process, folder).await;
    process.kill();
    outside.is_whole(&ledger, folder).await;
    whoever_chases_is_told(&outside.url, &outside.mail).await;
    let chased = "SELECT COUNT(*) FROM ticket_event WHERE kind IN ('escalated', 'untaken')";
    eprintln!(
        "{} crashes: {} tickets, {} answers, {} opened again, {} times somebody was chased, {} mails",
        crashes.times(),
        ledger.opened.len(),
        ledger.answers.len(),
        ledger.reopened.len(),
        outside.database.count(folder, chased).await,
        outside.mail.mails().len(),
    );
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ac_105_every_matter_is_one_ticket_and_every_answer_is_heard_on_sqlite() {
    killed_again_and_again(Database::sqlite(), Moments::Random).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ac_105_every_matter_is_one_ticket_and_every_answer_is_heard_on_postgres() {
    if let Some(database) = Database::postgres().await {
        killed_again_and_again(database, Moments::Random).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ac_105_every_matter_is_one_ticket_at_any_point() {
    for database in Database::both().await {
        killed_again_and_again(database, Moments::Points).await;
    }
}

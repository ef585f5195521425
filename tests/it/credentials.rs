//! What others know the program by is changed under way: the mail server's password, the portal's token, the bot's token.
//! In the order of docs/operations.md nobody notices; the wrong way round everything waits, and nothing is claimed.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::Value;

use crate::mail::{codes_to, last_seq, prove, said_after, settled, until};
use crate::portal_faults::{Door, ordinary};
use crate::support::bot_api::Fault;
use crate::support::bot_api::updates::private_text;
use crate::support::mail_server::MailServer;
use crate::support::proof::Sample;
use crate::support::{BotApi, Chat, Database, TestApp};
use crate::telegram::{AMINAH, text};

const BEFORE: &str = "the-first-of-two";
const AFTER: &str = "the-second-of-two";
/// The same bot after `/revoke`.
const BOT_AFTER: &str = "110201543:AAEbL0yKqvT3mZ4nWcR8sUdXf6hJ2gPq1oA";
/// Longer than Telegram, or a mail server, is left alone after it did not know us.
const RESTS: i64 = 61_000;

/// Those who know the program.
struct World {
    server: MailServer,
    door: Door,
    telegram: BotApi,
}

impl World {
    async fn new() -> Self {
        let world = Self {
            server: MailServer::start().await,
            door: Door::open().await,
            telegram: BotApi::start().await,
        };
        world.takes(&[BEFORE]);
        world
    }

    /// What the mail server and the portal take from now on.
    fn takes(&self, credentials: &[&str]) {
        self.server.takes(credentials);
        self.door.takes(credentials);
    }

    /// The settings by which the program shows this to both.
    fn showing(&self, credential: &str) -> [(&'static str, String); 2] {
        let signed = format!("smtp://tanya:{credential}@");
        [
            (
                "TANYA_SMTP_URL",
                self.server.url().replacen("smtp://", &signed, 1),
            ),
            ("TANYA_PORTAL_TOKEN", credential.to_owned()),
        ]
    }

    async fn app(&self, database: Database) -> TestApp {
        let [smtp, token] = self.showing(BEFORE);
        let settings = [
            (smtp.0, smtp.1.as_str()),
            (token.0, token.1.as_str()),
            ("TANYA_PORTAL_URL", self.door.url.as_str()),
            ("TANYA_MAIL_FROM", "tanya@example.com"),
            ("TANYA_MAILS_PER_MINUTE", "1000"),
        ];
        TestApp::with_telegram(database, &self.telegram, &settings).await
    }

    async fn restarted_showing(&self, app: TestApp, credential: &str) -> TestApp {
        let [smtp, token] = self.showing(credential);
        app.restart_with(&[(smtp.0, &smtp.1), (token.0, &token.1)])
            .await
    }

    async fn people(&self, app: &TestApp) -> Vec<Sample> {
        let people = app
            .client
            .get(format!("{}/demo/people.json", self.door.url));
        let people: Vec<Sample> = people.send().await.unwrap().json().await.unwrap();
        ordinary(&people)
    }

    /// A code comes by mail, the portal resets a password with it, and Telegram is answered.
    async fn all_goes_on(&self, app: &TestApp, person: &Sample) {
        let chat = app.begin().await;
        prove(&chat, &self.server, "lupa", person).await;
        chat.until_said(done_for(person)).await;
        let before = self.telegram.sent(AMINAH).len();
        self.telegram.give(private_text(AMINAH, "/bahasa"));
        let sent = self.telegram.until_sent(AMINAH, before + 1).await;
        assert!(text(&sent[before]).starts_with("Sila pilih bahasa"));
    }
}

/// What a chat says when a password was reset, by whoever mails for that person.
fn done_for(person: &Sample) -> &'static str {
    match person.delivery.as_str() {
        "helpdesk" => "telah dihantar ke",
        _ => "telah menerima permintaan itu",
    }
}

/// The same chat after a restart.
fn again<'a>(app: &'a TestApp, (id, token): (String, String)) -> Chat<'a> {
    Chat {
        app,
        id,
        token,
        opening: Vec::new(),
    }
}

#[tokio::test]
async fn ac_112_credentials_that_are_changed_in_order_are_noticed_by_nobody() {
    for database in Database::both().await {
        let world = World::new().await;
        let app = world.app(database).await;
        let mut people = world.people(&app).await.into_iter();
        let mut person = || people.next().expect("there are enough people");
        world.telegram.give(private_text(AMINAH, "/start"));
        world.telegram.until_sent(AMINAH, 2).await;
        world.all_goes_on(&app, &person()).await;

        world.takes(&[BEFORE, AFTER]);
        world.all_goes_on(&app, &person()).await;
        let app = world.restarted_showing(app, AFTER).await;
        world.all_goes_on(&app, &person()).await;
        world.takes(&[AFTER]);
        world.all_goes_on(&app, &person()).await;
        app.stop().await;
        assert_eq!(world.telegram.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn ac_112_credentials_that_others_changed_first_delay_and_nothing_is_claimed() {
    for database in Database::both().await {
        let world = World::new().await;
        let app = world.app(database).await;
        let people = world.people(&app).await;
        let chat = app.begin().await;
        prove(&chat, &world.server, "slip", &people[0]).await;
        chat.until_said("Slip gaji yang ada").await;
        settled(&app).await;
        let before = world.server.mails().len();

        world.takes(&[AFTER]);
        let seq = last_seq(&chat).await;
        let refused = chat.say("/lupa").await.remove(0);
        let refused = refused["text"].as_str().unwrap();
        assert!(
            refused.contains("tiada apa-apa yang dilakukan"),
            "{refused}"
        );
        let other = app.begin().await;
        let page = other.ask_for("slip").await;
        let started = app.give_number(&page, "staff", &people[1].id_no).await;
        assert_eq!(started.status(), StatusCode::ACCEPTED);
        let third = app.begin().await;
        let ticket = third.hand_over("skrin putih selepas log masuk").await;
        let tried = "SELECT COUNT(DISTINCT carrier) FROM outbox
             WHERE done_at IS NULL AND carrier IN ('code', 'mail') AND attempts > 0";
        until("both were tried", async || {
            app.database.count(app.folder(), tried).await == 2
        })
        .await;
        let said = chat.messages(seq).await;
        let claims = |it: &Value| it["text"].as_str().unwrap().contains(done_for(&people[0]));
        assert!(!said.iter().any(claims), "{said:#?}");
        assert_eq!(world.server.mails().len(), before);

        let kept = (chat.id.clone(), chat.token.clone());
        drop((chat, other, third));
        let app = world.restarted_showing(app, AFTER).await;
        app.app.clock.advance(RESTS);
        until("the code came", async || {
            codes_to(&world.server, people[1].email()).len() == 1
        })
        .await;
        let code = codes_to(&world.server, people[1].email()).remove(0).code();
        let given = app.give_code(&page, &code.unwrap()).await;
        assert_eq!(given.status(), StatusCode::OK);
        let chat = again(&app, kept);
        let seq = last_seq(&chat).await;
        chat.say("/lupa").await;
        said_after(&chat, seq, done_for(&people[0])).await;
        settled(&app).await;
        let task = format!("[{ticket}] Permintaan baharu");
        let helpdesk = world.server.mails();
        let tasks = helpdesk.iter().filter(|mail| {
            let subject = mail.header("Subject").unwrap();
            subject.contains(&task)
        });
        assert_eq!(tasks.count(), 1);
        came_once(&world.server);
        app.stop().await;
    }
}

fn came_once(server: &MailServer) {
    let mails = server.mails();
    let ids: BTreeSet<String> = mails.iter().map(|mail| mail.message_id()).collect();
    assert_eq!(ids.len(), mails.len(), "a mail came twice");
}

#[tokio::test]
async fn ac_112_a_token_of_the_bot_that_is_revoked_delays_and_loses_nothing() {
    for database in Database::both().await {
        let world = World::new().await;
        let telegram = &world.telegram;
        let app = world.app(database).await;
        telegram.give(private_text(AMINAH, "/start"));
        telegram.until_sent(AMINAH, 2).await;
        settled(&app).await;
        // One answer is on its way at that moment.
        telegram.fail("sendMessage", Fault::TooMany { retry_after: 4 }, 1);
        let attempts = telegram.attempts("sendMessage");
        telegram.give(private_text(AMINAH, "/bahasa"));
        until("put off", async || {
            telegram.attempts("sendMessage") > attempts
        })
        .await;
        telegram.revoke(BOT_AFTER);
        telegram.give(private_text(AMINAH, "lupa kata laluan portal"));
        until("both were refused", async || {
            telegram.refused("sendMessage") > 0 && telegram.refused("getUpdates") > 0
        })
        .await;
        let waits = "SELECT COUNT(*) FROM outbox WHERE done_at IS NULL AND carrier = 'telegram'";
        assert_eq!(app.database.count(app.folder(), waits).await, 1);
        assert_eq!(telegram.sent(AMINAH).len(), 2);

        let app = app
            .restart_with(&[("TANYA_TELEGRAM_TOKEN", BOT_AFTER)])
            .await;
        app.app.clock.advance(RESTS);
        telegram.until_sent(AMINAH, 4).await;
        settled(&app).await;
        let sent: Vec<Value> = telegram.sent(AMINAH);
        assert_eq!(sent.len(), 4, "{sent:#?}");
        assert!(text(&sent[2]).starts_with("Sila pilih bahasa"));
        assert!(text(&sent[3]).starts_with("Saya terlupa kata laluan"));
        app.stop().await;
        assert_eq!(telegram.violations(), Vec::<String>::new());
    }
}

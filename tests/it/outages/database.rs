//! The database is away for an hour: PostgreSQL cannot be reached, the SQLite file is held by somebody else.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use tanya::agent::role::Role;
use url::Url;
use uuid::Uuid;

use super::{LASTS, MINUTE, SECOND, Steps, bot_behind, came_once, drained, is_whole, name};
use crate::mail::until;
use crate::support::bot_api::updates::private_text;
use crate::support::proxy::Gate;
use crate::support::{BotApi, Chat, Database, TestApp};
use crate::telegram::text;

/// A minute, for those who wait meanwhile.
const SHORT: Duration = Duration::from_millis(50);
/// How long fetching may rest after failures: it is no waiting on the program's clock, and counted in full.
const FETCHING: i64 = 30 * SECOND;

/// What stands between the program and its database.
enum Between {
    Gate(Gate),
    Holder(sqlx::AnyConnection),
}

impl Between {
    async fn take_away(&mut self) {
        match self {
            Self::Gate(gate) => gate.shut().await,
            Self::Holder(other) => {
                other.execute("BEGIN IMMEDIATE").await.unwrap();
            }
        }
    }

    async fn give_back(&mut self) {
        match self {
            Self::Gate(gate) => gate.open(),
            Self::Holder(other) => {
                other.execute("ROLLBACK").await.unwrap();
            }
        }
    }
}

/// The program, with what stands between it and its database.
async fn start(database: Database, telegram: &BotApi) -> (TestApp, Between) {
    let settings = telegram.url();
    let settings = bot_behind(&settings);
    match database {
        Database::Sqlite => {
            let app = TestApp::start(database, &settings).await;
            let url = app.database.url(app.folder());
            let other = sqlx::AnyConnection::connect(&url).await.unwrap();
            (app, Between::Holder(other))
        }
        Database::Postgres(url) => {
            let mut url = Url::parse(&url).unwrap();
            let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
            let gate = Gate::before(server.parse::<SocketAddr>().unwrap());
            url.set_port(Some(gate.address.port())).unwrap();
            let app = TestApp::start(Database::Postgres(url.to_string()), &settings).await;
            (app, Between::Gate(gate))
        }
    }
}

/// Somebody writes, and is told honestly that it cannot be taken now.
async fn refused(chat: &Chat<'_>, message: &Value) {
    let response = chat.post_message(message).await;
    assert_eq!(response.status(), 503);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["code"], "unavailable");
}

/// Sends a message until it is answered; the same again brings the same.
async fn insist(chat: &Chat<'_>, message: &Value) -> Vec<Value> {
    let mut answers: Vec<Value> = Vec::new();
    until("answered", async || {
        let response = chat.post_message(message).await;
        let status = response.status();
        assert!(status == 200 || status == 503, "{status}");
        let body: Value = response.json().await.unwrap();
        if status == 200 {
            answers.push(body["replies"].clone());
        }
        answers.len() == 2
    })
    .await;
    assert_eq!(answers[0], answers[1]);
    answers[0].as_array().unwrap().clone()
}

async fn readiness(app: &TestApp) -> u16 {
    let ready = app.client.get(app.admin_url("/readyz")).send().await;
    ready.unwrap().status().as_u16()
}

async fn told(database: Database) {
    let telegram = BotApi::start().await;
    let (app, mut between) = start(database, &telegram).await;
    app.until_office_hours();
    let siti = app.officer("siti", Role::Supervisor).await;
    let people: Vec<i64> = (0..6).map(|number| 8_300_000 + number).collect();
    for person in &people {
        telegram.give(private_text(*person, "/start"));
        telegram.until_sent(*person, 2).await;
    }
    // Ten on the web: half of them are about to say the last word that makes a ticket.
    let mut chats = Vec::new();
    for place in 0..10 {
        let chat = app.begin().await;
        if place % 2 == 0 {
            let asked = chat.say("nak cakap dengan pegawai").await;
            let matter = Chat::choice(&asked[0], "Masalah teknikal Sistem iSPEKS");
            chat.choose(&matter).await;
            chat.say("JKR Kota Bharu").await;
        }
        chats.push(chat);
    }
    let answered = app.begin().await.hand_over("sistem hang").await;
    crate::mail::settled(&app).await;
    let confirmed = telegram.confirmed();

    between.take_away().await;
    let last_word = |place: usize| place < chats.len() && place.is_multiple_of(2);
    let words = (0..LASTS as usize).map(|place| match last_word(place) {
        true => "skrin putih selepas log masuk",
        false => "lupa kata laluan portal",
    });
    let messages: Vec<Value> = words
        .map(|text| json!({"client_id": Uuid::new_v4(), "text": text}))
        .collect();
    let writing = messages.iter().enumerate().map(async |(minute, message)| {
        tokio::time::sleep(SHORT * u32::try_from(minute).unwrap()).await;
        telegram.give(private_text(people[minute % people.len()], "/bahasa"));
        let last = telegram.give(private_text(people[(minute + 3) % people.len()], "/bahasa"));
        refused(&chats[minute % chats.len()], message).await;
        last
    });
    let passing = async {
        for _ in 0..LASTS {
            app.app.clock.advance(MINUTE);
            tokio::time::sleep(SHORT).await;
        }
    };
    let path = format!("/console/tiket/{answered}/balas");
    let reply = [("text", "Sudah dibaiki."), ("do", "resolve")];
    let answering = siti.post(&path, &reply);
    let (last, (), replied, ready) =
        tokio::join!(join_all(writing), passing, answering, readiness(&app));
    let last = last.into_iter().max().unwrap();
    assert_eq!(replied.status(), 503);
    if matches!(between, Between::Gate(_)) {
        assert_eq!(ready, 503);
    }
    assert_eq!(
        telegram.confirmed(),
        confirmed,
        "what is not kept is not confirmed"
    );

    let back = app.app.clock.now();
    between.give_back().await;
    until("ready", async || readiness(&app).await == 200).await;
    for (place, message) in messages.iter().enumerate() {
        let replies = insist(&chats[place % chats.len()], message).await;
        let mut numbers = replies.iter().map(|it| &it["ticket"]["number"]);
        assert!(
            !last_word(place) || numbers.any(Value::is_string),
            "{replies:#?}"
        );
    }
    // An officer who did nothing for an hour signs in again; here it is another.
    let rahim = app.officer("rahim", Role::Supervisor).await;
    rahim.does(&answered, "balas", &reply).await;
    until("fetched", async || {
        telegram.confirmed().is_some_and(|offset| offset > last)
    })
    .await;
    app.app.clock.advance(FETCHING);
    let steps = Steps {
        by: 5 * SECOND,
        within: Duration::from_millis(300),
    };
    let took = drained(&app, back, &steps, || ()).await;

    for person in &people {
        let sent = telegram.sent(*person).split_off(2);
        assert_eq!(sent.len(), 20, "each is answered once");
        assert!(
            sent.iter()
                .all(|it| text(it).starts_with("Sila pilih bahasa"))
        );
    }
    came_once(app.inbox().await.iter().map(|mail| &mail.message_id));
    is_whole(&app, 1 + chats.len() / 2, 0).await;
    eprintln!(
        "outage, database, {}: {} messages on the web refused and sent again, {} messages on Telegram; everything was done within {took} s",
        name(&app.database),
        messages.len(),
        2 * LASTS,
    );
    drop((chats, siti, rahim));
    app.stop().await;
}

#[tokio::test]
async fn ac_101_a_database_that_is_away_for_an_hour_delays_and_loses_nothing() {
    sqlx::any::install_default_drivers();
    for database in Database::both().await {
        told(database).await;
    }
}

//! The portal is slow, down, garbled or lies; people leave and their addresses change. The chat says what is true.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tanya::clock::Clock;
use tanya::portal::simulator::Simulator;

use crate::support::bot_api::updates::private_text;
use crate::support::proof::{InboxMail, Sample, TWIN, token_of};
use crate::support::{BotApi, Chat, Database, TestApp};
use crate::telegram::{AMINAH, BAKAR};
use crate::{on_both_databases, on_telegram};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Longer than a line that failed is left alone.
const PAUSE: i64 = 16_000;

/// What makes every call fail, whatever it asks for.
fn failures() -> [(&'static str, Value); 6] {
    [
        ("down", json!({"down": true})),
        ("error", json!({"error": true})),
        ("html", json!({"html": true})),
        ("garbage", json!({"garbage": true})),
        ("lies", json!({"lies": true})),
        ("slow", json!({"slow_ms": 6000})),
    ]
}

async fn until(what: &str, mut there: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !there().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "never {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// People whom the portal serves in every way, whoever mails.
pub fn ordinary(people: &[Sample]) -> Vec<Sample> {
    let ordinary = people.iter().filter(|it| {
        let known = it.kind == "staff" && it.active && it.email.is_some();
        known && it.account == "active" && it.payroll == "py"
    });
    ordinary.cloned().collect()
}

async fn settled(app: &TestApp) {
    let waiting = "SELECT COUNT(*) FROM outbox WHERE done_at IS NULL";
    until("settled", async || {
        app.database.count(app.folder(), waiting).await == 0
    })
    .await;
}

/// Waits until a code could not be mailed and waits for its next try.
async fn given_back(app: &TestApp) {
    let waits = "SELECT COUNT(*) FROM outbox WHERE carrier = 'code' AND done_at IS NULL
                 AND attempts > 0 AND due_at < created_at + 100000";
    until("given back", async || {
        app.database.count(app.folder(), waits).await == 1
    })
    .await;
}

/// The portal works again, and what was left alone is asked again.
async fn healed(app: &TestApp) {
    app.faults(json!({})).await;
    app.app.clock.advance(PAUSE);
}

/// What the portal itself mailed to an address.
pub async fn portal_mails(client: &reqwest::Client, portal: &str, address: &str) -> usize {
    let mails = client.get(format!("{portal}/demo/mails.json")).send().await;
    let mails: Vec<InboxMail> = mails.unwrap().json().await.unwrap();
    mails.iter().filter(|mail| mail.to == address).count()
}

async fn resets(app: &TestApp, person: &Sample) -> usize {
    portal_mails(&app.client, app.simulator(), person.email()).await
}

async fn last_seq(chat: &Chat<'_>) -> i64 {
    let messages = chat.messages(0).await;
    messages.last().unwrap()["seq"].as_i64().unwrap()
}

fn text(message: &Value) -> &str {
    message["text"].as_str().unwrap()
}

/// What is said after a message, once something there holds these words.
async fn said_after(chat: &Chat<'_>, seq: i64, words: &str) -> Value {
    chat.until(|message| {
        let said = message["from"] != "user" && text(message).contains(words);
        said && message["seq"].as_i64().unwrap() > seq
    })
    .await
}

/// The ticket that a message names.
fn ticket(message: &Value) -> String {
    let number = message["ticket"]["number"].as_str().unwrap();
    assert!(number.starts_with("TK-") && text(message).contains(number));
    number.to_owned()
}

async fn claims_after(chat: &Chat<'_>, seq: i64) -> usize {
    let messages = chat.messages(seq).await;
    let claims = messages.iter().filter(|message| {
        text(message).contains("telah dihantar ke") || text(message).contains("telah menerima")
    });
    claims.count()
}

/// Nothing of what the portal answers stands in a chat: not its pages, not its words, nobody else's name or address.
async fn keeps_the_portals_words_out(chat: &Chat<'_>, people: &[Sample]) {
    let said = chat.messages(0).await;
    let said = serde_json::to_string(&said).unwrap();
    for words in [
        "<html",
        "<!doctype",
        "<form",
        "The portal failed",
        "The mail could not be sent. Nothing",
        "about:blank",
        "evil.example",
        "\"ref\"",
    ] {
        assert!(
            !said.to_lowercase().contains(&words.to_lowercase()),
            "{words}"
        );
    }
    for person in people {
        assert!(!said.contains(&person.reference) && !said.contains(&person.name));
        let email = person.email.as_deref();
        assert!(email.is_none_or(|email| !said.contains(email)));
    }
}

on_both_databases! {
    async fn ac_103_a_code_is_mailed_as_soon_as_the_portal_is_back(app: TestApp) {
        let people = ordinary(&app.people().await);
        for ((name, fault), person) in failures().into_iter().zip(&people) {
            app.faults(fault).await;
            let token = app.begin().await.ask_for("slip").await;
            let started = app.give_number(&token, "staff", &person.id_no).await;
            assert_eq!(started.status(), StatusCode::ACCEPTED, "{name}");
            assert_eq!(started.text().await.unwrap(), r#"{"resend_after":60}"#);
            given_back(app).await;
            assert!(app.codes_to(person.email()).await.is_empty(), "{name}");
            healed(app).await;
            let code = app.code(person.email(), 1).await;
            assert_eq!(app.give_code(&token, &code).await.status(), StatusCode::OK, "{name}");
            settled(app).await;
        }
        // Whom it lied about got nothing.
        let codes = app.inbox().await.into_iter().filter(|mail| mail.code().is_some());
        assert_eq!(codes.count(), failures().len());
    }

    async fn ac_103_a_code_comes_late_but_never_after_its_ten_minutes(app: TestApp) {
        let people = ordinary(&app.people().await);
        app.faults(json!({"down": true})).await;
        let token = app.begin().await.ask_for("slip").await;
        app.give_number(&token, "staff", &people[0].id_no).await;
        given_back(app).await;
        app.faults(json!({})).await;
        app.app.clock.advance(9 * MINUTE);
        let code = app.code(people[0].email(), 1).await;
        assert_eq!(app.give_code(&token, &code).await.status(), StatusCode::OK);
        app.faults(json!({"down": true})).await;
        let token = app.begin().await.ask_for("slip").await;
        app.give_number(&token, "staff", &people[1].id_no).await;
        given_back(app).await;
        app.app.clock.advance(10 * MINUTE);
        app.faults(json!({})).await;
        settled(app).await;
        assert!(app.codes_to(people[1].email()).await.is_empty());
    }

    async fn ac_103_while_the_portal_fails_the_chat_says_that_nothing_was_done(app: TestApp) {
        let people = app.people().await;
        let person = ordinary(&people).remove(0);
        assert_eq!(person.delivery, "portal");
        let chat = app.begin().await;
        chat.prove("slip", &person).await;
        chat.until_said("Slip gaji yang ada").await;
        for (done, (name, fault)) in failures().into_iter().enumerate() {
            app.faults(fault).await;
            // The first answer takes five seconds where the portal is slow.
            let actions: &[&str] = if name == "slow" { &["/lupa"] } else { &["/slip", "/ec", "/lupa"] };
            let mut again = String::new();
            for action in actions {
                let reply = chat.say(action).await.remove(0);
                assert!(text(&reply).contains("tidak dapat dihubungi"), "{name}, {action}: {reply}");
                assert!(text(&reply).contains("tiada apa-apa yang dilakukan"), "{name}, {action}: {reply}");
                assert!(reply["link"].is_null());
                again = Chat::choice(&reply, "Cuba lagi");
            }
            assert_eq!(resets(app, &person).await, done, "{name}");
            healed(app).await;
            // "Try again" does what was asked for last, once.
            let begun = chat.choose(&again).await.remove(0);
            assert!(text(&begun).contains("Saya sedang menghantar"), "{name}: {begun}");
            let seq = begun["seq"].as_i64().unwrap();
            said_after(&chat, seq, "telah menerima permintaan").await;
            settled(app).await;
            assert_eq!(resets(app, &person).await, done + 1, "{name}");
        }
        keeps_the_portals_words_out(&chat, &people).await;
    }

    async fn ac_103_a_portal_that_is_only_slow_does_it_once_and_is_told(app: TestApp) {
        let person = ordinary(&app.people().await).remove(0);
        let chat = app.begin().await;
        chat.prove("lupa", &person).await;
        chat.until_said("telah menerima permintaan").await;
        app.faults(json!({"slow_ms": 2500})).await;
        let seq = last_seq(&chat).await;
        chat.say("/lupa").await;
        said_after(&chat, seq, "telah menerima permintaan").await;
        settled(app).await;
        assert_eq!(resets(app, &person).await, 2);
        assert_eq!(claims_after(&chat, seq).await, 1);
    }

    async fn ac_103_what_was_done_and_not_answered_is_done_once(app: TestApp) {
        let people = app.people().await;
        let by_portal = ordinary(&people).remove(0);
        let by_us = app.second().await;
        let new = people.iter().find(|it| it.account == "none" && it.payroll == "py" && it.active && it.email.is_some());
        let new = new.unwrap();
        app.faults(json!({"duplicate": true})).await;
        let chat = app.begin().await;
        chat.prove("lupa", &by_portal).await;
        chat.until_said("telah menerima permintaan").await;
        assert_eq!(resets(app, &by_portal).await, 1);
        let chat = app.begin().await;
        chat.prove("lupa", &by_us).await;
        chat.until_said("telah dihantar ke").await;
        assert_eq!(app.mails_about(by_us.email(), "Set semula", 1).await.len(), 1);
        let chat = app.begin().await;
        chat.prove("daftar", new).await;
        chat.until(|it| text(it).contains("e-mel pengaktifan") || text(it).contains("E-mel pengaktifan")).await;
        settled(app).await;
        let mails = app.inbox().await.into_iter().filter(|mail| mail.to == new.email() && mail.code().is_none());
        assert_eq!(mails.count(), 1);
        assert_eq!(resets(app, &by_portal).await, 1);
        keeps_the_portals_words_out(&chat, &people).await;
    }

    async fn ac_103_a_mail_that_the_portal_could_not_send_is_told_and_goes_to_an_officer(app: TestApp) {
        let people = app.people().await;
        let by_portal = ordinary(&people).remove(0);
        let new = people.iter().find(|it| it.account == "none" && it.payroll == "py" && it.active && it.email.is_some());
        app.faults(json!({"mail_not_sent": true})).await;
        for (action, person) in [("lupa", &by_portal), ("daftar", new.unwrap())] {
            let chat = app.begin().await;
            chat.prove(action, person).await;
            let told = chat.until_said("tidak dapat dihantar").await;
            let number = ticket(&told);
            app.mails_about("helpdesk@localhost", &number, 1).await;
            settled(app).await;
            assert_eq!(claims_after(&chat, 0).await, 0);
            assert_eq!(resets(app, person).await, 0);
            keeps_the_portals_words_out(&chat, &people).await;
        }
    }

    async fn ac_103_a_link_that_leads_elsewhere_is_never_mailed_nor_opened(app: TestApp) {
        let people = app.people().await;
        let by_us = app.second().await;
        let chat = app.begin().await;
        chat.prove("slip", &by_us).await;
        chat.until_said("Slip gaji yang ada").await;
        let link = chat.say("slip gaji bulan lepas").await.remove(0);
        app.faults(json!({"foreign_link": true})).await;
        let opened = app.press(&token_of(&link)).await;
        assert_eq!(opened.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(opened.headers().get("location").is_none());
        let page = opened.text().await.unwrap();
        assert!(!page.contains("evil") && page.contains("belum digunakan"), "{page}");
        let seq = last_seq(&chat).await;
        chat.say("/lupa").await;
        let told = said_by_and_by(app, &chat, seq, "tidak dapat memastikan").await;
        ticket(&told);
        settled(app).await;
        assert_eq!(claims_after(&chat, seq).await, 0);
        let inbox = app.inbox().await;
        assert!(inbox.iter().all(|mail| !mail.text.contains("evil") && !mail.subject.contains("Set semula")));
        // The page said that the link was not used up, and that is true.
        healed(app).await;
        let opened = app.press(&token_of(&link)).await;
        assert_eq!(opened.status(), StatusCode::SEE_OTHER);
        assert!(opened.headers()["location"].to_str().unwrap().starts_with(app.simulator()));
        keeps_the_portals_words_out(&chat, &people).await;
    }

    async fn ac_103_a_link_that_is_pressed_while_the_portal_fails_can_be_pressed_again(app: TestApp) {
        let person = ordinary(&app.people().await).remove(0);
        let chat = app.begin().await;
        chat.prove("slip", &person).await;
        chat.until_said("Slip gaji yang ada").await;
        let link = chat.say("slip gaji bulan lepas").await.remove(0);
        for (name, fault) in failures() {
            app.faults(fault).await;
            let opened = app.press(&token_of(&link)).await;
            assert_eq!(opened.status(), StatusCode::SERVICE_UNAVAILABLE, "{name}");
            healed(app).await;
        }
        let opened = app.press(&token_of(&link)).await;
        assert_eq!(opened.status(), StatusCode::SEE_OTHER);
        let opened = app.press(&token_of(&link)).await;
        assert_eq!(opened.status(), StatusCode::GONE);
    }

    async fn ac_27_who_left_or_has_another_address_is_refused_in_that_very_request(app: TestApp) {
        let people = ordinary(&app.people().await);
        let changes = [json!({"active": false}), json!({"email": "lain@mel.example"}), json!({"email": null})];
        for (person, change) in people.iter().zip(changes) {
            let (chat, other) = (app.begin().await, app.begin().await);
            for chat in [&chat, &other] {
                chat.prove("slip", person).await;
                chat.until_said("Slip gaji yang ada").await;
            }
            app.change_person(&person.reference, change.clone()).await;
            let refused = chat.say("/lupa").await.remove(0);
            assert!(text(&refused).contains("tidak aktif atau telah berubah"), "{change}: {refused}");
            // Nothing that was proved holds any more, here and elsewhere.
            for chat in [&chat, &other] {
                assert_eq!(chat.say("/slip").await[0]["kind"], "prompt", "{change}");
                let messages = chat.messages(0).await;
                assert!(messages.iter().all(|it| !text(it).contains("Slip gaji yang ada")), "{change}");
            }
            settled(app).await;
            assert_eq!(resets(app, person).await, 0);
            let lain = app.inbox().await.into_iter().filter(|mail| mail.to == "lain@mel.example");
            assert_eq!(lain.count(), 0);
            let asked = "SELECT COUNT(*) FROM outbox WHERE carrier = 'portal'";
            assert_eq!(app.database.count(app.folder(), asked).await, 0);
        }
    }

    async fn ac_27_who_left_between_the_code_and_the_chat_gets_nothing(app: TestApp) {
        let people = ordinary(&app.people().await);
        let changes = [json!({"active": false}), json!({"email": "lain@mel.example"})];
        for (person, change) in people.iter().zip(changes) {
            let chat = app.begin().await;
            let token = chat.ask_for("lupa").await;
            let secret = app.prove_on_page(&token, person).await;
            app.change_person(&person.reference, change).await;
            chat.bring_back(&secret).await;
            chat.until_said("tidak aktif atau telah berubah").await;
            assert_eq!(chat.say("/slip").await[0]["kind"], "prompt");
            settled(app).await;
            assert_eq!(resets(app, person).await, 0);
        }
    }

    async fn ac_27_a_link_of_somebody_who_left_opens_nothing(app: TestApp) {
        let person = ordinary(&app.people().await).remove(0);
        let chat = app.begin().await;
        chat.prove("slip", &person).await;
        chat.until_said("Slip gaji yang ada").await;
        let link = chat.say("slip gaji bulan lepas").await.remove(0);
        app.change_person(&person.reference, json!({"active": false})).await;
        assert_eq!(app.press(&token_of(&link)).await.status(), StatusCode::GONE);
        assert_eq!(chat.say("/slip").await[0]["kind"], "prompt");
        // Who comes back must prove anew: the link stays dead.
        app.change_person(&person.reference, json!({"active": true})).await;
        assert_eq!(app.press(&token_of(&link)).await.status(), StatusCode::GONE);
    }
}

/// What is said in the end, after tries that wait for each other.
async fn said_by_and_by(app: &TestApp, chat: &Chat<'_>, seq: i64, words: &str) -> Value {
    until(words, async || {
        app.app.clock.advance(2_000);
        let messages = chat.messages(seq).await;
        messages.iter().any(|it| text(it).contains(words)) || {
            tokio::time::sleep(Duration::from_millis(200)).await;
            false
        }
    })
    .await;
    said_after(chat, seq, words).await
}

/// What a portal does with the next calls that have an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Does what is asked and breaks the connection off.
    Lost,
    /// Does what is asked and answers with a page for people.
    Page,
    /// Does what is asked and says nothing.
    Silent,
    /// Does nothing and says so.
    Busy,
}

/// A portal of the story's own: the simulator behind a door that can fail where something has an effect.
#[derive(Clone, Default)]
pub struct Door {
    mood: Arc<Mutex<Option<(Mood, usize)>>>,
    calls: Arc<AtomicUsize>,
    effects: Arc<AtomicUsize>,
    /// The tokens that are taken; only the simulator's own if none.
    tokens: Arc<Mutex<Vec<String>>>,
    pub url: String,
}

const TOKEN: &str = "a token for the portal";

impl Door {
    pub async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let door = Self {
            url: url.clone(),
            ..Self::default()
        };
        let simulator = Simulator::new(TOKEN, &url, Clock::default());
        let router = simulator
            .router()
            .layer(middleware::from_fn_with_state(door.clone(), through));
        tokio::spawn(async move { axum::serve(listener, router).await });
        door
    }

    /// The program with this portal.
    pub async fn app(&self, database: Database) -> TestApp {
        let settings = [
            ("TANYA_PORTAL_URL", self.url.as_str()),
            ("TANYA_PORTAL_TOKEN", TOKEN),
        ];
        TestApp::start(database, &settings).await
    }

    pub async fn person(&self, app: &TestApp, delivery: &str) -> Sample {
        let people = app.client.get(format!("{}/demo/people.json", self.url));
        let people: Vec<Sample> = people.send().await.unwrap().json().await.unwrap();
        let mut people = ordinary(&people).into_iter();
        people.find(|it| it.delivery == delivery).unwrap()
    }

    pub fn fail(&self, mood: Mood, times: usize) {
        *self.mood.lock().unwrap() = Some((mood, times));
    }

    /// From now on these tokens are taken, and no other.
    pub fn takes(&self, tokens: &[&str]) {
        *self.tokens.lock().unwrap() = tokens.iter().map(|it| (*it).to_owned()).collect();
    }

    /// Whoever shows a token that is taken shows the simulator its own; nobody else does.
    fn exchange(&self, request: &mut Request) {
        let tokens = self.tokens.lock().unwrap();
        if tokens.is_empty() {
            return;
        }
        let shown = request.headers_mut().remove(header::AUTHORIZATION);
        let shown = shown.as_ref().and_then(|it| it.to_str().ok());
        let shown = shown.and_then(|it| it.strip_prefix("Bearer "));
        if shown.is_some_and(|shown| tokens.iter().any(|it| it == shown)) {
            let own = format!("Bearer {TOKEN}").parse().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, own);
        }
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        *self.mood.lock().unwrap() = None;
    }

    fn next(&self) -> Option<Mood> {
        let mut planned = self.mood.lock().unwrap();
        let (mood, times) = planned.take()?;
        *planned = (times > 1).then(|| (mood, times - 1));
        Some(mood)
    }

    /// How often anything, and how often an effect, was asked for.
    fn asked(&self) -> (usize, usize) {
        (
            self.calls.load(Ordering::SeqCst),
            self.effects.load(Ordering::SeqCst),
        )
    }
}

async fn through(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    door.exchange(&mut request);
    let path = request.uri().path().to_owned();
    if !path.starts_with("/v1/") {
        return next.run(request).await;
    }
    door.calls.fetch_add(1, Ordering::SeqCst);
    if !path.ends_with("/password-reset") && !path.ends_with("/activation") {
        return next.run(request).await;
    }
    door.effects.fetch_add(1, Ordering::SeqCst);
    let Some(mood) = door.next() else {
        return next.run(request).await;
    };
    if mood != Mood::Busy {
        next.run(request).await;
    }
    match mood {
        Mood::Lost => {
            let gone = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
            let body = futures_util::stream::once(async { Err::<Vec<u8>, _>(gone) });
            let kind = [(header::CONTENT_TYPE, "application/json")];
            (kind, Body::from_stream(body)).into_response()
        }
        Mood::Page => Html("<html>Sila log masuk</html>").into_response(),
        // Longer than anybody waits.
        Mood::Silent => std::future::pending().await,
        Mood::Busy => axum::http::StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

#[tokio::test]
async fn ac_103_an_answer_that_got_lost_is_asked_for_again_under_the_same_key() {
    for database in Database::both().await {
        let door = Door::open().await;
        let app = door.app(database).await;
        let person = door.person(&app, "portal").await;
        let chat = app.begin().await;
        chat.prove("lupa", &person).await;
        chat.until_said("telah menerima permintaan").await;
        for (before, mood) in [Mood::Lost, Mood::Page, Mood::Silent, Mood::Busy]
            .into_iter()
            .enumerate()
        {
            let (_, effects) = door.asked();
            door.fail(mood, 1);
            let seq = last_seq(&chat).await;
            chat.say("/lupa").await;
            said_after(&chat, seq, "telah menerima permintaan").await;
            settled(&app).await;
            let done = portal_mails(&app.client, &door.url, person.email()).await;
            assert_eq!(done, before + 2, "{mood:?}");
            assert_eq!(door.asked().1, effects + 2, "{mood:?}");
            assert_eq!(claims_after(&chat, seq).await, 1, "{mood:?}");
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn ac_103_a_reset_that_was_never_answered_is_not_claimed_and_goes_to_an_officer() {
    for (mood, done) in [(Mood::Lost, 2), (Mood::Page, 2), (Mood::Busy, 1)] {
        for database in Database::both().await {
            let door = Door::open().await;
            let app = door.app(database).await;
            let person = door.person(&app, "portal").await;
            let chat = app.begin().await;
            chat.prove("lupa", &person).await;
            chat.until_said("telah menerima permintaan").await;
            settled(&app).await;
            let (_, effects) = door.asked();
            door.fail(mood, usize::MAX);
            let seq = last_seq(&chat).await;
            chat.say("/lupa").await;
            let told = said_by_and_by(&app, &chat, seq, "tidak dapat memastikan").await;
            let number = ticket(&told);
            app.mails_about("helpdesk@localhost", &number, 1).await;
            settled(&app).await;
            assert_eq!(claims_after(&chat, seq).await, 0);
            assert!((2..=5).contains(&(door.asked().1 - effects)), "{mood:?}");
            let mails = portal_mails(&app.client, &door.url, person.email()).await;
            assert_eq!(mails, done, "{mood:?}: never twice");
            // The person may try again, and then it is done.
            door.heal();
            app.app.clock.advance(PAUSE);
            let seq = last_seq(&chat).await;
            chat.say("/lupa").await;
            said_after(&chat, seq, "telah menerima permintaan").await;
            app.stop().await;
        }
    }
}

#[tokio::test]
async fn ac_103_a_portal_that_failed_five_times_is_left_alone_for_a_while() {
    for database in Database::both().await {
        let door = Door::open().await;
        let app = door.app(database).await;
        let person = door.person(&app, "portal").await;
        let chat = app.begin().await;
        chat.prove("slip", &person).await;
        chat.until_said("Slip gaji yang ada").await;
        settled(&app).await;
        let faults = format!("{}/faults", door.url);
        let put = app.client.put(&faults).json(&json!({"error": true}));
        put.send().await.unwrap();
        let (before, _) = door.asked();
        for _ in 0..8 {
            let reply = chat.say("/slip").await.remove(0);
            assert!(text(&reply).contains("tidak dapat dihubungi"), "{reply}");
        }
        assert_eq!(door.asked().0 - before, 5);
        // After the pause one question goes first; it fails, and the pause begins anew.
        app.app.clock.advance(PAUSE);
        chat.say("/slip").await;
        chat.say("/slip").await;
        assert_eq!(door.asked().0 - before, 6);
        let put = app.client.put(&faults).json(&json!({}));
        put.send().await.unwrap();
        let reply = chat.say("/slip").await.remove(0);
        assert!(text(&reply).contains("tidak dapat dihubungi"), "{reply}");
        app.app.clock.advance(PAUSE);
        let reply = chat.say("/slip").await.remove(0);
        assert!(text(&reply).contains("Slip gaji yang ada"), "{reply}");
        app.stop().await;
    }
}

/// Waits until somebody on Telegram was told this.
async fn was_told(telegram: &BotApi, user: i64, words: &str) {
    until(words, async || {
        telegram
            .sent(user)
            .iter()
            .any(|it| text(it).contains(words))
    })
    .await;
}

/// Binds a chat on Telegram to somebody, who types number and code there.
async fn bind(app: &TestApp, telegram: &BotApi, user: i64, person: &Sample) {
    telegram.give(private_text(user, "/slip"));
    was_told(telegram, user, "kakitangan atau pembekal").await;
    telegram.give(private_text(user, "Kakitangan"));
    was_told(telegram, user, "Sila taip nombor kad pengenalan").await;
    telegram.give(private_text(user, &person.id_no));
    was_told(telegram, user, "satu kod 8 digit dihantar").await;
    let code = app.code(person.email(), 1).await;
    telegram.give(private_text(user, &code));
    was_told(telegram, user, "Sembang ini kini dikaitkan").await;
    was_told(telegram, user, "Slip gaji yang ada").await;
}

const BOUND: &str = "SELECT COUNT(*) FROM binding WHERE ended_at IS NULL";

on_telegram! {
    async fn ac_27_a_chat_of_somebody_who_left_is_unbound_within_a_day(app: TestApp, telegram: BotApi) {
        let people = ordinary(&app.people().await);
        bind(&app, telegram, AMINAH, &people[0]).await;
        bind(&app, telegram, BAKAR, &people[1]).await;
        assert_eq!(app.database.count(app.folder(), BOUND).await, 2);
        app.change_person(&people[0].reference, json!({"active": false})).await;
        app.app.clock.advance(21 * HOUR);
        was_told(telegram, AMINAH, "tidak lagi dikaitkan").await;
        let mails = app.mails_about(people[0].email(), "Kaitan sembang", 1).await;
        assert!(mails[0].text.contains("/bukan-saya#"));
        settled(&app).await;
        // Who is still there is not touched.
        assert_eq!(app.database.count(app.folder(), BOUND).await, 1);
        assert!(telegram.sent(BAKAR).iter().all(|it| !text(it).contains("tidak lagi dikaitkan")));
        // Everything that the chat wants now, it must prove anew, by number.
        let before = telegram.sent(AMINAH).len();
        telegram.give(private_text(AMINAH, "/slip"));
        until("asked for the number", async || {
            let sent = telegram.sent(AMINAH);
            sent[before..].iter().any(|it| text(it).contains("masukkan nombor pengenalan"))
        }).await;
    }

    async fn ac_27_a_chat_whose_persons_address_changed_is_unbound_within_a_day(app: TestApp, telegram: BotApi) {
        let person = ordinary(&app.people().await).remove(0);
        bind(&app, telegram, AMINAH, &person).await;
        app.change_person(&person.reference, json!({"email": "baharu@mel.example"})).await;
        app.app.clock.advance(21 * HOUR);
        was_told(telegram, AMINAH, "tidak lagi dikaitkan").await;
        app.mails_about("baharu@mel.example", "Kaitan sembang", 1).await;
        assert_eq!(app.database.count(app.folder(), BOUND).await, 0);
    }

    async fn ac_27_while_the_portal_is_down_nobody_is_unbound_and_nothing_is_done(app: TestApp, telegram: BotApi) {
        let person = ordinary(&app.people().await).remove(0);
        bind(&app, telegram, AMINAH, &person).await;
        // The proof is fresh, and still nothing is done unseen.
        app.faults(json!({"down": true})).await;
        telegram.give(private_text(AMINAH, "/lupa"));
        was_told(telegram, AMINAH, "tidak dapat dihubungi").await;
        app.change_person(&person.reference, json!({"active": false})).await;
        app.app.clock.advance(21 * HOUR);
        let looked = "SELECT COUNT(*) FROM binding WHERE checked_at > bound_at AND ended_at IS NULL";
        until("looked", async || app.database.count(app.folder(), looked).await == 1).await;
        // A new code cannot be had either.
        telegram.give(private_text(AMINAH, "/lupa"));
        was_told(telegram, AMINAH, "kod 8 digit sedang dihantar").await;
        let tried = "SELECT COUNT(*) FROM outbox WHERE carrier = 'code' AND done_at IS NULL AND attempts > 0";
        until("tried", async || app.database.count(app.folder(), tried).await == 1).await;
        assert_eq!(app.codes_to(person.email()).await.len(), 1);
        assert_eq!(app.database.count(app.folder(), BOUND).await, 1);
        assert_eq!(resets(&app, &person).await, 0);
        // Once it is back, what could not be looked at is.
        app.app.clock.advance(11 * MINUTE);
        app.faults(json!({})).await;
        app.app.clock.advance(11 * MINUTE);
        was_told(telegram, AMINAH, "tidak lagi dikaitkan").await;
        assert_eq!(app.database.count(app.folder(), BOUND).await, 0);
        assert_eq!(app.codes_to(person.email()).await.len(), 1);
    }
}

#[tokio::test]
async fn ac_14_ac_103_before_a_proof_a_portal_that_fails_looks_like_one_that_works() {
    for database in Database::both().await {
        let app = TestApp::start(database, &[]).await;
        let zulkifli = app.zulkifli().await;
        let mut answers = Vec::new();
        for fault in [json!({}), json!({"error": true}), json!({"html": true})] {
            app.faults(fault).await;
            for number in [zulkifli.id_no.as_str(), TWIN] {
                let chat = app.begin().await;
                let token = chat.ask_for("slip").await;
                let started = app.give_number(&token, "staff", number).await;
                let started = (started.status().as_u16(), started.text().await.unwrap());
                let wrong = app.give_code(&token, "00000000").await;
                let wrong = (wrong.status().as_u16(), wrong.text().await.unwrap());
                answers.push((started, wrong, chat.messages(0).await.len()));
            }
        }
        assert!(answers.iter().all(|it| *it == answers[0]), "{answers:#?}");
        app.stop().await;
    }
}

//! Telegram is away for an hour: first it answers with faults, then nobody is let in, then every connection breaks.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tanya::agent::role::Role;
use tanya::ticket::TicketNumber;

use super::{
    Desk, LASTS, Regulars, SECOND, Steps, a_minute_passes, bot_behind, drained, is_whole, name,
};
use crate::mail::until;
use crate::support::bot_api::Fault;
use crate::support::bot_api::updates::private_text;
use crate::support::proxy::Gate;
use crate::support::{BotApi, Database, TestApp};
use crate::telegram::{AMINAH, BAKAR, text};

/// Those who write on Telegram.
const PEOPLE: i64 = 12;
/// What they write, and how the answer begins.
const SAID: [(&str, &str); 2] = [
    ("/bahasa", "Sila pilih bahasa"),
    ("lupa kata laluan portal", "Saya terlupa kata laluan"),
];
/// How long fetching may rest after failures: it is no waiting on the program's clock, and counted in full.
const FETCHING: i64 = 30 * SECOND;

/// How long nothing is asked by whoever met a fault of the server.
const RESTS: Duration = Duration::from_millis(10_500);

fn person(number: i64) -> i64 {
    8_200_000 + number
}

/// Somebody hands a matter over on Telegram; its number.
async fn hand_over(telegram: &BotApi) -> String {
    let said = [
        "nak cakap dengan pegawai",
        "Portal iSPEKS",
        "JKR Machang",
        "skrin putih",
    ];
    for (place, words) in said.into_iter().enumerate() {
        telegram.give(private_text(AMINAH, words));
        telegram.until_sent(AMINAH, place + 2).await;
    }
    let sent = telegram.until_sent(AMINAH, 5).await;
    TicketNumber::find(text(&sent[4])).unwrap().to_string()
}

/// What went out between two looks is no more than Telegram takes, by the program's clock.
struct Watch<'a> {
    app: &'a TestApp,
    telegram: &'a BotApi,
    chats: Vec<i64>,
    at: i64,
    sent: BTreeMap<i64, usize>,
}

impl<'a> Watch<'a> {
    fn new(app: &'a TestApp, telegram: &'a BotApi) -> Self {
        let chats: Vec<i64> = (0..PEOPLE).map(person).chain([AMINAH]).collect();
        let sent = chats.iter().map(|chat| (*chat, telegram.sent(*chat).len()));
        Self {
            app,
            telegram,
            sent: sent.collect(),
            chats,
            at: app.app.clock.now(),
        }
    }

    fn look(&mut self) {
        let passed = self.app.app.clock.now() - self.at;
        self.at += passed;
        let mut all = 0;
        for chat in &self.chats {
            let sent = self.telegram.sent(*chat).len();
            let more = sent - self.sent.insert(*chat, sent).unwrap();
            // Four at once, one a second; one may have been on its way.
            let most = usize::try_from(passed / 1_000).unwrap() + 5;
            assert!(more <= most, "{more} to one chat in {passed} ms");
            all += more;
        }
        let most = usize::try_from(passed / 34).unwrap() + 25 + 8;
        assert!(all <= most, "{all} in {passed} ms");
    }
}

async fn told(database: Database) {
    let telegram = BotApi::start().await;
    let mut gate = Gate::before(telegram.address());
    let url = format!("http://{}", gate.address);
    let app = TestApp::start(database, &bot_behind(&url)).await;
    app.until_office_hours();
    let siti = app.officer("siti", Role::It).await;
    let number = hand_over(&telegram).await;
    siti.does(&number, "ambil", &[]).await;
    for chat in (0..PEOPLE).map(person) {
        telegram.give(private_text(chat, "/start"));
        telegram.until_sent(chat, 2).await;
    }
    let before = telegram.until_sent(AMINAH, 6).await.len();
    let (mut regulars, mut desk) = (Regulars::new(&app).await, Desk::default());

    let begun = Instant::now();
    gate.shut().await;
    telegram.fail("*", Fault::Server(502), usize::MAX);
    gate.open();
    let (mut written, mut replies, mut last) = (BTreeMap::new(), Vec::new(), 0);
    for minute in 0..LASTS {
        match minute {
            5 => gate.shut().await,
            20 => {
                // Whoever met a fault of the server has rested, as teloxide does, and met nobody since.
                tokio::time::sleep(RESTS.saturating_sub(begun.elapsed())).await;
                telegram.heal();
                telegram.fail("*", Fault::Cut, usize::MAX);
                gate.open();
            }
            _ => {}
        }
        for place in 0..4 {
            let chat = person((minute * 4 + place) % PEOPLE);
            let said: &mut Vec<usize> = written.entry(chat).or_default();
            let what = said.len() % SAID.len();
            last = telegram.give(private_text(chat, SAID[what].0));
            said.push(what);
        }
        if minute % 5 == 0 {
            let reply = format!("Kami sedang menyemak ({}).", super::letters(replies.len()));
            let fields = [("text", reply.as_str()), ("do", "send")];
            siti.does(&number, "balas", &fields).await;
            replies.push(reply);
        }
        if minute % 10 == 0 {
            last = telegram.give(private_text(AMINAH, "masih sama puan"));
            desk.open(&app).await;
        }
        regulars.ask().await;
        a_minute_passes(&app).await;
    }
    assert_eq!(telegram.sent(AMINAH).len(), before, "nothing can have gone");

    let mut watch = Watch::new(&app, &telegram);
    let back = app.app.clock.now();
    telegram.heal();
    until("fetched", async || {
        telegram.confirmed().is_some_and(|offset| offset > last)
    })
    .await;
    watch.look();
    app.app.clock.advance(FETCHING);
    let steps = Steps {
        by: 5 * SECOND,
        within: Duration::from_millis(500),
    };
    let took = drained(&app, back, &steps, || watch.look()).await;

    let mut answers = 0;
    for (chat, said) in &written {
        let sent = telegram.sent(*chat).split_off(2);
        assert_eq!(sent.len(), said.len(), "each is answered once");
        for (message, what) in sent.iter().zip(said) {
            assert!(
                text(message).starts_with(SAID[*what].1),
                "{}",
                text(message)
            );
        }
        answers += sent.len();
    }
    let sent = telegram.sent(AMINAH).split_off(before);
    assert_eq!(sent.len(), replies.len(), "{sent:#?}");
    for (message, reply) in sent.iter().zip(&replies) {
        assert!(text(message).contains(reply.as_str()), "{}", text(message));
    }
    assert_eq!(telegram.violations(), Vec::<String>::new());
    is_whole(&app, desk.opened.len() + 1, 0).await;
    eprintln!(
        "outage, Telegram, {}: {} messages on Telegram, {} replies of officers there, {} questions and {} tickets on the web; \
         {} messages went within {took} s",
        name(&app.database),
        answers,
        replies.len(),
        regulars.asked,
        desk.opened.len(),
        answers + sent.len(),
    );
    drop((regulars, desk, siti));
    app.stop().await;
}

#[tokio::test]
async fn ac_104_a_telegram_that_is_away_for_an_hour_gets_every_answer_once_and_in_order() {
    for database in Database::both().await {
        told(database).await;
    }
}

async fn one_chat_away(database: Database) {
    let telegram = BotApi::start().await;
    let app = TestApp::with_telegram(database, &telegram, &[]).await;
    for chat in [AMINAH, BAKAR] {
        telegram.give(private_text(chat, "/start"));
        telegram.until_sent(chat, 2).await;
    }
    crate::mail::settled(&app).await;
    // A page of a proxy's, which is no word of Telegram's.
    telegram.fail_in_chat(AMINAH, Fault::Server(403), usize::MAX);
    telegram.give(private_text(AMINAH, "/bahasa"));
    let minutes = usize::try_from(LASTS).unwrap();
    for minute in 0..minutes {
        telegram.give(private_text(BAKAR, "/bahasa"));
        telegram.until_sent(BAKAR, 3 + minute).await;
        a_minute_passes(&app).await;
    }
    assert_eq!(telegram.sent(AMINAH).len(), 2, "nothing can have gone");
    let back = app.app.clock.now();
    telegram.heal();
    let steps = Steps {
        by: 10 * SECOND,
        within: Duration::from_millis(300),
    };
    let took = drained(&app, back, &steps, || ()).await;
    let sent = telegram.sent(AMINAH);
    assert_eq!(sent.len(), 3);
    assert!(text(&sent[2]).starts_with("Sila pilih bahasa"));
    is_whole(&app, 0, 0).await;
    eprintln!(
        "outage, one chat on Telegram, {}: answered within {took} s, {minutes} answers to another meanwhile",
        name(&app.database)
    );
    app.stop().await;
}

#[tokio::test]
async fn ac_104_what_fails_for_one_chat_for_an_hour_while_others_get_through_still_goes() {
    for database in Database::both().await {
        one_chat_away(database).await;
    }
}

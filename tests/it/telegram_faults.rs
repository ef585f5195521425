//! Telegram is slow, refuses, repeats itself, or is not there.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::on_telegram;
use crate::support::bot_api::updates::private_text;
use crate::support::bot_api::{Fault, TOKEN};
use crate::support::process::Process;
use crate::support::{BotApi, Database, TestApp};
use crate::telegram::{AMINAH, BAKAR, text};

async fn until(what: &str, mut there: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !there().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "never {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

on_telegram! {
    async fn ac_92_an_update_is_handled_once_however_often_it_comes(app: TestApp, telegram: BotApi) {
        let update = private_text(AMINAH, "lupa kata laluan portal");
        let id = telegram.give(update.clone());
        telegram.until_sent(AMINAH, 2).await;
        for _ in 0..50 {
            telegram.give_as(id, update.clone());
        }
        telegram.redeliver_everything(true);
        tokio::time::sleep(Duration::from_millis(300)).await;
        telegram.redeliver_everything(false);
        // A week later numbers may begin anew, lower or higher.
        app.app.clock.advance(8 * 24 * 3_600_000);
        telegram.give_as(17, private_text(AMINAH, "/bantuan"));
        telegram.until_sent(AMINAH, 3).await;
        telegram.give_as(id, update);
        telegram.give_as(18, private_text(AMINAH, "/bahasa"));
        let sent = telegram.until_sent(AMINAH, 4).await;
        assert!(text(&sent[3]).starts_with("Sila pilih bahasa"));
        app = app.restart().await;
        telegram.give_as(19, private_text(AMINAH, "/bantuan"));
        telegram.until_sent(AMINAH, 5).await;
        assert_eq!(telegram.sent(AMINAH).len(), 5);
    }

    async fn ac_93_a_chat_is_answered_in_its_order_while_others_go_on(app: TestApp, telegram: BotApi) {
        let numbers: Vec<i64> = (0..12).collect();
        // Brought out of order, all at once.
        for number in numbers.iter().rev() {
            let command = if number % 2 == 0 { "/bahasa" } else { "/keluar" };
            telegram.give_as(900_000_000 + number, private_text(AMINAH, command));
        }
        let sent = telegram.until_sent(AMINAH, 13).await;
        for (place, message) in sent[1..].iter().enumerate() {
            let expected = if place % 2 == 0 { "Sila pilih bahasa" } else { "Perbualan ini ditamatkan" };
            assert!(text(message).starts_with(expected), "{place}: {}", text(message));
        }
        assert!(app.figure("tanya_inbound_waiting").await < 1.0);
    }

    async fn ac_104_a_pause_that_telegram_asks_for_holds_for_the_whole_bot_and_over_a_restart(app: TestApp, telegram: BotApi) {
        telegram.fail("sendMessage", Fault::TooMany { retry_after: 3 }, 1);
        let begun = Instant::now();
        telegram.give(private_text(AMINAH, "/bahasa"));
        until("refused", async || telegram.attempts("sendMessage") >= 1).await;
        app = app.restart().await;
        telegram.give(private_text(BAKAR, "/bahasa"));
        telegram.until_sent(AMINAH, 2).await;
        telegram.until_sent(BAKAR, 2).await;
        assert!(begun.elapsed() >= Duration::from_secs(3));
        for chat in [AMINAH, BAKAR] {
            assert!(telegram.sent_at(chat)[0].duration_since(begun) >= Duration::from_secs(3));
        }
        assert_eq!(telegram.attempts("sendMessage"), 5);
    }

    async fn ac_104_who_blocked_the_bot_is_marked_and_others_are_answered(app: TestApp, telegram: BotApi) {
        telegram.fail_in_chat(AMINAH, Fault::Forbidden, 100);
        telegram.give(private_text(AMINAH, "/start"));
        until("marked", async || app.figure("tanya_conversations_unreachable").await == 1.0).await;
        telegram.give(private_text(BAKAR, "/start"));
        telegram.until_sent(BAKAR, 2).await;
        // It is noted a moment after it was sent.
        until("noted", async || app.figure("tanya_outbox_waiting").await == 0.0).await;
        assert_eq!(app.figure("tanya_outbox_dead").await, 0.0);
        telegram.heal();
        telegram.give(private_text(AMINAH, "/bahasa"));
        telegram.until_sent(AMINAH, 1).await;
        assert_eq!(app.figure("tanya_conversations_unreachable").await, 0.0);
    }

    async fn ac_104_what_gets_lost_on_the_way_is_sent_again_in_order(app: TestApp, telegram: BotApi) {
        telegram.fail("sendMessage", Fault::Cut, 2);
        telegram.give(private_text(AMINAH, "/bahasa"));
        telegram.give(private_text(AMINAH, "/keluar"));
        let sent = telegram.until_sent(AMINAH, 3).await;
        assert!(text(&sent[1]).starts_with("Sila pilih bahasa"));
        assert!(text(&sent[2]).starts_with("Perbualan ini ditamatkan"));
        // Done, but nobody was told: it goes again, and nothing else is lost or doubled.
        telegram.fail("sendMessage", Fault::DoneThenCut, 1);
        telegram.give(private_text(AMINAH, "/bahasa"));
        let sent = telegram.until_sent(AMINAH, 5).await;
        assert_eq!(text(&sent[3]), text(&sent[4]));
    }

    async fn ac_111_a_message_that_telegram_never_takes_is_given_up_and_others_flow(app: TestApp, telegram: BotApi) {
        telegram.fail_in_chat(AMINAH, Fault::BadRequest("message is cursed"), 1_000);
        telegram.give(private_text(AMINAH, "/bahasa"));
        telegram.give(private_text(BAKAR, "/start"));
        telegram.until_sent(BAKAR, 2).await;
        // Time is what it waits for.
        until("given up", async || {
            app.app.clock.advance(60_000);
            app.figure("tanya_outbox_dead").await >= 1.0
        }).await;
        telegram.heal();
        telegram.give(private_text(AMINAH, "/keluar"));
        until("answered again", async || {
            telegram.sent(AMINAH).iter().any(|it| text(it).starts_with("Perbualan ini ditamatkan"))
        }).await;
    }

    async fn what_telegram_does_not_take_as_it_is_goes_as_plain_text(app: TestApp, telegram: BotApi) {
        telegram.give(private_text(AMINAH, "/start"));
        telegram.until_sent(AMINAH, 2).await;
        telegram.fail("sendMessage", Fault::BadRequest("can't parse entities"), 1);
        telegram.give(private_text(AMINAH, "/slip"));
        let sent = telegram.until_sent(AMINAH, 3).await;
        assert!(sent[2]["entities"].is_null(), "{}", sent[2]);
        assert_eq!(app.figure("tanya_outbox_dead").await, 0.0);
    }

    async fn ac_40_a_message_that_held_a_number_is_removed_and_nothing_of_it_is_kept(app: TestApp, telegram: BotApi) {
        telegram.give(private_text(AMINAH, "/start"));
        telegram.until_sent(AMINAH, 2).await;
        assert_eq!(telegram.attempts("deleteMessage"), 0);
        telegram.fail("deleteMessage", Fault::Cut, 1);
        let update = private_text(AMINAH, "ic saya 880808-03-5123 password saya Rahsia#1234 kenapa tak boleh masuk portal");
        let number = update["message"]["message_id"].clone();
        telegram.give(update);
        let sent = telegram.until_sent(AMINAH, 4).await;
        assert!(text(&sent[2]).contains("sedang dipadamkan"), "{}", text(&sent[2]));
        let removed = telegram.until_called("deleteMessage", 1).await;
        assert_eq!(removed[0]["message_id"], number);
        let stored = app.database.dump(app.folder()).await;
        for secret in ["880808", "5123", "Rahsia#1234", "binti Ali"] {
            assert!(!stored.contains(secret), "{secret}");
        }
        assert!(stored.contains("[disembunyikan]"));
    }
}

#[tokio::test]
async fn server_faults_are_waited_out() {
    for method in ["sendMessage", "getUpdates"] {
        let telegram = BotApi::start().await;
        telegram.fail(method, Fault::Server(502), 1);
        telegram.fail(method, Fault::Slow(Duration::from_secs(1)), 1);
        let app = TestApp::with_telegram(Database::sqlite(), &telegram, &[]).await;
        telegram.give(private_text(AMINAH, "/bahasa"));
        let sent = telegram.until_sent(AMINAH, 2).await;
        assert!(text(&sent[1]).starts_with("Sila pilih bahasa"));
        app.stop().await;
    }
}

#[tokio::test]
async fn a_token_that_telegram_does_not_know_is_no_storm() {
    let telegram = BotApi::start().await;
    telegram.fail("*", Fault::Unauthorized, 1_000);
    let app = TestApp::with_telegram(Database::sqlite(), &telegram, &[]).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let asked = telegram.attempts("getMe") + telegram.attempts("getUpdates");
    assert!((2..=4).contains(&asked), "{asked}");
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_confirmed() {
    let telegram = BotApi::start().await;
    let app = TestApp::with_telegram(Database::sqlite(), &telegram, &[]).await;
    telegram.give(private_text(AMINAH, "/start"));
    telegram.until_sent(AMINAH, 2).await;
    app.database
        .execute(app.folder(), "ALTER TABLE inbound RENAME TO away")
        .await;
    let id = telegram.give(private_text(AMINAH, "/bahasa"));
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(telegram.confirmed().is_none_or(|offset| offset <= id));
    app.database
        .execute(app.folder(), "ALTER TABLE away RENAME TO inbound")
        .await;
    telegram.until_sent(AMINAH, 3).await;
    app.stop().await;
}

#[tokio::test]
async fn telegram_may_come_later_than_the_bot() {
    let address = crate::support::process::vacant();
    let url = format!("http://{address}");
    let app = TestApp::with(&[
        ("TANYA_TELEGRAM_TOKEN", crate::support::bot_api::TOKEN),
        ("TANYA_TELEGRAM_API_URL", &url),
    ])
    .await;
    assert_eq!(app.get("/chat").await.status(), 200);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let telegram = BotApi::start_at(address).await;
    telegram.give(private_text(AMINAH, "/start"));
    telegram.until_sent(AMINAH, 2).await;
    telegram.until_called("setMyCommands", 6).await;
    app.stop().await;
}

#[tokio::test]
async fn ac_104_a_second_instance_with_the_same_token_says_so_and_waits() {
    let telegram = BotApi::start().await;
    let url = telegram.url();
    let first = TestApp::with_telegram(Database::sqlite(), &telegram, &[]).await;
    telegram.give(private_text(AMINAH, "/start"));
    telegram.until_sent(AMINAH, 2).await;
    telegram.fail("getUpdates", Fault::Conflict, 1);
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        ("TANYA_TELEGRAM_TOKEN", TOKEN),
        ("TANYA_TELEGRAM_API_URL", url.as_str()),
    ];
    let second = Process::start(folder.path(), &settings).await;
    // In a process of its own, so that its figures are its own.
    until("told", async || {
        second.figure("tanya_telegram_conflict").await == Some(1.0)
    })
    .await;
    let before = telegram.attempts("getUpdates");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(telegram.attempts("getUpdates") - before <= 2, "a storm");
    first.stop().await;
}

#[tokio::test]
async fn two_processes_share_the_updates_of_a_bot_and_keep_each_chats_order() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let telegram = BotApi::start().await;
    let one = TestApp::with_telegram(database, &telegram, &[]).await;
    let other = one.beside().await;
    let people: Vec<i64> = (0..20).map(|number| 6_000_000 + number).collect();
    for command in ["/bahasa", "/keluar", "/bantuan"] {
        for person in &people {
            telegram.give(private_text(*person, command));
        }
    }
    for person in &people {
        let sent: Vec<Value> = telegram.until_sent(*person, 4).await;
        let said: Vec<&str> = sent[1..].iter().map(text).collect();
        assert!(said[0].starts_with("Sila pilih bahasa"), "{said:?}");
        assert!(said[1].starts_with("Perbualan ini ditamatkan"), "{said:?}");
        assert!(said[2].starts_with("Sila taip soalan"), "{said:?}");
    }
    assert_eq!(telegram.violations(), Vec::<String>::new());
    one.stop().await;
    other.stop().await;
}

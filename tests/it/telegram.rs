//! People write to the bot on Telegram.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::on_telegram;
use crate::support::bot_api::updates::{
    blocked, edited, group_reply, group_text, press, private_text, private_text_in, unblocked,
};

pub const AMINAH: i64 = 5_000_001;
pub const BAKAR: i64 = 5_000_002;
const GROUP: i64 = -100_777;
const DAY: i64 = 24 * 3_600_000;

pub fn text(message: &Value) -> &str {
    message["text"].as_str().unwrap()
}

/// The label and the data of every button under a message.
fn buttons(message: &Value) -> Vec<(String, String)> {
    let rows = message["reply_markup"]["inline_keyboard"].as_array();
    let buttons = rows
        .into_iter()
        .flatten()
        .flat_map(|row| row.as_array().unwrap());
    buttons
        .map(|button| {
            let field = |name: &str| button[name].as_str().unwrap().to_owned();
            (field("text"), field("callback_data"))
        })
        .collect()
}

/// The data of the button with this label.
fn button(message: &Value, label: &str) -> String {
    let buttons = buttons(message);
    let found = buttons.iter().find(|(text, _)| text.contains(label));
    found
        .unwrap_or_else(|| panic!("no {label:?} in {buttons:?}"))
        .1
        .clone()
}

on_telegram! {
    async fn a_person_is_welcomed_asks_chooses_and_votes(app: TestApp, telegram: BotApi) {
        telegram.give(private_text(AMINAH, "/start"));
        let sent = telegram.until_sent(AMINAH, 2).await;
        assert!(text(&sent[0]).contains("90 hari"), "{}", text(&sent[0]));
        assert!(text(&sent[1]).starts_with("Assalamualaikum"));
        assert_eq!(buttons(&sent[1]).len(), 6);

        telegram.give(private_text(AMINAH, "lupa kata laluan portal mcm mana"));
        let sent = telegram.until_sent(AMINAH, 3).await;
        let answer = &sent[2];
        insta::assert_snapshot!("telegram_answer", text(answer));
        let bold = &answer["entities"][0];
        assert_eq!((bold["type"].as_str(), bold["offset"].as_i64()), (Some("bold"), Some(0)));

        telegram.give(press(AMINAH, answer, &button(answer, "👍")));
        let toasts = telegram.until_called("answerCallbackQuery", 1).await;
        assert_eq!(toasts[0]["text"], "Terima kasih atas maklum balas tuan/puan.");
        let choice = buttons(&sent[1])[2].clone();
        telegram.give(press(AMINAH, &sent[1], &choice.1));
        let sent = telegram.until_sent(AMINAH, 4).await;
        assert!(text(&sent[3]).starts_with("Slip gaji bulanan"), "{}", text(&sent[3]));
        assert!(telegram.attempts("sendChatAction") >= 3);
        let stored = app.database.dump(app.folder()).await;
        assert!(stored.contains("helpful"));
    }

    async fn a_label_its_number_and_its_button_do_the_same(app: TestApp, telegram: BotApi) {
        telegram.give(private_text(AMINAH, "/start"));
        let menu = telegram.until_sent(AMINAH, 2).await.remove(1);
        let (label, data) = buttons(&menu)[1].clone();
        telegram.give(press(AMINAH, &menu, &data));
        let pressed = telegram.until_sent(AMINAH, 3).await.remove(2);
        telegram.give(private_text(AMINAH, "/start"));
        telegram.until_sent(AMINAH, 5).await;
        telegram.give(private_text(AMINAH, &label.to_uppercase()));
        let typed = telegram.until_sent(AMINAH, 6).await.remove(5);
        telegram.give(private_text(AMINAH, "/start"));
        telegram.until_sent(AMINAH, 8).await;
        telegram.give(private_text(AMINAH, "2"));
        let numbered = telegram.until_sent(AMINAH, 9).await.remove(8);
        assert_eq!(text(&pressed), text(&typed));
        assert_eq!(text(&pressed), text(&numbered));
    }

    async fn commands_are_told_in_both_languages_and_do_what_they_say(app: TestApp, telegram: BotApi) {
        let told = telegram.until_called("setMyCommands", 6).await;
        let private: BTreeMap<Option<&str>, Vec<&str>> = told
            .iter()
            .filter(|call| call["scope"]["type"] == "all_private_chats")
            .map(|call| {
                let commands = call["commands"].as_array().unwrap().iter();
                let names = commands.map(|it| it["command"].as_str().unwrap());
                (call["language_code"].as_str(), names.collect())
            })
            .collect();
        let names = ["bantuan", "slip", "ec", "lupa", "daftar", "status", "pegawai", "langgan", "henti", "bahasa", "sesi", "keluar", "padam"];
        assert_eq!(private.len(), 3);
        assert!(private.values().all(|told| told == &names));

        // What is kept is told before the first answer.
        let mut count = 1;
        for command in ["/bantuan", "/slip", "/ec", "/lupa", "/daftar", "/status", "/pegawai", "/bahasa", "/keluar", "/tiadalah"] {
            telegram.give(private_text(AMINAH, command));
            // What is personal is asked for on the page, or typed.
            let personal = ["/slip", "/ec", "/lupa", "/daftar"].contains(&command);
            count += if personal { 2 } else { 1 };
            telegram.until_sent(AMINAH, count).await;
        }
        let sent = telegram.sent(AMINAH);
        let said: Vec<&str> = sent.iter().map(|message| text(message).lines().next().unwrap()).collect();
        insta::assert_snapshot!("telegram_commands", said.join("\n"));
    }

    async fn a_language_once_chosen_is_remembered(app: TestApp, telegram: BotApi) {
        telegram.give(private_text_in(AMINAH, "/start", "en-GB"));
        let sent = telegram.until_sent(AMINAH, 2).await;
        assert!(text(&sent[1]).starts_with("Hello and welcome."));
        telegram.give(private_text_in(AMINAH, "/bahasa", "en-GB"));
        let choice = telegram.until_sent(AMINAH, 3).await.remove(2);
        telegram.give(press(AMINAH, &choice, &button(&choice, "Bahasa Melayu")));
        let sent = telegram.until_sent(AMINAH, 5).await;
        assert!(text(&sent[4]).starts_with("Baik, saya akan menjawab dalam bahasa Melayu"));
        app = app.restart().await;
        telegram.give(private_text_in(AMINAH, "/bantuan", "en-GB"));
        let sent = telegram.until_sent(AMINAH, 6).await;
        assert!(text(&sent[5]).starts_with("Sila taip soalan"), "{}", text(&sent[5]));
    }

    async fn a_button_works_weeks_later_and_one_that_is_gone_says_so(app: TestApp, telegram: BotApi) {
        telegram.give(private_text(AMINAH, "/start"));
        let menu = telegram.until_sent(AMINAH, 2).await.remove(1);
        for place in 0..4 {
            telegram.give(private_text(AMINAH, "/bantuan"));
            telegram.until_sent(AMINAH, 3 + place).await;
        }
        app.app.clock.advance(40 * DAY);
        telegram.give(press(AMINAH, &menu, &buttons(&menu)[1].1));
        let sent = telegram.until_sent(AMINAH, 7).await;
        assert!(text(&sent[6]).contains("mendaftar"), "{}", text(&sent[6]));

        telegram.give(private_text(AMINAH, "/padam"));
        let asked = telegram.until_sent(AMINAH, 8).await.remove(7);
        telegram.give(press(AMINAH, &asked, &button(&asked, "Ya")));
        let sent = telegram.until_sent(AMINAH, 9).await;
        assert!(text(&sent[8]).contains("telah dipadamkan"));
        telegram.give(press(AMINAH, &menu, &buttons(&menu)[1].1));
        let sent = telegram.until_sent(AMINAH, 11).await;
        assert!(text(&sent[10]).contains("sudah luput"), "{}", text(&sent[10]));
    }

    async fn what_was_said_is_deleted_when_the_person_says_so(app: TestApp, telegram: BotApi) {
        telegram.give(private_text(AMINAH, "zirafah biru bertanya pasal slip gaji"));
        telegram.until_sent(AMINAH, 2).await;
        telegram.give(private_text(AMINAH, "/padam"));
        let asked = telegram.until_sent(AMINAH, 3).await.remove(2);
        telegram.give(press(AMINAH, &asked, &button(&asked, "Tidak")));
        telegram.until_sent(AMINAH, 4).await;
        telegram.give(private_text(AMINAH, "/padam"));
        telegram.until_sent(AMINAH, 5).await;
        telegram.give(private_text(AMINAH, "Ya, padamkan"));
        let sent = telegram.until_sent(AMINAH, 6).await;
        assert!(text(&sent[5]).contains("telah dipadamkan"));
        app = app.restart().await;
        let stored = app.database.dump(app.folder()).await;
        assert!(!stored.contains("zirafah"));
    }

    async fn ac_39_a_foreign_or_forwarded_button_does_nothing(app: TestApp, telegram: BotApi) {
        telegram.give(private_text(AMINAH, "/start"));
        let menu = telegram.until_sent(AMINAH, 2).await.remove(1);
        let data = buttons(&menu)[2].1.clone();
        // Another person presses it, in the message as it was and in one forwarded to a group.
        telegram.give(press(BAKAR, &menu, &data));
        let mut forwarded = menu.clone();
        forwarded["chat"] = json!({"id": GROUP, "type": "supergroup", "title": "Warga"});
        telegram.give(press(BAKAR, &forwarded, &data));
        telegram.give(press(AMINAH, &forwarded, &data));
        let mut own = menu.clone();
        own["chat"]["id"] = json!(BAKAR);
        telegram.give(press(AMINAH, &menu, "entry:action:slip-gaji"));
        let toasts = telegram.until_called("answerCallbackQuery", 4).await;
        assert!(toasts.iter().all(|toast| toast["text"].as_str().unwrap().contains("luput")));
        // In the stranger's own chat it is told that it expired, and nothing more.
        telegram.give(press(BAKAR, &own, &data));
        let sent = telegram.until_sent(BAKAR, 2).await;
        assert!(text(&sent[1]).contains("sudah luput"));
        assert_eq!(telegram.sent(AMINAH).len(), 2);
        assert_eq!(telegram.sent(GROUP).len(), 0);
    }

    async fn ac_71_to_74_what_is_sent_as_a_file_or_an_address_is_never_fetched_and_an_album_is_answered_once(app: TestApp, telegram: BotApi) {
        for number in 0..3 {
            let mut update = private_text(AMINAH, "x");
            let message = update["message"].as_object_mut().unwrap();
            message.remove("text");
            message.insert("media_group_id".into(), json!("13579"));
            message.insert("video".into(), json!({
                "file_id": format!("video{number}"), "file_unique_id": format!("u{number}"), "width": 90, "height": 67, "duration": 3,
            }));
            telegram.give(update);
        }
        telegram.give(edited(AMINAH, "slip gaji"));
        telegram.give(private_text(AMINAH, "terima kasih"));
        let sent = telegram.until_sent(AMINAH, 3).await;
        assert_eq!(telegram.attempts("getFile"), 0);
        // An address is words like any others: whoever listens there hears nothing.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/slip.pdf", listener.local_addr().unwrap());
        telegram.give(private_text(AMINAH, &format!("tolong buka {address}")));
        telegram.until_sent(AMINAH, 4).await;
        let heard = tokio::time::timeout(std::time::Duration::from_millis(200), listener.accept());
        assert!(heard.await.is_err());
        assert!(text(&sent[1]).contains("hanya dapat membaca teks"));
        assert!(text(&sent[2]).to_lowercase().contains("sama"), "{}", text(&sent[2]));
    }

    async fn whoever_blocks_the_bot_is_left_alone_and_comes_back(app: TestApp, telegram: BotApi) {
        telegram.give(private_text(AMINAH, "/start"));
        telegram.until_sent(AMINAH, 2).await;
        telegram.give(blocked(AMINAH));
        while app.figure("tanya_conversations_unreachable").await < 1.0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        telegram.give(unblocked(AMINAH));
        telegram.give(private_text(AMINAH, "slip gaji"));
        telegram.until_sent(AMINAH, 3).await;
        assert_eq!(app.figure("tanya_conversations_unreachable").await, 0.0);
        assert_eq!(app.figure("tanya_outbox_dead").await, 0.0);
    }

    async fn in_a_group_only_who_addresses_the_bot_is_answered_and_nothing_personal_is_said(app: TestApp, telegram: BotApi) {
        telegram.give(group_text(GROUP, AMINAH, "macam mana nak daftar portal ispeks?"));
        telegram.give(group_text(GROUP, AMINAH, "/tanya macam mana nak daftar portal ispeks?"));
        let sent = telegram.until_sent(GROUP, 1).await;
        assert!(text(&sent[0]).contains("mendaftar"), "{}", text(&sent[0]));
        assert_eq!(buttons(&sent[0]), []);
        assert!(sent[0]["reply_to_message"].is_object());
        telegram.give(group_reply(GROUP, BAKAR, "berapa lama penyata disimpan?", &sent[0]));
        let sent = telegram.until_sent(GROUP, 2).await;
        assert!(text(&sent[1]).contains("dua (2) tahun"), "{}", text(&sent[1]));
        telegram.give(group_text(GROUP, BAKAR, "@tanya_test_bot nak slip gaji saya bulan ni"));
        telegram.give(group_text(GROUP, BAKAR, "/tanya ic saya 900101-03-5551 kenapa tak boleh masuk portal"));
        telegram.give(group_text(GROUP, BAKAR, "/slip"));
        let sent = telegram.until_sent(GROUP, 5).await;
        for led in &sent[2..5] {
            assert!(text(led).contains("sembang peribadi: https://t.me/tanya_test_bot"), "{}", text(led));
        }
        telegram.give(group_text(GROUP, BAKAR, "/tanya"));
        let sent = telegram.until_sent(GROUP, 6).await;
        assert!(text(&sent[5]).contains("/tanya diikuti soalan"));
        let stored = app.database.dump(app.folder()).await;
        assert!(!stored.contains("900101"));
    }

    async fn ac_38_every_kind_of_update_does_what_it_may_and_nothing_else(app: TestApp, telegram: BotApi) {
        telegram.until_called("setMyCommands", 6).await;
        let fixtures = std::fs::read_to_string("tests/data/telegram_updates.jsonl").unwrap();
        let fixtures: Vec<Value> = fixtures.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(fixtures.len() >= 40);
        // Every one in a chat of its own, so that one cannot stand in for another.
        for (place, fixture) in fixtures.iter().enumerate() {
            let name = fixture["name"].as_str().unwrap();
            let chat = 7_000_000 + place as i64;
            let mut update = fixture["update"].clone();
            let given = move_to(&mut update, chat);
            match update["update_id"].is_null() && !name.starts_with("malformed") {
                true => telegram.give_unasked(update),
                false => telegram.give_unchecked(update),
            };
            let sent = |chat: i64| telegram.sent(chat);
            let expect = fixture["expect"].as_str().unwrap();
            match expect {
                // The notice of what is kept, and the answer; a command to begin has both in one.
                "private" => { telegram.until_sent(given, 2).await; }
                "kindly" => {
                    let sent = telegram.until_sent(given, 2).await;
                    // A picture would be taken: this one Telegram does not hand over, or it is of another kind.
                    let message = &fixture["update"]["message"];
                    let kind = message["document"]["mime_type"].as_str().unwrap_or_default();
                    let is_picture = message["photo"].is_array() || (kind.starts_with("image/") && message["animation"].is_null());
                    let expected = match is_picture {
                        true => ["tidak dapat diterima", "could not be received", "bukan gambar JPEG atau PNG"],
                        false => ["membaca teks", "only read text", "membaca teks"],
                    };
                    assert!(expected.iter().any(|part| text(&sent[1]).contains(part)), "{name}: {}", text(&sent[1]));
                }
                "faq" => {
                    let sent = telegram.until_sent(given, 1).await;
                    assert!(!text(&sent[0]).contains("t.me"), "{name}: {}", text(&sent[0]));
                }
                "led" => {
                    let sent = telegram.until_sent(given, 1).await;
                    assert!(text(&sent[0]).contains("t.me"), "{name}: {}", text(&sent[0]));
                }
                "leave" => { telegram.until_called("leaveChat", 1).await; }
                "state" | "silent" => assert_eq!(sent(given).len(), 0, "{name}"),
                other => panic!("{name} expects {other}"),
            }
        }
        // What was to stay silent has had its time: the last one is answered after all before it.
        telegram.give(private_text(AMINAH, "slip gaji"));
        telegram.until_sent(AMINAH, 2).await;
        while app.figure("tanya_inbound_waiting").await + app.figure("tanya_outbox_waiting").await > 0.0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        for (place, fixture) in fixtures.iter().enumerate() {
            let chat = 7_000_000 + place as i64;
            if ["silent", "state", "leave"].contains(&fixture["expect"].as_str().unwrap()) {
                assert_eq!(telegram.sent(chat).len() + telegram.sent(-chat).len(), 0, "{}", fixture["name"]);
            }
        }
        let leaves = fixtures.iter().filter(|it| it["expect"] == "leave").count();
        assert_eq!(telegram.until_called("leaveChat", leaves).await.len(), leaves);
        assert_eq!(app.figure("tanya_inbound_failed").await, 0.0);
        assert_eq!(app.figure("tanya_outbox_dead").await, 0.0);
    }
}

/// Moves an update into a chat of its own; returns the chat. A private chat is its person, a group is below zero.
fn move_to(update: &mut Value, chat: i64) -> i64 {
    let mut given = chat;
    for kind in [
        "message",
        "callback_query",
        "my_chat_member",
        "channel_post",
        "edited_message",
    ] {
        let Some(part) = update.get_mut(kind).filter(|part| part.is_object()) else {
            continue;
        };
        let places = [
            (vec!["chat"], vec!["from"]),
            (vec!["message", "chat"], vec!["from"]),
        ];
        for (chat_place, from_place) in places {
            let pointer = |place: &[&str]| format!("/{}", place.join("/"));
            let Some(its_chat) = part.pointer_mut(&pointer(&chat_place)) else {
                continue;
            };
            if !its_chat["id"].is_i64() {
                continue;
            }
            let old = its_chat["id"].clone();
            let private = its_chat["type"] == "private";
            given = if private { chat } else { -chat };
            its_chat["id"] = json!(given);
            if private
                && let Some(from) = part.pointer_mut(&pointer(&from_place))
                && from["id"] == old
            {
                from["id"] = json!(chat);
            }
            if let Some(sender) = part.pointer_mut("/sender_chat")
                && sender["id"] == old
            {
                sender["id"] = json!(given);
            }
        }
    }
    given
}

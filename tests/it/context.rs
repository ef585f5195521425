//! What a turn means after those before it.

use serde_json::Value;

use crate::on_both_databases;
use crate::support::Chat;

async fn about(chat: &Chat<'_>, text: &str) -> String {
    let replies = chat.say(text).await;
    let targets = replies.iter().filter_map(|reply| reply["target"].as_str());
    targets.collect::<Vec<_>>().join(" ")
}

fn is_among(target: &str, targets: &[&str]) -> bool {
    targets.contains(&target)
}

const STATEMENT: [&str; 2] = ["portal-penyata-tahunan", "action:penyata-tahunan"];
const REGISTER: [&str; 2] = ["portal-daftar", "action:daftar"];

on_both_databases! {
    async fn a_short_turn_goes_on_from_the_one_before(app: TestApp) {
        let chat = app.begin().await;
        assert_eq!(about(&chat, "ispeks tak boleh buka").await, "sistem-tidak-boleh-dibuka");
        let again = about(&chat, "dah check pc lain pun sama").await;
        assert!(is_among(&again, &["sistem-tidak-boleh-dibuka", "sistem-hubungi"]), "{again}");

        let chat = app.begin().await;
        assert_eq!(about(&chat, "lupa password emel yang daftar portal").await, "portal-lupa-kata-laluan-emel");
        assert_eq!(about(&chat, "emel rasmi").await, "portal-lupa-kata-laluan-emel");
    }

    async fn a_correction_takes_the_place_of_what_was_understood(app: TestApp) {
        let chat = app.begin().await;
        let statement = about(&chat, "EC 2025").await;
        assert!(is_among(&statement, &STATEMENT), "{statement}");
        assert_eq!(about(&chat, "eh silap, slip gaji").await, "action:slip-gaji");
        let statement = about(&chat, "bukan tu, maksud saya EC").await;
        assert!(is_among(&statement, &STATEMENT), "{statement}");
    }

    async fn two_things_in_one_message_are_answered_one_after_the_other(app: TestApp) {
        let chat = app.begin().await;
        let replies = chat.say("nak tanya dua benda: satu cara daftar portal, dua berapa lama slip disimpan").await;
        assert_eq!(replies[0]["target"], "control:jelas");
        assert_eq!(replies[0]["choices"].as_array().unwrap().len(), 2);
        assert_eq!(about(&chat, "yang kedua dulu").await, "portal-tempoh-simpanan");
        let first = about(&chat, "ok yang pertama pulak").await;
        assert!(is_among(&first, &REGISTER), "{first}");
        assert_eq!(about(&chat, "yang satu lagi tu").await, "portal-tempoh-simpanan");
    }

    async fn a_cancelled_matter_is_gone(app: TestApp) {
        let chat = app.begin().await;
        chat.say("nak tanya dua benda: satu cara daftar portal, dua berapa lama slip disimpan").await;
        let replies = chat.say("takpe lah").await;
        assert_eq!(replies[0]["target"], "control:batal");
        assert_eq!(replies[0]["choices"].as_array().unwrap().len(), 6);
        assert_eq!(about(&chat, "nombor 1").await, "portal-lupa-kata-laluan", "the menu's first");
    }

    async fn what_is_offered_draws_in_nothing_that_must_be_refused(app: TestApp) {
        let chat = app.begin().await;
        chat.say("nak tanya dua benda: satu cara daftar portal, dua berapa lama slip disimpan").await;
        for text in ["cuaca esok macam mana", "harga minyak hari ini"] {
            let replies = chat.say(text).await;
            assert_eq!(replies[0].get("target"), None, "{text}: {replies:?}");
        }
    }

    async fn what_is_not_meant_is_not_meant_after_other_turns_either(app: TestApp) {
        let chat = app.begin().await;
        assert_eq!(about(&chat, "lupa password portal").await, "portal-lupa-kata-laluan");
        let again = about(&chat, "bukan kata laluan emel, tetapi kata laluan portal").await;
        assert_eq!(again, "portal-lupa-kata-laluan");
        let politely = about(&chat, "sorry, lupa password portal").await;
        assert_eq!(politely, "portal-lupa-kata-laluan");
        let replies = chat.say("bukan tu").await;
        assert_eq!(replies[0]["target"], "control:jelas", "{replies:?}");
        assert!(!replies[0]["choices"].to_string().contains("Lupa kata laluan Portal"));
    }

    async fn who_somebody_is_counts_later(app: TestApp) {
        let chat = app.begin().await;
        assert_eq!(about(&chat, "saya staf mystep").await, "portal-mystep");
        assert_eq!(about(&chat, "macam mana nak daftar").await, "portal-mystep");
        assert_eq!(about(&chat, "ok terima kasih").await, "smalltalk:terima-kasih");
        assert_eq!(about(&chat, "sistem ispeks tak boleh buka").await, "sistem-tidak-boleh-dibuka");

        let chat = app.begin().await;
        let register = about(&chat, "macam mana nak daftar").await;
        assert!(is_among(&register, &REGISTER), "{register}");
    }

    async fn another_matter_is_not_drawn_into_the_one_before(app: TestApp) {
        let chat = app.begin().await;
        assert_eq!(about(&chat, "lupa password portal").await, "portal-lupa-kata-laluan");
        assert_eq!(about(&chat, "berapa lama data slip disimpan").await, "portal-tempoh-simpanan");
        let replies = chat.say("cuaca esok macam mana").await;
        assert_eq!(replies[0].get("target"), None, "{replies:?}");
    }

    async fn the_month_and_the_year_that_were_asked_for_stand_over_the_answer(app: TestApp) {
        let asked = |replies: &[Value]| {
            assert_eq!(replies[0]["kind"], "prompt");
            replies[0]["text"].as_str().unwrap().to_owned()
        };
        let chat = app.begin().await;
        let replies = chat.say("slip gaji julai 2025").await;
        assert!(asked(&replies).starts_with("Slip gaji bulanan, Julai 2025:"), "{replies:?}");
        let replies = chat.say("bulan 3").await;
        assert!(asked(&replies).starts_with("Slip gaji bulanan, Mac "), "{replies:?}");
        let replies = chat.say("nak EC 2025").await;
        assert!(asked(&replies).contains(", 2025:"), "{replies:?}");
    }

    async fn a_language_is_spoken_when_it_is_wished_for(app: TestApp) {
        let chat = app.begin().await;
        let replies = chat.say("English please").await;
        assert_eq!(replies[1]["text"], "All right, I will answer in English.");
        let replies = chat.say("MySTEP").await;
        assert!(replies[0]["text"].as_str().unwrap().starts_with("MySTEP workers"));
    }
}

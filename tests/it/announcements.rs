//! Officers announce something: only those who asked for it get it, each once, and chats show it above their messages.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;
use tanya::agent::role::Role;
use tanya::clock::local;

use crate::support::bot_api::Fault;
use crate::support::bot_api::updates::private_text;
use crate::support::desk::Officer;
use crate::support::{Chat, TestApp};
use crate::telegram::{AMINAH, BAKAR, text};
use crate::{on_both_databases, on_telegram};

const HOUR: i64 = 3_600_000;
const MS: &str = "Portal iSPEKS akan diselenggara pada 30 November 2026, 8 malam hingga 10 malam.";
const EN: &str = "Portal iSPEKS will be under maintenance on 30 November 2026, 8 pm to 10 pm.";

async fn until(what: &str, mut there: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !there().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "never {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn field(app: &TestApp, ahead: i64) -> String {
    let at = local(app.app.clock.now() + ahead);
    at.strftime("%Y-%m-%dT%H:%M").to_string()
}

/// Writes a draft; the address of its preview.
async fn draft(siti: &Officer<'_>, text_ms: &str, until: i64) -> Result<String, String> {
    let (from, until) = (field(siti.app, -HOUR), field(siti.app, until));
    let fields = [
        ("text_ms", text_ms),
        ("text_en", EN),
        ("from", from.as_str()),
        ("until", until.as_str()),
        ("banner", "yes"),
    ];
    let response = siti.post("/console/pengumuman", &fields).await;
    match response.status() {
        StatusCode::SEE_OTHER => Ok(response.headers()["location"].to_str().unwrap().to_owned()),
        status => {
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
            Err(response.text().await.unwrap())
        }
    }
}

async fn heard(chat: &Chat<'_>) -> usize {
    let messages = chat.messages(0).await;
    let heard = |it: &&Value| it["text"].as_str().unwrap().starts_with(MS);
    messages.iter().filter(heard).count()
}

on_both_databases! {
    async fn an_announcement_goes_once_to_those_who_asked_for_it(app: TestApp) {
        let (wants, silent, left) = (app.begin().await, app.begin().await, app.begin().await);
        let said = wants.say("/langgan").await;
        assert!(said[0]["text"].as_str().unwrap().contains("/henti"), "{said:#?}");
        let help = left.say("/bantuan").await;
        left.choose(&Chat::choice(&help[0], "Langgan pengumuman")).await;
        let said = left.say("/henti").await;
        assert!(said[0]["text"].as_str().unwrap().contains("tidak akan dihantar lagi"), "{said:#?}");

        let siti = app.officer("siti", Role::Supervisor).await;
        for (text, ahead) in [("", HOUR), (MS, -HOUR / 2), (MS, 70 * 24 * HOUR), ("IC 900101-03-5551 sila hubungi kami", HOUR)] {
            draft(&siti, text, ahead).await.unwrap_err();
        }
        let preview = draft(&siti, MS, HOUR).await.unwrap();
        let page = siti.page(&preview).await;
        assert!(page.contains(MS) && page.contains("Penerima: 1"), "{page}");
        // Nobody has anything before it was sent.
        assert!(app.get("/api/v1/status").await.json::<Value>().await.unwrap().get("announcement").is_none());
        assert_eq!(heard(&wants).await, 0);
        // A double click sends it once.
        let path = format!("{preview}/hantar");
        let (one, other) = tokio::join!(siti.post(&path, &[]), siti.post(&path, &[]));
        let went: Vec<_> = [one, other].iter().map(|it| it.headers()["location"].to_str().unwrap().to_owned()).collect();
        assert!(went.contains(&"/console/insiden?telah=hantar".to_owned()) && went.contains(&"/console/insiden?telah=berubah".to_owned()), "{went:?}");
        until("heard", async || heard(&wants).await == 1).await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert_eq!((heard(&wants).await, heard(&silent).await, heard(&left).await), (1, 0, 0));
        let page = siti.page("/console/insiden").await;
        assert!(page.contains("1 penerima, 1 dihantar, 0 gagal"), "{page}");
        let recorded = "SELECT COUNT(*) FROM audit WHERE event = 'console.announcement' AND outcome = 'sent'";
        assert_eq!(app.database.count(app.folder(), recorded).await, 1);

        let shown: Value = app.get("/api/v1/status?lang=en").await.json().await.unwrap();
        assert_eq!(shown["announcement"], EN);
        siti.post(&format!("{preview}/tarik"), &[]).await;
        let shown: Value = app.get("/api/v1/status").await.json().await.unwrap();
        assert!(shown.get("announcement").is_none(), "{shown}");
    }
}

on_telegram! {
    async fn who_blocked_the_bot_counts_as_failed(app: TestApp, telegram: BotApi) {
        for person in [AMINAH, BAKAR] {
            telegram.give(private_text(person, "/langgan"));
            telegram.until_sent(person, 2).await;
        }
        let siti = app.officer("siti", Role::Supervisor).await;
        telegram.fail_in_chat(BAKAR, Fault::Forbidden, 1);
        let preview = draft(&siti, MS, HOUR).await.unwrap();
        siti.post(&format!("{preview}/hantar"), &[]).await;
        let sent = telegram.until_sent(AMINAH, 3).await;
        assert!(text(&sent[2]).starts_with(MS), "{}", text(&sent[2]));
        until("counted", async || {
            siti.page("/console/insiden").await.contains("2 penerima, 1 dihantar, 1 gagal")
        })
        .await;
    }
}

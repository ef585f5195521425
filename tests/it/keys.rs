//! The secret, the webhook's secret and what hangs on them are changed, and nobody notices.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tanya::agent::role::Role;
use tanya::audit::Audit;
use tanya::clock::Clock;
use tanya::key_ring::KeyRing;
use tanya::rekey::{Found, Rekey};
use tanya::secret::SecretKey;
use tanya::storage::Store;

use crate::support::bot_api::updates::private_text;
use crate::support::{BotApi, Chat, Database, SECRET_KEY, TestApp};
use crate::telegram::{AMINAH, text};
use crate::telegram_proof::Phone;

const KEY_AFTER: &str = "YW5vdGhlciBzZWNyZXQgZm9yIHRlc3RzLCAzMiBieXRlcyBvciBtb3Jl";
const PASSWORD: &str = "kuda lumping hijau 7";
const HEADER: &str = "X-Telegram-Bot-Api-Secret-Token";

/// What people and officers hold in their hands while the key is changed.
struct Held {
    chat: (String, String),
    ticket: String,
    name: String,
    cookie: String,
    csrf: String,
    totp: String,
    invitation: String,
    offered: String,
}

fn secret(current: &str, old: Option<&str>) -> SecretKey {
    let old = old.map(|old| SecretKey::parse(old).unwrap());
    SecretKey::parse(current).unwrap().after(old)
}

/// Everything that is sealed, looked through with these keys; and the record verified.
async fn looked_through(app: &TestApp, secret: SecretKey) -> Found {
    let url = app.database.url(app.folder());
    let store = Arc::new(Store::open_beside(&url).await.unwrap());
    let keys = KeyRing::open(&store, &secret, &Clock::default()).await;
    let audit = Audit::new(keys.unwrap().audit);
    assert!(audit.verify(&store, None).await.unwrap().seq > 5);
    let found = Rekey::new(Arc::clone(&store), secret).pass().await.unwrap();
    store.close().await;
    found
}

/// Everybody goes on with what they hold.
async fn goes_on(app: &TestApp, telegram: &BotApi, held: &Held, steps: i64) {
    let chat = Chat {
        app,
        id: held.chat.0.clone(),
        token: held.chat.1.clone(),
        opening: Vec::new(),
    };
    assert!(!chat.say("terima kasih").await.is_empty());
    assert!(chat.messages(0).await.len() > 4);
    // The chat on Telegram is still known: by its fresh proof, or as the one that is linked to a number.
    let before = telegram.sent(AMINAH).len();
    telegram.give(private_text(AMINAH, "/slip"));
    let begun = Instant::now();
    loop {
        let sent = telegram.sent(AMINAH);
        let mut new = sent.iter().skip(before);
        let known = ["Slip gaji yang ada", "bagi nombor berakhir"];
        if new.any(|message| known.iter().any(|words| text(message).contains(words))) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{sent:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The officer's open page still works, and shows what is sealed on the ticket.
    let path = format!("/console/tiket/{}", held.ticket);
    let page = app.browser.get(app.url(&path));
    let page = page.header("cookie", &held.cookie).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains(&held.name), "{page}");
    let fields = [("csrf", held.csrf.as_str()), ("text", "Masih boleh.")];
    let notes = format!("{path}/nota");
    let noted = app.post_form(&notes, &held.cookie, &fields).await;
    assert_eq!(noted.status(), 303);
    // And they sign in again with their telephone.
    app.app.clock.advance(60_000 * steps);
    app.sign_in_again("salmah", PASSWORD, &held.totp).await;
    // An invitation that was opened before shows the same secret.
    let invited = app.app.agents.invited(&held.invitation).await.unwrap();
    assert_eq!(invited.unwrap().secret.reveal(), held.offered);
}

async fn rotated(database: Database) {
    let telegram = BotApi::start().await;
    let app = TestApp::with_telegram(database, &telegram, &[]).await;
    let (zulkifli, second) = (app.zulkifli().await, app.second().await);
    let chat = app.begin().await;
    chat.prove("slip", &second).await;
    chat.until_said("Slip gaji yang ada").await;
    chat.say("nak cakap dengan pegawai").await;
    chat.say("JKR Kota Bharu").await;
    let opened = chat.say("Skrin saya putih sahaja").await;
    let ticket = opened[0]["ticket"]["number"].as_str();
    let ticket = ticket.unwrap_or_else(|| panic!("no ticket: {opened:#?}"));
    let ticket = ticket.to_owned();
    let phone = Phone::of(&app, &telegram, AMINAH);
    phone.is_bound_to(&zulkifli).await;
    let officer = app.officer("salmah", Role::Officer).await;
    let invitation = app.app.agents.add("baharu", "", Role::Officer, "").await;
    let invitation = invitation.unwrap();
    let offered = app.app.agents.invited(&invitation).await.unwrap().unwrap();
    // The page masks it; what it masks is sealed.
    let name = format!("{}••• ", &second.name[..1]);
    assert!(officer.ticket(&ticket).await.contains(&name));
    let held = Held {
        chat: (chat.id.clone(), chat.token.clone()),
        ticket,
        name,
        cookie: officer.cookie.clone(),
        csrf: officer.csrf.clone(),
        totp: officer.secret.clone(),
        offered: offered.secret.reveal().to_owned(),
        invitation,
    };
    drop((chat, phone, officer));

    // First every process is told the key that will come; it still seals with the one that it has.
    let app = app
        .restart_with(&[("TANYA_SECRET_KEY_OLD", KEY_AFTER)])
        .await;
    goes_on(&app, &telegram, &held, 1).await;
    let app = app
        .restart_with(&[
            ("TANYA_SECRET_KEY", KEY_AFTER),
            ("TANYA_SECRET_KEY_OLD", SECRET_KEY),
        ])
        .await;
    goes_on(&app, &telegram, &held, 2).await;
    looked_through(&app, secret(KEY_AFTER, Some(SECRET_KEY))).await;
    let again = looked_through(&app, secret(KEY_AFTER, Some(SECRET_KEY))).await;
    assert!(again.current >= 7, "{again:?}");
    assert_eq!((again.resealed, again.unreadable), (0, 0));

    let app = app
        .restart_with(&[
            ("TANYA_SECRET_KEY", KEY_AFTER),
            ("TANYA_SECRET_KEY_OLD", ""),
        ])
        .await;
    goes_on(&app, &telegram, &held, 3).await;
    let last = looked_through(&app, secret(KEY_AFTER, None)).await;
    assert!(last.current >= again.current, "{last:?}");
    assert_eq!((last.resealed, last.unreadable), (0, 0));
    // The key from before opens nothing any more.
    let url = app.database.url(app.folder());
    let store = Store::open_beside(&url).await.unwrap();
    let refused = KeyRing::open(&store, &secret(SECRET_KEY, None), &Clock::default()).await;
    assert!(refused.is_err());
    store.close().await;
    app.stop().await;
}

#[tokio::test]
async fn ac_112_the_secret_is_changed_and_everybody_goes_on_on_sqlite() {
    rotated(Database::sqlite()).await;
}

#[tokio::test]
async fn ac_112_the_secret_is_changed_and_everybody_goes_on_on_postgres() {
    if let Some(database) = Database::postgres().await {
        rotated(database).await;
    }
}

#[tokio::test]
async fn ac_112_what_is_sealed_with_neither_key_is_told_and_left_alone() {
    let app = TestApp::on_sqlite().await;
    let officer = app.officer("salmah", Role::Officer).await;
    drop(officer);
    let spoil = "UPDATE agent SET totp = '!' || totp WHERE username = 'salmah'";
    app.database.execute(app.folder(), spoil).await;
    let found = looked(&app).await;
    // The demonstration's own account, at least.
    assert!(found.resealed >= 1, "{found:?}");
    assert_eq!(found.unreadable, 1);
    let kept = "SELECT COUNT(*) FROM agent WHERE totp LIKE '!%'";
    assert_eq!(app.database.count(app.folder(), kept).await, 1);
    app.stop().await;
}

/// One look after a change of the key. A second one finds nothing to be done.
async fn looked(app: &TestApp) -> Found {
    let url = app.database.url(app.folder());
    let store = Arc::new(Store::open_beside(&url).await.unwrap());
    let rekey = Rekey::new(Arc::clone(&store), secret(KEY_AFTER, Some(SECRET_KEY)));
    let first = rekey.pass().await.unwrap();
    let second = rekey.pass().await.unwrap();
    assert_eq!((first.current, second.resealed), (0, 0));
    store.close().await;
    first
}

#[tokio::test]
async fn ac_112_both_secrets_of_the_webhook_are_taken_in_the_window() {
    const BEFORE: &str = "the-secret-before";
    const AFTER: &str = "the-secret-after-it";
    let telegram = BotApi::start().await;
    let webhook = [
        ("TANYA_TELEGRAM_MODE", "webhook"),
        ("TANYA_TELEGRAM_WEBHOOK_SECRET", BEFORE),
    ];
    let app = TestApp::with_telegram(Database::sqlite(), &telegram, &webhook).await;
    telegram.until_called("setWebhook", 1).await;
    let brings = async |secret: &str| {
        let update = serde_json::json!({"update_id": 1}).to_string();
        telegram.post_raw(update, &[(HEADER, secret)]).await
    };
    assert_eq!((brings(BEFORE).await, brings(AFTER).await), (200, 401));
    let app = app
        .restart_with(&[
            ("TANYA_TELEGRAM_WEBHOOK_SECRET", AFTER),
            ("TANYA_TELEGRAM_WEBHOOK_SECRET_OLD", BEFORE),
        ])
        .await;
    telegram.until_called("setWebhook", 2).await;
    assert_eq!((brings(BEFORE).await, brings(AFTER).await), (200, 200));
    assert_eq!(brings("another-one").await, 401);
    let app = app
        .restart_with(&[("TANYA_TELEGRAM_WEBHOOK_SECRET", AFTER)])
        .await;
    telegram.until_called("setWebhook", 3).await;
    assert_eq!((brings(BEFORE).await, brings(AFTER).await), (401, 200));
    app.stop().await;
}

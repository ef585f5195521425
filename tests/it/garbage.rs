//! What no honest client sends: every door answers with a refusal of its own and goes on; nothing is a failure, and nothing
//! of the inside is told. Properties of what reads such text stand here too where no module has them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tanya::config::{Mode, Settings};
use tanya::identity::number::{IdentityNumber, Kind};
use tanya::mail::letters;
use tanya::ticket::TicketNumber;

use crate::support::TestApp;

/// Bodies that each door is given.
const BODIES: usize = 60;
/// What an answer to the outside never holds.
const INSIDE: [&str; 6] = ["panicked", "src/", "sqlx", "SELECT ", "RUST_", "stack"];

/// Bytes as an attacker would have them: broken, too deep, too large, of another type, nearly right.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let nearly = prop_oneof![
        Just(r#"{"text":null}"#.to_owned()),
        Just(r#"{"client_id":"x","text":"salam"}"#.to_owned()),
        Just(r#"{"token":1e999}"#.to_owned()),
        Just(r#"{"seq":99999999999999999999999,"helpful":true}"#.to_owned()),
        Just(r#"{"text":"a","text":"b"}"#.to_owned()),
        Just("[".repeat(20_000)),
        Just(r#"{"a":"#.repeat(5_000)),
        Just("\u{0}\u{202e}\u{feff}".to_owned()),
        "\\{\"(text|token|code|kind|id_no|choice|lang)\":\"[^\"]{0,40}\"\\}",
        "username=[^&]{0,20}&password=[^&]{0,20}&code=[0-9]{0,9}",
        "token=[A-Za-z0-9_.%-]{0,80}",
    ];
    prop_oneof![
        any::<Vec<u8>>(),
        any::<String>().prop_map(String::into_bytes),
        nearly.prop_map(String::into_bytes),
    ]
}

#[tokio::test]
async fn ac_52_garbage_is_refused_at_every_door_and_tells_nothing() {
    let app = TestApp::with(&[
        ("TANYA_CHAT_MESSAGES_PER_MINUTE", "1000000"),
        ("TANYA_LOG", "off"),
    ])
    .await;
    let chat = app.begin().await;
    let chats = format!("/api/v1/conversations/{}", chat.id);
    let doors = [
        "/api/v1/ask",
        "/api/v1/conversations",
        &format!("{chats}/messages"),
        &format!("{chats}/feedback"),
        &format!("{chats}/proof"),
        &format!("{chats}/pictures?client_id=x"),
        "/api/v1/verify/about",
        "/api/v1/verify/start",
        "/api/v1/verify/finish",
        "/l/open",
        "/bukan-saya",
        "/console/masuk",
        "/console/kod",
    ];
    let types = [
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "image/png",
    ];
    let mut runner = TestRunner::default();
    let mut refused = 0;
    for door in doors {
        for number in 0..BODIES {
            let body = body().new_tree(&mut runner).unwrap().current();
            let request = app
                .request(reqwest::Method::POST, door)
                .bearer_auth(&chat.token)
                .header("content-type", types[number % types.len()])
                .body(body.clone());
            let response = request.send().await.unwrap();
            let status = response.status();
            let shown = String::from_utf8_lossy(&body);
            assert!(!status.is_server_error(), "{door} {status} {shown:.200}");
            refused += usize::from(status.is_client_error());
            let text = response.text().await.unwrap();
            let inside = INSIDE.iter().find(|inside| text.contains(**inside));
            assert_eq!(inside, None, "{door} {shown:.200}: {text:.400}");
        }
    }
    assert!(refused > doors.len() * BODIES / 2, "{refused}");
    // It goes on as if nothing had been.
    assert_eq!(chat.say("lupa kata laluan portal").await.len(), 1);
    app.stop().await;
}

/// What looks like the token of a link: as long, longer, cut, in other alphabets, with what a shell or a database would read.
fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_-]{43}",
        "[A-Za-z0-9_-]{0,120}",
        "[A-Za-z0-9+/=.%]{1,60}",
        "\\PC{0,60}",
        "[0-9a-f-]{36}",
        "' OR '1'='1|\\$\\{[a-z:/.]{0,20}\\}|\\.\\./[a-z./]{0,30}|\u{0}{1,3}",
    ]
}

#[tokio::test]
async fn ac_45_no_token_that_was_made_up_opens_anything() {
    let app = TestApp::with(&[("TANYA_LOG", "off")]).await;
    let mut runner = TestRunner::default();
    for door in ["/api/v1/verify/about", "/l/open", "/bukan-saya"] {
        for _ in 0..2 * BODIES {
            let token = token().new_tree(&mut runner).unwrap().current();
            let request = app.request(reqwest::Method::POST, door);
            let request = if door.starts_with("/api") {
                request.json(&serde_json::json!({"token": token}))
            } else {
                let form = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("token", &token)
                    .finish();
                let form_type = "application/x-www-form-urlencoded";
                request.header("content-type", form_type).body(form)
            };
            let response = request.send().await.unwrap();
            let status = response.status();
            assert!(status.is_client_error(), "{door} {status} {token:?}");
            assert!(response.headers().get("location").is_none());
        }
    }
    app.stop().await;
}

proptest! {
    #[test]
    fn a_tickets_number_is_found_in_any_text_and_reads_as_itself(text in "\\PC{0,40}", year in 2000_i64..9999, serial in 1_i64..999_999) {
        let number = TicketNumber::new(year, serial);
        let _ = TicketNumber::find(&text);
        let found = TicketNumber::find(&format!("{number} {text}"));
        prop_assert_eq!(found.map(|found| found.to_string()), Some(number.to_string()));
    }

    #[test]
    fn settings_of_any_text_are_read_or_refused_by_name(
        name in prop::sample::select(vec![
            "TANYA_HTTP_ADDR", "TANYA_PUBLIC_URL", "TANYA_DATABASE_URL", "TANYA_SECRET_KEY", "TANYA_SMTP_URL", "TANYA_MAIL_FROM",
            "TANYA_ALLOWED_ORIGINS", "TANYA_TRUSTED_PROXIES", "TANYA_OFFICE_NETWORKS", "TANYA_PORTAL_LINK_HOSTS", "TANYA_ROLE",
            "TANYA_TELEGRAM_MODE", "TANYA_CLOCK_OFFSET_S", "TANYA_TRANSCRIPT_DAYS", "TANYA_HANDOFF_WAIT_MINUTES",
        ]),
        value in any::<String>(),
    ) {
        let environment = BTreeMap::from([(name.to_owned(), value)]);
        if let Err(refused) = Settings::from_parts(None, environment, Mode::Demo) {
            let told = refused.to_string();
            prop_assert!(told.contains("TANYA_"), "{}", told);
        }
    }

    #[test]
    fn an_identity_number_is_plain_or_none(text in "\\PC{0,30}") {
        for kind in [Kind::Staff, Kind::Supplier] {
            if let Some(number) = IdentityNumber::parse(kind, &text) {
                let plain = number.reveal().chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
                prop_assert!(plain, "{:?}", text);
                // What was read once is read the same again.
                let again = IdentityNumber::parse(kind, number.reveal());
                prop_assert_eq!(again.as_ref().map(IdentityNumber::reveal), Some(number.reveal()));
            }
        }
    }

    #[test]
    fn a_name_in_a_mail_is_one_line_without_a_code_or_an_address(who in any::<String>()) {
        let named = letters::named(&who);
        prop_assert!(!named.chars().any(char::is_control));
        prop_assert!(named.starts_with('@') || !named.chars().any(|c| c.is_numeric() || "@:/.".contains(c)), "{}", named);
    }
}

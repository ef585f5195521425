//! An officer at the console in a real browser, and a person at the other end.

use tanya::agent::role::Role;
use tanya::secret::Secret;

use crate::support::TestApp;
use crate::support::browser::{Browser, DESKTOP, PHONE};
use crate::support::desk::code_of;
use crate::support::picture::png;

const PASSWORD: &str = "kuda lumping hijau 7";

/// Signs in by the pages' own forms.
pub async fn sign_in(browser: &Browser, app: &TestApp, username: &str, role: Role) {
    let given = Secret::new(PASSWORD.to_owned());
    let secret = app
        .app
        .agents
        .ready(username, "Siti Hajar", role, given)
        .await
        .unwrap();
    browser.goto(&app.url("/console")).await;
    browser
        .until("document.querySelector('#username') !== null")
        .await;
    let fill = format!(
        "document.querySelector('#username').value = '{username}';
        document.querySelector('#password').value = '{PASSWORD}';
        document.querySelector('#password').form.requestSubmit(); return true"
    );
    browser.run(&fill).await;
    browser
        .until("document.querySelector('#code') !== null")
        .await;
    let code = code_of(secret.reveal(), app.app.clock.now());
    let fill = format!(
        "document.querySelector('#code').value = '{code}'; document.querySelector('#code').form.requestSubmit(); return true"
    );
    browser.run(&fill).await;
    browser
        .until("document.querySelector('form[action=\"/console/keluar\"]') !== null")
        .await;
}

/// What people write who want a page to do something.
const PAYLOADS: [&str; 12] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "'><iframe src=javascript:alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "{{7*7}} {% raw %} {0} %s ${7*7}",
    "javascript:alert(1)",
    "<a href=\"javascript:alert(1)\">klik</a>",
    "\u{202E}gnirts a si siht",
    "<math><mtext></p><img src=x onerror=alert(1)>",
    "<style>@import 'https://evil.example'</style>",
];

#[tokio::test]
async fn ac_61_an_officer_and_a_person_talk_and_what_is_written_is_only_text() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    sign_in(&browser, &app, "siti", Role::Supervisor).await;
    let chat = app.begin().await;
    let number = chat.hand_over(&PAYLOADS[..6].join(" ")).await;
    // The list learns of it by itself.
    let listed = format!("document.body.innerText.includes('{number}')");
    browser.until(&listed).await;
    assert_eq!(browser.accessibility().await, Vec::<String>::new());

    browser
        .goto(&app.url(&format!("/console/tiket/{number}")))
        .await;
    browser
        .until("document.querySelector('#take') !== null")
        .await;
    browser
        .run("document.querySelector('#take').requestSubmit(); return true")
        .await;
    browser
        .until("document.querySelector('#hand') !== null")
        .await;
    chat.until_said("kini menyertai sembang ini").await;
    for payload in PAYLOADS {
        assert!(chat.say(payload).await.is_empty());
    }
    // What the person says appears by itself, as text.
    let said = "document.body.innerText.includes('<math><mtext></p>')";
    browser.until(said).await;
    assert_eq!(browser.accessibility().await, Vec::<String>::new());
    let reply =
        "const field = document.querySelector('#text'); field.value = 'Sila cuba <b>semula</b>.';
        field.form.requestSubmit(document.querySelector('button[value=send]')); return true";
    browser.run(reply).await;
    let heard = chat.until_said("Sila cuba").await;
    assert_eq!(heard["text"], "Sila cuba <b>semula</b>.");
    browser
        .until("document.body.innerText.includes('Sila cuba <b>semula</b>.')")
        .await;
    for path in [
        "/console/laporan",
        "/console/jawapan",
        "/console/kalendar",
        "/console/baharu",
        "/console/hak",
        "/console/akaun",
    ] {
        browser.goto(&app.url(path)).await;
        browser.until("document.querySelector('h1') !== null").await;
        assert_eq!(
            browser.accessibility().await,
            Vec::<String>::new(),
            "{path}"
        );
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn the_console_fits_on_a_phone() {
    let Some(browser) = Browser::open(PHONE).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    sign_in(&browser, &app, "siti", Role::Supervisor).await;
    let chat = app.begin().await;
    let number = chat.hand_over(&"a".repeat(300)).await;
    chat.send_picture(png(1)).await;
    for path in [
        "/console".to_owned(),
        format!("/console/tiket/{number}"),
        "/console/laporan".to_owned(),
        "/console/kalendar".to_owned(),
        "/console/hak".to_owned(),
    ] {
        browser.goto(&app.url(&path)).await;
        browser.until("document.querySelector('h1') !== null").await;
        assert!(browser.fits().await, "{path}");
    }
    browser.close().await;
    app.stop().await;
}

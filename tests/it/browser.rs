//! The chat as people see it: in real Chromium, on a desktop and on a phone.

use serde_json::json;

use crate::support::TestApp;
use crate::support::browser::{Browser, DESKTOP, PHONE, Window};

const LAST_ANSWER: &str = "[...document.querySelectorAll('.answer-title')].at(-1)?.innerText";

#[tokio::test]
async fn a_visitor_of_the_treasurys_page_opens_the_widget_and_is_answered() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    browser.goto(&app.url("/")).await;
    let labelled = browser
        .run("return document.body.innerText.includes('bukan laman rasmi')")
        .await;
    assert_eq!(labelled, json!(true), "the sample page says that it is one");
    browser.open_widget().await;
    browser.say("mcm mana nk daftar portal ispeks").await;
    browser
        .until(&format!("{LAST_ANSWER}?.includes('mendaftar')"))
        .await;
    let steps = browser
        .run("return document.querySelectorAll('ol.steps li').length")
        .await;
    assert_eq!(steps, json!(6));
    let link = browser
        .run("return document.querySelector('ol.steps a, .links a')?.href")
        .await;
    assert_eq!(link, json!("https://p.ispeks.kelantan.gov.my/"));
    browser
        .until("document.querySelector('.origin')?.innerText.includes('22 Nov 2026')")
        .await;

    browser.click(".feedback button").await;
    browser
        .until("document.querySelector('.feedback-said')?.innerText.length > 0")
        .await;

    browser.click("#lang").await;
    browser
        .until("document.documentElement.lang === 'en'")
        .await;
    browser.say("MySTEP").await;
    browser
        .until("document.body.innerText.includes('are not eligible')")
        .await;
    browser.client.enter_parent_frame().await.unwrap();
    browser.goto(&app.url("/")).await;
    browser.open_widget().await;
    browser
        .until("document.body.innerText.includes('are not eligible')")
        .await;
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn a_cut_connection_and_a_restarted_server_lose_and_double_nothing() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    browser.goto(&app.url("/chat")).await;
    browser.ready().await;
    browser.say("lupa kata laluan portal").await;
    browser
        .until("document.querySelectorAll('.answer-title').length === 1")
        .await;

    let app = app
        .restart_in_place(async || {
            browser.say("slip gaji saya salah").await;
            browser.until("document.querySelector('.is-pending')").await;
        })
        .await;
    browser
        .until("document.querySelectorAll('.answer-title').length === 2")
        .await;
    browser
        .until("!document.querySelector('.is-pending')")
        .await;
    assert_eq!(browser.count().await.0, 2);

    browser.client.refresh().await.unwrap();
    browser.ready().await;
    browser
        .until("document.querySelectorAll('.answer-title').length === 2")
        .await;
    assert_eq!(browser.count().await, (2, 4));
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn ac_35_an_ended_chat_leaves_nothing_behind() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    browser.goto(&app.url("/chat")).await;
    browser.ready().await;
    browser.say("lupa kata laluan portal").await;
    browser.until(LAST_ANSWER).await;
    browser.click("#end").await;
    browser.click("#confirm-yes").await;
    browser
        .until("!document.querySelector('#ended').hidden")
        .await;
    let left = browser.run("return document.body.innerText.includes('kata laluan portal') || sessionStorage.length + localStorage.length > 0 || document.cookie !== ''").await;
    assert_eq!(left, json!(false));
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn the_keyboard_is_enough() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    browser.goto(&app.url("/chat")).await;
    browser.ready().await;
    browser.say("siapa nak dihubungi pasal ispeks").await;
    browser
        .until("document.querySelectorAll('.message-bot .choices button').length > 6")
        .await;
    // From the field backwards to the newest choices, then press one.
    let script = "return document.activeElement?.matches('.choices button')";
    let field = browser.client.active_element().await.unwrap();
    field.send_keys("\u{E008}\u{E004}\u{E008}").await.unwrap();
    for _ in 0..12 {
        if browser.run(script).await == json!(true) {
            break;
        }
        let focus = browser.client.active_element().await.unwrap();
        focus.send_keys("\u{E008}\u{E004}\u{E008}").await.unwrap();
    }
    assert_eq!(browser.run(script).await, json!(true));
    let before = browser.count().await.0;
    let focus = browser.client.active_element().await.unwrap();
    focus.send_keys("\u{E007}").await.unwrap();
    browser
        .until(&format!(
            "document.querySelectorAll('.message-user').length === {}",
            before + 1
        ))
        .await;
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn every_page_is_accessible_and_fits_the_narrowest_phone_light_and_dark() {
    let app = TestApp::on_sqlite().await;
    for (window, dark) in [
        (DESKTOP, false),
        (PHONE, false),
        (DESKTOP, true),
        (PHONE, true),
    ] {
        let Some(browser) = Browser::open(Window { dark, ..window }).await else {
            return;
        };
        browser.goto(&app.url("/")).await;
        browser
            .until("document.querySelector('tanya-widget')")
            .await;
        assert_eq!(
            browser.accessibility().await,
            Vec::<String>::new(),
            "the sample page, {window:?}, dark {dark}"
        );
        assert!(browser.fits().await, "the sample page, {window:?}");
        browser.goto(&app.url("/chat")).await;
        browser.ready().await;
        browser.say("lupa password emel").await;
        browser.until(LAST_ANSWER).await;
        browser.say("qwertyuiop asdfgh").await;
        browser
            .until("document.querySelectorAll('.message-bot').length >= 4")
            .await;
        assert_eq!(
            browser.accessibility().await,
            Vec::<String>::new(),
            "the chat, {window:?}, dark {dark}"
        );
        assert!(browser.fits().await, "the chat, {window:?}");
        browser.close().await;
    }
    app.stop().await;
}

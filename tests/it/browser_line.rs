//! The chat over bad lines: proxies that cut, servers that are killed, sites that may not show it.

use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::json;

use crate::support::browser::{Browser, DESKTOP};
use crate::support::process::Process;
use crate::support::{TestApp, proxy};

/// Every message once and in order, each of the person's answered once.
async fn is_whole(browser: &Browser, own: i64) {
    browser
        .until(&format!(
            "document.querySelectorAll('.answer-title').length === {own} && !document.querySelector('.is-pending')"
        ))
        .await;
    assert_eq!(browser.count().await, (own, own + 2));
    browser.client.refresh().await.unwrap();
    browser.ready().await;
    browser
        .until(&format!(
            "document.querySelectorAll('.answer-title').length === {own}"
        ))
        .await;
    assert_eq!(browser.count().await, (own, own + 2));
}

#[tokio::test]
async fn a_proxy_that_cuts_every_connection_loses_and_doubles_nothing() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    let address = proxy::cutting(app.app.http_addr, Duration::from_millis(700)).await;
    browser.goto(&format!("http://{address}/chat")).await;
    browser.ready().await;
    for turn in 1..=6 {
        browser.say("lupa kata laluan portal").await;
        browser
            .until(&format!(
                "document.querySelectorAll('.message-user').length === {turn}"
            ))
            .await;
        tokio::time::sleep(Duration::from_millis(450)).await;
    }
    is_whole(&browser, 6).await;
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn a_server_that_is_killed_and_started_again_loses_and_doubles_nothing() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path(), &[]).await;
    browser
        .goto(&format!("http://{}/chat", process.http_addr))
        .await;
    browser.ready().await;
    browser.say("lupa kata laluan portal").await;
    browser
        .until("document.querySelectorAll('.answer-title').length === 1")
        .await;
    let answered = async |own: i64| {
        let script = "document.querySelectorAll('.answer-title').length";
        browser
            .until(&format!(
                "{script} === {own} && !document.querySelector('.is-pending')"
            ))
            .await;
    };
    for round in 0..2 {
        process.kill();
        browser
            .say("berapa lama data slip gaji disimpan di portal")
            .await;
        browser.until("document.querySelector('.is-pending')").await;
        process.again(folder.path()).await;
        answered(round * 2 + 2).await;
        // And in the middle of it.
        browser
            .say("berapa lama data slip gaji disimpan di portal")
            .await;
        process.kill();
        process.again(folder.path()).await;
        answered(round * 2 + 3).await;
    }
    is_whole(&browser, 5).await;
    browser.close().await;
}

#[tokio::test]
async fn ac_70_a_site_that_is_not_listed_shows_nothing() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    let page = format!("<iframe id=chat src='{}'></iframe>", app.url("/chat"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let elsewhere = Router::new().route("/", get(async move || Html(page)));
    tokio::spawn(async move { axum::serve(listener, elsewhere).await });
    browser.goto(&format!("http://{address}/")).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    browser.client.enter_frame(0).await.unwrap();
    let shown = browser.run("return !!document.querySelector('#log')").await;
    assert_eq!(shown, json!(false));
    browser.close().await;
    app.stop().await;
}

//! What people and officers write reaches the console as text, whatever it is: nothing of it is run, loaded or becomes
//! part of a page.

use serde_json::json;
use tanya::agent::role::Role;

use crate::browser_console::sign_in;
use crate::support::TestApp;
use crate::support::browser::{Browser, DESKTOP};
use crate::support::desk::{Officer, between};

/// Attempts that others have made, and some of our own: one JSON string a line.
fn attempts() -> Vec<String> {
    let lines = include_str!("../data/markup.jsonl").lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Tickets from the counter, so that every attempt stands in every field of one.
async fn open_tickets(officer: &Officer<'_>, attempts: &[String]) {
    let at = |place: usize| attempts[place % attempts.len()].as_str();
    let mut opened = 0;
    for place in 0..attempts.len() {
        let fields = [
            ("channel", "kaunter"),
            ("name", at(place)),
            ("ptj", at(place + 1)),
            ("queue", "teknikal"),
            ("priority", "normal"),
            ("subject", at(place + 2)),
            ("description", at(place + 3)),
        ];
        let response = officer.post("/console/baharu", &fields).await;
        assert!(response.status().is_success() || response.status() == 422);
        opened += usize::from(response.status().is_success());
    }
    assert!(opened > 300, "{opened}");
}

/// Goes to a page and looks at it.
async fn look(browser: &Browser, app: &TestApp, path: &str) {
    browser.goto(&app.url(path)).await;
    look_here(browser).await;
}

/// Waits until the page stands; looks that nothing on it came out of an attempt.
async fn look_here(browser: &Browser) {
    browser.until("document.readyState === 'complete'").await;
    let path = browser.run("return location.pathname").await;
    // A dialog that somebody's markup opened would make this fail.
    let foreign = browser
        .run(
            "return [...document.querySelectorAll('iframe, object, embed, base, math, marquee, video, audio, \
             img:not([src^=\"/assets/\"]), style:not([data-own]), script:not([src])'), \
             ...[...document.links].filter(a => !/^https?:$/.test(a.protocol) || a.host.includes('evil')), \
             ...[...document.forms].filter(f => new URL(f.getAttribute('action') ?? '', location).host !== location.host)].map(e => e.outerHTML.slice(0, 200))",
        )
        .await;
    assert_eq!(foreign, json!([]), "{path}");
    let handlers = "return [...document.querySelectorAll('*')].flatMap(e => [...e.attributes]) \
         .filter(a => /^on/i.test(a.name)).map(a => a.name)";
    assert_eq!(browser.run(handlers).await, json!([]), "{path}");
}

/// Invites agents by these names.
async fn invite_agents(admin: &Officer<'_>, attempts: &[String]) {
    for (place, attempt) in attempts.iter().enumerate() {
        let username = format!("pegawai{place}");
        let fields = [
            ("name", attempt.as_str()),
            ("username", username.as_str()),
            ("role", "officer"),
        ];
        let response = admin.post("/console/pegawai", &fields).await;
        assert!(response.status() == 200 || response.status() == 422);
    }
}

/// Names holidays so, one a day from today on.
async fn name_holidays(app: &TestApp, boss: &Officer<'_>, attempts: &[String]) {
    let mut day = tanya::clock::local(app.app.clock.now()).date();
    let sample = include_str!("../../src/calendar/sample.yaml");
    let (hours, _) = sample.split_once("\nholidays:\n").unwrap();
    let mut yaml = format!("{hours}\nholidays:\n");
    let is_name = |text: &&String| {
        text.len() <= 120 && text.trim() == *text && !text.chars().any(char::is_control)
    };
    for attempt in attempts.iter().filter(is_name) {
        let name = json!({"ms": attempt, "en": attempt});
        yaml.push_str(&format!("  - {{date: {day}, name: {name}}}\n"));
        day = day.tomorrow().unwrap();
    }
    let page = boss.page("/console/kalendar").await;
    let base = between(&page, "name=\"base\" value=\"", "\"");
    let fields = [("yaml", yaml.as_str()), ("do", "save"), ("base", base)];
    let response = boss.post("/console/kalendar", &fields).await;
    let status = response.status();
    assert_eq!(status, 200, "{}", response.text().await.unwrap());
}

#[tokio::test]
async fn ac_61_ac_63_no_markup_does_anything_in_the_console() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let attempts = attempts();
    assert!(attempts.len() >= 300, "{}", attempts.len());
    let app = TestApp::on_sqlite().await;
    let boss = app.officer("boss", Role::Supervisor).await;
    open_tickets(&boss, &attempts).await;
    // One chat in which everything is said, noted and answered.
    let chat = app.begin().await;
    let number = chat.hand_over(&attempts[0]).await;
    boss.does(&number, "ambil", &[]).await;
    for attempt in &attempts {
        boss.does(&number, "nota", &[("text", attempt)]).await;
    }
    for together in attempts.chunks(12) {
        let text = together.join("\n");
        app.app.clock.advance(30_000);
        chat.say(&text).await;
        boss.does(&number, "balas", &[("text", &text), ("do", "send")])
            .await;
        let fields = [
            ("title", together[0].as_str()),
            ("text_ms", &text),
            ("text_en", &text),
        ];
        boss.post("/console/jawapan", &fields).await;
    }
    sign_in(&browser, &app, "siti", Role::Supervisor).await;
    look(&browser, &app, &format!("/console/tiket/{number}")).await;
    let shown = "document.body.innerText.includes('<img/src=x/onerror=alert(1)>')";
    assert_eq!(browser.run(&format!("return {shown}")).await, json!(true));
    look(&browser, &app, "/console/jawapan").await;
    name_holidays(&app, &boss, &attempts).await;
    for path in [
        "/console/kalendar",
        "/console/versi?fail=calendar.yaml&no=2",
        "/console/soalan",
        "/console/laporan",
    ] {
        look(&browser, &app, path).await;
    }
    // The list, page by page, and every ticket of its first page.
    browser.goto(&app.url("/console?status=all")).await;
    let tickets = browser
        .run("return [...new Set([...document.querySelectorAll('a[href^=\"/console/tiket/\"]')].map(a => a.getAttribute('href')))]")
        .await;
    let tickets: Vec<String> = serde_json::from_value(tickets).unwrap();
    assert!(tickets.len() >= 50, "{}", tickets.len());
    for path in tickets.iter().take(20) {
        look(&browser, &app, path).await;
    }
    for _ in 0..8 {
        look_here(&browser).await;
        let next = "return document.querySelector('a[rel=next]')?.getAttribute('href') ?? ''";
        let next = browser.run(next).await;
        let next = next.as_str().unwrap();
        if next.is_empty() {
            break;
        }
        browser.goto(&app.url(next)).await;
    }
    // What is searched for stands in the field again.
    for together in attempts.chunks(12) {
        let query =
            url::form_urlencoded::byte_serialize(together.join(" ").as_bytes()).collect::<String>();
        look(&browser, &app, &format!("/console?q={query}")).await;
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn ac_61_no_name_of_an_agent_does_anything_in_the_console() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let attempts = attempts();
    let app = TestApp::on_sqlite().await;
    let admin = app.officer("pentadbir", Role::Admin).await;
    invite_agents(&admin, &attempts).await;
    let invited = "SELECT COUNT(*) FROM agent";
    assert!(app.database.count(app.folder(), invited).await > 300);
    sign_in(&browser, &app, "siti", Role::Admin).await;
    look(&browser, &app, "/console/pegawai").await;
    let shown = "document.body.innerText.includes('onerror=alert(1)')";
    assert_eq!(browser.run(&format!("return {shown}")).await, json!(true));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
    app.stop().await;
}

//! Proving who one is in a real browser, on a desktop and on a phone: the page, the window, the document, and what is left.

use std::time::{Duration, Instant};

use fantoccini::Locator;
use fantoccini::wd::WindowHandle;
use serde_json::json;

use crate::support::TestApp;
use crate::support::browser::{Browser, DESKTOP, PHONE, Window};
use crate::support::proof::{MALFORMED, Sample};

const MINUTE: i64 = 60_000;
const PATIENCE: Duration = Duration::from_secs(20);

const PROMPT: &str = ".kind-prompt .link button.primary";
const LINK: &str = ".kind-link .link a.primary";

/// An address of ours as people reach it: the same server as `app.url`, and another origin.
fn public(app: &TestApp, path: &str) -> String {
    format!("http://localhost:{}{path}", app.app.http_addr.port())
}

/// Whether these words stand on the page, as a script.
fn stands(words: &str) -> String {
    format!("document.body.innerText.includes({})", json!(words))
}

/// Whether this part of the page is in view, as a script.
fn is_shown(id: &str) -> String {
    format!("!document.querySelector('#{id}').hidden")
}

/// Does something that opens a window, and goes there; the new window.
async fn window_of(browser: &Browser, act: impl AsyncFnOnce()) -> WindowHandle {
    let before = browser.client.windows().await.unwrap();
    act().await;
    let begun = Instant::now();
    loop {
        let windows = browser.client.windows().await.unwrap();
        if let Some(new) = windows.into_iter().find(|it| !before.contains(it)) {
            browser.client.switch_to_window(new.clone()).await.unwrap();
            return new;
        }
        assert!(begun.elapsed() < PATIENCE, "no window opened");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until a window closed by itself.
async fn until_closed(browser: &Browser, window: &WindowHandle) {
    let begun = Instant::now();
    while browser.client.windows().await.unwrap().contains(window) {
        assert!(begun.elapsed() < PATIENCE, "the window stays");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Goes to the page with the chat, and into its frame.
async fn back_to_chat(browser: &Browser, window: &WindowHandle) {
    browser
        .client
        .switch_to_window(window.clone())
        .await
        .unwrap();
    browser.enter_widget().await;
}

/// Asserts that what is in view can be read by everybody, is no wider than the window, and broke nothing.
async fn is_sound(browser: &Browser, what: &str) {
    assert_eq!(browser.complaints().await, Vec::<String>::new(), "{what}");
    let found = browser.accessibility().await;
    assert_eq!(found, Vec::<String>::new(), "{what}");
    assert!(browser.fits().await, "{what} is wider than the window");
}

/// Presses the link to the document, as somebody does who goes to the newest message first; its page is in view then.
async fn follow_link(browser: &Browser) {
    if browser.run(&format!("return {}", is_shown("newest"))).await == json!(true) {
        browser.click("#newest").await;
        browser
            .until("document.querySelector('#newest').hidden")
            .await;
    }
    window_of(browser, async || browser.click(LINK).await).await;
    browser
        .until("document.querySelector('#press')?.disabled === false")
        .await;
}

/// Types into an empty field, and sends it with the Enter key.
async fn enter(browser: &Browser, css: &str, text: &str) {
    let field = browser.client.find(Locator::Css(css)).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(&format!("{text}\u{E007}")).await.unwrap();
}

async fn until_url(browser: &Browser, begins: &str) {
    let begun = Instant::now();
    loop {
        let url = browser.client.current_url().await.unwrap();
        if url.as_str().starts_with(begins) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "still at {url}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Goes on from the request to the code as staff; a code was mailed then.
async fn gives_number(browser: &Browser, person: &Sample) {
    browser.until(&is_shown("confirm")).await;
    browser.click("#go").await;
    browser.until(&is_shown("number")).await;
    browser.click(".kind:has([value=staff])").await;
    enter(browser, "#id-no", &person.id_no).await;
    browser.until(&is_shown("code")).await;
}

/// A payslip from the sentence to the document, and what is left of it on a shared computer.
async fn a_payslip_from_the_sentence_to_the_document(window: Window) {
    let Some(browser) = Browser::open(window).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    let zulkifli = app.zulkifli().await;
    browser.goto(&app.url("/")).await;
    let page = browser.client.window().await.unwrap();
    browser.open_widget().await;
    browser.say("slip gaji bulan lepas").await;
    browser
        .until(&format!("document.querySelector('{PROMPT}')"))
        .await;
    assert_eq!(browser.accessibility().await, Vec::<String>::new());

    let popup = window_of(&browser, async || browser.click(PROMPT).await).await;
    browser.until(&is_shown("confirm")).await;
    for words in ["Slip gaji", "sembang web", "Teruskan hanya jika"] {
        browser.until(&stands(words)).await;
    }
    let address = browser.client.current_url().await.unwrap();
    assert_eq!(address.as_str(), public(&app, "/verify"));
    is_sound(&browser, "the request").await;
    browser.click("#go").await;
    browser.until(&is_shown("number")).await;
    browser.click("#number-send").await;
    browser.until(&stands("Sila pilih salah satu")).await;
    browser.click(".kind:has([value=staff])").await;
    enter(&browser, "#id-no", MALFORMED).await;
    browser.until(&stands("bukan tarikh lahir yang sah")).await;
    is_sound(&browser, "the number").await;
    assert!(app.mails_to(zulkifli.email()).await.is_empty());
    enter(&browser, "#id-no", &zulkifli.id_no).await;
    browser.until(&is_shown("code")).await;
    let code = app.code(zulkifli.email(), 1).await;
    let wrong = if code == "12345678" {
        "12345679"
    } else {
        "12345678"
    };
    enter(&browser, "#code-text", wrong).await;
    browser.until(&stands("Baki percubaan: 4")).await;
    is_sound(&browser, "the code").await;
    enter(&browser, "#code-text", &code).await;
    browser.until(&stands("Selesai")).await;
    until_closed(&browser, &popup).await;

    // The chat went on by itself.
    back_to_chat(&browser, &page).await;
    browser
        .until(&format!("document.querySelector('{LINK}')"))
        .await;
    browser.until(&stands("sedia dibuka")).await;
    assert_eq!(browser.accessibility().await, Vec::<String>::new());
    assert_eq!(browser.complaints().await, Vec::<String>::new());

    follow_link(&browser).await;
    let address = browser.client.current_url().await.unwrap();
    assert_eq!(address.as_str(), public(&app, "/l"));
    is_sound(&browser, "the link's page").await;
    browser.click("#press").await;
    until_url(&browser, &format!("{}/documents/", app.simulator())).await;
    browser.client.close_window().await.unwrap();

    back_to_chat(&browser, &page).await;
    browser.until(&stands("telah dibuka pada")).await;
    follow_link(&browser).await;
    browser.click("#press").await;
    browser.until(&stands("Pautan telah luput")).await;
    assert!(
        !browser
            .run("return location.href")
            .await
            .as_str()
            .unwrap()
            .contains('#')
    );
    is_sound(&browser, "the spent link").await;
    browser.client.close_window().await.unwrap();
    back_to_chat(&browser, &page).await;
    browser.until(&stands("Ada cubaan membuka semula")).await;

    // Whoever sits down at the same computer later reads nothing of it.
    app.app.clock.advance(10 * MINUTE + 1);
    browser
        .until("!document.body.textContent.includes('sedia dibuka')")
        .await;
    browser.until(&stands("disembunyikan kerana")).await;
    assert_eq!(
        browser
            .run(&format!("return document.querySelector('{LINK}')"))
            .await,
        json!(null)
    );
    let left = "return document.documentElement.outerHTML.match(/telah dibuka pada|membuka semula|\\/l#/g)";
    assert_eq!(browser.run(left).await, json!(null));

    browser.click("#end").await;
    browser.click("#confirm-yes").await;
    browser.until(&is_shown("ended")).await;
    let storage = "return [sessionStorage.length, localStorage.length, document.cookie]";
    assert_eq!(browser.run(storage).await, json!([0, 0, ""]));
    let nothing = "return !document.body.textContent.includes('slip gaji bulan lepas')";
    assert_eq!(browser.run(nothing).await, json!(true));
    browser.client.switch_to_window(page.clone()).await.unwrap();
    browser.goto("about:blank").await;
    browser.client.back().await.unwrap();
    browser
        .until("document.querySelector('tanya-widget')?.shadowRoot.querySelector('button.go')")
        .await;
    assert_eq!(browser.run(nothing).await, json!(true));
    browser.client.refresh().await.unwrap();
    browser.open_widget().await;
    assert_eq!(browser.run(nothing).await, json!(true));
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn ac_35_a_payslip_from_the_sentence_to_the_document_on_a_desktop() {
    a_payslip_from_the_sentence_to_the_document(DESKTOP).await;
}

#[tokio::test]
async fn ac_35_a_payslip_from_the_sentence_to_the_document_on_a_phone() {
    a_payslip_from_the_sentence_to_the_document(PHONE).await;
}

#[tokio::test]
async fn a_page_that_breaks_its_own_policy_would_be_noticed() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    browser.goto(&public(&app, "/verify")).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser
        .run("const it = document.createElement('script'); it.textContent = 'hit()'; document.body.append(it)")
        .await;
    let complaints = browser.complaints().await;
    assert!(
        complaints
            .iter()
            .any(|it| it.contains("Content Security Policy")),
        "{complaints:?}"
    );
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn a_page_whose_link_is_dead_or_missing_says_what_to_do() {
    let app = TestApp::on_sqlite().await;
    for window in [DESKTOP, PHONE] {
        let Some(browser) = Browser::open(window).await else {
            return;
        };
        for (page, says) in [
            ("/verify#tiada", "Pautan ini tidak lagi sah"),
            ("/verify", "Sila buka halaman ini daripada sembang"),
            ("/l", "Alamat ini tidak lengkap"),
            ("/bukan-saya", "Alamat ini tidak lengkap"),
        ] {
            browser.goto("about:blank").await;
            browser.goto(&public(&app, page)).await;
            browser.until(&stands(says)).await;
            is_sound(&browser, page).await;
        }
        // A request that was waited for too long, on a page that was left open.
        let token = app.begin().await.ask_for("slip").await;
        browser.goto("about:blank").await;
        browser
            .goto(&public(&app, &format!("/verify#{token}")))
            .await;
        browser.until(&is_shown("confirm")).await;
        app.app.clock.advance(10 * MINUTE + 1);
        browser.click("#go").await;
        browser.click(".kind:has([value=staff])").await;
        let zulkifli = app.zulkifli().await;
        enter(&browser, "#id-no", &zulkifli.id_no).await;
        browser.until(&stands("Pautan ini tidak lagi sah")).await;
        is_sound(&browser, "a request that is too old").await;
        browser.close().await;
    }
    app.stop().await;
}

#[tokio::test]
async fn five_wrong_codes_end_the_page() {
    let Some(browser) = Browser::open(PHONE).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    let zulkifli = app.zulkifli().await;
    let token = app.begin().await.ask_for("slip").await;
    browser
        .goto(&public(&app, &format!("/verify#{token}")))
        .await;
    gives_number(&browser, &zulkifli).await;
    let code = app.code(zulkifli.email(), 1).await;
    let wrong = if code == "12345678" {
        "12345679"
    } else {
        "12345678"
    };
    for left in [4, 3, 2, 1] {
        enter(&browser, "#code-text", wrong).await;
        browser
            .until(&stands(&format!("Baki percubaan: {left}")))
            .await;
    }
    enter(&browser, "#code-text", wrong).await;
    browser.until(&stands("Had telah dicapai")).await;
    is_sound(&browser, "no attempts left").await;
    browser.close().await;
    app.stop().await;
}

/// Keeps the secret that the page is told, so that it can be looked for.
const SPY: &str = "const ask = window.fetch; \
     window.fetch = async (...call) => { \
         const answer = await ask(...call); \
         const told = await answer.clone().json().catch(() => ({})); \
         if (told.return) window.spied = told.return; \
         return answer; \
     };";

/// Where a secret could be left on a page, as a script that tells where it is.
const LEFT: &str = "const secret = window.spied; \
     const places = { \
         page: document.documentElement.outerHTML, address: location.href, before: document.referrer, \
         state: JSON.stringify(history.state), name: window.name, cookie: document.cookie, \
         session: JSON.stringify(sessionStorage), local: JSON.stringify(localStorage), \
         fields: [...document.querySelectorAll('input')].map(field => field.value).join(' '), \
     }; \
     return Object.keys(places).filter(name => String(places[name]).includes(secret));";

#[tokio::test]
async fn ac_32_a_link_that_a_stranger_sent_gives_the_stranger_nothing() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    let zulkifli = app.zulkifli().await;
    let attacker = app.begin().await;
    let token = attacker.ask_for("slip").await;
    let told = attacker.messages(0).await.len();
    browser
        .goto(&public(&app, &format!("/verify#{token}")))
        .await;
    gives_number(&browser, &zulkifli).await;
    browser.run(SPY).await;
    let code = app.code(zulkifli.email(), 1).await;
    enter(&browser, "#code-text", &code).await;
    browser.until(&stands("tidak ditemukan")).await;
    let secret = browser.run("return window.spied").await;
    assert_eq!(secret.as_str().unwrap().len(), 43);
    assert_eq!(browser.run(LEFT).await, json!([]));
    is_sound(&browser, "a window that no chat opened").await;

    assert_eq!(attacker.messages(0).await.len(), told);
    assert_eq!(
        attacker.say("slip gaji bulan lepas").await[0]["kind"],
        "prompt"
    );
    let proofs = "SELECT COUNT(*) FROM proof";
    assert_eq!(app.database.count(app.folder(), proofs).await, 0);
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn ac_69_a_foreign_page_that_opens_the_window_is_told_nothing() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    let zulkifli = app.zulkifli().await;
    let attacker = app.begin().await;
    let token = attacker.ask_for("slip").await;
    // The sample page is of another origin than the window that it opens.
    browser.goto(&app.url("/")).await;
    let page = browser.client.window().await.unwrap();
    let url = public(&app, &format!("/verify#{token}"));
    let opens = format!(
        "window.heard = []; \
         window.addEventListener('message', event => window.heard.push(JSON.stringify(event.data))); \
         window.theirs = window.open({}, 'tanya-verify', 'popup'); \
         setInterval(() => window.theirs.postMessage({{type: 'tanya:received'}}, '*'), 50);",
        json!(url)
    );
    window_of(&browser, async || {
        browser.run(&opens).await;
    })
    .await;
    gives_number(&browser, &zulkifli).await;
    browser.run(SPY).await;
    let code = app.code(zulkifli.email(), 1).await;
    enter(&browser, "#code-text", &code).await;
    // It does not believe a foreign page that it was taken either.
    browser.until(&stands("tidak ditemukan")).await;
    assert_eq!(browser.run(LEFT).await, json!([]));
    let secret = browser.run("return window.spied").await;
    browser.client.switch_to_window(page).await.unwrap();
    let heard = browser.run("return window.heard").await.to_string();
    assert!(!heard.contains(secret.as_str().unwrap()), "{heard}");
    assert_eq!(
        attacker.say("slip gaji bulan lepas").await[0]["kind"],
        "prompt"
    );
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn ac_24_whom_a_mail_was_not_for_stops_the_mails_from_the_inbox() {
    for window in [DESKTOP, PHONE] {
        let Some(browser) = Browser::open(window).await else {
            return;
        };
        let app = TestApp::on_sqlite().await;
        let zulkifli = app.zulkifli().await;
        browser.goto(&public(&app, "/demo/inbox")).await;
        browser.until(&stands("Belum ada e-mel")).await;
        is_sound(&browser, "an empty inbox").await;
        // A stranger asks, with somebody else's number.
        let stranger = app.begin().await;
        let token = stranger.ask_for("slip").await;
        app.give_number(&token, "staff", &zulkifli.id_no).await;
        let code = app.code(zulkifli.email(), 1).await;
        browser.client.refresh().await.unwrap();
        browser
            .until(&stands(&format!("{} {}", &code[..4], &code[4..])))
            .await;
        browser.until(&stands(zulkifli.email())).await;
        is_sound(&browser, "the inbox").await;

        browser.click("a[href*='/bukan-saya#']").await;
        browser
            .until("document.querySelector('#press')?.disabled === false")
            .await;
        let address = browser.client.current_url().await.unwrap();
        assert_eq!(address.as_str(), public(&app, "/bukan-saya"));
        is_sound(&browser, "the page").await;
        browser.click("#press").await;
        browser.until(&stands("Maklumat diterima")).await;
        is_sound(&browser, "the notice").await;

        // What was asked for is dead, and the next one is not mailed.
        assert_eq!(app.give_code(&token, &code).await.status(), 410);
        let token = app.begin().await.ask_for("slip").await;
        let started = app.give_number(&token, "staff", &zulkifli.id_no).await;
        assert_eq!(started.status(), 202);
        let withheld =
            "SELECT COUNT(*) FROM audit WHERE event = 'verify.started' AND outcome = 'withheld'";
        assert_eq!(app.database.count(app.folder(), withheld).await, 1);
        assert_eq!(app.codes_to(zulkifli.email()).await.len(), 1);
        // The link in the mail is spent.
        browser.goto(&public(&app, "/demo/inbox")).await;
        browser.click("a[href*='/bukan-saya#']").await;
        browser
            .until("document.querySelector('#press')?.disabled === false")
            .await;
        browser.click("#press").await;
        browser.until(&stands("Pautan telah luput")).await;
        browser.close().await;
        app.stop().await;
    }
}

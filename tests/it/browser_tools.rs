//! What the chat offers beside talking: the sound, the file, the paper, the menu; and what it leaves behind: nothing.

use std::collections::HashMap;

use fantoccini::Locator;
use fantoccini::elements::{Element, ElementRef};
use serde_json::json;

use crate::support::TestApp;
use crate::support::browser::{Browser, DESKTOP};

const LAST_ANSWER: &str = "[...document.querySelectorAll('.answer-title')].at(-1)?.innerText";
const FOCUS: &str = "return document.activeElement?.id";
const ENTER: &str = "\u{E007}";
const ESCAPE: &str = "\u{E00C}";
const END: &str = "\u{E010}";
const HOME: &str = "\u{E011}";
const UP: &str = "\u{E013}";
const DOWN: &str = "\u{E015}";

async fn press(browser: &Browser, key: &str) {
    let focus = browser.client.active_element().await.unwrap();
    focus.send_keys(key).await.unwrap();
}

/// Goes back into the frame of the widget, which is open already.
async fn enter_frame(browser: &Browser) {
    let frame = "return document.querySelector('tanya-widget').shadowRoot.querySelector('iframe')";
    let frame: HashMap<String, String> = serde_json::from_value(browser.run(frame).await).unwrap();
    let frame: ElementRef = frame.into_values().next().unwrap().into();
    let frame = Element::from_element_id(browser.client.clone(), frame);
    frame.enter_frame().await.unwrap();
}

async fn end(browser: &Browser) {
    browser.click("#end").await;
    browser.click("#confirm-yes").await;
    browser
        .until("!document.querySelector('#ended').hidden")
        .await;
}

#[tokio::test]
async fn the_sound_is_off_until_it_is_wanted_and_forgotten_at_the_end() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    browser.goto(&app.url("/chat")).await;
    browser.ready().await;
    browser
        .run(
            "window.tones = 0; \
             const start = OscillatorNode.prototype.start; \
             OscillatorNode.prototype.start = function (...when) { \
                 window.tones += 1; return start.apply(this, when); \
             };",
        )
        .await;
    let checked = "return document.querySelector('#sound').getAttribute('aria-checked')";
    assert_eq!(browser.run(checked).await, json!("false"));
    browser.say("lupa kata laluan portal").await;
    browser.until(LAST_ANSWER).await;
    assert_eq!(browser.run("return window.tones").await, json!(0));

    browser.click("#more").await;
    browser.click("#sound").await;
    assert_eq!(browser.run(checked).await, json!("true"));
    browser.until("window.tones === 2").await;
    let kept = browser
        .run("return JSON.parse(sessionStorage.getItem('tanya.chat')).sound")
        .await;
    assert_eq!(kept, json!(true));

    // The next one is not to fall together with the first.
    browser
        .run(
            "window.since = Date.now(); \
             Object.defineProperty(document, 'hidden', { get: () => true });",
        )
        .await;
    browser.until("Date.now() - window.since > 1700").await;
    browser.say("slip gaji saya salah").await;
    browser.until("window.tones === 4").await;

    browser.client.refresh().await.unwrap();
    browser.ready().await;
    assert_eq!(browser.run(checked).await, json!("true"));
    end(&browser).await;
    assert_eq!(browser.run(checked).await, json!("false"));
    let stored = browser.run("return sessionStorage.length").await;
    assert_eq!(stored, json!(0));
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn the_conversation_can_be_taken_along_as_a_text_file() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    browser.goto(&app.url("/chat")).await;
    browser.ready().await;
    browser.say("mcm mana nk daftar portal ispeks").await;
    browser
        .until(&format!("{LAST_ANSWER}?.includes('mendaftar')"))
        .await;
    browser.say("no kp saya 880101-03-5673").await;
    browser
        .until("document.querySelector('#log').innerText.includes('[disembunyikan]')")
        .await;
    browser
        .run(
            "const make = URL.createObjectURL, revoke = URL.revokeObjectURL; \
             URL.createObjectURL = (blob) => { \
                 blob.text().then((text) => { window.saved = text; }); \
                 return (window.address = make.call(URL, blob)); \
             }; \
             URL.revokeObjectURL = (address) => { \
                 window.revoked = address; revoke.call(URL, address); \
             }; \
             HTMLAnchorElement.prototype.click = function () { window.file = this.download; };",
        )
        .await;
    browser.click("#more").await;
    browser.click("#download").await;
    let text = browser.until("window.saved").await;
    let text = text.as_str().unwrap();
    let named = browser
        .run(r"return /^tanya-\d{4}-\d\d-\d\d-\d{4}\.txt$/.test(window.file)")
        .await;
    assert_eq!(named, json!(true));
    for part in [
        "Tanya – Perbendaharaan Negeri Kelantan\n",
        "Dimuat turun pada ",
        "] Anda:\n  mcm mana nk daftar portal ispeks\n",
        "] Tanya:\n  ",
        "\n  1. Buka Portal iSPEKS",
        "\n  6. ",
        "(https://p.ispeks.kelantan.gov.my/)",
        "Disemak 22 Nov 2026",
        "[disembunyikan]",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert!(!text.contains("880101"), "{text}");
    browser
        .until("document.querySelector('#said').innerText.includes('padam fail')")
        .await;

    end(&browser).await;
    let given_up = browser
        .run("return window.revoked === window.address && document.querySelector('#said').innerText === ''")
        .await;
    assert_eq!(given_up, json!(true));
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn paper_shows_the_whole_conversation_and_nothing_that_one_can_only_press() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    browser.goto(&app.url("/chat")).await;
    browser.ready().await;
    for (told, text) in [(1, "daftar portal ispeks"), (2, "lupa kata laluan portal")] {
        browser.say(text).await;
        browser
            .until(&format!(
                "document.querySelectorAll('.answer-title').length === {told}"
            ))
            .await;
    }
    browser
        .run("window.printed = 0; window.print = () => { window.printed += 1; };")
        .await;
    browser.click("#more").await;
    browser.click("#print").await;
    browser.until("window.printed === 1").await;
    browser
        .run("window.dispatchEvent(new Event('beforeprint'))")
        .await;
    browser
        .until("document.querySelector('#print-time').textContent.startsWith('Dicetak pada ')")
        .await;
    // The rules for paper, made to hold on the screen.
    let whole = browser
        .run(
            "for (const sheet of document.styleSheets) for (const rule of sheet.cssRules) \
                 if (rule instanceof CSSMediaRule && rule.conditionText === 'print') \
                     rule.media.mediaText = 'all'; \
             const box = document.querySelector('#scroll'); \
             return box.clientHeight > innerHeight && getComputedStyle(box).overflowY === 'visible' \
                 && getComputedStyle(document.body).overflowY === 'visible'",
        )
        .await;
    assert_eq!(whole, json!(true), "nothing is cut off");
    for (part, shown) in [
        (".print-head", true),
        (".message-bot .bubble", true),
        (".head", false),
        (".composer", false),
        (".choices", false),
        ("#banner", false),
    ] {
        let script =
            format!("return getComputedStyle(document.querySelector('{part}')).display !== 'none'");
        assert_eq!(browser.run(&script).await, json!(shown), "{part}");
    }
    let colours = browser
        .run("const style = getComputedStyle(document.body); return [style.color, style.backgroundColor]")
        .await;
    assert_eq!(colours, json!(["rgb(0, 0, 0)", "rgb(255, 255, 255)"]));
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn the_menu_is_used_by_keyboard_and_escape_closes_it_before_the_panel() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    browser.goto(&app.url("/")).await;
    browser.open_widget().await;
    browser.run("document.querySelector('#more').focus()").await;
    press(&browser, ENTER).await;
    browser
        .until("!document.querySelector('#menu').hidden")
        .await;
    let expanded = "return document.querySelector('#more').getAttribute('aria-expanded')";
    assert_eq!(browser.run(expanded).await, json!("true"));
    assert_eq!(browser.run(FOCUS).await, json!("download"));
    for (key, reached) in [
        (DOWN, "print"),
        (DOWN, "sound"),
        (DOWN, "expand"),
        (DOWN, "download"),
        (UP, "expand"),
        (HOME, "download"),
        (END, "expand"),
    ] {
        press(&browser, key).await;
        assert_eq!(browser.run(FOCUS).await, json!(reached));
    }
    assert_eq!(browser.accessibility().await, Vec::<String>::new());
    press(&browser, ESCAPE).await;
    browser
        .until("document.querySelector('#menu').hidden")
        .await;
    assert_eq!(browser.run(expanded).await, json!("false"));
    assert_eq!(browser.run(FOCUS).await, json!("more"));

    let open =
        "return document.querySelector('tanya-widget').shadowRoot.querySelector('dialog').open";
    browser.client.enter_parent_frame().await.unwrap();
    assert_eq!(browser.run(open).await, json!(true));
    enter_frame(&browser).await;
    press(&browser, ESCAPE).await;
    browser.client.enter_parent_frame().await.unwrap();
    browser
        .until(&format!("!({})", open.trim_start_matches("return ")))
        .await;
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn ac_35_after_the_end_neither_a_reload_nor_the_way_back_shows_anything() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    let secret = "perkara sulit zamrud";
    let readable = format!(
        "return document.body.innerHTML.includes('{secret}') \
         || document.title !== 'Tanya – Perbendaharaan Negeri Kelantan' \
         || document.querySelector('#text').value !== ''"
    );
    browser.goto(&app.url("/chat")).await;
    browser.ready().await;
    browser.say(secret).await;
    browser
        .until("document.querySelectorAll('.message-bot').length >= 3")
        .await;
    // The same chat on a second page of the tab; the first may lie whole in the browser's cache.
    browser.goto(&app.url("/chat?lang=ms")).await;
    browser
        .until(&format!(
            "document.querySelector('#log').innerText.includes('{secret}')"
        ))
        .await;
    let field = browser.client.find(Locator::Css("#text")).await.unwrap();
    field.send_keys(&format!("draf {secret}")).await.unwrap();
    end(&browser).await;
    assert_eq!(browser.run(&readable).await, json!(false), "at the end");
    let stored = browser
        .run("return sessionStorage.length + localStorage.length")
        .await;
    assert_eq!(stored, json!(0));

    browser.client.refresh().await.unwrap();
    browser.ready().await;
    assert_eq!(browser.run(&readable).await, json!(false), "after a reload");
    end(&browser).await;
    browser.client.back().await.unwrap();
    browser
        .until("document.querySelector('#state')?.dataset.state.match(/live|ended/)")
        .await;
    assert_eq!(
        browser.run(&readable).await,
        json!(false),
        "on the way back"
    );
    browser.close().await;
    app.stop().await;
}

#[tokio::test]
async fn ac_69_the_page_and_the_frame_ignore_messages_of_others_and_of_a_bad_shape() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    let listen = "window.heard = ''; \
         window.addEventListener('message', ({ data }) => { \
             if (String(data).startsWith('last')) window.heard = data; });";
    let panel = "const root = document.querySelector('tanya-widget').shadowRoot; \
         const dialog = root.querySelector('dialog'); \
         return [dialog.open, dialog.className, root.querySelector('b').textContent]";
    browser.goto(&app.url("/")).await;
    browser.run(listen).await;
    browser.open_widget().await;
    browser.run(listen).await;

    // From the frame to the page: the right sender, the wrong shape.
    browser
        .run(
            "for (const bad of [null, 7, 'tanya:close', {type: 'close'}, {close: true}, \
                 {type: 'tanya:unread', count: '5'}, {type: 'tanya:unread', count: -1}, \
                 {type: 'tanya:unread', count: 1.5}, {type: 'tanya:unread', count: [3]}, \
                 {type: 'tanya:unread'}, {type: 'tanya:size', large: 'yes'}, 'last of the frame']) \
                 parent.postMessage(bad, '*');",
        )
        .await;
    // From the frame to itself: the right shape, the wrong sender. Closing would take the question away.
    browser.click("#end").await;
    browser
        .run("for (const foreign of [{type: 'tanya:close'}, 'last of itself']) window.postMessage(foreign, '*');")
        .await;
    browser.until("window.heard === 'last of itself'").await;
    let asks = "return document.querySelector('#confirm').open";
    assert_eq!(browser.run(asks).await, json!(true));

    browser.client.enter_parent_frame().await.unwrap();
    browser.until("window.heard === 'last of the frame'").await;
    assert_eq!(browser.run(panel).await, json!([true, "ready", ""]));

    // From the page to itself: the right shape, the wrong sender.
    browser
        .run(
            "for (const foreign of [{type: 'tanya:close'}, {type: 'tanya:size', large: true}, \
                 {type: 'tanya:unread', count: 3}, 'last of the page']) \
                 window.postMessage(foreign, '*');",
        )
        .await;
    browser.until("window.heard === 'last of the page'").await;
    assert_eq!(browser.run(panel).await, json!([true, "ready", ""]));

    // From the page to the frame: the right sender, the wrong shape; and then the right one.
    let post = "const frame = document.querySelector('tanya-widget').shadowRoot.querySelector('iframe'); \
         const post = (data) => frame.contentWindow.postMessage(data, '*');";
    browser
        .run(&format!(
            "{post} [null, 7, 'tanya:close', {{close: true}}, 'last to the frame'].forEach(post);"
        ))
        .await;
    enter_frame(&browser).await;
    browser.until("window.heard === 'last to the frame'").await;
    assert_eq!(browser.run(asks).await, json!(true));
    browser.client.enter_parent_frame().await.unwrap();
    browser
        .run(&format!("{post} post({{type: 'tanya:close'}});"))
        .await;
    enter_frame(&browser).await;
    browser
        .until("!document.querySelector('#confirm').open")
        .await;
    browser.close().await;
    app.stop().await;
}

//! People write markup, scripts and signs that turn text around: it is shown as they wrote it, and nothing more happens.

use serde_json::json;

use crate::support::TestApp;
use crate::support::browser::{Browser, DESKTOP};

/// Over 300 attempts, each of which would call `hit()`.
fn attempts() -> Vec<String> {
    let mut attempts = Vec::new();
    let events = [
        "onerror",
        "onload",
        "onclick",
        "onmouseover",
        "onfocus",
        "onanimationstart",
        "ontoggle",
        "onpageshow",
    ];
    let tags = [
        "img src=x",
        "svg",
        "body",
        "iframe src=x",
        "input autofocus",
        "video src=x",
        "audio src=x",
        "details open",
        "select autofocus",
        "marquee",
        "object data=x",
        "embed src=x",
        "style",
        "link rel=stylesheet href=x",
        "button",
        "table background=x",
    ];
    for tag in tags {
        for event in events {
            attempts.push(format!("<{tag} {event}=hit()>"));
            attempts.push(format!("\"><{tag} {event}='hit()'//"));
        }
    }
    let schemes = [
        "javascript:hit()",
        "JaVaScRiPt:hit()",
        "java\tscript:hit()",
        "data:text/html,<script>hit()</script>",
        "vbscript:hit()",
        "https://x.example/\"onmouseover=hit()//",
        "https://user@x.example/<script>hit()</script>",
    ];
    for scheme in schemes {
        attempts.push(scheme.to_owned());
        attempts.push(format!("[klik]({scheme})"));
        attempts.push(format!("<a href=\"{scheme}\">klik</a>"));
        attempts.push(format!(
            "<form action='{scheme}'><button>klik</button></form>"
        ));
        attempts.push(format!(
            "<meta http-equiv=refresh content='0;url={scheme}'>"
        ));
    }
    let others = [
        "<script>hit()</script>",
        "<script src=//x.example/x.js></script>",
        "</script><script>hit()</script>",
        "<scr<script>ipt>hit()</scr</script>ipt>",
        "{{constructor.constructor('hit()')()}}",
        "${hit()}",
        "{% hit() %}",
        "{0}",
        "%s%n",
        "<!--<img src=\"--><img src=x onerror=hit()//\">",
        "<svg><script>hit()</script></svg>",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=hit()>",
        "&lt;script&gt;hit()&lt;/script&gt;",
        "\u{202E}<script>hit()</script>",
        "<\u{200B}script>hit()</script>",
        "<style>*{background:url(javascript:hit())}</style>",
        "<template><img src=x onerror=hit()></template>",
        "<base href=//x.example/>",
        "<plaintext>",
        "<textarea></textarea>",
    ];
    attempts.extend(others.map(str::to_owned));
    attempts
}

#[tokio::test]
async fn ac_61_ac_78_what_people_write_is_shown_as_text_and_does_nothing() {
    let Some(browser) = Browser::open(DESKTOP).await else {
        return;
    };
    let attempts = attempts();
    assert!(attempts.len() >= 300, "{}", attempts.len());
    let app = TestApp::on_sqlite().await;
    browser.goto(&app.url("/chat")).await;
    browser.ready().await;
    browser
        .run(
            "window.hits = []; window.hit = () => hits.push('called'); window.alert = () => hits.push('alert'); \
             document.addEventListener('securitypolicyviolation', e => hits.push(e.violatedDirective + ' ' + e.blockedURI));",
        )
        .await;
    let elements = "document.querySelectorAll('.message-user :is(img, svg, script, iframe, form, style, base, template, input, meta, object, embed)').length";
    let mut sent = 0;
    for together in attempts.chunks(40) {
        sent += 1;
        let text = together.join("\n");
        // As a paste does it.
        let script = "const field = document.querySelector('#text'); field.value = arguments[0]; \
             field.dispatchEvent(new Event('input', {bubbles: true})); \
             document.querySelector('#composer').requestSubmit();";
        browser
            .client
            .execute(script, vec![json!(text)])
            .await
            .unwrap();
        browser
            .until(&format!(
                "document.querySelectorAll('.message-user').length === {sent} && !document.querySelector('.is-pending')"
            ))
            .await;
    }
    // Links that people wrote may be followed only where they are plain addresses.
    let links =
        "[...document.querySelectorAll('.message-user a')].every(a => /^https:/.test(a.protocol))";
    assert_eq!(browser.run(&format!("return {links}")).await, json!(true));
    assert_eq!(browser.run(&format!("return {elements}")).await, json!(0));
    let read = "document.querySelector('#log').innerText.includes('<img src=x onerror=hit()>')";
    assert_eq!(browser.run(&format!("return {read}")).await, json!(true));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(browser.run("return hits").await, json!([]));
    browser.client.refresh().await.unwrap();
    browser.ready().await;
    assert_eq!(browser.run(&format!("return {elements}")).await, json!(0));
    browser.close().await;
    app.stop().await;
}

//! Chromium, driven as a person would use it.

use std::time::{Duration, Instant};

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Where ChromeDriver listens.
const CHROMEDRIVER: &str = "TANYA_TEST_CHROMEDRIVER";
/// Where the accessibility checker is.
const AXE: &str = "TANYA_TEST_AXE";

/// How a window is to be.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub width: u32,
    pub height: u32,
    pub dark: bool,
}

/// A desktop window.
pub const DESKTOP: Window = Window {
    width: 1280,
    height: 800,
    dark: false,
};

/// The narrowest phone.
pub const PHONE: Window = Window {
    width: 320,
    height: 640,
    dark: false,
};

/// A browser with a profile of its own.
pub struct Browser {
    pub client: Client,
    _profile: TempDir,
}

impl Browser {
    /// None where no ChromeDriver was given and none is demanded.
    pub async fn open(window: Window) -> Option<Self> {
        let Ok(driver) = std::env::var(CHROMEDRIVER) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "{CHROMEDRIVER} is not set, and here everything must run"
            );
            eprintln!("skipped: {CHROMEDRIVER} is not set (scripts/test sets it)");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut flags: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]
        .map(str::to_owned)
        .to_vec();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        flags.push(format!("--window-size={},{}", window.width, window.height));
        if window.dark {
            flags.push("--force-dark-mode".to_owned());
        }
        let mut options = json!({
            "args": flags,
            // The chat's frame is of another site than the page around it; its storage is tried with and without.
            "prefs": {"profile.block_third_party_cookies": false, "profile.cookie_controls_mode": 0},
        });
        if window.width < 500 {
            // Chromium's windows have a least width; a phone is emulated.
            options["mobileEmulation"] = json!({
                "deviceMetrics": {"width": window.width, "height": window.height, "pixelRatio": 2.0, "touch": true}
            });
        }
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!()
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver)
            .await
            .expect("a browser");
        Some(Self {
            client,
            _profile: profile,
        })
    }

    pub async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Waits until a script returns something true.
    pub async fn until(&self, script: &str) -> Value {
        let begun = Instant::now();
        loop {
            let value = self.run(&format!("return {script}")).await;
            if !matches!(value, Value::Null | Value::Bool(false)) {
                return value;
            }
            if begun.elapsed() > Duration::from_secs(30) {
                let page = self.run("return document.body.innerText").await;
                panic!("never: {script}\n{page}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn click(&self, css: &str) {
        let element = self.client.wait().for_element(Locator::Css(css)).await;
        element.unwrap().click().await.unwrap();
    }

    /// Opens the widget on the page in view and goes into its frame.
    pub async fn open_widget(&self) {
        self.until("document.querySelector('tanya-widget')").await;
        let root = "document.querySelector('tanya-widget').shadowRoot";
        self.run(&format!("{root}.querySelector('button.go').click()"))
            .await;
        self.until(&format!("{root}.querySelector('iframe')")).await;
        self.enter_widget().await;
        self.ready().await;
    }

    /// Goes into the frame of the widget, which is open already.
    pub async fn enter_widget(&self) {
        let root = "document.querySelector('tanya-widget').shadowRoot";
        let frame = self
            .run(&format!("return {root}.querySelector('iframe')"))
            .await;
        let frame: fantoccini::elements::ElementRef =
            serde_json::from_value::<std::collections::HashMap<String, String>>(frame)
                .unwrap()
                .into_values()
                .next()
                .unwrap()
                .into();
        let frame = fantoccini::elements::Element::from_element_id(self.client.clone(), frame);
        frame.enter_frame().await.unwrap();
    }

    /// What the console of the window in view says since it was asked last: scripts that broke, and what the policy of
    /// a page refused.
    pub async fn complaints(&self) -> Vec<String> {
        let driver = std::env::var(CHROMEDRIVER).unwrap();
        let session = self.client.session_id().await.unwrap().unwrap();
        let url = format!("{driver}/session/{session}/se/log");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = http.post(url).json(&json!({"type": "browser"}));
        let log: Value = request.send().await.unwrap().json().await.unwrap();
        let lines = log["value"].as_array().expect("a log").iter();
        // A refusal of the server is told here too, and is none of the page's.
        let lines = lines.filter(|line| line["level"] == "SEVERE" && line["source"] != "network");
        lines
            .map(|line| line["message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits until the chat can be used.
    pub async fn ready(&self) {
        self.until("document.querySelector('#log .message') && document.querySelector('#state')?.dataset.state === 'live'").await;
    }

    /// Types a message and sends it with the Enter key.
    pub async fn say(&self, text: &str) {
        let field = self.client.find(Locator::Css("#text")).await.unwrap();
        field.send_keys(&format!("{text}\u{E007}")).await.unwrap();
    }

    /// How many messages of the person and of the bot are on the page.
    pub async fn count(&self) -> (i64, i64) {
        let own = "document.querySelectorAll('.message-user').length";
        let bot = "document.querySelectorAll('.message-bot').length";
        let counts = self.run(&format!("return [{own}, {bot}]")).await;
        (counts[0].as_i64().unwrap(), counts[1].as_i64().unwrap())
    }

    /// Serious and critical findings of the accessibility checker on the page in view.
    pub async fn accessibility(&self) -> Vec<String> {
        // A colour that is still fading in is not the colour that people read.
        self.until("document.getAnimations().every(a => a.playState === 'finished')")
            .await;
        let axe = std::fs::read_to_string(std::env::var(AXE).unwrap()).unwrap();
        self.run(&axe).await;
        let script = "const done = arguments[arguments.length - 1]; \
             axe.run(document, {iframes: false}).then(r => done(r.violations \
             .filter(v => v.impact === 'serious' || v.impact === 'critical') \
             .map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(', '))))";
        let found = self.client.execute_async(script, Vec::new()).await.unwrap();
        serde_json::from_value(found).unwrap()
    }

    /// Whether the page is no wider than the window.
    pub async fn fits(&self) -> bool {
        let script = "return document.documentElement.scrollWidth <= window.innerWidth";
        self.run(script).await == json!(true)
    }

    pub async fn close(self) {
        self.client.close().await.unwrap();
    }
}

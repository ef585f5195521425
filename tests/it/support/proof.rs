//! Proving who one is, as a person does it: the sample people, the page's interface, the inbox.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Chat, TestApp};

/// How long a story waits for what must come.
const PATIENCE: Duration = Duration::from_secs(15);

/// Somebody whom the portal simulator invented.
#[derive(Clone, Debug, Deserialize)]
pub struct Sample {
    pub id_no: String,
    pub kind: String,
    pub name: String,
    #[serde(default)]
    pub email: Option<String>,
    pub active: bool,
    pub payroll: String,
    pub account: String,
    pub note: String,
    #[serde(rename = "ref")]
    pub reference: String,
    pub delivery: String,
}

impl Sample {
    pub fn email(&self) -> &str {
        self.email.as_deref().expect("this person has an address")
    }

    pub fn last4(&self) -> &str {
        &self.id_no[self.id_no.len() - 4..]
    }
}

/// A mail in the demonstration's inbox.
#[derive(Clone, Debug, Deserialize)]
pub struct InboxMail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub message_id: String,
}

impl InboxMail {
    /// The code, as its digits.
    pub fn code(&self) -> Option<String> {
        code_in(&self.text)
    }

    /// The address that begins so.
    pub fn link(&self, begins: &str) -> Option<String> {
        let mut words = self.text.split_whitespace();
        words
            .find(|word| word.starts_with(begins))
            .map(str::to_owned)
    }
}

/// The only group of four and four digits in a text.
pub fn code_in(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let four = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    let pair = words
        .windows(2)
        .find(|pair| four(pair[0]) && four(pair[1]))?;
    Some(pair.concat())
}

/// A number that is none: there was no 29 February in 1985.
pub const MALFORMED: &str = "850229-03-5551";
/// One of the right form that belongs to nobody.
pub const TWIN: &str = "840229-03-5551";

impl TestApp {
    /// Where the simulator is.
    pub fn simulator(&self) -> &str {
        self.app.simulator_url.as_deref().expect("a demo has one")
    }

    /// Everybody whom the simulator invented.
    pub async fn people(&self) -> Vec<Sample> {
        let url = format!("{}/demo/people.json", self.simulator());
        let people = self.client.get(url).send().await.unwrap();
        people.json().await.unwrap()
    }

    /// The first person of this kind.
    pub async fn person(&self, fits: impl Fn(&Sample) -> bool) -> Sample {
        let people = self.people().await;
        people
            .into_iter()
            .find(fits)
            .expect("there is such a person")
    }

    /// Ordinary staff, whom the portal mails itself.
    pub async fn zulkifli(&self) -> Sample {
        self.people().await.remove(0)
    }

    /// Ordinary staff, for whom the portal gives us a link to mail.
    pub async fn second(&self) -> Sample {
        self.people().await.remove(1)
    }

    /// Switches the simulator's faults; `{}` switches all off.
    pub async fn faults(&self, faults: Value) {
        let url = format!("{}/faults", self.simulator());
        let put = self.client.put(url).json(&faults).send().await.unwrap();
        assert!(put.status().is_success(), "{faults}");
    }

    /// Changes what the portal knows of a person.
    pub async fn change_person(&self, reference: &str, change: Value) {
        let url = format!("{}/people/{reference}", self.simulator());
        let patch = self.client.patch(url).json(&change).send().await.unwrap();
        assert!(patch.status().is_success(), "{change}");
    }

    /// What is in the demonstration's inbox, the oldest first.
    pub async fn inbox(&self) -> Vec<InboxMail> {
        self.get("/demo/inbox.json").await.json().await.unwrap()
    }

    /// The mails to an address.
    pub async fn mails_to(&self, address: &str) -> Vec<InboxMail> {
        let mut mails = self.inbox().await;
        mails.retain(|mail| mail.to == address);
        mails
    }

    /// The mails with a code to an address.
    pub async fn codes_to(&self, address: &str) -> Vec<InboxMail> {
        let mut mails = self.mails_to(address).await;
        mails.retain(|mail| mail.code().is_some());
        mails
    }

    /// The `count`th code that was mailed to an address, as soon as it is there.
    pub async fn code(&self, address: &str, count: usize) -> String {
        let mail = self
            .until_mails(count, async || self.codes_to(address).await)
            .await;
        mail[count - 1].code().unwrap()
    }

    /// The mails to an address whose subject holds this, once there are so many.
    pub async fn mails_about(&self, address: &str, subject: &str, count: usize) -> Vec<InboxMail> {
        self.until_mails(count, async || {
            let mut mails = self.mails_to(address).await;
            mails.retain(|mail| mail.subject.contains(subject));
            mails
        })
        .await
    }

    async fn until_mails(
        &self,
        count: usize,
        mails: impl AsyncFn() -> Vec<InboxMail>,
    ) -> Vec<InboxMail> {
        let enough = async {
            loop {
                let found = mails().await;
                if found.len() >= count {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, enough).await;
        match found {
            Ok(found) => found,
            Err(_) => panic!("{count} mails did not come: {:?}", self.inbox().await),
        }
    }

    pub async fn verify(&self, step: &str, body: Value) -> Response {
        self.post(&format!("/api/v1/verify/{step}"), &body).await
    }

    /// Gives a number on the page.
    pub async fn give_number(&self, token: &str, kind: &str, id_no: &str) -> Response {
        self.verify(
            "start",
            json!({"token": token, "kind": kind, "id_no": id_no}),
        )
        .await
    }

    /// Gives a code on the page.
    pub async fn give_code(&self, token: &str, code: &str) -> Response {
        self.verify("finish", json!({"token": token, "code": code}))
            .await
    }

    /// Gives a number and the code that is mailed, and returns the secret that brings the proof back.
    pub async fn prove_on_page(&self, token: &str, person: &Sample) -> String {
        let before = self.codes_to(person.email()).await.len();
        let started = self.give_number(token, &person.kind, &person.id_no).await;
        assert_eq!(started.status(), StatusCode::ACCEPTED);
        // A code for another request of the same person may come in between: the right one is among those that follow.
        let mut tried = before;
        loop {
            let code = self.code(person.email(), tried + 1).await;
            let finished = self.give_code(token, &code).await;
            if finished.status() == StatusCode::OK {
                let finished: Value = finished.json().await.unwrap();
                return finished["return"].as_str().unwrap().to_owned();
            }
            let problem: Value = finished.json().await.unwrap();
            assert_eq!(problem["code"], "wrong_code", "{problem}");
            tried += 1;
        }
    }

    /// Opens a document's link as a browser does: shows the page, keeps its cookie, presses the button.
    pub async fn press(&self, token: &str) -> Response {
        let cookie = self.page_cookie("/l").await;
        self.press_with(token, &pressed(&cookie)).await
    }

    /// Sends the button's form with these headers.
    pub async fn press_with(&self, token: &str, headers: &HeaderMap) -> Response {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let request = client.post(self.url("/l/open")).headers(headers.clone());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(format!("token={token}")).send().await.unwrap()
    }

    /// The cookie that a page sets.
    pub async fn page_cookie(&self, page: &str) -> String {
        let page = self.get(page).await;
        let cookie = page.headers()["set-cookie"].to_str().unwrap().to_owned();
        cookie.split(';').next().unwrap().to_owned()
    }
}

/// What a browser sends when a person presses a button on our own page.
pub fn pressed(cookie: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-user", "?1"),
        ("cookie", cookie),
    ] {
        headers.insert(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// The part of a link behind `#`.
pub fn token_of(message: &Value) -> String {
    let url = message["link"]["url"].as_str();
    let url = url.unwrap_or_else(|| panic!("no link in {message}"));
    url.split_once('#').unwrap().1.to_owned()
}

impl Chat<'_> {
    /// Asks for something that needs a proof; the token of the page that it leads to.
    pub async fn ask_for(&self, action: &str) -> String {
        let replies = self.say(&format!("/{action}")).await;
        let prompt = replies.iter().find(|reply| reply["kind"] == "prompt");
        token_of(prompt.unwrap_or_else(|| panic!("no prompt in {replies:?}")))
    }

    /// Brings a proof back.
    pub async fn bring_back(&self, secret: &str) -> Response {
        let request = self.request(Method::POST, "/proof");
        request
            .json(&json!({"return": secret}))
            .send()
            .await
            .unwrap()
    }

    /// Proves who it is, and asks for something with it.
    pub async fn prove(&self, action: &str, person: &Sample) {
        let token = self.ask_for(action).await;
        let secret = self.app.prove_on_page(&token, person).await;
        let brought = self.bring_back(&secret).await;
        assert_eq!(brought.status(), StatusCode::NO_CONTENT);
    }

    /// The messages, once one fits; that one.
    pub async fn until(&self, fits: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let mut messages = self.messages(0).await;
                if let Some(place) = messages.iter().rposition(&fits) {
                    return messages.swap_remove(place);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => panic!("it was not said: {:#?}", self.messages(0).await),
        }
    }

    /// The latest message of the bot that holds these words, once there is one.
    pub async fn until_said(&self, words: &str) -> Value {
        self.until(|message| {
            message["from"] != "user" && message["text"].as_str().unwrap().contains(words)
        })
        .await
    }
}

/// What was said, one line a message.
pub fn said(messages: &[Value]) -> String {
    let lines = messages.iter().map(|message| {
        let text = message["text"].as_str().unwrap().lines().next().unwrap();
        format!("{}: {text}", message["from"].as_str().unwrap())
    });
    lines.collect::<Vec<_>>().join("\n")
}

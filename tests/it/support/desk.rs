//! Officers at the console, as a browser without scripts has it.

use reqwest::{Response, StatusCode};
use tanya::agent::role::Role;
use tanya::calendar::Calendar;
use tanya::secret::Secret;
use totp_rs::Builder;

use super::{Chat, TestApp};

const PASSWORD: &str = "kuda lumping hijau 7";

/// An officer who is signed in.
pub struct Officer<'a> {
    pub app: &'a TestApp,
    pub cookie: String,
    pub csrf: String,
    /// The secret of the telephone.
    pub secret: String,
}

/// The code that a telephone shows, so many steps from now.
pub fn code_of(secret: &str, at: i64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = Builder::new()
        .with_secret(secret)
        .with_digits(6)
        .with_step_duration(30);
    let totp = totp.with_skew(0).build().unwrap();
    totp.generate(u64::try_from(at / 1_000).unwrap())
        .to_string()
}

/// The cookie that an answer sets.
pub fn cookie_of(response: &Response) -> String {
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// A client that follows nothing by itself.
pub fn browser() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy();
    client
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

impl TestApp {
    /// Posts a form to the console.
    pub async fn post_form(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.browser
            .post(self.url(path))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", cookie)
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// Somebody of a role, signed in.
    pub async fn officer(&self, username: &str, role: Role) -> Officer<'_> {
        let agents = &self.app.agents;
        let name = format!("Pegawai {username}");
        let password = Secret::new(PASSWORD.to_owned());
        let secret = agents.ready(username, &name, role, password).await.unwrap();
        let mut officer = Officer {
            app: self,
            cookie: self
                .sign_in_again(username, PASSWORD, secret.reveal())
                .await,
            csrf: String::new(),
            secret: secret.reveal().to_owned(),
        };
        let page = officer.page("/console/akaun").await;
        officer.csrf = between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
        officer
    }

    /// Signs in by another browser; its cookie.
    pub async fn sign_in_again(&self, username: &str, password: &str, secret: &str) -> String {
        let fields = [("username", username), ("password", password)];
        let first = self.post_form("/console/masuk", "", &fields).await;
        assert_eq!(first.status(), StatusCode::SEE_OTHER);
        assert_eq!(first.headers()["location"], "/console/kod");
        let code = code_of(secret, self.app.clock.now());
        let fields = [("code", code.as_str())];
        let second = self
            .post_form("/console/kod", &cookie_of(&first), &fields)
            .await;
        assert_eq!(second.status(), StatusCode::SEE_OTHER);
        assert_eq!(second.headers()["location"], "/console");
        cookie_of(&second)
    }

    /// Goes on to a moment at which the sample's office is open.
    pub fn until_office_hours(&self) {
        let clock = &self.app.clock;
        let now = clock.now();
        let opening = Calendar::sample().next_opening(now).unwrap();
        // An hour into the morning, so that nothing closes meanwhile.
        let tomorrow = Calendar::sample()
            .next_opening(opening + 12 * 3_600_000)
            .unwrap();
        clock.advance(tomorrow + 3_600_000 - now);
    }
}

/// What stands between two texts, the first time.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before:?} in {text}"));
    rest.split_once(after).unwrap().0
}

impl Officer<'_> {
    pub async fn get(&self, path: &str) -> Response {
        let request = self.app.browser.get(self.app.url(path));
        request.header("cookie", &self.cookie).send().await.unwrap()
    }

    /// A page that has to be there.
    pub async fn page(&self, path: &str) -> String {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.text().await.unwrap()
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let mut all = vec![("csrf", self.csrf.as_str())];
        all.extend(fields);
        self.app.post_form(path, &self.cookie, &all).await
    }

    /// Does something to a ticket, which has to be taken.
    pub async fn does(&self, number: &str, act: &str, fields: &[(&str, &str)]) {
        let response = self
            .post(&format!("/console/tiket/{number}/{act}"), fields)
            .await;
        let status = response.status();
        let to = response.headers().get("location").cloned();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::SEE_OTHER, "{act}: {text}");
        let to = to.unwrap();
        let to = to.to_str().unwrap();
        assert!(
            !to.ends_with("berubah") && !to.ends_with("dipegang"),
            "{act}: {to}"
        );
    }

    pub async fn ticket(&self, number: &str) -> String {
        self.page(&format!("/console/tiket/{number}")).await
    }
}

impl Chat<'_> {
    /// Asks for an officer about a technical problem; the ticket's number.
    pub async fn hand_over(&self, problem: &str) -> String {
        let asked = self.say("nak cakap dengan pegawai").await;
        let matter = Chat::choice(&asked[0], "Masalah teknikal Sistem iSPEKS");
        self.choose(&matter).await;
        self.say("JKR Kota Bharu").await;
        let opened = self.say(problem).await;
        let number = opened[0]["ticket"]["number"].as_str();
        number
            .unwrap_or_else(|| panic!("no ticket: {opened:#?}"))
            .to_owned()
    }
}

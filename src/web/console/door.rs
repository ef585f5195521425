//! The way in and out: name and password, the code of a telephone; and what every page has in its bar.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::WebState;
use super::super::error::{Code, Refusal};
use super::super::limit::ClientNetwork;
use super::access::{Posted, Who, set_cookie, token};
use super::page::{render, render_as};
use super::view::Words;
use crate::agent::SignInError;
use crate::knowledge::text::Language;
use crate::secret::Secret;

/// The cookie that remembers the language of who is not signed in.
const LANGUAGE: &str = "tanya-language";

/// The words of a page for somebody who is not signed in.
pub fn stranger(headers: &HeaderMap, here: &str) -> Words {
    let cookies = headers
        .get(header::COOKIE)
        .and_then(|cookies| cookies.to_str().ok());
    let english = cookies.is_some_and(|cookies| {
        let mut pairs = cookies.split(';');
        pairs.any(|pair| pair.trim() == "tanya-language=en")
    });
    Words {
        english,
        csrf: String::new(),
        here: here.to_owned(),
    }
}

/// `GET /console/masuk`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/signin.html")]
pub struct SigninPage {
    /// Language and token.
    pub w: Words,
    /// What was typed before, to save typing it again.
    pub username: String,
    /// Why it failed, the same for a wrong name and a wrong password; empty if it did not.
    pub error: String,
    /// What is to be known beforehand, such as that the session ended; empty if nothing is.
    pub notice: String,
}

/// `GET /console/masuk`.
pub async fn sign_in_page(headers: HeaderMap) -> Response {
    render(&SigninPage {
        w: stranger(&headers, "/console/masuk"),
        ..SigninPage::default()
    })
}

/// Name and password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    username: String,
    password: String,
}

/// `POST /console/masuk`.
pub async fn sign_in(
    State(state): State<WebState>,
    ClientNetwork(network): ClientNetwork,
    headers: HeaderMap,
    Posted(form): Posted<SignIn>,
) -> Result<Response, Refusal> {
    let network = state.limits.asking(&network).name;
    let password = Secret::new(form.password);
    let signed_in = state
        .agents
        .sign_in(&form.username, password, &network)
        .await;
    match signed_in {
        Ok(token) => Ok(to("/console/kod", &state, &token)),
        Err(SignInError::Database(error)) => Err(error.into()),
        Err(error) => {
            let w = stranger(&headers, "/console/masuk");
            let error = refusal(&w, &error).to_owned();
            let page = SigninPage {
                w,
                username: form.username,
                error,
                ..SigninPage::default()
            };
            Ok(render_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

/// Why nobody was let in, in words.
pub fn refusal(w: &Words, error: &SignInError) -> &'static str {
    match error {
        SignInError::Wait => w.t(
            "Terlalu banyak cubaan yang tidak berjaya. Sila cuba semula selepas 15 minit.",
            "Too many unsuccessful attempts. Please try again after 15 minutes.",
        ),
        _ => w.t(
            "Maklumat log masuk tidak betul.",
            "The sign-in details are not right.",
        ),
    }
}

/// A redirect that sets the cookie.
fn to(path: &str, state: &WebState, token: &str) -> Response {
    let cookie = [(header::SET_COOKIE, set_cookie(state, token))];
    (cookie, Redirect::to(path)).into_response()
}

/// `GET /console/kod`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/code.html")]
pub struct CodePage {
    /// Language and token.
    pub w: Words,
    /// Why it failed; empty if it did not.
    pub error: String,
}

/// `GET /console/kod`.
pub async fn code_page(headers: HeaderMap) -> Response {
    render(&CodePage {
        w: stranger(&headers, "/console/kod"),
        ..CodePage::default()
    })
}

/// A code of the authenticator, or a recovery code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenCode {
    code: String,
}

/// `POST /console/kod`.
pub async fn code(
    State(state): State<WebState>,
    ClientNetwork(network): ClientNetwork,
    headers: HeaderMap,
    Posted(form): Posted<GivenCode>,
) -> Result<Response, Refusal> {
    let network = state.limits.asking(&network).name;
    let Some(first) = token(&state, &headers) else {
        return Ok(Redirect::to("/console/masuk").into_response());
    };
    match state.agents.second(&first, &form.code, &network).await {
        Ok(token) => Ok(to("/console", &state, &token)),
        Err(SignInError::Database(error)) => Err(error.into()),
        Err(SignInError::Over) => Ok(to("/console/masuk", &state, "")),
        Err(error) => {
            let w = stranger(&headers, "/console/kod");
            let error = match error {
                SignInError::Wait => refusal(&w, &error),
                _ => w.t(
                    "Kod tidak betul atau telah digunakan. Tunggu kod seterusnya dan cuba lagi.",
                    "The code is wrong or was used already. Wait for the next one and try again.",
                ),
            };
            let error = error.to_owned();
            let page = CodePage { w, error };
            Ok(render_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

/// `POST /console/keluar`.
pub async fn sign_out(
    State(state): State<WebState>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if let Some(token) = token(&state, &headers) {
        state.agents.sign_out(&token).await?;
    }
    Ok(to("/console/masuk", &state, ""))
}

/// Where a small form leads back to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spoken {
    language: String,
    #[serde(default)]
    back: Option<String>,
}

/// A page of the console, and nothing else: what stands in a form leads nowhere.
fn back(path: Option<&str>) -> &str {
    let own = path.filter(|path| {
        *path == "/console" || path.starts_with("/console/") || path.starts_with("/console?")
    });
    own.filter(|path| path.chars().all(|c| c.is_ascii_graphic() && c != '\\'))
        .unwrap_or("/console")
}

/// `POST /console/bahasa`.
pub async fn speak(
    State(state): State<WebState>,
    headers: HeaderMap,
    Posted(form): Posted<Spoken>,
) -> Result<Response, Refusal> {
    let language = Language::parse(&form.language).ok_or(Code::InvalidBody)?;
    if let Some(token) = token(&state, &headers)
        && let Some(who) = state.agents.signed_in(&token, true).await?
    {
        state.agents.speak(&who.id, language.as_str()).await?;
    }
    let cookie = format!(
        "{LANGUAGE}={}; Path=/console; Max-Age=31536000; SameSite=Strict",
        language.as_str()
    );
    let cookie = [(header::SET_COOKIE, cookie)];
    Ok((cookie, Redirect::to(back(form.back.as_deref()))).into_response())
}

/// Whether somebody is on duty.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    presence: String,
    #[serde(default)]
    back: Option<String>,
}

/// `POST /console/kehadiran`.
pub async fn presence(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(form): Posted<Presence>,
) -> Result<Response, Refusal> {
    state
        .agents
        .set_present(&who.id, form.presence == "ada")
        .await?;
    Ok(Redirect::to(back(form.back.as_deref())).into_response())
}

//! The way in and out: name and password, the code of a telephone, an invitation.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::WebState;
use super::super::error::{Code, Refusal};
use super::super::limit::ClientNetwork;
use super::access::{Posted, Who, set_cookie, token};
use super::page::{render, render_as, role_name, when};
use super::view::{CodePage, InvitePage, NoticePage, Qr, RecoveryPage, SigninPage, Words};
use crate::agent::password::{LEAST, PasswordRefused};
use crate::agent::qr::qr_svg_path;
use crate::agent::role::Role;
use crate::agent::{EnrolError, Invited, SignInError};
use crate::knowledge::text::Language;
use crate::secret::Secret;

/// The cookie that remembers the language of who is not signed in.
const LANGUAGE: &str = "tanya-language";

/// The words of a page for somebody who is not signed in.
fn stranger(headers: &HeaderMap, here: &str) -> Words {
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

/// `GET /console/jemputan/{token}`.
pub async fn invitation_page(
    State(state): State<WebState>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let w = stranger(&headers, &format!("/console/jemputan/{token}"));
    let invited = state.agents.invited(&token).await?;
    Ok(match invited {
        Some(invited) => render(&invitation(w, &token, &invited)),
        None => no_invitation(w),
    })
}

fn invitation(w: Words, token: &str, invited: &Invited) -> InvitePage {
    let url = invited.url.reveal();
    let code = qr_svg_path(url);
    let secret: Vec<char> = invited.secret.reveal().chars().collect();
    let role = Role::parse(&invited.agent.role).map_or("", |role| role_name(&w, role));
    InvitePage {
        token: token.to_owned(),
        name: invited.agent.name.clone(),
        username: invited.agent.username.clone(),
        role: role.to_owned(),
        least: LEAST as u32,
        qr: code.map_or_else(Qr::default, |code| Qr {
            side: code.side as u32,
            path: code.path,
        }),
        otpauth: url.to_owned(),
        secret: secret
            .chunks(4)
            .map(|group| group.iter().collect())
            .collect(),
        w,
        ..InvitePage::default()
    }
}

fn no_invitation(w: Words) -> Response {
    let page = NoticePage {
        code: String::new(),
        title: w.t("Jemputan tidak sah", "The invitation is not valid").to_owned(),
        text: w
            .t(
                "Jemputan ini telah digunakan atau telah luput. Minta jemputan baharu daripada pentadbir.",
                "This invitation was used or has expired. Ask the administrator for a new one.",
            )
            .to_owned(),
        href: "/console/masuk".to_owned(),
        link: w.t("Log masuk", "Sign in").to_owned(),
        w,
    };
    render_as(StatusCode::GONE, &page)
}

/// What somebody chose who follows an invitation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    password: String,
    again: String,
    code: String,
    #[serde(default, rename = "username")]
    _username: Option<String>,
}

/// `POST /console/jemputan/{token}`.
pub async fn enrol(
    State(state): State<WebState>,
    Path(token): Path<String>,
    headers: HeaderMap,
    Posted(form): Posted<Enrolment>,
) -> Result<Response, Refusal> {
    let w = stranger(&headers, &format!("/console/jemputan/{token}"));
    let Some(invited) = state.agents.invited(&token).await? else {
        return Ok(no_invitation(w));
    };
    let same = form.password == form.again;
    let mut page = invitation(w, &token, &invited);
    if !same {
        page.password_error = page
            .w
            .t(
                "Kedua-dua kata laluan tidak sama.",
                "The two passwords differ.",
            )
            .to_owned();
        return Ok(render_as(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let enrolled = state
        .agents
        .enrol(&token, Secret::new(form.password), &form.code)
        .await;
    match enrolled {
        Ok(codes) => Ok(render(&RecoveryPage {
            w: page.w,
            username: invited.agent.username,
            codes,
            made: when(Some(state.limits.clock.now())),
        })),
        Err(EnrolError::Gone) => Ok(no_invitation(page.w)),
        Err(EnrolError::Database(error)) => Err(error.into()),
        Err(EnrolError::Failed) => Err(Code::Unavailable.into()),
        Err(EnrolError::Password(refused)) => {
            page.password_error = password_error(&page.w, refused).to_owned();
            Ok(render_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(EnrolError::Code) => {
            page.code_error = page
                .w
                .t(
                    "Kod itu tidak sepadan. Semak jam telefon dan cuba kod seterusnya.",
                    "That code does not match. Check the telephone's clock and try the next code.",
                )
                .to_owned();
            Ok(render_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

/// Why a password was not taken, in words.
pub fn password_error(w: &Words, refused: PasswordRefused) -> &'static str {
    match refused {
        PasswordRefused::TooShort => w.t(
            "Kata laluan mestilah sekurang-kurangnya 12 aksara.",
            "A password has at least 12 characters.",
        ),
        PasswordRefused::TooLong => {
            w.t("Kata laluan terlalu panjang.", "The password is too long.")
        }
        PasswordRefused::Username => w.t(
            "Kata laluan tidak boleh berdasarkan nama pengguna.",
            "A password is not made of the user name.",
        ),
        PasswordRefused::Commonplace => w.t(
            "Kata laluan itu mudah diteka. Pilih yang lain.",
            "That password is guessed first. Choose another.",
        ),
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

//! What somebody does who was invited, or whose account was reset: chooses a password and shows a first code.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::super::WebState;
use super::super::error::{Code, Refusal};
use super::access::Posted;
use super::door::stranger;
use super::page::{render, render_as, role_name, when};
use super::view::{NoticePage, Qr, When, Words};
use crate::agent::password::{LEAST, PasswordRefused};
use crate::agent::qr::qr_svg_path;
use crate::agent::role::Role;
use crate::agent::{EnrolError, Invited};
use crate::secret::Secret;

/// `GET /console/jemputan/{token}`: also after a reset.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/invite.html")]
pub struct InvitePage {
    /// Language and token.
    pub w: Words,
    /// The invitation's own token, part of the form's address.
    pub token: String,
    /// Whom it invites.
    pub name: String,
    /// Under which user name.
    pub username: String,
    /// The role, in the page's language.
    pub role: String,
    /// The least number of characters of a password.
    pub least: u32,
    /// The `otpauth` address as a QR code.
    pub qr: Qr,
    /// The same address, for a phone that shows this page itself; empty to leave it out.
    pub otpauth: String,
    /// The secret in groups of four characters.
    pub secret: Vec<String>,
    /// What is wrong with the password; empty if nothing is.
    pub password_error: String,
    /// What is wrong with the code; empty if nothing is.
    pub code_error: String,
}

/// Shown once, after an invitation was accepted or new codes were made.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/recovery.html")]
pub struct RecoveryPage {
    /// Language and token.
    pub w: Words,
    /// Whose codes they are.
    pub username: String,
    /// The ten codes.
    pub codes: Vec<String>,
    /// When they were made.
    pub made: When,
}

/// `GET /console/jemputan/{token}`.
pub async fn show(
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

//! One's own account: notices, the password, the recovery codes, the sign-ins.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::super::WebState;
use super::super::error::{Code, Refusal};
use super::super::limit::ClientNetwork;
use super::access::{Posted, Who, set_cookie, token};
use super::door::refusal;
use super::invitation::{RecoveryPage, password_error};
use super::page::{ended, render, render_as, shell, when, words};
use super::view::{Shell, Words};
use crate::agent::password::LEAST;
use crate::agent::{OwnError, SignInError, SignedIn};
use crate::secret::Secret;

/// `GET /console/akaun`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/account.html")]
pub struct AccountPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// The user name.
    pub username: String,
    /// The fewest characters of a password.
    pub least: u32,
    /// Whether the password was changed just now.
    pub changed: bool,
    /// What is wrong with the password of now that was given; empty if nothing.
    pub current_error: String,
    /// What is wrong with the new one.
    pub password_error: String,
    /// What is wrong with the password that was given for new recovery codes.
    pub recovery_error: String,
}

/// Which of the page's fields something is wrong with, in words.
#[derive(Default)]
struct Wrong {
    current: String,
    chosen: String,
    recovery: String,
}

async fn page(
    state: &WebState,
    who: &SignedIn,
    changed: bool,
    wrong: Wrong,
) -> Result<AccountPage, Refusal> {
    let w = words(who, "/console/akaun");
    Ok(AccountPage {
        shell: shell(state, who, &w, "account").await?,
        username: who.username.clone(),
        least: LEAST as u32,
        changed,
        current_error: wrong.current,
        password_error: wrong.chosen,
        recovery_error: wrong.recovery,
        w,
    })
}

/// `GET /console/akaun`.
pub async fn show(State(state): State<WebState>, Who(who): Who) -> Result<Response, Refusal> {
    Ok(render(&page(&state, &who, false, Wrong::default()).await?))
}

/// The password of now and the one that shall be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    current: String,
    password: String,
    again: String,
    #[serde(default, rename = "username")]
    _username: Option<String>,
}

/// `POST /console/akaun/kata-laluan`.
pub async fn change_password(
    State(state): State<WebState>,
    Who(who): Who,
    ClientNetwork(network): ClientNetwork,
    headers: HeaderMap,
    Posted(form): Posted<NewPassword>,
) -> Result<Response, Refusal> {
    let w = words(&who, "/console/akaun");
    let refused = async |wrong| {
        let page = page(&state, &who, false, wrong).await?;
        Ok(render_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
    };
    if form.password != form.again {
        let differ = w.t(
            "Kedua-dua kata laluan tidak sama.",
            "The two passwords differ.",
        );
        return refused(Wrong {
            chosen: differ.to_owned(),
            ..Wrong::default()
        })
        .await;
    }
    let network = state.limits.asking(&network).name;
    let token = token(&state, &headers).unwrap_or_default();
    let (current, chosen) = (Secret::new(form.current), Secret::new(form.password));
    let changed = state
        .agents
        .change_password(&who, &token, current, chosen, &network);
    match changed.await {
        Ok(()) => Ok(render(&page(&state, &who, true, Wrong::default()).await?)),
        Err(OwnError::Password(weak)) => {
            let chosen = password_error(&w, weak).to_owned();
            refused(Wrong {
                chosen,
                ..Wrong::default()
            })
            .await
        }
        Err(error) => {
            let current = unproven(&w, error)?;
            refused(Wrong {
                current,
                ..Wrong::default()
            })
            .await
        }
    }
}

/// What is said of a password of now that was not taken.
fn unproven(w: &Words, error: OwnError) -> Result<String, Refusal> {
    match error {
        OwnError::Proof(SignInError::Database(error)) | OwnError::Database(error) => {
            Err(error.into())
        }
        OwnError::Proof(error @ SignInError::Wait) => Ok(refusal(w, &error).to_owned()),
        OwnError::Proof(_) => Ok(w
            .t(
                "Kata laluan semasa tidak betul.",
                "The current password is wrong.",
            )
            .to_owned()),
        OwnError::Password(_) | OwnError::Failed => Err(Code::Unavailable.into()),
    }
}

/// The password of now.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    current: String,
}

/// `POST /console/akaun/kod-pemulihan`.
pub async fn renew_recovery_codes(
    State(state): State<WebState>,
    Who(who): Who,
    ClientNetwork(network): ClientNetwork,
    Posted(form): Posted<Proof>,
) -> Result<Response, Refusal> {
    let network = state.limits.asking(&network).name;
    let current = Secret::new(form.current);
    let renewed = state.agents.renew_recovery_codes(&who, current, &network);
    let w = words(&who, "/console/akaun");
    match renewed.await {
        Ok(codes) => Ok(render(&RecoveryPage {
            username: who.username,
            codes,
            made: when(Some(state.limits.clock.now())),
            w,
        })),
        Err(error) => {
            let recovery = unproven(&w, error)?;
            let page = page(
                &state,
                &who,
                false,
                Wrong {
                    recovery,
                    ..Wrong::default()
                },
            )
            .await?;
            Ok(render_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

/// `POST /console/akaun/keluar-semua`.
pub async fn sign_out_everywhere(
    State(state): State<WebState>,
    Who(who): Who,
) -> Result<Response, Refusal> {
    state.agents.sign_out_everywhere(&who.id).await?;
    let cookie = [(header::SET_COOKIE, set_cookie(&state, ""))];
    Ok((cookie, ended()).into_response())
}

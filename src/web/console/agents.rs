//! Who works in the console: invited by a one-time link that is shown once, reset, kept out.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::WebState;
use super::super::error::{Code, Refusal};
use super::access::{Posted, Who};
use super::page::{not_found, render_as, role_name, shell, when, words};
use super::view::{Choice, Shell, Tag, When, Words};
use crate::agent::role::Role;
use crate::agent::{AgentError, INVITATION, SignedIn};

/// `GET /console/pegawai`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/agents.html")]
pub struct AgentsPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// A one-time link that was just made, shown once; empty otherwise.
    pub link: String,
    /// For whom.
    pub link_for: String,
    /// Until when it works.
    pub link_until: When,
    /// Roles to choose from.
    pub roles: Vec<Choice>,
    /// The user name as typed.
    pub username: String,
    /// The name as typed.
    pub name: String,
    /// What is wrong with the user name; empty if nothing is.
    pub username_error: String,
    /// The officers.
    pub agents: Vec<AgentRow>,
}

/// An officer in the list.
#[derive(Clone, Debug, Default)]
pub struct AgentRow {
    /// The user name.
    pub username: String,
    /// The name.
    pub name: String,
    /// The role, in the page's language.
    pub role: String,
    /// `active`, `invited` or `disabled`, with its name.
    pub state: Tag,
    /// When they were last there; empty text if never.
    pub seen: When,
    /// How many open tickets they hold.
    pub tickets: u32,
    /// Whether it is the reader, who may not disable themselves.
    pub you: bool,
}

/// Who is added.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Added {
    name: String,
    username: String,
    role: String,
}

/// What the page shows besides the list.
#[derive(Default)]
struct Extra {
    typed: Added,
    error: String,
    /// A one-time link, and whose it is.
    link: Option<(String, String)>,
}

async fn page(state: &WebState, who: &SignedIn, extra: Extra) -> Result<Response, Refusal> {
    let w = words(who, "/console/pegawai");
    let agents = state.agents.all().await?;
    let shell = shell(state, who, &w, "agents").await?;
    let rows = agents.into_iter().map(|row| AgentRow {
        you: row.id == who.id,
        role: Role::parse(&row.role)
            .map_or("", |role| role_name(&w, role))
            .to_owned(),
        state: state_of(&w, row.disabled_at.is_some(), row.password.is_some()),
        seen: when(row.present_at),
        tickets: 0,
        username: row.username,
        name: row.name,
    });
    let roles = Role::ALL.map(|role| {
        let code = role.as_str();
        Choice::new(code, role_name(&w, role), code == extra.typed.role)
    });
    let (link_for, token) = extra.link.unzip();
    let until = token
        .as_ref()
        .map(|_| state.limits.clock.now() + INVITATION);
    let status = if extra.error.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = AgentsPage {
        link: token.map_or_else(String::new, |token| {
            format!("{}/console/jemputan/{token}", state.site.public_url)
        }),
        link_for: link_for.unwrap_or_default(),
        link_until: when(until),
        roles: roles.to_vec(),
        username: extra.typed.username,
        name: extra.typed.name,
        username_error: extra.error,
        agents: rows.collect(),
        shell,
        w,
    };
    Ok(render_as(status, &page))
}

fn state_of(w: &Words, disabled: bool, enrolled: bool) -> Tag {
    if disabled {
        Tag::new("disabled", w.t("Dihentikan", "Disabled"))
    } else if enrolled {
        Tag::new("active", w.t("Aktif", "Active"))
    } else {
        Tag::new("invited", w.t("Dijemput", "Invited"))
    }
}

/// `GET /console/pegawai`.
pub async fn list(State(state): State<WebState>, Who(who): Who) -> Result<Response, Refusal> {
    page(&state, &who, Extra::default()).await
}

/// `POST /console/pegawai`.
pub async fn add(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(typed): Posted<Added>,
) -> Result<Response, Refusal> {
    let role = Role::parse(&typed.role).ok_or(Code::InvalidBody)?;
    let w = words(&who, "");
    let added = state
        .agents
        .add(&typed.username, &typed.name, role, &who.id)
        .await;
    let extra = match added {
        Ok(token) => Extra {
            link: Some((typed.username, token)),
            ..Extra::default()
        },
        Err(AgentError::Database(error)) => return Err(error.into()),
        Err(error) => Extra {
            error: match error {
                AgentError::Taken => w.t(
                    "Nama pengguna itu telah digunakan.",
                    "That user name is taken.",
                ),
                _ => w.t(
                    "Nama pengguna: 2 hingga 40 huruf, angka, titik, sengkang atau garis bawah.",
                    "A user name has 2 to 40 letters, digits, dots, hyphens or underscores.",
                ),
            }
            .to_owned(),
            typed,
            link: None,
        },
    };
    page(&state, &who, extra).await
}

/// `POST /console/pegawai/{username}/tetap`.
pub async fn reset(
    State(state): State<WebState>,
    Who(who): Who,
    Path(username): Path<String>,
) -> Result<Response, Refusal> {
    match state.agents.reset(&username, &who.id).await {
        Ok(token) => {
            let extra = Extra {
                link: Some((username, token)),
                ..Extra::default()
            };
            page(&state, &who, extra).await
        }
        Err(AgentError::Database(error)) => Err(error.into()),
        Err(_) => Ok(not_found(&who)),
    }
}

/// `POST /console/pegawai/{username}/nyahaktif`: nobody keeps themselves out.
pub async fn disable(
    State(state): State<WebState>,
    Who(who): Who,
    Path(username): Path<String>,
) -> Result<Response, Refusal> {
    if username.trim().to_lowercase() == who.username {
        return Err(Code::InvalidBody.into());
    }
    match state.agents.disable(&username, &who.id).await {
        Ok(()) => Ok(Redirect::to("/console/pegawai").into_response()),
        Err(AgentError::Database(error)) => Err(error.into()),
        Err(_) => Ok(not_found(&who)),
    }
}

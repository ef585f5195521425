//! The pages where somebody logs in with a temporary password or chooses a new one behind a one-time link.
//! Chosen passwords go nowhere: this is a sample.

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;

use super::extract::At;
use super::{Simulator, page};

/// The shortest password that the page takes, in characters.
const SHORTEST: usize = 12;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    password: String,
    again: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    id_no: String,
    password: String,
}

type Sent<T> = Result<Form<T>, FormRejection>;

/// `/`, `/log-masuk` and `/kata-laluan/{token}`.
pub fn router() -> Router<Simulator> {
    Router::new()
        .route("/", get(async || page::login("")))
        .route("/log-masuk", post(log_in))
        .route("/kata-laluan/{token}", get(form).post(choose))
}

async fn log_in(State(simulator): State<Simulator>, login: Sent<Login>) -> Response {
    let now = simulator.clock().now();
    let opened = login.is_ok_and(|Form(login)| {
        let mut records = simulator.records();
        records.log_in(&login.id_no, &login.password, now)
    });
    if opened {
        page::logged_in().into_response()
    } else {
        let page = page::login(page::WRONG_LOGIN);
        (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
    }
}

/// Shows the form and spends nothing, so that a mail scanner may look.
async fn form(State(simulator): State<Simulator>, At(token): At<String>) -> Response {
    match name(&simulator, &token) {
        Some(name) => page::choose_password(name, "").into_response(),
        None => gone(),
    }
}

async fn choose(
    State(simulator): State<Simulator>,
    At(token): At<String>,
    chosen: Sent<Chosen>,
) -> Response {
    let Some(name) = name(&simulator, &token) else {
        return gone();
    };
    if let Some(problem) = problem(chosen.as_ref().ok()) {
        let page: Html<String> = page::choose_password(name, problem);
        return (StatusCode::UNPROCESSABLE_ENTITY, page).into_response();
    }
    let now = simulator.clock().now();
    let taken = simulator.records().choose_password(&token, now);
    if taken {
        page::password_chosen().into_response()
    } else {
        gone()
    }
}

fn name(simulator: &Simulator, token: &str) -> Option<&'static str> {
    let now = simulator.clock().now();
    let records = simulator.records();
    let person = records.see_password_page(token, now)?;
    Some(person.name)
}

/// What is wrong with the choice; a form that cannot be read counts as an empty one.
fn problem(chosen: Option<&Form<Chosen>>) -> Option<&'static str> {
    let Some(Form(chosen)) = chosen else {
        return Some(page::TOO_SHORT);
    };
    if chosen.password.chars().count() < SHORTEST {
        Some(page::TOO_SHORT)
    } else if chosen.password != chosen.again {
        Some(page::NOT_THE_SAME)
    } else {
        None
    }
}

fn gone() -> Response {
    (StatusCode::GONE, page::gone()).into_response()
}

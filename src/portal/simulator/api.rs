//! The interface that the assistant calls, under `/v1`.

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::effect::{Answer, Call, Effect};
use super::extract::{At, Body, EffectKey};
use super::fault::{self, Status};
use super::person::{Kind, Person};
use super::problem::Code;
use super::{Simulator, hash};

/// The largest body that is read, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    kind: Kind,
    id_no: String,
}

#[derive(Serialize)]
struct Found {
    person: Person,
}

#[derive(Serialize)]
struct Months {
    months: Vec<String>,
}

#[derive(Serialize)]
struct Years {
    years: Vec<i32>,
}

/// Everything under `/v1`, behind the faults and the token.
pub fn router(simulator: &Simulator) -> Router<Simulator> {
    let token = middleware::from_fn_with_state(simulator.clone(), with_token);
    let faults = middleware::from_fn_with_state(simulator.clone(), fault::happen);
    Router::new()
        .route("/status", get(status))
        .route("/people/lookup", post(lookup))
        .route("/people/{ref}", get(person))
        .route("/people/{ref}/password-reset", post(password_reset))
        .route("/people/{ref}/activation", post(activation))
        .route("/people/{ref}/payslips", get(payslips))
        .route("/people/{ref}/payslips/{month}/link", post(payslip_link))
        .route("/people/{ref}/annual-statements", get(statements))
        .route(
            "/people/{ref}/annual-statements/{year}/link",
            post(statement_link),
        )
        .fallback(async || Code::NotFound)
        .method_not_allowed_fallback(async || Code::MethodNotAllowed)
        .layer(token)
        .layer(faults)
}

/// Lets only the right bearer token through; the comparison takes the same time for every wrong one.
async fn with_token(State(simulator): State<Simulator>, request: Request, next: Next) -> Response {
    let header = request.headers().get(header::AUTHORIZATION);
    let given = header.and_then(|header| header.to_str().ok());
    let token = given
        .and_then(|given| given.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let right = token.is_some_and(|(_, token)| hash(token).ct_eq(simulator.token_hash()).into());
    if right {
        next.run(request).await
    } else {
        Code::Unauthorized.into_response()
    }
}

async fn status(State(simulator): State<Simulator>) -> Json<Status> {
    Json(simulator.faults().status)
}

async fn lookup(
    State(simulator): State<Simulator>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Found>, Code> {
    let lies = simulator.faults().lies;
    let records = simulator.records();
    let mut person = records.lookup(wanted.kind, &wanted.id_no)?;
    if lies {
        let mut others = records.people().iter();
        person = others
            .find(|other| other.kind != wanted.kind)
            .unwrap_or(person);
    }
    Ok(Json(Found {
        person: person.clone(),
    }))
}

async fn person(
    State(simulator): State<Simulator>,
    At(reference): At<String>,
) -> Result<Json<Found>, Code> {
    let lies = simulator.faults().lies;
    let records = simulator.records();
    let mut person = records.person(&reference)?;
    if lies {
        let mut others = records
            .people()
            .iter()
            .filter(|other| other.kind == person.kind);
        person = others
            .find(|other| other.reference != reference)
            .unwrap_or(person);
    }
    Ok(Json(Found {
        person: person.clone(),
    }))
}

async fn password_reset(
    State(simulator): State<Simulator>,
    At(reference): At<String>,
    EffectKey(key): EffectKey,
) -> Result<Answer, Code> {
    let effect = Effect::PasswordReset;
    perform(
        &simulator,
        Call {
            key,
            reference,
            effect,
        },
    )
}

async fn activation(
    State(simulator): State<Simulator>,
    At(reference): At<String>,
    EffectKey(key): EffectKey,
) -> Result<Answer, Code> {
    let effect = Effect::Activation;
    perform(
        &simulator,
        Call {
            key,
            reference,
            effect,
        },
    )
}

async fn payslips(
    State(simulator): State<Simulator>,
    At(reference): At<String>,
) -> Result<Json<Months>, Code> {
    let today = simulator.clock().today();
    let months = simulator.records().payslips(&reference, today)?;
    let months = months.iter().map(ToString::to_string).collect();
    Ok(Json(Months { months }))
}

async fn statements(
    State(simulator): State<Simulator>,
    At(reference): At<String>,
) -> Result<Json<Years>, Code> {
    let today = simulator.clock().today();
    let years = simulator.records().statements(&reference, today)?;
    Ok(Json(Years { years }))
}

async fn payslip_link(
    State(simulator): State<Simulator>,
    At((reference, month)): At<(String, String)>,
    EffectKey(key): EffectKey,
) -> Result<Answer, Code> {
    let effect = Effect::PayslipLink(month);
    perform(
        &simulator,
        Call {
            key,
            reference,
            effect,
        },
    )
}

async fn statement_link(
    State(simulator): State<Simulator>,
    At((reference, year)): At<(String, String)>,
    EffectKey(key): EffectKey,
) -> Result<Answer, Code> {
    let effect = Effect::StatementLink(year);
    perform(
        &simulator,
        Call {
            key,
            reference,
            effect,
        },
    )
}

/// Does it if the call is new, and answers; the faults that concern effects happen here.
fn perform(simulator: &Simulator, call: Call) -> Result<Answer, Code> {
    let faults = simulator.faults();
    let at = simulator.circumstances();
    let mut records = simulator.records();
    let answer = if let Some(outcome) = records.outcome(&call) {
        outcome?
    } else if faults.mail_not_sent && call.effect.mails() {
        return Err(Code::MailNotSent);
    } else {
        let answer = records.perform(call, at)?;
        if faults.duplicate {
            return Err(Code::Internal);
        }
        answer
    };
    Ok(if faults.foreign_link {
        answer.leading_elsewhere()
    } else {
        answer
    })
}

//! An officer opens a ticket for somebody who stands at the counter or calls.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::super::WebState;
use super::super::error::Refusal;
use super::access::{Posted, Who};
use super::page::{render, render_as, shell, when, words};
use super::view::{Choice, NewTicketPage, OpenedPage, Qr, Words};
use crate::agent::qr::qr_svg_path;
use crate::agent::role::Permission;
use crate::conversation::desk::Agent;
use crate::conversation::visit::Visit;
use crate::ticket::{PRIORITIES, Queue};

/// What is typed for somebody else.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Typed {
    channel: String,
    name: String,
    ptj: String,
    queue: String,
    priority: String,
    subject: String,
    description: String,
    once: String,
}

fn empty(w: Words, typed: &Typed) -> NewTicketPage {
    let queue = if typed.queue.is_empty() {
        "helpdesk"
    } else {
        &typed.queue
    };
    let priority = if typed.priority.is_empty() {
        "normal"
    } else {
        &typed.priority
    };
    let choice = |code: &str, label: String, chosen: &str| Choice {
        value: code.to_owned(),
        label,
        selected: code == chosen,
    };
    let queues = Queue::ALL.map(Queue::as_str);
    NewTicketPage {
        counter: typed.channel != "telefon",
        name: typed.name.clone(),
        ptj: typed.ptj.clone(),
        queues: queues
            .iter()
            .map(|code| choice(code, w.queue(code).label, queue))
            .collect(),
        priorities: PRIORITIES
            .iter()
            .map(|code| choice(code, w.priority(code).label, priority))
            .collect(),
        subject: typed.subject.clone(),
        description: typed.description.clone(),
        once: Uuid::new_v4().to_string(),
        w,
        ..NewTicketPage::default()
    }
}

/// `GET /console/baharu`.
pub async fn form(State(state): State<WebState>, Who(who): Who) -> Result<Response, Refusal> {
    let w = words(&who, "/console/baharu");
    let shell = shell(&state, &who, &w, "new").await?;
    Ok(render(&NewTicketPage {
        shell,
        ..empty(w, &Typed::default())
    }))
}

/// `POST /console/baharu`.
pub async fn open(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Refusal> {
    let w = words(&who, "/console/baharu");
    let shell = shell(&state, &who, &w, "new").await?;
    let missing = |text: &str| text.trim().is_empty();
    let error = |is: bool, ms: &str, en: &str| {
        if is {
            w.t(ms, en).to_owned()
        } else {
            String::new()
        }
    };
    let name_error = error(
        missing(&typed.name),
        "Sila isi nama.",
        "Please fill in the name.",
    );
    let subject_error = error(
        missing(&typed.subject),
        "Sila isi perkara.",
        "Please fill in the subject.",
    );
    let description_error = error(
        missing(&typed.description),
        "Sila isi keterangan.",
        "Please fill in the description.",
    );
    let queue = Queue::parse(&typed.queue).unwrap_or(Queue::Helpdesk);
    if [&name_error, &subject_error, &description_error]
        .iter()
        .any(|error| !error.is_empty())
    {
        let page = NewTicketPage {
            shell,
            name_error,
            subject_error,
            description_error,
            ..empty(w.clone(), &typed)
        };
        return Ok(render_as(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let agent = Agent {
        id: &who.id,
        name: &who.name,
        supervises: who.may(Permission::AssignOthers),
    };
    let visit = Visit {
        by_phone: typed.channel == "telefon",
        name: typed.name.trim(),
        department: typed.ptj.trim(),
        queue,
        priority: PRIORITIES
            .into_iter()
            .find(|known| *known == typed.priority)
            .unwrap_or("normal"),
        title: typed.subject.trim(),
        text: typed.description.trim(),
        once: Uuid::parse_str(&typed.once).ok(),
    };
    let (number, address) = state.engine.open_for(agent, &visit).await?;
    let now = state.limits.clock.now();
    let code = qr_svg_path(&address);
    Ok(render(&OpenedPage {
        number: number.to_string(),
        subject: typed.subject.trim().to_owned(),
        queue: w.queue(queue.as_str()),
        opened: when(Some(now)),
        due: when(Some(state.knowledge.current().calendar().answer_by(now))),
        qr: code.map_or_else(Qr::default, |code| Qr {
            side: code.side as u32,
            path: code.path,
        }),
        address,
        until: when(None),
        shell,
        w,
    }))
}

//! An officer opens a ticket for somebody who stands at the counter or calls.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::super::WebState;
use super::super::error::Refusal;
use super::access::{Posted, Who};
use super::page::{at_desk, render, render_as, shell, when, words};
use super::view::{Choice, Qr, Shell, Tag, When, Words};
use crate::agent::qr::qr_svg_path;
use crate::conversation::visit::Visit;
use crate::ticket::{PRIORITIES, Queue};

/// `GET /console/baharu`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/new_ticket.html")]
pub struct NewTicketPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// The form's own number: sent twice, it is taken once.
    pub once: String,
    /// Whether the person stands at the counter; on the telephone otherwise.
    pub counter: bool,
    /// The person's name as typed.
    pub name: String,
    /// The PTJ as typed.
    pub ptj: String,
    /// PTJ to choose from while typing.
    pub ptjs: Vec<String>,
    /// Queues.
    pub queues: Vec<Choice>,
    /// Priorities.
    pub priorities: Vec<Choice>,
    /// The subject as typed.
    pub subject: String,
    /// The description as typed.
    pub description: String,
    /// What is wrong with the name; empty if nothing is.
    pub name_error: String,
    /// What is wrong with the subject; empty if nothing is.
    pub subject_error: String,
    /// What is wrong with the description; empty if nothing is.
    pub description_error: String,
}

/// After a ticket was opened by an officer.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/opened.html")]
pub struct OpenedPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// The number.
    pub number: String,
    /// What it is about.
    pub subject: String,
    /// Whose work it is.
    pub queue: Tag,
    /// When it was opened.
    pub opened: When,
    /// By when it should be settled; empty text if nothing is promised.
    pub due: When,
    /// The chat's address for this ticket, as a QR code.
    pub qr: Qr,
    /// The same address to type.
    pub address: String,
    /// Until when the address works.
    pub until: When,
}

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
    let queues = Queue::ALL.map(Queue::as_str);
    NewTicketPage {
        counter: typed.channel != "telefon",
        name: typed.name.clone(),
        ptj: typed.ptj.clone(),
        queues: queues
            .iter()
            .map(|code| Choice::new(code, w.queue(code).label, *code == queue))
            .collect(),
        priorities: PRIORITIES
            .iter()
            .map(|code| Choice::new(code, w.priority(code).label, *code == priority))
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
    let (number, address) = state.engine.open_for(at_desk(&who), &visit).await?;
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

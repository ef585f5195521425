//! One ticket: what was said, who asks, what happened, and what an officer does with it.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::super::WebState;
use super::super::error::{Code, Refusal};
use super::access::{Posted, Who};
use super::page::{not_found, render_as, shell, words};
use super::picture::listed;
use super::queue::subject;
use super::reading::Reading;
use super::view::{Choice, Opened, TicketPage, Words};
use crate::agent::SignedIn;
use crate::agent::role::Permission;
use crate::clock::Millis;
use crate::conversation::desk::{Act, Agent, DeskError};
use crate::conversation::once::Form;
use crate::storage::conversation;
use crate::storage::message as transcript;
use crate::storage::picture as pictures;
use crate::storage::ticket;
use crate::storage::ticket_event;
use crate::storage::{canned_reply, ticket_view};
use crate::ticket::{PRIORITIES, Queue, Status, TicketNumber};

/// Who looked this lately looks now, in milliseconds.
const LOOKS: Millis = 45_000;
/// Messages that are shown, the latest.
const SHOWN: i64 = 300;

/// What the page shows besides the ticket: what was typed, what is wrong, what was opened.
#[derive(Default)]
struct Extra {
    note: bool,
    draft: String,
    draft_error: String,
    opened: Vec<Opened>,
    open_error: String,
    flash: String,
    flash_bad: bool,
}

/// What was done, as the page that follows says it.
#[derive(Debug, Default, Deserialize)]
pub struct Done {
    #[serde(default)]
    done: String,
}

/// The number that an address names; whatever is none is not found.
fn number_of(text: &str) -> Option<TicketNumber> {
    TicketNumber::parse(text)
}

/// `GET /console/tiket/{number}`.
pub async fn show(
    State(state): State<WebState>,
    Who(who): Who,
    Path(number): Path<String>,
    done: Result<Query<Done>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let done = done.map(|Query(done)| done.done).unwrap_or_default();
    let w = words(&who, "");
    let (flash, flash_bad) = flash(&w, &done);
    let extra = Extra {
        flash: flash.to_owned(),
        flash_bad,
        ..Extra::default()
    };
    page(&state, &who, &number, extra, StatusCode::OK).await
}

fn flash(w: &Words, done: &str) -> (&'static str, bool) {
    let said = match done {
        "balas" => w.t("Balasan telah dihantar.", "The reply was sent."),
        "selesai" => w.t("Tiket telah diselesaikan.", "The ticket was resolved."),
        "nota" => w.t("Nota telah disimpan.", "The note was saved."),
        "ambil" => w.t(
            "Sembang kini milik tuan/puan; Tanya diam.",
            "The chat is yours now; Tanya is silent.",
        ),
        "serah" => w.t(
            "Sembang telah diserahkan kepada Tanya.",
            "The chat was handed back to Tanya.",
        ),
        "ubah" => w.t("Perubahan telah disimpan.", "The change was saved."),
        "dipegang" => {
            return (
                w.t(
                    "Pegawai lain sedang memegang sembang ini.",
                    "Another officer holds this chat.",
                ),
                true,
            );
        }
        "berubah" => {
            return (
                w.t(
                    "Tiket ini telah diubah oleh orang lain. Sila semak dahulu.",
                    "Somebody else changed this ticket. Please look first.",
                ),
                true,
            );
        }
        "tiada-sembang" => return (w.t("Sembang ini telah tamat.", "This chat is over."), true),
        _ => "",
    };
    (said, false)
}

/// What an officer may do here, and what the page is made of.
async fn page(
    state: &WebState,
    who: &SignedIn,
    number: &str,
    extra: Extra,
    status: StatusCode,
) -> Result<Response, Refusal> {
    let Some(number) = number_of(number) else {
        return Ok(not_found(who));
    };
    let now = state.limits.clock.now();
    let w = words(who, &format!("/console/tiket/{number}"));
    let mut connection = state.limits.store.connection().await?;
    let Some(row) = ticket::by_number(&mut connection, number.as_str()).await? else {
        return Ok(not_found(who));
    };
    ticket_view::touch(&mut connection, number.as_str(), &who.id, now).await?;
    let others =
        ticket_view::others(&mut connection, number.as_str(), &who.id, now - LOOKS).await?;
    let chat = conversation::by_id(&mut connection, &row.conversation_id).await?;
    let events = ticket_event::of_ticket(&mut connection, number.as_str()).await?;
    let names = state.agents.names(&mut connection).await?;
    let workers = state.agents.workers(&mut connection).await?;
    let messages = match who.may(Permission::ViewTranscript) {
        true => transcript::latest(&mut connection, &row.conversation_id, SHOWN).await?,
        false => Vec::new(),
    };
    let pictures = match who.may(Permission::ViewTranscript) {
        true => pictures::of_ticket(&mut connection, number.as_str()).await?,
        false => Vec::new(),
    };
    let canned = canned_reply::all(&mut connection).await?;
    drop(connection);
    let reading = Reading {
        state,
        who,
        w: &w,
        row: &row,
        chat: chat.as_ref(),
        names: &names,
        now,
    };
    let mut shell = shell(state, who, &w, "queue").await?;
    shell.live = format!("/console/langsung?tiket={number}");
    shell.flash = extra.flash;
    shell.flash_bad = extra.flash_bad;
    let active = Status::parse(&row.status).is_some_and(Status::is_active);
    let works = who.may(Permission::WorkTicket) && row.merged_into.is_none();
    let (chat_state, chat_text) = reading.chat();
    let held_by_other = chat_state == "other";
    let assignee = reading.name(row.assignee.as_deref());
    let page = TicketPage {
        number: row.number.clone(),
        seen: events
            .iter()
            .filter(|event| !event.agent.is_empty())
            .count(),
        once: Uuid::new_v4().to_string(),
        subject: subject(state, &w, &row),
        status: w.status(&row.status),
        queue: w.queue(&row.queue),
        priority: w.priority(&row.priority),
        mine: row.assignee.as_ref() == Some(&who.id),
        assignee,
        back_href: "/console".to_owned(),
        promises: reading.promises(active),
        looking: others,
        can_take: works && matches!(chat_state, "bot" | "waiting"),
        can_hand_back: works
            && (chat_state == "you"
                || (chat_state == "other" && who.may(Permission::AssignOthers))),
        chat: chat_state.to_owned(),
        chat_text: chat_text.to_owned(),
        items: reading.items(messages, &events),
        can_write: works && !held_by_other && row.status != "closed",
        closed_text: reading.closed(held_by_other).to_owned(),
        reply_hint: reading.hint().to_owned(),
        note: extra.note,
        draft: extra.draft,
        draft_error: extra.draft_error,
        canned: reading.canned(&canned),
        facts: reading.facts(),
        sealed: row.details.is_some(),
        can_open: who.may(Permission::UnmaskDetails),
        opened: extra.opened,
        open_error: extra.open_error,
        agents: reading.agents(&workers),
        queues: choices(Queue::ALL.map(Queue::as_str), &row.queue, |code| {
            w.queue(code).label
        }),
        priorities: choices(PRIORITIES, &row.priority, |code| w.priority(code).label),
        statuses: choices(["open", "pending", "resolved"], &row.status, |code| {
            w.status(code).label
        }),
        can_close: who.may(Permission::MergeTickets),
        merged_into: row.merged_into.clone().unwrap_or_default(),
        entries: reading.entries(),
        linked: reading.linked(),
        history: events
            .iter()
            .rev()
            .map(|event| reading.happening(event))
            .collect(),
        pictures: listed(&w, number.as_str(), &pictures),
        shell,
        w: w.clone(),
    };
    Ok(render_as(status, &page))
}

fn choices<const N: usize>(
    codes: [&str; N],
    chosen: &str,
    label: impl Fn(&str) -> String,
) -> Vec<Choice> {
    let choices = codes.iter().map(|code| Choice {
        value: (*code).to_owned(),
        label: label(code),
        selected: *code == chosen,
    });
    choices.collect()
}

/// What is typed under a ticket.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    #[serde(default)]
    text: String,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    canned: String,
    #[serde(default, rename = "do")]
    what: String,
    #[serde(default)]
    seen: String,
    #[serde(default)]
    once: String,
}

impl Written {
    /// What the form says of itself.
    fn form(&self) -> Form {
        Form {
            seen: self.seen.parse().ok(),
            once: Uuid::parse_str(&self.once).ok(),
        }
    }
}

/// `POST …/balas`: answers the person, with or without settling; or puts a canned reply into the field.
pub async fn reply(
    State(state): State<WebState>,
    Who(who): Who,
    Path(number): Path<String>,
    Posted(form): Posted<Written>,
) -> Result<Response, Refusal> {
    if form.what == "insert" {
        return insert(&state, &who, &number, form).await;
    }
    // What was written as a note never reaches the person, whatever was pressed.
    if form.what == "note" || form.mode == "note" {
        return noted(&state, &who, &number, form).await;
    }
    let settles = form.what == "resolve";
    let act = Act::Reply {
        text: &form.text,
        settles,
    };
    match done(&state, &who, &number, form.form(), act).await? {
        Ok(number) => Ok(to(&number, if settles { "selesai" } else { "balas" })),
        Err(error) => refused(&state, &who, &number, form.text, false, error).await,
    }
}

async fn insert(
    state: &WebState,
    who: &SignedIn,
    number: &str,
    form: Written,
) -> Result<Response, Refusal> {
    let Some(parsed) = number_of(number) else {
        return Ok(not_found(who));
    };
    let mut connection = state.limits.store.connection().await?;
    let rows = canned_reply::all(&mut connection).await?;
    let row = ticket::by_number(&mut connection, parsed.as_str()).await?;
    let chat = row.as_ref().map(|row| row.conversation_id.as_str());
    let chat = conversation::by_id(&mut connection, chat.unwrap_or_default()).await?;
    drop(connection);
    let english = chat.is_some_and(|chat| chat.language == "en");
    let chosen = rows.iter().find(|row| row.id == form.canned);
    let name = row
        .and_then(|row| state.engine.tickets().name(&row))
        .unwrap_or_default();
    let text = chosen.map_or_else(String::new, |row| {
        // In the language of who reads it, not of who sends it.
        let text = match english && !row.text_en.is_empty() {
            true => &row.text_en,
            false => &row.text_ms,
        };
        text.replace("{nombor}", parsed.as_str())
            .replace("{nama}", &name)
    });
    let draft = if form.text.trim().is_empty() {
        text
    } else {
        format!("{}\n{text}", form.text)
    };
    let extra = Extra {
        note: form.mode == "note",
        draft,
        ..Extra::default()
    };
    page(state, who, number, extra, StatusCode::OK).await
}

/// `POST …/nota`.
pub async fn note(
    State(state): State<WebState>,
    Who(who): Who,
    Path(number): Path<String>,
    Posted(form): Posted<Written>,
) -> Result<Response, Refusal> {
    noted(&state, &who, &number, form).await
}

async fn noted(
    state: &WebState,
    who: &SignedIn,
    number: &str,
    form: Written,
) -> Result<Response, Refusal> {
    // A note may be written whatever others did meanwhile.
    let once = Form {
        seen: None,
        ..form.form()
    };
    match done(state, who, number, once, Act::Note(&form.text)).await? {
        Ok(number) => Ok(to(&number, "nota")),
        Err(error) => refused(state, who, number, form.text, true, error).await,
    }
}

/// `POST …/ambil`.
pub async fn take(
    State(state): State<WebState>,
    Who(who): Who,
    Path(number): Path<String>,
) -> Result<Response, Refusal> {
    simply(&state, &who, &number, Act::Take, "ambil").await
}

/// `POST …/serah`.
pub async fn hand_back(
    State(state): State<WebState>,
    Who(who): Who,
    Path(number): Path<String>,
) -> Result<Response, Refusal> {
    simply(&state, &who, &number, Act::HandBack, "serah").await
}

/// Whose work it becomes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assigned {
    to: String,
}

/// `POST …/tugas`: everybody may take work themselves; giving it to others is the supervisor's.
pub async fn assign(
    State(state): State<WebState>,
    Who(who): Who,
    Path(number): Path<String>,
    Posted(form): Posted<Assigned>,
) -> Result<Response, Refusal> {
    let to = if form.to == "me" {
        who.id.clone()
    } else {
        form.to
    };
    if to != who.id && !who.may(Permission::AssignOthers) {
        return Ok(super::page::forbidden(&who));
    }
    if !to.is_empty() {
        let mut connection = state.limits.store.connection().await?;
        let workers = state.agents.workers(&mut connection).await?;
        if !workers.iter().any(|(id, _)| *id == to) {
            return Err(Code::InvalidBody.into());
        }
    }
    let to = (!to.is_empty()).then_some(to.as_str());
    simply(&state, &who, &number, Act::Assign(to), "ubah").await
}

/// Where it goes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    queue: String,
}

/// `POST …/pindah`.
pub async fn move_to(
    State(state): State<WebState>,
    Who(who): Who,
    Path(number): Path<String>,
    Posted(form): Posted<Moved>,
) -> Result<Response, Refusal> {
    let queue = Queue::parse(&form.queue).ok_or(Code::InvalidBody)?;
    simply(&state, &who, &number, Act::Move(queue.as_str()), "ubah").await
}

/// How urgent it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prioritised {
    priority: String,
}

/// `POST …/keutamaan`.
pub async fn prioritise(
    State(state): State<WebState>,
    Who(who): Who,
    Path(number): Path<String>,
    Posted(form): Posted<Prioritised>,
) -> Result<Response, Refusal> {
    if !PRIORITIES.contains(&form.priority.as_str()) {
        return Err(Code::InvalidBody.into());
    }
    simply(
        &state,
        &who,
        &number,
        Act::Prioritise(&form.priority),
        "ubah",
    )
    .await
}

/// How far it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetStatus {
    status: String,
}

/// `POST …/status`: closing for good is the supervisor's.
pub async fn set_status(
    State(state): State<WebState>,
    Who(who): Who,
    Path(number): Path<String>,
    Posted(form): Posted<SetStatus>,
) -> Result<Response, Refusal> {
    let status = Status::parse(&form.status).ok_or(Code::InvalidBody)?;
    if status == Status::Closed && !who.may(Permission::MergeTickets) {
        return Ok(super::page::forbidden(&who));
    }
    simply(&state, &who, &number, Act::Set(status), "ubah").await
}

/// The entry that is linked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linked {
    entry: String,
}

/// `POST …/pautan`.
pub async fn link(
    State(state): State<WebState>,
    Who(who): Who,
    Path(number): Path<String>,
    Posted(form): Posted<Linked>,
) -> Result<Response, Refusal> {
    let knowledge = state.knowledge.current();
    let entry = knowledge.book().entry(form.entry.trim());
    let entry = entry.ok_or(Code::InvalidBody)?;
    simply(&state, &who, &number, Act::Link(&entry.id), "ubah").await
}

/// The ticket that it becomes part of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merged {
    into: String,
}

/// `POST …/gabung`.
pub async fn merge(
    State(state): State<WebState>,
    Who(who): Who,
    Path(number): Path<String>,
    Posted(form): Posted<Merged>,
) -> Result<Response, Refusal> {
    let (Some(from), Some(into)) = (number_of(&number), TicketNumber::find(&form.into)) else {
        return Ok(to(&number, "berubah"));
    };
    let agent = Agent {
        id: &who.id,
        name: &who.name,
        supervises: who.may(Permission::AssignOthers),
    };
    match state.engine.merge(agent, &from, &into).await {
        Ok(()) => Ok(to(into.as_str(), "ubah")),
        Err(DeskError::Database(error)) => Err(error.into()),
        Err(_) => Ok(to(from.as_str(), "berubah")),
    }
}

/// Why somebody wants to see what is sealed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    reason: String,
}

/// `POST …/dedah`: the sealed details, once, with a reason that is recorded.
pub async fn unmask(
    State(state): State<WebState>,
    Who(who): Who,
    Path(number): Path<String>,
    Posted(form): Posted<Reason>,
) -> Result<Response, Refusal> {
    let reason = form.reason.trim();
    let w = words(&who, "");
    if reason.chars().count() < 5 {
        let extra = Extra {
            open_error: w
                .t(
                    "Sila nyatakan sebab dengan jelas.",
                    "Please state the reason clearly.",
                )
                .to_owned(),
            ..Extra::default()
        };
        return page(
            &state,
            &who,
            &number,
            extra,
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    }
    let Some(parsed) = number_of(&number) else {
        return Ok(not_found(&who));
    };
    let agent = Agent {
        id: &who.id,
        name: &who.name,
        supervises: who.may(Permission::AssignOthers),
    };
    match state.engine.unmask(agent, &parsed, reason).await {
        Ok(details) => {
            let label = w.t("Nombor pengenalan", "Identity number").to_owned();
            let opened = details.into_iter().map(|value| Opened {
                label: label.clone(),
                value,
            });
            let extra = Extra {
                opened: opened.collect(),
                ..Extra::default()
            };
            page(&state, &who, &number, extra, StatusCode::OK).await
        }
        Err(DeskError::Database(error)) => Err(error.into()),
        Err(_) => Ok(not_found(&who)),
    }
}

/// Does something to a ticket; the number as it is written, or why not.
async fn done(
    state: &WebState,
    who: &SignedIn,
    number: &str,
    form: Form,
    act: Act<'_>,
) -> Result<Result<String, DeskError>, Refusal> {
    let Some(parsed) = number_of(number) else {
        return Ok(Err(DeskError::NoSuchTicket));
    };
    let agent = Agent {
        id: &who.id,
        name: &who.name,
        supervises: who.may(Permission::AssignOthers),
    };
    match state.engine.act(agent, &parsed, form, act).await {
        Ok(()) => Ok(Ok(parsed.to_string())),
        Err(DeskError::Database(error)) => Err(error.into()),
        Err(error) => Ok(Err(error)),
    }
}

async fn simply(
    state: &WebState,
    who: &SignedIn,
    number: &str,
    act: Act<'_>,
    said: &str,
) -> Result<Response, Refusal> {
    Ok(
        match done(state, who, number, Form::default(), act).await? {
            Ok(number) => to(&number, said),
            Err(DeskError::NoSuchTicket) => not_found(who),
            Err(DeskError::Held) => to(number, "dipegang"),
            Err(DeskError::NoChat) => to(number, "tiada-sembang"),
            Err(_) => to(number, "berubah"),
        },
    )
}

/// The page again, with what was typed and why it was not taken.
async fn refused(
    state: &WebState,
    who: &SignedIn,
    number: &str,
    draft: String,
    note: bool,
    error: DeskError,
) -> Result<Response, Refusal> {
    let w = words(who, "");
    let said = match error {
        DeskError::NoSuchTicket => return Ok(not_found(who)),
        DeskError::Changed => w.t(
            "Tiket ini telah berubah sejak halaman dibuka. Sila semak, kemudian hantar semula.",
            "This ticket has changed since the page was opened. Please look, then send again.",
        ),
        DeskError::Held => w.t(
            "Pegawai lain sedang memegang sembang ini.",
            "Another officer holds this chat.",
        ),
        DeskError::Unaskable(_) => w.t(
            "Teks kosong atau melebihi 4,096 aksara.",
            "The text is empty or longer than 4,096 characters.",
        ),
        _ => w.t(
            "Tidak dapat dihantar sekarang. Sila cuba lagi.",
            "It cannot be sent now. Please try again.",
        ),
    };
    let extra = Extra {
        note,
        draft,
        draft_error: said.to_owned(),
        ..Extra::default()
    };
    page(state, who, number, extra, StatusCode::UNPROCESSABLE_ENTITY).await
}

fn to(number: &str, done: &str) -> Response {
    let number = number_of(number).map_or_else(String::new, |number| number.to_string());
    Redirect::to(&format!("/console/tiket/{number}?done={done}")).into_response()
}

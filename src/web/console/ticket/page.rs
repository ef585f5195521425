//! The page of a ticket: what is kept of it, as far as its reader may see it, and what the reader may do here.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use uuid::Uuid;

use super::at_ticket::AtTicket;
use super::done::Done;
use super::picture::listed;
use super::reading::Reading;
use super::view::{Opened, TicketPage};
use crate::agent::role::Permission;
use crate::clock::Millis;
use crate::storage::canned_reply::{self, CannedReplyRow};
use crate::storage::conversation::{self, ConversationRow};
use crate::storage::message::{self, MessageRow};
use crate::storage::picture::{self, ListedPicture};
use crate::storage::ticket::{self, TicketRow};
use crate::storage::ticket_event::{self, TicketEventRow};
use crate::storage::ticket_view;
use crate::ticket::{PRIORITIES, Queue, Status};
use crate::web::console::access::Wanted;
use crate::web::console::page::{not_found, render_as, shell, words};
use crate::web::console::queue::subject;
use crate::web::console::view::Choice;
use crate::web::error::Refusal;

/// Who looked this lately looks now, in milliseconds.
const LOOKS: Millis = 45_000;
/// Messages that are shown, the latest.
const SHOWN: i64 = 300;

/// What the page shows besides the ticket: what was typed, what is wrong, what was opened.
#[derive(Default)]
pub struct Extra {
    pub note: bool,
    pub draft: String,
    pub draft_error: String,
    pub opened: Vec<Opened>,
    pub open_error: String,
    pub done: Option<Done>,
}

/// What was done, as the address says it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    done: String,
}

/// `GET /console/tiket/{number}`.
pub async fn show(at: AtTicket, Wanted(asked): Wanted<Asked>) -> Result<Response, Refusal> {
    let extra = Extra {
        done: Done::parse(&asked.done),
        ..Extra::default()
    };
    page(&at, extra, StatusCode::OK).await
}

/// What is kept of a ticket, as far as its reader may see it.
struct Kept {
    row: TicketRow,
    /// Names of the others who look at it now.
    looking: Vec<String>,
    chat: Option<ConversationRow>,
    events: Vec<TicketEventRow>,
    messages: Vec<MessageRow>,
    pictures: Vec<ListedPicture>,
    canned: Vec<CannedReplyRow>,
    /// Officers' names by their ids.
    names: Vec<(String, String)>,
    /// Those whom it may be given to.
    workers: Vec<(String, String)>,
}

impl Kept {
    /// Reads it and notes that it was looked at; nothing if there is no such ticket.
    async fn of(at: &AtTicket, now: Millis) -> sqlx::Result<Option<Self>> {
        let (number, reader) = (at.number.as_str(), &at.who.id);
        let reads = at.who.may(Permission::ViewTranscript);
        let mut connection = at.state.limits.store.connection().await?;
        let connection = &mut connection;
        let Some(row) = ticket::by_number(connection, number).await? else {
            return Ok(None);
        };
        ticket_view::touch(connection, number, reader, now).await?;
        Ok(Some(Self {
            looking: ticket_view::others(connection, number, reader, now - LOOKS).await?,
            chat: conversation::by_id(connection, &row.conversation_id).await?,
            events: ticket_event::of_ticket(connection, number).await?,
            messages: match reads {
                true => message::latest(connection, &row.conversation_id, SHOWN).await?,
                false => Vec::new(),
            },
            pictures: match reads {
                true => picture::of_ticket(connection, number).await?,
                false => Vec::new(),
            },
            canned: canned_reply::all(connection).await?,
            names: at.state.agents.names(connection).await?,
            workers: at.state.agents.workers(connection).await?,
            row,
        }))
    }

    /// How often officers have done something to it.
    fn seen(&self) -> usize {
        let events = self.events.iter();
        events.filter(|event| !event.agent.is_empty()).count()
    }
}

/// The ticket, with what was typed or found just now.
pub async fn page(at: &AtTicket, extra: Extra, status: StatusCode) -> Result<Response, Refusal> {
    let AtTicket { state, who, number } = at;
    let now = state.limits.clock.now();
    let w = words(who, &format!("/console/tiket/{number}"));
    let Some(kept) = Kept::of(at, now).await? else {
        return Ok(not_found(who));
    };
    let row = &kept.row;
    let reading = Reading {
        state,
        who,
        w: &w,
        row,
        chat: kept.chat.as_ref(),
        names: &kept.names,
        now,
    };
    let mut shell = shell(state, who, &w, "queue").await?;
    shell.live = format!("/console/langsung?tiket={number}");
    if let Some(done) = extra.done {
        shell.flash = done.text(&w).to_owned();
        shell.flash_bad = done.is_bad();
    }
    let active = Status::parse(&row.status).is_some_and(Status::is_active);
    let works = who.may(Permission::WorkTicket) && row.merged_into.is_none();
    let (chat, chat_text) = reading.chat();
    let held_by_other = chat == "other";
    let history = kept.events.iter().rev();
    let page = TicketPage {
        number: row.number.clone(),
        seen: kept.seen(),
        once: Uuid::new_v4().to_string(),
        subject: subject(state, &w, row),
        status: w.status(&row.status),
        queue: w.queue(&row.queue),
        priority: w.priority(&row.priority),
        assignee: reading.name(row.assignee.as_deref()),
        mine: row.assignee.as_ref() == Some(&who.id),
        back_href: "/console".to_owned(),
        promises: reading.promises(active),
        can_take: works && matches!(chat, "bot" | "waiting"),
        can_hand_back: works
            && (chat == "you" || (held_by_other && who.may(Permission::AssignOthers))),
        chat: chat.to_owned(),
        chat_text: chat_text.to_owned(),
        items: reading.items(kept.messages, &kept.events),
        can_write: works && !held_by_other && row.status != "closed",
        closed_text: reading.closed(held_by_other).to_owned(),
        reply_hint: reading.hint().to_owned(),
        note: extra.note,
        draft: extra.draft,
        draft_error: extra.draft_error,
        canned: reading.canned(&kept.canned),
        facts: reading.facts(),
        sealed: row.details.is_some(),
        can_open: who.may(Permission::UnmaskDetails),
        opened: extra.opened,
        open_error: extra.open_error,
        agents: reading.agents(&kept.workers),
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
        history: history.map(|event| reading.happening(event)).collect(),
        pictures: listed(&w, number.as_str(), &kept.pictures),
        looking: kept.looking,
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
    let choices = codes.iter();
    choices
        .map(|code| Choice::new(code, label(code), *code == chosen))
        .collect()
}

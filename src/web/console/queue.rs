//! The list of tickets: views, filters, search, pages.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::WebState;
use super::super::error::Refusal;
use super::access::Who;
use super::page::{render, shell_around, when, words};
use super::search::Search;
use super::view::{Choice, OnDuty, QueuePage, QueueRow, Tab, When, Words};
use crate::agent::SignedIn;
use crate::agent::role::Permission;
use crate::clock::{Millis, shown};
use crate::conversation::desk::HERE;
use crate::storage::conversation;
use crate::storage::ticket::{self, ActiveCount, TicketRow};
use crate::storage::ticket_list::TicketFilter;
use crate::ticket::{Queue, Status, TicketNumber};

/// Tickets on a page.
const PAGE: i64 = 50;
/// What is due within this is due soon, in milliseconds.
const SOON: Millis = 24 * 3_600_000;

/// What the list is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    view: String,
    #[serde(default)]
    pub(super) q: String,
    /// Where is searched: `chats`, or in subjects and names.
    #[serde(default, rename = "in")]
    pub(super) place: String,
    #[serde(default)]
    queue: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    channel: String,
    /// `MILLIS.NUMBER`: the place where the page before ended.
    #[serde(default)]
    before: String,
}

impl Asked {
    /// The address of the list with another view, or another place.
    fn href(&self, view: &str, before: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let pairs = [
            ("view", view),
            ("q", &self.q),
            ("in", &self.place),
            ("queue", &self.queue),
            ("status", &self.status),
            ("channel", &self.channel),
            ("before", before),
        ];
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        let query = query.finish();
        if query.is_empty() {
            "/console".to_owned()
        } else {
            format!("/console?{query}")
        }
    }

    fn before(&self) -> Option<(Millis, String)> {
        let (at, number) = self.before.split_once('.')?;
        Some((at.parse().ok()?, number.to_owned()))
    }

    /// The address of the same search in another place, from the beginning or from where a page ended.
    pub(super) fn searched_in(&self, place: &str, before: &str) -> String {
        let other = Self {
            place: place.to_owned(),
            ..self.clone()
        };
        other.href(&other.view, before)
    }

    pub(super) fn filter(&self, who: &SignedIn, now: Millis) -> TicketFilter {
        let some = |text: &str| (!text.is_empty() && text != "all").then(|| text.to_owned());
        let status = Status::parse(&self.status).map(|status| status.as_str().to_owned());
        TicketFilter {
            queue: Queue::parse(&self.queue).map(|queue| queue.as_str().to_owned()),
            // What is searched for may be settled already.
            status: status.or_else(|| {
                (self.q.is_empty() && self.status != "all").then(|| "active".to_owned())
            }),
            assignee: (self.view == "mine").then(|| who.id.clone()),
            unassigned: self.view == "unassigned",
            waiting: self.view == "waiting",
            due_before: match self.view.as_str() {
                "soon" => Some(now + SOON),
                "overdue" => Some(now),
                _ => None,
            },
            channel: some(&self.channel).map(|channel| stored_channel(&channel).to_owned()),
            before: self.before(),
            ..TicketFilter::default()
        }
    }
}

/// The name of a channel as stored, from its name on a page.
fn stored_channel(shown: &str) -> &str {
    match shown {
        "kaunter" => "counter",
        "telefon" => "phone",
        other => other,
    }
}

/// The name of a channel on a page, from its name as stored.
pub fn shown_channel(stored: &str) -> &str {
    match stored {
        "counter" => "kaunter",
        "phone" => "telefon",
        other => other,
    }
}

/// `GET /console`.
pub async fn show(
    State(state): State<WebState>,
    Who(who): Who,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    if !who.may(Permission::ViewQueue) {
        // Whoever has no tickets to see begins elsewhere.
        return Ok(Redirect::to(first_page(&who)).into_response());
    }
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    if let Some(number) = TicketNumber::find(&asked.q) {
        return Ok(Redirect::to(&format!("/console/tiket/{number}")).into_response());
    }
    let now = state.limits.clock.now();
    let w = words(&who, &asked.href(&asked.view, &asked.before));
    let mut connection = state.limits.store.connection().await?;
    let search = Search {
        state: &state,
        who: &who,
        asked: &asked,
    };
    let (found, place) = search.found(&mut connection, PAGE + 1, now).await?;
    let counts = ticket::active_counts(&mut connection, now).await?;
    let soon = ticket::due_before(&mut connection, now + SOON).await?;
    let around = Around {
        names: state.agents.names(&mut connection).await?,
        open: conversation::seen_since(&mut connection, now - HERE).await?,
        now,
    };
    let rows = found.iter().take(PAGE as usize);
    let rows: Vec<QueueRow> = rows
        .map(|row| row_of(&state, &who, &w, row, &around))
        .collect();
    let mut shell = shell_around(&mut connection, &who, &w, "queue", &counts).await?;
    drop(connection);
    shell.live = "/console/langsung".to_owned();
    let last = found
        .get(PAGE as usize - 1)
        .filter(|_| found.len() > PAGE as usize);
    let older = last.map(|row| format!("{}.{}", row.updated_at, row.number));
    let duty = state.agents.present().await?;
    Ok(render(&QueuePage {
        tabs: tabs(&asked, &w, &who, &counts, soon, shell.waiting.len()),
        view: if asked.view.is_empty() {
            "all".to_owned()
        } else {
            asked.view.clone()
        },
        search: asked.q.clone(),
        place: asked.place.clone(),
        queues: queues(&w, &asked.queue),
        statuses: statuses(&w, &asked.status),
        channels: channels(&w, &asked.channel),
        searched: search.told(&w, place),
        filtered: [&asked.q, &asked.queue, &asked.status, &asked.channel]
            .iter()
            .any(|it| !it.is_empty()),
        clear_href: "/console".to_owned(),
        agents: duty
            .into_iter()
            .map(|name| OnDuty {
                you: name == who.name,
                name,
                present: true,
                chats: 0,
            })
            .collect(),
        hours: hours(&state, &w, now),
        summary: summary(&w, rows.len(), !asked.q.is_empty()),
        rows,
        newer_href: if asked.before.is_empty() {
            String::new()
        } else {
            asked.href(&asked.view, "")
        },
        older_href: older.map_or_else(String::new, |before| search.older(place, &before)),
        shell,
        w,
    }))
}

fn first_page(who: &SignedIn) -> &'static str {
    if who.may(Permission::ManageAgents) {
        "/console/pegawai"
    } else if who.may(Permission::ManageCanned) {
        "/console/jawapan"
    } else {
        "/console/akaun"
    }
}

/// What rows are shown with, besides their tickets.
struct Around {
    /// Agents' names by their ids.
    names: Vec<(String, String)>,
    /// Conversations whose chat is open now.
    open: Vec<String>,
    now: Millis,
}

fn row_of(
    state: &WebState,
    who: &SignedIn,
    w: &Words,
    row: &TicketRow,
    around: &Around,
) -> QueueRow {
    let active = Status::parse(&row.status).is_some_and(Status::is_active);
    let now = around.now;
    let mut names = around.names.iter();
    let assignee = names.find(|(id, _)| row.assignee.as_ref() == Some(id));
    let assignee = assignee.map_or_else(String::new, |(_, name)| name.clone());
    let due = row.answer_by.filter(|_| active);
    let promise = row
        .acknowledge_by
        .filter(|_| active && row.acknowledged_at.is_none());
    let due = promise.or(due);
    QueueRow {
        number: row.number.clone(),
        subject: subject(state, w, row),
        who: who_of(state, row),
        channel: w.channel(shown_channel(&row.channel)),
        queue: w.queue(&row.queue),
        status: w.status(&row.status),
        priority: w.priority(&row.priority),
        mine: row.assignee.as_ref() == Some(&who.id),
        assignee,
        since: if row.status == "open" {
            when(Some(row.unread_at.unwrap_or(row.created_at)))
        } else {
            When::default()
        },
        due: when(due),
        overdue: due.is_some_and(|due| due < now),
        soon: due.is_some_and(|due| (now..now + SOON).contains(&due)),
        unread: row.unread_at.is_some(),
        waiting: row.live_at.is_some(),
        present: active && around.open.contains(&row.conversation_id),
    }
}

/// What a ticket is about: the person's words, or the topic's name.
pub fn subject(state: &WebState, w: &Words, row: &TicketRow) -> String {
    if !row.title.is_empty() {
        return row.title.clone();
    }
    let knowledge = state.knowledge.current();
    let language = crate::knowledge::text::Language::parse(w.lang()).unwrap_or_default();
    crate::mail::letters::topic_label(&knowledge, &row.topic, language)
}

/// The name on a ticket with the first letter of each word: enough to speak to somebody, not enough to copy.
pub fn masked_name(state: &WebState, row: &TicketRow) -> String {
    let name = state.engine.tickets().name(row).unwrap_or_default();
    let words = name.split_whitespace().map(|word| {
        let between = ["bin", "binti", "bt", "bt.", "b.", "a/l", "a/p"];
        match word.chars().next() {
            Some(first) if !between.contains(&word.to_lowercase().as_str()) => {
                format!("{first}•••")
            }
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Who asks, masked: the name, and the last four characters of the number.
pub fn who_of(state: &WebState, row: &TicketRow) -> String {
    let name = masked_name(state, row);
    let last4 = row.last4.as_deref().map(|last4| format!("••••{last4}"));
    let parts = [Some(name), last4, row.department.clone()];
    let parts: Vec<String> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(", ")
}

fn tabs(
    asked: &Asked,
    w: &Words,
    who: &SignedIn,
    counts: &[ActiveCount],
    soon: i64,
    waiting: usize,
) -> Vec<Tab> {
    let sum = |pick: &dyn Fn(&&ActiveCount) -> bool| -> u64 {
        counts
            .iter()
            .filter(pick)
            .map(|count| count.count.unsigned_abs())
            .sum()
    };
    let view = |code: &str, label: &str, count: u64, pressing: bool| Tab {
        label: label.to_owned(),
        href: asked.href(code, ""),
        count,
        current: asked.view == code || (code == "all" && asked.view.is_empty()),
        pressing,
    };
    let overdue = sum(&|count| count.overdue > 0);
    let waiting = waiting as u64;
    vec![
        view("all", w.t("Semua", "All"), sum(&|_| true), false),
        view(
            "waiting",
            w.t("Menunggu sekarang", "Waiting now"),
            waiting,
            waiting > 0,
        ),
        view(
            "mine",
            w.t("Saya", "Mine"),
            sum(&|count| count.assignee.as_ref() == Some(&who.id)),
            false,
        ),
        view(
            "unassigned",
            w.t("Belum diambil", "Unassigned"),
            sum(&|count| count.assignee.is_none()),
            false,
        ),
        view(
            "soon",
            w.t("Hampir tamat tempoh", "Due soon"),
            soon.unsigned_abs(),
            false,
        ),
        view("overdue", w.t("Lewat", "Overdue"), overdue, overdue > 0),
    ]
}

/// A choice among all, for a filter.
fn any(w: &Words, chosen: &str) -> Choice {
    Choice {
        value: String::new(),
        label: w.t("Semua", "All").to_owned(),
        selected: chosen.is_empty(),
    }
}

fn queues(w: &Words, chosen: &str) -> Vec<Choice> {
    let queues = Queue::ALL.iter().map(|queue| Choice {
        value: queue.as_str().to_owned(),
        label: w.queue(queue.as_str()).label,
        selected: queue.as_str() == chosen,
    });
    std::iter::once(any(w, chosen)).chain(queues).collect()
}

fn statuses(w: &Words, chosen: &str) -> Vec<Choice> {
    let active = Choice {
        value: String::new(),
        label: w.t("Terbuka dan menunggu", "Open and pending").to_owned(),
        selected: chosen.is_empty(),
    };
    let all = Choice {
        value: "all".to_owned(),
        label: w.t("Semua", "All").to_owned(),
        selected: chosen == "all",
    };
    let each = Status::ALL.iter().map(|status| Choice {
        value: status.as_str().to_owned(),
        label: w.status(status.as_str()).label,
        selected: status.as_str() == chosen,
    });
    [active, all].into_iter().chain(each).collect()
}

fn channels(w: &Words, chosen: &str) -> Vec<Choice> {
    let channels = ["web", "telegram", "kaunter", "telefon"].map(|channel| Choice {
        value: channel.to_owned(),
        label: w.channel(channel).label,
        selected: channel == chosen,
    });
    std::iter::once(any(w, chosen)).chain(channels).collect()
}

/// Whether the office is open, in words.
fn hours(state: &WebState, w: &Words, now: Millis) -> String {
    let knowledge = state.knowledge.current();
    let calendar = knowledge.calendar();
    let opening = calendar.next_opening(now).map(shown).unwrap_or_default();
    let mut text = match calendar.is_open(now) {
        Some(true) => w
            .t("Pejabat sedang dibuka.", "The office is open now.")
            .to_owned(),
        Some(false) => format!(
            "{} {opening}.",
            w.t(
                "Di luar waktu pejabat; dibuka semula pada",
                "Outside office hours; opens again at"
            )
        ),
        None => w
            .t(
                "Waktu pejabat belum ditetapkan.",
                "Office hours are not set.",
            )
            .to_owned(),
    };
    if calendar.is_sample() {
        text.push(' ');
        text.push_str(w.t("(Waktu contoh)", "(Sample hours)"));
    }
    text
}

fn summary(w: &Words, count: usize, searched: bool) -> String {
    match (count, searched) {
        (0, true) => w
            .t("Tiada tiket yang sepadan.", "No ticket matches.")
            .to_owned(),
        (0, false) => w
            .t("Tiada tiket di sini.", "There is no ticket here.")
            .to_owned(),
        (count, _) => format!(
            "{count} {}",
            w.t("tiket pada halaman ini", "tickets on this page")
        ),
    }
}

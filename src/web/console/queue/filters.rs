//! What narrows the list: its views, and the filters to choose from.

use super::asked::Asked;
use super::view::Tab;
use crate::agent::SignedIn;
use crate::storage::ticket::ActiveCount;
use crate::ticket::{Queue, Status};
use crate::web::console::view::{Choice, Words};

/// The views of the list, with how many tickets each holds.
pub fn tabs(
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

/// Queues to choose from.
pub fn queues(w: &Words, chosen: &str) -> Vec<Choice> {
    let queues = Queue::ALL.map(Queue::as_str);
    let queues = queues.map(|code| Choice::new(code, w.queue(code).label, code == chosen));
    std::iter::once(Choice::all(w, chosen))
        .chain(queues)
        .collect()
}

/// Statuses to choose from; those that need something are shown where none is chosen.
pub fn statuses(w: &Words, chosen: &str) -> Vec<Choice> {
    let active = w.t("Terbuka dan menunggu", "Open and pending");
    let active = Choice::new("", active, chosen.is_empty());
    let all = Choice::new("all", w.t("Semua", "All"), chosen == "all");
    let statuses = Status::ALL.iter().map(|status| status.as_str());
    let statuses = statuses.map(|code| Choice::new(code, w.status(code).label, code == chosen));
    [active, all].into_iter().chain(statuses).collect()
}

/// Channels to choose from.
pub fn channels(w: &Words, chosen: &str) -> Vec<Choice> {
    let channels = ["web", "telegram", "kaunter", "telefon"];
    let channels = channels.map(|code| Choice::new(code, w.channel(code).label, code == chosen));
    std::iter::once(Choice::all(w, chosen))
        .chain(channels)
        .collect()
}

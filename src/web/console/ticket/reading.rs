//! A ticket in the words of whoever reads it: who asks, what was said, what happened, what was promised.

use super::view::{CannedChoice, Day, Facts, Happening, Item, Message, Promise};
use crate::agent::SignedIn;
use crate::agent::role::Permission;
use crate::clock::{Millis, local};
use crate::conversation::desk::HERE;
use crate::conversation::message::{Message as Said, Sender};
use crate::redact::HIDDEN;
use crate::storage::canned_reply::CannedReplyRow;
use crate::storage::conversation::ConversationRow;
use crate::storage::message::MessageRow;
use crate::storage::ticket::TicketRow;
use crate::storage::ticket_event::TicketEventRow;
use crate::web::WebState;
use crate::web::console::page::{clock_time, entries, entry_name, named, when};
use crate::web::console::queue::{SOON, masked_name, shown_channel};
use crate::web::console::view::{Choice, Words};

/// A ticket as somebody reads it.
pub struct Reading<'a> {
    pub state: &'a WebState,
    pub who: &'a SignedIn,
    pub w: &'a Words,
    pub row: &'a TicketRow,
    pub chat: Option<&'a ConversationRow>,
    /// Agents' names by their ids.
    pub names: &'a [(String, String)],
    pub now: Millis,
}

impl Reading<'_> {
    pub fn name(&self, id: Option<&str>) -> String {
        id.map_or_else(String::new, |id| named(self.names, id))
    }

    /// Who answers the person, and how the chat stands in a sentence.
    pub fn chat(&self) -> (&'static str, &'static str) {
        let w = self.w;
        let Some(chat) = self.chat else {
            return (
                "none",
                w.t("Tiada sembang yang terbuka.", "There is no open chat."),
            );
        };
        match chat.holder.as_deref() {
            Some(holder) if holder == self.who.id => (
                "you",
                w.t(
                    "Tuan/puan memegang sembang ini. Tanya diam.",
                    "You hold this chat. Tanya is silent.",
                ),
            ),
            Some(_) => (
                "other",
                w.t(
                    "Pegawai lain memegang sembang ini.",
                    "Another officer holds this chat.",
                ),
            ),
            None if self.row.live_at.is_some() => (
                "waiting",
                w.t(
                    "Pengguna menunggu pegawai.",
                    "The user is waiting for an officer.",
                ),
            ),
            None => (
                "bot",
                w.t("Tanya menjawab sembang ini.", "Tanya answers this chat."),
            ),
        }
    }

    pub fn promises(&self, active: bool) -> Vec<Promise> {
        let w = self.w;
        let promise = |label: &str, by: Option<Millis>, kept: Option<Millis>| {
            let by = by?;
            let (state, text) = match kept {
                Some(kept) if kept <= by => ("met", w.t("ditepati", "kept")),
                Some(_) => ("late", w.t("ditepati lewat", "kept late")),
                None if !active => ("met", w.t("tidak berkenaan lagi", "not needed any more")),
                None if by < self.now => ("late", w.t("lewat", "overdue")),
                None if by < self.now + SOON => ("soon", w.t("hampir tamat", "due soon")),
                None => ("running", w.t("dalam tempoh", "running")),
            };
            Some(Promise {
                label: label.to_owned(),
                when: when(Some(by)),
                state: state.to_owned(),
                state_text: text.to_owned(),
            })
        };
        let row = self.row;
        let acknowledge = w.t("Sahkan penerimaan", "Acknowledge by");
        let answer = w.t("Jawab", "Answer by");
        [
            promise(acknowledge, row.acknowledge_by, row.acknowledged_at),
            promise(answer, row.answer_by, row.answered_at),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Messages and events in order, a line for each new day.
    pub fn items(&self, messages: Vec<MessageRow>, events: &[TicketEventRow]) -> Vec<Item> {
        let mut timed: Vec<(Millis, Item)> = Vec::new();
        for row in messages {
            timed.push((row.created_at, Item::Message(Box::new(self.message(row)))));
        }
        for event in events {
            let item = match event.kind.as_str() {
                "note" => Item::Message(Box::new(self.note(event))),
                // The transcript has them.
                "added" | "pictured" | "replied" if self.chat.is_some() => continue,
                _ => Item::Event(self.happening(event)),
            };
            timed.push((event.at, item));
        }
        timed.sort_by_key(|(at, _)| *at);
        let mut items = Vec::new();
        let mut day = None;
        for (at, item) in timed {
            let date = local(at).date();
            if day != Some(date) {
                day = Some(date);
                items.push(Item::Day(Day {
                    date: date.to_string(),
                    text: date.strftime("%d/%m/%Y").to_string(),
                }));
            }
            items.push(item);
        }
        items
    }

    pub fn message(&self, row: MessageRow) -> Message {
        let (at, target, outcome) = (row.created_at, row.target.clone(), row.outcome.clone());
        let confidence = row.confidence_ppm.unwrap_or_default().clamp(0, 1_000_000) / 10_000;
        let said = Said::from_row(row);
        let w = self.w;
        let (from, by) = match said.from {
            Sender::User => ("user", w.t("Pengguna", "User").to_owned()),
            Sender::Bot => ("bot", "Tanya".to_owned()),
            Sender::Officer => ("officer", said.body.name.clone().unwrap_or_default()),
        };
        // What was said under a proof is the person's own.
        let text = match said.body.proof {
            Some(_) => HIDDEN.to_owned(),
            None => said.body.text,
        };
        let knowledge = self.state.knowledge.current();
        let routed = target.filter(|_| outcome.is_some() && said.from == Sender::User);
        let routed = routed.map(|id| entry_name(w, &knowledge, &id));
        Message {
            id: format!("m{}", said.seq),
            from: from.to_owned(),
            who: by,
            when: clock_time(at),
            text,
            target: routed.unwrap_or_default(),
            confidence: u8::try_from(confidence).unwrap_or(100),
            missed: outcome
                .as_deref()
                .is_some_and(|outcome| outcome != "answer"),
            outcome: match outcome.as_deref() {
                Some("answer") => w.t("dijawab", "answered").to_owned(),
                Some("clarify") => w.t("ditanya semula", "asked back").to_owned(),
                Some(_) => w.t("tiada jawapan", "no answer").to_owned(),
                None => String::new(),
            },
        }
    }

    pub fn note(&self, event: &TicketEventRow) -> Message {
        Message {
            id: event.id.clone(),
            from: "note".to_owned(),
            who: self.name(Some(&event.agent)),
            when: clock_time(event.at),
            text: event.text.clone(),
            ..Message::default()
        }
    }

    pub fn happening(&self, event: &TicketEventRow) -> Happening {
        Happening {
            id: event.id.clone(),
            when: when(Some(event.at)),
            who: self.name(Some(&event.agent)),
            text: self.told(event),
        }
    }

    /// What happened, in words.
    pub fn told(&self, event: &TicketEventRow) -> String {
        let w = self.w;
        let said = match event.kind.as_str() {
            "opened" => w.t("Tiket dibuka", "Ticket opened"),
            "added" => w.t("Pengguna menambah mesej", "The user added a message"),
            "pictured" => w.t("Pengguna menghantar gambar", "The user sent a picture"),
            "claimed" => w.t(
                "Pengguna menyambung dalam sembang",
                "The user goes on in a chat",
            ),
            "taken" => w.t("Sembang diambil alih", "Chat taken over"),
            "handed-back" => w.t(
                "Sembang diserahkan kepada Tanya",
                "Chat handed back to Tanya",
            ),
            "replied" => w.t("Balasan dihantar", "Reply sent"),
            "note" => w.t("Nota dalaman", "Internal note"),
            "assigned" => w.t("Ditugaskan kepada", "Assigned to"),
            "moved" => w.t("Dipindahkan ke", "Moved to"),
            "prioritised" => w.t("Keutamaan", "Priority"),
            "pending" => w.t("Menunggu pengguna", "Waits for the user"),
            "resolved" => w.t("Diselesaikan", "Resolved"),
            "closed" => w.t("Ditutup", "Closed"),
            "reopened" => w.t("Dibuka semula", "Reopened"),
            "cancelled" => w.t("Dibatalkan oleh pengguna", "Cancelled by the user"),
            "merged" => w.t("Digabungkan", "Merged"),
            "linked" => w.t("Entri dipautkan", "Entry linked"),
            "unmasked" => w.t("Butiran termeterai dibuka", "Sealed details opened"),
            "escalated" => w.t("Lewat: penyelia dimaklumkan", "Overdue: supervisor told"),
            "untaken" => w.t(
                "Belum diambil: pengguna dan penyelia dimaklumkan",
                "Not taken yet: user and supervisor told",
            ),
            other => other,
        };
        let detail = match event.kind.as_str() {
            "assigned" if event.text.is_empty() => w.t("tiada sesiapa", "nobody").to_owned(),
            "assigned" => self.name(Some(&event.text)),
            "moved" => w.queue(&event.text).label,
            "prioritised" => w.priority(&event.text).label,
            "replied" | "resolved" | "note" => String::new(),
            _ => event.text.clone(),
        };
        if detail.is_empty() {
            said.to_owned()
        } else {
            format!("{said}: {detail}")
        }
    }

    pub fn closed(&self, held_by_other: bool) -> &'static str {
        let w = self.w;
        if held_by_other {
            w.t(
                "Pegawai lain sedang memegang sembang ini.",
                "Another officer holds this chat.",
            )
        } else if self.row.status == "closed" {
            w.t("Tiket ini telah ditutup.", "This ticket is closed.")
        } else {
            w.t(
                "Peranan tuan/puan tidak membenarkan balasan.",
                "Your role does not allow replies.",
            )
        }
    }

    pub fn hint(&self) -> &'static str {
        let w = self.w;
        match self.chat.map(|chat| chat.channel.as_str()) {
            Some("telegram") => w.t(
                "Balasan dihantar melalui Telegram.",
                "The reply goes out on Telegram.",
            ),
            Some(_) => w.t(
                "Balasan terus muncul dalam sembang web.",
                "The reply appears in the web chat at once.",
            ),
            None => w.t(
                "Tiada sembang yang terbuka: balasan hanya direkodkan.",
                "There is no open chat: the reply is only recorded.",
            ),
        }
    }

    pub fn canned(&self, rows: &[CannedReplyRow]) -> Vec<CannedChoice> {
        let english = self.chat.is_some_and(|chat| chat.language == "en");
        let name = self.state.engine.tickets().name(self.row);
        let name = name.unwrap_or_default();
        let rows = rows.iter().map(|row| CannedChoice {
            id: row.id.clone(),
            title: row.title.clone(),
            text: filled(row, english, &self.row.number, &name),
        });
        rows.collect()
    }

    pub fn facts(&self) -> Facts {
        let w = self.w;
        let row = self.row;
        let tickets = self.state.engine.tickets();
        let kind = tickets.person(row).map(|(kind, _)| kind);
        let language = self.chat.map_or("", |chat| chat.language.as_str());
        let seen = self.chat.map(|chat| chat.seen_at).filter(|at| *at > 0);
        Facts {
            name: match masked_name(self.state, row) {
                name if name.is_empty() => w.t("Belum diketahui", "Not known").to_owned(),
                name => name,
            },
            kind: match kind.as_deref() {
                Some("staff") => w.t("Kakitangan", "Staff").to_owned(),
                Some("supplier") => w.t("Pembekal", "Supplier").to_owned(),
                _ => String::new(),
            },
            last4: row.last4.clone().unwrap_or_default(),
            ptj: row.department.clone().unwrap_or_default(),
            proved: when(row.requester.as_ref().map(|_| row.created_at)),
            channel: w.channel(shown_channel(&row.channel)),
            language: match language {
                "ms" => "Bahasa Melayu".to_owned(),
                "en" => "English".to_owned(),
                _ => String::new(),
            },
            present: seen.is_some_and(|at| self.now < at + HERE),
            seen: when(seen),
            opened: when(Some(row.created_at)),
        }
    }

    /// Those whom it may be given to.
    pub fn agents(&self, workers: &[(String, String)]) -> Vec<Choice> {
        if !self.who.may(Permission::AssignOthers) {
            return Vec::new();
        }
        let workers = workers.iter();
        workers
            .map(|(id, name)| Choice::new(id, name, self.row.assignee.as_ref() == Some(id)))
            .collect()
    }

    pub fn entries(&self) -> Vec<Choice> {
        entries(self.w, &self.state.knowledge.current(), None)
    }

    pub fn linked(&self) -> Vec<String> {
        let knowledge = self.state.knowledge.current();
        let entry = self.row.entry.as_deref();
        let entry = entry.and_then(|id| knowledge.book().entry(id));
        let language = self.w.language();
        let name = entry.map(|entry| entry.label.get(language).clone());
        name.into_iter().collect()
    }
}

/// A canned reply in the language of who reads it, not of who sends it, its fields filled.
pub fn filled(reply: &CannedReplyRow, english: bool, number: &str, name: &str) -> String {
    let text = match english && !reply.text_en.is_empty() {
        true => &reply.text_en,
        false => &reply.text_ms,
    };
    text.replace("{nombor}", number).replace("{nama}", name)
}

//! Handing a matter over to people: what is asked before, and what is told then. Pure, like every decision.

use serde::{Deserialize, Serialize};

use super::action::Service;
use super::follow::Follow;
use super::message::{Choice, Content, Kind, Reply};
use super::picture::{PictureEffect, PictureRoom};
use super::turn::{OwnedTopic, Turn};
use crate::knowledge::book::TargetKind;
use crate::knowledge::cues::normal;
use crate::knowledge::messages::Messages;
use crate::knowledge::text::Localised;
use crate::redact::redact;
use crate::ticket::{Queue, TicketNumber};

const MATTER_VALUE: &str = "matter:";
const HANDOFF_VALUE: &str = "handoff:";
/// What replies of a hand-over are about.
pub(super) const OFFICER: &str = "action:pegawai";
/// Wrong data on a payslip are the department's first.
const PAYSLIP_DATA: &str = "portal-masalah-penyata-gaji";
/// Characters of a department's name that are kept.
const DEPARTMENT: usize = 120;
/// What stands in the place of a ticket's number until it has one.
pub(super) const NUMBER: &str = "{number}";

/// A hand-over that is being prepared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoff {
    /// Whose work it will be, once known.
    #[serde(default)]
    pub queue: Option<String>,
    /// The entry of the knowledge that it is about.
    #[serde(default)]
    pub entry: Option<String>,
    /// What it is about, in the person's words, redacted.
    #[serde(default)]
    pub title: String,
    /// The person's department or company.
    #[serde(default)]
    pub department: Option<String>,
    /// What was asked last.
    pub step: HandoffStep,
}

/// What a hand-over asks, in order; what is known already is not asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffStep {
    /// What it is about.
    #[default]
    Matter,
    /// The department.
    Department,
    /// The problem: what was tried, the exact error.
    Problem,
}

/// What there is of officers in a conversation.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// Whether an officer holds the chat: the bot is silent.
    pub held: bool,
    /// The latest ticket that the person can still add to.
    pub ticket: Option<DeskTicket>,
    /// Whether there is a ticket here, open or not.
    pub ticketed: bool,
    /// Whether too many tickets were opened here of late to open another.
    pub full: bool,
    /// Whether there is room for one more picture; looked up where one was sent.
    pub pictures: PictureRoom,
    /// The office's hours, in words.
    pub hours: Hours,
}

/// A ticket of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskTicket {
    /// Its number.
    pub number: String,
    /// Whether it is settled: the next word may open it again.
    pub settled: bool,
    /// Whether an officer has answered and waits for the person.
    pub pending: bool,
}

/// Who describes a problem in so few characters means what was spoken of before.
const AS_BEFORE: usize = 12;

/// The office's hours, in words.
#[derive(Clone, Debug, Default)]
pub struct Hours {
    /// Whether it is open now; none where the hours are not stated.
    pub open: Option<bool>,
    /// When it opens next.
    pub next_opening: String,
    /// By when a ticket of now is acknowledged.
    pub acknowledge_by: String,
    /// By when it is answered.
    pub answer_by: String,
    /// Whether the hours are samples.
    pub sample: bool,
}

/// What becomes of a ticket by a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketEffect {
    /// One is opened.
    Open(Handoff),
    /// The person's message belongs to it.
    Add(String),
    /// The person's picture belongs to it.
    Picture(String),
    /// It is opened again, by this message.
    Reopen(String),
    /// The person takes it back.
    Cancel(String),
    /// An officer opened it for this person, who goes on with it here.
    Claim(String),
    /// It was opened again in vain.
    Settle(String),
}

impl Turn<'_> {
    /// Whether officers can be reached from here.
    pub(super) fn has_desk(&self) -> bool {
        self.circumstances.personal.service != Service::None
    }

    /// Takes a message while an officer holds the chat: it is for the officer, and the bot says nothing.
    pub(super) fn held(&mut self, content: &Content) -> Option<String> {
        if !self.circumstances.desk.held {
            return None;
        }
        let heard = match content {
            Content::Text(text) => redact(text),
            Content::Choice(pressed) => self.state.label_of(&pressed.value)?.to_owned(),
            Content::Picture(sent) => return Some(self.pictured_held(sent)),
            Content::Unreadable => super::turn::NO_TEXT.to_owned(),
            Content::Returned(_) | Content::Lapsed | Content::NoPicture(_) => return None,
        };
        if let Some(ticket) = &self.circumstances.desk.ticket {
            self.effects.ticket = Some(TicketEffect::Add(ticket.number.clone()));
        }
        Some(heard)
    }

    pub(super) fn say(
        &self,
        pick: impl Fn(&Messages) -> &Localised<String>,
        values: &[(&str, &str)],
    ) -> Reply {
        self.sentence(pick(self.knowledge.messages()), values)
    }

    pub(super) fn word(&self, pick: impl Fn(&Messages) -> &Localised<String>) -> String {
        pick(self.knowledge.messages()).get(self.language).clone()
    }

    pub(super) fn choice(
        &self,
        value: &str,
        pick: impl Fn(&Messages) -> &Localised<String>,
    ) -> Choice {
        Choice {
            value: format!("{HANDOFF_VALUE}{value}"),
            label: self.word(pick),
        }
    }

    /// Begins to hand a matter over; tells whether that can be done here.
    pub(super) fn hand_off(&mut self) -> bool {
        if !self.has_desk() {
            return false;
        }
        let open = self.circumstances.desk.ticket.as_ref();
        if let Some(ticket) = open.filter(|ticket| !ticket.settled) {
            let number = ticket.number.clone();
            self.state.follow(Follow::Yes);
            let choices = vec![self.choice("new", |m| &m.handoff_another)];
            let values = [("number", number.as_str())];
            let reply = self.say(|m| &m.handoff_open_already, &values);
            self.replies.push(
                reply
                    .about(OFFICER)
                    .choices(choices)
                    .ticket(&number, "open"),
            );
            return true;
        }
        self.prepare();
        true
    }

    /// Prepares a new ticket about what was spoken of.
    fn prepare(&mut self) {
        if self.circumstances.desk.full {
            return self.offer_menu(|messages| &messages.handoff_too_many);
        }
        let OwnedTopic { entry, said } = self.spoken_of_before();
        let entry = entry.filter(|id| TargetKind::of(id) != TargetKind::SmallTalk && id != OFFICER);
        let known = entry
            .as_deref()
            .and_then(|id| self.knowledge.book().entry(id));
        let queue = known
            .and_then(|entry| entry.queue)
            .map(|queue| queue.as_str().to_owned());
        let title = if said.is_empty() {
            self.state.missed()
        } else {
            said
        };
        let handoff = Handoff {
            queue: queue.filter(|_| entry.as_deref() != Some(PAYSLIP_DATA)),
            entry,
            title,
            department: None,
            step: HandoffStep::Matter,
        };
        self.ask_next(handoff);
    }

    /// Asks what is missing, or opens the ticket.
    pub(super) fn ask_next(&mut self, mut handoff: Handoff) {
        let reply = if handoff.queue.is_none() {
            handoff.step = HandoffStep::Matter;
            let choices = self.matters();
            self.say(|m| &m.handoff_matter, &[])
                .kind(Kind::Choices)
                .choices(choices)
        } else if handoff.department.is_none() {
            handoff.step = HandoffStep::Department;
            let choices = vec![
                self.choice("skip", |m| &m.handoff_skip),
                self.choice("cancel", |m| &m.handoff_cancel),
            ];
            self.say(|m| &m.handoff_department, &[]).choices(choices)
        } else {
            handoff.step = HandoffStep::Problem;
            let mut choices = vec![self.choice("cancel", |m| &m.handoff_cancel)];
            if !handoff.title.is_empty() {
                choices.insert(0, self.choice("send", |m| &m.handoff_send));
            }
            self.say(|m| &m.handoff_problem, &[]).choices(choices)
        };
        self.replies.push(reply.about(OFFICER));
        self.state.hand_off(Some(handoff));
    }

    fn matters(&self) -> Vec<Choice> {
        let messages = self.knowledge.messages();
        let matter = |value: &str, label: &Localised<String>| Choice {
            value: format!("{MATTER_VALUE}{value}"),
            label: label.get(self.language).clone(),
        };
        vec![
            matter("naziran", &messages.matter_procedure),
            matter("teknikal", &messages.matter_technical),
            matter("portal", &messages.matter_portal),
            matter("payslip", &messages.matter_payslip),
            matter("helpdesk", &messages.matter_other),
            self.choice("cancel", |m| &m.handoff_cancel),
        ]
    }

    /// Takes what is typed while a hand-over is prepared; what stands for it in the transcript. None if there is none.
    pub(super) fn handing_off(&mut self, text: &str) -> Option<String> {
        let mut handoff = self.state.handoff()?.clone();
        let said = redact(text.trim());
        if self.knowledge.cues().cancels(&normal(text)) {
            self.cancel_handoff();
            return Some(said);
        }
        match handoff.step {
            HandoffStep::Matter => {
                // Somebody who explains has chosen: what they say tells whose work it is.
                handoff.queue = Some(self.queue_of(text).as_str().to_owned());
                handoff.title = said.clone();
                self.ask_next(handoff);
            }
            HandoffStep::Department => {
                handoff.department = Some(said.chars().take(DEPARTMENT).collect());
                self.ask_next(handoff);
            }
            HandoffStep::Problem => {
                // What was asked before says less than what is described now; "macam tadi" says less than that.
                if handoff.title.is_empty() || said.chars().count() > AS_BEFORE {
                    handoff.title = said.clone();
                }
                self.open_ticket(handoff);
            }
        }
        Some(said)
    }

    fn queue_of(&self, text: &str) -> Queue {
        let routed = self.knowledge.route(text).ok();
        let best = routed.and_then(|routing| Some(routing.candidates.first()?.entry));
        let entry = best.and_then(|place| self.knowledge.entry(place));
        let queue = entry.and_then(|entry| entry.queue);
        queue
            .and_then(|queue| Queue::parse(queue.as_str()))
            .unwrap_or(Queue::Helpdesk)
    }

    fn cancel_handoff(&mut self) {
        self.effects.picture = Some(PictureEffect::Drop);
        self.state.hand_off(None);
        self.offer_menu(|messages| &messages.handoff_cancelled);
    }

    fn open_ticket(&mut self, handoff: Handoff) {
        let office = self.office(handoff.queue.as_deref());
        let when = self.when();
        let values = [
            ("number", NUMBER),
            ("office", office.as_str()),
            ("when", when.as_str()),
        ];
        let reply = self.say(|m| &m.handoff_done, &values);
        let choices = vec![self.choice("undo", |m| &m.handoff_undo)];
        let reply = reply.kind(Kind::Notice).about(OFFICER).choices(choices);
        self.replies.push(reply.ticket(NUMBER, "open"));
        self.state.hand_off(None);
        self.state.follow(Follow::Unasked);
        self.state.heard_again();
        self.effects.ticket = Some(TicketEffect::Open(handoff));
    }

    /// Goes on with a ticket that an officer opened for this person.
    pub(super) fn claim(&mut self, number: &TicketNumber) {
        let number = number.to_string();
        let reply = self.say(|m| &m.ticket_claimed, &[("number", &number)]);
        let reply = reply.kind(Kind::Notice).about(OFFICER);
        self.replies.push(reply.ticket(&number, "open"));
        self.state.follow(Follow::Yes);
        self.effects.ticket = Some(TicketEffect::Claim(number));
    }

    fn office(&self, queue: Option<&str>) -> String {
        match queue.and_then(Queue::parse) {
            Some(Queue::Teknikal) => self.word(|m| &m.office_teknikal),
            Some(Queue::Naziran) => self.word(|m| &m.office_naziran),
            Some(Queue::Helpdesk) | None => self.word(|m| &m.office_helpdesk),
        }
    }

    /// When an answer can be expected.
    fn when(&self) -> String {
        let hours = &self.circumstances.desk.hours;
        let values = [
            ("opening", hours.next_opening.as_str()),
            ("acknowledge", hours.acknowledge_by.as_str()),
            ("answer", hours.answer_by.as_str()),
        ];
        let said = match hours.open {
            Some(true) => self.say(|m| &m.when_open, &values),
            Some(false) => self.say(|m| &m.when_closed, &values),
            None => self.say(|m| &m.when_unknown, &values),
        };
        let mut text = said.body.text;
        if hours.sample {
            text.push(' ');
            text.push_str(&self.word(|m| &m.when_sample));
        }
        text
    }

    /// Does what a choice of a hand-over says; the label that stands for it in the transcript.
    pub(super) fn chosen_handoff(&mut self, value: &str) -> Option<String> {
        if let Some(matter) = value.strip_prefix(MATTER_VALUE) {
            return self.chosen_matter(matter);
        }
        let value = value.strip_prefix(HANDOFF_VALUE)?;
        if let Some(number) = value.strip_prefix("settle:") {
            self.effects.ticket = Some(TicketEffect::Settle(number.to_owned()));
            self.state.follow(Follow::No);
            self.offer_menu(|messages| &messages.ticket_not_meant);
            return Some(self.word(|m| &m.ticket_other));
        }
        if let Some(number) = value.strip_prefix("reopen:") {
            let ticket = DeskTicket {
                number: number.to_owned(),
                settled: true,
                pending: false,
            };
            self.add_to(&ticket);
            return Some(self.word(|m| &m.ticket_reopen));
        }
        let handoff = self.state.handoff().cloned();
        match (value, handoff) {
            ("cancel", Some(_)) => {
                self.cancel_handoff();
                Some(self.word(|m| &m.handoff_cancel))
            }
            ("skip", Some(mut handoff)) => {
                handoff.department = Some(String::new());
                self.ask_next(handoff);
                Some(self.word(|m| &m.handoff_skip))
            }
            ("send", Some(handoff)) => {
                self.open_ticket(handoff);
                Some(self.word(|m| &m.handoff_send))
            }
            ("payroll", _) => {
                let handoff = Handoff {
                    queue: Some(Queue::Helpdesk.as_str().to_owned()),
                    entry: Some(PAYSLIP_DATA.to_owned()),
                    ..Handoff::default()
                };
                self.ask_next(handoff);
                Some(self.word(|m| &m.handoff_after_payroll))
            }
            ("new", _) => {
                self.prepare();
                Some(self.word(|m| &m.handoff_another))
            }
            ("undo", _) => Some(self.undo()),
            ("follow", _) => Some(self.follow_up()),
            ("ask", _) => Some(self.ask_instead()),
            _ => None,
        }
    }

    fn chosen_matter(&mut self, matter: &str) -> Option<String> {
        let mut handoff = self.state.handoff()?.clone();
        let (queue, label) = match matter {
            "naziran" => (Queue::Naziran, self.word(|m| &m.matter_procedure)),
            "teknikal" => (Queue::Teknikal, self.word(|m| &m.matter_technical)),
            "portal" => (Queue::Teknikal, self.word(|m| &m.matter_portal)),
            "helpdesk" => (Queue::Helpdesk, self.word(|m| &m.matter_other)),
            "payslip" => {
                self.state.hand_off(None);
                self.payroll_first();
                return Some(self.word(|m| &m.matter_payslip));
            }
            _ => return None,
        };
        handoff.queue = Some(queue.as_str().to_owned());
        self.ask_next(handoff);
        Some(label)
    }

    /// Wrong data on a payslip: the department's payroll section first.
    fn payroll_first(&mut self) {
        if let Some(entry) = self.knowledge.book().entry(PAYSLIP_DATA) {
            self.explain(entry, None);
        }
        let choice = self.choice("payroll", |m| &m.handoff_after_payroll);
        if let Some(reply) = self.replies.last_mut() {
            reply.body.choices.insert(0, choice);
        }
    }

    /// Takes the ticket back by the button under its notice, as long as nobody has answered.
    fn undo(&mut self) -> String {
        let open = self.circumstances.desk.ticket.as_ref();
        let waits = open.filter(|ticket| !ticket.settled && !ticket.pending);
        match waits.map(|ticket| ticket.number.clone()) {
            Some(number) => self.take_back(&number),
            None => self.offer_menu(|messages| &messages.lapsed),
        }
        self.word(|m| &m.handoff_undo)
    }

    pub(super) fn take_back(&mut self, number: &str) {
        let values = [("number", number)];
        let reply = self.say(|m| &m.ticket_cancelled, &values);
        self.replies
            .push(reply.kind(Kind::Notice).ticket(number, "closed"));
        self.effects.ticket = Some(TicketEffect::Cancel(number.to_owned()));
    }

    /// The message that waited goes to the ticket, and so do those after it.
    fn follow_up(&mut self) -> String {
        self.state.follow(Follow::Yes);
        self.state.take_waiting();
        match self.circumstances.desk.ticket.clone() {
            Some(ticket) => self.add_to(&ticket),
            None => self.offer_menu(|messages| &messages.lapsed),
        }
        self.word(|m| &m.ticket_add)
    }

    /// The message that waited was for the bot, and so are those after it.
    fn ask_instead(&mut self) -> String {
        self.state.follow(Follow::No);
        let label = self.word(|m| &m.ticket_ask);
        match self.state.take_waiting() {
            Some(text) => self.asked(&text),
            None => self.offer_menu(|messages| &messages.cancelled),
        }
        label
    }
}

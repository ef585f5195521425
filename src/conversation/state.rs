//! What the engine remembers of a conversation between two messages; versioned, stored as JSON.

use serde::{Deserialize, Serialize};

use super::follow::Follow;
use super::handoff::Handoff;
use super::message::Choice;
use crate::knowledge::period::Period;

/// Choices that stay valid; older ones have expired.
const REMEMBERED: usize = 48;

/// Turns on one topic that are remembered, and characters of each.
const SAID: usize = 3;
const SAID_CHARS: usize = 160;

fn shortened(said: &str) -> String {
    said.chars().take(SAID_CHARS).collect()
}

/// What is remembered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// The shape of this record; 1 today.
    #[serde(default)]
    v: u32,
    /// What the last reply offered: how many of `offered`, which may be named by number.
    #[serde(default)]
    latest: usize,
    /// What was offered and can still be chosen, the latest first.
    #[serde(default)]
    offered: Vec<Choice>,
    /// The targets of which one was to be chosen, or the several that were asked, in order.
    #[serde(default)]
    list: Vec<String>,
    /// Whether they were just offered, and nothing was said since.
    #[serde(default)]
    choosing: bool,
    /// What was last spoken of.
    #[serde(default)]
    topic: Option<String>,
    /// What the person said of it, redacted.
    #[serde(default)]
    said: Vec<String>,
    /// Who the person is, in the word that they used.
    #[serde(default)]
    person: Option<String>,
    /// The system that the person spoke of last.
    #[serde(default)]
    system: Option<String>,
    /// The month or year that is spoken of.
    #[serde(default)]
    period: Option<Period>,
    /// The proof that is being typed in the chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typing: Option<Typing>,
    /// The hand-over to officers that is being prepared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handoff: Option<Handoff>,
    /// Whether further words go to the open ticket.
    #[serde(default)]
    follow: Follow,
    /// What the person said while they were asked whether it is for the ticket, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waiting: Option<String>,
    /// What was not understood of late, redacted.
    #[serde(default)]
    missed: Vec<String>,
}

/// A proof that is typed in the chat, where that is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typing {
    /// The request that it belongs to.
    pub verification: String,
    /// What comes next.
    pub step: TypingStep,
}

/// What is to be typed next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypingStep {
    /// Whether one is staff or a supplier.
    Kind,
    /// An identity card's number.
    Card,
    /// A company's number.
    Company,
    /// The code.
    Code,
}

impl State {
    /// Reads what was stored; what cannot be read is forgotten.
    pub fn parse(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// As stored.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }

    /// Notes what a turn's replies offer.
    pub fn offer(&mut self, choices: Vec<Choice>) {
        self.v = 1;
        self.latest = choices.len();
        let known = |choice: &Choice| choices.iter().any(|new| new.value == choice.value);
        self.offered.retain(|choice| !known(choice));
        self.offered.splice(0..0, choices);
        self.offered.truncate(REMEMBERED);
    }

    /// The proof that is being typed.
    pub fn typing(&self) -> Option<&Typing> {
        self.typing.as_ref()
    }

    /// Notes what is to be typed next, if anything.
    pub fn type_next(&mut self, typing: Option<Typing>) {
        self.typing = typing;
    }

    /// The hand-over that is being prepared.
    pub fn handoff(&self) -> Option<&Handoff> {
        self.handoff.as_ref()
    }

    /// Notes the hand-over that is being prepared, if any.
    pub fn hand_off(&mut self, handoff: Option<Handoff>) {
        self.handoff = handoff;
    }

    /// Whether further words go to the open ticket.
    pub fn follows(&self) -> Follow {
        self.follow
    }

    /// Notes whether further words go to the open ticket.
    pub fn follow(&mut self, follow: Follow) {
        self.follow = follow;
    }

    /// Notes what waits until it is known whom it is for.
    pub fn wait_with(&mut self, said: &str) {
        self.waiting = Some(shortened(said));
    }

    /// What waited.
    pub fn take_waiting(&mut self) -> Option<String> {
        self.waiting.take()
    }

    /// Notes that a text was not understood; how many there were in a row.
    pub fn miss(&mut self, said: &str) -> usize {
        self.missed.push(shortened(said));
        let surplus = self.missed.len().saturating_sub(SAID);
        self.missed.drain(..surplus);
        self.missed.len()
    }

    /// What was not understood of late, in one line.
    pub fn missed(&self) -> String {
        self.missed.join(" / ")
    }

    /// Notes that something was understood, or is in people's hands.
    pub fn heard_again(&mut self) {
        self.missed.clear();
    }

    /// The label of something that was offered.
    pub fn label_of(&self, value: &str) -> Option<&str> {
        let offered = self.offered.iter().find(|choice| choice.value == value);
        offered.map(|choice| choice.label.as_str())
    }

    /// What was last spoken of.
    pub fn topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }

    /// What the person said of it, in one line.
    pub fn said(&self) -> String {
        self.said.join(" ")
    }

    /// Who the person said to be.
    pub fn person(&self) -> Option<&str> {
        self.person.as_deref()
    }

    /// The system that the person spoke of.
    pub fn system(&self) -> Option<&str> {
        self.system.as_deref()
    }

    /// The month or year that is spoken of.
    pub fn period(&self) -> Option<Period> {
        self.period
    }

    /// Notes the month or year that a turn names.
    pub fn set_period(&mut self, period: Period) {
        self.period = Some(period);
    }

    /// The targets that were just offered to choose from.
    pub fn list(&self) -> &[String] {
        if self.choosing { &self.list } else { &[] }
    }

    /// The target at a place of the last list, whether or not it was spoken of since.
    pub fn listed(&self, place: usize) -> Option<&str> {
        self.list.get(place).map(String::as_str)
    }

    /// The choice at a place of the last reply.
    pub fn choice_at(&self, place: usize) -> Option<&Choice> {
        self.offered.get(place).filter(|_| place < self.latest)
    }

    /// Of the two in the last list, the one that was not spoken of last.
    pub fn other_listed(&self) -> Option<&str> {
        let [first, second] = self.list.as_slice() else {
            return None;
        };
        let spoken_of_first = self.topic.as_ref() == Some(first);
        Some(if spoken_of_first { second } else { first })
    }

    /// Notes several targets to choose from.
    pub fn list_to_choose(&mut self, targets: Vec<String>, said: &str) {
        self.list = targets;
        self.choosing = true;
        self.topic = self.list.first().cloned();
        self.said = vec![shortened(said)];
        self.period = None;
    }

    /// Notes that something else was said than a choice.
    pub fn stop_choosing(&mut self) {
        self.choosing = false;
    }

    /// Notes what is spoken of and what was said of it; nothing if nothing was understood.
    pub fn speak_of(&mut self, target: Option<&str>, said: &str) {
        self.choosing = false;
        if target.is_none() {
            self.said.clear();
            self.list.clear();
            self.period = None;
        } else if target != self.topic.as_deref() {
            let place =
                |target: Option<&str>| self.list.iter().position(|t| Some(t.as_str()) == target);
            if place(target).is_none() {
                self.list.clear();
            }
            self.said.clear();
            self.period = None;
        }
        self.topic = target.map(str::to_owned);
        if target.is_some() && !said.is_empty() {
            self.said.push(shortened(said));
            let surplus = self.said.len().saturating_sub(SAID);
            self.said.drain(..surplus);
        }
    }

    /// Notes who the person is and which system they speak of, where a turn tells.
    pub fn note(&mut self, person: Option<&str>, system: Option<&str>) {
        if let Some(person) = person {
            self.person = Some(person.to_owned());
        }
        if let Some(system) = system {
            self.system = Some(system.to_owned());
        }
    }

    /// Whether this value was offered and not so long ago that it is forgotten.
    pub fn has_offered(&self, value: &str) -> bool {
        self.offered.iter().any(|offered| offered.value == value)
    }

    /// The choice that a text names: by its label, or by its number in the last reply.
    pub fn named(&self, text: &str) -> Option<&Choice> {
        let text = text.trim();
        let number = text.trim_end_matches(['.', ')']).parse::<usize>().ok();
        let by_number = number.and_then(|number| self.choice_at(number.checked_sub(1)?));
        by_number.or_else(|| {
            let lower = text.to_lowercase();
            self.offered
                .iter()
                .find(|choice| choice.label.to_lowercase() == lower)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(value: &str, label: &str) -> Choice {
        Choice {
            value: value.into(),
            label: label.into(),
        }
    }

    #[test]
    fn a_label_names_any_choice_and_a_number_one_of_the_last_reply() {
        let mut state = State::default();
        state.offer(vec![choice("a", "Lupa kata laluan")]);
        state.offer(vec![choice("b", "Slip gaji"), choice("c", "Penyata")]);
        assert_eq!(
            state.named("slip GAJI").map(|c| c.value.as_str()),
            Some("b")
        );
        assert_eq!(state.named(" 2. ").map(|c| c.value.as_str()), Some("c"));
        assert_eq!(
            state.named("lupa kata laluan").map(|c| c.value.as_str()),
            Some("a")
        );
        assert_eq!(state.named("3"), None);
        assert_eq!(state.named("0"), None);
        assert!(state.has_offered("a"));
    }

    #[test]
    fn what_cannot_be_read_is_forgotten_and_what_is_written_can_be_read() {
        assert!(!State::parse("not json").has_offered("a"));
        let mut state = State::default();
        state.offer(vec![choice("a", "A")]);
        assert!(State::parse(&state.to_json()).has_offered("a"));
    }
}

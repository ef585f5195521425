//! What the engine remembers of a conversation between two messages; versioned, stored as JSON.

use serde::{Deserialize, Serialize};

use super::message::Choice;

/// Choices that stay valid; older ones have expired.
const REMEMBERED: usize = 48;

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

    /// Whether this value was offered and not so long ago that it is forgotten.
    pub fn has_offered(&self, value: &str) -> bool {
        self.offered.iter().any(|offered| offered.value == value)
    }

    /// The choice that a text names: by its label, or by its number in the last reply.
    pub fn named(&self, text: &str) -> Option<&Choice> {
        let text = text.trim();
        let number = text.trim_end_matches(['.', ')']).parse::<usize>().ok();
        let latest = number.filter(|number| *number <= self.latest);
        let by_number = latest.and_then(|number| self.offered.get(number.checked_sub(1)?));
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

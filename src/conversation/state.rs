//! What the engine remembers of a conversation between two messages; versioned, stored as JSON.

use serde::{Deserialize, Serialize};

use super::message::Choice;

/// Choices that stay valid, newest first; older ones have expired.
const REMEMBERED: usize = 48;

/// What is remembered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// The shape of this record; 1 today.
    #[serde(default)]
    v: u32,
    /// What the last reply offered: it may be answered by label or number.
    #[serde(default)]
    latest: Vec<Choice>,
    /// Values that were offered before and can still be pressed.
    #[serde(default)]
    offered: Vec<String>,
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
        for choice in &choices {
            self.offered.retain(|value| *value != choice.value);
            self.offered.insert(0, choice.value.clone());
        }
        self.offered.truncate(REMEMBERED);
        self.latest = choices;
    }

    /// Whether this value was offered and not so long ago that it is forgotten.
    pub fn has_offered(&self, value: &str) -> bool {
        self.offered.iter().any(|offered| offered == value)
    }

    /// The choice of the last reply that a text names, by its label or its number.
    pub fn named(&self, text: &str) -> Option<&Choice> {
        let text = text.trim();
        let number = text.trim_end_matches(['.', ')']).parse::<usize>().ok();
        let by_number = number.and_then(|n| self.latest.get(n.checked_sub(1)?));
        by_number.or_else(|| {
            let lower = text.to_lowercase();
            self.latest.iter().find(|c| c.label.to_lowercase() == lower)
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
    fn a_label_or_its_number_names_a_choice_of_the_last_reply_only() {
        let mut state = State::default();
        state.offer(vec![choice("a", "Lupa kata laluan")]);
        state.offer(vec![choice("b", "Slip gaji"), choice("c", "Penyata")]);
        assert_eq!(
            state.named("slip GAJI").map(|c| c.value.as_str()),
            Some("b")
        );
        assert_eq!(state.named(" 2. ").map(|c| c.value.as_str()), Some("c"));
        assert_eq!(state.named("Lupa kata laluan"), None);
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

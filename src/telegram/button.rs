//! Buttons under a message. What a button sends back is opaque: which delivery it stands under, and which button it is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};
use url::Url;
use uuid::Uuid;

use crate::conversation::message::{Body, Kind};
use crate::knowledge::messages::Messages;
use crate::knowledge::text::Language;

/// What a button stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// The choice at this place.
    Choice(usize),
    /// The answer helped, or it did not.
    Vote(bool),
}

/// A button that was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PressedButton {
    /// The delivery that it stands under.
    pub delivery: String,
    /// Which one it is.
    pub button: Button,
}

impl PressedButton {
    /// Reads what a button sent back; none if no button of ours sends such a thing.
    pub fn parse(data: &str) -> Option<Self> {
        let (delivery, button) = data.split_once('.')?;
        let bytes = URL_SAFE_NO_PAD.decode(delivery).ok()?;
        let delivery = Uuid::from_slice(&bytes).ok()?.to_string();
        let button = match button {
            "+" => Button::Vote(true),
            "-" => Button::Vote(false),
            place => Button::Choice(place.parse().ok()?),
        };
        Some(Self { delivery, button })
    }
}

/// What a button sends back.
fn data(delivery: &str, button: Button) -> String {
    let id = Uuid::parse_str(delivery).unwrap_or_default();
    let id = URL_SAFE_NO_PAD.encode(id.as_bytes());
    match button {
        Button::Choice(place) => format!("{id}.{place}"),
        Button::Vote(true) => format!("{id}.+"),
        Button::Vote(false) => format!("{id}.-"),
    }
}

/// The link of a message, if a button can lead there: Telegram takes only addresses that others can reach.
fn link(body: &Body) -> Option<(String, Url)> {
    let link = body.link.as_ref()?;
    let url = Url::parse(&link.url).ok()?;
    (url.scheme() == "https").then(|| (link.label.clone(), url))
}

/// The buttons under a message of a conversation; none if it has none.
pub fn keyboard(
    body: &Body,
    delivery: &str,
    messages: &Messages,
    language: Language,
) -> Option<InlineKeyboardMarkup> {
    let button =
        |text: String, button| InlineKeyboardButton::callback(text, data(delivery, button));
    let mut rows: Vec<Vec<InlineKeyboardButton>> = Vec::new();
    if let Some((label, url)) = link(body) {
        rows.push(vec![InlineKeyboardButton::url(label, url)]);
    }
    if body.kind == Kind::Answer {
        rows.push(vec![
            button(
                format!("👍 {}", messages.helpful.get(language)),
                Button::Vote(true),
            ),
            button(
                format!("👎 {}", messages.unhelpful.get(language)),
                Button::Vote(false),
            ),
        ]);
    }
    for (place, choice) in body.choices.iter().enumerate() {
        rows.push(vec![button(choice.label.clone(), Button::Choice(place))]);
    }
    (!rows.is_empty()).then(|| InlineKeyboardMarkup::new(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_button_sends_back_can_be_read_and_is_short() {
        let delivery = Uuid::now_v7().to_string();
        for button in [
            Button::Choice(0),
            Button::Choice(47),
            Button::Vote(true),
            Button::Vote(false),
        ] {
            let sent = data(&delivery, button);
            assert!(sent.len() <= 64);
            let delivery = delivery.clone();
            assert_eq!(
                PressedButton::parse(&sent),
                Some(PressedButton { delivery, button })
            );
        }
        for foreign in ["", "x", "abc.1", "....", "entry:x", "AAAA.+"] {
            assert_eq!(PressedButton::parse(foreign), None);
        }
    }
}

//! Messages as Telegram shows them: plain text beside entities, counted in UTF-16, in pieces that it takes.

use serde::Deserialize;
use teloxide::types::{MessageEntity, MessageEntityKind};
use url::Url;

use crate::conversation::message::Body;

/// The most that one message may hold, in UTF-16 code units (Bot API, `sendMessage`).
pub const LIMIT: usize = 4_096;

/// A text and how its parts are shown. Offsets and lengths are in UTF-16 code units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Formatted {
    /// The text.
    pub text: String,
    /// How its parts are shown.
    pub entities: Vec<MessageEntity>,
    /// Its length in UTF-16 code units.
    length: usize,
}

/// The parts of an answer, as the engine writes them down.
#[derive(Debug, Deserialize)]
struct AnswerParts {
    title: String,
    body: String,
    #[serde(default)]
    steps: Vec<String>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    links: Vec<LinkParts>,
    #[serde(default)]
    source: Option<SourceParts>,
}

#[derive(Debug, Deserialize)]
struct LinkParts {
    label: String,
    url: String,
}

#[derive(Debug, Deserialize)]
struct SourceParts {
    title: String,
}

impl Formatted {
    /// A message as it is shown: an answer with its title, steps and links, anything else as it reads.
    pub fn of(body: &Body) -> Self {
        let answer = body.answer.as_ref();
        let parts = answer.and_then(|answer| AnswerParts::deserialize(answer).ok());
        let mut formatted = Self::default();
        // Who of the helpdesk speaks: the bot's own words have no name over them.
        if let Some(name) = &body.name {
            formatted.push_as(name, MessageEntityKind::Bold);
            formatted.push("\n");
        }
        match parts {
            Some(parts) => formatted.push_answer(&parts),
            None => formatted.push(&body.text),
        }
        // An address that no button can lead to.
        let plain = body.link.as_ref().map(|link| link.url.as_str());
        if let Some(url) = plain.filter(|url| url.starts_with("http://")) {
            formatted.paragraph();
            formatted.push(url);
        }
        formatted
    }

    fn push_answer(&mut self, parts: &AnswerParts) {
        self.push_as(&parts.title, MessageEntityKind::Bold);
        if !parts.body.is_empty() {
            self.paragraph();
            self.push(&parts.body);
        }
        for (place, step) in parts.steps.iter().enumerate() {
            if place == 0 {
                self.paragraph();
            } else {
                self.push("\n");
            }
            self.push(&format!("{}. {step}", place + 1));
        }
        if let Some(note) = &parts.note {
            self.paragraph();
            self.push(note);
        }
        for (place, link) in parts.links.iter().enumerate() {
            let Ok(url) = Url::parse(&link.url) else {
                continue;
            };
            if place == 0 {
                self.paragraph();
            } else {
                self.push("\n");
            }
            self.push("→ ");
            self.push_as(&link.label, MessageEntityKind::TextLink { url });
        }
        if let Some(source) = &parts.source {
            self.paragraph();
            self.push_as(&source.title, MessageEntityKind::Italic);
        }
    }

    /// Appends a text.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.length += text.encode_utf16().count();
    }

    /// Appends a text that is shown in a special way.
    pub fn push_as(&mut self, text: &str, kind: MessageEntityKind) {
        let offset = self.length;
        self.push(text);
        if self.length > offset {
            let length = self.length - offset;
            self.entities.push(MessageEntity::new(kind, offset, length));
        }
    }

    fn paragraph(&mut self) {
        if !self.text.is_empty() {
            self.push("\n\n");
        }
    }

    /// The same without any formatting.
    pub fn plain(mut self) -> Self {
        self.entities.clear();
        self
    }

    /// The message in pieces that Telegram takes, each with something to read; a piece ends where a person would pause.
    pub fn pieces(&self, limit: usize) -> Vec<Self> {
        let mut pieces = Vec::new();
        let mut rest = self.text.as_str();
        let mut start = 0;
        while !rest.is_empty() {
            let end = piece_end(rest, limit);
            let (piece, after) = rest.split_at(end);
            let length = piece.encode_utf16().count();
            let shown = piece.trim_end();
            if !shown.trim().is_empty() {
                pieces.push(self.cut(shown, start));
            }
            start += length;
            rest = after;
        }
        pieces
    }

    /// A piece of this text that begins at `start`.
    fn cut(&self, text: &str, start: usize) -> Self {
        let length = text.encode_utf16().count();
        let end = start + length;
        let entities = self.entities.iter().filter_map(|entity| {
            let from = entity.offset.max(start);
            let to = (entity.offset + entity.length).min(end);
            (from < to).then(|| MessageEntity::new(entity.kind.clone(), from - start, to - from))
        });
        Self {
            text: text.to_owned(),
            entities: entities.collect(),
            length,
        }
    }
}

/// What ends a piece best, first: a paragraph, a line, a sentence, a word.
const PAUSES: [&[&str]; 4] = [&["\n\n"], &["\n"], &[". ", "? ", "! ", "; "], &[" "]];

/// Where the first piece of a text ends, in bytes: all of it if it fits, else after the last pause, the best kind first,
/// that does not leave the piece nearly empty.
fn piece_end(text: &str, limit: usize) -> usize {
    let mut length = 0;
    let mut fits = 0;
    for (at, character) in text.char_indices() {
        length += character.len_utf16();
        if length > limit {
            break;
        }
        fits = at + character.len_utf8();
    }
    if fits == text.len() {
        return fits;
    }
    // A limit of less than one character would never come to an end.
    let first = text.chars().next().map_or(text.len(), char::len_utf8);
    let fits = fits.max(first);
    let head = text.get(..fits).unwrap_or(text);
    let least = fits / 4;
    PAUSES
        .iter()
        .find_map(|marks| {
            let ends = marks.iter();
            let ends = ends.filter_map(|mark| Some(head.rfind(mark)? + mark.len()));
            ends.max().filter(|end| *end > least)
        })
        .unwrap_or(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    /// What an entity covers, as Telegram reads it.
    fn covered(formatted: &Formatted, entity: &MessageEntity) -> String {
        let units = units(&formatted.text);
        String::from_utf16(&units[entity.offset..entity.offset + entity.length]).unwrap()
    }

    #[test]
    fn an_answer_is_shown_with_its_title_steps_and_links() {
        let body: Body = serde_json::from_value(serde_json::json!({
            "kind": "answer", "text": "ignored",
            "answer": {
                "title": "Bagaimana 😀?", "body": "Ikut langkah ini:", "steps": ["Satu", "Dua"],
                "note": "Ingat.", "links": [{"label": "Buka Portal", "url": "https://p.example/"}],
                "source": {"title": "Soalan Lazim"}
            }
        }))
        .unwrap();
        let formatted = Formatted::of(&body);
        insta::assert_snapshot!(formatted.text, @r"
        Bagaimana 😀?

        Ikut langkah ini:

        1. Satu
        2. Dua

        Ingat.

        → Buka Portal

        Soalan Lazim
        ");
        let shown: Vec<String> = formatted
            .entities
            .iter()
            .map(|entity| covered(&formatted, entity))
            .collect();
        assert_eq!(shown, ["Bagaimana 😀?", "Buka Portal", "Soalan Lazim"]);
    }

    #[test]
    fn a_long_text_is_cut_between_sentences() {
        let sentence = "Sila hubungi pihak kami dengan segera. ";
        let mut formatted = Formatted::default();
        formatted.push(&sentence.repeat(200));
        let pieces = formatted.pieces(LIMIT);
        assert_eq!(pieces.len(), 2);
        for piece in pieces {
            assert!(piece.text.ends_with("segera."));
        }
    }

    proptest! {
        #[test]
        fn ac_75_pieces_fit_lose_nothing_that_is_read_and_keep_entities_within(
            parts in prop::collection::vec(("\\PC{0,40}|[a-z .\\n😀é]{0,40}", any::<bool>()), 0..12),
            limit in 2_usize..60,
        ) {
            let mut formatted = Formatted::default();
            for (text, bold) in &parts {
                if *bold {
                    formatted.push_as(text, MessageEntityKind::Bold);
                } else {
                    formatted.push(text);
                }
            }
            let pieces = formatted.pieces(limit);
            let read = |text: &str| text.split_whitespace().collect::<String>();
            let all: String = pieces.iter().map(|piece| read(&piece.text)).collect();
            prop_assert_eq!(all, read(&formatted.text));
            for piece in &pieces {
                let length = units(&piece.text).len();
                prop_assert!(length <= limit && !piece.text.trim().is_empty());
                for entity in &piece.entities {
                    prop_assert!(entity.length > 0 && entity.offset + entity.length <= length);
                    // It would panic in the middle of a surrogate pair.
                    covered(piece, entity);
                }
            }
        }
    }
}

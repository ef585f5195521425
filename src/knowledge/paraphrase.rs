//! One more way to ask for an entry, written into the file as a person would write it: nothing else of it changes, and
//! comments stay where they are. What cannot be written so is refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_yaml::{Location, Spanned};
use thiserror::Error;

use super::source::{self, FileText};

/// Another way to ask for an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paraphrase<'a> {
    /// The entry's id.
    pub entry: &'a str,
    /// How it is asked for.
    pub text: &'a str,
}

/// Where among the paraphrases of its entry it is written. Networks learn in the order of the file, and a question near a
/// border may fall on its other side by that alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// After the others.
    Last,
    /// Before the others.
    First,
}

/// Why it cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unwritable {
    /// No file has such an entry.
    #[error("there is no such entry")]
    NoEntry,
    /// The file cannot be read as what it should be.
    #[error("the file cannot be read")]
    Unreadable,
    /// The entry is written in a way that only a person changes safely.
    #[error("the entry is written in a way that only a person changes safely")]
    Unusual,
}

/// A file with one more paraphrase in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The file's name.
    pub file: String,
    /// Its text as it was.
    pub before: String,
    /// Its text with the paraphrase.
    pub after: String,
}

/// Where entries and their paraphrases stand.
#[derive(Debug, Deserialize)]
struct Places {
    #[serde(default)]
    entries: Vec<EntryPlace>,
}

#[derive(Debug, Deserialize)]
struct EntryPlace {
    id: Spanned<String>,
    #[serde(default)]
    paraphrases: Option<Spanned<Vec<Spanned<String>>>>,
}

impl Paraphrase<'_> {
    /// Writes it into the file that has its entry.
    pub fn write(
        &self,
        texts: &BTreeMap<String, FileText>,
        place: Place,
    ) -> Result<Rewritten, Unwritable> {
        for name in [source::FAQ, source::INTENTS] {
            let Some(file) = texts.get(name) else {
                continue;
            };
            match self.write_into(file, place) {
                Err(Unwritable::NoEntry) => {}
                written => {
                    return written.map(|after| Rewritten {
                        file: name.to_owned(),
                        before: file.text.clone(),
                        after,
                    });
                }
            }
        }
        Err(Unwritable::NoEntry)
    }

    /// The file's text with the paraphrase in it.
    pub fn write_into(&self, file: &FileText, place: Place) -> Result<String, Unwritable> {
        let places: Places = source::parse(file).map_err(|_| Unwritable::Unreadable)?;
        let mut entries = places.entries.into_iter();
        let entry = entries.find(|entry| entry.id.value == self.entry);
        let entry = entry.ok_or(Unwritable::NoEntry)?;
        let after = self.placed(&file.text, &entry, place);
        let after = after.ok_or(Unwritable::Unusual)?;
        if self.is_all_that_changed(file, &after, place) {
            Ok(after)
        } else {
            Err(Unwritable::Unusual)
        }
    }

    /// Whether an entry of a file is asked for in this way.
    pub fn stands_in(&self, file: &FileText) -> bool {
        let places: Result<Places, _> = source::parse(file);
        let entries = places.map(|places| places.entries).unwrap_or_default();
        let entry = entries
            .into_iter()
            .find(|entry| entry.id.value == self.entry);
        let paraphrases = entry.and_then(|entry| entry.paraphrases);
        paraphrases.is_some_and(|known| known.value.iter().any(|text| text.value == self.text))
    }

    /// A text between quotes, which YAML reads as it is.
    fn quoted(&self) -> String {
        Value::from(self.text).to_string()
    }

    fn placed(&self, text: &str, entry: &EntryPlace, place: Place) -> Option<String> {
        match &entry.paraphrases {
            Some(list) => match (list.value.first(), list.value.last()) {
                (Some(first), _) if place == Place::First => self.before(text, first.referenced),
                (_, Some(last)) => self.after_last(text, last.referenced),
                (_, None) => {
                    let (open, _) = bytes(list.referenced)?;
                    let inside = text.get(open..)?.starts_with('[').then_some(open + 1)?;
                    Some(inserted(text, inside, &self.quoted()))
                }
            },
            None => self.alone(text, entry.id.referenced),
        }
    }

    /// After the last paraphrase: on a line of its own, or in the brackets.
    fn after_last(&self, text: &str, last: Location) -> Option<String> {
        let (start, end) = bytes(last)?;
        let before = text.get(line_start(text, start)..start)?;
        let indent = before.trim_end().strip_suffix('-');
        match indent.filter(|indent| indent.trim().is_empty()) {
            Some(indent) => {
                let at = line_end(text, end.max(start + 1) - 1);
                Some(self.line(text, at, &format!("{indent}- ")))
            }
            None => Some(inserted(text, end, &format!(", {}", self.quoted()))),
        }
    }

    /// Before the first paraphrase, as that stands.
    fn before(&self, text: &str, first: Location) -> Option<String> {
        let (start, _) = bytes(first)?;
        let line = line_start(text, start);
        let lead = text.get(line..start)?;
        let indent = lead.trim_end().strip_suffix('-');
        match indent.filter(|indent| indent.trim().is_empty()) {
            Some(indent) => Some(self.line(text, line, &format!("{indent}- "))),
            None => Some(inserted(text, start, &format!("{}, ", self.quoted()))),
        }
    }

    /// A list of its own, directly below the id.
    fn alone(&self, text: &str, id: Location) -> Option<String> {
        let (start, end) = bytes(id)?;
        let before = text.get(line_start(text, start)..start)?;
        let key = before.trim_end().strip_suffix(':')?.trim_end();
        let key = key.trim_end_matches(['"', '\'']);
        let lead = key.strip_suffix("id")?.trim_end_matches(['"', '\'']);
        if !lead.chars().all(|c| c == ' ' || c == '-') {
            let list = format!(", paraphrases: [{}]", self.quoted());
            return Some(inserted(text, end, &list));
        }
        let indent = " ".repeat(lead.len());
        let at = line_end(text, end.max(start + 1) - 1);
        let ending = ending(text);
        Some(self.line(
            text,
            at,
            &format!("{indent}paraphrases:{ending}{indent}  - "),
        ))
    }

    /// Puts a line with the paraphrase after the line that ends at `at`.
    fn line(&self, text: &str, at: usize, lead: &str) -> String {
        let ending = ending(text);
        let whole = text.get(..at).is_some_and(|head| head.ends_with('\n'));
        let (open, close) = if whole { ("", ending) } else { (ending, "") };
        inserted(text, at, &format!("{open}{lead}{}{close}", self.quoted()))
    }

    /// Reads both and looks whether they differ in the paraphrase alone.
    fn is_all_that_changed(&self, file: &FileText, after: &str, place: Place) -> bool {
        let after = FileText {
            shown: file.shown.clone(),
            text: after.to_owned(),
        };
        let (Ok(before), Ok(mut after)) =
            (source::parse::<Value>(file), source::parse::<Value>(&after))
        else {
            return false;
        };
        let entries = after.get_mut("entries").and_then(Value::as_array_mut);
        let entry = entries.and_then(|entries| {
            let mut entries = entries.iter_mut();
            entries.find(|entry| entry.get("id").and_then(Value::as_str) == Some(self.entry))
        });
        let Some(entry) = entry.and_then(Value::as_object_mut) else {
            return false;
        };
        let list = entry.get_mut("paraphrases").and_then(Value::as_array_mut);
        let added = list.and_then(|list| match place {
            Place::Last => list.pop(),
            Place::First => (!list.is_empty()).then(|| list.remove(0)),
        });
        if added.as_ref().and_then(Value::as_str) != Some(self.text) {
            return false;
        }
        let emptied = entry.get("paraphrases").and_then(Value::as_array);
        if emptied.is_some_and(Vec::is_empty) && !has_list(&before, self.entry) {
            entry.remove("paraphrases");
        }
        before == after
    }
}

fn has_list(file: &Value, id: &str) -> bool {
    let entries = file.get("entries").and_then(Value::as_array);
    let mut entries = entries.into_iter().flatten();
    let entry = entries.find(|entry| entry.get("id").and_then(Value::as_str) == Some(id));
    entry.is_some_and(|entry| entry.get("paraphrases").is_some())
}

/// Where a value begins and ends, in bytes.
fn bytes(at: Location) -> Option<(usize, usize)> {
    let span = at.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    Some((start, start + length))
}

fn line_start(text: &str, at: usize) -> usize {
    let head = text.get(..at).unwrap_or_default();
    head.rfind('\n').map_or(0, |newline| newline + 1)
}

/// Behind the line end of the line that `at` is in.
fn line_end(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let newline = rest.iter().position(|byte| *byte == b'\n');
    newline.map_or(text.len(), |newline| at + newline + 1)
}

fn ending(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn inserted(text: &str, at: usize, more: &str) -> String {
    let (head, tail) = text.split_at_checked(at).unwrap_or((text, ""));
    [head, more, tail].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str, entry: &str, paraphrase: &str) -> Result<String, Unwritable> {
        let file = FileText {
            shown: "faq.yaml".to_owned(),
            text: text.to_owned(),
        };
        let paraphrase = Paraphrase {
            entry,
            text: paraphrase,
        };
        let after = paraphrase.write_into(&file, Place::Last)?;
        // At the beginning it is as well.
        let first = paraphrase.write_into(&file, Place::First)?;
        assert_eq!(first.len(), after.len());
        let file = FileText {
            text: after,
            ..file
        };
        assert!(paraphrase.stands_in(&file));
        Ok(file.text)
    }

    const FILE: &str = "# Jawapan.\nentries:\n  - id: satu  # yang pertama\n    question: \"Satu?\"\n    paraphrases:\n      # cara orang bertanya\n      - \"s 1\"\n      - plain words   # dari kaunter\n\n  # yang kedua\n  - id: \"action:dua\"\n    question: Dua?\n    answer: Ya.\n";

    #[test]
    fn it_comes_after_the_last_one_and_comments_stay() {
        let after = written(FILE, "satu", "macam mana nak: \"x\" #1 \\ 'y'").unwrap();
        let line = "      - \"macam mana nak: \\\"x\\\" #1 \\\\ 'y'\"\n";
        let place = FILE.find("\n  # yang kedua").unwrap();
        assert_eq!(after, inserted(FILE, place, line));
    }

    #[test]
    fn an_entry_without_a_list_gets_one() {
        let after = written(FILE, "action:dua", "no. 2 - apa?").unwrap();
        let added = "  - id: \"action:dua\"\n    paraphrases:\n      - \"no. 2 - apa?\"\n    question: Dua?\n";
        assert!(after.contains(added), "{after}");
        assert_eq!(after.lines().count(), FILE.lines().count() + 2);
    }

    #[test]
    fn brackets_several_lines_and_foreign_line_ends_are_kept() {
        for (before, expected) in [
            (
                "entries:\n- {id: a, question: A, paraphrases: [b, 'c']} # x\n",
                "entries:\n- {id: a, question: A, paraphrases: [b, 'c', \"baru\"]} # x\n",
            ),
            (
                "entries:\n- id: a\n  paraphrases: [] # belum\n",
                "entries:\n- id: a\n  paraphrases: [\"baru\"] # belum\n",
            ),
            (
                "entries:\n- {id: a, question: A}\n",
                "entries:\n- {id: a, paraphrases: [\"baru\"], question: A}\n",
            ),
            (
                "entries:\r\n- id: a\r\n  paraphrases:\r\n  - b\r\n",
                "entries:\r\n- id: a\r\n  paraphrases:\r\n  - b\r\n  - \"baru\"\r\n",
            ),
            (
                "entries:\n- id: a\n  paraphrases:\n  - \"b\n\n    c\"\n  question: A",
                "entries:\n- id: a\n  paraphrases:\n  - \"b\n\n    c\"\n  - \"baru\"\n  question: A",
            ),
            (
                "entries:\n- question: A\n  id: a",
                "entries:\n- question: A\n  id: a\n  paraphrases:\n    - \"baru\"",
            ),
        ] {
            assert_eq!(written(before, "a", "baru").as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_not_there_is_not_guessed() {
        assert_eq!(written(FILE, "tiga", "x"), Err(Unwritable::NoEntry));
        let broken = "entries: [";
        assert_eq!(written(broken, "a", "x"), Err(Unwritable::Unreadable));
        let shared = "entries:\n- id: a\n  paraphrases: &all [x]\n- id: b\n  paraphrases: *all\n";
        assert!(written(shared, "a", "y").is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_asked_only_that_is_added(text in "[ -~à-öø-ɏ]{1,60}") {
            let after = written(FILE, "satu", &text).unwrap();
            let added: Vec<&str> = after.lines().filter(|line| !FILE.lines().any(|old| old == *line)).collect();
            prop_assert!(added.len() <= 1);
        }
    }
}

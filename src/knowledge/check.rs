//! Judges a knowledge file by itself: everything that can be said without searching, each problem with its place and
//! its repair.

use jiff::civil::Date;
use serde_yaml::{Location, Spanned};
use url::Url;

use super::answer::Contacts;
use super::book::{
    ACTION, Block, Book, Entry, LABEL_CHARS, Link, LinkTarget, OtherReading, Provenance, Queue,
    default_label,
};
use super::faq::{
    AnswerYaml, BlockForm, BlockYaml, EntryYaml, FaqFile, LinkYaml, OtherReadingYaml, TextForm,
    TextYaml,
};
use super::problem::Problem;
use super::source;
use super::text::Localised;

/// Collects the problems of one file while its values are turned into their final form.
pub struct Checker<'a> {
    file: &'a str,
    /// Whether texts are judged as what people will be shown, or only taken as they are.
    judges_texts: bool,
    link_hosts: Option<Vec<String>>,
    problems: Vec<Problem>,
}

impl<'a> Checker<'a> {
    /// A checker for `file`.
    pub fn new(file: &'a str) -> Self {
        Self {
            file,
            judges_texts: true,
            link_hosts: None,
            problems: Vec::new(),
        }
    }

    /// The value, or the problems that were found on the way to it.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<Problem>> {
        if self.problems.iter().any(Problem::is_error) {
            Err(self.problems)
        } else {
            Ok(value)
        }
    }

    /// Notes a problem.
    pub fn error(&mut self, at: Location, message: impl Into<String>, repair: impl Into<String>) {
        self.problems
            .push(Problem::error(self.file, at, message, repair));
    }

    /// Only version 1 is known.
    pub fn version(&mut self, version: Option<&Spanned<u64>>) {
        if let Some(version) = version
            && version.value != 1
        {
            self.error(
                version.referenced,
                format!("format version {} is not known", version.value),
                "write `version: 1`",
            );
        }
    }

    /// Both languages of a text; a missing language is a problem.
    pub fn text(&mut self, raw: &TextYaml) -> Localised<String> {
        match &raw.value {
            TextForm::Plain(text) => Localised::same(self.clean(text, raw.referenced)),
            TextForm::Map { ms, en } => Localised {
                ms: self.language(ms.as_ref(), raw.referenced, "ms"),
                en: self.language(en.as_ref(), raw.referenced, "en"),
            },
        }
    }

    /// Notes a text that lacks a place which the program fills.
    pub fn require(&mut self, raw: &TextYaml, text: &Localised<String>, placeholder: &str) {
        for (tag, text) in [("ms", &text.ms), ("en", &text.en)] {
            if !text.is_empty() && !text.contains(placeholder) {
                self.error(
                    raw.referenced,
                    format!("the {tag} text lacks {placeholder}"),
                    format!("put {placeholder} where the value belongs"),
                );
            }
        }
    }

    fn language(&mut self, raw: Option<&Spanned<String>>, at: Location, tag: &str) -> String {
        let Some(raw) = raw else {
            self.missing_language(at, tag);
            return String::new();
        };
        self.clean(&raw.value, raw.referenced)
    }

    fn missing_language(&mut self, at: Location, tag: &str) {
        self.error(
            at,
            format!("the language `{tag}` is missing"),
            format!("add `{tag}: …`, or write one plain text that serves both languages"),
        );
    }

    fn spanned(&mut self, raw: &Spanned<String>) -> String {
        self.clean(&raw.value, raw.referenced)
    }

    /// A text that is safe to show: not blank, no control characters, no markup, no unsafe link.
    fn clean(&mut self, text: &str, at: Location) -> String {
        let trimmed = text.trim();
        if !self.judges_texts {
            return trimmed.to_owned();
        }
        if trimmed.is_empty() {
            self.error(
                at,
                "the text is blank",
                "write the text, or remove the field",
            );
        }
        if let Some(bad) = trimmed.chars().find(|c| is_forbidden(*c)) {
            self.error(
                at,
                format!(
                    "the text has the invisible character U+{:04X}",
                    u32::from(bad)
                ),
                "delete it, or type the line anew",
            );
        }
        if has_markup(trimmed) {
            self.error(
                at,
                "the text has markup, which would be shown as it stands",
                "write plain text; steps and links have fields of their own",
            );
        }
        if let Some(place) = unknown_placeholder(trimmed, self.file) {
            self.error(
                at,
                format!("nothing fills the place {{{place}}}"),
                "use {contact_teknikal} or {contact_naziran}, or remove the braces",
            );
        }
        self.links_in(trimmed, at);
        trimmed.to_owned()
    }

    fn links_in(&mut self, text: &str, at: Location) {
        for word in text.split(|c: char| c.is_whitespace() || "()<>\"'".contains(c)) {
            let word = word.trim_end_matches(['.', ',', ';', ':', '!', '?']);
            let lower = word.to_lowercase();
            let scheme = [
                "http://",
                "https://",
                "javascript:",
                "data:",
                "vbscript:",
                "file:",
            ];
            if scheme
                .iter()
                .any(|s| lower.starts_with(s) && lower.len() > s.len())
            {
                self.url(word, at);
            }
        }
    }

    /// An address that may be shown: https, a plain host that is on the list, no credentials.
    fn url(&mut self, text: &str, at: Location) {
        if !self.judges_texts {
            return;
        }
        let url = match Url::parse(text) {
            Ok(url) if text.chars().all(|c| c.is_ascii_graphic()) => url,
            _ => {
                self.error(
                    at,
                    format!("the link {text:?} is malformed"),
                    "write it as https://host/path",
                );
                return;
            }
        };
        let Some(host) = url.host_str().filter(|_| url.scheme() == "https") else {
            self.error(
                at,
                format!("the link {text:?} is not an https address"),
                "links must begin with https://",
            );
            return;
        };
        if !url.username().is_empty() || url.password().is_some() {
            self.error(
                at,
                format!("the link {text:?} carries a user name"),
                "write the address without the part before @",
            );
        }
        if let Some(hosts) = &self.link_hosts
            && !hosts.iter().any(|allowed| allowed == host)
        {
            self.error(
                at,
                format!("the link leads to {host}, which is not listed"),
                "correct the address, or add the host to `link_hosts` at the top of faq.yaml",
            );
        }
    }

    fn label(&mut self, raw: &TextYaml) -> Localised<String> {
        let label = self.text(raw);
        if [&label.ms, &label.en]
            .iter()
            .any(|text| text.chars().count() > LABEL_CHARS)
        {
            self.error(
                raw.referenced,
                format!("the label is longer than {LABEL_CHARS} characters"),
                "shorten it so that it fits on a button",
            );
        }
        label
    }

    fn answer(&mut self, raw: &AnswerYaml) -> Localised<Block> {
        match &raw.value {
            BlockForm::Prose(text) => Localised::same(Block {
                intro: self.clean(text, raw.referenced),
                ..Block::default()
            }),
            BlockForm::Parts { .. } => self.parts(raw),
            BlockForm::Map { ms, en } => Localised {
                ms: self.block(ms.as_deref(), raw.referenced, "ms"),
                en: self.block(en.as_deref(), raw.referenced, "en"),
            },
        }
    }

    fn block(&mut self, raw: Option<&BlockYaml>, at: Location, tag: &str) -> Block {
        let Some(raw) = raw else {
            self.missing_language(at, tag);
            return Block::default();
        };
        match &raw.value {
            BlockForm::Prose(text) => Block {
                intro: self.clean(text, raw.referenced),
                ..Block::default()
            },
            // One language: a plain text stands in both places, so either will do.
            BlockForm::Parts { .. } => self.parts(raw).ms,
            BlockForm::Map { .. } => {
                self.error(
                    raw.referenced,
                    "languages stand inside a language",
                    "keep one level of ms and en",
                );
                Block::default()
            }
        }
    }

    fn parts(&mut self, raw: &BlockYaml) -> Localised<Block> {
        let BlockForm::Parts { intro, steps, note } = &raw.value else {
            return Localised::default();
        };
        if intro.is_none() && steps.is_empty() && note.is_none() {
            self.error(raw.referenced, "the answer is empty", "write it");
        }
        let intro = intro.as_ref().map(|t| self.text(t)).unwrap_or_default();
        let steps: Vec<_> = steps.iter().map(|t| self.text(t)).collect();
        let note = note.as_ref().map(|t| self.text(t));
        let (ms_note, en_note) = note.map_or((None, None), |n| (Some(n.ms), Some(n.en)));
        Localised {
            ms: Block {
                intro: intro.ms,
                steps: steps.iter().map(|s| s.ms.clone()).collect(),
                note: ms_note,
            },
            en: Block {
                intro: intro.en,
                steps: steps.into_iter().map(|s| s.en).collect(),
                note: en_note,
            },
        }
    }

    fn link(&mut self, raw: &LinkYaml) -> Option<Link> {
        let label = self.label(&raw.label);
        let target = match (&raw.url, &raw.setting) {
            (Some(url), None) => {
                self.url(&url.value, url.referenced);
                LinkTarget::Url(url.value.clone())
            }
            (None, Some(setting)) => {
                let Some(target) = LinkTarget::from_setting(&setting.value) else {
                    self.error(
                        setting.referenced,
                        format!("there is no setting {:?} for a link", setting.value),
                        format!("use one of {}", LinkTarget::SETTINGS.join(", ")),
                    );
                    return None;
                };
                target
            }
            _ => {
                self.error(
                    raw.label.referenced,
                    "a link needs either `url` or `setting`",
                    "give one of the two",
                );
                return None;
            }
        };
        Some(Link { label, target })
    }

    fn other_reading(&mut self, raw: &OtherReadingYaml) -> OtherReading {
        OtherReading {
            unless: raw
                .unless
                .iter()
                .map(|word| self.spanned(word).to_lowercase())
                .collect(),
            target: raw.target.value.clone(),
            label: self.label(&raw.label),
        }
    }

    fn queue(&mut self, raw: &Spanned<String>) -> Option<Queue> {
        let queue = Queue::parse(&raw.value);
        if queue.is_none() {
            self.error(
                raw.referenced,
                format!("there is no queue {:?}", raw.value),
                format!("use one of {}", Queue::NAMES.join(", ")),
            );
        }
        queue
    }

    fn date(&mut self, raw: &Spanned<String>) -> Option<Date> {
        match raw.value.parse::<Date>() {
            Ok(date) => Some(date),
            Err(_) => {
                self.error(
                    raw.referenced,
                    format!("{:?} is not a date", raw.value),
                    "write it as 2026-11-22",
                );
                None
            }
        }
    }

    fn id(&mut self, raw: &Spanned<String>) -> String {
        let id = raw.value.trim();
        if id.is_empty() {
            self.error(raw.referenced, "the id is blank", "give the entry an id");
        }
        id.to_owned()
    }

    fn entry(&mut self, raw: &EntryYaml) -> Entry {
        let question = self.text(&raw.question);
        let label = match &raw.label {
            Some(label) => self.label(label),
            None => default_label(&question),
        };
        let source = raw.source.as_ref().map(|source| {
            if let Some(url) = &source.url {
                self.url(&url.value, url.referenced);
            }
            Provenance {
                title: self.spanned(&source.title),
                url: source.url.as_ref().map(|url| url.value.clone()),
            }
        });
        Entry {
            id: self.id(&raw.id),
            label,
            question,
            answer: self.answer(&raw.answer),
            links: raw.links.iter().filter_map(|l| self.link(l)).collect(),
            paraphrases: raw.paraphrases.iter().map(|p| self.spanned(p)).collect(),
            other_reading: raw.other_reading.as_ref().map(|o| self.other_reading(o)),
            action: raw.action.as_ref().map(|action| action_id(&action.value)),
            available: raw.available,
            queue: raw.queue.as_ref().and_then(|queue| self.queue(queue)),
            related: raw.related.iter().map(|id| id.value.clone()).collect(),
            source,
            reviewed: raw.reviewed.as_ref().and_then(|day| self.date(day)),
        }
    }
}

/// Turns one parsed file into the entries that it adds.
pub fn book_of(
    file: &str,
    raw: &FaqFile,
    judges_texts: bool,
    link_hosts: Option<&[String]>,
) -> (Book, Vec<Problem>) {
    let mut checker = Checker::new(file);
    checker.judges_texts = judges_texts;
    checker.version(raw.version.as_ref());
    checker.link_hosts = link_hosts.map(<[String]>::to_vec);
    let book = Book {
        entries: raw.entries.iter().map(|e| checker.entry(e)).collect(),
        out_of_scope: raw
            .out_of_scope
            .iter()
            .map(|t| checker.spanned(t))
            .collect(),
        menu: raw.menu.iter().map(|id| id.value.clone()).collect(),
    };
    (book, checker.problems)
}

/// Every way to ask for an entry as it is written, with its place.
pub fn asked(entry: &EntryYaml) -> impl Iterator<Item = (&str, Location)> {
    let paraphrases = entry.paraphrases.iter();
    questions(&entry.question).chain(paraphrases.map(|p| (p.value.as_str(), p.referenced)))
}

/// The questions of an entry with their places.
fn questions(raw: &TextYaml) -> impl Iterator<Item = (&str, Location)> {
    let (first, second) = match &raw.value {
        TextForm::Plain(text) => (Some((text.as_str(), raw.referenced)), None),
        TextForm::Map { ms, en } => (
            ms.as_ref().map(|t| (t.value.as_str(), t.referenced)),
            en.as_ref()
                .filter(|en| ms.as_ref().is_none_or(|ms| ms.value != en.value))
                .map(|t| (t.value.as_str(), t.referenced)),
        ),
    };
    first.into_iter().chain(second)
}

/// An action may be named with its prefix or without.
pub fn action_id(name: &str) -> String {
    let name = name.trim();
    let bare = name.strip_prefix(ACTION).unwrap_or(name);
    format!("{ACTION}{bare}")
}

fn is_forbidden(c: char) -> bool {
    let invisible = matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
    invisible || (c.is_control() && c != '\n')
}

fn has_markup(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        text.get(at + 1..)
            .and_then(|rest| rest.chars().next())
            .is_some_and(|c| c.is_ascii_alphabetic() || "/!?".contains(c))
    })
}

fn unknown_placeholder(text: &str, file: &str) -> Option<String> {
    if file.ends_with(source::MESSAGES) {
        return None;
    }
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('{') {
        let name = after.split_once('}').map_or(after, |(name, _)| name);
        let looks_like_one =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if looks_like_one && !Contacts::PLACEHOLDERS.contains(&name) {
            return Some(name.to_owned());
        }
        rest = after;
    }
    None
}

//! The knowledge after it was found good: entries that every part of the program can rely on.

use jiff::civil::Date;

use super::text::{Language, Localised};

/// Everything that can be answered, in the order of the files.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// Answers and intents.
    pub entries: Vec<Entry>,
    /// Questions that must be refused.
    pub out_of_scope: Vec<String>,
    /// Ids offered as first choices.
    pub menu: Vec<String>,
}

impl Book {
    /// The entry with this id.
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }
}

/// One thing that can be asked and its answer.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Stable identifier, as `portal-daftar` or `action:daftar`.
    pub id: String,
    /// Text of a button that leads here.
    pub label: Localised<String>,
    /// The question; also the answer's title.
    pub question: Localised<String>,
    /// The answer.
    pub answer: Localised<Block>,
    /// Links shown under the answer.
    pub links: Vec<Link>,
    /// Other ways to ask.
    pub paraphrases: Vec<String>,
    /// A second way to read the question.
    pub other_reading: Option<OtherReading>,
    /// What the bot offers to do.
    pub action: Option<String>,
    /// Whether it can be done at all now; an action that is switched off is explained and never offered.
    pub available: bool,
    /// Where an escalation from here goes.
    pub queue: Option<Queue>,
    /// Ids worth reading next.
    pub related: Vec<String>,
    /// Where the answer comes from.
    pub source: Option<Provenance>,
    /// The day on which somebody last checked the answer.
    pub reviewed: Option<Date>,
}

impl Entry {
    /// Every way to ask for this entry: its questions and paraphrases.
    pub fn utterances(&self) -> impl Iterator<Item = &str> {
        let english = (self.question.en != self.question.ms).then_some(self.question.en.as_str());
        std::iter::once(self.question.ms.as_str())
            .chain(english)
            .chain(self.paraphrases.iter().map(String::as_str))
    }
}

/// An answer in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Prose, or what is said before the steps.
    pub intro: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// What is said last.
    pub note: Option<String>,
}

impl Block {
    /// All the text of the block, for searching and for checks.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.intro.as_str())
            .chain(self.steps.iter().map(String::as_str))
            .chain(self.note.as_deref())
    }
}

/// A link under an answer.
#[derive(Clone, Debug)]
pub struct Link {
    /// What the link says.
    pub label: Localised<String>,
    /// Where it leads.
    pub target: LinkTarget,
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    /// A fixed address.
    Url(String),
    /// The address of the access form, where the setting names one.
    Form,
    /// The address of the user manual, where the setting names one.
    Manual,
}

impl LinkTarget {
    /// The names by which a knowledge file refers to a setting.
    pub const SETTINGS: [&str; 2] = ["form_url", "manual_url"];

    /// The target that a setting's name stands for.
    pub fn from_setting(name: &str) -> Option<Self> {
        match name {
            "form_url" => Some(Self::Form),
            "manual_url" => Some(Self::Manual),
            _ => None,
        }
    }
}

/// A second reading of a question, offered in one tap.
#[derive(Clone, Debug)]
pub struct OtherReading {
    /// Words whose presence settles the first reading, in lower case.
    pub unless: Vec<String>,
    /// The entry that the second reading means.
    pub target: String,
    /// The button's text.
    pub label: Localised<String>,
}

/// Who works on what is escalated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Unit Teknologi Maklumat: technical trouble.
    Teknikal,
    /// Seksyen Naziran & Khidmat Perunding: the application and its procedures.
    Naziran,
    /// The helpdesk itself.
    Helpdesk,
}

impl Queue {
    /// The names of the queues in the knowledge files.
    pub const NAMES: [&str; 3] = ["teknikal", "naziran", "helpdesk"];

    /// The name in the knowledge files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Teknikal => "teknikal",
            Self::Naziran => "naziran",
            Self::Helpdesk => "helpdesk",
        }
    }

    /// The queue of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "teknikal" => Some(Self::Teknikal),
            "naziran" => Some(Self::Naziran),
            "helpdesk" => Some(Self::Helpdesk),
            _ => None,
        }
    }
}

/// The document that an answer comes from.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// The document's name.
    pub title: String,
    /// Its address, where known.
    pub url: Option<String>,
}

/// What the id of an action begins with.
pub const ACTION: &str = "action:";

/// What kind of target an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// An answer.
    Answer,
    /// Something that the bot can do.
    Action,
    /// Courtesies.
    SmallTalk,
}

impl TargetKind {
    /// Reads the kind off an id's prefix.
    pub fn of(id: &str) -> Self {
        if id.starts_with(ACTION) {
            Self::Action
        } else if id.starts_with("smalltalk:") {
            Self::SmallTalk
        } else {
            Self::Answer
        }
    }
}

/// The longest text of a button, in characters.
pub const LABEL_CHARS: usize = 60;

/// Shortens a question to a button's text at a word's end.
pub fn shorten(text: &str) -> String {
    if text.chars().count() <= LABEL_CHARS {
        return text.to_owned();
    }
    let mut short = String::new();
    for word in text.split_whitespace() {
        if short.chars().count() + word.chars().count() + 2 > LABEL_CHARS {
            break;
        }
        if !short.is_empty() {
            short.push(' ');
        }
        short.push_str(word);
    }
    short.push('…');
    short
}

/// The button's text for an entry that gives none.
pub fn default_label(question: &Localised<String>) -> Localised<String> {
    Localised {
        ms: shorten(question.get(Language::Ms)),
        en: shorten(question.get(Language::En)),
    }
}

//! The YAML of `faq.yaml` and `intents.yaml`, as written by a person: every value keeps its place in the file.
//!
//! Nothing is judged here beyond the shape; `check` turns these into a [`Book`](super::book::Book) or into problems.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;

/// One knowledge file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaqFile {
    /// Format version; absent means 1.
    #[serde(default)]
    pub version: Option<Spanned<u64>>,
    /// The only hosts that a link may lead to; absent means any.
    #[serde(default)]
    pub link_hosts: Option<Vec<Spanned<String>>>,
    /// Ids offered as first choices.
    #[serde(default)]
    pub menu: Vec<Spanned<String>>,
    /// The entries.
    #[serde(default)]
    pub entries: Vec<EntryYaml>,
    /// Questions that must be refused.
    #[serde(default)]
    pub out_of_scope: Vec<Spanned<String>>,
}

/// One entry as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryYaml {
    /// Stable identifier.
    pub id: Spanned<String>,
    /// Text of a button that leads here.
    #[serde(default)]
    pub label: Option<TextYaml>,
    /// The question that this entry answers; also the answer's title.
    pub question: TextYaml,
    /// The answer.
    pub answer: AnswerYaml,
    /// Links shown under the answer.
    #[serde(default)]
    pub links: Vec<LinkYaml>,
    /// Other ways to ask, in any language or register.
    #[serde(default)]
    pub paraphrases: Vec<Spanned<String>>,
    /// A second way to read the question.
    #[serde(default)]
    pub other_reading: Option<OtherReadingYaml>,
    /// What the bot offers to do.
    #[serde(default)]
    pub action: Option<Spanned<String>>,
    /// `false` switches an action off: it is explained, and never offered or done.
    #[serde(default = "yes")]
    pub available: bool,
    /// Where an escalation from here goes.
    #[serde(default)]
    pub queue: Option<Spanned<String>>,
    /// Entries worth reading next.
    #[serde(default)]
    pub related: Vec<Spanned<String>>,
    /// Where the answer comes from.
    #[serde(default)]
    pub source: Option<SourceYaml>,
    /// The day on which somebody last checked the answer.
    #[serde(default)]
    pub reviewed: Option<Spanned<String>>,
}

fn yes() -> bool {
    true
}

/// A link: to a fixed address, or to one that a setting names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkYaml {
    /// What the link says.
    pub label: TextYaml,
    /// Where it leads.
    #[serde(default)]
    pub url: Option<Spanned<String>>,
    /// The setting that holds the address; without a value the link is left out.
    #[serde(default)]
    pub setting: Option<Spanned<String>>,
}

/// A second reading that is offered in one tap.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherReadingYaml {
    /// Not offered when the question has one of these words.
    #[serde(default)]
    pub unless: Vec<Spanned<String>>,
    /// The entry that the second reading means.
    pub target: Spanned<String>,
    /// The button's text.
    pub label: TextYaml,
}

/// Where an answer comes from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceYaml {
    /// The document's name.
    pub title: Spanned<String>,
    /// Its address, where known.
    #[serde(default)]
    pub url: Option<Spanned<String>>,
}

/// A text: a plain string for both languages, or `{ms, en}`.
pub type TextYaml = Spanned<TextForm>;

/// The two forms that a text may have.
#[derive(Debug)]
pub enum TextForm {
    /// One text for both languages.
    Plain(String),
    /// One text a language.
    Map {
        /// The Malay text.
        ms: Option<Spanned<String>>,
        /// The English text.
        en: Option<Spanned<String>>,
    },
}

/// An answer in one language: prose, or an introduction with steps and a note.
pub type BlockYaml = Spanned<BlockForm>;

/// The two forms that an answer's block may have.
#[derive(Debug)]
pub enum BlockForm {
    /// Prose.
    Prose(String),
    /// Introduction, steps, note: each optional.
    Parts {
        /// What is said first.
        intro: Option<Box<TextYaml>>,
        /// What to do, in order.
        steps: Vec<TextYaml>,
        /// What is said last.
        note: Option<Box<TextYaml>>,
    },
    /// A block a language.
    Map {
        /// The Malay block.
        ms: Option<Box<BlockYaml>>,
        /// The English block.
        en: Option<Box<BlockYaml>>,
    },
}

/// The answer as written; the same forms as a block.
pub type AnswerYaml = BlockYaml;

/// Scalars arrive typed from the parser; a knowledge text is the text of the scalar, whatever it looks like.
macro_rules! visit_scalars {
    ($build:expr) => {
        fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
            Ok($build(value.to_owned()))
        }
        fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
            Ok($build(value.to_string()))
        }
        fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
            Ok($build(value.to_string()))
        }
        fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
            Ok($build(value.to_string()))
        }
        fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
            Ok($build(value.to_string()))
        }
    };
}

impl<'de> Deserialize<'de> for TextForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = TextForm;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a map with the languages ms and en")
            }
            visit_scalars!(TextForm::Plain);
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TextForm, A::Error> {
                let (mut ms, mut en) = (None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "ms" => ms = Some(map.next_value()?),
                        "en" => en = Some(map.next_value()?),
                        other => return Err(A::Error::unknown_field(other, &["ms", "en"])),
                    }
                }
                Ok(TextForm::Map { ms, en })
            }
        }
        deserializer.deserialize_any(Form)
    }
}

const BLOCK_FIELDS: &[&str] = &["ms", "en", "intro", "steps", "note"];

impl<'de> Deserialize<'de> for BlockForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = BlockForm;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("prose, {intro, steps, note}, or a map with the languages ms and en")
            }
            visit_scalars!(BlockForm::Prose);
            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<BlockForm, A::Error> {
                Err(A::Error::custom("a list of steps stands under `steps:`"))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<BlockForm, A::Error> {
                let (mut ms, mut en) = (None, None);
                let (mut intro, mut steps, mut note) = (None, Vec::new(), None);
                let (mut by_language, mut by_part) = (false, false);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "ms" => ms = Some(Box::new(map.next_value()?)),
                        "en" => en = Some(Box::new(map.next_value()?)),
                        "intro" => intro = Some(Box::new(map.next_value()?)),
                        "steps" => steps = map.next_value()?,
                        "note" => note = Some(Box::new(map.next_value()?)),
                        other => return Err(A::Error::unknown_field(other, BLOCK_FIELDS)),
                    }
                    let language = matches!(key.as_str(), "ms" | "en");
                    by_language |= language;
                    by_part |= !language;
                }
                match (by_language, by_part) {
                    (true, true) => Err(A::Error::custom(
                        "languages and parts are mixed: put intro, steps and note under ms and en",
                    )),
                    (true, false) => Ok(BlockForm::Map { ms, en }),
                    (false, _) => Ok(BlockForm::Parts { intro, steps, note }),
                }
            }
        }
        deserializer.deserialize_any(Form)
    }
}

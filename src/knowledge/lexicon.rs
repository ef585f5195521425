//! `lexicon.yaml`: how people type Malay, shorthand, Kelantan dialect and English, as data.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_yaml::Spanned;

use super::cues::CuesYaml;
use super::problem::Problem;
use super::source::{self, FileText};

/// The language resources as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lexicon {
    /// Format version; absent means 1.
    #[serde(default)]
    pub version: Option<Spanned<u64>>,
    /// Words that tell the language of a question.
    #[serde(default)]
    pub function_words: FunctionWords,
    /// Words that no rule of spelling, suffix or root may touch.
    #[serde(default)]
    pub protected: Vec<String>,
    /// A form that means one thing only, and what it means.
    #[serde(default)]
    pub replace: BTreeMap<String, String>,
    /// A form that may mean several things: the readings stand beside it.
    #[serde(default)]
    pub alternatives: BTreeMap<String, Vec<String>>,
    /// Forms of one or more words that are one thing; the longest wins.
    #[serde(default)]
    pub concepts: BTreeMap<String, Vec<String>>,
    /// Inflected forms of one root.
    #[serde(default)]
    pub roots: BTreeMap<String, Vec<String>>,
    /// What a turn of a conversation does.
    #[serde(default)]
    pub cues: CuesYaml,
}

/// Words that occur in one language only.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionWords {
    /// Malay, chat and dialect.
    #[serde(default)]
    pub ms: Vec<String>,
    /// English.
    #[serde(default)]
    pub en: Vec<String>,
}

impl Lexicon {
    /// Parses the file.
    pub fn parse(file: &FileText) -> Result<Self, Vec<Problem>> {
        let lexicon: Self = source::parse(file).map_err(|p| vec![p])?;
        let mut checker = super::check::Checker::new(&file.shown);
        checker.version(lexicon.version.as_ref());
        checker.finish(lexicon)
    }
}

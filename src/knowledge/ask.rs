//! One question, one finding, nothing kept: what the command line prints and `POST /api/v1/ask` returns.

use std::sync::Arc;

use serde::Serialize;
use thiserror::Error;
use utoipa::ToSchema;

use super::Knowledge;
use super::answer::Answer;
use super::router::Outcome;
use super::text::Language;

/// A longer question is refused, in characters.
pub const MAX_CHARS: usize = 4_096;

/// What was found for a question.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Finding {
    /// What the router made of it.
    pub outcome: Outcome,
    /// The best candidate's id; `null` on fallback.
    pub target: Option<String>,
    /// The probability that the best candidate is meant.
    pub confidence: f64,
    /// The language of the answer.
    pub lang: Language,
    /// The answer, if and only if the outcome is `answer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Answer>)]
    pub answer: Option<Arc<Answer>>,
    /// Best first; on `clarify` these are offered.
    pub candidates: Vec<FoundCandidate>,
    /// How loudly the networks say that it must be refused, from 0 to 1.
    #[serde(skip)]
    pub refusal: f64,
}

/// One entry that may be meant.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FoundCandidate {
    /// The entry's id.
    pub target: String,
    /// Text of a button that leads there.
    pub label: String,
    /// The probability that it is meant.
    pub confidence: f64,
}

/// Why a question is not even searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unaskable {
    /// No character that could be read.
    #[error("the text is empty")]
    Empty,
    /// Over [`MAX_CHARS`].
    #[error("the text is longer than {MAX_CHARS} characters")]
    TooLong,
}

/// Whether a text can be asked at all.
pub fn askable(text: &str) -> Result<(), Unaskable> {
    if text.len() > MAX_CHARS && text.chars().count() > MAX_CHARS {
        return Err(Unaskable::TooLong);
    }
    let readable = |c: char| {
        !c.is_whitespace()
            && !c.is_control()
            && !matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    if text.chars().any(readable) {
        Ok(())
    } else {
        Err(Unaskable::Empty)
    }
}

/// In which language to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyLanguage {
    /// In this one.
    Fixed(Language),
    /// In that of the question, or in the other one where its words do not tell it.
    OfQuestion {
        /// The language of a question that does not tell.
        otherwise: Language,
    },
}

impl From<Option<Language>> for ReplyLanguage {
    fn from(wanted: Option<Language>) -> Self {
        let otherwise = Language::default();
        wanted.map_or(Self::OfQuestion { otherwise }, Self::Fixed)
    }
}

/// Asks the knowledge.
pub fn ask(knowledge: &Knowledge, text: &str, language: ReplyLanguage) -> tantivy::Result<Finding> {
    ask_expecting(knowledge, text, &[], language)
}

/// Asks the knowledge where some entries are more to be expected than others.
pub fn ask_expecting(
    knowledge: &Knowledge,
    text: &str,
    expected: &[(usize, f32)],
    language: ReplyLanguage,
) -> tantivy::Result<Finding> {
    let routing = knowledge.route_expecting(text, expected)?;
    let lang = match language {
        ReplyLanguage::Fixed(language) => language,
        ReplyLanguage::OfQuestion { otherwise } => routing.language.unwrap_or(otherwise),
    };
    let candidates: Vec<FoundCandidate> = routing
        .candidates
        .iter()
        .filter_map(|candidate| {
            let entry = knowledge.entry(candidate.entry)?;
            Some(FoundCandidate {
                target: entry.id.clone(),
                label: entry.label.get(lang).clone(),
                confidence: candidate.confidence,
            })
        })
        .collect();
    let best = routing.candidates.first();
    let answer = best
        .filter(|_| routing.outcome == Outcome::Answer)
        .and_then(|best| knowledge.answer(best.entry, lang).cloned());
    let target = candidates.first().map(|best| best.target.clone());
    Ok(Finding {
        outcome: routing.outcome,
        target: target.filter(|_| routing.outcome != Outcome::Fallback),
        confidence: routing.confidence,
        lang,
        answer,
        candidates,
        refusal: routing.refusal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_empty_and_4097_characters_are_too_long() {
        for blank in ["", "  \n\t", "\u{200B}\u{202E}", "\0\0"] {
            assert_eq!(askable(blank), Err(Unaskable::Empty));
        }
        assert_eq!(askable(&"é".repeat(4_096)), Ok(()));
        assert_eq!(askable(&"é".repeat(4_097)), Err(Unaskable::TooLong));
        assert_eq!(askable("?"), Ok(()));
    }
}

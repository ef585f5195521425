//! A conversation that nobody keeps: the engine's decisions without a database, for measuring dialogues.

use jiff::civil::Date;

use super::action::Personal;
use super::handoff::Desk;
use super::message::Content;
use super::state::State;
use super::trouble::News;
use super::turn::{Circumstances, decide};
use crate::identity::Standing;
use crate::knowledge::Knowledge;
use crate::knowledge::ask::Finding;
use crate::knowledge::text::Language;

/// What is remembered from turn to turn.
#[derive(Debug, Default)]
pub struct Rehearsal {
    state: State,
    language: Language,
}

/// What came of one turn.
#[derive(Debug)]
pub struct Said {
    /// What the reply is about; none where nothing fitted.
    pub target: Option<String>,
    /// What the router found, unless the turn was a choice.
    pub routed: Option<Finding>,
    /// The language of the reply.
    pub language: Language,
}

impl Rehearsal {
    /// One turn, as a person types it on that day.
    pub fn say(&mut self, knowledge: &Knowledge, text: &str, today: Date) -> Said {
        let content = Content::Text(text.to_owned());
        let nobody = Standing::default();
        let desk = Desk::default();
        let news = News::default();
        let circumstances = Circumstances {
            transcript_days: 0,
            today,
            first: false,
            offered: false,
            personal: Personal::nobody(&nobody),
            desk: &desk,
            news: &news,
        };
        let Ok(decision) = decide(
            knowledge,
            &self.state,
            self.language,
            &content,
            circumstances,
        ) else {
            return Said {
                target: None,
                routed: None,
                language: self.language,
            };
        };
        self.state = decision.state;
        self.language = decision.language;
        Said {
            target: decision.replies.into_iter().find_map(|reply| reply.target),
            routed: decision.routed,
            language: decision.language,
        }
    }
}

//! What a turn means after what was said before it: the router sees one text and keeps nothing, understanding across
//! turns rests here.

use super::state::State;
use crate::knowledge::Knowledge;
use crate::knowledge::ask::{Finding, ReplyLanguage, ask, ask_expecting};
use crate::knowledge::cues::normal;
use crate::knowledge::router::Outcome;

/// A turn that is understood by itself this surely needs no context.
const SURE: f64 = 0.9;
/// So surely, it is not asked again together with what was said before, which always sounds surer.
const CLEAR_ENOUGH: f64 = 0.6;
/// So loud a refusal is not explained away by what was said before.
const REFUSED: f64 = 0.97;
/// Up to so many words a turn may lean on the one before; that which says so by its words, up to as many again.
const LEANING: usize = 8;
/// A turn that says so and is no longer than this means nothing by itself, in words.
const POINTING: usize = 4;
/// What speaks for an entry that was just offered, and for the one that was just spoken of, in logits.
const OFFERED: f32 = 4.0;
const SPOKEN_OF: f32 = 1.5;
/// What speaks against an entry that the person says they did not mean.
const RULED_OUT: f32 = 20.0;

/// A turn with what was said before it.
pub struct Context<'a> {
    knowledge: &'a Knowledge,
    state: &'a State,
    language: ReplyLanguage,
}

impl<'a> Context<'a> {
    /// The context that a conversation's state gives.
    pub fn new(knowledge: &'a Knowledge, state: &'a State, language: ReplyLanguage) -> Self {
        Self {
            knowledge,
            state,
            language,
        }
    }

    /// What a turn asks.
    pub fn understand(&self, text: &str) -> tantivy::Result<Finding> {
        let turn = normal(text);
        if let Some(meant) = self.knowledge.cues().corrected(&turn)
            && self.state.topic().is_some()
            && !meant.is_empty()
            && let Some(finding) = self.corrected(meant)?
        {
            return Ok(finding);
        }
        if let Some(chosen) = self.chosen(text, &turn)? {
            return Ok(chosen);
        }
        let alone = self.with_facts(text, &turn)?;
        let follows = self.knowledge.cues().follows(&turn);
        let words = turn.split(' ').count();
        let leans = words <= if follows { 2 * LEANING } else { LEANING };
        let clear = alone.outcome == Outcome::Answer && alone.confidence >= SURE;
        let refused = alone.refusal >= REFUSED;
        let points = follows && words <= POINTING;
        if !leans || (clear || refused) && !points {
            return Ok(alone);
        }
        let Some(together) = self.together(text, &turn)? else {
            return Ok(alone);
        };
        if refused && together.refusal >= REFUSED {
            return Ok(alone);
        }
        // Both point to the same thing, or the turn by itself points nowhere.
        let among = alone
            .candidates
            .iter()
            .map(|candidate| Some(&candidate.target));
        let agreed = alone.outcome != Outcome::Answer
            && among
                .into_iter()
                .any(|target| target == together.target.as_ref());
        let better = points || agreed || alone.confidence < CLEAR_ENOUGH;
        let found = together.outcome != Outcome::Fallback;
        Ok(if found && better { together } else { alone })
    }

    /// The turn by itself; who the person is and which system they speak of counts where it makes it clearer.
    fn with_facts(&self, text: &str, turn: &str) -> tantivy::Result<Finding> {
        let alone = ask(self.knowledge, text, self.language)?;
        let clear = alone.outcome == Outcome::Answer && alone.confidence >= SURE;
        let cues = self.knowledge.cues();
        let system = self
            .state
            .system()
            .filter(|_| !clear && cues.system(turn).is_none());
        let person = self.state.person().filter(|_| cues.person(turn).is_none());
        for (fact, at_least) in [(person, CLEAR_ENOUGH), (system, SURE.max(alone.confidence))] {
            let Some(fact) = fact else {
                continue;
            };
            let told = ask(self.knowledge, &format!("{text} {fact}"), self.language)?;
            if told.outcome == Outcome::Answer && told.confidence >= at_least {
                return Ok(told);
            }
        }
        Ok(alone)
    }

    /// The turn as the choice among what was just offered, if it leans on that.
    fn chosen(&self, text: &str, turn: &str) -> tantivy::Result<Option<Finding>> {
        if self.state.list().is_empty() || turn.split(' ').count() > LEANING {
            return Ok(None);
        }
        let offered = |target: &str| self.state.list().iter().any(|listed| listed == target);
        let places = self.state.list().iter();
        let places = places.filter_map(|id| self.knowledge.place(id));
        let expected: Vec<_> = places.map(|place| (place, OFFERED)).collect();
        let said = self.state.said();
        let mut best: Option<Finding> = None;
        for asked in [text.to_owned(), format!("{said} {text}")] {
            let finding = ask_expecting(self.knowledge, &asked, &expected, self.language)?;
            let target = finding.target.as_deref();
            let chosen = finding.outcome == Outcome::Answer && target.is_some_and(offered);
            let surer = best
                .as_ref()
                .is_none_or(|best| finding.confidence > best.confidence);
            if chosen && surer {
                best = Some(finding);
            }
        }
        Ok(best)
    }

    /// The turn and what it goes on from, as one question.
    fn together(&self, text: &str, turn: &str) -> tantivy::Result<Option<Finding>> {
        let Some(topic) = self.state.topic() else {
            return Ok(None);
        };
        let said = normal(&self.state.said());
        let opposed = self.knowledge.cues().opposed(&said, turn);
        let place = self.knowledge.place(topic).filter(|_| opposed.is_none());
        let expected: Vec<_> = place.map(|place| (place, SPOKEN_OF)).into_iter().collect();
        let said = opposed.unwrap_or(said);
        let asked = format!("{said} {text}");
        ask_expecting(self.knowledge, &asked, &expected, self.language).map(Some)
    }

    /// What is meant instead of what was understood before; the last topic is no more to be expected.
    fn corrected(&self, meant: &str) -> tantivy::Result<Option<Finding>> {
        let wrong = self
            .state
            .topic()
            .and_then(|topic| self.knowledge.place(topic));
        let family: Vec<_> = (0..self.knowledge.book().entries.len())
            .filter(|place| wrong.is_some_and(|wrong| self.knowledge.are_family(*place, wrong)))
            .map(|place| (place, -RULED_OUT))
            .collect();
        let said = normal(&self.state.said());
        let before = self.knowledge.cues().opposed(&said, meant);
        let texts = std::iter::once(meant.to_owned())
            .chain(before.map(|before| format!("{before} {meant}")));
        let mut best: Option<Finding> = None;
        for text in texts {
            let finding = ask_expecting(self.knowledge, &text, &family, self.language)?;
            let found = finding.outcome != Outcome::Fallback;
            let surer = best
                .as_ref()
                .is_none_or(|best| finding.confidence > best.confidence);
            if found && surer {
                best = Some(finding);
            }
        }
        Ok(best)
    }
}

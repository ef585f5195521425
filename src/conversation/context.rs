//! What a turn means after what was said before it: the router sees one text and keeps nothing, understanding across
//! turns rests here.

use super::state::State;
use crate::knowledge::Knowledge;
use crate::knowledge::ask::{Finding, ReplyLanguage, ask, ask_expecting};
use crate::knowledge::book::TargetKind;
use crate::knowledge::contrast;
use crate::knowledge::cues::normal;
use crate::knowledge::router::Outcome;

/// A turn that is understood by itself this surely needs no context.
const SURE: f64 = 0.9;
/// So surely, it is not asked again together with what was said before, which always sounds surer.
const CLEAR_ENOUGH: f64 = 0.6;
const QUITE_SURE: f64 = 0.8;
/// So loud a refusal is not explained away by what was said before.
const REFUSED: f64 = 0.94;
/// So loud a refusal chooses nothing from a list.
const LIKELY_REFUSED: f64 = 0.5;
/// Up to so many words a turn may lean on the one before; that which says so by its words, up to as many again.
const LEANING: usize = 8;
/// A longer turn does not put one word in the place of its opposite, in words.
const OPPOSING: usize = 5;
/// So short a turn has to be sure to be understood by itself, in words.
const SHORT: usize = 3;
/// A turn that says so and is no longer than this means nothing by itself, in words.
const POINTING: usize = 4;
/// What speaks for an entry that was just offered, and for the one that was just spoken of, in logits.
const OFFERED: f32 = 4.0;
const SPOKEN_OF: f32 = 1.5;
/// What speaks against an entry that the person says they did not mean.
const RULED_OUT: f32 = 1e4;

/// What a turn asks, and how it is remembered: without what was said not to be meant.
pub struct Understood {
    /// What was found.
    pub finding: Finding,
    /// What the turn says.
    pub said: String,
}

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

    /// What a turn asks; `heard` is the turn as it may be kept.
    pub fn understand(&self, text: &str, heard: &str) -> tantivy::Result<Understood> {
        let cues = self.knowledge.cues();
        let turn = normal(text);
        let lang = ask(self.knowledge, text, self.language)?.lang;
        let spoken = |mut finding: Finding, said: &str| {
            // What was said before does not change the language of this turn.
            finding.lang = lang;
            let said = said.to_owned();
            Understood { finding, said }
        };
        if let Some(meant) = cues.corrected(&turn)
            && self.state.topic().is_some()
            && let Some(finding) = self.corrected(meant)?
        {
            let kept = normal(heard);
            return Ok(spoken(finding, cues.corrected(&kept).unwrap_or_default()));
        }
        let meant = contrast::meant(text);
        let finding = self.in_context(&meant, &normal(&meant))?;
        Ok(spoken(finding, &contrast::meant(heard)))
    }

    fn in_context(&self, text: &str, turn: &str) -> tantivy::Result<Finding> {
        let alone = self.with_facts(text, turn)?;
        if let Some(chosen) = self.chosen(text, turn, &alone)? {
            return Ok(chosen);
        }
        let follows = self.knowledge.cues().follows(turn);
        let words = turn.split(' ').count();
        let leans = words <= if follows { 2 * LEANING } else { LEANING };
        let clear = alone.outcome == Outcome::Answer && alone.confidence >= SURE;
        let refused = alone.refusal >= REFUSED;
        let cues = self.knowledge.cues();
        let points = follows && words <= POINTING || cues.names_a_system_only(turn);
        if !leans || refused || clear && !points {
            return Ok(alone);
        }
        let Some(together) = self.together(text, turn)? else {
            return Ok(alone);
        };
        let enough = if words <= SHORT {
            QUITE_SURE
        } else {
            CLEAR_ENOUGH
        };
        let better = points || alone.outcome != Outcome::Answer || alone.confidence < enough;
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
        if let Some(person) = person {
            let told = ask(
                self.knowledge,
                &format!("saya {person} {text}"),
                self.language,
            )?;
            let sure = told.outcome == Outcome::Answer && told.confidence >= CLEAR_ENOUGH;
            if sure && (!clear || self.are_related(&alone, &told)) {
                return Ok(told);
            }
        }
        if let Some(system) = system {
            let told = ask(self.knowledge, &format!("{text} {system}"), self.language)?;
            let sure = told.outcome == Outcome::Answer && told.confidence >= SURE;
            if sure && told.confidence > alone.confidence {
                return Ok(told);
            }
        }
        Ok(alone)
    }

    /// Whether the one finding's entry names the other's as worth reading next.
    fn are_related(&self, one: &Finding, other: &Finding) -> bool {
        let names = |from: &Finding, to: &Finding| {
            let from = from.target.as_deref();
            let entry = from.and_then(|id| self.knowledge.book().entry(id));
            entry.is_some_and(|entry| {
                let mut related = entry.related.iter();
                related.any(|id| Some(id) == to.target.as_ref())
            })
        };
        names(one, other) || names(other, one)
    }

    /// The turn as the choice among what was just offered, if it leans on that; `alone` is the turn by itself.
    fn chosen(&self, text: &str, turn: &str, alone: &Finding) -> tantivy::Result<Option<Finding>> {
        let offered = |target: &str| self.state.list().iter().any(|listed| listed == target);
        let clear = alone.outcome == Outcome::Answer && alone.confidence >= SURE;
        let elsewhere = alone.refusal >= LIKELY_REFUSED
            || clear && !alone.target.as_deref().is_some_and(offered);
        if self.state.list().is_empty() || elsewhere || turn.split(' ').count() > LEANING {
            return Ok(None);
        }
        let asked = |id: &&String| TargetKind::of(id) != TargetKind::SmallTalk;
        let places = self.state.list().iter().filter(asked);
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
        let opposed = opposed.filter(|_| turn.split(' ').count() <= OPPOSING);
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
        if meant.is_empty() {
            // "Bukan tu", and nothing else: what else may have been meant is offered.
            let mut finding = ask_expecting(self.knowledge, &said, &family, self.language)?;
            finding.outcome = Outcome::Clarify;
            return Ok(Some(finding).filter(|finding| finding.candidates.len() > 1));
        }
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

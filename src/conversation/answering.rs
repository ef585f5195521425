//! What is said to a question: an answer with what can be asked after it, a choice, or whom to contact. Pure, like every
//! decision.

use super::handoff::OFFICER;
use super::message::{Choice, Kind, Reply};
use super::turn::{ENTRY_VALUE, NONE_VALUE, TO_CHOOSE, Turn, entry_choice, menu};
use crate::knowledge::answer::Answer;
use crate::knowledge::ask::Finding;
use crate::knowledge::book::{Entry, TargetKind};
use crate::knowledge::period::{self, Period};

/// What is older is not spoken of as if it could be had; what the portal lists decides, not this.
const KEPT_YEARS: i16 = 2;
/// What is had by the month, and by the year.
pub(super) const OF_A_MONTH: [&str; 1] = ["action:slip-gaji"];
pub(super) const OF_A_YEAR: [&str; 2] = ["action:penyata-tahunan", "portal-penyata-tahunan"];
/// Entries offered after an answer.
const RELATED: usize = 3;

impl Turn<'_> {
    /// Does what an entry does, or answers with what the knowledge says.
    pub(super) fn answer(&mut self, entry: &Entry, asked: Option<&str>) {
        let trouble = self.trouble_with(entry, asked.is_some());
        if let Some(trouble) = &trouble {
            if self.is_overtaken(entry) {
                return self.say_trouble_alone(trouble, &entry.id);
            }
            self.say_trouble_first(trouble);
        }
        if !self.acts(entry) {
            self.explain(entry, asked);
        }
        if let Some(trouble) = &trouble {
            self.offer_to_tell(trouble);
        }
    }

    /// Answers with what the knowledge says.
    pub(super) fn explain(&mut self, entry: &Entry, asked: Option<&str>) {
        let place = self.knowledge.place(&entry.id);
        let answer = place.and_then(|place| self.knowledge.answer(place, self.language));
        let Some(answer) = answer else {
            return self.fall_back();
        };
        let reply = Reply::text(answer.plain_text()).about(&entry.id);
        let reply = match TargetKind::of(&entry.id) {
            TargetKind::SmallTalk => reply.choices(menu(self.knowledge, self.language)),
            TargetKind::Answer | TargetKind::Action => {
                let mut reply = reply.kind(Kind::Answer).choices(self.next(entry, asked));
                reply.body.answer = serde_json::to_value(self.titled(entry, answer)).ok();
                reply
            }
        };
        self.replies.push(reply);
    }

    /// The answer with the month or year that was asked for in its title, where it is about one.
    fn titled(&self, entry: &Entry, answer: &Answer) -> Answer {
        let mut answer = answer.clone();
        let kept = |period: &Period| self.circumstances.today.year() - period.year <= KEPT_YEARS;
        let period = self.state.period().filter(kept);
        let period = period.filter(|period| match period.month {
            Some(_) => OF_A_MONTH.contains(&entry.id.as_str()),
            None => OF_A_YEAR.contains(&entry.id.as_str()),
        });
        if let Some(period) = period {
            let shown = period.shown(self.language);
            answer.title = format!("{} ({shown})", entry.label.get(self.language));
        }
        answer
    }

    /// What can be pressed after an answer: the other reading of the question, and what is related. An action is not
    /// among it while its answer has no more to say than this one.
    fn next(&self, entry: &Entry, asked: Option<&str>) -> Vec<Choice> {
        let mut choices: Vec<Choice> = Vec::new();
        if let (Some(other), Some(asked)) = (&entry.other_reading, asked) {
            let asked = asked.to_lowercase();
            let mut words = asked.split(|c: char| !c.is_alphanumeric());
            if !words.any(|word| other.unless.iter().any(|unless| unless == word)) {
                choices.push(Choice {
                    value: format!("{ENTRY_VALUE}{}", other.target),
                    label: other.label.get(self.language).clone(),
                });
            }
        }
        let offered = entry.action.as_ref().filter(|id| self.can_do(id));
        for id in offered.into_iter().chain(&entry.related) {
            let known = choices
                .iter()
                .any(|c| c.value.strip_prefix(ENTRY_VALUE) == Some(id));
            if !known && choices.len() <= RELATED {
                choices.extend(entry_choice(self.knowledge, id, self.language));
            }
        }
        choices
    }

    /// Lets the person choose among what may be meant.
    pub(super) fn clarify(&mut self, finding: &Finding, said: &str) {
        let messages = self.knowledge.messages();
        let mut choices: Vec<Choice> = finding
            .candidates
            .iter()
            .filter_map(|c| entry_choice(self.knowledge, &c.target, self.language))
            .collect();
        choices.push(Choice {
            value: NONE_VALUE.to_owned(),
            label: messages.none_of_these.get(self.language).clone(),
        });
        let reply = Reply::text(messages.clarify.get(self.language).clone());
        let reply = reply.kind(Kind::Choices).about(TO_CHOOSE);
        self.replies.push(reply.choices(choices));
        let candidates = finding.candidates.iter();
        let targets = candidates.map(|c| c.target.clone()).collect();
        self.state.list_to_choose(targets, said);
        if let Some(period) = period::named(said, self.circumstances.today) {
            self.state.set_period(period);
        }
    }

    /// After several questions that nothing answers: an officer, first of all.
    pub(super) fn offer_officer(&mut self) {
        if !self.has_desk() {
            return self.fall_back();
        }
        let sentence = self.knowledge.messages().fallback_again.get(self.language);
        let officer = entry_choice(self.knowledge, OFFICER, self.language);
        let others = menu(self.knowledge, self.language).into_iter();
        let others = others.filter(|choice| Some(choice) != officer.as_ref());
        let choices = officer.iter().cloned().chain(others).collect();
        let reply = Reply::text(sentence.clone());
        self.replies.push(reply.choices(choices));
    }

    /// Says that there is no answer, and whom to contact.
    pub(super) fn fall_back(&mut self) {
        let sentence = self.knowledge.messages().fallback.get(self.language);
        let sentence = self.knowledge.contacts().fill(sentence);
        let reply = Reply::text(sentence).choices(menu(self.knowledge, self.language));
        self.replies.push(reply);
    }
}

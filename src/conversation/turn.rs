//! One message being decided: pure, from what is known to what is said. Nothing is written here.

use super::message::{Choice, Content, Kind, Reply};
use super::state::State;
use crate::knowledge::Knowledge;
use crate::knowledge::ask::{Finding, ReplyLanguage, ask};
use crate::knowledge::book::{Entry, TargetKind};
use crate::knowledge::messages::fill;
use crate::knowledge::router::Outcome;
use crate::knowledge::text::Language;
use crate::redact::{redact, without_numbers};

const LANGUAGE_VALUE: &str = "lang:";
const ENTRY_VALUE: &str = "entry:";
const NONE_VALUE: &str = "none";
/// Entries offered after an answer.
const RELATED: usize = 3;

/// What was decided for one message.
#[derive(Debug)]
pub struct Decision {
    /// The person's message as it may be kept.
    pub heard: String,
    /// What the bot says.
    pub replies: Vec<Reply>,
    /// The conversation's language from now on.
    pub language: Language,
    /// What is remembered from now on.
    pub state: State,
    /// What the router found, for messages that were routed.
    pub routed: Option<Finding>,
}

/// A choice that is not offered any more, or never was.
#[derive(Debug, PartialEq, Eq)]
pub struct ChoiceExpired;

/// The first messages of a conversation: a welcome and what is kept.
pub fn opening(knowledge: &Knowledge, language: Language, transcript_days: u32) -> Vec<Reply> {
    let messages = knowledge.messages();
    vec![
        privacy(knowledge, language, transcript_days),
        Reply::text(messages.welcome.get(language).clone()).choices(menu(knowledge, language)),
    ]
}

/// Decides what is said to one message.
pub fn decide(
    knowledge: &Knowledge,
    state: &State,
    language: Language,
    content: &Content,
    transcript_days: u32,
) -> Result<Decision, ChoiceExpired> {
    let mut turn = Turn {
        knowledge,
        transcript_days,
        language,
        replies: Vec::new(),
        routed: None,
    };
    let heard = match content {
        Content::Choice(value) => {
            let always = value.starts_with(LANGUAGE_VALUE);
            if !always && !state.has_offered(value) {
                return Err(ChoiceExpired);
            }
            turn.chosen(value)?
        }
        Content::Text(text) => {
            let named = state.named(text).map(|choice| choice.value.clone());
            match named.and_then(|value| turn.chosen(&value).ok()) {
                Some(label) => label,
                None => {
                    // A number of a person says nothing about the question.
                    turn.asked(&without_numbers(text));
                    redact(text)
                }
            }
        }
    };
    let mut state = state.clone();
    let choices = turn.replies.iter().flat_map(|r| r.body.choices.clone());
    state.offer(choices.collect());
    Ok(Decision {
        heard,
        replies: turn.replies,
        language: turn.language,
        state,
        routed: turn.routed,
    })
}

struct Turn<'a> {
    knowledge: &'a Knowledge,
    transcript_days: u32,
    language: Language,
    replies: Vec<Reply>,
    routed: Option<Finding>,
}

impl Turn<'_> {
    /// Does what a choice says; returns the label that stands for it in the transcript.
    fn chosen(&mut self, value: &str) -> Result<String, ChoiceExpired> {
        if let Some(tag) = value.strip_prefix(LANGUAGE_VALUE) {
            self.language = Language::parse(tag).ok_or(ChoiceExpired)?;
            let privacy = privacy(self.knowledge, self.language, self.transcript_days);
            self.replies.push(privacy);
            let sentence = self.knowledge.messages().language_set.get(self.language);
            let reply = Reply::text(sentence.clone());
            self.replies
                .push(reply.choices(menu(self.knowledge, self.language)));
            let label = match self.language {
                Language::Ms => "Bahasa Melayu",
                Language::En => "English",
            };
            return Ok(label.to_owned());
        }
        if value == NONE_VALUE {
            self.fall_back();
            let label = &self.knowledge.messages().none_of_these;
            return Ok(label.get(self.language).clone());
        }
        let id = value.strip_prefix(ENTRY_VALUE).ok_or(ChoiceExpired)?;
        let entry = self.knowledge.book().entry(id).ok_or(ChoiceExpired)?;
        let label = entry.label.get(self.language).clone();
        self.answer(entry, None);
        Ok(label)
    }

    /// Routes a typed question and answers, asks back, or says whom to contact.
    fn asked(&mut self, text: &str) {
        let language = ReplyLanguage::OfQuestion {
            otherwise: self.language,
        };
        // The index fails only by a fault of the program: the person is still told whom to contact.
        let Ok(finding) = ask(self.knowledge, text, language) else {
            tracing::error!("the index failed");
            return self.fall_back();
        };
        self.language = finding.lang;
        let book = self.knowledge.book();
        match finding.outcome {
            Outcome::Answer => {
                let target = finding.target.as_deref();
                if let Some(entry) = target.and_then(|id| book.entry(id)) {
                    self.answer(entry, Some(text));
                }
            }
            Outcome::Clarify => self.clarify(&finding),
            Outcome::Fallback => self.fall_back(),
        }
        self.routed = Some(finding);
    }

    fn answer(&mut self, entry: &Entry, asked: Option<&str>) {
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
                reply.body.answer = serde_json::to_value(answer.as_ref()).ok();
                reply
            }
        };
        self.replies.push(reply);
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
        for id in &entry.related {
            let known = choices
                .iter()
                .any(|c| c.value.strip_prefix(ENTRY_VALUE) == Some(id));
            if !known && choices.len() <= RELATED {
                choices.extend(entry_choice(self.knowledge, id, self.language));
            }
        }
        choices
    }

    fn clarify(&mut self, finding: &Finding) {
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
        let reply = reply.kind(Kind::Choices).about("control:jelas");
        self.replies.push(reply.choices(choices));
    }

    fn fall_back(&mut self) {
        let sentence = self.knowledge.messages().fallback.get(self.language);
        let sentence = self.knowledge.contacts().fill(sentence);
        let reply = Reply::text(sentence).choices(menu(self.knowledge, self.language));
        self.replies.push(reply);
    }
}

/// What is kept, and for how long.
fn privacy(knowledge: &Knowledge, language: Language, transcript_days: u32) -> Reply {
    let days = transcript_days.to_string();
    let sentence = &knowledge.messages().privacy;
    Reply::text(fill(sentence, language, &[("days", &days)])).kind(Kind::Notice)
}

fn menu(knowledge: &Knowledge, language: Language) -> Vec<Choice> {
    let menu = knowledge.book().menu.iter();
    menu.filter_map(|id| entry_choice(knowledge, id, language))
        .collect()
}

fn entry_choice(knowledge: &Knowledge, id: &str, language: Language) -> Option<Choice> {
    let entry = knowledge.book().entry(id)?;
    Some(Choice {
        value: format!("{ENTRY_VALUE}{id}"),
        label: entry.label.get(language).clone(),
    })
}

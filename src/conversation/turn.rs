//! One message being decided: pure, from what is known to what is said. Nothing is written here.

use jiff::civil::Date;

use super::action::{Effects, Personal, Wish};
use super::command::Command;
use super::context::{Context, Understood};
use super::handoff::Desk;
use super::message::{Choice, Content, Kind, Pressed, Reply};
use super::state::State;
use super::trouble::{self, News};
use crate::knowledge::Knowledge;
use crate::knowledge::ask::{Finding, ReplyLanguage, ask};
use crate::knowledge::book::TargetKind;
use crate::knowledge::cues::normal;
use crate::knowledge::messages::{Messages, fill};
use crate::knowledge::period;
use crate::knowledge::router::Outcome;
use crate::knowledge::text::{Language, Localised};
use crate::redact::{redact, without_numbers};
use crate::ticket::TicketNumber;

pub(super) const LANGUAGE_VALUE: &str = "lang:";
pub(super) const ENTRY_VALUE: &str = "entry:";
pub(super) const NONE_VALUE: &str = "none";
pub(super) const ERASE_VALUE: &str = "erase:yes";
pub(super) const KEEP_VALUE: &str = "erase:no";
/// What replies are about that are no answer: something to choose from, something taken back.
pub(super) const TO_CHOOSE: &str = "control:jelas";
const CANCELLED: &str = "control:batal";
/// What stands in the transcript for something that was no text.
pub(super) const NO_TEXT: &str = "[…]";
/// Things that are taken from one message, at most, each understood at least so surely.
const SEVERAL: usize = 3;
const SURE_OF_EACH: f64 = 0.75;
/// Who names a ticket and writes no more letters than this asks how far it is.
const NAMING: usize = 32;
/// So many questions in a row that are not understood, an officer is offered.
const MISSED: usize = 2;

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
    /// Whether everything that was said is to be deleted.
    pub erase: bool,
    /// What is to be done besides.
    pub effects: Effects,
}

impl Decision {
    /// Says something before everything else.
    pub fn insert_reply(&mut self, reply: Reply) {
        self.replies.insert(0, reply);
        if let Some(document) = &mut self.effects.document {
            document.reply += 1;
        }
    }
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

/// What a decision needs to know besides what was said.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// How long transcripts are kept, in days.
    pub transcript_days: u32,
    /// The day on which it is said.
    pub today: Date,
    /// Whether it is the first message: what is kept was not told yet.
    pub first: bool,
    /// Whether a pressed choice stands under a message of this conversation's.
    pub offered: bool,
    /// Who the person is known to be, and what can be done for them here.
    pub personal: Personal<'a>,
    /// What there is of officers.
    pub desk: &'a Desk,
    /// How the two systems are, and what the chat wants to hear of.
    pub news: &'a News,
}

/// What was spoken of before a turn, and what was said of it.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnedTopic {
    /// The entry.
    pub entry: Option<String>,
    /// What the person said of it, redacted.
    pub said: String,
}

/// Decides what is said to one message.
pub fn decide(
    knowledge: &Knowledge,
    state: &State,
    language: Language,
    content: &Content,
    circumstances: Circumstances<'_>,
) -> Result<Decision, ChoiceExpired> {
    let mut turn = Turn {
        knowledge,
        circumstances,
        language,
        state: state.clone(),
        before: OwnedTopic {
            entry: state.topic().map(str::to_owned),
            said: state.said(),
        },
        replies: Vec::new(),
        routed: None,
        erase: false,
        effects: Effects::default(),
    };
    if circumstances.first && !begins(content) {
        turn.say_what_is_kept();
    }
    let heard = turn.heard(content)?;
    let mut state = turn.state;
    let choices = turn.replies.iter().flat_map(|r| r.body.choices.clone());
    state.offer(choices.collect());
    Ok(Decision {
        heard,
        replies: turn.replies,
        language: turn.language,
        state,
        routed: turn.routed,
        erase: turn.erase,
        effects: turn.effects,
    })
}

/// Whether a person leaves, or has everything deleted: nobody holds them back.
fn leaves(content: &Content) -> bool {
    let Content::Text(text) = content else {
        return false;
    };
    let command = Command::parse(text);
    matches!(command, Some(Ok(Command::Leave | Command::Erase)))
}

fn begins(content: &Content) -> bool {
    matches!(content, Content::Text(text) if Command::parse(text) == Some(Ok(Command::Start)))
}

/// What is said when a message is removed for what it held.
pub fn removal(knowledge: &Knowledge, language: Language) -> Reply {
    let sentence = knowledge.messages().removal.get(language);
    Reply::text(sentence.clone()).kind(Kind::Notice)
}

/// What is said when a turn broke: an apology, with a reference that the log knows too.
pub fn apology(
    knowledge: &Knowledge,
    state: &State,
    language: Language,
    content: &Content,
    reference: &str,
) -> Decision {
    let sentence = &knowledge.messages().apology;
    let sentence = fill(sentence, language, &[("reference", reference)]);
    Decision {
        heard: match content {
            Content::Text(text) => redact(text),
            Content::Choice(_)
            | Content::Returned(_)
            | Content::Lapsed
            | Content::Picture(_)
            | Content::NoPicture(_)
            | Content::Unreadable => NO_TEXT.to_owned(),
        },
        replies: vec![Reply::text(sentence).kind(Kind::Notice)],
        language,
        state: state.clone(),
        routed: None,
        erase: false,
        effects: Effects::default(),
    }
}

pub(super) struct Turn<'a> {
    pub(super) knowledge: &'a Knowledge,
    pub(super) circumstances: Circumstances<'a>,
    pub(super) language: Language,
    pub(super) state: State,
    before: OwnedTopic,
    pub(super) replies: Vec<Reply>,
    routed: Option<Finding>,
    erase: bool,
    pub(super) effects: Effects,
}

impl Turn<'_> {
    /// Does what a person did; returns what stands for it in the transcript.
    fn heard(&mut self, content: &Content) -> Result<String, ChoiceExpired> {
        if !leaves(content)
            && let Some(heard) = self.held(content)
        {
            return Ok(heard);
        }
        match content {
            Content::Choice(Pressed { value, .. }) => {
                let always = value.starts_with(LANGUAGE_VALUE);
                if !always && !self.circumstances.offered && !self.state.has_offered(value) {
                    return Err(ChoiceExpired);
                }
                self.chosen(value)
            }
            Content::Text(text) => {
                if let Some(command) = Command::parse(text) {
                    self.commanded(command);
                    return Ok(redact(text));
                }
                if let Some(heard) = self.typed(text) {
                    return Ok(heard);
                }
                let named = self.state.named(text).map(|choice| choice.value.clone());
                if let Some(label) = named.and_then(|value| self.chosen(&value).ok()) {
                    return Ok(label);
                }
                Ok(self.said(text))
            }
            Content::Returned(_) => {
                self.returned();
                let label = &self.knowledge.messages().prove_button;
                Ok(label.get(self.language).clone())
            }
            Content::Lapsed => {
                self.offer_menu(|messages| &messages.lapsed);
                Ok(NO_TEXT.to_owned())
            }
            Content::Picture(sent) => Ok(self.pictured(sent)),
            Content::NoPicture(why) => Ok(self.refuse_picture(*why)),
            Content::Unreadable => {
                self.offer_menu(|messages| &messages.unreadable);
                Ok(NO_TEXT.to_owned())
            }
        }
    }

    /// Takes what a person says in words of their own; what stands for it in the transcript.
    fn said(&mut self, text: &str) -> String {
        let said = redact(text);
        let words = text.chars().filter(|c| c.is_alphabetic()).count();
        if let Some(number) = TicketNumber::find(text)
            && words <= NAMING
            && self.state.handoff().is_none()
        {
            self.effects.wish = Some(Wish::Ticket(number));
            return said;
        }
        if let Some(heard) = self.handing_off(text) {
            return heard;
        }
        // A number of a person says nothing about the question.
        let plain = without_numbers(text);
        if !self.for_ticket(&plain, &said) {
            self.asked(&plain);
        }
        said
    }

    /// What was spoken of before this turn.
    pub(super) fn spoken_of_before(&self) -> OwnedTopic {
        self.before.clone()
    }

    pub(super) fn begin(&mut self) {
        self.state = State::default();
        let days = self.circumstances.transcript_days;
        self.replies = opening(self.knowledge, self.language, days);
    }

    fn say_what_is_kept(&mut self) {
        let days = self.circumstances.transcript_days;
        let notice = privacy(self.knowledge, self.language, days);
        self.replies.push(notice);
    }

    /// Says a sentence and offers what can be asked.
    pub(super) fn offer_menu(&mut self, sentence: impl Fn(&Messages) -> &Localised<String>) {
        let sentence = sentence(self.knowledge.messages()).get(self.language);
        let reply = Reply::text(sentence.clone());
        self.replies
            .push(reply.choices(menu(self.knowledge, self.language)));
    }

    /// Does what a choice says; returns the label that stands for it in the transcript.
    fn chosen(&mut self, value: &str) -> Result<String, ChoiceExpired> {
        if let Some(tag) = value.strip_prefix(LANGUAGE_VALUE) {
            let language = Language::parse(tag).ok_or(ChoiceExpired)?;
            self.speak(language);
            return Ok(name_of(language).to_owned());
        }
        let messages = self.knowledge.messages();
        if value == ERASE_VALUE {
            self.erase = true;
            self.state = State::default();
            let sentence = messages.erased.get(self.language).clone();
            self.replies.push(Reply::text(sentence).kind(Kind::Notice));
            return Ok(messages.erase_yes.get(self.language).clone());
        }
        if value == KEEP_VALUE {
            self.offer_menu(|messages| &messages.not_erased);
            return Ok(messages.erase_no.get(self.language).clone());
        }
        if value == NONE_VALUE {
            self.state.speak_of(None, "");
            self.fall_back();
            let label = &self.knowledge.messages().none_of_these;
            return Ok(label.get(self.language).clone());
        }
        if let Some(label) = self.chosen_handoff(value) {
            return Ok(label);
        }
        if let Some(label) = self.chosen_action(value) {
            return Ok(label);
        }
        if let Some(label) = self.chosen_news(value) {
            return Ok(label);
        }
        let id = value.strip_prefix(ENTRY_VALUE).ok_or(ChoiceExpired)?;
        let entry = self.knowledge.book().entry(id).ok_or(ChoiceExpired)?;
        let label = entry.label.get(self.language).clone();
        self.state.speak_of(Some(id), &label);
        self.answer(entry, None);
        Ok(label)
    }

    /// Speaks a language from now on.
    fn speak(&mut self, language: Language) {
        self.language = language;
        self.say_what_is_kept();
        let sentence = self.knowledge.messages().language_set.get(language);
        let reply = Reply::text(sentence.clone());
        self.replies
            .push(reply.choices(menu(self.knowledge, language)));
    }

    /// What a turn does by its words alone: wish for a language, cancel, point to something listed, ask several things.
    fn steered(&mut self, text: &str) -> bool {
        let turn = normal(text);
        let cues = self.knowledge.cues();
        if let Some(language) = cues.language(&turn) {
            self.speak(language);
            return true;
        }
        if cues.cancels(&turn) && self.state.topic().is_some() {
            self.state.speak_of(None, "");
            let sentence = self.knowledge.messages().cancelled.get(self.language);
            let reply = Reply::text(sentence.clone()).about(CANCELLED);
            self.replies
                .push(reply.choices(menu(self.knowledge, self.language)));
            return true;
        }
        let place = cues.place(&turn);
        let pointed = place.and_then(|place| self.state.listed(place));
        let pointed = pointed.or_else(|| {
            let other = cues.points_to_other(&turn);
            other.then(|| self.state.other_listed()).flatten()
        });
        if pointed.is_none()
            && let Some(choice) = place.and_then(|place| self.state.choice_at(place)).cloned()
        {
            return self.chosen(&choice.value).is_ok();
        }
        if let Some(entry) = pointed.and_then(|id| self.knowledge.book().entry(id)) {
            let label = entry.label.get(self.language).clone();
            self.state.speak_of(Some(&entry.id), &label);
            self.answer(entry, None);
            return true;
        }
        let parts = cues.parts(&turn);
        let asked = self.asked_in(&parts);
        if asked.len() > 1 {
            self.offer_several(asked, text);
            return true;
        }
        false
    }

    /// What the parts of a message ask, if every one is understood and they ask different things.
    fn asked_in(&self, parts: &[String]) -> Vec<String> {
        let mut places: Vec<usize> = Vec::new();
        for part in parts.iter().take(SEVERAL) {
            let fixed = ReplyLanguage::Fixed(self.language);
            let found = ask(self.knowledge, part, fixed);
            let found = found.ok().filter(|found| found.confidence >= SURE_OF_EACH);
            let place = found.and_then(|found| self.knowledge.place(found.target.as_deref()?));
            let Some(place) = place else {
                return Vec::new();
            };
            let known = places
                .iter()
                .any(|other| self.knowledge.are_family(*other, place));
            if !known {
                places.push(place);
            }
        }
        let entries = places
            .iter()
            .filter_map(|place| self.knowledge.entry(*place));
        entries.map(|entry| entry.id.clone()).collect()
    }

    fn offer_several(&mut self, targets: Vec<String>, text: &str) {
        let choices = targets.iter();
        let choices = choices.filter_map(|id| entry_choice(self.knowledge, id, self.language));
        let sentence = self.knowledge.messages().several.get(self.language);
        let reply = Reply::text(sentence.clone()).kind(Kind::Choices);
        self.replies
            .push(reply.about(TO_CHOOSE).choices(choices.collect()));
        self.state.list_to_choose(targets, text);
    }

    /// Routes a typed question and answers, asks back, or says whom to contact.
    pub(super) fn asked(&mut self, text: &str) {
        let said = redact(text);
        if self.steered(&said) {
            return;
        }
        let language = ReplyLanguage::OfQuestion {
            otherwise: self.language,
        };
        let found = Context::new(self.knowledge, &self.state, language).understand(text, &said);
        // The index fails only by a fault of the program: the person is still told whom to contact.
        let Ok(Understood { finding, said }) = found else {
            tracing::error!("the index failed");
            return self.fall_back();
        };
        self.language = finding.lang;
        let trouble = self.named_trouble(&normal(&said));
        let trouble = trouble.filter(|_| finding.outcome != Outcome::Answer);
        if let Some(trouble) = &trouble {
            self.say_trouble_first(trouble);
        }
        if finding.outcome != Outcome::Fallback {
            self.state.heard_again();
            let turn = normal(&said);
            let cues = self.knowledge.cues();
            self.state.note(cues.person(&turn), cues.system(&turn));
        }
        match finding.outcome {
            Outcome::Answer => {
                // A courtesy is no topic, and ends none.
                let target = finding.target.as_deref();
                let courtesy = |id: &str| TargetKind::of(id) == TargetKind::SmallTalk;
                if target.is_some_and(courtesy) {
                    self.state.stop_choosing();
                } else {
                    self.state.speak_of(target, &said);
                }
                if let Some(period) = period::named(&said, self.circumstances.today) {
                    self.state.set_period(period);
                }
                let book = self.knowledge.book();
                if let Some(entry) = target.and_then(|id| book.entry(id)) {
                    self.answer(entry, Some(text));
                }
            }
            Outcome::Clarify => self.clarify(&finding, &said),
            Outcome::Fallback => {
                self.state.stop_choosing();
                if self.state.miss(&said) < MISSED {
                    self.fall_back();
                } else {
                    self.offer_officer();
                }
            }
        }
        if let Some(trouble) = &trouble {
            self.offer_to_tell(trouble);
        }
        self.routed = Some(finding);
    }

    /// What is wrong with the system that a turn names; notes that the person cannot open it, where the turn says so.
    fn named_trouble(&mut self, turn: &str) -> Option<trouble::Trouble> {
        let cues = self.knowledge.cues();
        let system = trouble::named(cues.system(turn)?);
        if cues.fails_to_open(turn) {
            self.effects.news.report = Some(system);
        }
        self.trouble(system)
    }
}

/// What is kept, and for how long.
fn privacy(knowledge: &Knowledge, language: Language, transcript_days: u32) -> Reply {
    let days = transcript_days.to_string();
    let sentence = &knowledge.messages().privacy;
    Reply::text(fill(sentence, language, &[("days", &days)])).kind(Kind::Notice)
}

pub(super) fn name_of(language: Language) -> &'static str {
    match language {
        Language::Ms => "Bahasa Melayu",
        Language::En => "English",
    }
}

pub(super) fn menu(knowledge: &Knowledge, language: Language) -> Vec<Choice> {
    let menu = knowledge.book().menu.iter();
    menu.filter_map(|id| entry_choice(knowledge, id, language))
        .collect()
}

pub(super) fn entry_choice(knowledge: &Knowledge, id: &str, language: Language) -> Option<Choice> {
    let entry = knowledge.book().entry(id)?;
    Some(Choice {
        value: format!("{ENTRY_VALUE}{id}"),
        label: entry.label.get(language).clone(),
    })
}

#[cfg(test)]
mod tests;

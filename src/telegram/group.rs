//! What is said in groups: answers from the knowledge to who addresses the bot, and never anything personal. Nothing is
//! remembered.

use super::update::GroupQuestion;
use crate::conversation::message::Reply;
use crate::knowledge::Knowledge;
use crate::knowledge::ask::{ReplyLanguage, ask};
use crate::knowledge::book::TargetKind;
use crate::knowledge::messages::fill;
use crate::knowledge::router::Outcome;
use crate::knowledge::text::{Language, Localised};
use crate::outbox::Payload;
use crate::redact::{HIDDEN, redact, without_numbers};

/// What is said to a question in a group.
pub fn answer(knowledge: &Knowledge, question: &GroupQuestion, bot: &str) -> Payload {
    let messages = knowledge.messages();
    let url = format!("https://t.me/{bot}");
    let led = |sentence: &Localised<String>, language| {
        say(
            &fill(sentence, language, &[("url", &url)]),
            language,
            Some(question.message),
        )
    };
    let otherwise = Language::default();
    // Who writes a number or a password has something personal to ask.
    if question.personal || redact(&question.text).contains(HIDDEN) {
        return led(&messages.group_private, otherwise);
    }
    if question.text.is_empty() {
        let help = messages.group_help.get(otherwise);
        return say(help, otherwise, Some(question.message));
    }
    let language = ReplyLanguage::OfQuestion { otherwise };
    let Ok(found) = ask(knowledge, &without_numbers(&question.text), language) else {
        return led(&messages.group_unanswered, otherwise);
    };
    let best = found.candidates.first();
    let kind = best.map(|best| TargetKind::of(&best.target));
    match (found.outcome, kind, &found.answer) {
        (Outcome::Answer, Some(TargetKind::Answer | TargetKind::SmallTalk), Some(answer)) => {
            let reply = Reply::text(answer.plain_text());
            let mut body = reply.body;
            if kind == Some(TargetKind::Answer) {
                body.answer = serde_json::to_value(answer.as_ref()).ok();
            }
            Payload::Say {
                body: serde_json::to_value(body).unwrap_or_default(),
                language: found.lang.as_str().to_owned(),
                answers: Some(question.message),
            }
        }
        (Outcome::Answer, _, _) => led(&messages.group_private, found.lang),
        (Outcome::Clarify | Outcome::Fallback, _, _) => led(&messages.group_unanswered, found.lang),
    }
}

/// A plain sentence, said outside any conversation.
pub fn say(text: &str, language: Language, answers: Option<i32>) -> Payload {
    Payload::Say {
        body: serde_json::to_value(Reply::text(text).body).unwrap_or_default(),
        language: language.as_str().to_owned(),
        answers,
    }
}

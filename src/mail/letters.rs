//! What mails say: Malay, and English below it. The sentences are in `messages.yaml`.

use super::Written;
use crate::clock::{Millis, shown};
use crate::identity::request::{Action, Request};
use crate::knowledge::Knowledge;
use crate::knowledge::messages::{Messages, fill};
use crate::knowledge::period::Period;
use crate::knowledge::text::{Language, Localised};
use crate::outbox::Content;

/// The most characters of a name that a channel gives.
const NAME: usize = 40;
const BETWEEN: &str = "\n\n----------------------------------------\n\n";

/// What a mail is about, as far as its content does not say.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The code, for a mail that carries one.
    pub code: Option<String>,
    /// What the code is for.
    pub request: Option<Request>,
    /// The channel that asked.
    pub channel: String,
    /// How it names the person.
    pub who: Option<String>,
    /// When it was asked, in Unix milliseconds.
    pub at: Millis,
    /// How long a code lives, in milliseconds.
    pub lives: Millis,
    /// The address of "this was not me", for mails to persons.
    pub disavow: Option<String>,
}

/// Writes a mail.
pub fn write(knowledge: &Knowledge, content: &Content, facts: &Facts) -> Written {
    let letter = Letter { knowledge, facts };
    let [ms, en] = [Language::Ms, Language::En].map(|language| letter.part(content, language));
    let head = letter.head();
    let text = format!("{head}{}{BETWEEN}{}\n", ms.text, en.text);
    let subject = match ms.subject == en.subject {
        true => ms.subject,
        false => format!("{} / {}", ms.subject, en.subject),
    };
    Written { subject, text }
}

struct Letter<'a> {
    knowledge: &'a Knowledge,
    facts: &'a Facts,
}

impl Letter<'_> {
    fn messages(&self) -> &Messages {
        self.knowledge.messages()
    }

    /// The code stands once in its mail, before both languages.
    fn head(&self) -> String {
        let Some(code) = &self.facts.code else {
            return String::new();
        };
        let Localised { ms, en } = &self.messages().mail_code_head;
        format!("{ms} / {en}:\n\n    {code}\n\n")
    }

    fn part(&self, content: &Content, language: Language) -> Written {
        let messages = self.messages();
        let (subject, text) = match content {
            Content::Code { .. } => (&messages.mail_code_subject, &messages.mail_code),
            Content::PasswordReset { .. } => (&messages.mail_reset_subject, &messages.mail_reset),
            Content::Activation { .. } => {
                (&messages.mail_activation_subject, &messages.mail_activation)
            }
            Content::Bound { .. } => (&messages.mail_bound_subject, &messages.mail_bound),
            Content::Unbound => (&messages.mail_unbound_subject, &messages.mail_unbound),
            Content::Attempts => (&messages.mail_attempts_subject, &messages.mail_attempts),
            Content::Task { .. } | Content::Disavowed { .. } => {
                (&messages.mail_task_subject, &messages.mail_task)
            }
            Content::Chased { untaken: true, .. } => {
                (&messages.mail_untaken_subject, &messages.mail_untaken)
            }
            Content::Chased { .. } => (&messages.mail_overdue_subject, &messages.mail_overdue),
            Content::Incident { .. } => (&messages.mail_incident_subject, &messages.mail_incident),
            Content::TicketAnswered { .. } => {
                (&messages.mail_answered_subject, &messages.mail_answered)
            }
            Content::Anchor { .. } => (&messages.mail_anchor_subject, &messages.mail_anchor),
        };
        let values = self.values(content, language);
        let values: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let mut text = fill(text, language, &values);
        if let Some(url) = &self.facts.disavow {
            let foot = fill(&messages.mail_person_foot, language, &[("url", url)]);
            text.push_str("\n\n");
            text.push_str(&foot);
        }
        Written {
            subject: fill(subject, language, &values),
            text,
        }
    }

    fn values(&self, content: &Content, language: Language) -> Vec<(&'static str, String)> {
        match content {
            Content::Code { .. } => vec![
                ("minutes", (self.facts.lives / 60_000).to_string()),
                ("what", self.what(language)),
                ("channel", self.channel(self.facts.who.as_deref(), language)),
                ("time", shown(self.facts.at)),
            ],
            Content::PasswordReset {
                url, expires_at, ..
            }
            | Content::Activation {
                url, expires_at, ..
            } => {
                vec![("url", url.clone()), ("until", until(expires_at))]
            }
            Content::Bound { who, at, .. } => vec![
                ("channel", self.channel(who.as_deref(), language)),
                ("time", shown(*at)),
            ],
            Content::Unbound | Content::Attempts => Vec::new(),
            Content::TicketAnswered { number } => vec![("number", number.clone())],
            Content::Task { number, topic }
            | Content::Incident { number, topic }
            | Content::Chased { number, topic, .. } => vec![
                ("number", number.clone()),
                ("what", topic_label(self.knowledge, topic, language)),
            ],
            Content::Disavowed { number } => vec![
                ("number", number.clone()),
                (
                    "what",
                    self.messages().topic_disavowed.get(language).clone(),
                ),
            ],
            Content::Anchor { anchor } => {
                let seq = anchor.split(':').next().unwrap_or_default();
                vec![
                    ("anchor", anchor.clone()),
                    ("seq", seq.to_owned()),
                    ("time", shown(self.facts.at)),
                ]
            }
        }
    }

    fn what(&self, language: Language) -> String {
        let request = self.facts.request.as_ref();
        request.map_or_else(String::new, |request| {
            request_label(self.knowledge, request, language)
        })
    }

    /// The channel, with the name that it has for whoever is there: a person's own words, so only a little of them.
    fn channel(&self, who: Option<&str>, language: Language) -> String {
        let messages = self.messages();
        let channel = match self.facts.channel.as_str() {
            "telegram" => messages.channel_telegram.get(language),
            _ => messages.channel_web.get(language),
        };
        match who {
            Some(who) if !named(who).is_empty() => format!("{channel} ({})", named(who)),
            Some(_) | None => channel.clone(),
        }
    }
}

/// A name that somebody gave themselves: in one line, without what could pass for a code or an address.
pub fn named(who: &str) -> String {
    if is_username(who) {
        return who.to_owned();
    }
    let plain = |word: &&str| {
        word.chars()
            .all(|c| (c.is_alphabetic() && !c.is_numeric()) || matches!(c, '-' | '\''))
    };
    let words = who.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.map(|word| word.trim_matches(['.', ',']));
    let words: Vec<&str> = words
        .filter(|word| !word.is_empty())
        .filter(plain)
        .collect();
    words.join(" ").chars().take(NAME).collect()
}

/// A name that the channel itself gives out, as `@aminah_z`: letters, digits and underscores.
fn is_username(who: &str) -> bool {
    let name = who.strip_prefix('@').unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= NAME
        && name.chars().all(plain)
}

/// A moment as the portal writes it, as people read it; as it is if it cannot be read.
fn until(expires_at: &str) -> String {
    let parsed = expires_at.parse::<jiff::Timestamp>();
    parsed.map_or_else(|_| "-".to_owned(), |at| shown(at.as_millisecond()))
}

/// What is asked, in a few words: "Slip gaji bulanan, Oktober 2026".
pub fn request_label(knowledge: &Knowledge, request: &Request, language: Language) -> String {
    let label = topic_label(knowledge, request.action.as_str(), language);
    let period = request.period.as_deref().and_then(Period::parse);
    match period {
        Some(period) => format!("{label}, {}", period.shown(language)),
        None => label,
    }
}

/// What a ticket is about, in a few words.
pub fn topic_label(knowledge: &Knowledge, topic: &str, language: Language) -> String {
    let messages = knowledge.messages();
    match Action::parse(topic) {
        Some(Action::Sesi) => messages.sessions_label.get(language).clone(),
        Some(action) => {
            let entry = knowledge
                .book()
                .entry(&format!("action:{}", action.as_str()));
            entry.map_or_else(String::new, |entry| entry.label.get(language).clone())
        }
        None if topic == "bukan-saya" => messages.topic_disavowed.get(language).clone(),
        None if topic == "insiden-sistem" => messages.topic_sistem_down.get(language).clone(),
        None if topic == "insiden-portal" => messages.topic_portal_down.get(language).clone(),
        None => {
            let entry = knowledge.book().entry(topic);
            entry.map_or_else(
                || topic.to_owned(),
                |entry| entry.label.get(language).clone(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac_76_a_name_that_somebody_gave_themselves_is_one_harmless_line() {
        for (given, shown) in [
            ("Aminah", "Aminah"),
            ("Mohd. Ali bin Abu", "Mohd Ali bin Abu"),
            ("@aminah_99", "@aminah_99"),
            ("@1234 5678", ""),
            ("A\r\nBcc: x@evil.example", "A"),
            ("1234 5678", ""),
            ("Ali https://evil.example/a?b", "Ali"),
            ("\u{202E}mala {code}", ""),
        ] {
            assert_eq!(named(given), shown);
        }
        assert!(named(&"a".repeat(500)).len() <= NAME);
    }
}

//! An entry as it is shown to a person: one language, settings filled in.

use serde::Serialize;
use utoipa::ToSchema;

use super::book::{Entry, LinkTarget, TargetKind};
use super::text::Language;

/// What the treasury's texts leave open and a setting may state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contacts {
    /// How to reach Unit Teknologi Maklumat.
    pub teknikal: Option<String>,
    /// How to reach Seksyen Naziran & Khidmat Perunding.
    pub naziran: Option<String>,
    /// Where the access form is.
    pub form_url: Option<String>,
    /// Where the portal's user manual is.
    pub manual_url: Option<String>,
}

impl Contacts {
    /// The places in a knowledge text that a setting fills.
    pub const PLACEHOLDERS: [&str; 2] = ["contact_teknikal", "contact_naziran"];

    /// Fills the contact places of `text`: `" (value)"` where the setting has a value, nothing where it has none.
    pub fn fill(&self, text: &str) -> String {
        fill(text, |name| {
            let value = match name {
                "contact_teknikal" => &self.teknikal,
                "contact_naziran" => &self.naziran,
                _ => return None,
            };
            Some(
                value
                    .as_ref()
                    .map_or_else(String::new, |v| format!(" ({v})")),
            )
        })
    }

    fn url(&self, target: &LinkTarget) -> Option<String> {
        match target {
            LinkTarget::Url(url) => Some(url.clone()),
            LinkTarget::Form => self.form_url.clone(),
            LinkTarget::Manual => self.manual_url.clone(),
        }
    }
}

/// Replaces `{name}` where `value` knows the name and leaves every other brace as it stands.
pub(super) fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        match after
            .split_once('}')
            .and_then(|(name, tail)| Some((value(name)?, tail)))
        {
            Some((replacement, tail)) => {
                filled.push_str(&replacement);
                rest = tail;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// An answer ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Answer {
    /// The question that is answered.
    pub title: String,
    /// Prose, or what is said before the steps.
    pub body: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// What is said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where to go.
    pub links: Vec<AnswerLink>,
    /// Where the answer comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<AnswerSource>,
    /// The day on which somebody last checked the answer, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<String>,
    /// What the bot offers to do, an `action:` target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// A link under an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnswerLink {
    /// What the link says.
    pub label: String,
    /// Where it leads.
    pub url: String,
}

/// Where an answer comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnswerSource {
    /// The document's name.
    pub title: String,
    /// Its address, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Answer {
    /// Renders an entry in one language.
    pub fn render(entry: &Entry, language: Language, contacts: &Contacts) -> Self {
        let block = entry.answer.get(language);
        Self {
            // "I would like my payslip" is what a person says; over an answer it would be the bot's own wish.
            title: match TargetKind::of(&entry.id) {
                TargetKind::Action => entry.label.get(language).clone(),
                TargetKind::Answer | TargetKind::SmallTalk => entry.question.get(language).clone(),
            },
            body: contacts.fill(&block.intro),
            steps: block.steps.iter().map(|s| contacts.fill(s)).collect(),
            note: block.note.as_ref().map(|n| contacts.fill(n)),
            links: entry
                .links
                .iter()
                .filter_map(|link| {
                    Some(AnswerLink {
                        label: link.label.get(language).clone(),
                        url: contacts.url(&link.target)?,
                    })
                })
                .collect(),
            source: entry.source.as_ref().map(|source| AnswerSource {
                title: source.title.clone(),
                url: source.url.clone(),
            }),
            reviewed: entry.reviewed.map(|day| day.to_string()),
            action: entry.action.clone(),
        }
    }

    /// The answer as one plain text, for a terminal or a transcript.
    pub fn plain_text(&self) -> String {
        let mut text = self.body.clone();
        for (number, step) in self.steps.iter().enumerate() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("{}. {step}", number + 1));
        }
        if let Some(note) = &self.note {
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(note);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_reads_well_with_and_without_its_setting() {
        let without = Contacts::default();
        let with = Contacts {
            teknikal: Some("09-000 0000".into()),
            ..Contacts::default()
        };
        let text = "Hubungi Unit Teknologi Maklumat{contact_teknikal}.";
        assert_eq!(without.fill(text), "Hubungi Unit Teknologi Maklumat.");
        assert_eq!(
            with.fill(text),
            "Hubungi Unit Teknologi Maklumat (09-000 0000)."
        );
    }

    #[test]
    fn braces_that_name_nothing_stay_as_they_are() {
        let text = "{{ x }} {0} {% y %} {unfinished";
        assert_eq!(Contacts::default().fill(text), text);
    }

    #[test]
    fn a_filled_value_is_not_filled_again() {
        let contacts = Contacts {
            teknikal: Some("{contact_naziran}".into()),
            naziran: Some("never".into()),
            ..Contacts::default()
        };
        assert_eq!(
            contacts.fill("x{contact_teknikal}"),
            "x ({contact_naziran})"
        );
    }
}

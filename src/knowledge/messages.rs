//! `messages.yaml`: every sentence that the bot itself says.

use serde::Deserialize;
use serde_yaml::Spanned;

use super::check::Checker;
use super::faq::TextYaml;
use super::problem::Problem;
use super::source::{self, FileText};
use super::text::{Language, Localised};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessagesFile {
    #[serde(default)]
    version: Option<Spanned<u64>>,
    messages: MessagesYaml,
}

/// Declares the sentences once: the fields of the file, of [`Messages`], and the placeholders that each must hold.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident [$($placeholder:literal),*]),* $(,)?) => {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct MessagesYaml { $($name: TextYaml,)* }

        /// The bot's own sentences, in both languages.
        #[derive(Clone, Debug)]
        pub struct Messages { $($(#[$doc])* pub $name: Localised<String>,)* }

        impl Messages {
            fn check(raw: &MessagesYaml, checker: &mut Checker<'_>) -> Self {
                Self { $($name: {
                    let text = checker.text(&raw.$name);
                    let required: &[&str] = &[$($placeholder),*];
                    for placeholder in required {
                        checker.require(&raw.$name, &text, placeholder);
                    }
                    text
                },)* }
            }
        }
    };
}

messages! {
    /// Greets and invites a question.
    welcome [],
    /// What is kept, for how long; shown at first use.
    privacy ["{days}"],
    /// Stands above two or three candidates.
    clarify [],
    /// Stands above the several things that one message asks.
    several [],
    /// What was asked is taken back.
    cancelled [],
    /// The choice under the candidates when none is meant.
    none_of_these [],
    /// Nothing in the knowledge fits: says so and whom to contact.
    fallback [],
    /// Said in the language just chosen.
    language_set [],
    /// Stands above the commands.
    help [],
    /// The same, after a command that there is not.
    unknown_command [],
    /// Stands above the languages.
    choose_language [],
    /// The person left.
    left [],
    /// Asks before everything is deleted.
    erase_ask [],
    /// The choice to delete.
    erase_yes [],
    /// The choice not to.
    erase_no [],
    /// Everything was deleted.
    erased [],
    /// Nothing was.
    not_erased [],
    /// A choice that is not offered any more.
    lapsed [],
    /// Something that is no text.
    unreadable [],
    /// A fault of the program's; operators find it by its reference.
    apology ["{reference}"],
    /// A message held a number or a password, and is removed.
    removal [],
    /// The button under an answer that helped.
    helpful [],
    /// The button under one that did not.
    unhelpful [],
    /// Said to who pressed either.
    vote_thanks [],
    /// A personal request in a group.
    group_private ["{url}"],
    /// A question in a group that has no sure answer.
    group_unanswered ["{url}"],
    /// Called in a group without a question.
    group_help [],
    /// What the command for help does, in a menu.
    command_help [],
    /// What the command for the language does.
    command_language [],
    /// What the command to leave does.
    command_leave [],
    /// What the command to delete does.
    command_erase [],
    /// What the command to ask in a group does.
    command_ask [],
}

impl Messages {
    /// Parses and checks the file.
    pub fn parse(file: &FileText) -> Result<Self, Vec<Problem>> {
        let raw: MessagesFile = source::parse(file).map_err(|problem| vec![problem])?;
        let mut checker = Checker::new(&file.shown);
        checker.version(raw.version.as_ref());
        let messages = Self::check(&raw.messages, &mut checker);
        checker.finish(messages)
    }
}

/// Puts `values` into the places of a sentence that name them; whatever stands in a value stays as it is.
pub fn fill(sentence: &Localised<String>, language: Language, values: &[(&str, &str)]) -> String {
    super::answer::fill(sentence.get(language), |name| {
        values
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

//! Commands, the same on every channel: `/slip` typed anywhere, or chosen from a menu.

use super::message::{Choice, Kind, Reply};
use super::state::State;
use super::turn::{ERASE_VALUE, KEEP_VALUE, LANGUAGE_VALUE, Turn, menu, name_of};
use crate::identity::request::{Action, Request};
use crate::knowledge::Knowledge;
use crate::knowledge::messages::Messages;
use crate::knowledge::text::{Language, Localised};

/// What can be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begins: a welcome and what is kept.
    Start,
    /// Shows what can be asked.
    Help,
    /// Goes to an entry of the knowledge, by its id.
    Topic(&'static str),
    /// Gets announcements from now on.
    Subscribe,
    /// Gets no more announcements.
    Unsubscribe,
    /// Changes the language.
    Language,
    /// Shows where the person is known, and ends that.
    Sessions,
    /// Leaves: nothing that was said is taken up again.
    Leave,
    /// Deletes what was said.
    Erase,
}

/// The commands and their names, in the order in which a menu shows them.
pub const MENU: [(&str, Command); 13] = [
    ("bantuan", Command::Help),
    ("slip", Command::Topic("action:slip-gaji")),
    ("ec", Command::Topic("action:penyata-tahunan")),
    ("lupa", Command::Topic("action:lupa-kata-laluan")),
    ("daftar", Command::Topic("action:daftar")),
    ("status", Command::Topic("action:status-aduan")),
    ("pegawai", Command::Topic("action:pegawai")),
    ("langgan", Command::Subscribe),
    ("henti", Command::Unsubscribe),
    ("bahasa", Command::Language),
    ("sesi", Command::Sessions),
    ("keluar", Command::Leave),
    ("padam", Command::Erase),
];

impl Command {
    /// The command that a text is, `Err` if it is one that we do not know; none if it is no command. What stands behind
    /// the name is left alone.
    pub fn parse(text: &str) -> Option<Result<Self, UnknownCommand>> {
        let name = text.trim().strip_prefix('/')?;
        let name = name.split(char::is_whitespace).next()?.to_lowercase();
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return None;
        }
        Some(match name.as_str() {
            "start" | "mula" => Ok(Self::Start),
            "help" => Ok(Self::Help),
            name => MENU
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, command)| *command)
                .ok_or(UnknownCommand),
        })
    }

    /// What it does, in a few words.
    pub fn describe(self, knowledge: &Knowledge, language: Language) -> Option<String> {
        let messages = knowledge.messages();
        let sentence = match self {
            Self::Topic(id) => &knowledge.book().entry(id)?.label,
            Self::Start | Self::Help => &messages.command_help,
            Self::Subscribe => &messages.command_subscribe,
            Self::Unsubscribe => &messages.command_unsubscribe,
            Self::Language => &messages.command_language,
            Self::Sessions => &messages.command_sessions,
            Self::Leave => &messages.command_leave,
            Self::Erase => &messages.command_erase,
        };
        Some(sentence.get(language).clone())
    }
}

/// Something that looks like a command and is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCommand;

impl Turn<'_> {
    /// Does what a command says.
    pub(super) fn commanded(&mut self, command: Result<Command, UnknownCommand>) {
        match command {
            Ok(Command::Start) => self.begin(),
            Ok(Command::Help) => self.list_commands(|messages| &messages.help),
            Err(UnknownCommand) => self.list_commands(|messages| &messages.unknown_command),
            Ok(Command::Topic(id)) => match self.knowledge.book().entry(id) {
                Some(entry) => {
                    let label = entry.label.get(self.language).clone();
                    self.state.speak_of(Some(id), &label);
                    self.answer(entry, None);
                }
                None => self.fall_back(),
            },
            Ok(Command::Subscribe) => self.subscribe(true),
            Ok(Command::Unsubscribe) => self.subscribe(false),
            Ok(Command::Language) => {
                let languages = [Language::Ms, Language::En].map(|language| Choice {
                    value: format!("{LANGUAGE_VALUE}{}", language.as_str()),
                    label: name_of(language).to_owned(),
                });
                let sentence = self.knowledge.messages().choose_language.get(self.language);
                let reply = Reply::text(sentence.clone()).kind(Kind::Choices);
                self.replies.push(reply.choices(languages.to_vec()));
            }
            Ok(Command::Sessions) => self.want(Request {
                action: Action::Sesi,
                period: None,
            }),
            Ok(Command::Leave) => {
                self.effects.leave = true;
                self.state = State::default();
                self.offer_menu(|messages| &messages.left);
            }
            Ok(Command::Erase) => {
                let messages = self.knowledge.messages();
                let choice = |value: &str, label: &Localised<String>| Choice {
                    value: value.to_owned(),
                    label: label.get(self.language).clone(),
                };
                let choices = vec![
                    choice(ERASE_VALUE, &messages.erase_yes),
                    choice(KEEP_VALUE, &messages.erase_no),
                ];
                let reply = Reply::text(messages.erase_ask.get(self.language).clone());
                self.replies
                    .push(reply.kind(Kind::Choices).choices(choices));
            }
        }
    }

    /// Says a sentence and lists the commands under it.
    fn list_commands(&mut self, sentence: impl Fn(&Messages) -> &Localised<String>) {
        let mut text = sentence(self.knowledge.messages())
            .get(self.language)
            .clone();
        for (name, command) in MENU {
            if let Some(description) = command.describe(self.knowledge, self.language) {
                text.push_str(&format!("\n/{name} – {description}"));
            }
        }
        let mut choices = menu(self.knowledge, self.language);
        choices.extend(self.announcements_choice());
        self.replies.push(Reply::text(text).choices(choices));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_known_by_its_name_alone() {
        assert_eq!(Command::parse("/start abc"), Some(Ok(Command::Start)));
        let slip = Command::Topic("action:slip-gaji");
        assert_eq!(Command::parse(" /SLIP "), Some(Ok(slip)));
        assert_eq!(Command::parse("/help"), Some(Ok(Command::Help)));
        assert_eq!(Command::parse("/slipgaji"), Some(Err(UnknownCommand)));
        for text in ["slip", "/", "/ slip", "/1", "ya / tidak"] {
            assert_eq!(Command::parse(text), None, "{text}");
        }
    }
}

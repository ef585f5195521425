//! What is said while a system does not work: that first, and no advice to look for the fault at home. And who wants to
//! be told of its end, or of announcements. Pure, like every decision.

use super::action::Service;
use super::handoff::OFFICER;
use super::message::{Choice, Kind, Reply};
use super::turn::{Turn, entry_choice};
use crate::clock::shown;
use crate::identity::request::{Action, Request};
use crate::incident::System;
pub(super) use crate::incident::Trouble;
use crate::knowledge::Knowledge;
use crate::knowledge::book::{ACTION, Entry};
use crate::knowledge::messages::{Messages, fill};
use crate::knowledge::text::{Language, Localised};

/// The entry of those for whom a system does not open: it says how to look for the fault at one's own office.
const CANNOT_OPEN: &str = "sistem-tidak-boleh-dibuka";
const OVER_VALUE: &str = "over:";
const SUBSCRIBE_VALUE: &str = "announce:on";
const UNSUBSCRIBE_VALUE: &str = "announce:off";

/// What a decision needs to know of the systems and of who wants to hear of them.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// What does not work now.
    pub troubles: Vec<Trouble>,
    /// Outages whose end nobody has seen, by their ids, also those of which nothing new is known.
    pub open: Vec<(System, String)>,
    /// Whether this chat wants announcements.
    pub subscribed: bool,
}

/// What becomes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewsEffect {
    /// The person says that a system does not open.
    pub report: Option<System>,
    /// The person wants to be told when this outage is over.
    pub tell_over: Option<String>,
    /// The person wants announcements from now on, or none.
    pub subscribe: Option<bool>,
}

/// One of the bot's own sentences.
type Pick = fn(&Messages) -> &Localised<String>;

/// The system that the word for one means.
pub(super) fn named(word: &str) -> System {
    match word {
        "portal" => System::Portal,
        _ => System::Sistem,
    }
}

/// That a system does not work, in one or a few sentences.
pub fn describe(knowledge: &Knowledge, trouble: &Trouble, language: Language) -> String {
    let messages = knowledge.messages();
    let sentence = match trouble.maintenance {
        true => &messages.trouble_maintenance,
        false => &messages.trouble_down,
    };
    let since = shown(trouble.since);
    let values = [("system", trouble.system.name()), ("since", since.as_str())];
    let mut text = fill(sentence, language, &values);
    if trouble.by_helpdesk {
        text.push(' ');
        text.push_str(messages.trouble_confirmed.get(language));
    }
    if !trouble.note.is_empty() {
        text.push(' ');
        text.push_str(&trouble.note);
    }
    text
}

/// That a system works again.
pub(super) fn over(knowledge: &Knowledge, system: System, language: Language) -> Reply {
    let sentence = &knowledge.messages().trouble_over;
    let text = fill(sentence, language, &[("system", system.name())]);
    Reply::text(text).kind(Kind::Notice)
}

impl Turn<'_> {
    /// The system that an entry is about. Who cannot open something may mean either: the one that was named, else the one
    /// that does not work.
    fn system_of(&self, id: &str) -> Option<System> {
        if id == CANNOT_OPEN {
            if let Some(word) = self.state.system() {
                return Some(named(word));
            }
            let troubles = &self.circumstances.news.troubles;
            return match troubles.as_slice() {
                [only] => Some(only.system),
                _ => Some(System::Sistem),
            };
        }
        if id.starts_with("sistem-") {
            return Some(System::Sistem);
        }
        let action = id.strip_prefix(ACTION).and_then(Action::parse);
        (id.starts_with("portal-") || action.is_some()).then_some(System::Portal)
    }

    /// What is wrong with a system, if anything is.
    pub(super) fn trouble(&self, system: System) -> Option<Trouble> {
        let mut troubles = self.circumstances.news.troubles.iter();
        troubles.find(|it| it.system == system).cloned()
    }

    /// What is wrong with the system that an entry is about; notes that somebody cannot open it, where they say so
    /// themselves: a button that stands in every menu is pressed by whoever tries it.
    pub(super) fn trouble_with(&mut self, entry: &Entry, said: bool) -> Option<Trouble> {
        let system = match said || entry.id != CANNOT_OPEN {
            true => self.system_of(&entry.id)?,
            false => System::Sistem,
        };
        if said && entry.id == CANNOT_OPEN {
            self.effects.news.report = Some(system);
        }
        self.trouble(system)
    }

    /// Whether there is nothing to be said beside the trouble: it is the answer, or stands in the way of what is asked.
    pub(super) fn is_overtaken(&self, entry: &Entry) -> bool {
        let by_portal = self.circumstances.personal.service == Service::Portal;
        entry.id == CANNOT_OPEN || (by_portal && self.can_do(&entry.id))
    }

    /// What keeps the portal from doing what is asked of it.
    pub(super) fn hindered(&self, request: &Request) -> Option<Trouble> {
        let asks_portal = request.action != Action::Sesi;
        self.trouble(System::Portal).filter(|_| asks_portal)
    }

    /// Says that a system does not work, before something else is said.
    pub(super) fn say_trouble_first(&mut self, trouble: &Trouble) {
        let text = describe(self.knowledge, trouble, self.language);
        self.replies.push(Reply::text(text).kind(Kind::Notice));
    }

    /// Says that a system does not work, instead of anything else.
    pub(super) fn say_trouble_alone(&mut self, trouble: &Trouble, target: &str) {
        let mut text = describe(self.knowledge, trouble, self.language);
        let more: Pick = match target {
            CANNOT_OPEN => |messages| &messages.trouble_not_yours,
            _ => |messages| &messages.trouble_action,
        };
        text.push(' ');
        text.push_str(&self.word(more));
        self.replies.push(Reply::text(text).about(target));
        self.offer_to_tell(trouble);
        let officer = entry_choice(self.knowledge, OFFICER, self.language);
        if let Some(reply) = self.replies.last_mut() {
            reply.body.choices.extend(officer);
        }
    }

    /// Offers under what was said last to be told when it is over, or says that it will be.
    pub(super) fn offer_to_tell(&mut self, trouble: &Trouble) {
        if !self.has_desk() {
            // Nobody reads on here later.
            return;
        }
        let label = self.word(|messages| &messages.tell_over);
        let noted = self.word(|messages| &messages.tell_over_noted);
        let Some(reply) = self.replies.last_mut() else {
            return;
        };
        if trouble.wanted {
            reply.body.text.push(' ');
            reply.body.text.push_str(&noted);
            return;
        }
        let choice = Choice {
            value: format!("{OVER_VALUE}{}", trouble.system.as_str()),
            label,
        };
        reply.body.choices.insert(0, choice);
    }

    /// Does what a choice about an outage or announcements says; the label that stands for it in the transcript.
    pub(super) fn chosen_news(&mut self, value: &str) -> Option<String> {
        match value {
            SUBSCRIBE_VALUE => {
                self.subscribe(true);
                return Some(self.word(|messages| &messages.announce_on));
            }
            UNSUBSCRIBE_VALUE => {
                self.subscribe(false);
                return Some(self.word(|messages| &messages.announce_off));
            }
            _ => {}
        }
        let system = System::parse(value.strip_prefix(OVER_VALUE)?)?;
        // One that nobody can tell the end of lasts, even if nothing is said of it meanwhile.
        let mut open = self.circumstances.news.open.iter();
        let reply = match open.find(|(it, _)| *it == system) {
            Some((_, outage)) => {
                self.effects.news.tell_over = Some(outage.clone());
                let text = self.word(|messages| &messages.tell_over_noted);
                Reply::text(text).kind(Kind::Notice)
            }
            None => over(self.knowledge, system, self.language),
        };
        self.replies.push(reply);
        Some(self.word(|messages| &messages.tell_over))
    }

    /// Begins or ends that this chat gets announcements.
    pub(super) fn subscribe(&mut self, wanted: bool) {
        if !self.has_desk() {
            return self.offer_menu(|messages| &messages.personal_elsewhere);
        }
        self.effects.news.subscribe = Some(wanted);
        let done: Pick = match wanted {
            true => |messages| &messages.announce_on_done,
            false => |messages| &messages.announce_off_done,
        };
        let text = self.word(done);
        self.replies.push(Reply::text(text).kind(Kind::Notice));
    }

    /// The choice to get announcements, or to get no more.
    pub(super) fn announcements_choice(&self) -> Option<Choice> {
        let (value, label): (&str, Pick) = match self.circumstances.news.subscribed {
            false => (SUBSCRIBE_VALUE, |messages| &messages.announce_on),
            true => (UNSUBSCRIBE_VALUE, |messages| &messages.announce_off),
        };
        self.has_desk().then(|| Choice {
            value: value.to_owned(),
            label: self.word(label),
        })
    }
}

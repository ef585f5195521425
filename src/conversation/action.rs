//! What is done for a person: who must be known for it, what is asked before, and what follows. Pure, like every
//! decision; the engine does what is decided here.

use super::answering::{OF_A_MONTH, OF_A_YEAR};
use super::handoff::{OFFICER, TicketEffect};
use super::message::{Choice, Kind, LinkTo, Reply};
use super::picture::PictureEffect;
use super::state::{Typing, TypingStep};
use super::trouble::NewsEffect;
use super::turn::{Turn, entry_choice};
use crate::clock::Millis;
use crate::identity::number::{self, IdentityNumber};
use crate::identity::request::{Action, Request};
use crate::identity::{Proof, Returned, Standing, Who};
use crate::knowledge::Knowledge;
use crate::knowledge::book::{ACTION, Entry};
use crate::knowledge::cues::normal;
use crate::knowledge::messages::{Messages, fill};
use crate::knowledge::period::Period;
use crate::knowledge::text::{Language, Localised};
use crate::mail::letters::request_label;
use crate::outbox::Errand;
use crate::redact::{HIDDEN, redact};
use crate::ticket::TicketNumber;

const DO_VALUE: &str = "do:";
const KIND_VALUE: &str = "kind:";
const END_VALUE: &str = "sessions:end";
/// Digits from which on what is typed was meant as a number.
const DIGITS: usize = 5;
/// Letters up to which it can be one.
const LETTERS: usize = 3;
const CODE: usize = 8;
const MINUTE: Millis = 60_000;
const DAY: Millis = 24 * 60 * MINUTE;

/// What can be done for a person here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Nothing: there is no way to prove anything.
    None,
    /// An officer does it.
    Manual,
    /// The portal does it.
    Portal,
}

/// Who the person is known to be, and what can be done for them here.
#[derive(Clone, Copy, Debug)]
pub struct Personal<'a> {
    /// What can be done.
    pub service: Service,
    /// Whether number and code may be typed in the chat.
    pub typed: bool,
    /// Whether a chat can be bound to a person.
    pub binds: bool,
    /// Who is known.
    pub standing: &'a Standing,
    /// The proof that comes back with this message.
    pub returned: Option<&'a Returned>,
    /// The ticket that an officer opened for this person, who goes on with it here.
    pub claimed: Option<&'a TicketNumber>,
    /// What came of a number or code that was typed in this message.
    pub typed_step: Option<TypedStep>,
    /// The id that a request for a proof gets, if one is made.
    pub verification: &'a str,
    /// How long a request's link and a document's link live, in milliseconds.
    pub lives: Millis,
    /// When a request's link dies.
    pub expires_at: Millis,
    /// How long a chat stays bound, in milliseconds.
    pub bound_for: Millis,
}

impl<'a> Personal<'a> {
    /// Nobody, where nothing can be proved.
    pub fn nobody(standing: &'a Standing) -> Self {
        Self {
            service: Service::None,
            typed: false,
            binds: false,
            standing,
            returned: None,
            claimed: None,
            typed_step: None,
            verification: "",
            lives: 0,
            expires_at: 0,
            bound_for: 0,
        }
    }
}

/// What came of a number or a code that was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypedStep {
    /// The number was taken.
    Started,
    /// The code was right.
    Right,
    /// It was not.
    Wrong {
        /// Guesses that are left.
        left: usize,
    },
    /// The request or its code is too old.
    Expired,
    /// Too many failures.
    Locked,
}

/// What is to be found out before the replies are complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Have something done for the person who is known.
    Do(Request),
    /// See the tickets of this chat.
    Tickets,
    /// See how far a ticket is.
    Ticket(TicketNumber),
}

/// A link to a document, in one of the replies.
#[derive(Clone, Debug)]
pub struct NewDocument {
    /// The link's id.
    pub id: String,
    /// The place of its reply.
    pub reply: usize,
    /// The proof that it is for.
    pub proof: Proof,
    /// What it is.
    pub action: Action,
    /// `2026-10` or `2025`.
    pub period: String,
}

/// What is to be done besides saying something.
#[derive(Debug, Default)]
pub struct Effects {
    /// A proof is asked for.
    pub ask: Option<Request>,
    /// The code for that goes out at once: the chat is bound.
    pub ask_bound: bool,
    /// The proof that came back becomes the conversation's.
    pub redeem: bool,
    /// Something has to be found out first.
    pub wish: Option<Wish>,
    /// A document's link is made.
    pub document: Option<NewDocument>,
    /// The portal is asked for something.
    pub errand: Option<Errand>,
    /// What is known in this conversation is forgotten.
    pub leave: bool,
    /// What is known of a person is forgotten everywhere.
    pub end_all: Option<EndAll>,
    /// The person was told to expect that the message is removed.
    pub expected_secret: bool,
    /// What becomes of a ticket.
    pub ticket: Option<TicketEffect>,
    /// What becomes of pictures.
    pub picture: Option<PictureEffect>,
    /// What is noted of the systems and of what the chat wants to hear.
    pub news: NewsEffect,
}

/// Everything that is known of a person is forgotten.
#[derive(Clone, Debug)]
pub struct EndAll {
    /// The person.
    pub subject: String,
    /// Why, as the record has it.
    pub why: &'static str,
    /// Who is mailed if a chat was linked to them: nobody whose own wish it is.
    pub mailed: Option<Who>,
}

impl Turn<'_> {
    pub(super) fn sentence(&self, sentence: &Localised<String>, values: &[(&str, &str)]) -> Reply {
        Reply::text(fill(sentence, self.language, values))
    }

    /// Whether an action can be done here now: there is a way, and nobody switched it off.
    pub(super) fn can_do(&self, id: &str) -> bool {
        let entry = self.knowledge.book().entry(id);
        let available = entry.is_some_and(|entry| entry.available);
        let action = id.strip_prefix(ACTION).and_then(Action::parse);
        let done = match self.circumstances.personal.service {
            Service::None => false,
            // An officer may trigger a mail, and give nothing out.
            Service::Manual => action.is_some_and(|action| !action.is_document()),
            Service::Portal => action.is_some(),
        };
        available && done
    }

    /// Does what an entry names, if that can be done here; tells whether it was taken up.
    pub(super) fn acts(&mut self, entry: &Entry) -> bool {
        let known = self.circumstances.personal.service != Service::None;
        if entry.id == OFFICER {
            return self.hand_off();
        }
        if known && entry.id == "action:status-aduan" {
            self.effects.wish = Some(Wish::Tickets);
            return true;
        }
        if !self.can_do(&entry.id) {
            return false;
        }
        let action = entry.id.strip_prefix(ACTION).and_then(Action::parse);
        let Some(action) = action else {
            return false;
        };
        let month = OF_A_MONTH.contains(&entry.id.as_str());
        let year = OF_A_YEAR.contains(&entry.id.as_str());
        let period = self.state.period().filter(|period| match period.month {
            Some(_) => month,
            None => year,
        });
        self.want(Request {
            action,
            period: period.map(|period| period.key()),
        });
        true
    }

    /// Has something done for the person, or asks them to prove first who they are.
    pub(super) fn want(&mut self, request: Request) {
        let personal = self.circumstances.personal;
        if personal.service == Service::Portal
            && let Some(trouble) = self.hindered(&request)
        {
            return self.say_trouble_alone(&trouble, &Self::target(&request));
        }
        match personal.service {
            Service::None => self.offer_menu(|messages| &messages.personal_elsewhere),
            Service::Manual if request.action == Action::Sesi => {
                self.offer_menu(|messages| &messages.sessions_none);
            }
            Service::Manual => self.ask_for_number(request),
            Service::Portal if personal.standing.fresh().is_some() => {
                self.effects.wish = Some(Wish::Do(request));
            }
            Service::Portal => self.ask_for_proof(request),
        }
    }

    fn target(request: &Request) -> String {
        format!("{ACTION}{}", request.action.as_str())
    }

    /// The choice that asks for the same again.
    fn again(&self, request: &Request, label: &Localised<String>) -> Choice {
        Choice {
            value: do_value(request),
            label: label.get(self.language).clone(),
        }
    }

    fn ask_for_proof(&mut self, request: Request) {
        let personal = self.circumstances.personal;
        let messages = self.knowledge.messages();
        let what = request_label(self.knowledge, &request, self.language);
        let minutes = (personal.lives / MINUTE).to_string();
        let bound = personal.standing.bound.as_ref();
        let reply = match bound {
            Some((_, last4)) => {
                let values = [("what", what.as_str()), ("last4", last4)];
                self.sentence(&messages.prove_bound, &values)
            }
            None => {
                let values = [("what", what.as_str()), ("minutes", &minutes)];
                self.sentence(&messages.prove, &values)
            }
        };
        let to = LinkTo::Verification(personal.verification.to_owned());
        let label = messages.prove_button.get(self.language);
        let mut choices = vec![self.again(&request, &messages.prove_again)];
        choices.extend(entry_choice(
            self.knowledge,
            "portal-lupa-kata-laluan-emel",
            self.language,
        ));
        let reply = reply
            .kind(Kind::Prompt)
            .about(&Self::target(&request))
            .link(to, label, personal.expires_at)
            .choices(choices);
        self.replies.push(reply);
        self.effects.ask_bound = bound.is_some();
        self.effects.ask = Some(request);
        if personal.typed {
            self.offer_typing(bound.is_some());
        }
    }

    fn offer_typing(&mut self, bound: bool) {
        let messages = self.knowledge.messages();
        let step = if bound {
            self.replies
                .push(self.sentence(&messages.prove_typed_code, &[]));
            TypingStep::Code
        } else {
            let choices = [
                ("staff", &messages.as_staff),
                ("supplier", &messages.as_supplier),
            ];
            let choices = choices.map(|(kind, label)| Choice {
                value: format!("{KIND_VALUE}{kind}"),
                label: label.get(self.language).clone(),
            });
            let reply = self.sentence(&messages.prove_typed, &[]);
            self.replies
                .push(reply.kind(Kind::Choices).choices(choices.to_vec()));
            TypingStep::Kind
        };
        self.state.type_next(Some(Typing {
            verification: self.circumstances.personal.verification.to_owned(),
            step,
        }));
    }

    /// Manual mode: the number goes to an officer.
    fn ask_for_number(&mut self, request: Request) {
        let personal = self.circumstances.personal;
        let messages = self.knowledge.messages();
        let what = request_label(self.knowledge, &request, self.language);
        let to = LinkTo::Verification(personal.verification.to_owned());
        let label = messages.manual_button.get(self.language);
        let reply = self
            .sentence(&messages.manual_ask, &[("what", &what)])
            .kind(Kind::Prompt)
            .about(&Self::target(&request))
            .link(to, label, personal.expires_at)
            .choices(vec![self.again(&request, &messages.prove_again)]);
        self.replies.push(reply);
        self.effects.ask = Some(request);
    }

    /// Does what a choice about an action says; the label that stands for it in the transcript.
    pub(super) fn chosen_action(&mut self, value: &str) -> Option<String> {
        let messages = self.knowledge.messages();
        if let Some(kind) = value.strip_prefix(KIND_VALUE) {
            let kind = number::Kind::parse(kind)?;
            let mut typing = self.state.typing()?.clone();
            let (step, ask, label) = match kind {
                number::Kind::Staff => (TypingStep::Card, &messages.type_card, &messages.as_staff),
                number::Kind::Supplier => (
                    TypingStep::Company,
                    &messages.type_company,
                    &messages.as_supplier,
                ),
            };
            typing.step = step;
            self.state.type_next(Some(typing));
            self.replies.push(self.sentence(ask, &[]));
            return Some(label.get(self.language).clone());
        }
        if value == END_VALUE {
            match self.circumstances.personal.standing.fresh() {
                Some(proof) => {
                    self.effects.end_all = Some(EndAll {
                        subject: proof.subject.clone(),
                        why: "asked",
                        mailed: None,
                    });
                    let reply = self.sentence(&messages.sessions_ended, &[]);
                    self.replies.push(reply.kind(Kind::Notice));
                }
                None => self.want(Request {
                    action: Action::Sesi,
                    period: None,
                }),
            }
            return Some(messages.sessions_end.get(self.language).clone());
        }
        let request = parse_do(value.strip_prefix(DO_VALUE)?)?;
        let label = request_label(self.knowledge, &request, self.language);
        self.state.speak_of(Some(&Self::target(&request)), &label);
        if request.action == Action::Sesi || self.can_do(&Self::target(&request)) {
            self.want(request);
        } else if let Some(entry) = self.knowledge.book().entry(&Self::target(&request)) {
            self.explain(entry, None);
        }
        Some(label)
    }

    /// Goes on with what was asked for before the proof.
    pub(super) fn returned(&mut self) {
        let personal = self.circumstances.personal;
        if let Some(number) = personal.claimed {
            return self.claim(number);
        }
        self.state.type_next(None);
        let Some(returned) = personal.returned else {
            self.offer_menu(|messages| &messages.proof_refused);
            return;
        };
        let messages = self.knowledge.messages();
        let proved = self.sentence(&messages.proved, &[("last4", &returned.last4)]);
        self.replies
            .push(proved.kind(Kind::Notice).under(&returned.proof.id));
        let bound = personal.standing.bound.as_ref();
        let new = bound.is_none_or(|(subject, _)| *subject != returned.proof.subject);
        if personal.binds && new && returned.who.active {
            let days = (personal.bound_for / DAY).to_string();
            let reply = self.sentence(&messages.chat_bound, &[("days", &days)]);
            self.replies.push(reply.kind(Kind::Notice));
        }
        self.effects.redeem = true;
        let request = &returned.request;
        let target = Self::target(request);
        if let Some(trouble) = self.hindered(request) {
            self.say_trouble_alone(&trouble, &target);
        } else if request.action == Action::Sesi || self.can_do(&target) {
            self.effects.wish = Some(Wish::Do(request.clone()));
        } else if let Some(entry) = self.knowledge.book().entry(&target) {
            // It was switched off in the meantime.
            self.explain(entry, None);
        }
    }

    /// Takes a number or a code that was typed where one was asked for; what stands for it in the transcript. None if
    /// the text is something else.
    pub(super) fn typed(&mut self, text: &str) -> Option<String> {
        let typing = self.state.typing()?.clone();
        if self.knowledge.cues().cancels(&normal(text)) {
            self.state.type_next(None);
            self.offer_menu(|messages| &messages.cancelled);
            return Some(redact(text.trim()));
        }
        let said = self.circumstances.personal.typed_step;
        let messages = self.knowledge.messages();
        let Some(step) = said else {
            let digits = text.chars().filter(char::is_ascii_digit).count();
            let letters = text.chars().filter(|c| c.is_alphabetic()).count();
            if digits < DIGITS || letters > LETTERS {
                return None;
            }
            // It was meant as a number or a code: it is hidden, and removed.
            self.effects.expected_secret = true;
            let sentence = match typing.step {
                TypingStep::Kind => &messages.prove_typed,
                TypingStep::Card | TypingStep::Company | TypingStep::Code => {
                    &messages.number_malformed
                }
            };
            self.replies.push(self.sentence(sentence, &[]));
            return Some(HIDDEN.to_owned());
        };
        self.effects.expected_secret = true;
        match step {
            TypedStep::Started => {
                self.state.type_next(Some(Typing {
                    step: TypingStep::Code,
                    ..typing
                }));
                let minutes = (self.circumstances.personal.lives / MINUTE).to_string();
                let reply = self.sentence(&messages.code_sent, &[("minutes", &minutes)]);
                self.replies.push(reply);
            }
            TypedStep::Right => self.returned(),
            TypedStep::Wrong { left } => {
                let left = left.to_string();
                let reply = self.sentence(&messages.code_wrong, &[("left", &left)]);
                self.replies.push(reply);
            }
            TypedStep::Expired => self.stop_typing(|messages| &messages.code_expired),
            TypedStep::Locked => self.stop_typing(|messages| &messages.code_locked),
        }
        Some(HIDDEN.to_owned())
    }

    fn stop_typing(&mut self, sentence: impl Fn(&Messages) -> &Localised<String>) {
        self.state.type_next(None);
        self.offer_menu(sentence);
    }
}

/// The number or code that a text is, where a chat waits for one.
pub enum TypedText {
    /// A number.
    Number(IdentityNumber),
    /// What may be a code.
    Code(String),
}

/// Reads what is typed where a number or a code is due; none if it is something else.
pub fn read_typed(typing: &Typing, text: &str) -> Option<TypedText> {
    let kind = match typing.step {
        TypingStep::Kind => return None,
        TypingStep::Card => number::Kind::Staff,
        TypingStep::Company => number::Kind::Supplier,
        TypingStep::Code => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let plain = text
                .trim()
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-'));
            return (plain && digits.len() == CODE).then_some(TypedText::Code(digits));
        }
    };
    IdentityNumber::parse(kind, text).map(TypedText::Number)
}

/// The value of the choice to have something done.
pub fn do_value(request: &Request) -> String {
    let action = request.action.as_str();
    match &request.period {
        Some(period) => format!("{DO_VALUE}{action}:{period}"),
        None => format!("{DO_VALUE}{action}"),
    }
}

fn parse_do(value: &str) -> Option<Request> {
    let (action, period) = match value.split_once(':') {
        Some((action, period)) => (action, Some(Period::parse(period)?.key())),
        None => (value, None),
    };
    Some(Request {
        action: Action::parse(action)?,
        period,
    })
}

/// The choice that ends all sessions.
pub fn end_choice(knowledge: &Knowledge, language: Language) -> Choice {
    Choice {
        value: END_VALUE.to_owned(),
        label: knowledge.messages().sessions_end.get(language).clone(),
    }
}

//! Mails and errands to be: what they are about and whom they concern, never an address. Where a mail goes is asked of
//! the portal, or read from the settings, when it goes.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

/// Nothing of these is ever printed: they hold numbers and one-time links.
macro_rules! never_printed {
    ($($name:ident),*) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(stringify!($name))
            }
        })*
    };
}

never_printed!(To, Content, Letter, Errand);

/// Whom a mail goes to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// Whoever the portal knows under a number, if anybody.
    Number {
        /// `staff` or `supplier`.
        kind: String,
        /// The number.
        number: String,
    },
    /// A person whom the portal knows.
    Person {
        /// The portal's own name for the person.
        reference: String,
        /// As whom: `staff` or `supplier`.
        kind: String,
    },
    /// Officers.
    Queue {
        /// `teknikal`, `naziran` or `helpdesk`.
        name: String,
    },
    /// The supervisor.
    Supervisor,
}

/// What a mail says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A code.
    Code {
        /// The request that it belongs to.
        verification: String,
        /// Which of the request's codes it is.
        sends: i64,
    },
    /// The one-time link to choose a new password.
    PasswordReset {
        /// The portal's link.
        url: String,
        /// When it dies, as the portal says.
        expires_at: String,
        /// The proof under which the chat is told that it went.
        proof: String,
    },
    /// The one-time link to activate an account.
    Activation {
        /// The portal's link.
        url: String,
        /// When it dies, as the portal says.
        expires_at: String,
        /// The proof under which the chat is told that it went.
        proof: String,
    },
    /// A chat is bound to the person now.
    Bound {
        /// How its channel names whoever is there.
        who: Option<String>,
        /// Whether another chat lost its binding.
        instead: bool,
        /// When, in Unix milliseconds.
        at: Millis,
    },
    /// A chat lost its binding: the person left, or the address changed.
    Unbound,
    /// Somebody tries codes.
    Attempts,
    /// A task for officers.
    Task {
        /// The ticket's number.
        number: String,
        /// What it is about.
        topic: String,
    },
    /// A ticket that somebody has to look after: it is overdue, or its person waits and nobody takes it.
    Chased {
        /// The ticket's number.
        number: String,
        /// What it is about.
        topic: String,
        /// Whether the person waits in the chat.
        untaken: bool,
    },
    /// Many people say that a system does not open: somebody has to confirm it.
    Incident {
        /// The ticket's number.
        number: String,
        /// What it is about.
        topic: String,
    },
    /// An officer has answered the person's ticket.
    TicketAnswered {
        /// The ticket's number.
        number: String,
    },
    /// Somebody said that it was not them.
    Disavowed {
        /// The ticket's number.
        number: String,
    },
    /// The end of the record of sensitive steps.
    Anchor {
        /// `SEQ:MAC`.
        anchor: String,
    },
}

impl Content {
    /// The name as recorded.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Code { .. } => "code",
            Self::PasswordReset { .. } => "password-reset",
            Self::Activation { .. } => "activation",
            Self::Bound { .. } => "bound",
            Self::Unbound => "unbound",
            Self::Attempts => "attempts",
            Self::Task { .. } => "task",
            Self::Chased { .. } => "chased",
            Self::Incident { .. } => "incident",
            Self::TicketAnswered { .. } => "ticket-answered",
            Self::Disavowed { .. } => "disavowed",
            Self::Anchor { .. } => "anchor",
        }
    }

    /// The name, with the ticket's number where it is about one.
    pub fn about(&self) -> String {
        match self {
            Self::Task { number, .. }
            | Self::Chased { number, .. }
            | Self::Incident { number, .. }
            | Self::TicketAnswered { number }
            | Self::Disavowed { number } => format!("{} {number}", self.name()),
            Self::Code { .. }
            | Self::PasswordReset { .. }
            | Self::Activation { .. }
            | Self::Bound { .. }
            | Self::Unbound
            | Self::Attempts
            | Self::Anchor { .. } => self.name().to_owned(),
        }
    }
}

/// A mail to be.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Whom it goes to.
    pub to: To,
    /// What it says.
    pub content: Content,
    /// Whom it concerns, as a name that tells nothing; empty for officers.
    pub subject: String,
    /// The conversation that is told how it went; empty if none.
    pub conversation_id: String,
    /// The language of that conversation.
    pub language: String,
    /// It is not sent later than this, in Unix milliseconds.
    pub expires_at: Option<Millis>,
}

/// Something to be asked of the portal that has an effect.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// `lupa-kata-laluan` or `daftar`.
    pub action: String,
    /// The portal's own name for the person.
    pub reference: String,
    /// As whom: `staff` or `supplier`.
    pub kind: String,
    /// Who it is, as a name that tells nothing.
    pub subject: String,
    /// The last four characters of the number.
    pub last4: String,
    /// The conversation that is told how it went.
    pub conversation_id: String,
    /// The proof that it is done for: what is said of it is hidden with it, and it is not run once that was revoked.
    pub proof: String,
    /// It is not run later than this, in Unix milliseconds.
    pub expires_at: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac_83_mails_and_errands_to_be_are_not_printed() {
        let letter = Letter {
            to: To::Number {
                kind: "staff".to_owned(),
                number: "880101035123".to_owned(),
            },
            content: Content::PasswordReset {
                url: "https://portal.example/once".to_owned(),
                expires_at: String::new(),
                proof: String::new(),
            },
            subject: String::new(),
            conversation_id: String::new(),
            language: "ms".to_owned(),
            expires_at: None,
        };
        let shown = format!("{letter:?} {:?} {:?}", letter.to, letter.content);
        assert_eq!(shown, "Letter To Content");
    }
}

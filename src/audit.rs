//! The record of every sensitive step, success or not: append only, each line chained to the one before it by an HMAC.
//! It holds no number, code, address or token.

use std::fmt;

use thiserror::Error;

use crate::clock::Millis;
use crate::secret::{RandomKey, same};
use crate::storage::audit::{self, AuditRow};
use crate::storage::{Connection, Store};

/// Lines that are read at a time.
const PAGE: i64 = 1_000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A chat asked for a proof.
    VerifyAsked,
    /// A number was given and a code issued, or withheld.
    VerifyStarted,
    /// A code was mailed, or could not be.
    CodeMailed,
    /// A code was given.
    VerifyFinished,
    /// A proof was brought back to a chat.
    ProofReturned,
    /// A chat was bound to a person, or lost its binding.
    Binding,
    /// Proofs and bindings were ended.
    SessionsEnded,
    /// A password reset was asked of the portal.
    PasswordReset,
    /// An activation was asked of the portal.
    Activation,
    /// A link to a payslip was made.
    PayslipLink,
    /// A link to an annual statement was made.
    StatementLink,
    /// A link was opened, or could not be.
    LinkOpened,
    /// Somebody said that it was not them.
    Disavowed,
    /// A mail to a person went out, or could not.
    Mailed,
    /// A task was opened, shown or settled.
    Ticket,
    /// Somebody signed in to the console, or could not.
    SignIn,
    /// An agent was added, invited, enrolled or disabled.
    Agent,
    /// Knowledge was changed in the console.
    Knowledge,
    /// An incident was suspected, confirmed, dismissed or closed.
    Incident,
    /// An announcement was sent or taken back.
    Announcement,
    /// A message that held a number or a code could not be removed.
    RemovalFailed,
    /// Too many failures: new bindings are paused.
    Breaker,
    /// Everything that was said was deleted.
    Erased,
    /// The end of the record was sent to the supervisor.
    Anchored,
    /// The database was restored from a backup.
    Restored,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::VerifyAsked,
        Self::VerifyStarted,
        Self::CodeMailed,
        Self::VerifyFinished,
        Self::ProofReturned,
        Self::Binding,
        Self::SessionsEnded,
        Self::PasswordReset,
        Self::Activation,
        Self::PayslipLink,
        Self::StatementLink,
        Self::LinkOpened,
        Self::Disavowed,
        Self::Mailed,
        Self::Ticket,
        Self::SignIn,
        Self::Agent,
        Self::Knowledge,
        Self::Incident,
        Self::Announcement,
        Self::RemovalFailed,
        Self::Breaker,
        Self::Erased,
        Self::Anchored,
        Self::Restored,
    ];

    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyAsked => "verify.asked",
            Self::VerifyStarted => "verify.started",
            Self::CodeMailed => "verify.mailed",
            Self::VerifyFinished => "verify.finished",
            Self::ProofReturned => "proof.returned",
            Self::Binding => "binding",
            Self::SessionsEnded => "sessions.ended",
            Self::PasswordReset => "action.password-reset",
            Self::Activation => "action.activation",
            Self::PayslipLink => "action.payslip",
            Self::StatementLink => "action.annual-statement",
            Self::LinkOpened => "link.opened",
            Self::Disavowed => "disavowed",
            Self::Mailed => "mail",
            Self::Ticket => "ticket",
            Self::SignIn => "console.sign-in",
            Self::Agent => "console.agent",
            Self::Knowledge => "console.knowledge",
            Self::Incident => "incident",
            Self::Announcement => "console.announcement",
            Self::RemovalFailed => "message.removal",
            Self::Breaker => "breaker",
            Self::Erased => "conversation.erased",
            Self::Anchored => "audit.anchored",
            Self::Restored => "database.restored",
        }
    }
}

/// One line to be.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What happened.
    pub event: Event,
    /// How it went, in a word.
    pub outcome: &'a str,
    /// The conversation; empty if none.
    pub conversation_id: &'a str,
    /// Whom it concerns; empty if nobody.
    pub subject: &'a str,
    /// What else there is to know.
    pub detail: &'a str,
}

impl<'a> Entry<'a> {
    /// A line about an event.
    pub fn new(event: Event, outcome: &'a str) -> Self {
        Self {
            event,
            outcome,
            conversation_id: "",
            subject: "",
            detail: "",
        }
    }

    /// The same, in a conversation.
    pub fn within(mut self, conversation_id: &'a str) -> Self {
        self.conversation_id = conversation_id;
        self
    }

    /// The same, about somebody.
    pub fn about(mut self, subject: &'a str) -> Self {
        self.subject = subject;
        self
    }

    /// The same, with more to know.
    pub fn detail(mut self, detail: &'a str) -> Self {
        self.detail = detail;
        self
    }
}

/// What writes the record, and checks it.
#[derive(Clone, Debug)]
pub struct Audit {
    key: RandomKey,
}

/// The end of the record, told to somebody who keeps it elsewhere: whatever is cut off later shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The place of the last line.
    pub seq: i64,
    /// Its HMAC.
    pub mac: String,
}

impl fmt::Display for Anchor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.seq, self.mac)
    }
}

impl Anchor {
    /// Reads `SEQ:MAC`.
    pub fn parse(text: &str) -> Option<Self> {
        let (seq, mac) = text.trim().split_once(':')?;
        Some(Self {
            seq: seq.parse().ok()?,
            mac: mac.to_owned(),
        })
    }
}

/// Why the record cannot be trusted.
#[derive(Debug, Error)]
pub enum Broken {
    /// A line is not what was written, or follows another one than when it was written.
    #[error("line {0} was changed, or a line before it was changed, moved or taken out")]
    Line(i64),
    /// Lines are missing inside.
    #[error("line {0} is missing")]
    Gap(i64),
    /// The end is not where it was noted.
    #[error("the record ends at line {found}, but {noted} lines were written")]
    End {
        /// The last line that is there.
        found: i64,
        /// The last line that was noted.
        noted: i64,
    },
    /// The line that an anchor names is gone or another.
    #[error("line {0} is not the one that the anchor names")]
    Anchor(i64),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Audit {
    /// With this key.
    pub fn new(key: RandomKey) -> Self {
        Self { key }
    }

    /// Appends a line in a transaction; whoever comes next waits for its end, so this belongs last in it.
    pub async fn record(
        &self,
        connection: &mut Connection,
        entry: Entry<'_>,
        at: Millis,
    ) -> sqlx::Result<()> {
        let (seq, before) = audit::hold_head(connection).await?;
        let mut row = AuditRow {
            seq,
            at,
            event: entry.event.as_str().to_owned(),
            outcome: entry.outcome.to_owned(),
            conversation_id: entry.conversation_id.to_owned(),
            subject: entry.subject.to_owned(),
            detail: entry.detail.to_owned(),
            mac: String::new(),
        };
        row.mac = self.mac(&row, &before);
        audit::append(connection, &row).await?;
        metrics::counter!("tanya_audit_total", "event" => row.event, "outcome" => row.outcome)
            .increment(1);
        Ok(())
    }

    /// The HMAC over a line and the one before it; lengths keep fields apart.
    fn mac(&self, row: &AuditRow, before: &str) -> String {
        let place = row.seq.to_string();
        let at = row.at.to_string();
        let fields = [
            before,
            &place,
            &at,
            &row.event,
            &row.outcome,
            &row.conversation_id,
            &row.subject,
            &row.detail,
        ];
        let mut text = String::new();
        for field in fields {
            text.push_str(&format!("{}:{field};", field.len()));
        }
        self.key.sign(&text)
    }

    /// Checks every line, the end, and an anchor if there is one; returns the end.
    pub async fn verify(&self, store: &Store, anchor: Option<&Anchor>) -> Result<Anchor, Broken> {
        let mut connection = store.connection().await?;
        self.check(&mut connection, anchor).await
    }

    /// The same, as a connection sees the record.
    pub async fn check(
        &self,
        connection: &mut Connection,
        anchor: Option<&Anchor>,
    ) -> Result<Anchor, Broken> {
        let (noted, noted_mac) = audit::head(connection).await?;
        let mut last = Anchor {
            seq: 0,
            mac: String::new(),
        };
        loop {
            let rows = audit::after(connection, last.seq, PAGE).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                if row.seq != last.seq + 1 {
                    return Err(Broken::Gap(last.seq + 1));
                }
                let right = self.mac(&row, &last.mac);
                if !same(right.as_bytes(), row.mac.as_bytes()) {
                    return Err(Broken::Line(row.seq));
                }
                last = Anchor {
                    seq: row.seq,
                    mac: row.mac,
                };
                let named = anchor.filter(|anchor| anchor.seq == last.seq);
                if named.is_some_and(|anchor| anchor.mac != last.mac) {
                    return Err(Broken::Anchor(last.seq));
                }
            }
        }
        // What was written while this was read is there all the same.
        if noted > last.seq || (noted == last.seq && noted_mac != last.mac) {
            return Err(Broken::End {
                found: last.seq,
                noted,
            });
        }
        match anchor {
            Some(anchor) if anchor.seq > last.seq => Err(Broken::Anchor(anchor.seq)),
            Some(_) | None => Ok(last),
        }
    }
}

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
    /// The oldest lines were deleted; it says where the record begins.
    Cut,
    /// Something must be kept although its time is over, or not any more.
    Hold,
    /// A person's data were asked for, approved, refused, handed out, erased.
    DataRequest,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 28] = [
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
        Self::Cut,
        Self::Hold,
        Self::DataRequest,
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
            Self::Cut => "audit.cut",
            Self::Hold => "data.hold",
            Self::DataRequest => "data.request",
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
    /// The line that an anchor names is older than the record is kept.
    #[error("line {0} was deleted when its time was over; take a younger anchor")]
    Past(i64),
    /// Lines are missing at the beginning, and no line says that they were deleted when their time was over.
    #[error("the lines up to {0} are gone, and the record does not say why")]
    Beginning(i64),
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

    /// The last of the oldest lines whose time is over: all before it are from before `before`, and none is held. None if
    /// there is nothing to delete.
    pub async fn due(connection: &mut Connection, before: Millis) -> sqlx::Result<Option<i64>> {
        let (start, _) = audit::start(connection).await?;
        let oldest = audit::next_at(connection, start).await?;
        if oldest.is_none_or(|at| at >= before) {
            return Ok(None);
        }
        let kept = match audit::first_since(connection, before).await? {
            Some(seq) => seq,
            None => audit::head(connection).await?.0 + 1,
        };
        let held = audit::first_held(connection).await?;
        let last = held.map_or(kept, |held| held.min(kept)) - 1;
        Ok((last > start).then_some(last))
    }

    /// Moves the record's beginning behind the lines whose time is over: a line of its own says so, to which the rest stays
    /// chained. The lines themselves are deleted afterwards.
    pub async fn cut(
        &self,
        connection: &mut Connection,
        before: Millis,
        now: Millis,
    ) -> sqlx::Result<()> {
        let Some(seq) = Self::due(connection, before).await? else {
            return Ok(());
        };
        let Some(mac) = audit::mac_of(connection, seq).await? else {
            return Ok(());
        };
        let start = Anchor { seq, mac };
        let detail = start.to_string();
        let entry = Entry::new(Event::Cut, "cut").detail(&detail);
        self.record(connection, entry, now).await?;
        audit::set_start(connection, start.seq, &start.mac).await
    }

    /// Checks every line, the beginning, the end, and an anchor if there is one; returns the end.
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
        loop {
            let start = beginning(connection).await?;
            let checked = self.verify_from(connection, &start, anchor).await;
            // What was deleted while this was read is missing for a reason.
            if beginning(connection).await? == start {
                return checked;
            }
        }
    }

    /// The same of a schema from before records could lose their oldest lines.
    pub async fn check_uncut(&self, connection: &mut Connection) -> Result<Anchor, Broken> {
        let start = Anchor {
            seq: 0,
            mac: String::new(),
        };
        self.verify_from(connection, &start, None).await
    }

    async fn verify_from(
        &self,
        connection: &mut Connection,
        start: &Anchor,
        anchor: Option<&Anchor>,
    ) -> Result<Anchor, Broken> {
        let (noted, noted_mac) = audit::head(connection).await?;
        let mut last = start.clone();
        let mut said = start.seq == 0;
        let begins = start.to_string();
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
                said |= row.event == Event::Cut.as_str() && row.detail == begins;
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
        if !said {
            return Err(Broken::Beginning(start.seq));
        }
        match anchor {
            Some(anchor) if anchor.seq > last.seq => Err(Broken::Anchor(anchor.seq)),
            Some(anchor) if anchor.seq < start.seq => Err(Broken::Past(anchor.seq)),
            Some(anchor) if anchor.seq == start.seq && anchor.mac != start.mac => {
                Err(Broken::Anchor(anchor.seq))
            }
            Some(_) | None => Ok(last),
        }
    }
}

async fn beginning(connection: &mut Connection) -> sqlx::Result<Anchor> {
    let (seq, mac) = audit::start(connection).await?;
    Ok(Anchor { seq, mac })
}

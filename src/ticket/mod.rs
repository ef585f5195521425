//! What officers have to do: numbers with a check digit, who works a ticket, and what happened to it. What only officers
//! may know is sealed.

mod number;
mod open;

pub use number::TicketNumber;
pub use open::{Happened, NewTicket, Tickets, note, said_word, words};

/// Whose work a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Unit Teknologi Maklumat: technical problems.
    Teknikal,
    /// Seksyen Naziran & Khidmat Perunding: procedures.
    Naziran,
    /// Everything else.
    Helpdesk,
}

impl Queue {
    /// All of them, as they are listed.
    pub const ALL: [Self; 3] = [Self::Teknikal, Self::Naziran, Self::Helpdesk];

    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Teknikal => "teknikal",
            Self::Naziran => "naziran",
            Self::Helpdesk => "helpdesk",
        }
    }

    /// Reads the name as stored.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == name)
    }
}

/// How far a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Waits for an officer.
    Open,
    /// Waits for the person.
    Pending,
    /// Settled; the person's next word opens it again.
    Resolved,
    /// Settled for good.
    Closed,
}

impl Status {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Open, Self::Pending, Self::Resolved, Self::Closed];

    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }

    /// Reads the name as stored.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether somebody still has to do something.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Open | Self::Pending)
    }
}

/// What happened to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// It was opened.
    Opened,
    /// The person added something.
    Added,
    /// The person sent a picture.
    Pictured,
    /// The person for whom an officer opened it goes on with it in a chat.
    Claimed,
    /// An officer took the chat over.
    Taken,
    /// The chat was handed back to the bot.
    HandedBack,
    /// An officer answered.
    Replied,
    /// An officer noted something for officers.
    Note,
    /// It became somebody's work, or nobody's.
    Assigned,
    /// It went to another queue.
    Moved,
    /// It became more or less urgent.
    Prioritised,
    /// It waits for the person.
    Pending,
    /// It was settled.
    Resolved,
    /// It was closed.
    Closed,
    /// It was opened again.
    Reopened,
    /// The person took it back.
    Cancelled,
    /// It became part of another one, or another one of it.
    Merged,
    /// An entry of the knowledge was linked.
    Linked,
    /// Somebody looked at what is sealed.
    Unmasked,
    /// It is overdue, and the supervisor was told.
    Escalated,
    /// Nobody has taken it yet, and the person and the supervisor were told.
    Untaken,
}

impl Happening {
    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Added => "added",
            Self::Pictured => "pictured",
            Self::Claimed => "claimed",
            Self::Taken => "taken",
            Self::HandedBack => "handed-back",
            Self::Replied => "replied",
            Self::Note => "note",
            Self::Assigned => "assigned",
            Self::Moved => "moved",
            Self::Prioritised => "prioritised",
            Self::Pending => "pending",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Cancelled => "cancelled",
            Self::Merged => "merged",
            Self::Linked => "linked",
            Self::Unmasked => "unmasked",
            Self::Escalated => "escalated",
            Self::Untaken => "untaken",
        }
    }
}

/// Priorities as stored, the least urgent first.
pub const PRIORITIES: [&str; 4] = ["low", "normal", "high", "urgent"];

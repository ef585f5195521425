//! What the page about persons' data shows: filled by its handler.

use askama::Template;

use super::view::{Shell, Tag, When, Words};

/// `GET /console/hak`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/rights.html")]
pub struct RightsPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// Whether the reader may approve, and place and lift holds.
    pub can_decide: bool,
    /// Requests that wait for somebody.
    pub open: Vec<RequestCard>,
    /// Requests that are over.
    pub over: Vec<OverRow>,
    /// Holds.
    pub holds: Vec<HoldLine>,
}

/// A request that waits for somebody.
#[derive(Clone, Debug, Default)]
pub struct RequestCard {
    /// Its key.
    pub id: String,
    /// `export` or `erase`.
    pub kind: Tag,
    /// Whom it is about: the ticket or the number's end.
    pub whom: String,
    /// Why.
    pub reason: String,
    /// Who filed it.
    pub who: String,
    /// When.
    pub when: When,
    /// Whether the reader filed it, who then may not decide on it.
    pub own: bool,
    /// Whether it was approved.
    pub approved: bool,
    /// Who approved it.
    pub decided_by: String,
    /// Whether the reader may take the copy.
    pub can_take: bool,
    /// Whether the time to take the copy is over.
    pub late: bool,
    /// Whether a hold keeps what it is about.
    pub held: bool,
}

/// A request that is over.
#[derive(Clone, Debug, Default)]
pub struct OverRow {
    /// `export` or `erase`.
    pub kind: Tag,
    /// Whom it is about.
    pub whom: String,
    /// Who filed it.
    pub who: String,
    /// What became of it.
    pub state: Tag,
    /// Who decided.
    pub decided_by: String,
    /// When it was over.
    pub when: When,
    /// What was noted.
    pub note: String,
}

/// A hold.
#[derive(Clone, Debug, Default)]
pub struct HoldLine {
    /// Its key.
    pub id: String,
    /// What it keeps.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub who: String,
    /// When.
    pub when: When,
    /// When it ends by itself; empty text if it does not.
    pub until: When,
    /// How it stands.
    pub state: Tag,
    /// Whether it can be lifted.
    pub active: bool,
}

//! What the page of proposals shows.

use askama::Template;

use crate::web::console::view::{Shell, Tag, When, Words};

/// `GET /console/cadangan`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/proposals.html")]
pub struct ProposalsPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// Whether the reader may approve and refuse.
    pub can_approve: bool,
    /// Proposals that wait.
    pub waiting: Vec<ProposalCard>,
    /// Proposals that were decided on.
    pub decided: Vec<DecidedRow>,
}

/// A proposal that waits.
#[derive(Clone, Debug, Default)]
pub struct ProposalCard {
    /// Its key.
    pub id: String,
    /// The entry's name.
    pub entry: String,
    /// The text.
    pub text: String,
    /// Who proposed it.
    pub who: String,
    /// When.
    pub when: When,
    /// Whether the reader proposed it, who then may not approve it.
    pub own: bool,
    /// How checking stands: `ok`, `problems`, `running`.
    pub check: &'static str,
    /// The problems.
    pub problems: Vec<String>,
    /// Figures before and after.
    pub measures: Vec<Measure>,
    /// How many known questions moved, as a sentence; empty if it did not come so far.
    pub moved: String,
}

/// A figure before and after.
#[derive(Clone, Debug, Default)]
pub struct Measure {
    /// What is measured.
    pub label: String,
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
    /// The change, with its sign.
    pub change: String,
    /// Whether that is worse.
    pub worse: bool,
}

/// A proposal that was decided on.
#[derive(Clone, Debug, Default)]
pub struct DecidedRow {
    /// Its key.
    pub id: String,
    /// The entry's name.
    pub entry: String,
    /// The text.
    pub text: String,
    /// Who proposed it.
    pub who: String,
    /// What became of it.
    pub state: Tag,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub when: When,
    /// Why.
    pub reason: String,
    /// Whether it has a patch.
    pub has_patch: bool,
}

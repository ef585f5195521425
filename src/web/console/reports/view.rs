//! What the reports show.

use askama::Template;

use super::chart::Chart;
use crate::web::console::view::{Choice, Shell, When, Words};

/// `GET /console/laporan`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/reports.html")]
pub struct ReportsPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// Months to choose from, `YYYY-MM`.
    pub months: Vec<Choice>,
    /// The chosen month's name.
    pub month_name: String,
    /// Today's date, for the part about today.
    pub today: When,
    /// When the page was made, for paper.
    pub made: When,
    /// Numbers at a glance.
    pub tiles: Vec<Tile>,
    /// Charts about today.
    pub today_charts: Vec<Chart>,
    /// Charts about the month.
    pub month_charts: Vec<Chart>,
    /// Tables to download.
    pub tables: Vec<Download>,
    /// Who opened sealed details.
    pub unmasked: Vec<Unmasked>,
    /// Whether the reader may give an absent officer's tickets to another.
    pub can_reassign: bool,
    /// Officers with open tickets, with how many.
    pub absent: Vec<Choice>,
    /// Officers who may take them.
    pub takers: Vec<Choice>,
}

/// A number at a glance.
#[derive(Clone, Debug, Default)]
pub struct Tile {
    /// What it counts.
    pub label: String,
    /// The number, with its unit.
    pub value: String,
    /// What to compare it with.
    pub note: String,
    /// How it stands: `good`, `bad`, or empty.
    pub state: String,
}

/// A table to download.
#[derive(Clone, Debug, Default)]
pub struct Download {
    /// What it holds.
    pub label: String,
    /// Its address.
    pub href: String,
}

/// That somebody opened sealed details.
#[derive(Clone, Debug, Default)]
pub struct Unmasked {
    /// When.
    pub when: When,
    /// Who.
    pub who: String,
    /// Of which ticket.
    pub number: String,
    /// What was opened.
    pub what: String,
    /// The reason that was given.
    pub reason: String,
}

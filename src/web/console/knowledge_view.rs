//! What the pages about the knowledge and the audit show: one struct for each page, filled by its handler.

use askama::Template;

use super::view::{Choice, Shell, Tag, When, Words};

/// `GET /console/soalan`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/questions.html")]
pub struct QuestionsPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// Spans of days to choose from.
    pub periods: Vec<Choice>,
    /// The chosen one.
    pub days: u16,
    /// What the list shows, as sentences.
    pub summary: Vec<String>,
    /// The groups, the most frequent first.
    pub groups: Vec<GroupCard>,
    /// What was set aside.
    pub dismissed: Vec<Dismissed>,
}

/// Questions that ask the same.
#[derive(Clone, Debug, Default)]
pub struct GroupCard {
    /// Its place on the page, for the names of its elements.
    pub place: usize,
    /// How it is asked most; this is what is proposed.
    pub text: String,
    /// How often it was asked.
    pub count: usize,
    /// In how many chats.
    pub chats: usize,
    /// Why it counts as not answered.
    pub why: Vec<String>,
    /// When last.
    pub last: When,
    /// Other ways in which it is asked.
    pub examples: Vec<String>,
    /// The nearest entry's name; empty if none is near.
    pub nearest: String,
    /// How near it is, in percent.
    pub near: u8,
    /// The entries, the nearest chosen.
    pub entries: Vec<Choice>,
}

/// A question that was set aside.
#[derive(Clone, Debug, Default)]
pub struct Dismissed {
    /// Its key.
    pub id: String,
    /// What was asked.
    pub text: String,
    /// By whom.
    pub who: String,
    /// When.
    pub when: When,
}

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

/// `GET /console/versi`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/versions.html")]
pub struct VersionsPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// The versions, the latest first.
    pub versions: Vec<VersionRow>,
    /// What the shown version changed; empty if none is shown.
    pub diff: Vec<DiffLine>,
    /// Which version that is.
    pub shown: String,
    /// Where its patch is downloaded.
    pub patch_href: String,
    /// Why it was not rolled back.
    pub problems: Vec<String>,
    /// The page before this one; empty on the first.
    pub newer_href: String,
    /// The page after this one; empty on the last.
    pub older_href: String,
}

/// A version of a file.
#[derive(Clone, Debug, Default)]
pub struct VersionRow {
    /// The file.
    pub file: String,
    /// Its number.
    pub number: i64,
    /// When.
    pub when: When,
    /// Who; empty for the file as it was found.
    pub who: String,
    /// Why.
    pub reason: String,
    /// Lines added and taken out; empty where nothing is known before it.
    pub size: String,
    /// Whether it is in use.
    pub current: bool,
    /// Whether its changes are shown.
    pub is_shown: bool,
}

/// A line of a difference.
#[derive(Clone, Debug, Default)]
pub struct DiffLine {
    /// `add`, `del`, `same`, or `skip` for lines left out.
    pub kind: &'static str,
    /// The line's number before; empty if it was not there.
    pub old: String,
    /// The line's number after; empty if it is not there.
    pub new: String,
    /// The line.
    pub text: String,
}

/// `GET /console/audit`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/audit.html")]
pub struct AuditPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// Events to choose from.
    pub events: Vec<Choice>,
    /// Officers to choose from.
    pub agents: Vec<Choice>,
    /// From which day, `YYYY-MM-DD` or empty.
    pub from: String,
    /// To which day, `YYYY-MM-DD` or empty.
    pub to: String,
    /// How the chain stands, as sentences.
    pub chain: Vec<String>,
    /// What the check just found, if there was one: whether the record is whole.
    pub verified: Option<bool>,
    /// The same as a sentence.
    pub verified_text: String,
    /// Whether the record is short enough to be checked here.
    pub can_verify: bool,
    /// The rows, the latest first.
    pub rows: Vec<AuditLine>,
    /// What the list shows, as a sentence.
    pub summary: String,
    /// Where the table is downloaded; empty if the reader may not.
    pub table_href: String,
    /// The page before this one; empty on the first.
    pub newer_href: String,
    /// The page after this one; empty on the last.
    pub older_href: String,
}

/// A line of the record.
#[derive(Clone, Debug, Default)]
pub struct AuditLine {
    /// Its place.
    pub serial: i64,
    /// When.
    pub when: When,
    /// Which officer; empty if it was none.
    pub who: String,
    /// The event.
    pub event: String,
    /// How it went.
    pub outcome: String,
    /// About whom or what, by names that tell nothing.
    pub about: String,
    /// What else there is to know.
    pub detail: String,
}

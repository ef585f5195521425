//! What the pages of the officers' console share of what they show; what one page shows stands beside its handler.
//! Nothing here reads a request, a database or a clock, and nothing is trusted as HTML.

use askama::Template;

use crate::knowledge::text::Language;

/// What every page needs: its language and its own form's proof.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// Whether the page is in English; Malay otherwise.
    pub english: bool,
    /// The session's token that every form sends back.
    pub csrf: String,
    /// The page's own address for GET, with its query: for the language switch and the live refresh.
    pub here: String,
}

impl Words {
    /// The text in the page's language.
    pub fn t<'a>(&self, ms: &'a str, en: &'a str) -> &'a str {
        if self.english { en } else { ms }
    }

    /// The page's language as HTML names it.
    pub fn lang(&self) -> &'static str {
        if self.english { "en" } else { "ms" }
    }

    /// The page's language as the knowledge knows it.
    pub fn language(&self) -> Language {
        Language::parse(self.lang()).unwrap_or_default()
    }

    /// The other language, which the switch offers.
    pub fn other(&self) -> &'static str {
        if self.english { "ms" } else { "en" }
    }

    /// A ticket's status.
    pub fn status(&self, code: &str) -> Tag {
        let label = match code {
            "open" => self.t("Terbuka", "Open"),
            "pending" => self.t("Tunggu pengguna", "Pending"),
            "resolved" => self.t("Selesai", "Resolved"),
            "closed" => self.t("Ditutup", "Closed"),
            _ => code,
        };
        Tag::new(code, label)
    }

    /// A ticket's priority.
    pub fn priority(&self, code: &str) -> Tag {
        let label = match code {
            "low" => self.t("Rendah", "Low"),
            "normal" => self.t("Biasa", "Normal"),
            "high" => self.t("Tinggi", "High"),
            "urgent" => self.t("Segera", "Urgent"),
            _ => code,
        };
        Tag::new(code, label)
    }

    /// A queue.
    pub fn queue(&self, code: &str) -> Tag {
        let label = match code {
            "teknikal" => self.t("Teknikal", "Technical"),
            "naziran" => self.t("Naziran", "Inspectorate"),
            "helpdesk" => self.t("Helpdesk", "Helpdesk"),
            _ => code,
        };
        Tag::new(code, label)
    }

    /// A channel.
    pub fn channel(&self, code: &str) -> Tag {
        let label = match code {
            "web" => self.t("Web", "Web"),
            "telegram" => "Telegram",
            "kaunter" => self.t("Kaunter", "Counter"),
            "telefon" => self.t("Telefon", "Telephone"),
            _ => code,
        };
        Tag::new(code, label)
    }
}

/// A closed set's member: the code that forms and styles use, and its name in the page's language.
#[derive(Clone, Debug, Default)]
pub struct Tag {
    /// Lower-case code, as stored.
    pub code: String,
    /// Its name in the page's language.
    pub label: String,
}

impl Tag {
    /// A member.
    pub fn new(code: &str, label: &str) -> Self {
        Self {
            code: code.to_owned(),
            label: label.to_owned(),
        }
    }
}

/// A moment.
#[derive(Clone, Debug, Default)]
pub struct When {
    /// RFC 3339, for `datetime`.
    pub at: String,
    /// How people read it, in the page's language.
    pub text: String,
}

/// An option of a `<select>`.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What people read.
    pub label: String,
    /// Whether it is chosen now.
    pub selected: bool,
}

impl Choice {
    /// An option.
    pub fn new(value: &str, label: impl Into<String>, selected: bool) -> Self {
        Self {
            value: value.to_owned(),
            label: label.into(),
            selected,
        }
    }

    /// The option of a filter that leaves nothing out, chosen where nothing else is.
    pub fn all(w: &Words, chosen: &str) -> Self {
        Self::new("", w.t("Semua", "All"), chosen.is_empty())
    }
}

/// What the signed-in layout shows around a page.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// Which entry of the navigation is this page: `queue`, `new`, `reports`, `canned`, `calendar`, `agents`, `account`,
    /// `questions`, `proposals`, `versions`, `audit`, `incidents`, `rights`.
    pub at: String,
    /// The officer's name.
    pub name: String,
    /// The officer's role, in the page's language.
    pub role: String,
    /// Whether the officer takes chats now.
    pub present: bool,
    /// The address of the event stream for this page; empty if the page is not live.
    pub live: String,
    /// Whether the officer wants to hear a new waiting chat.
    pub sound: bool,
    /// Whether the officer wants single-key shortcuts.
    pub keys: bool,
    /// Numbers of the chats that wait for a person now; a new one among them rings.
    pub waiting: Vec<String>,
    /// How many tickets are open.
    pub open: u64,
    /// Whether the officer sees the reports.
    pub can_reports: bool,
    /// Whether the officer sees unanswered questions and proposes for them.
    pub can_propose: bool,
    /// Whether the officer takes the knowledge back to a former state.
    pub can_roll_back: bool,
    /// Whether the officer reads the audit.
    pub can_audit: bool,
    /// Whether the officer edits canned replies.
    pub can_canned: bool,
    /// Whether the officer decides about incidents and announces.
    pub can_incidents: bool,
    /// Whether the officer edits the calendar.
    pub can_calendar: bool,
    /// Whether the officer files what persons ask about their data.
    pub can_rights: bool,
    /// Whether the officer manages officers.
    pub can_agents: bool,
    /// What the last action did, in the page's language; empty if nothing is to be said.
    pub flash: String,
    /// Whether the last action failed.
    pub flash_bad: bool,
}

/// A QR code as one path of unit squares, its quiet zone included.
#[derive(Clone, Debug, Default)]
pub struct Qr {
    /// Modules on a side, the quiet zone of four included.
    pub side: u32,
    /// The dark modules, as an SVG path.
    pub path: String,
}

/// A page that only says something: 403, 404, an ended session, an invitation used before.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/notice.html")]
pub struct NoticePage {
    /// Language and token.
    pub w: Words,
    /// The number of the status, or empty.
    pub code: String,
    /// What happened.
    pub title: String,
    /// What to do about it.
    pub text: String,
    /// Where the one button leads.
    pub href: String,
    /// What the button says.
    pub link: String,
}

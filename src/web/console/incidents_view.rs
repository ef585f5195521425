//! What the page of incidents and announcements shows.

use askama::Template;

use super::view::{Shell, Tag, When, Words};

/// `GET /console/insiden`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/incidents.html")]
pub struct IncidentsPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// How the two systems are.
    pub systems: Vec<SystemRow>,
    /// Incidents that are open.
    pub open: Vec<IncidentCard>,
    /// Incidents that are over.
    pub past: Vec<IncidentCard>,
    /// Announcements, the latest first.
    pub announcements: Vec<AnnouncementLine>,
    /// The Malay text as typed.
    pub text_ms: String,
    /// The English text as typed.
    pub text_en: String,
    /// From when on, as a form has it.
    pub from: String,
    /// Until when, as a form has it.
    pub until: String,
    /// Whether it is shown as a strip too.
    pub banner: bool,
    /// What is wrong; empty if nothing is.
    pub error: String,
}

/// A system.
#[derive(Clone, Debug, Default)]
pub struct SystemRow {
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: Tag,
    /// Since when it does not work.
    pub since: When,
    /// Whose word that is, and what they add.
    pub word: String,
}

/// An incident.
#[derive(Clone, Debug, Default)]
pub struct IncidentCard {
    /// Its key.
    pub id: String,
    /// The system's name.
    pub system: String,
    /// How far it is.
    pub state: Tag,
    /// Its ticket's number.
    pub ticket: String,
    /// When it was opened.
    pub opened: When,
    /// When it was over.
    pub closed: When,
    /// Who decided last.
    pub who: String,
    /// People, departments and networks, in words.
    pub figures: String,
    /// The reports, where it is open.
    pub reports: Vec<ReportRow>,
}

/// A report.
#[derive(Clone, Debug, Default)]
pub struct ReportRow {
    /// When.
    pub when: When,
    /// The channel.
    pub channel: Tag,
    /// The department; empty if none was named.
    pub department: String,
    /// The chat's ticket; empty if it has none.
    pub ticket: String,
}

/// An announcement in the list.
#[derive(Clone, Debug, Default)]
pub struct AnnouncementLine {
    /// Its key.
    pub id: String,
    /// What it says, in the page's language.
    pub text: String,
    /// How far it is.
    pub state: Tag,
    /// When it was sent or written.
    pub when: When,
    /// Who wrote it.
    pub who: String,
    /// Chats that it goes to, that have it, that cannot be reached; empty for a draft.
    pub reach: String,
    /// Whether chats show it now or will, or it still goes out to some.
    pub can_be_stopped: bool,
}

/// `GET /console/pengumuman/{id}`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/announcement.html")]
pub struct AnnouncementPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// Its key.
    pub id: String,
    /// The Malay text.
    pub text_ms: String,
    /// The English text.
    pub text_en: String,
    /// Whether it is shown as a strip too.
    pub banner: bool,
    /// From when on.
    pub from: When,
    /// Until when.
    pub until: When,
    /// How many chats would get it now.
    pub recipients: i64,
    /// Whether it was sent, or thrown away.
    pub decided: bool,
}

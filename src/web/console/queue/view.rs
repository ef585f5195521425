//! What the list of tickets shows.

use askama::Template;

use crate::web::console::view::{Choice, Shell, Tag, When, Words};

/// `GET /console`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/queue.html")]
pub struct QueuePage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// The views: all, mine, unassigned, due soon, overdue, waiting now.
    pub tabs: Vec<Tab>,
    /// The view that the filter form keeps: `all`, `mine`, `unassigned`, `soon`, `overdue`, `waiting`.
    pub view: String,
    /// What was searched for.
    pub search: String,
    /// Where is searched; the filter form keeps it.
    pub place: String,
    /// What was looked through.
    pub searched: Searched,
    /// Queues to choose from, with how many each holds.
    pub queues: Vec<Choice>,
    /// Statuses to choose from.
    pub statuses: Vec<Choice>,
    /// Channels to choose from.
    pub channels: Vec<Choice>,
    /// Whether anything narrows the list, so that it can be cleared.
    pub filtered: bool,
    /// Where the list stands without search and filters.
    pub clear_href: String,
    /// Who is on duty.
    pub agents: Vec<OnDuty>,
    /// What is to be known about opening hours; empty if nothing is.
    pub hours: String,
    /// The tickets, the most pressing first.
    pub rows: Vec<QueueRow>,
    /// What the list shows, as a sentence.
    pub summary: String,
    /// The page before this one; empty on the first.
    pub newer_href: String,
    /// The page after this one; empty on the last.
    pub older_href: String,
}

/// What a search looked through, and where else can be looked.
#[derive(Clone, Debug, Default)]
pub struct Searched {
    /// As a sentence; empty if nothing was searched for.
    pub text: String,
    /// What the link to the other place says; empty if there is none.
    pub link: String,
    /// Where it leads.
    pub href: String,
}

/// One view of the queue.
#[derive(Clone, Debug, Default)]
pub struct Tab {
    /// Its name.
    pub label: String,
    /// Its address, the filters kept.
    pub href: String,
    /// How many tickets it holds.
    pub count: u64,
    /// Whether it is shown now.
    pub current: bool,
    /// Whether its count is a reason to hurry.
    pub pressing: bool,
}

/// An officer who is signed in.
#[derive(Clone, Debug, Default)]
pub struct OnDuty {
    /// The name.
    pub name: String,
    /// Whether they take chats.
    pub present: bool,
    /// How many chats they hold.
    pub chats: u32,
    /// Whether it is the reader.
    pub you: bool,
}

/// A ticket in the queue.
#[derive(Clone, Debug, Default)]
pub struct QueueRow {
    /// The number.
    pub number: String,
    /// What it is about, in the user's words or the topic's.
    pub subject: String,
    /// The person, masked.
    pub who: String,
    /// How they came.
    pub channel: Tag,
    /// Whose work it is.
    pub queue: Tag,
    /// The status.
    pub status: Tag,
    /// The priority.
    pub priority: Tag,
    /// Who works on it; empty if nobody does.
    pub assignee: String,
    /// Whether the reader works on it.
    pub mine: bool,
    /// Since when the person has waited for us; empty text if they do not wait.
    pub since: When,
    /// When the next promise is due; empty text if none is.
    pub due: When,
    /// Whether that has passed.
    pub overdue: bool,
    /// Whether it passes soon.
    pub soon: bool,
    /// Whether it has something that the reader has not seen.
    pub unread: bool,
    /// Whether a live chat waits for a person now.
    pub waiting: bool,
    /// Whether the user still has the chat open.
    pub present: bool,
}

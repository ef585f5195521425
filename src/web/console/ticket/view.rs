//! What the page of a ticket shows.

use askama::Template;

use crate::web::console::view::{Choice, Shell, Tag, When, Words};

/// `GET /console/tiket/{number}`; also what `balas` with `do=insert` and `dedah` answer with.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/ticket.html")]
pub struct TicketPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// The number.
    pub number: String,
    /// How often officers have done something to it: a reply is held against that.
    pub seen: usize,
    /// The form's own number: sent twice, it is taken once.
    pub once: String,
    /// What it is about.
    pub subject: String,
    /// The status.
    pub status: Tag,
    /// The queue.
    pub queue: Tag,
    /// The priority.
    pub priority: Tag,
    /// Who works on it; empty if nobody does.
    pub assignee: String,
    /// Whether the reader works on it.
    pub mine: bool,
    /// Where the queue is, with the filters that the reader came from.
    pub back_href: String,
    /// What was promised and how it stands.
    pub promises: Vec<Promise>,
    /// Names of the others who look at this ticket now.
    pub looking: Vec<String>,
    /// Who answers the user: `bot`, `waiting`, `you`, `other`, or `none` if there is no chat.
    pub chat: String,
    /// How the chat stands, as a sentence.
    pub chat_text: String,
    /// Whether the reader may take the chat over.
    pub can_take: bool,
    /// Whether the reader may hand the chat back.
    pub can_hand_back: bool,
    /// The conversation, oldest first.
    pub items: Vec<Item>,
    /// Whether anything may be written.
    pub can_write: bool,
    /// Why nothing may be written; used when `can_write` is false.
    pub closed_text: String,
    /// What happens to a reply, such as by which channel it goes.
    pub reply_hint: String,
    /// Whether the composer stands at the internal note.
    pub note: bool,
    /// What stands in the composer.
    pub draft: String,
    /// Why the text was not taken; empty if it was.
    pub draft_error: String,
    /// The canned replies.
    pub canned: Vec<CannedChoice>,
    /// Who asks.
    pub facts: Facts,
    /// Whether sealed details exist.
    pub sealed: bool,
    /// Whether the reader may open them.
    pub can_open: bool,
    /// The sealed details, on the answer to `dedah` alone; empty otherwise.
    pub opened: Vec<Opened>,
    /// Why they were not opened; empty if they were.
    pub open_error: String,
    /// Officers whom it may be given to.
    pub agents: Vec<Choice>,
    /// Queues that it may move to.
    pub queues: Vec<Choice>,
    /// Priorities.
    pub priorities: Vec<Choice>,
    /// Statuses that an officer may set, without `closed`.
    pub statuses: Vec<Choice>,
    /// Whether the reader may close it, or merge it into another.
    pub can_close: bool,
    /// The ticket that this one went into; empty if none.
    pub merged_into: String,
    /// Entries of the knowledge, to link one.
    pub entries: Vec<Choice>,
    /// Entries linked already, by name.
    pub linked: Vec<String>,
    /// What happened to it, newest first.
    pub history: Vec<Happening>,
    /// The pictures that the person sent, oldest first.
    pub pictures: Vec<PictureRow>,
}

/// A picture that the person sent.
#[derive(Clone, Debug, Default)]
pub struct PictureRow {
    /// Where it is downloaded.
    pub href: String,
    /// Its name, by its place.
    pub name: String,
    /// `PNG` or `JPG`.
    pub kind: String,
    /// Its size.
    pub size: String,
    /// When it came.
    pub when: When,
}

/// A promise of the charter.
#[derive(Clone, Debug, Default)]
pub struct Promise {
    /// What is promised.
    pub label: String,
    /// Its time.
    pub when: When,
    /// How it stands: `met`, `running`, `soon`, `late`.
    pub state: String,
    /// The same in words.
    pub state_text: String,
}

/// A line of the conversation.
#[derive(Clone, Debug)]
pub enum Item {
    /// A new day.
    Day(Day),
    /// Something that happened to the ticket.
    Event(Happening),
    /// A message or a note.
    Message(Box<Message>),
}

/// A new day.
#[derive(Clone, Debug, Default)]
pub struct Day {
    /// `YYYY-MM-DD`; it is also the element's id.
    pub date: String,
    /// How people read it.
    pub text: String,
}

/// Something that happened to a ticket.
#[derive(Clone, Debug, Default)]
pub struct Happening {
    /// A key that stays the same, for the live refresh.
    pub id: String,
    /// When.
    pub when: When,
    /// Who; empty for the program itself.
    pub who: String,
    /// What.
    pub text: String,
}

/// A message or a note.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// A key that stays the same, for the live refresh.
    pub id: String,
    /// `user`, `bot`, `officer` or `note`.
    pub from: String,
    /// Who says it.
    pub who: String,
    /// When.
    pub when: When,
    /// The text; line breaks are kept.
    pub text: String,
    /// What the router understood; empty if it was not asked.
    pub target: String,
    /// How sure it was, in percent.
    pub confidence: u8,
    /// What came of it, in the page's language.
    pub outcome: String,
    /// Whether what came of it was no answer.
    pub missed: bool,
}

/// A canned reply to choose.
#[derive(Clone, Debug, Default)]
pub struct CannedChoice {
    /// Its key.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Its text in the user's language, placeholders filled.
    pub text: String,
}

/// Who asks.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The name, masked.
    pub name: String,
    /// Staff or supplier, in the page's language; empty if not known.
    pub kind: String,
    /// The last four characters of the number; empty if not known.
    pub last4: String,
    /// The department or PTJ; empty if not known.
    pub ptj: String,
    /// When the person proved who they are; empty text if they did not.
    pub proved: When,
    /// The channel.
    pub channel: Tag,
    /// The user's language, in the page's language.
    pub language: String,
    /// Whether the chat is open on the user's side.
    pub present: bool,
    /// When the user was last there.
    pub seen: When,
    /// When the ticket was opened.
    pub opened: When,
}

/// A sealed detail that was opened.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// What it is.
    pub label: String,
    /// The value.
    pub value: String,
}

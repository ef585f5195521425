//! What the pages of the officers' console show: one struct for each page, filled by its handler. Nothing here reads
//! a request, a database or a clock, and nothing is trusted as HTML.

use askama::Template;

use super::chart::Chart;

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

/// What the signed-in layout shows around a page.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// Which entry of the navigation is this page: `queue`, `new`, `reports`, `canned`, `calendar`, `agents`, `account`,
    /// `questions`, `proposals`, `versions`, `audit`, `rights`.
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

// ---- Before signing in -------------------------------------------------------------------------------------------

/// `GET /console/masuk`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/signin.html")]
pub struct SigninPage {
    /// Language and token.
    pub w: Words,
    /// What was typed before, to save typing it again.
    pub username: String,
    /// Why it failed, the same for a wrong name and a wrong password; empty if it did not.
    pub error: String,
    /// What is to be known beforehand, such as that the session ended; empty if nothing is.
    pub notice: String,
}

/// `GET /console/kod`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/code.html")]
pub struct CodePage {
    /// Language and token.
    pub w: Words,
    /// Why it failed; empty if it did not.
    pub error: String,
}

/// `GET /console/jemputan/{token}`: also after a reset.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/invite.html")]
pub struct InvitePage {
    /// Language and token.
    pub w: Words,
    /// The invitation's own token, part of the form's address.
    pub token: String,
    /// Whom it invites.
    pub name: String,
    /// Under which user name.
    pub username: String,
    /// The role, in the page's language.
    pub role: String,
    /// The least number of characters of a password.
    pub least: u32,
    /// The `otpauth` address as a QR code.
    pub qr: Qr,
    /// The same address, for a phone that shows this page itself; empty to leave it out.
    pub otpauth: String,
    /// The secret in groups of four characters.
    pub secret: Vec<String>,
    /// What is wrong with the password; empty if nothing is.
    pub password_error: String,
    /// What is wrong with the code; empty if nothing is.
    pub code_error: String,
}

/// Shown once, after an invitation was accepted or new codes were made.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/recovery.html")]
pub struct RecoveryPage {
    /// Language and token.
    pub w: Words,
    /// Whose codes they are.
    pub username: String,
    /// The ten codes.
    pub codes: Vec<String>,
    /// When they were made.
    pub made: When,
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

// ---- The queue -----------------------------------------------------------------------------------------------------

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

// ---- One ticket ----------------------------------------------------------------------------------------------------

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

// ---- Opening one ---------------------------------------------------------------------------------------------------

/// `GET /console/baharu`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/new_ticket.html")]
pub struct NewTicketPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// The form's own number: sent twice, it is taken once.
    pub once: String,
    /// Whether the person stands at the counter; on the telephone otherwise.
    pub counter: bool,
    /// The person's name as typed.
    pub name: String,
    /// The PTJ as typed.
    pub ptj: String,
    /// PTJ to choose from while typing.
    pub ptjs: Vec<String>,
    /// Queues.
    pub queues: Vec<Choice>,
    /// Priorities.
    pub priorities: Vec<Choice>,
    /// The subject as typed.
    pub subject: String,
    /// The description as typed.
    pub description: String,
    /// What is wrong with the name; empty if nothing is.
    pub name_error: String,
    /// What is wrong with the subject; empty if nothing is.
    pub subject_error: String,
    /// What is wrong with the description; empty if nothing is.
    pub description_error: String,
}

/// After a ticket was opened by an officer.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/opened.html")]
pub struct OpenedPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// The number.
    pub number: String,
    /// What it is about.
    pub subject: String,
    /// Whose work it is.
    pub queue: Tag,
    /// When it was opened.
    pub opened: When,
    /// By when it should be settled; empty text if nothing is promised.
    pub due: When,
    /// The chat's address for this ticket, as a QR code.
    pub qr: Qr,
    /// The same address to type.
    pub address: String,
    /// Until when the address works.
    pub until: When,
}

// ---- Reports -------------------------------------------------------------------------------------------------------

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

// ---- Calendar ------------------------------------------------------------------------------------------------------

/// `GET /console/kalendar`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/calendar.html")]
pub struct CalendarPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// Whether no hours are set at all.
    pub unset: bool,
    /// Whether the hours are the sample's.
    pub sample: bool,
    /// The calendar's YAML.
    pub yaml: String,
    /// What is wrong with it.
    pub errors: Vec<LineError>,
    /// Whether it was checked, found right, and not saved yet.
    pub checked: bool,
    /// When it was saved last.
    pub saved: When,
    /// By whom.
    pub saved_by: String,
    /// The iCal text as pasted.
    pub ical: String,
    /// Why it could not be read; empty if it could.
    pub ical_error: String,
    /// The coming fourteen days.
    pub days: Vec<CalendarDay>,
}

/// Something wrong with a line.
#[derive(Clone, Debug, Default)]
pub struct LineError {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong.
    pub text: String,
}

/// A day to come.
#[derive(Clone, Debug, Default)]
pub struct CalendarDay {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// The weekday's name.
    pub weekday: String,
    /// The date as people read it.
    pub text: String,
    /// The hours, one for each stretch; none if closed.
    pub hours: Vec<String>,
    /// Why it is closed or differs; empty if it is an ordinary day.
    pub reason: String,
    /// Whether it is today.
    pub today: bool,
}

// ---- Administration ------------------------------------------------------------------------------------------------

/// `GET /console/pegawai`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/agents.html")]
pub struct AgentsPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// A one-time link that was just made, shown once; empty otherwise.
    pub link: String,
    /// For whom.
    pub link_for: String,
    /// Until when it works.
    pub link_until: When,
    /// Roles to choose from.
    pub roles: Vec<Choice>,
    /// The user name as typed.
    pub username: String,
    /// The name as typed.
    pub name: String,
    /// What is wrong with the user name; empty if nothing is.
    pub username_error: String,
    /// The officers.
    pub agents: Vec<AgentRow>,
}

/// An officer in the list.
#[derive(Clone, Debug, Default)]
pub struct AgentRow {
    /// The user name.
    pub username: String,
    /// The name.
    pub name: String,
    /// The role, in the page's language.
    pub role: String,
    /// `active`, `invited` or `disabled`, with its name.
    pub state: Tag,
    /// When they were last there; empty text if never.
    pub seen: When,
    /// How many open tickets they hold.
    pub tickets: u32,
    /// Whether it is the reader, who may not disable themselves.
    pub you: bool,
}

/// `GET /console/jawapan`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/canned.html")]
pub struct CannedPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// The canned replies.
    pub rows: Vec<CannedRow>,
    /// The key of the one in the form; empty for a new one.
    pub id: String,
    /// Its Malay title as typed.
    pub title: String,
    /// Its Malay text as typed.
    pub text_ms: String,
    /// Its English text as typed.
    pub text_en: String,
    /// What is wrong; empty if nothing is.
    pub error: String,
}

/// A canned reply in the list.
#[derive(Clone, Debug, Default)]
pub struct CannedRow {
    /// Its key.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its text in the page's language.
    pub text: String,
    /// Whether it lacks the English text.
    pub no_english: bool,
    /// How often it was used in the last thirty days.
    pub used: u32,
    /// When it was changed last, and by whom.
    pub changed: When,
    /// By whom.
    pub who: String,
    /// Whether it stands in the form now.
    pub editing: bool,
}

/// `GET /console/akaun`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/account.html")]
pub struct AccountPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// The user name.
    pub username: String,
    /// The fewest characters of a password.
    pub least: u32,
    /// Whether the password was changed just now.
    pub changed: bool,
    /// What is wrong with the password of now that was given; empty if nothing.
    pub current_error: String,
    /// What is wrong with the new one.
    pub password_error: String,
    /// What is wrong with the password that was given for new recovery codes.
    pub recovery_error: String,
}

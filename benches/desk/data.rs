//! A desk after a busy quarter, made up: tickets, what happened to them, and what was said in their chats.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use tanya::clock::{Clock, Millis, local};
use tanya::key_ring::KeyRing;
use tanya::secret::{RandomKey, Sealer, SecretKey};
use tanya::storage::Store;
use tanya::storage::chat_word::day_of;
use tanya::ticket::{TicketNumber, said_word, words};
use uuid::Uuid;

const DAY: Millis = 24 * 3_600_000;
/// Everything lies within so many days: transcripts are kept for 90.
const DAYS: Millis = 80;
/// One ticket of so many waits for somebody.
const ACTIVE: usize = 50;
const OFFICERS: usize = 40;
/// One ticket of so many is searched for.
const KNOWN: usize = 100;
/// Rows in one statement.
const AT_ONCE: usize = 50;
/// Tickets in one transaction.
const TICKETS_AT_ONCE: usize = 2_000;

const FIRST: [&str; 40] = [
    "Aminah",
    "Siti",
    "Nur",
    "Fatimah",
    "Rohani",
    "Zaleha",
    "Mariam",
    "Hasnah",
    "Khadijah",
    "Azizah",
    "Ahmad",
    "Mohd",
    "Ismail",
    "Ibrahim",
    "Yusof",
    "Razak",
    "Hafiz",
    "Azman",
    "Zulkifli",
    "Rosli",
    "Che",
    "Wan",
    "Nik",
    "Tengku",
    "Salmah",
    "Norhayati",
    "Suraya",
    "Farah",
    "Aisyah",
    "Balqis",
    "Kamarul",
    "Shahrul",
    "Faizal",
    "Hakim",
    "Amirul",
    "Syafiq",
    "Izzati",
    "Liyana",
    "Mastura",
    "Rahimah",
];
const LAST: [&str; 30] = [
    "Abdullah", "Rahman", "Ali", "Hassan", "Hussin", "Othman", "Omar", "Daud", "Salleh", "Mahmood",
    "Jusoh", "Deraman", "Mamat", "Awang", "Harun", "Zakaria", "Sulaiman", "Latif", "Hamid",
    "Kadir", "Talib", "Yaacob", "Muda", "Ghani", "Idris", "Samad", "Bakar", "Nawi", "Seman",
    "Taib",
];
const SUBJECT: [&str; 48] = [
    "penyata",
    "gaji",
    "tidak",
    "boleh",
    "dibuka",
    "kata",
    "laluan",
    "portal",
    "ralat",
    "semasa",
    "log",
    "masuk",
    "baucar",
    "bayaran",
    "lewat",
    "kelulusan",
    "waran",
    "peruntukan",
    "akaun",
    "dikunci",
    "emel",
    "belum",
    "diterima",
    "pembekal",
    "daftar",
    "modul",
    "lejar",
    "cetak",
    "laporan",
    "bulanan",
    "skrin",
    "putih",
    "sistem",
    "perlahan",
    "capaian",
    "borang",
    "pengguna",
    "baharu",
    "potongan",
    "elaun",
    "tuntutan",
    "perjalanan",
    "invois",
    "hilang",
    "salah",
    "jumlah",
    "pejabat",
    "tanah",
];
const SPOKEN: [&str; 64] = [
    "saya",
    "dah",
    "cuba",
    "banyak",
    "kali",
    "tapi",
    "masih",
    "tak",
    "jadi",
    "tolong",
    "semak",
    "puan",
    "tuan",
    "encik",
    "boleh",
    "minta",
    "bantuan",
    "sebab",
    "esok",
    "kena",
    "hantar",
    "kepada",
    "ketua",
    "jabatan",
    "macam",
    "mana",
    "nak",
    "buat",
    "lepas",
    "tekan",
    "butang",
    "keluar",
    "mesej",
    "merah",
    "dekat",
    "atas",
    "sekali",
    "komputer",
    "lain",
    "pun",
    "sama",
    "pelayar",
    "chrome",
    "sudah",
    "kemas",
    "kini",
    "terima",
    "kasih",
    "baik",
    "harap",
    "dapat",
    "selesai",
    "segera",
    "urusan",
    "bayar",
    "kakitangan",
    "bulan",
    "ini",
    "lepas",
    "tarikh",
    "akhir",
    "minggu",
    "depan",
    "nombor",
];
const QUEUES: [&str; 3] = ["teknikal", "naziran", "helpdesk"];
const BOT: &str = "Terima kasih atas pertanyaan tuan/puan. Berdasarkan panduan Perbendaharaan Negeri, sila pastikan \
    nombor pengenalan dan kata laluan dimasukkan dengan betul, kemudian tekan butang Log Masuk. Jika masih tidak \
    berjaya, gunakan pautan Lupa Kata Laluan. Adakah jawapan ini membantu?";

/// How much there is.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub tickets: usize,
    pub messages: usize,
}

/// What can be searched for: of some tickets a name, and two words of the subject.
#[derive(Default)]
pub struct Known {
    pub names: Vec<String>,
    pub subjects: Vec<String>,
}

/// The same numbers every time (SplitMix64).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn one(&mut self, of: &[&'static str]) -> &'static str {
        of[self.below(of.len())]
    }

    fn words(&mut self, of: &[&'static str], least: usize, more: usize) -> String {
        let count = least + self.below(more);
        (0..count)
            .map(|_| self.one(of))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// A first name and a father's.
    fn name(&mut self) -> String {
        format!("{} {}", self.one(&FIRST), self.one(&LAST))
    }

    /// One of them.
    pub fn of<'t>(&mut self, texts: &'t [String]) -> &'t str {
        &texts[self.below(texts.len())]
    }

    /// A word that many subjects have.
    pub fn common(&mut self) -> &'static str {
        self.one(&SUBJECT)
    }

    /// What somebody said: sometimes a rare word, sometimes common ones.
    pub fn spoken(&mut self) -> String {
        match self.below(3) {
            0 => format!("rujukan{}", self.below(50_000)),
            1 => format!("{} rujukan{}", self.one(&SPOKEN), self.below(50_000)),
            _ => format!("{} {} kakitangan", self.one(&SPOKEN), self.one(&SPOKEN)),
        }
    }
}

/// The number of the ticket at a place.
pub fn number_of(place: usize) -> String {
    // The clock of this program is not shifted.
    let year = local(Clock::default().now()).year();
    TicketNumber::new(i64::from(year), place as i64 + 1).to_string()
}

enum Cell {
    Text(Option<String>),
    Number(Option<i64>),
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(Some(text.into()))
}

fn time(at: Option<Millis>) -> Cell {
    Cell::Number(at)
}

/// Rows for one table.
struct Table {
    into: &'static str,
    width: usize,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    fn new(into: &'static str) -> Self {
        let width = into.matches(',').count() + 1;
        Self {
            into,
            width,
            rows: Vec::new(),
        }
    }

    async fn write(&mut self, connection: &mut AnyConnection) {
        let rows = std::mem::take(&mut self.rows);
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let chunk: Vec<Vec<Cell>> = rows.by_ref().take(AT_ONCE).collect();
            let row = |at: usize| {
                let places: Vec<String> = (1..=self.width)
                    .map(|n| format!("${}", at * self.width + n))
                    .collect();
                format!("({})", places.join(", "))
            };
            let places: Vec<String> = (0..chunk.len()).map(row).collect();
            let statement = format!("INSERT INTO {} VALUES {}", self.into, places.join(", "));
            let mut query = sqlx::query(AssertSqlSafe(statement));
            for cell in chunk.into_iter().flatten() {
                query = match cell {
                    Cell::Text(text) => query.bind(text),
                    Cell::Number(number) => query.bind(number),
                };
            }
            query.execute(&mut *connection).await.unwrap();
        }
    }
}

struct Tables {
    conversations: Table,
    messages: Table,
    tickets: Table,
    events: Table,
    words: Table,
    said: Table,
}

impl Tables {
    fn new() -> Self {
        Self {
            conversations: Table::new(
                "conversation (id, channel, language, state, version, last_seq, calm_at, created_at, active_at)",
            ),
            messages: Table::new(
                "message (conversation_id, seq, sender, client_id, reply_to, body, created_at)",
            ),
            tickets: Table::new(
                "ticket (number, conversation_id, channel, queue, topic, title, department, status, priority, assignee, \
                 name, acknowledge_by, answer_by, acknowledged_at, answered_at, resolved_at, escalated_at, unread_at, \
                 live_at, untaken_at, created_at, updated_at)",
            ),
            events: Table::new("ticket_event (id, number, at, agent, kind, text)"),
            words: Table::new("ticket_word (word, number)"),
            said: Table::new("chat_word (conversation_id, day, words, seq)"),
        }
    }

    async fn write(&mut self, connection: &mut AnyConnection) {
        let tables = [
            &mut self.conversations,
            &mut self.messages,
            &mut self.tickets,
            &mut self.events,
            &mut self.words,
            &mut self.said,
        ];
        for table in tables {
            table.write(connection).await;
        }
    }
}

struct Making {
    random: Random,
    names: RandomKey,
    sealer: Sealer,
    now: Millis,
    sizes: Sizes,
    me: String,
    /// Words of what is said, as they are stored: made once.
    marks: BTreeMap<String, String>,
    known: Known,
}

/// Fills a database that the program has just made; one of the officers is `me`.
pub async fn fill(database: &str, secret: &str, clock: &Clock, sizes: Sizes, me: &str) -> Known {
    let secret = SecretKey::parse(secret).unwrap();
    let store = Store::open_beside(database).await.unwrap();
    let keys = KeyRing::open(&store, &secret, clock).await.unwrap();
    let mut making = Making {
        random: Random::new(1),
        names: keys.identity,
        sealer: secret.sealer("ticket"),
        now: clock.now(),
        sizes,
        me: me.to_owned(),
        marks: BTreeMap::new(),
        known: Known::default(),
    };
    let mut connection = AnyConnection::connect(database).await.unwrap();
    let sqlite = database.starts_with("sqlite:");
    if sqlite {
        let settings = "PRAGMA synchronous = OFF; PRAGMA busy_timeout = 60000";
        connection.execute(settings).await.unwrap();
    }
    let begin = if sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
    let mut tables = Tables::new();
    for first in (0..sizes.tickets).step_by(TICKETS_AT_ONCE) {
        for place in first..sizes.tickets.min(first + TICKETS_AT_ONCE) {
            making.ticket(place, &mut tables);
        }
        connection.execute(begin).await.unwrap();
        tables.write(&mut connection).await;
        connection.execute("COMMIT").await.unwrap();
    }
    let year = local(making.now).year();
    let serial = format!(
        "INSERT INTO ticket_serial (year, last) VALUES ({year}, {})",
        sizes.tickets
    );
    connection.execute(AssertSqlSafe(serial)).await.unwrap();
    connection.execute("ANALYZE").await.unwrap();
    connection.close().await.unwrap();
    store.close().await;
    making.known
}

impl Making {
    fn ticket(&mut self, place: usize, tables: &mut Tables) {
        let number = number_of(place);
        let age =
            DAYS * DAY * (self.sizes.tickets - place) as Millis / self.sizes.tickets as Millis;
        let created = self.now - age;
        let active = place.is_multiple_of(ACTIVE);
        let updated =
            (created + self.random.below(3 * DAY as usize) as Millis).min(self.now - 1_000);
        let status = match (active, self.random.below(3)) {
            (true, 0) => "pending",
            (true, _) => "open",
            (false, 0) if age < 10 * DAY => "resolved",
            (false, _) => "closed",
        };
        let chat = Uuid::now_v7().to_string();
        let per = self.sizes.messages / self.sizes.tickets;
        let extra = usize::from(place < self.sizes.messages % self.sizes.tickets);
        self.chat(&chat, (created, updated), per + extra, tables);

        let assignee = match (self.random.below(10), self.random.below(OFFICERS)) {
            (0..3, _) if active => None,
            (_, 0) => Some(self.me.clone()),
            (_, officer) => Some(format!("officer-{officer}")),
        };
        let code = self.random.below(9_000);
        let title = format!("{} ora{code:05}", self.random.words(&SUBJECT, 4, 6));
        let named = self.random.below(10) < 6;
        let name = format!("{} binti {}", self.random.name(), self.random.one(&LAST));
        let sealed = named.then(|| self.sealer.seal(&format!("{number} name"), &name).unwrap());
        let taken = assignee.is_some().then_some(created + 3_600_000);
        let answer_by = created + 9 * DAY;
        // Whoever would be told of them was told: nothing happens by itself while it is measured.
        let told = active.then_some(updated);
        tables.tickets.rows.push(vec![
            text(&number),
            text(&chat),
            text(["web", "telegram", "web"][self.random.below(3)]),
            text(self.random.one(&QUEUES)),
            text("action:pegawai"),
            text(&title),
            Cell::Text(
                (self.random.below(2) == 0).then(|| "Pejabat Tanah dan Jajahan Bachok".to_owned()),
            ),
            text(status),
            text(["low", "normal", "normal", "normal", "high", "urgent"][self.random.below(6)]),
            Cell::Text(assignee.clone()),
            Cell::Text(sealed),
            time(Some(created + 2 * DAY)),
            time(Some(answer_by)),
            time(taken),
            time(taken.filter(|_| !active)),
            time((!active).then_some(updated)),
            time(told),
            time((active && self.random.below(3) == 0).then_some(updated)),
            time((active && self.random.below(100) == 0).then_some(updated)),
            time(told),
            time(Some(created)),
            time(Some(updated)),
        ]);
        if place.is_multiple_of(KNOWN) {
            let first = title.split(' ').next().unwrap_or_default();
            self.known.subjects.push(format!("{first} ora{code:05}"));
            if named {
                self.known
                    .names
                    .push(name.rsplit_once(' ').unwrap().0.replace(" binti", ""));
            }
        }
        let mut found: BTreeSet<String> = words(&title).collect();
        if named {
            found.extend(words(&name).map(|word| self.names.sign(&format!("ticket name {word}"))));
        }
        for word in found {
            tables.words.rows.push(vec![text(word), text(&number)]);
        }
        for kind in ["opened", "taken", "replied", "resolved"]
            .iter()
            .take(if active { 2 } else { 4 })
        {
            tables.events.rows.push(vec![
                text(Uuid::now_v7().to_string()),
                text(&number),
                time(Some(updated)),
                text(assignee.clone().unwrap_or_default()),
                text(*kind),
                text(""),
            ]);
        }
    }

    fn chat(&mut self, id: &str, (from, to): (Millis, Millis), count: usize, tables: &mut Tables) {
        tables.conversations.rows.push(vec![
            text(id),
            text("web"),
            text("ms"),
            text("{}"),
            time(Some(1)),
            time(Some(count as i64)),
            time(Some(0)),
            time(Some(from)),
            time(Some(to)),
        ]);
        let mut days: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        for seq in 1..=count as i64 {
            let at = from + (to - from) * seq / count.max(1) as i64;
            let (sender, said) = match seq % 4 {
                0 | 2 => ("bot", BOT.to_owned()),
                3 if seq > 10 => ("officer", self.random.words(&SPOKEN, 10, 20)),
                _ => ("user", self.random.words(&SPOKEN, 4, 16)),
            };
            let said = match self.random.below(20) {
                0 => format!("{said} rujukan{}", self.random.below(50_000)),
                _ => said,
            };
            if sender != "bot" {
                let marks = words(&said).map(|word| {
                    let signed = || said_word(&self.names, &word);
                    self.marks
                        .entry(word.clone())
                        .or_insert_with(signed)
                        .clone()
                });
                days.entry(day_of(at)).or_default().extend(marks);
            }
            let client_id = (sender == "user").then(|| Uuid::now_v7().to_string());
            tables.messages.rows.push(vec![
                text(id),
                time(Some(seq)),
                text(sender),
                Cell::Text(client_id),
                time((sender == "bot").then(|| seq - 1)),
                text(format!(r#"{{"kind":"text","text":"{said}"}}"#)),
                time(Some(at)),
            ]);
        }
        for (day, marks) in days {
            let marks = marks.iter().map(|mark| format!(" {mark}"));
            tables.said.rows.push(vec![
                text(id),
                time(Some(day)),
                text(marks.collect::<String>()),
                time(Some(count as i64)),
            ]);
        }
    }
}

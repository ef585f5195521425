//! Figures that are looked up when somebody asks for them: what waits, how old it is, what this process takes.

use std::fmt::{Display, Write};
use std::path::PathBuf;

use super::admin::AdminState;
use crate::clock::Millis;
use crate::incident::Health;
use crate::storage::{Connection, Store, conversation, figures, health, inbound, incident, outbox};

/// Figures as text, in the form that Prometheus reads.
#[derive(Default)]
pub struct Figures(String);

impl Figures {
    /// One of a kind.
    fn gauge(&mut self, name: &str, value: impl Display) {
        self.kind(name);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn kind(&mut self, name: &str) {
        let _ = writeln!(self.0, "# TYPE {name} gauge");
    }

    /// One of several that a label of a closed set tells apart.
    fn labelled(&mut self, name: &str, label: (&str, &str), value: impl Display) {
        let (key, word) = label;
        let _ = writeln!(self.0, "{name}{{{key}=\"{word}\"}} {value}");
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }
}

/// The carriers and the queues that there are.
const CARRIERS: [&str; 4] = ["telegram", "code", "mail", "portal"];
const QUEUES: [&str; 3] = ["teknikal", "naziran", "helpdesk"];

/// A figure of what is counted.
type Figure<T> = (&'static str, fn(&T, Millis) -> i64);

const CARRIED: [Figure<figures::Carried>; 3] = [
    ("tanya_outbox_depth", |row, _| row.waiting),
    ("tanya_outbox_oldest_seconds", |row, now| {
        age(row.oldest, now)
    }),
    ("tanya_outbox_dead_letters", |row, _| row.dead),
];

const QUEUED: [Figure<figures::Queued>; 3] = [
    ("tanya_tickets_open", |row, _| row.open),
    ("tanya_tickets_overdue", |row, _| row.overdue),
    ("tanya_tickets_waiting", |row, _| row.waiting),
];

/// Everything that is looked up.
pub async fn look(state: &AdminState) -> Figures {
    let mut shown = Figures::default();
    of_this_process(state, &mut shown);
    let stored = of_the_database(state, &mut shown).await;
    if let Err(error) = &stored {
        tracing::error!(%error, "what waits could not be counted");
    }
    shown.gauge("tanya_ready", u8::from(stored.is_ok()));
    shown
}

fn of_this_process(state: &AdminState, shown: &mut Figures) {
    shown.kind("tanya_build_info");
    shown.labelled(
        "tanya_build_info",
        ("version", env!("CARGO_PKG_VERSION")),
        1,
    );
    let knowledge = state.knowledge.current();
    shown.kind("tanya_knowledge_info");
    shown.labelled("tanya_knowledge_info", ("version", knowledge.version()), 1);
    shown.gauge("tanya_knowledge_entries", knowledge.book().entries.len());
    shown.gauge(
        "tanya_knowledge_stale",
        u8::from(state.knowledge.is_stale()),
    );
    let (open, in_use) = state.store.connections();
    shown.gauge("tanya_database_connections", open);
    shown.gauge("tanya_database_connections_in_use", in_use);
    if let Some(bytes) = resident() {
        shown.gauge("process_resident_memory_bytes", bytes);
    }
    if let Some(bytes) = free(&state.store) {
        shown.gauge("tanya_database_disk_free_bytes", bytes);
    }
}

async fn of_the_database(state: &AdminState, shown: &mut Figures) -> sqlx::Result<()> {
    let now = state.clock.now();
    let mut connection = state.store.connection().await?;
    let (in_waiting, in_failed) = inbound::waiting_and_failed(&mut connection).await?;
    let (out_waiting, out_dead) = outbox::waiting_and_dead(&mut connection).await?;
    let unreachable = conversation::unreachable(&mut connection).await?;
    shown.gauge("tanya_inbound_waiting", in_waiting);
    shown.gauge("tanya_inbound_failed", in_failed);
    shown.gauge("tanya_outbox_waiting", out_waiting);
    shown.gauge("tanya_outbox_dead", out_dead);
    shown.gauge("tanya_conversations_unreachable", unreachable);

    let oldest = figures::oldest_inbound(&mut connection).await?;
    shown.gauge("tanya_inbound_oldest_seconds", age(oldest, now));
    let carried = figures::carried(&mut connection).await?;
    let of = |carrier: &str| carried.iter().find(|row| row.carrier == carrier);
    for (name, value) in CARRIED {
        shown.kind(name);
        for carrier in CARRIERS {
            let value = of(carrier).map_or(0, |row| value(row, now));
            shown.labelled(name, ("carrier", carrier), value);
        }
    }
    let queued = figures::queued(&mut connection, now).await?;
    let of = |queue: &str| queued.iter().find(|row| row.queue == queue);
    for (name, value) in QUEUED {
        shown.kind(name);
        for queue in QUEUES {
            let value = of(queue).map_or(0, |row| value(row, now));
            shown.labelled(name, ("queue", queue), value);
        }
    }
    of_the_systems(&mut connection, state, shown).await
}

/// How the two systems are, as far as anybody knows, and the incidents that are open.
async fn of_the_systems(
    connection: &mut Connection,
    state: &AdminState,
    shown: &mut Figures,
) -> sqlx::Result<()> {
    shown.kind("tanya_system_up");
    for row in state.incidents.seen(connection).await? {
        let up = u8::from(Health::parse(&row.state) == Health::Up);
        let (system, source) = (row.system, row.source);
        let _ = writeln!(
            shown.0,
            "tanya_system_up{{system=\"{system}\",source=\"{source}\"}} {up}"
        );
    }
    let open = incident::open(connection).await?;
    shown.kind("tanya_incidents_open");
    for state in ["suspected", "confirmed"] {
        let count = open.iter().filter(|row| row.state == state).count();
        shown.labelled("tanya_incidents_open", ("state", state), count);
    }
    Ok(())
}

/// Seconds since then; 0 where nothing waits.
fn age(since: Option<Millis>, now: Millis) -> i64 {
    since.map_or(0, |since| (now - since).max(0) / 1000)
}

/// What this process holds in memory, in bytes, as the kernel counts it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The room that the database's file has to grow, in bytes; none where it lies with a server.
fn free(store: &Store) -> Option<u64> {
    let file = health::file(store.url())?;
    let folder = file.parent().map(PathBuf::from)?;
    let disk = rustix::fs::statvfs(&folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

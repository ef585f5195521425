//! Watches the two systems, in one process at a time, and tells those who want to know what came of it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Worker;
use crate::clock::Millis;
use crate::incident::{Health, Seen, Source, System};
use crate::portal::Condition;
use crate::redact::redact;
use crate::storage::lease;

/// How often is looked whether something is due.
const EVERY: Duration = Duration::from_secs(1);
/// How long a process keeps this to itself, in milliseconds: longer than a look takes.
const LEASE: Millis = 20_000;
/// Characters of a note that are kept.
const NOTE: usize = 300;

impl Worker {
    /// Watches until told to stop, where there is anything to watch.
    pub(super) async fn watch(self, stop: CancellationToken) {
        if self.parts.portal.is_none() && self.parts.probes.is_empty() {
            return;
        }
        let holder = Uuid::new_v4().to_string();
        let mut looked: Option<Millis> = None;
        while tokio::time::timeout(EVERY, stop.cancelled()).await.is_err() {
            match self.holds("watch", &holder).await {
                Ok(true) => {
                    let now = self.parts.clock.now();
                    let every = self.parts.incidents.rules.every;
                    // What lies ahead was noted before the clock was set back.
                    let due = looked.is_none_or(|at| now >= at + every || now < at);
                    if !due {
                        continue;
                    }
                    looked = Some(now);
                    if let Err(error) = self.watch_once().await {
                        tracing::error!(%error, "how the systems are could not be noted");
                    }
                }
                Ok(false) => looked = None,
                Err(error) => tracing::error!(%error, "nobody knows who watches"),
            }
        }
        self.give_back("watch", &holder).await;
    }

    /// Opens incidents and tells chats what they want to know, until told to stop.
    pub(super) async fn spread(self, stop: CancellationToken) {
        let holder = Uuid::new_v4().to_string();
        while tokio::time::timeout(EVERY, stop.cancelled()).await.is_err() {
            match self.holds("spread", &holder).await {
                Ok(true) => {
                    if let Err(error) = self.spread_once().await {
                        tracing::error!(%error, "chats could not be told");
                    }
                }
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "nobody knows who tells"),
            }
        }
        self.give_back("spread", &holder).await;
    }

    async fn holds(&self, name: &str, holder: &str) -> sqlx::Result<bool> {
        let now = self.parts.clock.now();
        let mut connection = self.parts.store.connection().await?;
        lease::take(&mut connection, name, holder, now, now + LEASE).await
    }

    async fn give_back(&self, name: &str, holder: &str) {
        if let Ok(mut connection) = self.parts.store.connection().await {
            // Another process waits for its end otherwise.
            let _ = lease::give_back(&mut connection, name, holder).await;
        }
    }

    async fn spread_once(&self) -> sqlx::Result<()> {
        let engine = &self.parts.engine;
        engine.raise_incidents().await?;
        engine.tell_over().await?;
        engine.tell_announced().await
    }

    /// Asks and looks once, and notes what was found. No transaction is open meanwhile.
    async fn watch_once(&self) -> sqlx::Result<()> {
        let (told, looked) = tokio::join!(self.ask_portal(), self.parts.probes.look());
        let incidents = &self.parts.incidents;
        let mut transaction = self.parts.store.begin().await?;
        for (system, seen) in told.iter().chain(&looked) {
            incidents.see(&mut transaction, *system, seen).await?;
        }
        incidents.settle(&mut transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What the portal's interface says; nothing where it cannot be asked: then nobody knows.
    async fn ask_portal(&self) -> Vec<(System, Seen)> {
        let Some(portal) = &self.parts.portal else {
            return Vec::new();
        };
        let status = match portal.status().await {
            Ok(status) => status,
            Err(fault) => {
                tracing::warn!(fault = fault.as_str(), "the portal does not say how it is");
                return Vec::new();
            }
        };
        let note = status.note.as_deref().map(fit).unwrap_or_default();
        let seen = |condition: Condition| {
            let health = match condition {
                Condition::Up => Health::Up,
                Condition::Down => Health::Down,
                Condition::Maintenance => Health::Maintenance,
            };
            Seen {
                source: Source::Status,
                health,
                note: if health == Health::Up {
                    String::new()
                } else {
                    note.clone()
                },
            }
        };
        vec![
            (System::Sistem, seen(status.sistem)),
            (System::Portal, seen(status.portal)),
        ]
    }
}

/// A note as people may read it: one short line, and no number of a person.
fn fit(note: &str) -> String {
    let words: Vec<&str> = note.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(NOTE).collect();
    let plain = line.chars().filter(|c| !c.is_control()).collect::<String>();
    redact(&plain)
}

//! Carries mails and errands to the portal, and ends what is over: one row after another, in whichever process is free.

mod errand;
mod mail;
mod probe;
mod upkeep;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::bell::{Bell, Bells};
use crate::clock::{Clock, Millis};
use crate::conversation::Engine;
use crate::identity::Identity;
use crate::incident::Incidents;
use crate::knowledge::live::LiveKnowledge;
use crate::mail::{Mailer, OfficeAddress};
use crate::outbox::{Carrier, Post};
use crate::portal::Portal;
use crate::storage::Store;
use crate::storage::outbox::{self, OutboxRow};
use crate::trace::{Fact, Span, Work as Traced};

pub use probe::Probes;

/// How many mails, and how many errands, are on their way at the same time in one process.
const AT_ONCE: usize = 4;
/// How long a row belongs to who claimed it: longer than a mail or an errand takes.
const LEASE: Millis = 120_000;
/// How often something that breaks its handling is tried.
const TRIES: i64 = 5;
/// The longest wait before the next try.
const LONGEST: Millis = 4 * 60_000;

/// Where officers' mail goes.
#[derive(Clone, Debug)]
pub struct Offices {
    /// Unit Teknologi Maklumat.
    pub teknikal: OfficeAddress,
    /// Seksyen Naziran & Khidmat Perunding.
    pub naziran: OfficeAddress,
    /// The helpdesk.
    pub helpdesk: OfficeAddress,
    /// The supervisor.
    pub supervisor: OfficeAddress,
}

/// What the workers work with.
pub struct Parts {
    /// The database.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Clock,
    /// Wakes them.
    pub bells: Arc<Bells>,
    /// What is told to chats.
    pub engine: Arc<Engine>,
    /// Who people are.
    pub identity: Arc<Identity>,
    /// Knows how the two systems are.
    pub incidents: Arc<Incidents>,
    /// Looks at their addresses.
    pub probes: Probes,
    /// The sentences of mails.
    pub knowledge: Arc<LiveKnowledge>,
    /// What opens rows.
    pub post: Arc<Post>,
    /// What sends mails.
    pub mailer: Mailer,
    /// The portal, if there is one.
    pub portal: Option<Arc<Portal>>,
    /// Where officers' mail goes.
    pub offices: Offices,
    /// How long a person waits for an officer before somebody is told.
    pub handoff_wait: Duration,
}

/// The workers of a process.
#[derive(Clone)]
pub struct Worker {
    parts: Arc<Parts>,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Mails,
    Errands,
}

impl Work {
    /// What it carries, what goes first first.
    fn carriers(self) -> &'static [Carrier] {
        match self {
            Self::Mails => &[Carrier::Code, Carrier::Mail],
            Self::Errands => &[Carrier::Portal],
        }
    }
}

/// How a row came to its end, or that it did not.
enum Outcome {
    /// It was noted already, together with what it led to.
    Noted,
    /// It is over: `sent`, `blocked` if nobody is there who wants it, or `dead`.
    Over(&'static str),
    /// It is tried again after so many milliseconds; whether this counts as a try.
    Again(Millis, bool),
}

impl Outcome {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Noted => "noted",
            Self::Over(how) => how,
            Self::Again(..) => "again",
        }
    }
}

impl Worker {
    /// Workers of these parts.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
        }
    }

    /// Starts them.
    pub fn spawn(&self, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        for work in [Work::Mails, Work::Errands] {
            for _ in 0..AT_ONCE {
                tasks.spawn(self.clone().run(work, stop.clone()));
            }
        }
        tasks.spawn(self.clone().keep_up(stop.clone()));
        tasks.spawn(self.clone().watch(stop.clone()));
        tasks.spawn(self.clone().spread(stop.clone()));
    }

    async fn run(self, work: Work, stop: CancellationToken) {
        let bell = self.bell(work);
        loop {
            let worked = self.work(work).await;
            let idle = match worked {
                Ok(found) => !found,
                Err(error) => {
                    tracing::error!(%error, "mails and errands cannot be carried");
                    true
                }
            };
            if stop.is_cancelled() {
                return;
            }
            if idle && !bell.sleep(&stop).await {
                return;
            }
        }
    }

    fn bell(&self, work: Work) -> &Bell {
        match work {
            Work::Mails => &self.parts.bells.mail,
            Work::Errands => &self.parts.bells.errand,
        }
    }

    /// Carries one row, of the first carrier that has one; tells whether there was one.
    async fn work(&self, work: Work) -> sqlx::Result<bool> {
        for carrier in work.carriers() {
            let Some(row) = self.claim(*carrier).await? else {
                continue;
            };
            // There may be more than one can do alone.
            self.bell(work).ring();
            let span = Span::begin(Traced::Delivery);
            span.note(Fact::Carrier(carrier.as_str()));
            span.note(Fact::Reference(&row.id));
            let (worker, claimed) = (self.clone(), row.clone());
            // In a task of its own, so that one that panics takes nothing with it.
            let carried = tokio::spawn(span.around(async move {
                match work {
                    Work::Errands => worker.run_errand(&claimed).await,
                    Work::Mails => worker.send_mail(&claimed).await,
                }
            }));
            let outcome = match carried.await {
                Ok(outcome) => outcome?,
                Err(_) => {
                    tracing::error!(delivery = row.id, "a mail or an errand broke");
                    span.fail();
                    match row.attempts >= TRIES {
                        true => Outcome::Over("dead"),
                        false => Outcome::Again(LONGEST, true),
                    }
                }
            };
            span.note(Fact::Outcome(outcome.as_str()));
            self.note(&row, outcome).await?;
            return Ok(true);
        }
        Ok(false)
    }

    async fn claim(&self, carrier: Carrier) -> sqlx::Result<Option<OutboxRow>> {
        let now = self.parts.clock.now();
        let mut transaction = self.parts.store.begin().await?;
        let row = outbox::claim(&mut transaction, carrier.as_str(), now, now + LEASE).await?;
        transaction.commit().await?;
        Ok(row)
    }

    async fn note(&self, row: &OutboxRow, outcome: Outcome) -> sqlx::Result<()> {
        let now = self.parts.clock.now();
        let mut transaction = self.parts.store.begin().await?;
        match outcome {
            Outcome::Noted => {}
            Outcome::Over(how) => outbox::finish(&mut transaction, &row.id, how, now).await?,
            Outcome::Again(wait, counts) => {
                let due = now + wait.max(100);
                let attempts = row.attempts - i64::from(!counts);
                outbox::release(&mut transaction, &row.id, due, attempts).await?;
            }
        }
        transaction.commit().await
    }
}

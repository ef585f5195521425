//! What persons may ask about their data, and what must be kept: a copy or an erasure is filed by one officer and approved
//! by another one; a hold keeps something although its time is over. No identity number is kept here, only its keyed hash.

mod erase;
mod export;
mod hold;
mod scope;

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::audit::{Audit, Entry, Event};
use crate::clock::{Clock, Millis};
use crate::identity::Identity;
use crate::identity::number::IdentityNumber;
use crate::redact::redact;
use crate::secret::Sealer;
use crate::storage::data_request::{self, DataRequestRow};
use crate::storage::{Connection, Store, ticket};
use crate::ticket::TicketNumber;
use scope::Scope;

pub use hold::{HoldKind, Holds, NewHold};

/// How often is looked for erasures that wait, as for the end of a hold.
const EVERY: Duration = Duration::from_secs(600);
/// How long an approved copy can be taken, in milliseconds.
pub const TAKEABLE: Millis = 14 * 24 * 3_600_000;
/// Characters of a reason.
pub const REASON: usize = 300;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// A copy of everything.
    Export,
    /// That everything is erased.
    Erase,
}

impl RequestKind {
    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Erase => "erase",
        }
    }

    /// Reads the name as stored.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "export" => Some(Self::Export),
            "erase" => Some(Self::Erase),
            _ => None,
        }
    }
}

/// Whom something is about.
#[derive(Clone, Debug)]
pub enum Whom {
    /// Whoever has this number.
    Number(IdentityNumber),
    /// Whoever this ticket is for.
    Ticket(TicketNumber),
}

/// Why something is not done.
#[derive(Debug, Error)]
pub enum RightsError {
    /// There is no such request, hold, ticket or chat.
    #[error("it is not there")]
    Missing,
    /// Nothing is kept that is linked to the person.
    #[error("nothing is kept of this person")]
    Nobody,
    /// Nobody approves what they filed themselves.
    #[error("one's own request")]
    Own,
    /// It was decided, fulfilled or lifted meanwhile.
    #[error("somebody was faster")]
    Changed,
    /// The copy can be taken no more.
    #[error("the time to take the copy is over")]
    Late,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// A decision on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// It is done.
    Approved,
    /// It is not done.
    Refused,
    /// Whoever filed it takes it back.
    Withdrawn,
}

impl Decided {
    fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A request to be.
#[derive(Clone, Debug)]
pub struct NewRequest<'a> {
    /// What is asked for.
    pub kind: RequestKind,
    /// Whom it is about.
    pub whom: Whom,
    /// Why.
    pub reason: &'a str,
    /// The agent who files it.
    pub by: &'a str,
}

/// Requests about data.
pub struct Rights {
    store: Arc<Store>,
    clock: Clock,
    identity: Arc<Identity>,
    sealer: Sealer,
    /// What must be kept.
    pub holds: Holds,
}

impl Rights {
    /// On a database; `sealer` is the tickets'.
    pub fn new(store: Arc<Store>, clock: Clock, identity: Arc<Identity>, sealer: Sealer) -> Self {
        let holds = Holds {
            store: Arc::clone(&store),
            clock: clock.clone(),
            audit: identity.audit().clone(),
        };
        Self {
            store,
            clock,
            identity,
            sealer,
            holds,
        }
    }

    fn audit(&self) -> &Audit {
        self.identity.audit()
    }

    /// The keyed hash of a number.
    pub fn subject(&self, number: &IdentityNumber) -> String {
        self.identity.subject(number)
    }

    /// Files a request; its id. That nothing is kept of somebody is recorded too.
    pub async fn file(&self, new: &NewRequest<'_>) -> Result<String, RightsError> {
        let now = self.clock.now();
        let mut row = self.found(&new.whom).await?;
        let mut transaction = self.store.begin().await?;
        if Scope::of(&mut transaction, &row).await?.is_empty() {
            self.record(&mut transaction, ("nobody", new.by), new.kind.as_str())
                .await?;
            transaction.commit().await?;
            return Err(RightsError::Nobody);
        }
        row.id = Uuid::now_v7().to_string();
        row.kind = new.kind.as_str().to_owned();
        row.reason = redact(new.reason).chars().take(REASON).collect();
        row.agent = new.by.to_owned();
        row.filed_at = now;
        data_request::insert(&mut transaction, &row).await?;
        self.record(&mut transaction, ("filed", new.by), &said(&row))
            .await?;
        transaction.commit().await?;
        Ok(row.id)
    }

    /// Whom a request is about, as it is kept.
    async fn found(&self, whom: &Whom) -> Result<DataRequestRow, RightsError> {
        let number = match whom {
            Whom::Number(number) => {
                return Ok(DataRequestRow {
                    subject: self.subject(number),
                    last4: number.last4(),
                    ..DataRequestRow::default()
                });
            }
            Whom::Ticket(number) => number,
        };
        let mut connection = self.store.connection().await?;
        let row = ticket::by_number(&mut connection, number.as_str()).await?;
        let row = row.ok_or(RightsError::Missing)?;
        let subject = scope::whose(&mut connection, &row).await?;
        Ok(DataRequestRow {
            subject: subject.unwrap_or_default(),
            last4: row.last4.unwrap_or_default(),
            number: row.number,
            ..DataRequestRow::default()
        })
    }

    /// The request with this id.
    pub async fn by_id(&self, id: &str) -> Result<DataRequestRow, RightsError> {
        let mut connection = self.store.connection().await?;
        let row = data_request::by_id(&mut connection, id).await?;
        row.ok_or(RightsError::Missing)
    }

    /// Decides on a request. Nobody approves or refuses their own; nobody withdraws another's.
    pub async fn decide(
        &self,
        id: &str,
        decided: Decided,
        (by, note): (&str, &str),
    ) -> Result<DataRequestRow, RightsError> {
        let now = self.clock.now();
        let mut row = self.by_id(id).await?;
        let mut transaction = self.store.begin().await?;
        if (row.agent == by) != (decided == Decided::Withdrawn) {
            self.record(&mut transaction, ("own", by), &said(&row))
                .await?;
            transaction.commit().await?;
            return Err(RightsError::Own);
        }
        row.state = decided.as_str().to_owned();
        row.decided_by = by.to_owned();
        row.decided_at = Some(now);
        row.note = redact(note).chars().take(REASON).collect();
        if !data_request::decide(&mut transaction, &row).await? {
            return Err(RightsError::Changed);
        }
        self.record(&mut transaction, (decided.as_str(), by), &said(&row))
            .await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Whether a hold keeps what a request is about.
    pub async fn is_held(&self, row: &DataRequestRow) -> sqlx::Result<bool> {
        self.holds.cover().await?;
        let mut connection = self.store.connection().await?;
        let scope = Scope::of(&mut connection, row).await?;
        scope.is_held(&mut connection).await
    }

    /// Erases what was approved, at once and then as holds end, until told to stop.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            if let Err(error) = self.erase_waiting().await {
                tracing::error!(%error, "what was approved could not be erased");
            }
            if tokio::time::timeout(EVERY, stop.cancelled()).await.is_ok() {
                return;
            }
        }
    }

    /// Erases everything that was approved and that no hold keeps.
    pub async fn erase_waiting(&self) -> sqlx::Result<()> {
        let mut connection = self.store.connection().await?;
        let waiting = data_request::to_erase(&mut connection).await?;
        drop(connection);
        for row in waiting {
            if let Err(error) = self.erase(&row, None).await {
                tracing::error!(%error, request = row.id, "an erasure failed and is tried again");
            }
        }
        Ok(())
    }

    async fn record(
        &self,
        connection: &mut Connection,
        (outcome, by): (&str, &str),
        detail: &str,
    ) -> sqlx::Result<()> {
        let entry = Entry::new(Event::DataRequest, outcome);
        let entry = entry.about(by).detail(detail);
        self.audit()
            .record(connection, entry, self.clock.now())
            .await
    }
}

/// How the record names a request.
fn said(row: &DataRequestRow) -> String {
    format!("{} {}", row.kind, row.id)
}

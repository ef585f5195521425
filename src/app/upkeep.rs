//! What a process does for itself meanwhile: clocks are looked at, figures condensed.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Millis};
use crate::storage::{Store, inbound, outbox};
use crate::web;

/// How often figures are condensed, so that they stay small when nobody asks for them.
const CONDENSE_EVERY: Duration = Duration::from_secs(5);

/// How often is looked whether the clock was set back.
const HEAL_EVERY: Duration = Duration::from_secs(60);

/// Clocks that differ by more than this, in milliseconds, are told of.
const CLOCKS_DIFFER: Millis = 30_000;

/// What a clock that was set back put far off is due again.
pub(super) async fn heal(store: Arc<Store>, clock: Clock, stop: CancellationToken) {
    while tokio::time::timeout(HEAL_EVERY, stop.cancelled())
        .await
        .is_err()
    {
        if let Err(error) = try_heal(&store, &clock).await {
            tracing::error!(%error, "what is put off could not be looked at");
        }
        let held_ms = clock.held_back();
        if held_ms > CLOCKS_DIFFER {
            tracing::warn!(
                held_ms,
                "the system's clock was set back; it is not followed"
            );
        }
        if let Ok(Some(database)) = store.time().await {
            let ahead_ms = clock.now() - database;
            if ahead_ms.abs() > CLOCKS_DIFFER {
                tracing::warn!(ahead_ms, "the clock differs from the database's");
            }
        }
    }
}

async fn try_heal(store: &Store, clock: &Clock) -> sqlx::Result<()> {
    let mut transaction = store.begin().await?;
    inbound::heal(&mut transaction, clock.now()).await?;
    outbox::heal(&mut transaction, clock.now()).await?;
    transaction.commit().await
}

pub(super) async fn condense(stop: CancellationToken) {
    while tokio::time::timeout(CONDENSE_EVERY, stop.cancelled())
        .await
        .is_err()
    {
        if let Some(handle) = web::metrics::collect() {
            handle.run_upkeep();
        }
    }
}

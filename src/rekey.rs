//! Seals anew, under the secret of now, what the secret from before has sealed. It changes nothing else, may run beside
//! everything, and be broken off and begun again at any time.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::outbox::{Payload, sealed_payload};
use crate::secret::{SealError, Sealer, SecretKey};
use crate::storage::Store;
use crate::storage::sealed::{self, Place, SealedRow};

/// How often is looked: a process that still seals with the old secret may be at work beside this one.
const AGAIN: Duration = Duration::from_secs(3_600);

/// Seals anew.
#[derive(Clone)]
pub struct Rekey {
    store: Arc<Store>,
    secret: SecretKey,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Sealed under the secret of now already.
    pub current: u64,
    /// Sealed anew.
    pub resealed: u64,
    /// Opened by neither secret.
    pub unreadable: u64,
}

impl Rekey {
    /// Over a database.
    pub fn new(store: Arc<Store>, secret: SecretKey) -> Self {
        Self { store, secret }
    }

    /// Looks through everything, at once and every hour, for as long as the old secret is given.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            match self.pass().await {
                Ok(found) => {
                    let Found {
                        resealed,
                        unreadable,
                        ..
                    } = found;
                    metrics::counter!("tanya_resealed_total").increment(resealed);
                    tracing::info!(
                        resealed,
                        unreadable,
                        "what the old secret sealed is sealed anew"
                    );
                }
                Err(error) => {
                    tracing::error!(%error, "what the old secret sealed could not be sealed anew")
                }
            }
            if tokio::time::timeout(AGAIN, stop.cancelled()).await.is_ok() {
                return;
            }
        }
    }

    /// Looks through everything once.
    pub async fn pass(&self) -> sqlx::Result<Found> {
        let mut found = Found::default();
        for place in Place::ALL {
            let sealer = self.secret.sealer(place.purpose());
            let mut key = String::new();
            loop {
                let mut connection = self.store.connection().await?;
                let rows = sealed::after(&mut connection, place, &key).await?;
                drop(connection);
                let Some(last) = rows.last() else {
                    break;
                };
                key.clone_from(&last.key);
                self.page(place, &sealer, &rows, &mut found).await?;
            }
        }
        Ok(found)
    }

    async fn page(
        &self,
        place: Place,
        sealer: &Sealer,
        rows: &[SealedRow],
        found: &mut Found,
    ) -> sqlx::Result<()> {
        let mut anew = Vec::new();
        for row in rows {
            match resealed(place, sealer, row) {
                Ok(None) => found.current += 1,
                Ok(Some(sealed)) => anew.push((row, sealed)),
                Err(SealError::Refused) => found.unreadable += 1,
            }
        }
        if anew.is_empty() {
            return Ok(());
        }
        let mut transaction = self.store.begin().await?;
        for (row, sealed) in anew {
            if sealed::replace(&mut transaction, place, row, &sealed).await? {
                found.resealed += 1;
            }
        }
        transaction.commit().await
    }
}

/// Another seal for a row; none where it has the right one.
fn resealed(place: Place, sealer: &Sealer, row: &SealedRow) -> Result<Option<String>, SealError> {
    let inside = match place {
        Place::Outbox => match serde_json::from_str(&row.sealed) {
            Ok(Payload::Sealed { text }) => Some(text),
            Ok(Payload::Say { .. } | Payload::Remove { .. } | Payload::Leave) => return Ok(None),
            Err(_) => return Err(SealError::Refused),
        },
        _ => None,
    };
    let sealed = inside.as_deref().unwrap_or(&row.sealed);
    let bytes = sealer.open_bytes(&row.about, sealed)?;
    if !sealer.is_old(&row.about, sealed) {
        return Ok(None);
    }
    let anew = sealer.seal_bytes(&row.about, &bytes)?;
    Ok(Some(if inside.is_some() {
        sealed_payload(anew)
    } else {
        anew
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> SecretKey {
        SecretKey::parse(text).unwrap()
    }

    #[test]
    fn ac_112_a_mail_on_its_way_is_sealed_anew_inside_its_payload() {
        let before = key("c2VjcmV0IGZvciB0ZXN0cywgMzIgYnl0ZXMgb3IgbW9yZQ==");
        let after = key("YW5vdGhlciBzZWNyZXQgZm9yIHRlc3RzLCAzMiBieXRlcyBvciBtb3Jl");
        let text = before.sealer("post").seal("id", "a mail").unwrap();
        let mut row = SealedRow {
            key: "id".to_owned(),
            about: "id".to_owned(),
            sealed: sealed_payload(text),
        };
        let sealer = after.clone().after(Some(before)).sealer("post");
        let anew = resealed(Place::Outbox, &sealer, &row).unwrap();
        row.sealed = anew.expect("it was sealed with the old key");
        // The new key alone opens it, and nothing is left to be done.
        let alone = after.sealer("post");
        assert_eq!(resealed(Place::Outbox, &alone, &row).unwrap(), None);
        let Ok(Payload::Sealed { text }) = serde_json::from_str(&row.sealed) else {
            panic!("no payload: {}", row.sealed);
        };
        assert_eq!(alone.open("id", &text).unwrap(), "a mail");
        for other in ["", "no payload", "{\"sealed\":{\"text\":\"x\"}}"] {
            row.sealed = other.to_owned();
            assert!(resealed(Place::Outbox, &sealer, &row).is_err(), "{other:?}");
        }
    }
}

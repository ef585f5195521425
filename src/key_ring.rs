//! The deployment's own random keys, kept sealed under its secret: a rotation of the secret reseals them, and what they
//! named or signed stays findable and verifiable.

use anyhow::Context;

use crate::clock::Clock;
use crate::secret::{RandomKey, Sealer, SecretKey};
use crate::storage::{Connection, Store, key_ring};

/// The keys.
#[derive(Clone, Debug)]
pub struct KeyRing {
    /// Names people by their identity numbers.
    pub identity: RandomKey,
    /// Chains the record of sensitive steps.
    pub audit: RandomKey,
    /// Names what limits are counted under, and signs what a page of the console carries.
    pub counted: RandomKey,
}

impl KeyRing {
    /// Opens the keys, makes those that are missing, and reseals those that an old secret sealed.
    pub async fn open(store: &Store, secret: &SecretKey, clock: &Clock) -> anyhow::Result<Self> {
        Ok(Self {
            identity: key(store, secret, clock, "identity").await?,
            audit: key(store, secret, clock, "audit").await?,
            counted: key(store, secret, clock, "names").await?,
        })
    }

    /// The key that chains the record of sensitive steps, from a database that is only read; none if there is none yet.
    pub async fn audit_key(
        connection: &mut Connection,
        secret: &SecretKey,
    ) -> anyhow::Result<Option<RandomKey>> {
        let Some(kept) = key_ring::by_name(connection, "audit").await? else {
            return Ok(None);
        };
        opened(&secret.sealer("key ring"), "audit", &kept)
            .and_then(|text| RandomKey::parse(&text).context(DAMAGED))
            .map(Some)
    }
}

const DAMAGED: &str = "a key in the database is damaged";

fn opened(sealer: &Sealer, name: &str, kept: &str) -> anyhow::Result<String> {
    sealer.open(name, kept).context(
        "the keys in the database were sealed with another TANYA_SECRET_KEY; give that one, or give it as TANYA_SECRET_KEY_OLD after a rotation",
    )
}

async fn key(
    store: &Store,
    secret: &SecretKey,
    clock: &Clock,
    name: &str,
) -> anyhow::Result<RandomKey> {
    let sealer = secret.sealer("key ring");
    let mut transaction = store.begin().await?;
    let made = sealer.seal(name, &RandomKey::make())?;
    key_ring::insert(&mut transaction, name, &made, clock.now()).await?;
    let kept = key_ring::by_name(&mut transaction, name).await?;
    let kept = kept.unwrap_or(made);
    let text = opened(&sealer, name, &kept)?;
    if sealer.is_old(name, &kept) {
        let resealed = sealer.seal(name, &text)?;
        key_ring::reseal(&mut transaction, name, &resealed).await?;
    }
    transaction.commit().await?;
    RandomKey::parse(&text).context(DAMAGED)
}

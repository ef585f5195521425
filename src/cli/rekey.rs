//! `tanya rekey`: seals anew what the secret from before has sealed, beside a running server or without one.

use std::sync::Arc;

use super::{Failure, Outcome, Output};
use crate::clock::Clock;
use crate::config::Settings;
use crate::key_ring::KeyRing;
use crate::rekey::{Found, Rekey};
use crate::secret::SecretKey;
use crate::storage::Store;

pub fn run(settings: &Settings, out: &mut Output) -> Outcome {
    let secret = settings.secret_key.clone().filter(SecretKey::has_old);
    let secret = secret.ok_or_else(|| {
        Failure::Usage("TANYA_SECRET_KEY_OLD is not set: there is no key to change from".to_owned())
    })?;
    let clock = Clock::shifted(settings.clock_offset_ms);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let store = Arc::new(Store::open_beside(&settings.database_url).await?);
        KeyRing::open(&store, &secret, &clock).await?;
        let found = Rekey::new(Arc::clone(&store), secret).pass().await;
        store.close().await;
        tell(found?, out)
    })
}

fn tell(found: Found, out: &mut Output) -> Outcome {
    let Found {
        current,
        resealed,
        unreadable,
    } = found;
    out.say(&format!(
        "Sealed anew: {resealed}. Sealed with TANYA_SECRET_KEY already: {current}."
    ));
    if unreadable > 0 {
        return Err(Failure::Failed(anyhow::anyhow!(
            "{unreadable} cannot be opened with either key: they were sealed with a third one, or damaged"
        )));
    }
    out.say(
        "Nothing needs TANYA_SECRET_KEY_OLD any more. Take it out an hour after the last process was started with the new key: \
         codes and links that were sent before then still come from the old one.",
    );
    Ok(())
}

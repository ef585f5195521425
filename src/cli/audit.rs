//! `tanya audit verify`: checks the record of sensitive steps, beside a running server or without one.

use super::{Failure, Outcome, Output};
use crate::app;
use crate::audit::{Anchor, Audit};
use crate::clock::Clock;
use crate::config::Settings;
use crate::key_ring::KeyRing;
use crate::storage::Store;

pub fn verify(settings: &Settings, anchor: Option<&str>, out: &mut Output) -> Outcome {
    let anchor = match anchor {
        None => None,
        Some(text) => Some(Anchor::parse(text).ok_or_else(|| {
            Failure::Usage("--anchor must be SEQ:MAC, as in the daily mail".to_owned())
        })?),
    };
    let clock = Clock::shifted(settings.clock_offset_ms);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let store = Store::open_beside(&settings.database_url).await?;
        let keys = KeyRing::open(&store, &app::secret_key(settings)?, &clock).await?;
        let checked = Audit::new(keys.audit).verify(&store, anchor.as_ref()).await;
        store.close().await;
        match checked {
            Ok(end) => {
                out.say(&format!(
                    "The record is whole: {} lines. Its end:\n{end}",
                    end.seq
                ));
                Ok(())
            }
            Err(broken) => Err(Failure::Failed(broken.into())),
        }
    })
}

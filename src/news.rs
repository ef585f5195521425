//! What is new in the database, told to whoever waits for it: in this process by bells, in others by the database. Hints
//! only: everybody also looks from time to time.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::conversation::Engine;
use crate::conversation::hub::Signal;
use crate::storage::{News, Store};

/// How long is waited before a broken line to the database is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// Takes up what other processes announce, until told to stop.
pub async fn follow(store: Arc<Store>, engine: Arc<Engine>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let news = match store.news().await {
            Ok(Some(news)) => news,
            // No other process can be there.
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "other processes cannot be heard");
                let _ = tokio::time::timeout(AGAIN, stop.cancelled()).await;
                continue;
            }
        };
        // What was said while nobody listened is not said again.
        engine.hub().signal_all(Signal::Written);
        tokio::select! {
            () = stop.cancelled() => return,
            () = hear(news, &engine) => {}
        }
    }
}

async fn hear(mut news: News, engine: &Engine) {
    loop {
        match news.next().await {
            Ok(Some(news)) => engine.take_up(&news),
            Ok(None) => engine.hub().signal_all(Signal::Written),
            Err(error) => return tracing::warn!(%error, "the line to other processes broke"),
        }
    }
}

//! `tanya purge`: deletes what is older than it may be kept, as the server does every hour, beside it or without one.

use std::sync::Arc;

use serde::Serialize;

use super::{Outcome, Output};
use crate::app;
use crate::audit::Audit;
use crate::clock::{Clock, rfc3339, shown};
use crate::config::Settings;
use crate::key_ring::KeyRing;
use crate::retention::{Retention, Swept};
use crate::storage::Store;

/// What is printed.
#[derive(Serialize)]
struct Report {
    dry_run: bool,
    kinds: Vec<Kind>,
}

/// One kind of row.
#[derive(Serialize)]
struct Kind {
    kind: &'static str,
    /// Rows that went, or would go.
    rows: u64,
    oldest_kept: Option<String>,
    /// What is older went, or would go.
    limit: String,
    days: u32,
}

pub fn run(settings: &Settings, dry_run: bool, json: bool, out: &mut Output) -> Outcome {
    let clock = Clock::shifted(settings.clock_offset_ms);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let store = Arc::new(Store::open_beside(&settings.database_url).await?);
        let keys = KeyRing::open(&store, &app::secret_key(settings)?, &clock).await?;
        let retention = Retention {
            store: Arc::clone(&store),
            clock,
            audit: Audit::new(keys.audit),
            periods: settings.periods,
        };
        let swept = match dry_run {
            true => retention.rehearse().await,
            false => retention.sweep().await,
        };
        store.close().await;
        print(&swept?, dry_run, json, out)
    })
}

fn print(swept: &[Swept], dry_run: bool, json: bool, out: &mut Output) -> Outcome {
    if json {
        let kinds = swept.iter().map(|swept| Kind {
            kind: swept.name,
            rows: swept.rows,
            oldest_kept: swept.oldest.map(rfc3339),
            limit: rfc3339(swept.before),
            days: swept.days,
        });
        out.json(&Report {
            dry_run,
            kinds: kinds.collect(),
        })?;
        return Ok(());
    }
    let rows = match dry_run {
        true => "would go",
        false => "gone",
    };
    let table = swept.iter().map(|swept| {
        vec![
            swept.name.to_owned(),
            swept.rows.to_string(),
            swept.oldest.map_or_else(|| "–".to_owned(), shown),
            format!("{} ({} days)", shown(swept.before), swept.days),
        ]
    });
    out.table(&["kind", rows, "oldest kept", "limit"], table.collect());
    Ok(())
}

//! `tanya migrate`: brings the schema up to date and tells what was applied.

use serde_json::json;

use super::{Outcome, Output};
use crate::config::Settings;
use crate::storage::{Store, schema};

pub fn run(settings: &Settings, json: bool, out: &mut Output) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let applied = runtime.block_on(Store::migrate(&settings.database_url))?;
    if json {
        let applied: Vec<_> = applied
            .iter()
            .map(|it| json!({"version": it.version, "name": it.name}))
            .collect();
        out.json(&json!({"schema": schema::newest(), "applied": applied}))?;
        return Ok(());
    }
    for migration in &applied {
        out.say(&format!(
            "applied {:04} {}",
            migration.version, migration.name
        ));
    }
    out.say(&format!("The schema is at {:04}.", schema::newest()));
    Ok(())
}

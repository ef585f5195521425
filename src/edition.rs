//! What is edited in the console: kept in the database, taken up by every process, written back to the folder where that
//! can be written. A file is kept as it was found before its first edition, so that there is a way back to it.

pub mod difference;
pub mod proposal;

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::audit::{Audit, Entry, Event};
use crate::clock::Millis;
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::{Edition, hash};
use crate::storage::edition::{self, EditionRow};
use crate::storage::{Connection, Store};

/// How often is looked whether somebody edited something.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why an edition is not kept.
#[derive(Debug, Error)]
pub enum EditionError {
    /// Somebody else was faster.
    #[error("the file was edited meanwhile")]
    Changed,
    /// The files cannot be read.
    #[error("the files cannot be read")]
    Unreadable,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// What is edited, by whom and why.
#[derive(Clone, Copy, Debug)]
pub struct Edited<'a> {
    /// The file's name.
    pub file: &'a str,
    /// Its text as it was found good.
    pub text: &'a str,
    /// The agent.
    pub author: &'a str,
    /// Why.
    pub reason: &'a str,
    /// The text that it was made from, where it must still be in use.
    pub onto: Option<&'a str>,
}

/// The editions of a database.
pub struct Editions {
    /// The database.
    pub store: Arc<Store>,
    /// What is known.
    pub knowledge: Arc<LiveKnowledge>,
    /// The record.
    pub audit: Audit,
}

impl Editions {
    /// Takes up what is edited, here or by another process, until told to stop.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let mut seen = 0;
        loop {
            match self.take_up(seen).await {
                Ok(count) => seen = count,
                Err(error) => tracing::error!(%error, "what was edited could not be read"),
            }
            if tokio::time::timeout(LOOK_EVERY, stop.cancelled())
                .await
                .is_ok()
            {
                return;
            }
        }
    }

    async fn take_up(&self, seen: i64) -> sqlx::Result<i64> {
        let mut connection = self.store.connection().await?;
        let count = edition::count(&mut connection).await?;
        if count != seen {
            let rows = edition::latest(&mut connection).await?;
            let mut editions = Vec::new();
            for row in rows {
                let texts = edition::texts_before(&mut connection, &row.file, row.number).await?;
                editions.push(Edition {
                    earlier: texts.iter().map(|text| hash(text)).collect(),
                    file: row.file,
                    base: row.base,
                    text: row.text,
                });
            }
            self.knowledge.take_up(editions);
        }
        Ok(count)
    }

    /// Keeps what was edited, and puts it to use.
    pub async fn keep(&self, edited: Edited<'_>, now: Millis) -> Result<(), EditionError> {
        let mut transaction = self.store.begin().await?;
        let row = self.insert(&mut transaction, edited, now).await?;
        let detail = format!("{} {}", row.file, row.number);
        let entry = Entry::new(Event::Knowledge, "edited")
            .about(edited.author)
            .detail(&detail);
        self.audit.record(&mut transaction, entry, now).await?;
        transaction.commit().await?;
        self.publish(&row).await?;
        Ok(())
    }

    /// Adds an edition in a transaction; before the first of a file, and wherever somebody has written the file since,
    /// the file as it was found.
    async fn insert(
        &self,
        connection: &mut Connection,
        edited: Edited<'_>,
        now: Millis,
    ) -> Result<EditionRow, EditionError> {
        let written = self
            .knowledge
            .written()
            .map_err(|_| EditionError::Unreadable)?;
        let found = written.get(edited.file).ok_or(EditionError::Unreadable)?;
        let latest = edition::latest(connection).await?;
        let latest = latest.into_iter().find(|row| row.file == edited.file);
        let last = latest.as_ref().map_or(0, |row| row.number);
        let known = edition::texts_before(connection, edited.file, last + 1).await?;
        let is_known = known.contains(&found.text);
        let stands = latest
            .as_ref()
            .filter(|row| is_known || row.base == hash(&found.text));
        let in_use = stands.map_or(&found.text, |row| &row.text);
        if edited.onto.is_some_and(|onto| onto != in_use) {
            return Err(EditionError::Changed);
        }
        let made = Edition::of(edited.file, &found.text, edited.text.to_owned());
        // What was written back is not the file that somebody wrote: the edition still stands for that one.
        let same = latest.as_ref().filter(|row| row.text == found.text);
        let mut row = EditionRow {
            file: made.file,
            number: last + 1,
            base: same.map_or(made.base, |row| row.base.clone()),
            text: made.text,
            author: edited.author.to_owned(),
            reason: edited.reason.to_owned(),
            created_at: now,
        };
        if !is_known {
            let as_found = EditionRow {
                text: found.text.clone(),
                author: String::new(),
                reason: String::new(),
                ..row.clone()
            };
            row.number += 1;
            if !edition::insert(connection, &as_found).await? {
                return Err(EditionError::Changed);
            }
        }
        match edition::insert(connection, &row).await? {
            true => Ok(row),
            false => Err(EditionError::Changed),
        }
    }

    /// Has an edition that was kept used, here at once.
    async fn publish(&self, row: &EditionRow) -> sqlx::Result<()> {
        if let Err(error) = self.knowledge.write_back(&row.file, &row.text) {
            // The database has it: every process takes it from there.
            tracing::info!(%error, "the knowledge folder cannot be written; the edition is kept in the database");
        }
        self.take_up(0).await?;
        Ok(())
    }

    /// Who edited a file last, and when.
    pub async fn last(&self, file: &str) -> sqlx::Result<Option<EditionRow>> {
        let mut connection = self.store.connection().await?;
        let rows = edition::latest(&mut connection).await?;
        Ok(rows.into_iter().find(|row| row.file == file))
    }
}

//! What officers propose to add to the knowledge: tried out beside the knowledge in use, put to use by somebody else, taken
//! back by anybody who may. One trial goes on at a time; nobody's request waits for those before it.

use std::sync::Arc;

use thiserror::Error;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{Edited, EditionError, Editions};
use crate::audit::{Entry, Event};
use crate::clock::Clock;
use crate::knowledge::Edition;
use crate::knowledge::paraphrase::{Paraphrase, Place, Rewritten};
use crate::knowledge::problem::Problem;
use crate::knowledge::source::FileText;
use crate::knowledge::trial::{Trial, Trouble, try_out};
use crate::storage::Connection;
use crate::storage::edition;
use crate::storage::proposal::{self, ProposalRow};

/// It waits for a decision.
pub const PROPOSED: &str = "proposed";
/// It is in use.
pub const APPROVED: &str = "approved";
/// It was not taken, or its author has taken it back.
pub const REFUSED: &str = "refused";
/// It was in use, and is not any more.
pub const ROLLED_BACK: &str = "rolled back";
/// Characters of a paraphrase.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=300;

/// Why something is not done.
#[derive(Debug, Error)]
pub enum ProposalError {
    /// There is no such proposal or edition.
    #[error("there is no such thing")]
    Missing,
    /// The text cannot be a question.
    #[error("the text is too short or too long")]
    Text,
    /// Somebody proposed the same, and it waits.
    #[error("the same is proposed already")]
    Pending,
    /// Nobody approves what they proposed themselves.
    #[error("one's own proposal")]
    Own,
    /// It was decided, or the knowledge was edited, meanwhile.
    #[error("somebody was faster")]
    Changed,
    /// It is what is in use.
    #[error("this is in use already")]
    Same,
    /// The check speaks against it.
    #[error("the check speaks against it")]
    Troubled(Vec<Trouble>),
    /// The files cannot be read, or the program is stopping.
    #[error("it cannot be done now")]
    Unavailable,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<EditionError> for ProposalError {
    fn from(error: EditionError) -> Self {
        match error {
            EditionError::Changed => Self::Changed,
            EditionError::Unreadable => Self::Unavailable,
            EditionError::Database(error) => Self::Database(error),
        }
    }
}

/// What somebody proposes.
#[derive(Clone, Copy, Debug)]
pub struct Proposed<'a> {
    /// The entry.
    pub entry: &'a str,
    /// How it is asked for, redacted.
    pub text: &'a str,
    /// The question that it is proposed for.
    pub asked: &'a str,
    /// The agent.
    pub author: &'a str,
}

/// Who decides, and why.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// The agent.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// The proposals of a database.
pub struct Proposals {
    editions: Arc<Editions>,
    clock: Clock,
    /// A trial trains networks, on all cores.
    one_at_a_time: Semaphore,
}

impl Proposals {
    /// On these editions.
    pub fn new(editions: Arc<Editions>, clock: Clock) -> Self {
        Self {
            editions,
            clock,
            one_at_a_time: Semaphore::new(1),
        }
    }

    /// Notes a proposal; it is not checked yet. Returns its id.
    pub async fn propose(&self, proposed: Proposed<'_>) -> Result<String, ProposalError> {
        let text = one_line(proposed.text);
        if !LENGTHS.contains(&text.chars().count()) {
            return Err(ProposalError::Text);
        }
        let knowledge = self.editions.knowledge.current();
        if knowledge.place(proposed.entry).is_none() {
            return Err(ProposalError::Missing);
        }
        let row = ProposalRow {
            id: Uuid::now_v7().to_string(),
            entry: proposed.entry.to_owned(),
            text,
            asked: one_line(proposed.asked),
            author: proposed.author.to_owned(),
            created_at: self.clock.now(),
            ..ProposalRow::default()
        };
        let mut transaction = self.editions.store.begin().await?;
        if !proposal::insert(&mut transaction, &row).await? {
            return Err(ProposalError::Pending);
        }
        self.record(&mut transaction, "proposed", proposed.author, &row)
            .await?;
        transaction.commit().await?;
        Ok(row.id)
    }

    /// Checks a proposal and notes what was found.
    pub async fn check(&self, id: &str, contested: bool) -> Result<Trial, ProposalError> {
        let row = self.by_id(id).await?;
        let (trial, _) = self.tried(&row, contested).await?;
        self.note(id, &trial).await?;
        Ok(trial)
    }

    /// Puts a proposal of somebody else to use, if the knowledge as it is now is still good with it.
    pub async fn approve(&self, id: &str, decision: Decision<'_>) -> Result<(), ProposalError> {
        let row = self.by_id(id).await?;
        if row.author == decision.by {
            self.record_alone("own", decision.by, &row).await?;
            return Err(ProposalError::Own);
        }
        if row.state != PROPOSED {
            return Err(ProposalError::Changed);
        }
        let (trial, rewritten) = self.tried(&row, was_contested(&row)).await?;
        let Some(rewritten) = rewritten.filter(|_| trial.is_good()) else {
            self.note(id, &trial).await?;
            self.record_alone("failed", decision.by, &row).await?;
            return Err(ProposalError::Troubled(trial.troubles));
        };
        let approved = ProposalRow {
            state: APPROVED.to_owned(),
            result: serde_json::to_string(&trial).ok(),
            ..self.decided(row, decision)
        };
        self.put_to_use(approved, &rewritten).await
    }

    async fn put_to_use(
        &self,
        mut row: ProposalRow,
        rewritten: &Rewritten,
    ) -> Result<(), ProposalError> {
        let reason = format!("+ {}: {}", row.entry, row.text);
        let edited = Edited {
            file: &rewritten.file,
            text: &rewritten.after,
            author: &row.decided_by.clone(),
            reason: &reason,
            onto: Some(&rewritten.before),
        };
        let now = self.clock.now();
        let mut transaction = self.editions.store.begin().await?;
        let edition = self.editions.insert(&mut transaction, edited, now).await?;
        row.file.clone_from(&edition.file);
        row.edition = Some(edition.number);
        if !proposal::decide(&mut transaction, &row).await? {
            return Err(ProposalError::Changed);
        }
        self.record(&mut transaction, APPROVED, &row.decided_by, &row)
            .await?;
        transaction.commit().await?;
        self.editions.publish(&edition).await?;
        Ok(())
    }

    /// Does not take a proposal; its author takes it back so.
    pub async fn refuse(&self, id: &str, decision: Decision<'_>) -> Result<(), ProposalError> {
        let row = self.by_id(id).await?;
        let outcome = match row.author == decision.by {
            true => "withdrawn",
            false => REFUSED,
        };
        let refused = ProposalRow {
            state: REFUSED.to_owned(),
            ..self.decided(row, decision)
        };
        let mut transaction = self.editions.store.begin().await?;
        if !proposal::decide(&mut transaction, &refused).await? {
            return Err(ProposalError::Changed);
        }
        self.record(&mut transaction, outcome, decision.by, &refused)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Makes a new edition of an old one's text, if the check finds that good.
    pub async fn roll_back(
        &self,
        (file, number): (&str, i64),
        decision: Decision<'_>,
    ) -> Result<(), ProposalError> {
        let mut connection = self.editions.store.connection().await?;
        let row = edition::by_number(&mut connection, file, number).await?;
        drop(connection);
        let row = row.ok_or(ProposalError::Missing)?;
        let in_use = self.in_use(file)?;
        if in_use == row.text {
            return Err(ProposalError::Same);
        }
        let detail = format!("{file} {number}");
        if let Err(problems) = self.rehearsed(file, row.text.clone()).await? {
            let entry = Entry::new(Event::Knowledge, "failed");
            self.record_line(entry.about(decision.by).detail(&detail))
                .await?;
            let errors = problems.iter().filter(|problem| problem.is_error());
            return Err(ProposalError::Troubled(errors.map(Trouble::from).collect()));
        }
        let edited = Edited {
            file,
            text: &row.text,
            author: decision.by,
            reason: decision.reason,
            onto: Some(&in_use),
        };
        let now = self.clock.now();
        let mut transaction = self.editions.store.begin().await?;
        let made = self.editions.insert(&mut transaction, edited, now).await?;
        self.note_what_is_used(&mut transaction, file, &row.text)
            .await?;
        let detail = format!("{file} {number} as {}", made.number);
        let entry = Entry::new(Event::Knowledge, "rolled-back");
        let entry = entry.about(decision.by).detail(&detail);
        let audit = &self.editions.audit;
        audit.record(&mut transaction, entry, now).await?;
        transaction.commit().await?;
        self.editions.publish(&made).await?;
        Ok(())
    }

    /// The patch of a proposal: of what it changed, or would change now. The file's name with it.
    pub async fn patch(&self, id: &str) -> Result<(String, String), ProposalError> {
        let row = self.by_id(id).await?;
        if let Some(number) = row.edition {
            return self.patch_of(&row.file, number).await;
        }
        let texts = self.editions.knowledge.texts();
        let texts = texts.map_err(|_| ProposalError::Unavailable)?;
        let place = match trial_of(&row) {
            Some(trial) if trial.first => Place::First,
            _ => Place::Last,
        };
        let paraphrase = Paraphrase {
            entry: &row.entry,
            text: &row.text,
        };
        let rewritten = paraphrase.write(&texts, place);
        let rewritten = rewritten.map_err(|_| ProposalError::Missing)?;
        let Rewritten {
            file,
            before,
            after,
        } = rewritten;
        let patch = super::difference::patch(&file, &before, &after);
        Ok((file, patch))
    }

    /// The patch of an edition against the one before it.
    pub async fn patch_of(
        &self,
        file: &str,
        number: i64,
    ) -> Result<(String, String), ProposalError> {
        let mut connection = self.editions.store.connection().await?;
        let after = edition::by_number(&mut connection, file, number).await?;
        let before = edition::by_number(&mut connection, file, number - 1).await?;
        let after = after.ok_or(ProposalError::Missing)?;
        let before = before.map_or_else(String::new, |row| row.text);
        let patch = super::difference::patch(file, &before, &after.text);
        Ok((file.to_owned(), patch))
    }

    /// The proposal with this id.
    pub async fn by_id(&self, id: &str) -> Result<ProposalRow, ProposalError> {
        let mut connection = self.editions.store.connection().await?;
        let row = proposal::by_id(&mut connection, id).await?;
        row.ok_or(ProposalError::Missing)
    }

    fn in_use(&self, file: &str) -> Result<String, ProposalError> {
        let texts = self.editions.knowledge.texts();
        let mut texts = texts.map_err(|_| ProposalError::Unavailable)?;
        let file = texts.remove(file).ok_or(ProposalError::Missing)?;
        Ok(file.text)
    }

    async fn tried(
        &self,
        row: &ProposalRow,
        contested: bool,
    ) -> Result<(Trial, Option<Rewritten>), ProposalError> {
        let live = Arc::clone(&self.editions.knowledge);
        let (entry, text) = (row.entry.clone(), row.text.clone());
        self.alone(move || {
            let paraphrase = Paraphrase {
                entry: &entry,
                text: &text,
            };
            try_out(&live, paraphrase, contested)
        })
        .await
    }

    async fn rehearsed(
        &self,
        file: &str,
        text: String,
    ) -> Result<Result<(), Vec<Problem>>, ProposalError> {
        let live = Arc::clone(&self.editions.knowledge);
        let written = live.written().map_err(|_| ProposalError::Unavailable)?;
        let base = written.get(file).map_or("", |file| &file.text);
        let edition = Edition::of(file, base, text);
        self.alone(move || live.rehearse(edition).map(|_| ())).await
    }

    /// Does something that takes seconds beside everything else, one after the other.
    async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ProposalError> {
        let turn = self.one_at_a_time.acquire().await;
        let _turn = turn.map_err(|_| ProposalError::Unavailable)?;
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|_| ProposalError::Unavailable)
    }

    async fn note(&self, id: &str, trial: &Trial) -> Result<(), ProposalError> {
        let result = serde_json::to_string(trial).unwrap_or_default();
        let now = self.clock.now();
        let mut connection = self.editions.store.connection().await?;
        proposal::set_result(&mut connection, id, &result, now).await?;
        Ok(())
    }

    fn decided(&self, row: ProposalRow, decision: Decision<'_>) -> ProposalRow {
        ProposalRow {
            decided_by: decision.by.to_owned(),
            decided_at: Some(self.clock.now()),
            reason: one_line(decision.reason),
            ..row
        }
    }

    /// Notes of everything that went into a file whether it is used with this text.
    async fn note_what_is_used(
        &self,
        connection: &mut Connection,
        file: &str,
        text: &str,
    ) -> sqlx::Result<()> {
        let with = FileText {
            shown: file.to_owned(),
            text: text.to_owned(),
        };
        for row in proposal::within(connection, file).await? {
            let paraphrase = Paraphrase {
                entry: &row.entry,
                text: &row.text,
            };
            let state = match paraphrase.stands_in(&with) {
                true => APPROVED,
                false => ROLLED_BACK,
            };
            if row.state != state {
                proposal::set_state(connection, &row.id, state).await?;
            }
        }
        Ok(())
    }

    async fn record(
        &self,
        connection: &mut Connection,
        outcome: &str,
        by: &str,
        row: &ProposalRow,
    ) -> sqlx::Result<()> {
        let detail = match row.edition {
            Some(number) => format!("{} {} {number}", row.id, row.file),
            None => row.id.clone(),
        };
        let entry = Entry::new(Event::Knowledge, outcome);
        let entry = entry.about(by).detail(&detail);
        let audit = &self.editions.audit;
        audit.record(connection, entry, self.clock.now()).await
    }

    async fn record_alone(&self, outcome: &str, by: &str, row: &ProposalRow) -> sqlx::Result<()> {
        let entry = Entry::new(Event::Knowledge, outcome);
        self.record_line(entry.about(by).detail(&row.id)).await
    }

    async fn record_line(&self, entry: Entry<'_>) -> sqlx::Result<()> {
        let mut transaction = self.editions.store.begin().await?;
        let now = self.clock.now();
        self.editions
            .audit
            .record(&mut transaction, entry, now)
            .await?;
        transaction.commit().await
    }
}

/// What its check found.
fn trial_of(row: &ProposalRow) -> Option<Trial> {
    serde_json::from_str(row.result.as_deref()?).ok()
}

/// Whether its check knew of somebody whom the present answer did not help: that is kept with what it found.
fn was_contested(row: &ProposalRow) -> bool {
    trial_of(row).is_some_and(|trial| trial.contested)
}

/// A text without line ends and doubled blanks.
fn one_line(text: &str) -> String {
    let words = text.split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

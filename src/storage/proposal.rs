//! What officers propose to add to the knowledge.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A proposal.
#[derive(Clone, Debug, Default, FromRow)]
pub struct ProposalRow {
    /// Its id.
    pub id: String,
    /// The entry that should be asked for so.
    pub entry: String,
    /// How it is asked for.
    pub text: String,
    /// The question that it was proposed for.
    pub asked: String,
    /// The agent who proposed it.
    pub author: String,
    /// When, in Unix milliseconds.
    pub created_at: Millis,
    /// `proposed`, `approved`, `refused` or `rolled back`.
    pub state: String,
    /// What the check found, as JSON; none while it goes on.
    pub result: Option<String>,
    /// When it was checked, in Unix milliseconds.
    pub checked_at: Option<Millis>,
    /// The agent who decided; empty while nobody has.
    pub decided_by: String,
    /// When, in Unix milliseconds.
    pub decided_at: Option<Millis>,
    /// Why.
    pub reason: String,
    /// The file that it went into; empty before.
    pub file: String,
    /// The edition that it went into.
    pub edition: Option<i64>,
}

/// A new proposal; tells whether nobody has proposed the same already.
pub async fn insert(connection: &mut Connection, row: &ProposalRow) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "INSERT INTO knowledge_proposal
             (id, entry, text, asked, author, created_at, state, decided_by, reason, file)
         SELECT $1, $2, $3, $4, $5, $6, 'proposed', '', '', ''
         WHERE NOT EXISTS (SELECT 1 FROM knowledge_proposal
                           WHERE state = 'proposed' AND entry = $2 AND LOWER(text) = LOWER($3))",
    )
    .bind(&row.id)
    .bind(&row.entry)
    .bind(&row.text)
    .bind(&row.asked)
    .bind(&row.author)
    .bind(row.created_at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, entry, text, asked, author, created_at, state, result, checked_at, decided_by,
                    decided_at, reason, file, edition
             FROM knowledge_proposal ",
            $rest
        )
    };
}

/// The proposal with this id.
pub async fn by_id(connection: &mut Connection, id: &str) -> sqlx::Result<Option<ProposalRow>> {
    sqlx::query_as(columns!("WHERE id = $1"))
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// Proposals that wait, the oldest first.
pub async fn waiting(connection: &mut Connection, limit: i64) -> sqlx::Result<Vec<ProposalRow>> {
    sqlx::query_as(columns!(
        "WHERE state = 'proposed' ORDER BY created_at, id LIMIT $1"
    ))
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Proposals that were decided on, the latest decision first.
pub async fn decided(connection: &mut Connection, limit: i64) -> sqlx::Result<Vec<ProposalRow>> {
    sqlx::query_as(columns!(
        "WHERE state <> 'proposed' ORDER BY decided_at DESC, id DESC LIMIT $1"
    ))
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// What went into a file, also what was rolled back.
pub async fn within(connection: &mut Connection, file: &str) -> sqlx::Result<Vec<ProposalRow>> {
    sqlx::query_as(columns!(
        "WHERE file = $1 AND state IN ('approved', 'rolled back')
         ORDER BY decided_at DESC LIMIT 1000"
    ))
    .bind(file)
    .fetch_all(connection)
    .await
}

/// Notes what the check found, unless it was decided meanwhile.
pub async fn set_result(
    connection: &mut Connection,
    id: &str,
    result: &str,
    now: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE knowledge_proposal SET result = $2, checked_at = $3
         WHERE id = $1 AND state = 'proposed'",
    )
    .bind(id)
    .bind(result)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Decides on a proposal; tells whether it was still undecided.
pub async fn decide(connection: &mut Connection, row: &ProposalRow) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE knowledge_proposal
         SET state = $2, result = $3, decided_by = $4, decided_at = $5, reason = $6, file = $7, edition = $8
         WHERE id = $1 AND state = 'proposed'",
    )
    .bind(&row.id)
    .bind(&row.state)
    .bind(&row.result)
    .bind(&row.decided_by)
    .bind(row.decided_at)
    .bind(&row.reason)
    .bind(&row.file)
    .bind(row.edition)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Notes that what was approved is used, or not any more.
pub async fn set_state(connection: &mut Connection, id: &str, state: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE knowledge_proposal SET state = $2 WHERE id = $1")
        .bind(id)
        .bind(state)
        .execute(connection)
        .await?;
    Ok(())
}

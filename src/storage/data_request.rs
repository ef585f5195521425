//! What persons ask for about their data.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A request.
#[derive(Clone, Debug, Default, FromRow)]
pub struct DataRequestRow {
    /// UUIDv7.
    pub id: String,
    /// `export` or `erase`.
    pub kind: String,
    /// The keyed hash of the identity number; empty where only the ticket is known.
    pub subject: String,
    /// The number's last four characters; empty where it is not known.
    pub last4: String,
    /// The ticket that it was filed by; empty where it was a number.
    pub number: String,
    /// Why, as the officer says.
    pub reason: String,
    /// The agent who filed it.
    pub agent: String,
    /// When, in Unix milliseconds.
    pub filed_at: Millis,
    /// `filed`, `approved`, `refused`, `withdrawn` or `done`.
    pub state: String,
    /// The agent who decided; empty while nobody has.
    pub decided_by: String,
    /// When.
    pub decided_at: Option<Millis>,
    /// What they noted.
    pub note: String,
    /// The agent who took the copy; empty for an erasure, which the program does.
    pub done_by: String,
    /// When it was handed out or finished.
    pub done_at: Option<Millis>,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, subject, last4, number, reason, agent, filed_at, state, decided_by,
                    decided_at, note, done_by, done_at
             FROM data_request ",
            $rest
        )
    };
}

/// A new request.
pub async fn insert(connection: &mut Connection, row: &DataRequestRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO data_request
             (id, kind, subject, last4, number, reason, agent, filed_at, state, decided_by, note, done_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'filed', '', '', '')",
    )
    .bind(&row.id)
    .bind(&row.kind)
    .bind(&row.subject)
    .bind(&row.last4)
    .bind(&row.number)
    .bind(&row.reason)
    .bind(&row.agent)
    .bind(row.filed_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The request of this id.
pub async fn by_id(connection: &mut Connection, id: &str) -> sqlx::Result<Option<DataRequestRow>> {
    sqlx::query_as(columns!("WHERE id = $1"))
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// Requests that somebody still has to do something for, the oldest first; a copy that was approved before `late` is not
/// handed out any more.
pub async fn open(
    connection: &mut Connection,
    late: Millis,
    limit: i64,
) -> sqlx::Result<Vec<DataRequestRow>> {
    sqlx::query_as(columns!(
        "WHERE state = 'filed' OR (state = 'approved' AND (kind = 'erase' OR decided_at >= $1))
         ORDER BY filed_at, id LIMIT $2"
    ))
    .bind(late)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Requests that are over, the latest first.
pub async fn over(
    connection: &mut Connection,
    late: Millis,
    limit: i64,
) -> sqlx::Result<Vec<DataRequestRow>> {
    sqlx::query_as(columns!(
        "WHERE state IN ('refused', 'withdrawn', 'done')
            OR (state = 'approved' AND kind = 'export' AND decided_at < $1)
         ORDER BY filed_at DESC, id DESC LIMIT $2"
    ))
    .bind(late)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Erasures that were approved and are not finished.
pub async fn to_erase(connection: &mut Connection) -> sqlx::Result<Vec<DataRequestRow>> {
    sqlx::query_as(columns!(
        "WHERE state = 'approved' AND kind = 'erase' ORDER BY filed_at, id LIMIT 100"
    ))
    .fetch_all(connection)
    .await
}

/// Requests about a person, in order.
pub async fn of_subject(
    connection: &mut Connection,
    subject: &str,
) -> sqlx::Result<Vec<DataRequestRow>> {
    sqlx::query_as(columns!("WHERE subject = $1 ORDER BY filed_at, id"))
        .bind(subject)
        .fetch_all(connection)
        .await
}

/// Decides on a request: `approved`, `refused` or `withdrawn`; tells whether it was still undecided.
pub async fn decide(connection: &mut Connection, row: &DataRequestRow) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE data_request SET state = $2, decided_by = $3, decided_at = $4, note = $5
         WHERE id = $1 AND state = 'filed'",
    )
    .bind(&row.id)
    .bind(&row.state)
    .bind(&row.decided_by)
    .bind(row.decided_at)
    .bind(&row.note)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Notes that an approved request was fulfilled; tells whether this was the first time.
pub async fn finish(
    connection: &mut Connection,
    id: &str,
    agent: &str,
    at: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE data_request SET state = 'done', done_by = $2, done_at = $3
         WHERE id = $1 AND state = 'approved'",
    )
    .bind(id)
    .bind(agent)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Forgets what a request that is done, and those about the same person, say of them beside that they were made.
pub async fn blank(connection: &mut Connection, id: &str, subject: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE data_request SET last4 = '', reason = '', note = ''
         WHERE state IN ('refused', 'withdrawn', 'done') AND (id = $1 OR (subject <> '' AND subject = $2))",
    )
    .bind(id)
    .bind(subject)
    .execute(connection)
    .await?;
    Ok(())
}

//! Proofs: who is known in which conversation, since when.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A proof as stored.
#[derive(Clone, Debug, Default, FromRow)]
pub struct ProofRow {
    /// UUIDv7.
    pub id: String,
    /// The conversation that it belongs to.
    pub conversation_id: String,
    /// Its channel.
    pub channel: String,
    /// `staff` or `supplier`.
    pub kind: String,
    /// Who it is.
    pub subject: String,
    /// The last four characters of the number.
    pub last4: String,
    /// The person, sealed.
    pub person: String,
    /// Tells whether the e-mail address is still the one that the code went to.
    pub address_mark: String,
    /// When it was proved, in Unix milliseconds.
    pub proved_at: Millis,
    /// When the person last wrote.
    pub used_at: Millis,
    /// When it ended.
    pub ended_at: Option<Millis>,
}

/// A new proof.
pub async fn insert(connection: &mut Connection, row: &ProofRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO proof
             (id, conversation_id, channel, kind, subject, last4, person, address_mark, proved_at,
              used_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
    )
    .bind(&row.id)
    .bind(&row.conversation_id)
    .bind(&row.channel)
    .bind(&row.kind)
    .bind(&row.subject)
    .bind(&row.last4)
    .bind(&row.person)
    .bind(&row.address_mark)
    .bind(row.proved_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The live proofs of a conversation, the latest first.
pub async fn of_conversation(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<Vec<ProofRow>> {
    sqlx::query_as(
        "SELECT id, conversation_id, channel, kind, subject, last4, person, address_mark, proved_at,
                used_at, ended_at
         FROM proof WHERE conversation_id = $1 AND ended_at IS NULL ORDER BY proved_at DESC, id DESC",
    )
    .bind(conversation_id)
    .fetch_all(connection)
    .await
}

/// The live proofs of a subject, the latest first.
pub async fn of_subject(connection: &mut Connection, subject: &str) -> sqlx::Result<Vec<ProofRow>> {
    sqlx::query_as(
        "SELECT id, conversation_id, channel, kind, subject, last4, person, address_mark, proved_at,
                used_at, ended_at
         FROM proof WHERE subject = $1 AND ended_at IS NULL ORDER BY proved_at DESC, id DESC",
    )
    .bind(subject)
    .fetch_all(connection)
    .await
}

/// The proof of this id, live or not.
pub async fn by_id(connection: &mut Connection, id: &str) -> sqlx::Result<Option<ProofRow>> {
    sqlx::query_as(
        "SELECT id, conversation_id, channel, kind, subject, last4, person, address_mark, proved_at,
                used_at, ended_at
         FROM proof WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(connection)
    .await
}

/// Notes that the person of a conversation wrote; a proof that was idle for too long stays so.
pub async fn touch(
    connection: &mut Connection,
    conversation_id: &str,
    idle_since: Millis,
    at: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE proof SET used_at = $2
         WHERE conversation_id = $1 AND ended_at IS NULL AND used_at >= $3",
    )
    .bind(conversation_id)
    .bind(at)
    .bind(idle_since)
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends the proofs of a conversation; tells how many.
pub async fn end_of_conversation(
    connection: &mut Connection,
    conversation_id: &str,
    at: Millis,
) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "UPDATE proof SET ended_at = $2 WHERE conversation_id = $1 AND ended_at IS NULL",
    )
    .bind(conversation_id)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

/// Ends the proofs of a subject, but for one conversation; those that lost one.
pub async fn end_of_subject(
    connection: &mut Connection,
    subject: &str,
    but_for: &str,
    at: Millis,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "UPDATE proof SET ended_at = $3
         WHERE subject = $1 AND conversation_id <> $2 AND ended_at IS NULL
         RETURNING conversation_id",
    )
    .bind(subject)
    .bind(but_for)
    .bind(at)
    .fetch_all(connection)
    .await
}

/// Ends proofs whose person was silent since `idle_since`, that were proved before `proved_since`, or in the future;
/// those that lost one.
pub async fn end_old(
    connection: &mut Connection,
    idle_since: Millis,
    proved_since: Millis,
    latest: Millis,
    at: Millis,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "UPDATE proof SET ended_at = $4
         WHERE ended_at IS NULL AND (used_at < $1 OR proved_at < $2 OR proved_at > $3)
         RETURNING conversation_id",
    )
    .bind(idle_since)
    .bind(proved_since)
    .bind(latest)
    .bind(at)
    .fetch_all(connection)
    .await
}

/// Forgets the proofs of a conversation.
pub async fn delete_of_conversation(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM proof WHERE conversation_id = $1")
        .bind(conversation_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends all proofs; tells how many.
pub async fn end_all(connection: &mut Connection, at: Millis) -> sqlx::Result<u64> {
    let result = sqlx::query("UPDATE proof SET ended_at = $1 WHERE ended_at IS NULL")
        .bind(at)
        .execute(connection)
        .await?;
    Ok(result.rows_affected())
}

//! Links to documents.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A link as stored.
#[derive(Clone, Debug, Default, FromRow)]
pub struct DocumentLinkRow {
    /// UUIDv7.
    pub id: String,
    /// The conversation that it was given in.
    pub conversation_id: String,
    /// The proof that it was given for.
    pub proof_id: String,
    /// The message that holds it.
    pub seq: i64,
    /// `slip-gaji` or `penyata-tahunan`.
    pub document: String,
    /// `2026-10` or `2025`.
    pub period: String,
    /// When it was made, in Unix milliseconds.
    pub created_at: Millis,
    /// When it dies.
    pub expires_at: Millis,
    /// When it was opened.
    pub spent_at: Option<Millis>,
}

/// A new link.
pub async fn insert(
    connection: &mut Connection,
    row: &DocumentLinkRow,
    token_hash: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO document_link
             (id, conversation_id, proof_id, seq, token_hash, document, period, created_at,
              expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&row.id)
    .bind(&row.conversation_id)
    .bind(&row.proof_id)
    .bind(row.seq)
    .bind(token_hash)
    .bind(&row.document)
    .bind(&row.period)
    .bind(row.created_at)
    .bind(row.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The link that a token opens, live or not.
pub async fn by_token(
    connection: &mut Connection,
    token_hash: &str,
) -> sqlx::Result<Option<DocumentLinkRow>> {
    sqlx::query_as(
        "SELECT id, conversation_id, proof_id, seq, document, period, created_at, expires_at,
                spent_at
         FROM document_link WHERE token_hash = $1",
    )
    .bind(token_hash)
    .fetch_optional(connection)
    .await
}

/// Spends a link, if it and its proof are alive; tells whether this was the first time.
pub async fn spend(
    connection: &mut Connection,
    id: &str,
    now: Millis,
    latest: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE document_link SET spent_at = $2
         WHERE id = $1 AND spent_at IS NULL AND expires_at > $2 AND created_at <= $3
           AND EXISTS (SELECT 1 FROM proof
                       WHERE proof.id = document_link.proof_id AND proof.ended_at IS NULL)",
    )
    .bind(id)
    .bind(now)
    .bind(latest)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Gives a link back that opened nothing.
pub async fn give_back(connection: &mut Connection, id: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE document_link SET spent_at = NULL WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes the carrier's number of the message that holds a link.
pub async fn carried(
    connection: &mut Connection,
    conversation_id: &str,
    seq: i64,
    number: i64,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE document_link SET carried_as = $3 WHERE conversation_id = $1 AND seq = $2")
        .bind(conversation_id)
        .bind(seq)
        .bind(number)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes a carried link whose message should be gone: the conversation and the carrier's number.
pub async fn take_expired(
    connection: &mut Connection,
    now: Millis,
) -> sqlx::Result<Option<(String, i64)>> {
    sqlx::query_as(
        "UPDATE document_link SET removed_at = $1
         WHERE removed_at IS NULL AND id =
             (SELECT l.id FROM document_link l
              WHERE l.carried_as IS NOT NULL AND l.removed_at IS NULL
                AND (l.expires_at <= $1 OR EXISTS
                        (SELECT 1 FROM proof p
                         WHERE p.id = l.proof_id AND p.ended_at IS NOT NULL))
              LIMIT 1)
         RETURNING conversation_id, carried_as",
    )
    .bind(now)
    .fetch_optional(connection)
    .await
}

/// Forgets the links of a conversation.
pub async fn delete_of_conversation(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM document_link WHERE conversation_id = $1")
        .bind(conversation_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends all links that could still be opened; tells how many.
pub async fn expire_all(connection: &mut Connection, at: Millis) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "UPDATE document_link SET expires_at = $1 WHERE spent_at IS NULL AND expires_at > $1",
    )
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

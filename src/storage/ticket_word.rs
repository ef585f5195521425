//! Words by which a ticket is found: of its title as they are, of names as HMACs.

use super::Connection;
use crate::clock::Millis;

/// Has a ticket found by a word.
pub async fn insert(connection: &mut Connection, word: &str, number: &str) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO ticket_word (word, number) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(word)
        .bind(number)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets the words of tickets that were settled and did not change since `before`.
pub async fn delete_settled(connection: &mut Connection, before: Millis) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "DELETE FROM ticket_word WHERE number IN
             (SELECT number FROM ticket WHERE updated_at < $1 AND status IN ('resolved', 'closed'))",
    )
    .bind(before)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

//! Words by which a ticket is found: of its title as they are, of names and notes as HMACs.

use super::Connection;

/// Has a ticket found by a word.
pub async fn insert(connection: &mut Connection, word: &str, number: &str) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO ticket_word (word, number) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(word)
        .bind(number)
        .execute(connection)
        .await?;
    Ok(())
}

/// Has a ticket found by all words by which another is found.
pub async fn copy_to(connection: &mut Connection, from: &str, into: &str) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO ticket_word (word, number)
         SELECT word, CAST($2 AS TEXT) FROM ticket_word WHERE number = $1 ON CONFLICT DO NOTHING",
    )
    .bind(from)
    .bind(into)
    .execute(connection)
    .await?;
    Ok(())
}

/// How many tickets have a word, in their titles or as names have it; none counts further than `most`.
pub async fn count(
    connection: &mut Connection,
    (word, name): (&str, &str),
    most: i64,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT 1 FROM ticket_word WHERE word IN ($1, $2) LIMIT $3) AS found",
    )
    .bind(word)
    .bind(name)
    .bind(most)
    .fetch_one(connection)
    .await
}

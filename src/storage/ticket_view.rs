//! Who looks at a ticket now.

use super::Connection;
use crate::clock::Millis;

/// Notes that an agent looks at a ticket.
pub async fn touch(
    connection: &mut Connection,
    number: &str,
    agent_id: &str,
    now: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO ticket_view (number, agent_id, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (number, agent_id) DO UPDATE SET seen_at = $3",
    )
    .bind(number)
    .bind(agent_id)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// The names of other agents who looked at a ticket since a moment.
pub async fn others(
    connection: &mut Connection,
    number: &str,
    agent_id: &str,
    since: Millis,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT a.name FROM ticket_view v JOIN agent a ON a.id = v.agent_id
         WHERE v.number = $1 AND v.agent_id <> $2 AND v.seen_at >= $3 ORDER BY a.name LIMIT 10",
    )
    .bind(number)
    .bind(agent_id)
    .bind(since)
    .fetch_all(connection)
    .await
}

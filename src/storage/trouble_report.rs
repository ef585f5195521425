//! People who say that a system does not open.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// Somebody says that a system does not open.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct TroubleReportRow {
    /// UUIDv7.
    pub id: String,
    /// `sistem` or `portal`.
    pub system: String,
    /// The chat in which they say so.
    pub conversation_id: String,
    /// Its channel.
    pub channel: String,
    /// Who says so, as a name that tells nothing.
    pub reporter: String,
    /// Their network, as a name that tells nothing; empty where the channel knows none.
    pub network: String,
    /// How many times wider that is: an office shares it.
    pub factor: i64,
    /// Their department, where they told it; empty otherwise.
    pub department: String,
    /// When, in Unix milliseconds.
    pub reported_at: Millis,
}

/// A new one, unless the same person said the same since a moment.
pub async fn insert(
    connection: &mut Connection,
    row: &TroubleReportRow,
    since: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO trouble_report
             (id, system, conversation_id, channel, reporter, network, factor, department, reported_at)
         SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT),
                CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS BIGINT), CAST($8 AS TEXT),
                CAST($9 AS BIGINT)
         WHERE NOT EXISTS (SELECT 1 FROM trouble_report
                           WHERE system = $2 AND reporter = $5 AND reported_at >= $10)",
    )
    .bind(&row.id)
    .bind(&row.system)
    .bind(&row.conversation_id)
    .bind(&row.channel)
    .bind(&row.reporter)
    .bind(&row.network)
    .bind(row.factor)
    .bind(&row.department)
    .bind(row.reported_at)
    .bind(since)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether there are reports since a moment that belong to no incident.
pub async fn unheeded(connection: &mut Connection, since: Millis) -> sqlx::Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM trouble_report WHERE reported_at >= $1 AND incident_id IS NULL",
    )
    .bind(since)
    .fetch_one(connection)
    .await?;
    Ok(count > 0)
}

/// How many different people of each network said so since a moment, with the network's factor; those whose channel
/// knows no network stand under an empty name.
pub async fn people_by_network(
    connection: &mut Connection,
    system: &str,
    since: Millis,
) -> sqlx::Result<Vec<(String, i64, i64)>> {
    sqlx::query_as(
        "SELECT network, COUNT(DISTINCT reporter), MAX(factor)
         FROM trouble_report WHERE system = $1 AND reported_at >= $2 AND incident_id IS NULL
         GROUP BY network",
    )
    .bind(system)
    .bind(since)
    .fetch_all(connection)
    .await
}

/// Has the reports since a moment that belong to no incident belong to this one; how many.
pub async fn join(
    connection: &mut Connection,
    (incident, system): (&str, &str),
    since: Millis,
) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "UPDATE trouble_report SET incident_id = $1
         WHERE system = $2 AND reported_at >= $3 AND incident_id IS NULL",
    )
    .bind(incident)
    .bind(system)
    .bind(since)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

/// How many people, departments and networks an incident has heard from.
pub async fn figures(connection: &mut Connection, incident: &str) -> sqlx::Result<(i64, i64, i64)> {
    sqlx::query_as(
        "SELECT COUNT(DISTINCT reporter),
                COUNT(DISTINCT CASE WHEN department <> '' THEN LOWER(department) END),
                COUNT(DISTINCT CASE WHEN network <> '' THEN network END)
         FROM trouble_report WHERE incident_id = $1",
    )
    .bind(incident)
    .fetch_one(connection)
    .await
}

/// The reports of an incident: when, by which channel, from which department, and the ticket of the chat, if it has one.
pub async fn of_incident(
    connection: &mut Connection,
    incident: &str,
    limit: i64,
) -> sqlx::Result<Vec<(Millis, String, String, Option<String>)>> {
    sqlx::query_as(
        "SELECT r.reported_at, r.channel, r.department,
                (SELECT MAX(t.number) FROM ticket t WHERE t.conversation_id = r.conversation_id)
         FROM trouble_report r WHERE r.incident_id = $1 ORDER BY r.reported_at, r.id LIMIT $2",
    )
    .bind(incident)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// The department that a chat last named.
pub async fn department_of(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "SELECT department FROM ticket
         WHERE conversation_id = $1 AND department IS NOT NULL ORDER BY created_at DESC LIMIT 1",
    )
    .bind(conversation_id)
    .fetch_optional(connection)
    .await
}

/// Forgets what a chat reported.
pub async fn forget(connection: &mut Connection, conversation_id: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM trouble_report WHERE conversation_id = $1")
        .bind(conversation_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// What was reported in a chat, in order.
pub async fn of_chat(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<Vec<TroubleReportRow>> {
    sqlx::query_as(
        "SELECT id, system, conversation_id, channel, reporter, network, factor, department, reported_at
         FROM trouble_report WHERE conversation_id = $1 ORDER BY id",
    )
    .bind(conversation_id)
    .fetch_all(connection)
    .await
}

//! What officers have to do.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A ticket as stored.
#[derive(Clone, Debug, Default, FromRow)]
pub struct TicketRow {
    /// As `TK-2026-000123-7`.
    pub number: String,
    /// The conversation that it comes from; empty while there is none.
    pub conversation_id: String,
    /// How it came: `web`, `telegram`, `terminal`, `counter` or `phone`.
    pub channel: String,
    /// Whose work it is: `teknikal`, `naziran` or `helpdesk`.
    pub queue: String,
    /// What it is about, as the bot names it.
    pub topic: String,
    /// What it is about, in the person's words, redacted.
    pub title: String,
    /// The entry of the knowledge that it is about.
    pub entry: Option<String>,
    /// The person's department or company, as they say.
    pub department: Option<String>,
    /// `open`, `pending` (waits for the person), `resolved` or `closed`.
    pub status: String,
    /// `low`, `normal`, `high` or `urgent`.
    pub priority: String,
    /// The agent whose work it is.
    pub assignee: Option<String>,
    /// Who was proved, as a name that tells nothing.
    pub requester: Option<String>,
    /// Who was proved, as what and by the portal's own name, sealed.
    pub person: Option<String>,
    /// The person's name, sealed.
    pub name: Option<String>,
    /// The last four characters of the person's number.
    pub last4: Option<String>,
    /// What the officer needs, sealed.
    pub details: Option<String>,
    /// Since when the person waits in the chat for somebody to take it.
    pub live_at: Option<Millis>,
    /// By when it has to be acknowledged, in Unix milliseconds.
    pub acknowledge_by: Option<Millis>,
    /// By when it has to be answered.
    pub answer_by: Option<Millis>,
    /// When an officer first took it up.
    pub acknowledged_at: Option<Millis>,
    /// When an officer first answered.
    pub answered_at: Option<Millis>,
    /// When it was settled.
    pub resolved_at: Option<Millis>,
    /// When the supervisor was told that it is overdue.
    pub escalated_at: Option<Millis>,
    /// The ticket that it became part of.
    pub merged_into: Option<String>,
    /// Since when something of the person's was not looked at.
    pub unread_at: Option<Millis>,
    /// Counts changes; a writer must name the one that it read.
    pub version: i64,
    /// When it was opened.
    pub created_at: Millis,
    /// When it last changed.
    pub updated_at: Millis,
}

macro_rules! columns {
    ($($rest:expr),+) => {
        concat!(
            "SELECT number, conversation_id, channel, queue, topic, title, entry, department, status,
                    priority, assignee, requester, person, name, last4, details, live_at,
                    acknowledge_by, answer_by, acknowledged_at, answered_at, resolved_at, escalated_at, merged_into,
                    unread_at, version, created_at, updated_at
             FROM ticket ",
            $($rest),+
        )
    };
}

pub(super) use columns;

/// The next serial number of a year. Whoever asks holds it until its transaction ends: none is lost, none is used twice.
pub async fn next_serial(connection: &mut Connection, year: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO ticket_serial (year, last) VALUES ($1, 1)
         ON CONFLICT (year) DO UPDATE SET last = ticket_serial.last + 1
         RETURNING last",
    )
    .bind(year)
    .fetch_one(connection)
    .await
}

/// A new ticket.
pub async fn insert(connection: &mut Connection, row: &TicketRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO ticket
             (number, conversation_id, channel, queue, topic, title, entry, department, status,
              priority, requester, name, last4, details, live_at, acknowledge_by, answer_by,
              unread_at, created_at, updated_at, person, assignee, acknowledged_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $18, $18, $19, $20, $21)",
    )
    .bind(&row.number)
    .bind(&row.conversation_id)
    .bind(&row.channel)
    .bind(&row.queue)
    .bind(&row.topic)
    .bind(&row.title)
    .bind(&row.entry)
    .bind(&row.department)
    .bind(&row.status)
    .bind(&row.priority)
    .bind(&row.requester)
    .bind(&row.name)
    .bind(&row.last4)
    .bind(&row.details)
    .bind(row.live_at)
    .bind(row.acknowledge_by)
    .bind(row.answer_by)
    .bind(row.created_at)
    .bind(&row.person)
    .bind(&row.assignee)
    .bind(row.acknowledged_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what was changed of a ticket, if nobody else wrote since `row` was read; `row.version` is the one that was
/// read. Tells whether it was written.
pub async fn update(connection: &mut Connection, row: &TicketRow) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE ticket
         SET conversation_id = $2, queue = $3, title = $4, entry = $5, department = $6, status = $7,
             priority = $8, assignee = $9, requester = $10, name = $11, last4 = $12, details = $13,
             live_at = $14, acknowledge_by = $15, answer_by = $16, acknowledged_at = $17,
             answered_at = $18, resolved_at = $19, escalated_at = $20, merged_into = $21,
             unread_at = $22, updated_at = $23, version = version + 1
         WHERE number = $1 AND version = $24",
    )
    .bind(&row.number)
    .bind(&row.conversation_id)
    .bind(&row.queue)
    .bind(&row.title)
    .bind(&row.entry)
    .bind(&row.department)
    .bind(&row.status)
    .bind(&row.priority)
    .bind(&row.assignee)
    .bind(&row.requester)
    .bind(&row.name)
    .bind(&row.last4)
    .bind(&row.details)
    .bind(row.live_at)
    .bind(row.acknowledge_by)
    .bind(row.answer_by)
    .bind(row.acknowledged_at)
    .bind(row.answered_at)
    .bind(row.resolved_at)
    .bind(row.escalated_at)
    .bind(&row.merged_into)
    .bind(row.unread_at)
    .bind(row.updated_at)
    .bind(row.version)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// The tickets of a conversation that were not merged into others, the latest first, 20 at most.
pub async fn of_conversation(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<Vec<TicketRow>> {
    sqlx::query_as(columns!(
        "WHERE conversation_id = $1 AND merged_into IS NULL ORDER BY number DESC LIMIT 20"
    ))
    .bind(conversation_id)
    .fetch_all(connection)
    .await
}

/// The ticket of this number.
pub async fn by_number(
    connection: &mut Connection,
    number: &str,
) -> sqlx::Result<Option<TicketRow>> {
    sqlx::query_as(columns!("WHERE number = $1"))
        .bind(number)
        .fetch_optional(connection)
        .await
}

/// Open tickets, the oldest first, 200 at most.
pub async fn open(connection: &mut Connection) -> sqlx::Result<Vec<TicketRow>> {
    sqlx::query_as(columns!(
        "WHERE status IN ('open', 'pending') ORDER BY number LIMIT 200"
    ))
    .fetch_all(connection)
    .await
}

/// The numbers of tickets whose person waits in the chat now, the longest wait first, 100 at most.
pub async fn waiting(connection: &mut Connection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT number FROM ticket
         WHERE live_at IS NOT NULL AND status IN ('open', 'pending') ORDER BY live_at LIMIT 100",
    )
    .fetch_all(connection)
    .await
}

/// How many active tickets have to be answered before a moment.
pub async fn due_before(connection: &mut Connection, before: Millis) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT COUNT(*) FROM ticket WHERE status IN ('open', 'pending') AND answer_by < $1",
    )
    .bind(before)
    .fetch_one(connection)
    .await
}

/// How many tickets are active, by queue, assignee and whether they are overdue at `now`.
#[derive(Clone, Debug, FromRow)]
pub struct ActiveCount {
    /// Whose work it is.
    pub queue: String,
    /// The agent.
    pub assignee: Option<String>,
    /// 1 where the answer is overdue.
    pub overdue: i64,
    /// How many there are.
    pub count: i64,
}

/// What is to be done, counted.
pub async fn active_counts(
    connection: &mut Connection,
    now: Millis,
) -> sqlx::Result<Vec<ActiveCount>> {
    sqlx::query_as(
        "SELECT queue, assignee,
                CAST(CASE WHEN answer_by < $1 THEN 1 ELSE 0 END AS BIGINT) AS overdue,
                COUNT(*) AS count
         FROM ticket WHERE status IN ('open', 'pending')
         GROUP BY queue, assignee, CASE WHEN answer_by < $1 THEN 1 ELSE 0 END",
    )
    .bind(now)
    .fetch_all(connection)
    .await
}

/// The ticket whose person waits longest in the chat, since before `since`, and nobody was told yet.
pub async fn untaken(
    connection: &mut Connection,
    since: Millis,
) -> sqlx::Result<Option<TicketRow>> {
    sqlx::query_as(columns!(
        "WHERE live_at IS NOT NULL AND live_at < $1 AND untaken_at IS NULL
           AND status IN ('open', 'pending')
         ORDER BY live_at LIMIT 1"
    ))
    .bind(since)
    .fetch_optional(connection)
    .await
}

/// Marks a ticket as one of which somebody was told that nobody takes it; tells whether it still waited.
pub async fn mark_untaken(
    connection: &mut Connection,
    number: &str,
    now: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE ticket SET untaken_at = $2, version = version + 1
         WHERE number = $1 AND untaken_at IS NULL AND live_at IS NOT NULL
           AND status IN ('open', 'pending')",
    )
    .bind(number)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// A ticket that is overdue and nobody was told of; it is marked as told.
pub async fn take_overdue(
    connection: &mut Connection,
    now: Millis,
) -> sqlx::Result<Option<TicketRow>> {
    let number: Option<String> = sqlx::query_scalar(
        "UPDATE ticket SET escalated_at = $1, version = version + 1
         WHERE escalated_at IS NULL AND number =
             (SELECT number FROM ticket
              WHERE status IN ('open', 'pending') AND escalated_at IS NULL
                AND (answer_by < $1 OR (acknowledge_by < $1 AND acknowledged_at IS NULL))
              ORDER BY answer_by LIMIT 1)
         RETURNING number",
    )
    .bind(now)
    .fetch_optional(&mut *connection)
    .await?;
    match number {
        Some(number) => by_number(connection, &number).await,
        None => Ok(None),
    }
}

/// Settles an open ticket; what it held of the person is wiped. Tells whether it was open.
pub async fn resolve(connection: &mut Connection, number: &str, at: Millis) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE ticket SET status = 'resolved', details = NULL, live_at = NULL, updated_at = $2,
                resolved_at = $2, version = version + 1
         WHERE number = $1 AND status IN ('open', 'pending')",
    )
    .bind(number)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Closes one ticket that was settled before `before`; its number.
pub async fn close_settled(
    connection: &mut Connection,
    before: Millis,
    now: Millis,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "UPDATE ticket SET status = 'closed', closed_at = $2, version = version + 1
         WHERE status = 'resolved' AND number =
             (SELECT number FROM ticket WHERE status = 'resolved' AND resolved_at < $1
              ORDER BY resolved_at LIMIT 1)
         RETURNING number",
    )
    .bind(before)
    .bind(now)
    .fetch_optional(connection)
    .await
}

/// Leaves out so many numbers of the latest year: somebody may have been told one that is not known here.
pub async fn skip_serials(connection: &mut Connection, count: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE ticket_serial SET last = last + $1
         WHERE year = (SELECT MAX(year) FROM ticket_serial)",
    )
    .bind(count)
    .execute(connection)
    .await?;
    Ok(())
}

//! What a channel brought and what became of it.

use sqlx::FromRow;

use super::{Connection, FURTHEST};
use crate::clock::Millis;

/// Something that a channel brought, as kept until it is settled.
#[derive(Clone, Debug)]
pub struct NewInbound {
    /// Where it comes from, such as one bot.
    pub source: String,
    /// The source's own number for it: the same again is the same thing.
    pub number: i64,
    /// Those of one lane are handled one after another, in the order of their numbers.
    pub lane: String,
    /// The thing itself, sealed.
    pub sealed: String,
    /// When it came, in Unix milliseconds.
    pub received_at: Millis,
}

/// Something claimed to be handled.
#[derive(Clone, Debug, FromRow)]
pub struct ClaimedInbound {
    /// The source's own number for it.
    pub number: i64,
    /// Its lane.
    pub lane: String,
    /// The thing itself, sealed.
    pub sealed: String,
    /// How often it was claimed, this time included, without the times that nobody came back from.
    pub attempts: i64,
    /// How often whoever had claimed it never came back.
    pub cut_off: i64,
}

/// Keeps something that came in; tells whether it is new.
pub async fn insert(connection: &mut Connection, row: &NewInbound) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "INSERT INTO inbound (source, number, lane, sealed, attempts, received_at, due_at, leased)
         VALUES ($1, $2, $3, $4, 0, $5, $5, 0)
         ON CONFLICT (source, number) DO NOTHING",
    )
    .bind(&row.source)
    .bind(row.number)
    .bind(&row.lane)
    .bind(&row.sealed)
    .bind(row.received_at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Claims the first due thing that nothing of its lane stands before, until `until`; none if there is none, or if
/// another process was faster.
pub async fn claim(
    connection: &mut Connection,
    source: &str,
    now: Millis,
    until: Millis,
) -> sqlx::Result<Option<ClaimedInbound>> {
    sqlx::query_as(
        "UPDATE inbound SET due_at = $3, leased = 1, attempts = attempts + 1 - leased, cut_off = cut_off + leased
         WHERE source = $1 AND settled_at IS NULL AND due_at <= $2 AND number =
             (SELECT i.number FROM inbound i
              WHERE i.source = $1 AND i.settled_at IS NULL AND i.due_at <= $2
                AND NOT EXISTS
                    (SELECT 1 FROM inbound e
                     WHERE e.source = $1 AND e.lane = i.lane AND e.settled_at IS NULL
                       AND (e.number < i.number OR (e.leased = 1 AND e.due_at > $2)))
              ORDER BY i.due_at, i.number LIMIT 1)
         RETURNING number, lane, sealed, attempts, cut_off",
    )
    .bind(source)
    .bind(now)
    .bind(until)
    .fetch_optional(connection)
    .await
}

/// Settles something: it is wiped and only its number is kept. Tells whether it was still to be settled.
pub async fn settle(
    connection: &mut Connection,
    source: &str,
    number: i64,
    outcome: &str,
    at: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE inbound SET settled_at = $3, outcome = $4, sealed = NULL, leased = 0
         WHERE source = $1 AND number = $2 AND settled_at IS NULL",
    )
    .bind(source)
    .bind(number)
    .bind(at)
    .bind(outcome)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Gives up something that fails again and again; what it holds is kept sealed for a while, to be looked into. Tells
/// whether it was still to be settled.
pub async fn give_up(
    connection: &mut Connection,
    source: &str,
    number: i64,
    at: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE inbound SET settled_at = $3, outcome = 'failed', leased = 0
         WHERE source = $1 AND number = $2 AND settled_at IS NULL",
    )
    .bind(source)
    .bind(number)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Gives something back to be claimed again at `due_at`; `attempts` is what counts from now on.
pub async fn release(
    connection: &mut Connection,
    source: &str,
    number: i64,
    due_at: Millis,
    attempts: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE inbound SET due_at = $3, leased = 0, attempts = $4
         WHERE source = $1 AND number = $2 AND settled_at IS NULL",
    )
    .bind(source)
    .bind(number)
    .bind(due_at)
    .bind(attempts)
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes everything due that is to be settled, whoever claimed it: nobody else can be at work.
pub async fn take_over(connection: &mut Connection, now: Millis) -> sqlx::Result<()> {
    sqlx::query("UPDATE inbound SET due_at = $1 WHERE settled_at IS NULL")
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Makes due what is due further ahead than anything is ever put off: the clock was set back since.
pub async fn heal(connection: &mut Connection, now: Millis) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE inbound SET due_at = $1, leased = 0 WHERE settled_at IS NULL AND due_at > $1 + $2",
    )
    .bind(now)
    .bind(FURTHEST)
    .execute(connection)
    .await?;
    Ok(())
}

/// Wipes what is still sealed of a lane whose person wants nothing to be kept.
pub async fn wipe_lane(connection: &mut Connection, lane: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE inbound SET sealed = NULL WHERE lane = $1 AND settled_at IS NOT NULL")
        .bind(lane)
        .execute(connection)
        .await?;
    Ok(())
}

/// How many things wait to be settled, and how many were given up.
pub async fn waiting_and_failed(connection: &mut Connection) -> sqlx::Result<(i64, i64)> {
    sqlx::query_as(
        "SELECT COUNT(*) - COUNT(settled_at), COUNT(CASE WHEN outcome = 'failed' THEN 1 END)
         FROM inbound WHERE settled_at IS NULL OR outcome = 'failed'",
    )
    .fetch_one(connection)
    .await
}

/// Gives up everything that is to be settled; what it holds is kept sealed for a while. Tells how many.
pub async fn give_up_all(connection: &mut Connection, at: Millis) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "UPDATE inbound SET settled_at = $1, outcome = 'failed', leased = 0
         WHERE settled_at IS NULL",
    )
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

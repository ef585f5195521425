//! How fast something may be done, counted once for all processes: the generic cell rate algorithm, in one statement.

use super::Connection;
use crate::clock::Millis;

/// So many at once, and then one every so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Milliseconds from one to the next.
    pub every: Millis,
    /// How many may come at once.
    pub burst: i64,
}

impl Rate {
    /// `count` in an hour, all at once if need be.
    pub fn an_hour(count: usize) -> Self {
        let count = i64::try_from(count).unwrap_or(i64::MAX).max(1);
        Self {
            every: (3_600_000 / count).max(1),
            burst: count,
        }
    }

    /// How far ahead of now the next free moment may lie.
    pub fn slack(&self) -> Millis {
        self.every.saturating_mul(self.burst.saturating_sub(1))
    }
}

/// Nothing is ever paused for longer; what lies further ahead was written before the clock was set back.
pub const LONGEST_PAUSE: Millis = 12 * 3_600_000;

/// How much the clocks of processes may differ, and how late one may look at its own.
pub const CLOCKS_DIFFER: Millis = 60_000;

/// Takes one turn of `key`; 0 if it was free, else the milliseconds until it is, and nothing is taken.
pub async fn take(
    connection: &mut Connection,
    key: &str,
    rate: Rate,
    now: Millis,
) -> sqlx::Result<Millis> {
    let taken: Option<i64> = sqlx::query_scalar(
        "INSERT INTO pace (key, free_at, paused_until, reached_at) VALUES ($1, $2 + $3, 0, 0)
         ON CONFLICT (key) DO UPDATE
         SET free_at = CASE WHEN pace.free_at BETWEEN $2 AND $2 + $5 THEN pace.free_at ELSE $2 END + $3,
             paused_until = 0
         WHERE pace.free_at NOT BETWEEN $2 + $4 + 1 AND $2 + $5
           AND pace.paused_until NOT BETWEEN $2 + 1 AND $2 + $6
         RETURNING free_at",
    )
    .bind(key)
    .bind(now)
    .bind(rate.every)
    .bind(rate.slack())
    .bind(rate.slack() + rate.every + CLOCKS_DIFFER)
    .bind(LONGEST_PAUSE)
    .fetch_optional(&mut *connection)
    .await?;
    if taken.is_some() {
        return Ok(0);
    }
    let (free_at, paused_until): (i64, i64) =
        sqlx::query_as("SELECT free_at, paused_until FROM pace WHERE key = $1")
            .bind(key)
            .fetch_one(connection)
            .await?;
    let free = (free_at - rate.slack()).max(paused_until);
    Ok((free - now).max(1))
}

/// Nothing of `key` is done before `until`, [`LONGEST_PAUSE`] ahead at most.
pub async fn pause(connection: &mut Connection, key: &str, until: Millis) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO pace (key, free_at, paused_until, reached_at) VALUES ($1, 0, $2, 0)
         ON CONFLICT (key) DO UPDATE
         SET paused_until = CASE WHEN pace.paused_until > $2 THEN pace.paused_until ELSE $2 END",
    )
    .bind(key)
    .bind(until)
    .execute(connection)
    .await?;
    Ok(())
}

/// Until when nothing of `key` is done; 0 if it is not paused.
pub async fn paused_until(connection: &mut Connection, key: &str) -> sqlx::Result<Millis> {
    let until: Option<i64> = sqlx::query_scalar("SELECT paused_until FROM pace WHERE key = $1")
        .bind(key)
        .fetch_optional(connection)
        .await?;
    Ok(until.unwrap_or(0))
}

/// Notes that what `key` stands for was reached.
pub async fn reached(connection: &mut Connection, key: &str, at: Millis) -> sqlx::Result<()> {
    sqlx::query("UPDATE pace SET reached_at = $2 WHERE key = $1")
        .bind(key)
        .bind(at)
        .execute(connection)
        .await?;
    Ok(())
}

/// When what `key` stands for was last reached; 0 if never.
pub async fn reached_at(connection: &mut Connection, key: &str) -> sqlx::Result<Millis> {
    let at: Option<i64> = sqlx::query_scalar("SELECT reached_at FROM pace WHERE key = $1")
        .bind(key)
        .fetch_optional(connection)
        .await?;
    Ok(at.unwrap_or(0))
}

//! Who works in the console, and their sign-ins.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// An agent as stored.
#[derive(Clone, Debug, Default, FromRow)]
pub struct AgentRow {
    /// UUIDv7.
    pub id: String,
    /// What they sign in as, in lower case.
    pub username: String,
    /// How they are named to others.
    pub name: String,
    /// What they may do.
    pub role: String,
    /// `ms` or `en`.
    pub language: String,
    /// The password's hash; none until it was chosen.
    pub password: Option<String>,
    /// The TOTP secret, sealed.
    pub totp: Option<String>,
    /// The last time step that was used.
    pub totp_step: i64,
    /// Hashes of recovery codes that are left, as JSON.
    pub recovery: String,
    /// Until when the invitation holds.
    pub invite_until: Option<Millis>,
    /// Since when they are on duty.
    pub present_at: Option<Millis>,
    /// When they were added.
    pub created_at: Millis,
    /// Since when they may not sign in.
    pub disabled_at: Option<Millis>,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, username, name, role, language, password, totp, totp_step, recovery,
                    invite_until, present_at, created_at, disabled_at
             FROM agent ",
            $rest
        )
    };
}

/// A new agent; tells whether the username was free.
pub async fn insert(connection: &mut Connection, row: &AgentRow) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "INSERT INTO agent (id, username, name, role, language, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(&row.id)
    .bind(&row.username)
    .bind(&row.name)
    .bind(&row.role)
    .bind(&row.language)
    .bind(row.created_at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// The agent of this id.
pub async fn by_id(connection: &mut Connection, id: &str) -> sqlx::Result<Option<AgentRow>> {
    sqlx::query_as(columns!("WHERE id = $1"))
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// The agent of this username.
pub async fn by_username(
    connection: &mut Connection,
    username: &str,
) -> sqlx::Result<Option<AgentRow>> {
    sqlx::query_as(columns!("WHERE username = $1"))
        .bind(username)
        .fetch_optional(connection)
        .await
}

/// The agent whom an invitation is for, if it holds at `now`.
pub async fn by_invitation(
    connection: &mut Connection,
    invite_hash: &str,
    now: Millis,
) -> sqlx::Result<Option<AgentRow>> {
    sqlx::query_as(columns!(
        "WHERE invite_hash = $1 AND invite_until > $2 AND disabled_at IS NULL"
    ))
    .bind(invite_hash)
    .bind(now)
    .fetch_optional(connection)
    .await
}

/// All agents, by username.
pub async fn all(connection: &mut Connection) -> sqlx::Result<Vec<AgentRow>> {
    sqlx::query_as(columns!("ORDER BY username LIMIT 1000"))
        .fetch_all(connection)
        .await
}

/// Invites an agent: what was chosen before does not open anything any more.
pub async fn invite(
    connection: &mut Connection,
    id: &str,
    invite_hash: &str,
    until: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE agent SET invite_hash = $2, invite_until = $3, password = NULL, totp = NULL,
                recovery = '[]', disabled_at = NULL
         WHERE id = $1",
    )
    .bind(id)
    .bind(invite_hash)
    .bind(until)
    .execute(connection)
    .await?;
    Ok(())
}

/// What an agent chose when they followed the invitation.
#[derive(Clone, Debug)]
pub struct Enrolment<'a> {
    /// The password's hash.
    pub password: &'a str,
    /// The TOTP secret, sealed.
    pub totp: &'a str,
    /// The time step of the code that proved it.
    pub totp_step: i64,
    /// Hashes of recovery codes, as JSON.
    pub recovery: &'a str,
}

/// Takes up an invitation, once; tells whether it still held.
pub async fn enrol(
    connection: &mut Connection,
    invite_hash: &str,
    chosen: &Enrolment<'_>,
    now: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE agent SET password = $2, totp = $3, totp_step = $4, recovery = $5,
                invite_hash = NULL, invite_until = NULL
         WHERE invite_hash = $1 AND invite_until > $6 AND disabled_at IS NULL",
    )
    .bind(invite_hash)
    .bind(chosen.password)
    .bind(chosen.totp)
    .bind(chosen.totp_step)
    .bind(chosen.recovery)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Uses a time step, unless it or a later one was used; tells whether it was used now.
pub async fn use_step(connection: &mut Connection, id: &str, step: i64) -> sqlx::Result<bool> {
    let result = sqlx::query("UPDATE agent SET totp_step = $2 WHERE id = $1 AND totp_step < $2")
        .bind(id)
        .bind(step)
        .execute(connection)
        .await?;
    Ok(result.rows_affected() == 1)
}

/// Puts recovery codes in the place of those that were there; tells whether nobody else used or changed them meanwhile.
pub async fn use_recovery(
    connection: &mut Connection,
    id: &str,
    were: &str,
    left: &str,
) -> sqlx::Result<bool> {
    let result = sqlx::query("UPDATE agent SET recovery = $3 WHERE id = $1 AND recovery = $2")
        .bind(id)
        .bind(were)
        .bind(left)
        .execute(connection)
        .await?;
    Ok(result.rows_affected() == 1)
}

/// Changes a password; tells whether nobody else changed it meanwhile.
pub async fn set_password(
    connection: &mut Connection,
    id: &str,
    was: &str,
    password: &str,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE agent SET password = $3 WHERE id = $1 AND password = $2 AND disabled_at IS NULL",
    )
    .bind(id)
    .bind(was)
    .bind(password)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Disables an agent.
pub async fn disable(connection: &mut Connection, id: &str, now: Millis) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE agent SET disabled_at = $2, present_at = NULL, invite_hash = NULL WHERE id = $1",
    )
    .bind(id)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes an agent's language.
pub async fn set_language(
    connection: &mut Connection,
    id: &str,
    language: &str,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE agent SET language = $2 WHERE id = $1")
        .bind(id)
        .bind(language)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes whether an agent is on duty.
pub async fn set_present(
    connection: &mut Connection,
    id: &str,
    since: Option<Millis>,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE agent SET present_at = $2 WHERE id = $1")
        .bind(id)
        .bind(since)
        .execute(connection)
        .await?;
    Ok(())
}

/// The names of agents on duty who were seen since a moment.
pub async fn present(connection: &mut Connection, since: Millis) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT a.name FROM agent a
         WHERE a.present_at IS NOT NULL AND a.disabled_at IS NULL AND EXISTS
             (SELECT 1 FROM agent_session s WHERE s.agent_id = a.id AND s.step = 'in' AND s.seen_at >= $1)
         ORDER BY a.name LIMIT 50",
    )
    .bind(since)
    .fetch_all(connection)
    .await
}

/// Voids all invitations that were not taken up; tells how many.
pub async fn void_invitations(connection: &mut Connection) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "UPDATE agent SET invite_hash = NULL, invite_until = NULL WHERE invite_hash IS NOT NULL",
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

//! The record of sensitive steps.

use sqlx::{Executor, FromRow};

use super::{Backend, Connection};
use crate::clock::Millis;

/// A line of the record.
#[derive(Clone, Debug, Default, FromRow, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place, from 1, without a gap.
    pub seq: i64,
    /// When it happened, in Unix milliseconds.
    pub at: Millis,
    /// What happened.
    pub event: String,
    /// How it went.
    pub outcome: String,
    /// The conversation; empty if none.
    pub conversation_id: String,
    /// Whom it concerns, as an HMAC; empty if nobody.
    pub subject: String,
    /// What else there is to know; no number, code, address or token.
    pub detail: String,
    /// The HMAC over this line and the one before it.
    pub mac: String,
}

/// Holds the end of the record until the transaction ends: the next place, and the HMAC of the last line.
pub async fn hold_head(connection: &mut Connection) -> sqlx::Result<(i64, String)> {
    sqlx::query_as("UPDATE audit_head SET seq = seq + 1 WHERE id = 1 RETURNING seq, mac")
        .fetch_one(connection)
        .await
}

/// Appends a line, and notes that it is the last one.
pub async fn append(connection: &mut Connection, row: &AuditRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO audit (seq, at, event, outcome, conversation_id, subject, detail, mac)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(row.seq)
    .bind(row.at)
    .bind(&row.event)
    .bind(&row.outcome)
    .bind(&row.conversation_id)
    .bind(&row.subject)
    .bind(&row.detail)
    .bind(&row.mac)
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE audit_head SET mac = $1 WHERE id = 1")
        .bind(&row.mac)
        .execute(connection)
        .await?;
    Ok(())
}

/// The end of the record: the place and the HMAC of its last line.
pub async fn head(connection: &mut Connection) -> sqlx::Result<(i64, String)> {
    sqlx::query_as("SELECT seq, mac FROM audit_head WHERE id = 1")
        .fetch_one(connection)
        .await
}

/// The lines after `seq`, in order, `limit` at most.
pub async fn after(
    connection: &mut Connection,
    seq: i64,
    limit: i64,
) -> sqlx::Result<Vec<AuditRow>> {
    sqlx::query_as(
        "SELECT seq, at, event, outcome, conversation_id, subject, detail, mac
         FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(seq)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Where the record begins: the place and the HMAC of the last line that was deleted; 0 if none was.
pub async fn start(connection: &mut Connection) -> sqlx::Result<(i64, String)> {
    sqlx::query_as("SELECT seq, mac FROM audit_start WHERE id = 1")
        .fetch_one(connection)
        .await
}

/// Notes where the record begins from now on; a line of the record must say the same.
pub async fn set_start(connection: &mut Connection, seq: i64, mac: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE audit_start SET seq = $1, mac = $2 WHERE id = 1")
        .bind(seq)
        .bind(mac)
        .execute(connection)
        .await?;
    Ok(())
}

/// The first line that was written at `from` or later; none if there is none.
pub async fn first_since(connection: &mut Connection, from: Millis) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("SELECT seq FROM audit WHERE at >= $1 ORDER BY seq LIMIT 1")
        .bind(from)
        .fetch_optional(connection)
        .await
}

/// When the latest line of an event was written; none if there is none.
pub async fn latest_of(connection: &mut Connection, event: &str) -> sqlx::Result<Option<Millis>> {
    sqlx::query_scalar("SELECT at FROM audit WHERE event = $1 ORDER BY seq DESC LIMIT 1")
        .bind(event)
        .fetch_optional(connection)
        .await
}

/// The first line about somebody, or within a conversation, that is held; none if there is none.
pub async fn first_held(connection: &mut Connection) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "SELECT CAST(MIN(seq) AS BIGINT) FROM
             (SELECT MIN(a.seq) AS seq FROM held h JOIN audit a ON a.subject = h.key
              WHERE h.kind = 'subject'
              UNION ALL
              SELECT MIN(a.seq) AS seq FROM held h JOIN audit a ON a.conversation_id = h.key
              WHERE h.kind = 'conversation' AND a.conversation_id <> '') AS first",
    )
    .fetch_one(connection)
    .await
}

/// When the first line was written that comes after `seq`; none if none does.
pub async fn next_at(connection: &mut Connection, seq: i64) -> sqlx::Result<Option<Millis>> {
    sqlx::query_scalar("SELECT at FROM audit WHERE seq > $1 ORDER BY seq LIMIT 1")
        .bind(seq)
        .fetch_optional(connection)
        .await
}

/// How many lines there are up to `seq`.
pub async fn count_until(connection: &mut Connection, seq: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE seq <= $1")
        .bind(seq)
        .fetch_one(connection)
        .await
}

/// The HMAC of a line; none if it is not there.
pub async fn mac_of(connection: &mut Connection, seq: i64) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT mac FROM audit WHERE seq = $1")
        .bind(seq)
        .fetch_optional(connection)
        .await
}

/// Deletes lines from before the record's beginning, `limit` at most; how many.
pub async fn delete_before_start(connection: &mut Connection, limit: i64) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "DELETE FROM audit WHERE seq IN
             (SELECT seq FROM audit WHERE seq <= (SELECT seq FROM audit_start WHERE id = 1)
              ORDER BY seq LIMIT $1)",
    )
    .bind(limit)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

/// Sets the guard: lines cannot be changed; those alone can be deleted that come before a beginning which a line of the
/// record itself names.
pub async fn guard(connection: &mut Connection, backend: Backend) -> sqlx::Result<()> {
    let statements = match backend {
        Backend::Sqlite => {
            "CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit
             BEGIN SELECT RAISE(ABORT, 'the record is append only'); END;
             CREATE TRIGGER IF NOT EXISTS audit_no_replace BEFORE INSERT ON audit
             WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
             BEGIN SELECT RAISE(ABORT, 'the record is append only'); END;
             CREATE TRIGGER IF NOT EXISTS audit_keeps BEFORE DELETE ON audit
             WHEN OLD.seq > COALESCE((SELECT seq FROM audit_start WHERE id = 1), 0)
             BEGIN SELECT RAISE(ABORT, 'the record is append only'); END;
             DROP TRIGGER IF EXISTS audit_no_delete;
             CREATE TRIGGER IF NOT EXISTS audit_start_is_written BEFORE UPDATE ON audit_start
             WHEN NEW.seq <= OLD.seq
               OR NOT EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq AND mac = NEW.mac)
               OR NOT EXISTS (SELECT 1 FROM audit WHERE event = 'audit.cut' AND detail = NEW.seq || ':' || NEW.mac)
             BEGIN SELECT RAISE(ABORT, 'the record is append only'); END;
             CREATE TRIGGER IF NOT EXISTS audit_start_stays BEFORE DELETE ON audit_start
             BEGIN SELECT RAISE(ABORT, 'the record is append only'); END;"
        }
        Backend::Postgres => {
            "SELECT pg_advisory_xact_lock(7453);
             CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger AS $$
             BEGIN RAISE EXCEPTION 'the record is append only'; END; $$ LANGUAGE plpgsql;
             CREATE OR REPLACE FUNCTION audit_keeps() RETURNS trigger AS $$
             BEGIN
                 IF OLD.seq > COALESCE((SELECT seq FROM audit_start WHERE id = 1), 0) THEN
                     RAISE EXCEPTION 'the record is append only';
                 END IF;
                 RETURN OLD;
             END; $$ LANGUAGE plpgsql;
             CREATE OR REPLACE FUNCTION audit_start_is_written() RETURNS trigger AS $$
             BEGIN
                 IF NEW.seq <= OLD.seq
                    OR NOT EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq AND mac = NEW.mac)
                    OR NOT EXISTS (SELECT 1 FROM audit WHERE event = 'audit.cut' AND detail = NEW.seq || ':' || NEW.mac)
                 THEN
                     RAISE EXCEPTION 'the record is append only';
                 END IF;
                 RETURN NEW;
             END; $$ LANGUAGE plpgsql;
             CREATE OR REPLACE TRIGGER audit_keeps BEFORE DELETE ON audit
             FOR EACH ROW EXECUTE FUNCTION audit_keeps();
             CREATE OR REPLACE TRIGGER audit_guard BEFORE UPDATE OR TRUNCATE ON audit
             FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
             CREATE OR REPLACE TRIGGER audit_start_is_written BEFORE UPDATE ON audit_start
             FOR EACH ROW EXECUTE FUNCTION audit_start_is_written();
             CREATE OR REPLACE TRIGGER audit_start_stays BEFORE DELETE OR TRUNCATE ON audit_start
             FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();"
        }
    };
    connection.execute(statements).await?;
    Ok(())
}

/// Which lines of the record are wanted; what is not given narrows nothing.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// The event.
    pub event: Option<String>,
    /// Whom it is about.
    pub subject: Option<String>,
    /// From this moment on, in Unix milliseconds.
    pub from: Option<Millis>,
    /// Before this moment.
    pub to: Option<Millis>,
    /// Before this place.
    pub before: Option<i64>,
}

/// The lines that a filter leaves, the latest first, `limit` at most.
pub async fn filtered(
    connection: &mut Connection,
    filter: &AuditFilter,
    limit: i64,
) -> sqlx::Result<Vec<AuditRow>> {
    sqlx::query_as(
        "SELECT seq, at, event, outcome, conversation_id, subject, detail, mac FROM audit
         WHERE ($1 IS NULL OR event = $1) AND ($2 IS NULL OR subject = $2)
           AND ($3 IS NULL OR at >= $3) AND ($4 IS NULL OR at < $4) AND ($5 IS NULL OR seq < $5)
         ORDER BY seq DESC LIMIT $6",
    )
    .bind(&filter.event)
    .bind(&filter.subject)
    .bind(filter.from)
    .bind(filter.to)
    .bind(filter.before)
    .bind(limit)
    .fetch_all(connection)
    .await
}

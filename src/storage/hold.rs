//! What must be kept although its time is over, and what that covers.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A hold.
#[derive(Clone, Debug, Default, FromRow)]
pub struct HoldRow {
    /// UUIDv7.
    pub id: String,
    /// `subject`, `ticket` or `chat`.
    pub kind: String,
    /// The keyed hash of an identity number, a ticket's number, or a conversation's id.
    pub key: String,
    /// The last four characters of the identity number; empty otherwise.
    pub last4: String,
    /// Why.
    pub reason: String,
    /// The agent who placed it; empty for the command line.
    pub agent: String,
    /// When, in Unix milliseconds.
    pub placed_at: Millis,
    /// When it ends by itself.
    pub until: Option<Millis>,
    /// The agent who lifted it; empty for the command line, or as long as nobody has.
    pub lifted_by: String,
    /// When.
    pub lifted_at: Option<Millis>,
}

impl HoldRow {
    /// Whether it holds at a moment.
    pub fn is_active(&self, now: Millis) -> bool {
        self.lifted_at.is_none() && self.until.is_none_or(|until| until > now)
    }
}

macro_rules! active {
    () => {
        "l.lifted_at IS NULL AND (l.until IS NULL OR l.until > $1)"
    };
}

/// A way from a hold to what it covers.
#[derive(Clone, Copy)]
struct Way(&'static str);

impl Way {
    fn text(way: Self) -> &'static str {
        way.0
    }
}

/// What holds cover, one statement for each way from one to another; `$1` is now.
const COVERED: [Way; 11] = [
    Way(concat!(
        "INSERT INTO held (kind, key, hold_id)
         SELECT CASE l.kind WHEN 'chat' THEN 'conversation' ELSE l.kind END, l.key, l.id
         FROM legal_hold l WHERE ",
        active!(),
        " ON CONFLICT DO NOTHING"
    )),
    Way(concat!(
        "INSERT INTO held (kind, key, hold_id)
         SELECT 'conversation', t.conversation_id, l.id
         FROM legal_hold l JOIN ticket t ON t.number = l.key
         WHERE l.kind = 'ticket' AND t.conversation_id <> '' AND ",
        active!(),
        " ON CONFLICT DO NOTHING"
    )),
    Way(concat!(
        "INSERT INTO held (kind, key, hold_id)
         SELECT 'ticket', t.number, l.id
         FROM legal_hold l JOIN ticket t ON t.conversation_id = l.key
         WHERE l.kind = 'chat' AND ",
        active!(),
        " ON CONFLICT DO NOTHING"
    )),
    Way(concat!(
        "INSERT INTO held (kind, key, hold_id)
         SELECT 'ticket', t.number, l.id
         FROM legal_hold l JOIN ticket t ON t.requester = l.key
         WHERE l.kind = 'subject' AND ",
        active!(),
        " ON CONFLICT DO NOTHING"
    )),
    Way(concat!(
        "INSERT INTO held (kind, key, hold_id)
         SELECT 'ticket', a.detail, l.id
         FROM legal_hold l JOIN audit a ON a.subject = l.key
         WHERE l.kind = 'subject' AND a.event = 'ticket' AND a.outcome = 'opened' AND ",
        active!(),
        " ON CONFLICT DO NOTHING"
    )),
    Way(concat!(
        "INSERT INTO held (kind, key, hold_id)
         SELECT 'conversation', p.conversation_id, l.id
         FROM legal_hold l JOIN proof p ON p.subject = l.key
         WHERE l.kind = 'subject' AND ",
        active!(),
        " ON CONFLICT DO NOTHING"
    )),
    Way(concat!(
        "INSERT INTO held (kind, key, hold_id)
         SELECT 'conversation', a.conversation_id, l.id
         FROM legal_hold l JOIN audit a ON a.subject = l.key
         WHERE l.kind = 'subject' AND a.event = 'proof.returned' AND a.outcome = 'accepted' AND ",
        active!(),
        " ON CONFLICT DO NOTHING"
    )),
    Way(concat!(
        "INSERT INTO held (kind, key, hold_id)
         SELECT 'conversation', c.id, l.id
         FROM legal_hold l JOIN binding b ON b.subject = l.key
         JOIN conversation c ON c.channel = b.channel AND c.contact = b.contact
         WHERE l.kind = 'subject' AND ",
        active!(),
        " ON CONFLICT DO NOTHING"
    )),
    // What became part of another ticket is there now, and that may have become part of a third.
    Way(concat!(
        "INSERT INTO held (kind, key, hold_id)
         SELECT 'ticket', t.merged_into, l.id
         FROM held h JOIN legal_hold l ON l.id = h.hold_id JOIN ticket t ON t.number = h.key
         WHERE h.kind = 'ticket' AND t.merged_into IS NOT NULL AND ",
        active!(),
        " ON CONFLICT DO NOTHING"
    )),
    Way(concat!(
        "INSERT INTO held (kind, key, hold_id)
         SELECT 'ticket', t.merged_into, l.id
         FROM held h JOIN legal_hold l ON l.id = h.hold_id JOIN ticket t ON t.number = h.key
         WHERE h.kind = 'ticket' AND t.merged_into IS NOT NULL AND ",
        active!(),
        " ON CONFLICT DO NOTHING"
    )),
    Way(concat!(
        "INSERT INTO held (kind, key, hold_id)
         SELECT 'conversation', t.conversation_id, l.id
         FROM held h JOIN legal_hold l ON l.id = h.hold_id JOIN ticket t ON t.number = h.key
         WHERE h.kind = 'ticket' AND t.conversation_id <> '' AND ",
        active!(),
        " ON CONFLICT DO NOTHING"
    )),
];

/// Works out what the holds cover now.
pub async fn cover(connection: &mut Connection, now: Millis) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM held WHERE hold_id NOT IN
             (SELECT id FROM legal_hold
              WHERE lifted_at IS NULL AND (until IS NULL OR until > $1))",
    )
    .bind(now)
    .execute(&mut *connection)
    .await?;
    for way in COVERED {
        sqlx::query(Way::text(way))
            .bind(now)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// A new hold.
pub async fn insert(connection: &mut Connection, row: &HoldRow) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO legal_hold (id, kind, key, last4, reason, agent, placed_at, until, lifted_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '')",
    )
    .bind(&row.id)
    .bind(&row.kind)
    .bind(&row.key)
    .bind(&row.last4)
    .bind(&row.reason)
    .bind(&row.agent)
    .bind(row.placed_at)
    .bind(row.until)
    .execute(connection)
    .await?;
    Ok(())
}

/// Lifts a hold; tells whether it was there and not lifted yet.
pub async fn lift(
    connection: &mut Connection,
    id: &str,
    agent: &str,
    at: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE legal_hold SET lifted_by = $2, lifted_at = $3 WHERE id = $1 AND lifted_at IS NULL",
    )
    .bind(id)
    .bind(agent)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Holds, those first that were not lifted, then the latest.
pub async fn list(connection: &mut Connection, limit: i64) -> sqlx::Result<Vec<HoldRow>> {
    sqlx::query_as(
        "SELECT id, kind, key, last4, reason, agent, placed_at, until, lifted_by, lifted_at
         FROM legal_hold
         ORDER BY CASE WHEN lifted_at IS NULL THEN 0 ELSE 1 END, placed_at DESC, id DESC LIMIT $1",
    )
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Whether something is covered: a `subject`, a `ticket` or a `conversation`.
pub async fn covers(connection: &mut Connection, kind: &str, key: &str) -> sqlx::Result<bool> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM held WHERE kind = $1 AND key = $2")
        .bind(kind)
        .bind(key)
        .fetch_one(connection)
        .await?;
    Ok(count > 0)
}

//! What is older than it may be kept: one rule for each kind of row, from which it is counted and deleted alike. What a
//! hold covers is due under no rule.

use super::Connection;
use crate::clock::Millis;

/// Rows that go in one transaction.
pub const AT_ONCE: u64 = 500;

/// One kind of row: how those that are due are counted and deleted, and which is the oldest that is kept.
#[derive(Debug)]
pub struct Rule {
    /// What is kept so, as reports name it.
    pub name: &'static str,
    /// How long.
    pub period: Period,
    count: &'static str,
    delete: &'static str,
    oldest: &'static str,
}

/// How long something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// As transcripts.
    Transcripts,
    /// As what was said in a day of a transcript: also bound by that day.
    Days,
    /// As transcripts, and no longer than the ticket.
    Pictures,
    /// Pictures that no ticket was opened for.
    Unclaimed,
    /// Tickets that are settled.
    Tickets,
    /// Requests for a proof, proofs that ended, links that are dead.
    Challenges,
    /// What a channel brought and failed to be handled.
    Failed,
    /// The numbers of what was handled.
    Numbers,
    /// Paces, sign-ins, leases, who looked at a ticket.
    Day,
    /// "This was not me", and what limits are counted from.
    Month,
    /// What was set aside or refused.
    Year,
    /// As the record of sensitive steps.
    Record,
}

/// Up to when something is due, in Unix milliseconds, and what else bounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is older is due.
    pub before: Millis,
    /// The second bound, where the rule has two.
    pub also: Option<i64>,
}

macro_rules! free {
    ($kind:literal, $key:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM held h WHERE h.kind = '",
            $kind,
            "' AND h.key = ",
            $key,
            ")"
        )
    };
}

/// Conversations that nobody wrote in since `$1`.
macro_rules! idle {
    () => {
        concat!("c.active_at < $1 AND ", free!("conversation", "c.id"))
    };
}

/// Tickets that were settled and did not change since a bound.
macro_rules! settled {
    ($before:literal) => {
        concat!(
            "SELECT t.number FROM ticket t WHERE t.updated_at < ",
            $before,
            " AND t.status IN ('resolved', 'closed') AND ",
            free!("ticket", "t.number"),
            " AND ",
            free!("conversation", "t.conversation_id")
        )
    };
}

macro_rules! rule {
    ($name:literal, $period:ident, $table:literal, $key:literal, $time:literal,
     does $how:literal, if $ready:literal, $($due:expr),+) => {
        Rule {
            name: $name,
            period: Period::$period,
            count: concat!("SELECT COUNT(*) FROM (", $($due),+, ") AS due"),
            delete: concat!(
                $how, " WHERE (", $key, ") IN (SELECT * FROM (", $($due),+,
                ") AS due WHERE ", $ready, " LIMIT 500)"
            ),
            oldest: concat!(
                "SELECT CAST(MIN(", $time, ") AS BIGINT) FROM ", $table, " WHERE (", $key, ") IN (SELECT ", $key,
                " FROM ", $table, " EXCEPT SELECT * FROM (", $($due),+, ") AS due)"
            ),
        }
    };
    ($name:literal, $period:ident, $table:literal, $key:literal, $time:literal, if $ready:literal, $($due:expr),+) => {
        Rule {
            name: $name,
            period: Period::$period,
            count: concat!("SELECT COUNT(*) FROM (", $($due),+, ") AS due"),
            delete: concat!(
                "DELETE FROM ", $table, " WHERE (", $key, ") IN (SELECT * FROM (", $($due),+,
                ") AS due WHERE ", $ready, " LIMIT 500)"
            ),
            oldest: concat!(
                "SELECT CAST(MIN(", $time, ") AS BIGINT) FROM ", $table, " WHERE (", $key, ") IN (SELECT ", $key,
                " FROM ", $table, " EXCEPT SELECT * FROM (", $($due),+, ") AS due)"
            ),
        }
    };
    ($name:literal, $period:ident, $table:literal, $key:literal, $time:literal, $($due:expr),+) => {
        rule!($name, $period, $table, $key, $time, if "1 = 1", $($due),+)
    };
}

/// All rules, in their order (a rule of two parts has them apart, so that neither is read as a whole; the `+` keeps SQLite
/// from an index that holds all that is new): what belongs to something goes before it, so that what was begun is finished the next time.
pub const RULES: &[Rule] = &[
    rule!("inbound that failed", Failed, "inbound", "source, number",
        "CASE WHEN outcome = 'failed' AND sealed IS NOT NULL THEN settled_at END",
        does "UPDATE inbound SET sealed = NULL", if "1 = 1",
        "SELECT source, number FROM inbound
         WHERE outcome = 'failed' AND sealed IS NOT NULL AND settled_at < $1"),
    rule!(
        "numbers of inbound",
        Numbers,
        "inbound",
        "source, number",
        "received_at",
        "SELECT source, number FROM inbound WHERE settled_at IS NOT NULL AND received_at < $1"
    ),
    rule!(
        "outbox",
        Transcripts,
        "outbox",
        "id",
        "created_at",
        "SELECT id FROM outbox WHERE done_at IS NOT NULL AND created_at < $1"
    ),
    rule!(
        "paces",
        Day,
        "pace",
        "key",
        "free_at",
        "SELECT key FROM pace WHERE free_at < $1 AND paused_until < $1"
    ),
    rule!(
        "sign-ins",
        Day,
        "agent_session",
        "token_hash",
        "seen_at",
        "SELECT token_hash FROM agent_session WHERE seen_at < $1"
    ),
    rule!(
        "views of tickets",
        Day,
        "ticket_view",
        "number, agent_id",
        "seen_at",
        "SELECT number, agent_id FROM ticket_view WHERE seen_at < $1"
    ),
    rule!(
        "leases",
        Day,
        "lease",
        "name",
        "until",
        "SELECT name FROM lease WHERE until < $1"
    ),
    rule!(
        "challenges",
        Challenges,
        "verification",
        "id",
        "created_at",
        "SELECT v.id FROM verification v WHERE v.created_at < $1 AND ",
        free!("subject", "v.subject"),
        " AND ",
        free!("conversation", "v.conversation_id")
    ),
    rule!(
        "proofs",
        Challenges,
        "proof",
        "id",
        "proved_at",
        "SELECT p.id FROM proof p WHERE p.ended_at < $1 AND ",
        free!("subject", "p.subject"),
        " AND ",
        free!("conversation", "p.conversation_id")
    ),
    rule!(
        "bindings",
        Challenges,
        "binding",
        "id",
        "bound_at",
        "SELECT b.id FROM binding b WHERE b.ended_at < $1 AND ",
        free!("subject", "b.subject")
    ),
    rule!(
        "document links",
        Challenges,
        "document_link",
        "id",
        "created_at",
        "SELECT l.id FROM document_link l WHERE l.created_at < $1 AND ",
        free!("conversation", "l.conversation_id")
    ),
    rule!(
        "disavowals",
        Month,
        "disavowal",
        "id",
        "created_at",
        "SELECT d.id FROM disavowal d WHERE d.created_at < $1 AND ",
        free!("subject", "d.subject")
    ),
    rule!(
        "limits",
        Month,
        "tally",
        "key",
        "touched_at",
        "SELECT key FROM tally WHERE touched_at < $1"
    ),
    rule!(
        "pictures without a ticket",
        Unclaimed,
        "picture",
        "id",
        "CASE WHEN number IS NULL THEN created_at END",
        "SELECT p.id FROM picture p WHERE p.number IS NULL AND p.created_at < $1 AND ",
        free!("conversation", "p.conversation_id")
    ),
    rule!(
        "pictures",
        Pictures,
        "picture",
        "id",
        "CASE WHEN number IS NOT NULL THEN created_at END",
        "SELECT p.id FROM picture p WHERE p.number IS NOT NULL AND (p.created_at < $1 OR p.number IN (",
        settled!("$2"),
        ")) AND ",
        free!("ticket", "p.number"),
        " AND ",
        free!("conversation", "p.conversation_id")
    ),
    rule!(
        "events of tickets",
        Tickets,
        "ticket_event",
        "id",
        "at",
        "SELECT e.id FROM ticket_event e WHERE e.number IN (",
        settled!("$1"),
        ")"
    ),
    rule!(
        "words of tickets",
        Tickets,
        "ticket_word",
        "word, number",
        "CAST(NULL AS BIGINT)",
        "SELECT w.word, w.number FROM ticket_word w WHERE w.number IN (",
        settled!("$1"),
        ")"
    ),
    rule!(
        "tickets",
        Tickets,
        "ticket",
        "number",
        "created_at",
        settled!("$1")
    ),
    rule!(
        "questions set aside",
        Year,
        "question_dismissed",
        "id",
        "dismissed_at",
        "SELECT id FROM question_dismissed WHERE dismissed_at < $1"
    ),
    rule!(
        "refused proposals",
        Year,
        "knowledge_proposal",
        "id",
        "CASE WHEN state = 'refused' THEN decided_at END",
        "SELECT id FROM knowledge_proposal WHERE state = 'refused' AND decided_at < $1"
    ),
    rule!(
        "votes",
        Transcripts,
        "feedback",
        "conversation_id, seq",
        "created_at",
        "SELECT f.conversation_id, f.seq FROM feedback f
         JOIN message m ON m.conversation_id = f.conversation_id AND m.seq = f.seq
         WHERE m.created_at < $1 AND ",
        free!("conversation", "f.conversation_id"),
        " UNION ALL SELECT f.conversation_id, f.seq FROM conversation c
         JOIN feedback f ON f.conversation_id = c.id
         WHERE NOT EXISTS (SELECT 1 FROM message m
                           WHERE m.conversation_id = f.conversation_id AND m.seq = f.seq
                             AND m.created_at < $1) AND ",
        idle!()
    ),
    rule!(
        "words of chats",
        Days,
        "chat_word",
        "conversation_id, day",
        "day * 86400000",
        "SELECT w.conversation_id, w.day FROM chat_word w WHERE w.day <= $2 AND ",
        free!("conversation", "w.conversation_id"),
        " UNION ALL SELECT w.conversation_id, w.day FROM conversation c
         JOIN chat_word w ON w.conversation_id = c.id WHERE +w.day > $2 AND ",
        idle!()
    ),
    rule!(
        "transcripts",
        Transcripts,
        "message",
        "conversation_id, seq",
        "created_at",
        "SELECT m.conversation_id, m.seq FROM message m WHERE m.created_at < $1 AND ",
        free!("conversation", "m.conversation_id"),
        " UNION ALL SELECT m.conversation_id, m.seq FROM conversation c
         JOIN message m ON m.conversation_id = c.id WHERE +m.created_at >= $1 AND ",
        idle!()
    ),
    // One that is still written to at this moment goes the next time.
    rule!("conversations", Transcripts, "conversation", "id", "active_at",
        if "NOT EXISTS (SELECT 1 FROM message m WHERE m.conversation_id = due.id)",
        "SELECT c.id FROM conversation c WHERE ", idle!()),
    rule!(
        "reports of trouble that led to nothing",
        Day,
        "trouble_report",
        "id",
        "CASE WHEN incident_id IS NULL THEN reported_at END",
        "SELECT id FROM trouble_report WHERE incident_id IS NULL AND reported_at < $1 AND ",
        free!("conversation", "conversation_id")
    ),
    rule!(
        "reports of trouble",
        Month,
        "trouble_report",
        "id",
        "reported_at",
        "SELECT id FROM trouble_report WHERE reported_at < $1 AND ",
        free!("conversation", "conversation_id")
    ),
    rule!(
        "wishes to be told",
        Month,
        "outage_subscription",
        "outage_id, conversation_id",
        "settled_at",
        "SELECT outage_id, conversation_id FROM outage_subscription WHERE settled_at < $1 AND ",
        free!("conversation", "conversation_id")
    ),
    rule!(
        "subscriptions of chats that are gone",
        Day,
        "announcement_subscription",
        "conversation_id",
        "created_at",
        "SELECT s.conversation_id FROM announcement_subscription s
         WHERE s.created_at < $1 AND NOT EXISTS
             (SELECT 1 FROM conversation c WHERE c.id = s.conversation_id AND c.ended_at IS NULL) AND ",
        free!("conversation", "s.conversation_id")
    ),
    rule!(
        "deliveries of announcements",
        Year,
        "announcement_delivery",
        "announcement_id, conversation_id",
        "settled_at",
        "SELECT announcement_id, conversation_id FROM announcement_delivery WHERE settled_at < $1 AND ",
        free!("conversation", "conversation_id")
    ),
    rule!(
        "requests about data",
        Record,
        "data_request",
        "id",
        "filed_at",
        "SELECT id FROM data_request
         WHERE (state IN ('refused', 'withdrawn', 'done') OR (state = 'approved' AND kind = 'export'))
           AND COALESCE(done_at, decided_at) < $1"
    ),
    rule!(
        "holds that were lifted",
        Record,
        "legal_hold",
        "id",
        "placed_at",
        "SELECT id FROM legal_hold WHERE COALESCE(lifted_at, until) < $1"
    ),
];

impl Rule {
    fn counting(rule: &Self) -> &'static str {
        rule.count
    }

    fn deleting(rule: &Self) -> &'static str {
        rule.delete
    }

    fn finding_oldest(rule: &Self) -> &'static str {
        rule.oldest
    }
}

/// How many rows are due.
pub async fn count(connection: &mut Connection, rule: &Rule, limit: Limit) -> sqlx::Result<u64> {
    let query = sqlx::query_scalar(Rule::counting(rule)).bind(limit.before);
    let query = match limit.also {
        Some(also) => query.bind(also),
        None => query,
    };
    let count: i64 = query.fetch_one(connection).await?;
    Ok(count.unsigned_abs())
}

/// Deletes [`AT_ONCE`] rows that are due, or what there is; how many.
pub async fn delete(connection: &mut Connection, rule: &Rule, limit: Limit) -> sqlx::Result<u64> {
    let query = sqlx::query(Rule::deleting(rule)).bind(limit.before);
    let query = match limit.also {
        Some(also) => query.bind(also),
        None => query,
    };
    let result = query.execute(connection).await?;
    Ok(result.rows_affected())
}

/// When the oldest row is from that is not due; none if there is none.
pub async fn oldest(
    connection: &mut Connection,
    rule: &Rule,
    limit: Limit,
) -> sqlx::Result<Option<Millis>> {
    let query = sqlx::query_scalar(Rule::finding_oldest(rule)).bind(limit.before);
    let query = match limit.also {
        Some(also) => query.bind(also),
        None => query,
    };
    query.fetch_one(connection).await
}

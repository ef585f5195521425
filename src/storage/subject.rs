//! Everything of one person: where it is. A person is named by the keyed hash of their number.

use sqlx::FromRow;

use super::Connection;
use super::audit::AuditRow;
use super::ticket::{TicketRow, columns};
use crate::clock::Millis;

/// The conversations in which somebody was proved, or whose chat is theirs.
pub async fn conversations(
    connection: &mut Connection,
    subject: &str,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT conversation_id FROM proof WHERE subject = $1
         UNION SELECT conversation_id FROM audit
               WHERE subject = $1 AND event = 'proof.returned' AND outcome = 'accepted'
         UNION SELECT conversation_id FROM ticket WHERE requester = $1 AND conversation_id <> ''
         UNION SELECT c.id FROM binding b
               JOIN conversation c ON c.channel = b.channel AND c.contact = b.contact
               WHERE b.subject = $1
         ORDER BY 1",
    )
    .bind(subject)
    .fetch_all(connection)
    .await
}

/// Who was proved in a conversation, and since when, in order.
pub async fn proved_in(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<Vec<(Millis, String)>> {
    sqlx::query_as(
        "SELECT at, subject FROM audit
         WHERE conversation_id = $1 AND event = 'proof.returned' AND outcome = 'accepted'
         ORDER BY seq",
    )
    .bind(conversation_id)
    .fetch_all(connection)
    .await
}

/// The tickets of somebody who was proved.
pub async fn tickets(connection: &mut Connection, subject: &str) -> sqlx::Result<Vec<TicketRow>> {
    sqlx::query_as(columns!("WHERE requester = $1 ORDER BY number"))
        .bind(subject)
        .fetch_all(connection)
        .await
}

/// The tickets of a conversation, those too that were merged into others.
pub async fn tickets_within(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<Vec<TicketRow>> {
    sqlx::query_as(columns!("WHERE conversation_id = $1 ORDER BY number"))
        .bind(conversation_id)
        .fetch_all(connection)
        .await
}

/// The tickets that were opened about somebody without a proof: an officer has their number.
pub async fn tickets_about(
    connection: &mut Connection,
    subject: &str,
) -> sqlx::Result<Vec<TicketRow>> {
    sqlx::query_as(columns!(
        "WHERE number IN (SELECT detail FROM audit
                          WHERE subject = $1 AND event = 'ticket' AND outcome = 'opened')
         ORDER BY number"
    ))
    .bind(subject)
    .fetch_all(connection)
    .await
}

/// A conversation as it is told to its person, ended or not.
#[derive(Clone, Debug, FromRow)]
pub struct ToldConversation {
    /// Through what it was led.
    pub channel: String,
    /// Who it is, on a channel that tells.
    pub contact: Option<String>,
    /// `ms` or `en`.
    pub language: String,
    /// When it began, in Unix milliseconds.
    pub created_at: Millis,
    /// When it was last written to.
    pub active_at: Millis,
    /// When it ended.
    pub ended_at: Option<Millis>,
}

/// The conversation of this id, ended or not.
pub async fn conversation(
    connection: &mut Connection,
    id: &str,
) -> sqlx::Result<Option<ToldConversation>> {
    sqlx::query_as(
        "SELECT channel, contact, language, created_at, active_at, ended_at
         FROM conversation WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(connection)
    .await
}

/// A vote as it is told to its person.
#[derive(Clone, Debug, FromRow)]
pub struct ToldVote {
    /// The message voted on.
    pub seq: i64,
    /// `helpful` or `unhelpful`.
    pub vote: String,
    /// What the person added.
    pub comment: Option<String>,
    /// When, in Unix milliseconds.
    pub created_at: Millis,
}

/// The votes of a conversation.
pub async fn votes(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<Vec<ToldVote>> {
    sqlx::query_as(
        "SELECT seq, vote, comment, created_at FROM feedback WHERE conversation_id = $1 ORDER BY seq",
    )
    .bind(conversation_id)
    .fetch_all(connection)
    .await
}

/// A picture as it is told to its person.
#[derive(Clone, Debug, FromRow)]
pub struct ToldPicture {
    /// Its id.
    pub id: String,
    /// The ticket that it belongs to.
    pub number: Option<String>,
    /// `jpg` or `png`.
    pub kind: String,
    /// Bytes of the file.
    pub size: i64,
    /// When it came, in Unix milliseconds.
    pub created_at: Millis,
}

/// The pictures that came in a conversation, in order.
pub async fn pictures(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<Vec<ToldPicture>> {
    sqlx::query_as(
        "SELECT id, number, kind, size, created_at FROM picture
         WHERE conversation_id = $1 ORDER BY created_at, id",
    )
    .bind(conversation_id)
    .fetch_all(connection)
    .await
}

/// A link to a document as it is told to its person.
#[derive(Clone, Debug, FromRow)]
pub struct ToldLink {
    /// `slip-gaji` or `penyata-tahunan`.
    pub document: String,
    /// The month or year.
    pub period: String,
    /// When it was made, in Unix milliseconds.
    pub created_at: Millis,
    /// When it was opened.
    pub spent_at: Option<Millis>,
}

/// The links that were made under somebody's proofs.
pub async fn links(connection: &mut Connection, subject: &str) -> sqlx::Result<Vec<ToldLink>> {
    sqlx::query_as(
        "SELECT l.document, l.period, l.created_at, l.spent_at
         FROM document_link l JOIN proof p ON p.id = l.proof_id
         WHERE p.subject = $1 ORDER BY l.created_at, l.id",
    )
    .bind(subject)
    .fetch_all(connection)
    .await
}

/// A binding, a proof or a request for one, as it is told to its person.
#[derive(Clone, Debug, FromRow)]
pub struct ToldProof {
    /// The channel.
    pub channel: String,
    /// Who it is there; empty where that is not known.
    pub contact: String,
    /// `staff` or `supplier`; empty while nothing was given.
    pub kind: String,
    /// When it began, in Unix milliseconds.
    pub began_at: Millis,
    /// When it ended.
    pub ended_at: Option<Millis>,
}

/// Somebody's bindings, ended or not.
pub async fn bindings(connection: &mut Connection, subject: &str) -> sqlx::Result<Vec<ToldProof>> {
    sqlx::query_as(
        "SELECT channel, contact, kind, bound_at AS began_at, ended_at
         FROM binding WHERE subject = $1 ORDER BY bound_at, id",
    )
    .bind(subject)
    .fetch_all(connection)
    .await
}

/// Somebody's proofs, ended or not.
pub async fn proofs(connection: &mut Connection, subject: &str) -> sqlx::Result<Vec<ToldProof>> {
    sqlx::query_as(
        "SELECT channel, '' AS contact, kind, proved_at AS began_at, ended_at
         FROM proof WHERE subject = $1 ORDER BY proved_at, id",
    )
    .bind(subject)
    .fetch_all(connection)
    .await
}

/// Requests for a proof in which somebody's number was given.
pub async fn verifications(
    connection: &mut Connection,
    subject: &str,
) -> sqlx::Result<Vec<ToldProof>> {
    sqlx::query_as(
        "SELECT channel, '' AS contact, COALESCE(kind, '') AS kind, created_at AS began_at,
                CAST(COALESCE(redeemed_at, closed_at) AS BIGINT) AS ended_at
         FROM verification WHERE subject = $1 ORDER BY created_at, id",
    )
    .bind(subject)
    .fetch_all(connection)
    .await
}

/// Lines of the record about somebody after `seq`, in order, 1,000 at most.
pub async fn record_of(
    connection: &mut Connection,
    subject: &str,
    seq: i64,
) -> sqlx::Result<Vec<AuditRow>> {
    sqlx::query_as(
        "SELECT seq, at, event, outcome, conversation_id, subject, detail, mac FROM audit
         WHERE subject = $1 AND seq > $2 ORDER BY seq LIMIT 1000",
    )
    .bind(subject)
    .bind(seq)
    .fetch_all(connection)
    .await
}

/// Lines of the record within a conversation that are about nobody or about what agents did, after `seq`, in order, 1,000
/// at most.
pub async fn record_within(
    connection: &mut Connection,
    conversation_id: &str,
    seq: i64,
) -> sqlx::Result<Vec<AuditRow>> {
    sqlx::query_as(
        "SELECT seq, at, event, outcome, conversation_id, '' AS subject, detail, mac FROM audit
         WHERE conversation_id = $1 AND conversation_id <> '' AND seq > $2
           AND (subject = '' OR subject IN (SELECT id FROM agent))
         ORDER BY seq LIMIT 1000",
    )
    .bind(conversation_id)
    .bind(seq)
    .fetch_all(connection)
    .await
}

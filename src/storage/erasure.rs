//! How a person is taken out of what is kept; what only counts stays.

use super::Connection;
use crate::clock::Millis;

/// What stands in place of a message that was erased.
pub const BLANK: &str = r#"{"kind":"text","text":""}"#;

/// Messages that are blanked in one transaction.
pub const AT_ONCE: u64 = 500;

/// Ends a conversation: nobody writes on in it, and its token opens nothing.
pub async fn end_conversation(
    connection: &mut Connection,
    id: &str,
    at: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE conversation
         SET ended_at = COALESCE(ended_at, $2), token_hash = NULL, holder = NULL, state = '{}',
             version = version + 1
         WHERE id = $1",
    )
    .bind(id)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets what the engine knows of a conversation beside its messages.
pub async fn forget_state(connection: &mut Connection, id: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE conversation SET state = '{}', version = version + 1 WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Blanks messages of a conversation from a moment on to before another, [`AT_ONCE`] at most; how many there were.
pub async fn blank_messages(
    connection: &mut Connection,
    conversation_id: &str,
    (from, to): (Millis, Millis),
) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "UPDATE message SET body = $4, client_id = NULL
         WHERE conversation_id = $1 AND seq IN
             (SELECT seq FROM message
              WHERE conversation_id = $1 AND created_at >= $2 AND created_at < $3 AND body <> $4
              ORDER BY seq LIMIT 500)",
    )
    .bind(conversation_id)
    .bind(from)
    .bind(to)
    .bind(BLANK)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

/// Blanks what was added to votes of a span; the votes stay.
pub async fn blank_comments(
    connection: &mut Connection,
    conversation_id: &str,
    (from, to): (Millis, Millis),
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE feedback SET comment = NULL
         WHERE conversation_id = $1 AND created_at >= $2 AND created_at < $3",
    )
    .bind(conversation_id)
    .bind(from)
    .bind(to)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes what was reported of a system in a span.
pub async fn delete_reports(
    connection: &mut Connection,
    conversation_id: &str,
    (from, to): (Millis, Millis),
) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM trouble_report
         WHERE conversation_id = $1 AND reported_at >= $2 AND reported_at < $3",
    )
    .bind(conversation_id)
    .bind(from)
    .bind(to)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes the pictures of a span.
pub async fn delete_pictures(
    connection: &mut Connection,
    conversation_id: &str,
    (from, to): (Millis, Millis),
) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM picture WHERE conversation_id = $1 AND created_at >= $2 AND created_at < $3",
    )
    .bind(conversation_id)
    .bind(from)
    .bind(to)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets the words of the days of a span.
pub async fn delete_words(
    connection: &mut Connection,
    conversation_id: &str,
    (first, last): (i64, i64),
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM chat_word WHERE conversation_id = $1 AND day >= $2 AND day <= $3")
        .bind(conversation_id)
        .bind(first)
        .bind(last)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes the person out of a ticket. Its queue, topic and times stay; one that was open is closed.
pub async fn blank_ticket(
    connection: &mut Connection,
    number: &str,
    at: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE ticket
         SET title = '', department = NULL, requester = NULL, person = NULL, name = NULL,
             last4 = NULL, details = NULL, conversation_id = '', live_at = NULL, unread_at = NULL,
             closed_at = CASE WHEN status IN ('open', 'pending') THEN $2 ELSE closed_at END,
             status = CASE WHEN status IN ('open', 'pending') THEN 'closed' ELSE status END,
             version = version + 1
         WHERE number = $1",
    )
    .bind(number)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Blanks what was noted on a ticket; that something happened stays.
pub async fn blank_events(connection: &mut Connection, number: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE ticket_event SET text = '' WHERE number = $1")
        .bind(number)
        .execute(connection)
        .await?;
    Ok(())
}

/// Has a ticket found by no word any more.
pub async fn delete_ticket_words(connection: &mut Connection, number: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM ticket_word WHERE number = $1")
        .bind(number)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes the pictures of a ticket.
pub async fn delete_ticket_pictures(connection: &mut Connection, number: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM picture WHERE number = $1")
        .bind(number)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets the links that were made under somebody's proofs.
pub async fn delete_links(connection: &mut Connection, subject: &str) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM document_link WHERE proof_id IN (SELECT id FROM proof WHERE subject = $1)",
    )
    .bind(subject)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets somebody's proofs.
pub async fn delete_proofs(connection: &mut Connection, subject: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM proof WHERE subject = $1")
        .bind(subject)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets requests for a proof in which somebody's number was given, or from a chat that is theirs.
pub async fn delete_verifications(connection: &mut Connection, subject: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM verification WHERE subject = $1 OR bound = $1")
        .bind(subject)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets somebody's bindings.
pub async fn delete_bindings(connection: &mut Connection, subject: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM binding WHERE subject = $1")
        .bind(subject)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets the "this was not me" of mails to somebody.
pub async fn delete_disavowals(connection: &mut Connection, subject: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM disavowal WHERE subject = $1")
        .bind(subject)
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets what waits to be asked of the portal for somebody.
pub async fn delete_errands(connection: &mut Connection, subject: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM outbox WHERE carrier = 'portal' AND lane = $1")
        .bind(subject)
        .execute(connection)
        .await?;
    Ok(())
}

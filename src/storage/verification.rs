//! Requests for a proof.

use sqlx::FromRow;

use super::Connection;
use crate::clock::Millis;

/// A request for a proof, as stored.
#[derive(Clone, Debug, Default, FromRow)]
pub struct VerificationRow {
    /// UUIDv7.
    pub id: String,
    /// The conversation that asked.
    pub conversation_id: String,
    /// Its channel.
    pub channel: String,
    /// A name for the chat that limits are counted under.
    pub chat: String,
    /// What is asked, as JSON.
    pub request: String,
    /// `ms` or `en`.
    pub language: String,
    /// How the channel names the person, sealed.
    pub who: Option<String>,
    /// The subject that the chat is bound to.
    pub bound: Option<String>,
    /// When it was asked, in Unix milliseconds.
    pub created_at: Millis,
    /// When its token dies.
    pub expires_at: Millis,
    /// `staff` or `supplier`, once a number was given.
    pub kind: Option<String>,
    /// Whom the number means.
    pub subject: Option<String>,
    /// The number's last four characters.
    pub last4: Option<String>,
    /// The number, sealed.
    pub number: Option<String>,
    /// Codes issued.
    pub sends: i64,
    /// What makes the latest code differ from the ones before it.
    pub salt: Option<String>,
    /// When the latest code was issued.
    pub code_at: Option<Millis>,
    /// Guesses spent.
    pub tries: i64,
    /// The person whom the portal knows under the number, sealed.
    pub person: Option<String>,
    /// When the code was given.
    pub finished_at: Option<Millis>,
    /// When the chat brought the proof back.
    pub redeemed_at: Option<Millis>,
    /// When it was ended without.
    pub closed_at: Option<Millis>,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, conversation_id, channel, chat, request, language, who, bound, created_at,
                    expires_at, kind, subject, last4, number, sends, salt, code_at, tries, person,
                    finished_at, redeemed_at, closed_at
             FROM verification ",
            $rest
        )
    };
}

/// A new request.
pub async fn insert(
    connection: &mut Connection,
    row: &VerificationRow,
    token_hash: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO verification
             (id, conversation_id, channel, chat, token_hash, request, language, who, bound,
              created_at, expires_at, sends, tries)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0)",
    )
    .bind(&row.id)
    .bind(&row.conversation_id)
    .bind(&row.channel)
    .bind(&row.chat)
    .bind(token_hash)
    .bind(&row.request)
    .bind(&row.language)
    .bind(&row.who)
    .bind(&row.bound)
    .bind(row.created_at)
    .bind(row.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The request that a token opens.
pub async fn by_token(
    connection: &mut Connection,
    token_hash: &str,
) -> sqlx::Result<Option<VerificationRow>> {
    sqlx::query_as(columns!("WHERE token_hash = $1"))
        .bind(token_hash)
        .fetch_optional(connection)
        .await
}

/// The request of this id.
pub async fn by_id(connection: &mut Connection, id: &str) -> sqlx::Result<Option<VerificationRow>> {
    sqlx::query_as(columns!("WHERE id = $1"))
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// The request whose proof a secret brings back.
pub async fn by_return(
    connection: &mut Connection,
    return_hash: &str,
) -> sqlx::Result<Option<VerificationRow>> {
    sqlx::query_as(columns!("WHERE return_hash = $1"))
        .bind(return_hash)
        .fetch_optional(connection)
        .await
}

/// Issues a code: the one before it is void, the guesses spent stay spent. Tells whether the request was still what
/// the caller read: so many codes issued, nothing finished or closed.
pub async fn issue(connection: &mut Connection, row: &VerificationRow) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE verification
         SET kind = $2, subject = $3, last4 = $4, number = $5, sends = sends + 1, salt = $6,
             code_at = $7, person = NULL
         WHERE id = $1 AND sends = $8 AND finished_at IS NULL AND closed_at IS NULL
           AND (subject IS NULL OR subject = $3)",
    )
    .bind(&row.id)
    .bind(&row.kind)
    .bind(&row.subject)
    .bind(&row.last4)
    .bind(&row.number)
    .bind(&row.salt)
    .bind(row.code_at)
    .bind(row.sends)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Closes the other requests of a conversation for a subject: a new code kills the old one.
pub async fn close_others(
    connection: &mut Connection,
    row: &VerificationRow,
    at: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE verification SET closed_at = $4
         WHERE conversation_id = $1 AND subject = $2 AND id <> $3
           AND redeemed_at IS NULL AND closed_at IS NULL",
    )
    .bind(&row.conversation_id)
    .bind(&row.subject)
    .bind(&row.id)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes whom the portal knows under the number, for the code that was issued `sends`th.
pub async fn know(
    connection: &mut Connection,
    id: &str,
    sends: i64,
    person: &str,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE verification SET person = $3
         WHERE id = $1 AND sends = $2 AND finished_at IS NULL AND closed_at IS NULL",
    )
    .bind(id)
    .bind(sends)
    .bind(person)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Spends a guess, if one is left and a code is live; what stands there then.
pub async fn spend(
    connection: &mut Connection,
    id: &str,
    most: i64,
    code_since: Millis,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "UPDATE verification SET tries = tries + 1
         WHERE id = $1 AND tries < $2 AND code_at >= $3 AND finished_at IS NULL
           AND closed_at IS NULL
         RETURNING tries",
    )
    .bind(id)
    .bind(most)
    .bind(code_since)
    .fetch_optional(connection)
    .await
}

/// Notes that the code was given; tells whether this was the first time. `sends` is the code that was compared.
pub async fn finish(
    connection: &mut Connection,
    id: &str,
    sends: i64,
    return_hash: &str,
    at: Millis,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE verification SET finished_at = $4, return_hash = $3
         WHERE id = $1 AND sends = $2 AND finished_at IS NULL AND closed_at IS NULL",
    )
    .bind(id)
    .bind(sends)
    .bind(return_hash)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Notes that the chat that asked brought the proof back; tells whether this was the first time.
pub async fn redeem(connection: &mut Connection, id: &str, at: Millis) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE verification SET redeemed_at = $2
         WHERE id = $1 AND finished_at IS NOT NULL AND redeemed_at IS NULL AND closed_at IS NULL",
    )
    .bind(id)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Notes that a request is done without a proof: an officer has the number.
pub async fn hand_over(connection: &mut Connection, id: &str, at: Millis) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "UPDATE verification SET closed_at = $2, number = NULL
         WHERE id = $1 AND finished_at IS NULL AND closed_at IS NULL",
    )
    .bind(id)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Closes what is over: so that a clock set back brings nothing to life. Tells how many.
pub async fn close_old(
    connection: &mut Connection,
    asked_before: Millis,
    code_before: Millis,
    at: Millis,
) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "UPDATE verification SET closed_at = $3
         WHERE redeemed_at IS NULL AND closed_at IS NULL AND created_at < $1
           AND (code_at IS NULL OR code_at < $2) AND (finished_at IS NULL OR finished_at < $2)",
    )
    .bind(asked_before)
    .bind(code_before)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

/// Closes everything that is open for a subject.
pub async fn close_of_subject(
    connection: &mut Connection,
    subject: &str,
    at: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE verification SET closed_at = $2
         WHERE subject = $1 AND redeemed_at IS NULL AND closed_at IS NULL",
    )
    .bind(subject)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Closes everything that is open in a conversation.
pub async fn close_of_conversation(
    connection: &mut Connection,
    conversation_id: &str,
    at: Millis,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE verification SET closed_at = $2
         WHERE conversation_id = $1 AND redeemed_at IS NULL AND closed_at IS NULL",
    )
    .bind(conversation_id)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets the requests of a conversation.
pub async fn delete_of_conversation(
    connection: &mut Connection,
    conversation_id: &str,
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM verification WHERE conversation_id = $1")
        .bind(conversation_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Closes everything that is open; tells how many.
pub async fn close_all(connection: &mut Connection, at: Millis) -> sqlx::Result<u64> {
    let result = sqlx::query(
        "UPDATE verification SET closed_at = $1 WHERE redeemed_at IS NULL AND closed_at IS NULL",
    )
    .bind(at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected())
}

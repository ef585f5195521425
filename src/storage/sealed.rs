//! What is sealed, wherever it stands: looked through page by page when the secret was changed.

use sqlx::FromRow;

use super::Connection;

/// A place where something sealed stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The secrets of agents' telephones.
    AgentTotp,
    /// What channels brought.
    Inbound,
    /// What mails and errands carry; the seal is inside a JSON text.
    Outbox,
    /// Whom a request was made by.
    VerificationWho,
    /// The number of a request.
    VerificationNumber,
    /// The person of a request.
    VerificationPerson,
    /// The person of a proof.
    ProofPerson,
    /// The person of a linked chat.
    BindingPerson,
    /// The number of a linked chat.
    BindingNumber,
    /// What officers need for a ticket.
    TicketDetails,
    /// The name on a ticket.
    TicketName,
    /// Who was proved on a ticket.
    TicketPerson,
    /// Pictures.
    Picture,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::AgentTotp,
        Self::Inbound,
        Self::Outbox,
        Self::VerificationWho,
        Self::VerificationNumber,
        Self::VerificationPerson,
        Self::ProofPerson,
        Self::BindingPerson,
        Self::BindingNumber,
        Self::TicketDetails,
        Self::TicketName,
        Self::TicketPerson,
        Self::Picture,
    ];

    /// The purpose that it is sealed for.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::AgentTotp => "agent",
            Self::Inbound => "inbound",
            Self::Outbox => "post",
            Self::VerificationWho
            | Self::VerificationNumber
            | Self::VerificationPerson
            | Self::ProofPerson
            | Self::BindingPerson
            | Self::BindingNumber => "identity",
            Self::TicketDetails | Self::TicketName | Self::TicketPerson | Self::Picture => "ticket",
        }
    }

    /// How many are looked at together: pictures are large.
    fn page(self) -> i64 {
        match self {
            Self::Picture => 4,
            _ => 200,
        }
    }
}

/// Something sealed.
#[derive(Clone, Debug, FromRow)]
pub struct SealedRow {
    /// The row's key.
    pub key: String,
    /// What the seal is about.
    pub about: String,
    /// The seal.
    pub sealed: String,
}

/// The next ones of a place behind a key; the first ones behind an empty one.
pub async fn after(
    connection: &mut Connection,
    place: Place,
    key: &str,
) -> sqlx::Result<Vec<SealedRow>> {
    let statement = match place {
        Place::AgentTotp => sqlx::query_as(
            "SELECT id AS key, id AS about, totp AS sealed
             FROM agent WHERE id > $1 AND totp IS NOT NULL ORDER BY id LIMIT $2",
        ),
        Place::Inbound => sqlx::query_as(
            "SELECT source || ' ' || CAST(number AS TEXT) AS key,
                    source || ' ' || CAST(number AS TEXT) AS about, sealed
             FROM inbound
             WHERE source || ' ' || CAST(number AS TEXT) > $1 AND sealed IS NOT NULL
             ORDER BY source || ' ' || CAST(number AS TEXT) LIMIT $2",
        ),
        Place::Outbox => sqlx::query_as(
            "SELECT id AS key, id AS about, payload AS sealed
             FROM outbox WHERE id > $1 AND payload LIKE '{\"sealed\"%' ORDER BY id LIMIT $2",
        ),
        Place::VerificationWho => sqlx::query_as(
            "SELECT id AS key, id AS about, who AS sealed
             FROM verification WHERE id > $1 AND who IS NOT NULL ORDER BY id LIMIT $2",
        ),
        Place::VerificationNumber => sqlx::query_as(
            "SELECT id AS key, id AS about, number AS sealed
             FROM verification WHERE id > $1 AND number IS NOT NULL ORDER BY id LIMIT $2",
        ),
        Place::VerificationPerson => sqlx::query_as(
            "SELECT id AS key, id AS about, person AS sealed
             FROM verification WHERE id > $1 AND person IS NOT NULL ORDER BY id LIMIT $2",
        ),
        Place::ProofPerson => sqlx::query_as(
            "SELECT id AS key, subject AS about, person AS sealed
             FROM proof WHERE id > $1 AND person <> '' ORDER BY id LIMIT $2",
        ),
        Place::BindingPerson => sqlx::query_as(
            "SELECT id AS key, subject AS about, person AS sealed
             FROM binding WHERE id > $1 AND person <> '' ORDER BY id LIMIT $2",
        ),
        Place::BindingNumber => sqlx::query_as(
            "SELECT id AS key, id AS about, number AS sealed
             FROM binding WHERE id > $1 AND number <> '' ORDER BY id LIMIT $2",
        ),
        Place::TicketDetails => sqlx::query_as(
            "SELECT number AS key, number AS about, details AS sealed
             FROM ticket WHERE number > $1 AND details IS NOT NULL ORDER BY number LIMIT $2",
        ),
        Place::TicketName => sqlx::query_as(
            "SELECT number AS key, number || ' name' AS about, name AS sealed
             FROM ticket WHERE number > $1 AND name IS NOT NULL ORDER BY number LIMIT $2",
        ),
        Place::TicketPerson => sqlx::query_as(
            "SELECT number AS key, number || ' person' AS about, person AS sealed
             FROM ticket WHERE number > $1 AND person IS NOT NULL ORDER BY number LIMIT $2",
        ),
        Place::Picture => sqlx::query_as(
            "SELECT id AS key, 'picture ' || id AS about, sealed
             FROM picture WHERE id > $1 ORDER BY id LIMIT $2",
        ),
    };
    statement
        .bind(key)
        .bind(place.page())
        .fetch_all(connection)
        .await
}

/// Puts another seal in place of one, unless somebody else has changed it; tells whether it was put.
pub async fn replace(
    connection: &mut Connection,
    place: Place,
    row: &SealedRow,
    sealed: &str,
) -> sqlx::Result<bool> {
    let statement = match place {
        Place::AgentTotp => sqlx::query("UPDATE agent SET totp = $3 WHERE id = $1 AND totp = $2"),
        Place::Inbound => sqlx::query(
            "UPDATE inbound SET sealed = $3
             WHERE source || ' ' || CAST(number AS TEXT) = $1 AND sealed = $2",
        ),
        Place::Outbox => {
            sqlx::query("UPDATE outbox SET payload = $3 WHERE id = $1 AND payload = $2")
        }
        Place::VerificationWho => {
            sqlx::query("UPDATE verification SET who = $3 WHERE id = $1 AND who = $2")
        }
        Place::VerificationNumber => {
            sqlx::query("UPDATE verification SET number = $3 WHERE id = $1 AND number = $2")
        }
        Place::VerificationPerson => {
            sqlx::query("UPDATE verification SET person = $3 WHERE id = $1 AND person = $2")
        }
        Place::ProofPerson => {
            sqlx::query("UPDATE proof SET person = $3 WHERE id = $1 AND person = $2")
        }
        Place::BindingPerson => {
            sqlx::query("UPDATE binding SET person = $3 WHERE id = $1 AND person = $2")
        }
        Place::BindingNumber => {
            sqlx::query("UPDATE binding SET number = $3 WHERE id = $1 AND number = $2")
        }
        Place::TicketDetails => {
            sqlx::query("UPDATE ticket SET details = $3 WHERE number = $1 AND details = $2")
        }
        Place::TicketName => {
            sqlx::query("UPDATE ticket SET name = $3 WHERE number = $1 AND name = $2")
        }
        Place::TicketPerson => {
            sqlx::query("UPDATE ticket SET person = $3 WHERE number = $1 AND person = $2")
        }
        Place::Picture => {
            sqlx::query("UPDATE picture SET sealed = $3 WHERE id = $1 AND sealed = $2")
        }
    };
    let statement = statement.bind(&row.key).bind(&row.sealed).bind(sealed);
    let result = statement.execute(connection).await?;
    Ok(result.rows_affected() == 1)
}

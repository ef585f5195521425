//! What an officer sends twice, by a double click or because the answer got lost, is done once.

use uuid::Uuid;

use super::Engine;
use crate::clock::Millis;
use crate::storage::{Connection, lease};

/// How long a form is remembered, in milliseconds: nobody sends it again later without having looked.
const REMEMBERED: Millis = 24 * 3_600_000;

/// A form that an officer sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Form {
    /// How often agents had done something to the ticket when the officer looked, for what should not be said without
    /// knowing what another said meanwhile.
    pub seen: Option<i64>,
    /// The form's own number: the same with the same text is the same form again.
    pub once: Option<Uuid>,
}

impl Engine {
    /// Notes that an agent's form is taken, and the ticket that it is about; the ticket, if it was taken before.
    pub(super) async fn taken_before(
        &self,
        connection: &mut Connection,
        (agent, once): (&str, Uuid),
        (says, number): (&str, &str),
        now: Millis,
    ) -> sqlx::Result<Option<String>> {
        // What it says stands there as an HMAC.
        let says = format!("form {agent} {once} {says}");
        let name = format!("once form {}", self.identity.names().sign(&says));
        if lease::take_once(connection, &name, number, now + REMEMBERED).await? {
            return Ok(None);
        }
        lease::holder(connection, &name).await
    }
}

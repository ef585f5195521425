//! "This was not me": whom a mail is about can end everything that is known of them, with a token that only the mail has.

use super::{Identity, Purpose, hash};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::storage::{Connection, disavowal};

/// How long "this was not me" is taken from a mail, in milliseconds.
const DISAVOWABLE: Millis = 30 * 24 * 3_600_000;

impl Identity {
    /// The token with which whom a mail is about says that it was not them.
    pub async fn disavow_url(
        &self,
        connection: &mut Connection,
        mail: &str,
        subject: &str,
        now: Millis,
    ) -> sqlx::Result<String> {
        let token = self.token(Purpose::Disavow, mail);
        disavowal::insert(connection, mail, &hash(&token), subject, now).await?;
        Ok(format!("{}/bukan-saya#{token}", self.public_url))
    }

    /// Takes "this was not me" from a mail, once: whom it concerns; none if the token is spent or unknown.
    pub async fn take_disavowal(
        &self,
        connection: &mut Connection,
        token: &str,
        now: Millis,
    ) -> sqlx::Result<Option<String>> {
        disavowal::take(connection, &hash(token), now - DISAVOWABLE, now).await
    }

    /// Records a "this was not me" whose token is spent or unknown.
    pub async fn note_false_disavowal(
        &self,
        connection: &mut Connection,
        now: Millis,
    ) -> sqlx::Result<()> {
        let entry = Entry::new(Event::Disavowed, "unknown");
        self.record_refusal(connection, entry, now).await
    }

    /// Stops mails about somebody who says that it was not them, for a day, where that was not done too often.
    pub async fn disavow(
        &self,
        connection: &mut Connection,
        subject: &str,
        now: Millis,
    ) -> sqlx::Result<()> {
        let stopped = self.limits.stop(connection, subject, now).await?;
        self.note_ended(connection, subject, "disavowed", now)
            .await?;
        let outcome = if stopped { "stopped" } else { "not-stopped" };
        let entry = Entry::new(Event::Disavowed, outcome).about(subject);
        self.audit.record(connection, entry, now).await
    }
}

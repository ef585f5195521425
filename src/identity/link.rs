//! Links to one document each: for a fresh proof, once, for a few minutes. What opens a link is in no row: it is derived.

use uuid::Uuid;

use super::{CLOCKS_DIFFER, Identity, Proof, Purpose, hash};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::storage::Connection;
use crate::storage::document_link::{self, DocumentLinkRow};

/// A link to be.
#[derive(Clone, Copy, Debug)]
pub struct NewLink<'a> {
    /// Its id.
    pub id: &'a str,
    /// The conversation that it is given in.
    pub conversation_id: &'a str,
    /// The message that holds it.
    pub seq: i64,
    /// The proof that it is given for.
    pub proof: &'a Proof,
    /// `slip-gaji` or `penyata-tahunan`.
    pub document: &'a str,
    /// `2026-10` or `2025`.
    pub period: &'a str,
}

/// A link that somebody presses.
#[derive(Clone, Debug)]
pub struct Pressed {
    /// The link.
    pub link: DocumentLinkRow,
    /// The proof that it was given for, where this is the first press and everything is alive.
    pub proof: Option<Proof>,
}

impl Identity {
    /// A new id for a link.
    pub fn new_link_id() -> String {
        Uuid::now_v7().to_string()
    }

    /// When a link that is made now dies.
    pub fn link_expires(&self, now: Millis) -> Millis {
        now + self.limits.link
    }

    /// Makes a link.
    pub async fn make_link(
        &self,
        connection: &mut Connection,
        new: &NewLink<'_>,
        now: Millis,
    ) -> sqlx::Result<()> {
        let row = DocumentLinkRow {
            id: new.id.to_owned(),
            conversation_id: new.conversation_id.to_owned(),
            proof_id: new.proof.id.clone(),
            seq: new.seq,
            document: new.document.to_owned(),
            period: new.period.to_owned(),
            created_at: now,
            expires_at: self.link_expires(now),
            spent_at: None,
        };
        let token = self.token(Purpose::Link, new.id);
        document_link::insert(connection, &row, &hash(&token)).await?;
        let event = match new.document {
            "slip-gaji" => Event::PayslipLink,
            _ => Event::StatementLink,
        };
        let entry = Entry::new(event, "linked")
            .within(new.conversation_id)
            .about(&new.proof.subject)
            .detail(new.period);
        self.audit.record(connection, entry, now).await
    }

    /// The address of a link's page, for the conversation that it was given in only.
    pub async fn link_url(&self, connection: &mut Connection, id: &str) -> sqlx::Result<String> {
        let mut tokens = self.tokens(Purpose::Link, id);
        let mut token = tokens.next().unwrap_or_default();
        // One that was made before the last rotation of the secret lives on as it is.
        for old in tokens {
            if document_link::by_token(connection, &hash(&old))
                .await?
                .is_some()
            {
                token = old;
            }
        }
        Ok(format!("{}/l#{token}", self.public_url))
    }

    /// Takes a press on a link: the first one spends it. None if there is no such link.
    pub async fn press_link(&self, token: &str) -> sqlx::Result<Option<Pressed>> {
        let now = self.clock.now();
        let mut connection = self.store.connection().await?;
        let link = document_link::by_token(&mut connection, &hash(token)).await?;
        drop(connection);
        let mut transaction = self.store.begin().await?;
        let Some(mut link) = link else {
            let entry = Entry::new(Event::LinkOpened, "unknown");
            self.record_refusal(&mut transaction, entry, now).await?;
            transaction.commit().await?;
            return Ok(None);
        };
        let latest = now + CLOCKS_DIFFER;
        let first = document_link::spend(&mut transaction, &link.id, now, latest).await?;
        let proof = match first {
            true => {
                self.proof_by_id(&mut transaction, &link.proof_id, now)
                    .await?
            }
            false => None,
        };
        if !first {
            // It may have been spent since it was read.
            let now_stands = document_link::by_token(&mut transaction, &hash(token)).await?;
            link = now_stands.unwrap_or(link);
        }
        if proof.is_none() {
            let spent = link.spent_at.is_some();
            let entry = Entry::new(Event::LinkOpened, if spent { "again" } else { "dead" });
            let entry = entry.within(&link.conversation_id).detail(&link.period);
            self.record_refusal(&mut transaction, entry, now).await?;
        }
        transaction.commit().await?;
        Ok(Some(Pressed { link, proof }))
    }

    /// Notes how opening a document went; one that opened nothing can be pressed again.
    pub async fn opened_link(
        &self,
        connection: &mut Connection,
        pressed: &Pressed,
        outcome: &str,
    ) -> sqlx::Result<()> {
        let now = self.clock.now();
        if outcome == "unavailable" {
            document_link::give_back(connection, &pressed.link.id).await?;
        }
        let subject = pressed.proof.as_ref().map(|proof| proof.subject.as_str());
        let entry = Entry::new(Event::LinkOpened, outcome)
            .within(&pressed.link.conversation_id)
            .about(subject.unwrap_or_default())
            .detail(&pressed.link.period);
        self.audit.record(connection, entry, now).await
    }
}

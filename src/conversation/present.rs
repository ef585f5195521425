//! Messages as their conversation's owner sees them: what opens a link is put in while it lives, and what was said under
//! a proof that ended is hidden.

use super::message::{Body, Kind, LinkTo, Message};
use super::{Engine, EngineError};
use crate::clock::rfc3339;
use crate::knowledge::text::Language;
use crate::storage::Connection;
use crate::storage::conversation;
use crate::storage::message::{self as transcript, MessageRow};

impl Engine {
    /// The messages of a conversation, for its owner.
    pub(super) async fn present(
        &self,
        connection: &mut Connection,
        conversation_id: &str,
        rows: Vec<MessageRow>,
    ) -> sqlx::Result<Vec<Message>> {
        let mut messages: Vec<Message> = rows.into_iter().map(Message::from_row).collect();
        let now = self.clock.now();
        let mut alive = Vec::new();
        let mut language = Language::default();
        if messages.iter().any(|message| message.body.proof.is_some()) {
            let identity = &self.identity;
            alive = identity
                .live_proofs(connection, conversation_id, now)
                .await?;
            let row = conversation::by_id(connection, conversation_id).await?;
            let spoken = row.and_then(|row| Language::parse(&row.language));
            language = spoken.unwrap_or_default();
        }
        let now = rfc3339(now);
        for message in &mut messages {
            let proof = message.body.proof.take();
            if proof.is_some_and(|proof| !alive.contains(&proof)) {
                message.body = self.hidden(language);
            } else {
                self.open_link(connection, &mut message.body, &now).await?;
            }
        }
        Ok(messages)
    }

    /// One message of a conversation, for its owner; none if there is no such message.
    pub async fn message(&self, id: &str, seq: i64) -> Result<Option<Message>, EngineError> {
        let mut connection = self.store.connection().await?;
        let row = transcript::by_seq(&mut connection, id, seq).await?;
        let rows = row.into_iter().collect();
        let messages = self.present(&mut connection, id, rows).await?;
        Ok(messages.into_iter().next())
    }

    fn hidden(&self, language: Language) -> Body {
        let knowledge = self.knowledge.current();
        let sentence = &knowledge.messages().hidden;
        Body {
            kind: Kind::Notice,
            text: sentence.get(language).clone(),
            ..Body::default()
        }
    }

    async fn open_link(
        &self,
        connection: &mut Connection,
        body: &mut Body,
        now: &str,
    ) -> sqlx::Result<()> {
        let Some(link) = &mut body.link else {
            return Ok(());
        };
        // Both are RFC 3339 in UTC: they compare as texts to the second.
        let lives = now.get(..19) < link.expires_at.get(..19);
        let to = LinkTo::parse(&link.url).filter(|_| lives);
        match to {
            Some(LinkTo::Verification(id)) => {
                link.url = self.identity.verify_url(connection, &id).await?;
            }
            Some(LinkTo::Document(id)) => {
                link.url = self.identity.link_url(connection, &id).await?;
            }
            None => body.link = None,
        }
        Ok(())
    }
}

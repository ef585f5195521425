//! Erasing a person, in small steps that can be done again: chats first, then tickets, then what leads to them, so that
//! whoever goes on after a stop finds all that is left.

use super::scope::{Part, Scope};
use super::{Rights, said};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::retention::Steps;
use crate::storage::data_request::{self, DataRequestRow};
use crate::storage::erasure::{self, AT_ONCE};
use crate::storage::{
    Connection, announcement, binding, chat_word, conversation, document_link, inbound, outage,
    outbox, proof, subject, trouble_report, verification,
};

impl Rights {
    /// Erases what an approved request is about, in so many transactions at most; tells whether it is done. What a hold
    /// keeps waits for its end.
    pub async fn erase(&self, row: &DataRequestRow, most: Option<usize>) -> sqlx::Result<bool> {
        if self.is_held(row).await? {
            return Ok(false);
        }
        let mut steps = Steps(most);
        if !steps.take() {
            return Ok(false);
        }
        self.end_links(&row.subject).await?;
        let mut connection = self.store.connection().await?;
        let scope = Scope::of(&mut connection, row).await?;
        drop(connection);
        // A hold may come while it goes on: it keeps the chats and tickets that are still there.
        for part in &scope.chats {
            if self.was_held(&scope).await? || !self.erase_chat(part, &mut steps).await? {
                return Ok(false);
            }
        }
        for ticket in &scope.tickets {
            if self.was_held(&scope).await? || !steps.take() {
                return Ok(false);
            }
            self.erase_ticket(&ticket.number).await?;
        }
        if self.was_held(&scope).await? || !steps.take() {
            return Ok(false);
        }
        self.finish(row).await?;
        Ok(true)
    }

    /// Whether a hold was placed on any of it meanwhile.
    async fn was_held(&self, scope: &Scope) -> sqlx::Result<bool> {
        let mut connection = self.store.connection().await?;
        scope.is_held(&mut connection).await
    }

    /// Nothing new becomes the person's meanwhile.
    async fn end_links(&self, who: &str) -> sqlx::Result<()> {
        if who.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        self.identity
            .end_everywhere(&mut transaction, who, now)
            .await?;
        transaction.commit().await
    }

    /// Erases a chat, as far as it is the person's; false if the steps are used up.
    async fn erase_chat(&self, part: &Part, steps: &mut Steps) -> sqlx::Result<bool> {
        if !steps.take() {
            return Ok(false);
        }
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        if part.whole || part.goes_on() {
            erasure::end_conversation(&mut transaction, &part.id, now).await?;
            // What waits to be carried holds what was said.
            outbox::delete_of(&mut transaction, &part.id).await?;
        } else {
            // Another person goes on there; what was spoken of before may be the erased one's.
            erasure::forget_state(&mut transaction, &part.id).await?;
        }
        for span in &part.spans {
            erasure::delete_pictures(&mut transaction, &part.id, *span).await?;
            erasure::blank_comments(&mut transaction, &part.id, *span).await?;
            erasure::delete_reports(&mut transaction, &part.id, *span).await?;
            let days = (chat_word::day_of(span.0), chat_word::day_of(span.1));
            erasure::delete_words(&mut transaction, &part.id, days).await?;
        }
        transaction.commit().await?;
        for span in &part.spans {
            loop {
                if !steps.take() {
                    return Ok(false);
                }
                let mut transaction = self.store.begin().await?;
                let blanked = erasure::blank_messages(&mut transaction, &part.id, *span).await?;
                transaction.commit().await?;
                if blanked < AT_ONCE {
                    break;
                }
            }
        }
        if part.whole && !steps.take() {
            return Ok(false);
        }
        if part.whole {
            self.forget_chat(&part.id).await?;
        }
        Ok(true)
    }

    /// Forgets with whom a chat was, and what was proved in it.
    async fn forget_chat(&self, id: &str) -> sqlx::Result<()> {
        let mut transaction = self.store.begin().await?;
        let told = subject::conversation(&mut transaction, id).await?;
        document_link::delete_of_conversation(&mut transaction, id).await?;
        proof::delete_of_conversation(&mut transaction, id).await?;
        verification::delete_of_conversation(&mut transaction, id).await?;
        if let Some(told) = told
            && let Some(contact) = &told.contact
        {
            inbound::wipe_lane(&mut transaction, contact).await?;
            binding::delete_of_contact(&mut transaction, &told.channel, contact).await?;
        }
        outage::forget(&mut transaction, id).await?;
        trouble_report::forget(&mut transaction, id).await?;
        announcement::unsubscribe(&mut transaction, id).await?;
        announcement::forget(&mut transaction, id).await?;
        conversation::forget_contact(&mut transaction, id).await?;
        transaction.commit().await
    }

    async fn erase_ticket(&self, number: &str) -> sqlx::Result<()> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        erasure::delete_ticket_pictures(&mut transaction, number).await?;
        erasure::delete_ticket_words(&mut transaction, number).await?;
        erasure::blank_events(&mut transaction, number).await?;
        erasure::blank_ticket(&mut transaction, number, now).await?;
        transaction.commit().await
    }

    /// Forgets what leads to the person, and records that it is done.
    async fn finish(&self, row: &DataRequestRow) -> sqlx::Result<()> {
        let now: Millis = self.clock.now();
        let mut transaction = self.store.begin().await?;
        if !row.subject.is_empty() {
            forget(&mut transaction, &row.subject).await?;
        }
        if !data_request::finish(&mut transaction, &row.id, "", now).await? {
            return transaction.commit().await;
        }
        data_request::blank(&mut transaction, &row.id, &row.subject).await?;
        let detail = said(row);
        let entry = Entry::new(Event::DataRequest, "erased");
        let entry = entry.about(&row.subject).detail(&detail);
        self.audit().record(&mut transaction, entry, now).await?;
        transaction.commit().await
    }
}

async fn forget(connection: &mut Connection, who: &str) -> sqlx::Result<()> {
    erasure::delete_links(connection, who).await?;
    erasure::delete_proofs(connection, who).await?;
    erasure::delete_verifications(connection, who).await?;
    erasure::delete_bindings(connection, who).await?;
    erasure::delete_disavowals(connection, who).await?;
    erasure::delete_errands(connection, who).await
}

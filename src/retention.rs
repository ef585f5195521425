//! Deletes what is older than it may be kept, a little at a time, every hour.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Millis};
use crate::storage::{
    Store, agent_session, announcement, binding, chat_word, conversation, disavowal, document_link,
    feedback, inbound, lease, message, outage, outbox, pace, picture, proof, proposal, question,
    tally, ticket, ticket_event, ticket_view, ticket_word, trouble_report, verification,
};

/// How often is looked for what is too old.
const EVERY: Duration = Duration::from_secs(3_600);
/// Conversations that go in one transaction.
const AT_ONCE: i64 = 100;
const DAY: Millis = 24 * 3_600_000;
/// What failed to be handled is kept sealed for so long, to be looked into.
const FAILED: Millis = 7 * DAY;
/// The numbers of what was handled are kept for so long: the same may be brought again.
const NUMBERS: Millis = 30 * DAY;
/// How fast somebody was is nobody's affair after this.
const PACE: Millis = DAY;
/// Requests for a proof, proofs that ended, links that are dead.
const PROOFS: Millis = DAY;
/// "This was not me" is taken from a mail for so long, and its limit counts for so long.
const DISAVOWALS: Millis = 31 * DAY;
/// Pictures that no ticket was opened for.
const UNCLAIMED: Millis = DAY;
/// Tickets that are settled.
const TICKETS: Millis = 2 * 365 * DAY;

/// That somebody could not open a system, where it led to nothing, and where it led to an incident.
const REPORTS: Millis = DAY;
const INCIDENTS: Millis = 30 * DAY;

/// Questions that were set aside, and proposals that were refused, in words of persons.
const SET_ASIDE: Millis = 365 * DAY;

/// What is deleted, and when.
#[derive(Clone)]
pub struct Retention {
    /// Where it is deleted.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Clock,
    /// Transcripts that nobody wrote in for so many days go.
    pub transcript_days: u32,
}

impl Retention {
    /// Deletes at once and then every hour, until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            match self.purge().await {
                Ok(0) => {}
                Ok(conversations) => tracing::info!(conversations, "old transcripts deleted"),
                Err(error) => tracing::error!(%error, "old transcripts could not be deleted"),
            }
            if tokio::time::timeout(EVERY, stop.cancelled()).await.is_ok() {
                return;
            }
        }
    }

    /// Deletes everything that is too old; tells how many conversations went.
    pub async fn purge(&self) -> sqlx::Result<u64> {
        let now = self.clock.now();
        let before = now - Millis::from(self.transcript_days) * DAY;
        let mut transaction = self.store.begin().await?;
        inbound::wipe_failed(&mut transaction, now - FAILED).await?;
        inbound::delete_settled(&mut transaction, now - NUMBERS).await?;
        outbox::delete_done(&mut transaction, before).await?;
        pace::delete_free(&mut transaction, now - PACE).await?;
        agent_session::delete_before(&mut transaction, now - DAY).await?;
        ticket_view::delete_before(&mut transaction, now - DAY).await?;
        lease::delete_ended(&mut transaction, now - DAY).await?;
        verification::delete_before(&mut transaction, now - PROOFS).await?;
        proof::delete_ended(&mut transaction, now - PROOFS).await?;
        binding::delete_ended(&mut transaction, now - PROOFS).await?;
        document_link::delete_before(&mut transaction, now - PROOFS).await?;
        disavowal::delete_before(&mut transaction, now - DISAVOWALS).await?;
        tally::delete_untouched(&mut transaction, now - DISAVOWALS).await?;
        // As long as the messages that they came with.
        picture::delete_before(&mut transaction, before, now - UNCLAIMED).await?;
        picture::delete_settled(&mut transaction, now - TICKETS).await?;
        ticket_event::delete_settled(&mut transaction, now - TICKETS).await?;
        ticket_word::delete_settled(&mut transaction, now - TICKETS).await?;
        ticket::delete_settled(&mut transaction, now - TICKETS).await?;
        question::delete_dismissed_before(&mut transaction, now - SET_ASIDE).await?;
        proposal::delete_refused_before(&mut transaction, now - SET_ASIDE).await?;
        outage::delete_settled_before(&mut transaction, now - INCIDENTS).await?;
        trouble_report::delete_before(&mut transaction, now - REPORTS, now - INCIDENTS).await?;
        announcement::delete_gone(&mut transaction).await?;
        chat_word::delete_before(&mut transaction, before).await?;
        transaction.commit().await?;
        self.delete_old_messages(before).await?;
        let mut deleted = 0;
        loop {
            let mut transaction = self.store.begin().await?;
            conversation::delete_feedback_idle_since(&mut transaction, before, AT_ONCE).await?;
            chat_word::delete_idle_since(&mut transaction, before, AT_ONCE).await?;
            conversation::delete_messages_idle_since(&mut transaction, before, AT_ONCE).await?;
            let gone = conversation::delete_idle_since(&mut transaction, before, AT_ONCE).await?;
            transaction.commit().await?;
            deleted += gone;
            if gone < AT_ONCE as u64 {
                return Ok(deleted);
            }
        }
    }

    /// Deletes old messages of conversations that still go on, as they do for years on Telegram.
    async fn delete_old_messages(&self, before: Millis) -> sqlx::Result<()> {
        loop {
            let mut transaction = self.store.begin().await?;
            feedback::delete_on_messages_before(&mut transaction, before).await?;
            let gone = message::delete_before(&mut transaction, before, AT_ONCE).await?;
            transaction.commit().await?;
            if gone < AT_ONCE as u64 {
                return Ok(());
            }
        }
    }
}

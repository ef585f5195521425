//! What has to happen by itself: proofs and requests whose time is over end, messages with dead links are removed,
//! bindings are confirmed with the portal, the end of the record is sent to the supervisor.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Worker;
use crate::audit::Anchor;
use crate::clock::{Millis, local};
use crate::outbox::{Carrier, Content, Delivery, Letter, Payload, To};
use crate::portal::RegisteredAddress;
use crate::storage::{audit, conversation, document_link, lease};

/// How often is looked what is over.
const EVERY: Duration = Duration::from_secs(1);
/// How long a process keeps this to itself, in milliseconds.
const LEASE: Millis = 10_000;
/// A binding is confirmed after this, in milliseconds, and at once every day whatever else fails.
const CONFIRM: Millis = 20 * 3_600_000;
/// What could not be confirmed is tried again after this.
const CONFIRM_AGAIN: Millis = 600_000;
/// Bindings that are confirmed, and links that are removed, in one go.
const AT_ONCE: usize = 5;

impl Worker {
    /// Keeps up until told to stop; one process at a time does it.
    pub(super) async fn keep_up(self, stop: CancellationToken) {
        let holder = Uuid::new_v4().to_string();
        while tokio::time::timeout(EVERY, stop.cancelled()).await.is_err() {
            match self.is_mine(&holder).await {
                Ok(true) => {
                    if let Err(error) = self.keep_up_once().await {
                        tracing::error!(%error, "what is over could not be ended");
                    }
                }
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "nobody knows who keeps up"),
            }
        }
        if let Ok(mut connection) = self.parts.store.connection().await {
            // Another process waits for its end otherwise.
            let _ = lease::give_back(&mut connection, "upkeep", &holder).await;
        }
    }

    async fn is_mine(&self, holder: &str) -> sqlx::Result<bool> {
        let now = self.parts.clock.now();
        let mut connection = self.parts.store.connection().await?;
        lease::take(&mut connection, "upkeep", holder, now, now + LEASE).await
    }

    /// Does everything once that is due.
    async fn keep_up_once(&self) -> sqlx::Result<()> {
        let now = self.parts.clock.now();
        let mut transaction = self.parts.store.begin().await?;
        let changed = self.parts.identity.end_old(&mut transaction, now).await?;
        transaction.commit().await?;
        for conversation in changed {
            self.parts.engine.tell_changed(&conversation).await;
        }
        for _ in 0..AT_ONCE {
            if !self.remove_link(now).await? {
                break;
            }
        }
        for _ in 0..AT_ONCE {
            if !self.confirm_binding(now).await? {
                break;
            }
        }
        for _ in 0..AT_ONCE {
            if !self.chase().await? {
                break;
            }
        }
        self.anchor(now).await
    }

    /// Looks after one ticket that nobody looks after, or closes one that is over; tells whether there was one.
    async fn chase(&self) -> sqlx::Result<bool> {
        let engine = &self.parts.engine;
        let waited = Millis::try_from(self.parts.handoff_wait.as_millis()).unwrap_or(Millis::MAX);
        Ok(engine.tell_untaken(waited).await?
            | engine.escalate_overdue().await?
            | engine.close_settled().await?
            | engine.hand_back_abandoned().await?)
    }

    /// Has one message removed whose link is dead; tells whether there was one.
    async fn remove_link(&self, now: Millis) -> sqlx::Result<bool> {
        let mut transaction = self.parts.store.begin().await?;
        let expired = document_link::take_expired(&mut transaction, now).await?;
        let Some((conversation_id, number)) = expired else {
            return Ok(false);
        };
        let row = conversation::by_id(&mut transaction, &conversation_id).await?;
        if let Some(contact) = row.and_then(|row| row.contact) {
            let payload = Payload::Remove {
                number: i32::try_from(number).unwrap_or_default(),
            };
            let lane = format!("{contact} remove");
            let delivery = Delivery {
                carrier: Carrier::Telegram,
                lane: &lane,
                message: None,
                payload: Some(&payload),
            };
            let store = &self.parts.store;
            delivery.enqueue(store, &mut transaction, now).await?;
        }
        transaction.commit().await?;
        self.parts.bells.outbound.ring();
        Ok(true)
    }

    /// Confirms one binding with the portal, and ends it where the person left or the address changed; tells whether
    /// there was one to confirm.
    async fn confirm_binding(&self, now: Millis) -> sqlx::Result<bool> {
        let Some(portal) = &self.parts.portal else {
            return Ok(false);
        };
        let identity = &self.parts.identity;
        let mut connection = self.parts.store.connection().await?;
        let found = identity
            .take_unchecked(&mut connection, now - CONFIRM, now)
            .await?;
        drop(connection);
        let Some((binding, who)) = found else {
            return Ok(false);
        };
        let person = match portal.person(&who.reference, who.kind).await {
            Ok(person) => person,
            Err(fault) => {
                tracing::warn!(fault = fault.as_str(), "a binding could not be confirmed");
                let mut connection = self.parts.store.connection().await?;
                let again = now - CONFIRM + CONFIRM_AGAIN;
                crate::storage::binding::uncheck(&mut connection, &binding.id, again).await?;
                // The portal is down for the others too.
                return Ok(false);
            }
        };
        let same = person.is_some_and(|person| {
            let address = person.address.as_ref().map(RegisteredAddress::reveal);
            identity.is_still(&who, person.active, address)
        });
        if !same {
            let engine = &self.parts.engine;
            engine.forget_changed(&binding.subject, &who).await?;
        }
        Ok(true)
    }

    /// Sends the end of the record to the supervisor, once a day.
    async fn anchor(&self, now: Millis) -> sqlx::Result<()> {
        let day = local(now).date().to_string();
        let mut transaction = self.parts.store.begin().await?;
        let (seq, mac) = audit::head(&mut transaction).await?;
        if seq == 0 {
            return Ok(());
        }
        let name = format!("once anchor {day}");
        // A lease that outlives its day is a mark that the day is done.
        let until = now + 2 * 24 * 3_600_000;
        if !lease::take_once(&mut transaction, &name, &day, until).await? {
            return Ok(());
        }
        let letter = Letter {
            to: To::Supervisor,
            content: Content::Anchor {
                anchor: Anchor { seq, mac }.to_string(),
            },
            subject: String::new(),
            conversation_id: String::new(),
            language: "ms".to_owned(),
            expires_at: None,
        };
        self.parts.post.mail(&mut transaction, &letter, now).await?;
        transaction.commit().await?;
        self.parts.post.ring();
        Ok(())
    }
}

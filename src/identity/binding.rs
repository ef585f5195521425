//! A chat that stays bound to a person: who writes there is named, a code still has to be given for what is sensitive.

use uuid::Uuid;

use super::number::{IdentityNumber, Kind};
use super::session::{Redeemed, Returned};
use super::{Identity, Who};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::outbox::{Content, Letter, To};
use crate::storage::binding::{self, BindingRow};
use crate::storage::conversation::ConversationRow;
use crate::storage::proof::{self, ProofRow};
use crate::storage::{Connection, tally};

impl Identity {
    /// Binds a chat to who was proved in it; chats that are one too many are bound no more.
    pub(super) async fn bind(
        &self,
        connection: &mut Connection,
        proved: &ProofRow,
        returned: &Returned,
        contact: &str,
        now: Millis,
    ) -> sqlx::Result<Redeemed> {
        let channel = &proved.channel;
        let known = binding::of_contact(connection, channel, contact, now).await?;
        if known.is_some_and(|known| known.subject == proved.subject) {
            return Ok(Redeemed::default());
        }
        // One at a time, so that two chats at once do not both find room.
        tally::hold(connection, &format!("bindings {}", proved.subject), now).await?;
        binding::end_of_contact(connection, channel, contact, now).await?;
        let others = binding::of_subject(connection, &proved.subject).await?;
        let unbound = if others.len() >= self.limits.bindings {
            binding::end_of_subject(connection, &proved.subject, contact, now).await?
        } else {
            Vec::new()
        };
        let mut ended = Vec::new();
        if !unbound.is_empty() {
            let here = &proved.conversation_id;
            ended = proof::end_of_subject(connection, &proved.subject, here, now).await?;
        }
        let id = Uuid::now_v7().to_string();
        let number = self.identity_number(&returned.row);
        let number = number.and_then(|number| self.seal(&id, &number.reveal()));
        let row = BindingRow {
            id,
            channel: channel.clone(),
            contact: contact.to_owned(),
            kind: proved.kind.clone(),
            subject: proved.subject.clone(),
            last4: proved.last4.clone(),
            person: proved.person.clone(),
            number: number.unwrap_or_default(),
            address_mark: proved.address_mark.clone(),
            bound_at: now,
            expires_at: now + self.limits.binding,
            checked_at: now,
        };
        binding::insert(connection, &row).await?;
        let letter = Letter {
            to: To::Person {
                reference: returned.who.reference.clone(),
                kind: proved.kind.clone(),
            },
            content: Content::Bound {
                who: self.who_asked(&returned.row),
                instead: !unbound.is_empty(),
                at: now,
            },
            subject: proved.subject.clone(),
            conversation_id: String::new(),
            language: returned.row.language.clone(),
            expires_at: None,
        };
        self.notify(connection, &letter, now).await?;
        let entry = Entry::new(Event::Binding, "bound")
            .within(&proved.conversation_id)
            .about(&proved.subject);
        self.audit.record(connection, entry, now).await?;
        Ok(Redeemed {
            bound: true,
            unbound,
            ended,
        })
    }

    /// The number that a chat is bound to, so that a code can be mailed without asking for it again.
    pub async fn bound_number(
        &self,
        connection: &mut Connection,
        conversation: &ConversationRow,
        now: Millis,
    ) -> sqlx::Result<Option<IdentityNumber>> {
        let Some(contact) = &conversation.contact else {
            return Ok(None);
        };
        let row = binding::of_contact(connection, &conversation.channel, contact, now).await?;
        Ok(row.and_then(|row| {
            let number: String = self.open(&row.id, &row.number)?;
            IdentityNumber::parse(Kind::parse(&row.kind)?, &number)
        }))
    }

    /// A binding that the portal did not confirm for a day: whether its person is still served, at the same address.
    pub async fn take_unchecked(
        &self,
        connection: &mut Connection,
        before: Millis,
        now: Millis,
    ) -> sqlx::Result<Option<(BindingRow, Who)>> {
        loop {
            let Some(row) = binding::take_unchecked(connection, before, now).await? else {
                return Ok(None);
            };
            // What nobody can open was sealed with a key that is gone: it binds nobody.
            match self.open(&row.subject, &row.person) {
                Some(who) => return Ok(Some((row, who))),
                None => {
                    binding::end_of_contact(connection, &row.channel, &row.contact, now).await?;
                }
            }
        }
    }
}

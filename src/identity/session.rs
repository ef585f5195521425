//! What a proof gives: a person known in one conversation for a while, and its end.

use super::request::Request;
use super::{CLOCKS_DIFFER, Identity, Who, hash};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::storage::binding;
use crate::storage::conversation::ConversationRow;
use crate::storage::proof::{self, ProofRow};
use crate::storage::verification::{self, VerificationRow};
use crate::storage::{Connection, document_link};

/// A person, known in one conversation.
#[derive(Clone, Debug)]
pub struct Proof {
    /// Its id.
    pub id: String,
    /// Who it is, as a name that tells nothing.
    pub subject: String,
    /// The last four characters of the number.
    pub last4: String,
    /// The person.
    pub who: Who,
    /// Whether it is young enough for what is sensitive.
    pub fresh: bool,
}

/// Who is known in a conversation, and how well.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The proof, while it lasts.
    pub proof: Option<Proof>,
    /// The subject and the last four characters of the number that the chat is bound to.
    pub bound: Option<(String, String)>,
}

impl Standing {
    /// A proof that is young enough for what is sensitive.
    pub fn fresh(&self) -> Option<&Proof> {
        self.proof.as_ref().filter(|proof| proof.fresh)
    }
}

/// A proof on its way back to the chat that asked.
#[derive(Clone, Debug)]
pub struct Returned {
    pub(super) row: VerificationRow,
    /// What the chat asked for.
    pub request: Request,
    /// Who was proved.
    pub who: Who,
    /// The last four characters of the number.
    pub last4: String,
    /// The proof that this will be, or that it will renew.
    pub proof: Proof,
}

impl Returned {
    /// Whether this conversation asked for it.
    pub fn is_of(&self, conversation_id: &str) -> bool {
        self.row.conversation_id == conversation_id
    }
}

/// What a proof changed when it came back.
#[derive(Clone, Debug, Default)]
pub struct Redeemed {
    /// Whether the chat is bound to the person now, and was not before.
    pub bound: bool,
    /// Chats on the same channel that were bound to the person until now.
    pub unbound: Vec<String>,
    /// Conversations that lost a proof with that.
    pub ended: Vec<String>,
}

/// What was ended.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// Conversations that lost a proof.
    pub conversations: Vec<String>,
    /// Chats that lost their binding.
    pub contacts: Vec<String>,
}

/// Where a person is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    /// Chats that are bound to them.
    pub bindings: usize,
    /// Conversations on the web with a live proof.
    pub web: usize,
}

impl Identity {
    /// Who is known in a conversation now.
    pub async fn standing(
        &self,
        connection: &mut Connection,
        conversation: &ConversationRow,
        now: Millis,
    ) -> sqlx::Result<Standing> {
        let proofs = proof::of_conversation(connection, &conversation.id).await?;
        let row = proofs.into_iter().find(|row| self.is_alive(row, now));
        let mut bound = None;
        if let Some(contact) = &conversation.contact {
            let row = binding::of_contact(connection, &conversation.channel, contact, now).await?;
            bound = row.map(|row| (row.subject, row.last4));
        }
        let proof = row.and_then(|row| self.proof(row, now));
        Ok(Standing { proof, bound })
    }

    fn is_alive(&self, row: &ProofRow, now: Millis) -> bool {
        row.ended_at.is_none()
            && now < row.used_at + self.limits.proof_idle
            && now < row.proved_at + self.limits.proof_most
            && row.proved_at <= now + CLOCKS_DIFFER
    }

    fn proof(&self, row: ProofRow, now: Millis) -> Option<Proof> {
        let who: Who = self.open(&row.subject, &row.person)?;
        Some(Proof {
            fresh: now < row.proved_at + self.limits.fresh,
            id: row.id,
            subject: row.subject,
            last4: row.last4,
            who,
        })
    }

    /// The proof that a link was given for, if it is alive.
    pub(super) async fn proof_by_id(
        &self,
        connection: &mut Connection,
        id: &str,
        now: Millis,
    ) -> sqlx::Result<Option<Proof>> {
        let row = proof::by_id(connection, id).await?;
        let row = row.filter(|row| self.is_alive(row, now));
        Ok(row.and_then(|row| self.proof(row, now)))
    }

    /// Whether a proof was not ended.
    pub async fn is_live(
        &self,
        connection: &mut Connection,
        id: &str,
        now: Millis,
    ) -> sqlx::Result<bool> {
        let row = proof::by_id(connection, id).await?;
        Ok(row.is_some_and(|row| self.is_alive(&row, now)))
    }

    /// The ids of the live proofs of a conversation: what others gave is hidden.
    pub async fn live_proofs(
        &self,
        connection: &mut Connection,
        conversation_id: &str,
        now: Millis,
    ) -> sqlx::Result<Vec<String>> {
        let rows = proof::of_conversation(connection, conversation_id).await?;
        let alive = rows.into_iter().filter(|row| self.is_alive(row, now));
        Ok(alive.map(|row| row.id).collect())
    }

    /// The proof that a secret brings back to a conversation; none from anywhere else than the chat that asked, which
    /// is noted.
    pub async fn returned(
        &self,
        conversation_id: &str,
        secret: &str,
    ) -> sqlx::Result<Option<Returned>> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let row = verification::by_return(&mut transaction, &hash(secret)).await?;
        let own = row
            .as_ref()
            .is_some_and(|row| row.conversation_id == conversation_id);
        if !own {
            let subject = row.as_ref().and_then(|row| row.subject.clone());
            let entry = Entry::new(Event::ProofReturned, "refused")
                .within(conversation_id)
                .about(subject.as_deref().unwrap_or_default());
            self.record_refusal(&mut transaction, entry, now).await?;
            transaction.commit().await?;
            return Ok(None);
        }
        let returned = row.and_then(|row| self.returnable(row, now));
        if returned.is_none() {
            let entry = Entry::new(Event::ProofReturned, "dead").within(conversation_id);
            self.record_refusal(&mut transaction, entry, now).await?;
        }
        transaction.commit().await?;
        Ok(returned)
    }

    /// The proof of a request whose code was typed in the chat itself.
    pub async fn returned_by_id(&self, id: &str) -> sqlx::Result<Option<Returned>> {
        let mut connection = self.store.connection().await?;
        let row = verification::by_id(&mut connection, id).await?;
        Ok(row.and_then(|row| self.returnable(row, self.clock.now())))
    }

    fn returnable(&self, row: VerificationRow, now: Millis) -> Option<Returned> {
        let finished = row.finished_at?;
        let waits = row.redeemed_at.is_none() && row.closed_at.is_none();
        let young = now < finished + self.limits.code && finished <= now + CLOCKS_DIFFER;
        if !waits || !young {
            return None;
        }
        let who: Who = self.open(&row.id, row.person.as_deref()?)?;
        let last4 = row.last4.clone()?;
        Some(Returned {
            request: Request::parse(&row.request)?,
            proof: Proof {
                // The request's own id is free to be the proof's.
                id: row.id.clone(),
                subject: row.subject.clone()?,
                last4: last4.clone(),
                who: who.clone(),
                fresh: true,
            },
            who,
            last4,
            row,
        })
    }

    /// Makes a returned proof the conversation's; none if another request was faster.
    pub async fn redeem(
        &self,
        connection: &mut Connection,
        returned: &Returned,
        conversation: &ConversationRow,
        now: Millis,
    ) -> sqlx::Result<Option<Redeemed>> {
        if !verification::redeem(connection, &returned.row.id, now).await? {
            return Ok(None);
        }
        // One person at a time: what an earlier proof gave is hidden from now on.
        proof::end_of_conversation(connection, &conversation.id, now).await?;
        let person = self.seal(&returned.proof.subject, &returned.who);
        let row = ProofRow {
            id: returned.proof.id.clone(),
            conversation_id: conversation.id.clone(),
            channel: conversation.channel.clone(),
            kind: returned.who.kind.as_str().to_owned(),
            subject: returned.proof.subject.clone(),
            last4: returned.last4.clone(),
            person: person.unwrap_or_default(),
            address_mark: returned.who.address_mark.clone(),
            proved_at: now,
            ..ProofRow::default()
        };
        proof::insert(connection, &row).await?;
        let redeemed = match &conversation.contact {
            Some(contact) if returned.who.active => {
                self.bind(connection, &row, returned, contact, now).await?
            }
            Some(_) | None => Redeemed::default(),
        };
        let entry = Entry::new(Event::ProofReturned, "accepted")
            .within(&conversation.id)
            .about(&row.subject);
        self.audit.record(connection, entry, now).await?;
        Ok(Some(redeemed))
    }

    /// Notes that the person of a conversation wrote: what is proved there lasts on.
    pub async fn touch(
        &self,
        connection: &mut Connection,
        conversation_id: &str,
        now: Millis,
    ) -> sqlx::Result<()> {
        proof::touch(
            connection,
            conversation_id,
            now - self.limits.proof_idle,
            now,
        )
        .await
    }

    /// Where a person is known, besides this conversation.
    pub async fn sessions(
        &self,
        connection: &mut Connection,
        subject: &str,
        conversation: &ConversationRow,
        now: Millis,
    ) -> sqlx::Result<Sessions> {
        let proofs = proof::of_subject(connection, subject).await?;
        let web = proofs.iter().filter(|row| {
            row.channel == "web"
                && row.conversation_id != conversation.id
                && self.is_alive(row, now)
        });
        let bindings = binding::of_subject(connection, subject).await?;
        let others = bindings.iter().filter(|row| {
            row.expires_at > now && Some(&row.contact) != conversation.contact.as_ref()
        });
        Ok(Sessions {
            web: web.count(),
            bindings: others.count(),
        })
    }

    /// Ends what is known in a conversation: its proof, its binding, its open requests.
    pub async fn leave(
        &self,
        connection: &mut Connection,
        conversation: &ConversationRow,
        now: Millis,
    ) -> sqlx::Result<()> {
        let mut ended = proof::end_of_conversation(connection, &conversation.id, now).await? > 0;
        verification::close_of_conversation(connection, &conversation.id, now).await?;
        if let Some(contact) = &conversation.contact {
            ended |=
                binding::end_of_contact(connection, &conversation.channel, contact, now).await?;
        }
        if ended {
            let entry = Entry::new(Event::SessionsEnded, "left").within(&conversation.id);
            self.audit.record(connection, entry, now).await?;
        }
        Ok(())
    }

    /// Deletes what is known of a conversation's person there.
    pub async fn forget(
        &self,
        connection: &mut Connection,
        conversation: &ConversationRow,
        now: Millis,
    ) -> sqlx::Result<()> {
        let id = &conversation.id;
        document_link::delete_of_conversation(connection, id).await?;
        proof::delete_of_conversation(connection, id).await?;
        verification::delete_of_conversation(connection, id).await?;
        if let Some(contact) = &conversation.contact {
            binding::delete_of_contact(connection, &conversation.channel, contact).await?;
        }
        let entry = Entry::new(Event::Erased, "erased").within(id);
        self.audit.record(connection, entry, now).await
    }

    /// Ends everything that is known of a person everywhere. That it was done is noted with [`Self::note_ended`], last
    /// in the transaction: whoever holds the end of the record waits for no row.
    pub async fn end_everywhere(
        &self,
        connection: &mut Connection,
        subject: &str,
        now: Millis,
    ) -> sqlx::Result<Ended> {
        let conversations = proof::end_of_subject(connection, subject, "", now).await?;
        let contacts = binding::end_of_subject(connection, subject, "", now).await?;
        verification::close_of_subject(connection, subject, now).await?;
        Ok(Ended {
            conversations,
            contacts,
        })
    }

    /// Records that everything that was known of a person was ended, and why.
    pub async fn note_ended(
        &self,
        connection: &mut Connection,
        subject: &str,
        why: &str,
        now: Millis,
    ) -> sqlx::Result<()> {
        let entry = Entry::new(Event::SessionsEnded, why).about(subject);
        self.audit.record(connection, entry, now).await
    }

    /// Whether the portal still serves a person, at the address that the code went to.
    pub fn is_still(&self, who: &Who, active: bool, address: Option<&str>) -> bool {
        let mark = address.map(|address| self.address_mark(address));
        active && mark.as_deref() == Some(who.address_mark.as_str())
    }

    /// Ends proofs, requests and bindings whose time is over; the conversations that lost a proof.
    pub async fn end_old(
        &self,
        connection: &mut Connection,
        now: Millis,
    ) -> sqlx::Result<Vec<String>> {
        let limits = &self.limits;
        let code_before = now - limits.code;
        verification::close_old(connection, now - limits.code, code_before, now).await?;
        binding::end_expired(connection, now).await?;
        let idle_since = now - limits.proof_idle;
        let proved_since = now - limits.proof_most;
        let latest = now + CLOCKS_DIFFER;
        proof::end_old(connection, idle_since, proved_since, latest, now).await
    }
}

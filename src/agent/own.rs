//! What agents change of their own: the password and the recovery codes. Who has come by an open browser, and does not
//! know the password, changes nothing.

use thiserror::Error;

use super::password::{Password, PasswordRefused};
use super::{Agents, SignInError, SignedIn, hash, recovery_codes};
use crate::audit::{Entry, Event};
use crate::secret::Secret;
use crate::storage::agent::{self, AgentRow};
use crate::storage::agent_session;

/// Why something of one's own is not changed.
#[derive(Debug, Error)]
pub enum OwnError {
    /// The password of now is wrong, or was tried too often.
    #[error(transparent)]
    Proof(#[from] SignInError),
    /// The new password is too weak.
    #[error(transparent)]
    Password(#[from] PasswordRefused),
    /// Something that must work did not.
    #[error("it could not be changed")]
    Failed,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Agents {
    /// Changes the password of somebody who knows the one of now. Every other sign-in of theirs ends; `token` is the
    /// one that goes on.
    pub async fn change_password(
        &self,
        who: &SignedIn,
        token: &str,
        current: Secret,
        chosen: Secret,
        network: &str,
    ) -> Result<(), OwnError> {
        let row = self.proven(who, current, network).await?;
        let chosen = Password::choose(&chosen, &row.username)?;
        let hashed = self.hashed(chosen).await.ok_or(OwnError::Failed)?;
        let were = row.password.unwrap_or_default();
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        if !agent::set_password(&mut transaction, &row.id, &were, &hashed).await? {
            return Err(OwnError::Failed);
        }
        agent_session::delete_others(&mut transaction, &row.id, &hash(token)).await?;
        let entry = Entry::new(Event::Agent, "password").about(&row.id);
        self.audit.record(&mut transaction, entry, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// New recovery codes for somebody who knows the password, told once; the ones before open nothing any more.
    pub async fn renew_recovery_codes(
        &self,
        who: &SignedIn,
        current: Secret,
        network: &str,
    ) -> Result<Vec<String>, OwnError> {
        let row = self.proven(who, current, network).await?;
        let (codes, kept) = recovery_codes();
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        if !agent::use_recovery(&mut transaction, &row.id, &row.recovery, &kept).await? {
            return Err(OwnError::Failed);
        }
        let entry = Entry::new(Event::Agent, "recovery").about(&row.id);
        self.audit.record(&mut transaction, entry, now).await?;
        transaction.commit().await?;
        Ok(codes)
    }

    /// The agent, if the password is theirs; wrong ones count as they do at the door.
    async fn proven(
        &self,
        who: &SignedIn,
        password: Secret,
        network: &str,
    ) -> Result<AgentRow, OwnError> {
        let now = self.clock.now();
        let name = self.counted_as(&who.username);
        let mut transaction = self.store.begin().await?;
        self.admit(&mut transaction, &name, network, now).await?;
        let row = agent::by_id(&mut transaction, &who.id).await?;
        transaction.commit().await?;
        let row = row.filter(|row| row.disabled_at.is_none());
        let row = row.ok_or(SignInError::Over)?;
        if self.verified(row.password.clone(), password).await {
            return Ok(row);
        }
        self.failed(&name, network, "password", now).await?;
        Err(SignInError::Wrong.into())
    }
}

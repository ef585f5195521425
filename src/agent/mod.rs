//! Who works in the console: invited by a one-time link, known by a password and a code of their telephone, for a while.
//! Nothing here tells whether a username exists.

mod own;
pub mod password;
pub mod qr;
pub mod recovery;
pub mod role;
mod sign_in;
pub mod totp;

use std::sync::Arc;

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::audit::{Audit, Entry, Event};
use crate::clock::{Clock, Millis};
use crate::secret::{RandomKey, Sealer, Secret, SecretKey, random_token};
use crate::storage::agent::{self, AgentRow, Enrolment};
use crate::storage::agent_session::{self, AgentSessionRow};
use crate::storage::{Connection, Store, conversation};
use password::{Password, PasswordRefused};
use recovery::RecoveryCode;
use role::{Permission, Role};

pub use own::OwnError;
pub use sign_in::SignInError;

const MINUTE: Millis = 60_000;
/// An invitation holds for so long, in milliseconds.
pub const INVITATION: Millis = 72 * 60 * MINUTE;
/// A sign-in ends after so long without a click, and after so long in any case.
const IDLE: Millis = 15 * MINUTE;
const MOST: Millis = 10 * 60 * MINUTE;
/// Passwords that are checked side by side: each takes memory and time on purpose.
const AT_ONCE: usize = 2;

/// The step of a sign-in that is done.
const IN: &str = "in";

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The agent's id.
    pub id: String,
    /// What they sign in as.
    pub username: String,
    /// How they are named to others.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// `ms` or `en`.
    pub language: String,
    /// Whether they are on duty.
    pub present: bool,
    /// What their forms carry.
    pub csrf: String,
}

impl SignedIn {
    /// Whether they may do something.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.may(permission)
    }
}

/// Why an invitation is not taken up.
#[derive(Debug, Error)]
pub enum EnrolError {
    /// It was used, or is too old, or there is none.
    #[error("the invitation is over")]
    Gone,
    /// The password is too weak.
    #[error(transparent)]
    Password(#[from] PasswordRefused),
    /// The code is not that of the secret shown.
    #[error("the code is wrong")]
    Code,
    /// Something that must work did not.
    #[error("the invitation could not be taken up")]
    Failed,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Why an agent is not added.
#[derive(Debug, Error)]
pub enum AgentError {
    /// A username is 2 to 40 letters, digits, dots, hyphens or underscores.
    #[error("a username has 2 to 40 letters, digits, dots, hyphens or underscores")]
    Username,
    /// There is somebody of that name already.
    #[error("there is an agent of that username already")]
    Taken,
    /// There is nobody of that name.
    #[error("there is no agent of that username")]
    Unknown,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// What somebody needs to take up an invitation.
#[derive(Debug)]
pub struct Invited {
    /// Who is invited.
    pub agent: AgentRow,
    /// The secret for the authenticator, in Base32.
    pub secret: Secret,
    /// The same as an address that authenticators read.
    pub url: Secret,
}

/// New recovery codes, to be shown once, and what is kept of them.
fn recovery_codes() -> (Vec<String>, String) {
    let codes = RecoveryCode::ten();
    let kept: Vec<String> = codes.iter().map(RecoveryCode::hash).collect();
    let shown = codes.iter().map(RecoveryCode::shown).collect();
    (shown, serde_json::to_string(&kept).unwrap_or_default())
}

/// The agents.
pub struct Agents {
    store: Arc<Store>,
    clock: Clock,
    names: RandomKey,
    sealer: Sealer,
    audit: Audit,
    checking: Semaphore,
}

impl Agents {
    /// The agents of a database; `names` outlives a rotation of the secret.
    pub fn new(
        store: Arc<Store>,
        clock: Clock,
        (secret, names): (&SecretKey, &RandomKey),
        audit: Audit,
    ) -> Self {
        Self {
            sealer: secret.sealer("agent"),
            store,
            clock,
            names: names.clone(),
            audit,
            checking: Semaphore::new(AT_ONCE),
        }
    }

    /// Adds an agent; the token of the invitation, which is told once. `by` is the agent who adds, empty for the operator.
    pub async fn add(
        &self,
        username: &str,
        name: &str,
        role: Role,
        by: &str,
    ) -> Result<String, AgentError> {
        let username = username.trim().to_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !(2..=40).contains(&username.len()) || !username.chars().all(plain) {
            return Err(AgentError::Username);
        }
        let now = self.clock.now();
        let row = AgentRow {
            id: Uuid::now_v7().to_string(),
            name: if name.trim().is_empty() {
                username.clone()
            } else {
                name.trim().to_owned()
            },
            username,
            role: role.as_str().to_owned(),
            language: "ms".to_owned(),
            created_at: now,
            ..AgentRow::default()
        };
        let mut transaction = self.store.begin().await?;
        if !agent::insert(&mut transaction, &row).await? {
            return Err(AgentError::Taken);
        }
        let token = self
            .invite(&mut transaction, &row, "added", by, now)
            .await?;
        transaction.commit().await?;
        Ok(token)
    }

    /// Invites an agent anew: the old password and authenticator open nothing any more, and neither do open sign-ins.
    pub async fn reset(&self, username: &str, by: &str) -> Result<String, AgentError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let row = known(&mut transaction, username).await?;
        conversation::release_of(&mut transaction, &row.id).await?;
        agent_session::delete_of(&mut transaction, &row.id).await?;
        let token = self
            .invite(&mut transaction, &row, "reset", by, now)
            .await?;
        transaction.commit().await?;
        Ok(token)
    }

    async fn invite(
        &self,
        connection: &mut Connection,
        row: &AgentRow,
        outcome: &str,
        by: &str,
        now: Millis,
    ) -> sqlx::Result<String> {
        let token = random_token();
        agent::invite(connection, &row.id, &hash(&token), now + INVITATION).await?;
        let detail = format!("{by} {}", row.role);
        let entry = Entry::new(Event::Agent, outcome)
            .about(&row.id)
            .detail(detail.trim());
        self.audit.record(connection, entry, now).await?;
        Ok(token)
    }

    /// Keeps an agent out, at once.
    pub async fn disable(&self, username: &str, by: &str) -> Result<(), AgentError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let row = known(&mut transaction, username).await?;
        conversation::release_of(&mut transaction, &row.id).await?;
        agent::disable(&mut transaction, &row.id, now).await?;
        agent_session::delete_of(&mut transaction, &row.id).await?;
        let entry = Entry::new(Event::Agent, "disabled")
            .about(&row.id)
            .detail(by);
        self.audit.record(&mut transaction, entry, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Everybody, by username.
    pub async fn all(&self) -> sqlx::Result<Vec<AgentRow>> {
        agent::all(&mut *self.store.connection().await?).await
    }

    /// What an invitation shows; none if it does not hold.
    pub async fn invited(&self, token: &str) -> sqlx::Result<Option<Invited>> {
        let now = self.clock.now();
        let mut connection = self.store.connection().await?;
        let row = agent::by_invitation(&mut connection, &hash(token), now).await?;
        Ok(row.map(|agent| {
            let secret = self.enrolment_secret(token);
            let url = totp::url(&secret, &agent.username);
            let url = url.unwrap_or_else(|| Secret::new(String::new()));
            Invited { agent, secret, url }
        }))
    }

    /// The secret that an invitation offers: derived, so that the page shows the same as often as it is opened.
    fn enrolment_secret(&self, token: &str) -> Secret {
        let derived = self.names.tag(&format!("agent totp {token}"));
        let bytes = derived.first_chunk().copied();
        totp::secret(bytes.unwrap_or_default())
    }

    /// Takes up an invitation; the recovery codes, which are told once.
    pub async fn enrol(
        &self,
        token: &str,
        password: Secret,
        code: &str,
    ) -> Result<Vec<String>, EnrolError> {
        let now = self.clock.now();
        let invited = self.invited(token).await?.ok_or(EnrolError::Gone)?;
        let password = Password::choose(&password, &invited.agent.username)?;
        let step = totp::check(&invited.secret, code, now, None).ok_or(EnrolError::Code)?;
        let hashed = self.hashed(password).await.ok_or(EnrolError::Failed)?;
        let sealed = self.sealer.seal(&invited.agent.id, invited.secret.reveal());
        let (codes, kept) = recovery_codes();
        let chosen = Enrolment {
            password: &hashed,
            totp: &sealed.map_err(|_| EnrolError::Failed)?,
            totp_step: step,
            recovery: &kept,
        };
        let mut transaction = self.store.begin().await?;
        if !agent::enrol(&mut transaction, &hash(token), &chosen, now).await? {
            return Err(EnrolError::Gone);
        }
        let entry = Entry::new(Event::Agent, "enrolled").about(&invited.agent.id);
        self.audit.record(&mut transaction, entry, now).await?;
        transaction.commit().await?;
        Ok(codes)
    }

    async fn hashed(&self, password: Password) -> Option<String> {
        let _place = self.checking.acquire().await.ok()?;
        let hashed = tokio::task::spawn_blocking(move || password.hash()).await;
        hashed.ok()?.ok()
    }

    async fn verified(&self, hash: Option<String>, password: Secret) -> bool {
        let Ok(_place) = self.checking.acquire().await else {
            return false;
        };
        let check = move || password::verify(hash.as_deref(), &password);
        tokio::task::spawn_blocking(check).await.unwrap_or(false)
    }

    /// What the tries of a username are counted under.
    fn counted_as(&self, username: &str) -> String {
        self.names.sign(&format!("agent {username}"))
    }

    /// Who a token belongs to; `moves` tells whether a person does something, which keeps the sign-in alive.
    pub async fn signed_in(&self, token: &str, moves: bool) -> sqlx::Result<Option<SignedIn>> {
        let now = self.clock.now();
        let mut connection = self.store.connection().await?;
        let hashed = hash(token);
        let session = agent_session::by_token(&mut connection, &hashed).await?;
        let alive = |row: &AgentSessionRow| {
            row.step == IN && now < row.seen_at + IDLE && now < row.created_at + MOST
        };
        let Some(session) = session.filter(alive) else {
            return Ok(None);
        };
        let row = agent::by_id(&mut connection, &session.agent_id).await?;
        let Some(row) = row.filter(|row| row.disabled_at.is_none()) else {
            return Ok(None);
        };
        if moves && session.seen_at + 1_000 < now {
            agent_session::touch(&mut connection, &hashed, now).await?;
        }
        let Some(role) = Role::parse(&row.role) else {
            return Ok(None);
        };
        Ok(Some(SignedIn {
            id: row.id,
            username: row.username,
            name: row.name,
            role,
            language: row.language,
            present: row.present_at.is_some(),
            csrf: self.names.sign(&format!("csrf {hashed}")),
        }))
    }

    /// Signs out.
    pub async fn sign_out(&self, token: &str) -> sqlx::Result<()> {
        let mut transaction = self.store.begin().await?;
        agent_session::delete(&mut transaction, &hash(token)).await?;
        transaction.commit().await
    }

    /// Signs an agent out everywhere.
    pub async fn sign_out_everywhere(&self, id: &str) -> sqlx::Result<()> {
        let mut transaction = self.store.begin().await?;
        agent_session::delete_of(&mut transaction, id).await?;
        transaction.commit().await
    }

    /// Notes an agent's language.
    pub async fn speak(&self, id: &str, language: &str) -> sqlx::Result<()> {
        agent::set_language(&mut *self.store.connection().await?, id, language).await
    }

    /// Notes whether an agent is on duty.
    pub async fn set_present(&self, id: &str, present: bool) -> sqlx::Result<()> {
        let since = present.then(|| self.clock.now());
        agent::set_present(&mut *self.store.connection().await?, id, since).await
    }

    /// Everybody there is or was: ids and names.
    pub async fn names(&self, connection: &mut Connection) -> sqlx::Result<Vec<(String, String)>> {
        let agents = agent::all(connection).await?;
        Ok(agents.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// Those who may be given a ticket: ids and names.
    pub async fn workers(
        &self,
        connection: &mut Connection,
    ) -> sqlx::Result<Vec<(String, String)>> {
        let agents = agent::all(connection).await?;
        let works = |row: &AgentRow| {
            let role = Role::parse(&row.role);
            row.disabled_at.is_none() && role.is_some_and(|role| role.may(Permission::WorkTicket))
        };
        let agents = agents.into_iter().filter(works);
        Ok(agents.map(|row| (row.id, row.name)).collect())
    }

    /// How somebody is named to others; empty if nobody is known by that id.
    pub async fn name_of(&self, connection: &mut Connection, id: &str) -> sqlx::Result<String> {
        let row = agent::by_id(connection, id).await?;
        Ok(row.map_or_else(String::new, |row| row.name))
    }

    /// The names of those who are on duty.
    pub async fn present(&self) -> sqlx::Result<Vec<String>> {
        let since = self.clock.now() - IDLE;
        agent::present(&mut *self.store.connection().await?, since).await
    }

    /// An account that can be used at once, for a demonstration and for tests; its TOTP secret. It is a stand-in, and not
    /// recorded.
    pub async fn ready(
        &self,
        username: &str,
        name: &str,
        role: Role,
        password: Secret,
    ) -> anyhow::Result<Secret> {
        let now = self.clock.now();
        let hashed = self.hashed(Password::choose(&password, username)?).await;
        let hashed = hashed.context("the password cannot be hashed")?;
        let row = AgentRow {
            id: Uuid::now_v7().to_string(),
            username: username.to_owned(),
            name: name.to_owned(),
            role: role.as_str().to_owned(),
            language: "ms".to_owned(),
            created_at: now,
            ..AgentRow::default()
        };
        let (token, secret) = (random_token(), totp::secret(rand::random()));
        let chosen = Enrolment {
            password: &hashed,
            totp: &self.sealer.seal(&row.id, secret.reveal())?,
            // None was used: the code of now can be used to sign in.
            totp_step: 0,
            recovery: "[]",
        };
        let mut transaction = self.store.begin().await?;
        agent::insert(&mut transaction, &row).await?;
        agent::invite(&mut transaction, &row.id, &hash(&token), now + INVITATION).await?;
        agent::enrol(&mut transaction, &hash(&token), &chosen, now).await?;
        transaction.commit().await?;
        Ok(secret)
    }
}

async fn known(connection: &mut Connection, username: &str) -> Result<AgentRow, AgentError> {
    let username = username.trim().to_lowercase();
    let row = agent::by_username(connection, &username).await?;
    row.ok_or(AgentError::Unknown)
}

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

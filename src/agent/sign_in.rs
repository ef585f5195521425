//! The way in: name and password, then a code. Guesses are counted before they are looked at.

use thiserror::Error;

use super::recovery::RecoveryCode;
use super::{Agents, IN, MINUTE, hash, totp};
use crate::audit::{Entry, Event};
use crate::clock::Millis;
use crate::identity::limits::{self, Window};
use crate::secret::{Secret, random_token};
use crate::storage::Connection;
use crate::storage::agent::{self, AgentRow};
use crate::storage::agent_session::{self, AgentSessionRow};

/// The second factor has to follow within this.
const STEP: Millis = 5 * MINUTE;
/// Wrong passwords or codes of one username, and of one network, before nothing is tried for a while.
const FAILURES: [Window; 2] = [
    Window {
        within: 15 * MINUTE,
        most: 5,
    },
    Window {
        within: 24 * 60 * MINUTE,
        most: 30,
    },
];
const NETWORK_FAILURES: [Window; 1] = [Window {
    within: 15 * MINUTE,
    most: 50,
}];
/// Passwords and codes of one username that are looked at at all.
const TRIES: [Window; 1] = [Window {
    within: 15 * MINUTE,
    most: 20,
}];
/// The step of a sign-in that waits for its code.
const CODE: &str = "code";

/// Why nobody is signed in.
#[derive(Debug, Error)]
pub enum SignInError {
    /// Name, password or code is wrong; which of them is not told.
    #[error("the sign-in is wrong")]
    Wrong,
    /// Too many were wrong: not before a while has passed.
    #[error("too many failures")]
    Wait,
    /// The sign-in took too long, or was ended.
    #[error("the sign-in is over")]
    Over,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Agents {
    /// The first step: name and password. A token for the second, whose time begins.
    pub async fn sign_in(
        &self,
        username: &str,
        password: Secret,
        network: &str,
    ) -> Result<String, SignInError> {
        let now = self.clock.now();
        let username = username.trim().to_lowercase();
        let mut transaction = self.store.begin().await?;
        let name = self.counted_as(&username);
        self.admit(&mut transaction, &name, network, now).await?;
        let row = agent::by_username(&mut transaction, &username).await?;
        transaction.commit().await?;
        let row = row.filter(|row| row.disabled_at.is_none());
        let hash = row.as_ref().and_then(|row| row.password.clone());
        let right = self.verified(hash, password).await;
        match row.filter(|_| right) {
            Some(row) => {
                let mut transaction = self.store.begin().await?;
                let token = self.begin(&mut transaction, &row.id, CODE, now).await?;
                transaction.commit().await?;
                Ok(token)
            }
            None => {
                self.failed(&name, network, "password", now).await?;
                Err(SignInError::Wrong)
            }
        }
    }

    /// Whether one more try is taken.
    pub(super) async fn admit(
        &self,
        connection: &mut Connection,
        name: &str,
        network: &str,
        now: Millis,
    ) -> Result<(), SignInError> {
        let counted = [
            (format!("sign-in {name}"), &FAILURES[..]),
            (format!("sign-in-from {network}"), &NETWORK_FAILURES[..]),
        ];
        for (key, windows) in counted {
            for window in windows {
                let (count, _) = limits::count(connection, &key, window.within, now).await?;
                if count >= window.most {
                    metrics::counter!("tanya_console_sign_ins_total", "outcome" => "locked")
                        .increment(1);
                    return Err(SignInError::Wait);
                }
            }
        }
        // Counted before it is looked at: tries side by side are not more than tries one after another.
        let key = format!("sign-in-try {name}");
        if !limits::take(connection, &key, &TRIES, now).await? {
            return Err(SignInError::Wait);
        }
        Ok(())
    }

    pub(super) async fn failed(
        &self,
        name: &str,
        network: &str,
        what: &str,
        now: Millis,
    ) -> Result<(), SignInError> {
        let mut transaction = self.store.begin().await?;
        let connection = &mut transaction;
        let widest = Window {
            within: 24 * 60 * MINUTE,
            most: 30,
        };
        let count = limits::note(connection, &format!("sign-in {name}"), widest, now).await?;
        let key = format!("sign-in-from {network}");
        let [from] = NETWORK_FAILURES;
        limits::note(connection, &key, from, now).await?;
        // A stranger cannot fill the record.
        if count <= widest.most {
            let entry = Entry::new(Event::SignIn, "wrong").about(name).detail(what);
            self.audit.record(connection, entry, now).await?;
        }
        transaction.commit().await?;
        metrics::counter!("tanya_console_sign_ins_total", "outcome" => "wrong").increment(1);
        Ok(())
    }

    async fn begin(
        &self,
        connection: &mut Connection,
        agent_id: &str,
        step: &str,
        now: Millis,
    ) -> sqlx::Result<String> {
        let token = random_token();
        let row = AgentSessionRow {
            agent_id: agent_id.to_owned(),
            step: step.to_owned(),
            created_at: now,
            seen_at: now,
        };
        agent_session::insert(connection, &hash(&token), &row).await?;
        Ok(token)
    }

    /// The second step: a code of the authenticator, or a recovery code. A token of its own: what the first step's cookie
    /// was is worth nothing any more.
    pub async fn second(
        &self,
        token: &str,
        code: &str,
        network: &str,
    ) -> Result<String, SignInError> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let session = agent_session::by_token(&mut transaction, &hash(token)).await?;
        let session = session.filter(|row| row.step == CODE && now < row.created_at + STEP);
        let session = session.ok_or(SignInError::Over)?;
        let row = agent::by_id(&mut transaction, &session.agent_id).await?;
        let row = row
            .filter(|row| row.disabled_at.is_none())
            .ok_or(SignInError::Over)?;
        let name = self.counted_as(&row.username);
        self.admit(&mut transaction, &name, network, now).await?;
        let how = self.use_code(&mut transaction, &row, code, now).await?;
        let Some(how) = how else {
            transaction.commit().await?;
            self.failed(&name, network, "code", now).await?;
            return Err(SignInError::Wrong);
        };
        if !agent_session::delete(&mut transaction, &hash(token)).await? {
            return Err(SignInError::Over);
        }
        let token = self.begin(&mut transaction, &row.id, IN, now).await?;
        agent::set_present(&mut transaction, &row.id, Some(now)).await?;
        let entry = Entry::new(Event::SignIn, "in").about(&row.id).detail(how);
        self.audit.record(&mut transaction, entry, now).await?;
        transaction.commit().await?;
        metrics::counter!("tanya_console_sign_ins_total", "outcome" => "in").increment(1);
        Ok(token)
    }

    /// Uses a code up; how, if it was right.
    async fn use_code(
        &self,
        connection: &mut Connection,
        row: &AgentRow,
        code: &str,
        now: Millis,
    ) -> sqlx::Result<Option<&'static str>> {
        let secret = row.totp.as_deref();
        let secret = secret.and_then(|sealed| self.sealer.open(&row.id, sealed).ok());
        let secret = secret.map(Secret::new);
        let step = secret.and_then(|secret| totp::check(&secret, code, now, Some(row.totp_step)));
        if let Some(step) = step {
            let used = agent::use_step(connection, &row.id, step).await?;
            return Ok(used.then_some("totp"));
        }
        let kept: Vec<String> = serde_json::from_str(&row.recovery).unwrap_or_default();
        let given = RecoveryCode::parse(code);
        let Some(spent) = given.as_ref().and_then(|given| given.among(&kept)) else {
            return Ok(None);
        };
        let left: Vec<&String> = kept.iter().filter(|kept| *kept != spent).collect();
        let left = serde_json::to_string(&left).unwrap_or_default();
        let used = agent::use_recovery(connection, &row.id, &row.recovery, &left).await?;
        Ok(used.then_some("recovery"))
    }
}

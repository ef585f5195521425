//! Who somebody is, proved by a code to the mailbox on record, until when; and how much may be tried. Nothing here knows
//! the portal, a page or a sentence; nothing before a proof differs between numbers that are known and those that are not.

mod binding;
mod code;
mod disavowal;
mod guess;
pub mod limits;
pub mod link;
pub mod number;
pub mod request;
mod session;
mod verification;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::audit::{Audit, Entry, Event};
use crate::clock::{Clock, Millis};
use crate::key_ring::KeyRing;
use crate::outbox::Post;
use crate::secret::{RandomKey, Sealer, SecretKey, same};
use crate::storage::{Connection, Store};
use limits::Limits;
use number::{IdentityNumber, Kind};

pub use guess::Finished;
pub use session::{Ended, Proof, Redeemed, Returned, Sessions, Standing};
pub use verification::{About, Asked, Opened, Started, Step};

/// How far the clocks of processes may differ; what was made later than that ahead was made before a clock was set back.
const CLOCKS_DIFFER: Millis = 60_000;

/// Proves who people are.
pub struct Identity {
    /// The database.
    store: Arc<Store>,
    /// The time.
    clock: Clock,
    secret: SecretKey,
    sealer: Sealer,
    keys: KeyRing,
    /// The record.
    audit: Audit,
    post: Arc<Post>,
    /// How much may be asked and guessed.
    pub limits: Limits,
    public_url: String,
}

/// What it is made of.
pub struct Parts {
    /// The database.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Clock,
    /// What codes, tokens and seals are derived from.
    pub secret: SecretKey,
    /// The keys that outlive it.
    pub keys: KeyRing,
    /// What takes mails.
    pub post: Arc<Post>,
    /// How much may be asked and guessed.
    pub limits: Limits,
    /// How users reach the public listener, without a slash at the end.
    pub public_url: String,
}

/// Why something is refused. Nothing of it depends on whether a number is known.
#[derive(Debug, Error)]
pub enum Refused {
    /// The token is spent, expired or unknown.
    #[error("the link is gone")]
    Gone,
    /// It is not the code.
    #[error("the code is wrong")]
    WrongCode {
        /// Guesses that are left.
        left: usize,
    },
    /// The code is too old.
    #[error("the code has expired")]
    Expired,
    /// Too many failures.
    #[error("too many failures")]
    Locked,
    /// Too many failures: not before this time has passed, in milliseconds.
    #[error("too many failures at once")]
    Wait(Millis),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Who is behind a number, as the portal knows them.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Who {
    /// The portal's own name for the person.
    pub reference: String,
    /// As whom.
    pub kind: Kind,
    /// The name.
    pub name: String,
    /// Whether the portal serves the person.
    pub active: bool,
    /// Tells whether the e-mail address is still the same.
    pub address_mark: String,
}

/// Who asks: what limits are counted under.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// A name for the chat.
    pub chat: String,
    /// The subject that the chat is bound to.
    pub bound: Option<String>,
    /// The network, where one is known.
    pub network: Option<AskingNetwork>,
}

impl Asker {
    fn is_bound_to(&self, subject: &str) -> bool {
        self.bound.as_deref() == Some(subject)
    }
}

/// A network that somebody asks from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskingNetwork {
    /// A name for it that does not tell it.
    pub name: String,
    /// How many times wider its limits are: offices share an address.
    pub factor: usize,
}

impl Identity {
    /// Made of these parts.
    pub fn new(parts: Parts) -> Self {
        Self {
            sealer: parts.secret.sealer("identity"),
            audit: Audit::new(parts.keys.audit.clone()),
            store: parts.store,
            clock: parts.clock,
            secret: parts.secret,
            keys: parts.keys,
            post: parts.post,
            limits: parts.limits,
            public_url: parts.public_url,
        }
    }

    /// Now, as this sees it.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The key under which names stand that tell nothing.
    pub fn names(&self) -> &RandomKey {
        &self.keys.identity
    }

    /// The address at which somebody goes on with a ticket that an officer opened for them.
    pub fn claim_url(&self, number: &str) -> String {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let token = self.claim_token(&digits);
        format!("{}/chat#tk{digits}-{token}", self.public_url)
    }

    /// The digits of the ticket's number that a token was given out for; none if nobody gave it out.
    pub fn claimed(&self, token: &str) -> Option<String> {
        let (digits, given) = token.strip_prefix("tk")?.split_once('-')?;
        let plain = digits.len() == 11 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let right = same(self.claim_token(digits).as_bytes(), given.as_bytes());
        (plain && right).then(|| digits.to_owned())
    }

    /// It stands on paper for as long as the ticket is open: a rotation of the secret does not change it.
    fn claim_token(&self, digits: &str) -> String {
        self.keys.counted.sign(&format!("claim {digits}"))
    }

    /// The key under which limits are counted and pages are signed.
    pub fn counted(&self) -> &RandomKey {
        &self.keys.counted
    }

    /// The record of sensitive steps.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// A name for the person of a number: the same for ever, and worthless without the key.
    pub fn subject(&self, number: &IdentityNumber) -> String {
        let kind = number.kind().as_str();
        let name = format!("{kind} {}", number.reveal());
        self.keys.identity.sign(&name)
    }

    /// Tells later whether an e-mail address is still the same, and nothing else.
    pub fn address_mark(&self, address: &str) -> String {
        let address = format!("address {}", address.trim().to_lowercase());
        self.keys.identity.sign(&address)
    }

    /// A name for a chat that does not tell it: its contact where the channel has one, else the conversation.
    pub fn chat(&self, channel: &str, contact: Option<&str>, conversation_id: &str) -> String {
        let contact = contact.unwrap_or(conversation_id);
        self.keys
            .identity
            .sign(&format!("chat {channel} {contact}"))
    }

    /// Records a refusal that anybody can cause, unless there were too many of late.
    async fn record_refusal(
        &self,
        connection: &mut Connection,
        entry: Entry<'_>,
        now: Millis,
    ) -> sqlx::Result<()> {
        let event = entry.event.as_str();
        if self.limits.is_worth_a_line(connection, event, now).await? {
            return self.audit.record(connection, entry, now).await;
        }
        metrics::counter!("tanya_refusals_unrecorded_total").increment(1);
        Ok(())
    }

    /// Records that a page's button was not pressed by a person.
    pub async fn note_unpressed(&self) -> sqlx::Result<()> {
        let now = self.clock.now();
        let mut transaction = self.store.begin().await?;
        let entry = Entry::new(Event::LinkOpened, "not-pressed");
        self.record_refusal(&mut transaction, entry, now).await?;
        transaction.commit().await
    }

    /// The token of a row: derived, so that it stands nowhere; now and before the last rotation.
    fn tokens(&self, purpose: Purpose, id: &str) -> impl Iterator<Item = String> + use<> {
        let derived = self.secret.derived(purpose.as_str(), id);
        derived.map(|token| URL_SAFE_NO_PAD.encode(token))
    }

    fn token(&self, purpose: Purpose, id: &str) -> String {
        self.tokens(purpose, id).next().unwrap_or_default()
    }

    fn seal<T: Serialize>(&self, about: &str, value: &T) -> Option<String> {
        let text = serde_json::to_string(value).ok()?;
        self.sealer.seal(about, &text).ok()
    }

    fn open<T: for<'de> Deserialize<'de>>(&self, about: &str, sealed: &str) -> Option<T> {
        let text = self.sealer.open(about, sealed).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Verify,
    Return,
    Link,
    Disavow,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify token",
            Self::Return => "return secret",
            Self::Link => "link token",
            Self::Disavow => "disavow token",
        }
    }
}

/// What is kept of a token.
fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

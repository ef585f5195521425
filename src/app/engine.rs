//! The engine and what it shares with others, put together from the settings; commands need it without a server.

use std::sync::Arc;

use anyhow::Context;

use super::demo::beside_database;
use crate::bell::Bells;
use crate::clock::Clock;
use crate::config::Settings;
use crate::conversation::{self, Bounds, Engine};
use crate::identity::{self, Identity};
use crate::incident::Incidents;
use crate::key_ring::KeyRing;
use crate::knowledge::live::LiveKnowledge;
use crate::outbox::Post;
use crate::portal::Portal;
use crate::secret::SecretKey;
use crate::storage::Store;
use crate::storage::pace::Rate;

/// The bounds of conversations, by the settings.
pub fn bounds(settings: &Settings) -> Bounds {
    let limits = &settings.limits;
    let messages = i64::try_from(limits.chat_messages).unwrap_or(i64::MAX);
    Bounds {
        chat_idle: limits.chat_idle,
        transcript_days: limits.transcript_days,
        rate: Rate {
            every: 60_000 / messages.max(1),
            burst: messages,
        },
    }
}

/// What the engine is made of, besides the settings.
pub struct Parts {
    /// The database.
    pub store: Arc<Store>,
    /// What is known.
    pub knowledge: Arc<LiveKnowledge>,
    /// The time.
    pub clock: Clock,
    /// How users reach the public listener.
    pub public_url: String,
    /// The portal, if there is one.
    pub portal: Option<Arc<Portal>>,
}

/// The engine, and what it shares with others.
pub struct Core {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Who people are.
    pub identity: Arc<Identity>,
    /// Knows how the two systems are.
    pub incidents: Arc<Incidents>,
    /// What takes mails and errands.
    pub post: Arc<Post>,
    /// Wakes those who carry.
    pub bells: Arc<Bells>,
    /// What every key is derived from.
    pub secret_key: SecretKey,
}

/// Puts the engine together.
pub async fn core(settings: &Settings, parts: Parts) -> anyhow::Result<Core> {
    let secret_key = secret_key(settings)?;
    let bells = Arc::new(Bells::default());
    let (store, clock) = (parts.store, parts.clock);
    let keys = KeyRing::open(&store, &secret_key, &clock).await?;
    let post = Post::new(Arc::clone(&store), Arc::clone(&bells), &secret_key);
    let post = Arc::new(post);
    let identity = Arc::new(Identity::new(identity::Parts {
        store: Arc::clone(&store),
        clock: clock.clone(),
        secret: secret_key.clone(),
        keys,
        post: Arc::clone(&post),
        limits: settings.identity.clone(),
        public_url: parts.public_url,
    }));
    let incidents = Arc::new(Incidents {
        store: Arc::clone(&store),
        clock: clock.clone(),
        rules: settings.incidents.clone(),
    });
    let engine = Arc::new(Engine::new(conversation::Parts {
        store,
        knowledge: parts.knowledge,
        clock,
        bounds: bounds(settings),
        bells: Arc::clone(&bells),
        identity: Arc::clone(&identity),
        portal: parts.portal,
        incidents: Arc::clone(&incidents),
        post: Arc::clone(&post),
        ticket_sealer: secret_key.sealer("ticket"),
        typed_proof: settings.typed_proof,
    }));
    Ok(Core {
        engine,
        identity,
        incidents,
        post,
        bells,
        secret_key,
    })
}

/// The deployment's secret; a demonstration makes one beside its database.
pub fn secret_key(settings: &Settings) -> anyhow::Result<SecretKey> {
    if let Some(key) = &settings.secret_key {
        return Ok(key.clone());
    }
    let path = beside_database(settings, "secret.key");
    SecretKey::in_file(&path).with_context(|| format!("{} cannot be used", path.display()))
}

/// The secret of a deployment that there is already; none if nobody gave or kept it.
pub fn kept_secret_key(settings: &Settings) -> anyhow::Result<Option<SecretKey>> {
    let kept = beside_database(settings, "secret.key").exists();
    match settings.secret_key.is_some() || kept {
        true => secret_key(settings).map(Some),
        false => Ok(None),
    }
}

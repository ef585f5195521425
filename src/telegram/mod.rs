//! Telegram: updates in, messages out, through teloxide. What comes is kept before it is acknowledged, what goes is
//! written down before it is sent; nothing here decides what is said.

mod api;
mod button;
mod claiming;
mod courtesy;
pub mod examine;
mod group;
mod handling;
mod identity;
mod inbox;
mod picture;
mod polling;
mod sending;
mod text;
mod update;
mod webhook;

pub use webhook::webhook_url;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::bell::Bells;
use crate::clock::Clock;
use crate::config::{Role, TelegramMode, TelegramSettings};
use crate::conversation::Engine;
use crate::knowledge::live::LiveKnowledge;
use crate::secret::{RandomKey, SecretKey};
use crate::storage::Store;
use courtesy::Courtesy;
use handling::Handling;
use identity::Whoami;
use inbox::Inbox;
use polling::Polling;
use sending::Sending;
use webhook::Webhook;

/// How many chats are handled, and sent to, at the same time in one process.
const AT_ONCE: usize = 8;

/// The bot's name, once it is known: pages lead back to it.
#[derive(Debug, Default)]
pub struct BotName(arc_swap::ArcSwapOption<String>);

impl BotName {
    /// The name, if it is known.
    pub fn current(&self) -> Option<String> {
        self.0.load().as_deref().cloned()
    }

    fn set(&self, name: &str) {
        self.0.store(Some(Arc::new(name.to_owned())));
    }
}

/// What the channel works with.
pub struct Parts {
    /// The database.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Clock,
    /// What answers.
    pub engine: Arc<Engine>,
    /// The answers for groups and the words on buttons.
    pub knowledge: Arc<LiveKnowledge>,
    /// Wakes the tasks.
    pub bells: Arc<Bells>,
    /// Where the bot's name is told to others.
    pub bot_name: Arc<BotName>,
    /// Seals what came in.
    pub secret_key: SecretKey,
    /// Names chats without telling them.
    pub names: RandomKey,
    /// How users reach the public listener.
    pub public_url: String,
    /// How long the body of a request may take.
    pub body_timeout: Duration,
    /// What this process does.
    pub role: Role,
}

/// The channel, ready to run.
pub struct Telegram {
    settings: TelegramSettings,
    parts: Parts,
    inbox: Inbox,
    bot: teloxide::Bot,
    polling_bot: teloxide::Bot,
}

impl Telegram {
    /// A channel over a bot; nothing is asked of Telegram yet.
    pub fn new(settings: &TelegramSettings, parts: Parts) -> anyhow::Result<Self> {
        let whoami = Whoami::of_token(settings.token.reveal());
        let inbox = Inbox {
            store: Arc::clone(&parts.store),
            clock: parts.clock.clone(),
            sealer: parts.secret_key.sealer("inbound"),
            names: parts.names.clone(),
            bells: Arc::clone(&parts.bells),
            source: format!("telegram:{}", whoami.identity().id),
        };
        Ok(Self {
            settings: settings.clone(),
            inbox,
            bot: api::bot(settings, Duration::ZERO)?,
            polling_bot: api::bot(settings, api::POLL)?,
            parts,
        })
    }

    /// What is answered over HTTP: where updates are brought, in a process that takes requests.
    pub fn routes(&self) -> Router {
        self.webhook().map_or_else(Router::new, Webhook::routes)
    }

    fn webhook(&self) -> Option<Webhook> {
        match &self.settings.mode {
            TelegramMode::Webhook { secret, old } if self.parts.role != Role::Worker => {
                Some(Webhook {
                    inbox: self.inbox.clone(),
                    secret: secret.clone(),
                    old: old.clone(),
                    body_timeout: self.parts.body_timeout,
                })
            }
            TelegramMode::Webhook { .. } | TelegramMode::Polling => None,
        }
    }

    /// Starts what this process has to do.
    pub fn spawn(self, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        if let Some(webhook) = self.webhook() {
            let (bot, url) = (self.bot.clone(), self.parts.public_url.clone());
            tasks.spawn(webhook.announce(bot, url, stop.clone()));
        }
        let whoami = Arc::new(Whoami::of_token(self.settings.token.reveal()));
        let introduced = Arc::clone(&whoami);
        let (bot, knowledge) = (self.bot.clone(), Arc::clone(&self.parts.knowledge));
        let (stopped, name) = (stop.clone(), Arc::clone(&self.parts.bot_name));
        tasks.spawn(async move { introduced.introduce(&bot, &knowledge, &name, stopped).await });
        if self.parts.role == Role::Web {
            return;
        }
        if matches!(self.settings.mode, TelegramMode::Polling) {
            let polling = Polling {
                bot: self.polling_bot.clone(),
                inbox: self.inbox.clone(),
            };
            tasks.spawn(polling.run(stop.clone()));
        }
        let courtesy = Courtesy::new(
            self.bot.clone(),
            Arc::clone(&self.parts.store),
            self.parts.clock.clone(),
            self.inbox.source.clone(),
        );
        let gate = Arc::default();
        for _ in 0..AT_ONCE {
            let handling = Handling {
                bot: self.bot.clone(),
                courtesy: courtesy.clone(),
                inbox: self.inbox.clone(),
                engine: Arc::clone(&self.parts.engine),
                knowledge: Arc::clone(&self.parts.knowledge),
                whoami: Arc::clone(&whoami),
                gate: Arc::clone(&gate),
            };
            tasks.spawn(handling.run(stop.clone()));
            let sending = Sending {
                bot: self.bot.clone(),
                inbox: self.inbox.clone(),
                engine: Arc::clone(&self.parts.engine),
                knowledge: Arc::clone(&self.parts.knowledge),
            };
            tasks.spawn(sending.run(stop.clone()));
        }
    }
}

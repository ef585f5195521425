//! The composition root: from settings to running tasks, and down again. The one file that knows everything.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::bell::Bells;
use crate::clock::Clock;
use crate::config::{Mode, Settings};
use crate::conversation::{Bounds, Engine};
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::source::Source;
use crate::knowledge::{LoadOptions, Strictness};
use crate::news;
use crate::retention::Retention;
use crate::secret::SecretKey;
use crate::storage::pace::Rate;
use crate::storage::{Store, inbound, lease, outbox};
use crate::telegram::{self, Telegram};
use crate::web::admin::AdminState;
use crate::web::limit::{Streams, WebLimits};
use crate::web::pages::Site;
use crate::web::server::Server;
use crate::web::{self, Web};

/// How often figures are condensed, so that they stay small when nobody asks for them.
const CONDENSE_EVERY: Duration = Duration::from_secs(5);

/// How often is looked whether the clock was set back.
const HEAL_EVERY: Duration = Duration::from_secs(60);

/// The program at work.
pub struct App {
    /// Where the public listener is.
    pub http_addr: SocketAddr,
    /// Where the operator's listener is.
    pub admin_addr: SocketAddr,
    /// How users reach the public listener, without a slash at the end.
    pub public_url: String,
    /// The time as this program sees it.
    pub clock: Clock,
    knowledge: Arc<LiveKnowledge>,
    store: Arc<Store>,
    /// What deletes old transcripts.
    pub retention: Retention,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl App {
    /// Starts everything; refuses bad knowledge, a database that is taken, and addresses in use.
    pub async fn start(settings: &Settings) -> anyhow::Result<Self> {
        web::metrics::collect();
        let clock = Clock::shifted(settings.clock_offset_ms);
        let knowledge = load_knowledge(settings, &clock).await?;
        let store = Arc::new(Store::open(&settings.database_url).await?);
        take_over(&store, &clock).await?;
        let http = listen(settings.http_addr).await?;
        let admin = listen(settings.admin_addr).await?;
        let (http_addr, admin_addr) = (http.local_addr()?, admin.local_addr()?);
        let site = site(settings, http_addr);
        let public_url = site.public_url.clone();

        let secret_key = secret_key(settings)?;
        let bells = Arc::new(Bells::default());
        let engine = Arc::new(Engine::new(
            Arc::clone(&store),
            Arc::clone(&knowledge),
            clock.clone(),
            bounds(settings),
            Arc::clone(&bells),
        ));
        let stop = CancellationToken::new();
        let telegram = settings.telegram.as_ref().map(|telegram| {
            let parts = telegram::Parts {
                store: Arc::clone(&store),
                clock: clock.clone(),
                engine: Arc::clone(&engine),
                knowledge: Arc::clone(&knowledge),
                bells,
                secret_key: secret_key.clone(),
                public_url: public_url.clone(),
                body_timeout: settings.limits.body,
                role: settings.role,
            };
            Telegram::new(telegram, parts)
        });
        let telegram = telegram.transpose()?;
        let public = web::router(Web {
            engine: Arc::clone(&engine),
            knowledge: Arc::clone(&knowledge),
            site,
            limits: WebLimits {
                store: Arc::clone(&store),
                clock: clock.clone(),
                secret_key,
                office_networks: settings.office_networks.clone(),
                trusted_proxies: settings.trusted_proxies.clone(),
                new_chats: settings.limits.new_chats,
                streams: Streams::new(settings.limits.chat_streams),
            },
            channels: telegram.as_ref().map(Telegram::routes).unwrap_or_default(),
            body_timeout: settings.limits.body,
            stop: stop.clone(),
        });
        let operator = web::admin::router(AdminState {
            store: Arc::clone(&store),
            knowledge: Arc::clone(&knowledge),
        });
        let server = |app| {
            Server::new(
                app,
                settings.limits.clone(),
                settings.office_networks.clone(),
                settings.trusted_proxies.clone(),
            )
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(server(public).run(http, stop.clone()));
        tasks.spawn(server(operator).run(admin, stop.clone()));
        tasks.spawn(news::follow(Arc::clone(&store), engine, stop.clone()));
        if let Some(telegram) = telegram {
            telegram.spawn(&mut tasks, &stop);
        }
        tasks.spawn(Arc::clone(&knowledge).watch(stop.clone()));
        let retention = Retention {
            store: Arc::clone(&store),
            clock: clock.clone(),
            transcript_days: settings.limits.transcript_days,
        };
        tasks.spawn(retention.clone().run(stop.clone()));
        tasks.spawn(condense(stop.clone()));
        tasks.spawn(heal(Arc::clone(&store), clock.clone(), stop.clone()));
        Ok(Self {
            http_addr,
            admin_addr,
            public_url,
            clock,
            knowledge,
            store,
            retention,
            tasks,
            stop,
        })
    }

    /// Has the knowledge files read again.
    pub fn reload(&self) {
        self.knowledge.ask_for_reload();
    }

    /// Comes back when a part of the program broke: what is left of it cannot be trusted to do everything.
    pub async fn broken(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if ended.is_err() {
                return;
            }
        }
    }

    /// Stops accepting, finishes what was accepted, closes the database.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.store.close().await;
    }
}

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

/// The deployment's secret; a demonstration makes one beside its database.
fn secret_key(settings: &Settings) -> anyhow::Result<SecretKey> {
    if let Some(key) = &settings.secret_key {
        return Ok(key.clone());
    }
    let database = settings.database_url.strip_prefix("sqlite://");
    let folder = database.and_then(|path| Path::new(path).parent());
    let path = folder.unwrap_or(Path::new("data")).join("secret.key");
    SecretKey::in_file(&path).with_context(|| format!("{} cannot be used", path.display()))
}

async fn load_knowledge(settings: &Settings, clock: &Clock) -> anyhow::Result<Arc<LiveKnowledge>> {
    let source = Source::folder_or_embedded(&settings.knowledge_dir);
    let options = LoadOptions {
        contacts: settings.contacts.clone(),
        today: clock.today(),
        review_days: settings.review_days,
        strictness: Strictness::Full,
    };
    let clock = clock.clone();
    let loaded =
        tokio::task::spawn_blocking(move || LiveKnowledge::start(source, options, clock)).await?;
    let (knowledge, warnings) = loaded.map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the knowledge is refused\n{}", lines.join("\n"))
    })?;
    for warning in warnings {
        tracing::warn!(
            file = warning.file,
            line = warning.line,
            problem = warning.message,
            repair = warning.repair,
            "knowledge"
        );
    }
    Ok(knowledge)
}

/// What a process that is gone had claimed is free at once, where no other can be at work on it.
async fn take_over(store: &Store, clock: &Clock) -> sqlx::Result<()> {
    if !store.is_alone() {
        return Ok(());
    }
    let mut transaction = store.begin().await?;
    inbound::take_over(&mut transaction, clock.now()).await?;
    outbox::take_over(&mut transaction, clock.now()).await?;
    lease::take_over(&mut transaction).await?;
    transaction.commit().await
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))
}

/// In the demo the sample page is at 127.0.0.1 and the widget at localhost, so that they are two origins as in real life.
fn site(settings: &Settings, http_addr: SocketAddr) -> Site {
    let port = http_addr.port();
    let public_url = match &settings.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("http://localhost:{port}"),
    };
    let mut allowed_origins = settings.allowed_origins.clone();
    if settings.mode == Mode::Demo && allowed_origins.is_empty() {
        allowed_origins = vec![format!("http://127.0.0.1:{port}"), public_url.clone()];
    }
    Site {
        public_url,
        allowed_origins,
        demo: settings.mode == Mode::Demo,
    }
}

/// What a clock that was set back put far off is due again.
async fn heal(store: Arc<Store>, clock: Clock, stop: CancellationToken) {
    while tokio::time::timeout(HEAL_EVERY, stop.cancelled())
        .await
        .is_err()
    {
        if let Err(error) = try_heal(&store, &clock).await {
            tracing::error!(%error, "what is put off could not be looked at");
        }
    }
}

async fn try_heal(store: &Store, clock: &Clock) -> sqlx::Result<()> {
    let mut transaction = store.begin().await?;
    inbound::heal(&mut transaction, clock.now()).await?;
    outbox::heal(&mut transaction, clock.now()).await?;
    transaction.commit().await
}

async fn condense(stop: CancellationToken) {
    while tokio::time::timeout(CONDENSE_EVERY, stop.cancelled())
        .await
        .is_err()
    {
        if let Some(handle) = web::metrics::collect() {
            handle.run_upkeep();
        }
    }
}

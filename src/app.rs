//! The composition root: from settings to running tasks, and down again. The one file that knows everything.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::agent::Agents;
use crate::agent::role::Role as AgentRole;
use crate::announcement::Announcements;
use crate::bell::Bells;
use crate::clock::{Clock, Millis};
use crate::config::{Mode, PortalSettings, Role, Settings};
use crate::conversation::{self, Bounds, Engine};
use crate::edition::Editions;
use crate::edition::proposal::Proposals;
use crate::identity::{self, Identity};
use crate::incident::Incidents;
use crate::key_ring::KeyRing;
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::source::Source;
use crate::knowledge::{LoadOptions, Strictness};
use crate::mail::Mailer;
use crate::mail::inbox::Inbox;
use crate::mail::smtp::Smtp;
use crate::news;
use crate::outbox::Post;
use crate::portal::Portal;
use crate::portal::simulator::Simulator;
use crate::question::Questions;
use crate::rekey::Rekey;
use crate::retention::Retention;
use crate::rights::Rights;
use crate::secret::{self, Secret, SecretKey};
use crate::storage::pace::Rate;
use crate::storage::{Store, inbound, lease, outbox};
use crate::telegram::{self, BotName, Telegram};
use crate::web::admin::AdminState;
use crate::web::demo::Demo;
use crate::web::limit::{Streams, Uploads, WebLimits};
use crate::web::pages::Site;
use crate::web::server::Server;
use crate::web::{self, Web};
use crate::worker::{self, Probes, Worker};

/// How often figures are condensed, so that they stay small when nobody asks for them.
const CONDENSE_EVERY: Duration = Duration::from_secs(5);

/// How often is looked whether the clock was set back.
const HEAL_EVERY: Duration = Duration::from_secs(60);

/// Clocks that differ by more than this, in milliseconds, are told of.
const CLOCKS_DIFFER: Millis = 30_000;

/// The program at work.
pub struct App {
    /// Where the public listener is.
    pub http_addr: SocketAddr,
    /// Where the operator's listener is.
    pub admin_addr: SocketAddr,
    /// How users reach the public listener, without a slash at the end.
    pub public_url: String,
    /// Where the demo's simulator of the portal is.
    pub simulator_url: Option<String>,
    /// Who works in the console.
    pub agents: Arc<Agents>,
    /// The demonstration's first account.
    pub demo_account: Option<DemoAccount>,
    /// The time as this program sees it.
    pub clock: Clock,
    knowledge: Arc<LiveKnowledge>,
    store: Arc<Store>,
    /// What deletes old transcripts.
    pub retention: Retention,
    /// What persons may ask about their data.
    pub rights: Arc<Rights>,
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

        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let stand_in = stand_in(settings, &clock, &mut tasks, &stop).await?;
        let portal = portal(settings, stand_in.as_ref(), &clock)?;
        let parts = Parts {
            store: Arc::clone(&store),
            knowledge: Arc::clone(&knowledge),
            clock: clock.clone(),
            public_url: public_url.clone(),
            portal: portal.clone(),
        };
        let Core {
            engine,
            identity,
            incidents,
            post,
            bells,
            secret_key,
        } = core(settings, parts).await?;
        let agents = Arc::new(Agents::new(
            Arc::clone(&store),
            clock.clone(),
            (&secret_key, identity.counted()),
            identity.audit().clone(),
        ));
        let editions = Arc::new(Editions {
            store: Arc::clone(&store),
            knowledge: Arc::clone(&knowledge),
            audit: identity.audit().clone(),
        });
        let questions = Arc::new(Questions {
            store: Arc::clone(&store),
            knowledge: Arc::clone(&knowledge),
            clock: clock.clone(),
        });
        let proposals = Arc::new(Proposals::new(Arc::clone(&editions), clock.clone()));
        let announcements = Arc::new(Announcements {
            store: Arc::clone(&store),
            clock: clock.clone(),
            audit: identity.audit().clone(),
            chat_idle: settings.limits.chat_idle,
        });
        let rights = Arc::new(Rights::new(
            Arc::clone(&store),
            clock.clone(),
            Arc::clone(&identity),
            secret_key.sealer("ticket"),
        ));
        let retention = Retention {
            store: Arc::clone(&store),
            clock: clock.clone(),
            audit: identity.audit().clone(),
            periods: settings.periods,
        };
        let (mailer, inbox) = mailer(settings, &public_url)?;
        let worker = Worker::new(worker::Parts {
            store: Arc::clone(&store),
            clock: clock.clone(),
            bells: Arc::clone(&bells),
            engine: Arc::clone(&engine),
            identity: Arc::clone(&identity),
            incidents: Arc::clone(&incidents),
            probes: Probes::new(&incidents.rules)?,
            knowledge: Arc::clone(&knowledge),
            post,
            mailer,
            portal: portal.clone(),
            offices: settings.offices.clone(),
            handoff_wait: settings.limits.handoff_wait,
        });
        let bot_name = Arc::new(BotName::default());
        let telegram = settings.telegram.as_ref().map(|telegram| {
            let parts = telegram::Parts {
                store: Arc::clone(&store),
                clock: clock.clone(),
                engine: Arc::clone(&engine),
                knowledge: Arc::clone(&knowledge),
                bells,
                bot_name: Arc::clone(&bot_name),
                secret_key: secret_key.clone(),
                names: identity.counted().clone(),
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
                secret_key: secret_key.clone(),
                names: identity.counted().clone(),
                office_networks: settings.office_networks.clone(),
                trusted_proxies: settings.trusted_proxies.clone(),
                new_chats: settings.limits.new_chats,
                streams: Streams::new(settings.limits.chat_streams),
                uploads: Uploads::default(),
            },
            identity: Arc::clone(&identity),
            agents: Arc::clone(&agents),
            editions: Arc::clone(&editions),
            questions,
            proposals,
            incidents,
            announcements,
            rights: Arc::clone(&rights),
            portal,
            demo: inbox.map(|inbox| Demo {
                inbox,
                simulator: stand_in.as_ref().map(|it| it.simulator.clone()),
            }),
            bot_name: bot_name.clone(),
            channels: telegram.as_ref().map(Telegram::routes).unwrap_or_default(),
            body_timeout: settings.limits.body,
            stop: stop.clone(),
        });
        let operator = web::admin::router(AdminState {
            store: Arc::clone(&store),
            knowledge: Arc::clone(&knowledge),
            clock: clock.clone(),
        });
        let server = |app| {
            Server::new(
                app,
                settings.limits.clone(),
                settings.office_networks.clone(),
                settings.trusted_proxies.clone(),
            )
        };
        // Before anybody is answered: whoever finds the program ready finds this too.
        let mut account = None;
        if settings.mode == Mode::Demo {
            let simulator = stand_in.as_ref().map(|stand_in| stand_in.url.as_str());
            account = describe_demo(settings, simulator, &agents).await?;
        }
        if settings.role != Role::Web {
            worker.spawn(&mut tasks, &stop);
            if secret_key.has_old() {
                let rekey = Rekey::new(Arc::clone(&store), secret_key.clone());
                tasks.spawn(rekey.run(stop.clone()));
            }
        }
        tasks.spawn(server(public).run(http, stop.clone()));
        tasks.spawn(server(operator).run(admin, stop.clone()));
        tasks.spawn(news::follow(Arc::clone(&store), engine, stop.clone()));
        if let Some(telegram) = telegram {
            telegram.spawn(&mut tasks, &stop);
        }
        tasks.spawn(Arc::clone(&knowledge).watch(stop.clone()));
        tasks.spawn(editions.follow(stop.clone()));
        tasks.spawn(retention.clone().run(stop.clone()));
        tasks.spawn(Arc::clone(&rights).run(stop.clone()));
        tasks.spawn(condense(stop.clone()));
        tasks.spawn(heal(Arc::clone(&store), clock.clone(), stop.clone()));
        Ok(Self {
            http_addr,
            admin_addr,
            public_url,
            simulator_url: stand_in.map(|stand_in| stand_in.url),
            agents,
            demo_account: account,
            clock,
            knowledge,
            store,
            retention,
            rights,
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

/// The demo's stand-in for the portal.
struct StandIn {
    simulator: Simulator,
    url: String,
    token: Secret,
}

async fn stand_in(
    settings: &Settings,
    clock: &Clock,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> anyhow::Result<Option<StandIn>> {
    if !matches!(settings.portal, PortalSettings::Simulator) {
        return Ok(None);
    }
    let listener = listen(settings.simulator_addr).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let token = secret::random_token();
    let simulator = Simulator::new(&token, &url, clock.clone());
    let (router, stop) = (simulator.router(), stop.clone());
    tasks.spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(%error, "the portal simulator stopped");
        }
    });
    Ok(Some(StandIn {
        simulator,
        url,
        token: Secret::new(token),
    }))
}

fn portal(
    settings: &Settings,
    stand_in: Option<&StandIn>,
    clock: &Clock,
) -> anyhow::Result<Option<Arc<Portal>>> {
    let (url, token, link_hosts) = match (&settings.portal, stand_in) {
        (
            PortalSettings::At {
                url,
                token,
                link_hosts,
            },
            _,
        ) => (url.clone(), token.clone(), link_hosts.clone()),
        (PortalSettings::Simulator, Some(stand_in)) => {
            let host = stand_in.url.trim_start_matches("http://").to_owned();
            (stand_in.url.parse()?, stand_in.token.clone(), vec![host])
        }
        (PortalSettings::Manual | PortalSettings::Simulator, _) => {
            tracing::info!("there is no portal interface: officers do what it would");
            return Ok(None);
        }
    };
    let portal = Portal::new(&url, token, link_hosts, clock.clone())?;
    Ok(Some(Arc::new(portal)))
}

/// What sends mails; without a server, the demo's inbox takes them.
fn mailer(settings: &Settings, public_url: &str) -> anyhow::Result<(Mailer, Option<Arc<Inbox>>)> {
    let url = url::Url::parse(public_url)?;
    let host = url.host_str().unwrap_or("localhost");
    let from = settings.mail_from.as_str();
    match &settings.smtp {
        Some(smtp) => {
            let smtp = Smtp::parse(smtp.url.reveal(), smtp.ca.as_deref(), host)?;
            Ok((Mailer::smtp(smtp, from, host)?, None))
        }
        None => {
            let inbox = Arc::new(Inbox::default());
            let mailer = Mailer::inbox(Arc::clone(&inbox), from, host)?;
            Ok((mailer, Some(inbox)))
        }
    }
}

/// Tells programs and people that try the demo where its parts are, and how to sign in: `demo.json` beside the database.
async fn describe_demo(
    settings: &Settings,
    simulator: Option<&str>,
    agents: &Agents,
) -> anyhow::Result<Option<DemoAccount>> {
    let path = beside_database(settings, "demo.json");
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let before = std::fs::read(&path).ok();
    let before = before.and_then(|text| serde_json::from_slice::<DemoFile>(&text).ok());
    let account = demo_account(agents, before.and_then(|file| file.console)).await?;
    let description = DemoFile {
        simulator: simulator.map(str::to_owned),
        console: account.clone(),
    };
    let text = serde_json::to_string_pretty(&description)?;
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).truncate(true).mode(0o600);
    let written = options
        .open(&path)
        .and_then(|mut file| file.write_all(format!("{text}\n").as_bytes()));
    written.with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(account)
}

/// The demonstration's first account: the one that a database had before, or a new one; none where somebody is there
/// whose password nobody knows any more.
async fn demo_account(
    agents: &Agents,
    before: Option<DemoAccount>,
) -> anyhow::Result<Option<DemoAccount>> {
    let there = agents.all().await?;
    if there.iter().any(|row| row.username == DEMO_AGENT) {
        return Ok(before);
    }
    let password: String = secret::random_token().chars().take(16).collect();
    let given = Secret::new(password.clone());
    let totp = agents
        .ready(
            DEMO_AGENT,
            "Puan Salmah (contoh)",
            AgentRole::Supervisor,
            given,
        )
        .await?;
    Ok(Some(DemoAccount {
        username: DEMO_AGENT.to_owned(),
        password,
        totp_secret: totp.reveal().to_owned(),
    }))
}

/// Who works in the demonstration's console.
const DEMO_AGENT: &str = "penyelia";

/// What `demo.json` says.
#[derive(Serialize, Deserialize)]
struct DemoFile {
    simulator: Option<String>,
    console: Option<DemoAccount>,
}

/// An account of the demonstration's console that can be used at once.
#[derive(Clone, Serialize, Deserialize)]
pub struct DemoAccount {
    /// What one signs in as.
    pub username: String,
    /// The password.
    pub password: String,
    /// The secret for an authenticator, in Base32.
    pub totp_secret: String,
}

/// A file of the demo's, beside its database.
fn beside_database(settings: &Settings, name: &str) -> std::path::PathBuf {
    let database = settings.database_url.strip_prefix("sqlite://");
    let folder = database.and_then(|path| Path::new(path).parent());
    folder.unwrap_or(Path::new("data")).join(name)
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

async fn load_knowledge(settings: &Settings, clock: &Clock) -> anyhow::Result<Arc<LiveKnowledge>> {
    let source = Source::folder_or_embedded(&settings.knowledge_dir);
    let options = LoadOptions {
        contacts: settings.contacts.clone(),
        today: clock.today(),
        review_days: settings.review_days,
        strictness: Strictness::Full,
        sample_hours: settings.mode == Mode::Demo,
        editions: Vec::new(),
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
        let held_ms = clock.held_back();
        if held_ms > CLOCKS_DIFFER {
            tracing::warn!(
                held_ms,
                "the system's clock was set back; it is not followed"
            );
        }
        if let Ok(Some(database)) = store.time().await {
            let ahead_ms = clock.now() - database;
            if ahead_ms.abs() > CLOCKS_DIFFER {
                tracing::warn!(ahead_ms, "the clock differs from the database's");
            }
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

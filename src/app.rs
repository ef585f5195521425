//! The composition root: from settings to running tasks, and down again. Only what is here knows everything.

mod demo;
mod engine;
mod made;
mod parts;
mod upkeep;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::agent::Agents;
use crate::clock::Clock;
use crate::config::{Mode, Role, Settings};
use crate::knowledge::live::LiveKnowledge;
use crate::news;
use crate::rekey::Rekey;
use crate::retention::Retention;
use crate::rights::Rights;
use crate::storage::Store;
use crate::telegram::BotName;
use crate::web;
use crate::web::demo::Demo;
use made::Made;

pub use demo::DemoAccount;
pub use engine::{Core, Parts, bounds, core, kept_secret_key, secret_key};

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
        let knowledge = parts::load_knowledge(settings, &clock).await?;
        let store = Arc::new(Store::open(&settings.database_url).await?);
        parts::take_over(&store, &clock).await?;
        let http = parts::listen(settings.http_addr).await?;
        let admin = parts::listen(settings.admin_addr).await?;
        let (http_addr, admin_addr) = (http.local_addr()?, admin.local_addr()?);
        let site = parts::site(settings, http_addr);
        let public_url = site.public_url.clone();

        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let stand_in = demo::stand_in(settings, &clock, &mut tasks, &stop).await?;
        let portal = parts::portal(settings, stand_in.as_ref(), &clock)?;
        let shared = Parts {
            store: Arc::clone(&store),
            knowledge: Arc::clone(&knowledge),
            clock: clock.clone(),
            public_url: public_url.clone(),
            portal: portal.clone(),
        };
        let made = Made {
            core: core(settings, shared).await?,
            settings,
            store: Arc::clone(&store),
            clock: clock.clone(),
            knowledge: Arc::clone(&knowledge),
            portal,
            public_url: public_url.clone(),
            bot_name: Arc::new(BotName::default()),
        };
        let desk = made.desk();
        let (mailer, inbox) = parts::mailer(settings, &public_url)?;
        let samples = inbox.map(|inbox| Demo {
            inbox,
            simulator: stand_in.as_ref().map(|it| it.simulator.clone()),
        });
        let worker = made.worker(mailer)?;
        let telegram = made.telegram()?;
        let public = made.public((site, &desk, samples), telegram.as_ref(), &stop);

        // Before anybody is answered: whoever finds the program ready finds this too.
        let mut demo_account = None;
        if settings.mode == Mode::Demo {
            let simulator = stand_in.as_ref().map(|stand_in| stand_in.url.as_str());
            demo_account = demo::describe(settings, simulator, &desk.agents).await?;
        }
        if settings.role != Role::Web {
            worker.spawn(&mut tasks, &stop);
            let secret_key = &made.core.secret_key;
            if secret_key.has_old() {
                let rekey = Rekey::new(Arc::clone(&store), secret_key.clone());
                tasks.spawn(rekey.run(stop.clone()));
            }
        }
        let operator = made.server(made.operator());
        let engine = Arc::clone(&made.core.engine);
        tasks.spawn(made.server(public).run(http, stop.clone()));
        tasks.spawn(operator.run(admin, stop.clone()));
        tasks.spawn(news::follow(Arc::clone(&store), engine, stop.clone()));
        if let Some(telegram) = telegram {
            telegram.spawn(&mut tasks, &stop);
        }
        tasks.spawn(Arc::clone(&knowledge).watch(stop.clone()));
        tasks.spawn(desk.editions.follow(stop.clone()));
        tasks.spawn(desk.retention.clone().run(stop.clone()));
        tasks.spawn(Arc::clone(&desk.rights).run(stop.clone()));
        tasks.spawn(upkeep::condense(stop.clone()));
        let heal = upkeep::heal(Arc::clone(&store), clock.clone(), stop.clone());
        tasks.spawn(heal);
        Ok(Self {
            http_addr,
            admin_addr,
            public_url,
            simulator_url: stand_in.map(|stand_in| stand_in.url),
            agents: desk.agents,
            demo_account,
            clock,
            knowledge,
            store,
            retention: desk.retention,
            rights: desk.rights,
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

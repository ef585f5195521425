//! What everything else is made from, once it is there: the worker, the bot, the pages of both listeners.

use std::sync::Arc;

use axum::Router;
use tokio_util::sync::CancellationToken;

use super::Core;
use crate::agent::Agents;
use crate::announcement::Announcements;
use crate::clock::Clock;
use crate::config::Settings;
use crate::edition::Editions;
use crate::edition::proposal::Proposals;
use crate::knowledge::live::LiveKnowledge;
use crate::mail::Mailer;
use crate::portal::Portal;
use crate::question::Questions;
use crate::retention::Retention;
use crate::rights::Rights;
use crate::storage::Store;
use crate::telegram::{self, BotName, Telegram};
use crate::web::admin::AdminState;
use crate::web::demo::Demo;
use crate::web::limit::{Streams, Uploads, WebLimits};
use crate::web::pages::Site;
use crate::web::server::Server;
use crate::web::{self, Web};
use crate::worker::{self, Probes, Worker};

/// The parts that others are made from.
pub(super) struct Made<'s> {
    pub settings: &'s Settings,
    pub store: Arc<Store>,
    pub clock: Clock,
    pub knowledge: Arc<LiveKnowledge>,
    pub portal: Option<Arc<Portal>>,
    pub public_url: String,
    pub core: Core,
    pub bot_name: Arc<BotName>,
}

/// What officers work with.
pub(super) struct Desk {
    pub agents: Arc<Agents>,
    pub editions: Arc<Editions>,
    pub questions: Arc<Questions>,
    pub proposals: Arc<Proposals>,
    pub announcements: Arc<Announcements>,
    pub rights: Arc<Rights>,
    pub retention: Retention,
}

impl Made<'_> {
    /// What officers work with.
    pub fn desk(&self) -> Desk {
        let identity = &self.core.identity;
        let editions = Arc::new(Editions {
            store: Arc::clone(&self.store),
            knowledge: Arc::clone(&self.knowledge),
            audit: identity.audit().clone(),
        });
        Desk {
            agents: Arc::new(Agents::new(
                Arc::clone(&self.store),
                self.clock.clone(),
                (&self.core.secret_key, identity.counted()),
                identity.audit().clone(),
            )),
            questions: Arc::new(Questions {
                store: Arc::clone(&self.store),
                knowledge: Arc::clone(&self.knowledge),
                clock: self.clock.clone(),
            }),
            proposals: Arc::new(Proposals::new(Arc::clone(&editions), self.clock.clone())),
            editions,
            announcements: Arc::new(Announcements {
                store: Arc::clone(&self.store),
                clock: self.clock.clone(),
                audit: identity.audit().clone(),
                chat_idle: self.settings.limits.chat_idle,
            }),
            rights: Arc::new(Rights::new(
                Arc::clone(&self.store),
                self.clock.clone(),
                Arc::clone(identity),
                self.core.secret_key.sealer("ticket"),
            )),
            retention: Retention {
                store: Arc::clone(&self.store),
                clock: self.clock.clone(),
                audit: identity.audit().clone(),
                periods: self.settings.periods,
            },
        }
    }

    /// What carries mails and errands, and does what time brings.
    pub fn worker(&self, mailer: Mailer) -> anyhow::Result<Worker> {
        let core = &self.core;
        Ok(Worker::new(worker::Parts {
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
            bells: Arc::clone(&core.bells),
            engine: Arc::clone(&core.engine),
            identity: Arc::clone(&core.identity),
            incidents: Arc::clone(&core.incidents),
            probes: Probes::new(&core.incidents.rules)?,
            knowledge: Arc::clone(&self.knowledge),
            post: Arc::clone(&core.post),
            mailer,
            portal: self.portal.clone(),
            offices: self.settings.offices.clone(),
            handoff_wait: self.settings.limits.handoff_wait,
        }))
    }

    /// The bot on Telegram, if there is one.
    pub fn telegram(&self) -> anyhow::Result<Option<Telegram>> {
        let Some(telegram) = &self.settings.telegram else {
            return Ok(None);
        };
        let parts = telegram::Parts {
            store: Arc::clone(&self.store),
            clock: self.clock.clone(),
            engine: Arc::clone(&self.core.engine),
            knowledge: Arc::clone(&self.knowledge),
            bells: Arc::clone(&self.core.bells),
            bot_name: Arc::clone(&self.bot_name),
            secret_key: self.core.secret_key.clone(),
            names: self.core.identity.counted().clone(),
            public_url: self.public_url.clone(),
            body_timeout: self.settings.limits.body,
            role: self.settings.role,
        };
        Telegram::new(telegram, parts).map(Some)
    }

    /// What people, officers and channels reach.
    pub fn public(
        &self,
        (site, desk, demo): (Site, &Desk, Option<Demo>),
        telegram: Option<&Telegram>,
        stop: &CancellationToken,
    ) -> Router {
        let settings = self.settings;
        web::router(Web {
            engine: Arc::clone(&self.core.engine),
            knowledge: Arc::clone(&self.knowledge),
            site,
            limits: WebLimits {
                store: Arc::clone(&self.store),
                clock: self.clock.clone(),
                secret_key: self.core.secret_key.clone(),
                names: self.core.identity.counted().clone(),
                office_networks: settings.office_networks.clone(),
                trusted_proxies: settings.trusted_proxies.clone(),
                new_chats: settings.limits.new_chats,
                streams: Streams::new(settings.limits.chat_streams),
                uploads: Uploads::default(),
            },
            identity: Arc::clone(&self.core.identity),
            agents: Arc::clone(&desk.agents),
            editions: Arc::clone(&desk.editions),
            questions: Arc::clone(&desk.questions),
            proposals: Arc::clone(&desk.proposals),
            incidents: Arc::clone(&self.core.incidents),
            announcements: Arc::clone(&desk.announcements),
            rights: Arc::clone(&desk.rights),
            portal: self.portal.clone(),
            demo,
            bot_name: Arc::clone(&self.bot_name),
            channels: telegram.map(Telegram::routes).unwrap_or_default(),
            body_timeout: settings.limits.body,
            stop: stop.clone(),
        })
    }

    /// What the operator reaches.
    pub fn operator(&self) -> Router {
        web::admin::router(AdminState {
            store: Arc::clone(&self.store),
            knowledge: Arc::clone(&self.knowledge),
            clock: self.clock.clone(),
            incidents: Arc::clone(&self.core.incidents),
        })
    }

    /// Serves one of them.
    pub fn server(&self, app: Router) -> Server {
        let settings = self.settings;
        Server::new(
            app,
            settings.limits.clone(),
            settings.office_networks.clone(),
            settings.trusted_proxies.clone(),
        )
    }
}

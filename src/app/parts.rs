//! Parts that settings decide: listeners, knowledge, portal, mail, and what a database is taken over with.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;

use super::demo::StandIn;
use crate::clock::Clock;
use crate::config::{Mode, PortalSettings, Settings};
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::source::Source;
use crate::knowledge::{LoadOptions, Strictness};
use crate::mail::Mailer;
use crate::mail::inbox::Inbox;
use crate::mail::smtp::Smtp;
use crate::portal::Portal;
use crate::storage::{Store, inbound, lease, outbox};
use crate::web::pages::Site;

pub(super) fn portal(
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
pub(super) fn mailer(
    settings: &Settings,
    public_url: &str,
) -> anyhow::Result<(Mailer, Option<Arc<Inbox>>)> {
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

pub(super) async fn load_knowledge(
    settings: &Settings,
    clock: &Clock,
) -> anyhow::Result<Arc<LiveKnowledge>> {
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
pub(super) async fn take_over(store: &Store, clock: &Clock) -> sqlx::Result<()> {
    if !store.is_alone() {
        return Ok(());
    }
    let mut transaction = store.begin().await?;
    inbound::take_over(&mut transaction, clock.now()).await?;
    outbox::take_over(&mut transaction, clock.now()).await?;
    lease::take_over(&mut transaction).await?;
    transaction.commit().await
}

pub(super) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))
}

/// In the demo the sample page is at 127.0.0.1 and the widget at localhost, so that they are two origins as in real life.
pub(super) fn site(settings: &Settings, http_addr: SocketAddr) -> Site {
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

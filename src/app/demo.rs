//! What only the demonstration has: a stand-in for the portal, an account that is ready, and a file that says so.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::parts::listen;
use crate::agent::Agents;
use crate::agent::role::Role;
use crate::clock::Clock;
use crate::config::{PortalSettings, Settings};
use crate::portal::simulator::Simulator;
use crate::secret::{self, Secret};

/// The demo's stand-in for the portal.
pub(super) struct StandIn {
    pub simulator: Simulator,
    pub url: String,
    pub token: Secret,
}

pub(super) async fn stand_in(
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

/// Tells programs and people that try the demo where its parts are, and how to sign in: `demo.json` beside the database.
pub(super) async fn describe(
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
    let account = account(agents, before.and_then(|file| file.console)).await?;
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
async fn account(
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
        .ready(DEMO_AGENT, "Puan Salmah (contoh)", Role::Supervisor, given)
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
pub(super) fn beside_database(settings: &Settings, name: &str) -> std::path::PathBuf {
    let database = settings.database_url.strip_prefix("sqlite://");
    let folder = database.and_then(|path| Path::new(path).parent());
    folder.unwrap_or(Path::new("data")).join(name)
}

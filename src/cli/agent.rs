//! `tanya agent`: who works in the console, beside a running server.

use super::{AgentCommand, Beside, Failure, Outcome, Output};
use crate::agent::role::Role;
use crate::agent::{AgentError, Agents};
use crate::config::Settings;

pub fn run(settings: &Settings, command: &AgentCommand, out: &mut Output) -> Outcome {
    let public_url = settings.public_url.as_ref().map(ToString::to_string);
    let public_url =
        public_url.unwrap_or_else(|| format!("http://localhost:{}/", settings.http_addr.port()));
    Beside::run(settings, out, async |beside, out| {
        let core = &beside.core;
        let agents = Agents::new(
            beside.store.clone(),
            beside.clock.clone(),
            (&core.secret_key, core.identity.counted()),
            core.identity.audit().clone(),
        );
        match command {
            AgentCommand::Add {
                username,
                name,
                role,
            } => {
                let role = Role::parse(role).unwrap_or(Role::Officer);
                let token = agents
                    .add(username, name, role, "")
                    .await
                    .map_err(refused)?;
                invite(&public_url, username, &token, out);
            }
            AgentCommand::Reset { username } => {
                let token = agents.reset(username, "").await.map_err(refused)?;
                invite(&public_url, username, &token, out);
            }
            AgentCommand::Disable { username } => {
                agents.disable(username, "").await.map_err(refused)?;
                out.say(&format!("{username} is kept out."));
            }
            AgentCommand::List => list(&agents, out).await?,
        }
        Ok(())
    })
}

fn refused(error: AgentError) -> Failure {
    match error {
        AgentError::Username => Failure::Usage(error.to_string()),
        other => Failure::Failed(other.into()),
    }
}

fn invite(public_url: &str, username: &str, token: &str, out: &mut Output) {
    out.say(&format!(
        "{username} can choose a password and set up a telephone here, once, within 72 hours:\n\n  {public_url}console/jemputan/{token}\n\nGive this link to {username} alone."
    ));
}

async fn list(agents: &Agents, out: &mut Output) -> Outcome {
    let all = agents.all().await?;
    if all.is_empty() {
        out.say("There is nobody yet. Add somebody: tanya agent add NAME --role supervisor");
    }
    for row in all {
        let state = match (row.disabled_at, &row.password) {
            (Some(_), _) => "disabled",
            (None, Some(_)) => "active",
            (None, None) => "invited",
        };
        out.say(&format!(
            "{}  {}  {state}  {}",
            row.username, row.role, row.name
        ));
    }
    Ok(())
}

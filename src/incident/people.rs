//! When people's own words make an incident: enough different ones in a short time, and not all from one place.

use uuid::Uuid;

use super::{Incidents, System};
use crate::clock::Millis;
use crate::storage::trouble_report::{self, TroubleReportRow};
use crate::storage::{Connection, incident, outage};

/// Somebody says that a system does not open.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Which system.
    pub system: System,
    /// The chat in which they say so.
    pub conversation_id: &'a str,
    /// Its channel.
    pub channel: &'a str,
    /// Who says so, as a name that tells nothing.
    pub reporter: &'a str,
    /// Their network, as a name that tells nothing, and how many times wider it is; none where the channel knows none.
    pub network: Option<(&'a str, usize)>,
}

/// Whom an incident has heard from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Different people.
    pub people: i64,
    /// Different departments, of those who named one.
    pub departments: i64,
    /// Different networks, of those who have one.
    pub networks: i64,
}

impl Incidents {
    /// Notes a report; somebody who repeats themselves counts once.
    pub async fn report(
        &self,
        connection: &mut Connection,
        report: &Report<'_>,
    ) -> sqlx::Result<()> {
        let now = self.clock.now();
        let id = report.conversation_id;
        let department = trouble_report::department_of(connection, id).await?;
        let (network, factor) = report.network.unwrap_or(("", 1));
        let row = TroubleReportRow {
            id: Uuid::now_v7().to_string(),
            system: report.system.as_str().to_owned(),
            conversation_id: id.to_owned(),
            channel: report.channel.to_owned(),
            reporter: report.reporter.to_owned(),
            network: network.to_owned(),
            factor: i64::try_from(factor).unwrap_or(1),
            department: department.unwrap_or_default(),
            reported_at: now,
        };
        trouble_report::insert(connection, &row, now - self.rules.within).await
    }

    /// Whether somebody said so of late, and it belongs to no incident yet.
    pub async fn has_reports(&self, connection: &mut Connection) -> sqlx::Result<bool> {
        let since = self.clock.now() - self.rules.within;
        trouble_report::unheeded(connection, since).await
    }

    /// Opens an incident of a system if enough people said so and nothing is known of it yet; its id. One at a time,
    /// whichever process is faster.
    pub async fn raise(
        &self,
        connection: &mut Connection,
        system: System,
    ) -> sqlx::Result<Option<String>> {
        let now = self.clock.now();
        let known = self.troubles(connection, None).await?;
        if known.iter().any(|trouble| trouble.system == system) {
            return Ok(None);
        }
        let closed = incident::last_closed(connection, system.as_str()).await?;
        if closed.is_some_and(|closed| now < closed + self.rules.cooldown) {
            return Ok(None);
        }
        // What was said of an outage that was known is no news after its end.
        let ended = outage::last_ended(connection, system.as_str()).await?;
        let since = (now - self.rules.within).max(ended.map_or(Millis::MIN, |ended| ended + 1));
        let networks =
            trouble_report::people_by_network(connection, system.as_str(), since).await?;
        if self.weight(&networks) < self.rules.people {
            return Ok(None);
        }
        let id = Uuid::now_v7().to_string();
        if !incident::insert(connection, (&id, system.as_str()), now).await? {
            return Ok(None);
        }
        trouble_report::join(connection, (&id, system.as_str()), since).await?;
        Ok(Some(id))
    }

    /// Has later reports belong to the incidents that are open.
    pub async fn join(&self, connection: &mut Connection) -> sqlx::Result<()> {
        for row in incident::open(connection).await? {
            let since: Millis = row.opened_at - self.rules.within;
            trouble_report::join(connection, (&row.id, &row.system), since).await?;
        }
        Ok(())
    }

    /// Whom an incident has heard from.
    pub async fn figures(
        &self,
        connection: &mut Connection,
        incident: &str,
    ) -> sqlx::Result<Figures> {
        let (people, departments, networks) = trouble_report::figures(connection, incident).await?;
        Ok(Figures {
            people,
            departments,
            networks,
        })
    }

    /// How many people count. New chats cost nothing, so a network counts for a few of them only, and never for enough:
    /// whoever has one address alone makes no incident.
    fn weight(&self, networks: &[(String, i64, i64)]) -> usize {
        let alone = self.rules.people.saturating_sub(1).max(1);
        let counted = networks.iter().map(|(network, people, factor)| {
            let people = usize::try_from(*people).unwrap_or_default();
            if network.is_empty() {
                // A channel that knows who it is: each is somebody.
                return people;
            }
            let factor = usize::try_from(*factor).unwrap_or(1);
            let most = self.rules.per_network.saturating_mul(factor).min(alone);
            people.min(most)
        });
        counted.sum()
    }
}

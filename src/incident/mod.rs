//! Whether the two systems of iSPEKS work, as far as anybody told: the portal's own word, a look at their addresses, or
//! the helpdesk, when many people said that one does not open. Kept in the database, so that every process sees the same;
//! what is too old to be true is not known.

mod fold;
mod people;

use std::sync::Arc;

use url::Url;
use uuid::Uuid;

use crate::clock::{Clock, Millis};
use crate::storage::incident::{self, IncidentRow};
use crate::storage::outage::{self, OutageRow};
use crate::storage::system_state::{self, SystemStateRow};
use crate::storage::{Connection, Store};

pub use fold::{Seen, Source};
pub use people::{Figures, Report};

/// One of the two systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Sistem iSPEKS: accounting, for the offices.
    Sistem,
    /// Portal iSPEKS: payslips, for staff and suppliers.
    Portal,
}

impl System {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sistem, Self::Portal];

    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sistem => "sistem",
            Self::Portal => "portal",
        }
    }

    /// Reads the name as stored.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.as_str() == name)
    }

    /// Its name for people, in every language.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sistem => "Sistem iSPEKS",
            Self::Portal => "Portal iSPEKS",
        }
    }
}

/// How a system is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Nobody knows, or what was known is too old.
    #[default]
    Unknown,
    /// It works.
    Up,
    /// It does not.
    Down,
    /// It is being worked on.
    Maintenance,
}

impl Health {
    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
            Self::Maintenance => "maintenance",
        }
    }

    /// Reads the name as stored.
    pub fn parse(name: &str) -> Self {
        match name {
            "up" => Self::Up,
            "down" => Self::Down,
            "maintenance" => Self::Maintenance,
            _ => Self::Unknown,
        }
    }

    /// Whether people cannot work with it.
    pub fn is_trouble(self) -> bool {
        matches!(self, Self::Down | Self::Maintenance)
    }
}

/// When something counts; each is a setting.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The address of Sistem iSPEKS that is looked at, if one is.
    pub sistem_url: Option<Url>,
    /// The address of Portal iSPEKS that is looked at, if one is.
    pub portal_url: Option<Url>,
    /// How often is looked and asked, in milliseconds.
    pub every: Millis,
    /// Looks in a row that fail before a system is down.
    pub down_after: i64,
    /// Looks in a row that succeed before it is up again.
    pub up_after: i64,
    /// How long what was seen is true, in milliseconds.
    pub fresh: Millis,
    /// People who say that a system does not open, before officers are told.
    pub people: usize,
    /// Within how long, in milliseconds.
    pub within: Millis,
    /// People of one network that count, at most; an office's ten times that, and never enough alone.
    pub per_network: usize,
    /// How long after an incident the next one may come, in milliseconds.
    pub cooldown: Millis,
}

impl Default for Rules {
    fn default() -> Self {
        let minute = 60_000;
        Self {
            sistem_url: None,
            portal_url: None,
            every: 30_000,
            down_after: 3,
            up_after: 2,
            fresh: 5 * minute,
            people: 10,
            within: 10 * minute,
            per_network: 3,
            cooldown: 60 * minute,
        }
    }
}

/// A system that does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The outage that it is.
    pub outage: String,
    /// Which system.
    pub system: System,
    /// Whether it is being worked on, and not merely down.
    pub maintenance: bool,
    /// What there is to know, for people; empty if nothing.
    pub note: String,
    /// Since when, in Unix milliseconds.
    pub since: Millis,
    /// Whether it is the helpdesk's word.
    pub by_helpdesk: bool,
    /// Whether the chat that is looked at is told when it is over.
    pub wanted: bool,
}

/// How both systems are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Sistem iSPEKS.
    pub sistem: Health,
    /// Portal iSPEKS.
    pub portal: Health,
    /// What does not work.
    pub troubles: Vec<Trouble>,
}

/// Knows how the systems are.
pub struct Incidents {
    /// The database.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Clock,
    /// When something counts.
    pub rules: Rules,
}

impl Incidents {
    /// What does not work now, as far as it is still true; `conversation_id` is the chat that is looked at.
    pub async fn troubles(
        &self,
        connection: &mut Connection,
        conversation_id: Option<&str>,
    ) -> sqlx::Result<Vec<Trouble>> {
        let open = outage::open(connection).await?;
        self.troubles_of(connection, open, conversation_id).await
    }

    /// The same of outages that are open; those that are no longer known to be true are not among it.
    pub async fn troubles_of(
        &self,
        connection: &mut Connection,
        open: Vec<OutageRow>,
        conversation_id: Option<&str>,
    ) -> sqlx::Result<Vec<Trouble>> {
        let now = self.clock.now();
        let lasting: Vec<OutageRow> = open
            .into_iter()
            .filter(|row| self.is_true(row, now))
            .collect();
        let wanted = match conversation_id {
            Some(id) if !lasting.is_empty() => outage::wanted_by(connection, id).await?,
            Some(_) | None => Vec::new(),
        };
        Ok(lasting
            .into_iter()
            .filter_map(|row| {
                Some(Trouble {
                    system: System::parse(&row.system)?,
                    maintenance: Health::parse(&row.state) == Health::Maintenance,
                    wanted: wanted.contains(&row.id),
                    outage: row.id,
                    note: row.note,
                    since: row.began_at,
                    by_helpdesk: row.word == HELPDESK,
                })
            })
            .collect())
    }

    /// How both systems are now.
    pub async fn overview(&self, connection: &mut Connection) -> sqlx::Result<Overview> {
        let now = self.clock.now();
        let troubles = self.troubles(connection, None).await?;
        let rows = system_state::all(connection).await?;
        let health = |system: System| {
            let trouble = troubles.iter().find(|trouble| trouble.system == system);
            match trouble {
                Some(trouble) if trouble.maintenance => Health::Maintenance,
                Some(_) => Health::Down,
                None if self.is_seen_up(&rows, system, now) => Health::Up,
                None => Health::Unknown,
            }
        };
        Ok(Overview {
            sistem: health(System::Sistem),
            portal: health(System::Portal),
            troubles,
        })
    }

    /// What each source said last, where it is not too old to be true.
    pub async fn seen(&self, connection: &mut Connection) -> sqlx::Result<Vec<SystemStateRow>> {
        let now = self.clock.now();
        let mut rows = system_state::all(connection).await?;
        rows.retain(|row| self.is_fresh(row, now) && Health::parse(&row.state) != Health::Unknown);
        Ok(rows)
    }

    /// Whether an outage is still true: the helpdesk's word holds until it is taken back.
    fn is_true(&self, row: &OutageRow, now: Millis) -> bool {
        row.word == HELPDESK || now < row.seen_at + self.rules.fresh
    }

    fn is_fresh(&self, row: &SystemStateRow, now: Millis) -> bool {
        now < row.checked_at + self.rules.fresh
    }

    /// Whether an outage is over: what the portal's own word began, only that word ends.
    fn is_seen_over(
        &self,
        rows: &[SystemStateRow],
        outage: &OutageRow,
        system: System,
        now: Millis,
    ) -> bool {
        let told = Source::Status.as_str();
        match outage.word.as_str() {
            HELPDESK => true,
            word if word == told => {
                let told = rows.iter().filter(|row| row.source == told);
                self.is_seen_up(told, system, now)
            }
            _ => self.is_seen_up(rows, system, now),
        }
    }

    fn is_seen_up<'a>(
        &self,
        rows: impl IntoIterator<Item = &'a SystemStateRow>,
        system: System,
        now: Millis,
    ) -> bool {
        rows.into_iter().any(|row| {
            row.system == system.as_str()
                && Health::parse(&row.state) == Health::Up
                && self.is_fresh(row, now)
        })
    }

    /// Notes what a source says of a system.
    pub async fn see(
        &self,
        connection: &mut Connection,
        system: System,
        seen: &Seen,
    ) -> sqlx::Result<()> {
        let now = self.clock.now();
        let rows = system_state::all(connection).await?;
        let before = rows.into_iter().find(|row| {
            row.system == system.as_str()
                && row.source == seen.source.as_str()
                && self.is_fresh(row, now)
        });
        let row = fold::fold(before, system, seen, &self.rules, now);
        system_state::put(connection, &row).await
    }

    /// Begins, continues or ends what must follow from what is known now.
    pub async fn settle(&self, connection: &mut Connection) -> sqlx::Result<()> {
        let now = self.clock.now();
        let rows = system_state::all(connection).await?;
        let incidents = incident::open(connection).await?;
        let outages = outage::open(connection).await?;
        for system in System::ALL {
            let lasting = outages.iter().find(|row| row.system == system.as_str());
            let found = self.found(&rows, &incidents, system, now);
            match (lasting, found) {
                (None, Some(row)) => {
                    outage::insert(connection, &row).await?;
                }
                (Some(before), Some(row)) => {
                    let id = before.id.clone();
                    outage::update(connection, &OutageRow { id, ..row }).await?;
                }
                // What nobody can tell the end of lasts, and is not said meanwhile.
                (Some(before), None) if self.is_seen_over(&rows, before, system, now) => {
                    outage::end(connection, &before.id, now).await?;
                }
                (Some(_) | None, None) => {}
            }
        }
        Ok(())
    }

    /// The outage that there has to be, if any: the portal's own word first, then what a look showed, then the
    /// helpdesk's.
    fn found(
        &self,
        rows: &[SystemStateRow],
        incidents: &[IncidentRow],
        system: System,
        now: Millis,
    ) -> Option<OutageRow> {
        let trouble = |source: Source| {
            rows.iter().find(|row| {
                row.system == system.as_str()
                    && row.source == source.as_str()
                    && Health::parse(&row.state).is_trouble()
                    && self.is_fresh(row, now)
            })
        };
        let outage = |state: Health, note: &str, word: &str, began_at, seen_at| OutageRow {
            id: Uuid::now_v7().to_string(),
            system: system.as_str().to_owned(),
            state: state.as_str().to_owned(),
            note: note.to_owned(),
            word: word.to_owned(),
            began_at,
            seen_at,
            ended_at: None,
        };
        let told = trouble(Source::Status).or_else(|| trouble(Source::Probe));
        if let Some(row) = told {
            let state = Health::parse(&row.state);
            return Some(outage(
                state,
                &row.note,
                &row.source,
                row.since,
                row.checked_at,
            ));
        }
        let confirmed = incidents
            .iter()
            .find(|row| row.system == system.as_str() && row.state == "confirmed")?;
        Some(outage(Health::Down, "", HELPDESK, confirmed.opened_at, now))
    }
}

/// Whose word an outage is that officers confirmed.
const HELPDESK: &str = "helpdesk";

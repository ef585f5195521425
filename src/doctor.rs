//! Looks at every setting and at everything that `serve` depends on, before the first start or beside a running server.
//! It changes nothing, sends nothing unless it is told to, and says nothing that is secret.

mod database;
mod knowledge;
mod mail;
mod network;
mod portal;
mod settings;
mod systems;
mod telegram;
mod traces;

use std::time::Duration;

use serde::Serialize;

use crate::clock::{Clock, Millis};
use crate::config::Settings;
use crate::mail::OfficeAddress;

/// How long a check may take.
const LIMIT: Duration = Duration::from_secs(5);
/// Clocks that differ by more than this, in milliseconds, are told of.
const CLOCKS_DIFFER: Millis = 30_000;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, and somebody should look.
    Warning,
    /// `serve` does not start, or does not do what it is for.
    Wrong,
}

impl State {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Ok,
            found: found.into(),
            repair: None,
        }
    }

    fn warning(check: &'static str, found: impl Into<String>, repair: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Warning,
            found: found.into(),
            repair: Some(repair.into()),
        }
    }

    fn wrong(check: &'static str, found: impl Into<String>, repair: impl Into<String>) -> Self {
        Self {
            state: State::Wrong,
            ..Self::warning(check, found, repair)
        }
    }
}

/// What is looked at.
pub struct Doctor<'a> {
    /// The settings, as far as they can be read.
    pub settings: &'a Settings,
    /// What is wrong with them.
    pub problems: &'a [String],
    /// Where a test mail goes, if one is wanted.
    pub mail_to: Option<&'a OfficeAddress>,
    /// The time.
    pub clock: Clock,
}

impl Doctor<'_> {
    /// Looks at everything, side by side.
    pub async fn examine(&self) -> Vec<Finding> {
        let mut findings = self.settings();
        let (database, knowledge, mail, telegram, portal, network, systems, traces) = tokio::join!(
            timed("database", LIMIT, self.database()),
            timed("knowledge", knowledge::LIMIT, self.knowledge()),
            timed("mail", mail::LIMIT, self.mail()),
            timed("telegram", LIMIT, self.telegram()),
            timed("portal", LIMIT, self.portal()),
            timed("public address", network::LIMIT, self.network()),
            self.systems(),
            self.traces(),
        );
        for found in [
            database, knowledge, mail, telegram, portal, network, systems, traces,
        ] {
            findings.extend(found);
        }
        findings
    }

    /// Whether something is wrong with a setting: what it is about cannot be looked at.
    fn is_unset(&self, name: &str) -> bool {
        let whole = |problem: &String| {
            let mut words = problem.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            words.any(|word| word == name || word.strip_suffix("_FILE") == Some(name))
        };
        self.problems.iter().any(whole)
    }

    /// What another clock shows; it is told whose.
    fn skew(&self, check: &'static str, whose: &str, theirs: Millis) -> Finding {
        let ahead = self.clock.now() - theirs;
        let seconds = ahead.abs() / 1000;
        if ahead.abs() <= CLOCKS_DIFFER {
            return Finding::ok(check, format!("within {} s of {whose}", seconds.max(1)));
        }
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        Finding::warning(
            check,
            format!("{seconds} s {way} {whose}"),
            "codes and links live too long or too short: let NTP set both clocks",
        )
    }
}

async fn timed(
    check: &'static str,
    limit: Duration,
    work: impl Future<Output = Vec<Finding>>,
) -> Vec<Finding> {
    let seconds = limit.as_secs();
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        vec![Finding::wrong(
            check,
            format!("no answer within {seconds} s"),
            "see whether the way to it is open, from this machine",
        )]
    })
}

/// The worst of what was found.
pub fn worst(findings: &[Finding]) -> State {
    let states = findings.iter().map(|finding| finding.state);
    states.max().unwrap_or(State::Ok)
}

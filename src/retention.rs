//! Deletes what is older than it may be kept, a little at a time: every hour by itself, and at once when it is told to.
//! It can be stopped anywhere; the next time goes on where it was left. What a hold covers stays.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::audit::{Audit, Event};
use crate::clock::{Clock, Millis};
use crate::storage::purge::{self, AT_ONCE, Limit, Period, RULES, Rule};
use crate::storage::{Store, audit, chat_word, hold, lease};

/// How often is looked for what is too old.
const EVERY: Duration = Duration::from_secs(3_600);
const DAY: Millis = 24 * 3_600_000;
/// How the record of sensitive steps is named in reports.
const RECORD: &str = "audit";
/// What counts as a conversation in the log.
const CONVERSATIONS: &str = "conversations";
/// How long one process keeps the record's beginning to itself, in milliseconds.
const LEASE: Millis = 60_000;

/// How long what is kept, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// Transcripts that nobody wrote in, and messages.
    pub transcripts: u32,
    /// Tickets that are settled.
    pub tickets: u32,
    /// The record of sensitive steps.
    pub record: u32,
    /// Requests for a proof, proofs that ended, links that are dead.
    pub challenges: u32,
    /// What a channel brought and failed to be handled, sealed.
    pub failed: u32,
}

impl Default for Periods {
    fn default() -> Self {
        Self {
            transcripts: 90,
            tickets: 2 * 365,
            record: 7 * 365,
            challenges: 1,
            failed: 7,
        }
    }
}

impl Periods {
    /// The days after which something goes.
    fn days(&self, period: Period) -> u32 {
        match period {
            Period::Transcripts | Period::Days | Period::Pictures => self.transcripts,
            Period::Unclaimed => self.transcripts.min(1),
            Period::Tickets => self.tickets,
            Period::Challenges => self.challenges,
            Period::Failed => self.failed,
            Period::Record => self.record,
            Period::Numbers => 30,
            Period::Day => 1,
            Period::Month => 31,
            Period::Year => 365,
        }
    }

    /// Up to when something is due at a moment.
    fn limit(&self, period: Period, now: Millis) -> Limit {
        let before = now - Millis::from(self.days(period)) * DAY;
        let also = match period {
            // None stays longer than its message.
            Period::Days => Some(chat_word::day_of(before)),
            Period::Pictures => Some(self.limit(Period::Tickets, now).before),
            Period::Transcripts
            | Period::Unclaimed
            | Period::Tickets
            | Period::Challenges
            | Period::Failed
            | Period::Numbers
            | Period::Day
            | Period::Month
            | Period::Year
            | Period::Record => None,
        };
        Limit { before, also }
    }

    /// Up to when lines of the record are due: whole days, so that it gets a new beginning once a day at most.
    fn record_before(&self, now: Millis) -> Millis {
        let before = now - Millis::from(self.record) * DAY;
        before.div_euclid(DAY) * DAY
    }
}

/// What was found of one kind, and what was or would be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// The kind.
    pub name: &'static str,
    /// Rows that went, or would go.
    pub rows: u64,
    /// When the oldest is from that stays, in Unix milliseconds; none if nothing stays.
    pub oldest: Option<Millis>,
    /// What is older went, or would go, in Unix milliseconds.
    pub before: Millis,
    /// The days that it is kept.
    pub days: u32,
}

/// What is deleted, and when.
#[derive(Clone)]
pub struct Retention {
    /// Where it is deleted.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Clock,
    /// The record.
    pub audit: Audit,
    /// How long what is kept.
    pub periods: Periods,
}

impl Retention {
    /// Deletes at once and then every hour, until told to stop; nothing for a while after a backup was put to work.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            match self.purge_unless_restored().await {
                Ok(0) => {}
                Ok(conversations) => tracing::info!(conversations, "old transcripts deleted"),
                Err(error) => tracing::error!(%error, "what is old could not be deleted"),
            }
            if tokio::time::timeout(EVERY, stop.cancelled()).await.is_ok() {
                return;
            }
        }
    }

    /// What was held since the backup is not held in it: there is time to hold it again before anything goes.
    async fn purge_unless_restored(&self) -> sqlx::Result<u64> {
        let mut connection = self.store.connection().await?;
        let restored = audit::latest_of(&mut connection, Event::Restored.as_str()).await?;
        drop(connection);
        if restored.is_some_and(|at| self.clock.now() < at + DAY) {
            tracing::warn!("a backup was put to work: nothing old is deleted for 24 hours");
            return Ok(0);
        }
        self.purge().await
    }

    /// Deletes everything that is too old; tells how many conversations went.
    pub async fn purge(&self) -> sqlx::Result<u64> {
        let mut steps = Steps::unbounded();
        let gone = self.delete_all(self.clock.now(), &mut steps).await?;
        let conversations = gone.iter().find(|(name, _)| *name == CONVERSATIONS);
        Ok(conversations.map_or(0, |(_, rows)| *rows))
    }

    /// The same in so many transactions at most, as a process that is ended on the way; tells whether all is done.
    pub async fn purge_some(&self, transactions: usize) -> sqlx::Result<bool> {
        let mut steps = Steps(Some(transactions));
        self.delete_all(self.clock.now(), &mut steps).await?;
        Ok(!steps.are_over())
    }

    /// Deletes everything that is too old, and tells what went and what stays.
    pub async fn sweep(&self) -> sqlx::Result<Vec<Swept>> {
        let now = self.clock.now();
        let gone = self.delete_all(now, &mut Steps::unbounded()).await?;
        self.report(now, gone).await
    }

    /// Tells what [`Self::sweep`] would do at this moment; deletes nothing.
    pub async fn rehearse(&self) -> sqlx::Result<Vec<Swept>> {
        let now = self.clock.now();
        self.cover(now).await?;
        let mut connection = self.store.connection().await?;
        let mut due = Vec::new();
        for rule in RULES {
            let limit = self.periods.limit(rule.period, now);
            due.push((rule.name, purge::count(&mut connection, rule, limit).await?));
        }
        let until = self.record_due(now).await?;
        let lines = audit::count_until(&mut connection, until).await?;
        due.push((RECORD, lines.unsigned_abs()));
        drop(connection);
        self.report(now, due).await
    }

    async fn cover(&self, now: Millis) -> sqlx::Result<()> {
        let mut transaction = self.store.begin().await?;
        hold::cover(&mut transaction, now).await?;
        transaction.commit().await
    }

    async fn delete_all(
        &self,
        now: Millis,
        steps: &mut Steps,
    ) -> sqlx::Result<Vec<(&'static str, u64)>> {
        self.cover(now).await?;
        let mut gone = Vec::new();
        for rule in RULES {
            gone.push((rule.name, self.delete(rule, now, steps).await?));
        }
        gone.push((RECORD, self.delete_record(now, steps).await?));
        Ok(gone)
    }

    async fn delete(&self, rule: &Rule, now: Millis, steps: &mut Steps) -> sqlx::Result<u64> {
        let limit = self.periods.limit(rule.period, now);
        let mut deleted = 0;
        while steps.take() {
            let mut transaction = self.store.begin().await?;
            let gone = purge::delete(&mut transaction, rule, limit).await?;
            transaction.commit().await?;
            deleted += gone;
            if gone < AT_ONCE {
                break;
            }
        }
        Ok(deleted)
    }

    /// The last line of the record that is due, or that is left from the last time.
    async fn record_due(&self, now: Millis) -> sqlx::Result<i64> {
        let before = self.periods.record_before(now);
        let mut connection = self.store.connection().await?;
        let due = Audit::due(&mut connection, before).await?;
        match due {
            Some(seq) => Ok(seq),
            None => Ok(audit::start(&mut connection).await?.0),
        }
    }

    /// The record begins later first, and says so; what lies before its beginning goes then.
    async fn delete_record(&self, now: Millis, steps: &mut Steps) -> sqlx::Result<u64> {
        if !steps.take() {
            return Ok(0);
        }
        let before = self.periods.record_before(now);
        let mut transaction = self.store.begin().await?;
        let holder = uuid::Uuid::new_v4().to_string();
        if lease::take(&mut transaction, "cut", &holder, now, now + LEASE).await? {
            self.audit.cut(&mut transaction, before, now).await?;
            lease::give_back(&mut transaction, "cut", &holder).await?;
        }
        transaction.commit().await?;
        let mut deleted = 0;
        while steps.take() {
            let mut transaction = self.store.begin().await?;
            let gone = audit::delete_before_start(&mut transaction, AT_ONCE as i64).await?;
            transaction.commit().await?;
            deleted += gone;
            if gone < AT_ONCE {
                break;
            }
        }
        Ok(deleted)
    }

    async fn report(
        &self,
        now: Millis,
        rows: Vec<(&'static str, u64)>,
    ) -> sqlx::Result<Vec<Swept>> {
        let mut connection = self.store.connection().await?;
        let mut swept = Vec::new();
        for (name, rows) in rows {
            let rule = RULES.iter().find(|rule| rule.name == name);
            let (oldest, before, days) = match rule {
                Some(rule) => {
                    let limit = self.periods.limit(rule.period, now);
                    let oldest = purge::oldest(&mut connection, rule, limit).await?;
                    (oldest, limit.before, self.periods.days(rule.period))
                }
                None => {
                    let last = self.record_due(now).await?;
                    let oldest = audit::next_at(&mut connection, last).await?;
                    (oldest, self.periods.record_before(now), self.periods.record)
                }
            };
            swept.push(Swept {
                name,
                rows,
                oldest,
                before,
                days,
            });
        }
        Ok(swept)
    }
}

/// How many transactions are left, as of a process that is ended on the way; no bound if none is set.
pub struct Steps(pub Option<usize>);

impl Steps {
    fn unbounded() -> Self {
        Self(None)
    }

    /// Takes one; false if none is left.
    pub fn take(&mut self) -> bool {
        match &mut self.0 {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    fn are_over(&self) -> bool {
        self.0 == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_ticket_goes_after_a_day_and_never_later_than_a_transcript() {
        let usual = Periods::default();
        assert_eq!(usual.days(Period::Unclaimed), 1);
        let none = Periods {
            transcripts: 0,
            ..usual
        };
        assert_eq!(none.days(Period::Unclaimed), 0);
    }

    #[test]
    fn the_record_gets_a_new_beginning_once_a_day_at_most() {
        let periods = Periods::default();
        let noon = 20_000 * DAY + DAY / 2;
        let before = periods.record_before(noon);
        assert_eq!(before, periods.record_before(noon + DAY / 2 - 1));
        assert_eq!(before + DAY, periods.record_before(noon + DAY / 2));
        assert!(before <= noon - Millis::from(periods.record) * DAY);
    }
}

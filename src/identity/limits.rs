//! How much may be asked and guessed: counted over exact windows of time, shared by all processes, under keys that tell
//! nobody. The same is counted for numbers that belong to nobody.

use super::Asker;
use crate::clock::Millis;
use crate::storage::{Connection, tally};

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
/// Lines of the record in an hour about refusals that anybody can cause.
const LINES: usize = 300;
/// What all mails are counted under.
const MAILS: &str = "mails";
/// A day, in milliseconds.
pub const DAY: Millis = 24 * HOUR;

/// The limits; each is a setting.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Guesses at one request's codes.
    pub tries: usize,
    /// How long a code, a request's link and a document's link live.
    pub code: Millis,
    /// How long a link to a document lives.
    pub link: Millis,
    /// Code mails for one identity in an hour and in a day.
    pub codes_an_hour: usize,
    /// See above.
    pub codes_a_day: usize,
    /// Resets and activations that the portal is asked for, for one person in an hour and in a day.
    pub requests_an_hour: usize,
    /// See above.
    pub requests_a_day: usize,
    /// Other mails about one identity in a day.
    pub notices_a_day: usize,
    /// Identities that one chat may name in a day.
    pub identities: usize,
    /// Failures of one chat in a day.
    pub chat_failures: usize,
    /// Requests that one network may start in an hour; an office ten times that.
    pub network_starts: usize,
    /// Failures of one network in an hour; an office ten times that.
    pub network_failures: usize,
    /// Failures over all in an hour.
    pub all_failures: usize,
    /// Failures at one identity in a day from which on it gets slow.
    pub slow_failures: usize,
    /// Failures at one identity in a day from which on chats that are not bound to it are shut out.
    pub most_failures: usize,
    /// How old a proof may be for what is sensitive.
    pub fresh: Millis,
    /// How long a proof lives while its person is silent.
    pub proof_idle: Millis,
    /// How long a proof lives at all.
    pub proof_most: Millis,
    /// How long a chat stays bound.
    pub binding: Millis,
    /// Chats that may be bound to one identity.
    pub bindings: usize,
    /// Mails in a minute and in an hour, over all.
    pub mails_a_minute: usize,
    /// See above.
    pub mails_an_hour: usize,
}

/// What is noted at one moment, with a label where different ones count.
type Noted = (Millis, String);

/// So many in so long.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// How long.
    pub within: Millis,
    /// How many.
    pub most: usize,
}

/// What was noted under a key within the longest of some windows; the row is held until the transaction ends.
struct Held<'k> {
    key: &'k str,
    noted: Vec<Noted>,
}

impl<'k> Held<'k> {
    async fn take(
        connection: &mut Connection,
        key: &'k str,
        keep: Millis,
        now: Millis,
    ) -> sqlx::Result<Self> {
        let recent = tally::hold(connection, key, now).await?;
        let noted = read(&recent, keep, now);
        Ok(Self { key, noted })
    }

    fn within(&self, window: Millis, now: Millis) -> usize {
        let recent = |(at, _): &&Noted| *at > now - window;
        self.noted.iter().filter(recent).count()
    }

    async fn note(
        mut self,
        connection: &mut Connection,
        label: &str,
        now: Millis,
    ) -> sqlx::Result<()> {
        self.noted.push((now, label.to_owned()));
        self.put(connection).await
    }

    async fn put(self, connection: &mut Connection) -> sqlx::Result<()> {
        let recent = serde_json::to_string(&self.noted).unwrap_or_default();
        tally::put(connection, self.key, &recent).await
    }
}

/// What counts: nothing older than it is kept for, and nothing so far ahead that only a clock set back explains it.
fn read(recent: &str, keep: Millis, now: Millis) -> Vec<Noted> {
    let mut noted: Vec<Noted> = serde_json::from_str(recent).unwrap_or_default();
    noted.retain(|(at, _)| (now - at).abs() < keep);
    noted
}

/// Takes one of what `key` has left in every window; tells whether there was one.
pub async fn take(
    connection: &mut Connection,
    key: &str,
    windows: &[Window],
    now: Millis,
) -> sqlx::Result<bool> {
    let keep = windows.iter().map(|window| window.within).max();
    let held = Held::take(connection, key, keep.unwrap_or(DAY), now).await?;
    let room = windows
        .iter()
        .all(|window| held.within(window.within, now) < window.most);
    if room {
        held.note(connection, "", now).await?;
    }
    Ok(room)
}

/// Gives back what was taken of `key` at a moment and is still kept.
async fn give_back(
    connection: &mut Connection,
    key: &str,
    keep: Millis,
    taken_at: Millis,
) -> sqlx::Result<()> {
    let mut held = Held::take(connection, key, keep, taken_at).await?;
    let place = held.noted.iter().position(|(at, _)| *at == taken_at);
    if let Some(place) = place {
        held.noted.remove(place);
        held.put(connection).await?;
    }
    Ok(())
}

/// Takes one of the different labels that `key` may name in a window; one that was named before takes nothing.
pub async fn take_label(
    connection: &mut Connection,
    key: &str,
    label: &str,
    window: Window,
    now: Millis,
) -> sqlx::Result<bool> {
    let held = Held::take(connection, key, window.within, now).await?;
    if held.noted.iter().any(|(_, noted)| noted == label) {
        return Ok(true);
    }
    let room = held.noted.len() < window.most;
    if room {
        held.note(connection, label, now).await?;
    }
    Ok(room)
}

/// Notes one under `key`, `most` at most; how many there are within the window.
pub async fn note(
    connection: &mut Connection,
    key: &str,
    window: Window,
    now: Millis,
) -> sqlx::Result<usize> {
    let held = Held::take(connection, key, window.within, now).await?;
    let count = held.within(window.within, now);
    if count < window.most {
        held.note(connection, "", now).await?;
    }
    Ok(count + 1)
}

/// How many were noted under `key` within the window, and when the last was.
pub async fn count(
    connection: &mut Connection,
    key: &str,
    within: Millis,
    now: Millis,
) -> sqlx::Result<(usize, Millis)> {
    let recent = tally::read(connection, key).await?;
    let noted = read(&recent.unwrap_or_default(), within, now);
    let last = noted.iter().map(|(at, _)| *at).max();
    Ok((noted.len(), last.unwrap_or(0)))
}

/// Why a guess is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barred {
    /// Too many failures: not today.
    Locked,
    /// Too many failures: not before this time has passed.
    Wait(Millis),
}

impl Limits {
    /// Whether a code may be mailed. Everything is counted, whether or not something else speaks against it, so that
    /// the number of statements tells nothing.
    pub async fn admit_start(
        &self,
        connection: &mut Connection,
        asker: &Asker,
        subject: &str,
        now: Millis,
    ) -> sqlx::Result<bool> {
        let bound = asker.is_bound_to(subject);
        let hourly = |most| Window { within: HOUR, most };
        let daily = |most| Window { within: DAY, most };
        let network = asker.network.as_ref();
        let mut admitted = true;
        if let Some(network) = network {
            let window = [hourly(self.network_starts.saturating_mul(network.factor))];
            let key = format!("starts {}", network.name);
            admitted &= take(connection, &key, &window, now).await? || bound;
            admitted &= !self.is_paused(connection, asker, now).await? || bound;
        }
        let key = format!("identities {}", asker.chat);
        let named = daily(self.identities);
        admitted &= take_label(connection, &key, subject, named, now).await?;
        admitted &= !self.is_stopped(connection, subject, now).await?;
        let (failures, _) = count(connection, &failures_of(subject), DAY, now).await?;
        admitted &= bound || failures < self.most_failures;
        // What is not sent takes nothing of the budget.
        let key = format!("codes {subject} {}", if bound { "bound" } else { "free" });
        let budget = hourly_and_daily(self.codes_an_hour, self.codes_a_day);
        Ok(admitted && take(connection, &key, &budget, now).await?)
    }

    /// Whether a guess may be looked at.
    pub async fn admit_guess(
        &self,
        connection: &mut Connection,
        asker: &Asker,
        subject: &str,
        now: Millis,
    ) -> sqlx::Result<Result<(), Barred>> {
        let key = format!("failures-of-chat {}", asker.chat);
        let (own, _) = count(connection, &key, DAY, now).await?;
        if own >= self.chat_failures {
            return Ok(Err(Barred::Locked));
        }
        if asker.is_bound_to(subject) {
            return Ok(Ok(()));
        }
        if self.is_paused(connection, asker, now).await? {
            return Ok(Err(Barred::Locked));
        }
        let (failures, last) = count(connection, &failures_of(subject), DAY, now).await?;
        if failures >= self.most_failures {
            return Ok(Err(Barred::Locked));
        }
        if failures >= self.slow_failures {
            let doublings = (failures - self.slow_failures).min(7) as u32;
            let delay = (30_000_i64 << doublings).min(HOUR);
            let wait = last + delay - now;
            if wait > 0 {
                return Ok(Err(Barred::Wait(wait.min(HOUR))));
            }
        }
        Ok(Ok(()))
    }

    /// Counts a failure; tells what came of it.
    pub async fn failed(
        &self,
        connection: &mut Connection,
        asker: &Asker,
        subject: &str,
        now: Millis,
    ) -> sqlx::Result<Failed> {
        let hourly = |most| Window { within: HOUR, most };
        let daily = |most| Window { within: DAY, most };
        let all = note(connection, "failures", hourly(2 * self.all_failures), now).await?;
        let key = format!("failures-of-chat {}", asker.chat);
        note(connection, &key, daily(2 * self.chat_failures), now).await?;
        let mut network_trips = false;
        if let Some(network) = &asker.network {
            let most = self.network_failures.saturating_mul(network.factor);
            let key = format!("failures-from {}", network.name);
            network_trips = note(connection, &key, hourly(2 * most), now).await? == most;
        }
        let key = failures_of(subject);
        let of_subject = note(connection, &key, daily(2 * self.most_failures), now).await?;
        let once = [Window {
            within: DAY,
            most: 1,
        }];
        let reached = of_subject == self.most_failures;
        let key = format!("told {subject}");
        Ok(Failed {
            tells_owner: reached && take(connection, &key, &once, now).await?,
            breaker: all == self.all_failures || network_trips,
        })
    }

    /// Whether nobody new may be bound from a network: it failed too often, or too much fails everywhere and it has
    /// its part in that. Offices are never cut off.
    async fn is_paused(
        &self,
        connection: &mut Connection,
        asker: &Asker,
        now: Millis,
    ) -> sqlx::Result<bool> {
        let Some(network) = &asker.network else {
            return Ok(false);
        };
        let key = format!("failures-from {}", network.name);
        let (own, _) = count(connection, &key, HOUR, now).await?;
        let (all, _) = count(connection, "failures", HOUR, now).await?;
        if own >= self.network_failures.saturating_mul(network.factor) {
            return Ok(true);
        }
        Ok(network.factor == 1 && own > 0 && all >= self.all_failures)
    }

    /// Whether the portal may be asked for one more thing that mails somebody; nothing is taken.
    pub async fn has_errand(
        &self,
        connection: &mut Connection,
        subject: &str,
        now: Millis,
    ) -> sqlx::Result<bool> {
        let key = errands_of(subject);
        for window in self.requests() {
            let (known, _) = count(connection, &key, window.within, now).await?;
            if known >= window.most {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes one of what the portal may be asked for.
    pub async fn admit_errand(
        &self,
        connection: &mut Connection,
        subject: &str,
        now: Millis,
    ) -> sqlx::Result<bool> {
        take(connection, &errands_of(subject), &self.requests(), now).await
    }

    fn requests(&self) -> [Window; 2] {
        hourly_and_daily(self.requests_an_hour, self.requests_a_day)
    }

    /// Whether a mail to somebody that is no code may go out.
    pub async fn admit_notice(
        &self,
        connection: &mut Connection,
        subject: &str,
        now: Millis,
    ) -> sqlx::Result<bool> {
        let window = [Window {
            within: DAY,
            most: self.notices_a_day,
        }];
        let stopped = self.is_stopped(connection, subject, now).await?;
        Ok(!stopped && take(connection, &format!("notices {subject}"), &window, now).await?)
    }

    /// Whether one more mail may go out now, over all.
    pub async fn admit_mail(
        &self,
        connection: &mut Connection,
        urgent: bool,
        now: Millis,
    ) -> sqlx::Result<bool> {
        // A tenth is left for codes.
        let share = |most: usize| if urgent { most } else { most - most / 10 };
        let windows = [
            Window {
                within: MINUTE,
                most: share(self.mails_a_minute),
            },
            Window {
                within: HOUR,
                most: share(self.mails_an_hour),
            },
        ];
        take(connection, MAILS, &windows, now).await
    }

    /// Gives back what a mail took at a moment that did not go out: an outage must not use up the hour's budget.
    pub async fn give_back_mail(
        &self,
        connection: &mut Connection,
        taken_at: Millis,
    ) -> sqlx::Result<()> {
        give_back(connection, MAILS, HOUR, taken_at).await
    }

    /// Whether a refusal that anybody can cause is still worth a line of the record: nobody may fill it.
    pub async fn is_worth_a_line(
        &self,
        connection: &mut Connection,
        event: &str,
        now: Millis,
    ) -> sqlx::Result<bool> {
        let window = [Window {
            within: HOUR,
            most: LINES,
        }];
        take(connection, &format!("refusals {event}"), &window, now).await
    }

    /// Stops mails about a subject for a day; not more than three times in thirty days, so that nobody can be silenced
    /// for good. Tells whether it was done.
    pub async fn stop(
        &self,
        connection: &mut Connection,
        subject: &str,
        now: Millis,
    ) -> sqlx::Result<bool> {
        let window = [Window {
            within: 30 * DAY,
            most: 3,
        }];
        take(connection, &format!("stopped {subject}"), &window, now).await
    }

    async fn is_stopped(
        &self,
        connection: &mut Connection,
        subject: &str,
        now: Millis,
    ) -> sqlx::Result<bool> {
        let (_, last) = count(connection, &format!("stopped {subject}"), 30 * DAY, now).await?;
        Ok(last > now - DAY && last > 0)
    }
}

/// What came of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The owner is to be told that somebody tries.
    pub tells_owner: bool,
    /// Too much fails: somebody has to be told.
    pub breaker: bool,
}

fn hourly_and_daily(an_hour: usize, a_day: usize) -> [Window; 2] {
    let window = |within, most| Window { within, most };
    [window(HOUR, an_hour), window(DAY, a_day)]
}

fn errands_of(subject: &str) -> String {
    format!("errands {subject}")
}

fn failures_of(subject: &str) -> String {
    format!("failures-at {subject}")
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tries: 5,
            code: 10 * MINUTE,
            link: 10 * MINUTE,
            codes_an_hour: 3,
            codes_a_day: 6,
            requests_an_hour: 3,
            requests_a_day: 6,
            notices_a_day: 6,
            identities: 3,
            chat_failures: 10,
            network_starts: 60,
            network_failures: 60,
            all_failures: 200,
            slow_failures: 10,
            most_failures: 30,
            fresh: 5 * MINUTE,
            proof_idle: 10 * MINUTE,
            proof_most: 60 * MINUTE,
            binding: 30 * DAY,
            bindings: 1,
            mails_a_minute: 60,
            mails_an_hour: 2_000,
        }
    }
}

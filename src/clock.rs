//! The only caller of "now". Everything else is told the time, so that a test can set it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, date};

/// A moment, in Unix milliseconds.
pub type Millis = i64;

/// A day, in milliseconds.
pub const DAY: Millis = 86_400_000;

/// Kelantan is ahead of UTC by this, in hours.
const AHEAD: i8 = 8;

/// A system clock that is set back by less than this, in milliseconds, is not followed: a code would live longer. What
/// is set back further is believed; what was issued before then lies in the future, and counts no more.
const HELD: Millis = 2 * 3_600_000;

/// Tells the time: the system's, shifted by an offset that `demo` and tests may set. It does not go back by less than
/// two hours while the process runs.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset: Arc<AtomicI64>,
    steady: Arc<Mutex<Option<Steady>>>,
}

/// When the system's clock was last believed, by it and by a clock that nobody sets.
#[derive(Clone, Copy, Debug)]
struct Steady {
    system: Millis,
    since: Instant,
}

impl Steady {
    /// The time when the system's clock says `system` and `passed` milliseconds went by since it was believed; whether
    /// it is believed now.
    fn read(self, system: Millis, passed: Millis) -> (Millis, bool) {
        let steady = self.system.saturating_add(passed);
        let believed = system >= steady || system < steady - HELD;
        (if believed { system } else { steady }, believed)
    }
}

impl Clock {
    /// The system's clock, shifted by `offset` milliseconds.
    pub fn shifted(offset: Millis) -> Self {
        Self {
            offset: Arc::new(AtomicI64::new(offset)),
            ..Self::default()
        }
    }

    /// Moves this clock and all its clones forward.
    pub fn advance(&self, by: Millis) {
        self.offset.fetch_add(by, Ordering::Relaxed);
    }

    /// Now.
    pub fn now(&self) -> Millis {
        let (now, _) = self.read();
        now.saturating_add(self.offset.load(Ordering::Relaxed))
    }

    /// By how many milliseconds the system's clock was set back without being followed.
    pub fn held_back(&self) -> Millis {
        let (now, system) = self.read();
        now - system
    }

    /// The time as it counts, and as the system has it.
    fn read(&self) -> (Millis, Millis) {
        let system = system_time();
        let mut steady = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, believed) = steady.map_or((system, true), |steady| {
            let passed = steady.since.elapsed().as_millis();
            steady.read(system, Millis::try_from(passed).unwrap_or(Millis::MAX))
        });
        if believed {
            *steady = Some(Steady {
                system,
                since: Instant::now(),
            });
        }
        (now, system)
    }

    /// Today in Kelantan.
    pub fn today(&self) -> Date {
        local(self.now()).date()
    }
}

fn system_time() -> Millis {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the system"
    )]
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    })
}

/// A moment as the clocks in Kelantan show it (UTC+8, no daylight saving).
pub fn local(at: Millis) -> DateTime {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(AHEAD));
    timestamp(at).to_zoned(zone).datetime()
}

/// The beginning of a day in Kelantan.
pub fn midnight(day: Date) -> Millis {
    day_number(day) * DAY - Millis::from(AHEAD) * 3_600_000
}

/// A day's number, counted from 1970.
pub fn day_number(day: Date) -> i64 {
    let since = day.since(date(1970, 1, 1));
    since.map_or(0, |since| i64::from(since.get_days()))
}

/// Reads a moment as a form has it, `2026-11-23T09:15`, on the clocks in Kelantan.
pub fn at_local(text: &str) -> Option<Millis> {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(8));
    let at: DateTime = text.parse().ok()?;
    let zoned = at.to_zoned(zone).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// A day as people in Kelantan read it: `23/11/2026`.
pub fn shown_day(at: Millis) -> String {
    local(at).strftime("%d/%m/%Y").to_string()
}

/// A moment as people in Kelantan read it: `23/11/2026, 09:15`.
pub fn shown(at: Millis) -> String {
    local(at).strftime("%d/%m/%Y, %H:%M").to_string()
}

/// The moment at which a day in Kelantan is over.
pub fn end_of_day(day: Date) -> Millis {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(8));
    let next = day.tomorrow().unwrap_or(day);
    let over = next.to_zoned(zone);
    over.map_or(Millis::MAX, |over| over.timestamp().as_millisecond())
}

/// A moment as RFC 3339 in UTC, as the interface has it.
pub fn rfc3339(at: Millis) -> String {
    timestamp(at).to_string()
}

fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac_99_a_system_clock_that_is_set_back_lengthens_nothing() {
        let noon = 1_795_000_000_000;
        let steady = Steady {
            system: noon,
            since: Instant::now(),
        };
        const MINUTE: Millis = 60_000;
        // It goes on, and may jump ahead: what is valid ends sooner.
        assert_eq!(steady.read(noon + MINUTE, MINUTE), (noon + MINUTE, true));
        assert_eq!(
            steady.read(noon + 90 * MINUTE, MINUTE),
            (noon + 90 * MINUTE, true)
        );
        // Set back by ten minutes, or an hour: the time goes on as it passes.
        assert_eq!(
            steady.read(noon - 10 * MINUTE, 3 * MINUTE),
            (noon + 3 * MINUTE, false)
        );
        assert_eq!(
            steady.read(noon - 60 * MINUTE, MINUTE),
            (noon + MINUTE, false)
        );
        // It has caught up.
        assert_eq!(
            steady.read(noon + 20 * MINUTE, 19 * MINUTE),
            (noon + 20 * MINUTE, true)
        );
        // A machine that began in the wrong zone: codes of before lie hours ahead, and are dead.
        let morning = noon - 8 * 60 * MINUTE;
        assert_eq!(steady.read(morning, MINUTE), (morning, true));
    }

    #[test]
    fn time_goes_on_and_can_be_shifted() {
        let clock = Clock::shifted(5_000);
        let first = clock.now();
        assert!(clock.clone().now() >= first);
        assert_eq!(clock.held_back(), 0);
        clock.advance(60_000);
        assert!(clock.now() >= first + 60_000);
        assert_eq!(local(0).to_string(), "1970-01-01T08:00:00");
    }
}

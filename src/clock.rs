//! The only caller of "now". Everything else is told the time, so that a test can set it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

/// A moment, in Unix milliseconds.
pub type Millis = i64;

/// Tells the time: the system's, shifted by an offset that `demo` and tests may set.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock, shifted by `offset` milliseconds.
    pub fn shifted(offset: Millis) -> Self {
        Self {
            offset: Arc::new(AtomicI64::new(offset)),
        }
    }

    /// Moves this clock and all its clones forward.
    pub fn advance(&self, by: Millis) {
        self.offset.fetch_add(by, Ordering::Relaxed);
    }

    /// Now.
    pub fn now(&self) -> Millis {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that asks the system"
        )]
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let system = since.map_or(0, |since| {
            Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
        });
        system.saturating_add(self.offset.load(Ordering::Relaxed))
    }

    /// Today in Kelantan.
    pub fn today(&self) -> Date {
        local(self.now()).date()
    }
}

/// A moment as the clocks in Kelantan show it (UTC+8, no daylight saving).
pub fn local(at: Millis) -> DateTime {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(8));
    timestamp(at).to_zoned(zone).datetime()
}

/// A moment as people in Kelantan read it: `23/11/2026, 09:15`.
pub fn shown(at: Millis) -> String {
    local(at).strftime("%d/%m/%Y, %H:%M").to_string()
}

/// A moment as RFC 3339 in UTC, as the interface has it.
pub fn rfc3339(at: Millis) -> String {
    timestamp(at).to_string()
}

fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

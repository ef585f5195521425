//! Stops asking a portal that does not answer, and tries again after a while with one request.

use std::sync::{Mutex, PoisonError};

use crate::clock::{Clock, Millis};

/// Faults in a row after which nothing is asked any more.
const FAULTS: u32 = 5;
/// For how long, in milliseconds.
const PAUSE: Millis = 15_000;

/// The state of a line to a portal, in this process.
#[derive(Debug)]
pub struct Breaker {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    faults: u32,
    /// Nothing is asked before this.
    opens_at: Millis,
}

impl Breaker {
    /// A line that works.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// Whether something may be asked now. After a pause, one request goes first; the others wait for how it went.
    pub fn admits(&self) -> bool {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.faults < FAULTS {
            return true;
        }
        // A pause that lies further ahead than any was set before the clock was.
        if now < state.opens_at && state.opens_at <= now + PAUSE {
            return false;
        }
        state.opens_at = now + PAUSE;
        true
    }

    /// Notes how a request went.
    pub fn note(&self, answered: bool) {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if answered {
            state.faults = 0;
            metrics::gauge!("tanya_portal_breaker_open").set(0.0);
            return;
        }
        state.faults = state.faults.saturating_add(1);
        if state.faults == FAULTS {
            tracing::error!("the portal does not answer; it is left alone for a while");
            metrics::counter!("tanya_portal_breaker_total").increment(1);
            metrics::gauge!("tanya_portal_breaker_open").set(1.0);
        }
        state.opens_at = now + PAUSE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac_103_five_faults_in_a_row_pause_the_line_and_one_request_tries_it_again() {
        let clock = Clock::default();
        let breaker = Breaker::new(clock.clone());
        for _ in 0..4 {
            breaker.note(false);
        }
        breaker.note(true);
        for _ in 0..5 {
            assert!(breaker.admits());
            breaker.note(false);
        }
        assert!(!breaker.admits());
        clock.advance(PAUSE);
        assert!(breaker.admits());
        assert!(!breaker.admits());
        breaker.note(true);
        assert!(breaker.admits() && breaker.admits());
    }
}

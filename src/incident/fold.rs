//! How one more sighting changes what a source says: a single bad moment changes nothing. Pure.

use super::{Health, Rules, System};
use crate::clock::Millis;
use crate::storage::system_state::SystemStateRow;

/// Who says how a system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The portal's interface, which is told by those who run the systems.
    Status,
    /// A look at the system's address.
    Probe,
}

impl Source {
    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Probe => "probe",
        }
    }
}

/// One sighting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whose.
    pub source: Source,
    /// How the system is.
    pub health: Health,
    /// What the source adds, for people.
    pub note: String,
}

/// What a source says after one more sighting; `before` is what it said, if that is still true.
pub(super) fn fold(
    before: Option<SystemStateRow>,
    system: System,
    seen: &Seen,
    rules: &Rules,
    now: Millis,
) -> SystemStateRow {
    let before = before.unwrap_or_else(|| SystemStateRow {
        system: system.as_str().to_owned(),
        source: seen.source.as_str().to_owned(),
        state: Health::Unknown.as_str().to_owned(),
        note: String::new(),
        since: now,
        checked_at: now,
        differing: 0,
        differs_at: now,
    });
    let state = Health::parse(&before.state);
    if seen.health == state {
        return SystemStateRow {
            note: seen.note.clone(),
            checked_at: now,
            differing: 0,
            ..before
        };
    }
    let differing = before.differing + 1;
    let differs_at = if differing == 1 {
        now
    } else {
        before.differs_at
    };
    if differing < needed(state, seen, rules) {
        return SystemStateRow {
            checked_at: now,
            differing,
            differs_at,
            ..before
        };
    }
    SystemStateRow {
        state: seen.health.as_str().to_owned(),
        note: seen.note.clone(),
        since: differs_at,
        checked_at: now,
        differing: 0,
        ..before
    }
}

/// So many sightings in a row change a state. Those who run a system are believed at once when they say that it does not
/// work; that it works again must be seen more than once, whoever says so.
fn needed(state: Health, seen: &Seen, rules: &Rules) -> i64 {
    match (state, seen.health, seen.source) {
        (Health::Unknown, Health::Up, _) => 1,
        (_, Health::Up, _) => rules.up_after,
        (_, Health::Down | Health::Maintenance | Health::Unknown, Source::Status) => 1,
        (_, Health::Down | Health::Maintenance | Health::Unknown, Source::Probe) => {
            rules.down_after
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The states after each of these looks, ten seconds apart.
    fn course(source: Source, looks: &[Health]) -> Vec<(Health, Millis)> {
        let rules = Rules::default();
        let mut row = None;
        let mut course = Vec::new();
        for (place, health) in (0..).zip(looks) {
            let seen = Seen {
                source,
                health: *health,
                note: String::new(),
            };
            let folded = fold(row, System::Portal, &seen, &rules, place * 10_000);
            course.push((Health::parse(&folded.state), folded.since / 10_000));
            row = Some(folded);
        }
        course
    }

    #[test]
    fn a_look_that_fails_now_and_then_changes_nothing() {
        use Health::{Down, Up};
        let course = course(Source::Probe, &[Up, Down, Down, Up, Down, Down, Up]);
        assert!(course.iter().all(|(health, _)| *health == Up), "{course:?}");
    }

    #[test]
    fn looks_that_fail_in_a_row_do_and_looks_that_succeed_in_a_row_end_it() {
        use Health::{Down, Up};
        let course = course(Source::Probe, &[Up, Down, Down, Down, Up, Down, Up, Up]);
        let expected = [
            (Up, 0),
            (Up, 0),
            (Up, 0),
            // Since the first look that failed.
            (Down, 1),
            (Down, 1),
            (Down, 1),
            (Down, 1),
            (Up, 6),
        ];
        assert_eq!(course, expected);
    }

    #[test]
    fn nothing_is_known_before_enough_was_seen() {
        use Health::{Down, Unknown};
        let course = course(Source::Probe, &[Down, Down, Down]);
        assert_eq!(course, [(Unknown, 0), (Unknown, 0), (Down, 0)]);
    }

    #[test]
    fn those_who_run_it_are_believed_at_once_but_not_that_it_is_over() {
        use Health::{Down, Maintenance, Up};
        let course = course(Source::Status, &[Up, Maintenance, Up, Down, Up, Up]);
        let states: Vec<Health> = course.iter().map(|(health, _)| *health).collect();
        assert_eq!(states, [Up, Maintenance, Maintenance, Down, Down, Up]);
    }
}

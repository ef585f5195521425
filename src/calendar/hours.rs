//! Opening blocks, and which weekday has which. A block lies within one day: an office that is open past midnight cannot
//! be written.

use std::fmt;

use jiff::civil::{Time, Weekday};

use crate::clock::Millis;

/// Each weekday with its English and its Malay name, as files have them.
const WEEKDAYS: [(Weekday, &str, &str); 7] = [
    (Weekday::Sunday, "sunday", "ahad"),
    (Weekday::Monday, "monday", "isnin"),
    (Weekday::Tuesday, "tuesday", "selasa"),
    (Weekday::Wednesday, "wednesday", "rabu"),
    (Weekday::Thursday, "thursday", "khamis"),
    (Weekday::Friday, "friday", "jumaat"),
    (Weekday::Saturday, "saturday", "sabtu"),
];

/// The weekday of a name, in English or in Malay, in large or small letters.
pub fn weekday_named(name: &str) -> Option<Weekday> {
    let name = name.trim().to_lowercase();
    WEEKDAYS
        .iter()
        .find(|(_, english, malay)| name == *english || name == *malay)
        .map(|(weekday, ..)| *weekday)
}

/// The English name of a weekday, as a file has it.
pub fn weekday_name(weekday: Weekday) -> &'static str {
    WEEKDAYS
        .iter()
        .find(|(known, ..)| *known == weekday)
        .map_or("", |(_, english, _)| english)
}

/// A time of the day from which an office is open without a break, and the time at which it closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    opens: Time,
    closes: Time,
}

impl Block {
    /// Reads `08:00-13:00`; none when it is no such text, or does not close after it opens.
    pub fn parse(text: &str) -> Option<Self> {
        let (opens, closes) = text.split_once(['-', '–'])?;
        let (opens, closes) = (time(opens)?, time(closes)?);
        (opens < closes).then_some(Self { opens, closes })
    }

    /// The first moment that it is open.
    pub fn opens(self) -> Time {
        self.opens
    }

    /// The first moment that it is closed again.
    pub fn closes(self) -> Time {
        self.closes
    }

    /// Whether it is open at `time`.
    pub fn contains(self, time: Time) -> bool {
        self.opens <= time && time < self.closes
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (opens, closes) = (self.opens, self.closes);
        write!(f, "{:02}:{:02}-", opens.hour(), opens.minute())?;
        write!(f, "{:02}:{:02}", closes.hour(), closes.minute())
    }
}

/// Reads `8:00` or `08:00`.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) || hour.len() > 2 || minute.len() != 2 {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// Milliseconds from midnight to a time of the day.
pub fn since_midnight(time: Time) -> Millis {
    let minutes = i64::from(time.hour()) * 60 + i64::from(time.minute());
    (minutes * 60 + i64::from(time.second())) * 1_000 + i64::from(time.millisecond())
}

/// The opening blocks of weekdays. A weekday that is not named has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    days: Vec<(Weekday, Vec<Block>)>,
}

impl Hours {
    /// The blocks of a weekday, in order.
    pub fn on(&self, weekday: Weekday) -> &[Block] {
        self.days
            .iter()
            .find(|(known, _)| *known == weekday)
            .map_or(&[], |(_, blocks)| blocks)
    }

    /// The weekdays that have blocks, from Sunday.
    pub fn days(&self) -> impl Iterator<Item = (Weekday, &[Block])> {
        self.days
            .iter()
            .map(|(weekday, blocks)| (*weekday, blocks.as_slice()))
    }

    /// Gives a weekday its blocks; false when it has some already.
    pub(super) fn add(&mut self, weekday: Weekday, blocks: Vec<Block>) -> bool {
        let free = self.on(weekday).is_empty();
        if free {
            self.days.push((weekday, blocks));
            self.days
                .sort_by_key(|(weekday, _)| weekday.to_sunday_zero_offset());
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_as_officers_write_it() {
        for text in ["08:00-13:00", "8:00 - 13:00", "08:00–13:00"] {
            let block = Block::parse(text).expect(text);
            assert_eq!(block.to_string(), "08:00-13:00");
        }
    }

    #[test]
    fn a_block_that_is_none_is_refused() {
        for text in [
            "",
            "-",
            "8-13",
            "13:00-08:00",
            "08:00-08:00",
            "08:00-24:00",
            "08:60-09:00",
            "+8:00-9:00",
            "08:00",
            "08:00-13:00-14:00",
            "22:00-02:00",
            "8:0-9:00",
            ":00-9:00",
        ] {
            assert_eq!(Block::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_block_is_open_from_its_first_moment_and_closed_at_its_last() {
        let block = Block::parse("08:00-13:00").unwrap();
        assert!(block.contains(block.opens()));
        assert!(!block.contains(block.closes()));
    }

    #[test]
    fn weekdays_have_malay_and_english_names() {
        assert_eq!(weekday_named("Ahad"), Some(Weekday::Sunday));
        assert_eq!(weekday_named("thursday"), Some(Weekday::Thursday));
        assert_eq!(weekday_named("JUMAAT"), Some(Weekday::Friday));
        assert_eq!(weekday_named("someday"), None);
        for (weekday, english, _) in WEEKDAYS {
            assert_eq!(weekday_name(weekday), english);
        }
    }
}

//! Reads holidays from an iCalendar file (RFC 5545): dates and names, nothing else. It refuses events that repeat, as a
//! rule that is expanded wrongly closes the office on a wrong day, and never reads times, alarms or attendees.

use jiff::Span;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

use super::error::start;
use super::holiday::{Holiday, HolidayError, MAX_NAME_CHARS, Name};
use crate::clock;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The most events that are read.
pub const MAX_EVENTS: usize = 2_000;

/// Why a file is not read, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IcalError {
    /// Larger than [`MAX_BYTES`].
    #[error("the file is larger than 1 MiB: export fewer years")]
    TooLarge,
    /// More than [`MAX_EVENTS`].
    #[error("line {line}: more than {MAX_EVENTS} events: export fewer years")]
    TooMany {
        /// Where the first event too many begins.
        line: usize,
    },
    /// There is no calendar in it.
    #[error("the file is no iCalendar: it has no line BEGIN:VCALENDAR; export it as .ics")]
    NoCalendar,
    /// It ends, or a part ends, where it should not.
    #[error(
        "line {line}: {part} has no end, or ends out of turn: the file is cut off, export it again"
    )]
    Unfinished {
        /// Where the part begins or the wrong end stands.
        line: usize,
        /// The part, as `VEVENT`.
        part: String,
    },
    /// A date that is none.
    #[error("line {line}: `{text}` is no date as 20270831 or 20270831T090000")]
    Malformed {
        /// Where it stands.
        line: usize,
        /// The start of what stands there.
        text: String,
    },
    /// An event without a start.
    #[error("line {line}: the event has no DTSTART: give it a date, or take it out")]
    NoStart {
        /// Where the event begins.
        line: usize,
    },
    /// An event with RRULE or RDATE.
    #[error("line {line}: `{name}` repeats by a rule: replace it by one event for each year")]
    Repeats {
        /// Where the event begins.
        line: usize,
        /// What it is called.
        name: String,
    },
    /// An event that is no holiday.
    #[error("line {line}: the event {problem}: mend its SUMMARY, DTSTART or DTEND, or take it out")]
    NoHoliday {
        /// Where the event begins.
        line: usize,
        /// Why not.
        problem: HolidayError,
    },
}

/// The events of a file as holidays, in its order. A date of a time with a zone is taken as it is written, a time in UTC
/// is told in Kelantan's; an event of some hours is a holiday of a whole day. Both languages have the same name, cut to
/// the length of a name. Cancelled events are left out.
pub fn holidays(text: &str) -> Result<Vec<Holiday>, IcalError> {
    if text.len() > MAX_BYTES {
        return Err(IcalError::TooLarge);
    }
    let mut reader = Reader::default();
    for (line, content) in unfold(text) {
        if let Some(property) = Property::parse(line, &content) {
            reader.take(&property)?;
        }
    }
    reader.finish()
}

/// The content lines, each with the number of its first line. A line that begins with a space goes on the one before.
fn unfold(text: &str) -> Vec<(usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some((_, content))) => content.push_str(more),
            _ => lines.push((number, line.to_owned())),
        }
    }
    lines
}

/// `NAME;PARAMETER=…:value`, without its parameters: a date shows by its form what it is.
#[derive(Debug)]
struct Property<'a> {
    line: usize,
    name: String,
    value: &'a str,
}

impl<'a> Property<'a> {
    /// Reads a line; one without a colon says nothing.
    fn parse(line: usize, content: &'a str) -> Option<Self> {
        let mut quoted = false;
        // A parameter in quotes may have a colon.
        let (head, value) = content.split_once(|c| {
            quoted ^= c == '"';
            c == ':' && !quoted
        })?;
        let name = head.split(';').next()?.trim().to_ascii_uppercase();
        Some(Self { line, name, value })
    }

    /// A date, or a time, in Kelantan.
    fn moment(&self) -> Result<DateTime, IcalError> {
        moment(self.value.trim()).ok_or_else(|| self.malformed())
    }

    fn malformed(&self) -> IcalError {
        IcalError::Malformed {
            line: self.line,
            text: start(self.value),
        }
    }
}

fn moment(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once(['T', 't']).unwrap_or((text, ""));
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(date, 8) {
        return None;
    }
    let date = Date::strptime("%Y%m%d", date).ok()?;
    if text.len() == 8 {
        return Some(date.at(0, 0, 0, 0));
    }
    let plain = time.strip_suffix(['Z', 'z']);
    let clock = plain.unwrap_or(time);
    if !digits(clock, 6) {
        return None;
    }
    let written = date.to_datetime(jiff::civil::Time::strptime("%H%M%S", clock).ok()?);
    if plain.is_none() {
        return Some(written);
    }
    let at = Offset::UTC.to_timestamp(written).ok()?;
    Some(clock::local(at.as_millisecond()))
}

#[derive(Debug, Default)]
struct Reader {
    seen: bool,
    /// The parts that have begun and not ended, and where.
    open: Vec<(usize, String)>,
    event: Event,
    events: usize,
    holidays: Vec<Holiday>,
}

impl Reader {
    fn take(&mut self, property: &Property<'_>) -> Result<(), IcalError> {
        match property.name.as_str() {
            "BEGIN" => self.begin(property),
            "END" => self.end(property),
            // Alarms and zones have durations, dates and rules of their own.
            _ if self.part() == "VEVENT" => self.event.take(property),
            _ => Ok(()),
        }
    }

    fn part(&self) -> &str {
        self.open.last().map_or("", |(_, part)| part)
    }

    fn begin(&mut self, property: &Property<'_>) -> Result<(), IcalError> {
        let line = property.line;
        let part = property.value.trim().to_ascii_uppercase();
        self.seen |= part == "VCALENDAR";
        if part == "VEVENT" {
            if self.part() != "VCALENDAR" {
                return Err(self.unfinished());
            }
            self.event = Event::at(line);
            self.events += 1;
        }
        self.open.push((line, part));
        if self.events > MAX_EVENTS {
            return Err(IcalError::TooMany { line });
        }
        Ok(())
    }

    fn end(&mut self, property: &Property<'_>) -> Result<(), IcalError> {
        let part = property.value.trim().to_ascii_uppercase();
        if self.part() != part {
            let line = property.line;
            let part = start(&part);
            return Err(IcalError::Unfinished { line, part });
        }
        self.open.pop();
        if part == "VEVENT" {
            self.holidays
                .extend(std::mem::take(&mut self.event).holiday()?);
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<Holiday>, IcalError> {
        if self.seen && self.open.is_empty() {
            return Ok(self.holidays);
        }
        Err(self.unfinished())
    }

    fn unfinished(&self) -> IcalError {
        match self.open.last().cloned() {
            Some((line, part)) if self.seen => IcalError::Unfinished {
                line,
                part: start(&part),
            },
            _ => IcalError::NoCalendar,
        }
    }
}

#[derive(Debug, Default)]
struct Event {
    line: usize,
    start: Option<DateTime>,
    /// The first moment after it.
    end: Option<DateTime>,
    lasts: Option<Span>,
    name: String,
    repeats: bool,
    cancelled: bool,
}

impl Event {
    fn at(line: usize) -> Self {
        Self {
            line,
            ..Self::default()
        }
    }

    fn take(&mut self, property: &Property<'_>) -> Result<(), IcalError> {
        let value = property.value.trim();
        match property.name.as_str() {
            "DTSTART" => self.start = Some(property.moment()?),
            "DTEND" => self.end = Some(property.moment()?),
            "DURATION" => self.lasts = Some(value.parse().map_err(|_| property.malformed())?),
            "SUMMARY" => self.name = unescape(value),
            "RRULE" | "RDATE" => self.repeats = true,
            "STATUS" => self.cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            _ => {}
        }
        Ok(())
    }

    /// The holiday that it is; none when it is cancelled.
    fn holiday(self) -> Result<Option<Holiday>, IcalError> {
        let line = self.line;
        if self.cancelled {
            return Ok(None);
        }
        if self.repeats {
            let name = self.name;
            return Err(IcalError::Repeats { line, name });
        }
        let Some(start) = self.start else {
            return Err(IcalError::NoStart { line });
        };
        let name = Name {
            ms: self.name.clone(),
            en: self.name.clone(),
        };
        self.last_day(start)
            .and_then(|last| Holiday::closed(name, start.date(), last))
            .map(Some)
            .map_err(|problem| IcalError::NoHoliday { line, problem })
    }

    /// The last day of an event: its end, which is not part of it, or how long it lasts; else the day that it begins.
    fn last_day(&self, start: DateTime) -> Result<Date, HolidayError> {
        let end = match (self.end, self.lasts) {
            (Some(end), _) => end,
            (None, Some(lasts)) => start.checked_add(lasts).map_err(|_| HolidayError::Year)?,
            (None, None) => start,
        };
        if end < start {
            return Err(HolidayError::Backwards);
        }
        // Some programs write the end of an event of one day as its start.
        let last = end.checked_sub(Span::new().nanoseconds(1)).unwrap_or(end);
        Ok(last.max(start).date())
    }
}

/// A SUMMARY as a name: without escapes, in one line, cut to its length.
fn unescape(value: &str) -> String {
    let mut text = String::new();
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') | None => text.push(' '),
                Some(escaped) => text.push(escaped),
            },
            _ if c.is_control() => text.push(' '),
            _ => text.push(c),
        }
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let name: String = words.join(" ").chars().take(MAX_NAME_CHARS).collect();
    name.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    /// A calendar of these events, with the line ends that the standard asks for.
    fn calendar(events: &[&str]) -> String {
        let events: String = events
            .iter()
            .map(|event| format!("BEGIN:VEVENT\n{event}\nEND:VEVENT\n"))
            .collect();
        format!("BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n").replace('\n', "\r\n")
    }

    /// The name, the first and the last day of the only holiday of an event.
    fn only(event: &str) -> (String, Date, Date) {
        let holidays = holidays(&calendar(&[event])).expect(event);
        assert_eq!(holidays.len(), 1);
        let holiday = &holidays[0];
        (holiday.name().ms.clone(), holiday.from(), holiday.to())
    }

    fn refused(event: &str) -> String {
        holidays(&calendar(&[event])).expect_err(event).to_string()
    }

    #[test]
    fn an_event_of_whole_days_ends_the_day_before_its_end() {
        let (name, from, to) =
            only("SUMMARY:Hari Raya\nDTSTART;VALUE=DATE:20270310\nDTEND;VALUE=DATE:20270312");
        assert_eq!(name, "Hari Raya");
        assert_eq!((from, to), (date(2027, 3, 10), date(2027, 3, 11)));
    }

    #[test]
    fn an_event_without_an_end_lasts_its_day() {
        for event in [
            "SUMMARY:a\nDTSTART;VALUE=DATE:20270831",
            "SUMMARY:a\nDTSTART:20270831",
            "SUMMARY:a\nDTSTART:20270831\nDTEND:20270831",
            "SUMMARY:a\nDTSTART:20270831\nDURATION:P1D",
            "SUMMARY:a\nDTSTART:20270831T000000\nDTEND:20270901T000000",
            "SUMMARY:a\nDTSTART;TZID=\"Asia/Kuala_Lumpur:x\":20270831T090000\nDTEND:20270831T100000",
        ] {
            let (_, from, to) = only(event);
            assert_eq!(
                (from, to),
                (date(2027, 8, 31), date(2027, 8, 31)),
                "{event}"
            );
        }
    }

    #[test]
    fn a_time_in_utc_is_told_in_kelantan() {
        let (_, from, to) = only("SUMMARY:a\nDTSTART:20270830T160000Z\nDTEND:20270831T160000Z");
        assert_eq!((from, to), (date(2027, 8, 31), date(2027, 8, 31)));
    }

    #[test]
    fn a_folded_name_with_escapes_is_one_line() {
        let (name, ..) =
            only("DTSTART:20270831\nSUMMARY;LANGUAGE=ms:Cuti\\, \n Umum\\n\\; k\n\tedua");
        assert_eq!(name, "Cuti, Umum ; kedua");
        let (name, ..) = only(&format!("DTSTART:20270831\nSUMMARY:{}", "é".repeat(500)));
        assert_eq!(name, "é".repeat(MAX_NAME_CHARS));
    }

    #[test]
    fn lines_may_end_as_on_any_system_and_names_may_be_small() {
        let text = "\u{feff}begin:vcalendar\nbegin:vevent\ndtstart:20270831\nsummary:a\nend:vevent\nend:vcalendar";
        assert_eq!(holidays(text).unwrap().len(), 1);
        assert_eq!(holidays(&text.replace('\n', "\r\n")), holidays(text));
    }

    #[test]
    fn alarms_and_zones_are_not_read() {
        let alarm = "BEGIN:VALARM\nDURATION:PT15M\nSUMMARY:alarm\nDTSTART:nonsense\nEND:VALARM";
        let (name, from, _) = only(&format!("DTSTART:20270831\nSUMMARY:a\n{alarm}"));
        assert_eq!((name.as_str(), from), ("a", date(2027, 8, 31)));
        let zone = "BEGIN:VTIMEZONE\nBEGIN:STANDARD\nDTSTART:19700101T000000\nRRULE:FREQ=YEARLY\nEND:STANDARD\nEND:VTIMEZONE";
        let text = calendar(&[]).replace("VERSION:2.0", zone);
        assert_eq!(holidays(&text), Ok(Vec::new()));
    }

    #[test]
    fn a_cancelled_event_is_left_out() {
        let text = calendar(&["STATUS:CANCELLED\nSUMMARY:a\nDTSTART:20270831\nRRULE:FREQ=DAILY"]);
        assert_eq!(holidays(&text), Ok(Vec::new()));
    }

    #[test]
    fn an_event_that_is_no_holiday_is_refused_with_its_line() {
        for (event, said) in [
            (
                "SUMMARY:Merdeka\nDTSTART:20270831\nRRULE:FREQ=YEARLY",
                "line 3: `Merdeka` repeats by a rule",
            ),
            ("SUMMARY:a", "line 3: the event has no DTSTART"),
            ("DTSTART:20270831", "line 3: the event needs a name"),
            (
                "SUMMARY:a\nDTSTART:20270229",
                "line 5: `20270229` is no date",
            ),
            (
                "SUMMARY:a\nDTSTART:2027-08-31",
                "line 5: `2027-08-31` is no date",
            ),
            (
                "SUMMARY:a\nDTSTART:20270831\nDTEND:20270830",
                "line 3: the event ends before",
            ),
            (
                "SUMMARY:a\nDTSTART:20270831\nDTEND:20280831",
                "line 3: the event lasts more",
            ),
            (
                "SUMMARY:a\nDTSTART:20270831\nDURATION:soon",
                "line 6: `soon` is no",
            ),
            (
                "SUMMARY:a\nDTSTART:02020831",
                "line 3: the event has a date outside",
            ),
        ] {
            let error = refused(event);
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_cut_off_or_another_is_refused() {
        let whole = calendar(&["SUMMARY:a\nDTSTART:20270831"]);
        let cut = &whole[..whole.len() - 20];
        assert!(matches!(holidays(cut), Err(IcalError::Unfinished { .. })));
        for text in [
            "",
            "<html>",
            "BEGIN:VEVENT\nEND:VEVENT",
            "BEGIN:VCARD\nEND:VCARD",
        ] {
            assert_eq!(holidays(text), Err(IcalError::NoCalendar), "{text}");
        }
        let nested = calendar(&["BEGIN:VEVENT\nEND:VEVENT"]);
        assert!(matches!(
            holidays(&nested),
            Err(IcalError::Unfinished { line: 3, .. })
        ));
    }

    #[test]
    fn great_files_are_refused() {
        assert_eq!(
            holidays(&" ".repeat(MAX_BYTES + 1)),
            Err(IcalError::TooLarge)
        );
        let event = "SUMMARY:a\nDTSTART:20270831";
        assert!(holidays(&calendar(&[event; MAX_EVENTS])).is_ok());
        let many = holidays(&calendar(&[event; MAX_EVENTS + 1]));
        assert!(matches!(many, Err(IcalError::TooMany { .. })));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(?s).{0,200}", value in "(?s).{0,40}", end in "[-+PT0-9DWMSZ]{0,20}") {
            let _ = holidays(&text);
            let _ = holidays(&calendar(&[&text]));
            let _ = holidays(&calendar(&[&format!("SUMMARY:{value}\nDTSTART:{value}")]));
            let _ = holidays(&calendar(&[&format!("SUMMARY:{value}\nDTSTART:20270831\nDTEND:{end}")]));
            let _ = holidays(&calendar(&[&format!("SUMMARY:{value}\nDTSTART:{end}\nDURATION:{end}")]));
        }

        #[test]
        fn what_is_read_lies_in_the_days_that_were_written(day in 1i8..=27, length in 0i8..=3, name in "[a-z]{1,9}") {
            let end = day + length;
            let event = format!("DTSTART:202703{day:02}\nDTEND:202703{end:02}\nSUMMARY:{name}");
            let (read, from, to) = only(&event);
            prop_assert_eq!(read, name);
            prop_assert_eq!(from, date(2027, 3, day));
            prop_assert_eq!(to, date(2027, 3, (end - 1).max(day)));
        }
    }
}

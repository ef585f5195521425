//! What officers and requesters may rely on.

mod file;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

const SHIPPED: &str = include_str!("../../knowledge/calendar.yaml");
const SAMPLE: &str = include_str!("sample.yaml");
const HEAD: &str = "version: 1\nworking_week: [ahad, isnin, selasa, rabu, khamis]\ncharter: {acknowledge: 1, answer: 7}\n";
const HOURS: &str = "hours: {ahad: [08:00-17:00], isnin: [08:00-17:00], selasa: [08:00-17:00], rabu: [08:00-17:00], khamis: [08:00-17:00]}\n";

fn shipped() -> Calendar {
    Calendar::parse(SHIPPED).expect("the shipped calendar")
}

fn sample() -> Calendar {
    Calendar::parse(SAMPLE).expect("the sample calendar")
}

/// A time in Kelantan, as `2027-01-10T09:00`.
fn at(text: &str) -> Millis {
    millis(text.parse().expect(text))
}

fn shown(at: Millis) -> String {
    clock::local(at).to_string()
}

fn name(text: &str) -> Name {
    Name {
        ms: text.to_owned(),
        en: text.to_owned(),
    }
}

#[test]
fn a_calendar_without_hours_does_not_guess_them() {
    let (calendar, monday) = (shipped(), at("2027-01-11T10:00"));
    assert_eq!(calendar.is_open(monday), None);
    assert_eq!(calendar.next_opening(monday), None);
    assert_eq!(calendar.closes_at(monday), None);
    assert_eq!(calendar.working_time_between(monday, monday + DAY), None);
    assert!(calendar.is_working_day(date(2027, 1, 11)));
    assert_eq!(
        shown(calendar.due_after(monday, 1)),
        "2027-01-12T23:59:59.999"
    );
}

#[test]
fn friday_is_no_working_day() {
    assert!(!shipped().is_working_day(date(2027, 1, 15)));
    assert!(!shipped().is_working_day(date(2027, 1, 16)));
    assert!(shipped().is_working_day(date(2027, 1, 17)));
}

#[test]
fn the_office_closes_for_lunch_and_says_when_it_opens_again() {
    let calendar = sample();
    let lunch = at("2027-01-11T13:00");
    assert_eq!(calendar.is_open(lunch - 1), Some(true));
    assert_eq!(calendar.closes_at(lunch - 1), Some(lunch));
    assert_eq!(calendar.is_open(lunch), Some(false));
    assert_eq!(calendar.closes_at(lunch), None);
    assert_eq!(calendar.next_opening(lunch), Some(at("2027-01-11T14:00")));
    assert_eq!(calendar.next_opening(lunch - 1), Some(lunch - 1));
}

#[test]
fn after_thursday_afternoon_it_opens_on_sunday() {
    let calendar = sample();
    assert_eq!(calendar.is_open(at("2027-01-21T15:29")), Some(true));
    assert_eq!(calendar.is_open(at("2027-01-21T15:30")), Some(false));
    assert_eq!(
        calendar.next_opening(at("2027-01-21T15:30")),
        Some(at("2027-01-24T08:00"))
    );
}

#[test]
fn ramadan_has_hours_of_its_own() {
    let calendar = sample();
    assert_eq!(calendar.is_open(at("2027-02-07T16:30")), Some(true));
    assert_eq!(calendar.is_open(at("2027-02-08T16:30")), Some(false));
    assert_eq!(calendar.is_open(at("2027-02-08T13:30")), Some(true));
    let ramadan = calendar.period_on(date(2027, 3, 9)).expect("its last day");
    assert_eq!(ramadan.en, "Ramadan (sample)");
    assert_eq!(calendar.period_on(date(2027, 3, 10)), None);
}

#[test]
fn a_weekday_that_a_period_does_not_name_keeps_its_usual_hours() {
    let period = "special_periods:\n  - {name: {ms: a, en: b}, from: 2027-01-10, to: 2027-01-14, hours: {isnin: [09:00-10:00]}}\n";
    let calendar = Calendar::parse(&format!("{HEAD}{HOURS}{period}")).unwrap();
    assert_eq!(calendar.is_open(at("2027-01-11T12:00")), Some(false));
    assert_eq!(calendar.is_open(at("2027-01-12T12:00")), Some(true));
}

#[test]
fn a_holiday_closes_the_office_and_has_a_name() {
    let calendar = sample();
    assert_eq!(calendar.is_open(at("2027-08-31T10:00")), Some(false));
    assert!(!calendar.is_working_day(date(2027, 8, 31)));
    let holiday = calendar.holiday_on(date(2027, 8, 31)).expect("a holiday");
    assert_eq!(holiday.ms, "Hari Kebangsaan (contoh)");
    assert_eq!(
        calendar.next_opening(at("2027-08-31T10:00")),
        Some(at("2027-09-01T08:00"))
    );
}

#[test]
fn an_early_closing_counts_as_a_working_day_and_is_due_when_it_closes() {
    let calendar = sample();
    assert!(calendar.is_working_day(date(2027, 3, 9)));
    assert_eq!(calendar.is_open(at("2027-03-09T12:30")), Some(false));
    assert_eq!(
        calendar.due_after(at("2027-03-08T09:00"), 1),
        at("2027-03-09T12:00")
    );
    assert!(calendar.holiday_on(date(2027, 3, 9)).is_some());
}

#[test]
fn an_extra_opening_opens_but_does_not_count() {
    let calendar = sample();
    assert_eq!(calendar.is_open(at("2027-01-16T10:00")), Some(true));
    assert!(!calendar.is_working_day(date(2027, 1, 16)));
    assert_eq!(
        calendar.due_after(at("2027-01-14T09:00"), 1),
        at("2027-01-17T17:00")
    );
}

#[test]
fn an_opening_on_a_holiday_opens_but_the_day_does_not_count() {
    let holidays = "holidays:\n  - {name: {ms: a, en: a}, date: 2027-01-11, hours: [09:00-10:00]}\n  - {name: {ms: b, en: b}, from: 2027-01-10, to: 2027-01-12}\n";
    let calendar = Calendar::parse(&format!("{HEAD}{HOURS}{holidays}")).unwrap();
    assert_eq!(calendar.is_open(at("2027-01-11T09:30")), Some(true));
    assert!(!calendar.is_working_day(date(2027, 1, 11)));
    assert_eq!(calendar.holiday_on(date(2027, 1, 11)), Some(&name("a")));
    assert_eq!(calendar.holiday_on(date(2027, 1, 12)), Some(&name("b")));
}

#[test]
fn one_working_day_after_a_friday_is_the_end_of_sunday() {
    let calendar = sample();
    let sunday = at("2027-01-24T17:00");
    assert_eq!(calendar.due_after(at("2027-01-22T10:00"), 1), sunday);
    // Thursday is the eve of that Sunday, and Saturday is no more than Friday.
    assert_eq!(calendar.due_after(at("2027-01-21T10:00"), 1), sunday);
    assert_eq!(calendar.due_after(at("2027-01-23T23:59"), 1), sunday);
}

#[test]
fn the_day_of_arrival_does_not_count_even_before_opening() {
    let due = sample().due_after(at("2027-01-11T06:00"), 1);
    assert_eq!(due, at("2027-01-12T17:00"));
}

#[test]
fn seven_working_days_pass_over_the_weekend_and_the_holidays() {
    // Monday; 9, 14, 15, 16, 17, 18 and 21 March count: Raya, Friday and Saturday do not.
    let due = sample().due_after(at("2027-03-08T09:00"), 7);
    assert_eq!(due, at("2027-03-21T17:00"));
}

#[test]
fn no_working_days_are_over_at_the_end_of_the_day_or_of_the_next() {
    let calendar = sample();
    assert_eq!(
        calendar.due_after(at("2027-01-11T09:00"), 0),
        at("2027-01-11T17:00")
    );
    assert_eq!(
        calendar.due_after(at("2027-01-11T18:00"), 0),
        at("2027-01-12T17:00")
    );
    assert_eq!(
        calendar.due_after(at("2027-01-15T09:00"), 0),
        at("2027-01-17T17:00")
    );
}

#[test]
fn working_time_leaves_out_lunch_nights_and_weekends() {
    let (calendar, hour) = (sample(), 3_600_000);
    let open = |from, to| calendar.working_time_between(at(from), at(to));
    assert_eq!(open("2027-01-11T12:00", "2027-01-11T15:00"), Some(2 * hour));
    assert_eq!(
        open("2027-01-21T15:00", "2027-01-24T09:00"),
        Some(hour + hour / 2)
    );
    assert_eq!(open("2027-01-11T15:00", "2027-01-11T12:00"), Some(0));
    assert_eq!(
        open("2027-01-10T00:00", "2027-01-15T00:00"),
        Some(38 * hour + hour / 2)
    );
}

#[test]
fn a_preview_shows_what_counts_on_each_day() {
    let days = sample().days(date(2027, 3, 8), 3);
    assert!(days[0].working && days[0].period.is_some() && days[0].holiday.is_none());
    assert_eq!(days[1].blocks, [Block::parse("08:00-12:00").unwrap()]);
    assert!(!days[2].working && days[2].blocks.is_empty());
    assert_eq!(days[2].weekday, Weekday::Wednesday);
    assert_eq!(sample().days(Date::MAX, 9).len(), 1);
    assert_eq!(
        sample().days(date(2027, 1, 1), usize::MAX).len(),
        LOOK_AHEAD
    );
}

#[test]
fn moments_beyond_the_dates_that_there_are_do_no_harm() {
    for at in [i64::MIN, i64::MAX] {
        assert_eq!(sample().is_open(at), Some(false));
        assert_eq!(sample().next_opening(at), None);
    }
    let calendar = sample();
    let last = calendar.due_after(i64::MAX, u32::MAX);
    assert_eq!(clock::local(last).year(), 9801);
    assert!(calendar.due_after(i64::MIN, 0) < 0);
}

/// A moment of the years that files speak of, or any at all.
fn any_moment() -> impl Strategy<Value = Millis> {
    prop_oneof![
        at("2026-12-01T00:00")..at("2027-12-31T00:00"),
        any::<Millis>()
    ]
}

proptest! {
    #[test]
    fn the_next_opening_is_open_and_nothing_before_it_is(at in any_moment(), part in 0.0..1.0) {
        let calendar = sample();
        if let Some(opening) = calendar.next_opening(at) {
            prop_assert!(opening >= at);
            prop_assert_eq!(calendar.is_open(opening), Some(true));
            let between = at + ((opening - at) as f64 * part) as Millis;
            prop_assert!(between == opening || calendar.is_open(between) == Some(false));
        }
    }

    #[test]
    fn an_office_that_is_open_closes_later_and_is_closed_then(at in any_moment()) {
        let calendar = sample();
        let closes = calendar.closes_at(at);
        prop_assert_eq!(closes.is_some(), calendar.is_open(at) == Some(true));
        if let Some(closes) = closes {
            prop_assert!(closes > at);
            prop_assert_eq!(calendar.is_open(closes), Some(false));
        }
    }

    #[test]
    fn a_later_arrival_is_never_due_earlier(a in any_moment(), b in any_moment(), near in 0..4 * DAY, count in any::<u32>()) {
        for calendar in [sample(), shipped()] {
            for count in [0, 1, 7, count] {
                let (first, then) = (a.min(b), a.max(b));
                prop_assert!(calendar.due_after(first, count) <= calendar.due_after(then, count));
                let soon = a.saturating_add(near);
                prop_assert!(calendar.due_after(a, count) <= calendar.due_after(soon, count));
            }
        }
    }

    #[test]
    fn what_is_due_is_due_on_a_working_day_after_so_many(at in any_moment(), count in 1u32..30) {
        let calendar = sample();
        let due = clock::local(calendar.due_after(at, count)).date();
        prop_assert!(calendar.is_working_day(due));
        let arrival = clock::local(clamp(at)).date();
        let between = dates(arrival).skip(1).take_while(|date| *date <= due);
        prop_assert_eq!(between.filter(|date| calendar.is_working_day(*date)).count(), count as usize);
    }

    #[test]
    fn working_time_adds_up(from in any_moment(), a in 0..30 * DAY, b in 0..30 * DAY) {
        let calendar = sample();
        let (middle, to) = (from.saturating_add(a), from.saturating_add(a + b));
        let open = |from, to| calendar.working_time_between(from, to).unwrap();
        prop_assert_eq!(open(from, middle) + open(middle, to), open(from, to));
        prop_assert!(open(from, to) <= a + b);
        prop_assert_eq!(open(to, to), 0);
    }

    #[test]
    fn working_time_of_any_two_moments_is_bounded(from in any::<Millis>(), to in any::<Millis>()) {
        let open = sample().working_time_between(from, to).unwrap();
        prop_assert!((0..=MAX_SPAN).contains(&open));
    }
}

//! What the file may say, and how a mistake in it is told.

use super::*;

/// What is wrong in a file that follows the head.
fn refused(rest: &str) -> String {
    let error = Calendar::parse(&format!("{HEAD}{rest}")).expect_err(rest);
    error.to_string()
}

/// The shipped file with all its examples in use.
fn examples_in_use() -> String {
    let lines = SHIPPED.lines().filter(|line| !line.ends_with(": []"));
    let used = lines.map(|line| match line.strip_prefix('#') {
        Some(example) if !example.starts_with(' ') || example.starts_with("  ") => example,
        _ => line,
    });
    used.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shipped_calendar_states_the_week_and_the_charter_and_nothing_else() {
    let calendar = shipped();
    assert!(!calendar.has_hours() && !calendar.is_sample());
    assert!(calendar.holidays().is_empty() && calendar.special_periods().is_empty());
    assert_eq!(calendar.working_week().len(), 5);
    assert_eq!(
        (calendar.charter().acknowledge, calendar.charter().answer),
        (1, 7)
    );
}

#[test]
fn the_examples_in_the_shipped_file_work_when_their_marks_are_taken_away() {
    let calendar = Calendar::parse(&examples_in_use()).expect("the examples");
    assert!(calendar.has_hours());
    assert_eq!(calendar.special_periods().len(), 1);
    assert_eq!(calendar.holidays().len(), 4);
}

#[test]
fn a_mistake_in_the_hours_is_told_with_its_line() {
    let all = "  sunday: [08:00-13:00]\n  isnin: [08:00-13:00]\n  rabu: [08:00-13:00]\n  khamis: [08:00-13:00]\n";
    let hours = |rest: &str| refused(&format!("hours:\n{all}{rest}"));
    for (rest, said) in [
        ("", "line 5: tuesday has no hours: "),
        (
            "  slasa: [08:00-13:00]\n",
            "line 9: `slasa` is no weekday: write ahad",
        ),
        (
            "  jumaat: [08:00-13:00]\n",
            "line 9: `jumaat` has hours, but is not in working_week",
        ),
        (
            "  ahad: [08:00-13:00]\n",
            "line 9: `ahad` has hours already",
        ),
        ("  selasa:\n", "line 9: `selasa` has no hours"),
        ("  selasa: []\n", "line 9: 1 to 8 opening blocks"),
        (
            "  selasa:\n    - 08:00-13:00\n    - 13:00-14:00\n",
            "line 11: `13:00-14:00` does not begin after",
        ),
        (
            "  selasa: [13:00-08:00]\n",
            "line 9: `13:00-08:00` is no opening block",
        ),
    ] {
        let error = hours(rest);
        assert!(error.starts_with(said), "{error}");
    }
}

#[test]
fn a_mistake_in_a_holiday_is_told_with_its_line() {
    let holiday = |rest: &str| {
        refused(&format!(
            "{HOURS}holidays:\n  - name: {{ms: a, en: b}}\n{rest}"
        ))
    };
    for (rest, said) in [
        ("", "line 6: a holiday has either a date, or from and to"),
        ("    from: 2027-01-10\n", "line 6: a holiday has either"),
        (
            "    date: 31/8/2027\n",
            "line 7: `31/8/2027` is no date: write year-month-day",
        ),
        ("    date: 2027-02-29\n", "line 7: `2027-02-29` is no date"),
        (
            "    date: 0202-02-01\n",
            "line 6: has a date outside of the years 1970 to 2199",
        ),
        (
            "    from: 2027-02-02\n    to: 2027-02-01\n",
            "line 6: ends before it begins",
        ),
        (
            "    from: 2027-02-02\n    to: 2028-02-01\n",
            "line 6: lasts more than 92 days",
        ),
        ("    dat: 2027-02-02\n", "line 7: unknown field `dat`"),
        (
            "    date: 2027-02-02\n    hours: []\n",
            "line 8: 1 to 8 opening blocks",
        ),
    ] {
        let error = holiday(rest);
        assert!(error.starts_with(said), "{error}");
    }
}

#[test]
fn two_holidays_cannot_set_the_hours_of_one_day() {
    let own = |name| {
        format!("  - {{name: {{ms: {name}, en: b}}, date: 2027-02-02, hours: [08:00-09:00]}}\n")
    };
    let error = refused(&format!("{HOURS}holidays:\n{}{}", own("a"), own("b")));
    assert!(
        error.starts_with("line 7: the hours of 2027-02-02 are set already"),
        "{error}"
    );
}

#[test]
fn own_hours_need_the_usual_hours() {
    let error =
        refused("holidays:\n  - {name: {ms: a, en: b}, date: 2027-02-02, hours: [08:00-09:00]}\n");
    assert!(error.starts_with("line 5: has hours of its own"), "{error}");
}

#[test]
fn periods_cannot_overlap() {
    let period = |from, to| {
        format!(
            "  - {{name: {{ms: a, en: b}}, from: {from}, to: {to}, hours: {{ahad: [08:00-09:00]}}}}\n"
        )
    };
    let both = period("2027-02-10", "2027-02-20") + &period("2027-02-01", "2027-02-10");
    let error = refused(&format!("{HOURS}special_periods:\n{both}"));
    assert!(
        error.starts_with("line 6: overlaps the period that ends on 2027-02-10"),
        "{error}"
    );
}

#[test]
fn a_week_and_a_charter_that_make_no_sense_are_refused() {
    for (from, to, said) in [
        ("rabu", "funday", "line 2: `funday` is no weekday"),
        ("rabu", "ahad", "line 2: `ahad` stands twice"),
        ("answer: 7", "answer: 0", "line 3: the days of the charter"),
        (
            "answer: 7",
            "answer: 9999",
            "line 3: the days of the charter",
        ),
        ("answer: 7", "anser: 7", "line 3: unknown field `anser`"),
        ("version: 1", "version: 2", "line 1: version 2 is not known"),
        (
            "ahad, isnin, selasa, rabu, khamis",
            "",
            "line 2: the working week has no day",
        ),
    ] {
        let error = Calendar::parse(&HEAD.replace(from, to))
            .expect_err(to)
            .to_string();
        assert!(error.starts_with(said), "{error}");
    }
}

#[test]
fn an_emptied_list_is_no_mistake() {
    let calendar = Calendar::parse(&format!("{HEAD}hours:\nspecial_periods:\nholidays:\n"));
    assert!(!calendar.expect("empty lists").has_hours());
}

#[test]
fn bombs_and_great_files_are_refused() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n";
    assert!(Calendar::parse(bomb).is_err());
    let copies = ", *a".repeat(65);
    let copied = format!("holidays: [&a {{name: {{ms: a, en: b}}, date: 2027-02-02}}{copies}]\n");
    assert!(refused(&copied).contains("alias"), "{}", refused(&copied));
    assert!(Calendar::parse(&"[".repeat(100_000)).is_err());
    let error = Calendar::parse(&" ".repeat(MAX_BYTES + 1)).unwrap_err();
    assert_eq!(error.line, 0);
    let one = "  - {name: {ms: a, en: b}, date: 2027-02-02}\n";
    let many = refused(&format!("holidays:\n{}", one.repeat(MAX_HOLIDAYS + 1)));
    assert!(many.starts_with("more than 2000 holidays"), "{many}");
}

#[test]
fn imported_holidays_are_added_once_and_do_not_take_back_an_early_closing() {
    let day = |text: &str, day| Holiday::closed(name(text), day, day).unwrap();
    let more = [
        day("known", date(2027, 8, 31)),
        day("early closing", date(2027, 3, 9)),
        day("second day of Raya", date(2027, 3, 11)),
        day("new", date(2027, 5, 3)),
        day("new by another name", date(2027, 5, 3)),
    ];
    let calendar = sample().with_holidays(&more).unwrap();
    assert_eq!(calendar.holidays().len(), sample().holidays().len() + 1);
    assert_eq!(calendar.holiday_on(date(2027, 5, 3)), Some(&name("new")));
    assert!(calendar.is_working_day(date(2027, 3, 9)));
    assert_eq!(calendar.with_holidays(&more), Ok(calendar.clone()));
    assert_eq!(Calendar::parse(&calendar.to_yaml()), Ok(calendar));
}

#[test]
fn more_holidays_than_a_file_may_have_are_refused() {
    let days = dates(date(2027, 1, 1)).take(MAX_HOLIDAYS + 1);
    let more: Vec<_> = days
        .map(|day| Holiday::closed(name("a"), day, day).unwrap())
        .collect();
    assert!(shipped().with_holidays(&more[1..]).is_ok());
    assert!(shipped().with_holidays(&more).is_err());
}

#[test]
fn names_that_look_like_something_else_in_yaml_stay_names() {
    let long = "Hari Keputeraan, cuti: # ".repeat(9);
    let words = [
        "null",
        "~",
        "yes",
        "No",
        "true",
        "1",
        "1.0",
        "0x1f",
        ".inf",
        "2027-01-01",
        "12:30",
        "<<",
        "=",
        "!x",
        "&a",
        "*a",
        "- a",
        "? a",
        "a: b",
        "a:",
        "# x",
        "a # b",
        "{",
        "}",
        "[a]",
        ",",
        "'",
        "\"",
        "\\",
        "%",
        "@",
        "`",
        "|",
        ">",
        "---",
        "...",
        "a\u{2028}b",
        "a\u{feff}b",
        &long[..MAX_NAME_CHARS - 1],
    ];
    let days = dates(date(2027, 1, 1)).zip(words);
    let more: Vec<_> = days
        .map(|(day, text)| Holiday::closed(name(text), day, day).expect(text))
        .collect();
    let calendar = shipped().with_holidays(&more).unwrap();
    assert_eq!(calendar.holidays().len(), words.len());
    assert_eq!(Calendar::parse(&calendar.to_yaml()), Ok(calendar));
}

#[test]
fn a_name_that_cannot_be_shown_is_refused() {
    let day = date(2027, 1, 1);
    for text in [
        "",
        " ",
        " a",
        "a\nb",
        "a\u{85}b",
        &"a".repeat(MAX_NAME_CHARS + 1),
    ] {
        assert_eq!(
            Holiday::closed(name(text), day, day),
            Err(HolidayError::Name),
            "{text:?}"
        );
    }
}

#[test]
fn an_error_shows_only_the_start_of_a_great_text() {
    let error = refused(&format!(
        "holidays:\n  - {{name: {{ms: a, en: b}}, date: {}}}\n",
        "x".repeat(100_000)
    ));
    assert!(error.len() < 300, "{error}");
    assert!(refused(&format!("{}: 1\n", "x".repeat(100_000))).len() < 600);
}

#[test]
fn holidays_with_hours_are_not_taken_over_where_no_hours_are_set() {
    let error = shipped().with_holidays(sample().holidays()).unwrap_err();
    assert!(error.message.contains("usual hours are not set"), "{error}");
}

fn any_name() -> impl Strategy<Value = Name> {
    let text = "[^\\p{C}\\p{Z}]([^\\p{Cc}]{0,40}[^\\p{C}\\p{Z}])?";
    (text, text).prop_map(|(ms, en)| Name { ms, en })
}

fn any_holiday() -> impl Strategy<Value = Holiday> {
    (any_name(), 0i32..2_000, 0i32..5).prop_map(|(name, start, length)| {
        let day = |after: i32| {
            let first = date(2026, 1, 1);
            first.checked_add(jiff::Span::new().days(after)).unwrap()
        };
        Holiday::closed(name, day(start), day(start + length)).unwrap()
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_as_the_same_calendar(more in prop::collection::vec(any_holiday(), 0..20)) {
        for calendar in [sample(), shipped()] {
            let calendar = calendar.with_holidays(&more).unwrap();
            prop_assert_eq!(Calendar::parse(&calendar.to_yaml()), Ok(calendar));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(?s).{0,200}") {
        let _ = Calendar::parse(&text);
        let _ = Calendar::parse(&format!("{HEAD}{text}"));
    }
}

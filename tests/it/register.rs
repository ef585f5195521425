//! The register of abuse cases in `docs/security.md`: each has tests that carry its number, or a reason why it has none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

const REGISTER: &str = "docs/security.md";
/// The cases that there are.
const CASES: [std::ops::RangeInclusive<usize>; 3] = [1..=16, 21..=47, 51..=114];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The cases that a test's name carries.
fn cases_of(name: &str) -> BTreeSet<usize> {
    let single = Regex::new(r"ac_(\d+)").unwrap();
    let span = Regex::new(r"ac_(\d+)_to_(?:ac_)?(\d+)").unwrap();
    let number = |text: &str| text.parse::<usize>().unwrap();
    let mut cases: BTreeSet<usize> = single.captures_iter(name).map(|c| number(&c[1])).collect();
    for captures in span.captures_iter(name) {
        cases.extend(number(&captures[1])..=number(&captures[2]));
    }
    cases
}

/// How many tests each case has, by the name of their story or file.
fn tests() -> BTreeMap<usize, BTreeMap<String, usize>> {
    let mut files = Vec::new();
    sources(Path::new("tests/it"), &mut files);
    sources(Path::new("src"), &mut files);
    let test = Regex::new(r"fn (ac_\w+)\(").unwrap();
    let mut tests: BTreeMap<usize, BTreeMap<String, usize>> = BTreeMap::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let story = path.strip_prefix("tests/it").ok();
        let story = story.and_then(|path| path.iter().next()?.to_str());
        let name = story.map_or_else(
            || path.display().to_string(),
            |story| story.trim_end_matches(".rs").to_owned(),
        );
        for captures in test.captures_iter(&text) {
            for case in cases_of(&captures[1]) {
                *tests
                    .entry(case)
                    .or_default()
                    .entry(name.clone())
                    .or_default() += 1;
            }
        }
    }
    tests
}

#[test]
fn every_abuse_case_has_a_test_or_a_reason() {
    let register = std::fs::read_to_string(REGISTER).unwrap();
    let mut tests = tests();
    let mut missing: BTreeSet<usize> = CASES.into_iter().flatten().collect();
    let mut written = String::new();
    for line in register.lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        let case = cells[0]
            .strip_prefix("| AC-")
            .and_then(|it| it.parse().ok());
        let (Some(case), [_, what, _, reason]) = (case, cells.as_slice()) else {
            written.push_str(line);
            written.push('\n');
            continue;
        };
        let found = tests.remove(&case).unwrap_or_default();
        let found = found
            .iter()
            .map(|(story, count)| format!("`{story}` {count}"));
        let found = found.collect::<Vec<_>>().join(", ");
        let reason = reason.trim_end_matches(" |").trim_end_matches('|');
        assert!(
            !found.is_empty() || !reason.trim().is_empty(),
            "AC-{case:02} has neither a test nor a reason"
        );
        assert!(
            missing.remove(&case),
            "AC-{case:02} is there twice, or unknown"
        );
        written.push_str(&format!("| AC-{case:02} | {what} | {found} | {reason} |\n"));
    }
    assert_eq!(missing, BTreeSet::new(), "without a row in {REGISTER}");
    assert!(
        tests.is_empty(),
        "tests of cases that nobody knows: {tests:?}"
    );
    if std::env::var_os("TANYA_WRITE_REGISTER").is_some() {
        std::fs::write(REGISTER, &written).unwrap();
    }
    assert!(
        register == written,
        "{REGISTER} is behind: TANYA_WRITE_REGISTER=1"
    );
}

//! Judges knowledge files against each other: ids and questions that stand twice, ids that lead nowhere, reviews that
//! are long ago.

use std::collections::HashMap;

use jiff::civil::Date;
use serde_yaml::Location;

use super::check::{action_id, asked};
use super::faq::FaqFile;
use super::problem::Problem;

/// Two entries of one id, across files.
pub fn duplicate_ids(files: &[(&str, &FaqFile)]) -> Vec<Problem> {
    let mut first: HashMap<&str, (&str, Location)> = HashMap::new();
    let mut problems = Vec::new();
    for (file, raw) in files {
        for entry in &raw.entries {
            let (id, at) = (entry.id.value.trim(), entry.id.referenced);
            if let Some((other, place)) = first.insert(id, (file, at)) {
                problems.push(Problem::error(
                    file,
                    at,
                    format!(
                        "the id {id:?} is already used in {other} on line {}",
                        place.line()
                    ),
                    "give this entry an id of its own, or merge the two",
                ));
            }
        }
    }
    problems
}

/// Ids that lead nowhere: `related`, `action`, `other_reading`, `menu`.
pub fn dangling(files: &[(&str, &FaqFile)]) -> Vec<Problem> {
    let known: Vec<&str> = files
        .iter()
        .flat_map(|(_, raw)| raw.entries.iter().map(|entry| entry.id.value.trim()))
        .collect();
    let mut problems = Vec::new();
    for (file, raw) in files {
        let references = raw.entries.iter().flat_map(|entry| {
            let related = entry.related.iter().map(|id| ("related", id));
            let other = entry
                .other_reading
                .iter()
                .map(|o| ("other_reading", &o.target));
            let action = entry.action.iter().map(|id| ("action", id));
            related.chain(other).chain(action)
        });
        for (field, id) in references.chain(raw.menu.iter().map(|id| ("menu", id))) {
            let named = match field {
                "action" => action_id(&id.value),
                _ => id.value.clone(),
            };
            if !known.contains(&named.as_str()) {
                problems.push(Problem::error(
                    file,
                    id.referenced,
                    format!("`{field}` names {:?}, which does not exist", id.value),
                    nearest(&id.value, &known, field),
                ));
            }
        }
    }
    problems
}

/// The same question twice, compared without case and punctuation, in one entry or across entries.
pub fn duplicate_questions(files: &[(&str, &FaqFile)]) -> Vec<Problem> {
    let mut first: HashMap<String, (&str, &str, Location)> = HashMap::new();
    let mut problems = Vec::new();
    for (file, raw) in files {
        let asked = raw.entries.iter().flat_map(|entry| {
            let id = entry.id.value.as_str();
            asked(entry).map(move |(text, at)| (id, text, at))
        });
        let refused = raw
            .out_of_scope
            .iter()
            .map(|text| ("out_of_scope", text.value.as_str(), text.referenced));
        for (owner, text, at) in asked.chain(refused) {
            let key = comparable(text);
            if key.is_empty() {
                continue;
            }
            if let Some((other, other_file, place)) = first.get(&key) {
                problems.push(Problem::error(
                    file,
                    at,
                    format!(
                        "{text:?} stands already under {other} in {other_file} on line {}",
                        place.line()
                    ),
                    "remove one of the two",
                ));
            } else {
                first.insert(key, (owner, file, at));
            }
        }
    }
    problems
}

/// Entries whose last review is longer ago than `max_age_days`: to know, not to refuse.
pub fn overdue(files: &[(&str, &FaqFile)], today: Date, max_age_days: u32) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, raw) in files {
        for day in raw
            .entries
            .iter()
            .filter_map(|entry| entry.reviewed.as_ref())
        {
            let Ok(reviewed) = day.value.parse::<Date>() else {
                continue;
            };
            let age = today.since(reviewed).map_or(0, |span| span.get_days());
            if i64::from(age) > i64::from(max_age_days) {
                let problem = Problem::error(
                    file,
                    day.referenced,
                    format!("last reviewed {age} days ago"),
                    "check the answer against its source, then set `reviewed` to the day",
                );
                problems.push(problem.into_warning());
            }
        }
    }
    problems
}

fn comparable(text: &str) -> String {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

fn nearest(id: &str, known: &[&str], field: &str) -> String {
    let shared = |other: &str| {
        id.chars()
            .zip(other.chars())
            .take_while(|(a, b)| a == b)
            .count()
    };
    let candidates = known
        .iter()
        .filter(|other| field != "action" || other.starts_with("action:"));
    match candidates.max_by_key(|other| shared(other)) {
        Some(other) if shared(other) >= 3 => format!("did you mean {other:?}? else remove it"),
        _ => "write the id of an existing entry, or remove it".to_owned(),
    }
}

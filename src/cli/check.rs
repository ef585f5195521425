//! `tanya check`: validates the knowledge.

use serde::Serialize;

use super::{Failure, KnowledgeArgs, Outcome, Output, load_options};
use crate::config::Settings;
use crate::knowledge::problem::Problem;
use crate::knowledge::{Knowledge, Loaded};

#[derive(Serialize)]
struct Report {
    entries: Option<usize>,
    problems: Vec<Problem>,
}

pub fn run(
    settings: &Settings,
    knowledge: &KnowledgeArgs,
    json: bool,
    out: &mut Output,
) -> Outcome {
    let source = knowledge.source(settings)?;
    let report = match Knowledge::load(&source, &load_options(settings)) {
        Ok(Loaded {
            knowledge,
            warnings,
        }) => Report {
            entries: Some(knowledge.book().entries.len()),
            problems: warnings,
        },
        Err(problems) => Report {
            entries: None,
            problems,
        },
    };
    if json {
        out.json(&report)?;
    } else {
        for problem in &report.problems {
            out.say(&problem.to_string());
        }
        let errors = report.problems.iter().filter(|p| p.is_error()).count();
        let warnings = report.problems.len() - errors;
        match report.entries {
            Some(entries) => out.say(&format!("{entries} entries, {warnings} warnings: good")),
            None => out.say(&format!("{errors} errors, {warnings} warnings")),
        }
    }
    match report.entries {
        Some(_) => Ok(()),
        None => Err(Failure::Said),
    }
}

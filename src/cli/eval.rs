//! `tanya eval`: measures the router on labelled questions.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use jiff::civil::Date;

use super::{EvalArgs, Failure, Outcome, Output};
use crate::clock::Clock;
use crate::config::Settings;
use crate::conversation::rehearsal::Rehearsal;
use crate::knowledge::evaluation::{
    Dialogue, PredictedCandidate, Prediction, Questions, Rates, Summary, below_floor, evaluate,
};
use crate::knowledge::{Knowledge, Strictness, router};

pub fn run(settings: &Settings, args: &EvalArgs, out: &mut Output) -> Outcome {
    let questions = read(&args.queries)?;
    let start = Instant::now();
    let knowledge = args.knowledge.load(settings, Strictness::Shape, out)?;
    let load_ms = start.elapsed().as_secs_f64() * 1e3;
    for target in questions.unknown_targets(&knowledge) {
        out.complain(&format!(
            "tanya: warning: {target:?} is accepted, but no entry has this id"
        ));
    }
    let today = Clock::shifted(settings.clock_offset_ms).today();
    let (mut summary, predictions) = evaluate(&knowledge, &questions, &args.by, |dialogue| {
        rehearse(&knowledge, dialogue, today)
    })?;
    summary.load_ms = load_ms;
    if let Some(path) = &args.predictions {
        write(path, &predictions)?;
    }
    if args.json {
        out.json(&summary)?;
    } else {
        print(&summary, out);
    }
    match &args.floor {
        Some(path) => compare(&summary, path, out),
        None => Ok(()),
    }
}

fn read(path: &Path) -> Result<Questions, Failure> {
    let shown = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("{shown} cannot be read: {error}")))?;
    let questions =
        Questions::parse(&text).map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
    if questions.is_empty() {
        return Err(Failure::Usage(format!("{shown} has no question")));
    }
    Ok(questions)
}

/// Holds a dialogue with the engine, turn by turn.
fn rehearse(knowledge: &Knowledge, dialogue: &Dialogue, today: Date) -> Vec<Prediction> {
    let mut rehearsal = Rehearsal::default();
    let turns = dialogue.turns.iter().enumerate();
    turns
        .map(|(number, turn)| {
            let start = Instant::now();
            let said = rehearsal.say(knowledge, &turn.user, today);
            let micros = start.elapsed().as_secs_f64() * 1e6;
            let certain = said.target.iter().map(|target| PredictedCandidate {
                target: target.clone(),
                confidence: 1.0,
            });
            let found = said.routed.as_ref().map(|finding| {
                let candidates = finding.candidates.iter();
                candidates
                    .map(|candidate| PredictedCandidate {
                        target: candidate.target.clone(),
                        confidence: candidate.confidence,
                    })
                    .collect()
            });
            Prediction {
                id: format!("{}#{}", dialogue.id, number + 1),
                outcome: said
                    .routed
                    .as_ref()
                    .map_or(router::Outcome::Answer, |finding| finding.outcome),
                confidence: said
                    .routed
                    .as_ref()
                    .map_or(1.0, |finding| finding.confidence),
                candidates: found.unwrap_or_else(|| certain.collect()),
                target: said.target,
                lang: said.language,
                micros,
            }
        })
        .collect()
}

fn write(path: &Path, predictions: &[Prediction]) -> anyhow::Result<()> {
    let mut text = String::new();
    for prediction in predictions {
        text.push_str(&serde_json::to_string(prediction)?);
        text.push('\n');
    }
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

fn compare(summary: &Summary, path: &Path, out: &mut Output) -> Outcome {
    let shown = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("{shown} cannot be read: {error}")))?;
    let floor =
        serde_json::from_str(&text).map_err(|error| Failure::Usage(format!("{shown}: {error}")))?;
    let failures = below_floor(summary, &floor);
    for failure in &failures {
        out.complain(&format!("below the floor: {failure}"));
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Failure::Said)
    }
}

fn print(summary: &Summary, out: &mut Output) {
    let mut all = BTreeMap::new();
    all.insert("all".to_owned(), summary.rates.clone());
    rates(&all, "", out);
    for (key, groups) in &summary.by {
        rates(groups, key, out);
    }
    if summary.turns > 0 {
        out.say(&format!(
            "dialogues: {} turns, {:.3} right",
            summary.turns, summary.turns_right
        ));
    }
    out.say(&format!(
        "load {:.0} ms, peak {:.0} MiB, a question {:.0} µs at the median, {:.0} µs at p99",
        summary.load_ms, summary.peak_rss_mb, summary.micros_p50, summary.micros_p99
    ));
    let bins = summary.reliability.iter().filter(|bin| bin.count > 0);
    let bins = bins.map(|bin| {
        let from = format!("{:.1}–{:.1}", bin.from, bin.from + 0.1);
        let rest = [bin.confidence, bin.accuracy].map(|figure| format!("{figure:.3}"));
        let mut row = vec![from, bin.count.to_string()];
        row.extend(rest);
        row
    });
    out.table(
        &["confidence", "questions", "mean", "right"],
        bins.collect(),
    );
    let confusions = summary.confusions.iter().take(15);
    let confusions = confusions.map(|(w, g, n)| vec![w.clone(), g.clone(), n.to_string()]);
    out.table(&["wanted", "got", "times"], confusions.collect());
}

fn rates(groups: &BTreeMap<String, Rates>, key: &str, out: &mut Output) {
    let head = [
        key, "in", "out", "top1", "direct", "useful", "harm", "oos rec", "oos ans", "auroc", "ece",
    ];
    let rows = groups.iter().map(|(name, rates)| {
        let mut row = vec![
            name.clone(),
            rates.in_scope.to_string(),
            rates.out_of_scope.to_string(),
        ];
        let figures = [
            rates.top1,
            rates.direct,
            rates.useful,
            rates.harm,
            rates.oos_recall,
            rates.oos_false_answer,
            rates.auroc,
            rates.ece,
        ];
        row.extend(figures.map(|figure| format!("{figure:.3}")));
        row
    });
    out.table(&head, rows.collect());
}

//! `tanya eval`: measures the router on labelled questions.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use super::{EvalArgs, Failure, Outcome, Output};
use crate::config::Settings;
use crate::knowledge::Strictness;
use crate::knowledge::evaluation::{Prediction, Questions, Rates, Summary, below_floor, evaluate};

pub fn run(settings: &Settings, args: &EvalArgs, out: &mut Output) -> Outcome {
    let questions = read(&args.queries)?;
    let start = Instant::now();
    let knowledge = args.knowledge.load(settings, Strictness::Shape, out)?;
    let load_ms = start.elapsed().as_secs_f64() * 1e3;
    let (mut summary, predictions) = evaluate(&knowledge, &questions, &args.by)?;
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
    Questions::parse(&text).map_err(|error| Failure::Usage(format!("{shown}: {error}")))
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

//! Labelled questions in, figures out (contracts, section 4).

use std::collections::BTreeMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Knowledge;
use super::router::Outcome;
use super::text::Language;

/// What a label says of a question that must be refused.
pub const OUT_OF_SCOPE: &str = "oos";

/// A labelled question.
#[derive(Clone, Debug, Deserialize)]
pub struct Query {
    /// Its id.
    pub id: String,
    /// The question.
    pub text: String,
    /// Targets that are right, or `oos`.
    pub accept: Vec<String>,
    /// Whatever else the line says: keys to group by.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// A labelled conversation.
#[derive(Clone, Debug, Deserialize)]
pub struct Dialogue {
    /// Its id.
    pub id: String,
    /// Its turns in order.
    pub turns: Vec<Turn>,
}

/// One turn of a labelled conversation.
#[derive(Clone, Debug, Deserialize)]
pub struct Turn {
    /// What the person says.
    pub user: String,
    /// Targets that are right, or `oos`.
    pub accept: Vec<String>,
}

/// The labelled questions of a file.
#[derive(Clone, Debug, Default)]
pub struct Questions {
    /// Single questions.
    pub queries: Vec<Query>,
    /// Conversations.
    pub dialogues: Vec<Dialogue>,
}

impl Questions {
    /// Accepted targets that are no entry's id: most likely written wrongly.
    pub fn unknown_targets(&self, knowledge: &Knowledge) -> Vec<String> {
        let turns = self.dialogues.iter().flat_map(|dialogue| &dialogue.turns);
        let queries = self.queries.iter().map(|query| &query.accept);
        let mut unknown: Vec<String> = queries
            .chain(turns.map(|turn| &turn.accept))
            .flatten()
            .filter(|target| target.as_str() != OUT_OF_SCOPE && !target.starts_with("control:"))
            .filter(|target| knowledge.place(target).is_none())
            .cloned()
            .collect();
        unknown.sort();
        unknown.dedup();
        unknown
    }

    /// Whether there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty() && self.dialogues.is_empty()
    }

    /// Reads JSON lines; the error names the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut questions = Self::default();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let at = |error: serde_json::Error| format!("line {}: {error}", number + 1);
            let value: Value = serde_json::from_str(line).map_err(at)?;
            if value.get("turns").is_some() {
                questions
                    .dialogues
                    .push(serde_json::from_value(value).map_err(at)?);
            } else {
                questions
                    .queries
                    .push(serde_json::from_value(value).map_err(at)?);
            }
        }
        Ok(questions)
    }
}

/// What the router made of one question.
#[derive(Clone, Debug, Serialize)]
pub struct Prediction {
    /// The question's id.
    pub id: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The best candidate; none on fallback.
    pub target: Option<String>,
    /// Best first.
    pub candidates: Vec<PredictedCandidate>,
    /// How sure of the best.
    pub confidence: f64,
    /// The language that a reply would have.
    pub lang: Language,
    /// The time taken, in microseconds.
    pub micros: f64,
}

/// A candidate by its id.
#[derive(Clone, Debug, Serialize)]
pub struct PredictedCandidate {
    /// The entry.
    pub target: String,
    /// The probability that it is meant.
    pub confidence: f64,
}

/// Rates over a set of questions, all between 0 and 1.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rates {
    /// Questions in scope.
    pub in_scope: usize,
    /// Questions out of scope.
    pub out_of_scope: usize,
    /// Best candidate accepted, whatever the outcome.
    pub top1: f64,
    /// Answered at once and rightly.
    pub direct: f64,
    /// Answered rightly, or an accepted target among the candidates offered.
    pub useful: f64,
    /// Answered wrongly, in scope and out of scope together.
    pub harm: f64,
    /// Refused, of what must be.
    pub oos_recall: f64,
    /// Answered, of what must be refused.
    pub oos_false_answer: f64,
    /// Area under the curve of the confidence, in scope against out of scope.
    pub auroc: f64,
    /// Expected calibration error over ten bins.
    pub ece: f64,
}

/// One line of the reliability table.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Bin {
    /// Lower end of the confidence.
    pub from: f64,
    /// Questions in the bin.
    pub count: usize,
    /// Mean confidence.
    pub confidence: f64,
    /// Share whose best candidate was accepted.
    pub accuracy: f64,
}

/// The whole result.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Rates over all single questions.
    #[serde(flatten)]
    pub rates: Rates,
    /// Turns of the dialogues.
    pub turns: usize,
    /// Turns whose target was accepted, as a share.
    pub turns_right: f64,
    /// Reading, indexing, training, in milliseconds.
    pub load_ms: f64,
    /// The process's highest resident memory, in MiB.
    pub peak_rss_mb: f64,
    /// Median time of one question, in microseconds.
    pub micros_p50: f64,
    /// 99th percentile of the time of one question, in microseconds.
    pub micros_p99: f64,
    /// How far confidence and truth agree.
    pub reliability: Vec<Bin>,
    /// Wanted, got, and how often, most frequent first.
    pub confusions: Vec<(String, String, usize)>,
    /// Rates by the values of the keys asked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by: BTreeMap<String, BTreeMap<String, Rates>>,
}

/// A prediction beside what would have been right.
struct Judged<'a> {
    accept: &'a [String],
    prediction: &'a Prediction,
}

impl Judged<'_> {
    fn accepts(&self, target: &str) -> bool {
        self.accept.iter().any(|accepted| accepted == target)
    }

    fn best_accepted(&self) -> bool {
        let best = self.prediction.candidates.first();
        best.is_some_and(|best| self.accepts(&best.target))
    }

    fn offered(&self) -> bool {
        let mut candidates = self.prediction.candidates.iter();
        match self.prediction.outcome {
            Outcome::Answer => self.best_accepted(),
            Outcome::Clarify => candidates.any(|candidate| self.accepts(&candidate.target)),
            Outcome::Fallback => false,
        }
    }

    fn is_in_scope(&self) -> bool {
        !self.accepts(OUT_OF_SCOPE)
    }

    fn is_out_of_scope(&self) -> bool {
        self.accepts(OUT_OF_SCOPE) && self.accept.len() == 1
    }
}

/// Asks all questions, one after the other on this thread. A dialogue is left to `converse`, which returns a prediction
/// a turn: what was said before is the engine's to remember, not the router's.
pub fn evaluate(
    knowledge: &Knowledge,
    questions: &Questions,
    by: &[String],
    mut converse: impl FnMut(&Dialogue) -> Vec<Prediction>,
) -> tantivy::Result<(Summary, Vec<Prediction>)> {
    let mut predictions = Vec::with_capacity(questions.queries.len());
    for query in &questions.queries {
        predictions.push(predict(knowledge, &query.id, &query.text)?);
    }
    let judged: Vec<Judged<'_>> = questions
        .queries
        .iter()
        .zip(&predictions)
        .map(|(query, prediction)| Judged {
            accept: &query.accept,
            prediction,
        })
        .collect();
    let mut summary = Summary {
        rates: rates(&judged),
        turns: 0,
        turns_right: 0.0,
        load_ms: 0.0,
        peak_rss_mb: peak_rss_mb(),
        micros_p50: percentile(&predictions, 0.50),
        micros_p99: percentile(&predictions, 0.99),
        reliability: reliability(&judged),
        confusions: confusions(&judged),
        by: sliced(questions, &judged, by),
    };
    let mut right = 0;
    for dialogue in &questions.dialogues {
        for (turn, prediction) in dialogue.turns.iter().zip(converse(dialogue)) {
            let target = prediction.target.as_deref().unwrap_or(OUT_OF_SCOPE);
            summary.turns += 1;
            right += usize::from(turn.accept.iter().any(|accepted| accepted == target));
            predictions.push(prediction);
        }
    }
    summary.turns_right = share(right, summary.turns);
    Ok((summary, predictions))
}

fn predict(knowledge: &Knowledge, id: &str, text: &str) -> tantivy::Result<Prediction> {
    let start = Instant::now();
    let routing = knowledge.route(text)?;
    let micros = start.elapsed().as_secs_f64() * 1e6;
    let candidates: Vec<PredictedCandidate> = routing
        .candidates
        .iter()
        .filter_map(|candidate| {
            Some(PredictedCandidate {
                target: knowledge.entry(candidate.entry)?.id.clone(),
                confidence: candidate.confidence,
            })
        })
        .collect();
    let best = candidates.first().map(|best| best.target.clone());
    Ok(Prediction {
        id: id.to_owned(),
        outcome: routing.outcome,
        target: best.filter(|_| routing.outcome != Outcome::Fallback),
        candidates,
        confidence: routing.confidence,
        lang: routing.language.unwrap_or_default(),
        micros,
    })
}

fn rates(judged: &[Judged<'_>]) -> Rates {
    let inside: Vec<_> = judged.iter().filter(|j| j.is_in_scope()).collect();
    let outside: Vec<_> = judged.iter().filter(|j| j.is_out_of_scope()).collect();
    let count = |set: &[&Judged<'_>], holds: &dyn Fn(&Judged<'_>) -> bool| {
        share(set.iter().filter(|j| holds(j)).count(), set.len())
    };
    let answered = |j: &Judged<'_>| j.prediction.outcome == Outcome::Answer;
    let harmed = judged.iter().filter(|j| answered(j) && !j.best_accepted());
    Rates {
        in_scope: inside.len(),
        out_of_scope: outside.len(),
        top1: count(&inside, &|j| j.best_accepted()),
        direct: count(&inside, &|j| answered(j) && j.best_accepted()),
        useful: count(&inside, &|j| j.offered()),
        harm: share(harmed.count(), judged.len()),
        oos_recall: count(&outside, &|j| j.prediction.outcome == Outcome::Fallback),
        oos_false_answer: count(&outside, &answered),
        auroc: auroc(&inside, &outside),
        ece: reliability(judged)
            .iter()
            .map(|bin| {
                let weight = share(bin.count, inside.len() + outside.len());
                weight * (bin.confidence - bin.accuracy).abs()
            })
            .sum(),
    }
}

/// The probability that a question in scope is held surer than one out of scope; ties count half.
fn auroc(inside: &[&Judged<'_>], outside: &[&Judged<'_>]) -> f64 {
    if inside.is_empty() || outside.is_empty() {
        return 0.0;
    }
    let mut ranked: Vec<(f64, bool)> = inside
        .iter()
        .map(|j| (j.prediction.confidence, true))
        .chain(outside.iter().map(|j| (j.prediction.confidence, false)))
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut sum) = (0.0, 0.0);
    for tied in ranked.chunk_by(|a, b| a.0 == b.0) {
        let inside_tied = tied.iter().filter(|(_, inside)| *inside).count() as f64;
        let outside_tied = tied.len() as f64 - inside_tied;
        sum += inside_tied * (below + outside_tied / 2.0);
        below += outside_tied;
    }
    sum / (inside.len() as f64 * outside.len() as f64)
}

fn reliability(judged: &[Judged<'_>]) -> Vec<Bin> {
    let mut bins: Vec<Bin> = (0..10)
        .map(|n| Bin {
            from: f64::from(n) / 10.0,
            ..Bin::default()
        })
        .collect();
    let counted = judged
        .iter()
        .filter(|j| j.is_in_scope() || j.is_out_of_scope());
    for j in counted {
        let place = ((j.prediction.confidence * 10.0) as usize).min(9);
        if let Some(bin) = bins.get_mut(place) {
            bin.count += 1;
            bin.confidence += j.prediction.confidence;
            bin.accuracy += if j.best_accepted() { 1.0 } else { 0.0 };
        }
    }
    for bin in &mut bins {
        let count = bin.count.max(1) as f64;
        bin.confidence /= count;
        bin.accuracy /= count;
    }
    bins
}

fn confusions(judged: &[Judged<'_>]) -> Vec<(String, String, usize)> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for j in judged {
        let got = match j.prediction.outcome {
            Outcome::Fallback => OUT_OF_SCOPE,
            Outcome::Answer | Outcome::Clarify => j.prediction.target.as_deref().unwrap_or(""),
        };
        let wanted = j.accept.first().map_or("", String::as_str);
        if !j.accepts(got) {
            *counts
                .entry((wanted.to_owned(), got.to_owned()))
                .or_default() += 1;
        }
    }
    let mut pairs: Vec<_> = counts.into_iter().map(|((w, g), n)| (w, g, n)).collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.2));
    pairs
}

fn sliced(
    questions: &Questions,
    judged: &[Judged<'_>],
    by: &[String],
) -> BTreeMap<String, BTreeMap<String, Rates>> {
    let mut slices = BTreeMap::new();
    for key in by {
        let mut groups: BTreeMap<String, Vec<Judged<'_>>> = BTreeMap::new();
        for (query, j) in questions.queries.iter().zip(judged) {
            let Some(value) = query.rest.get(key) else {
                continue;
            };
            let name = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            groups.entry(name).or_default().push(Judged {
                accept: j.accept,
                prediction: j.prediction,
            });
        }
        let rated = groups
            .into_iter()
            .map(|(name, group)| (name, rates(&group)));
        slices.insert(key.clone(), rated.collect());
    }
    slices
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

fn percentile(predictions: &[Prediction], at: f64) -> f64 {
    let mut micros: Vec<f64> = predictions.iter().map(|p| p.micros).collect();
    micros.sort_by(f64::total_cmp);
    let place = (at * micros.len() as f64).ceil() as usize;
    micros.get(place.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// The highest resident memory of this process so far, in MiB; 0 where the system does not tell.
fn peak_rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// Figures in a summary that no floor holds: they say how much was asked, or how the machine was.
const NOT_HELD: [&str; 7] = [
    "in_scope",
    "out_of_scope",
    "turns",
    "load_ms",
    "peak_rss_mb",
    "reliability",
    "confusions",
];

/// Where a summary is worse than the floor says it may be, or cannot be compared; one sentence each.
pub fn below_floor(summary: &Summary, floor: &Value) -> Vec<String> {
    let mut failures = Vec::new();
    match serde_json::to_value(summary) {
        Ok(measured) => hold(&measured, floor, "", &mut failures),
        Err(error) => failures.push(error.to_string()),
    }
    failures
}

fn hold(measured: &Value, floor: &Value, path: &str, failures: &mut Vec<String>) {
    let Some(floor) = floor.as_object() else {
        return failures.push(format!("the floor has no figures at {path:?}"));
    };
    for (key, limit) in floor {
        if NOT_HELD.contains(&key.as_str()) {
            continue;
        }
        let name = format!("{path}{key}");
        let measured = measured.get(key).unwrap_or(&Value::Null);
        if limit.is_object() {
            hold(measured, limit, &format!("{name}."), failures);
            continue;
        }
        let (Some(value), Some(limit)) = (measured.as_f64(), limit.as_f64()) else {
            failures.push(format!("{name} cannot be compared"));
            continue;
        };
        let lower_is_better = matches!(key.as_str(), "harm" | "ece" | "oos_false_answer")
            || key.starts_with("micros_");
        if lower_is_better && value > limit {
            failures.push(format!("{name} is {value:.4}, over {limit}"));
        } else if !lower_is_better && value < limit {
            failures.push(format!("{name} is {value:.4}, under {limit}"));
        }
    }
}

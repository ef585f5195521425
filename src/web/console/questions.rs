//! Questions that were not answered, those put together that ask the same. One press proposes one for the nearest entry;
//! another says that it is not ours. No person and no chat is shown.

use askama::Template;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::WebState;
use super::super::error::Refusal;
use super::access::{Posted, Wanted, Who};
use super::page::{entries, named, not_found, render_as, shell, when, words};
use super::view::{Choice, Shell, When, Words};
use crate::agent::SignedIn;
use crate::edition::proposal::{ProposalError, Proposed};
use crate::knowledge::Knowledge;
use crate::knowledge::gathering::{Gathered, Group};
use crate::redact::{impersonal, redact};

/// Spans that can be chosen, in days.
const PERIODS: [u16; 3] = [7, 30, 90];
/// Groups on the page.
const SHOWN: usize = 50;
/// What was set aside, on the page.
const ASIDE: usize = 50;
/// The nearest entry is chosen beforehand from this sureness on; below it is hardly ever the right one.
const NEAR: f64 = 0.2;
/// A check that takes longer goes on by itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// `GET /console/soalan`.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "console/questions.html")]
pub struct QuestionsPage {
    /// Language and token.
    pub w: Words,
    /// The layout around it.
    pub shell: Shell,
    /// Spans of days to choose from.
    pub periods: Vec<Choice>,
    /// The chosen one.
    pub days: u16,
    /// What the list shows, as sentences.
    pub summary: Vec<String>,
    /// The groups, the most frequent first.
    pub groups: Vec<GroupCard>,
    /// What was set aside.
    pub dismissed: Vec<Dismissed>,
}

/// Questions that ask the same.
#[derive(Clone, Debug, Default)]
pub struct GroupCard {
    /// Its place on the page, for the names of its elements.
    pub place: usize,
    /// How it is asked most; this is what is proposed.
    pub text: String,
    /// How often it was asked.
    pub count: usize,
    /// In how many chats.
    pub chats: usize,
    /// Why it counts as not answered.
    pub why: Vec<String>,
    /// When last.
    pub last: When,
    /// Other ways in which it is asked.
    pub examples: Vec<String>,
    /// The nearest entry's name; empty if none is near.
    pub nearest: String,
    /// How near it is, in percent.
    pub near: u8,
    /// The entries, the nearest chosen if it is near enough.
    pub entries: Vec<Choice>,
}

/// A question that was set aside.
#[derive(Clone, Debug, Default)]
pub struct Dismissed {
    /// Its key.
    pub id: String,
    /// What was asked.
    pub text: String,
    /// By whom.
    pub who: String,
    /// When.
    pub when: When,
}

/// Which span is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    hari: String,
}

fn days(text: &str) -> u16 {
    let days = text.parse().ok();
    days.filter(|days| PERIODS.contains(days)).unwrap_or(30)
}

async fn page(
    state: &WebState,
    who: &SignedIn,
    days: u16,
    error: Option<&str>,
) -> Result<Response, Refusal> {
    let w = words(who, &format!("/console/soalan?hari={days}"));
    let gathered = state.questions.gather(days).await?;
    let dismissed = state.questions.dismissed().await?;
    let mut connection = state.limits.store.connection().await?;
    let names = state.agents.names(&mut connection).await?;
    drop(connection);
    let knowledge = state.knowledge.current();
    let mut shell = shell(state, who, &w, "questions").await?;
    if let Some(error) = error {
        shell.flash = error.to_owned();
        shell.flash_bad = true;
    }
    let groups = gathered.groups.iter().take(SHOWN).enumerate();
    let dismissed = dismissed.into_iter().take(ASIDE);
    let page = QuestionsPage {
        periods: PERIODS
            .iter()
            .map(|choice| {
                let label = format!("{choice} {}", w.t("hari", "days"));
                Choice::new(&choice.to_string(), label, *choice == days)
            })
            .collect(),
        days,
        summary: summary(&w, &gathered),
        groups: groups
            .map(|(place, group)| card(&w, &knowledge, place, group))
            .collect(),
        dismissed: dismissed
            .map(|row| Dismissed {
                who: named(&names, &row.agent),
                when: when(Some(row.dismissed_at)),
                id: row.id,
                text: row.text,
            })
            .collect(),
        shell,
        w,
    };
    let status = match error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    Ok(render_as(status, &page))
}

fn summary(w: &Words, gathered: &Gathered) -> Vec<String> {
    let questions: usize = gathered.groups.iter().map(|group| group.count).sum();
    let mut sentences = vec![format!(
        "{questions} {} {} {}.",
        w.t("soalan dalam", "questions in"),
        gathered.groups.len(),
        w.t("kumpulan", "groups"),
    )];
    if gathered.answered > 0 {
        sentences.push(format!(
            "{} {}",
            gathered.answered,
            w.t(
                "soalan lagi sudah dijawab dengan pengetahuan yang digunakan sekarang.",
                "more would be answered with the knowledge in use now."
            )
        ));
    }
    if gathered.set_aside > 0 {
        sentences.push(format!(
            "{} {}",
            gathered.set_aside,
            w.t(
                "soalan serupa dengan yang diketepikan atau yang sedang menunggu kelulusan.",
                "are like those that were set aside or wait for approval."
            )
        ));
    }
    sentences
}

fn card(w: &Words, knowledge: &Knowledge, place: usize, group: &Group) -> GroupCard {
    let [fallback, clarify, unhelpful] = group.misses;
    let reasons = [
        (fallback, w.t("tiada jawapan", "no answer")),
        (clarify, w.t("pilihan tidak tepat", "wrong choices")),
        (unhelpful, w.t("tidak membantu", "not helpful")),
    ];
    let reasons = reasons.into_iter().filter(|(count, _)| *count > 0);
    let best = group.nearest.first();
    let nearest = best.and_then(|best| knowledge.entry(best.entry));
    let chosen = nearest.filter(|_| best.is_some_and(|best| best.confidence >= NEAR));
    GroupCard {
        place,
        text: group.text.clone(),
        count: group.count,
        chats: group.chats,
        why: reasons
            .map(|(count, label)| format!("{label} {count}×"))
            .collect(),
        last: when(Some(group.latest)),
        examples: group.examples.clone(),
        nearest: nearest.map_or_else(String::new, |entry| entry.label.get(w.language()).clone()),
        near: best.map_or(0, |best| (best.confidence * 100.0).clamp(0.0, 100.0) as u8),
        entries: choosable(w, knowledge, chosen.map(|entry| entry.id.as_str())),
    }
}

/// The entries to choose from; an officer has to choose where none is chosen beforehand.
fn choosable(w: &Words, knowledge: &Knowledge, chosen: Option<&str>) -> Vec<Choice> {
    let none = w.t("— pilih entri —", "— choose an entry —");
    let none = Choice::new("", none, chosen.is_none());
    let entries = entries(w, knowledge, chosen);
    std::iter::once(none).chain(entries).collect()
}

/// `GET /console/soalan`.
pub async fn show(
    State(state): State<WebState>,
    Who(who): Who,
    Wanted(asked): Wanted<Asked>,
) -> Result<Response, Refusal> {
    page(&state, &who, days(&asked.hari), None).await
}

/// What is proposed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    text: String,
    entry: String,
    #[serde(default)]
    asked: String,
    #[serde(default)]
    hari: String,
}

/// `POST /console/soalan/cadang`: the check begins at once, and is not waited for long.
pub async fn propose(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(typed): Posted<Typed>,
) -> Result<Response, Refusal> {
    let text = impersonal(&redact(&typed.text));
    let asked = impersonal(&redact(&typed.asked));
    let contested = state.questions.is_contested(&text).await?;
    let proposed = Proposed {
        entry: &typed.entry,
        text: &text,
        asked: if asked.is_empty() { &text } else { &asked },
        author: &who.id,
    };
    match state.proposals.propose(proposed).await {
        Ok(id) => {
            begin_check(&state, &id, contested).await;
            Ok(Redirect::to(&format!("/console/cadangan#c-{id}")).into_response())
        }
        Err(ProposalError::Database(error)) => Err(error.into()),
        Err(error) => {
            let w = words(&who, "");
            let sentence = match error {
                ProposalError::Text => w.t(
                    "Ayat perlu 3 hingga 300 aksara, tanpa nombor pengenalan atau alamat.",
                    "The text needs 3 to 300 characters, without numbers of persons or addresses.",
                ),
                ProposalError::Pending => w.t(
                    "Ayat ini telah dicadangkan dan menunggu kelulusan.",
                    "This text is proposed already and waits for approval.",
                ),
                _ => w.t("Entri itu tidak wujud.", "There is no such entry."),
            };
            page(&state, &who, days(&typed.hari), Some(sentence)).await
        }
    }
}

/// Has a proposal checked; waits a little, and leaves the rest to itself.
pub async fn begin_check(state: &WebState, id: &str, contested: bool) {
    let (proposals, id) = (state.proposals.clone(), id.to_owned());
    let checked = tokio::spawn(async move { proposals.check(&id, contested).await });
    match tokio::time::timeout(PATIENCE, checked).await {
        Ok(Ok(Ok(_))) | Err(_) => {}
        Ok(Ok(Err(error))) => tracing::error!(%error, "a proposal could not be checked"),
        Ok(Err(_)) => tracing::error!("the check of a proposal broke off"),
    }
}

/// What is not ours.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aside {
    asked: String,
    #[serde(default)]
    hari: String,
}

/// `POST /console/soalan/abai`.
pub async fn dismiss(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(aside): Posted<Aside>,
) -> Result<Response, Refusal> {
    let text: String = redact(&aside.asked).chars().take(300).collect();
    if !text.trim().is_empty() {
        state.questions.dismiss(&text, &who.id).await?;
    }
    Ok(back(&aside.hari))
}

/// What is taken up again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Again {
    id: String,
    #[serde(default)]
    hari: String,
}

/// `POST /console/soalan/pulih`.
pub async fn restore(
    State(state): State<WebState>,
    Who(who): Who,
    Posted(again): Posted<Again>,
) -> Result<Response, Refusal> {
    match state.questions.restore(&again.id).await? {
        true => Ok(back(&again.hari)),
        false => Ok(not_found(&who)),
    }
}

fn back(hari: &str) -> Response {
    Redirect::to(&format!("/console/soalan?hari={}", days(hari))).into_response()
}

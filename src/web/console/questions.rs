//! Questions that were not answered, those put together that ask the same. One press proposes one for the nearest entry;
//! another says that it is not ours. No person and no chat is shown.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::WebState;
use super::super::error::Refusal;
use super::access::{Posted, Who};
use super::knowledge_view::{Dismissed, GroupCard, QuestionsPage};
use super::page::{not_found, render_as, shell, when, words};
use super::proposals;
use super::view::{Choice, Words};
use crate::agent::SignedIn;
use crate::edition::proposal::{ProposalError, Proposed};
use crate::knowledge::Knowledge;
use crate::knowledge::gathering::{Gathered, Group};
use crate::knowledge::text::Language;
use crate::redact::{impersonal, redact};

/// Spans that can be chosen, in days.
const PERIODS: [u16; 3] = [7, 30, 90];
/// Groups on the page.
const SHOWN: usize = 50;
/// What was set aside, on the page.
const ASIDE: usize = 50;
/// A check that takes longer goes on by itself.
const PATIENCE: Duration = Duration::from_secs(5);

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
            .map(|choice| Choice {
                value: choice.to_string(),
                label: format!("{choice} {}", w.t("hari", "days")),
                selected: *choice == days,
            })
            .collect(),
        days,
        summary: summary(&w, &gathered),
        groups: groups
            .map(|(place, group)| card(&w, &knowledge, place, group))
            .collect(),
        dismissed: dismissed
            .map(|row| Dismissed {
                who: proposals::named(&names, &row.agent),
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
    let language = Language::parse(w.lang()).unwrap_or_default();
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
        nearest: nearest.map_or_else(String::new, |entry| entry.label.get(language).clone()),
        near: best.map_or(0, |best| (best.confidence * 100.0).clamp(0.0, 100.0) as u8),
        entries: entries(knowledge, language, nearest.map(|entry| entry.id.as_str())),
    }
}

/// All entries, by name.
fn entries(knowledge: &Knowledge, language: Language, chosen: Option<&str>) -> Vec<Choice> {
    let entries = knowledge.book().entries.iter();
    entries
        .map(|entry| Choice {
            value: entry.id.clone(),
            label: entry.label.get(language).clone(),
            selected: Some(entry.id.as_str()) == chosen,
        })
        .collect()
}

/// `GET /console/soalan`.
pub async fn show(
    State(state): State<WebState>,
    Who(who): Who,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
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

//! Questions that were not answered: what ended in fallback, in a choice of which nothing was chosen, or in a vote that the
//! answer did not help. They are read from transcripts, which are redacted; what could still name a person is taken out
//! here, and no chat is told of.

use std::sync::Arc;

use serde::Deserialize;
use uuid::Uuid;

use crate::clock::{Clock, Millis};
use crate::knowledge::Knowledge;
use crate::knowledge::gathering::{Gathered, Miss, Missed};
use crate::knowledge::live::LiveKnowledge;
use crate::redact::impersonal;
use crate::storage::question::{self, DismissedRow, OfferedRow, QuestionRow};
use crate::storage::{Store, proposal};

/// Questions that are looked at, the latest.
pub const LATEST: usize = 5_000;
/// Questions that were set aside and proposals that wait, which are looked at.
const ASIDE: i64 = 1_000;
/// How long somebody may take to choose.
const CHOOSING: Millis = 10 * 60_000;
const DAY: Millis = 24 * 3_600_000;
/// How far back is looked for who found an answer unhelpful.
const CONTESTED_DAYS: u16 = 90;
const ENTRY: &str = "entry:";

/// The questions of a database.
pub struct Questions {
    /// The database.
    pub store: Arc<Store>,
    /// What is known.
    pub knowledge: Arc<LiveKnowledge>,
    /// The time.
    pub clock: Clock,
}

/// What a message says, as it is stored.
#[derive(Debug, Default, Deserialize)]
struct Said {
    #[serde(default)]
    text: String,
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    value: String,
    label: String,
}

impl Said {
    fn read(body: &str) -> Self {
        serde_json::from_str(body).unwrap_or_default()
    }
}

impl Questions {
    /// Groups the questions of the last days that were not answered. It may take a second.
    pub async fn gather(&self, days: u16) -> sqlx::Result<Gathered> {
        let (missed, aside) = self.read(days).await?;
        let knowledge = self.knowledge.current();
        let gathered = tokio::task::spawn_blocking(move || knowledge.gather(&missed, &aside));
        match gathered.await {
            Ok(Ok(gathered)) => Ok(gathered),
            Ok(Err(error)) => {
                tracing::error!(%error, "the index failed");
                Ok(Gathered::default())
            }
            Err(_) => Ok(Gathered::default()),
        }
    }

    /// Questions that were not answered, and the texts of those of which nothing more need be said.
    async fn read(&self, days: u16) -> sqlx::Result<(Vec<Missed>, Vec<String>)> {
        let now = self.clock.now();
        let since = now - Millis::from(days) * DAY;
        let limit = i64::try_from(LATEST).unwrap_or(i64::MAX);
        let mut connection = self.store.connection().await?;
        let unanswered = question::unanswered(&mut connection, since, limit).await?;
        let offered = question::offered(&mut connection, since, limit).await?;
        let unhelpful = question::unhelpful(&mut connection, since, limit).await?;
        let dismissed = question::dismissed(&mut connection, ASIDE).await?;
        let proposed = proposal::waiting(&mut connection, ASIDE).await?;
        drop(connection);
        let fallbacks = unanswered.iter().map(|row| missed(row, Miss::Fallback));
        let votes = unhelpful.iter().map(|row| missed(row, Miss::Unhelpful));
        let choices = offered
            .iter()
            .filter(|row| row.next.is_some() || row.created_at < now - CHOOSING);
        let choices = choices.filter(|row| !is_chosen(row)).map(not_chosen);
        let mut all: Vec<Missed> = fallbacks.chain(choices).chain(votes).collect();
        // What was erased is counted, and asks nothing.
        all.retain(|missed| !missed.text.is_empty());
        all.sort_by_key(|missed| std::cmp::Reverse(missed.at));
        all.truncate(LATEST);
        let dismissed = dismissed.into_iter().map(|row| row.text);
        let proposed = proposed.into_iter().map(|row| row.asked);
        Ok((all, dismissed.chain(proposed).collect()))
    }

    /// Whether somebody found the answer to such a question unhelpful.
    pub async fn is_contested(&self, text: &str) -> sqlx::Result<bool> {
        let since = self.clock.now() - Millis::from(CONTESTED_DAYS) * DAY;
        let limit = i64::try_from(LATEST).unwrap_or(i64::MAX);
        let mut connection = self.store.connection().await?;
        let rows = question::unhelpful(&mut connection, since, limit).await?;
        let knowledge: Arc<Knowledge> = self.knowledge.current();
        let mut texts = rows
            .iter()
            .map(|row| impersonal(&Said::read(&row.body).text));
        Ok(texts.any(|asked| knowledge.ask_the_same(text, &asked)))
    }

    /// Sets a question aside: what asks the same is not shown again.
    pub async fn dismiss(&self, text: &str, agent: &str) -> sqlx::Result<()> {
        let row = DismissedRow {
            id: Uuid::now_v7().to_string(),
            text: impersonal(text),
            agent: agent.to_owned(),
            dismissed_at: self.clock.now(),
        };
        question::dismiss(&mut *self.store.connection().await?, &row).await
    }

    /// Questions that were set aside, the latest first.
    pub async fn dismissed(&self) -> sqlx::Result<Vec<DismissedRow>> {
        question::dismissed(&mut *self.store.connection().await?, ASIDE).await
    }

    /// Takes a question up again; tells whether it was set aside.
    pub async fn restore(&self, id: &str) -> sqlx::Result<bool> {
        question::restore(&mut *self.store.connection().await?, id).await
    }
}

fn missed(row: &QuestionRow, miss: Miss) -> Missed {
    Missed {
        text: impersonal(&Said::read(&row.body).text),
        chat: row.conversation_id.clone(),
        miss,
        answered: row.target.clone(),
        at: row.created_at,
    }
}

fn not_chosen(row: &OfferedRow) -> Missed {
    Missed {
        text: impersonal(&Said::read(&row.body).text),
        chat: row.conversation_id.clone(),
        miss: Miss::Clarify,
        answered: None,
        at: row.created_at,
    }
}

/// Whether one of what was offered was what the person meant.
fn is_chosen(row: &OfferedRow) -> bool {
    let offered = Said::read(&row.offered).choices;
    let next = row.next.as_deref().map(Said::read).unwrap_or_default();
    let entries = offered.iter().filter_map(|choice| {
        let id = choice.value.strip_prefix(ENTRY)?;
        Some((id, choice.label.as_str()))
    });
    entries.into_iter().any(|(id, label)| {
        row.led_to.as_deref() == Some(id) || next.text.eq_ignore_ascii_case(label)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(next: Option<&str>, led_to: Option<&str>) -> OfferedRow {
        OfferedRow {
            conversation_id: "c".to_owned(),
            body: r#"{"kind":"text","text":"lupa pw"}"#.to_owned(),
            offered: r#"{"kind":"choices","text":"?","choices":[{"value":"entry:a","label":"Satu"},{"value":"none","label":"Bukan"}]}"#.to_owned(),
            next: next.map(|text| serde_json::json!({"kind":"text","text":text}).to_string()),
            led_to: led_to.map(str::to_owned),
            created_at: 0,
        }
    }

    #[test]
    fn what_was_offered_is_chosen_by_its_label_or_by_where_it_leads() {
        assert!(is_chosen(&row(Some("Satu"), None)));
        assert!(is_chosen(&row(Some("yang pertama"), Some("a"))));
        assert!(!is_chosen(&row(Some("Bukan"), None)));
        assert!(!is_chosen(&row(Some("apa ni"), Some("b"))));
        assert!(!is_chosen(&row(None, None)));
    }
}

//! What people and officers know to have happened, held against what the database, Telegram and the mail server have.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tanya::ticket::TicketNumber;

use super::people::{People, says};
use crate::crash::rows;
use crate::support::mail_server::MailServer;

/// Where the mails to the supervisor go.
pub const SUPERVISOR: &str = "penyelia@perbendaharaan.example";

/// What people and officers know to have happened.
#[derive(Default)]
pub struct Ledger {
    /// Tickets and the conversations that they were opened in; none for those from the counter.
    pub opened: BTreeMap<String, Option<(String, String)>>,
    /// What officers said, and on which ticket.
    pub answers: Vec<(String, String)>,
    /// What officers noted.
    pub notes: Vec<(String, String)>,
    /// Tickets that were opened again.
    pub reopened: BTreeSet<String>,
    /// People on Telegram, and what they have to have heard.
    pub on_telegram: Vec<(i64, String)>,
}

impl People {
    /// What officers said is in the chats of those whom it is for, once; and it went out on Telegram.
    pub async fn every_answer_is_read(&self, ledger: &Ledger) {
        for (person, answer) in &ledger.on_telegram {
            self.heard(*person, says, answer).await;
        }
        for (number, place) in &ledger.opened {
            let Some((id, token)) = place.as_ref().filter(|(_, token)| !token.is_empty()) else {
                continue;
            };
            let url = format!(
                "http://{}/api/v1/conversations/{id}/messages?after=0",
                self.http
            );
            let response = self
                .client
                .get(url)
                .bearer_auth(token)
                .send()
                .await
                .unwrap();
            let body: Value = response.json().await.unwrap();
            let messages = body["messages"].as_array().unwrap();
            for (_, answer) in ledger.answers.iter().filter(|(of, _)| of == number) {
                let heard = messages.iter().filter(|message| {
                    message["from"] == "officer" && message["text"] == answer.as_str()
                });
                assert_eq!(heard.count(), 1, "{number}: {answer}");
            }
        }
    }
}

/// The tickets are those that somebody was told of, one for each matter, numbered from 1 without a gap.
pub async fn every_number_is_used_once(url: &str, ledger: &Ledger) {
    let tickets: Vec<(String, String, String)> = rows(
        url,
        "SELECT number, conversation_id, title FROM ticket ORDER BY number",
    )
    .await;
    let numbers: Vec<&String> = tickets.iter().map(|(number, _, _)| number).collect();
    let known: Vec<&String> = ledger.opened.keys().collect();
    assert_eq!(numbers, known);
    let years: Vec<(i64, i64)> = rows(url, "SELECT year, last FROM ticket_serial").await;
    let [(year, last)] = years[..] else {
        panic!("tickets of two years: {years:?}");
    };
    let expected: Vec<String> = (1..=last)
        .map(|serial| TicketNumber::new(year, serial).to_string())
        .collect();
    assert_eq!(numbers, expected.iter().collect::<Vec<_>>());
    let chats = tickets.iter().filter(|(_, chat, _)| !chat.is_empty());
    let chats: Vec<&String> = chats.map(|(_, chat, _)| chat).collect();
    assert_eq!(
        chats.iter().collect::<BTreeSet<_>>().len(),
        chats.len(),
        "a chat with two tickets"
    );
    let titles = tickets.iter().map(|(_, _, title)| title);
    let titles: Vec<&String> = titles
        .filter(|title| title.starts_with("Kaunter"))
        .collect();
    assert_eq!(
        titles.iter().collect::<BTreeSet<_>>().len(),
        titles.len(),
        "a visitor with two tickets"
    );
    let opened: Vec<(String, i64)> = rows(
        url,
        "SELECT number, COUNT(*) FROM ticket_event WHERE kind = 'opened' GROUP BY number",
    )
    .await;
    assert_eq!(opened.len(), tickets.len());
    assert!(opened.iter().all(|(_, count)| *count == 1), "{opened:?}");
    let reopened: Vec<(String, i64)> = rows(
        url,
        "SELECT number, COUNT(*) FROM ticket_event WHERE kind = 'reopened' GROUP BY number",
    )
    .await;
    assert!(
        reopened.iter().all(|(_, count)| *count == 1),
        "{reopened:?}"
    );
    let reopened: BTreeSet<String> = reopened.into_iter().map(|(number, _)| number).collect();
    assert_eq!(reopened, ledger.reopened);
}

/// What officers wrote stands in a transcript once, and is noted on its ticket once.
pub async fn every_answer_is_there_once(url: &str, ledger: &Ledger) {
    let said: Vec<(String,)> = rows(url, "SELECT body FROM message WHERE sender = 'officer'").await;
    assert_eq!(said.len(), ledger.answers.len());
    for (number, answer) in &ledger.answers {
        let count = said.iter().filter(|(body,)| body.contains(answer)).count();
        assert_eq!(count, 1, "{number}: {answer}");
    }
    let noted: Vec<(String, String)> = rows(
        url,
        "SELECT number, text FROM ticket_event WHERE text LIKE 'Nota %' OR text LIKE 'Sila cuba %'",
    )
    .await;
    let mut noted: Vec<&(String, String)> = noted.iter().collect();
    let mut expected: Vec<&(String, String)> = ledger.answers.iter().chain(&ledger.notes).collect();
    noted.sort();
    expected.sort();
    assert_eq!(noted, expected);
}

/// Each chase was marked once and mailed under one id, and each new ticket was mailed to its queue.
pub async fn whoever_chases_is_told(url: &str, mail: &MailServer) {
    let mut mails: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for mail in mail.mails() {
        let subject = mail.header("Subject").unwrap();
        let to = if mail.to == [SUPERVISOR] {
            "supervisor"
        } else {
            "queue"
        };
        let number = TicketNumber::find(&subject).map(|number| number.to_string());
        let what = match subject.as_str() {
            subject if subject.contains("Tiket lewat") => "escalated",
            subject if subject.contains("masih menunggu") => "untaken",
            _ => "told",
        };
        let key = format!("{to} {what} {}", number.unwrap_or_default());
        mails.entry(key).or_default().insert(mail.message_id());
    }
    let count = |key: String| mails.get(&key).map_or(0, BTreeSet::len) as i64;
    let chased: Vec<(String, String, i64)> = rows(
        url,
        "SELECT number, kind, COUNT(*) FROM ticket_event WHERE kind IN ('escalated', 'untaken') GROUP BY number, kind",
    )
    .await;
    assert!(!chased.is_empty(), "nobody was chased");
    for (number, kind, times) in &chased {
        assert_eq!(
            count(format!("supervisor {kind} {number}")),
            *times,
            "{number} {kind}"
        );
        assert!(
            *times == 1 || kind == "escalated",
            "{number} {kind} {times}"
        );
    }
    let all: usize = mails
        .iter()
        .filter(|(key, _)| key.starts_with("supervisor e") || key.starts_with("supervisor u"))
        .map(|(_, ids)| ids.len())
        .sum();
    let marked: i64 = chased.iter().map(|(_, _, times)| times).sum();
    assert_eq!(all as i64, marked, "a chase that nobody noted");
    let tickets: Vec<(String,)> = rows(url, "SELECT number FROM ticket").await;
    for (number,) in tickets {
        assert!(
            count(format!("queue told {number}")) > 0,
            "{number} was not mailed to its queue"
        );
    }
}

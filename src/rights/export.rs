//! The copy of everything that is kept of a person, as one JSON document. It is made when it is taken, once, and stands
//! nowhere afterwards. Notes of officers for officers, and names of officers, are not in it.

use serde_json::{Value, json};

use super::scope::{Part, Scope};
use super::{Decided, Rights, RightsError, TAKEABLE, said};
use crate::audit::{Entry, Event};
use crate::clock::{Millis, rfc3339};
use crate::storage::audit::AuditRow;
use crate::storage::data_request::{self, DataRequestRow};
use crate::storage::subject::{self, ToldProof};
use crate::storage::ticket::TicketRow;
use crate::storage::{Connection, announcement, message, ticket_event, trouble_report};

impl Rights {
    /// The copy that an approved request is about; it can be taken once, by whoever filed or approved the request.
    pub async fn take_copy(&self, id: &str, by: &str) -> Result<Value, RightsError> {
        let now = self.clock.now();
        let row = self.by_id(id).await?;
        let approved = row.state == Decided::Approved.as_str() && row.kind == "export";
        if !approved || (row.agent != by && row.decided_by != by) {
            return Err(RightsError::Changed);
        }
        if row.decided_at.is_none_or(|at| now > at + TAKEABLE) {
            return Err(RightsError::Late);
        }
        let mut transaction = self.store.begin().await?;
        let copy = self.copy(&mut transaction, &row, now).await?;
        if !data_request::finish(&mut transaction, id, by, now).await? {
            return Err(RightsError::Changed);
        }
        let detail = said(&row);
        let taken = Entry::new(Event::DataRequest, "taken");
        let taken = taken.about(by).detail(&detail);
        self.audit().record(&mut transaction, taken, now).await?;
        let told = Entry::new(Event::DataRequest, "handed-out");
        let told = told.about(&row.subject).detail(&detail);
        self.audit().record(&mut transaction, told, now).await?;
        transaction.commit().await?;
        Ok(copy)
    }

    async fn copy(
        &self,
        connection: &mut Connection,
        row: &DataRequestRow,
        now: Millis,
    ) -> sqlx::Result<Value> {
        let scope = Scope::of(connection, row).await?;
        let mut chats = Vec::new();
        let mut record = Vec::new();
        for part in &scope.chats {
            if let Some(chat) = chat(connection, part).await? {
                chats.push(chat);
            }
            record.extend(record_within(connection, part).await?);
        }
        let mut tickets = Vec::new();
        for row in &scope.tickets {
            tickets.push(self.ticket(connection, row).await?);
        }
        if !scope.subject.is_empty() {
            record.extend(record_of(connection, &scope.subject).await?);
        }
        record.sort_by_key(|line| line.seq);
        record.dedup_by_key(|line| line.seq);
        Ok(json!({
            "made_at": rfc3339(now),
            "number_ends_with": row.last4,
            "ticket": row.number,
            "chats": chats,
            "tickets": tickets,
            "bindings": proofs(subject::bindings(connection, &scope.subject).await?),
            "proofs": proofs(subject::proofs(connection, &scope.subject).await?),
            "requests_for_a_proof": proofs(subject::verifications(connection, &scope.subject).await?),
            "document_links": links(connection, &scope.subject).await?,
            "record": record.iter().map(line).collect::<Vec<_>>(),
            "requests": requests(connection, &scope.subject).await?,
        }))
    }

    async fn ticket(&self, connection: &mut Connection, row: &TicketRow) -> sqlx::Result<Value> {
        let about = format!("{} name", row.number);
        let name = row.name.as_deref();
        let name = name.and_then(|sealed| self.sealer.open(&about, sealed).ok());
        let events = ticket_event::of_ticket(connection, &row.number).await?;
        let events = events.iter();
        let events = events.map(|event| json!({"at": rfc3339(event.at), "what": event.kind}));
        Ok(json!({
            "number": row.number,
            "channel": row.channel,
            "queue": row.queue,
            "topic": row.topic,
            "title": row.title,
            "department": row.department,
            "name": name,
            "number_ends_with": row.last4,
            // The number itself: its owner knows it, and a file is easily mislaid.
            "has_sealed_number": row.details.is_some(),
            "status": row.status,
            "priority": row.priority,
            "part_of": row.merged_into,
            "opened_at": rfc3339(row.created_at),
            "acknowledged_at": row.acknowledged_at.map(rfc3339),
            "answered_at": row.answered_at.map(rfc3339),
            "resolved_at": row.resolved_at.map(rfc3339),
            "what_happened": events.collect::<Vec<_>>(),
        }))
    }
}

async fn chat(connection: &mut Connection, part: &Part) -> sqlx::Result<Option<Value>> {
    let Some(told) = subject::conversation(connection, &part.id).await? else {
        return Ok(None);
    };
    let votes = subject::votes(connection, &part.id).await?;
    let votes = votes.iter().filter(|vote| part.holds(vote.created_at));
    let votes = votes.map(|vote| {
        json!({
            "message": vote.seq,
            "vote": vote.vote,
            "comment": vote.comment,
            "at": rfc3339(vote.created_at),
        })
    });
    let pictures = subject::pictures(connection, &part.id).await?;
    let pictures = pictures.iter().filter(|it| part.holds(it.created_at));
    let pictures = pictures.map(|picture| {
        json!({
            "ticket": picture.number,
            "kind": picture.kind,
            "bytes": picture.size,
            "at": rfc3339(picture.created_at),
        })
    });
    let reports = trouble_report::of_chat(connection, &part.id).await?;
    let reports = reports.iter().filter(|it| part.holds(it.reported_at));
    let reports = reports.map(|report| {
        json!({
            "system": report.system,
            "department": report.department,
            "at": rfc3339(report.reported_at),
        })
    });
    Ok(Some(json!({
        "channel": told.channel,
        "contact": told.contact.as_deref().map(masked),
        "language": told.language,
        "began_at": rfc3339(told.created_at),
        "last_written_at": rfc3339(told.active_at),
        "ended_at": told.ended_at.map(rfc3339),
        "shared_with_others": !part.whole,
        "messages": messages(connection, part).await?,
        "votes": votes.collect::<Vec<_>>(),
        "pictures": pictures.collect::<Vec<_>>(),
        "reports_that_a_system_did_not_open": reports.collect::<Vec<_>>(),
        "wants_announcements": announcement::is_subscribed(connection, &part.id).await?,
    })))
}

async fn messages(connection: &mut Connection, part: &Part) -> sqlx::Result<Vec<Value>> {
    let mut messages = Vec::new();
    let mut last = 0;
    loop {
        let rows = message::after(connection, &part.id, last).await?;
        let Some(row) = rows.last() else {
            return Ok(messages);
        };
        last = row.seq;
        let own = rows.iter().filter(|row| part.holds(row.created_at));
        messages.extend(own.map(|row| {
            let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
            json!({
                "number": row.seq,
                "from": row.sender,
                "at": rfc3339(row.created_at),
                "says": body,
                "answers": row.reply_to,
                "about": row.target,
                "outcome": row.outcome,
            })
        }));
    }
}

async fn record_of(connection: &mut Connection, who: &str) -> sqlx::Result<Vec<AuditRow>> {
    let mut record = Vec::new();
    let mut last = 0;
    loop {
        let rows = subject::record_of(connection, who, last).await?;
        let Some(row) = rows.last() else {
            return Ok(record);
        };
        last = row.seq;
        record.extend(rows);
    }
}

async fn record_within(connection: &mut Connection, part: &Part) -> sqlx::Result<Vec<AuditRow>> {
    let mut record = Vec::new();
    let mut last = 0;
    loop {
        let rows = subject::record_within(connection, &part.id, last).await?;
        let Some(row) = rows.last() else {
            return Ok(record);
        };
        last = row.seq;
        record.extend(rows.into_iter().filter(|row| part.holds(row.at)));
    }
}

fn line(row: &AuditRow) -> Value {
    json!({
        "at": rfc3339(row.at),
        "what": row.event,
        "outcome": row.outcome,
        "detail": row.detail,
    })
}

fn proofs(rows: Vec<ToldProof>) -> Vec<Value> {
    let rows = rows.iter().map(|row| {
        json!({
            "channel": row.channel,
            "contact": masked(&row.contact),
            "as": row.kind,
            "began_at": rfc3339(row.began_at),
            "ended_at": row.ended_at.map(rfc3339),
        })
    });
    rows.collect()
}

async fn links(connection: &mut Connection, who: &str) -> sqlx::Result<Vec<Value>> {
    let links = subject::links(connection, who).await?;
    let links = links.iter().map(|link| {
        json!({
            "document": link.document,
            "period": link.period,
            "made_at": rfc3339(link.created_at),
            "opened_at": link.spent_at.map(rfc3339),
        })
    });
    Ok(links.collect())
}

async fn requests(connection: &mut Connection, who: &str) -> sqlx::Result<Vec<Value>> {
    if who.is_empty() {
        return Ok(Vec::new());
    }
    let rows = data_request::of_subject(connection, who).await?;
    let rows = rows.iter().map(|row| {
        json!({
            "kind": row.kind,
            "filed_at": rfc3339(row.filed_at),
            "state": row.state,
            "decided_at": row.decided_at.map(rfc3339),
            "done_at": row.done_at.map(rfc3339),
        })
    });
    Ok(rows.collect())
}

/// The last characters of what names somebody on a channel.
fn masked(contact: &str) -> String {
    let all = contact.chars().count();
    let shown: String = contact.chars().skip(all.saturating_sub(3)).collect();
    if all > 3 {
        format!("…{shown}")
    } else {
        String::new()
    }
}

//! `tanya ticket`: what officers have to do, beside a running server.

use super::{Beside, Failure, Outcome, Output, TicketCommand};
use crate::app;
use crate::audit::{Entry, Event};
use crate::clock;
use crate::config::Settings;
use crate::conversation::report::{Report, Told};
use crate::storage::ticket::{self, TicketRow};
use crate::storage::{Store, ticket as tickets};
use crate::ticket::TicketNumber;

pub fn run(settings: &Settings, command: &TicketCommand, out: &mut Output) -> Outcome {
    Beside::run(settings, out, async |beside, out| {
        let Beside { store, core, .. } = beside;
        match command {
            TicketCommand::List => list(store, out).await,
            TicketCommand::Show { number } => show(core, store, number, out).await,
            TicketCommand::Resolve { number } => resolve(core, store, number, out).await,
        }
    })
}

async fn list(store: &Store, out: &mut Output) -> Outcome {
    let mut connection = store.connection().await?;
    let open = ticket::open(&mut connection).await?;
    if open.is_empty() {
        out.say("Nothing is open.");
    }
    for row in open {
        let opened = clock::shown(row.created_at);
        out.say(&format!(
            "{}  {}  {}  {opened}",
            row.number, row.queue, row.topic
        ));
    }
    Ok(())
}

async fn found(store: &Store, number: &str) -> Result<TicketRow, Failure> {
    let number = TicketNumber::parse(number)
        .ok_or_else(|| Failure::Usage(format!("{number} is no ticket's number")))?;
    let mut connection = store.connection().await?;
    let row = tickets::by_number(&mut connection, number.as_str()).await?;
    row.ok_or_else(|| Failure::Failed(anyhow::anyhow!("there is no ticket {number}")))
}

async fn show(core: &app::Core, store: &Store, number: &str, out: &mut Output) -> Outcome {
    let row = found(store, number).await?;
    let mut transaction = store.begin().await?;
    let now = core.identity.now();
    let tickets = core.engine.tickets();
    let details = tickets.details(&mut transaction, &row, "", now).await?;
    transaction.commit().await?;
    let TicketRow {
        number,
        queue,
        topic,
        status,
        ..
    } = row;
    out.say(&format!(
        "{number}\n  queue: {queue}\n  about: {topic}\n  status: {status}"
    ));
    if let Some(details) = details {
        out.say(&format!(
            "  number: {details}\n\nYou may only trigger a mail to the address on record. Never change it, never read it out."
        ));
    }
    Ok(())
}

async fn resolve(core: &app::Core, store: &Store, number: &str, out: &mut Output) -> Outcome {
    let row = found(store, number).await?;
    if !matches!(row.status.as_str(), "open" | "pending") {
        return Err(Failure::Failed(anyhow::anyhow!(
            "{} is settled already",
            row.number
        )));
    }
    let report = Report {
        told: Some(Told::TicketSettled {
            number: row.number.clone(),
        }),
        settles: Some(&row.number),
        entry: Some(
            Entry::new(Event::Ticket, "resolved")
                .within(&row.conversation_id)
                .detail(&row.number),
        ),
        ..Report::default()
    };
    core.engine.tell(&row.conversation_id, &report).await?;
    out.say(&format!(
        "{} is settled; the person is told, if the chat is still there.",
        row.number
    ));
    Ok(())
}

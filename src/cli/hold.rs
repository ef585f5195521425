//! `tanya hold`: what must be kept although its time is over, by ticket or chat; persons are held in the console, where no
//! number stands in a shell's history.

use std::sync::Arc;

use jiff::civil::Date;
use uuid::Uuid;

use super::{Failure, HoldCommand, Outcome, Output};
use crate::app;
use crate::audit::Audit;
use crate::clock::{Clock, end_of_day, shown};
use crate::config::Settings;
use crate::key_ring::KeyRing;
use crate::rights::{HoldKind, Holds, NewHold};
use crate::storage::Store;
use crate::storage::hold::{self, HoldRow};
use crate::ticket::TicketNumber;

/// Holds that are listed.
const LISTED: i64 = 500;

pub fn run(settings: &Settings, command: &HoldCommand, out: &mut Output) -> Outcome {
    let clock = Clock::shifted(settings.clock_offset_ms);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let store = Arc::new(Store::open_beside(&settings.database_url).await?);
        let keys = KeyRing::open(&store, &app::secret_key(settings)?, &clock).await?;
        let holds = Holds {
            store: Arc::clone(&store),
            clock,
            audit: Audit::new(keys.audit),
        };
        let done = act(&holds, command, out).await;
        store.close().await;
        done
    })
}

async fn act(holds: &Holds, command: &HoldCommand, out: &mut Output) -> Outcome {
    match command {
        HoldCommand::Add {
            what,
            reason,
            until,
        } => add(holds, what, (reason, until.as_deref()), out).await,
        HoldCommand::List => list(holds, out).await,
        HoldCommand::Lift { id } => {
            holds.lift(id, "").await?;
            out.say("It is lifted.");
            Ok(())
        }
    }
}

async fn add(
    holds: &Holds,
    what: &str,
    (reason, until): (&str, Option<&str>),
    out: &mut Output,
) -> Outcome {
    let chat = || {
        Uuid::parse_str(what)
            .ok()
            .map(|_| HoldKind::Chat(what.to_owned()))
    };
    let kind = TicketNumber::parse(what)
        .map(HoldKind::Ticket)
        .or_else(chat);
    let kind = kind.ok_or_else(|| {
        Failure::Usage(format!(
            "{what} is neither a ticket's number nor a chat's id"
        ))
    })?;
    let until = match until {
        None => None,
        Some(day) => Some(day.parse::<Date>().map(end_of_day).map_err(|_| {
            Failure::Usage(format!("--until is {day}; it must be a day as 2027-06-30"))
        })?),
    };
    let new = NewHold {
        kind,
        reason,
        until,
        by: "",
    };
    let id = holds.place(&new).await?;
    out.say(&id);
    Ok(())
}

async fn list(holds: &Holds, out: &mut Output) -> Outcome {
    let mut connection = holds.store.connection().await?;
    let rows = hold::list(&mut connection, LISTED).await?;
    let now = holds.clock.now();
    let table = rows.iter().map(|row| shown_row(row, now)).collect();
    out.table(&["id", "what", "reason", "placed", "until", "state"], table);
    Ok(())
}

fn shown_row(row: &HoldRow, now: i64) -> Vec<String> {
    let what = match row.kind.as_str() {
        "subject" => format!("person …{}", row.last4),
        kind => format!("{kind} {}", row.key),
    };
    let state = match row.is_active(now) {
        true => "holds",
        false => "over",
    };
    vec![
        row.id.clone(),
        what,
        row.reason.clone(),
        shown(row.placed_at),
        row.until.map_or_else(|| "–".to_owned(), shown),
        state.to_owned(),
    ]
}

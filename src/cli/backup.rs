//! `tanya backup` and `tanya restore`: copies of the database, made beside a running server and put to work where none is.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::{Value, json};

use super::{BackupArgs, Failure, Outcome, Output, RestoreArgs};
use crate::app;
use crate::backup::{self, Found, Held, Record, Restored, Wishes, Written};
use crate::clock::{self, Clock};
use crate::config::Settings;
use crate::secret::SecretKey;

/// Held deliveries that are listed for people; JSON has all.
const LISTED: usize = 50;

pub fn write(settings: &Settings, args: &BackupArgs, out: &mut Output) -> Outcome {
    if args.file.symlink_metadata().is_ok() {
        let name = args.file.display();
        return Err(Failure::Usage(format!(
            "{name} is there already; a backup is never written over"
        )));
    }
    let url = &settings.database_url;
    let secret = secret(settings)?;
    let written = runtime()?.block_on(backup::write(url, &args.file, &secret))?;
    match args.json {
        true => out.json(&written_as_json(&args.file, &written))?,
        false => say_written(&args.file, &written, out),
    }
    match &written.found.record {
        Record::Whole(_) | Record::None => Ok(()),
        Record::Doubtful(why) => Err(Failure::Failed(anyhow::anyhow!(
            "the backup is written, and is what the database is; but the record of sensitive steps in it is not whole: {why}"
        ))),
    }
}

/// The key that the database was made with: a new one would open nothing.
fn secret(settings: &Settings) -> Result<SecretKey, Failure> {
    app::kept_secret_key(settings)?.ok_or_else(|| {
        Failure::Usage("TANYA_SECRET_KEY is missing: the key of the database".to_owned())
    })
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

fn say_written(path: &Path, written: &Written, out: &mut Output) {
    out.say(&format!(
        "Wrote {}: {} bytes in {:.1} s.",
        path.display(),
        written.bytes,
        seconds(written.took_ms)
    ));
    say_found(&written.found, out);
}

fn seconds(millis: u128) -> f64 {
    millis as f64 / 1_000.0
}

fn say_found(found: &Found, out: &mut Output) {
    let counts = &found.counts;
    out.say(&format!(
        "It holds {} messages, {} tickets, {} deliveries that wait; schema {:04}.",
        counts.messages, counts.tickets, counts.waiting, found.schema
    ));
    if let Record::Whole(end) = &found.record {
        out.say(&format!(
            "The record is whole: {} lines. Its end:\n{end}",
            end.seq
        ));
    }
}

fn written_as_json(path: &Path, written: &Written) -> Value {
    json!({
        "file": path.display().to_string(),
        "bytes": written.bytes,
        "seconds": seconds(written.took_ms),
        "holds": found_as_json(&written.found),
    })
}

fn found_as_json(found: &Found) -> Value {
    let record = match &found.record {
        Record::Whole(end) => json!({"state": "whole", "end": end.to_string()}),
        Record::None => json!({"state": "none"}),
        Record::Doubtful(why) => json!({"state": "doubtful", "why": why}),
    };
    json!({
        "schema": found.schema,
        "messages": found.counts.messages,
        "tickets": found.counts.tickets,
        "waiting": found.counts.waiting,
        "record": record,
    })
}

pub fn restore(settings: &Settings, args: &RestoreArgs, out: &mut Output) -> Outcome {
    let missing = args.file.as_deref().filter(|file| !file.is_file());
    if let Some(file) = missing {
        return Err(Failure::Usage(format!("{} is not there", file.display())));
    }
    let name = args.file.as_deref().and_then(Path::file_name);
    let wishes = Wishes {
        send_pending: args.send_pending,
        source: name.map_or("voids only".into(), |name| {
            name.to_string_lossy().into_owned()
        }),
        by: user(),
    };
    let url = &settings.database_url;
    let secret = secret(settings)?;
    let clock = Clock::shifted(settings.clock_offset_ms);
    let restored = runtime()?.block_on(async {
        match &args.file {
            Some(file) => backup::restore(url, file, &secret, &clock, &wishes).await,
            None => backup::void(url, &secret, &clock, &wishes).await,
        }
    })?;
    match args.json {
        true => out.json(&restored_as_json(&restored))?,
        false => say_restored(&restored, out),
    }
    Ok(())
}

fn say_restored(restored: &Restored, out: &mut Output) {
    let voided = &restored.voided;
    out.say("Restored.");
    say_found(&restored.found, out);
    for migration in &restored.applied {
        out.say(&format!(
            "applied {:04} {}",
            migration.version, migration.name
        ));
    }
    out.say(&format!(
        "Ended: {} requests for a proof, {} proofs, {} links, {} linked chats, {} sign-ins, {} invitations.",
        voided.verifications,
        voided.proofs,
        voided.links,
        voided.bindings,
        voided.sign_ins,
        voided.invitations
    ));
    out.say(&format!(
        "Of what waited: {} held back, {} dropped (codes, too late), {} will go out, {} that came in and was not handled given up, {} chats not told of announcements and ended outages.",
        voided.held.len(),
        voided.dropped,
        voided.kept,
        voided.inbound,
        voided.untold
    ));
    out.say(
        "Holds that were placed and data that was erased since are as the backup has them. Place the holds and erase again: nothing old is \
         deleted for 24 hours.",
    );
    if voided.held.is_empty() {
        return;
    }
    let rows = voided.held.iter().take(LISTED).map(|held| {
        vec![
            time(held),
            held.carrier.clone(),
            held.what.clone(),
            held.conversation_id.clone(),
        ]
    });
    let rows = rows.collect();
    out.table(&["written", "carrier", "what", "conversation"], rows);
    if voided.held.len() > LISTED {
        out.say(&format!("and {} more.", voided.held.len() - LISTED));
    }
}

fn time(held: &Held) -> String {
    clock::rfc3339(held.written_at)
}

fn restored_as_json(restored: &Restored) -> Value {
    let voided = &restored.voided;
    let held = voided.held.iter().map(|held| {
        json!({
            "id": held.id,
            "carrier": held.carrier,
            "what": held.what,
            "conversation": held.conversation_id,
            "written_at": time(held),
        })
    });
    let applied = restored.applied.iter();
    json!({
        "holds": found_as_json(&restored.found),
        "applied": applied.map(|it| it.version).collect::<Vec<_>>(),
        "ended": {
            "verifications": voided.verifications,
            "proofs": voided.proofs,
            "links": voided.links,
            "bindings": voided.bindings,
            "sign_ins": voided.sign_ins,
            "invitations": voided.invitations,
        },
        "inbound_given_up": voided.inbound,
        "chats_not_told": voided.untold,
        "dropped": voided.dropped,
        "kept": voided.kept,
        "held": held.collect::<Vec<_>>(),
    })
}

/// The user of the operating system, as the system knows it; who came by `sudo` is named too.
fn user() -> String {
    let Ok(process) = std::fs::metadata("/proc/self") else {
        return "an unknown user".to_owned();
    };
    let id = process.uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    });
    let name = name.unwrap_or_else(|| format!("user {id}"));
    match std::env::var("SUDO_USER") {
        Ok(before) => format!("{name} (sudo {before})"),
        Err(_) => name,
    }
}

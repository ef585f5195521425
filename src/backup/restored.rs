//! What must not live on in a database that was restored. Between the backup and now anything may have happened that it
//! does not know of: what was ended then would be alive again, what was sent then would be sent again. So proofs, links, linked
//! chats and sign-ins end, and what waited is held back unless the operator wants it sent.

use crate::audit::{Anchor, Audit, Entry, Event};
use crate::clock::Millis;
use crate::outbox::{self as post, Carrier, Errand, Letter, Payload};
use crate::secret::{Sealer, SecretKey};
use crate::storage::outbox::{self, OutboxRow};
use crate::storage::{
    Connection, Store, agent, agent_session, announcement, binding, conversation, document_link,
    inbound, incident, lease, outage, proof, ticket, verification,
};

/// Nothing is carried that is older, in milliseconds: as long as a mail is tried.
const WINDOW: Millis = 72 * 3_600_000;
/// Ticket numbers that are left out, and messages in each open chat: more than come between two backups.
const SKIPPED: i64 = 1_000;

/// What the operator wants.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// What waited when the backup was made is sent, though it may have been sent since.
    pub send_pending: bool,
    /// The backup's name, for the record.
    pub source: String,
    /// Who restores, for the record.
    pub by: String,
}

/// What was ended.
#[derive(Debug, Default)]
pub struct Voided {
    /// Requests for a proof.
    pub verifications: u64,
    /// Proofs.
    pub proofs: u64,
    /// Links to documents.
    pub links: u64,
    /// Linked chats.
    pub bindings: u64,
    /// Sign-ins to the console.
    pub sign_ins: u64,
    /// Invitations to the console.
    pub invitations: u64,
    /// What channels brought and nobody had settled.
    pub inbound: u64,
    /// Chats that were to hear an announcement, or that a system works again.
    pub untold: u64,
    /// Mails with codes, and what is too old to be sent.
    pub dropped: u64,
    /// Deliveries that go out all the same.
    pub kept: u64,
    /// Deliveries that do not go out.
    pub held: Vec<Held>,
}

/// A delivery that was held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub id: String,
    /// What would have carried it.
    pub carrier: String,
    /// What it is, in a word; tickets and persons by what tells nothing to strangers.
    pub what: String,
    /// The conversation; empty if none.
    pub conversation_id: String,
    /// When it was written, in Unix milliseconds.
    pub written_at: Millis,
}

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Keep,
    Drop,
    Hold,
}

/// What is known of a delivery.
struct Known {
    what: String,
    /// Doing it twice does no harm.
    harmless: bool,
    /// It is not carried later than this.
    latest: Millis,
}

/// Ends all of it in one transaction, and writes that into the record. `end` is the record's end as the backup has it.
pub async fn void(
    store: &Store,
    audit: &Audit,
    secret: &SecretKey,
    now: Millis,
    wishes: &Wishes,
    end: Option<&Anchor>,
) -> sqlx::Result<Voided> {
    let mut transaction = store.begin().await?;
    let mut voided = Voided {
        verifications: verification::close_all(&mut transaction, now).await?,
        proofs: proof::end_all(&mut transaction, now).await?,
        links: document_link::expire_all(&mut transaction, now).await?,
        bindings: binding::end_all(&mut transaction, now).await?,
        sign_ins: agent_session::delete_all(&mut transaction).await?,
        invitations: agent::void_invitations(&mut transaction).await?,
        ..Voided::default()
    };
    if !wishes.send_pending {
        voided.inbound = inbound::give_up_all(&mut transaction, now).await?;
        // What was wrong then is looked at anew, and what was being told has been told since.
        incident::close_all(&mut transaction, now).await?;
        outage::end_all(&mut transaction, now).await?;
        voided.untold = outage::skip_all(&mut transaction, now).await?
            + announcement::skip_rest(&mut transaction, None, now).await?;
    }
    settle_outbox(&mut transaction, secret, now, wishes, &mut voided).await?;
    // Whoever had claimed something is gone.
    inbound::take_over(&mut transaction, now).await?;
    outbox::take_over(&mut transaction, now).await?;
    lease::take_over(&mut transaction).await?;
    ticket::skip_serials(&mut transaction, SKIPPED).await?;
    conversation::skip_seqs(&mut transaction, SKIPPED).await?;
    let detail = told(wishes, end, &voided);
    let entry = Entry::new(Event::Restored, "restored").detail(&detail);
    audit.record(&mut transaction, entry, now).await?;
    transaction.commit().await?;
    Ok(voided)
}

fn told(wishes: &Wishes, end: Option<&Anchor>, voided: &Voided) -> String {
    let end = end.map_or_else(|| "no record".to_owned(), ToString::to_string);
    format!(
        "{} ({end}) by {}; held {}, dropped {}, kept {}",
        wishes.source,
        wishes.by,
        voided.held.len(),
        voided.dropped,
        voided.kept
    )
}

async fn settle_outbox(
    transaction: &mut Connection,
    secret: &SecretKey,
    now: Millis,
    wishes: &Wishes,
    voided: &mut Voided,
) -> sqlx::Result<()> {
    let sealer = post::sealer(secret);
    for row in outbox::waiting(transaction).await? {
        let known = Known::of(&row, &sealer);
        match fate(&row, &known, now, wishes.send_pending) {
            Fate::Keep => {
                voided.kept += 1;
                continue;
            }
            Fate::Drop => voided.dropped += 1,
            Fate::Hold => voided.held.push(Held {
                id: row.id.clone(),
                carrier: row.carrier.clone(),
                what: known.what,
                conversation_id: row.conversation_id.clone(),
                written_at: row.created_at,
            }),
        }
        outbox::finish(transaction, &row.id, "dead", now).await?;
    }
    Ok(())
}

/// Nobody knows whether it was sent after the backup was made: it is not sent again unless that is wanted.
fn fate(row: &OutboxRow, known: &Known, now: Millis, send_pending: bool) -> Fate {
    if row.carrier == Carrier::Code.as_str() {
        // Its request is closed.
        return Fate::Drop;
    }
    if known.harmless {
        return Fate::Keep;
    }
    // An errand is held however old it is: somebody should look whether the portal did it.
    if row.carrier != Carrier::Portal.as_str() && now >= known.latest {
        return Fate::Drop;
    }
    match send_pending {
        true => Fate::Keep,
        false => Fate::Hold,
    }
}

impl Known {
    fn of(row: &OutboxRow, sealer: &Sealer) -> Self {
        let mut known = Self {
            what: "message".to_owned(),
            harmless: false,
            latest: row.created_at + WINDOW,
        };
        let payload = row
            .payload
            .as_deref()
            .and_then(|it| serde_json::from_str(it).ok());
        match payload {
            None | Some(Payload::Say { .. }) => {}
            Some(Payload::Remove { .. } | Payload::Leave) => known.harmless = true,
            Some(Payload::Sealed { text }) => known.look_into(row, sealer, &text),
        }
        known
    }

    fn look_into(&mut self, row: &OutboxRow, sealer: &Sealer, sealed: &str) {
        "sealed with another key".clone_into(&mut self.what);
        let Ok(text) = sealer.open(&row.id, sealed) else {
            return;
        };
        if row.carrier == Carrier::Portal.as_str() {
            if let Ok(errand) = serde_json::from_str::<Errand>(&text) {
                self.what = format!("{} …{}", errand.action, errand.last4);
            }
        } else if let Ok(letter) = serde_json::from_str::<Letter>(&text) {
            self.what = letter.content.about();
            self.latest = letter.expires_at.unwrap_or(self.latest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::{Content, To};

    const NOW: Millis = 1_000_000_000_000;
    const SECRET_KEY: &str = "c2VjcmV0IGZvciB0ZXN0cywgMzIgYnl0ZXMgb3IgbW9yZQ==";

    fn sealed<T: serde::Serialize>(carrier: Carrier, what: &T, sealer: &Sealer) -> OutboxRow {
        let text = serde_json::to_string(what).unwrap();
        let text = sealer.seal("id", &text).unwrap();
        row(carrier, Some(&Payload::Sealed { text }))
    }

    fn row(carrier: Carrier, payload: Option<&Payload>) -> OutboxRow {
        OutboxRow {
            id: "id".to_owned(),
            carrier: carrier.as_str().to_owned(),
            payload: payload.map(|payload| serde_json::to_string(payload).unwrap()),
            created_at: NOW - 60_000,
            ..OutboxRow::default()
        }
    }

    fn letter(content: Content, expires_at: Option<Millis>) -> Letter {
        Letter {
            to: To::Supervisor,
            content,
            subject: String::new(),
            conversation_id: String::new(),
            language: "ms".to_owned(),
            expires_at,
        }
    }

    #[test]
    fn ac_108_each_kind_of_delivery_meets_its_fate() {
        let sealer = post::sealer(&SecretKey::parse(SECRET_KEY).unwrap());
        let task = Content::Task {
            number: "TK-2026-000001-7".to_owned(),
            topic: "daftar".to_owned(),
        };
        let code = Content::Code {
            verification: "v".to_owned(),
            sends: 1,
        };
        let errand = Errand {
            action: "lupa-kata-laluan".to_owned(),
            reference: "r".to_owned(),
            kind: "staff".to_owned(),
            subject: "s".to_owned(),
            last4: "5123".to_owned(),
            conversation_id: "c".to_owned(),
            proof: "p".to_owned(),
            expires_at: NOW - 1,
        };
        let task = |until| sealed(Carrier::Mail, &letter(task.clone(), until), &sealer);
        let old = OutboxRow {
            created_at: NOW - WINDOW,
            ..row(Carrier::Telegram, None)
        };
        let remove = Payload::Remove { number: 7 };
        let unreadable = Payload::Sealed {
            text: "of another key".to_owned(),
        };
        for (row, held, sent, what) in [
            (
                sealed(Carrier::Code, &letter(code, None), &sealer),
                Fate::Drop,
                Fate::Drop,
                "code",
            ),
            (task(None), Fate::Hold, Fate::Keep, "task TK-2026-000001-7"),
            (
                task(Some(NOW)),
                Fate::Drop,
                Fate::Drop,
                "task TK-2026-000001-7",
            ),
            (
                sealed(Carrier::Portal, &errand, &sealer),
                Fate::Hold,
                Fate::Keep,
                "lupa-kata-laluan …5123",
            ),
            (
                row(Carrier::Telegram, None),
                Fate::Hold,
                Fate::Keep,
                "message",
            ),
            (old, Fate::Drop, Fate::Drop, "message"),
            (
                row(Carrier::Telegram, Some(&remove)),
                Fate::Keep,
                Fate::Keep,
                "message",
            ),
            (
                row(Carrier::Mail, Some(&unreadable)),
                Fate::Hold,
                Fate::Keep,
                "sealed with another key",
            ),
        ] {
            let known = Known::of(&row, &sealer);
            assert_eq!(known.what, what);
            assert_eq!(fate(&row, &known, NOW, false), held, "{what}");
            assert_eq!(fate(&row, &known, NOW, true), sent, "{what}");
        }
    }
}

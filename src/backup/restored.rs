//! What must not live on in a database that was restored. Between the backup and now anything may have happened that it
//! does not know of: what was ended then would be alive again, what was sent then would be sent again. So proofs, links, linked
//! chats and sign-ins end, and what waited is held back unless the operator wants it sent.

use crate::audit::{Anchor, Audit, Entry, Event};
use crate::clock::Millis;
use crate::outbox::{self as post, Carrier, Errand, Letter, Payload};
use crate::secret::{Sealer, SecretKey};
use crate::storage::outbox::{self, OutboxRow};
use crate::storage::{
    Connection, Store, agent, agent_session, binding, conversation, document_link, inbound, lease,
    proof, ticket, verification,
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

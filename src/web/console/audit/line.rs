//! A line of the record as the auditor reads it.

use crate::audit::Event;
use crate::storage::audit::AuditRow;
use crate::web::console::page::{named, when};
use crate::web::console::view::{When, Words};

/// What names nobody is shown by so many of its last characters.
const SHORT: usize = 10;

/// A line of the record.
#[derive(Clone, Debug, Default)]
pub struct AuditLine {
    /// Its place.
    pub serial: i64,
    /// When.
    pub when: When,
    /// Which officer; empty if it was none.
    pub who: String,
    /// The event.
    pub event: String,
    /// How it went.
    pub outcome: String,
    /// About whom or what, by names that tell nothing.
    pub about: String,
    /// What else there is to know.
    pub detail: String,
}

/// A line, in the page's language.
pub fn line(w: &Words, names: &[(String, String)], row: &AuditRow) -> AuditLine {
    let who = named(names, &row.subject);
    let subject = match who.is_empty() {
        true => short(&row.subject),
        false => String::new(),
    };
    let conversation = short(&row.conversation_id);
    let about: Vec<String> = [subject, conversation]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| format!("…{part}"))
        .collect();
    AuditLine {
        serial: row.seq,
        when: when(Some(row.at)),
        who,
        event: event_name(w, &row.event),
        outcome: row.outcome.clone(),
        about: about.join(" "),
        detail: row.detail.clone(),
    }
}

/// The last characters of what tells nothing.
pub fn short(text: &str) -> String {
    let skipped = text.chars().count().saturating_sub(SHORT);
    text.chars().skip(skipped).collect()
}

/// An event in the page's language; its code where it is none of ours any more.
pub fn event_name(w: &Words, code: &str) -> String {
    let event = Event::ALL.into_iter().find(|event| event.as_str() == code);
    let name = event.map(|event| match event {
        Event::VerifyAsked => w.t("Bukti diminta", "Proof asked for"),
        Event::VerifyStarted => w.t("Nombor diberi", "Number given"),
        Event::CodeMailed => w.t("E-mel kod", "Code mail"),
        Event::VerifyFinished => w.t("Kod diberi", "Code given"),
        Event::ProofReturned => w.t("Bukti dikembalikan", "Proof returned"),
        Event::Binding => w.t("Pautan sembang", "Chat binding"),
        Event::SessionsEnded => w.t("Sesi ditamatkan", "Sessions ended"),
        Event::PasswordReset => w.t("Set semula kata laluan", "Password reset"),
        Event::Activation => w.t("Pendaftaran", "Activation"),
        Event::PayslipLink => w.t("Pautan slip gaji", "Payslip link"),
        Event::StatementLink => w.t("Pautan penyata", "Statement link"),
        Event::LinkOpened => w.t("Pautan dibuka", "Link opened"),
        Event::Disavowed => w.t("Bukan saya", "Not me"),
        Event::Mailed => w.t("E-mel", "Mail"),
        Event::Ticket => w.t("Tiket", "Ticket"),
        Event::SignIn => w.t("Log masuk konsol", "Console sign-in"),
        Event::Agent => w.t("Akaun pegawai", "Officer’s account"),
        Event::Knowledge => w.t("Pengetahuan", "Knowledge"),
        Event::Incident => w.t("Insiden", "Incident"),
        Event::Announcement => w.t("Pengumuman", "Announcement"),
        Event::RemovalFailed => w.t("Mesej tidak dapat dipadam", "Message not removed"),
        Event::Breaker => w.t("Pemutus", "Breaker"),
        Event::Erased => w.t("Perbualan dipadam", "Conversation erased"),
        Event::Anchored => w.t("Hujung rekod dihantar", "End of the record sent"),
        Event::Cut => w.t("Baris lama dipadam", "Old lines deleted"),
        Event::Hold => w.t("Penangguhan pelupusan", "Legal hold"),
        Event::DataRequest => w.t("Hak subjek data", "Data subject rights"),
        Event::Restored => w.t(
            "Pangkalan data dipulihkan daripada salinan",
            "Database restored from a backup",
        ),
    });
    name.map_or_else(|| code.to_owned(), str::to_owned)
}

//! What must not be taken for one another, in both directions, in the words of those who ask.

use tanya::knowledge::ask::ask;
use tanya::knowledge::router::Outcome;

use crate::support::KNOWLEDGE;

/// Every text leads to one of the targets, and is answered with nothing else.
#[track_caller]
fn lead_to(targets: &[&str], texts: &[&str]) {
    for text in texts {
        let finding = ask(&KNOWLEDGE, text, None.into()).unwrap();
        let best = finding.candidates.first().map(|c| c.target.as_str());
        let found = best.is_some_and(|best| targets.contains(&best));
        assert!(found, "{text:?} leads to {best:?}, not to {targets:?}");
        assert_ne!(finding.outcome, Outcome::Fallback, "{text:?} is refused");
    }
}

#[track_caller]
fn are_refused(texts: &[&str]) {
    for text in texts {
        let finding = ask(&KNOWLEDGE, text, None.into()).unwrap();
        assert_ne!(finding.outcome, Outcome::Answer, "{text:?}: {finding:?}");
    }
}

const PORTAL_PASSWORD: [&str; 2] = ["portal-lupa-kata-laluan", "action:lupa-kata-laluan"];
const REGISTER: [&str; 2] = ["portal-daftar", "action:daftar"];
const STATEMENT: [&str; 2] = ["portal-penyata-tahunan", "action:penyata-tahunan"];

#[test]
fn the_mailboxs_password_and_the_portals() {
    lead_to(
        &["portal-lupa-kata-laluan-emel"],
        &[
            "lupa password gmail yang daftar portal tu",
            "kata laluan emel rasmi saya dah lupa",
            "tak boleh buka emel yang didaftarkan, lupa kata laluan emel",
            "bukan password portal, password emel saya yang lupa",
        ],
    );
    lead_to(
        &PORTAL_PASSWORD,
        &[
            "lupa password portal",
            "bukan password emel, password portal saya yang lupa",
            "Bukan kata laluan e-mel, tetapi kata laluan portal yang saya lupa.",
        ],
    );
}

#[test]
fn the_system_and_the_portal() {
    lead_to(
        &["sistem-akses"],
        &[
            "nak mohon capaian sistem ispeks",
            "bukan daftar portal, nak daftar pengguna sistem ispeks",
        ],
    );
    lead_to(
        &REGISTER,
        &[
            "nak daftar portal ispeks",
            "bukan sistem, nak daftar portal ispeks",
        ],
    );
    lead_to(
        &["sistem-tidak-boleh-dibuka"],
        &["sistem ispeks tak boleh buka"],
    );
}

#[test]
fn the_monthly_slip_and_the_annual_statement() {
    lead_to(
        &["action:slip-gaji", "portal-kegunaan"],
        &["nak slip gaji bulan 7", "nak slip bulan, bukan EC"],
    );
    lead_to(
        &STATEMENT,
        &[
            "nak EC tahun 2025",
            "bukan slip bulan, nak yang setahun",
            "penyata tahunan, bukan slip gaji bulanan",
        ],
    );
}

#[test]
fn not_this_but_that() {
    lead_to(
        &["sistem-tidak-boleh-dibuka"],
        &["bukan lupa password, sistem ispeks tak keluar langsung"],
    );
    lead_to(
        &PORTAL_PASSWORD,
        &["bukan page tak keluar, password portal yang lupa"],
    );
}

#[test]
fn keyed_in_and_locked() {
    lead_to(
        &["sistem-hubungi"],
        &["macam mana nak kunci masuk baucar dalam sistem ispeks"],
    );
    let mut either = PORTAL_PASSWORD.to_vec();
    either.push("sistem-hubungi");
    lead_to(&either, &["akaun portal saya dikunci"]);
}

#[test]
fn mail_that_does_not_come_after_registering_and_after_a_reset() {
    lead_to(
        &REGISTER,
        &["dah daftar portal tapi emel pengaktifan tak sampai"],
    );
    lead_to(
        &PORTAL_PASSWORD,
        &["dah tekan lupa kata laluan portal tapi emel tak sampai"],
    );
}

#[test]
fn registering_and_signing_in() {
    lead_to(&REGISTER, &["cara daftar akaun portal"]);
    lead_to(
        &PORTAL_PASSWORD,
        &["tak boleh daftar masuk portal, lupa kata laluan"],
    );
}

#[test]
fn mystep_and_the_work_of_mystep() {
    lead_to(
        &["portal-mystep"],
        &[
            "mystep boleh daftar portal ke",
            "pekerja sambilan layak guna portal tak",
        ],
    );
    are_refused(&["jawatan kosong mystep", "gaji mystep berapa sebulan"]);
}

#[test]
fn how_long_the_portal_keeps_and_how_long_papers_are_kept() {
    lead_to(
        &["portal-tempoh-simpanan"],
        &["berapa lama data slip gaji disimpan dalam portal"],
    );
    are_refused(&["berapa lama resit cukai kena simpan"]);
}

#[test]
fn what_is_on_the_slip_and_what_is_paid() {
    lead_to(
        &["portal-masalah-penyata-gaji"],
        &["potongan dalam slip gaji saya salah"],
    );
    are_refused(&["bila gaji masuk bulan ni", "gaji naik tak tahun depan"]);
}

#[test]
fn ones_own_and_somebody_elses() {
    lead_to(
        &["action:slip-gaji", "portal-kegunaan"],
        &["nak slip gaji saya bulan lepas"],
    );
    are_refused(&[
        "nak tengok slip gaji kawan saya",
        "bagi slip gaji semua staf jabatan",
        "boleh tengok gaji bos saya tak",
    ]);
}

#[test]
fn symptoms_without_a_topic() {
    lead_to(
        &["sistem-tidak-boleh-dibuka"],
        &[
            "loading je dari tadi",
            "ERR_CONNECTION_TIMED_OUT",
            "skrin putih je bila buka ispeks",
        ],
    );
}

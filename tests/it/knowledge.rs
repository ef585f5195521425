//! A treasury officer edits the knowledge.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::civil::date;
use proptest::prelude::*;
use serde_json::Value;
use tanya::knowledge::answer::Contacts;
use tanya::knowledge::problem::Problem;
use tanya::knowledge::source::Source;
use tanya::knowledge::{Knowledge, LoadOptions, Strictness};

use crate::support::TestApp;

const GOOD: &str = "version: 1\nentries:\n  - id: satu\n    question: {ms: \"Apa itu satu?\", en: \"What is one?\"}\n    answer: {ms: \"Satu.\", en: \"One.\"}\n  - id: dua\n    question: {ms: \"Apa itu dua?\", en: \"What is two?\"}\n    answer: {ms: \"Dua.\", en: \"Two.\"}\n    reviewed: 2026-11-01\n";
const NO_INTENTS: &str = "version: 1\nentries: []\n";

fn options() -> LoadOptions {
    LoadOptions {
        contacts: Contacts::default(),
        today: date(2026, 11, 22),
        review_days: 365,
        strictness: Strictness::Full,
        sample_hours: false,
        editions: Vec::new(),
    }
}

fn folder(faq: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("faq.yaml"), faq).unwrap();
    fs::write(folder.path().join("intents.yaml"), NO_INTENTS).unwrap();
    for name in ["lexicon.yaml", "messages.yaml", "calendar.yaml"] {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("knowledge")
            .join(name);
        fs::copy(shipped, folder.path().join(name)).unwrap();
    }
    folder
}

fn problems(faq: &str) -> Vec<Problem> {
    let folder = folder(faq);
    let found = match Knowledge::load(&Source::Folder(folder.path().to_owned()), &options()) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    let inside = format!("{}/", folder.path().display());
    let told = found.into_iter().map(|problem| Problem {
        file: problem.file.replace(&inside, ""),
        message: problem.message.replace(&inside, ""),
        ..problem
    });
    told.collect()
}

proptest! {
    #[test]
    fn a_file_that_is_damaged_anywhere_is_read_or_refused_with_its_name(
        from in any::<prop::sample::Index>(),
        length in 0_usize..60,
        with in r#"[-:&*!|>'"%@`{}\[\],#? \n\ta-z0-9~<]{0,40}|\PC{0,40}"#,
    ) {
        let from = from.index(GOOD.len());
        let until = GOOD.len().min(from + length);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("faq.yaml");
        let (before, after) = (&GOOD[..from], &GOOD[until..]);
        fs::write(&file, format!("{before}{with}{after}")).unwrap();
        let options = LoadOptions { strictness: Strictness::Shape, ..options() };
        if let Err(problems) = Knowledge::load(&Source::File(file), &options) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(problem.file.ends_with("faq.yaml") && !problem.message.is_empty(), "{:?}", problem);
            }
        }
    }
}

/// The only problem of a file that is good but for one replacement.
fn problem(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    let found = problems(&GOOD.replacen(from, to, 1));
    assert_eq!(found.len(), 1, "{to}: {found:#?}");
    assert!(!found[0].repair.is_empty());
    found[0].to_string()
}

#[test]
fn a_good_folder_has_no_problems() {
    assert_eq!(problems(GOOD), []);
}

#[test]
fn ac_77_every_problem_has_its_place_and_its_repair() {
    let cases = [
        ("id: dua", "id: satu"),
        ("en: \"Two.\"", "en: \"\""),
        ("{ms: \"Dua.\", en: \"Two.\"}", "{ms: \"Dua.\"}"),
        ("What is two?", "apa itu SATU"),
        ("reviewed: 2026-11-01", "reviewed: 2025-11-01"),
        ("reviewed: 2026-11-01", "reviewed: semalam"),
        ("reviewed: 2026-11-01", "related: [tiga]"),
        ("reviewed: 2026-11-01", "action: tiada"),
        ("reviewed: 2026-11-01", "queue: dapur"),
        ("reviewed: 2026-11-01", "colour: red"),
        ("Dua.", "Lihat javascript:alert(1) di sini"),
        ("Dua.", "Lihat http://example.com di sini"),
        ("Dua.", "Lihat https://user:pw@example.com di sini"),
        ("Dua.", "Ini <b>tebal</b>"),
        ("Dua.", "Du\\u200Ba."),
        ("Dua.", "Hubungi{contact_bendahari}."),
        ("version: 1", "version: 2"),
        (
            "version: 1",
            "version: 1\nlink_hosts: [a.example]\nmenu: [tiada]",
        ),
    ];
    let shown: Vec<String> = cases.iter().map(|(from, to)| problem(from, to)).collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn ac_77_a_link_must_lead_to_a_listed_host() {
    let faq = GOOD.replacen("version: 1", "version: 1\nlink_hosts: [a.example]", 1);
    assert_eq!(problems(&faq.replace("Dua.", "https://a.example/x.")), []);
    let found = problems(&faq.replace("Dua.", "https://a.example.evil/x"));
    assert!(found[0].message.contains("a.example.evil"), "{found:?}");
}

#[test]
fn a_paraphrase_that_leads_elsewhere_is_a_problem() {
    let faq = GOOD
        .replacen(
            "  - id: dua",
            "    paraphrases: [satu itu apa ya, satu tu apa, itu satu apa]
  - id: dua",
            1,
        )
        .replacen(
            "    reviewed: 2026-11-01",
            "    paraphrases: [satu itu apa]",
            1,
        );
    let found = problems(&faq);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].message.contains("leads to satu instead"));
    assert_eq!((found[0].line, found[0].column), (10, 19));
}

#[test]
fn ac_77_a_file_that_is_too_large_too_deep_or_full_of_aliases_is_refused() {
    let large = format!("{GOOD}# {}\n", "x".repeat(9 * 1024 * 1024));
    assert!(problems(&large)[0].message.contains("cannot be read"));
    let deep = format!(
        "{GOOD}out_of_scope: {}x{}\n",
        "[".repeat(200),
        "]".repeat(200)
    );
    assert_eq!(problems(&deep).len(), 1);
    let mut bomb = String::from("version: 1\na: &a [x, x, x, x, x, x, x, x, x]\n");
    for (this, last) in ('b'..='j').zip('a'..) {
        let aliases = vec![format!("*{last}"); 9].join(", ");
        bomb.push_str(&format!("{this}: &{this} [{aliases}]\n"));
    }
    let begun = Instant::now();
    assert!(!problems(&bomb).is_empty());
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_missing_file_and_one_that_nobody_reads_are_told() {
    let folder = folder(GOOD);
    fs::remove_file(folder.path().join("lexicon.yaml")).unwrap();
    fs::write(folder.path().join("intent.yaml"), NO_INTENTS).unwrap();
    let loaded = Knowledge::load(&Source::Folder(folder.path().to_owned()), &options());
    let warnings = loaded
        .unwrap_or_else(|problems| panic!("{problems:?}"))
        .warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].file.ends_with("lexicon.yaml") && warnings[1].file.ends_with("intent.yaml")
    );
}

#[test]
fn a_file_of_the_largest_size_is_read() {
    let mut large = String::from("entries:\n");
    let mut number = 0;
    while large.len() < 8 * 1024 * 1024 - 200 {
        large.push_str(&format!("- {{id: e{number}, question: soalan nombor {number}, answer: '-', paraphrases: [a {number}, b {number}, c {number}]}}\n"));
        number += 1;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    fs::write(&file, large).unwrap();
    let parsed = Source::File(file).read().unwrap();
    let parsed = tanya::knowledge::source::parse::<Value>(&parsed["faq.yaml"]);
    let entries = parsed.unwrap_or_else(|problem| panic!("{problem}"))["entries"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(entries, number);
}

#[test]
fn a_file_that_is_no_text_or_no_yaml_is_refused() {
    for bad in [
        &b"\xff\xfe\x00"[..],
        b"entries: [",
        b"",
        b"42",
        b"entries: {a: 1}",
    ] {
        let folder = folder("");
        fs::write(folder.path().join("faq.yaml"), bad).unwrap();
        let loaded = Knowledge::load(&Source::Folder(folder.path().to_owned()), &options());
        assert!(loaded.is_err(), "{bad:?}");
    }
}

#[test]
fn any_question_set_can_be_loaded_as_one_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    fs::write(
        &file,
        "entries:\n  - id: 7 Alpha\n    question: what is the weather\n    answer: '-'\n    paraphrases: [how is the weather, how is the weather]\n  - id: \"Ümlaut/2\"\n    question: \"set an <b>alarm</b> for {time} http://x 👩\u{200d}🚒\"\n    answer: {intro: a, steps: [b, c]}\nout_of_scope: [who are you]\n",
    )
    .unwrap();
    let loaded = Knowledge::load(&Source::File(file), &options());
    let knowledge = loaded
        .unwrap_or_else(|problems| panic!("{problems:?}"))
        .knowledge;
    let routing = knowledge.route("weather please").unwrap();
    let best = knowledge.entry(routing.candidates[0].entry).unwrap();
    assert_eq!(best.id, "7 Alpha");
}

#[test]
fn the_shipped_knowledge_is_good_and_says_what_the_treasury_says() {
    let loaded = Knowledge::load(&Source::Embedded, &options());
    let loaded = loaded.unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(loaded.warnings, []);
    let knowledge = loaded.knowledge;
    let facts: [(&str, &[&str]); 11] = [
        (
            "sistem-akses",
            &[
                "Borang Pentadbiran Pengguna iSPEKS Kelantan Jab PTJ v2.0",
                "Ketua Jabatan",
                "Perbendaharaan Negeri Kelantan",
                "Google Chrome",
                "https://ispeks.kelantan.gov.my/1SPEKSv2",
                "kad pengenalan",
            ],
        ),
        (
            "sistem-tidak-boleh-dibuka",
            &[
                "rangkaian",
                "komputer yang lain",
                "modem",
                "Unit Teknologi Maklumat",
            ],
        ),
        (
            "sistem-hubungi",
            &[
                "Seksyen Naziran & Khidmat Perunding",
                "prosedur",
                "Unit Teknologi Maklumat",
                "teknikal",
            ],
        ),
        (
            "portal-kegunaan",
            &[
                "slip gaji",
                "EC",
                "OT, TNT dan pinjaman",
                "eMaklum",
                "dalam penyelenggaraan",
            ],
        ),
        (
            "portal-daftar",
            &[
                "https://p.ispeks.kelantan.gov.my/",
                "Pendaftaran",
                "ID syarikat",
                "Hantar",
                "kata laluan sementara",
                "Modul PY",
                "Manual Pengguna",
            ],
        ),
        (
            "portal-lupa-kata-laluan",
            &[
                "Lupa Kata Laluan",
                "ID syarikat",
                "Hantar",
                "kata laluan sementara",
                "Akaun → Tukar Kata Laluan",
            ],
        ),
        (
            "portal-tempoh-simpanan",
            &["dua (2) tahun", "digugurkan", "simpanan sendiri"],
        ),
        (
            "portal-penyata-tahunan",
            &[
                "Penyata Gaji",
                "Penyata Pendapatan Tahunan",
                "Pilih tahun",
                "Cari",
                "Muat turun",
                "simpanan sendiri",
            ],
        ),
        (
            "portal-mystep",
            &["MySTEP", "sambilan", "tidak layak", "modul PY"],
        ),
        (
            "portal-masalah-penyata-gaji",
            &["bahagian gaji", "terlebih dahulu"],
        ),
        (
            "portal-lupa-kata-laluan-emel",
            &[
                "Pentadbir Gaji",
                "@kelantan.gov.my",
                "BPTM",
                "09-7481957 sambungan 6131",
                "pentadbir e-mel jabatan",
                "Forgot Password",
                "penukaran e-mel",
            ],
        ),
    ];
    for (id, said) in facts {
        let place = knowledge
            .place(id)
            .unwrap_or_else(|| panic!("{id} is missing"));
        let answer = knowledge
            .answer(place, tanya::knowledge::text::Language::Ms)
            .unwrap();
        let text = answer.plain_text();
        for fact in said {
            assert!(text.contains(fact), "{id} does not say {fact:?}:\n{text}");
        }
    }
    for id in [
        "action:slip-gaji",
        "action:penyata-tahunan",
        "action:lupa-kata-laluan",
        "action:daftar",
        "action:pegawai",
        "action:status-aduan",
        "smalltalk:salam",
        "smalltalk:terima-kasih",
    ] {
        assert!(knowledge.place(id).is_some(), "{id} is missing");
    }
}

#[tokio::test]
async fn ac_77_a_running_server_takes_good_knowledge_and_keeps_it_over_bad() {
    let folder = folder(GOOD);
    let app = TestApp::with(&[("TANYA_KNOWLEDGE_DIR", folder.path().to_str().unwrap())]).await;
    let faq = folder.path().join("faq.yaml");
    assert_eq!(answer(&app).await, "Dua.");
    assert_eq!(readiness(&app).await, "current");

    // Asked without a pause while the knowledge changes: not one request fails.
    write(&faq, &GOOD.replace("Dua.", "Dua baharu."));
    until(async || answer(&app).await == "Dua baharu.").await;

    write(&faq, &GOOD.replace("id: dua", "id: satu"));
    until(async || readiness(&app).await == "stale").await;
    assert_eq!(answer(&app).await, "Dua baharu.");
    let metrics = app
        .client
        .get(app.admin_url("/metrics"))
        .send()
        .await
        .unwrap();
    assert!(
        metrics
            .text()
            .await
            .unwrap()
            .contains("tanya_knowledge_stale 1")
    );

    write(&faq, &GOOD.replace("Dua.", "Dua lagi."));
    until(async || answer(&app).await == "Dua lagi.").await;
    assert_eq!(readiness(&app).await, "current");
    app.stop().await;
}

async fn answer(app: &TestApp) -> String {
    let finding = app.ask("Apa itu dua?").await;
    finding["answer"]["body"].as_str().unwrap().to_owned()
}

async fn readiness(app: &TestApp) -> String {
    let response = app
        .client
        .get(app.admin_url("/readyz"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let body: Value = response.json().await.unwrap();
    body["knowledge"].as_str().unwrap().to_owned()
}

fn write(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

/// The contract: a change is in effect within 5 s.
async fn until(holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(5), "not within 5 s");
    }
}

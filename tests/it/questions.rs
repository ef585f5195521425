//! Questions that were not answered, from the people who asked them to the knowledge that answers them, and back.

use std::process::Command;
use std::time::Duration;

use reqwest::StatusCode;
use tanya::agent::role::Role;

use crate::browser_console;
use crate::on_both_databases;
use crate::support::browser::{Browser, DESKTOP, PHONE, Window};
use crate::support::desk::{Officer, between};
use crate::support::{Database, TestApp};

/// Training takes long where nothing is optimised.
const PATIENCE: Duration = Duration::from_secs(180);
const ASKED: [&str; 3] = [
    "kad pintar flimbo rosak",
    "Kad pintar flimbo rosak???",
    "kad pintar flimboo rosak",
];
const ENTRY: &str = "sistem-hubungi";

/// Waits until a question is answered with this, or not at all.
async fn until_answered(app: &TestApp, text: &str, target: Option<&str>) {
    let waited = tokio::time::timeout(PATIENCE, async {
        loop {
            let found = app.ask(text).await;
            let answered = found["outcome"] == "answer";
            if answered == target.is_some()
                && (target.is_none() || found["target"] == target.unwrap())
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    assert!(waited.await.is_ok(), "{text:?}: {:#?}", app.ask(text).await);
}

/// Proposes a text for an entry; the proposal's id.
async fn propose(officer: &Officer<'_>, text: &str, entry: &str) -> String {
    let fields = [
        ("text", text),
        ("entry", entry),
        ("asked", text),
        ("hari", "30"),
    ];
    let response = officer.post("/console/soalan/cadang", &fields).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let to = response.headers()["location"].to_str().unwrap();
    to.strip_prefix("/console/cadangan#c-").unwrap().to_owned()
}

/// What stands about a proposal once it was checked.
async fn checked(officer: &Officer<'_>, id: &str) -> String {
    let begun = std::time::Instant::now();
    loop {
        let page = officer.page("/console/cadangan").await;
        let card = between(&page, &format!("id=\"c-{id}\""), "</article>").to_owned();
        if !card.contains("Sedang disemak") {
            return card;
        }
        assert!(begun.elapsed() < PATIENCE, "{card}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Lines of the record about the knowledge, with this outcome.
macro_rules! audited {
    ($app:expr, $outcome:literal) => {
        $app.database
            .count(
                $app.folder(),
                concat!(
                    "SELECT COUNT(*) FROM audit WHERE event = 'console.knowledge' AND outcome = '",
                    $outcome,
                    "'"
                ),
            )
            .await
    };
}

on_both_databases! {
    async fn what_three_people_ask_becomes_an_answer_and_can_be_taken_back(app: TestApp) {
        for text in ASKED {
            let chat = app.begin().await;
            chat.say(text).await;
        }
        until_answered(app, ASKED[0], None).await;
        let editor = app.officer("eda", Role::Editor).await;
        let page = editor.page("/console/soalan").await;
        let cards: Vec<&str> = page.split("<article").skip(1).collect();
        assert_eq!(cards.len(), 1, "{page}");
        assert!(
            cards[0].contains("3×") && cards[0].contains("3 sembang"),
            "{}",
            cards[0]
        );
        assert!(
            cards[0].contains("Entri terdekat:") && cards[0].contains(" selected>"),
            "{}",
            cards[0]
        );

        let id = propose(&editor, ASKED[0], ENTRY).await;
        let card = checked(&editor, &id).await;
        assert!(card.contains("tidak mendapati masalah"), "{card}");
        assert!(card.contains("Cadangan sendiri"), "{card}");
        // While it waits it is asked for no second time.
        assert!(!editor.page("/console/soalan").await.contains("<article"));
        let again = [("text", ASKED[0]), ("entry", ENTRY), ("asked", ASKED[0])];
        assert_eq!(
            editor.post("/console/soalan/cadang", &again).await.status(),
            422
        );

        // Nobody approves what they proposed themselves, however they ask.
        let own = editor
            .post(&format!("/console/cadangan/{id}/lulus"), &[])
            .await;
        assert_eq!(own.status(), StatusCode::FORBIDDEN);
        assert_eq!(audited!(app, "own"), 1);
        assert_eq!(
            app.database
                .count(app.folder(), "SELECT COUNT(*) FROM edition")
                .await,
            0
        );

        let beside = match app.database {
            Database::Postgres(_) => Some(app.beside().await),
            Database::Sqlite => None,
        };
        let boss = app.officer("boss", Role::Supervisor).await;
        let patch = boss.page(&format!("/console/cadangan/{id}.patch")).await;
        let approved = boss
            .post(
                &format!("/console/cadangan/{id}/lulus"),
                &[("reason", "betul")],
            )
            .await;
        assert_eq!(
            approved.status(),
            StatusCode::SEE_OTHER,
            "{}",
            approved.text().await.unwrap()
        );
        assert_eq!(audited!(app, "approved"), 1);
        until_answered(app, ASKED[0], Some(ENTRY)).await;
        if let Some(beside) = beside {
            until_answered(&beside, ASKED[0], Some(ENTRY)).await;
            beside.stop().await;
        }
        let twice = boss
            .post(&format!("/console/cadangan/{id}/lulus"), &[])
            .await;
        assert_eq!(twice.status(), StatusCode::CONFLICT);
        applies(app, &patch).await;
        let written = std::fs::read_to_string(app.folder().join("knowledge/faq.yaml")).unwrap();
        assert!(written.contains(ASKED[0]));
        assert_eq!(
            boss.page(&format!("/console/cadangan/{id}.patch")).await,
            patch
        );

        // One press, one reason, and it is as it was.
        let versions = boss.page("/console/versi?fail=faq.yaml&no=2").await;
        assert!(
            versions.contains("Fail asal") && versions.contains("+1 −0"),
            "{versions}"
        );
        assert!(versions.contains("diff-add"), "{versions}");
        let back = [("file", "faq.yaml"), ("number", "1"), ("reason", "")];
        assert_eq!(
            boss.post("/console/versi/kembali", &back).await.status(),
            422
        );
        let back = [
            ("file", "faq.yaml"),
            ("number", "1"),
            ("reason", "jawapan tidak sesuai"),
        ];
        let done = boss.post("/console/versi/kembali", &back).await;
        assert_eq!(
            done.status(),
            StatusCode::SEE_OTHER,
            "{}",
            done.text().await.unwrap()
        );
        until_answered(app, ASKED[0], None).await;
        assert_eq!(audited!(app, "rolled-back"), 1);
        let rolled = "SELECT COUNT(*) FROM knowledge_proposal WHERE state = 'rolled back'";
        assert_eq!(app.database.count(app.folder(), rolled).await, 1);
        assert_eq!(
            boss.post("/console/versi/kembali", &back).await.status(),
            422
        );
        assert!(boss.page("/console/soalan").await.contains("<article"));
    }

    async fn a_paraphrase_of_another_entry_is_held_back_with_the_problem_named(app: TestApp) {
        let officer = app.officer("siti", Role::Officer).await;
        // It stands there already.
        let id = propose(&officer, "lupa pw portal ispeks mcm mana", "portal-mystep").await;
        let card = checked(&officer, &id).await;
        assert!(card.contains("Ditahan"), "{card}");
        assert!(card.contains("Kini dijawab dengan") && card.contains("Lupa kata laluan"), "{card}");
        let text = "url ispeks v2 yg betul apa";
        let id = propose(&officer, text, "portal-mystep").await;
        let card = checked(&officer, &id).await;
        assert!(card.contains("faq.yaml, baris") && card.contains("stands already under sistem-akses"), "{card}");
        let boss = app.officer("boss", Role::Supervisor).await;
        let refused = boss.post(&format!("/console/cadangan/{id}/lulus"), &[]).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM edition").await, 0);
        assert_eq!(audited!(app, "failed"), 1);
        let refused = boss.post(&format!("/console/cadangan/{id}/tolak"), &[("reason", "sudah ada")]).await;
        assert_eq!(refused.status(), StatusCode::SEE_OTHER);
        assert!(boss.page("/console/cadangan").await.contains("sudah ada"));
        assert_eq!(audited!(app, "refused"), 1);
    }

    async fn what_is_set_aside_stays_away_until_it_is_taken_up_again(app: TestApp) {
        let chat = app.begin().await;
        chat.say("resepi nasi kerabu").await;
        let officer = app.officer("siti", Role::Officer).await;
        assert!(officer.page("/console/soalan").await.contains("<article"));
        let aside = officer.post("/console/soalan/abai", &[("asked", "resepi nasi kerabu")]).await;
        assert_eq!(aside.status(), StatusCode::SEE_OTHER);
        app.begin().await.say("resipi nasi kerabu?").await;
        let page = officer.page("/console/soalan?hari=7").await;
        assert!(!page.contains("<article") && page.contains("Diketepikan"), "{page}");
        let id = between(&page, "name=\"id\" value=\"", "\"").to_owned();
        let again = officer.post("/console/soalan/pulih", &[("id", &id)]).await;
        assert_eq!(again.status(), StatusCode::SEE_OTHER);
        assert!(officer.page("/console/soalan").await.contains("2×"));
    }

    async fn an_entry_is_chosen_beforehand_only_where_one_is_near(app: TestApp) {
        let (far, near) = ("resepi nasi kerabu", "saya lupa kata laluan portal");
        app.begin().await.say(far).await;
        let chat = app.begin().await;
        let answered = chat.say(near).await;
        let seq = answered.iter().find(|it| it["target"].is_string()).unwrap()["seq"].clone();
        let vote = chat.request(reqwest::Method::POST, "/feedback")
            .json(&serde_json::json!({"seq": seq, "helpful": false})).send().await.unwrap();
        assert_eq!(vote.status(), StatusCode::NO_CONTENT);
        let officer = app.officer("siti", Role::Officer).await;
        let page = officer.page("/console/soalan").await;
        let chosen = |text: &str| {
            let card = page.split("<article").find(|card| card.contains(text)).unwrap();
            let options = between(card, "name=\"entry\" required>", "</select>");
            let chosen: Vec<&str> = options.split("<option ").filter(|it| it.contains(" selected>")).collect();
            assert_eq!(chosen.len(), 1, "{card}");
            between(chosen[0], "value=\"", "\"").to_owned()
        };
        assert_eq!(chosen(far), "");
        assert_eq!(chosen(near), answered.iter().find_map(|it| it["target"].as_str()).unwrap());
        // What a browser asks for is asked for by the server too.
        let none = [("text", far), ("entry", ""), ("asked", far)];
        let refused = officer.post("/console/soalan/cadang", &none).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }

    async fn a_choice_that_is_not_taken_and_a_vote_that_it_did_not_help_are_questions_too(app: TestApp) {
        let officer = app.officer("siti", Role::Officer).await;
        let (_, taken) = unsure(app).await;
        let choice = taken.1[0]["choices"][0]["value"].as_str().unwrap().to_owned();
        taken.0.choose(&choice).await;
        assert!(!officer.page("/console/soalan").await.contains("pilihan tidak tepat"));
        let (text, refused) = unsure(app).await;
        refused.0.choose("none").await;
        let page = officer.page("/console/soalan").await;
        assert!(page.contains("pilihan tidak tepat 1×") && page.contains(text), "{page}");

        let chat = app.begin().await;
        let answered = chat.say("saya lupa kata laluan portal, tel 019-911 2233").await;
        let seq = answered.iter().find(|it| it["target"].is_string()).unwrap()["seq"].clone();
        let vote = chat.request(reqwest::Method::POST, "/feedback")
            .json(&serde_json::json!({"seq": seq, "helpful": false})).send().await.unwrap();
        assert_eq!(vote.status(), StatusCode::NO_CONTENT);
        let page = officer.page("/console/soalan").await;
        assert!(page.contains("tidak membantu 1×") && page.contains("lupa kata laluan portal"), "{page}");
        // Neither a number nor a way to the chat.
        assert!(!page.contains("911") && !page.contains(&chat.id), "{page}");
    }

    async fn only_the_auditor_reads_the_record(app: TestApp) {
        let boss = app.officer("boss", Role::Supervisor).await;
        assert_eq!(boss.get("/console/audit").await.status(), StatusCode::FORBIDDEN);
        let number = app.begin().await.hand_over("ralat").await;
        let auditor = app.officer("juru", Role::Auditor).await;
        for path in ["/console/soalan", "/console/cadangan", "/console/versi"] {
            assert_eq!(auditor.get(path).await.status(), StatusCode::FORBIDDEN, "{path}");
        }
        let page = auditor.page("/console/audit").await;
        assert!(page.contains("Log masuk konsol") && page.contains(&number), "{page}");
        let tickets = auditor.page("/console/audit?event=ticket").await;
        assert!(tickets.contains(&number) && !tickets.contains("<th role=\"rowheader\" scope=\"row\" data-label=\"Peristiwa\">Log masuk"), "{tickets}");
        let none = auditor.page("/console/audit?hingga=2020-01-01").await;
        assert!(none.contains("Tiada rekod yang sepadan"), "{none}");
        let checked = auditor.post("/console/audit/semak", &[]).await;
        assert_eq!(checked.status(), StatusCode::OK);
        assert!(checked.text().await.unwrap().contains("Rekod ini utuh"));
        let table = auditor.get("/console/audit.csv").await;
        assert_eq!(table.headers()["content-type"], "text/csv; charset=utf-8");
        assert!(table.text().await.unwrap().contains("console.sign-in"));
    }
}

/// A chat in which something is offered to choose from.
async fn unsure(
    app: &TestApp,
) -> (
    &'static str,
    (crate::support::Chat<'_>, Vec<serde_json::Value>),
) {
    for text in [
        "kontrak setahun bawah mystep, slip gaji kami tengok kat mana pulak",
        "portl xboleh bkak dri pagi",
        "bab pinjaman kenderaan tu boleh ikut portal ke kena isi borang manual lagi",
        "elaun hok bisao tu dok tubik dale silp, bakpo",
        "assalamualaikum, ado ore dok",
    ] {
        let chat = app.begin().await;
        let said = chat.say(text).await;
        if said.iter().any(|it| it["target"] == "control:jelas") {
            let said = said
                .into_iter()
                .filter(|it| it["target"] == "control:jelas")
                .collect();
            return (text, (chat, said));
        }
    }
    panic!("nothing is unclear");
}

/// The patch applies to the shipped file, and gives the text that is in use.
async fn applies(app: &TestApp, patch: &str) {
    let folder = tempfile::tempdir().unwrap();
    let knowledge = folder.path().join("knowledge");
    std::fs::create_dir(&knowledge).unwrap();
    std::fs::copy("knowledge/faq.yaml", knowledge.join("faq.yaml")).unwrap();
    std::fs::write(folder.path().join("it.patch"), patch).unwrap();
    let git = Command::new("git")
        .args(["apply", "it.patch"])
        .current_dir(folder.path())
        .output();
    let git = git.unwrap();
    assert!(git.status.success(), "{git:?}\n{patch}");
    let file = std::fs::read_to_string(knowledge.join("faq.yaml")).unwrap();
    let in_use = app
        .database
        .text(
            app.folder(),
            "SELECT text FROM edition WHERE file = 'faq.yaml' AND number = 2",
        )
        .await;
    assert_eq!(file, in_use);
}

async fn the_pages_are_fit_for_everybody(window: Window) {
    let Some(browser) = Browser::open(window).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    let long = "a".repeat(200);
    for text in [
        "resepi nasi kerabu",
        "resipi nasi kerabu ibu",
        "harga emas hari ini",
        long.as_str(),
    ] {
        app.begin().await.say(text).await;
    }
    let rahim = app.officer("rahim", Role::Officer).await;
    propose(&rahim, "url ispeks v2 yg betul apa", "portal-mystep").await;
    let id = propose(&rahim, &long, "portal-mystep").await;
    rahim
        .post(&format!("/console/cadangan/{id}/tarik"), &[])
        .await;
    let aside = [("asked", "harga emas hari ini")];
    rahim.post("/console/soalan/abai", &aside).await;
    let calendar = app.officer("boss", Role::Supervisor).await;
    let yaml = std::fs::read_to_string("knowledge/calendar.yaml").unwrap();
    let yaml = format!("# Disemak oleh penyelia.\n{yaml}");
    let page = calendar.page("/console/kalendar").await;
    let base = between(&page, "name=\"base\" value=\"", "\"");
    let fields = [("yaml", yaml.as_str()), ("do", "save"), ("base", base)];
    let saved = calendar.post("/console/kalendar", &fields).await;
    assert_eq!(saved.status(), StatusCode::OK);
    browser_console::sign_in(&browser, &app, "siti", Role::Supervisor).await;
    let paths = [
        "/console/soalan",
        "/console/cadangan",
        "/console/versi?fail=calendar.yaml&no=2",
    ];
    for path in paths {
        browser.goto(&app.url(path)).await;
        browser.until("document.querySelector('h1') !== null").await;
        looked_at(&browser, path).await;
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
    app.stop().await;
}

async fn looked_at(browser: &Browser, path: &str) {
    assert!(browser.fits().await, "{path}");
    assert_eq!(
        browser.accessibility().await,
        Vec::<String>::new(),
        "{path}"
    );
}

#[tokio::test]
async fn the_pages_are_fit_for_everybody_on_a_desk() {
    the_pages_are_fit_for_everybody(DESKTOP).await;
}

#[tokio::test]
async fn the_pages_are_fit_for_everybody_on_a_phone() {
    the_pages_are_fit_for_everybody(PHONE).await;
}

#[tokio::test]
async fn the_record_fits_on_a_phone() {
    let Some(browser) = Browser::open(PHONE).await else {
        return;
    };
    let app = TestApp::on_sqlite().await;
    app.begin().await.hand_over("ralat").await;
    browser_console::sign_in(&browser, &app, "siti", Role::Auditor).await;
    browser.goto(&app.url("/console/audit")).await;
    browser.until("document.querySelector('h1') !== null").await;
    looked_at(&browser, "/console/audit").await;
    browser.close().await;
    app.stop().await;
}

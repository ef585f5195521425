//! What persons ask about their data: a copy with everything of theirs and nothing of others, an erasure that leaves
//! nothing, and what a hold keeps.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tanya::agent::role::Role;
use tanya::rights::{HoldKind, NewHold};

use crate::on_both_databases;
use crate::support::desk::Officer;
use crate::support::picture::png;
use crate::support::proof::{Sample, TWIN};
use crate::support::{Chat, Database, TestApp};

/// What one person says and nobody else, in chats, on a ticket, with a vote and a picture.
const OF_ONE: [&str; 6] = [
    "tenggiling",
    "kancil",
    "landak",
    "musang",
    "memerang",
    "gajahputih",
];
/// What the other one says.
const OF_OTHER: [&str; 4] = ["cenderawasih", "kelicap", "merbuk", "punai"];

async fn votes(chat: &Chat<'_>, seq: &Value, comment: &str) {
    let vote = json!({"seq": seq, "helpful": false, "comment": comment});
    let voted = chat.request(reqwest::Method::POST, "/feedback").json(&vote);
    assert!(voted.send().await.unwrap().status().is_success());
}

/// Asks for an officer about what was just done; the ticket's number.
async fn officer_for(chat: &Chat<'_>, problem: &str) -> String {
    const MATTER: &str = "Masalah teknikal Sistem iSPEKS";
    let asked = chat.say("nak cakap dengan pegawai").await;
    // What it is about is asked where that is not clear from what was said.
    if asked[0]["choices"].to_string().contains(MATTER) {
        chat.choose(&Chat::choice(&asked[0], MATTER)).await;
    }
    for words in ["JKR Kota Bharu", problem] {
        let told = chat.say(words).await;
        if let Some(number) = told[0]["ticket"]["number"].as_str() {
            return number.to_owned();
        }
    }
    panic!("no ticket: {:#?}", chat.messages(0).await)
}

/// Two people with a chat each and one that they share; the ticket of the first one.
async fn told(app: &TestApp, (one, other): (&Sample, &Sample)) -> String {
    let first = app.begin().await;
    let answer = first.say("bila gaji dibayar tenggiling").await;
    votes(&first, &answer[0]["seq"], "jawapan kancil").await;
    first.prove("slip", one).await;
    first.until_said("Slip gaji yang ada").await;
    let number = officer_for(&first, "ralat landak").await;
    first.send_picture(png(1)).await;
    first.say("lagi satu musang").await;

    let second = app.begin().await;
    second.prove("slip", other).await;
    second.until_said("Slip gaji yang ada").await;
    second.say("masalah cenderawasih").await;
    officer_for(&second, "ralat kelicap").await;

    // At one counter, one after the other.
    let shared = app.begin().await;
    shared.prove("slip", one).await;
    shared.until_said("Slip gaji yang ada").await;
    shared.say("soalan memerang").await;
    shared.say("soalan gajahputih").await;
    shared.say("/keluar").await;
    shared.prove("ec", other).await;
    shared.say("soalan merbuk").await;
    shared.say("soalan punai").await;
    number
}

async fn file(officer: &Officer<'_>, kind: &str, number: &str) -> String {
    let fields = [
        ("kind", kind),
        ("person", "staff"),
        ("number", number),
        ("reason", "datang ke kaunter dengan kad pengenalan"),
    ];
    let filed = officer.post("/console/hak", &fields).await;
    let status = filed.status();
    assert_eq!(
        status,
        StatusCode::SEE_OTHER,
        "{}",
        filed.text().await.unwrap()
    );
    let app = officer.app;
    app.database
        .text(app.folder(), "SELECT MAX(id) FROM data_request")
        .await
}

async fn decides(officer: &Officer<'_>, id: &str, how: &str) -> StatusCode {
    let path = format!("/console/hak/{id}/{how}");
    officer.post(&path, &[]).await.status()
}

/// Everything that is stored, without what a database has not overwritten yet.
async fn stored(app: &TestApp) -> String {
    if app.database == Database::Sqlite {
        for _ in 0..20 {
            app.database
                .execute(app.folder(), "PRAGMA wal_checkpoint(TRUNCATE)")
                .await;
            let wal = app.folder().join("data/tanya.db-wal");
            if std::fs::metadata(wal).is_ok_and(|wal| wal.len() == 0) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    app.database.dump(app.folder()).await
}

async fn is_whole(auditor: &Officer<'_>) {
    let checked = auditor.post("/console/audit/semak", &[]).await;
    let text = checked.text().await.unwrap();
    assert!(text.contains("Rekod ini utuh"), "{text}");
}

/// Lines of the record about requests, with this outcome.
macro_rules! audited {
    ($app:expr, $outcome:literal) => {
        $app.database
            .count(
                $app.folder(),
                concat!(
                    "SELECT COUNT(*) FROM audit WHERE event = 'data.request' AND outcome = '",
                    $outcome,
                    "'"
                ),
            )
            .await
    };
}

const STATISTICS: &str =
    "SELECT COUNT(*) FROM message WHERE sender = 'user' AND outcome IS NOT NULL";

on_both_databases! {
    async fn ac_88_a_copy_is_complete_only_of_that_person_approved_by_another_and_taken_once(app: TestApp) {
        let (one, other) = (app.zulkifli().await, app.second().await);
        let number = told(app, (&one, &other)).await;
        let ali = app.officer("ali", Role::Officer).await;
        let boss = app.officer("boss", Role::Supervisor).await;

        // Of whom nothing is kept there is nothing to ask, and what is no number is none.
        for wrong in [TWIN, "123", ""] {
            let fields = [("kind", "export"), ("person", "staff"), ("number", wrong), ("reason", "x")];
            let refused = ali.post("/console/hak", &fields).await;
            assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
            assert!(!refused.text().await.unwrap().contains("840229"));
        }
        assert_eq!(audited!(app, "nobody"), 1);

        // Nobody approves their own, however they ask.
        let own = file(&boss, "export", &one.id_no).await;
        assert_eq!(decides(&boss, &own, "lulus").await, StatusCode::FORBIDDEN);
        assert_eq!(audited!(app, "own"), 1);
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM data_request WHERE state <> 'filed'").await, 0);
        assert_eq!(decides(&ali, &own, "lulus").await, StatusCode::FORBIDDEN);
        assert_eq!(decides(&ali, &own, "tarik").await, StatusCode::NOT_FOUND);
        assert_eq!(decides(&boss, &own, "tarik").await, StatusCode::SEE_OTHER);

        let id = file(&ali, "export", &one.id_no).await;
        let take = format!("/console/hak/{id}/salinan");
        assert_eq!(ali.post(&take, &[]).await.status(), StatusCode::CONFLICT, "it is not approved yet");
        let page = boss.page("/console/hak").await;
        assert!(page.contains(&format!("…{}", one.last4())) && !page.contains(&one.id_no));
        assert_eq!(decides(&boss, &id, "lulus").await, StatusCode::SEE_OTHER);
        // A third one takes no copy.
        let third = app.officer("tina", Role::Officer).await;
        assert_eq!(third.post(&take, &[]).await.status(), StatusCode::CONFLICT);

        let taken = ali.post(&take, &[]).await;
        assert_eq!(taken.status(), StatusCode::OK);
        let headers = taken.headers().clone();
        assert_eq!(headers["cache-control"], "no-store");
        assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
        let text = taken.text().await.unwrap();
        for canary in OF_ONE {
            assert!(text.contains(canary), "{canary} is missing: {text}");
        }
        for canary in OF_OTHER {
            assert!(!text.contains(canary), "{canary} is another's: {text}");
        }
        assert!(!text.contains(&one.id_no.replace('-', "")) && !text.contains(&other.name) && !text.contains("Pegawai ali"));
        let copy: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(copy["tickets"][0]["number"], number.as_str());
        assert_eq!(copy["tickets"].as_array().unwrap().len(), 1);
        let chats = copy["chats"].as_array().unwrap();
        assert_eq!(chats.len(), 2);
        let pictures: usize = chats.iter().map(|it| it["pictures"].as_array().unwrap().len()).sum();
        assert_eq!(pictures, 1);
        let shared = chats.iter().filter(|it| it["shared_with_others"] == true);
        assert_eq!(shared.count(), 1);
        assert!(copy["record"].as_array().unwrap().iter().any(|it| it["what"] == "proof.returned"));
        assert_eq!(copy["proofs"].as_array().unwrap().len(), 2);

        assert_eq!(ali.post(&take, &[]).await.status(), StatusCode::CONFLICT, "once is once");
        assert_eq!((audited!(app, "taken"), audited!(app, "handed-out")), (1, 1));
        let dump = stored(app).await;
        assert!(!dump.contains(&one.id_no) && !dump.contains(&one.id_no.replace('-', "")));

        // By the ticket it is the same person.
        let fields = [("kind", "export"), ("ticket", number.as_str()), ("reason", "kaunter")];
        assert_eq!(ali.post("/console/hak", &fields).await.status(), StatusCode::SEE_OTHER);
        let same = "SELECT COUNT(DISTINCT subject) FROM data_request WHERE subject <> ''";
        assert_eq!(app.database.count(app.folder(), same).await, 1);
        let id = app.database.text(app.folder(), "SELECT MAX(id) FROM data_request").await;
        assert_eq!(decides(&boss, &id, "lulus").await, StatusCode::SEE_OTHER);
        app.app.clock.advance(14 * 24 * 3_600_000 + 1);
        let ali = Officer { cookie: app.sign_in_again("ali", "kuda lumping hijau 7", &ali.secret).await, ..ali };
        let page = ali.page("/console/akaun").await;
        let csrf = crate::support::desk::between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
        let ali = Officer { csrf, ..ali };
        let late = ali.post(&format!("/console/hak/{id}/salinan"), &[]).await;
        assert_eq!(late.status(), StatusCode::GONE);
    }

    async fn ac_88_an_erasure_waits_for_a_hold_goes_on_after_a_stop_and_leaves_nothing(app: TestApp) {
        let (one, other) = (app.zulkifli().await, app.second().await);
        let number = told(app, (&one, &other)).await;
        let ali = app.officer("ali", Role::Officer).await;
        let boss = app.officer("boss", Role::Supervisor).await;
        let auditor = app.officer("juru", Role::Auditor).await;
        boss.does(&number, "nota", &[("text", "dia kata landak")]).await;
        let counted = app.database.count(app.folder(), STATISTICS).await;

        let held = [("person", "staff"), ("number", one.id_no.as_str()), ("reason", "siasatan")];
        assert_eq!(ali.post("/console/hak/tahan", &held).await.status(), StatusCode::FORBIDDEN);
        assert_eq!(boss.post("/console/hak/tahan", &held).await.status(), StatusCode::SEE_OTHER);
        let id = file(&ali, "erase", &one.id_no).await;
        assert_eq!(decides(&boss, &id, "lulus").await, StatusCode::SEE_OTHER);
        let rights = &app.app.rights;
        rights.erase_waiting().await.unwrap();
        let page = boss.page("/console/hak").await;
        assert!(page.contains("Pelupusan ditangguhkan"), "{page}");
        let before = stored(app).await;
        for canary in OF_ONE.iter().chain(&OF_OTHER) {
            assert!(before.contains(canary), "{canary} is kept");
        }

        let hold = app.database.text(app.folder(), "SELECT id FROM legal_hold").await;
        let lifted = boss.post(&format!("/console/hak/tahan/{hold}/tamat"), &[]).await;
        assert_eq!(lifted.status(), StatusCode::SEE_OTHER);
        let row = rights.by_id(&id).await.unwrap();
        let (mut most, mut halves) = (1, 0);
        while !rights.erase(&row, Some(most)).await.unwrap() {
            most += 1;
            let dump = stored(app).await;
            let left = OF_ONE.iter().filter(|canary| dump.contains(**canary)).count();
            halves += usize::from(left > 0 && left < OF_ONE.len());
            assert!(most < 100, "it never ends");
        }
        assert!(halves > 0, "it was stopped on the way");
        let after = stored(app).await;
        for canary in OF_ONE {
            assert!(!after.contains(canary), "{canary} is left");
        }
        for canary in OF_OTHER {
            assert!(after.contains(canary), "{canary} is another's");
        }
        assert_eq!(app.database.count(app.folder(), STATISTICS).await, counted, "what is counted stays");
        let persons = "SELECT (SELECT COUNT(*) FROM ticket WHERE requester IS NOT NULL OR name IS NOT NULL OR details IS NOT NULL) * 100
                + (SELECT COUNT(DISTINCT subject) FROM proof) * 10 + (SELECT COUNT(*) FROM picture)";
        assert_eq!(app.database.count(app.folder(), persons).await, 110, "the other one's ticket and proofs");
        assert_eq!(rights.by_id(&id).await.unwrap().state, "done");
        assert_eq!(audited!(app, "erased"), 1);
        is_whole(&auditor).await;
        // The pages of those who count and search go on.
        for path in ["/console/soalan", "/console/laporan", "/console", &format!("/console/tiket/{number}")] {
            boss.page(path).await;
        }
        rights.erase_waiting().await.unwrap();
        assert_eq!(audited!(app, "erased"), 1);
    }

    async fn ac_88_what_is_held_is_not_deleted_by_its_person_who_is_told_so(app: TestApp) {
        let chat = app.begin().await;
        chat.say("soalan tenggiling").await;
        let place = || NewHold { kind: HoldKind::Chat(chat.id.clone()), reason: "siasatan", until: None, by: "" };
        let hold = app.app.rights.holds.place(&place()).await.unwrap();
        let asked = chat.say("/padam").await;
        let yes = Chat::choice(&asked[0], "Ya, padamkan");
        let told = chat.choose(&yes).await;
        assert!(told[0]["text"].as_str().unwrap().contains("perlu disimpan buat masa ini"), "{told:#?}");
        assert!(stored(app).await.contains("tenggiling"));
        app.app.rights.holds.lift(&hold, "").await.unwrap();
        let asked = chat.say("/padam").await;
        chat.choose(&Chat::choice(&asked[0], "Ya, padamkan")).await;
        assert!(!stored(app).await.contains("tenggiling"));
    }
}

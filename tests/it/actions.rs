//! What is done for people who prove who they are: a story for each action, told in the web chat.

use reqwest::StatusCode;
use serde_json::json;

use crate::on_both_databases;
use crate::support::proof::{said, token_of};
use crate::support::{Database, TestApp};

on_both_databases! {
    async fn a_person_who_forgot_the_password_has_it_reset_by_the_portal(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let chat = app.begin().await;
        // Two turns to the mail: ask, and press what is offered; then the page.
        let answer = chat.say("lupa kata laluan portal").await.remove(0);
        let choice = crate::support::Chat::choice(&answer, "Set semula kata laluan Portal");
        let prompt = chat.choose(&choice).await.remove(0);
        assert_eq!(prompt["kind"], "prompt");
        assert_eq!(prompt["target"], "action:lupa-kata-laluan");
        let secret = app.prove_on_page(&token_of(&prompt), &zulkifli).await;
        let brought = chat.bring_back(&secret).await;
        assert_eq!(brought.status(), StatusCode::NO_CONTENT);
        let result = chat.until_said("telah menerima permintaan").await;
        let text = result["text"].as_str().unwrap();
        assert!(text.contains("Akaun → Tukar Kata Laluan"));
        assert!(text.contains("•••@") && !text.contains(zulkifli.email()));
        app.mails_about(zulkifli.email(), "kata laluan sementara", 1).await;
        insta::assert_snapshot!("story_reset_by_portal", said(&chat.messages(0).await));
    }

    async fn where_the_portal_gives_a_link_we_mail_it_and_say_so_only_then(app: TestApp) {
        let person = app.second().await;
        assert_eq!(person.delivery, "helpdesk");
        let chat = app.begin().await;
        chat.prove("lupa", &person).await;
        let result = chat.until_said("telah dihantar ke").await;
        let mails = app.mails_about(person.email(), "Set semula kata laluan", 1).await;
        let link = mails[0].link(app.simulator()).expect("the one-time link");
        assert!(!result["text"].as_str().unwrap().contains(&link));
        // The link is the portal's own, and works there.
        let page = app.client.get(link).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        // Within five minutes the same person needs no other proof: two turns to the next mail.
        let offered = chat.say("lupa kata laluan portal").await.remove(0);
        let choice = crate::support::Chat::choice(&offered, "Set semula kata laluan Portal");
        chat.choose(&choice).await;
        app.mails_about(person.email(), "Set semula kata laluan", 2).await;
    }

    async fn a_payslip_is_asked_by_its_month_and_opened_once(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let chat = app.begin().await;
        chat.prove("slip", &zulkifli).await;
        let offer = chat.until_said("Slip gaji yang ada").await;
        assert_eq!(offer["kind"], "choices");
        assert_eq!(offer["choices"].as_array().unwrap().len(), 8);
        let value = offer["choices"][2]["value"].as_str().unwrap();
        let link = chat.choose(value).await.remove(0);
        assert_eq!(link["kind"], "link");
        let month = offer["choices"][2]["label"].as_str().unwrap();
        assert!(link["text"].as_str().unwrap().contains(month));
        let opened = app.press(&token_of(&link)).await;
        assert_eq!(opened.status(), StatusCode::SEE_OTHER);
        let at = opened.headers()["location"].to_str().unwrap().to_owned();
        assert!(at.starts_with(app.simulator()));
        let document = app.client.get(&at).send().await.unwrap();
        assert_eq!(document.headers()["content-type"], "application/pdf");
        assert!(document.bytes().await.unwrap().starts_with(b"%PDF"));
        chat.until_said("telah dibuka pada").await;
        // A month that is said, and one that is not there any more.
        let said_so = chat.say("slip gaji bulan lepas").await.remove(0);
        assert_eq!(said_so["kind"], "link");
        let old = chat.say("slip gaji januari 2019").await.remove(0);
        assert!(old["text"].as_str().unwrap().contains("dua (2) tahun"), "{old}");
        assert_eq!(old["kind"], "choices");
    }

    async fn an_annual_statement_is_asked_by_its_year(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let chat = app.begin().await;
        chat.prove("ec", &zulkifli).await;
        let offer = chat.until_said("Sila pilih tahun").await;
        let year = offer["choices"][0]["label"].as_str().unwrap().to_owned();
        let value = offer["choices"][0]["value"].as_str().unwrap();
        let link = chat.choose(value).await.remove(0);
        let opened = app.press(&token_of(&link)).await;
        let at = opened.headers()["location"].to_str().unwrap().to_owned();
        let document = app.client.get(&at).send().await.unwrap();
        let named = document.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert!(named.contains(&year), "{named}");
        let old = chat.say("penyata tahunan 2019").await.remove(0);
        assert!(old["text"].as_str().unwrap().contains("dua (2) tahun"), "{old}");
    }

    async fn somebody_who_never_registered_has_an_activation_mailed(app: TestApp) {
        let person = app.person(|it| {
            it.kind == "staff" && it.active && it.account == "none" && it.payroll == "py" && it.email.is_some()
        }).await;
        let chat = app.begin().await;
        chat.prove("lupa", &person).await;
        // There is no password to reset: the truth, and the way on.
        let none = chat.until_said("belum didaftarkan").await;
        let register = crate::support::Chat::choice(&none, "Daftarkan saya di Portal");
        chat.choose(&register).await;
        let subject = if person.delivery == "portal" { "Portal iSPEKS" } else { "Pengaktifan" };
        app.mails_about(person.email(), subject, 1).await;
        chat.until(|message| message["text"].as_str().unwrap().contains("pengaktifan")).await;
    }

    async fn who_is_not_in_the_payroll_module_is_told_what_to_do(app: TestApp) {
        for note in ["not yet in PY", "MySTEP"] {
            let person = app.person(|it| it.note.contains(note) && it.email.is_some()).await;
            let chat = app.begin().await;
            chat.prove("daftar", &person).await;
            let told = chat.until_said("Modul PY").await;
            let text = told["text"].as_str().unwrap();
            assert!(text.contains("Pentadbir Gaji") && text.contains("MySTEP"), "{text}");
            assert!(app.mails_about(person.email(), "Kod", 1).await.len() == 1);
        }
    }

    async fn who_is_registered_already_is_told_so(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let chat = app.begin().await;
        chat.prove("daftar", &zulkifli).await;
        let told = chat.until_said("sudah berdaftar").await;
        assert_eq!(told["choices"][0]["label"], "Set semula kata laluan Portal");
    }

    async fn ac_57_a_supplier_gets_no_payslip_and_the_truth_about_payments(app: TestApp) {
        let supplier = app.person(|it| it.kind == "supplier" && it.active && it.email.is_some()).await;
        let chat = app.begin().await;
        chat.prove("slip", &supplier).await;
        let told = chat.until_said("eMaklum").await;
        assert!(told["text"].as_str().unwrap().contains("penyelenggaraan"));
        assert_eq!(told["choices"][0]["label"], "Hubungi pegawai");
        assert!(told["link"].is_null());
        for words in ["slip gaji bulan lepas", "/ec"] {
            let replies = chat.say(words).await;
            assert!(replies.iter().all(|reply| reply["kind"] != "link"), "{replies:?}");
        }
    }

    async fn ac_57_who_is_both_is_known_as_what_they_chose(app: TestApp) {
        let both: Vec<_> = {
            let people = app.people().await;
            let twice = |it: &crate::support::proof::Sample| {
                people.iter().filter(|other| other.id_no == it.id_no).count() == 2
            };
            people.iter().filter(|it| twice(it)).cloned().collect()
        };
        let staff = both.iter().find(|it| it.kind == "staff").unwrap();
        let supplier = both.iter().find(|it| it.kind == "supplier").unwrap();
        let chat = app.begin().await;
        chat.prove("slip", supplier).await;
        chat.until_said("eMaklum").await;
        let chat = app.begin().await;
        chat.prove("slip", staff).await;
        chat.until_said("Slip gaji yang ada").await;
    }

    async fn an_officer_is_never_offered_what_is_dead(app: TestApp) {
        let chat = app.begin().await;
        for words in ["tuntutan ot", "pinjaman komputer portal", "emaklum bila bayaran masuk"] {
            for reply in chat.say(words).await {
                let choices = reply["choices"].as_array().cloned().unwrap_or_default();
                let dead = |value: &str| ["tuntut", "ot-", "emaklum", "pinjaman"].iter().any(|dead| value.contains(dead));
                assert!(
                    choices.iter().all(|choice| !dead(choice["value"].as_str().unwrap())),
                    "{choices:?}"
                );
            }
        }
    }

    async fn leaving_ends_the_proof_and_hides_what_it_gave(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let chat = app.begin().await;
        chat.prove("slip", &zulkifli).await;
        let link = chat.say("slip gaji bulan lepas").await.remove(0);
        let token = token_of(&link);
        let sessions = chat.say("/sesi").await.remove(0);
        assert!(sessions["text"].as_str().unwrap().contains("masih disahkan: 1"));
        let end = crate::support::Chat::choice(&sessions, "Tamatkan semua");
        chat.choose(&end).await;
        let opened = app.press(&token).await;
        assert_eq!(opened.status(), StatusCode::GONE);
        for message in chat.messages(0).await {
            let text = message["text"].as_str().unwrap();
            assert!(!text.contains("Slip gaji yang ada") && !text.contains("sedia dibuka"));
            assert_ne!(message["kind"], "link");
        }
        let again = chat.say("slip gaji bulan lepas").await;
        assert_eq!(again[0]["kind"], "prompt");
    }

    async fn ac_88_a_deleted_chat_leaves_nothing_of_its_proof_and_the_record_stays_whole(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let chat = app.begin().await;
        chat.prove("slip", &zulkifli).await;
        chat.say("/padam").await;
        chat.choose("erase:yes").await;
        for (table, rows) in [
            ("verification", "SELECT COUNT(*) FROM verification"),
            ("proof", "SELECT COUNT(*) FROM proof"),
            ("message", "SELECT COUNT(*) FROM message"),
        ] {
            assert_eq!(app.database.count(app.folder(), rows).await, 0, "{table}");
        }
        let verified = crate::audit::beside(app, &["audit", "verify"]).await;
        assert!(verified.status.success(), "{verified:?}");
        let lines = "SELECT COUNT(*) FROM audit WHERE event = 'conversation.erased'";
        assert_eq!(app.database.count(app.folder(), lines).await, 1);
    }
}

#[tokio::test]
async fn an_action_that_is_switched_off_is_explained_and_never_done() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["faq", "intents", "lexicon", "messages"] {
        let text = std::fs::read_to_string(format!("knowledge/{name}.yaml")).unwrap();
        let text = text.replace(
            "  - id: \"action:lupa-kata-laluan\"\n",
            "  - id: \"action:lupa-kata-laluan\"\n    available: false\n",
        );
        std::fs::write(folder.path().join(format!("{name}.yaml")), text).unwrap();
    }
    let path = folder.path().display().to_string();
    let app = TestApp::with(&[("TANYA_KNOWLEDGE_DIR", &path)]).await;
    let chat = app.begin().await;
    let reply = chat.say("/lupa").await.remove(0);
    assert_eq!(reply["kind"], "answer");
    let answer = chat.say("lupa kata laluan portal").await.remove(0);
    let choices = answer["choices"].as_array().unwrap();
    let offered = json!("entry:action:lupa-kata-laluan");
    assert!(choices.iter().all(|choice| choice["value"] != offered));
    app.stop().await;
}

#[tokio::test]
async fn nobody_has_the_portal_asked_more_often_than_the_limit_says() {
    let limits = [
        ("TANYA_REQUESTS_PER_HOUR", "3"),
        ("TANYA_REQUESTS_PER_DAY", "6"),
    ];
    for database in [Some(Database::sqlite()), Database::postgres().await] {
        let Some(database) = database else { continue };
        let app = TestApp::start(database, &limits).await;
        ask_too_often(&app).await;
        app.stop().await;
    }
}

async fn ask_too_often(app: &TestApp) {
    let zulkifli = app.zulkifli().await;
    let chat = app.begin().await;
    chat.prove("lupa", &zulkifli).await;
    for count in 1..=3 {
        app.mails_about(zulkifli.email(), "kata laluan sementara", count)
            .await;
        if count < 3 {
            chat.say("/lupa").await;
        }
    }
    let refused = chat.say("/lupa").await.remove(0);
    assert!(
        refused["text"]
            .as_str()
            .unwrap()
            .contains("telah dibuat beberapa kali"),
        "{refused}"
    );
    assert_eq!(refused["choices"][0]["label"], "Hubungi pegawai");
    // Another chat of the same person finds the same, and at the same moment too.
    app.app.clock.advance(61 * 60_000);
    let chats = [app.begin().await, app.begin().await];
    for chat in &chats {
        chat.prove("slip", &zulkifli).await;
    }
    let asked = (0..8).map(|place| chats[place % 2].say("/lupa"));
    futures_util::future::join_all(asked).await;
    app.mails_about(zulkifli.email(), "kata laluan sementara", 6)
        .await;
    let waiting = "SELECT COUNT(*) FROM outbox WHERE carrier = 'portal'";
    assert_eq!(app.database.count(app.folder(), waiting).await, 6);
}

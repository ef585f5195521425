//! Somebody asks one question over HTTP.

use reqwest::{Method, StatusCode, header};
use serde_json::json;

use crate::support::{TestApp, assert_problem};

#[tokio::test]
async fn the_eleven_answers_come_back_for_the_treasurys_own_questions_in_both_languages() {
    let app = TestApp::on_sqlite().await;
    let questions = [
        (
            "sistem-akses",
            "Bagaimana saya boleh mengakses Sistem iSPEKS?",
            "How do I get access to Sistem iSPEKS?",
        ),
        (
            "sistem-tidak-boleh-dibuka",
            "Kenapa Sistem iSPEKS tidak boleh dibuka?",
            "Why does Sistem iSPEKS not open?",
        ),
        (
            "sistem-hubungi",
            "Siapa yang harus dihubungi sekiranya terdapat masalah dengan perjalanan Sistem iSPEKS?",
            "Whom do I contact about a problem with Sistem iSPEKS?",
        ),
        (
            "portal-kegunaan",
            "Apakah kegunaan Portal iSPEKS?",
            "What is Portal iSPEKS for?",
        ),
        (
            "portal-daftar",
            "Saya ingin mendaftar sebagai pengguna Portal iSPEKS, bagaimanakah caranya?",
            "How do I register as a user of Portal iSPEKS?",
        ),
        (
            "portal-lupa-kata-laluan",
            "Saya terlupa katalaluan Portal iSPEKS, apakah yang harus saya lakukan?",
            "I forgot my Portal iSPEKS password, what should I do?",
        ),
        (
            "portal-tempoh-simpanan",
            "Berapa lamakah data penyata gaji, penyata tahunan disimpan di dalam Portal iSPEKS?",
            "How long are payslips and annual statements kept in Portal iSPEKS?",
        ),
        (
            "portal-penyata-tahunan",
            "Bagaimana untuk mendapatkan Penyata Tahunan di dalam Portal iSPEKS?",
            "How do I get the annual statement in Portal iSPEKS?",
        ),
        (
            "portal-mystep",
            "Adakah Pekerja MySTEP atau bertaraf Sambilan layak untuk mendaftar di dalam Portal iSPEKS?",
            "Can MySTEP or part-time workers register in Portal iSPEKS?",
        ),
        (
            "portal-masalah-penyata-gaji",
            "Sekiranya terdapat masalah pada maklumat penyata gaji, siapa yang perlu dihubungi?",
            "Who do I contact if my payslip information is wrong?",
        ),
        (
            "portal-lupa-kata-laluan-emel",
            "Sekiranya lupa kata laluan emel yang didaftarkan untuk Portal iSPEKS, apakah yang perlu dibuat?",
            "I forgot the password of the e-mail registered for Portal iSPEKS, what do I do?",
        ),
    ];
    for (id, malay, english) in questions {
        for (text, lang) in [(malay, "ms"), (english, "en")] {
            let finding = app.ask(text).await;
            assert_eq!(finding["outcome"], "answer", "{text}");
            assert_eq!(finding["target"], id, "{text}");
            assert_eq!(finding["lang"], lang, "{text}");
            let answer = &finding["answer"];
            assert!(!answer["body"].as_str().unwrap().is_empty());
            assert_eq!(answer["reviewed"], "2026-11-22");
            assert!(finding["confidence"].as_f64().unwrap() > 0.5);
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn what_is_not_known_is_not_answered() {
    let app = TestApp::on_sqlite().await;
    let finding = app.ask("resepi nasi kerabu paling sedap").await;
    assert_eq!(finding["outcome"], "fallback");
    assert!(finding["target"].is_null());
    assert!(finding.get("answer").is_none());
    app.stop().await;
}

#[tokio::test]
async fn the_answer_comes_in_the_language_that_was_asked_for() {
    let app = TestApp::on_sqlite().await;
    let body = json!({"text": "lupa kata laluan portal", "lang": "en"});
    let finding: serde_json::Value = app.post("/api/v1/ask", &body).await.json().await.unwrap();
    assert_eq!(finding["lang"], "en");
    assert!(
        finding["answer"]["body"]
            .as_str()
            .unwrap()
            .starts_with("To get")
    );
    app.stop().await;
}

#[tokio::test]
async fn settings_fill_in_what_the_treasury_left_open() {
    let app = TestApp::with(&[
        ("TANYA_CONTACT_TEKNIKAL", "09-000 0000"),
        (
            "TANYA_FORM_URL",
            "https://ispeks.kelantan.gov.my/borang.pdf",
        ),
    ])
    .await;
    let finding = app.ask("Kenapa Sistem iSPEKS tidak boleh dibuka?").await;
    let note = finding["answer"]["note"].as_str().unwrap();
    assert!(note.contains("Unit Teknologi Maklumat (09-000 0000), Perbendaharaan"));
    let finding = app
        .ask("Bagaimana saya boleh mengakses Sistem iSPEKS?")
        .await;
    let links = finding["answer"]["links"].as_array().unwrap();
    assert!(
        links
            .iter()
            .any(|l| l["url"] == "https://ispeks.kelantan.gov.my/borang.pdf")
    );
    app.stop().await;
}

#[tokio::test]
async fn ac_60_ac_84_every_kind_of_bad_input_gets_its_problem_document_and_the_server_goes_on() {
    let app = TestApp::on_sqlite().await;
    let ask = |body: serde_json::Value| app.request(Method::POST, "/api/v1/ask").json(&body).send();
    for blank in ["", " \t\n", "\u{200b}\u{202e}", "\0"] {
        assert_problem(
            ask(json!({"text": blank})).await.unwrap(),
            422,
            "empty_text",
        )
        .await;
    }
    let long = "a".repeat(4_097);
    assert_problem(
        ask(json!({"text": long})).await.unwrap(),
        422,
        "text_too_long",
    )
    .await;
    assert_eq!(
        ask(json!({"text": "a".repeat(4_096)}))
            .await
            .unwrap()
            .status(),
        200
    );
    for wrong in [
        json!({}),
        json!([]),
        json!({"text": 1}),
        json!({"text": "x", "role": "admin"}),
        json!({"text": "x", "lang": "id"}),
    ] {
        assert_problem(ask(wrong).await.unwrap(), 400, "invalid_body").await;
    }
    let raw = |body: Vec<u8>, kind: &'static str| {
        app.request(Method::POST, "/api/v1/ask")
            .header(header::CONTENT_TYPE, kind)
            .body(body)
            .send()
    };
    let invalid_utf8 = b"{\"text\":\"\xff\xfe\"}".to_vec();
    let json = "application/json";
    assert_problem(raw(invalid_utf8, json).await.unwrap(), 400, "invalid_body").await;
    assert_problem(raw(b"{".to_vec(), json).await.unwrap(), 400, "invalid_body").await;
    let deep = "[".repeat(60_000).into_bytes();
    assert_problem(raw(deep, json).await.unwrap(), 400, "invalid_body").await;
    let large = format!("{{\"text\":\"{}\"}}", "a".repeat(70_000)).into_bytes();
    assert_problem(raw(large, json).await.unwrap(), 413, "too_large").await;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
    ] {
        let body = b"{\"text\":\"x\"}".to_vec();
        assert_problem(raw(body, kind).await.unwrap(), 415, "unsupported_type").await;
    }
    let body = b"{\"text\":\"slip\"}".to_vec();
    let charset = raw(body, "application/json; charset=utf-8").await.unwrap();
    assert_eq!(charset.status(), StatusCode::OK);
    assert_problem(app.get("/api/v1/ask").await, 405, "method_not_allowed").await;
    assert_problem(app.get("/nothing/here").await, 404, "not_found").await;
    assert_eq!(
        app.ask("lupa kata laluan portal").await["outcome"],
        "answer"
    );
    app.stop().await;
}

#[tokio::test]
async fn ac_89_no_text_is_a_query_however_much_it_looks_like_one() {
    let app = TestApp::on_sqlite().await;
    let brackets = "(".repeat(740);
    for text in [
        brackets.as_str(),
        "*:*",
        "words:gaji AND NOT (slip OR \"kata laluan\")^9~2",
        "[a TO z} /.*/ +emel -portal \\ && || ! ? :",
        "\u{202e}ijag pils\u{202c}",
        "p\0o\0r\0t\0a\0l",
        "\u{1F600}\u{1F600}",
    ] {
        app.ask(text).await;
    }
    let bare = app.ask("???").await;
    assert_eq!(bare["outcome"], "fallback");
    assert_eq!(bare["candidates"].as_array().unwrap().len(), 0);
    app.stop().await;
}

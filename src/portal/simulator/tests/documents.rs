//! Payslips and annual statements: which there are, and the links that lead to them once.

use super::*;

async fn october(portal: &Portal) -> String {
    let path = portal.staff(ORDINARY).await;
    path_of(
        &portal
            .effect(&format!("{path}/payslips/2026-10/link"), "k1")
            .await,
    )
}

#[tokio::test]
async fn payslips_go_back_two_years_from_the_last_payday() {
    let portal = Portal::new();
    let path = format!("{}/payslips", portal.staff(ORDINARY).await);
    let months = portal.get(&path).await.json();
    let months = months["months"].as_array().unwrap().clone();
    assert_eq!(
        (months.len(), &months[0], &months[23]),
        (24, &json!("2026-10"), &json!("2024-11"))
    );
    portal.clock.advance(2 * 24 * 3_600_000);
    assert_eq!(portal.get(&path).await.json()["months"][0], "2026-11");
}

#[tokio::test]
async fn who_was_hired_lately_has_few() {
    let portal = Portal::new();
    let path = portal.staff(RECENT).await;
    let months = portal.get(&format!("{path}/payslips")).await.json();
    assert_eq!(months, json!({"months": ["2026-10", "2026-09", "2026-08"]}));
    let years = portal
        .get(&format!("{path}/annual-statements"))
        .await
        .json();
    assert_eq!(years, json!({"years": []}));
    let appointee = portal.staff(APPOINTEE).await;
    let none = portal.get(&format!("{appointee}/payslips")).await.json();
    assert_eq!(none, json!({"months": []}));
}

#[tokio::test]
async fn statements_are_there_for_the_two_complete_years() {
    let portal = Portal::new();
    let path = format!("{}/annual-statements", portal.staff(ORDINARY).await);
    assert_eq!(
        portal.get(&path).await.json(),
        json!({"years": [2025, 2024]})
    );
    let link = portal.effect(&format!("{path}/2025/link"), "k1").await;
    let document = portal.get(&path_of(&link)).await;
    assert_eq!(
        document.header("content-disposition"),
        "inline; filename=\"penyata-tahunan-2025.pdf\""
    );
    assert!(document.text().contains("(Penyata Pendapatan Tahunan) Tj"));
}

#[tokio::test]
async fn suppliers_and_leavers_have_no_documents() {
    let portal = Portal::new();
    let supplier = portal.path("supplier", BOTH_ROLES).await;
    let leaver = portal.staff(LEAVER).await;
    for list in ["payslips", "annual-statements"] {
        let reply = portal.get(&format!("{supplier}/{list}")).await;
        assert_eq!(reply.problem(), (404, "not_staff".to_owned()));
        let reply = portal.get(&format!("{leaver}/{list}")).await;
        assert_eq!(reply.problem(), (409, "inactive".to_owned()));
    }
    let link = portal
        .effect(&format!("{supplier}/payslips/2026-10/link"), "k1")
        .await;
    assert_eq!(link.problem(), (404, "not_staff".to_owned()));
}

#[tokio::test]
async fn there_is_no_link_to_what_is_not_kept() {
    let portal = Portal::new();
    let path = portal.staff(ORDINARY).await;
    let wrong = [
        "payslips/2026-11",
        "payslips/2024-10",
        "payslips/2026-13",
        "payslips/x",
        "annual-statements/2026",
        "annual-statements/2023",
    ];
    for document in wrong {
        let reply = portal
            .effect(&format!("{path}/{document}/link"), "k1")
            .await;
        assert_eq!(
            reply.problem(),
            (404, "no_document".to_owned()),
            "{document}"
        );
    }
}

#[tokio::test]
async fn a_link_leads_to_the_payslip_once() {
    let portal = Portal::new();
    let link = october(&portal).await;
    assert_eq!(link.strip_prefix("/documents/").unwrap().len(), 43);
    let document = portal.get(&link).await;
    assert_eq!(document.status, StatusCode::OK);
    assert_eq!(document.header("content-type"), "application/pdf");
    assert_eq!(document.header("cache-control"), "no-store");
    assert_eq!(
        document.header("content-disposition"),
        "inline; filename=\"slip-gaji-2026-10.pdf\""
    );
    assert_eq!(portal.get(&link).await.status, StatusCode::GONE);
    assert_eq!(
        portal.call(Method::HEAD, &link, None).await.status,
        StatusCode::GONE
    );
}

#[tokio::test]
async fn looking_spends_nothing() {
    let portal = Portal::new();
    let link = october(&portal).await;
    for _ in 0..3 {
        let head = portal.call(Method::HEAD, &link, None).await;
        assert_eq!(
            (head.status, head.header("content-type")),
            (StatusCode::OK, "application/pdf")
        );
        assert!(head.body.is_empty());
    }
    assert_eq!(portal.get(&link).await.status, StatusCode::OK);
}

#[tokio::test]
async fn of_two_who_come_at_once_one_gets_it() {
    let portal = Portal::new();
    let link = october(&portal).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let request = request(Method::GET, &link, None);
        calls.spawn(portal.simulator.router().oneshot(request));
    }
    let replies = calls.join_all().await;
    let got = replies
        .iter()
        .filter(|reply| reply.as_ref().unwrap().status() == 200);
    assert_eq!(got.count(), 1);
}

#[tokio::test]
async fn a_link_lives_a_minute() {
    let portal = Portal::new();
    let link = october(&portal).await;
    portal.clock.advance(60_000);
    assert_eq!(portal.get(&link).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn the_same_key_hands_out_the_same_link() {
    let portal = Portal::new();
    assert_eq!(october(&portal).await, october(&portal).await);
}

#[tokio::test]
async fn a_payslip_says_whose_it_is_and_that_it_is_a_sample() {
    let portal = Portal::new();
    let pdf = portal.get(&october(&portal).await).await.text();
    for shown in [
        "(Mohd Zulkifli bin Che Awang) Tj",
        "(********6661) Tj",
        "(Oktober 2026) Tj",
        "(Slip Gaji) Tj",
        "(CONTOH / SAMPLE) Tj",
    ] {
        assert!(pdf.contains(shown), "{shown}");
    }
    assert!(!pdf.contains(ORDINARY));
    let again = Portal::new();
    let same = again.get(&october(&again).await).await.text();
    assert_eq!(pdf, same);
}

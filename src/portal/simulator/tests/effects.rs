//! Password resets and activations: what happens, and that it happens once.

use super::*;

#[tokio::test]
async fn the_portal_mails_a_temporary_password_and_it_opens_the_account_once() {
    let portal = Portal::new();
    let path = portal.staff(ORDINARY).await;
    let reply = portal.effect(&format!("{path}/password-reset"), "k1").await;
    assert_eq!(
        (reply.status, reply.json()),
        (StatusCode::ACCEPTED, json!({"delivery": "portal"}))
    );
    let mail = portal.simulator.mails().pop().unwrap();
    assert_eq!(mail.to, "zulkifli@kelantan.example");
    assert!(mail.text.contains("Kata laluan sementara") && mail.text.contains("SAMPLE"));
    let listed = portal.get("/demo/mails.json").await.json();
    assert_eq!(listed[0]["message_id"], mail.message_id);
    let login = format!("id_no={ORDINARY}&password={}", password(&mail.text));
    assert_eq!(portal.form("/log-masuk", &login).await.status, 200);
    assert_eq!(portal.form("/log-masuk", &login).await.status, 422);
}

#[tokio::test]
async fn the_helpdesk_mails_a_link_that_takes_one_password() {
    let portal = Portal::new();
    let path = portal.staff(HELPDESK).await;
    let reply = portal.effect(&format!("{path}/password-reset"), "k1").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json()["delivery"], "helpdesk");
    assert!(
        reply.json()["expires_at"]
            .as_str()
            .unwrap()
            .starts_with("2026-11-23T04:30:")
    );
    assert!(portal.simulator.mails().is_empty());
    let page = path_of(&reply);
    for _ in 0..3 {
        assert!(portal.get(&page).await.text().contains("Nik Nur Izzati"));
    }
    let short = portal.form(&page, "password=short&again=short").await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    let differing = portal
        .form(&page, "password=kata-laluan-1&again=kata-laluan-2")
        .await;
    assert_eq!(differing.status, StatusCode::UNPROCESSABLE_ENTITY);
    let good = "password=kata-laluan-1&again=kata-laluan-1";
    assert_eq!(portal.form(&page, good).await.status, StatusCode::OK);
    assert_eq!(portal.form(&page, good).await.status, StatusCode::GONE);
    assert_eq!(portal.get(&page).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_page_to_choose_a_password_lives_half_an_hour() {
    let portal = Portal::new();
    let path = portal.staff(HELPDESK).await;
    let page = path_of(&portal.effect(&format!("{path}/password-reset"), "k1").await);
    portal.clock.advance(29 * 60_000);
    assert_eq!(portal.get(&page).await.status, StatusCode::OK);
    portal.clock.advance(60_000);
    assert_eq!(portal.get(&page).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_page_to_choose_a_password_is_not_a_document() {
    let portal = Portal::new();
    let path = portal.staff(HELPDESK).await;
    let page = path_of(&portal.effect(&format!("{path}/password-reset"), "k1").await);
    let document = page.replace("/kata-laluan/", "/documents/");
    assert_eq!(portal.get(&document).await.status, StatusCode::GONE);
    assert_eq!(portal.get(&page).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_account_goes_from_none_over_pending_to_active() {
    let portal = Portal::new();
    for id_no in [UNREGISTERED, UNREGISTERED_HELPDESK] {
        let path = portal.staff(id_no).await;
        let activation = format!("{path}/activation");
        assert_eq!(portal.account(&path).await, "none");
        let reply = portal.effect(&activation, "k1").await;
        assert_eq!(portal.account(&path).await, "pending");
        let used = if reply.status == StatusCode::ACCEPTED {
            let mail = portal.simulator.mails().pop().unwrap();
            let login = format!("id_no={id_no}&password={}", password(&mail.text));
            portal.form("/log-masuk", &login).await
        } else {
            portal
                .form(
                    &path_of(&reply),
                    "password=kata-laluan-1&again=kata-laluan-1",
                )
                .await
        };
        assert_eq!(used.status, StatusCode::OK);
        assert_eq!(portal.account(&path).await, "active");
        let again = portal.effect(&activation, "k2").await;
        assert_eq!(again.problem(), (409, "already_active".to_owned()));
    }
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_its_reason() {
    let portal = Portal::new();
    let cases = [
        (LEAVER, "password-reset", "inactive"),
        (LEAVER, "activation", "inactive"),
        (UNREGISTERED, "password-reset", "no_account"),
        (NO_EMAIL, "password-reset", "no_email"),
        ("850809035498", "activation", "no_email"),
        (APPOINTEE, "activation", "not_in_payroll"),
        (ORDINARY, "activation", "already_active"),
    ];
    for (id_no, effect, code) in cases {
        let path = portal.staff(id_no).await;
        let before = portal.account(&path).await;
        let reply = portal.effect(&format!("{path}/{effect}"), "k1").await;
        assert_eq!(reply.problem(), (409, code.to_owned()), "{id_no} {effect}");
        assert_eq!(portal.account(&path).await, before);
    }
    assert!(portal.simulator.mails().is_empty());
}

#[tokio::test]
async fn a_supplier_may_register_without_a_salary() {
    let portal = Portal::new();
    let path = portal.path("supplier", "201703045678").await;
    let reply = portal.effect(&format!("{path}/activation"), "k1").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(portal.account(&path).await, "pending");
}

#[tokio::test]
async fn an_effect_needs_a_key_and_takes_no_body() {
    let portal = Portal::new();
    let path = format!("{}/password-reset", portal.staff(ORDINARY).await);
    let keyless = portal.call(Method::POST, &path, None).await;
    assert_eq!(
        keyless.problem(),
        (400, "idempotency_key_missing".to_owned())
    );
    let long = portal.effect(&path, &"k".repeat(201)).await;
    assert_eq!(long.problem(), (400, "idempotency_key_missing".to_owned()));
    let mut with_body = request(Method::POST, &path, Some(json!({"email": "x@mel.example"})));
    with_body
        .headers_mut()
        .insert("idempotency-key", "k".parse().unwrap());
    let refused = portal.send(with_body).await;
    assert_eq!(refused.problem(), (400, "invalid_body".to_owned()));
    assert!(portal.simulator.mails().is_empty());
}

#[tokio::test]
async fn one_key_is_one_mail_even_from_twenty_calls_at_once() {
    let portal = Portal::new();
    let path = format!("{}/password-reset", portal.staff(ORDINARY).await);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut request = request(Method::POST, &path, None);
        request
            .headers_mut()
            .insert("idempotency-key", "same".parse().unwrap());
        calls.spawn(portal.simulator.router().oneshot(request));
    }
    for reply in calls.join_all().await {
        assert_eq!(reply.unwrap().status(), StatusCode::ACCEPTED);
    }
    assert_eq!(portal.simulator.mails().len(), 1);
    portal.effect(&path, "another").await;
    assert_eq!(portal.simulator.mails().len(), 2);
}

#[tokio::test]
async fn the_same_key_for_somebody_else_is_another_effect() {
    let portal = Portal::new();
    for id_no in [ORDINARY, RECENT] {
        let path = portal.staff(id_no).await;
        portal
            .effect(&format!("{path}/password-reset"), "same")
            .await;
    }
    let to: Vec<_> = portal
        .simulator
        .mails()
        .into_iter()
        .map(|mail| mail.to)
        .collect();
    assert_eq!(
        to,
        ["zulkifli@kelantan.example", "amirul.haziq@mel.example"]
    );
}

#[tokio::test]
async fn the_last_500_mails_are_kept() {
    let portal = Portal::new();
    let path = format!("{}/password-reset", portal.staff(ORDINARY).await);
    portal.effect(&path, "first").await;
    let first = portal.simulator.mails().remove(0).message_id;
    for n in 0..500 {
        portal.effect(&path, &n.to_string()).await;
    }
    let mails = portal.simulator.mails();
    assert_eq!(mails.len(), 500);
    assert!(mails.iter().all(|mail| mail.message_id != first));
}

fn password(text: &str) -> String {
    let (_, after) = text.split_once("Kata laluan sementara: ").unwrap();
    after.lines().next().unwrap().to_owned()
}

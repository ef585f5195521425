//! Who may ask, whom they find, and what they are told.

use super::*;

#[tokio::test]
async fn nobody_is_told_anything_without_the_token() {
    let portal = Portal::new();
    let wrong = ["", "Bearer", "Bearer wrong", "Basic token-for-tests"];
    for authorization in wrong {
        let request = Request::get("/v1/status").header("authorization", authorization);
        let reply = portal.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.problem(), (401, "unauthorized".to_owned()));
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    let bare = Request::get("/v1/status").body(Body::empty()).unwrap();
    assert_eq!(portal.send(bare).await.status, 401);
    assert_eq!(portal.get("/v1/status").await.status, 200);
}

#[tokio::test]
async fn a_person_is_found_by_role_and_number() {
    let portal = Portal::new();
    let found = portal.lookup("staff", "880313-03-6661").await;
    let person = &found.json()["person"];
    assert_eq!(person["name"], "Mohd Zulkifli bin Che Awang");
    assert_eq!(person["email"], "zulkifli@kelantan.example");
    assert_eq!(
        (&person["active"], &person["payroll"]),
        (&json!(true), &json!("py"))
    );
    assert!(!found.text().contains(ORDINARY));
    let again = portal.get(&portal.staff(ORDINARY).await).await;
    assert_eq!(again.json(), found.json());
    let unknown = portal.lookup("supplier", ORDINARY).await;
    assert_eq!(unknown.problem(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn an_old_company_id_is_found_however_it_is_written() {
    let portal = Portal::new();
    for id_no in ["123456-X", "123456x", "123456 X"] {
        let found = portal.lookup("supplier", id_no).await.json();
        let person = &found["person"];
        assert_eq!(person["name"], "Kejuruteraan Tok Bali Sdn. Bhd.");
        assert_eq!(
            (&person["ptj"], &person["payroll"]),
            (&Value::Null, &json!("none"))
        );
    }
}

#[tokio::test]
async fn one_number_in_two_roles_is_two_records() {
    let portal = Portal::new();
    let staff = portal.path("staff", BOTH_ROLES).await;
    let supplier = portal.path("supplier", BOTH_ROLES).await;
    assert_ne!(staff, supplier);
}

#[tokio::test]
async fn a_reference_is_the_same_after_a_restart() {
    let (before, after) = (Portal::new(), Portal::new());
    assert_eq!(before.staff(HELPDESK).await, after.staff(HELPDESK).await);
}

#[tokio::test]
async fn a_body_that_is_not_right_gets_a_problem_document() {
    let portal = Portal::new();
    let lookup = "/v1/people/lookup";
    let unknown_field = json!({"kind": "staff", "id_no": ORDINARY, "admin": true});
    let unknown_kind = json!({"kind": "boss", "id_no": ORDINARY});
    let long = json!({"kind": "staff", "id_no": "1".repeat(70_000)});
    let cases = [
        (unknown_field, (400, "invalid_body")),
        (unknown_kind, (400, "invalid_body")),
        (json!([]), (400, "invalid_body")),
        (long, (413, "too_large")),
    ];
    for (body, (status, code)) in cases {
        let reply = portal.call(Method::POST, lookup, Some(body)).await;
        assert_eq!(reply.problem(), (status, code.to_owned()));
    }
    let untyped = portal.call(Method::POST, lookup, None).await;
    assert_eq!(untyped.problem(), (415, "unsupported_type".to_owned()));
}

#[tokio::test]
async fn an_address_that_is_not_there_gets_a_problem_document() {
    let portal = Portal::new();
    let cases = [
        (Method::GET, "/v1/nothing", (404, "not_found")),
        (
            Method::GET,
            "/v1/people/p_0000000000000000",
            (404, "not_found"),
        ),
        (Method::GET, "/v1/people/%ff", (404, "not_found")),
        (Method::DELETE, "/v1/status", (405, "method_not_allowed")),
    ];
    for (method, path, (status, code)) in cases {
        let reply = portal.call(method, path, None).await;
        assert_eq!(reply.problem(), (status, code.to_owned()), "{path}");
    }
    assert_eq!(portal.get("/nothing").await.status, 404);
}

#[tokio::test]
async fn the_list_tells_who_is_there_and_what_for() {
    let portal = Portal::new();
    let list = portal.get("/demo/people.json").await.json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 41);
    for person in list {
        for field in [
            "id_no", "kind", "name", "active", "payroll", "account", "ref", "note",
        ] {
            assert!(!person[field].is_null(), "{field} of {person}");
        }
    }
    assert_eq!(list[0]["id_no"], ORDINARY);
    assert_eq!(
        (&list[0]["delivery"], &list[1]["delivery"]),
        (&json!("portal"), &json!("helpdesk"))
    );
}

#[tokio::test]
async fn a_person_changes_while_the_sample_runs() {
    let portal = Portal::new();
    let path = portal.staff(ORDINARY).await;
    let tester = path.strip_prefix("/v1").unwrap();
    let change = json!({"email": "baharu@mel.example", "active": false});
    let changed = portal.call(Method::PATCH, tester, Some(change)).await;
    assert_eq!(changed.json()["email"], "baharu@mel.example");
    let person = portal.get(&path).await.json();
    assert_eq!(person["person"]["active"], false);
    portal
        .call(Method::PATCH, tester, Some(json!({"email": null})))
        .await;
    let person = portal.get(&path).await.json();
    assert_eq!(person["person"]["email"], Value::Null);
    let wrong = portal
        .call(Method::PATCH, tester, Some(json!({"name": "x"})))
        .await;
    assert_eq!(wrong.problem(), (400, "invalid_body".to_owned()));
}

#[tokio::test]
async fn every_page_says_that_it_is_a_sample_and_lets_no_script_run() {
    let portal = Portal::new();
    for path in [
        "/",
        "/nothing",
        "/kata-laluan/unknown",
        "/documents/unknown",
    ] {
        let page = portal.get(path).await;
        let text = page.text();
        assert!(text.contains("CONTOH") && text.contains("SAMPLE"), "{path}");
        assert!(
            text.contains(r#"lang="ms""#) && text.contains("viewport"),
            "{path}"
        );
        assert!(
            !text.contains("<script") && !text.contains("style="),
            "{path}"
        );
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self'"),
            "{path}"
        );
        assert_eq!(page.header("cache-control"), "no-store");
    }
    assert_eq!(
        portal.get("/simulator.css").await.header("content-type"),
        "text/css; charset=utf-8"
    );
}

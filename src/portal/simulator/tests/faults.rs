//! What goes wrong on purpose.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn faults_are_set_shown_and_taken_back() {
    let portal = Portal::new();
    portal.faults(json!({"error": true})).await;
    assert_eq!(portal.get("/faults").await.json()["error"], true);
    let reply = portal.get("/v1/status").await;
    assert_eq!(reply.problem(), (500, "internal".to_owned()));
    assert_eq!(portal.get("/").await.status, StatusCode::OK);
    portal.faults(json!({})).await;
    assert_eq!(
        portal.get("/v1/status").await.json(),
        json!({"sistem": "up", "portal": "up"})
    );
    let unknown = portal
        .call(Method::PUT, "/faults", Some(json!({"eror": true})))
        .await;
    assert_eq!(unknown.problem(), (400, "invalid_body".to_owned()));
}

#[tokio::test]
async fn a_login_page_comes_instead_of_json() {
    let portal = Portal::new();
    portal.faults(json!({"html": true})).await;
    let reply = portal.get("/v1/status").await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (StatusCode::OK, "text/html; charset=utf-8")
    );
}

#[tokio::test]
async fn json_ends_in_the_middle() {
    let portal = Portal::new();
    portal.faults(json!({"garbage": true})).await;
    let reply = portal.get("/v1/status").await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (StatusCode::OK, "application/json")
    );
    assert!(serde_json::from_slice::<Value>(&reply.body).is_err());
}

#[tokio::test]
async fn the_effect_is_done_but_the_first_answer_is_lost() {
    let portal = Portal::new();
    let path = format!("{}/password-reset", portal.staff(ORDINARY).await);
    portal.faults(json!({"duplicate": true})).await;
    let first = portal.effect(&path, "k1").await;
    assert_eq!(first.problem(), (500, "internal".to_owned()));
    let second = portal.effect(&path, "k1").await;
    assert_eq!(second.status, StatusCode::ACCEPTED);
    assert_eq!(portal.simulator.mails().len(), 1);
}

#[tokio::test]
async fn a_mail_that_could_not_be_sent_may_be_tried_again_with_the_same_key() {
    let portal = Portal::new();
    let path = format!("{}/password-reset", portal.staff(ORDINARY).await);
    portal.faults(json!({"mail_not_sent": true})).await;
    let failed = portal.effect(&path, "k1").await;
    assert_eq!(failed.problem(), (502, "mail_not_sent".to_owned()));
    assert!(portal.simulator.mails().is_empty());
    portal.faults(json!({})).await;
    assert_eq!(
        portal.effect(&path, "k1").await.status,
        StatusCode::ACCEPTED
    );
    assert_eq!(portal.simulator.mails().len(), 1);
}

#[tokio::test]
async fn a_lie_is_about_somebody_else() {
    let portal = Portal::new();
    let path = portal.staff(ORDINARY).await;
    portal.faults(json!({"lies": true})).await;
    assert_eq!(
        portal.lookup("staff", ORDINARY).await.json()["person"]["kind"],
        "supplier"
    );
    let told = portal.get(&path).await.json();
    assert_eq!(told["person"]["kind"], "staff");
    assert!(!path.ends_with(told["person"]["ref"].as_str().unwrap()));
}

#[tokio::test]
async fn links_lead_to_another_site() {
    let portal = Portal::new();
    let path = portal.staff(HELPDESK).await;
    portal.faults(json!({"foreign_link": true})).await;
    for effect in [
        "password-reset",
        "payslips/2026-10/link",
        "annual-statements/2025/link",
    ] {
        let reply = portal
            .effect(&format!("{path}/{effect}"), "k1")
            .await
            .json();
        assert!(
            reply["url"]
                .as_str()
                .unwrap()
                .starts_with("https://evil.example/")
        );
    }
}

#[tokio::test]
async fn the_status_may_be_anything() {
    let portal = Portal::new();
    let status = json!({"sistem": "maintenance", "portal": "down", "note": "Hingga 5 petang"});
    portal.faults(json!({"status": status})).await;
    assert_eq!(portal.get("/v1/status").await.json(), status);
}

#[tokio::test]
async fn a_slow_answer_comes_after_the_effect() {
    let portal = Portal::new();
    let path = format!("{}/password-reset", portal.staff(ORDINARY).await);
    portal.faults(json!({"slow_ms": 60_000})).await;
    let wait = Duration::from_millis(20);
    let answer = tokio::time::timeout(wait, portal.effect(&path, "k1")).await;
    assert!(answer.is_err());
    assert_eq!(portal.simulator.mails().len(), 1);
    portal.faults(json!({"slow_ms": 1})).await;
    assert_eq!(
        portal.effect(&path, "k1").await.status,
        StatusCode::ACCEPTED
    );
    assert_eq!(portal.simulator.mails().len(), 1);
}

#[tokio::test]
async fn the_connection_breaks_off_without_an_answer() {
    let portal = Portal::new();
    portal.faults(json!({"down": true})).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = portal.simulator.router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let call = tokio::task::spawn_blocking(move || answer(address));
    assert_eq!(call.await.unwrap(), "");
    server.abort();
}

/// All that comes back for a request, over a real connection.
fn answer(address: SocketAddr) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let request = "GET /v1/status HTTP/1.1\r\nhost: portal\r\n\r\n";
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A reset connection is no answer either.
    let _ = connection.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

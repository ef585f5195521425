//! Clients that are slow, many, or broken; and the operator's listener.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{TestApp, assert_problem};

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.app.http_addr).await.unwrap()
}

/// What the server says until it closes, and after how long.
async fn until_closed(mut stream: TcpStream) -> (String, Duration) {
    let begun = Instant::now();
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut bytes));
    // A reset is a close too.
    let _ = read.await.expect("the server closes");
    (
        String::from_utf8_lossy(&bytes).into_owned(),
        begun.elapsed(),
    )
}

#[tokio::test]
async fn ac_97_a_connection_that_says_nothing_or_drips_its_head_is_closed() {
    let app = TestApp::with(&[
        ("TANYA_FIRST_BYTE_TIMEOUT_S", "1"),
        ("TANYA_HEAD_TIMEOUT_S", "1"),
    ])
    .await;
    let silent = connect(&app).await;
    let mut dripping = connect(&app).await;
    dripping
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n")
        .await
        .unwrap();
    let (silent, dripping) = tokio::join!(until_closed(silent), until_closed(dripping));
    for (_, after) in [silent, dripping] {
        assert!(after < Duration::from_secs(4), "{after:?}");
    }
    app.stop().await;
}

#[tokio::test]
async fn ac_97_a_body_that_does_not_come_is_given_up() {
    let app = TestApp::with(&[("TANYA_BODY_TIMEOUT_S", "1")]).await;
    let mut slow = connect(&app).await;
    slow.write_all(b"POST /api/v1/ask HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{")
        .await
        .unwrap();
    let (said, after) = until_closed(slow).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(after < Duration::from_secs(5));
    app.stop().await;
}

#[tokio::test]
async fn ac_96_a_body_without_end_is_cut_off_at_the_limit() {
    let app = TestApp::on_sqlite().await;
    let mut endless = connect(&app).await;
    endless
        .write_all(b"POST /api/v1/ask HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    let chunk = format!("1000\r\n{}\r\n", "a".repeat(0x1000));
    let mut written = 0;
    while written < 4096 && endless.write_all(chunk.as_bytes()).await.is_ok() {
        written += 1;
    }
    assert!(written < 4096, "16 MiB were taken");
    app.stop().await;
}

#[tokio::test]
async fn ac_96_a_head_that_is_too_large_is_refused() {
    let app = TestApp::on_sqlite().await;
    for head in [
        format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(65_536)),
        format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(10_000)),
    ] {
        let mut stream = connect(&app).await;
        // The server may hang up before everything is written.
        let _ = stream.write_all(head.as_bytes()).await;
        let (said, _) = until_closed(stream).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    }
    assert_eq!(app.get("/chat").await.status(), 200);
    app.stop().await;
}

#[tokio::test]
async fn ac_98_one_address_cannot_take_all_connections_and_an_office_has_more() {
    let few = [
        ("TANYA_CONNECTIONS_PER_ADDRESS", "3"),
        ("TANYA_OFFICE_NETWORKS", "10.0.0.0/8"),
    ];
    let app = TestApp::with(&few).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&app).await;
        stream.write_all(b"GET /").await.unwrap();
        held.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (said, after) = until_closed(connect(&app).await).await;
    assert!(said.is_empty() && after < Duration::from_secs(2));
    drop(held);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(app.get("/chat").await.status(), 200);
    app.stop().await;

    let office = TestApp::with(&[("TANYA_CONNECTIONS_PER_ADDRESS", "3")]).await;
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(connect(&office).await);
    }
    assert_eq!(office.get("/chat").await.status(), 200);
    office.stop().await;
}

#[tokio::test]
async fn ac_85_the_operator_sees_health_readiness_and_figures_and_the_public_does_not() {
    let app = TestApp::on_sqlite().await;
    app.ask("lupa kata laluan portal").await;
    let admin = async |path: &str| app.client.get(app.admin_url(path)).send().await.unwrap();
    assert_eq!(admin("/healthz").await.text().await.unwrap(), "ok\n");
    let ready = admin("/readyz").await.text().await.unwrap();
    assert_eq!(
        ready,
        r#"{"status":"ready","knowledge":"current","database":"up"}"#
    );
    let figures = admin("/metrics").await.text().await.unwrap();
    for name in [
        "tanya_http_requests_total",
        "tanya_http_request_seconds_bucket",
        "tanya_asks_total",
        "tanya_connections",
    ] {
        assert!(figures.contains(name), "{name} is missing");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_problem(app.get(path).await, 404, "not_found").await;
    }
    app.stop().await;
}

#[tokio::test]
async fn ac_109_two_servers_never_share_one_file() {
    let app = TestApp::on_sqlite().await;
    let url = app.database.url(app.folder());
    let error = tanya::storage::Store::open(&url)
        .await
        .err()
        .expect("refused");
    assert!(error.to_string().contains("another `serve` or `demo` runs"));
    app.stop().await;
}

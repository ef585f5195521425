//! What browsers are given, and with which headers.

use reqwest::StatusCode;
use serde_json::Value;

use crate::support::TestApp;

const SERVE: &[(&str, &str)] = &[
    ("TANYA_PUBLIC_URL", "https://tanya.example.gov.my"),
    (
        "TANYA_ALLOWED_ORIGINS",
        "https://www.example.gov.my,https://b.example.gov.my",
    ),
];

#[tokio::test]
async fn ac_64_to_68_every_response_carries_its_headers() {
    let app = TestApp::with(SERVE).await;
    let mut shown = String::new();
    for path in [
        "/",
        "/chat",
        "/widget.js",
        "/assets/chat.css",
        "/api/openapi.json",
        "/nothing",
    ] {
        let response = app.get(path).await;
        shown.push_str(&format!("{path} {}\n", response.status()));
        let mut headers: Vec<String> = response
            .headers()
            .iter()
            .filter(|(name, _)| {
                !matches!(
                    name.as_str(),
                    "date" | "content-length" | "etag" | "x-request-id"
                )
            })
            .map(|(name, value)| format!("  {name}: {}\n", value.to_str().unwrap()))
            .collect();
        headers.sort();
        shown.extend(headers);
    }
    insta::assert_snapshot!(shown);
    app.stop().await;
}

#[tokio::test]
async fn ac_70_only_listed_sites_may_show_the_chat_in_a_frame() {
    let app = TestApp::with(SERVE).await;
    let policy = app.get("/chat").await.headers()["content-security-policy"].clone();
    let policy = policy.to_str().unwrap();
    assert!(
        policy.ends_with("frame-ancestors https://www.example.gov.my https://b.example.gov.my")
    );
    app.stop().await;
}

#[tokio::test]
async fn the_loader_is_small_and_unchanged_files_are_not_sent_again() {
    let app = TestApp::on_sqlite().await;
    let response = app.get("/widget.js").await;
    assert_eq!(
        response.headers()["content-type"],
        "text/javascript; charset=utf-8"
    );
    let tag = response.headers()["etag"].clone();
    let size = response.bytes().await.unwrap().len();
    assert!(size <= 5_000, "the loader has {size} bytes");
    let request = app
        .client
        .get(app.url("/widget.js"))
        .header("if-none-match", tag);
    assert_eq!(
        request.send().await.unwrap().status(),
        StatusCode::NOT_MODIFIED
    );
    for outside in [
        "/assets/../Cargo.toml",
        "/assets/%2e%2e/Cargo.toml",
        "/assets/",
        "/assets/%FF",
        "/assets/none.js",
    ] {
        assert_eq!(
            app.get(outside).await.status(),
            StatusCode::NOT_FOUND,
            "{outside}"
        );
    }
    app.stop().await;
}

#[tokio::test]
async fn ac_61_pages_and_scripts_hold_nothing_inline_and_never_parse_text_as_markup() {
    let folders = ["src/web/assets", "src/web/assets/chat", "src/web/templates"];
    for folder in folders {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            for banned in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "|safe",
                "eval(",
                "<style",
                " style=",
                " onclick=",
                " onload=",
            ] {
                assert!(!text.contains(banned), "{} has {banned}", path.display());
            }
            let inline = text.match_indices("<script").any(|(at, _)| {
                let tag = text[at..].split_once('>').unwrap().0;
                !tag.contains("src=")
            });
            assert!(!inline, "{} has an inline script", path.display());
        }
    }
}

#[tokio::test]
async fn the_interface_describes_itself() {
    let app = TestApp::on_sqlite().await;
    let description: Value = app.get("/api/openapi.json").await.json().await.unwrap();
    let mut operations: Vec<String> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods
                .map(move |method| format!("{method} {path}"))
                .collect::<Vec<_>>()
        })
        .collect();
    operations.sort();
    assert_eq!(
        operations,
        [
            "delete /api/v1/conversations/{id}",
            "get /api/v1/conversations/{id}/events",
            "get /api/v1/conversations/{id}/messages",
            "get /api/v1/status",
            "post /api/v1/ask",
            "post /api/v1/conversations",
            "post /api/v1/conversations/{id}/feedback",
            "post /api/v1/conversations/{id}/messages",
            "post /api/v1/conversations/{id}/pictures",
            "post /api/v1/conversations/{id}/proof",
            "post /api/v1/verify/about",
            "post /api/v1/verify/finish",
            "post /api/v1/verify/start",
        ]
    );
    assert!(description["components"]["schemas"]["Body"]["properties"]["choices"].is_object());
    app.stop().await;
}

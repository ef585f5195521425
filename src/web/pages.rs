//! The pages and what they are made of. Everything is in the binary; nothing inline, nothing from elsewhere.

use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::WebState;
use super::error::Code;

#[derive(RustEmbed)]
#[folder = "src/web/assets/"]
struct Assets;

/// Where the site is and who may show it in a frame.
#[derive(Clone, Debug)]
pub struct Site {
    /// How users reach the public listener, without a slash at the end.
    pub public_url: String,
    /// Sites that may embed the widget, exact origins.
    pub allowed_origins: Vec<String>,
    /// Whether the sample page stands at `/`.
    pub demo: bool,
}

impl Site {
    /// Whether the site is reached over TLS.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    fn frame_ancestors(&self) -> String {
        if self.allowed_origins.is_empty() {
            "'none'".to_owned()
        } else {
            self.allowed_origins.join(" ")
        }
    }
}

#[derive(Template)]
#[template(path = "sample.html")]
struct SamplePage<'a> {
    public_url: &'a str,
}

#[derive(Template)]
#[template(path = "landing.html")]
struct LandingPage;

/// `/`: the sample treasury page in the demo, a modest one that leads to the chat otherwise.
pub async fn home(State(state): State<WebState>) -> Response {
    let public_url = state.site.public_url.as_str();
    if !state.site.demo {
        return page(PLAIN_PAGE, &LandingPage);
    }
    let policy = format!(
        "default-src 'none'; script-src {public_url}; style-src 'self'; img-src 'self' {public_url}; frame-src {public_url}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    page(&policy, &SamplePage { public_url })
}

/// `/chat`: the chat, in a frame of a listed site or as a page of its own.
pub async fn chat(State(state): State<WebState>, headers: HeaderMap) -> Response {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {}",
        state.site.frame_ancestors()
    );
    (policy_header(&policy), file("chat.html", &headers)).into_response()
}

/// `/widget.js`: the loader that a site embeds.
pub async fn widget(headers: HeaderMap) -> Response {
    let anywhere = [(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    )];
    (anywhere, file("widget.js", &headers)).into_response()
}

/// `/assets/…`: what the pages are made of.
pub async fn asset(path: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Response {
    match path {
        Ok(Path(path)) => file(&path, &headers),
        Err(_) => Code::NotFound.into_response(),
    }
}

/// `/favicon.ico`, which browsers ask for whatever the page says.
pub async fn favicon(headers: HeaderMap) -> Response {
    file("favicon.svg", &headers)
}

fn policy_header(policy: &str) -> [(HeaderName, HeaderValue); 1] {
    let closed = HeaderValue::from_static("default-src 'none'");
    let value = HeaderValue::from_str(policy).unwrap_or(closed);
    [(header::CONTENT_SECURITY_POLICY, value)]
}

/// The policy of a page that only shows something.
pub(super) const PLAIN_PAGE: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The policy of a page that takes what is secret.
pub(super) const SECRET_PAGE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A page with a policy of its own, which nobody keeps.
pub(super) fn page(policy: &str, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let kept = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            (policy_header(policy), kept, Html(html)).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            Code::Unavailable.into_response()
        }
    }
}

fn file(path: &str, headers: &HeaderMap) -> Response {
    let Some(file) = Assets::get(path) else {
        return Code::NotFound.into_response();
    };
    let tag = entity_tag(&file);
    let cached = [
        (header::ETAG, tag.clone()),
        // Kept, but asked for anew each time: a new version is in use at once.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        return (StatusCode::NOT_MODIFIED, cached).into_response();
    }
    let kind = file.metadata.mimetype();
    let kind = if kind.starts_with("text/") {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_owned()
    };
    let kind = [(header::CONTENT_TYPE, kind)];
    (cached, kind, file.data.into_owned()).into_response()
}

fn entity_tag(file: &EmbeddedFile) -> HeaderValue {
    let mut tag = String::from("\"");
    for byte in file.metadata.sha256_hash().iter().take(12) {
        tag.push_str(&format!("{byte:02x}"));
    }
    tag.push('"');
    HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"0\""))
}

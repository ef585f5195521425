//! Pages of other sites may show the chat in a frame, but never speak to the interface themselves.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::WebState;
use super::error::Code;

/// Refuses what a browser says comes from a page that is not ours. What is no browser sends no origin, and proves itself
/// by its token.
pub async fn own_only(State(state): State<WebState>, request: Request, next: Next) -> Response {
    if is_own(request.headers(), &state.site.public_url) {
        next.run(request).await
    } else {
        Code::ForeignOrigin.into_response()
    }
}

/// Whether a request comes from a page of our own, or from no page at all.
pub fn is_own(headers: &HeaderMap, public_url: &str) -> bool {
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    if site.is_some_and(|site| site == b"cross-site" || site == b"same-site") {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let authority = |url: &'_ str| Some(url.split_once("://")?.1.to_owned());
    let named_otherwise = host != authority(public_url).as_deref();
    // The machine may be reached under another name than the public one, such as 127.0.0.1 for localhost.
    origin == public_url
        || (named_otherwise && host.is_some() && authority(origin).as_deref() == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        is_own(&headers, "https://tanya.example.gov.my")
    }

    #[test]
    fn ac_31_origins_of_others_and_lookalikes_are_refused() {
        let host = ("host", "tanya.example.gov.my");
        assert!(from(&[host]));
        assert!(from(&[host, ("origin", "https://tanya.example.gov.my")]));
        assert!(from(&[
            ("host", "10.0.0.5:8080"),
            ("origin", "http://10.0.0.5:8080")
        ]));
        for foreign in [
            "null",
            "http://tanya.example.gov.my",
            "",
            "https://evil.example",
            "https://tanya.example.gov.my.evil.example",
            "https://evil-tanya.example.gov.my",
            "https://xtanya.example.gov.my",
            "https://tanya.example.gov.my:8443",
            "https://tanya.example.gov.my@evil.example",
            "https://evil.example#tanya.example.gov.my",
            "https://evil.example/tanya.example.gov.my",
            "https://evil.example?tanya.example.gov.my",
            "https://tanya.example.gov.my/",
            "https://tanya.example.gov.my.",
            "https://tanya.example.gov.my ",
            "https://TANYA.example.gov.my",
            "https://example.gov.my",
            "https://www.example.gov.my",
            "https://a.tanya.example.gov.my",
            "https://tanya-example.gov.my",
            "https://tanya.example.gov.my%00.evil.example",
            "https://127.0.0.1",
            "https://localhost",
            "file://",
            "chrome-extension://abcdef",
            "moz-extension://abcdef",
            "data:",
            "about:blank",
            "https://xn--tny-8cd.example.gov.my",
            "https://[::1]",
            "tanya.example.gov.my",
            "//tanya.example.gov.my",
        ] {
            assert!(!from(&[host, ("origin", foreign)]), "{foreign:?}");
        }
        assert!(!from(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!from(&[host, ("sec-fetch-site", "same-site")]));
        assert!(from(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(from(&[host, ("sec-fetch-site", "none")]));
    }
}

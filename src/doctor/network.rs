//! The public address: whether it answers from here, how long its certificate lasts, and what time it has.

use std::sync::Arc;
use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::Client;
use reqwest::header::{DATE, HeaderMap};
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use super::{Doctor, Finding};
use crate::clock::Millis;
use crate::http_client;

const CHECK: &str = "public address";
/// It is asked twice: as of now, and as of later.
pub(super) const LIMIT: Duration = Duration::from_secs(12);
/// A certificate that does not last so much longer is told of.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// A time that stands still.
#[derive(Debug)]
struct At(Duration);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(self.0))
    }
}

impl Doctor<'_> {
    pub(super) async fn network(&self) -> Vec<Finding> {
        if self.is_unset("TANYA_PUBLIC_URL") {
            return Vec::new();
        }
        let Some(url) = &self.settings.public_url else {
            return Vec::new();
        };
        match self.ask(url, Duration::ZERO).await {
            Ok(headers) => {
                let mut findings = Vec::new();
                if url.scheme() == "https" && self.ask(url, SOON).await.is_err() {
                    findings.push(Finding::warning(
                        CHECK,
                        "it answers, but its certificate lasts less than 14 days",
                        "renew it, and see why that did not happen by itself",
                    ));
                } else if url.scheme() == "https" {
                    let found = "it answers; its certificate is good for 14 days or more";
                    findings.push(Finding::ok(CHECK, found));
                } else {
                    findings.push(Finding::ok(CHECK, "it answers, for this machine only"));
                }
                let time = time_of(&headers);
                findings.extend(
                    time.map(|time| self.skew("clock", "the public address's clock", time)),
                );
                findings
            }
            Err(Unreached::Certificate) => vec![Finding::wrong(
                CHECK,
                "its certificate is over, for another name, or of an authority that is not publicly trusted",
                "renew it at the proxy; people's browsers and Telegram refuse it",
            )],
            Err(Unreached::Silent) => vec![Finding::warning(
                CHECK,
                "it does not answer from this machine",
                "start `tanya serve` and the proxy before it; where this machine cannot reach its own public name, look from another",
            )],
        }
    }

    /// What is answered there, as somebody meets it so much later.
    async fn ask(&self, url: &Url, later: Duration) -> Result<HeaderMap, Unreached> {
        let now = u64::try_from(self.clock.now()).unwrap_or_default();
        let client = client(Duration::from_millis(now) + later).ok_or(Unreached::Silent)?;
        let answer = client.get(url.clone()).send().await;
        match answer {
            Ok(answer) => Ok(answer.headers().clone()),
            Err(error) if names_certificate(&error) => Err(Unreached::Certificate),
            Err(_) => Err(Unreached::Silent),
        }
    }
}

/// Why nobody answers.
enum Unreached {
    Certificate,
    Silent,
}

fn client(at: Duration) -> Option<Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let config = ClientConfig::builder_with_details(provider, Arc::new(At(at)))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = http_client::builder(super::LIMIT, super::LIMIT);
    client.use_preconfigured_tls(config).build().ok()
}

fn names_certificate(error: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("certificate") {
            return true;
        }
        cause = error.source();
    }
    false
}

fn time_of(headers: &HeaderMap) -> Option<Millis> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let time = rfc2822::parse(date).ok()?;
    Some(time.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_answer_is_read() {
        let mut headers = HeaderMap::new();
        assert_eq!(time_of(&headers), None);
        let date = "Sun, 29 Nov 2026 10:00:00 GMT".parse().unwrap();
        headers.insert(DATE, date);
        assert_eq!(time_of(&headers), Some(1_795_946_400_000));
    }

    #[test]
    fn a_client_can_be_made_for_now_and_for_later() {
        assert!(client(SOON).is_some());
    }
}

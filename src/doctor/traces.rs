//! The collector of traces: whether it takes them. Nobody's question waits for it, so nothing here is wrong, only worth a look.

use url::Host;

use super::{Doctor, Finding};
use crate::trace::{Collector, Reached};

const CHECK: &str = "traces";

impl Doctor<'_> {
    pub(super) async fn traces(&self) -> Vec<Finding> {
        let names = ["TANYA_OTLP_URL", "TANYA_OTLP_TOKEN", "TANYA_OTLP_SAMPLE"];
        if names.iter().any(|name| self.is_unset(name)) {
            return Vec::new();
        }
        let Some(collector) = &self.settings.collector else {
            return vec![Finding::ok(CHECK, "none are exported")];
        };
        let mut findings = vec![match collector.examine().await {
            Reached::Works => Finding::ok(CHECK, "the collector takes them"),
            Reached::Unproven => Finding::warning(
                CHECK,
                "the collector does not take the token, or wants one",
                "set TANYA_OTLP_TOKEN to the one that the collector's owner gave",
            ),
            Reached::Strange(status) => Finding::warning(
                CHECK,
                format!("the collector answers {status} to /v1/traces"),
                "see that TANYA_OTLP_URL is the address for OTLP over HTTP, usually port 4318",
            ),
            Reached::Down => Finding::warning(
                CHECK,
                "the collector cannot be reached",
                "see that TANYA_OTLP_URL is right, and that the firewall lets this machine through",
            ),
        }];
        if tells_the_token(collector) {
            findings.push(Finding::warning(
                CHECK,
                "the token goes over the network for everybody to read",
                "give TANYA_OTLP_URL as https, or run a collector on this machine",
            ));
        }
        findings
    }
}

/// Whether others than this machine can read the token on its way.
fn tells_the_token(collector: &Collector) -> bool {
    let here = match collector.url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    collector.token.is_some() && collector.url.scheme() == "http" && !here
}

//! The portal's interface: whether it answers, and takes the token.

use super::{Doctor, Finding};
use crate::config::PortalSettings;
use crate::portal::{Portal, Reached};

const CHECK: &str = "portal";

impl Doctor<'_> {
    pub(super) async fn portal(&self) -> Vec<Finding> {
        let names = [
            "TANYA_PORTAL_URL",
            "TANYA_PORTAL_TOKEN",
            "TANYA_PORTAL_LINK_HOSTS",
        ];
        if names.iter().any(|name| self.is_unset(name)) {
            return Vec::new();
        }
        let PortalSettings::At {
            url,
            token,
            link_hosts,
        } = &self.settings.portal
        else {
            return vec![Finding::ok(
                CHECK,
                "none: officers do what it would (manual mode)",
            )];
        };
        let portal = Portal::new(url, token.clone(), link_hosts.clone(), self.clock.clone());
        let Ok(portal) = portal else {
            return vec![Finding::wrong(
                CHECK,
                "no line can be made",
                "see TANYA_PORTAL_URL",
            )];
        };
        match portal.examine().await {
            Reached::Works { time } => {
                let mut findings = vec![Finding::ok(CHECK, "it answers, and takes the token")];
                let time = time.map(|time| self.skew("clock", "the portal's clock", time));
                findings.extend(time);
                findings
            }
            Reached::Unproven => vec![Finding::wrong(
                CHECK,
                "it does not take the token",
                "set TANYA_PORTAL_TOKEN to the one that the portal's owner gave",
            )],
            Reached::Strange(status) => vec![Finding::wrong(
                CHECK,
                format!("it answers {status} to /v1/status, which is not as agreed"),
                "see TANYA_PORTAL_URL, and ask the portal's owner: docs/portal-api.yaml",
            )],
            Reached::Down => vec![Finding::wrong(
                CHECK,
                "it cannot be reached",
                "see that TANYA_PORTAL_URL is right, and that the firewall lets this machine through",
            )],
        }
    }
}

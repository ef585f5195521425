//! The settings that say how the two systems are looked at, and when people's words make an incident.

use url::Url;

use super::reader::Reader;
use crate::incident::Rules;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

impl Reader {
    pub(super) fn incident_rules(&mut self) -> Rules {
        let usual = Rules::default();
        let rules = Rules {
            sistem_url: self.site("SISTEM_URL"),
            portal_url: self.site("PORTAL_SITE_URL"),
            every: self.span("STATUS_EVERY_S", SECOND, usual.every),
            down_after: self.span("STATUS_DOWN_AFTER", 1, usual.down_after),
            up_after: self.span("STATUS_UP_AFTER", 1, usual.up_after),
            fresh: self.span("STATUS_FRESH_MINUTES", MINUTE, usual.fresh),
            people: self.count("INCIDENT_PEOPLE", usual.people),
            within: self.span("INCIDENT_MINUTES", MINUTE, usual.within),
            per_network: self.count("INCIDENT_PER_NETWORK", usual.per_network),
            cooldown: self.span("INCIDENT_COOLDOWN_MINUTES", MINUTE, usual.cooldown),
        };
        // What was seen must still count when the next look comes, even if that comes late.
        if rules.fresh < 2 * rules.every + 20 * SECOND {
            self.problems.push(
                "TANYA_STATUS_FRESH_MINUTES must be more than twice TANYA_STATUS_EVERY_S"
                    .to_owned(),
            );
        }
        rules
    }

    /// An address that is looked at: without user or password, since what it answers is not kept anyway.
    pub(super) fn site(&mut self, name: &str) -> Option<Url> {
        let text = self.text(name)?;
        let url = Url::parse(&text).ok();
        let url = url.filter(|url| {
            let known = matches!(url.scheme(), "https" | "http");
            known && url.username().is_empty() && url.password().is_none()
        });
        if url.is_none() {
            self.problems.push(format!(
                "TANYA_{name} must be an http or https address without user and password"
            ));
        }
        url
    }
}

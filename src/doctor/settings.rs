//! What can be told from the settings alone.

use super::{Doctor, Finding};
use crate::config::TelegramMode;

const CHECK: &str = "settings";

impl Doctor<'_> {
    pub(super) fn settings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for problem in self.problems {
            let repair = "`tanya serve` does not start like this: docs/operations.md, \"Settings\"";
            findings.push(Finding::wrong(CHECK, problem, repair));
        }
        for warning in &self.settings.warnings {
            let repair = "nobody reads it: mend its name, or remove it";
            findings.push(Finding::warning(CHECK, warning, repair));
        }
        if self.problems.is_empty() {
            findings.push(Finding::ok(CHECK, "complete"));
            findings.push(Finding::ok(
                "secret files",
                "none can be read by others on this machine",
            ));
        }
        if !self.is_unset("TANYA_SECRET_KEY") {
            findings.push(self.key());
        }
        findings.extend(self.addresses());
        findings.extend(self.proxies());
        findings
    }

    fn key(&self) -> Finding {
        let changing = self.settings.secret_key.as_ref();
        if changing.is_some_and(crate::secret::SecretKey::has_old) {
            return Finding::warning(
                "secret key",
                "32 bytes or more, not plain; a change is under way",
                "`tanya rekey`, then take TANYA_SECRET_KEY_OLD out, an hour after the last start with the new key",
            );
        }
        if let Some(telegram) = &self.settings.telegram
            && let TelegramMode::Webhook { old: Some(_), .. } = telegram.mode
        {
            return Finding::warning(
                "secret key",
                "32 bytes or more, not plain; the webhook still takes the secret from before",
                "take TANYA_TELEGRAM_WEBHOOK_SECRET_OLD out once all processes run with the new one",
            );
        }
        Finding::ok("secret key", "32 bytes or more, not plain")
    }

    fn addresses(&self) -> Vec<Finding> {
        const CHECK: &str = "addresses";
        let names = [
            "TANYA_QUEUE_TEKNIKAL_EMAIL",
            "TANYA_QUEUE_NAZIRAN_EMAIL",
            "TANYA_QUEUE_HELPDESK_EMAIL",
            "TANYA_SUPERVISOR_EMAIL",
            "TANYA_MAIL_FROM",
        ];
        if names.iter().any(|name| self.is_unset(name)) {
            return Vec::new();
        }
        let mut findings = Vec::new();
        if self.settings.mail_from.contains("@localhost") {
            findings.push(Finding::warning(
                CHECK,
                "mails come from an address at localhost, which servers refuse",
                "set TANYA_MAIL_FROM",
            ));
        }
        let offices = &self.settings.offices;
        if offices.supervisor == offices.helpdesk {
            findings.push(Finding::warning(
                CHECK,
                "the end of the audit record is mailed to the helpdesk",
                "set TANYA_SUPERVISOR_EMAIL to somebody who cannot change the database",
            ));
        }
        if findings.is_empty() {
            findings.push(Finding::ok(CHECK, "each queue and the supervisor have one"));
        }
        findings
    }

    /// TLS ends before us: where people come over https there is a proxy.
    fn proxies(&self) -> Option<Finding> {
        const CHECK: &str = "trusted proxies";
        let secure = self.settings.public_url.as_ref();
        if secure.is_none_or(|url| url.scheme() != "https") {
            return None;
        }
        if self.settings.trusted_proxies.is_empty() {
            return Some(Finding::warning(
                CHECK,
                "none, though people come over https, which a proxy must end: all of them count as one network",
                "put the proxy's address into TANYA_TRUSTED_PROXIES",
            ));
        }
        let count = self.settings.trusted_proxies.len();
        Some(Finding::ok(CHECK, format!("{count} networks")))
    }
}

//! Telegram: whether the token is good, and whether updates come the way that the settings say.

use super::{Doctor, Finding};
use crate::config::{TelegramMode, TelegramSettings};
use crate::telegram::examine::{Examined, examine};
use crate::telegram::webhook_url;

const CHECK: &str = "telegram";
/// So many updates that wait at Telegram are worth a look.
const MANY: u32 = 100;

impl Doctor<'_> {
    pub(super) async fn telegram(&self) -> Vec<Finding> {
        let Some(settings) = &self.settings.telegram else {
            return vec![Finding::ok(CHECK, "off: there is no TANYA_TELEGRAM_TOKEN")];
        };
        if self.is_unset("TANYA_TELEGRAM_TOKEN") || self.is_unset("TANYA_TELEGRAM_API_URL") {
            return Vec::new();
        }
        match examine(settings).await {
            Ok(examined) => {
                let mut findings =
                    vec![Finding::ok(CHECK, format!("the bot is @{}", examined.name))];
                findings.extend(self.way(settings, &examined));
                findings
            }
            Err("token") => vec![Finding::wrong(
                CHECK,
                "Telegram does not know the token",
                "set the one that @BotFather gave",
            )],
            Err(why) => vec![Finding::wrong(
                CHECK,
                format!("Telegram does not answer ({why})"),
                "see that this machine reaches api.telegram.org, or TANYA_TELEGRAM_API_URL",
            )],
        }
    }

    /// How updates come.
    fn way(&self, settings: &TelegramSettings, examined: &Examined) -> Vec<Finding> {
        let mut findings = Vec::new();
        let public = self.settings.public_url.as_ref();
        let own = public.map(|url| webhook_url(url.as_str().trim_end_matches('/')));
        match &settings.mode {
            TelegramMode::Polling if examined.hook.is_empty() => {
                findings.push(Finding::ok(CHECK, "updates are fetched"));
            }
            TelegramMode::Polling => findings.push(Finding::warning(
                CHECK,
                format!("updates are to be fetched, but a webhook is set at {}", host_of(&examined.hook)),
                "`tanya serve` takes it away when it starts; see that no other installation uses this bot",
            )),
            TelegramMode::Webhook { .. } if Some(&examined.hook) == own.as_ref() => {
                findings.push(Finding::ok(CHECK, format!("updates are brought to {}", examined.hook)));
            }
            TelegramMode::Webhook { .. } => findings.push(Finding::warning(
                CHECK,
                if examined.hook.is_empty() {
                    "no webhook is set".to_owned()
                } else {
                    format!("updates are brought elsewhere, to {}", host_of(&examined.hook))
                },
                "`tanya serve` sets it when it starts; see that no other installation uses this bot",
            )),
        }
        if let Some(error) = &examined.last_error {
            findings.push(Finding::warning(
                CHECK,
                format!("the last update could not be brought: {error}"),
                "see that TANYA_PUBLIC_URL can be reached from the internet with a certificate that is trusted",
            ));
        }
        if examined.pending > MANY {
            findings.push(Finding::warning(
                CHECK,
                format!("{} updates wait at Telegram", examined.pending),
                "see that a process with TANYA_ROLE all or worker runs",
            ));
        }
        findings
    }
}

/// The host of an address alone: other programs' addresses may hold a token.
fn host_of(address: &str) -> String {
    let url = url::Url::parse(address).ok();
    let host = url.as_ref().and_then(url::Url::host_str);
    host.unwrap_or("an address that cannot be read").to_owned()
}

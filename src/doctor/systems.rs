//! The addresses of the two systems, where the settings name them: whether they answer from this machine. What is wrong
//! there is no fault of this program's, and is told to people as an outage; so it is only worth a look.

use std::time::Duration;

use url::Url;

use super::{Doctor, Finding};
use crate::http_client;

const CHECK: &str = "systems";
/// How long one may take.
const WHOLE: Duration = Duration::from_secs(4);

impl Doctor<'_> {
    pub(super) async fn systems(&self) -> Vec<Finding> {
        let rules = &self.settings.incidents;
        let sites = [
            ("TANYA_SISTEM_URL", &rules.sistem_url),
            ("TANYA_PORTAL_SITE_URL", &rules.portal_url),
        ];
        let looks = sites.into_iter().map(async |(name, url)| match url {
            Some(url) if !self.is_unset(name) => Some(look_at(name, url).await),
            Some(_) | None => None,
        });
        let found = futures_util::future::join_all(looks).await;
        found.into_iter().flatten().collect()
    }
}

async fn look_at(name: &'static str, url: &Url) -> Finding {
    match ask(url).await {
        Ok(status) if status < 500 => Finding::ok(CHECK, format!("{name} answers")),
        Ok(status) => Finding::warning(
            CHECK,
            format!("{name} answers {status}"),
            "the system is out of order, or the address is not its own",
        ),
        Err(_) => Finding::warning(
            CHECK,
            format!("{name} does not answer from this machine"),
            "see that the firewall lets this machine through: people are told that the system is down",
        ),
    }
}

async fn ask(url: &Url) -> Result<u16, reqwest::Error> {
    let client = http_client::builder(WHOLE, WHOLE).build()?;
    let answer = client.get(url.clone()).send().await?;
    Ok(answer.status().as_u16())
}

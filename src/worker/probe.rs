//! Looks at the addresses of the two systems: whether somebody answers, and that it is no fault of the server's. Nothing of
//! what is answered is read.

use std::time::Duration;

use reqwest::Client;
use url::Url;

use crate::http_client;
use crate::incident::{Health, Rules, Seen, Source, System};

/// How long a connection, and a whole look, may take.
const CONNECT: Duration = Duration::from_secs(4);
const WHOLE: Duration = Duration::from_secs(8);

/// What looks at the addresses.
pub struct Probes {
    client: Client,
    sites: Vec<(System, Url)>,
}

impl Probes {
    /// Of the addresses that the settings name.
    pub fn new(rules: &Rules) -> Result<Self, reqwest::Error> {
        let sites = [
            (System::Sistem, &rules.sistem_url),
            (System::Portal, &rules.portal_url),
        ];
        let sites = sites.into_iter();
        Ok(Self {
            client: http_client::builder(CONNECT, WHOLE).build()?,
            sites: sites
                .filter_map(|(system, url)| Some((system, url.clone()?)))
                .collect(),
        })
    }

    /// Whether there is nothing to look at.
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// Looks once at each.
    pub async fn look(&self) -> Vec<(System, Seen)> {
        let looks = self.sites.iter().map(async |(system, url)| {
            let health = self.look_at(url).await;
            let seen = Seen {
                source: Source::Probe,
                health,
                note: String::new(),
            };
            (*system, seen)
        });
        futures_util::future::join_all(looks).await
    }

    async fn look_at(&self, url: &Url) -> Health {
        let answer = self.client.get(url.clone()).send().await;
        match answer {
            Ok(answer) if !answer.status().is_server_error() => Health::Up,
            Ok(_) | Err(_) => Health::Down,
        }
    }
}

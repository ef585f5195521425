//! How much one network and one chat may ask for. What must hold over all processes is counted in the database, under
//! names that do not tell an address.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::{IpNet, Ipv6Net};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::WebState;
use super::error::Refusal;
use crate::clock::Clock;
use crate::identity::AskingNetwork;
use crate::secret::{RandomKey, SecretKey};
use crate::storage::Store;
use crate::storage::pace::{self, Rate};

/// An office shares an address: what holds for one network is this many times wider there.
pub const OFFICE_FACTOR: usize = 10;
/// Pictures that one network may send in an hour.
const PICTURES: usize = 30;
/// Pictures whose bodies one process reads at the same time: each may take five megabytes.
const UPLOADS: usize = 16;
/// One household or phone has this much of the IPv6 addresses.
const IPV6_PREFIX: u8 = 56;

/// The limits and what they are counted with.
pub struct WebLimits {
    /// The database, where limits are shared.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Clock,
    /// Signs what a page's button brings back.
    pub secret_key: SecretKey,
    /// Names networks without telling them.
    pub names: RandomKey,
    /// Networks that share an address.
    pub office_networks: Vec<IpNet>,
    /// Proxies whose forwarded-for header is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// New chats in an hour from one network.
    pub new_chats: usize,
    /// Open streams of one chat in this process.
    pub streams: Streams,
    /// Pictures that are being read in this process.
    pub uploads: Uploads,
}

impl WebLimits {
    /// Takes one of a network's new chats.
    pub async fn admit_chat(&self, network: &Network) -> Result<(), Refusal> {
        self.admit(network, ("new-chat", "new_chats"), self.new_chats)
            .await
    }

    /// Takes one of a network's pictures.
    pub async fn admit_picture(&self, network: &Network) -> Result<(), Refusal> {
        self.admit(network, ("picture", "pictures"), PICTURES).await
    }

    async fn admit(
        &self,
        network: &Network,
        (key, limit): (&str, &'static str),
        an_hour: usize,
    ) -> Result<(), Refusal> {
        let factor = if network.office { OFFICE_FACTOR } else { 1 };
        let rate = Rate::an_hour(an_hour.saturating_mul(factor));
        let name = self.name(network);
        let mut transaction = self.store.begin().await?;
        let key = format!("{key} {name}");
        let wait = pace::take(&mut transaction, &key, rate, self.clock.now()).await?;
        transaction.commit().await?;
        if wait == 0 {
            return Ok(());
        }
        metrics::counter!("tanya_limited_total", "limit" => limit).increment(1);
        Err(Refusal::slow_down(Duration::from_millis(
            wait.unsigned_abs(),
        )))
    }

    /// A network, as limits on proofs count it.
    pub fn asking(&self, network: &Network) -> AskingNetwork {
        AskingNetwork {
            name: self.name(network),
            factor: if network.office { OFFICE_FACTOR } else { 1 },
        }
    }

    fn name(&self, network: &Network) -> String {
        self.names.sign(&format!("network {}", network.prefix))
    }

    /// Counts a stream of a chat.
    pub fn admit_stream(&self, conversation_id: &str) -> StreamPlace {
        self.streams.admit(conversation_id)
    }
}

/// The network that a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    prefix: String,
    office: bool,
}

/// Extracts the client's network.
pub struct ClientNetwork(pub Network);

impl FromRequestParts<WebState> for ClientNetwork {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
        let limits = &state.limits;
        let client = client_of(peer, &parts.headers, &limits.trusted_proxies);
        Ok(Self(network_of(client, &limits.office_networks)))
    }
}

fn is_in(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// Who is at the other end: the peer, or behind trusted proxies the last address that none of them added.
fn client_of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer.to_canonical();
    let values = headers.get_all("x-forwarded-for").iter();
    let hops: Vec<&str> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    for hop in hops.iter().rev() {
        if !is_in(trusted, client) {
            break;
        }
        match hop.parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

fn network_of(client: IpAddr, offices: &[IpNet]) -> Network {
    let prefix = match client {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Net::new(address, IPV6_PREFIX)
            .map_or_else(|_| address.to_string(), |net| net.trunc().to_string()),
    };
    Network {
        prefix,
        office: is_in(offices, client),
    }
}

/// The places for pictures that are being read.
#[derive(Clone, Debug)]
pub struct Uploads(Arc<Semaphore>);

impl Default for Uploads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(UPLOADS)))
    }
}

impl Uploads {
    /// A place, if one is free; given back when it is dropped.
    pub fn admit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }
}

/// The open streams of chats: when one has too many, its oldest goes, which is most likely a dead one.
#[derive(Clone, Debug)]
pub struct Streams {
    most: usize,
    open: Arc<Mutex<HashMap<String, VecDeque<CancellationToken>>>>,
}

impl Streams {
    /// So many at most for one chat.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            open: Arc::default(),
        }
    }

    fn admit(&self, conversation_id: &str) -> StreamPlace {
        let place = StreamPlace {
            conversation_id: conversation_id.to_owned(),
            displaced: CancellationToken::new(),
            streams: self.clone(),
        };
        let mut open = self.lock();
        let streams = open.entry(conversation_id.to_owned()).or_default();
        streams.push_back(place.displaced.clone());
        metrics::gauge!("tanya_streams").increment(1.0);
        while streams.len() > self.most {
            if let Some(oldest) = streams.pop_front() {
                oldest.cancel();
            }
        }
        place
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, VecDeque<CancellationToken>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream's place; given back when it goes.
#[derive(Debug)]
pub struct StreamPlace {
    conversation_id: String,
    displaced: CancellationToken,
    streams: Streams,
}

impl StreamPlace {
    /// Waits until a newer stream takes this place.
    pub async fn displaced(&self) {
        self.displaced.cancelled().await;
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        metrics::gauge!("tanya_streams").decrement(1.0);
        // Whoever was displaced is not among them any more; the token tells which one it is.
        self.displaced.cancel();
        let mut open = self.streams.lock();
        if let Some(streams) = open.get_mut(&self.conversation_id) {
            streams.retain(|stream| !stream.is_cancelled());
            if streams.is_empty() {
                open.remove(&self.conversation_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn ac_08_only_trusted_proxies_say_who_it_is() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let stranger: IpAddr = "203.0.113.9".parse().unwrap();
        let client =
            |peer, values: &[&str]| client_of(peer, &headers(values), &trusted).to_string();
        assert_eq!(client(stranger, &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client(proxy, &["198.51.100.1"]), "198.51.100.1");
        // What the client itself wrote stands before what the proxy added.
        assert_eq!(client(proxy, &["1.2.3.4, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            client(proxy, &["1.2.3.4", "198.51.100.1, 10.9.9.9"]),
            "198.51.100.1"
        );
        assert_eq!(client(proxy, &["<b>x</b>"]), "10.0.0.1");
        assert_eq!(client(proxy, &[]), "10.0.0.1");
    }

    #[test]
    fn ac_08_a_household_cannot_pass_for_many_by_its_addresses() {
        let network = |address: &str| network_of(address.parse().unwrap(), &[]).prefix;
        assert_eq!(
            network("2001:db8:0:1200::1"),
            network("2001:db8:0:12ff:ffff::9")
        );
        assert_ne!(network("2001:db8:0:1200::1"), network("2001:db8:0:1300::1"));
        assert_ne!(network("198.51.100.1"), network("198.51.100.2"));
    }

    #[tokio::test]
    async fn the_oldest_of_too_many_streams_goes() {
        let streams = Streams::new(2);
        let first = streams.admit("a");
        let second = streams.admit("a");
        let other = streams.admit("b");
        let _third = streams.admit("a");
        first.displaced().await;
        assert!(!second.displaced.is_cancelled() && !other.displaced.is_cancelled());
        drop(second);
        let _fourth = streams.admit("a");
        assert!(!_third.displaced.is_cancelled());
    }
}

//! The accept loop. `axum::serve` waits for a request's head for ever; this one has deadlines for the first byte and
//! for the head, bounds on connections, and a stop that finishes what was accepted.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::limit::OFFICE_FACTOR;
use crate::config::Limits;

/// How long connections stay open for what was sent before the stop.
const LAST_CALL: Duration = Duration::from_millis(100);
/// The largest head of a request, in bytes.
const MAX_HEAD: usize = 32 * 1024;

/// One listener's bounds.
#[derive(Clone)]
pub struct Server {
    app: Router,
    limits: Limits,
    office_networks: Vec<IpNet>,
    trusted_proxies: Vec<IpNet>,
    places: Arc<Semaphore>,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Server {
    /// A server for `app`. Connections of trusted proxies count for all and are bounded over all only.
    pub fn new(
        app: Router,
        limits: Limits,
        office_networks: Vec<IpNet>,
        trusted_proxies: Vec<IpNet>,
    ) -> Self {
        let places = Arc::new(Semaphore::new(limits.connections));
        Self {
            app,
            limits,
            office_networks,
            trusted_proxies,
            places,
            by_address: Arc::default(),
        }
    }

    /// Serves until `stop`, then finishes what was accepted, for as long as the limits say.
    pub async fn run(self, listener: TcpListener, stop: CancellationToken) {
        let tracker = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => match self.admit(peer.ip()) {
                    Some(place) => {
                        tracker.spawn(self.clone().serve(stream, peer, place, stop.clone()));
                    }
                    None => metrics::counter!("tanya_connections_refused_total").increment(1),
                },
                Err(error) => {
                    // Out of file descriptors, most likely: others must first go.
                    tracing::error!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(listener);
        tracker.close();
        if tokio::time::timeout(self.limits.shutdown, tracker.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                connections = tracker.len(),
                "connections were cut off at the stop"
            );
        }
    }

    fn admit(&self, address: IpAddr) -> Option<Place> {
        // On a listener for both families an IPv4 peer comes as a mapped IPv6 address.
        let address = address.to_canonical();
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        let bound = if is_in(&self.trusted_proxies) {
            usize::MAX
        } else if is_in(&self.office_networks) {
            self.limits
                .connections_per_address
                .saturating_mul(OFFICE_FACTOR)
        } else {
            self.limits.connections_per_address
        };
        let mut by_address = self
            .by_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = by_address.entry(address).or_default();
        if *count >= bound {
            return None;
        }
        *count += 1;
        metrics::gauge!("tanya_connections").increment(1.0);
        Some(Place {
            _permit: permit,
            address,
            by_address: Arc::clone(&self.by_address),
        })
    }

    async fn serve(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        _place: Place,
        stop: CancellationToken,
    ) {
        let first = tokio::time::timeout(self.limits.first_byte, stream.readable());
        // Who has said something is heard, also when the stop comes at the same moment.
        let first = tokio::select! {
            biased;
            first = first => first,
            () = stop.cancelled() => return,
        };
        if !matches!(first, Ok(Ok(()))) || stream.set_nodelay(true).is_err() {
            return;
        }
        let app = self.app;
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            app.clone().oneshot(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // A connection that breaks is the other side's affair; nothing is left to tell it.
        let stopping = async {
            stop.cancelled().await;
            // A request may be on its way into a connection that is idle now: it is read first.
            tokio::time::sleep(LAST_CALL).await;
        };
        let finished = tokio::select! {
            result = connection.as_mut() => { let _ = result; true }
            () = stopping => false,
        };
        if !finished {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// A connection's place; given back when it goes.
struct Place {
    _permit: OwnedSemaphorePermit,
    address: IpAddr,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("tanya_connections").decrement(1.0);
        let mut by_address = self
            .by_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

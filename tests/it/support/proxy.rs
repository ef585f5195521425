//! What stands between the program and others: a proxy that cuts every connection after a while, as those of offices
//! do, and a gate that is shut and opened.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// Forwards to `to`, and cuts each connection after `life`; returns where it listens.
pub async fn cutting(to: SocketAddr, life: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut to) = TcpStream::connect(to).await {
                    let forwarded = tokio::io::copy_bidirectional(&mut from, &mut to);
                    // Either side may have gone before.
                    let _ = tokio::time::timeout(life, forwarded).await;
                }
            });
        }
    });
    address
}

/// Forwards to somebody; shut, everybody who was through is cut off, and connections are refused.
pub struct Gate {
    pub address: SocketAddr,
    to: SocketAddr,
    state: State,
}

enum State {
    Open(CancellationToken, JoinHandle<()>),
    /// Bound and not listening, so that nobody else takes the port.
    Shut(TcpSocket),
}

impl Gate {
    /// An open one, on a free port.
    pub fn before(to: SocketAddr) -> Self {
        let socket = bound(SocketAddr::from(([127, 0, 0, 1], 0)));
        Self {
            address: socket.local_addr().unwrap(),
            to,
            state: opened(socket, to),
        }
    }

    pub async fn shut(&mut self) {
        let State::Open(stop, accepting) = &mut self.state else {
            panic!("it is shut");
        };
        stop.cancel();
        accepting.await.unwrap();
        self.state = State::Shut(bound(self.address));
    }

    pub fn open(&mut self) {
        let nobody = State::Open(CancellationToken::new(), tokio::spawn(async {}));
        let State::Shut(socket) = std::mem::replace(&mut self.state, nobody) else {
            panic!("it is open");
        };
        self.state = opened(socket, self.to);
    }
}

fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    // The connections that were cut still hold the port.
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

fn opened(socket: TcpSocket, to: SocketAddr) -> State {
    let listener = socket.listen(1024).unwrap();
    let stop = CancellationToken::new();
    State::Open(
        stop.clone(),
        tokio::spawn(async move {
            let mut through = JoinSet::new();
            while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
                let (mut from, _) = accepted.unwrap();
                through.spawn(async move {
                    let mut to = TcpStream::connect(to).await.unwrap();
                    // Either side may have gone before.
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                });
            }
            drop(listener);
            through.shutdown().await;
        }),
    )
}

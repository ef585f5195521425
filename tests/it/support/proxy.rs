//! A proxy that cuts every connection after a while, as those of offices do.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

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

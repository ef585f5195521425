//! `tanya simulator`: the portal's interface with invented people, for trying things out.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Outcome, Output};
use crate::clock::Clock;
use crate::config::Settings;
use crate::portal::simulator::Simulator;

pub fn run(settings: &Settings, addr: SocketAddr, token: &str, out: &mut Output) -> Outcome {
    if token.is_empty() {
        return Err(Failure::Usage("--token must not be empty".to_owned()));
    }
    let clock = Clock::shifted(settings.clock_offset_ms);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let listener = TcpListener::bind(addr).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let simulator = Simulator::new(token, &url, clock);
        out.say(&format!(
            "\n  The portal simulator is running at {url}\n\n    \
             Invented people   {url}/demo/people.json\n    \
             What it mailed    {url}/demo/mails.json\n    \
             Faults            PUT {url}/faults\n\n  \
             Everything here is a sample. Stop with Ctrl+C.\n"
        ));
        let stopped = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        axum::serve(listener, simulator.router())
            .with_graceful_shutdown(stopped)
            .await?;
        Ok(())
    })
}

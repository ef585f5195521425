//! A mail server as the program meets it: it speaks SMTP on loopback, refuses what a strict one refuses, and fails on
//! order. It keeps the mail in memory and passes nothing on; no TLS (the story with a foreign server has that).

mod mail;
mod session;
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

pub use mail::ReceivedMail;
use session::Session;

/// How long a story waits for mail that must come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where in the talk a fault stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The greeting.
    Connect,
    Ehlo,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// The answer to the whole message, after the line with the dot.
    Body,
    Quit,
}

/// What can go wrong there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 451; 421 for the greeting, 454 for AUTH.
    Temporary,
    /// 550; 554 for the greeting, 535 for AUTH.
    Permanent,
    /// Never answers and keeps the connection.
    Hang,
    /// Does it at once and answers after this time.
    Slow(Duration),
    /// Does nothing and closes the connection without an answer.
    Drop,
    /// Keeps the mail and closes the connection without an answer; only for `Verb::Body`.
    AcceptedThenDropped,
    /// Answers as a web server would.
    Garbage,
}

/// The server, as a story holds it; clones are the same server.
#[derive(Clone)]
pub struct MailServer {
    inner: Arc<Inner>,
}

struct Inner {
    address: SocketAddr,
    state: Mutex<State>,
    /// Tells those who wait to look again.
    arrived: Notify,
}

#[derive(Default)]
struct State {
    mails: Vec<ReceivedMail>,
    faults: Vec<Planned>,
    connections: usize,
    /// The passwords that are taken; nobody is asked for one if none.
    passwords: Vec<String>,
    running: Option<Running>,
    /// While it is paused: bound and not listening, so that nobody is let in and nobody else takes the port.
    kept: Option<TcpSocket>,
}

struct Running {
    stop: CancellationToken,
    accepting: JoinHandle<()>,
}

struct Planned {
    at: Verb,
    fault: Fault,
    /// How often it still happens; without end if none.
    times: Option<usize>,
}

impl MailServer {
    /// On a free port.
    pub async fn start() -> Self {
        let socket = bind((Ipv4Addr::LOCALHOST, 0).into());
        let server = Self {
            inner: Arc::new(Inner {
                address: socket.local_addr().unwrap(),
                state: Mutex::default(),
                arrived: Notify::new(),
            }),
        };
        server.state().kept = Some(socket);
        server.resume().await;
        server
    }

    /// Where the program is to send its mail.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.inner.address)
    }

    /// What was accepted, oldest first.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.state().mails.clone()
    }

    /// Waits until at least so many mails were accepted.
    pub async fn wait_for(&self, count: usize) -> Vec<ReceivedMail> {
        let enough = async {
            loop {
                let arrived = self.inner.arrived.notified();
                let mails = self.mails();
                if mails.len() >= count {
                    return mails;
                }
                arrived.await;
            }
        };
        match tokio::time::timeout(PATIENCE, enough).await {
            Ok(mails) => mails,
            Err(_) => panic!("never {count} mails; there are: {:#?}", self.mails()),
        }
    }

    /// From now on this goes wrong there, until it is cleared; what was planned first comes first.
    pub fn fault(&self, at: Verb, fault: Fault) {
        self.plan(at, fault, None);
    }

    /// The next so many times this goes wrong there.
    pub fn fault_times(&self, at: Verb, fault: Fault, times: usize) {
        self.plan(at, fault, Some(times));
    }

    fn plan(&self, at: Verb, fault: Fault, times: Option<usize>) {
        assert!(
            fault != Fault::AcceptedThenDropped || at == Verb::Body,
            "there is no mail to keep at {at:?}"
        );
        self.state().faults.push(Planned { at, fault, times });
    }

    /// Forgets every fault that was planned; a talk that hangs goes on hanging.
    pub fn clear(&self) {
        self.state().faults.clear();
    }

    /// From now on takes mail only from those who sign in with one of these passwords.
    pub fn takes(&self, passwords: &[&str]) {
        let passwords = passwords.iter().map(|it| (*it).to_owned()).collect();
        self.state().passwords = passwords;
    }

    /// Whether this password, or none, is as good as any that is taken.
    fn lets_in(&self, password: Option<&str>) -> bool {
        let taken = &self.state().passwords;
        taken.is_empty() || taken.iter().any(|it| Some(it.as_str()) == password)
    }

    /// Whether everything that was planned for so many times has gone wrong as often.
    pub fn is_spent(&self) -> bool {
        let state = self.state();
        state.faults.iter().all(|it| it.times == Some(0))
    }

    /// How many connections were ever opened.
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    /// Closes the door and every connection: from now on connections are refused.
    pub async fn pause(&self) {
        let running = self.state().running.take().expect("it runs");
        running.stop.cancel();
        running.accepting.await.unwrap();
        self.state().kept = Some(bind(self.inner.address));
    }

    /// Opens again on the same port.
    pub async fn resume(&self) {
        let socket = self.state().kept.take().expect("it is paused");
        let listener = socket.listen(1024).unwrap();
        let stop = CancellationToken::new();
        let accepting = tokio::spawn(accept(self.clone(), listener, stop.clone()));
        self.state().running = Some(Running { stop, accepting });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap()
    }

    fn keep(&self, mail: ReceivedMail) {
        self.state().mails.push(mail);
        self.inner.arrived.notify_waiters();
    }

    /// The fault that stands here now, and counts it.
    fn next_fault(&self, at: Verb) -> Option<Fault> {
        let mut state = self.state();
        let planned = |planned: &Planned| planned.at == at && planned.times != Some(0);
        let place = state.faults.iter().position(planned)?;
        let planned = &mut state.faults[place];
        planned.times = planned.times.map(|times| times - 1);
        Some(planned.fault)
    }
}

fn bind(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    // The closed connections of the last run still hold the port.
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

async fn accept(server: MailServer, listener: TcpListener, stop: CancellationToken) {
    let mut sessions = JoinSet::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let (stream, _) = accepted.unwrap();
        server.state().connections += 1;
        sessions.spawn(Session::new(server.clone(), stream).run());
    }
    drop(listener);
    sessions.shutdown().await;
}

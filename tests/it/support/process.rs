//! The program as a process of its own, which can be killed.

use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// A running `tanya demo` on ports that stay the same over restarts.
pub struct Process {
    child: Child,
    settings: Vec<(String, String)>,
    pub http_addr: SocketAddr,
    pub admin_addr: SocketAddr,
}

/// An address that nobody listens on, and nobody else gets before it is used: the ports from which the system gives to
/// whoever connects somewhere begin higher up.
pub fn vacant() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test programs that run side by side have ids that follow each other.
    let first = u16::try_from(std::process::id().wrapping_mul(61) % 8_000).unwrap();
    loop {
        let port = 12_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 16_000;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

impl Process {
    /// Starts it in a folder, with these settings on top, and waits until it is ready.
    pub async fn start(folder: &Path, more: &[(&str, &str)]) -> Self {
        Self::start_of(program(), folder, more).await
    }

    /// The same of the version before this one, if `TANYA_TEST_PROGRAM_BEFORE` names one; started again it is this one.
    pub async fn start_before(folder: &Path, more: &[(&str, &str)]) -> Self {
        let before = std::env::var_os("TANYA_TEST_PROGRAM_BEFORE");
        Self::start_of(before.unwrap_or_else(program), folder, more).await
    }

    async fn start_of(program: OsString, folder: &Path, more: &[(&str, &str)]) -> Self {
        let (http_addr, admin_addr) = (vacant(), vacant());
        let none = folder.join("tanya.toml");
        std::fs::write(&none, "").unwrap();
        let mut settings = vec![
            ("TANYA_HTTP_ADDR".to_owned(), http_addr.to_string()),
            ("TANYA_ADMIN_ADDR".to_owned(), admin_addr.to_string()),
            ("TANYA_SECRET_KEY".to_owned(), super::SECRET_KEY.to_owned()),
            ("TANYA_LOG".to_owned(), "error".to_owned()),
            ("TANYA_SIMULATOR_ADDR".to_owned(), vacant().to_string()),
        ];
        settings.extend(more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let child = spawn(program, &settings, folder);
        let mut process = Self {
            child,
            settings,
            http_addr,
            admin_addr,
        };
        process.until_ready().await;
        process
    }

    /// Kills it, as a power cut would, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, as whoever restarts it does, and waits until it has.
    pub fn terminate(&mut self) {
        let mut kill = Command::new("kill");
        let asked = kill.arg("-TERM").arg(self.child.id().to_string()).status();
        assert!(asked.unwrap().success());
        assert!(self.child.wait().unwrap().success(), "it did not end well");
    }

    /// Starts it again.
    pub async fn again(&mut self, folder: &Path) {
        self.child = spawn(program(), &self.settings, folder);
        self.until_ready().await;
    }

    /// The value of a figure without labels, if it is there.
    pub async fn figure(&self, name: &str) -> Option<f64> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}/metrics", self.admin_addr);
        let figures = client.get(url).send().await.unwrap().text().await.unwrap();
        let mut lines = figures.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    async fn until_ready(&mut self) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let begun = Instant::now();
        loop {
            let url = format!("http://{}/readyz", self.admin_addr);
            let ready = client.get(url).timeout(Duration::from_secs(2)).send().await;
            if ready.is_ok_and(|response| response.status() == 200) {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended: {ended:?}");
            assert!(begun.elapsed() < Duration::from_secs(90), "never ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(program: OsString, settings: &[(String, String)], folder: &Path) -> Child {
    let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (&**n, &**v)).collect();
    let mut command = command(program, folder, &["demo"], &settings);
    command.spawn().unwrap()
}

/// The one that was built with the tests, or the one that `TANYA_TEST_PROGRAM` names.
fn program() -> OsString {
    let named = std::env::var_os("TANYA_TEST_PROGRAM");
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_tanya").into())
}

/// The program with these arguments and settings, and no others.
pub fn tanya(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
    command(program(), folder, arguments, settings)
}

fn command(
    program: OsString,
    folder: &Path,
    arguments: &[&str],
    settings: &[(&str, &str)],
) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TANYA_")) {
        command.env_remove(name);
    }
    command
        .envs(settings.iter().copied())
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    command
}

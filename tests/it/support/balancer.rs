//! HAProxy with the configuration that is shipped.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::process::{Process, vacant};

/// What names the program.
const HAPROXY: &str = "TANYA_TEST_HAPROXY";

/// A load balancer before three processes.
pub struct Balancer {
    child: Child,
    pub addr: SocketAddr,
}

impl Balancer {
    /// Whether there is a HAProxy; where everything must run, there must be.
    pub fn is_there() -> bool {
        let there = std::env::var_os(HAPROXY).is_some();
        assert!(
            there || std::env::var_os("CI").is_none(),
            "{HAPROXY} is not set, and here everything must run"
        );
        if !there {
            eprintln!("skipped: {HAPROXY} is not set (scripts/test sets it)");
        }
        there
    }

    /// Stands before these processes.
    pub async fn start(processes: &[Process; 3]) -> Self {
        let addr = vacant();
        let mut command = Command::new(std::env::var_os(HAPROXY).unwrap());
        command.args(["-db", "-f", "deploy/haproxy/haproxy.cfg"]);
        command.env("TANYA_BALANCER_ADDR", addr.to_string());
        for (name, process) in ["ONE", "TWO", "THREE"].into_iter().zip(processes) {
            let admin = process.admin_addr.port().to_string();
            command.env(format!("TANYA_{name}"), process.http_addr.to_string());
            command.env(format!("TANYA_{name}_ADMIN"), admin);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = child.stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(addr).await.is_err() {
            assert!(begun.elapsed() < Duration::from_secs(10), "never there");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { child, addr }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

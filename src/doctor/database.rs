//! The database: whether it is there, of the right version, to be written to; and the room where it lies.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Doctor, Finding};
use crate::storage::health::{self, Health, Schema};

const CHECK: &str = "database";
/// Less room than this, in bytes, is wrong; less than ten times that is worth a look.
const LEAST: u64 = 200 * 1024 * 1024;

impl Doctor<'_> {
    pub(super) async fn database(&self) -> Vec<Finding> {
        if self.is_unset("TANYA_DATABASE_URL") {
            return Vec::new();
        }
        let url = &self.settings.database_url;
        let file = health::file(url);
        let mut findings = Vec::new();
        if let Some(file) = &file {
            findings.extend(room(file));
            if !file.exists() {
                let found = format!("{} is not there yet", file.display());
                let repair = "the first `tanya serve` makes it; if there was one, see that this is the right path";
                findings.push(Finding::warning(CHECK, found, repair));
                return findings;
            }
        }
        match health::examine(url).await {
            Ok(health) => {
                findings.push(schema(&health));
                findings.extend(writable(&health));
                if file.is_none() {
                    findings.push(dumps().await);
                }
                if let Some(time) = health.time {
                    findings.push(self.skew("clock", "the database's clock", time));
                }
            }
            Err(error) => findings.push(Finding::wrong(
                CHECK,
                format!("it cannot be opened: {error}"),
                "see that it runs, and that TANYA_DATABASE_URL has the right host, name, user and password",
            )),
        }
        findings
    }
}

fn schema(health: &Health) -> Finding {
    let version = health.version;
    match health.schema {
        Schema::Current => Finding::ok(
            CHECK,
            format!("it answers; schema {version}, as it should be"),
        ),
        Schema::Empty => Finding::ok(
            CHECK,
            "it answers, and is empty: `tanya serve` makes its tables",
        ),
        Schema::Older(missing) => Finding::warning(
            CHECK,
            format!("it answers; schema {version} lacks {missing} steps"),
            "make a backup, then start `tanya serve`, which takes the steps",
        ),
        Schema::Newer => Finding::wrong(
            CHECK,
            format!("schema {version} was made by a newer Tanya than this"),
            "run the newer program; this one refuses to start on it",
        ),
        Schema::Broken => Finding::wrong(
            CHECK,
            format!("schema {version} is not as this program's steps make it, or a step broke off"),
            "restore the backup from before the upgrade, and try again",
        ),
    }
}

/// Whether a PostgreSQL can be backed up from this machine.
async fn dumps() -> Finding {
    let asked = || Command::new("pg_dump").arg("--version").output();
    let version = tokio::task::spawn_blocking(asked).await;
    match version {
        Ok(Ok(said)) if said.status.success() => {
            let said = String::from_utf8_lossy(&said.stdout);
            Finding::ok(
                CHECK,
                format!("it can be backed up from here: {}", said.trim()),
            )
        }
        Ok(_) | Err(_) => Finding::warning(
            CHECK,
            "there is no pg_dump here: `tanya backup` does not work on this machine",
            "install postgresql-client of the server's version, or back up where it is",
        ),
    }
}

fn writable(health: &Health) -> Option<Finding> {
    (!health.writable).then(|| {
        Finding::wrong(
            CHECK,
            "it cannot be written to",
            "give this program's user the right to write, and to make tables",
        )
    })
}

fn room(file: &Path) -> Option<Finding> {
    const CHECK: &str = "disk";
    let folder = first_there(file)?;
    let shown = folder.display();
    let disk = rustix::fs::statvfs(&folder).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let found = format!("{} MiB free in {shown}", free / (1024 * 1024));
    Some(if free < LEAST {
        Finding::wrong(
            CHECK,
            found,
            "make room: nothing is accepted when it is full",
        )
    } else if free < 10 * LEAST {
        Finding::warning(CHECK, found, "make room, or have an eye on it")
    } else {
        Finding::ok(CHECK, found)
    })
}

/// The folder of a file, or the first one above it that is there.
fn first_there(file: &Path) -> Option<PathBuf> {
    let mut folders = file.ancestors().skip(1).map(|folder| {
        if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        }
    });
    folders.find(|folder| folder.is_dir()).map(Path::to_owned)
}

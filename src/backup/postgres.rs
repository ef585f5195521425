//! PostgreSQL's own programs write and read its backups. How the server is reached goes to them by the environment: what
//! stands in a command line, everybody on the machine can read.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, bail};
use percent_encoding::percent_decode_str;
use url::Url;

/// Our tables that every backup of any version has.
const TABLES: [&str; 2] = ["conversation", "message"];

/// Dumps the database as of a moment that a transaction holds.
pub fn dump(url: &str, path: &Path, moment: &str) -> anyhow::Result<()> {
    let mut command = program("pg_dump", url)?;
    command
        .args(["--format=custom", "--no-owner", "--no-privileges"])
        .arg(format!("--snapshot={moment}"))
        .arg("--file")
        .arg(path);
    let hint = format!(
        "with PostgreSQL's programs on the PATH, or where they are:\n\n  {} pg_dump --format=custom --no-owner --no-privileges --file FILE\n\nThe password is read from PGPASSWORD or ~/.pgpass.",
        named(url)?
    );
    run(command, "pg_dump", &hint).map(|_| ())
}

/// Whether a dump can be read and is one of ours.
pub fn is_whole(path: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("pg_restore");
    command.arg("--list").arg(path);
    let hint = "with PostgreSQL's programs on the PATH: `pg_restore --list FILE` shows what is in a backup.";
    let listed = run(command, "pg_restore", hint)?;
    let list = String::from_utf8_lossy(&listed.stdout);
    for table in TABLES {
        let there = list.lines().any(|line| {
            let mut words = line.split_whitespace().skip_while(|word| *word != "DATA");
            words.next().is_some() && words.nth(1) == Some(table)
        });
        if !there {
            bail!(
                "{} is no backup of Tanya: it has no {table}",
                path.display()
            );
        }
    }
    Ok(())
}

/// Loads a dump into an empty database: everything or nothing.
pub fn load(url: &str, path: &Path) -> anyhow::Result<()> {
    let mut command = program("pg_restore", url)?;
    command
        .args(["--no-owner", "--no-privileges"])
        .args(["--single-transaction", "--exit-on-error"])
        .arg(format!("--dbname={}", database(&parse(url)?)))
        .arg(path);
    let hint = format!(
        "with PostgreSQL's programs on the PATH, or where they are:\n\n  {} pg_restore --no-owner --no-privileges --single-transaction --exit-on-error --dbname={} FILE\n\nand then, before anything is started: tanya restore --voids-only",
        named(url)?,
        database(&parse(url)?)
    );
    run(command, "pg_restore", &hint).map(|_| ())
}

fn run(mut command: Command, name: &str, hint: &str) -> anyhow::Result<Output> {
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("{name} is not there; nothing was done. Call this again {hint}")
        }
        Err(error) => return Err(error).context(format!("{name} cannot be started")),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed: {}", said.trim());
    }
    Ok(output)
}

fn parse(url: &str) -> anyhow::Result<Url> {
    // What the address holds is not repeated: a password may be in it.
    Url::parse(url)
        .ok()
        .context("TANYA_DATABASE_URL is no address")
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn database(url: &Url) -> String {
    decoded(url.path().trim_start_matches('/'))
}

/// A program that reaches the server of an address.
fn program(name: &str, url: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(name);
    command.envs(environment(&parse(url)?));
    Ok(command)
}

/// How the server is reached, for a person to read: without the password.
fn named(url: &str) -> anyhow::Result<String> {
    let mut settings = environment(&parse(url)?);
    settings.retain(|(name, _)| *name != "PGPASSWORD");
    let settings = settings
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    Ok(settings.collect::<Vec<_>>().join(" "))
}

/// The variables that PostgreSQL's programs read.
fn environment(url: &Url) -> Vec<(&'static str, String)> {
    let mut found = vec![
        ("PGHOST", url.host_str().map(decoded).unwrap_or_default()),
        (
            "PGPORT",
            url.port().map(|port| port.to_string()).unwrap_or_default(),
        ),
        ("PGUSER", decoded(url.username())),
        (
            "PGPASSWORD",
            url.password().map(decoded).unwrap_or_default(),
        ),
        ("PGDATABASE", database(url)),
    ];
    for (key, value) in url.query_pairs() {
        let name = match key.as_ref() {
            "host" | "hostaddr" => "PGHOST",
            "port" => "PGPORT",
            "user" => "PGUSER",
            "password" => "PGPASSWORD",
            "dbname" => "PGDATABASE",
            "sslmode" | "ssl-mode" => "PGSSLMODE",
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => "PGSSLROOTCERT",
            "sslcert" | "ssl-cert" => "PGSSLCERT",
            "sslkey" | "ssl-key" => "PGSSLKEY",
            "options" => "PGOPTIONS",
            _ => continue,
        };
        found.retain(|(before, _)| *before != name);
        found.push((name, value.into_owned()));
    }
    found.retain(|(_, value)| !value.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_in_the_environment_and_in_nothing_that_is_shown() {
        let url =
            "postgres://tanya:r%40hsia@db.example:5433/tanya?sslmode=verify-full&host=db2.example";
        let settings = environment(&parse(url).unwrap());
        let of = |name: &str| {
            let found = settings.iter().find(|(it, _)| *it == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(of("PGPASSWORD"), Some("r@hsia"));
        assert_eq!(of("PGHOST"), Some("db2.example"));
        assert_eq!(of("PGPORT"), Some("5433"));
        assert_eq!(of("PGUSER"), Some("tanya"));
        assert_eq!(of("PGDATABASE"), Some("tanya"));
        assert_eq!(of("PGSSLMODE"), Some("verify-full"));
        let shown = named(url).unwrap();
        assert!(shown.contains("PGHOST=db2.example") && !shown.contains("hsia"));
        let command = program("pg_dump", url).unwrap();
        assert_eq!(command.get_args().count(), 0);
    }
}

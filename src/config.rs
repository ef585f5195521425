//! Every setting: its name, its default, and what must hold between them. All problems are told at once.
//!
//! A setting comes from the environment (`TANYA_NAME`), from a file that the environment names (`TANYA_NAME_FILE`, for
//! secrets), or from the settings file (`name = …`), in this order.

mod health;
mod parts;
mod reader;
mod traces;

use std::collections::BTreeMap;
use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use thiserror::Error;
use url::Url;

use crate::identity::limits::Limits as IdentityLimits;
use crate::incident::Rules as IncidentRules;
use crate::knowledge::answer::Contacts;
use crate::retention::Periods;
use crate::secret::{Secret, SecretKey};
use crate::trace::Collector;
use crate::worker::Offices;
use reader::Reader;

/// How the program was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Built-in defaults, stand-ins allowed.
    Demo,
    /// Production: nothing is assumed.
    Serve,
}

/// Everything that is wrong with the settings, one sentence each.
#[derive(Debug, Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

/// The settings, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How the program was started.
    pub mode: Mode,
    /// Address of the public listener.
    pub http_addr: SocketAddr,
    /// Address of the operator's listener.
    pub admin_addr: SocketAddr,
    /// How users reach the public listener; `demo` derives it from the listener's port.
    pub public_url: Option<Url>,
    /// `sqlite://PATH` or `postgres://…`; may hold a password.
    pub database_url: String,
    /// The knowledge folder.
    pub knowledge_dir: PathBuf,
    /// What the treasury's texts leave open.
    pub contacts: Contacts,
    /// Days after which an answer's review is overdue.
    pub review_days: u32,
    /// Sites that may embed the widget, exact origins; `demo` adds its sample page.
    pub allowed_origins: Vec<String>,
    /// Proxies whose forwarded-for header is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Networks of offices that share an address.
    pub office_networks: Vec<IpNet>,
    /// The secret that every key is derived from; `demo` makes one beside its database where none is given.
    pub secret_key: Option<SecretKey>,
    /// How mail goes out; the demo's inbox page without.
    pub smtp: Option<SmtpSettings>,
    /// The sender's address.
    pub mail_from: String,
    /// Where officers' mail goes.
    pub offices: Offices,
    /// The portal; officers do what it would where there is none.
    pub portal: PortalSettings,
    /// Where the demo serves its simulator of the portal.
    pub simulator_addr: SocketAddr,
    /// Whether number and code may be typed in a Telegram chat.
    pub typed_proof: bool,
    /// How much may be asked and guessed.
    pub identity: IdentityLimits,
    /// How the two systems are looked at, and when people's words make an incident.
    pub incidents: IncidentRules,
    /// Telegram; off without a token.
    pub telegram: Option<TelegramSettings>,
    /// What this process does.
    pub role: Role,
    /// Shift of the clock in milliseconds; 0 in production.
    pub clock_offset_ms: i64,
    /// What the server bears.
    pub limits: Limits,
    /// How long what is kept.
    pub periods: Periods,
    /// What takes traces; none are made without.
    pub collector: Option<Collector>,
    /// What is logged, as `tracing` filters read it.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// Variables that nobody reads.
    pub warnings: Vec<String>,
}

/// How lines of the log are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people on a terminal, as JSON elsewhere.
    Fitting,
    /// One JSON document a line.
    Json,
    /// For people.
    Text,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    All,
    /// Answers over HTTP.
    Web,
    /// Handles what came in and carries what must go out.
    Worker,
}

impl Role {
    /// Reads the name that settings have.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "all" => Some(Self::All),
            "web" => Some(Self::Web),
            "worker" => Some(Self::Worker),
            _ => None,
        }
    }
}

/// How mail goes out.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// The server, with user and password.
    pub url: Secret,
    /// The certificate of an authority of one's own, in PEM.
    pub ca: Option<Vec<u8>>,
}

/// How the portal is reached.
#[derive(Clone, Debug)]
pub enum PortalSettings {
    /// It is not: officers do what it would.
    Manual,
    /// The demo's own simulator.
    Simulator,
    /// At an address.
    At {
        /// The address of its interface.
        url: Url,
        /// What we prove ourselves with.
        token: Secret,
        /// The hosts that its links may lead to.
        link_hosts: Vec<String>,
    },
}

/// How Telegram is reached.
#[derive(Clone, Debug)]
pub struct TelegramSettings {
    /// The bot's token.
    pub token: Secret,
    /// The Bot API server.
    pub api_url: Url,
    /// How updates come.
    pub mode: TelegramMode,
}

/// How updates come from Telegram.
#[derive(Clone, Debug)]
pub enum TelegramMode {
    /// They are fetched.
    Polling,
    /// They are brought.
    Webhook {
        /// With this secret.
        secret: Secret,
        /// Or, for a while, with the one before it.
        old: Option<Secret>,
    },
}

/// What the server bears, and for how long.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections over all.
    pub connections: usize,
    /// Open connections from one address; ten times that from an office network.
    pub connections_per_address: usize,
    /// From a connection's opening to its first byte.
    pub first_byte: Duration,
    /// From a request's first byte to the end of its head; also how long an idle connection is kept.
    pub head: Duration,
    /// For the body of a request.
    pub body: Duration,
    /// What a stop waits for before it cuts off.
    pub shutdown: Duration,
    /// How long a web chat may be idle.
    pub chat_idle: Duration,
    /// How long transcripts are kept, in days.
    pub transcript_days: u32,
    /// New chats in an hour from one network; ten times that from an office.
    pub new_chats: usize,
    /// Messages in a minute in one chat.
    pub chat_messages: usize,
    /// Open streams of one chat.
    pub chat_streams: usize,
    /// How long a person waits in the chat before they and the supervisor are told that nobody has taken it.
    pub handoff_wait: Duration,
}

/// What `serve` cannot do without; each is named when it is missing.
const REQUIRED: [&str; 7] = [
    "PUBLIC_URL",
    "SECRET_KEY",
    "DATABASE_URL",
    "SMTP_URL",
    "QUEUE_TEKNIKAL_EMAIL",
    "QUEUE_NAZIRAN_EMAIL",
    "QUEUE_HELPDESK_EMAIL",
];

impl Settings {
    /// Reads file and environment; `file` must exist if it is named.
    pub fn read(file: Option<&Path>, mode: Mode) -> Result<Self, ConfigError> {
        let environment = env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::from_parts(file, environment.collect(), mode)
    }

    /// The settings as far as they can be read, and everything that is wrong with them.
    pub fn examine(file: Option<&Path>, mode: Mode) -> (Self, Vec<String>) {
        let environment = env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::with_problems(file, environment.collect(), mode)
    }

    /// As [`Settings::examine`], from the variables given.
    pub fn with_problems(
        file: Option<&Path>,
        environment: BTreeMap<String, String>,
        mode: Mode,
    ) -> (Self, Vec<String>) {
        let mut reader = Reader::new(file, environment);
        if mode == Mode::Serve {
            reader.require(&REQUIRED);
        }
        let settings = reader.settings(mode);
        (settings, reader.problems)
    }

    /// As [`Settings::read`], from the variables given instead of the process's own.
    pub fn from_parts(
        file: Option<&Path>,
        environment: BTreeMap<String, String>,
        mode: Mode,
    ) -> Result<Self, ConfigError> {
        let (settings, problems) = Self::with_problems(file, environment, mode);
        if problems.is_empty() {
            Ok(settings)
        } else {
            Err(ConfigError(problems))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::parts::DEMO_DATABASE;
    use super::*;

    fn read(pairs: &[(&str, &str)], mode: Mode) -> Result<Settings, Vec<String>> {
        let environment = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Settings::from_parts(None, environment, mode).map_err(|error| error.0)
    }

    #[test]
    fn demo_needs_nothing() {
        let settings = read(&[], Mode::Demo).unwrap();
        assert_eq!(settings.http_addr.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.database_url, DEMO_DATABASE);
    }

    #[test]
    fn serve_names_everything_that_is_missing_at_once() {
        let problems = read(&[], Mode::Serve).unwrap_err();
        for name in REQUIRED {
            assert!(problems.contains(&format!("TANYA_{name} is missing")));
        }
    }

    #[test]
    fn ac_113_production_refuses_what_would_be_unsafe() {
        let key = "cuB2zSE3GK4FDxc1LyQ8sM0bq6zWv0kq8Zt1tH3nYdA=";
        let mut good = vec![
            ("TANYA_PUBLIC_URL", "https://tanya.example.gov.my"),
            ("TANYA_SECRET_KEY", key),
            ("TANYA_DATABASE_URL", "sqlite://x.db"),
            ("TANYA_SMTP_URL", "smtps://mail.example"),
            ("TANYA_MAIL_FROM", "tanya@example.gov.my"),
            ("TANYA_QUEUE_TEKNIKAL_EMAIL", "a@example"),
            ("TANYA_QUEUE_NAZIRAN_EMAIL", "b@example"),
            ("TANYA_QUEUE_HELPDESK_EMAIL", "c@example"),
        ];
        assert!(read(&good, Mode::Serve).is_ok());
        for bad in [
            ("TANYA_PUBLIC_URL", "http://tanya.example.gov.my"),
            ("TANYA_SECRET_KEY", "c2hvcnQ="),
            ("TANYA_CLOCK_OFFSET_S", "60"),
            ("TANYA_CONNECTIONS", "18446744073709551615"),
            ("TANYA_KNOWLEDGE_DIR", "/nowhere"),
            ("TANYA_LOG", "=,="),
            ("TANYA_ALLOWED_ORIGINS", "*"),
            ("TANYA_ALLOWED_ORIGINS", "https://a.example/path"),
            (
                "TANYA_SECRET_KEY",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            ),
            // `abcd`, eight times over.
            (
                "TANYA_SECRET_KEY",
                "YWJjZGFiY2RhYmNkYWJjZGFiY2RhYmNkYWJjZGFiY2Q=",
            ),
            // The tests' own.
            (
                "TANYA_SECRET_KEY",
                "c2VjcmV0IGZvciB0ZXN0cywgMzIgYnl0ZXMgb3IgbW9yZQ==",
            ),
            ("TANYA_SECRET_KEY_OLD", key),
            ("TANYA_SECRET_KEY_OLD", "c2hvcnQ="),
            ("TANYA_LOG_FORMAT", "poetry"),
            ("TANYA_ROLE", "everything"),
            ("TANYA_TELEGRAM_TOKEN", "no token"),
            ("TANYA_TELEGRAM_MODE", "carrier pigeon"),
            ("TANYA_SMTP_URL", "http://mail.example"),
            ("TANYA_SMTP_CA", "/nowhere.pem"),
            ("TANYA_MAIL_FROM", "no address"),
            ("TANYA_QUEUE_NAZIRAN_EMAIL", "a@b, c@d"),
            ("TANYA_PORTAL_URL", "ftp://portal.example"),
            ("TANYA_SISTEM_URL", "ftp://sistem.example"),
            ("TANYA_INCIDENT_PEOPLE", "0"),
            ("TANYA_PORTAL_URL", "http://portal.example"),
            ("TANYA_CODE_TRIES", "0"),
            ("TANYA_OTLP_URL", "ftp://collector.example"),
            ("TANYA_OTLP_URL", "http://tanya:canary@collector.example"),
            ("TANYA_OTLP_SAMPLE", "1.5"),
            ("TANYA_OTLP_SAMPLE", "NaN"),
            ("TANYA_OTLP_TOKEN", "two\nlines"),
            ("TANYA_TELEGRAM_TYPED_PROOF", "perhaps"),
        ] {
            good.push(bad);
            assert_eq!(read(&good, Mode::Serve).unwrap_err().len(), 1, "{bad:?}");
            good.pop();
        }
    }

    #[test]
    fn unknown_keys_in_the_file_are_errors_and_unknown_variables_warnings() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tanya.toml");
        fs::write(&file, "http_addr = \"127.0.0.1:1\"\ntypo = 1\n").unwrap();
        let error = Settings::from_parts(Some(&file), BTreeMap::new(), Mode::Demo).unwrap_err();
        assert!(error.0.iter().any(|problem| problem.contains("`typo`")));
        let settings = read(&[("TANYA_TYPO", "1")], Mode::Demo).unwrap();
        assert_eq!(settings.warnings.len(), 1);
    }

    #[test]
    fn the_environment_wins_over_the_file_and_a_secret_may_be_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tanya.toml");
        fs::write(&file, "http_addr = \"127.0.0.1:1\"\n").unwrap();
        let secret = folder.path().join("url");
        fs::write(&secret, "sqlite://elsewhere.db\n").unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(
            &file,
            "http_addr = \"127.0.0.1:1\"\ndatabase_url = \"sqlite://toml.db\"\n",
        )
        .unwrap();
        let environment = BTreeMap::from([
            ("TANYA_HTTP_ADDR".to_owned(), "127.0.0.1:2".to_owned()),
            (
                "TANYA_DATABASE_URL_FILE".to_owned(),
                secret.display().to_string(),
            ),
        ]);
        let settings = Settings::from_parts(Some(&file), environment.clone(), Mode::Demo).unwrap();
        assert_eq!(settings.http_addr.port(), 2);
        assert_eq!(settings.database_url, "sqlite://elsewhere.db");

        let mut environment = environment;
        environment.insert(
            "TANYA_DATABASE_URL".to_owned(),
            "sqlite://direct.db".to_owned(),
        );
        let settings = Settings::from_parts(Some(&file), environment, Mode::Demo).unwrap();
        assert_eq!(settings.database_url, "sqlite://direct.db");
    }

    #[test]
    fn ac_113_a_webhook_needs_a_secret_worth_the_name() {
        let webhook = ("TANYA_TELEGRAM_MODE", "webhook");
        let token = ("TANYA_TELEGRAM_TOKEN", "1:abc");
        for secret in ["", "short", "with space in it", "ünïcödé-secret"] {
            let secret = ("TANYA_TELEGRAM_WEBHOOK_SECRET", secret);
            let problems = read(&[webhook, token, secret], Mode::Demo).unwrap_err();
            assert!(problems[0].contains("openssl rand -hex 32"), "{problems:?}");
        }
        let secret = ("TANYA_TELEGRAM_WEBHOOK_SECRET", "a-good-secret");
        assert!(read(&[webhook, token, secret], Mode::Demo).is_ok());
    }

    #[test]
    fn ac_113_a_secret_that_everybody_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "1:abc\n").unwrap();
        let name = file.display().to_string();
        let settings = [("TANYA_TELEGRAM_TOKEN_FILE", name.as_str())];
        for open in [0o644, 0o640, 0o604, 0o620] {
            fs::set_permissions(&file, fs::Permissions::from_mode(open)).unwrap();
            let problems = read(&settings, Mode::Demo).unwrap_err();
            assert!(problems[0].contains("chmod 600"), "{problems:?}");
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(read(&settings, Mode::Demo).is_ok());
    }

    #[test]
    fn ac_113_a_settings_file_with_a_secret_in_it_is_for_its_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tanya.toml");
        let read = |text: &str, mode: u32| {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            Settings::from_parts(Some(&file), BTreeMap::new(), Mode::Demo).map_err(|error| error.0)
        };
        let plain = "database_url = \"sqlite://x.db\"\nsmtp_url = \"smtp://localhost\"\n";
        assert!(read(plain, 0o644).is_ok());
        for secret in [
            "telegram_token = \"1:abc\"\n",
            "database_url = \"postgres://tanya:canary@db/tanya\"\n",
            "smtp_url = \"smtps://tanya:canary@mail.example\"\n",
        ] {
            let problems = read(secret, 0o644).unwrap_err();
            assert!(problems[0].contains("chmod 600"), "{problems:?}");
            assert!(!problems.concat().contains("canary"));
            assert!(read(secret, 0o600).is_ok(), "{secret}");
        }
    }

    #[test]
    fn ac_112_the_webhook_takes_the_secret_from_before_for_a_while() {
        let webhook = ("TANYA_TELEGRAM_MODE", "webhook");
        let token = ("TANYA_TELEGRAM_TOKEN", "1:abc");
        let new = ("TANYA_TELEGRAM_WEBHOOK_SECRET", "a-good-secret");
        let old = ("TANYA_TELEGRAM_WEBHOOK_SECRET_OLD", "the-one-before");
        assert!(read(&[webhook, token, new, old], Mode::Demo).is_ok());
        for bad in ["short", "a-good-secret"] {
            let old = ("TANYA_TELEGRAM_WEBHOOK_SECRET_OLD", bad);
            let problems = read(&[webhook, token, new, old], Mode::Demo).unwrap_err();
            assert_eq!(problems.len(), 1, "{problems:?}");
        }
    }

    #[test]
    fn traces_go_nowhere_unless_a_collector_is_named() {
        let settings = read(&[("TANYA_OTLP_SAMPLE", "0.5")], Mode::Demo).unwrap();
        assert!(settings.collector.is_none());

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tanya.toml");
        let text = "otlp_url = \"http://10.1.0.9:4318\"\notlp_sample = 0.25\n";
        fs::write(&file, text).unwrap();
        let token = folder.path().join("token");
        fs::write(&token, "collector-token\n").unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
        let token = token.display().to_string();
        let environment = BTreeMap::from([("TANYA_OTLP_TOKEN_FILE".to_owned(), token)]);
        let settings = Settings::from_parts(Some(&file), environment, Mode::Demo).unwrap();
        let collector = settings.collector.unwrap();
        assert_eq!(collector.url.as_str(), "http://10.1.0.9:4318/");
        assert_eq!(collector.token.unwrap().reveal(), "collector-token");
        assert_eq!(collector.sample.to_string(), "0.25");
    }

    #[test]
    fn ac_83_secrets_are_not_printed() {
        let settings = read(
            &[
                ("TANYA_TELEGRAM_TOKEN", "1:canary"),
                (
                    "TANYA_SECRET_KEY",
                    "cuB2zSE3GK4FDxc1LyQ8sM0bq6zWv0kq8Zt1tH3nYdA=",
                ),
            ],
            Mode::Demo,
        );
        let shown = format!("{:?}", settings.unwrap());
        assert!(
            !shown.contains("canary") && !shown.contains("cuB2"),
            "{shown}"
        );
    }
}

//! Every setting: its name, its default, and what must hold between them. All problems are told at once.
//!
//! A setting comes from the environment (`TANYA_NAME`), from a file that the environment names (`TANYA_NAME_FILE`, for
//! secrets), or from the settings file (`name = …`), in this order.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use thiserror::Error;
use tracing_subscriber::EnvFilter;
use url::{Host, Url};

use crate::knowledge::REVIEW_DAYS;
use crate::knowledge::answer::Contacts;
use crate::secret::{KEY_BYTES, Secret, SecretKey};

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
    /// Telegram; off without a token.
    pub telegram: Option<TelegramSettings>,
    /// What this process does.
    pub role: Role,
    /// Shift of the clock in milliseconds; 0 in production.
    pub clock_offset_ms: i64,
    /// What the server bears.
    pub limits: Limits,
    /// What is logged, as `tracing` filters read it.
    pub log: String,
    /// Variables that nobody reads.
    pub warnings: Vec<String>,
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
    /// They are brought, with this secret.
    Webhook(Secret),
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
}

/// Settings that may also be given as `NAME_FILE`.
const SECRETS: [&str; 7] = [
    "DATABASE_URL",
    "PORTAL_TOKEN",
    "SECRET_KEY",
    "SECRET_KEY_OLD",
    "SMTP_URL",
    "TELEGRAM_TOKEN",
    "TELEGRAM_WEBHOOK_SECRET",
];

/// Every setting that has a meaning.
const KNOWN: [&str; 43] = [
    "ADMIN_ADDR",
    "ALLOWED_ORIGINS",
    "BODY_TIMEOUT_S",
    "CHAT_IDLE_HOURS",
    "CHAT_MESSAGES_PER_MINUTE",
    "CHAT_STREAMS",
    "CLOCK_OFFSET_S",
    "CONNECTIONS",
    "CONNECTIONS_PER_ADDRESS",
    "CONTACT_NAZIRAN",
    "CONTACT_TEKNIKAL",
    "DATABASE_URL",
    "FIRST_BYTE_TIMEOUT_S",
    "FORM_URL",
    "HEAD_TIMEOUT_S",
    "HTTP_ADDR",
    "KNOWLEDGE_DIR",
    "LOG",
    "MAIL_FROM",
    "MANUAL_URL",
    "NEW_CHATS_PER_HOUR",
    "OFFICE_NETWORKS",
    "PORTAL_LINK_HOSTS",
    "PORTAL_TOKEN",
    "PORTAL_URL",
    "PUBLIC_URL",
    "QUEUE_HELPDESK_EMAIL",
    "QUEUE_NAZIRAN_EMAIL",
    "QUEUE_TEKNIKAL_EMAIL",
    "REVIEW_DAYS",
    "ROLE",
    "SECRET_KEY",
    "SECRET_KEY_OLD",
    "SHUTDOWN_TIMEOUT_S",
    "SIMULATOR_ADDR",
    "SMTP_URL",
    "TELEGRAM_API_URL",
    "TELEGRAM_MODE",
    "TELEGRAM_TOKEN",
    "TELEGRAM_TYPED_PROOF",
    "TELEGRAM_WEBHOOK_SECRET",
    "TRANSCRIPT_DAYS",
    "TRUSTED_PROXIES",
];

/// What the variables of scripts and tests begin with; the program reads none of them.
const NOT_OURS: [&str; 3] = ["TEST_", "BENCH_", "EVAL_DATA"];

const DEFAULT_FILE: &str = "tanya.toml";
const DEMO_DATABASE: &str = "sqlite://data/tanya.db";
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
const TELEGRAM_API: &str = "https://api.telegram.org";

impl Settings {
    /// Reads file and environment; `file` must exist if it is named.
    pub fn read(file: Option<&Path>, mode: Mode) -> Result<Self, ConfigError> {
        let environment = env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::from_parts(file, environment.collect(), mode)
    }

    /// As [`Settings::read`], from the variables given instead of the process's own.
    pub fn from_parts(
        file: Option<&Path>,
        environment: BTreeMap<String, String>,
        mode: Mode,
    ) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(file, environment);
        if mode == Mode::Serve {
            reader.require(&REQUIRED);
        }
        let settings = reader.settings(mode);
        if reader.problems.is_empty() {
            Ok(settings)
        } else {
            Err(ConfigError(reader.problems))
        }
    }
}

/// Collects values and what is wrong with them.
struct Reader {
    values: BTreeMap<String, String>,
    problems: Vec<String>,
    warnings: Vec<String>,
}

impl Reader {
    fn new(file: Option<&Path>, environment: BTreeMap<String, String>) -> Self {
        let mut reader = Self {
            values: BTreeMap::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        reader.read_file(file);
        reader.read_environment(environment);
        reader
    }

    fn read_file(&mut self, file: Option<&Path>) {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        if file.is_none() && !path.exists() {
            return;
        }
        let shown = path.display();
        let table = fs::read_to_string(path)
            .map_err(|error| error.to_string())
            .and_then(|text| {
                text.parse::<toml::Table>()
                    .map_err(|e| e.message().to_owned())
            });
        let table = match table {
            Ok(table) => table,
            Err(error) => return self.problems.push(format!("{shown}: {error}")),
        };
        for (key, value) in table {
            let name = key.to_uppercase();
            if key != key.to_lowercase() || !KNOWN.contains(&name.as_str()) {
                self.problems
                    .push(format!("{shown}: there is no setting `{key}`"));
                continue;
            }
            match flat(&value) {
                Some(text) => {
                    self.values.insert(name, text);
                }
                None => self.problems.push(format!(
                    "{shown}: `{key}` must be a text, a number or a list"
                )),
            }
        }
    }

    fn read_environment(&mut self, environment: BTreeMap<String, String>) {
        let named = environment
            .iter()
            .filter_map(|(variable, value)| Some((variable.strip_prefix("TANYA_")?, value)));
        // A secret in a file wins over the settings file, and the variable itself over both.
        for (name, value) in named.clone() {
            let secret = name.strip_suffix("_FILE").filter(|n| SECRETS.contains(n));
            if let Some(secret) = secret {
                if is_open_to_all(Path::new(value)) {
                    self.problems.push(format!(
                        "TANYA_{name}: {value} can be read by everybody on this machine: `chmod 600 {value}` mends it"
                    ));
                }
                match fs::read_to_string(value) {
                    Ok(text) => {
                        let text = text.trim().to_owned();
                        self.values.insert(secret.to_owned(), text);
                    }
                    Err(error) => self
                        .problems
                        .push(format!("TANYA_{name}: {value}: {error}")),
                }
            } else if !KNOWN.contains(&name) && !NOT_OURS.iter().any(|own| name.starts_with(own)) {
                self.warnings
                    .push(format!("TANYA_{name} is set, but there is no such setting"));
            }
        }
        for (name, value) in named.filter(|(name, _)| KNOWN.contains(name)) {
            self.values.insert(name.to_owned(), value.clone());
        }
        self.values.retain(|_, value| !value.trim().is_empty());
    }

    fn require(&mut self, names: &[&str]) {
        for name in names
            .iter()
            .filter(|name| !self.values.contains_key(**name))
        {
            self.problems.push(format!("TANYA_{name} is missing"));
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        self.values.get(name).map(|value| value.trim().to_owned())
    }

    fn parsed<T: FromStr>(&mut self, name: &str, expected: &str, default: T) -> T {
        let Some(text) = self.text(name) else {
            return default;
        };
        text.parse().unwrap_or_else(|_| {
            self.problems
                .push(format!("TANYA_{name} is {text:?}; it must be {expected}"));
            default
        })
    }

    /// A count from 1 to a million: more is a mistake in writing.
    fn count(&mut self, name: &str, default: usize) -> usize {
        let count = self.parsed(name, "a number", default);
        if (1..=1_000_000).contains(&count) {
            return count;
        }
        self.problems.push(format!(
            "TANYA_{name} is {count}; it must be from 1 to 1000000"
        ));
        default
    }

    fn list<T>(&mut self, name: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let text = self.text(name).unwrap_or_default();
        let mut values = Vec::new();
        for item in text.split(',').map(str::trim).filter(|i| !i.is_empty()) {
            match read(item) {
                Some(value) => values.push(value),
                None => self
                    .problems
                    .push(format!("TANYA_{name} has {item:?}; it must be {expected}")),
            }
        }
        values
    }

    fn seconds(&mut self, name: &str, default: u64) -> Duration {
        Duration::from_secs(self.parsed(name, "a number of seconds", default))
    }

    fn https_url(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        if Url::parse(&text).is_ok_and(|url| url.scheme() == "https") {
            return Some(text);
        }
        self.problems.push(format!(
            "TANYA_{name} is {text:?}; it must be an https address"
        ));
        None
    }

    fn settings(&mut self, mode: Mode) -> Settings {
        let networks = "networks as 10.1.0.0/16";
        let network = |item: &str| item.parse::<IpNet>().ok().or_else(|| single(item));
        let office_networks = match (mode, self.values.contains_key("OFFICE_NETWORKS")) {
            (Mode::Demo, false) => ["127.0.0.0/8", "::1/128"]
                .iter()
                .filter_map(|n| n.parse().ok())
                .collect(),
            _ => self.list("OFFICE_NETWORKS", networks, network),
        };
        let settings = Settings {
            mode,
            http_addr: self.parsed("HTTP_ADDR", "HOST:PORT", loopback(8080)),
            admin_addr: self.parsed("ADMIN_ADDR", "HOST:PORT", loopback(9090)),
            public_url: self.public_url(mode),
            database_url: self.database_url(),
            knowledge_dir: self.knowledge_dir(),
            contacts: Contacts {
                teknikal: self.text("CONTACT_TEKNIKAL"),
                naziran: self.text("CONTACT_NAZIRAN"),
                form_url: self.https_url("FORM_URL"),
                manual_url: self.https_url("MANUAL_URL"),
            },
            review_days: self.parsed("REVIEW_DAYS", "a number of days", REVIEW_DAYS),
            allowed_origins: self.list("ALLOWED_ORIGINS", "origins as https://host", origin),
            trusted_proxies: self.list("TRUSTED_PROXIES", networks, network),
            office_networks,
            secret_key: self.secret_key(),
            telegram: self.telegram(),
            role: self.role(),
            clock_offset_ms: self
                .parsed("CLOCK_OFFSET_S", "a number of seconds", 0_i64)
                .saturating_mul(1000),
            limits: self.limits(),
            log: self.log(),
            warnings: Vec::new(),
        };
        if mode == Mode::Serve && settings.clock_offset_ms != 0 {
            self.problems
                .push("TANYA_CLOCK_OFFSET_S is for demonstrations; remove it".to_owned());
        }
        Settings {
            warnings: std::mem::take(&mut self.warnings),
            ..settings
        }
    }

    /// A folder that is named must be there; the usual one may be missing, and what is in the binary serves.
    fn knowledge_dir(&mut self) -> PathBuf {
        let Some(named) = self.text("KNOWLEDGE_DIR").map(PathBuf::from) else {
            return PathBuf::from("knowledge");
        };
        if !named.is_dir() {
            self.problems.push(format!(
                "TANYA_KNOWLEDGE_DIR is {}; there is no such folder",
                named.display()
            ));
        }
        named
    }

    fn log(&mut self) -> String {
        let default = || "info,sqlx=warn,tantivy=warn".to_owned();
        let filter = self.text("LOG").unwrap_or_else(default);
        if let Err(error) = EnvFilter::try_new(&filter) {
            self.problems.push(format!("TANYA_LOG: {error}"));
        }
        filter
    }

    fn limits(&mut self) -> Limits {
        let hours = self.parsed("CHAT_IDLE_HOURS", "a number of hours", 24_u64);
        Limits {
            connections: self.count("CONNECTIONS", 10_000),
            connections_per_address: self.count("CONNECTIONS_PER_ADDRESS", 600),
            first_byte: self.seconds("FIRST_BYTE_TIMEOUT_S", 10),
            head: self.seconds("HEAD_TIMEOUT_S", 10),
            body: self.seconds("BODY_TIMEOUT_S", 10),
            shutdown: self.seconds("SHUTDOWN_TIMEOUT_S", 10),
            chat_idle: Duration::from_secs(hours.saturating_mul(3600)),
            transcript_days: self.parsed("TRANSCRIPT_DAYS", "a number of days", 90),
            new_chats: self.count("NEW_CHATS_PER_HOUR", 300),
            chat_messages: self.count("CHAT_MESSAGES_PER_MINUTE", 60),
            chat_streams: self.count("CHAT_STREAMS", 3),
        }
    }

    fn public_url(&mut self, mode: Mode) -> Option<Url> {
        let text = self.text("PUBLIC_URL")?;
        let Ok(url) = Url::parse(&text) else {
            self.problems.push(format!(
                "TANYA_PUBLIC_URL is {text:?}; it must be an address"
            ));
            return None;
        };
        let secure = match url.scheme() {
            "https" => true,
            "http" => mode == Mode::Demo || is_loopback(&url),
            _ => false,
        };
        if !secure || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            self.problems.push(format!(
                "TANYA_PUBLIC_URL is {text:?}; it must be https://host (http only for a loopback host), without a path"
            ));
        }
        Some(url)
    }

    fn database_url(&mut self) -> String {
        let url = self.text("DATABASE_URL");
        let url = url.unwrap_or_else(|| DEMO_DATABASE.to_owned());
        let known = ["sqlite:", "postgres:", "postgresql:"];
        if !known.iter().any(|scheme| url.starts_with(scheme)) {
            self.problems
                .push("TANYA_DATABASE_URL must begin with sqlite:// or postgres://".to_owned());
        }
        url
    }

    fn secret_key(&mut self) -> Option<SecretKey> {
        let [key, old] = ["SECRET_KEY", "SECRET_KEY_OLD"].map(|name| {
            let text = self.text(name)?;
            let key = SecretKey::parse(&text);
            if key.is_none() {
                self.problems.push(format!(
                    "TANYA_{name} must be {KEY_BYTES} or more random bytes in base64: `openssl rand -base64 32` makes one"
                ));
            }
            key
        });
        Some(key?.after(old))
    }

    fn role(&mut self) -> Role {
        match self.text("ROLE").as_deref() {
            None | Some("all") => Role::All,
            Some("web") => Role::Web,
            Some("worker") => Role::Worker,
            Some(other) => {
                self.problems.push(format!(
                    "TANYA_ROLE is {other:?}; it must be all, web or worker"
                ));
                Role::All
            }
        }
    }

    fn telegram(&mut self) -> Option<TelegramSettings> {
        let mode = self.telegram_mode();
        let token = self.text("TELEGRAM_TOKEN")?;
        if !is_bot_token(&token) {
            self.problems.push(
                "TANYA_TELEGRAM_TOKEN is no bot token; @BotFather gives one, as 123456:ABC…"
                    .to_owned(),
            );
        }
        let api_url = self.text("TELEGRAM_API_URL");
        let api_url = api_url.unwrap_or_else(|| TELEGRAM_API.to_owned());
        let url = Url::parse(&api_url).ok();
        let url = url.filter(|url| matches!(url.scheme(), "https" | "http"));
        if url.is_none() {
            self.problems
                .push("TANYA_TELEGRAM_API_URL must be an http or https address".to_owned());
        }
        Some(TelegramSettings {
            token: Secret::new(token),
            api_url: url?,
            mode,
        })
    }

    fn telegram_mode(&mut self) -> TelegramMode {
        let secret = self.text("TELEGRAM_WEBHOOK_SECRET");
        match self.text("TELEGRAM_MODE").as_deref() {
            None | Some("polling") => return TelegramMode::Polling,
            Some("webhook") => {}
            Some(other) => {
                self.problems.push(format!(
                    "TANYA_TELEGRAM_MODE is {other:?}; it must be polling or webhook"
                ));
                return TelegramMode::Polling;
            }
        }
        let secret = secret.unwrap_or_default();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if !(WEBHOOK_SECRET..=256).contains(&secret.len()) || !secret.chars().all(allowed) {
            self.problems.push(format!(
                "TANYA_TELEGRAM_WEBHOOK_SECRET must be {WEBHOOK_SECRET} to 256 letters, digits, _ or -: `openssl rand -hex 32` makes one"
            ));
        }
        TelegramMode::Webhook(Secret::new(secret))
    }
}

/// The least length of the webhook's secret.
const WEBHOOK_SECRET: usize = 8;

fn is_bot_token(token: &str) -> bool {
    let Some((id, key)) = token.split_once(':') else {
        return false;
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    id.parse::<u64>().is_ok() && !key.is_empty() && key.chars().all(allowed)
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn is_open_to_all(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o004 != 0)
}

fn single(item: &str) -> Option<IpNet> {
    item.parse::<IpAddr>().ok().map(IpNet::from)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An exact origin: scheme, host, port, nothing else; no wildcard.
fn origin(item: &str) -> Option<String> {
    let url = Url::parse(item).ok()?;
    let exact = matches!(url.scheme(), "http" | "https") && !item.contains('*');
    (exact && url.origin().ascii_serialization() == item).then(|| item.to_owned())
}

fn flat(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(flat).collect();
            Some(items?.join(","))
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
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
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let mut good = vec![
            ("TANYA_PUBLIC_URL", "https://tanya.example.gov.my"),
            ("TANYA_SECRET_KEY", key),
            ("TANYA_DATABASE_URL", "sqlite://x.db"),
            ("TANYA_SMTP_URL", "smtps://mail.example"),
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
            ("TANYA_ROLE", "everything"),
            ("TANYA_TELEGRAM_TOKEN", "no token"),
            ("TANYA_TELEGRAM_MODE", "carrier pigeon"),
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
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let problems = read(&settings, Mode::Demo).unwrap_err();
        assert!(problems[0].contains("chmod 600"), "{problems:?}");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(read(&settings, Mode::Demo).is_ok());
    }

    #[test]
    fn ac_83_secrets_are_not_printed() {
        let settings = read(
            &[
                ("TANYA_TELEGRAM_TOKEN", "1:canary"),
                (
                    "TANYA_SECRET_KEY",
                    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                ),
            ],
            Mode::Demo,
        );
        let shown = format!("{:?}", settings.unwrap());
        assert!(
            !shown.contains("canary") && !shown.contains("AAEC"),
            "{shown}"
        );
    }
}

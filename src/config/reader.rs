//! Collects what the settings file and the environment say, and everything that is wrong with it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use url::Url;

/// Settings that may also be given as `NAME_FILE`.
const SECRETS: [&str; 9] = [
    "DATABASE_URL",
    "OTLP_TOKEN",
    "PORTAL_TOKEN",
    "SECRET_KEY",
    "SECRET_KEY_OLD",
    "SMTP_URL",
    "TELEGRAM_TOKEN",
    "TELEGRAM_WEBHOOK_SECRET",
    "TELEGRAM_WEBHOOK_SECRET_OLD",
];

/// Every setting that has a meaning.
const KNOWN: [&str; 87] = [
    "ADMIN_ADDR",
    "ALLOWED_ORIGINS",
    "AUDIT_DAYS",
    "BINDINGS",
    "BINDING_DAYS",
    "BODY_TIMEOUT_S",
    "CHALLENGE_DAYS",
    "CHAT_FAILURES_PER_DAY",
    "CHAT_IDENTITIES_PER_DAY",
    "CHAT_IDLE_HOURS",
    "CHAT_MESSAGES_PER_MINUTE",
    "CHAT_STREAMS",
    "HANDOFF_WAIT_MINUTES",
    "CLOCK_OFFSET_S",
    "CODES_PER_DAY",
    "CODES_PER_HOUR",
    "CODE_MINUTES",
    "CODE_TRIES",
    "CONNECTIONS",
    "CONNECTIONS_PER_ADDRESS",
    "CONTACT_NAZIRAN",
    "CONTACT_TEKNIKAL",
    "DATABASE_URL",
    "FAILED_INBOUND_DAYS",
    "FAILURES_PER_HOUR",
    "FIRST_BYTE_TIMEOUT_S",
    "FORM_URL",
    "HEAD_TIMEOUT_S",
    "HTTP_ADDR",
    "IDENTITY_FAILURES_MOST",
    "IDENTITY_FAILURES_SLOW",
    "KNOWLEDGE_DIR",
    "LINK_MINUTES",
    "LOG",
    "LOG_FORMAT",
    "MAILS_PER_HOUR",
    "MAILS_PER_MINUTE",
    "MAIL_FROM",
    "MANUAL_URL",
    "NETWORK_FAILURES_PER_HOUR",
    "NETWORK_STARTS_PER_HOUR",
    "NEW_CHATS_PER_HOUR",
    "NOTICES_PER_DAY",
    "OFFICE_NETWORKS",
    "OTLP_SAMPLE",
    "OTLP_TOKEN",
    "OTLP_URL",
    "PORTAL_LINK_HOSTS",
    "PORTAL_TOKEN",
    "PORTAL_URL",
    "PROOF_FRESH_MINUTES",
    "PROOF_IDLE_MINUTES",
    "PROOF_MINUTES",
    "PUBLIC_URL",
    "QUEUE_HELPDESK_EMAIL",
    "QUEUE_NAZIRAN_EMAIL",
    "QUEUE_TEKNIKAL_EMAIL",
    "REQUESTS_PER_DAY",
    "REQUESTS_PER_HOUR",
    "REVIEW_DAYS",
    "ROLE",
    "SECRET_KEY",
    "SECRET_KEY_OLD",
    "SHUTDOWN_TIMEOUT_S",
    "SIMULATOR_ADDR",
    "SMTP_CA",
    "SMTP_URL",
    "SUPERVISOR_EMAIL",
    "TELEGRAM_API_URL",
    "TELEGRAM_MODE",
    "TELEGRAM_TOKEN",
    "TELEGRAM_TYPED_PROOF",
    "TELEGRAM_WEBHOOK_SECRET",
    "TELEGRAM_WEBHOOK_SECRET_OLD",
    "TICKET_DAYS",
    "TRANSCRIPT_DAYS",
    "TRUSTED_PROXIES",
    "SISTEM_URL",
    "PORTAL_SITE_URL",
    "STATUS_EVERY_S",
    "STATUS_DOWN_AFTER",
    "STATUS_UP_AFTER",
    "STATUS_FRESH_MINUTES",
    "INCIDENT_PEOPLE",
    "INCIDENT_MINUTES",
    "INCIDENT_PER_NETWORK",
    "INCIDENT_COOLDOWN_MINUTES",
];

/// What the variables of scripts and tests begin with; the program reads none of them.
const NOT_OURS: [&str; 3] = ["TEST_", "BENCH_", "EVAL_DATA"];

const DEFAULT_FILE: &str = "tanya.toml";

/// Collects values and what is wrong with them.
pub(super) struct Reader {
    pub(super) values: BTreeMap<String, String>,
    pub(super) problems: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl Reader {
    pub(super) fn new(file: Option<&Path>, environment: BTreeMap<String, String>) -> Self {
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
        let secret = table.iter().find(|(key, value)| {
            let text = value.as_str().unwrap_or_default();
            holds_secret(&key.to_uppercase(), text)
        });
        if let Some((key, _)) = secret
            && let Some(repair) = open_to_others(path)
        {
            self.problems
                .push(format!("{shown}: it holds `{key}` and {repair}"));
        }
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
                if let Some(repair) = open_to_others(Path::new(value)) {
                    self.problems
                        .push(format!("TANYA_{name}: {value} {repair}"));
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

    pub(super) fn require(&mut self, names: &[&str]) {
        for name in names
            .iter()
            .filter(|name| !self.values.contains_key(**name))
        {
            self.problems.push(format!("TANYA_{name} is missing"));
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        debug_assert!(KNOWN.contains(&name), "{name} is not among the settings");
        self.values.get(name).map(|value| value.trim().to_owned())
    }

    pub(super) fn parsed<T: FromStr>(&mut self, name: &str, expected: &str, default: T) -> T {
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
    pub(super) fn count(&mut self, name: &str, default: usize) -> usize {
        let count = self.parsed(name, "a number", default);
        if (1..=1_000_000).contains(&count) {
            return count;
        }
        self.problems.push(format!(
            "TANYA_{name} is {count}; it must be from 1 to 1000000"
        ));
        default
    }

    pub(super) fn list<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
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

    pub(super) fn seconds(&mut self, name: &str, default: u64) -> Duration {
        Duration::from_secs(self.parsed(name, "a number of seconds", default))
    }

    pub(super) fn https_url(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        if Url::parse(&text).is_ok_and(|url| url.scheme() == "https") {
            return Some(text);
        }
        self.problems.push(format!(
            "TANYA_{name} is {text:?}; it must be an https address"
        ));
        None
    }
}

/// Whether a setting's value must be kept from others: an address only where there is a password in it.
fn holds_secret(name: &str, value: &str) -> bool {
    let address = matches!(name, "DATABASE_URL" | "SMTP_URL");
    let plain = address && Url::parse(value).is_ok_and(|url| url.password().is_none());
    SECRETS.contains(&name) && !plain && !value.is_empty()
}

/// What to do about a file that others than its user can read, or change. One that belongs to somebody else, as those
/// that the system hands to a service, may be read by our group.
fn open_to_others(path: &Path) -> Option<String> {
    let file = fs::metadata(path).ok()?;
    let user = fs::metadata("/proc/self").map(|process| process.uid());
    let own = user.is_ok_and(|user| user == file.uid());
    let forbidden = if own { 0o077 } else { 0o037 };
    let shown = path.display();
    (file.mode() & forbidden != 0)
        .then(|| format!("can be read by others on this machine: `chmod 600 {shown}` mends it"))
}

fn flat(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(flat).collect();
            Some(items?.join(","))
        }
        toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

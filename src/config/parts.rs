//! From what was read to the settings: defaults, forms, and what must hold between them.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;
use url::{Host, Url};

use super::reader::Reader;
use super::{
    IdentityLimits, Limits, LogFormat, Mode, PortalSettings, Role, Settings, SmtpSettings,
    TelegramMode, TelegramSettings,
};
use crate::knowledge::REVIEW_DAYS;
use crate::knowledge::answer::Contacts;
use crate::mail::OfficeAddress;
use crate::mail::smtp::Smtp;
use crate::retention::Periods;
use crate::secret::{KEY_BYTES, Secret, SecretKey};
use crate::worker::Offices;

pub(super) const DEMO_DATABASE: &str = "sqlite://data/tanya.db";
const DAY: i64 = 24 * 3_600_000;
const TELEGRAM_API: &str = "https://api.telegram.org";

impl Reader {
    /// The settings; what is wrong is among the problems.
    pub(super) fn settings(&mut self, mode: Mode) -> Settings {
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
            secret_key: self.secret_key(mode),
            smtp: self.smtp(),
            mail_from: self.mail_from(),
            offices: self.offices(),
            portal: self.portal(mode),
            simulator_addr: self.parsed("SIMULATOR_ADDR", "HOST:PORT", loopback(8081)),
            typed_proof: self.parsed("TELEGRAM_TYPED_PROOF", "true or false", mode == Mode::Demo),
            identity: self.identity_limits(),
            incidents: self.incident_rules(),
            telegram: self.telegram(),
            role: self.role(),
            clock_offset_ms: self
                .parsed("CLOCK_OFFSET_S", "a number of seconds", 0_i64)
                .saturating_mul(1000),
            limits: self.limits(),
            periods: self.periods(),
            collector: self.collector(),
            log: self.log(),
            log_format: self.log_format(),
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

    fn log_format(&mut self) -> LogFormat {
        match self.text("LOG_FORMAT").as_deref() {
            None => LogFormat::Fitting,
            Some("json") => LogFormat::Json,
            Some("text") => LogFormat::Text,
            Some(other) => {
                self.problems.push(format!(
                    "TANYA_LOG_FORMAT is {other:?}; it must be json or text"
                ));
                LogFormat::Fitting
            }
        }
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
            transcript_days: self.parsed(
                "TRANSCRIPT_DAYS",
                "a number of days",
                Periods::default().transcripts,
            ),
            new_chats: self.count("NEW_CHATS_PER_HOUR", 300),
            chat_messages: self.count("CHAT_MESSAGES_PER_MINUTE", 60),
            chat_streams: self.count("CHAT_STREAMS", 3),
            handoff_wait: Duration::from_secs(
                60 * self
                    .parsed("HANDOFF_WAIT_MINUTES", "a number of minutes", 5_u64)
                    .min(10_000),
            ),
        }
    }

    fn periods(&mut self) -> Periods {
        let usual = Periods::default();
        let days = "a number of days";
        let periods = Periods {
            transcripts: self.parsed("TRANSCRIPT_DAYS", days, usual.transcripts),
            tickets: self.parsed("TICKET_DAYS", days, usual.tickets),
            record: self.parsed("AUDIT_DAYS", days, usual.record),
            challenges: self.parsed("CHALLENGE_DAYS", days, usual.challenges),
            failed: self.parsed("FAILED_INBOUND_DAYS", days, usual.failed),
        };
        let shortest = [
            periods.transcripts,
            periods.tickets,
            periods.challenges,
            periods.failed,
        ];
        if shortest.contains(&0) {
            let problem = "what is kept is kept for a day at least (TANYA_…_DAYS)";
            self.problems.push(problem.to_owned());
        }
        if periods.record < periods.tickets.max(periods.transcripts) {
            self.problems.push(
                "TANYA_AUDIT_DAYS must not be less than TANYA_TICKET_DAYS and TANYA_TRANSCRIPT_DAYS: the record tells whose they are"
                    .to_owned(),
            );
        }
        periods
    }

    fn identity_limits(&mut self) -> IdentityLimits {
        let usual = IdentityLimits::default();
        let minute = 60_000;
        IdentityLimits {
            tries: self.count("CODE_TRIES", usual.tries),
            code: self.span("CODE_MINUTES", minute, usual.code),
            link: self.span("LINK_MINUTES", minute, usual.link),
            codes_an_hour: self.count("CODES_PER_HOUR", usual.codes_an_hour),
            codes_a_day: self.count("CODES_PER_DAY", usual.codes_a_day),
            requests_an_hour: self.count("REQUESTS_PER_HOUR", usual.requests_an_hour),
            requests_a_day: self.count("REQUESTS_PER_DAY", usual.requests_a_day),
            notices_a_day: self.count("NOTICES_PER_DAY", usual.notices_a_day),
            identities: self.count("CHAT_IDENTITIES_PER_DAY", usual.identities),
            chat_failures: self.count("CHAT_FAILURES_PER_DAY", usual.chat_failures),
            network_starts: self.count("NETWORK_STARTS_PER_HOUR", usual.network_starts),
            network_failures: self.count("NETWORK_FAILURES_PER_HOUR", usual.network_failures),
            all_failures: self.count("FAILURES_PER_HOUR", usual.all_failures),
            slow_failures: self.count("IDENTITY_FAILURES_SLOW", usual.slow_failures),
            most_failures: self.count("IDENTITY_FAILURES_MOST", usual.most_failures),
            fresh: self.span("PROOF_FRESH_MINUTES", minute, usual.fresh),
            proof_idle: self.span("PROOF_IDLE_MINUTES", minute, usual.proof_idle),
            proof_most: self.span("PROOF_MINUTES", minute, usual.proof_most),
            binding: self.span("BINDING_DAYS", DAY, usual.binding),
            bindings: self.count("BINDINGS", usual.bindings),
            mails_a_minute: self.count("MAILS_PER_MINUTE", usual.mails_a_minute),
            mails_an_hour: self.count("MAILS_PER_HOUR", usual.mails_an_hour),
        }
    }

    /// So many of a unit, in milliseconds.
    pub(super) fn span(&mut self, name: &str, unit: i64, usual: i64) -> i64 {
        let usual = usize::try_from(usual / unit).unwrap_or_default();
        let count = i64::try_from(self.count(name, usual)).unwrap_or_default();
        count.saturating_mul(unit)
    }

    fn smtp(&mut self) -> Option<SmtpSettings> {
        let ca = self
            .text("SMTP_CA")
            .map(|path| (std::fs::read(&path), path));
        let ca = match ca {
            None => None,
            Some((Ok(pem), _)) => Some(pem),
            Some((Err(error), path)) => {
                self.problems
                    .push(format!("TANYA_SMTP_CA: {path}: {error}"));
                None
            }
        };
        let url = self.text("SMTP_URL")?;
        if let Err(error) = Smtp::parse(&url, ca.as_deref(), "localhost") {
            // What was given may hold a password.
            self.problems.push(format!("TANYA_SMTP_URL: {error}"));
        }
        Some(SmtpSettings {
            url: Secret::new(url),
            ca,
        })
    }

    fn mail_from(&mut self) -> String {
        let from = self.text("MAIL_FROM");
        let from = from.unwrap_or_else(|| "tanya@localhost".to_owned());
        if from.parse::<lettre::message::Mailbox>().is_err() {
            self.problems.push(format!(
                "TANYA_MAIL_FROM is {from:?}; it must be an address, as Tanya <tanya@host>"
            ));
        }
        from
    }

    fn offices(&mut self) -> Offices {
        let [teknikal, naziran, helpdesk] =
            ["teknikal", "naziran", "helpdesk"].map(|queue| self.office(queue));
        let supervisor = self.text("SUPERVISOR_EMAIL");
        let supervisor = match supervisor {
            Some(text) => self.address("SUPERVISOR_EMAIL", &text),
            None => helpdesk.clone(),
        };
        Offices {
            teknikal,
            naziran,
            helpdesk,
            supervisor,
        }
    }

    fn office(&mut self, queue: &str) -> OfficeAddress {
        let name = format!("QUEUE_{}_EMAIL", queue.to_uppercase());
        let text = self.text(&name);
        let text = text.unwrap_or_else(|| format!("{queue}@localhost"));
        self.address(&name, &text)
    }

    fn address(&mut self, name: &str, text: &str) -> OfficeAddress {
        OfficeAddress::parse(text).unwrap_or_else(|| {
            self.problems.push(format!(
                "TANYA_{name} is {text:?}; it must be one e-mail address"
            ));
            OfficeAddress::default()
        })
    }

    /// Where there is no portal, officers do what it would; the demo has its simulator unless it is told `none`.
    fn portal(&mut self, mode: Mode) -> PortalSettings {
        let token = self.text("PORTAL_TOKEN");
        let text = match (self.text("PORTAL_URL"), mode) {
            (Some(text), _) if text == "none" => return PortalSettings::Manual,
            (Some(text), _) => text,
            (None, Mode::Demo) => return PortalSettings::Simulator,
            (None, Mode::Serve) => return PortalSettings::Manual,
        };
        let url = Url::parse(&text).ok().filter(|url| match url.scheme() {
            "https" => true,
            "http" => mode == Mode::Demo || is_loopback(url),
            _ => false,
        });
        let Some(url) = url else {
            self.problems.push(
                "TANYA_PORTAL_URL must be an https address (http only for a loopback host)"
                    .to_owned(),
            );
            return PortalSettings::Manual;
        };
        let Some(token) = token else {
            self.problems
                .push("TANYA_PORTAL_TOKEN is missing; the portal's owner gives it".to_owned());
            return PortalSettings::Manual;
        };
        let host = |item: &str| {
            let url = Url::parse(&format!("https://{item}/")).ok()?;
            let plain = url.username().is_empty() && url.path() == "/" && url.query().is_none();
            (plain && url.host_str().is_some()).then(|| item.to_lowercase())
        };
        let mut link_hosts = self.list(
            "PORTAL_LINK_HOSTS",
            "hosts as p.example or p.example:8443",
            host,
        );
        if link_hosts.is_empty() {
            let host = url.host_str().unwrap_or_default();
            link_hosts.push(match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            });
        }
        PortalSettings::At {
            url,
            token: Secret::new(token),
            link_hosts,
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

    fn secret_key(&mut self, mode: Mode) -> Option<SecretKey> {
        let [key, old] = ["SECRET_KEY", "SECRET_KEY_OLD"].map(|name| {
            let text = self.text(name)?;
            if mode == Mode::Serve && PUBLISHED_KEYS.contains(&text.as_str()) {
                self.problems.push(format!(
                    "TANYA_{name} stands in examples that everybody can read: `openssl rand -base64 32` makes one of your own"
                ));
            }
            let key = SecretKey::parse(&text);
            if let Err(weak) = &key {
                self.problems.push(format!(
                    "TANYA_{name} must be {KEY_BYTES} or more random bytes in base64, and {weak}: `openssl rand -base64 32` makes one"
                ));
            }
            key.ok()
        });
        let key = key?;
        if old.as_ref().is_some_and(|old| old.is_same(&key)) {
            self.problems.push(
                "TANYA_SECRET_KEY_OLD is the same as TANYA_SECRET_KEY: nothing was changed; remove it, or give the key from before"
                    .to_owned(),
            );
        }
        Some(key.after(old))
    }

    fn role(&mut self) -> Role {
        let Some(name) = self.text("ROLE") else {
            return Role::All;
        };
        Role::parse(&name).unwrap_or_else(|| {
            self.problems.push(format!(
                "TANYA_ROLE is {name:?}; it must be all, web or worker"
            ));
            Role::All
        })
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
        let old = self.text("TELEGRAM_WEBHOOK_SECRET_OLD");
        self.webhook_secret("TELEGRAM_WEBHOOK_SECRET", &secret);
        if let Some(old) = &old {
            self.webhook_secret("TELEGRAM_WEBHOOK_SECRET_OLD", old);
            if *old == secret {
                self.problems.push(
                    "TANYA_TELEGRAM_WEBHOOK_SECRET_OLD is the same as TANYA_TELEGRAM_WEBHOOK_SECRET: nothing was changed"
                        .to_owned(),
                );
            }
        }
        TelegramMode::Webhook {
            secret: Secret::new(secret),
            old: old.map(Secret::new),
        }
    }

    fn webhook_secret(&mut self, name: &str, secret: &str) {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if !(WEBHOOK_SECRET..=256).contains(&secret.len()) || !secret.chars().all(allowed) {
            self.problems.push(format!(
                "TANYA_{name} must be {WEBHOOK_SECRET} to 256 letters, digits, _ or -: `openssl rand -hex 32` makes one"
            ));
        }
    }
}

/// Keys that stand in this project's own tests and examples.
const PUBLISHED_KEYS: [&str; 3] = [
    "c2VjcmV0IGZvciB0ZXN0cywgMzIgYnl0ZXMgb3IgbW9yZQ==",
    "YW5vdGhlciBzZWNyZXQgZm9yIHRlc3RzLCAzMiBieXRlcyBvciBtb3Jl",
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
];

/// The least length of the webhook's secret.
const WEBHOOK_SECRET: usize = 8;

/// Whether it can be one: what it is made of is Telegram's affair, but it stands in addresses.
fn is_bot_token(token: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-');
    token.chars().all(allowed)
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
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

//! The payroll portal's HTTP interface (contracts, section 6; docs/portal-api.yaml). Nothing that it answers is logged or
//! shown as it is: answers are read into types, faults into a few kinds.

mod breaker;
mod examine;
mod person;
pub mod simulator;

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thiserror::Error;
use url::Url;

use crate::clock::Clock;
use crate::http_client;
use crate::identity::number::{IdentityNumber, Kind};
use crate::secret::Secret;
use breaker::Breaker;
use person::PersonAnswer;

pub use examine::Reached;
pub use person::{Account, Payroll, Person, RegisteredAddress, Staff};

/// How long a connection, and a whole request, may take.
const CONNECT: Duration = Duration::from_secs(2);
const WHOLE: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;
/// The most months or years that are taken from an answer.
const MOST_PERIODS: usize = 120;

/// Why the portal did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// It cannot be reached, or says that it cannot do anything now: nothing was done.
    #[error("the portal is down")]
    Down,
    /// The request went out and no answer came that can be read: nobody knows whether it was done.
    #[error("the portal's answer got lost")]
    Lost,
    /// It answered something else than was agreed.
    #[error("the portal's answer is not what was agreed")]
    Garbled,
    /// It does not know the person or the document.
    #[error("the portal does not know it")]
    Unknown,
    /// It refuses, for a reason that was agreed.
    #[error("the portal refuses")]
    Refused(Reason),
}

impl Fault {
    /// The name as counted and recorded.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Lost => "lost",
            Self::Garbled => "garbled",
            Self::Unknown => "unknown",
            Self::Refused(_) => "refused",
        }
    }
}

/// Why the portal refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The person is not served any more.
    Inactive,
    /// The person has no account.
    NoAccount,
    /// The person has no address on record.
    NoEmail,
    /// The account is active already.
    AlreadyActive,
    /// The person is not paid through Modul PY.
    NotInPayroll,
    /// The mail could not be sent.
    MailNotSent,
    /// Something else.
    Other,
}

impl Reason {
    fn parse(code: &str) -> Self {
        match code {
            "inactive" => Self::Inactive,
            "no_account" => Self::NoAccount,
            "no_email" => Self::NoEmail,
            "already_active" => Self::AlreadyActive,
            "not_in_payroll" => Self::NotInPayroll,
            "mail_not_sent" => Self::MailNotSent,
            _ => Self::Other,
        }
    }
}

/// Who mails what was asked for. It may hold a one-time link, and is never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The portal does.
    Portal,
    /// We do: a one-time link.
    Helpdesk {
        /// The link.
        url: String,
        /// When it dies, as the portal says.
        expires_at: String,
    },
}

/// The line to a portal.
pub struct Portal {
    client: Client,
    base: Url,
    token: Secret,
    breaker: Breaker,
    link_hosts: Vec<String>,
}

#[derive(Deserialize)]
struct Found {
    person: PersonAnswer,
}

#[derive(Deserialize)]
#[serde(tag = "delivery", rename_all = "lowercase")]
enum DeliveryAnswer {
    Portal,
    Helpdesk { url: String, expires_at: String },
}

/// What the portal's interface says of the two systems.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Status {
    /// Sistem iSPEKS.
    pub sistem: Condition,
    /// Portal iSPEKS.
    pub portal: Condition,
    /// A sentence for people.
    #[serde(default)]
    pub note: Option<String>,
}

/// How a system is, as the portal's interface says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// It works.
    Up,
    /// It does not.
    Down,
    /// It is being worked on.
    Maintenance,
}

#[derive(Deserialize)]
struct Months {
    months: Vec<String>,
}

#[derive(Deserialize)]
struct Years {
    years: Vec<i16>,
}

#[derive(Deserialize)]
struct LinkAnswer {
    url: String,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
}

impl Portal {
    /// A line to the portal at `base`; its links may lead to `link_hosts` only, each as `host` or `host:port`.
    pub fn new(
        base: &Url,
        token: Secret,
        link_hosts: Vec<String>,
        clock: Clock,
    ) -> Result<Self, reqwest::Error> {
        let client = http_client::builder(CONNECT, WHOLE).tcp_nodelay(true);
        Ok(Self {
            client: client.build()?,
            base: base.clone(),
            token,
            breaker: Breaker::new(clock),
            link_hosts,
        })
    }

    /// The hosts that a link may lead to.
    pub fn link_hosts(&self) -> &[String] {
        &self.link_hosts
    }

    /// The scheme of its links.
    pub fn link_scheme(&self) -> &str {
        self.base.scheme()
    }

    /// How the two systems are. Asked beside the breaker: it is not counted, and a pause does not hold it up.
    pub async fn status(&self) -> Result<Status, Fault> {
        let answer = answered(self.request(Method::GET, &["status"])).await?;
        serde_json::from_value(answer).map_err(|_| Fault::Garbled)
    }

    /// Whom a number belongs to, if anybody.
    pub async fn lookup(&self, number: &IdentityNumber) -> Result<Option<Person>, Fault> {
        let kind = number.kind();
        let body = json!({"kind": kind.as_str(), "id_no": number.reveal()});
        let request = self
            .request(Method::POST, &["people", "lookup"])
            .body(body.to_string());
        let request = request.header(CONTENT_TYPE, "application/json");
        match self.ask::<Found>(request).await {
            Ok(found) => found.person.read(kind).map(Some).ok_or(Fault::Garbled),
            Err(Fault::Unknown) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// A person as of now; none if the portal does not know them any more.
    pub async fn person(&self, reference: &str, kind: Kind) -> Result<Option<Person>, Fault> {
        let request = self.request(Method::GET, &["people", reference]);
        match self.ask::<Found>(request).await {
            Ok(found) => {
                let person = found.person.read(kind);
                let same = person.filter(|person| person.reference == reference);
                same.map(Some).ok_or(Fault::Garbled)
            }
            Err(Fault::Unknown) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Has a password reset; the same key again does nothing twice.
    pub async fn reset_password(&self, reference: &str, key: &str) -> Result<Delivery, Fault> {
        self.effect(&["people", reference, "password-reset"], key)
            .await
    }

    /// Has an account activated; the same key again does nothing twice.
    pub async fn activate(&self, reference: &str, key: &str) -> Result<Delivery, Fault> {
        self.effect(&["people", reference, "activation"], key).await
    }

    async fn effect(&self, path: &[&str], key: &str) -> Result<Delivery, Fault> {
        let request = self.request(Method::POST, path);
        let request = request.header("idempotency-key", key);
        match self.ask(request).await? {
            DeliveryAnswer::Portal => Ok(Delivery::Portal),
            DeliveryAnswer::Helpdesk { url, expires_at } => {
                let url = self.allowed(&url)?.to_string();
                Ok(Delivery::Helpdesk { url, expires_at })
            }
        }
    }

    /// The months that there are payslips of, as `2026-10`, the latest first.
    pub async fn payslips(&self, staff: &Staff<'_>) -> Result<Vec<String>, Fault> {
        let path = ["people", staff.reference(), "payslips"];
        let Months { mut months } = self.ask(self.request(Method::GET, &path)).await?;
        months.retain(|month| is_month(month));
        months.sort_unstable_by(|a, b| b.cmp(a));
        months.truncate(MOST_PERIODS);
        Ok(months)
    }

    /// The years that there are annual statements of, as `2025`, the latest first.
    pub async fn statements(&self, staff: &Staff<'_>) -> Result<Vec<String>, Fault> {
        let path = ["people", staff.reference(), "annual-statements"];
        let Years { mut years } = self.ask(self.request(Method::GET, &path)).await?;
        years.retain(|year| (1900..=2999).contains(year));
        years.sort_unstable_by(|a, b| b.cmp(a));
        years.truncate(MOST_PERIODS);
        Ok(years.iter().map(i16::to_string).collect())
    }

    /// The portal's own link to a payslip, of a month as `2026-10`.
    pub async fn payslip_link(
        &self,
        staff: &Staff<'_>,
        month: &str,
        key: &str,
    ) -> Result<Url, Fault> {
        let path = ["people", staff.reference(), "payslips", month, "link"];
        self.link(&path, key).await
    }

    /// The portal's own link to an annual statement, of a year as `2025`.
    pub async fn statement_link(
        &self,
        staff: &Staff<'_>,
        year: &str,
        key: &str,
    ) -> Result<Url, Fault> {
        let path = [
            "people",
            staff.reference(),
            "annual-statements",
            year,
            "link",
        ];
        self.link(&path, key).await
    }

    async fn link(&self, path: &[&str], key: &str) -> Result<Url, Fault> {
        let request = self.request(Method::POST, path);
        let request = request.header("idempotency-key", key);
        let LinkAnswer { url } = self.ask(request).await?;
        self.allowed(&url)
    }

    /// A link, if it leads where links of the portal may lead: an agreed host, over TLS unless the portal itself is
    /// spoken to without.
    fn allowed(&self, url: &str) -> Result<Url, Fault> {
        let url = Url::parse(url).map_err(|_| Fault::Garbled)?;
        let host = url.host_str().unwrap_or_default();
        let place = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let known = self.link_hosts.contains(&place);
        let safe =
            url.scheme() == "https" || (url.scheme() == "http" && self.base.scheme() == "http");
        let plain = url.username().is_empty() && url.password().is_none();
        if known && safe && plain {
            return Ok(url);
        }
        tracing::error!(
            "the portal gave a link to a host that is not among TANYA_PORTAL_LINK_HOSTS"
        );
        metrics::counter!("tanya_portal_foreign_links_total").increment(1);
        Err(Fault::Garbled)
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        let bearer = format!("Bearer {}", self.token.reveal());
        self.client
            .request(method, url)
            .header(AUTHORIZATION, bearer)
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Fault> {
        if !self.breaker.admits() {
            metrics::counter!("tanya_portal_requests_total", "outcome" => "paused").increment(1);
            return Err(Fault::Down);
        }
        let answered = answered(request).await;
        let at_fault = matches!(answered, Err(Fault::Down | Fault::Lost | Fault::Garbled));
        self.breaker.note(!at_fault);
        let outcome = answered
            .as_ref()
            .map_or_else(|fault| fault.as_str(), |_| "answered");
        metrics::counter!("tanya_portal_requests_total", "outcome" => outcome).increment(1);
        serde_json::from_value(answered?).map_err(|_| Fault::Garbled)
    }
}

async fn answered(request: RequestBuilder) -> Result<Value, Fault> {
    let mut response = request.send().await.map_err(|error| {
        if error.is_connect() {
            Fault::Down
        } else {
            Fault::Lost
        }
    })?;
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_json =
        kind.starts_with("application/json") || kind.starts_with("application/problem+json");
    if !is_json {
        // A page for people, of a proxy or a login: whether anything was done is not known.
        let down = matches!(
            status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        );
        return Err(if down { Fault::Down } else { Fault::Lost });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Fault::Lost)? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(Fault::Garbled);
        }
    }
    let answer = serde_json::from_slice::<Value>(&body);
    if status.is_success() {
        return answer.map_err(|_| Fault::Lost);
    }
    let problem = answer
        .ok()
        .and_then(|answer| Problem::deserialize(answer).ok());
    let code = problem.map(|problem| problem.code).unwrap_or_default();
    Err(match status {
        StatusCode::NOT_FOUND => Fault::Unknown,
        StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => {
            Fault::Refused(Reason::parse(&code))
        }
        StatusCode::BAD_GATEWAY if code == "mail_not_sent" => Fault::Refused(Reason::MailNotSent),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Fault::Down,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            tracing::error!("the portal does not take our token; check TANYA_PORTAL_TOKEN");
            Fault::Down
        }
        _ if status.is_server_error() => Fault::Lost,
        _ => Fault::Garbled,
    })
}

/// Whether it is a month as `2026-10`.
fn is_month(text: &str) -> bool {
    let parts = text.split_once('-');
    let number = |text: &str, digits: usize| {
        let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i16>().ok().filter(|_| plain)
    };
    parts.is_some_and(|(year, month)| {
        let month = number(month, 2);
        number(year, 4).is_some() && month.is_some_and(|month| (1..=12).contains(&month))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ac_46_links_lead_to_agreed_hosts_only() {
        let base = Url::parse("https://portal.example/api").unwrap();
        let hosts = vec![
            "p.portal.example".to_owned(),
            "p.portal.example:8443".to_owned(),
        ];
        let token = Secret::new("t".to_owned());
        let portal = Portal::new(&base, token, hosts, Clock::default()).unwrap();
        for good in [
            "https://p.portal.example/x?y=1",
            "https://p.portal.example:8443/x",
        ] {
            assert!(portal.allowed(good).is_ok(), "{good}");
        }
        for evil in [
            "http://p.portal.example/x",
            "https://evil.example/x",
            "https://p.portal.example.evil.example/",
            "https://evil.example/?p.portal.example",
            "https://evil.example/#p.portal.example",
            "https://p.portal.example@evil.example/",
            "https://user:pw@p.portal.example/",
            "https://p.portal.example:9/x",
            "https://xp.portal.example/",
            "https://p.portal.example./",
            "//p.portal.example/x",
            "/x",
            "",
            "javascript:alert(1)",
            "javascript://p.portal.example/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "ftp://p.portal.example/",
            "https:///evil.example/p.portal.example",
            "https://p.portal.example%00.evil.example/",
            "https://p.portal.example%2f.evil.example/",
            "https://[::1]/",
            "https://127.0.0.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://localhost/",
            "https://evil.example\\@p.portal.example/",
            "https://evil.example:443#@p.portal.example/",
            "https://p-portal.example/",
            "https://pportal.example/",
            "https://portal.example/",
            "https://ｐ.portal.example.evil/",
            "https://p.portal.examp1e/",
            "https://xn--p-portal.example/",
            "https://p.portal.example:0/",
            "https://p.portal.example:65536/",
            "blob:https://p.portal.example/x",
            "view-source:https://p.portal.example/",
            "https:evil.example",
        ] {
            assert!(portal.allowed(evil).is_err(), "{evil}");
        }
    }

    #[test]
    fn months_are_months() {
        assert!(is_month("2026-10"));
        for wrong in [
            "2026-13",
            "2026-1",
            "26-10",
            "2026-10-01",
            "../../x",
            "+026-10",
        ] {
            assert!(!is_month(wrong), "{wrong}");
        }
    }
}

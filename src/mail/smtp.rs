//! SMTP, verb by verb over lettre's connection, each with a time of its own: lettre's transport waits for ever for a
//! server that hangs, and its pool takes a connection back in the middle of a talk.

use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use lettre::transport::smtp::{Error, SUBMISSION_PORT, SUBMISSIONS_PORT};
use lettre::{Address, Message};
use percent_encoding::percent_decode_str;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use super::Unsent;

/// How many times as long it may take for its answer to the text.
const PATIENCE: u32 = 3;
/// How long the server may take for one verb.
const VERB: Duration = Duration::from_secs(10);
/// How long it is given to say goodbye; it has the mail by then.
const GOODBYE: Duration = Duration::from_millis(500);
/// What a server without TLS of any kind listens on.
const PLAIN_PORT: u16 = 25;

/// A mail server and how it is spoken to.
#[derive(Clone)]
pub struct Smtp {
    host: String,
    port: u16,
    secured: Secured,
    credentials: Option<Credentials>,
    hello: ClientId,
    verb: Duration,
}

/// How a server greeted us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Whether TLS is spoken.
    pub secured: bool,
    /// Whether user and password were given, and taken.
    pub signed_in: bool,
}

/// When TLS begins.
#[derive(Clone)]
enum Secured {
    /// At once.
    Wrapped(TlsParameters),
    /// With STARTTLS, or nothing is said.
    Required(TlsParameters),
    /// With STARTTLS where the server offers it.
    Offered(TlsParameters),
    /// Never.
    Plain,
}

impl Smtp {
    /// The server of a URL, as lettre's transport reads it: `smtp://`, `smtp://…?tls=required`,
    /// `smtp://…?tls=opportunistic`, `smtps://`, each with `user:password@` if need be. `ca` is the certificate of an
    /// authority of one's own, in PEM.
    pub fn parse(url: &str, ca: Option<&[u8]>, hello: &str) -> anyhow::Result<Self> {
        let url = Url::parse(url)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        anyhow::ensure!(!host.is_empty(), "the address names no host");
        let parameters = || -> anyhow::Result<TlsParameters> {
            let mut builder = TlsParameters::builder(host.clone());
            if let Some(pem) = ca {
                builder = builder.add_root_certificate(Certificate::from_pem(pem)?);
            }
            Ok(builder.build_rustls()?)
        };
        let tls = url.query_pairs().find(|(key, _)| key == "tls");
        let tls = tls.map(|(_, value)| value.into_owned());
        let (secured, port) = match (url.scheme(), tls.as_deref()) {
            ("smtps", _) => (Secured::Wrapped(parameters()?), SUBMISSIONS_PORT),
            ("smtp", Some("required")) => (Secured::Required(parameters()?), SUBMISSION_PORT),
            ("smtp", Some("opportunistic")) => (Secured::Offered(parameters()?), SUBMISSION_PORT),
            ("smtp", None) => (Secured::Plain, PLAIN_PORT),
            _ => anyhow::bail!(
                "it must be smtp:// or smtps://, with ?tls=required or ?tls=opportunistic if any"
            ),
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let credentials = url
            .password()
            .map(|password| Credentials::new(decoded(url.username()), decoded(password)));
        let here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        anyhow::ensure!(
            here || credentials.is_none() || !matches!(secured, Secured::Plain),
            "a password would go over the network in plain text; add ?tls=required, or use smtps://"
        );
        Ok(Self {
            port: url.port().unwrap_or(port),
            host,
            secured,
            credentials,
            hello: ClientId::Domain(hello.to_owned()),
            verb: VERB,
        })
    }

    /// Whether the server is on this machine.
    pub fn is_here(&self) -> bool {
        matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]")
    }

    /// Greets the server, as far as signing in, and leaves again.
    pub async fn examine(&self) -> Result<Greeting, Unsent> {
        let mut connection = self.connect().await?;
        let secured = connection.is_encrypted();
        let _ = timeout(GOODBYE, connection.quit()).await;
        Ok(Greeting {
            secured,
            signed_in: self.credentials.is_some(),
        })
    }

    /// Hands a message over.
    pub async fn send(
        &self,
        from: &Address,
        to: &Address,
        message: &Message,
    ) -> Result<(), Unsent> {
        let mut connection = self.connect().await?;
        let handed = self.hand_over(&mut connection, from, to, message).await;
        // Whatever comes now, the mail is there or it is not.
        if handed.is_ok() {
            let _ = timeout(GOODBYE, connection.quit()).await;
        }
        handed
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Unsent> {
        let mut connection = match &self.secured {
            Secured::Wrapped(tls) => {
                let server = (self.host.as_str(), self.port);
                let tls = Some(tls.clone());
                let opening =
                    AsyncSmtpConnection::connect_tokio1(server, None, &self.hello, tls, None);
                self.timed(opening).await.map_err(of_connecting)?
            }
            Secured::Required(_) | Secured::Offered(_) | Secured::Plain => {
                let opening = TcpStream::connect((self.host.as_str(), self.port));
                let stream = timeout(self.verb, opening).await;
                let stream = stream.map_err(|_| Unsent::Unreached)?;
                let stream = stream.map_err(|_| Unsent::Unreached)?;
                // Without it every verb waits for the other side's delayed acknowledgement.
                stream.set_nodelay(true).map_err(|_| Unsent::Unreached)?;
                let opening =
                    AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello);
                self.timed(opening).await.map_err(of_connecting)?
            }
        };
        match &self.secured {
            Secured::Required(_) if !connection.can_starttls() => {
                tracing::error!(
                    "the mail server offers no STARTTLS, and TANYA_SMTP_URL demands it"
                );
                return Err(Unsent::Disagreed);
            }
            Secured::Required(tls) | Secured::Offered(tls) if connection.can_starttls() => {
                let securing = connection.starttls(tls.clone(), &self.hello);
                self.timed(securing).await.map_err(of_connecting)?;
            }
            Secured::Required(_) | Secured::Offered(_) | Secured::Wrapped(_) | Secured::Plain => {}
        }
        if let Some(credentials) = &self.credentials {
            let signing_in = connection.auth(DEFAULT_MECHANISMS, credentials);
            self.timed(signing_in).await.map_err(of_signing_in)?;
        }
        Ok(connection)
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        from: &Address,
        to: &Address,
        message: &Message,
    ) -> Result<(), Unsent> {
        let mail = Mail::new(Some(from.clone()), Vec::new());
        taken(self.timed(connection.command(mail)).await, 250)?;
        let rcpt = Rcpt::new(to.clone(), Vec::new());
        taken(self.timed(connection.command(rcpt)).await, 250)?;
        taken(self.timed(connection.command(Data)).await, 354)?;
        let text = message.formatted();
        // Whoever looks for viruses and advertisements does it now.
        let answer = within(self.verb * PATIENCE, connection.message(&text)).await;
        let silent = answer.as_ref().is_err_and(Failed::is_no_answer);
        let taken = taken(answer, 250);
        // It may have been taken.
        if silent { Err(Unsent::Lost) } else { taken }
    }

    async fn timed<T>(&self, verb: impl Future<Output = Result<T, Error>>) -> Result<T, Failed> {
        within(self.verb, verb).await
    }
}

async fn within<T>(
    limit: Duration,
    verb: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failed> {
    match timeout(limit, verb).await {
        Ok(result) => result.map_err(Failed::Said),
        Err(_) => Err(Failed::Silent),
    }
}

/// How a verb failed.
enum Failed {
    /// The server said so, or the line broke.
    Said(Error),
    /// The server said nothing.
    Silent,
}

impl Failed {
    /// Whether the server did not say what became of it.
    fn is_no_answer(&self) -> bool {
        match self {
            Self::Said(error) => error.status().is_none(),
            Self::Silent => true,
        }
    }
}

/// 530 and 535 to 538 speak of signing in (RFC 4954); they say nothing about the mail.
fn speaks_of_signing_in(error: &Error) -> bool {
    let code = error.status().map(u16::from);
    code.is_some_and(|code| code == 530 || (534..=538).contains(&code))
}

fn disagreed() -> Unsent {
    tracing::error!(
        "the mail server's certificate, or the user or password of TANYA_SMTP_URL, is not right"
    );
    Unsent::Disagreed
}

fn of_connecting(failed: Failed) -> Unsent {
    match failed {
        Failed::Said(error) if error.is_tls() || names_certificate(&error) => disagreed(),
        Failed::Said(error) if error.status().is_some() => Unsent::NotNow,
        Failed::Said(_) | Failed::Silent => Unsent::Unreached,
    }
}

/// A certificate that cannot be trusted comes as an error of the connection; only its words tell.
fn names_certificate(error: &Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("certificate") {
            return true;
        }
        cause = error.source();
    }
    false
}

fn of_signing_in(failed: Failed) -> Unsent {
    match failed {
        Failed::Said(error) if error.is_permanent() || error.is_client() => disagreed(),
        Failed::Said(_) | Failed::Silent => Unsent::NotNow,
    }
}

/// Only the very code that is due is a yes.
fn taken(answer: Result<Response, Failed>, due: u16) -> Result<(), Unsent> {
    match answer {
        Ok(response) if u16::from(response.code()) == due => Ok(()),
        Ok(_) | Err(Failed::Silent) => Err(Unsent::NotNow),
        Err(Failed::Said(error)) if speaks_of_signing_in(&error) => Err(disagreed()),
        Err(Failed::Said(error)) if error.is_permanent() => Err(Unsent::Refused),
        Err(Failed::Said(_)) => Err(Unsent::NotNow),
    }
}

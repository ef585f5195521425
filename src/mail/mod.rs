//! Mail: plain text over SMTP, or into the demonstration's inbox. A recipient can only be made from the portal's record
//! or from the settings; no text of a person's gets into a header.

pub mod inbox;
pub mod letters;
pub mod smtp;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::address::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use thiserror::Error;

use crate::clock::Millis;
use crate::portal::RegisteredAddress;
use inbox::{Inbox, InboxMail};
use smtp::Smtp;

/// Somebody whom a mail may go to.
#[derive(Clone)]
pub struct Recipient(Mailbox);

/// Where a recipient comes from; there is no other way to make one.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A person on the portal's record.
    Person(&'a RegisteredAddress),
    /// Officers, by the settings.
    Office(&'a OfficeAddress),
}

impl Recipient {
    /// The recipient of a source; none if the mail system cannot take the address.
    pub fn of(source: Source<'_>) -> Option<Self> {
        let address = match source {
            Source::Person(address) => address.reveal(),
            Source::Office(address) => &address.0,
        };
        let address = address.parse::<Address>().ok()?;
        Some(Self(Mailbox::new(None, address)))
    }
}

/// An address of the treasury's own, from the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfficeAddress(String);

impl OfficeAddress {
    /// Reads a setting; none if it is no address.
    pub fn parse(text: &str) -> Option<Self> {
        let address = text.trim().parse::<Address>().ok()?;
        Some(Self(address.to_string()))
    }
}

/// A mail, written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Why a mail did not go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unsent {
    /// It cannot be put together.
    #[error("the mail cannot be made")]
    Unmade,
    /// The server will not take it, ever.
    #[error("the mail server refuses it")]
    Refused,
    /// The server cannot be reached.
    #[error("the mail server cannot be reached")]
    Unreached,
    /// The server cannot take it now: it was not sent.
    #[error("the mail server does not take it now")]
    NotNow,
    /// The server did not say whether it has taken it.
    #[error("the mail server gave no answer")]
    Lost,
    /// The server knows neither user nor password, or its certificate cannot be trusted: somebody has to look.
    #[error("the mail server and these settings do not agree")]
    Disagreed,
}

impl Unsent {
    /// The name as counted.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unmade => "unmade",
            Self::Refused => "refused",
            Self::Unreached => "unreached",
            Self::NotNow => "not-now",
            Self::Lost => "lost",
            Self::Disagreed => "disagreed",
        }
    }
}

/// How mail goes out.
enum Transport {
    Smtp(Smtp),
    Inbox(Arc<Inbox>),
}

/// Sends mails.
pub struct Mailer {
    transport: Transport,
    from: Mailbox,
    host: String,
}

impl Mailer {
    /// Over an SMTP server.
    pub fn smtp(smtp: Smtp, from: &str, host: &str) -> anyhow::Result<Self> {
        Ok(Self {
            transport: Transport::Smtp(smtp),
            from: from.parse()?,
            host: host.to_owned(),
        })
    }

    /// Into the demonstration's inbox.
    pub fn inbox(inbox: Arc<Inbox>, from: &str, host: &str) -> anyhow::Result<Self> {
        Ok(Self {
            transport: Transport::Inbox(inbox),
            from: from.parse()?,
            host: host.to_owned(),
        })
    }

    /// Sends a mail; its id is the same over all tries, so that one that arrives twice is known as one.
    pub async fn send(
        &self,
        to: &Recipient,
        mail: &Written,
        id: &str,
        at: Millis,
    ) -> Result<(), Unsent> {
        let message_id = format!("<{id}@{}>", self.host);
        match &self.transport {
            Transport::Inbox(inbox) => {
                inbox.put(InboxMail {
                    to: to.0.email.to_string(),
                    subject: mail.subject.clone(),
                    text: mail.text.clone(),
                    message_id,
                    at: crate::clock::rfc3339(at),
                });
                Ok(())
            }
            Transport::Smtp(smtp) => {
                let message = self.message(to, mail, &message_id, at)?;
                smtp.send(&self.from.email, &to.0.email, &message).await
            }
        }
    }

    fn message(
        &self,
        to: &Recipient,
        mail: &Written,
        message_id: &str,
        at: Millis,
    ) -> Result<Message, Unsent> {
        let since = Duration::from_millis(u64::try_from(at).unwrap_or_default());
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        let body = SinglePart::builder()
            .header(ContentType::TEXT_PLAIN)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(plain(&mail.text, true));
        Message::builder()
            .from(self.from.clone())
            .to(to.0.clone())
            .subject(plain(&mail.subject, false))
            .message_id(Some(message_id.to_owned()))
            .date(UNIX_EPOCH + since)
            .raw_header(automatic)
            .singlepart(body)
            .map_err(|_| Unsent::Unmade)
    }
}

/// The text without what could end a header, hide a word or turn the reading direction.
fn plain(text: &str, lines: bool) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'))
        .map(|c| if c.is_control() && !(lines && c == '\n') { ' ' } else { c })
        .collect()
}

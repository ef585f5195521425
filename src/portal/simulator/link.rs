//! One-time links: an unguessable token that leads to one thing, once, for a while.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use serde::Serialize;

use super::period::Month;
use crate::clock::{Millis, rfc3339};

const SECOND: Millis = 1_000;
/// How long a document link lives.
const DOCUMENT_LIFE: Millis = 60 * SECOND;
/// How long a page to choose a password lives.
const PASSWORD_LIFE: Millis = 30 * 60 * SECOND;
/// How long a dead link is remembered. It is gone afterwards all the same.
const REMEMBERED: Millis = 60 * 60 * SECOND;

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The page to choose a password.
    Password,
    /// The payslip of a month.
    Payslip(Month),
    /// The annual statement of a year.
    Statement(i32),
}

/// A link that leads to a person's document or page.
#[derive(Clone, Debug)]
pub struct Target {
    /// Whose.
    pub reference: String,
    /// What.
    pub purpose: Purpose,
}

/// A link as it is handed out.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// Where it leads.
    pub url: String,
    /// Until when, RFC 3339 in UTC.
    pub expires_at: String,
}

#[derive(Debug)]
struct Entry {
    target: Target,
    expires_at: Millis,
}

/// The links that are alive, by token. A spent one is taken out at once.
#[derive(Debug, Default)]
pub struct Links {
    entries: HashMap<String, Entry>,
}

impl Links {
    /// Makes a link; `base_url` is that of the portal.
    pub fn make(&mut self, target: Target, base_url: &str, now: Millis) -> Link {
        self.entries
            .retain(|_, entry| entry.expires_at + REMEMBERED > now);
        let (folder, life) = match target.purpose {
            Purpose::Password => ("kata-laluan", PASSWORD_LIFE),
            Purpose::Payslip(_) | Purpose::Statement(_) => ("documents", DOCUMENT_LIFE),
        };
        let token = token();
        let url = format!("{base_url}/{folder}/{token}");
        let expires_at = now + life;
        self.entries.insert(token, Entry { target, expires_at });
        Link {
            url,
            expires_at: rfc3339(expires_at),
        }
    }

    /// What a living link leads to; spends nothing.
    pub fn look(&self, token: &str, now: Millis) -> Option<&Target> {
        let entry = self.entries.get(token)?;
        (now < entry.expires_at).then_some(&entry.target)
    }

    /// Takes a living link out, so that only the first caller gets it.
    pub fn spend(&mut self, token: &str, now: Millis) -> Option<Target> {
        let entry = self.entries.remove(token)?;
        (now < entry.expires_at).then_some(entry.target)
    }
}

/// 256 random bits for an address.
fn token() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

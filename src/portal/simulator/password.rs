//! Temporary passwords that the portal has mailed: each opens one account, once, for a day. Only hashes are kept.

use std::collections::HashMap;

use rand::RngExt;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::clock::Millis;

/// How long a temporary password lives.
const LIFE: Millis = 24 * 60 * 60 * 1_000;
/// How long it is.
const LENGTH: usize = 12;
/// Letters and digits that nobody confuses.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

#[derive(Debug)]
struct Entry {
    hash: [u8; 32],
    expires_at: Millis,
}

/// The passwords in force, by whose they are. A newer one takes the place of the older one.
#[derive(Debug, Default)]
pub struct TemporaryPasswords {
    entries: HashMap<String, Entry>,
}

impl TemporaryPasswords {
    /// Makes one for somebody.
    pub fn make(&mut self, reference: &str, now: Millis) -> String {
        let mut random = rand::rng();
        let letters =
            (0..LENGTH).filter_map(|_| LETTERS.get(random.random_range(0..LETTERS.len())));
        let password: String = letters.map(|letter| char::from(*letter)).collect();
        let entry = Entry {
            hash: Sha256::digest(&password).into(),
            expires_at: now + LIFE,
        };
        self.entries.insert(reference.to_owned(), entry);
        password
    }

    /// Whether this opens the account; if so, it does not a second time.
    pub fn spend(&mut self, reference: &str, password: &str, now: Millis) -> bool {
        let Some(entry) = self.entries.get(reference) else {
            return false;
        };
        let hash: [u8; 32] = Sha256::digest(password).into();
        let right = bool::from(hash.ct_eq(&entry.hash)) && now < entry.expires_at;
        if right {
            self.entries.remove(reference);
        }
        right
    }
}

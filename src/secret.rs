//! Keys derived from the one secret of a deployment, and what is sealed with them. Nothing here can be printed.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use rand::Rng;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use subtle::ConstantTimeEq;
use thiserror::Error;

/// The least length of a secret key, in bytes.
pub const KEY_BYTES: usize = 32;

/// A text that nobody prints.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Holds a text back.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for the one who needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret")
    }
}

/// Why a text is no key to build on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WeakKey {
    /// It is no base64.
    #[error("it is no base64")]
    Unreadable,
    /// It is too short.
    #[error("it has fewer than 32 bytes")]
    Short,
    /// It repeats itself, or counts: nobody drew it at random.
    #[error("it is not random")]
    Plain,
}

/// The fewest different bytes of a key: 32 random ones have fewer once in 10^15 times.
const DIFFERENT_BYTES: usize = 12;

/// Whether bytes were hardly drawn at random: few different ones, or each as far from the one before it.
fn is_plain(bytes: &[u8]) -> bool {
    let different: std::collections::BTreeSet<&u8> = bytes.iter().collect();
    let steps = bytes.iter().zip(bytes.iter().skip(1));
    let steps: std::collections::BTreeSet<u8> =
        steps.map(|(one, next)| next.wrapping_sub(*one)).collect();
    different.len() < DIFFERENT_BYTES || steps.len() <= 1
}

/// Why something sealed cannot be opened.
#[derive(Debug, Error)]
pub enum SealError {
    /// It was sealed with another key, for something else, or it was changed.
    #[error("it was sealed with another key, or changed since")]
    Refused,
}

/// The secret of a deployment, as material for keys.
#[derive(Clone)]
pub struct SecretKey {
    material: hkdf::Prk,
    /// The one before a rotation: what it sealed can still be opened.
    old: Option<hkdf::Prk>,
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SecretKey")
    }
}

impl SecretKey {
    /// The key in a text in base64.
    pub fn parse(text: &str) -> Result<Self, WeakKey> {
        let bytes = BASE64.decode(text.trim());
        let bytes = bytes.map_err(|_| WeakKey::Unreadable)?;
        if bytes.len() < KEY_BYTES {
            return Err(WeakKey::Short);
        }
        if is_plain(&bytes) {
            return Err(WeakKey::Plain);
        }
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tanya 1");
        Ok(Self {
            material: salt.extract(&bytes),
            old: None,
        })
    }

    /// Whether another text held the same key.
    pub fn is_same(&self, other: &Self) -> bool {
        tag(&self.material, "same", "") == tag(&other.material, "same", "")
    }

    /// Whether a rotation is under way.
    pub fn has_old(&self) -> bool {
        self.old.is_some()
    }

    /// The same, and what `old` sealed can still be opened.
    #[must_use]
    pub fn after(mut self, old: Option<Self>) -> Self {
        self.old = old.map(|old| old.material);
        self
    }

    /// The key in a file, which is made with a new one if it is not there. For demonstrations.
    pub fn in_file(path: &Path) -> std::io::Result<Self> {
        if !path.exists() {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut bytes = [0_u8; KEY_BYTES];
            rand::rng().fill_bytes(&mut bytes);
            let mut options = OpenOptions::new();
            let options = options.create_new(true).write(true).mode(0o600);
            match options.open(path) {
                Ok(mut file) => file.write_all(BASE64.encode(bytes).as_bytes())?,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Self::parse(&fs::read_to_string(path)?).map_err(|_| {
            let reason = "it holds no key; delete it, and a new one is made";
            std::io::Error::new(std::io::ErrorKind::InvalidData, reason)
        })
    }

    /// What seals for one purpose.
    pub fn sealer(&self, purpose: &'static str) -> Sealer {
        let key = |material: &hkdf::Prk| {
            let info = [b"seal ".as_slice(), purpose.as_bytes()];
            let okm = material.expand(&info, &CHACHA20_POLY1305).ok()?;
            Some(LessSafeKey::new(UnboundKey::from(okm)))
        };
        Sealer {
            current: key(&self.material),
            old: self.old.as_ref().and_then(key),
        }
    }

    /// What was derived from a value for a purpose: now, and before the last rotation.
    pub fn derived(
        &self,
        purpose: &'static str,
        value: &str,
    ) -> impl Iterator<Item = [u8; 32]> + use<> {
        let materials = std::iter::once(&self.material).chain(self.old.as_ref());
        let tags: Vec<[u8; 32]> = materials
            .map(|material| tag(material, purpose, value))
            .collect();
        tags.into_iter()
    }
}

fn tag(material: &hkdf::Prk, purpose: &'static str, value: &str) -> [u8; 32] {
    let info = [b"name ".as_slice(), purpose.as_bytes()];
    let mut tag = [0; 32];
    // It fails only for keys over 8,160 bytes.
    if let Ok(okm) = material.expand(&info, hmac::HMAC_SHA256) {
        let signed = hmac::sign(&hmac::Key::from(okm), value.as_bytes());
        tag.copy_from_slice(signed.as_ref());
    }
    tag
}

/// A key that is no deployment's secret but one of its own: random, and kept sealed.
#[derive(Clone)]
pub struct RandomKey(hmac::Key);

impl std::fmt::Debug for RandomKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RandomKey")
    }
}

impl RandomKey {
    /// A new key, as text to be sealed.
    pub fn make() -> String {
        let mut bytes = [0_u8; KEY_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        BASE64.encode(bytes)
    }

    /// The key in a text; none if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64.decode(text).ok()?;
        (bytes.len() == KEY_BYTES).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// HMAC-SHA-256 of a value, as text.
    pub fn sign(&self, value: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.tag(value))
    }

    /// HMAC-SHA-256 of a value.
    pub fn tag(&self, value: &str) -> [u8; 32] {
        let mut tag = [0; 32];
        let signed = hmac::sign(&self.0, value.as_bytes());
        tag.copy_from_slice(signed.as_ref());
        tag
    }
}

/// Seals and opens texts for one purpose: ChaCha20-Poly1305 with a random nonce.
#[derive(Clone)]
pub struct Sealer {
    current: Option<LessSafeKey>,
    old: Option<LessSafeKey>,
}

impl Sealer {
    /// Seals a text; `about` must be given again to open it.
    pub fn seal(&self, about: &str, text: &str) -> Result<String, SealError> {
        self.seal_bytes(about, text.as_bytes())
    }

    /// Seals a file; `about` must be given again to open it.
    pub fn seal_bytes(&self, about: &str, bytes: &[u8]) -> Result<String, SealError> {
        let key = self.current.as_ref().ok_or(SealError::Refused)?;
        let mut nonce = [0_u8; NONCE_LEN];
        rand::rng().fill_bytes(&mut nonce);
        let mut sealed = bytes.to_vec();
        let aad = Aad::from(about.as_bytes());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(|_| SealError::Refused)?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Whether it takes the key from before the last rotation to open this.
    pub fn is_old(&self, about: &str, sealed: &str) -> bool {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).unwrap_or_default();
        let opens = |key: &LessSafeKey| open(key, about, &bytes).is_some();
        !self.current.as_ref().is_some_and(opens) && self.old.as_ref().is_some_and(opens)
    }

    /// Opens what was sealed about the same thing.
    pub fn open(&self, about: &str, sealed: &str) -> Result<String, SealError> {
        let bytes = self.open_bytes(about, sealed)?;
        String::from_utf8(bytes).map_err(|_| SealError::Refused)
    }

    /// Opens a file that was sealed about the same thing.
    pub fn open_bytes(&self, about: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed);
        let bytes = bytes.map_err(|_| SealError::Refused)?;
        let opened = [&self.current, &self.old]
            .into_iter()
            .flatten()
            .find_map(|key| open(key, about, &bytes));
        opened.ok_or(SealError::Refused)
    }
}

fn open(key: &LessSafeKey, about: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
    let mut sealed = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let aad = Aad::from(about.as_bytes());
    let opened = key.open_in_place(nonce, aad, &mut sealed).ok()?;
    Some(opened.to_vec())
}

/// 256 random bits, as text.
pub fn random_token() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whether two secrets are the same, in a time that tells neither where they differ nor how long they are.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    let digest = |bytes: &[u8]| ring::digest::digest(&ring::digest::SHA256, bytes);
    let (one, other) = (digest(one), digest(other));
    one.as_ref().ct_eq(other.as_ref()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretKey {
        let bytes: Vec<u8> = (0..32).map(|n| n ^ byte).collect();
        SecretKey::parse(&BASE64.encode(bytes)).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_only_with_its_key_for_its_purpose_and_about_the_same_thing() {
        let sealer = key(1).sealer("inbound");
        let sealed = sealer.seal("telegram:1", "nak slip gaji").unwrap();
        assert!(!sealed.contains("slip"));
        assert_eq!(sealer.open("telegram:1", &sealed).unwrap(), "nak slip gaji");
        assert!(sealer.open("telegram:2", &sealed).is_err());
        assert!(
            key(2)
                .sealer("inbound")
                .open("telegram:1", &sealed)
                .is_err()
        );
        assert!(key(1).sealer("other").open("telegram:1", &sealed).is_err());
        let mut changed = sealed.clone();
        changed.replace_range(20..21, if &sealed[20..21] == "A" { "B" } else { "A" });
        assert!(sealer.open("telegram:1", &changed).is_err());
        for broken in ["", "x", "AAAA"] {
            assert!(sealer.open("telegram:1", broken).is_err());
        }
    }

    #[test]
    fn after_a_rotation_the_old_seal_still_opens() {
        let sealed = key(1).sealer("inbound").seal("a", "text").unwrap();
        let rotated = key(2).after(Some(key(1))).sealer("inbound");
        assert_eq!(rotated.open("a", &sealed).unwrap(), "text");
    }

    #[test]
    fn weak_keys_are_refused_and_a_made_one_stays_the_same() {
        let refused = |bytes: &[u8]| SecretKey::parse(&BASE64.encode(bytes)).err();
        assert_eq!(SecretKey::parse("no key").err(), Some(WeakKey::Unreadable));
        assert_eq!(refused(&[]), Some(WeakKey::Short));
        assert_eq!(refused(&[1, 2, 3]), Some(WeakKey::Short));
        assert_eq!(refused(&[7; 32]), Some(WeakKey::Plain));
        assert_eq!(refused(&b"rahsia".repeat(8)), Some(WeakKey::Plain));
        let counted: Vec<u8> = (100..200).collect();
        assert_eq!(refused(&counted), Some(WeakKey::Plain));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/secret.key");
        let sealed = SecretKey::in_file(&path)
            .unwrap()
            .sealer("x")
            .seal("a", "b");
        let again = SecretKey::in_file(&path).unwrap().sealer("x");
        assert_eq!(again.open("a", &sealed.unwrap()).unwrap(), "b");
    }

    #[test]
    fn ac_91_secrets_are_compared_whole() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd"));
        assert!(!same(b"abc", b"ab"));
        assert!(!same(b"", b"a"));
    }
}

//! Passwords of the console: what may be one, and whether one is right. Asks for length and not for signs (NIST SP
//! 800-63B), and refuses to answer sooner about a user who does not exist.
//!
//! Hashing and verifying take some 20 ms and 19 MiB each: call them where blocking is allowed, a few at a time.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use crate::secret::Secret;

/// The fewest characters of a password.
pub const LEAST: usize = 12;

/// The most characters of a password.
pub const MOST: usize = 128;

/// The fewest different characters of a password: with fewer it is a pattern.
const LEAST_DIFFERENT: usize = 5;

/// The fewest letters and digits that must be left of a password without the username in it.
const LEAST_BESIDE_USERNAME: usize = 6;

/// How many letters beside commonplace words make no difference.
const LETTERS_BESIDE_WORDS: usize = 2;

/// Argon2id as the OWASP Password Storage Cheat Sheet has it: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What is verified for a user who does not exist: made as all others are, of a password that nobody has.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$\
    MZtweZb4CeNstiVkAUnsqw$53VE41O/SRfPmk1hWQnUNV1NhdgLrrwyBVxa8IzPSG4";

/// What passwords are made of that are guessed first; the longest before what they hold.
const COMMONPLACE: [&str; 66] = [
    "perbendaharaan",
    "administrator",
    "qwertyuiop",
    "katalaluan",
    "1q2w3e4r5t",
    "bendahari",
    "qazwsxedc",
    "asdfghjkl",
    "kotabharu",
    "pentadbir",
    "1qaz2wsx",
    "q1w2e3r4",
    "password",
    "p@ssw0rd",
    "p@ssword",
    "passw0rd",
    "kelantan",
    "malaysia",
    "bismillah",
    "treasury",
    "helpdesk",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "superman",
    "changeme",
    "kerajaan",
    "abcdefgh",
    "merdeka",
    "selamat",
    "welcome",
    "letmein",
    "default",
    "zxcvbnm",
    "pegawai",
    "laluan",
    "rahsia",
    "sayang",
    "abcdef",
    "ispeks",
    "qwerty",
    "asdfgh",
    "zxcvbn",
    "qazwsx",
    "dragon",
    "monkey",
    "master",
    "secret",
    "system",
    "negeri",
    "batman",
    "abc123",
    "tanya",
    "admin",
    "hello",
    "login",
    "kata",
    "gaji",
    "asdf",
    "pass",
    "word",
    "user",
    "test",
    "1qaz",
    "abc",
];

/// Why a text may not be a password.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PasswordRefused {
    /// It has fewer than [`LEAST`] characters.
    #[error("a password has at least {LEAST} characters")]
    TooShort,
    /// It has more than [`MOST`] characters.
    #[error("a password has at most {MOST} characters")]
    TooLong,
    /// It is the username, or little more.
    #[error("a password is not made of the username")]
    Username,
    /// It is one that is guessed first.
    #[error("the password is among those that are guessed first")]
    Commonplace,
}

/// A password could not be hashed: there is no memory, or no randomness.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the password could not be hashed")]
pub struct HashFailed;

/// A text that may be a password of its user, in Unicode's form NFKC.
#[derive(Clone, Debug)]
pub struct Password(Secret);

impl Password {
    /// The password that somebody chose for a user.
    pub fn choose(given: &Secret, username: &str) -> Result<Self, PasswordRefused> {
        let text = normal(given).ok_or(PasswordRefused::TooLong)?;
        if text.chars().count() < LEAST {
            return Err(PasswordRefused::TooShort);
        }
        let (folded, username) = (fold(&text), fold(username));
        if is_mostly(&folded, &username) {
            return Err(PasswordRefused::Username);
        }
        if is_commonplace(&folded) {
            return Err(PasswordRefused::Commonplace);
        }
        Ok(Self(Secret::new(text)))
    }

    /// The password's Argon2id hash under a new salt, as a PHC string.
    pub fn hash(&self) -> Result<String, HashFailed> {
        let hasher = hasher().ok_or(HashFailed)?;
        let hash = hasher.hash_password(self.0.reveal().as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|_| HashFailed)
    }
}

/// Whether a password is the one of this hash; no hash is an unknown user, whose answer is no after the same work.
pub fn verify(hash: Option<&str>, given: &Secret) -> bool {
    // Before the hash is looked at: what is too long is as quickly refused for everybody.
    let Some(text) = normal(given) else {
        return false;
    };
    let right = PasswordHash::new(hash.unwrap_or(DUMMY_HASH)).is_ok_and(|parsed| {
        let verified = Argon2::default().verify_password(text.as_bytes(), &parsed);
        verified.is_ok()
    });
    right && hash.is_some()
}

fn hasher() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// A password in the one form in which keyboards of all kinds give it; none if it is too long.
fn normal(given: &Secret) -> Option<String> {
    // Counted twice: a character may become eighteen.
    given.reveal().chars().nth(MOST).is_none().then_some(())?;
    let text: String = given.reveal().nfkc().collect();
    text.chars().nth(MOST).is_none().then_some(text)
}

fn fold(text: &str) -> String {
    text.nfkc().collect::<String>().to_lowercase()
}

fn is_mostly(folded: &str, username: &str) -> bool {
    if username.is_empty() || !folded.contains(username) {
        return false;
    }
    let rest = folded.replace(username, "");
    rest.chars().filter(|c| c.is_alphanumeric()).count() < LEAST_BESIDE_USERNAME
}

/// Whether hardly anything is in it but commonplace words with digits and signs around them, a number (an identity
/// number has twelve digits), or a few characters over and over.
fn is_commonplace(folded: &str) -> bool {
    let mut different: Vec<char> = folded.chars().collect();
    different.sort_unstable();
    different.dedup();
    let number = |c: char| c.is_numeric() || matches!(c, ' ' | '-' | '/' | '.');
    if different.len() < LEAST_DIFFERENT || folded.chars().all(number) {
        return true;
    }
    let rest = COMMONPLACE
        .iter()
        .fold(folded.to_owned(), |rest, word| rest.replace(word, " "));
    let letters = rest.chars().filter(|c| c.is_alphabetic()).count();
    rest != folded && letters <= LETTERS_BESIDE_WORDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(text: &str) -> Result<Password, PasswordRefused> {
        Password::choose(&secret(text), "aminah")
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn the_right_password_opens_and_a_wrong_one_does_not() {
        let hash = choose("hujan di Kuala Krai").unwrap().hash().unwrap();
        assert!(verify(Some(&hash), &secret("hujan di Kuala Krai")));
        assert!(!verify(Some(&hash), &secret("hujan di Kuala Kraı")));
        assert!(!verify(Some(&hash), &secret("")));
        assert!(!verify(Some("not a hash"), &secret("hujan di Kuala Krai")));
    }

    #[test]
    fn an_unknown_user_costs_the_same_work_and_never_gets_in() {
        let hash = choose("hujan di Kuala Krai").unwrap().hash().unwrap();
        let parameters = "$argon2id$v=19$m=19456,t=2,p=1$";
        assert!(hash.starts_with(parameters));
        assert!(DUMMY_HASH.starts_with(parameters));
        assert_eq!(hash.len(), DUMMY_HASH.len());
        assert!(PasswordHash::new(DUMMY_HASH).is_ok());
        assert!(!verify(None, &secret("hujan di Kuala Krai")));
    }

    #[test]
    fn even_the_password_of_the_dummy_opens_nothing() {
        let nobodys = secret("nobody has this password");
        assert!(verify(Some(DUMMY_HASH), &nobodys));
        assert!(!verify(None, &nobodys));
    }

    #[test]
    fn the_same_password_is_hashed_to_something_else_each_time() {
        let password = choose("hujan di Kuala Krai").unwrap();
        assert_ne!(password.hash().unwrap(), password.hash().unwrap());
    }

    #[test]
    fn a_password_typed_on_another_keyboard_is_the_same_password() {
        let composed = "caf\u{e9} di tepi sungai";
        let hash = choose(composed).unwrap().hash().unwrap();
        assert!(verify(Some(&hash), &secret("cafe\u{301} di tepi sungai")));
        assert!(verify(Some(&hash), &secret("ｃaf\u{e9} di tepi sungai")));
    }

    #[test]
    fn twelve_to_a_hundred_and_twenty_eight_characters() {
        let long: String = "sungai di hulu ".chars().cycle().take(129).collect();
        assert!(choose(&long[..128]).is_ok());
        assert_eq!(choose(&long).unwrap_err(), PasswordRefused::TooLong);
        assert!(choose("sungai dihul").is_ok());
        assert_eq!(
            choose("sungai dihu").unwrap_err(),
            PasswordRefused::TooShort
        );
        // Eight characters that become 144.
        let swelling = "\u{fdfa}".repeat(8);
        assert_eq!(choose(&swelling).unwrap_err(), PasswordRefused::TooLong);
        assert!(!verify(None, &secret(&"a".repeat(1_000_000))));
    }

    #[test]
    fn signs_are_not_asked_for() {
        for good in [
            "tujuh ekor kerbau",
            "83749#2938$18",
            "kelantan hujan lebat",
            "雨雨在吉兰丹的河边下了一整天啊",
        ] {
            assert!(choose(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_username_is_no_password() {
        for bad in [
            "aminahaminah",
            "Aminah-Aminah",
            "aminah 12345",
            "aminah!!!!!!!",
            "ＡＭＩＮＡＨaminah",
        ] {
            assert_eq!(choose(bad).unwrap_err(), PasswordRefused::Username, "{bad}");
        }
        assert!(choose("aminah suka sungai").is_ok());
        assert!(Password::choose(&secret("tujuh ekor kerbau"), "").is_ok());
    }

    #[test]
    fn what_is_guessed_first_is_no_password() {
        for bad in [
            "password1234",
            "Password-2026!",
            "P@ssw0rd2026!",
            "KataLaluan123",
            "kata laluan 1",
            "Kelantan@2026",
            "perbendaharaan",
            "qwertyuiop123",
            "1q2w3e4r5t6y7",
            "aaaaaaaaaaaa",
            "abababababab",
            "900101035555",
            "900101-03-5555",
            "admin.admin.admin",
        ] {
            assert_eq!(
                choose(bad).unwrap_err(),
                PasswordRefused::Commonplace,
                "{bad}"
            );
        }
    }

    #[test]
    fn no_commonplace_word_hides_behind_a_shorter_one() {
        for (at, word) in COMMONPLACE.iter().enumerate() {
            assert_eq!(*word, fold(word));
            let mut before = COMMONPLACE[..at].iter();
            assert!(!before.any(|shorter| word.contains(shorter)), "{word}");
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let password = choose("hujan di Kuala Krai").unwrap();
        assert!(!format!("{password:?}").contains("hujan"));
    }
}

//! The codes: derived from the request and the deployment's secret, so that a mail that is sent again carries the same
//! one and no code stands anywhere.

use subtle::{Choice, ConstantTimeEq};

use super::Identity;
use crate::storage::verification::VerificationRow;

/// How many codes there are: eight digits.
const CODES: u64 = 100_000_000;

impl Identity {
    /// The codes of a request as it stands: now, and as they were before the last rotation of the secret.
    fn codes(&self, row: &VerificationRow) -> impl Iterator<Item = String> + use<> {
        let subject = row.subject.as_deref().unwrap_or_default();
        let salt = row.salt.as_deref().unwrap_or_default();
        let value = format!("{} {salt} {subject} {}", row.id, row.channel);
        let derived = self.secret.derived("code", &value);
        derived.map(|derived| {
            let mut number = [0; 8];
            number
                .iter_mut()
                .zip(derived)
                .for_each(|(byte, from)| *byte = from);
            format!("{:08}", u64::from_be_bytes(number) % CODES)
        })
    }

    /// The code to be mailed, in two groups.
    pub fn code(&self, row: &VerificationRow) -> String {
        let code = self.codes(row).next().unwrap_or_default();
        let (first, second) = code.split_at_checked(4).unwrap_or_default();
        format!("{first} {second}")
    }

    /// Whether it is the code, in a time that tells nothing.
    pub(super) fn is_code(&self, row: &VerificationRow, given: &str) -> bool {
        let given: String = given.chars().filter(char::is_ascii_digit).collect();
        let right = self.codes(row).fold(Choice::from(0), |right, code| {
            right | code.as_bytes().ct_eq(given.as_bytes())
        });
        // Nobody is behind a number that the portal does not know, whatever is guessed.
        (right & Choice::from(u8::from(row.person.is_some()))).into()
    }
}

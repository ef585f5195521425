//! The second factor of the console: six digits every thirty seconds (RFC 6238, SHA-1, as every app has it). Refuses a
//! code of a step that was used before, or of one before that.

use totp_rs::{Builder, Totp};

use crate::clock::Millis;
use crate::secret::Secret;

/// How long a code is the current one, in milliseconds.
const STEP: Millis = 30_000;

/// How many steps a telephone's clock may be early or late.
const SKEW: i64 = 1;

/// Whose codes they are, as the app shows it.
const ISSUER: &str = "Tanya";

/// A secret of 160 bits, in Base32 as people type it into an app.
pub fn secret(bytes: [u8; 20]) -> Secret {
    Secret::new(totp_rs::Secret::new_stack(bytes).to_base32())
}

/// The address that puts a secret into an app when its QR code is read; none if the secret or the name is none.
pub fn url(secret: &Secret, username: &str) -> Option<Secret> {
    let totp = builder(secret)?
        .with_issuer(Some(ISSUER))
        .with_account_name(username)
        .build()
        .ok()?;
    totp.to_url().ok().map(Secret::new)
}

/// The step of a right code, to be kept as the next `last_step`; none if the code is wrong, outdated or used.
///
/// Keep it with a condition (`… SET last_step = ? WHERE last_step IS NULL OR last_step < ?`): of two who come with one
/// code at the same moment only one may get in.
pub fn check(secret: &Secret, code: &str, at: Millis, last_step: Option<i64>) -> Option<i64> {
    let totp = builder(secret)?.build().ok()?;
    let code = digits(code)?;
    let now = at.div_euclid(STEP);
    (now - SKEW..=now + SKEW)
        .filter(|step| last_step.is_none_or(|last| *step > last))
        .find(|step| is_code_of(&totp, &code, *step))
}

/// The comparison is the crate's own, in constant time.
fn is_code_of(totp: &Totp, code: &str, step: i64) -> bool {
    let begin = u64::try_from(step)
        .ok()
        .and_then(|step| step.checked_mul(totp.step()));
    begin.is_some_and(|begin| totp.check(code, begin).is_some())
}

/// One step at a time: the window is ours, so that a used step can be left out of it.
fn builder(secret: &Secret) -> Option<Builder> {
    let bytes = totp_rs::Secret::try_from_base32(secret.reveal()).ok()?;
    let builder = Builder::new().with_secret(bytes);
    Some(builder.with_digits(6).with_step_duration(30).with_skew(0))
}

/// Apps show a code in two groups, and people type what they see.
fn digits(code: &str) -> Option<String> {
    let short = code.len() <= 16;
    short.then(|| code.chars().filter(|c| !c.is_whitespace()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `12345678901234567890`, the secret of RFC 6238, appendix B.
    fn rfc() -> Secret {
        Secret::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned())
    }

    const NOON: Millis = 1_111_111_111_000;
    const STEP_AT_NOON: i64 = 37_037_037;
    const CODE_AT_NOON: &str = "050471";

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // The last six of the eight digits there.
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = check(&rfc(), code, second * 1000, None);
            assert_eq!(step, Some(second / 30), "{second}");
        }
    }

    #[test]
    fn a_telephone_may_be_one_step_early_or_late_and_not_two() {
        let step = |by: Millis| check(&rfc(), CODE_AT_NOON, STEP_AT_NOON * STEP + by, None);
        for by in [-STEP, 0, STEP - 1, STEP, 2 * STEP - 1] {
            assert_eq!(step(by), Some(STEP_AT_NOON), "{by}");
        }
        assert_eq!(step(-STEP - 1), None);
        assert_eq!(step(2 * STEP), None);
    }

    #[test]
    fn ac_59_a_code_is_good_once() {
        let last = check(&rfc(), CODE_AT_NOON, NOON, None);
        assert_eq!(last, Some(STEP_AT_NOON));
        assert_eq!(check(&rfc(), CODE_AT_NOON, NOON, last), None);
        assert_eq!(check(&rfc(), CODE_AT_NOON, NOON + STEP, last), None);
    }

    #[test]
    fn a_code_from_before_the_last_one_is_dead() {
        let later = Some(STEP_AT_NOON + 1);
        assert_eq!(check(&rfc(), CODE_AT_NOON, NOON, later), None);
        let earlier = Some(STEP_AT_NOON - 1);
        assert_eq!(
            check(&rfc(), CODE_AT_NOON, NOON, earlier),
            Some(STEP_AT_NOON)
        );
    }

    #[test]
    fn a_code_may_be_typed_in_groups() {
        assert!(check(&rfc(), " 050 471 ", NOON, None).is_some());
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let long = "050471 ".repeat(1000);
        for code in [
            "",
            "05047",
            "0504711",
            "+50471",
            "-50471",
            "050472",
            "O5O471",
            "٠٥٠٤٧١",
            &long,
        ] {
            assert_eq!(check(&rfc(), code, NOON, None), None, "{code}");
        }
        let no_secret = Secret::new("!".to_owned());
        assert_eq!(check(&no_secret, CODE_AT_NOON, NOON, None), None);
        let short = Secret::new("GEZDGNBV".to_owned());
        assert_eq!(check(&short, CODE_AT_NOON, NOON, None), None);
    }

    #[test]
    fn no_time_is_too_early_or_too_late_to_ask() {
        for at in [Millis::MIN, -1, 0, Millis::MAX] {
            assert_eq!(check(&rfc(), "000000", at, None), None);
        }
    }

    #[test]
    fn an_app_reads_the_address() {
        let address = url(&rfc(), "aminah").unwrap();
        assert_eq!(
            address.reveal(),
            "otpauth://totp/Tanya:aminah?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tanya"
        );
        let odd = url(&rfc(), "siti & ali?").unwrap();
        assert!(
            odd.reveal()
                .starts_with("otpauth://totp/Tanya:siti%20%26%20ali%3F?secret=")
        );
        assert!(url(&rfc(), "").is_none());
        assert!(url(&rfc(), "a:b").is_none());
    }

    #[test]
    fn a_new_secret_has_160_bits_and_is_never_the_same() {
        let (one, other) = (secret(rand::random()), secret(rand::random()));
        assert_eq!(one.reveal().len(), 32);
        assert_ne!(one.reveal(), other.reveal());
        assert!(url(&one, "aminah").is_some());
    }
}

//! Hides what must never be kept: identity numbers, codes, passwords. Runs on every text of a user before it is
//! stored anywhere; what a person sees again is the hidden form.
//!
//! Hidden: runs of eight and more digits, also written in groups, unless they read as a phone number, a date, two
//! years or a ticket number; what follows "kata laluan", "password", "kod", "pin" and the like as a value; and words
//! that are built as passwords are. When in doubt it hides.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use unicode_normalization::UnicodeNormalization;

/// What stands in the place of what was hidden (contracts, section 5).
pub const HIDDEN: &str = "[disembunyikan]";

/// The patterns; a test makes sure that they compile.
struct Patterns {
    /// Digits, eight or more in all, with up to two separators between any two.
    digits: Regex,
    /// A word for a secret, a connector, and the secret itself as the third group.
    named: Regex,
    /// What a run of digits may be without being hidden.
    harmless: Regex,
}

static PATTERNS: LazyLock<Result<Patterns, regex::Error>> = LazyLock::new(|| {
    Ok(Patterns {
        digits: Regex::new(r"(?:TK-)?\+?\d(?:[\s.,_/()\-\u{2010}-\u{2015}\u{2212}]{0,2}\d){7,}")?,
        named: Regex::new(
            r"(?ix)
            \b(kata\s?laluan|kata\s?kunci|kato\s?lalue|pass?w[o0]r?d|passcode|passwd|pwd|psw|pw|pass|kod|code|otp|tac|pin)\b
            ((?:\s+(?:saya|sy|aku|ambo|kawe|my|baru|baharu|lama|sementara|temporary|portal|sistem|e-?mel|e-?mail|pengesahan|untuk|for|tu|tersebut))*
             (?:\s+(?:ialah|adalah|iaitu|yaitu|is|was|are)\s+|\s*(?:[:=]|->|→)\s*))
            (\S+)",
        )?,
        harmless: Regex::new(
            r"(?x)^(?:
                TK-\d{4}-\d{6}-\d                                   # a ticket
              | 0[1-9](?:[\s\-]?\d){7,9}                            # a phone number, nine to eleven digits
              | \+60(?:[\s\-]?\d){8,10}                             # the same, from abroad
              | (?:19|20)\d\d[\s,/\-]{1,2}(?:19|20)\d\d             # two years
              | [0-3]?\d[./\-][01]?\d[./\-](?:19|20)\d\d            # a date
              | (?:19|20)\d\d[./\-][01]?\d[./\-][0-3]?\d
            )$",
        )?,
    })
});

/// The text with everything hidden that must not be kept, and without invisible or control characters.
pub fn redact(text: &str) -> String {
    let Ok(patterns) = PATTERNS.as_ref() else {
        return HIDDEN.to_owned();
    };
    let visible = visible(text);
    let numbers = patterns
        .digits
        .replace_all(&visible, |found: &Captures<'_>| {
            let run = found.get(0).map_or("", |whole| whole.as_str());
            if patterns.harmless.is_match(run) {
                run.to_owned()
            } else {
                HIDDEN.to_owned()
            }
        });
    let named = patterns
        .named
        .replace_all(&numbers, format!("${{1}}${{2}}{HIDDEN}"));
    hide_password_like(&named)
}

/// Compatibility forms folded (full-width digits become digits), line breaks kept, nothing invisible.
fn visible(text: &str) -> String {
    text.nfkc()
        .filter(|c| !is_invisible(*c))
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect()
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\0' | '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

fn hide_password_like(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| c.is_whitespace()) {
        let word = piece.trim_end();
        let space = piece.get(word.len()..).unwrap_or_default();
        if is_password_like(word) {
            hidden.push_str(HIDDEN);
        } else {
            hidden.push_str(word);
        }
        hidden.push_str(space);
    }
    hidden
}

/// Eight or more characters of three kinds, or six with a digit and a sign inside, as passwords are; no addresses, no names of systems.
fn is_password_like(word: &str) -> bool {
    let word = word.trim_matches(|c: char| ",.;:?()\"'".contains(c));
    let lower = word.to_lowercase();
    let spared = ["http", "www.", "ispeks", "1speks", HIDDEN];
    if spared.iter().any(|name| lower.contains(name)) || lower.starts_with("tk-") {
        return false;
    }
    let (mut small, mut large, mut digit, mut sign) = (false, false, false, false);
    for c in word.chars() {
        match c {
            _ if c.is_lowercase() => small = true,
            _ if c.is_uppercase() => large = true,
            _ if c.is_numeric() => digit = true,
            '@' | '!' | '#' | '$' | '%' | '^' | '&' | '*' | '+' | '=' | '~' | '_' => sign = true,
            _ => {}
        }
    }
    let is_address = word.contains('@') && word.rsplit('@').next().is_some_and(|d| d.contains('.'));
    let kinds = [small, large, digit, sign]
        .iter()
        .filter(|kind| **kind)
        .count();
    let length = word.chars().count();
    !is_address
        && ((length >= 8 && kinds >= 3) || (length >= 6 && digit && sign && (small || large)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_patterns_compile() {
        assert!(PATTERNS.is_ok());
    }

    #[test]
    fn identity_numbers_and_codes_are_hidden_however_they_are_written() {
        for number in [
            "880101035123",
            "880101-03-5123",
            "880101 03 5123",
            "8 8 0 1 0 1 0 3 5 1 2 3",
            "８８０１０１０３５１２３",
            "880101\u{200B}035123",
            "٨٨٠١٠١٠٣٥١٢٣",
            "880101–03–5123",
            "202001012345",
            "010203-03-1234",
            "4821 7730",
            "48217730",
        ] {
            assert_eq!(
                redact(&format!("ic {number} ya")),
                format!("ic {HIDDEN} ya"),
                "{number}"
            );
        }
    }

    #[test]
    fn passwords_are_hidden_by_their_name_and_by_their_looks() {
        assert_eq!(
            redact("password saya ialah rahsia"),
            format!("password saya ialah {HIDDEN}")
        );
        assert_eq!(
            redact("kata laluan: abc123"),
            format!("kata laluan: {HIDDEN}")
        );
        assert_eq!(redact("pw=abc"), format!("pw={HIDDEN}"));
        assert_eq!(
            redact("my password is hunter2"),
            format!("my password is {HIDDEN}")
        );
        assert_eq!(
            redact("dah cuba Kelate@2026 tak jalan"),
            format!("dah cuba {HIDDEN} tak jalan")
        );
        assert_eq!(redact("cuba abc@123"), format!("cuba {HIDDEN}"));
    }

    #[test]
    fn what_an_officer_needs_stays() {
        for harmless in [
            "hubungi 09-7481957 samb. 6131",
            "telefon saya 012-345 6789",
            "+60 12 345 6789",
            "tiket TK-2026-000123-7",
            "slip 2024 2025",
            "bertarikh 22-11-2026",
            "https://ispeks.kelantan.gov.my/1SPEKSv2",
            "ERR_CONNECTION_TIMED_OUT",
            "emel ali.99@kelantan.gov.my",
            "lupa password portal macam mana",
            "password saya tak boleh",
            "kod ralat 404",
            "baris satu\nbaris dua",
        ] {
            assert_eq!(redact(harmless), harmless);
        }
    }

    proptest! {
        #[test]
        fn no_identity_number_survives(before in "\\PC{0,40}", after in "\\PC{0,40}", number in "[0-9]{6}[- ]?(0[1-9]|1[0-6])[- ]?[0-9]{4}") {
            let digits: String = number.chars().filter(char::is_ascii_digit).collect();
            let kept: String = redact(&format!("{before} {number} {after}"))
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            let around: String = format!("{before}{after}").chars().filter(char::is_ascii_digit).collect();
            prop_assume!(!around.contains(&digits));
            prop_assert!(!kept.contains(&digits));
        }

        #[test]
        fn redacting_twice_is_redacting_once(text in "\\PC{0,120}") {
            let once = redact(&text);
            prop_assert_eq!(redact(&once), once);
        }

        #[test]
        fn nothing_breaks_it(text in any::<String>()) {
            let hidden = redact(&text);
            prop_assert!(!hidden.contains('\0'));
        }
    }
}

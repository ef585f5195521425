//! Hides what must never be kept: identity numbers, codes, passwords. Runs on every text of a user before it is
//! stored anywhere; what a person sees again is the hidden form.
//!
//! Hidden: runs of eight and more digits, however they are grouped, unless they read as a phone number, a date, two
//! years or a ticket number; what follows "kata laluan", "password", "kod", "pin" and the like as a value; and words
//! that are built as passwords are. When in doubt it hides.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use unicode_normalization::UnicodeNormalization;

/// What stands in the place of what was hidden (contracts, section 5).
pub const HIDDEN: &str = "[disembunyikan]";

/// The patterns; a test makes sure that they compile.
struct Patterns {
    /// Digits, eight or more in all, with up to four signs between any two.
    digits: Regex,
    /// What a run of digits may be without being hidden.
    harmless: Regex,
    /// A word, or a sign that says what a word is.
    pieces: Regex,
    /// An address, which looks like a password and is none.
    address: Regex,
}

static PATTERNS: LazyLock<Result<Patterns, regex::Error>> = LazyLock::new(|| {
    Ok(Patterns {
        digits: Regex::new(r"(?:TK-)?\+?\d(?:[^\p{L}\p{N}\n]{0,4}\d){7,}")?,
        harmless: Regex::new(
            r"(?x)^(?:
                TK-\d{4}-\d{6}-\d                                            # a ticket
              | (?:\+60[\s\-]?|0)[1-9]\d?[\s\-]{0,2}\d{3,4}[\s\-]?\d{4}     # a phone number, nine digits or more
              | (?:19|20)\d\d[\s,/&\-]{1,4}(?:19|20)\d\d                     # two years
              | [0-3]?\d[./\-][01]?\d[./\-](?:19|20)\d\d(?:[\s,]{1,2}[0-2]?\d[:.][0-5]\d)?   # a date, a time
              | (?:19|20)\d\d[./\-][01]?\d[./\-][0-3]?\d
            )$",
        )?,
        pieces: Regex::new(r"->|[:=→]|[^\s:=→]+")?,
        address: Regex::new(r"^[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)*\.\p{L}{2,}$")?,
    })
});

/// The text with everything hidden that must not be kept, and without invisible or control characters.
pub fn redact(text: &str) -> String {
    let Ok(patterns) = PATTERNS.as_ref() else {
        return HIDDEN.to_owned();
    };
    hide_secrets(&hide_numbers(&visible(text), HIDDEN, patterns), patterns)
}

/// The text without numbers of persons: for reading what is meant, never for keeping.
pub fn without_numbers(text: &str) -> String {
    match PATTERNS.as_ref() {
        Ok(patterns) => hide_numbers(&visible(text), " ", patterns),
        Err(_) => String::new(),
    }
}

/// A text that is kept already, without what could still lead to a person: telephone numbers and addresses, which a
/// helpdesk may need and whoever reads questions does not. What stands for something hidden is taken out too.
pub fn impersonal(text: &str) -> String {
    let Ok(patterns) = PATTERNS.as_ref() else {
        return String::new();
    };
    let text = text.replace(HIDDEN, " ");
    let plain = |word: &&str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        !patterns.address.is_match(bare)
    };
    let text: Vec<&str> = text.split_whitespace().filter(plain).collect();
    let text = patterns
        .digits
        .replace_all(&text.join(" "), " ")
        .into_owned();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn hide_numbers(text: &str, instead: &str, patterns: &Patterns) -> String {
    let hidden = patterns.digits.replace_all(text, |found: &Captures<'_>| {
        let run = found.get(0).map_or("", |whole| whole.as_str());
        if patterns.harmless.is_match(run) {
            run.to_owned()
        } else {
            instead.to_owned()
        }
    });
    hidden.into_owned()
}

/// Compatibility forms folded (full-width digits become digits), line breaks kept, nothing invisible.
fn visible(text: &str) -> String {
    text.nfkc()
        .filter(|c| !is_invisible(*c))
        .map(|c| if c.is_control() && c != '\n' { ' ' } else { c })
        .collect()
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\0' | '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{20DD}'..='\u{20E4}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E01EF}')
}

/// Words after which a secret may come; "kata laluan" and "kata kunci" are told by their second word.
const PASSWORDS: [&str; 14] = [
    "laluan",
    "lalue",
    "katalaluan",
    "kunci",
    "password",
    "passwords",
    "paswod",
    "pasword",
    "passcode",
    "passwd",
    "pwd",
    "psw",
    "pw",
    "pass",
];
const CODES: [&str; 7] = [
    "kod",
    "code",
    "otp",
    "tac",
    "pin",
    "pincode",
    "kodpengesahan",
];
/// What may stand between the word and the secret.
const FILLERS: [&str; 28] = [
    "saya",
    "sy",
    "aku",
    "ambo",
    "kawe",
    "kami",
    "my",
    "our",
    "the",
    "baru",
    "baharu",
    "new",
    "lama",
    "old",
    "sementara",
    "temporary",
    "temp",
    "portal",
    "sistem",
    "ispeks",
    "emel",
    "e-mel",
    "email",
    "pengesahan",
    "untuk",
    "for",
    "tu",
    "tersebut",
];
const IS: [&str; 7] = ["ialah", "adalah", "iaitu", "yaitu", "is", "was", "are"];
/// What follows "is" without being a secret.
const PLAIN: [&str; 58] = [
    "a",
    "an",
    "apa",
    "apakah",
    "bagaimana",
    "betul",
    "belum",
    "berapa",
    "boleh",
    "case",
    "correct",
    "dah",
    "dan",
    "di",
    "expired",
    "forgotten",
    "hilang",
    "i",
    "in",
    "incorrect",
    "invalid",
    "it",
    "kena",
    "ke",
    "locked",
    "lost",
    "luput",
    "lupa",
    "macam",
    "mana",
    "mcm",
    "missing",
    "needed",
    "never",
    "no",
    "not",
    "perlu",
    "required",
    "reset",
    "salah",
    "sama",
    "sah",
    "same",
    "siapa",
    "still",
    "sudah",
    "tak",
    "tamat",
    "tidak",
    "tiada",
    "too",
    "usable",
    "used",
    "what",
    "working",
    "wrong",
    "x",
    "yang",
];

/// Hides what is named as a secret, and what looks like one.
fn hide_secrets(text: &str, patterns: &Patterns) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut copied = 0;
    let mut naming = Naming::Nothing;
    for piece in patterns.pieces.find_iter(text) {
        let word = piece.as_str().to_lowercase();
        let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-');
        let word = word.strip_suffix("nya").unwrap_or(word);
        let secret = naming.next(word, piece.as_str());
        if (secret || is_password_like(piece.as_str(), patterns)) && piece.as_str() != HIDDEN {
            hidden.push_str(text.get(copied..piece.start()).unwrap_or_default());
            hidden.push_str(HIDDEN);
            copied = piece.end();
        }
    }
    hidden.push_str(text.get(copied..).unwrap_or_default());
    hidden
}

/// How far a sentence has come towards saying a secret.
#[derive(Clone, Copy, PartialEq)]
enum Naming {
    Nothing,
    /// A word for a secret was said: a value with a digit is the secret.
    Named {
        digits: usize,
    },
    /// "is" was said: a value that is no plain word is the secret.
    Said,
    /// A colon or an equals sign was written: so it is here.
    Written,
}

impl Naming {
    /// Takes the next piece; tells whether it is the secret.
    fn next(&mut self, word: &str, piece: &str) -> bool {
        if PASSWORDS.contains(&word) {
            *self = Self::Named { digits: 4 };
            return false;
        }
        if CODES.contains(&word) {
            *self = Self::Named { digits: 3 };
            return false;
        }
        if *self == Self::Nothing || (FILLERS.contains(&word) && *self != Self::Nothing) {
            return false;
        }
        if matches!(piece, ":" | "=" | "->" | "→") {
            *self = Self::Written;
            return false;
        }
        if IS.contains(&word) {
            *self = Self::Said;
            return false;
        }
        let has_digit = word.chars().any(char::is_numeric);
        let secret = match *self {
            Self::Nothing => false,
            Self::Named { digits } => has_digit && word.chars().count() >= digits,
            Self::Said | Self::Written => !PLAIN.contains(&word) || has_digit,
        };
        *self = Self::Nothing;
        secret
    }
}

/// Eight or more characters of three kinds, or six with a digit and a sign inside, as passwords are; no addresses, no
/// names of systems.
fn is_password_like(word: &str, patterns: &Patterns) -> bool {
    let word = word.trim_matches(|c: char| ",.;?()\"'".contains(c));
    let lower = word.to_lowercase();
    let named = matches!(
        lower.as_str(),
        "ispeks" | "1speks" | "1speksv2" | "ispeksv2"
    );
    let link = ["//", "www.", "p.ispeks", "ispeks.kelantan", "tk-"];
    if named || link.iter().any(|start| lower.starts_with(start)) || patterns.address.is_match(word)
    {
        return false;
    }
    let (mut small, mut large, mut digit, mut sign) = (false, false, false, false);
    for c in word.chars() {
        match c {
            _ if c.is_lowercase() => small = true,
            _ if c.is_uppercase() => large = true,
            _ if c.is_numeric() => digit = true,
            '@' | '!' | '#' | '$' | '%' | '^' | '&' | '*' | '+' | '~' | '_' => sign = true,
            _ => {}
        }
    }
    let kinds = [small, large, digit, sign]
        .iter()
        .filter(|kind| **kind)
        .count();
    let length = word.chars().count();
    (length >= 8 && kinds >= 3) || (length >= 6 && digit && sign && (small || large))
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
            "880101 - 03 - 5123",
            "880101  -03-5123",
            "880101|03|5123",
            "880101/03/5123",
            "8 8 0 1 0 1 0 3 5 1 2 3",
            "８８０１０１０３５１２３",
            "880101\u{200B}035123",
            "880101\u{61C}035123",
            "8\u{FE0F}\u{20E3}8\u{FE0F}\u{20E3}0101035123",
            "٨٨٠١٠١٠٣٥١٢٣",
            "880101–03–5123",
            "202001012345",
            "010203-03-1234",
            "010203-03-123",
            "4821 7730",
            "48217730",
            "04821773",
        ] {
            assert_eq!(
                redact(&format!("ic {number} ya")),
                format!("ic {HIDDEN} ya"),
                "{number}"
            );
        }
    }

    #[test]
    fn what_leads_to_a_person_is_taken_out_of_a_question() {
        let said =
            redact("tel 012-345 6789 (aminah@kelantan.gov.my), ic 880101-03-5123: slip 2025");
        assert_eq!(impersonal(&said), "tel ic : slip 2025");
    }

    #[test]
    fn a_secret_is_hidden_by_its_name() {
        for (said, kept) in [
            ("password saya ialah rahsia", "password saya ialah *"),
            (
                "kata laluan saya ialah: rahsia",
                "kata laluan saya ialah: *",
            ),
            ("kata laluan: abc123", "kata laluan: *"),
            ("kata laluan abc12345", "kata laluan *"),
            ("password saya rahsia123", "password saya *"),
            ("pw=abc", "pw=*"),
            ("my password is hunter2", "my password is *"),
            ("otp 482177", "otp *"),
            ("kod pengesahan saya 482177", "kod pengesahan saya *"),
            ("kod: saya 123456", "kod: saya *"),
            ("pin saya 1234", "pin saya *"),
            ("passwordnya hensem123", "passwordnya *"),
            (
                "saya guna password kelantan2024 tapi salah",
                "saya guna password * tapi salah",
            ),
        ] {
            assert_eq!(redact(said), kept.replace('*', HIDDEN));
        }
    }

    #[test]
    fn a_secret_is_hidden_by_its_looks() {
        for secret in [
            "Kelate@2026",
            "abc@123",
            "Ispeks@2026",
            "iSPEKS123!",
            "P@ssw0rd.1",
        ] {
            assert_eq!(
                redact(&format!("cuba {secret} tak jalan")),
                format!("cuba {HIDDEN} tak jalan")
            );
        }
    }

    #[test]
    fn what_an_officer_needs_stays() {
        for harmless in [
            "hubungi 09-7481957 samb. 6131",
            "telefon saya 012-345 6789",
            "telefon saya 011-2345 6789",
            "+60 12 345 6789",
            "+6012-3456789",
            "tiket TK-2026-000123-7",
            "slip 2024 2025",
            "EC 2024 & 2025",
            "bertarikh 22-11-2026",
            "pada 22/11/2026, 10:30 pagi",
            "https://ispeks.kelantan.gov.my/1SPEKSv2",
            "guna 1SPEKSv2",
            "ERR_CONNECTION_TIMED_OUT",
            "emel ali.99@kelantan.gov.my",
            "lupa password portal macam mana",
            "password saya tak boleh",
            "my password is wrong",
            "my password is not working",
            "password portal adalah apa",
            "kod ralat 404",
            "baris satu\nbaris dua",
        ] {
            assert_eq!(redact(harmless), harmless);
        }
    }

    #[test]
    fn numbers_of_persons_are_left_out_of_what_is_searched() {
        assert_eq!(
            without_numbers("ic 880101-03-5123 slip 2025"),
            "ic   slip 2025"
        );
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

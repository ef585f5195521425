//! Recovery codes, for a telephone that was lost: ten, shown once, each good once. Refuses to keep them: what is kept
//! are hashes.

use ring::digest::{SHA256, digest};

use crate::secret::{self, Secret};

/// How many codes somebody gets.
pub const CODES: usize = 10;

/// Five bits a character. Without I, L, O and U: the first three are read as digits, the last is left out as in
/// Crockford's Base32.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a code: sixty bits.
const LENGTH: usize = 12;

/// A recovery code, `XXXX-XXXX-XXXX`.
#[derive(Clone, Debug)]
pub struct RecoveryCode(Secret);

impl RecoveryCode {
    /// New codes, to be shown once; their hashes replace those of all former codes.
    pub fn ten() -> [Self; CODES] {
        std::array::from_fn(|_| {
            let bytes: [u8; LENGTH] = rand::random();
            let code = bytes
                .iter()
                .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)));
            Self(Secret::new(code.map(|byte| char::from(*byte)).collect()))
        })
    }

    /// Reads a code as people write it down; none if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() <= 4 * LENGTH).then_some(())?;
        let written = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let code: String = written.map(read).collect();
        let right = code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
        right.then(|| Self(Secret::new(code)))
    }

    /// As it is shown.
    pub fn shown(&self) -> String {
        let mut shown = self.0.reveal().to_owned();
        shown.insert(8, '-');
        shown.insert(4, '-');
        shown
    }

    /// What is kept of it: SHA-256 in hexadecimal, which is enough for sixty random bits.
    pub fn hash(&self) -> String {
        let hash = digest(&SHA256, self.0.reveal().as_bytes());
        hash.as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The hash of this code among those not yet spent.
    ///
    /// The code is good if deleting that hash deletes one row: of two who come with one code only one may get in.
    pub fn among<'a>(&self, unspent: &'a [String]) -> Option<&'a str> {
        let hash = self.hash();
        let mut unspent = unspent.iter().map(String::as_str);
        unspent.find(|kept| secret::same(kept.as_bytes(), hash.as_bytes()))
    }
}

fn read(c: char) -> char {
    match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn there_are_ten_codes_of_sixty_bits_and_none_is_twice() {
        let codes = RecoveryCode::ten();
        let shown: HashSet<String> = codes.iter().map(RecoveryCode::shown).collect();
        assert_eq!(shown.len(), 10);
        for code in &shown {
            let groups: Vec<&str> = code.split('-').collect();
            assert_eq!(groups.len(), 3);
            assert!(groups.iter().all(|group| group.len() == 4), "{code}");
            assert!(!code.contains(['I', 'L', 'O', 'U']), "{code}");
        }
        let bits = (ALPHABET.iter().collect::<HashSet<_>>().len() as f64).log2() * LENGTH as f64;
        assert!(bits >= 60.0);
    }

    #[test]
    fn ac_59_each_code_is_good_once() {
        let codes = RecoveryCode::ten();
        let mut unspent: Vec<String> = codes.iter().map(RecoveryCode::hash).collect();
        for code in &codes {
            let spent = code.among(&unspent).unwrap().to_owned();
            unspent.retain(|hash| *hash != spent);
            assert!(code.among(&unspent).is_none());
        }
        assert!(unspent.is_empty());
    }

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code = RecoveryCode::parse("0A1B-CDEF-GHJK").unwrap();
        assert_eq!(code.shown(), "0A1B-CDEF-GHJK");
        for written in [
            "0a1b cdef ghjk",
            " oAiBCDEFGHJK ",
            "OALB-CDEF-GHJK",
            "0-A-1-B-C-D-E-F-G-H-J-K",
        ] {
            assert_eq!(
                RecoveryCode::parse(written).unwrap().hash(),
                code.hash(),
                "{written}"
            );
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        let long = "0A1B-CDEF-GHJK".repeat(100);
        for written in [
            "",
            "0A1B-CDEF-GHJ",
            "0A1B-CDEF-GHJKM",
            "UUUU-UUUU-UUUU",
            "0A1B/CDEF/GHJK",
            "éééééé",
            &long,
        ] {
            assert!(RecoveryCode::parse(written).is_none(), "{written}");
        }
    }

    #[test]
    fn what_is_kept_does_not_tell_the_code_and_the_code_is_not_printed() {
        let code = RecoveryCode::parse("0000-0000-0000").unwrap();
        assert_eq!(
            code.hash(),
            "f7b11509f4d675c3c44f0dd37ca830bb02e8cfa58f04c46283c4bfcbdce1ff45"
        );
        assert!(!format!("{code:?}").contains("0000"));
    }
}

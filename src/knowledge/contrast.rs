//! "Bukan X, tapi Y": what somebody says that they do not mean is taken out before a question is understood.

use std::borrow::Cow;

/// Words that say "not this".
pub const MARKERS: [&str; 7] = ["bukan", "bkn", "bukannya", "buke", "bukang", "bukey", "not"];
/// English says "not" of much else: only before these does it set something apart.
const AFTER_NOT: [&str; 6] = ["the", "my", "a", "an", "about", "for"];
/// After the marker these make it a question or an addition ("bukan ke …", "bukan sahaja … tapi juga …").
const NO_CONTRAST: [&str; 9] = [
    "ke", "kah", "ko", "kan", "sahaja", "saja", "shj", "je", "only",
];
/// Words with which the thing meant begins.
const TURNS: [&str; 11] = [
    "tapi",
    "tetapi",
    "tp",
    "tpi",
    "tapo",
    "sebaliknya",
    "maksud",
    "but",
    "it's",
    "its",
    "rather",
];
/// Words with which both halves may begin.
const REPEATED: [&str; 7] = ["nak", "nk", "nok", "yang", "yg", "hok", "i"];
/// Words that say nothing of what is meant.
const EMPTY: [&str; 22] = [
    "saya", "sy", "aku", "kami", "ambo", "kawe", "ini", "itu", "ni", "tu", "dia", "ia", "adakah",
    "i", "it", "it's", "is", "this", "that", "yang", "yg", "hok",
];
/// What is set apart at the end without a comma is short, in words.
const SHORT: usize = 4;

/// The text without what is said not to be meant; as it is where nothing else would be left.
pub fn meant(text: &str) -> Cow<'_, str> {
    let words: Vec<Word<'_>> = text.split_whitespace().map(Word::new).collect();
    let Some(marker) = (0..words.len()).find(|at| is_marker(&words, *at)) else {
        return Cow::Borrowed(text);
    };
    let (before, after) = words.split_at(marker);
    let after = after.get(1..).unwrap_or_default();
    let end = (0..after.len()).find(|at| ends_at(after, *at));
    let kept: Vec<&str> = match end {
        Some(end) => {
            let rest = after.get(end..).unwrap_or_default();
            if !tells(rest) && !tells(before) {
                return Cow::Borrowed(text);
            }
            before.iter().chain(rest).map(|word| word.typed).collect()
        }
        None => {
            let apart = before.last().is_some_and(|word| word.ends_clause);
            // "Nama dalam slip bukan nama saya" says what is wrong, "payslip amount not the same" too.
            let english = words.get(marker).is_some_and(|word| word.plain == "not");
            let repeats = |word: &Word<'_>| before.iter().any(|said| said.plain == word.plain);
            let short = after.len() <= SHORT && !english && !after.iter().any(repeats);
            if !tells(before) || after.is_empty() || !(apart || short) {
                return Cow::Borrowed(text);
            }
            before.iter().map(|word| word.typed).collect()
        }
    };
    Cow::Owned(kept.join(" "))
}

/// A word as typed, and as it is compared.
struct Word<'a> {
    typed: &'a str,
    plain: String,
    ends_clause: bool,
}

impl<'a> Word<'a> {
    fn new(typed: &'a str) -> Self {
        let plain = typed.trim_matches(|c: char| !c.is_alphanumeric());
        Self {
            typed,
            plain: plain.to_lowercase(),
            ends_clause: typed.ends_with([',', '.', ';', ':', '!', '?', '-', '–']),
        }
    }

    fn is_one_of(&self, words: &[&str]) -> bool {
        words.contains(&self.plain.as_str())
    }
}

fn is_marker(words: &[Word<'_>], at: usize) -> bool {
    let (Some(word), Some(next)) = (words.get(at), words.get(at + 1)) else {
        return false;
    };
    if !word.is_one_of(&MARKERS) || word.ends_clause || next.is_one_of(&NO_CONTRAST) {
        return false;
    }
    let previous = at.checked_sub(1).and_then(|at| words.get(at));
    word.plain != "not" || next.is_one_of(&AFTER_NOT) || previous.is_some_and(|p| p.ends_clause)
}

/// Whether what is set apart is over before this word.
fn ends_at(after: &[Word<'_>], at: usize) -> bool {
    let Some(word) = after.get(at) else {
        return false;
    };
    let clause_over = at > 0 && after.get(at - 1).is_some_and(|word| word.ends_clause);
    let first_is = |words: &[&str]| after.first().is_some_and(|first| first.is_one_of(words));
    let repeated = at > 1 && word.is_one_of(&REPEATED) && first_is(&[word.plain.as_str()]);
    clause_over || (at > 0 && word.is_one_of(&TURNS)) || repeated
}

fn tells(words: &[Word<'_>]) -> bool {
    words
        .iter()
        .any(|word| !word.plain.is_empty() && !word.is_one_of(&EMPTY) && !word.is_one_of(&TURNS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_meant_goes_whichever_half_it_stands_in() {
        for (said, kept) in [
            (
                "Bukan kata laluan e-mel, tetapi kata laluan portal yang saya lupa.",
                "tetapi kata laluan portal yang saya lupa.",
            ),
            ("bukan lupa password, page tak keluar", "page tak keluar"),
            ("nak slip, bukan EC", "nak slip,"),
            ("EC bukan slip bulan", "EC"),
            (
                "bukan nak daftar portal nak daftar sistem",
                "nak daftar sistem",
            ),
            ("buke hok portal tapi hok sistem", "tapi hok sistem"),
            (
                "I forgot my password, not the portal but gmail",
                "I forgot my password, but gmail",
            ),
            ("annual one, not monthly", "annual one,"),
        ] {
            assert_eq!(meant(said), kept, "{said}");
        }
    }

    #[test]
    fn other_uses_of_the_words_are_left_alone() {
        for said in [
            "saya bukan pegawai tetap boleh daftar ke",
            "bukan ke portal boleh claim OT",
            "bukan sahaja slip tapi EC pun tak keluar",
            "portal not working since morning",
            "nama dalam slip bukan nama saya",
            "payslip amount not the same",
            "Slip gaji saya, bukan?",
            "bukan saya",
            "tak boleh buka",
        ] {
            assert_eq!(meant(said), said);
        }
    }
}

//! Words that say what a turn of a conversation does: cancel, correct, go on from what was said, point to a place in a
//! list, wish for a language, state a fact. They come from `lexicon.yaml`; everything here works on normalised text.

use serde::Deserialize;

use super::contrast;
use super::language::normalise;
use super::text::Language;

/// The cues as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CuesYaml {
    fillers: Vec<String>,
    cancel: Vec<String>,
    takes_back: Vec<String>,
    asks_how: Vec<String>,
    openers: Vec<String>,
    correct: Vec<String>,
    opens_follow_up: Vec<String>,
    closes_follow_up: Vec<String>,
    places: Vec<Vec<String>>,
    point: Vec<String>,
    another: Vec<String>,
    opposites: Vec<(Vec<String>, Vec<String>)>,
    i_am: Vec<String>,
    who: Vec<String>,
    which: Vec<String>,
    fails_to_open: Vec<String>,
    malay: Vec<String>,
    english: Vec<String>,
}

/// The cues, normalised.
#[derive(Debug, Default)]
pub struct Cues {
    fillers: Vec<String>,
    cancel: Vec<String>,
    takes_back: Vec<String>,
    asks_how: Vec<String>,
    openers: Vec<String>,
    correct: Vec<String>,
    opens: Vec<String>,
    closes: Vec<String>,
    /// By place in a list: the forms that point there.
    places: Vec<Vec<String>>,
    point: Vec<String>,
    another: Vec<String>,
    opposites: Vec<(Vec<String>, Vec<String>)>,
    i_am: Vec<String>,
    who: Vec<String>,
    which: Vec<String>,
    fails_to_open: Vec<String>,
    malay: Vec<String>,
    english: Vec<String>,
}

/// A longer turn that begins by taking back goes on with something else, in words.
const TAKING_BACK: usize = 6;
/// Longer turns point to no list, in words.
const POINTING: usize = 7;
/// Longer turns state no fact about the person, in words.
const STATING: usize = 7;
/// Shorter parts of a message ask nothing of their own, in words.
const PART: usize = 2;

impl From<&CuesYaml> for Cues {
    fn from(raw: &CuesYaml) -> Self {
        let all = |forms: &[String]| -> Vec<String> {
            let forms = forms.iter().map(|form| normal(form));
            let mut forms: Vec<String> = forms.filter(|form| !form.is_empty()).collect();
            // The longest form first: it says most.
            forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
            forms
        };
        let lists = |lists: &[Vec<String>]| lists.iter().map(|forms| all(forms)).collect();
        Self {
            fillers: all(&raw.fillers),
            cancel: all(&raw.cancel),
            takes_back: all(&raw.takes_back),
            asks_how: all(&raw.asks_how),
            openers: all(&raw.openers),
            correct: all(&raw.correct),
            opens: all(&raw.opens_follow_up),
            closes: all(&raw.closes_follow_up),
            places: lists(&raw.places),
            point: all(&raw.point),
            another: all(&raw.another),
            opposites: {
                let pairs = raw.opposites.iter();
                pairs.map(|(one, other)| (all(one), all(other))).collect()
            },
            i_am: all(&raw.i_am),
            who: all(&raw.who),
            which: all(&raw.which),
            fails_to_open: all(&raw.fails_to_open),
            malay: all(&raw.malay),
            english: all(&raw.english),
        }
    }
}

/// A turn's text as the cues see it: single spaces, no punctuation, lower case.
pub fn normal(text: &str) -> String {
    normalise(text).trim().to_owned()
}

impl Cues {
    /// Whether the turn takes back what was asked: it says nothing else, or says so first and little after.
    pub fn cancels(&self, turn: &str) -> bool {
        let bare = self.without(turn, &[&self.fillers]);
        if self.cancel.contains(&bare) {
            return true;
        }
        // "ok takpe la cancel": the one form within the other.
        let rest = self.without(&bare, &[&self.cancel, &self.fillers]);
        let says = rest.len() < bare.len();
        let first = self
            .takes_back
            .iter()
            .any(|form| after(&bare, form).is_some());
        let little = turn.split(' ').count() <= TAKING_BACK;
        let asks = self.without(turn, &[&self.asks_how]) != turn;
        says && rest.is_empty() || first && little && !asks
    }

    /// The language that the turn wishes for, if that is all it says.
    pub fn language(&self, turn: &str) -> Option<Language> {
        let bare = self.without(turn, &[&self.fillers]);
        let says = |forms: &[String]| forms.iter().any(|form| *form == bare || form == turn);
        if says(&self.english) {
            Some(Language::En)
        } else if says(&self.malay) {
            Some(Language::Ms)
        } else {
            None
        }
    }

    /// What a correction puts in the place of what was said before.
    pub fn corrected<'a>(&self, turn: &'a str) -> Option<&'a str> {
        let mut rest = turn;
        let mut corrects = false;
        loop {
            let strip = |forms: &[String]| forms.iter().find_map(|form| after(rest, form));
            if let Some(after) = strip(&self.correct) {
                corrects = true;
                rest = after;
            } else if let Some(after) = strip(&self.openers) {
                rest = after;
            } else {
                return corrects.then_some(rest);
            }
        }
    }

    /// Whether the turn says by its words that it goes on from the one before.
    pub fn follows(&self, turn: &str) -> bool {
        let opens = self.opens.iter().any(|form| after(turn, form).is_some());
        opens || self.closes.iter().any(|form| before(turn, form).is_some())
    }

    /// The place in a list that the turn points to, from 0, if it says little else.
    pub fn place(&self, turn: &str) -> Option<usize> {
        if turn.split(' ').count() > POINTING {
            return None;
        }
        let bare = self.without(turn, &[&self.fillers, &self.point]);
        self.places.iter().position(|forms| forms.contains(&bare))
    }

    /// Whether the turn points to what is left of two.
    pub fn points_to_other(&self, turn: &str) -> bool {
        let bare = self.without(turn, &[&self.fillers, &self.point]);
        turn.split(' ').count() <= POINTING && self.another.contains(&bare)
    }

    /// The things that a message asks one after the other, where it numbers them or says that there is another.
    pub fn parts(&self, turn: &str) -> Vec<String> {
        let words: Vec<&str> = turn.split(' ').collect();
        let numbered = self.numbered(&words);
        if numbered.len() > 1 {
            return numbered;
        }
        let split = self.another.iter().find_map(|form| {
            let padded = format!(" {form} ");
            let (first, second) = turn.split_once(&padded)?;
            Some(vec![first.to_owned(), second.to_owned()])
        });
        split
            .filter(|parts| parts.iter().all(|part| is_part(part)))
            .unwrap_or_default()
    }

    fn numbered(&self, words: &[&str]) -> Vec<String> {
        let mut starts = Vec::new();
        let mut from = 0;
        for forms in &self.places {
            let found = (from..words.len()).find(|at| {
                let word = words.get(*at).copied().unwrap_or_default();
                forms.iter().any(|form| form == word)
            });
            let Some(at) = found else {
                break;
            };
            starts.push(at);
            from = at + 1;
        }
        let ends = starts.iter().skip(1).copied().chain([words.len()]);
        let parts: Vec<String> = starts
            .iter()
            .zip(ends)
            .filter_map(|(start, end)| Some(words.get(start + 1..end)?.join(" ")))
            .collect();
        if parts.iter().all(|part| is_part(part)) {
            parts
        } else {
            Vec::new()
        }
    }

    /// What was said before, without what the new turn puts the opposite in place of; none if nothing is opposed.
    pub fn opposed(&self, said: &str, turn: &str) -> Option<String> {
        let has = |forms: &[String], word: &str| forms.iter().any(|form| form == word);
        let now = |forms: &[String]| turn.split(' ').any(|word| has(forms, word));
        let opposed = |word: &&str| {
            self.opposites.iter().any(|(one, other)| {
                let replaced =
                    |gone: &[String], come: &[String]| has(gone, word) && now(come) && !now(gone);
                replaced(one, other) || replaced(other, one)
            })
        };
        if !said.split(' ').any(|word| opposed(&word)) {
            return None;
        }
        let kept: Vec<&str> = said.split(' ').filter(|word| !opposed(word)).collect();
        Some(kept.join(" "))
    }

    /// The words by which a person says who they are.
    pub fn person<'a>(&self, turn: &'a str) -> Option<&'a str> {
        let words = || turn.split(' ');
        let has = |forms: &[String]| words().any(|word| forms.iter().any(|form| form == word));
        let stated = words().count() <= STATING && (has(&self.i_am) || words().count() == 1);
        stated
            .then(|| said_of_itself(turn, &self.who).next())
            .flatten()
    }

    /// Which of the two systems a turn names.
    pub fn system<'a>(&self, turn: &'a str) -> Option<&'a str> {
        said_of_itself(turn, &self.which).last()
    }

    /// Whether the turn says that something does not open at all.
    pub fn fails_to_open(&self, turn: &str) -> bool {
        let turn = format!(" {turn} ");
        let mut forms = self.fails_to_open.iter();
        forms.any(|form| turn.contains(&format!(" {form} ")))
    }

    /// Whether the turn does nothing but name one of the two systems.
    pub fn names_a_system_only(&self, turn: &str) -> bool {
        let bare = self.without(turn, &[&self.fillers, &self.point]);
        let named = |word: &str| self.which.iter().any(|form| form == word);
        let not = |word: &str| contrast::MARKERS.contains(&word);
        bare.split(' ').any(named) && bare.split(' ').all(|word| named(word) || not(word))
    }

    /// The turn without these forms, wherever they stand.
    fn without(&self, turn: &str, lists: &[&Vec<String>]) -> String {
        let mut bare = format!(" {turn} ");
        for form in lists.iter().flat_map(|list| list.iter()) {
            let padded = format!(" {form} ");
            while let Some(at) = bare.find(&padded) {
                bare.replace_range(at..at + padded.len(), " ");
            }
        }
        bare.trim().to_owned()
    }
}

/// The words of a turn that are among the forms, and are not said to be meant otherwise.
fn said_of_itself<'a>(turn: &'a str, forms: &[String]) -> impl Iterator<Item = &'a str> {
    let mut denied = false;
    turn.split(' ').filter(move |word| {
        let said = !denied && forms.iter().any(|form| form == word);
        denied = contrast::MARKERS.contains(word);
        said
    })
}

fn is_part(text: &str) -> bool {
    text.split(' ').filter(|word| !word.is_empty()).count() >= PART
}

/// What comes after a form with which the text begins.
fn after<'a>(text: &'a str, form: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(form)?;
    if rest.is_empty() {
        Some(rest)
    } else {
        rest.strip_prefix(' ')
    }
}

/// What comes before a form with which the text ends.
fn before<'a>(text: &'a str, form: &str) -> Option<&'a str> {
    let rest = text.strip_suffix(form)?;
    if rest.is_empty() {
        Some(rest)
    } else {
        rest.strip_suffix(' ')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cues() -> Cues {
        let raw: CuesYaml = serde_yaml::from_str(
            "fillers: [la, lah, je, dulu, pulak, ok, eh]
cancel: [batal, tak jadi, takpe, cancel]
takes_back: [batal, tak jadi]
asks_how: [macam mana]
openers: [eh, sorry]
correct: [maksud saya, silap, bukan tu]
opens_follow_up: [kalau, and]
closes_follow_up: [punya, tu]
places: [['1', satu, pertama, first], ['2', dua, kedua, second]]
point: [yang, nombor, the, one, tu]
another: [satu lagi]
opposites: [[[portal], [sistem]]]
i_am: [saya]
who: [pembekal, mystep]
which: [sistem, portal]
english: [english please]
malay: [bahasa melayu]
",
        )
        .unwrap();
        Cues::from(&raw)
    }

    #[test]
    fn a_turn_that_only_cancels_cancels() {
        assert!(cues().cancels("batal je la dulu"));
        assert!(cues().cancels("takpe lah"));
        assert!(cues().cancels("ok takpe la cancel"));
        assert!(cues().cancels("batal dah boleh masuk"));
        assert!(!cues().cancels("batal pendaftaran portal macam mana"));
        assert!(!cues().cancels("takpe slip gaji nak tengok kat mana"));
        assert!(!cues().cancels("macam mana nak batal pendaftaran"));
    }

    #[test]
    fn a_correction_leaves_what_is_meant() {
        assert_eq!(cues().corrected("eh silap maksud saya ec"), Some("ec"));
        assert_eq!(cues().corrected("slip gaji"), None);
        assert_eq!(cues().corrected("sorry lupa password portal"), None);
        assert_eq!(cues().corrected("bukan tu"), Some(""));
    }

    #[test]
    fn places_in_a_list_are_pointed_to_in_words_and_numbers() {
        assert_eq!(cues().place("yang kedua dulu"), Some(1));
        assert_eq!(cues().place("ok yang pertama pulak"), Some(0));
        assert_eq!(cues().place("nombor 2 tu dulu"), Some(1));
        assert_eq!(cues().place("the second one"), Some(1));
        assert_eq!(cues().place("slip gaji bulan 2"), None);
        assert!(cues().points_to_other("ok yang satu lagi tu pulak"));
    }

    #[test]
    fn several_things_in_one_message_are_parted_where_it_says_so() {
        assert_eq!(
            cues().parts("saya ada masalah 1 lupa password portal 2 slip gaji salah"),
            ["lupa password portal", "slip gaji salah"]
        );
        assert_eq!(
            cues()
                .parts("nak tanya dua benda satu cara daftar portal dua berapa lama slip disimpan"),
            ["cara daftar portal", "berapa lama slip disimpan"]
        );
        assert_eq!(
            cues().parts("password portal lupa satu lagi elaun saya takde"),
            ["password portal lupa", "elaun saya takde"]
        );
        assert!(cues().parts("slip gaji bulan 1 dan 2").is_empty());
        assert!(cues().parts("slip gaji bulan 2").is_empty());
    }

    #[test]
    fn an_opposite_takes_the_place_of_what_was_said() {
        let opposed = cues().opposed("nak masuk portal macam mana", "kalau sistem pulak");
        assert_eq!(opposed.as_deref(), Some("nak masuk macam mana"));
        assert_eq!(cues().opposed("nak masuk portal", "kalau portal"), None);
        assert_eq!(cues().opposed("slip gaji", "kalau sistem"), None);
    }

    #[test]
    fn who_somebody_is_and_which_system_is_heard() {
        assert_eq!(cues().person("saya pembekal"), Some("pembekal"));
        assert_eq!(cues().person("pembekal boleh daftar ke"), None);
        assert_eq!(cues().person("saya bukan pembekal"), None);
        assert_eq!(cues().system("bukan sistem portal"), Some("portal"));
        assert_eq!(cues().system("bukan sistem"), None);
        assert!(cues().names_a_system_only("sistem bukan portal"));
        assert!(!cues().names_a_system_only("bukan"));
        assert_eq!(cues().language("english please"), Some(Language::En));
    }
}

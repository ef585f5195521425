//! From what a person typed to the words that are searched: normalise, unfold shorthand and dialect, fold
//! concepts and roots, mend typing errors, and vote on the language. It never decides what is meant.

use rustc_hash::{FxHashMap, FxHashSet};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::contrast;
use super::lexicon::Lexicon;
use super::spelling::Spelling;
use super::text::Language;

/// Longer questions are searched by this many leading characters (contracts, section 7).
pub const SEARCHED_CHARS: usize = 512;
const MAX_WORDS: usize = 96;
const CLITICS: [&str; 12] = [
    "nya", "nye", "nyo", "ny", "lah", "kah", "tah", "pun", "ku", "mu", "la", "le",
];

/// A word of the vocabulary, by number.
pub type Symbol = u32;

/// What is left of a question when it was understood as words.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    /// Its words in order, folded.
    pub words: Vec<Symbol>,
    /// The normalised text as typed.
    pub surface: String,
    /// Words that the vocabulary does not have, as typed.
    pub unknown: Vec<String>,
    /// The language, where the function words tell it.
    pub language: Option<Language>,
}

impl Analysis {
    /// Whether nothing is left to search for.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.unknown.is_empty()
    }
}

/// The vocabulary of one knowledge with all rules of its lexicon, ready to analyse questions.
pub struct Analyser {
    symbols: FxHashMap<Box<str>, Symbol>,
    texts: Vec<Box<str>>,
    replace: FxHashMap<Symbol, Box<[Symbol]>>,
    alternatives: FxHashMap<Symbol, Box<[Symbol]>>,
    /// Forms of several words that are replaced; the trie leads to a place in `standards`.
    phrases: Forms,
    standards: Vec<Box<[Symbol]>>,
    concepts: Forms,
    roots: FxHashMap<Symbol, Symbol>,
    votes: FxHashMap<Symbol, Language>,
    spelling: Spelling,
    year: Symbol,
    number: Symbol,
}

impl Analyser {
    /// Builds the vocabulary from the lexicon and all texts of the knowledge.
    pub fn new<'a>(lexicon: &Lexicon, texts: impl Iterator<Item = &'a str>) -> Self {
        let mut analyser = Self::from_lexicon(lexicon);
        let mut learned: Vec<String> = FxHashSet::from_iter(texts.flat_map(|text| {
            normalise(text)
                .split(' ')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        }))
        .into_iter()
        .filter(|word| !word.is_empty() && !is_number(word))
        .collect();
        // Short words first: "gajinya" is then seen as "gaji" with a clitic, whichever the texts name first.
        learned.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        for word in &learned {
            let mut known = Vec::new();
            if !analyser.unfold(word, &mut known) {
                analyser.intern(word);
            }
        }
        let spelling = Spelling::new(
            analyser
                .texts
                .iter()
                .enumerate()
                .filter(|(_, text)| !text.starts_with('#') && !text.contains('_'))
                .map(|(symbol, text)| (text.as_ref(), symbol as Symbol)),
        );
        analyser.spelling = spelling;
        analyser
    }

    fn from_lexicon(lexicon: &Lexicon) -> Self {
        let mut analyser = Self {
            symbols: FxHashMap::default(),
            texts: Vec::new(),
            replace: FxHashMap::default(),
            alternatives: FxHashMap::default(),
            phrases: Forms::default(),
            standards: Vec::new(),
            concepts: Forms::default(),
            roots: FxHashMap::default(),
            votes: FxHashMap::default(),
            spelling: Spelling::default(),
            year: 0,
            number: 0,
        };
        analyser.year = analyser.intern("#year");
        analyser.number = analyser.intern("#number");
        for (language, words) in [
            (Language::Ms, &lexicon.function_words.ms),
            (Language::En, &lexicon.function_words.en),
        ] {
            for symbol in analyser.intern_all(words) {
                analyser.votes.insert(symbol, language);
            }
        }
        analyser.intern_all(&lexicon.protected);
        for (form, standard) in &lexicon.replace {
            let standard = analyser.intern_text(standard);
            match analyser.intern_text(form).as_slice() {
                [word] => {
                    analyser.replace.insert(*word, standard.into());
                }
                words => {
                    let place = analyser.standards.len() as u32;
                    analyser.phrases.insert(words, place);
                    analyser.standards.push(standard.into());
                }
            }
        }
        for (form, readings) in &lexicon.alternatives {
            let readings = analyser.intern_all(readings);
            if let [form] = analyser.intern_text(form).as_slice() {
                analyser.alternatives.insert(*form, readings.into());
            }
        }
        for (root, forms) in &lexicon.roots {
            let Some(root) = analyser.intern_name(root) else {
                continue;
            };
            for form in analyser
                .intern_all(forms)
                .into_iter()
                .filter(|f| *f != root)
            {
                analyser.roots.insert(form, root);
            }
        }
        for (name, forms) in &lexicon.concepts {
            let concept = analyser.intern(name);
            for form in std::iter::once(name).chain(forms) {
                let words = analyser.intern_text(form);
                let words = analyser.replaced(&words);
                analyser.concepts.insert(&words, concept);
            }
        }
        analyser
    }

    /// The text of a word.
    pub fn text(&self, symbol: Symbol) -> &str {
        self.texts.get(symbol as usize).map_or("", |text| text)
    }

    /// Whether a word stands for a number, as years do.
    pub fn is_number(&self, symbol: Symbol) -> bool {
        symbol == self.year || symbol == self.number
    }

    /// How many words the vocabulary has.
    pub fn vocabulary(&self) -> usize {
        self.texts.len()
    }

    /// Analyses what a person typed.
    pub fn analyse(&self, text: &str) -> Analysis {
        let normal = normalise(&contrast::meant(text));
        let mut analysis = Analysis::default();
        let mut words = Vec::with_capacity(24);
        let mut votes = (0_usize, 0_usize);
        for word in normal.split(' ').filter(|w| !w.is_empty()).take(MAX_WORDS) {
            match self.symbols.get(word).and_then(|s| self.votes.get(s)) {
                Some(Language::Ms) => votes.0 += 1,
                Some(Language::En) => votes.1 += 1,
                None => {}
            }
            if !self.unfold(word, &mut words) && !self.mend(word, &mut words) {
                analysis.unknown.push(word.to_owned());
            }
        }
        analysis.language = match votes {
            (0, 0) => None,
            (0, _) => Some(Language::En),
            (ms, en) if en >= 3 * ms => Some(Language::En),
            _ => Some(Language::Ms),
        };
        self.fold(&self.rephrased(words), &mut analysis.words);
        analysis.surface = normal;
        analysis
    }

    /// Reads a word by rules that change nothing in doubt: known, replaced, reduplicated, doubled, with a clitic.
    fn unfold(&self, word: &str, words: &mut Vec<Symbol>) -> bool {
        if is_number(word) {
            words.push(if is_year(word) {
                self.year
            } else {
                self.number
            });
            return true;
        }
        if self.known(word, words) {
            return true;
        }
        let single = word
            .strip_suffix('2')
            .filter(|rest| rest.len() >= 2 && rest.bytes().all(|b| b.is_ascii_alphabetic()));
        if single.is_some_and(|rest| self.known(rest, words)) {
            return true;
        }
        let mut letters = word.chars();
        if letters.next() == letters.next() && word.len() > 4 {
            let rest = word.get(1..).unwrap_or_default();
            if self.known(rest, words) {
                return true;
            }
        }
        CLITICS.iter().any(|clitic| {
            word.strip_suffix(clitic)
                .is_some_and(|rest| rest.len() >= 4 && self.known(rest, words))
        })
    }

    fn known(&self, word: &str, words: &mut Vec<Symbol>) -> bool {
        let Some(symbol) = self.symbols.get(word) else {
            return false;
        };
        match self.replace.get(symbol) {
            Some(standard) => words.extend_from_slice(standard),
            None => words.push(*symbol),
        }
        true
    }

    /// Reads a word that no rule knows: two words run together, or one mistyped.
    fn mend(&self, word: &str, words: &mut Vec<Symbol>) -> bool {
        if !word.is_ascii() || word.len() < 4 || word.len() > 24 {
            return false;
        }
        for at in 4..word.len().saturating_sub(3) {
            let (left, right) = word.split_at(at);
            if let (Some(left), Some(right)) = (self.symbols.get(left), self.symbols.get(right)) {
                for symbol in [left, right] {
                    match self.replace.get(symbol) {
                        Some(standard) => words.extend_from_slice(standard),
                        None => words.push(*symbol),
                    }
                }
                return true;
            }
        }
        match self.spelling.nearest(word, |symbol| self.text(symbol)) {
            Some(symbol) => {
                match self.replace.get(&symbol) {
                    Some(standard) => words.extend_from_slice(standard),
                    None => words.push(symbol),
                }
                true
            }
            None => false,
        }
    }

    /// Replaces forms of several words.
    fn rephrased(&self, words: Vec<Symbol>) -> Vec<Symbol> {
        let starts = |at: usize| words.get(at..).and_then(|rest| self.phrases.longest(rest));
        if (0..words.len()).all(|at| starts(at).is_none()) {
            return words;
        }
        let mut rephrased = Vec::with_capacity(words.len());
        let mut at = 0;
        while let Some(word) = words.get(at) {
            match starts(at) {
                Some((place, length)) => {
                    let standard = self.standards.get(place as usize);
                    rephrased.extend(standard.into_iter().flat_map(|words| words.iter()));
                    at += length;
                }
                None => {
                    rephrased.push(*word);
                    at += 1;
                }
            }
        }
        rephrased
    }

    /// Folds concepts and roots, and adds the other readings of what is ambiguous.
    fn fold(&self, words: &[Symbol], folded: &mut Vec<Symbol>) {
        let mut rest = words;
        while let Some((&word, tail)) = rest.split_first() {
            if let Some((concept, length)) = self.concepts.longest(rest) {
                folded.push(concept);
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            rest = tail;
            if let Some(readings) = self.alternatives.get(&word) {
                for reading in readings {
                    self.push_root(*reading, folded);
                }
            }
            self.push_root(word, folded);
        }
    }

    fn push_root(&self, word: Symbol, folded: &mut Vec<Symbol>) {
        folded.push(self.roots.get(&word).copied().unwrap_or(word));
    }

    fn replaced(&self, words: &[Symbol]) -> Vec<Symbol> {
        let mut replaced = Vec::with_capacity(words.len());
        for word in words {
            match self.replace.get(word) {
                Some(standard) => replaced.extend_from_slice(standard),
                None => replaced.push(*word),
            }
        }
        replaced
    }

    fn intern(&mut self, word: &str) -> Symbol {
        if let Some(symbol) = self.symbols.get(word) {
            return *symbol;
        }
        let symbol = self.texts.len() as Symbol;
        self.texts.push(word.into());
        self.symbols.insert(word.into(), symbol);
        symbol
    }

    fn intern_text(&mut self, text: &str) -> Vec<Symbol> {
        let normal = normalise(text);
        normal
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(|word| self.intern(word))
            .collect()
    }

    /// Interns single words; a form of several words is no word and is left out.
    fn intern_all(&mut self, forms: &[String]) -> Vec<Symbol> {
        let mut symbols = Vec::with_capacity(forms.len());
        for form in forms {
            symbols.extend(self.intern_name(form));
        }
        symbols
    }

    /// A single word, or the name of a concept, which is written with underscores.
    fn intern_name(&mut self, name: &str) -> Option<Symbol> {
        if name.contains('_') {
            return Some(self.intern(name));
        }
        match self.intern_text(name).as_slice() {
            [symbol] => Some(*symbol),
            _ => None,
        }
    }
}

/// Forms of one or more words, as a trie over symbols; each leads to a number.
#[derive(Default)]
struct Forms {
    edges: FxHashMap<(u32, Symbol), u32>,
    ends: FxHashMap<u32, u32>,
    nodes: u32,
}

impl Forms {
    fn insert(&mut self, words: &[Symbol], leads_to: u32) {
        let mut node = 0;
        for word in words {
            let next = self.nodes + 1;
            node = *self.edges.entry((node, *word)).or_insert(next);
            self.nodes = self.nodes.max(node);
        }
        if node != 0 {
            self.ends.entry(node).or_insert(leads_to);
        }
    }

    /// Where the longest form at the front of `words` leads, and how many words it takes.
    fn longest(&self, words: &[Symbol]) -> Option<(u32, usize)> {
        let mut node = 0;
        let mut found = None;
        for (length, word) in words.iter().enumerate() {
            let Some(next) = self.edges.get(&(node, *word)) else {
                break;
            };
            node = *next;
            if let Some(leads_to) = self.ends.get(&node) {
                found = Some((*leads_to, length + 1));
            }
        }
        found
    }
}

/// Lower case, letters and digits, single spaces; invisible characters and accents dropped; drawn-out letters shortened.
pub fn normalise(text: &str) -> String {
    let mut normal = Normal::with_capacity(text.len().min(SEARCHED_CHARS * 2));
    if text.is_ascii() {
        for byte in text.bytes().take(SEARCHED_CHARS) {
            normal.push(char::from(byte.to_ascii_lowercase()));
        }
    } else {
        let head = text.chars().take(SEARCHED_CHARS);
        for c in head
            .nfkd()
            .filter(|c| !is_combining_mark(*c))
            .take(SEARCHED_CHARS * 2)
        {
            for lower in c.to_lowercase() {
                normal.push(lower);
            }
        }
    }
    normal.text
}

struct Normal {
    text: String,
    last: char,
    run: usize,
}

impl Normal {
    fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            last: ' ',
            run: 0,
        }
    }

    fn push(&mut self, c: char) {
        if is_dropped(c) {
            return;
        }
        let c = if c.is_alphanumeric() { c } else { ' ' };
        if c == self.last {
            self.run += 1;
            if c == ' ' {
                return;
            }
            // "tolonggg": the third of a run takes the second away again; digits are left alone.
            if self.run >= 3 && c.is_alphabetic() {
                if self.run == 3 {
                    self.text.pop();
                }
                return;
            }
        } else {
            self.run = 1;
        }
        self.last = c;
        self.text.push(c);
    }
}

fn is_dropped(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{FEFF}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}')
        || (c.is_control() && !c.is_whitespace())
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && (word.starts_with("19") || word.starts_with("20"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::source::FileText;

    fn analyser() -> Analyser {
        let text = "function_words: {ms: [macam, mana, tidak, saya], en: [how, the, my]}\n\
             replace: {xleh: tidak boleh, mcm: macam, sy: saya}\n\
             alternatives: {sapa: [sampai, siapa]}\n\
             concepts: {kata_laluan: [kata laluan, katalaluan, password], log_masuk: [daftar masuk, login]}\n\
             roots: {daftar: [mendaftar, pendaftaran]}
";
        let lexicon = Lexicon::parse(&FileText {
            shown: "lexicon.yaml".into(),
            text: text.into(),
        });
        let lexicon = lexicon.unwrap();
        Analyser::new(&lexicon, ["emel gaji portal slip lupa boleh"].into_iter())
    }

    fn words(text: &str) -> String {
        let analyser = analyser();
        let analysis = analyser.analyse(text);
        let mut words: Vec<&str> = analysis.words.iter().map(|s| analyser.text(*s)).collect();
        words.extend(analysis.unknown.iter().map(String::as_str));
        words.join(" ")
    }

    #[test]
    fn shorthand_unfolds_and_concepts_fold() {
        assert_eq!(words("sy xleh LOGIN"), "saya tidak boleh log_masuk");
        assert_eq!(words("lupa Kata  Laluan!"), "lupa kata_laluan");
        assert_eq!(words("daftar masuk"), "log_masuk");
        assert_eq!(words("mendaftar"), "daftar");
    }

    #[test]
    fn an_ambiguous_form_keeps_all_its_readings() {
        assert_eq!(words("emel sapa"), "emel sampai siapa sapa");
    }

    #[test]
    fn clitics_reduplication_and_drawn_out_letters_are_seen_through() {
        assert_eq!(words("gajinya"), "gaji");
        assert_eq!(words("slip2"), "slip");
        assert_eq!(words("lupaaaa"), "lupa");
        assert_eq!(words("llupa"), "lupa");
    }

    #[test]
    fn typing_errors_and_words_run_together_are_mended() {
        assert_eq!(words("lpua"), "lupa");
        assert_eq!(words("potral"), "portal");
        assert_eq!(words("slipgaji"), "slip gaji");
        assert_eq!(words("zebra"), "zebra");
    }

    #[test]
    fn years_and_numbers_are_kinds_of_words() {
        assert_eq!(words("slip 2021"), "slip #year");
        assert_eq!(words("slip 7"), "slip #number");
    }

    #[test]
    fn invisible_characters_and_accents_do_not_hide_a_word() {
        assert_eq!(words("lu\u{200B}pa p\u{202E}ortal"), "lupa portal");
        assert_eq!(words("pörtal ｓｌｉｐ"), "portal slip");
    }

    #[test]
    fn the_language_is_told_by_function_words_only() {
        let analyser = analyser();
        assert_eq!(
            analyser.analyse("how the portal").language,
            Some(Language::En)
        );
        assert_eq!(
            analyser.analyse("macam mana login").language,
            Some(Language::Ms)
        );
        assert_eq!(analyser.analyse("portal").language, None);
    }
}

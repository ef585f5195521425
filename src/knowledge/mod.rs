//! The answers, and the router from a question to one of them. Pure and in memory: no database, no network.

mod across;
pub mod answer;
pub mod ask;
pub mod book;
mod built;
mod calibration;
mod check;
pub mod contrast;
pub mod cues;
pub mod evaluation;
mod faq;
mod features;
pub mod gathering;
pub mod golden;
mod index;
pub mod language;
mod lexicon;
pub mod live;
pub mod messages;
mod nearness;
mod network;
mod opinion;
pub mod paraphrase;
pub mod period;
pub mod problem;
pub mod router;
pub mod source;
mod spelling;
mod sureness;
pub mod text;
pub mod trial;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::civil::Date;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::calendar::Calendar;
use answer::{Answer, Contacts};
use book::{Book, Entry};
use cues::Cues;
use faq::FaqFile;
use lexicon::Lexicon;
use messages::Messages;
use problem::Problem;
use router::{Router, Routing};
use source::{FileText, Source};
use text::{Language, Localised};

/// What loading needs to know besides the files.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// What the settings state.
    pub contacts: Contacts,
    /// The day on which reviews are judged.
    pub today: Date,
    /// After how many days a review is overdue.
    pub review_days: u32,
    /// How much must be in order.
    pub strictness: Strictness,
    /// Whether sample hours stand in where none are set: in a demonstration.
    pub sample_hours: bool,
    /// What was edited since the files were written.
    pub editions: Vec<Edition>,
}

/// A knowledge file as it was edited: it stands for the file that it was made from, and for no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    /// The file's name.
    pub file: String,
    /// The hash of the text that it was made from.
    pub base: String,
    /// The hashes of the editions before it, which may have been written into folders.
    pub earlier: Vec<String>,
    /// The text.
    pub text: String,
}

impl Edition {
    /// An edition of a text.
    pub fn of(file: &str, before: &str, text: String) -> Self {
        Self {
            file: file.to_owned(),
            base: hash(before),
            earlier: Vec::new(),
            text,
        }
    }

    /// Takes the place of the file, unless somebody has written that since.
    fn lay_over(&self, texts: &mut BTreeMap<String, FileText>) {
        // A folder into which an earlier edition was written holds no newer word of anybody's.
        if let Some(file) = texts.get_mut(&self.file)
            && (hash(&file.text) == self.base || self.earlier.contains(&hash(&file.text)))
        {
            file.text.clone_from(&self.text);
        }
    }
}

/// The hash of a text, as editions name it.
pub fn hash(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

/// The beginning of a hash over all files.
fn version_of(texts: &BTreeMap<String, FileText>) -> String {
    let hashes = texts
        .iter()
        .map(|(name, file)| format!("{name} {}\n", hash(&file.text)));
    let whole: String = hashes.collect();
    let digest = Sha256::digest(whole.as_bytes());
    let begin = digest.iter().take(6);
    begin.map(|byte| format!("{byte:02x}")).collect()
}

/// How much of a knowledge must be in order for it to be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Everything: what is shown to people. A single file is judged by its shape all the same.
    Full,
    /// The shape and the ids: what is only measured.
    Shape,
}

/// The days after which an answer should be looked at again, where no setting says otherwise.
pub const REVIEW_DAYS: u32 = 365;

/// A loaded knowledge: found good, indexed, calibrated.
pub struct Knowledge {
    book: Book,
    router: Arc<Router>,
    messages: Messages,
    cues: Cues,
    contacts: Contacts,
    answers: Vec<Localised<Arc<Answer>>>,
    places: HashMap<String, usize>,
    calendar: Arc<Calendar>,
    version: String,
}

/// A knowledge with what is worth knowing about its files.
pub struct Loaded {
    /// The knowledge.
    pub knowledge: Knowledge,
    /// Problems that refuse nothing.
    pub warnings: Vec<Problem>,
}

impl Knowledge {
    /// Reads, checks, indexes and calibrates. A single file is judged by its shape and ids alone, so that any question
    /// set can be loaded; a folder must be good in every respect.
    pub fn load(source: &Source, options: &LoadOptions) -> Result<Loaded, Vec<Problem>> {
        let mut texts = source.read()?;
        for edition in &options.editions {
            edition.lay_over(&mut texts);
        }
        let mut problems = Vec::new();
        let faq = keep(&mut problems, parse_faq(texts.get(source::FAQ)));
        let intents = keep(&mut problems, parse_faq(texts.get(source::INTENTS)));
        let lexicon = match texts.get(source::LEXICON) {
            Some(file) => Lexicon::parse(file),
            None => Ok(Lexicon::default()),
        };
        let lexicon = keep(&mut problems, lexicon);
        let messages = match texts.get(source::MESSAGES) {
            Some(file) => Messages::parse(file),
            None => embedded_messages(),
        };
        let messages = keep(&mut problems, messages);
        let calendar = keep(
            &mut problems,
            calendar(texts.get(source::CALENDAR), options),
        );
        let (Some(faq), Some(intents), Some(lexicon), Some(messages), Some(calendar)) =
            (faq, intents, lexicon, messages, calendar)
        else {
            return Err(problems);
        };
        let shown = |name| texts.get(name).map_or(name, |file| file.shown.as_str());
        let files = [
            (shown(source::FAQ), &faq),
            (shown(source::INTENTS), &intents),
        ];
        let single = matches!(source, Source::File(_));
        let strict = options.strictness == Strictness::Full && !single;
        let book = judge(&files, strict, options, &mut problems);
        if problems.iter().any(Problem::is_error) {
            return Err(problems);
        }
        if strict {
            problems.extend(source.oddities());
            if problems.iter().any(Problem::is_error) {
                return Err(problems);
            }
        }
        let made_of = built::MadeOf::these(&texts, strict);
        let router = match built::known(&made_of) {
            Some(router) => router,
            None => {
                let router = build(&book, &lexicon)?;
                if strict {
                    problems.extend(misrouted(&files, &book, &router));
                }
                if problems.iter().any(Problem::is_error) {
                    return Err(problems);
                }
                built::keep(made_of, router)
            }
        };
        Ok(Loaded {
            knowledge: Self {
                calendar: Arc::new(calendar),
                version: version_of(&texts),
                ..Self::assemble(book, router, messages, &lexicon, options.contacts.clone())
            },
            warnings: problems,
        })
    }

    fn assemble(
        book: Book,
        router: Arc<Router>,
        messages: Messages,
        lexicon: &Lexicon,
        contacts: Contacts,
    ) -> Self {
        let answers = book
            .entries
            .iter()
            .map(|entry| Localised {
                ms: Arc::new(Answer::render(entry, Language::Ms, &contacts)),
                en: Arc::new(Answer::render(entry, Language::En, &contacts)),
            })
            .collect();
        let places = book
            .entries
            .iter()
            .enumerate()
            .map(|(place, entry)| (entry.id.clone(), place))
            .collect();
        Self {
            book,
            router,
            messages,
            cues: Cues::from(&lexicon.cues),
            contacts,
            answers,
            places,
            calendar: Arc::new(Calendar::unset()),
            version: String::new(),
        }
    }

    /// A name for what it was made of: the same files have the same.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// When the office is open, and by when something is due.
    pub fn calendar(&self) -> &Arc<Calendar> {
        &self.calendar
    }

    /// Finds what a question means.
    pub fn route(&self, text: &str) -> tantivy::Result<Routing> {
        self.router.route(text, &[])
    }

    /// Finds what a question means where some entries, by place, are more to be expected than others: what is given
    /// is added to what speaks for them, in logits.
    pub fn route_expecting(
        &self,
        text: &str,
        expected: &[(usize, f32)],
    ) -> tantivy::Result<Routing> {
        self.router.route(text, expected)
    }

    /// Whether two entries are an answer and its action, or the same.
    pub fn are_family(&self, one: usize, other: usize) -> bool {
        self.router.are_family(one, other)
    }

    /// What a turn of a conversation does, by its words.
    pub fn cues(&self) -> &Cues {
        &self.cues
    }

    /// Everything that can be answered.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The bot's own sentences.
    pub fn messages(&self) -> &Messages {
        &self.messages
    }

    /// What the settings state.
    pub fn contacts(&self) -> &Contacts {
        &self.contacts
    }

    /// The place of the entry with this id.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// The entry at a place.
    pub fn entry(&self, place: usize) -> Option<&Entry> {
        self.book.entries.get(place)
    }

    /// The answer of the entry at a place, as shown.
    pub fn answer(&self, place: usize, language: Language) -> Option<&Arc<Answer>> {
        self.answers.get(place).map(|answer| answer.get(language))
    }
}

fn build(book: &Book, lexicon: &Lexicon) -> Result<Router, Vec<Problem>> {
    Router::build(book, lexicon).map_err(|error| {
        vec![Problem::whole_file(
            source::FAQ,
            format!("cannot be indexed: {error}"),
            "this is a fault of the program: report it with the file",
        )]
    })
}

fn keep<T>(problems: &mut Vec<Problem>, result: Result<T, Vec<Problem>>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(found) => {
            problems.extend(found);
            None
        }
    }
}

fn parse_faq(file: Option<&FileText>) -> Result<FaqFile, Vec<Problem>> {
    match file {
        Some(file) => source::parse(file).map_err(|problem| vec![problem]),
        None => Ok(FaqFile {
            version: None,
            link_hosts: None,
            menu: Vec::new(),
            entries: Vec::new(),
            out_of_scope: Vec::new(),
        }),
    }
}

/// The calendar of a file; one without hours where there is none.
fn calendar(file: Option<&FileText>, options: &LoadOptions) -> Result<Calendar, Vec<Problem>> {
    let calendar = match file {
        Some(file) => Calendar::parse(&file.text).map_err(|error| {
            let mut problem = Problem::whole_file(&file.shown, error.message, error.repair);
            problem.line = error.line;
            vec![problem]
        })?,
        None => Calendar::unset(),
    };
    let stand_in = options.sample_hours && !calendar.has_hours();
    Ok(if stand_in {
        Calendar::sample()
    } else {
        calendar
    })
}

fn embedded_messages() -> Result<Messages, Vec<Problem>> {
    match Source::Embedded.read()?.get(source::MESSAGES) {
        Some(file) => Messages::parse(file),
        None => Err(Vec::new()),
    }
}

/// Everything that can be said of the files without searching; a single file is spared what only our own must keep.
fn judge(
    files: &[(&str, &FaqFile); 2],
    strict: bool,
    options: &LoadOptions,
    problems: &mut Vec<Problem>,
) -> Book {
    let hosts: Vec<String> = files
        .iter()
        .filter_map(|(_, raw)| raw.link_hosts.as_ref())
        .flatten()
        .map(|host| host.value.to_lowercase())
        .collect();
    let any_host = files.iter().all(|(_, raw)| raw.link_hosts.is_none());
    let mut book = Book::default();
    if let [(faq, raw), _] = files
        && raw.entries.is_empty()
    {
        problems.push(Problem::whole_file(
            faq,
            "there is no entry",
            "add entries under `entries:`; was the file saved whole?",
        ));
        return book;
    }
    for (name, raw) in files {
        let (part, found) =
            check::book_of(name, raw, strict, (!any_host).then_some(hosts.as_slice()));
        problems.extend(found);
        book.entries.extend(part.entries);
        book.out_of_scope.extend(part.out_of_scope);
        book.menu.extend(part.menu);
    }
    problems.extend(across::duplicate_ids(files));
    if strict {
        problems.extend(across::dangling(files));
        problems.extend(across::duplicate_questions(files));
        problems.extend(across::overdue(files, options.today, options.review_days));
    }
    book
}

/// Questions and paraphrases that are answered with another entry than their own or the action that it offers.
fn misrouted(files: &[(&str, &FaqFile); 2], book: &Book, router: &Router) -> Vec<Problem> {
    let written = files
        .iter()
        .flat_map(|(name, raw)| raw.entries.iter().map(move |entry| (*name, entry)));
    let asked: Vec<_> = written
        .enumerate()
        .flat_map(|(own, (name, entry))| {
            let asked = check::asked(entry);
            asked.map(move |(text, at)| (own, name, text, at))
        })
        .collect();
    let problem = |(own, name, text, at): &(usize, &str, &str, _)| {
        let other = router.leads_astray(text, *own).ok()??;
        let other = book.entries.get(other)?.id.as_str();
        let what = format!("{text:?} leads to {other} instead");
        let repair = format!("reword it, move it to {other}, or remove what makes the two alike");
        Some(Problem::error(name, *at, what, repair))
    };
    asked.par_iter().filter_map(problem).collect()
}

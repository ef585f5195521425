//! Where the knowledge is read from: the folder, one file, or the copy inside the binary.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The largest knowledge file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// The files of a knowledge folder, by name.
pub const FAQ: &str = "faq.yaml";
/// What the bot can do, and its small talk.
pub const INTENTS: &str = "intents.yaml";
/// The language resources.
pub const LEXICON: &str = "lexicon.yaml";
/// Every sentence that the bot itself says.
pub const MESSAGES: &str = "messages.yaml";
/// Office hours and holidays.
pub const CALENDAR: &str = "calendar.yaml";

const FILES: [&str; 5] = [FAQ, INTENTS, LEXICON, MESSAGES, CALENDAR];

#[derive(rust_embed::RustEmbed)]
#[folder = "knowledge/"]
#[include = "*.yaml"]
struct Embedded;

/// A place that knowledge comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The copy that was built into the binary.
    Embedded,
    /// A folder with the five files; a missing one is taken from the binary, but `faq.yaml` must be there.
    Folder(PathBuf),
    /// One file in the format of `faq.yaml`, alone: no intents, no lexicon.
    File(PathBuf),
}

impl Source {
    /// The folder if it is there, else the embedded copy.
    pub fn folder_or_embedded(folder: &Path) -> Self {
        if folder.is_dir() {
            Self::Folder(folder.to_owned())
        } else {
            Self::Embedded
        }
    }

    /// Whatever `path` is: a folder, or one file alone.
    pub fn at(path: &Path) -> Self {
        if path.is_dir() {
            Self::Folder(path.to_owned())
        } else {
            Self::File(path.to_owned())
        }
    }

    /// Reads all files that this source has, by name; what cannot be read is a problem.
    pub fn read(&self) -> Result<BTreeMap<String, FileText>, Vec<Problem>> {
        let mut texts = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, place) in self.places() {
            match place.read() {
                Ok(Some(text)) => {
                    let shown = place.shown();
                    texts.insert(name, FileText { shown, text });
                }
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(texts)
        } else {
            Err(problems)
        }
    }

    /// Files of a folder that are missing, so that the binary's copy serves, or that nobody reads: to know.
    pub fn oddities(&self) -> Vec<Problem> {
        let Self::Folder(folder) = self else {
            return Vec::new();
        };
        let missing = FILES.iter().filter(|name| !folder.join(name).exists());
        let missing = missing.map(|name| {
            Problem::whole_file(
                &folder.join(name).display().to_string(),
                "is missing, and the copy inside the program is used in its place",
                "put the file there if you mean to change what it says",
            )
        });
        let present = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let unknown = present.filter(|entry| {
            let name = entry.file_name();
            let yaml =
                name.to_string_lossy().ends_with("aml") || name.to_string_lossy().ends_with(".yml");
            yaml && !FILES.iter().any(|known| name == **known)
        });
        let unknown = unknown.map(|entry| {
            Problem::whole_file(
                &entry.path().display().to_string(),
                "is read by nobody",
                format!("name it as one of {}, or move it away", FILES.join(", ")),
            )
        });
        missing.chain(unknown).map(Problem::into_warning).collect()
    }

    /// Changes whenever a file of this source was written; cheap enough to ask every two seconds.
    pub fn fingerprint(&self) -> Vec<(String, Option<SystemTime>, u64)> {
        self.places()
            .into_iter()
            .filter_map(|(name, place)| match place {
                Place::Disk(path) => {
                    let metadata = std::fs::metadata(path).ok();
                    let modified = metadata.as_ref().and_then(|m| m.modified().ok());
                    Some((name, modified, metadata.map_or(0, |m| m.len())))
                }
                Place::Binary(_) => None,
            })
            .collect()
    }

    fn places(&self) -> Vec<(String, Place)> {
        match self {
            Self::Embedded => FILES
                .iter()
                .map(|name| ((*name).to_owned(), Place::Binary(name)))
                .collect(),
            Self::Folder(folder) => FILES
                .iter()
                .map(|name| {
                    let path = folder.join(name);
                    let place = if *name == FAQ || path.exists() {
                        Place::Disk(path)
                    } else {
                        Place::Binary(name)
                    };
                    ((*name).to_owned(), place)
                })
                .collect(),
            Self::File(path) => vec![(FAQ.to_owned(), Place::Disk(path.clone()))],
        }
    }
}

/// A file's text, and the name by which its problems are told.
#[derive(Clone, Debug)]
pub struct FileText {
    /// The path as given, or the name alone for what is in the binary.
    pub shown: String,
    /// What it says.
    pub text: String,
}

enum Place {
    Disk(PathBuf),
    Binary(&'static str),
}

impl Place {
    fn shown(&self) -> String {
        match self {
            Self::Disk(path) => path.display().to_string(),
            Self::Binary(name) => (*name).to_owned(),
        }
    }

    fn read(&self) -> Result<Option<String>, Problem> {
        match self {
            Self::Binary(name) => {
                let Some(file) = Embedded::get(name) else {
                    return Ok(None);
                };
                decode(name, file.data.into_owned()).map(Some)
            }
            Self::Disk(path) => {
                let shown = self.shown();
                let bytes = read_bounded(path).map_err(|error| {
                    Problem::whole_file(
                        &shown,
                        format!("cannot be read: {error}"),
                        "check that the file exists, is readable, and is at most 8 MiB",
                    )
                })?;
                decode(&shown, bytes).map(Some)
            }
        }
    }
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let size = std::fs::metadata(path)?.len();
    if size > MAX_FILE_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{size} bytes"),
        ));
    }
    std::fs::read(path)
}

fn decode(name: &str, bytes: Vec<u8>) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to());
        let line = 1 + before.map_or(0, |b| b.iter().filter(|c| **c == b'\n').count());
        Problem::whole_file(
            name,
            format!("is not UTF-8: the first bad byte is on line {line}"),
            "save the file as UTF-8",
        )
    })
}

/// Parses one file within bounds on depth, aliases and nodes; a syntax or shape error becomes a problem with its place.
pub fn parse<T: DeserializeOwned>(file: &FileText) -> Result<T, Problem> {
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: 16,
            max_aliases: 64,
            max_anchors: 64,
            // Whatever a file of the largest size can hold: every node has a byte at least.
            max_events: 2 * MAX_FILE_BYTES as usize,
            max_nodes: MAX_FILE_BYTES as usize,
            max_total_scalar_bytes: 2 * MAX_FILE_BYTES as usize,
            max_total_comment_bytes: MAX_FILE_BYTES as usize,
        },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
    };
    serde_yaml::from_str_with_options(&file.text, options).map_err(|error| {
        let error = error.without_snippet();
        let at = error.location().unwrap_or(serde_yaml::Location::UNKNOWN);
        let full = error.to_string();
        let message = full.lines().next().unwrap_or("cannot be parsed");
        // The place has fields of its own.
        let place = format!(" at line {}, column {}", at.line(), at.column());
        let message = message.strip_suffix(&place).unwrap_or(message);
        Problem::error(
            &file.shown,
            at,
            message,
            "mend the YAML at this place; docs/knowledge.md shows the format",
        )
    })
}

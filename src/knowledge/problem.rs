//! What is wrong in a knowledge file, where, and what to do about it.

use std::fmt;

use serde::Serialize;
use serde_yaml::Location;

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the knowledge is used all the same.
    Warning,
    /// The knowledge is refused.
    Error,
}

/// One thing to mend in the knowledge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file's name.
    pub file: String,
    /// Line, from 1; 0 where the whole file is meant.
    pub line: u64,
    /// Column in characters, from 1; 0 where the whole file is meant.
    pub column: u64,
    /// Whether the knowledge is refused for it.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub repair: String,
}

impl Problem {
    /// An error at a place in `file`.
    pub fn error(
        file: &str,
        at: Location,
        message: impl Into<String>,
        repair: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            line: at.line(),
            column: at.column(),
            severity: Severity::Error,
            message: message.into(),
            repair: repair.into(),
        }
    }

    /// An error that concerns the whole of `file`.
    pub fn whole_file(file: &str, message: impl Into<String>, repair: impl Into<String>) -> Self {
        Self::error(file, Location::UNKNOWN, message, repair)
    }

    /// The same as something to know rather than a reason to refuse.
    pub fn into_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Whether the knowledge is refused for this.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        if self.line == 0 {
            write!(f, "{}: {severity}: {}", self.file, self.message)?;
        } else {
            write!(
                f,
                "{}:{}:{}: {severity}: {}",
                self.file, self.line, self.column, self.message
            )?;
        }
        write!(f, "\n  → {}", self.repair)
    }
}

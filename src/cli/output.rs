//! What the program says on a terminal. Nothing else in the program writes to the standard streams.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// The two standard streams.
pub struct Output {
    terminal: bool,
}

impl Output {
    /// The streams of this process.
    pub fn new() -> Self {
        Self {
            terminal: io::stdout().is_terminal(),
        }
    }

    /// Says a line. A reader that has gone away is no fault.
    pub fn say(&mut self, line: &str) {
        let _ = writeln!(io::stdout(), "{line}");
    }

    /// Says something and stays on the line.
    pub fn ask(&mut self, prompt: &str) {
        let mut stream = io::stdout();
        let _ = write!(stream, "{prompt}");
        let _ = stream.flush();
    }

    /// Says a line where errors and logs go.
    pub fn complain(&mut self, line: &str) {
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// Prints one JSON document.
    pub fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        self.say(&text);
        Ok(())
    }

    /// Prints a table, fitted to the terminal.
    pub fn table(&mut self, head: &[&str], rows: Vec<Vec<String>>) {
        let mut table = Table::new();
        table.load_preset(if self.terminal {
            presets::UTF8_FULL_CONDENSED
        } else {
            presets::ASCII_MARKDOWN
        });
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(head.to_vec());
        table.add_rows(rows);
        let text = table.to_string();
        self.say(&text);
    }

    /// Emphasises a text where the stream is a terminal.
    pub fn bold(&self, text: &str) -> String {
        if self.terminal {
            format!("\u{1b}[1m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

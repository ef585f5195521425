//! The `tanya` program: parses the command line and calls the command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    tanya::cli::Cli::parse().run()
}

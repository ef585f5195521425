//! The one integration binary: a file a story, run against the program as it ships, on SQLite and on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may fail loudly"
)]

mod actions;
mod architecture;
mod ask;
mod browser;
mod browser_line;
mod browser_markup;
mod browser_tools;
mod chat;
mod cli;
mod context;
mod contrasts;
mod crash;
mod events;
mod knowledge;
mod limits;
mod migrations;
mod pages;
mod privacy;
mod proof;
mod router;
mod scale;
mod server;
mod support;
mod telegram;
mod telegram_faults;
mod telegram_webhook;

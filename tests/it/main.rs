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
mod announcements;
mod architecture;
mod ask;
mod audit;
mod backup;
mod browser;
mod browser_console;
mod browser_console_markup;
mod browser_health;
mod browser_line;
mod browser_markup;
mod browser_pictures;
mod browser_proof;
mod browser_tools;
mod calendar;
mod canaries;
mod chat;
mod cli;
mod cluster;
mod console;
mod context;
mod contrasts;
mod crash;
mod crash_actions;
mod crash_desk;
mod credentials;
mod database_faults;
mod disk_full;
mod doctor;
mod events;
mod garbage;
mod handover;
mod incident;
mod keys;
mod knowledge;
mod limits;
mod links;
mod mail;
mod manual;
mod migrations;
mod outages;
mod pages;
mod pictures;
mod pictures_telegram;
mod portal_faults;
mod power;
mod privacy;
mod proof;
mod questions;
mod register;
mod retention;
mod rights;
mod router;
mod scale;
mod search;
mod seeing;
mod server;
mod support;
mod telegram;
mod telegram_faults;
mod telegram_proof;
mod telegram_webhook;
mod traces;
mod upgrade;

//! Tanya, a helpdesk assistant that a government can host itself.
//!
//! | module | what it is for |
//! |---|---|
//! | [`cli`] | the commands |
//! | [`app`] | puts everything together and takes it down again |
//! | [`config`] | every setting |
//! | [`bell`] | wakes those who wait for work |
//! | [`clock`] | the time, told and not asked |
//! | [`knowledge`] | the answers, and the router from a question to one of them |
//! | [`conversation`] | the engine that every channel talks to |
//! | [`news`] | what other processes on the database announce |
//! | [`outbox`] | what must go out, written down before it goes |
//! | [`redact`] | what must never be kept |
//! | [`retention`] | deletes what is older than it may be kept |
//! | [`secret`] | keys and what is sealed with them |
//! | [`storage`] | all SQL |
//! | [`telegram`] | updates in, messages out |
//! | [`web`] | the HTTP interface, the pages, the server |

pub mod app;
pub mod bell;
pub mod cli;
pub mod clock;
pub mod config;
pub mod conversation;
pub mod knowledge;
pub mod news;
pub mod outbox;
pub mod redact;
pub mod retention;
pub mod secret;
pub mod storage;
pub mod telegram;
pub mod web;

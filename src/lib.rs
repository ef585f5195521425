//! Tanya, a helpdesk assistant that a government can host itself.
//!
//! | module | what it is for |
//! |---|---|
//! | [`cli`] | the commands |
//! | [`app`] | puts everything together and takes it down again |
//! | [`config`] | every setting |
//! | [`clock`] | the time, told and not asked |
//! | [`knowledge`] | the answers, and the router from a question to one of them |
//! | [`conversation`] | the engine that every channel talks to |
//! | [`redact`] | what must never be kept |
//! | [`retention`] | deletes what is older than it may be kept |
//! | [`storage`] | all SQL |
//! | [`web`] | the HTTP interface, the pages, the server |

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod conversation;
pub mod knowledge;
pub mod redact;
pub mod retention;
pub mod storage;
pub mod web;

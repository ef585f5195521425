//! Tanya, a helpdesk assistant that a government can host itself.
//!
//! | module | what it is for |
//! |---|---|
//! | [`cli`] | the commands |
//! | [`app`] | puts everything together and takes it down again |
//! | [`config`] | every setting |
//! | [`agent`] | who works in the console |
//! | [`announcement`] | what officers announce to those who asked for it |
//! | [`audit`] | the record of sensitive steps |
//! | [`backup`] | copies of the database, and how one is put to work |
//! | [`bell`] | wakes those who wait for work |
//! | [`calendar`] | when the office is open, and when something is due |
//! | [`clock`] | the time, told and not asked |
//! | [`knowledge`] | the answers, and the router from a question to one of them |
//! | [`conversation`] | the engine that every channel talks to |
//! | [`doctor`] | looks at settings and surroundings |
//! | [`edition`] | what is edited in the console |
//! | [`csv`] | tables that no spreadsheet runs |
//! | [`http_client`] | what asks the addresses that the settings name |
//! | [`identity`] | who somebody is, proved how, until when |
//! | [`incident`] | whether the two systems work, and who says so |
//! | [`key_ring`] | the keys that outlive the secret |
//! | [`mail`] | mails, written and sent |
//! | [`news`] | what other processes on the database announce |
//! | [`outbox`] | what must go out, written down before it goes |
//! | [`picture`] | pictures that people send, made harmless |
//! | [`portal`] | the payroll portal's interface, and a simulator of it |
//! | [`question`] | what was asked and not answered |
//! | [`redact`] | what must never be kept |
//! | [`rekey`] | seals anew after a change of the secret |
//! | [`retention`] | deletes what is older than it may be kept |
//! | [`rights`] | what persons may ask about their data, and what must be kept |
//! | [`secret`] | keys and what is sealed with them |
//! | [`storage`] | all SQL |
//! | [`telegram`] | updates in, messages out |
//! | [`ticket`] | what officers have to do |
//! | [`trace`] | what is told of the program's work to a collector of traces |
//! | [`web`] | the HTTP interface, the pages, the server |
//! | [`worker`] | carries mails and errands |

pub mod agent;
pub mod announcement;
pub mod app;
pub mod audit;
pub mod backup;
pub mod bell;
pub mod calendar;
pub mod cli;
pub mod clock;
pub mod config;
pub mod conversation;
pub mod csv;
pub mod doctor;
pub mod edition;
pub mod http_client;
pub mod identity;
pub mod incident;
pub mod key_ring;
pub mod knowledge;
pub mod mail;
pub mod news;
pub mod outbox;
pub mod picture;
pub mod portal;
pub mod question;
pub mod redact;
pub mod rekey;
pub mod retention;
pub mod rights;
pub mod secret;
pub mod storage;
pub mod telegram;
pub mod ticket;
pub mod trace;
pub mod web;
pub mod worker;

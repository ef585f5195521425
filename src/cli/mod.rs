//! The command line: one file a command that is more than a call. Exit status 0 done, 1 the thing asked for failed or
//! found problems, 2 wrong usage or configuration.

mod agent;
mod ask;
mod audit;
mod backup;
mod chat;
mod check;
mod doctor;
mod eval;
mod hold;
mod migrate;
mod output;
mod purge;
mod rekey;
mod serve;
mod simulator;
mod ticket;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

use crate::app;
use crate::clock::Clock;
use crate::config::{ConfigError, Mode, Settings};
use crate::knowledge::live::LiveKnowledge;
use crate::knowledge::source::Source;
use crate::knowledge::text::Language;
use crate::knowledge::{Knowledge, LoadOptions, Strictness};
use crate::storage::Store;
use output::Output;

/// Tanya, the iSPEKS helpdesk assistant.
#[derive(Debug, Parser)]
#[command(name = "tanya", version, about, max_term_width = 100)]
pub struct Cli {
    /// Settings file; `tanya.toml` is read if it is there.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything on built-in defaults, with a sample page that carries the chat.
    Demo {
        /// Allow an address that other machines can reach.
        #[arg(long)]
        public: bool,
    },
    /// Run the service; refuses to start when something that it needs is missing.
    Serve {
        /// What this process does, in place of TANYA_ROLE.
        #[arg(long, value_parser = ["web", "worker", "all"])]
        role: Option<String>,
    },
    /// Look at every setting and everything that `serve` depends on; says what is wrong and what to do.
    Doctor {
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
        /// Send a test mail to this address.
        #[arg(long, value_name = "ADDRESS")]
        mail_to: Option<String>,
    },
    /// Ask one question and print the answer.
    Ask(AskArgs),
    /// Chat on the terminal, beside a running server or without one.
    Chat {
        /// Language of the first messages.
        #[arg(long, value_parser = ["ms", "en"])]
        lang: Option<String>,
    },
    /// Validate the knowledge; every problem with its place and what to do.
    Check {
        #[command(flatten)]
        knowledge: KnowledgeArgs,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Measure the router on labelled questions.
    Eval(EvalArgs),
    /// Run the simulator of the portal's interface alone.
    Simulator {
        /// Where it listens.
        #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8081")]
        addr: std::net::SocketAddr,
        /// What callers prove themselves with.
        #[arg(long, value_name = "T", default_value = "sample-token")]
        token: String,
    },
    /// Write a copy of the database, beside a running server, and check it.
    Backup(BackupArgs),
    /// Make a database of a backup where none is; what must not live on is ended there.
    Restore(RestoreArgs),
    /// Bring the database's schema up to date, as the server does when it starts.
    Migrate {
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Look after the record of sensitive steps.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Seal anew what TANYA_SECRET_KEY_OLD has sealed; afterwards it is not needed any more.
    Rekey,
    /// Delete what is older than it may be kept, as the server does every hour, and tell what went and what stays.
    Purge {
        /// Tell what would go, and delete nothing.
        #[arg(long)]
        dry_run: bool,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Keep a ticket or a chat although its time is over.
    Hold {
        #[command(subcommand)]
        command: HoldCommand,
    },
    /// Look after who works in the console.
    Agent {
        #[command(subcommand)]
        command: AgentCommand,
    },
    /// See and settle what officers have to do.
    Ticket {
        #[command(subcommand)]
        command: TicketCommand,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Check that no line was changed, moved or taken out; prints the end of the record.
    Verify {
        /// An end of the record that was told before, as in the supervisor's daily mail: shows what was cut off since.
        #[arg(long, value_name = "SEQ:MAC")]
        anchor: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum HoldCommand {
    /// Place a hold; prints its id.
    Add {
        /// The ticket's number, or the chat's id.
        #[arg(value_name = "NUMBER|ID")]
        what: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// The last day that it holds; without it, until it is lifted.
        #[arg(long, value_name = "YYYY-MM-DD")]
        until: Option<String>,
    },
    /// List all holds.
    List,
    /// Lift a hold.
    Lift {
        /// The hold's id.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum AgentCommand {
    /// Add somebody, and print the one-time link by which they choose a password and set up their telephone.
    Add {
        /// What they sign in as.
        username: String,
        /// How they are named to others.
        #[arg(long, default_value = "")]
        name: String,
        /// What they may do.
        #[arg(long, value_parser = ["officer", "it", "editor", "supervisor", "auditor", "admin"], default_value = "officer")]
        role: String,
    },
    /// List everybody.
    List,
    /// Keep somebody out, at once.
    Disable {
        /// What they sign in as.
        username: String,
    },
    /// Invite somebody anew: password and telephone are chosen again. Prints the one-time link.
    Reset {
        /// What they sign in as.
        username: String,
    },
}

#[derive(Debug, Subcommand)]
enum TicketCommand {
    /// List what is open.
    List,
    /// Show what an officer needs, the sealed number included; that you looked is recorded.
    Show {
        /// The ticket's number.
        number: String,
    },
    /// Settle a ticket: the person is told in the same chat, and the sealed number is wiped.
    Resolve {
        /// The ticket's number.
        number: String,
    },
}

#[derive(Debug, Args)]
struct BackupArgs {
    /// The file to write; it must not be there yet.
    file: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RestoreArgs {
    /// The backup.
    #[arg(required_unless_present = "voids_only")]
    file: Option<PathBuf>,
    /// Only end what must not live on, in a database that was put in place by other means.
    #[arg(long, conflicts_with = "file")]
    voids_only: bool,
    /// Send what waited when the backup was made, though it may have been sent since.
    #[arg(long)]
    send_pending: bool,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct KnowledgeArgs {
    /// Knowledge folder, or one file in the format of faq.yaml.
    #[arg(long, value_name = "DIR|FILE")]
    knowledge: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct AskArgs {
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Language of the answer; by default that of the question.
    #[arg(long, value_parser = ["ms", "en"])]
    lang: Option<String>,
    #[command(flatten)]
    knowledge: KnowledgeArgs,
    /// The question.
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
}

#[derive(Debug, Args)]
struct EvalArgs {
    /// Labelled questions, one JSON object a line.
    #[arg(long, value_name = "FILE.jsonl")]
    queries: PathBuf,
    #[command(flatten)]
    knowledge: KnowledgeArgs,
    /// Write what was predicted, one JSON object a line.
    #[arg(long, value_name = "OUT.jsonl")]
    predictions: Option<PathBuf>,
    /// Also print the rates by the values of these keys of the question lines.
    #[arg(long, value_name = "KEY,KEY", value_delimiter = ',')]
    by: Vec<String>,
    /// Exit with 1 where a figure is worse than in this file.
    #[arg(long, value_name = "FILE")]
    floor: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Why a command did not do what was asked.
enum Failure {
    /// What was asked for failed, or problems were found. Exit status 1.
    Failed(anyhow::Error),
    /// As above, and everything has been said already.
    Said,
    /// Wrong usage or configuration. Exit status 2.
    Usage(String),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

type Outcome = Result<(), Failure>;

impl Cli {
    /// Runs the command and tells how it went by the exit status.
    pub fn run(self) -> ExitCode {
        let mut out = Output::new();
        match self.command(&mut out) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure::Said) => ExitCode::from(1),
            Err(Failure::Failed(error)) => {
                out.complain(&format!("tanya: {error:#}"));
                ExitCode::from(1)
            }
            Err(Failure::Usage(message)) => {
                out.complain(&format!("tanya: {message}"));
                ExitCode::from(2)
            }
        }
    }

    fn command(self, out: &mut Output) -> Outcome {
        let config = self.config.as_deref();
        match self.command {
            Command::Demo { public } => serve::demo(config, public, out),
            Command::Serve { role } => serve::serve(config, role.as_deref(), out),
            Command::Doctor { json, mail_to } => doctor::run(config, json, mail_to.as_deref(), out),
            Command::Ask(args) => ask::run(&settings(config, out)?, &args, out),
            Command::Chat { lang } => {
                let language = language(lang.as_deref()).unwrap_or_default();
                chat::run(&settings(config, out)?, language, out)
            }
            Command::Check { knowledge, json } => {
                check::run(&settings(config, out)?, &knowledge, json, out)
            }
            Command::Eval(args) => eval::run(&settings(config, out)?, &args, out),
            Command::Simulator { addr, token } => {
                simulator::run(&settings(config, out)?, addr, &token, out)
            }
            Command::Backup(args) => backup::write(&settings(config, out)?, &args, out),
            Command::Restore(args) => backup::restore(&settings(config, out)?, &args, out),
            Command::Migrate { json } => migrate::run(&settings(config, out)?, json, out),
            Command::Audit {
                command: AuditCommand::Verify { anchor },
            } => audit::verify(&settings(config, out)?, anchor.as_deref(), out),
            Command::Rekey => rekey::run(&settings(config, out)?, out),
            Command::Purge { dry_run, json } => {
                purge::run(&settings(config, out)?, dry_run, json, out)
            }
            Command::Hold { command } => hold::run(&settings(config, out)?, &command, out),
            Command::Agent { command } => agent::run(&settings(config, out)?, &command, out),
            Command::Ticket { command } => ticket::run(&settings(config, out)?, &command, out),
        }
    }
}

/// The settings of a one-shot command: demo's defaults, since it needs nothing but the knowledge.
fn settings(config: Option<&std::path::Path>, out: &mut Output) -> Result<Settings, Failure> {
    read_settings(config, Mode::Demo, out)
}

fn read_settings(
    config: Option<&std::path::Path>,
    mode: Mode,
    out: &mut Output,
) -> Result<Settings, Failure> {
    let settings = Settings::read(config, mode)
        .map_err(|ConfigError(problems)| Failure::Usage(problems.join("\n       ")))?;
    for warning in &settings.warnings {
        out.complain(&format!("tanya: warning: {warning}"));
    }
    Ok(settings)
}

impl KnowledgeArgs {
    fn source(&self, settings: &Settings) -> Result<Source, Failure> {
        match &self.knowledge {
            Some(path) if !path.exists() => {
                Err(Failure::Usage(format!("{} is not there", path.display())))
            }
            Some(path) => Ok(Source::at(path)),
            None => Ok(Source::folder_or_embedded(&settings.knowledge_dir)),
        }
    }

    fn load(
        &self,
        settings: &Settings,
        strictness: Strictness,
        out: &mut Output,
    ) -> Result<Knowledge, Failure> {
        let source = self.source(settings)?;
        let options = LoadOptions {
            strictness,
            ..load_options(settings)
        };
        match Knowledge::load(&source, &options) {
            Ok(loaded) => Ok(loaded.knowledge),
            Err(problems) => {
                for problem in &problems {
                    out.complain(&problem.to_string());
                }
                Err(Failure::Said)
            }
        }
    }
}

fn load_options(settings: &Settings) -> LoadOptions {
    LoadOptions {
        contacts: settings.contacts.clone(),
        today: Clock::shifted(settings.clock_offset_ms).today(),
        review_days: settings.review_days,
        strictness: Strictness::Full,
        sample_hours: false,
        editions: Vec::new(),
    }
}

/// The engine beside a server that runs on the same database, or without one.
struct Beside {
    store: Arc<Store>,
    clock: Clock,
    core: app::Core,
}

impl Beside {
    /// Does something with it and closes the database.
    fn run(
        settings: &Settings,
        out: &mut Output,
        act: impl AsyncFnOnce(&Self, &mut Output) -> Outcome,
    ) -> Outcome {
        let clock = Clock::shifted(settings.clock_offset_ms);
        let source = Source::folder_or_embedded(&settings.knowledge_dir);
        let loaded = LiveKnowledge::start(source, load_options(settings), clock.clone());
        let (knowledge, _) = loaded.map_err(|problems| {
            for problem in &problems {
                out.complain(&problem.to_string());
            }
            Failure::Said
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let store = Arc::new(Store::open_beside(&settings.database_url).await?);
            let parts = app::Parts {
                store: Arc::clone(&store),
                knowledge,
                clock: clock.clone(),
                public_url: String::new(),
                portal: None,
            };
            let core = app::core(settings, parts).await?;
            let beside = Self { store, clock, core };
            let done = act(&beside, out).await;
            beside.store.close().await;
            done
        })
    }
}

fn language(tag: Option<&str>) -> Option<Language> {
    tag.and_then(Language::parse)
}

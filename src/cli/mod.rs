//! The command line: one file a command. Reads arguments, calls a face, writes the answer through [`out`].

mod access;
mod admin;
mod agent;
mod analyze;
mod backups;
mod bench;
mod completions;
mod config;
mod file;
mod follow;
mod gateway;
mod interrupt;
mod key;
mod learned;
mod local;
mod memory;
mod namespaces;
pub mod out;
mod queue;
mod run;
mod runs;
mod serve;
mod table;
mod transfer;
mod travel;
mod upkeep;
mod weights;
mod workflow;
mod workspace;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::runtime::{Config, config as settings, telemetry};

/// The control plane for a team's AI agents.
#[derive(Debug, Parser)]
#[command(name = "weft", version, about, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Write JSON instead of text for people.
    #[arg(long, global = true)]
    pub json: bool,
    /// Listen address [default: 127.0.0.1:3000]
    #[arg(long, global = true, value_name = "ADDR")]
    addr: Option<String>,
    /// The origin that browsers use, such as https://weft.example.com
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
    /// sqlite:PATH or postgres://…
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Folder for keys, working directories and the SQLite database [default: weft-data]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
}

impl Global {
    /// The settings: these flags over the environment over the file over the defaults.
    fn settings(&self) -> Result<Config, Failure> {
        let flags = [
            ("addr", &self.addr),
            ("public_url", &self.public_url),
            ("database_url", &self.database_url),
            ("data_dir", &self.data_dir),
        ];
        let flags: BTreeMap<&'static str, String> =
            flags.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
        Config::load(&flags, &settings::environment).map_err(|e| Failure::usage(e.to_string()))
    }

    /// The settings of a server, which logs as they say from now on.
    fn server(&self) -> Result<Config, Failure> {
        let config = self.settings()?;
        telemetry::init(&config).map_err(Failure::usage)?;
        Ok(config)
    }

    /// The settings of a command that ends by itself: unless somebody asked for more, it logs warnings only, because
    /// its own words tell the rest.
    ///
    /// # Errors
    /// Code 2 for settings that don't fit, and when a server is named: commands can't ask one yet, and doing it to the
    /// local database instead would be something else than what was meant.
    fn command(&self) -> Result<Config, Failure> {
        if let Some(name) = ["WEFT_URL", "WEFT_API_KEY"].into_iter().find(|name| settings::environment(name).is_some())
        {
            return Err(Failure::usage(format!(
                "{name} is set, but commands can't ask a server yet; unset it to work on the database of the settings"
            )));
        }
        let mut config = self.settings()?;
        if !config.is_given("log") {
            "warn".clone_into(&mut config.log);
        }
        telemetry::init(&config).map_err(Failure::usage)?;
        Ok(config)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server.
    Serve(serve::Arguments),
    /// Run a workflow to its end, or look at and command runs.
    Run(run::Arguments),
    /// Check, store, print and publish workflow definitions.
    Workflow(workflow::Arguments),
    /// List agents, look at one, and give one a task.
    Agent(agent::Arguments),
    /// Analyse a directory of source code.
    Analyze(analyze::Arguments),
    /// Write, read and search memory.
    Memory(memory::Arguments),
    /// Look at and change the flags behind which models of routes stand.
    Gateway(gateway::Arguments),
    /// Manage people when no owner can sign in, and look at roles.
    Admin(admin::Arguments),
    /// Show the master keys, put a new one in the place of the old, and give that up.
    Key(key::Arguments),
    /// Print the settings and where each came from.
    Config,
    /// Measure this machine, with real flushes.
    Bench(bench::Arguments),
    /// Print a script that completes this command line in a shell.
    Completions(completions::Arguments),
}

/// Why a command ended badly: what to say, and the exit code of `contract.md` section 2.
#[derive(Debug)]
pub struct Failure {
    /// 1 failed, 2 usage, 3 not allowed, 4 not found, 5 conflict, 7 unavailable.
    pub code: u8,
    /// The sentence for a person.
    pub message: String,
}

impl Failure {
    /// The work was done and did not succeed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    /// The call doesn't fit.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }
}

impl From<crate::model::ApiError> for Failure {
    fn from(error: crate::model::ApiError) -> Self {
        let code = match error.status() {
            401 | 403 => 3,
            404 => 4,
            409 => 5,
            413 | 422 => 2,
            429 | 503 => 7,
            _ => 1,
        };
        let mut message = error.to_string();
        if let crate::model::ApiError::Invalid { fields, .. } = &error {
            for field in fields.iter().filter(|field| !error.to_string().contains(&field.message)) {
                let _ = write!(message, "\n  {}: {}", field.pointer, field.message);
            }
        }
        Self { code, message }
    }
}

impl From<crate::db::Error> for Failure {
    fn from(error: crate::db::Error) -> Self {
        Self { code: if error.is_transient() { 7 } else { 1 }, message: error.to_string() }
    }
}

/// Reads the command line and runs one command.
pub async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let done = match cli.command {
        Command::Serve(arguments) => serve::run(&cli.global, arguments).await,
        Command::Agent(arguments) => agent::run(&cli.global, arguments).await,
        Command::Analyze(arguments) => analyze::run(&cli.global, arguments).await,
        Command::Memory(arguments) => memory::run(&cli.global, arguments).await,
        Command::Run(arguments) => run::run(&cli.global, arguments).await,
        Command::Workflow(arguments) => workflow::run(&cli.global, arguments).await,
        Command::Gateway(arguments) => gateway::run(&cli.global, arguments).await,
        Command::Admin(arguments) => admin::run(&cli.global, arguments).await,
        Command::Key(arguments) => key::run(&cli.global, arguments).await,
        Command::Config => config::run(&cli.global),
        Command::Bench(arguments) => bench::run(&cli.global, arguments).await,
        Command::Completions(arguments) => {
            completions::run(&cli.global, arguments);
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out::error(&failure.message);
            ExitCode::from(failure.code)
        }
    }
}

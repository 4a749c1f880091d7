//! `shell`: runs a command or a script in the sandbox.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::json;
use tokio::sync::{mpsc, watch};

use super::{Outcome, StepCall, folder};
use crate::model::agent::Processes;
use crate::model::workflow::StepError;
use crate::runtime::sandbox::{self, Exit, Job, Limit, Limits, Network};
use crate::workflow::engine::Stream;

#[derive(Debug, Deserialize)]
struct ShellConfig {
    #[serde(default)]
    argv: Vec<String>,
    #[serde(default)]
    script: Option<String>,
    #[serde(default)]
    interpreter: Option<String>,
    #[serde(default)]
    stdin: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    cwd: Option<String>,
    #[serde(default)]
    network: bool,
    #[serde(default)]
    limits: ShellLimits,
    #[serde(default)]
    ok_codes: Vec<i32>,
}

#[derive(Debug, Default, Deserialize)]
struct ShellLimits {
    cpu_ms: Option<u64>,
    memory_mb: Option<u64>,
    processes: Option<u32>,
    file_mb: Option<u64>,
    time_ms: Option<u64>,
}

/// The longest that a command may run where neither the step nor its limits say, in ms: the kind's own time limit.
const TIME_MS: u64 = 604_800_000;

/// Runs one command to its end, its output going to the log as it comes.
pub async fn run(call: StepCall) -> Result<Outcome, StepError> {
    let config: ShellConfig = call.config()?;
    let workspace = Workspace::open(&call, &config)?;
    run_at(&call, &config, workspace.path.clone(), &mut Processes::default(), None).await
}

/// The same in a folder that the caller answers for, whatever the config names; `took` gets what its processes took, however it
/// ends, and `seen` is told while they run.
pub(super) async fn run_in(
    call: StepCall,
    path: PathBuf,
    took: &mut Processes,
    seen: watch::Sender<sandbox::Use>,
) -> Result<Outcome, StepError> {
    let config: ShellConfig = call.config()?;
    run_at(&call, &config, path, took, Some(seen)).await
}

async fn run_at(
    call: &StepCall,
    config: &ShellConfig,
    path: PathBuf,
    took: &mut Processes,
    seen: Option<watch::Sender<sandbox::Use>>,
) -> Result<Outcome, StepError> {
    let mut job = build(config, call, path);
    job.seen = seen;
    let (sender, mut chunks) = mpsc::unbounded_channel();
    // Bounded by the job's own `output_bytes`: what comes after is dropped by the sandbox.
    let print = move |stream, bytes: Vec<u8>| {
        let _ = sender.send((stream, bytes));
    };
    let drain = async {
        while let Some((stream, bytes)) = chunks.recv().await {
            let stream = match stream {
                sandbox::Stream::Stdout => Stream::Stdout,
                sandbox::Stream::Stderr => Stream::Stderr,
            };
            call.log.write(stream, &String::from_utf8_lossy(&bytes)).await;
        }
    };
    let (outcome, ()) = tokio::join!(sandbox::run(job, print, call.cancel.clone()), drain);
    let outcome = outcome.map_err(|error| failure(&error))?;
    *took = Processes {
        cpu_ms: i64::try_from(outcome.cpu_ms).unwrap_or(i64::MAX),
        memory_mb: i64::try_from(outcome.peak_memory_mb).unwrap_or(i64::MAX),
    };
    judge(config, &outcome)
}

fn judge(config: &ShellConfig, outcome: &sandbox::Outcome) -> Result<Outcome, StepError> {
    if let Some(limit) = outcome.exceeded {
        let (name, class) = match limit {
            Limit::Cpu => ("cpu_ms", "limit"),
            Limit::Memory => ("memory_mb", "limit"),
            Limit::Processes => ("processes", "limit"),
            Limit::File => ("file_mb", "limit"),
        };
        return Err(StepError::permanent(
            class,
            format!("the command was stopped at its limit {name}{}", tail(outcome)),
        ));
    }
    match outcome.exit {
        Exit::Code(code) if code == 0 && config.ok_codes.is_empty() || config.ok_codes.contains(&code) => {
            Ok(Outcome::out(json!({
                "exit_code": code,
                "stdout": text(&outcome.stdout),
                "stderr": text(&outcome.stderr),
                "took_ms": outcome.took_ms,
                "truncated": outcome.truncated || outcome.stdout.omitted() + outcome.stderr.omitted() > 0,
            })))
        }
        Exit::Code(code) => {
            let message = format!("the command ended with code {code}{}", tail(outcome));
            Err(StepError::transient("exit_code", message).with_code(code))
        }
        Exit::Signal(signal) => {
            Err(StepError::transient("signal", format!("signal {signal} ended the command{}", tail(outcome))))
        }
        Exit::TimedOut => Err(StepError::transient("timeout", format!("the command took too long{}", tail(outcome)))),
        Exit::Cancelled => Err(StepError::transient("cancelled", "the command was cancelled")),
    }
}

fn text(captured: &sandbox::Captured) -> String {
    captured.text().replace('\0', "\u{fffd}")
}

/// The last lines of what was printed, for the sentence that people read first.
fn tail(outcome: &sandbox::Outcome) -> String {
    let printed = if outcome.stderr.bytes().is_empty() { text(&outcome.stdout) } else { text(&outcome.stderr) };
    let lines: Vec<&str> = printed.lines().rev().filter(|line| !line.trim().is_empty()).take(3).collect();
    if lines.is_empty() {
        return String::new();
    }
    let joined = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
    format!(": {}", joined.chars().take(400).collect::<String>())
}

fn build(config: &ShellConfig, call: &StepCall, cwd: PathBuf) -> Job {
    let argv = match &config.script {
        Some(script) if !script.is_empty() => {
            let interpreter = config.interpreter.as_deref().filter(|i| !i.is_empty()).unwrap_or("/bin/sh");
            let flag = if interpreter.contains("node") { "-e" } else { "-c" };
            vec![interpreter.to_owned(), flag.to_owned(), script.clone()]
        }
        _ => config.argv.clone(),
    };
    let mut job = Job::new(argv, cwd);
    job.stdin = config.stdin.as_ref().map(|text| text.clone().into_bytes());
    job.env.clone_from(&config.env);
    job.env.insert("WEFT_IDEMPOTENCY_KEY".to_owned(), call.effect_key.clone());
    job.network = if config.network { Network::Granted } else { Network::None };
    let (given, default) = (&config.limits, Limits::default());
    job.limits = Limits {
        cpu_ms: given.cpu_ms.unwrap_or(TIME_MS),
        memory_mb: given.memory_mb.unwrap_or(default.memory_mb),
        processes: given.processes.unwrap_or(default.processes),
        file_mb: given.file_mb.unwrap_or(default.file_mb),
        time_ms: given.time_ms.unwrap_or(TIME_MS),
        output_bytes: default.output_bytes,
    };
    job
}

/// Where the command works: a folder that the step names, or one of its own that goes when the attempt ends.
#[derive(Debug)]
struct Workspace {
    path: PathBuf,
    is_own: bool,
}

impl Workspace {
    fn open(call: &StepCall, config: &ShellConfig) -> Result<Self, StepError> {
        if let Some(cwd) = config.cwd.as_ref().filter(|cwd| !cwd.is_empty()) {
            return Ok(Self { path: folder::open(&call.ctx.config, "cwd", cwd)?, is_own: false });
        }
        let path =
            call.ctx.config.data_dir.join("work").join(format!("{}-{}-{}", call.run_id, call.step, call.attempt));
        // A repeat of this attempt after a crash begins afresh.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path)
            .map_err(|error| StepError::transient("folder", format!("no working directory could be made: {error}")))?;
        let path = path.canonicalize().unwrap_or(path);
        Ok(Self { path, is_own: true })
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if self.is_own {
            // What is left is removed when the attempt is repeated, and by hand otherwise; it can't fail the step.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

fn failure(error: &sandbox::Error) -> StepError {
    use sandbox::Error as E;
    match error {
        E::Invalid { .. } => StepError::permanent("config", error.to_string()),
        E::Unsupported(_) => StepError::permanent("sandbox", error.to_string()),
        E::Start { .. } => StepError::permanent("start", error.to_string()),
        E::Setup(_) | E::Io(_) => StepError::transient("sandbox", error.to_string()),
    }
}

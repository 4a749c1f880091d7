//! Where an agent works: a folder of the server, one of its own, or its own copy of a repository; and the commands that are
//! run there, in the sandbox.

use std::path::{Path, PathBuf};

use super::repository;
use super::work::Work;
use crate::model::RunId;
use crate::runtime::Runtime;
use crate::runtime::sandbox::{self, Exit, Job, Limits};
use crate::workflow::steps::{StepCall, folder};
use crate::workflow::store;

/// What the folders of agents are called.
const PREFIX: &str = "agent-";
/// Characters of what a command complains about.
const MAX_COMPLAINT: usize = 600;
/// How long the folder of a run that failed stays, in milliseconds: 7 days, in which somebody may try its steps again.
const KEEP_FAILED_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// Between two looks for folders that nobody needs any more, in milliseconds.
const ROUND_MS: i64 = 60 * 60 * 1000;

/// Where an agent works.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder itself, by its real path.
    pub path: PathBuf,
    /// It was made just now, and what the agent had made of it before is gone.
    pub is_anew: bool,
}

/// What a command gave.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its exit code.
    pub code: i32,
    /// What it printed, the middle left out beyond 1 MiB.
    pub stdout: String,
    /// Bytes that were left out.
    pub omitted: u64,
    /// The end of what it complained about.
    pub complaint: String,
}

/// The folder of the work; its own is made where it is not there.
///
/// # Errors
/// In words for the model.
pub async fn open(step: &StepCall, work: &Work) -> Result<Place, String> {
    let named = work.spec.folder.trim();
    if !named.is_empty() {
        let path = folder::open(&step.ctx.config, "folder", named).map_err(|error| error.message)?;
        return Ok(Place { path, is_anew: false });
    }
    let own = own_folder(step);
    let path = if has_repository(work) { own.join(repository::TREE) } else { own.clone() };
    let is_there = path.is_dir();
    if !is_there {
        make(step, &own).await?;
        if has_repository(work) {
            repository::copy(step, work, &real(own)).await?;
        }
    }
    Ok(Place { path: real(path), is_anew: !is_there && work.has_worked })
}

/// Whether the work has a copy of a repository.
pub fn has_repository(work: &Work) -> bool {
    !work.spec.repository.trim().is_empty()
}

/// The folder that the work has to itself, whatever the attempt.
pub fn own_folder(step: &StepCall) -> PathBuf {
    let name = format!("{PREFIX}{}-{}", step.run_id, &digest(step)[..12]);
    step.ctx.config.data_dir.join("work").join(name)
}

/// A name for a folder that nobody has and that goes with the others of the run, should it be left behind.
pub fn fresh_folder(step: &StepCall) -> PathBuf {
    let fresh = step.ctx.ids.fresh::<uuid::Uuid>().simple().to_string();
    // The end of it is chance; its beginning is the time.
    step.ctx.config.data_dir.join("work").join(format!("{PREFIX}{}-{}", step.run_id, &fresh[20..]))
}

/// Tells one step of one run from all others, in 64 hexadecimal digits.
pub fn digest(step: &StepCall) -> String {
    blake3::hash(format!("{}/{}", step.run_id, step.step).as_bytes()).to_hex().to_string()
}

/// The real path of a folder.
pub fn real(path: PathBuf) -> PathBuf {
    path.canonicalize().unwrap_or(path)
}

async fn make(step: &StepCall, own: &Path) -> Result<(), String> {
    let made = own.to_owned();
    let made = step.ctx.tasks.blocking(move || std::fs::create_dir_all(&made)).await;
    match made {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("The working directory could not be made: {error}")),
        Err(_) => Err("The working directory could not be made.".to_owned()),
    }
}

/// Runs a script of ours with /bin/sh in the sandbox, without network. `readable` are folders that it may read besides its own.
///
/// # Errors
/// In words for the model: it did not end by itself.
pub async fn run(
    step: &StepCall,
    path: &Path,
    script: &str,
    arguments: &[&str],
    stdin: Option<Vec<u8>>,
    readable: &[PathBuf],
) -> Result<Said, String> {
    let argv = ["/bin/sh", "-c", script, "sh"].into_iter().chain(arguments.iter().copied());
    let mut job = Job::new(argv, path);
    job.stdin = stdin;
    job.readable = readable.to_vec();
    job.limits = Limits { cpu_ms: 300_000, memory_mb: 2048, file_mb: 2048, time_ms: 300_000, ..Limits::default() };
    let done = sandbox::run(job, |_, _| {}, step.cancel.clone()).await.map_err(|error| error.to_string())?;
    let stderr = done.stderr.text();
    let lines: Vec<&str> = stderr.lines().rev().filter(|line| !line.trim().is_empty()).take(6).collect();
    let complaint: String =
        lines.into_iter().rev().collect::<Vec<_>>().join("\n").chars().take(MAX_COMPLAINT).collect();
    match done.exit {
        Exit::Code(code) => Ok(Said {
            code,
            omitted: done.stdout.omitted(),
            stdout: done.stdout.text().replace('\0', "\u{fffd}"),
            complaint,
        }),
        Exit::Cancelled => Err("This was cut off.".to_owned()),
        Exit::TimedOut => Err("This took longer than five minutes.".to_owned()),
        Exit::Signal(signal) => Err(format!("This was ended by signal {signal}. {complaint}")),
    }
}

/// Removes what the work had to itself.
pub async fn clean_up(step: &StepCall) {
    let own = own_folder(step);
    // There may be none; what can't be removed harms nobody but the disk.
    let _ = step.ctx.tasks.blocking(move || std::fs::remove_dir_all(own)).await;
}

/// Removes the folders that nobody needs any more, now and every hour.
pub async fn watch(runtime: Runtime) {
    let stopping = runtime.tasks.stopping().clone();
    loop {
        match sweep(&runtime).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "folders of agents whose runs are over were removed"),
            Err(error) => tracing::warn!(%error, "folders of agents can't be removed; it is tried again in an hour"),
        }
        tokio::select! {
            () = runtime.clock.sleep_ms(ROUND_MS) => {}
            () = stopping.cancelled() => return,
        }
    }
}

/// Removes the folders on this machine whose runs are over: at once where they succeeded or were cancelled, after 7 days
/// where they failed. Returns how many went.
///
/// # Errors
/// The database's.
async fn sweep(runtime: &Runtime) -> crate::db::Result<u64> {
    let work = runtime.config.data_dir.join("work");
    let found = runtime.tasks.blocking(move || folders(&work)).await.unwrap_or_default();
    let failed_before = runtime.clock.now().plus_ms(-KEEP_FAILED_MS);
    let mut removed = 0;
    for (run, path) in found {
        if store::run::is_needed(&runtime.db, run, failed_before).await? {
            continue;
        }
        let gone = runtime.tasks.blocking(move || std::fs::remove_dir_all(&path).is_ok()).await;
        removed += u64::from(gone.unwrap_or_default());
    }
    Ok(removed)
}

/// The folders of agents, with their runs.
fn folders(work: &Path) -> Vec<(RunId, PathBuf)> {
    let entries = std::fs::read_dir(work).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((run_of(entry.file_name().to_str()?)?, entry.path()))).collect()
}

/// The run that a folder is of.
fn run_of(name: &str) -> Option<RunId> {
    let (run, digest) = name.strip_prefix(PREFIX)?.rsplit_once('-')?;
    if digest.len() == 12 { run.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_says_whose_it_is() {
        let run = RunId(uuid::Uuid::from_u128(7));
        assert_eq!(run_of(&format!("agent-{run}-0123456789ab")), Some(run));
        for other in ["agent-0123456789abcdef0123456789abcdef", "agent-", "work", &format!("{run}-work-1")] {
            assert_eq!(run_of(other), None, "{other}");
        }
    }
}

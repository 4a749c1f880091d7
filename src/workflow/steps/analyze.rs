//! `analyze`: measures the code of a directory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, StepCall, folder};
use crate::analysis::{self, Options, Progress};
use crate::model::workflow::StepError;
use crate::workflow::engine::Stream;

#[derive(Debug, Deserialize)]
struct AnalyzeConfig {
    path: String,
    #[serde(default)]
    include: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
}

/// How many lines of progress a big tree gets in the log.
const PROGRESS_LINES: u32 = 10;

/// Analyses on the blocking pool; the log says how far it is.
pub async fn run(call: StepCall) -> Result<Outcome, StepError> {
    let config: AnalyzeConfig = call.config()?;
    let root = folder::open(&call.ctx.config, "path", &config.path)?;
    let options = Options { include: config.include, exclude: config.exclude, ..Options::default() };
    let cancelled = Arc::new(AtomicBool::new(false));
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let stop = Arc::clone(&cancelled);
    let told = call.progress.clone();
    let work = call.ctx.tasks.blocking(move || {
        let progress = |at: Progress| {
            if let Progress::Analyzing { done, total } = at {
                told.tell(&format!("{done} of {total} files"), Some(f64::from(done) / f64::from(total.max(1))));
            }
            if let Some(line) = describe(at) {
                let _ = sender.send(line);
            }
        };
        analysis::analyze(&root, &options, &progress, &stop)
    });
    let drain = async {
        while let Some(line) = lines.recv().await {
            call.log.write(Stream::Log, &line).await;
        }
    };
    let watch = async {
        call.cancel.cancelled().await;
        cancelled.store(true, Ordering::Relaxed);
        std::future::pending::<()>().await;
    };
    let done = tokio::select! {
        (done, ()) = async { tokio::join!(work, drain) } => done,
        () = watch => return Err(StepError::transient("cancelled", "the analysis was cancelled")),
    };
    let report = done
        .map_err(|_| StepError::permanent("panic", "the analysis failed inside Weft; the log has it"))?
        .map_err(|error| failure(&error))?;
    let mut output = serde_json::to_value(&report).unwrap_or(Value::Null);
    output["summary"] = json!(analysis::summary(&report));
    Ok(Outcome::out(output))
}

/// A line for the log, at most [`PROGRESS_LINES`] for the files.
fn describe(at: Progress) -> Option<String> {
    match at {
        Progress::Analyzing { done, total }
            if done == total || done.is_multiple_of((total / PROGRESS_LINES).max(1)) =>
        {
            Some(format!("{done} of {total} files read\n"))
        }
        Progress::Comparing => Some("Comparing for duplicates\n".to_owned()),
        Progress::Listing { .. } | Progress::Analyzing { .. } => None,
    }
}

fn failure(error: &analysis::Error) -> StepError {
    use analysis::Error as E;
    match error {
        E::NotFound(_) | E::NotADirectory(_) => StepError::permanent("not_found", error.to_string()),
        E::Unreadable { .. } => StepError::permanent("refused", error.to_string()),
        E::Glob { .. } => StepError::permanent("config", error.to_string()),
        E::Cancelled => StepError::transient("cancelled", error.to_string()),
    }
}

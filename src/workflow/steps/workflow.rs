//! `workflow`: runs another workflow, and waits for its end unless told not to.
//!
//! The sub-run is started under this attempt's key, so that a repeat after a crash finds the one that was started before.
//! While it runs this step is a row: the sub-run's end is a signal, stored with it in one transaction.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, StepCall};
use crate::model::WorkflowId;
use crate::model::workflow::{Await, StepError, TriggerKind};
use crate::workflow::Error;
use crate::workflow::definitions;
use crate::workflow::hand;
use crate::workflow::runs::{NewRun, Origin, Source};
use crate::workflow::store::Parent;

/// Runs inside of runs, at most.
pub const MAX_DEPTH: u32 = 50;

#[derive(Debug, Deserialize)]
struct Config {
    workflow: String,
    #[serde(default)]
    inputs: Value,
    #[serde(default)]
    detached: bool,
}

/// The key under which an attempt starts its sub-run, after so many entries of its journal.
pub fn sub_run_key(attempt: &str, entries: usize) -> String {
    let hash = match entries {
        // As it was before there were journals.
        0 => blake3::hash(attempt.as_bytes()),
        entries => blake3::hash(format!("{attempt}#{entries}").as_bytes()),
    };
    format!("step:{}", hash.to_hex())
}

pub(super) async fn run(call: StepCall) -> Result<Outcome, StepError> {
    let config: Config = call.config()?;
    begin_named(&call, &config.workflow, config.inputs, config.detached).await
}

/// Begins a run of the workflow with this name or id.
pub(super) async fn begin_named(
    call: &StepCall,
    name: &str,
    inputs: Value,
    detached: bool,
) -> Result<Outcome, StepError> {
    let name = name.trim();
    let workflow = match name.parse::<WorkflowId>() {
        Ok(id) => definitions::get(&call.ctx, id).await,
        Err(_) => definitions::get_by_name(&call.ctx, name).await,
    };
    let workflow = workflow.map_err(|error| match error {
        Error::NotFound(_) => StepError::permanent("not_found", format!("there is no workflow {name:?}")),
        error => refused(&error),
    })?;
    begin(call, Source::Version(workflow.id, None), inputs, &workflow.name, detached).await
}

/// Begins a run under this attempt's key, and says that the step waits for it.
pub(super) async fn begin(
    call: &StepCall,
    source: Source,
    inputs: Value,
    name: &str,
    detached: bool,
) -> Result<Outcome, StepError> {
    if call.depth >= MAX_DEPTH {
        let message = format!("workflows may start each other at most {MAX_DEPTH} deep");
        return Err(StepError::permanent("too_deep", message));
    }
    let parent = Parent { run: call.run_id, step: call.step.clone(), attempt: call.attempt, waits: !detached };
    let new = NewRun {
        idempotency_key: Some(sub_run_key(&call.key, call.journal.len())),
        origin: Some(Origin { parent, depth: call.depth + 1, started_by: call.started_by.clone() }),
        ..NewRun::new(source, inputs, TriggerKind::Workflow)
    };
    let run = crate::workflow::start(&call.ctx, new).await.map_err(|error| refused(&error))?;
    if detached {
        return Ok(Outcome::out(json!({ "run_id": run })));
    }
    // What it gives shapes what comes after it here.
    hand::note_publisher(&call.ctx, run).await.map_err(|error| refused(&error))?;
    let reason = format!("waits for the run of {name}");
    Ok(Outcome::Waiting { reason, until: None, on: Some(Await::Run { run }) })
}

/// Why the sub-run could not be started.
fn refused(error: &Error) -> StepError {
    let message = error.to_string();
    // A queue that is full now has room later: a retry is of use.
    if matches!(error, Error::Busy | Error::QueueFull { .. } | Error::Stopping | Error::Elsewhere | Error::Db(_)) {
        StepError::transient("unavailable", message)
    } else {
        StepError::permanent("refused", message)
    }
}

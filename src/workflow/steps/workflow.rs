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
use crate::workflow::runs::{self, NewRun, Origin, Source};
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

/// The key under which an attempt starts its sub-run.
pub fn sub_run_key(attempt: &str) -> String {
    format!("step:{}", blake3::hash(attempt.as_bytes()).to_hex())
}

pub(super) async fn run(call: StepCall) -> Result<Outcome, StepError> {
    let config: Config = call.config()?;
    if call.depth >= MAX_DEPTH {
        let message = format!("workflows may start each other at most {MAX_DEPTH} deep");
        return Err(StepError::permanent("too_deep", message));
    }
    let name = config.workflow.trim();
    let workflow = match name.parse::<WorkflowId>() {
        Ok(id) => definitions::get(&call.ctx, id).await,
        Err(_) => definitions::get_by_name(&call.ctx, name).await,
    };
    let workflow = workflow.map_err(|error| match error {
        Error::NotFound(_) => StepError::permanent("not_found", format!("there is no workflow {name:?}")),
        error => refused(&error),
    })?;
    let parent = Parent { run: call.run_id, step: call.step.clone(), attempt: call.attempt, waits: !config.detached };
    let new = NewRun {
        idempotency_key: Some(sub_run_key(&call.key)),
        trigger: TriggerKind::Workflow,
        origin: Some(Origin { parent, depth: call.depth + 1, started_by: call.started_by.clone() }),
        ..NewRun::manual(workflow.id, config.inputs, None, false)
    };
    debug_assert!(matches!(new.source, Source::Version(..)), "a sub-run is of a published version");
    let run = runs::start(&call.ctx, new).await.map_err(|error| refused(&error))?;
    if config.detached {
        return Ok(Outcome::out(json!({ "run_id": run })));
    }
    let reason = format!("waits for the run of {}", workflow.name);
    Ok(Outcome::Waiting { reason, until: None, on: Some(Await::Run { run }) })
}

/// Why the sub-run could not be started.
fn refused(error: &Error) -> StepError {
    let message = error.to_string();
    if matches!(error, Error::Busy | Error::Stopping | Error::Elsewhere | Error::Db(_)) {
        StepError::transient("unavailable", message)
    } else {
        StepError::permanent("refused", message)
    }
}

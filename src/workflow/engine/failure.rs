//! Starts the workflow that a failed run's own workflow names for that.
//!
//! The failure is a row, written with the end of the run. One task looks at the rows: its own process rings when there is a
//! new one, and it looks by itself where other processes share the database. The run is started under a key of the
//! failure, so that it begins once whoever starts it, and however often.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::{Engine, RETRY_MS};
use crate::db;
use crate::model::live::Topic;
use crate::model::workflow::{Definition, TriggerKind};
use crate::model::{ApiError, WorkflowId};
use crate::runtime::{Ctx, Runtime};
use crate::workflow::steps::MAX_DEPTH;
use crate::workflow::store::failure::{self, Open};
use crate::workflow::store::{Parent, run};
use crate::workflow::{Error, NewRun, Origin, Source, definitions, get_run, start};

/// Failures that are looked at in one go.
const BATCH: u32 = 100;

/// Rings when a run has failed that names a workflow.
#[derive(Debug, Default)]
pub(super) struct Bell(Notify);

impl Bell {
    /// There is a new row.
    pub(super) fn look(&self) {
        self.0.notify_one();
    }
}

/// Looks at failures until the process stops.
pub(super) async fn watch(runtime: Runtime, engine: Arc<Engine>) {
    let stopping = runtime.tasks.stopping().clone();
    let mut rounds = engine.node.rounds(&runtime.db);
    loop {
        let is_settled = look(&runtime).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "failed runs can't be looked at; it is tried again");
            false
        });
        let again = async {
            if is_settled { rounds.next(&runtime.clock).await } else { runtime.clock.sleep_ms(RETRY_MS).await }
        };
        tokio::select! {
            () = engine.failures.0.notified() => {}
            () = again => {}
            () = stopping.cancelled() => return,
        }
    }
}

/// Starts what is to be started. False when something has to be tried again.
async fn look(runtime: &Runtime) -> db::Result<bool> {
    loop {
        let open = failure::list_open(&runtime.db, BATCH).await?;
        let count = open.len();
        let mut settled = true;
        for open in open {
            let outcome = match begin(runtime, &open).await {
                Ok(run) => Ok(run),
                Err(error) => {
                    let error = ApiError::from(error);
                    if matches!(error.status(), 429 | 500 | 503) {
                        tracing::warn!(run = %open.run_id, %error, "what a failed run asks for is tried again");
                        settled = false;
                        continue;
                    }
                    Err(error.detail().to_owned())
                }
            };
            failure::settle(&runtime.db, &open, outcome).await?;
            let topic = Topic::Run(open.run_id);
            runtime.events.publish_at(open.workspace_id, topic, 0, "handler_settled", json!({ "id": open.run_id }));
        }
        if !settled || count < BATCH as usize {
            return Ok(settled);
        }
    }
}

async fn begin(runtime: &Runtime, open: &Open) -> Result<crate::model::RunId, Error> {
    let ctx = runtime.system(open.workspace_id);
    let depth = u32::try_from(open.depth).unwrap_or(u32::MAX).saturating_add(1);
    if depth > MAX_DEPTH {
        return Err(Error::Conflict(format!("workflows may start each other at most {MAX_DEPTH} deep")));
    }
    let workflow = match open.handler.parse::<WorkflowId>() {
        Ok(id) => definitions::get(&ctx, id).await?,
        Err(_) => definitions::get_by_name(&ctx, &open.handler).await?,
    };
    let (_, definition) =
        run::find_version(&ctx.db, ctx.workspace(), workflow.id, None).await?.ok_or(Error::NotPublished)?;
    let inputs = inputs(&ctx, open, &definition).await?;
    let parent = Parent { run: open.run_id, step: "on_failure".to_owned(), attempt: 0, waits: false };
    let new = NewRun {
        idempotency_key: Some(format!("failure:{}:{}", open.run_id, open.seq)),
        // What it is told is of the failed run: it may not reach further than that did.
        origin: Some(Origin { parent, depth, started_by: open.started_by_id.zip(open.started_by.clone()) }),
        ..NewRun::new(Source::Version(workflow.id, None), inputs, TriggerKind::Failure)
    };
    match start(&ctx, new).await {
        // Started before under another version's inputs.
        Err(Error::KeyReused) => Err(Error::Conflict("it was started before".to_owned())),
        started => started,
    }
}

/// What is told of the failure: those of the inputs that the workflow declares, or all where it declares none.
async fn inputs(ctx: &Ctx, open: &Open, definition: &Definition) -> Result<Value, Error> {
    let failed = get_run(ctx, open.run_id).await?;
    let error = failed.error.map(|error| json!({"class": error.class, "message": error.message}));
    let told = json!({
        "run_id": open.run_id,
        "error": error,
        "inputs": failed.inputs,
        "workflow": failed.summary.workflow_name,
    });
    let Value::Object(told) = told else { return Ok(Value::Null) };
    let declared = definition.inputs.get("properties").and_then(Value::as_object);
    let is_known = |name: &String| declared.is_none_or(|declared| declared.contains_key(name));
    Ok(Value::Object(told.into_iter().filter(|(name, _)| is_known(name)).collect::<Map<_, _>>()))
}

//! What happened in the workspace itself: changes of memory, ends of runs.
//!
//! Changes are followed by their numbers, which appear in order and without gaps; each trigger notes how far it has looked in
//! the transaction that claims its firings. Ends stand in rows that were written with the end, and go with the claim. So
//! neither is lost or fires twice, wherever a process dies.

use serde_json::{Value, json};

use super::error::Result;
use super::store::firing::{self, NewFiring};
use super::store::trigger::TriggerRow;
use super::{MAX_DEPTH, fire, store};
use crate::memory::{self, Change};
use crate::model::RunId;
use crate::model::memory::Source;
use crate::model::trigger::{Config, MemoryChange, Outcome};
use crate::model::workflow::{RunDetail, TriggerKind};
use crate::runtime::Runtime;
use crate::workflow;

/// Changes that one trigger looks at in one go.
const CHANGES: u32 = 200;
/// Ends that are looked at in one go.
const ENDINGS: u32 = 200;

/// Fires the triggers that wait for changes of memory.
pub(super) async fn follow_memory(runtime: &Runtime) -> Result<()> {
    for trigger in store::trigger::behind_in_memory(&runtime.db).await? {
        let mut seen = trigger.seen_change.unwrap_or_default();
        while let Some(next) = follow_one(runtime, &trigger, seen).await? {
            seen = next;
        }
    }
    Ok(())
}

/// Looks at the next changes for one trigger. Returns how far it has looked when there may be more.
async fn follow_one(runtime: &Runtime, trigger: &TriggerRow, seen: i64) -> Result<Option<i64>> {
    // What may be read by some only starts nothing by itself: everybody reads a run's inputs.
    let ctx = runtime.for_all_eyes(trigger.workspace_id);
    // Asked first: a change that comes in between is seen next time.
    let newest = memory::last_change(&ctx).await?;
    let changes = memory::list_changes(&ctx, seen, CHANGES).await?;
    // Fewer than were asked for may be some that can't be read, with others behind them: only where nothing comes any more it
    // has seen all.
    let upto = changes.last().map_or(newest.max(seen), |last| last.number);
    if upto == seen {
        return Ok(None);
    }
    let mut firings = Vec::new();
    for change in &changes {
        firings.extend(on_change(runtime, trigger, change).await?);
    }
    claim(runtime, trigger, firings, Claim::Seen { before: seen, upto }).await?;
    Ok((upto < newest).then_some(upto))
}

async fn on_change(runtime: &Runtime, trigger: &TriggerRow, change: &Change) -> Result<Option<NewFiring>> {
    let Config::Memory { namespace, on } = &trigger.config.0 else { return Ok(None) };
    let what = if change.content.is_some() { MemoryChange::Written } else { MemoryChange::Deleted };
    let below = change.namespace.strip_prefix(namespace.as_str());
    let is_inside = namespace.is_empty() || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if !is_inside || !on.contains(&what) {
        return Ok(None);
    }
    let told = json!({
        "change": what.as_str(), "namespace": change.namespace, "key": change.key, "version": change.version,
    });
    let mut event = told.clone();
    event["content"] = json!(change.content);
    event["value"] = change.value.clone();
    event["tags"] = json!(change.tags);
    event["source"] = json!(change.source);
    event["trust"] = json!(change.trust);
    event["at"] = json!(change.at);
    let occasion = format!("change:{}", change.number);
    let cause = if let Source::Run { run_id, .. } = change.source { Some(run_id) } else { None };
    caused(runtime, trigger, occasion, &event, told, cause).await.map(Some)
}

/// A firing that a run may have caused: refused where it would go round for ever.
async fn caused(
    runtime: &Runtime,
    trigger: &TriggerRow,
    occasion: String,
    event: &Value,
    told: Value,
    cause: Option<RunId>,
) -> Result<NewFiring> {
    let firing = fire::open(runtime, trigger, occasion, event, told);
    let Some(run) = cause else { return Ok(firing) };
    let of = workflow::get_workflow(&runtime.system(trigger.workspace_id), run).await;
    if matches!(of, Ok(Some(workflow)) if workflow == trigger.workflow_id) {
        let reason = "it was caused by a run of the very workflow that would start".to_owned();
        return Ok(NewFiring { outcome: Outcome::Skipped, reason, inputs: None, ..firing });
    }
    let depth = store::firing::depth_of(&runtime.db, run).await?.unwrap_or(0) + 1;
    if depth > MAX_DEPTH {
        tracing::warn!(trigger = %trigger.id, %run, "a chain of triggers was ended");
        let reason = format!("a chain of {MAX_DEPTH} triggers led here, each by the run of the one before; it ends");
        return Ok(NewFiring { outcome: Outcome::Refused, reason, inputs: None, depth, ..firing });
    }
    Ok(NewFiring { depth, ..firing })
}

/// Fires the triggers that wait for the ends of runs.
pub(super) async fn follow_runs(runtime: &Runtime) -> Result<()> {
    loop {
        let endings = store::ending::list(&runtime.db, ENDINGS).await?;
        let count = endings.len();
        for ending in endings {
            let ctx = runtime.system(ending.workspace_id);
            let run = match workflow::get_run(&ctx, ending.run_id).await {
                Ok(run) => Some(run),
                // Forgotten before anybody looked.
                Err(workflow::Error::NotFound(_)) => None,
                Err(workflow::Error::Db(error)) if error.is_transient() => return Err(error.into()),
                Err(error) => {
                    // It would keep all ends behind it waiting.
                    tracing::error!(run = %ending.run_id, %error, "the end of a run can't be read; nobody is told of it");
                    None
                }
            };
            let trigger = store::trigger::find(&runtime.db, ending.workspace_id, ending.watch_id).await?;
            let (Some(run), Some(trigger)) = (run, trigger) else {
                store::ending::delete(&runtime.db, &ending).await?;
                continue;
            };
            let firing = on_ending(runtime, &trigger, &ending, &run).await?;
            claim(runtime, &trigger, firing.into_iter().collect(), Claim::Ending(ending)).await?;
        }
        if count < ENDINGS as usize {
            return Ok(());
        }
    }
}

async fn on_ending(
    runtime: &Runtime,
    trigger: &TriggerRow,
    ending: &store::ending::Ending,
    run: &RunDetail,
) -> Result<Option<NewFiring>> {
    let Config::RunFinished { of, statuses } = &trigger.config.0 else { return Ok(None) };
    let is_own = of.is_none() && run.summary.workflow_id == Some(trigger.workflow_id);
    let is_meant = statuses.iter().any(|status| status.as_str() == ending.status);
    let is_counted = !matches!(run.summary.trigger, TriggerKind::Test | TriggerKind::Cli);
    if is_own || !is_meant || !is_counted || !trigger.enabled {
        return Ok(None);
    }
    let told = json!({"run_id": run.summary.id, "workflow": run.summary.workflow_name, "status": ending.status});
    let event = json!({
        "run_id": run.summary.id,
        "status": ending.status,
        "workflow": {"id": run.summary.workflow_id, "name": run.summary.workflow_name, "version": run.summary.version},
        "inputs": run.inputs,
        "output": run.output,
        "error": run.error,
        "started_at": run.summary.started_at,
        "ended_at": run.summary.ended_at,
    });
    let occasion = format!("end:{}:{}", ending.run_id, ending.seq);
    let mut firing = caused(runtime, trigger, occasion, &event, told, Some(ending.run_id)).await?;
    if firing.inputs.as_ref().is_some_and(|inputs| inputs.to_string().len() > super::MAX_BODY_BYTES) {
        "the inputs are over 1 MiB; name what is needed in the trigger's inputs".clone_into(&mut firing.reason);
        firing.outcome = Outcome::Failed;
        firing.inputs = None;
    }
    Ok(Some(firing))
}

/// What goes with the claim of firings, in one transaction.
enum Claim {
    Seen { before: i64, upto: i64 },
    Ending(store::ending::Ending),
}

async fn claim(runtime: &Runtime, trigger: &TriggerRow, firings: Vec<NewFiring>, with: Claim) -> Result<()> {
    let mut open = Vec::new();
    let is_told = !firings.is_empty();
    let mut tx = runtime.db.begin().await?;
    let is_ours = match &with {
        Claim::Seen { before, upto } => store::trigger::set_seen(&mut tx, trigger.id, *before, *upto).await?,
        Claim::Ending(ending) => store::ending::take(&mut tx, ending).await?,
    };
    if !is_ours {
        return Ok(());
    }
    for firing in firings {
        if firing::insert(&mut tx, &firing).await? {
            open.extend(fire::to_start(trigger, firing));
        }
    }
    tx.commit().await?;
    if is_told {
        fire::tell(runtime, trigger.workspace_id, trigger.id);
    }
    fire::start_all(runtime, open).await
}

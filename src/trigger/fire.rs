//! From a claimed firing to its run, by whoever finds it, as often as needed.

use futures::StreamExt;
use serde_json::{Value, json};

use super::error::Result;
use super::store::firing::{self, NewFiring, Open, Settled};
use super::store::trigger::TriggerRow;
use super::{Error, desk, store};
use crate::model::auth::Action;
use crate::model::live::Topic;
use crate::model::trigger::{Firing, Kind, Outcome, template};
use crate::model::{ApiError, FiringId, TriggerId, WorkspaceId};
use crate::runtime::{Ctx, Runtime};
use crate::workflow::{self, NewRun, Source};

/// Runs that are started at once.
const AT_ONCE: usize = 64;
/// Bytes of an event given by hand.
const MAX_EVENT_BYTES: usize = 64 * 1024;

/// A firing of `trigger` about `occasion`, its run to be started with the inputs that follow from `event`, or failed when
/// none do. `told` is the part of the event that the firing shows.
pub(super) fn open(runtime: &Runtime, trigger: &TriggerRow, occasion: String, event: &Value, told: Value) -> NewFiring {
    let firing = blank(runtime, trigger, told);
    match template::fill(trigger.kind(), &trigger.inputs.0, event) {
        Ok(inputs) => NewFiring { occasion: Some(occasion), inputs: Some(inputs), ..firing },
        Err(error) => {
            let reason = format!("the inputs can't be filled in: {error}");
            NewFiring { occasion: Some(occasion), outcome: Outcome::Failed, reason, ..firing }
        }
    }
}

/// A firing without an occasion: what is only told, such as a refusal.
pub(super) fn told(
    runtime: &Runtime,
    trigger: &TriggerRow,
    outcome: Outcome,
    reason: String,
    told: Value,
) -> NewFiring {
    NewFiring { outcome, reason, ..blank(runtime, trigger, told) }
}

fn blank(runtime: &Runtime, trigger: &TriggerRow, event: Value) -> NewFiring {
    NewFiring {
        id: runtime.ids.fresh(),
        workspace: trigger.workspace_id,
        trigger: trigger.id,
        at: runtime.clock.now(),
        scheduled_for: None,
        occasion: None,
        outcome: Outcome::Starting,
        reason: String::new(),
        run_id: None,
        depth: 0,
        event,
        inputs: None,
        fired_by: None,
    }
}

/// What is to be started for a firing that was written down.
pub(super) fn to_start(trigger: &TriggerRow, firing: NewFiring) -> Option<Open> {
    (firing.outcome == Outcome::Starting).then(|| Open {
        id: firing.id,
        workspace: trigger.workspace_id,
        trigger: trigger.id,
        kind: trigger.kind().as_str().to_owned(),
        workflow: trigger.workflow_id,
        occasion: firing.occasion.unwrap_or_else(|| firing.id.to_string()),
        inputs: firing.inputs.unwrap_or_default(),
        fired_by: firing.fired_by,
    })
}

/// Writes one firing down by itself; false when its occasion was there before.
pub(super) async fn record(runtime: &Runtime, firing: &NewFiring) -> Result<bool> {
    let is_new = desk::record(runtime, firing).await?;
    tell(runtime, firing.workspace, firing.trigger);
    Ok(is_new)
}

/// The key of the run that an occasion starts.
pub(super) fn key(trigger: TriggerId, occasion: &str) -> String {
    format!("trigger:{trigger}:{occasion}")
}

/// How starting a run went.
pub(super) enum Attempt {
    /// It is decided.
    Settled(Settled, Option<ApiError>),
    /// Not now: the firing stays open.
    Later(ApiError),
}

/// Starts the run of a firing under its key: the same run, however often and by whomever it is called.
pub(super) async fn start(runtime: &Runtime, open: &Open) -> Attempt {
    let kind = Kind::parse(&open.kind).map_or(crate::model::workflow::TriggerKind::Event, Kind::of_run);
    let key = key(open.trigger, &open.occasion);
    let source = Source::Version(open.workflow, None);
    let new = NewRun {
        idempotency_key: Some(key),
        started_by: open.fired_by.clone(),
        ..NewRun::new(source, open.inputs.clone(), kind)
    };
    match workflow::start(&runtime.system(open.workspace), new).await {
        Ok(run) => {
            tracing::info!(trigger = %open.trigger, occasion = open.occasion, %run, "a trigger started a run");
            let settled = Settled { id: open.id, outcome: Outcome::Started, reason: String::new(), run_id: Some(run) };
            Attempt::Settled(settled, None)
        }
        Err(error) => {
            let error = ApiError::from(error);
            if error.status() == 503 {
                return Attempt::Later(error);
            }
            let reason = format!("the run could not be started: {}", error.detail());
            tracing::info!(trigger = %open.trigger, occasion = open.occasion, reason, "a trigger failed");
            let settled = Settled { id: open.id, outcome: Outcome::Failed, reason, run_id: None };
            Attempt::Settled(settled, Some(error))
        }
    }
}

/// Starts the runs of many firings and writes down how each ended. What can't be started for the moment stays open.
pub(super) async fn start_all(runtime: &Runtime, open: Vec<Open>) -> Result<()> {
    if open.is_empty() {
        return Ok(());
    }
    let triggers: Vec<(WorkspaceId, TriggerId)> = open.iter().map(|open| (open.workspace, open.trigger)).collect();
    let begin = |open: Open| {
        let runtime = runtime.clone();
        async move { start(&runtime, &open).await }
    };
    let attempts: Vec<Attempt> = futures::stream::iter(open).map(begin).buffer_unordered(AT_ONCE).collect().await;
    let mut tx = runtime.db.begin().await?;
    for attempt in attempts {
        match attempt {
            Attempt::Settled(settled, _) => firing::settle(&mut tx, &settled).await?,
            Attempt::Later(error) => tracing::warn!(%error, "a trigger's run can't be started now; it is tried again"),
        }
    }
    tx.commit().await?;
    let mut last = None;
    for (workspace, trigger) in triggers {
        if last.replace(trigger) != Some(trigger) {
            tell(runtime, workspace, trigger);
        }
    }
    Ok(())
}

/// Writes down how one firing ended.
pub(super) async fn settle(runtime: &Runtime, open: &Open, settled: &Settled) -> Result<()> {
    desk::settle(runtime, settled).await?;
    tell(runtime, open.workspace, open.trigger);
    Ok(())
}

/// Tells those who watch that a trigger fired.
pub(super) fn tell(runtime: &Runtime, workspace: WorkspaceId, trigger: TriggerId) {
    runtime.events.publish(workspace, Topic::Triggers, "trigger_fired", json!({"id": trigger}));
}

/// Fires a trigger by hand, also one that is off: as if it were now, or with this event, such as `{"body": {…}}`.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for an event that is no object or too large. That its run could not be started
/// is no error but told by the firing.
pub async fn fire_now(ctx: &Ctx, id: TriggerId, event: Value) -> Result<Firing> {
    ctx.authorize(Action::StartRun)?;
    let trigger = store::trigger::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("trigger"))?;
    let event = match event {
        Value::Null => json!({}),
        Value::Object(_) if event.to_string().len() <= MAX_EVENT_BYTES => event,
        Value::Object(_) => return Err(Error::invalid("/event", format!("expected at most {MAX_EVENT_BYTES} bytes"))),
        _ => return Err(Error::invalid("/event", "expected an object")),
    };
    let now = ctx.clock.now();
    let mut event = event;
    if trigger.kind() == Kind::Schedule {
        event["scheduled_for"] = json!(now);
        event["trigger"] = json!(trigger.name);
    }
    let person = &ctx.actor.principal;
    let by = person.user_name().unwrap_or("the program");
    // Whoever fires by hand starts the run, and may not approve there what its starter may not.
    let fired_by = person.user_id().zip(person.user_name().map(str::to_owned));
    let firing_id: FiringId = ctx.ids.fresh();
    let firing = open(ctx.runtime(), &trigger, format!("hand:{firing_id}"), &event, json!({"fired_by": by}));
    let reason = if firing.reason.is_empty() { format!("fired by hand by {by}") } else { firing.reason.clone() };
    let firing = NewFiring { id: firing_id, reason, fired_by, ..firing };
    record(ctx.runtime(), &firing).await?;
    if let Some(open) = to_start(&trigger, firing) {
        match start(ctx.runtime(), &open).await {
            Attempt::Settled(settled, _) => settle(ctx.runtime(), &open, &settled).await?,
            Attempt::Later(error) => return Err(Error::Unavailable(error.detail().to_owned())),
        }
    }
    firing::find(&ctx.db, firing_id).await?.ok_or(Error::NotFound("firing"))
}

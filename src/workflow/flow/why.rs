//! "Why is it waiting?", from everything that knows: the history, the tables, the queues of this process.

use crate::agents::leases;
use crate::gateway;
use crate::model::auth::Action;
use crate::model::workflow::flow::WhenFull;
use crate::model::workflow::flow::admission::{Blocked, Head};
use crate::model::workflow::why::{self, Code, In, Place, Quota, Unblock, Why};
use crate::model::workflow::{Fact, RunStatus, State, StepError, StepStatus};
use crate::model::{RunId, WorkspaceId};
use crate::runtime::{Ctx, Runtime};
use crate::workflow::engine::{self, Engine};
use crate::workflow::store::{flow as rows, history, run, step_key};
use crate::workflow::{Error, store};

/// The runs that are named as holders.
const NAMED: u32 = 5;

/// Why a run, or a step of it, waits; empty when nothing does.
///
/// # Errors
/// [`Error::NotFound`] also for a run of another workspace.
pub async fn why_waiting(ctx: &Ctx, id: RunId) -> Result<Vec<Why>, Error> {
    ctx.authorize(Action::ReadRun)?;
    let (runtime, workspace) = (ctx.runtime(), ctx.workspace());
    let (summary, hash) = run::find(&ctx.db, workspace, id).await?.ok_or(Error::NotFound("run"))?;
    if summary.status.is_final() {
        return Ok(Vec::new());
    }
    let definition = store::history::definition(&ctx.db, workspace, &hash).await?;
    let mut state = State::new(id, &definition);
    engine::fold(runtime, workspace, &mut state).await?;
    let mut whys = Vec::new();
    match state.status() {
        RunStatus::Succeeded | RunStatus::Failed | RunStatus::Cancelled => return Ok(whys),
        RunStatus::Queued => whys.extend(of_queue(runtime, workspace, id).await?),
        RunStatus::Paused => whys.push(of_pause(runtime, workspace, id).await?),
        RunStatus::Running | RunStatus::Waiting => {}
    }
    let held = store::lease::find(&ctx.db, workspace, id, (Engine::of(runtime).id, runtime.clock.now())).await?;
    whys.extend(of_hands(runtime, state.status(), held));
    whys.extend(of_keys(runtime, workspace, id).await?);
    whys.extend(of_slots(runtime, &state));
    whys.extend(of_calls(runtime, &state));
    for why in of_leases(ctx, why::of_state(&state)).await? {
        whys.push(of_sub_run(ctx, why).await?);
    }
    Ok(whys)
}

/// Where a step waits for a lease: who has what it wants.
async fn of_leases(ctx: &Ctx, mut whys: Vec<Why>) -> Result<Vec<Why>, Error> {
    let awaited = |why: &Why| {
        why.unblocks.iter().find_map(|unblock| match unblock {
            Unblock::Event { key } => leases::of_key(key),
            _ => None,
        })
    };
    if !whys.iter().any(|why| awaited(why).is_some()) {
        return Ok(whys);
    }
    let all = leases::look(ctx.runtime(), ctx.workspace()).await?;
    for why in &mut whys {
        let lease = awaited(why).and_then(|id| all.iter().find(|lease| lease.id == id));
        if let Some(lease) = lease {
            *why = why::with_lease(why.clone(), lease);
        }
    }
    Ok(whys)
}

/// Where a step waits for a sub-run: of what, and how that stands.
async fn of_sub_run(ctx: &Ctx, why: Why) -> Result<Why, Error> {
    let Some(run) = why.unblocks.iter().find_map(|unblock| match unblock {
        Unblock::Run { run, .. } if why.code == Code::SubRun => Some(*run),
        _ => None,
    }) else {
        return Ok(why);
    };
    let found = run::find(&ctx.db, ctx.workspace(), run).await?;
    Ok(match found {
        Some((summary, _)) => why::with_sub_run(why, run, &summary.workflow_name, summary.status),
        None => why,
    })
}

async fn of_queue(runtime: &Runtime, workspace: WorkspaceId, id: RunId) -> Result<Option<Why>, Error> {
    let Some(stand) = rows::look::find(&runtime.db, workspace, id, runtime.clock.now()).await? else {
        return Ok(None);
    };
    let held = rows::look::count_held(&runtime.db, workspace).await?;
    let server = runtime.config.max_running_runs;
    let own = rows::quota::find(&runtime.db, workspace).await?;
    let quota = own.running_within(server);
    let room = crate::model::workflow::flow::admission::Room { running: held, limit: quota };
    let limit = stand.limits.key.as_ref().map(|key| key.limit);
    let priority = stand.limits.priority;
    let supersedes = stand.limits.key.as_ref().is_some_and(|key| key.when_full == WhenFull::CancelRunning);
    let head = Head {
        run: id,
        turn: 0,
        priority,
        limit,
        supersedes,
        held: stand.held,
        rate: stand.window,
        counts: stand.counts,
    };
    let waits = stand.state == "waiting";
    let blocked = head.blocked(room).filter(|_| waits);
    let lane = match blocked {
        Some(Blocked::Key) => Some(Some(stand.limits.lane.as_str())),
        Some(Blocked::Quota) => Some(None),
        Some(Blocked::Rate(_)) | None => None,
    };
    let holders = match lane {
        Some(lane) => rows::look::list_holders(&runtime.db, workspace, lane, NAMED).await?,
        None => Vec::new(),
    };
    let place = Place {
        blocked,
        held: if matches!(blocked, Some(Blocked::Quota)) { held } else { stand.held },
        quota: quota.map(|limit| Quota { limit, is_own: Some(limit) != server }),
        key: stand.limits.key,
        rate: stand.limits.rate,
        position: if waits { stand.position } else { 1 },
        since: stand.queued_at,
        holders,
    };
    Ok(Some(place.why()))
}

async fn of_pause(runtime: &Runtime, workspace: WorkspaceId, id: RunId) -> Result<Why, Error> {
    let event = history::find_newest(&runtime.db, workspace, id, "run_paused").await?;
    let Some((at, Fact::RunPaused { by, .. })) = event.map(|event| (event.at, event.fact)) else {
        return Ok(why::paused(None, None));
    };
    if by.is_none() {
        let failed = history::find_newest(&runtime.db, workspace, id, "retry_scheduled").await?;
        if let Some(Fact::RetryScheduled { error, .. }) = failed.map(|event| event.fact)
            && error.class == StepError::BUDGET
        {
            return Ok(why::used_up(&error.message, at));
        }
    }
    Ok(why::paused(by.as_deref(), Some(at)))
}

async fn of_keys(runtime: &Runtime, workspace: WorkspaceId, id: RunId) -> Result<Vec<Why>, Error> {
    let mut whys = Vec::new();
    for waiter in step_key::list_waiting(&runtime.db, workspace, id).await? {
        let holders = step_key::list_holders(&runtime.db, workspace, &waiter.key).await?;
        let position = u32::try_from(waiter.ahead + 1).unwrap_or(u32::MAX);
        whys.push(why::step_key(&waiter.step, &waiter.key, waiter.asked_at, position, &holders));
    }
    Ok(whys)
}

/// Whether the run is in somebody's hands, where it ought to be.
fn of_hands(runtime: &Runtime, status: RunStatus, held: In) -> Option<Why> {
    match held {
        In::Server { lease_until } => why::unheard(lease_until, engine::LEASE_MS, runtime.clock.now()),
        // A run in the queue says by its place what it waits for.
        In::Nobody { since } => Some(why::nobody(since)).filter(|_| status != RunStatus::Queued),
        In::Here | In::Rest => None,
    }
}

/// The calls of models that are not sent yet, of this process. Another process knows its own.
fn of_calls(runtime: &Runtime, state: &State) -> Vec<Why> {
    let works = |step: &str| state.find_step(step).is_some_and(|step| step.status == StepStatus::Running);
    let calls = gateway::held_up(runtime, state.id());
    calls.iter().filter(|call| works(&call.step)).take(why::MOST_STEPS).map(why::of_call).collect()
}

/// The steps that wait for a slot of this process. Another process knows its own.
fn of_slots(runtime: &Runtime, state: &State) -> Vec<Why> {
    let (waiting, busy, total) = Engine::of(runtime).waiting_for_slots(state.id());
    let works = |step: &str| state.find_step(step).is_some_and(|step| step.status == StepStatus::Running);
    let waiting = waiting.into_iter().filter(|waiter| works(&waiter.step));
    waiting.take(why::MOST_STEPS).map(|w| why::slots(&w.step, w.since, w.position, w.cost, busy, total)).collect()
}

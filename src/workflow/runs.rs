//! Runs as people and programs use them: look, command, wait.

use std::time::Duration;

use serde_json::Value;

use super::engine::Engine;
use super::machine::{Input, Refusal};
use super::{Error, engine, flow, store, travel};
use crate::model::auth::Action;
use crate::model::workflow::expression::Scope;
use crate::model::workflow::{
    Command, CompensationDetail, Definition, Event, LogChunk, RunDetail, RunFilter, RunStatus, RunSummary, State,
    TriggerKind,
};
use crate::model::{Page, PageRequest, RunId, UserId, WorkflowId};
use crate::runtime::Ctx;

/// What to run.
#[derive(Debug, Clone)]
pub enum Source {
    /// A published version of a stored workflow; `None` means the newest.
    Version(WorkflowId, Option<i64>),
    /// The draft of a stored workflow, as a test.
    Draft(WorkflowId),
    /// A definition that is not stored.
    Inline(Box<Definition>),
}

/// A run to start.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// What to run.
    pub source: Source,
    /// An object that fits the definition's schema, or null.
    pub inputs: Value,
    /// What sets it off.
    pub trigger: TriggerKind,
    /// The same key gives the same run. 1..=200 characters.
    pub idempotency_key: Option<String>,
    /// What a run that starts another passes on.
    pub origin: Option<Origin>,
    /// Who counts as who started it, where the program starts it for somebody.
    pub started_by: Option<(UserId, String)>,
    /// The step after which the run ends: what leads to it runs, the rest is skipped. `None` for the whole.
    pub until: Option<String>,
}

/// What a run that starts another passes on.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The step that starts it.
    pub parent: store::Parent,
    /// How many runs are then around it.
    pub depth: u32,
    /// Who started the first of them: what they may not approve there, they may not approve here.
    pub started_by: Option<(UserId, String)>,
}

impl NewRun {
    /// What a person asks for in the browser: a version (`None`: the newest), or the draft as a test.
    pub const fn manual(workflow_id: WorkflowId, inputs: Value, version: Option<i64>, test: bool) -> Self {
        let (source, trigger) = if test {
            (Source::Draft(workflow_id), TriggerKind::Test)
        } else {
            (Source::Version(workflow_id, version), TriggerKind::Manual)
        };
        Self::new(source, inputs, trigger)
    }

    /// A run that nothing but `trigger` is known of.
    pub const fn new(source: Source, inputs: Value, trigger: TriggerKind) -> Self {
        Self { source, inputs, trigger, idempotency_key: None, origin: None, started_by: None, until: None }
    }
}

/// A run with its steps, folded from its history.
///
/// # Errors
/// [`Error::NotFound`] also for a run of another workspace.
pub async fn get_run(ctx: &Ctx, id: RunId) -> Result<RunDetail, Error> {
    ctx.authorize(Action::ReadRun)?;
    let (summary, hash) = find(ctx, id).await?;
    let definition = store::history::definition(&ctx.db, ctx.workspace(), &hash).await?;
    let mut state = State::new(id, &definition);
    engine::fold(ctx.runtime(), ctx.workspace(), &mut state).await?;
    let until = state.until().map(|step| state.steps()[step as usize].id.clone());
    // The history is the truth: where the row was read a moment earlier, it gives way.
    let status = state.status();
    let summary = RunSummary {
        status,
        // What keeps a queued run stands in its row.
        headline: if status == RunStatus::Queued { summary.headline } else { state.headline() },
        steps_done: state.steps_done(),
        started_at: Scope::started_at(&state).or(summary.started_at),
        ended_at: state.ended_at(),
        ..summary
    };
    Ok(RunDetail {
        summary,
        inputs: state.given().clone(),
        output: state.output().clone(),
        error: state.error().cloned(),
        steps: state.steps().to_vec(),
        compensation: state
            .undo_status()
            .map(|status| CompensationDetail { status, steps: state.undo_steps().to_vec() }),
        last_seq: state.last_seq(),
        lineage: travel::lineage(ctx, id, until).await?,
        // A run that was moved runs another one than it began with.
        definition: state.definition().clone(),
    })
}

pub(super) async fn find(ctx: &Ctx, id: RunId) -> Result<(RunSummary, Vec<u8>), Error> {
    store::run::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("run"))
}

/// The runs of the workspace, newest first.
///
/// # Errors
/// [`Error::Invalid`] for a cursor that is not of this list.
pub async fn list_runs(ctx: &Ctx, filter: &RunFilter, page: &PageRequest) -> Result<Page<RunSummary>, Error> {
    ctx.authorize(Action::ReadRun)?;
    let before = page
        .cursor
        .as_deref()
        .map(|cursor| cursor.parse::<RunId>().map_err(|_| Error::invalid("cursor", "expected the `next` of a page")))
        .transpose()?;
    let name_like = Some(filter.query.trim()).filter(|query| !query.is_empty()).map(|query| {
        let literal = query.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{literal}%").replace('\0', "")
    });
    let rows = store::run::Filter {
        workflow_id: filter.workflow_id,
        statuses: &filter.statuses,
        trigger: filter.trigger,
        since: filter.since,
        until: filter.until,
        name_like: name_like.as_deref(),
        older_than_version: None,
        before,
    };
    let limit = page.limit();
    let runs = store::run::list(&ctx.db, ctx.workspace(), &rows, limit + 1).await?;
    Ok(Page::cut(runs, limit, |run| run.id.to_string()))
}

/// The history of a run after `after`, oldest first; `limit` is 1..=1000.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn list_events(ctx: &Ctx, id: RunId, after: i64, limit: u32) -> Result<Vec<Event>, Error> {
    ctx.authorize(Action::ReadRun)?;
    find(ctx, id).await?;
    Ok(store::history::list(&ctx.db, ctx.workspace(), id, after, limit.clamp(1, 1000)).await?)
}

/// What the steps of a run printed after `after`, oldest first; of one step or of all; `limit` is 1..=1000.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a step that none can be.
pub async fn list_logs(
    ctx: &Ctx,
    id: RunId,
    step: Option<&str>,
    after: i64,
    limit: u32,
) -> Result<Vec<LogChunk>, Error> {
    ctx.authorize(Action::ReadRun)?;
    // Postgres takes no such text.
    if step.is_some_and(|step| step.contains('\0')) {
        return Err(Error::invalid("step", "expected no NUL characters"));
    }
    find(ctx, id).await?;
    Ok(store::log::list(&ctx.db, id, step, after, limit.clamp(1, 1000)).await?)
}

/// Tells a run to cancel, pause, resume or retry. Returns how it stands once that is durable.
///
/// # Errors
/// [`Error::Refused`] when its status does not allow it, [`Error::NotFound`].
pub async fn control(ctx: &Ctx, id: RunId, command: Command) -> Result<RunSummary, Error> {
    ctx.authorize(Action::ControlRun)?;
    let (summary, _) = find(ctx, id).await?;
    if !summary.status.allows(command) && summary.status.is_final() {
        return Err(Refusal::NotNow { status: summary.status, command }.into());
    }
    let by = ctx.actor.principal.user_name().map(str::to_owned);
    let input = Input::Command { command, by };
    match Engine::of(ctx.runtime()).tell(ctx.runtime(), ctx.workspace(), id, input).await {
        Err(Error::NoPlace) => Err(flow::refuse_retry(ctx.runtime(), ctx.workspace(), id).await?),
        answer => answer,
    }
}

/// How often a waiter looks at a run that another process may have in hand.
const LOOK: Duration = Duration::from_secs(2);

/// Waits until a run has ended, at most `timeout`. Returns how it stands then.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn wait_for_end(ctx: &Ctx, id: RunId, timeout: Duration) -> Result<RunSummary, Error> {
    ctx.authorize(Action::ReadRun)?;
    let until = tokio::time::Instant::now() + timeout;
    let mut endings = Engine::of(ctx.runtime()).endings();
    loop {
        let (summary, _) = find(ctx, id).await?;
        let now = tokio::time::Instant::now();
        if summary.status.is_final() || now >= until {
            return Ok(summary);
        }
        let look = until.min(now + LOOK);
        loop {
            match tokio::time::timeout_at(look, endings.recv()).await {
                Ok(Ok(ended)) if ended != id => {}
                // It ended, something was missed, or it is time to look.
                _ => break,
            }
        }
    }
}

//! Runs in motion and newer versions: a run keeps the version that it began with, unless a person moves it to another one
//! that agrees with everything it has come to.

use super::engine::{self, Engine};
use super::machine::{self, Input, Refusal};
use super::travel::MAX_RUNS;
use super::{Error, hand, inputs, runs, store};
use crate::model::auth::Action;
use crate::model::workflow::check::{check, has_errors};
use crate::model::workflow::fit::Misfit;
use crate::model::workflow::migration::{Migrated, Movable, MovableRuns};
use crate::model::workflow::{BulkResult, Definition, Graph, RunStatus, RunSummary, State};
use crate::model::{ApiError, FieldError, RunId, UserId, WorkflowId};
use crate::runtime::Ctx;

/// A version that runs could be moved to.
struct Target {
    version: i64,
    definition: Definition,
}

/// Moves a run that has not ended to a version of its workflow; `None`: the newest. Returns how it stands once that is
/// durable.
///
/// # Errors
/// [`Error::Invalid`] with every difference where the run already is, as `/steps/ID`; [`Error::Conflict`] for a run that
/// has ended or runs that version already; [`Error::NotFound`]; [`Error::Problems`].
pub async fn migrate(ctx: &Ctx, run: RunId, to: Option<i64>) -> Result<RunSummary, Error> {
    ctx.authorize(Action::ControlRun)?;
    let (summary, _) = runs::find(ctx, run).await?;
    let target = target(ctx, workflow_of(&summary)?, to).await?;
    move_run(ctx, &summary, &target).await
}

/// What keeps a run from being moved to a version; empty when it can be.
///
/// # Errors
/// As [`migrate`], but for differences.
pub async fn check_migration(ctx: &Ctx, run: RunId, to: Option<i64>) -> Result<Movable, Error> {
    ctx.authorize(Action::ReadRun)?;
    let (summary, _) = runs::find(ctx, run).await?;
    let target = target(ctx, workflow_of(&summary)?, to).await?;
    let misfits = misfits(ctx, &summary, &target).await?;
    Ok(Movable { run: summary, version: target.version, misfits })
}

/// The runs of a workflow that have not ended and run an older version than this one (`None`: the newest), and what keeps
/// each from being moved.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPublished`].
pub async fn list_movable(ctx: &Ctx, workflow: WorkflowId, to: Option<i64>) -> Result<MovableRuns, Error> {
    ctx.authorize(Action::ReadRun)?;
    let target = target(ctx, workflow, to).await?;
    let (summaries, more) = older(ctx, workflow, target.version).await?;
    let mut runs = Vec::with_capacity(summaries.len());
    for run in summaries {
        match misfits(ctx, &run, &target).await {
            Ok(misfits) => runs.push(Movable { run, version: target.version, misfits }),
            // It has ended meanwhile.
            Err(Error::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(MovableRuns { version: target.version, runs, more })
}

/// Moves every run of [`list_movable`] that fits, one after the other, and tells of each what came of it.
///
/// # Errors
/// As [`list_movable`].
pub async fn migrate_all(ctx: &Ctx, workflow: WorkflowId, to: Option<i64>) -> Result<Vec<BulkResult>, Error> {
    ctx.authorize(Action::ControlRun)?;
    let target = target(ctx, workflow, to).await?;
    let (summaries, _) = older(ctx, workflow, target.version).await?;
    let mut results = Vec::with_capacity(summaries.len());
    for summary in summaries {
        let run_id = summary.id;
        results.push(match move_run(ctx, &summary, &target).await {
            Ok(summary) => BulkResult { run_id, status: Some(summary.status), refused: None },
            Err(error) => BulkResult { run_id, status: None, refused: Some(ApiError::from(error).to_string()) },
        });
    }
    Ok(results)
}

fn workflow_of(run: &RunSummary) -> Result<WorkflowId, Error> {
    let stored = "this run's definition was never stored, so that it has no other versions";
    run.workflow_id.ok_or_else(|| Error::Conflict(stored.to_owned()))
}

async fn target(ctx: &Ctx, workflow: WorkflowId, to: Option<i64>) -> Result<Target, Error> {
    let found = store::run::find_version(&ctx.db, ctx.workspace(), workflow, to).await?;
    let Some((version, definition)) = found else {
        let known = store::run::find_draft(&ctx.db, ctx.workspace(), workflow).await?.is_some();
        return Err(match to {
            Some(_) if known => Error::NotFound("version"),
            None if known => Error::NotPublished,
            _ => Error::NotFound("workflow"),
        });
    };
    let problems = check(&definition);
    if has_errors(&problems) { Err(Error::Problems(problems)) } else { Ok(Target { version, definition }) }
}

/// Runs in motion of older versions, the newest first.
async fn older(ctx: &Ctx, workflow: WorkflowId, version: i64) -> Result<(Vec<RunSummary>, bool), Error> {
    let statuses = [RunStatus::Queued, RunStatus::Running, RunStatus::Waiting, RunStatus::Paused];
    let filter = store::run::Filter {
        workflow_id: Some(workflow),
        statuses: &statuses,
        older_than_version: Some(version),
        ..store::run::Filter::default()
    };
    let limit = MAX_RUNS as u32;
    let mut found = store::run::list(&ctx.db, ctx.workspace(), &filter, limit + 1).await?;
    let more = found.len() > MAX_RUNS;
    found.truncate(MAX_RUNS);
    Ok((found, more))
}

/// A run as it stands.
async fn fold(ctx: &Ctx, run: RunId) -> Result<State, Error> {
    let (_, hash) = runs::find(ctx, run).await?;
    let definition = store::history::definition(&ctx.db, ctx.workspace(), &hash).await?;
    let mut state = State::new(run, &definition);
    engine::fold(ctx.runtime(), ctx.workspace(), &mut state).await?;
    Ok(state)
}

async fn misfits(ctx: &Ctx, summary: &RunSummary, target: &Target) -> Result<Vec<Misfit>, Error> {
    Ok(compare(&fold(ctx, summary.id).await?, summary, target)?.1)
}

/// The inputs that the version asks for where they differ, and what stands in the way.
fn compare(
    state: &State,
    summary: &RunSummary,
    target: &Target,
) -> Result<(Option<serde_json::Value>, Vec<Misfit>), Error> {
    if state.is_ended() {
        return Err(Error::Conflict(Refusal::Ended.to_string()));
    }
    if summary.version == Some(target.version) {
        return Err(Error::Conflict(format!("the run runs version {} already", target.version)));
    }
    let given = state.given().clone();
    let (inputs, mut found) = match inputs::fit(&target.definition.inputs, given.clone()) {
        Ok(inputs) => ((inputs != given).then_some(inputs), Vec::new()),
        Err(Error::Invalid(fields)) => (None, fields.into_iter().map(of_input).collect()),
        Err(error) => return Err(error),
    };
    found.extend(machine::find_misfits(state, &Graph::new(target.definition.clone())));
    Ok((inputs, found))
}

fn of_input(field: FieldError) -> Misfit {
    Misfit { step: None, message: format!("{} {}", field.pointer.trim_start_matches('/'), field.message) }
}

async fn move_run(ctx: &Ctx, summary: &RunSummary, target: &Target) -> Result<RunSummary, Error> {
    let (inputs, found) = compare(&fold(ctx, summary.id).await?, summary, target)?;
    if !found.is_empty() {
        return Err(Error::Invalid(found.into_iter().map(told).collect()));
    }
    let migrated = Migrated {
        from: summary.version,
        version: target.version,
        by: ctx.actor.principal.user_name().map(str::to_owned),
        definition: target.definition.clone(),
        inputs,
        taken: Vec::new(),
    };
    // Whoever published the version that it leaves has shaped what it did so far.
    let mut hands: Vec<UserId> = ctx.actor.principal.acts_for().into_iter().collect();
    if let Some(left) = summary.workflow_id.zip(summary.version) {
        hands.extend(store::hand::find_publisher(&ctx.db, ctx.workspace(), left).await?);
    }
    hand::note_all(ctx, summary.id, hands).await?;
    // The owner looks again: the run may have come further meanwhile.
    let input = Input::Migrate(Box::new(migrated));
    Engine::of(ctx.runtime()).tell(ctx.runtime(), ctx.workspace(), summary.id, input).await
}

fn told(misfit: Misfit) -> FieldError {
    let pointer = misfit.step.map_or_else(|| "/version".to_owned(), |step| format!("/steps/{step}"));
    FieldError::new(pointer, misfit.message)
}

//! Runs held against other definitions: once, or kept as the regression tests of a workflow.

use std::sync::Arc;

use super::replay::play;
use super::{fork, store};
use crate::model::auth::Action;
use crate::model::workflow::check::{check, has_errors};
use crate::model::workflow::{
    Against, Definition, Graph, Recording, Replay, RunStatus, State, Strictness, TestResult, WorkflowTest,
    WorkflowTests,
};
use crate::model::{FieldError, RunId, TestId, WorkflowId};
use crate::runtime::Ctx;
use crate::workflow::store::{history, run as runs};
use crate::workflow::{Error, definitions};

/// Regression tests that a workflow may have.
pub const MAX_TESTS: usize = 50;
/// Bytes of a recording that is kept.
pub const MAX_RECORDING_BYTES: usize = 4 * 1024 * 1024;
/// Characters of a test's name.
const MAX_NAME_CHARS: usize = 120;

/// Plays a run on another definition: steps with an effect end as they were recorded, the others are computed anew.
/// Nothing leaves and nothing is stored.
///
/// # Errors
/// [`Error::Conflict`] for a run that has not come to an end of its own, [`Error::Problems`] for a definition that the
/// checker refuses, [`Error::NotFound`].
pub async fn replay(ctx: &Ctx, run: RunId, against: Against, strictness: Strictness) -> Result<Replay, Error> {
    ctx.authorize(Action::ReadRun)?;
    let (recording, workflow) = record(ctx, run).await?;
    let definition = load(ctx, workflow, against).await?;
    Ok(play_all(ctx, definition, vec![(recording, strictness)]).await?.remove(0))
}

/// Keeps a run as a regression test of its workflow.
///
/// # Errors
/// As [`replay`]; [`Error::Conflict`] for a name that is taken or a workflow that has [`MAX_TESTS`] already,
/// [`Error::Invalid`] for a name or a recording that does not fit.
pub async fn save_test(
    ctx: &Ctx,
    workflow: WorkflowId,
    run: RunId,
    name: &str,
    strictness: Strictness,
) -> Result<WorkflowTest, Error> {
    ctx.authorize(Action::EditWorkflow)?;
    definitions::get(ctx, workflow).await?;
    let name = name.trim();
    let chars = name.chars().count();
    if chars == 0 || chars > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        let message = format!("expected 1 to {MAX_NAME_CHARS} characters and no control characters");
        return Err(Error::invalid("/name", message));
    }
    let (recording, of) = record(ctx, run).await?;
    if of != Some(workflow) {
        return Err(Error::invalid("/run_id", "expected a run of this workflow"));
    }
    let text = serde_json::to_string(&recording).expect("recordings are plain data");
    if text.len() > MAX_RECORDING_BYTES {
        let message = format!("expected a run that recorded at most {MAX_RECORDING_BYTES} bytes, found {}", text.len());
        return Err(Error::invalid("/run_id", message));
    }
    let test = WorkflowTest {
        id: ctx.ids.fresh(),
        workflow_id: workflow,
        name: name.to_owned(),
        strictness,
        run_id: run,
        created_by: ctx.actor.principal.user_name().map(str::to_owned),
        created_at: ctx.clock.now(),
    };
    match store::insert_test(&ctx.db, ctx.workspace(), &test, &text, MAX_TESTS).await? {
        store::Keeping::Done => Ok(test),
        store::Keeping::Full => {
            Err(Error::Conflict(format!("a workflow keeps at most {MAX_TESTS} tests; delete one first")))
        }
        store::Keeping::Taken => Err(Error::Conflict(format!("this workflow has a test named {name:?} already"))),
    }
}

/// The regression tests of a workflow, and whether they gate publishing.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn list_tests(ctx: &Ctx, workflow: WorkflowId) -> Result<WorkflowTests, Error> {
    ctx.authorize(Action::ReadWorkflow)?;
    let gate = store::gate(&ctx.db, ctx.workspace(), workflow).await?.ok_or(Error::NotFound("workflow"))?;
    let tests = store::list_tests(&ctx.db, ctx.workspace(), workflow).await?;
    Ok(WorkflowTests { gate, tests: tests.into_iter().map(|(test, _)| test).collect() })
}

/// Deletes a test.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete_test(ctx: &Ctx, workflow: WorkflowId, test: TestId) -> Result<(), Error> {
    ctx.authorize(Action::EditWorkflow)?;
    let deleted = store::delete_test(&ctx.db, ctx.workspace(), workflow, test).await?;
    if deleted { Ok(()) } else { Err(Error::NotFound("test")) }
}

/// Sets whether publishing is refused while a test fails.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn set_gate(ctx: &Ctx, workflow: WorkflowId, gate: bool) -> Result<WorkflowTests, Error> {
    ctx.authorize(Action::EditWorkflow)?;
    if !store::set_gate(&ctx.db, ctx.workspace(), workflow, gate).await? {
        return Err(Error::NotFound("workflow"));
    }
    list_tests(ctx, workflow).await
}

/// Plays every test of a workflow, by name.
///
/// # Errors
/// As [`replay`].
pub async fn run_tests(ctx: &Ctx, workflow: WorkflowId, against: Against) -> Result<Vec<TestResult>, Error> {
    ctx.authorize(Action::ReadWorkflow)?;
    ctx.authorize(Action::ReadRun)?;
    let definition = load(ctx, Some(workflow), against).await?;
    if store::gate(&ctx.db, ctx.workspace(), workflow).await?.is_none() {
        return Err(Error::NotFound("workflow"));
    }
    results(ctx, workflow, definition).await
}

async fn results(ctx: &Ctx, workflow: WorkflowId, definition: Definition) -> Result<Vec<TestResult>, Error> {
    let (mut tests, mut recordings) = (Vec::new(), Vec::new());
    for (test, text) in store::list_tests(&ctx.db, ctx.workspace(), workflow).await? {
        let unreadable = |error| crate::db::Error::inconsistent("workflow_test", "recording", error);
        let recording: Recording = serde_json::from_str(&text).map_err(unreadable)?;
        recordings.push((recording, test.strictness));
        tests.push(test);
    }
    let replays = play_all(ctx, definition, recordings).await?;
    Ok(tests.into_iter().zip(replays).map(|(test, replay)| TestResult { test, replay }).collect())
}

/// Refuses to publish a draft that fails a test, where the workflow says that its tests gate publishing.
pub(in crate::workflow) async fn check_gate(ctx: &Ctx, workflow: WorkflowId, draft: &Definition) -> Result<(), Error> {
    if store::gate(&ctx.db, ctx.workspace(), workflow).await? != Some(true) {
        return Ok(());
    }
    let failed = results(ctx, workflow, draft.clone()).await?.into_iter().filter(|result| !result.replay.passed);
    let fields: Vec<FieldError> = failed.map(|result| failure(&result)).collect();
    if fields.is_empty() { Ok(()) } else { Err(Error::TestsFailed(fields)) }
}

fn failure(result: &TestResult) -> FieldError {
    let first = result.replay.differences.iter().find(|difference| difference.fails);
    let message = first.map_or_else(String::new, |difference| match &difference.step {
        Some(step) => format!("step {step}: {}", difference.message),
        None => difference.message.clone(),
    });
    FieldError::new(format!("/tests/{}", result.test.name), message)
}

/// The recording of a run, and the workflow that it is of.
async fn record(ctx: &Ctx, run: RunId) -> Result<(Recording, Option<WorkflowId>), Error> {
    let (summary, hash) = runs::find(&ctx.db, ctx.workspace(), run).await?.ok_or(Error::NotFound("run"))?;
    let definition = history::definition(&ctx.db, ctx.workspace(), &hash).await?;
    let events = fork::load(ctx, run, i64::MAX, "/run_id").await?;
    let mut state = State::new(run, &definition);
    for event in &events {
        state.apply(event);
    }
    if !matches!(state.status(), RunStatus::Succeeded | RunStatus::Failed) {
        let stands = state.status().label().to_lowercase();
        let message = format!("a replay needs a run that succeeded or failed; this one is {stands}");
        return Err(Error::Conflict(message));
    }
    Ok((Recording::of(&state, &events), summary.workflow_id))
}

async fn load(ctx: &Ctx, workflow: Option<WorkflowId>, against: Against) -> Result<Definition, Error> {
    let stored = || workflow.ok_or_else(|| Error::invalid("/version", "this run's definition was never stored"));
    let definition = match against {
        Against::Definition(definition) => *definition,
        Against::Draft => {
            runs::find_draft(&ctx.db, ctx.workspace(), stored()?).await?.ok_or(Error::NotFound("workflow"))?
        }
        Against::Version(version) => {
            let found = runs::find_version(&ctx.db, ctx.workspace(), stored()?, Some(version)).await?;
            found.ok_or(Error::NotFound("version"))?.1
        }
    };
    let problems = check(&definition);
    if has_errors(&problems) { Err(Error::Problems(problems)) } else { Ok(definition) }
}

async fn play_all(
    ctx: &Ctx,
    definition: Definition,
    recordings: Vec<(Recording, Strictness)>,
) -> Result<Vec<Replay>, Error> {
    let graph: Arc<Graph> = Graph::new(definition);
    let work = move || {
        recordings.iter().map(|(recording, strictness)| play(recording, &graph, *strictness)).collect::<Vec<_>>()
    };
    ctx.tasks.blocking(work).await.map_err(|_| Error::Panicked("the replay"))
}

//! Giving an agent something to do, a run of one step, and letting it go on with what it had to leave.

use serde_json::json;

use super::runs::{self, NewRun, Source};
use super::store::history;
use super::{Error, steps};
use crate::agents;
use crate::model::agent::Agent;
use crate::model::workflow::{Command, Fact, StepError, TriggerKind};
use crate::model::{AgentId, RunId};
use crate::runtime::Ctx;

/// Characters of a task at most.
const MAX_PROMPT: usize = 100_000;

/// Gives an agent a task. Returns once the run is durable; it goes on by itself.
///
/// # Errors
/// [`Error::Invalid`] for a task that is empty or too long, [`Error::NotFound`] for no such agent, [`Error::Conflict`] for
/// one that was stopped, and as [`super::start()`].
pub async fn give_task(ctx: &Ctx, id: AgentId, prompt: String, key: Option<String>) -> Result<RunId, Error> {
    ctx.authorize(crate::model::auth::Action::StartRun)?;
    if prompt.trim().is_empty() || prompt.chars().count() > MAX_PROMPT {
        return Err(Error::invalid("/prompt", format!("expected a task of 1 to {MAX_PROMPT} characters")));
    }
    let agent = agents::get(ctx, id).await.map_err(|error| Error::Other(error.into()))?;
    if agent.stopped_at.is_some() {
        return Err(Error::Conflict(format!("the agent {} is stopped; let it work again first", agent.name)));
    }
    let source = Source::Inline(Box::new(steps::agent_definition(&agent.name)));
    let new = NewRun::new(source, json!({"prompt": prompt}), TriggerKind::Manual);
    super::start(ctx, NewRun { idempotency_key: key, ..new }).await
}

/// Lets an agent work again, and with it the runs that stand still because it was stopped; not those that a person paused, and
/// not those that wait for money. Returns how many of them go on.
///
/// # Errors
/// As [`agents::halt`].
pub async fn let_work(ctx: &Ctx, id: AgentId) -> Result<(Agent, u32), Error> {
    let other = |error: agents::Error| Error::Other(error.into());
    let agent = agents::halt(ctx, id, false).await.map_err(other)?;
    let mut resumed = 0;
    for run in agents::list_paused_runs(ctx, id).await.map_err(other)? {
        match resume(ctx, run).await {
            Ok(went_on) => resumed += u32::from(went_on),
            // It ended or went on meanwhile, or somebody can resume it by hand; the others are not kept by it.
            Err(error) => tracing::warn!(%run, %error, "a run of an agent that may work again was not resumed"),
        }
    }
    Ok((agent, resumed))
}

/// Resumes a run that stands still because an agent was stopped, and for nothing else.
async fn resume(ctx: &Ctx, run: RunId) -> Result<bool, Error> {
    let pause = history::find_newest(&ctx.db, ctx.workspace(), run, "run_paused").await?;
    if !matches!(pause.map(|event| event.fact), Some(Fact::RunPaused { by: None, .. })) {
        return Ok(false);
    }
    let detail = runs::get_run(ctx, run).await?;
    let was_stopped = |error: &StepError| error.class == StepError::STOPPED;
    if !detail.steps.iter().any(|step| step.error.as_ref().is_some_and(was_stopped)) {
        return Ok(false);
    }
    runs::control(ctx, run, Command::Resume).await.map(|_| true)
}

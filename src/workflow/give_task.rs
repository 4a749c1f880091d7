//! Giving an agent something to do, a run of one step, and letting it go on with what it had to leave.
//!
//! How many tasks an agent works at is flow control of these runs, under a key of its own. So a task that waits is a run that is
//! queued: it survives every process, and says itself why it waits. Steps of workflows and agents that ask agents are not counted:
//! who waits for another while it holds a place of its own could wait forever.

use serde_json::json;

use super::engine::Engine;
use super::runs::{self, NewRun, Source};
use super::store::{flow, history};
use super::{Error, steps};
use crate::agents::{self, Note};
use crate::model::agent::{Agent, AgentDraft, NewTask, Processes, TaskStatus};
use crate::model::auth::Action;
use crate::model::workflow::flow::{Concurrency, Flow, Priority, WhenFull};
use crate::model::workflow::{Command, Fact, StepError, TriggerKind};
use crate::model::{AgentId, RunId};
use crate::runtime::Ctx;

/// Characters of a task at most.
pub(super) const MAX_PROMPT: usize = 100_000;

/// Gives an agent a task. Returns once the run is durable; it goes on by itself, or waits while the agent works at as many tasks as
/// it may at once.
///
/// # Errors
/// [`Error::Invalid`] for a task that is empty or too long and for a priority beyond 1 to 9, [`Error::NotFound`] for no such agent,
/// [`Error::Conflict`] for one that was stopped, and as [`super::start()`].
pub async fn give_task(ctx: &Ctx, id: AgentId, task: NewTask, key: Option<String>) -> Result<RunId, Error> {
    ctx.authorize(Action::StartRun)?;
    let NewTask { prompt, priority, variables, trial } = task;
    if !is_task(&prompt) {
        return Err(Error::invalid("/prompt", format!("expected a task of 1 to {MAX_PROMPT} characters")));
    }
    if let Some(level) = priority.filter(|level| !(1..=9).contains(level)) {
        return Err(Error::invalid("/priority", format!("expected 1 to 9, of which 9 is first, found {level}")));
    }
    let agent = agents::get(ctx, id).await.map_err(|error| Error::Other(error.into()))?;
    if agent.stopped_at.is_some() {
        return Err(Error::Conflict(format!("the agent {} is stopped; let it work again first", agent.name)));
    }
    // Said here rather than by a run that fails.
    agent.spec.take_persona(&prompt, &variables).map_err(|fault| Error::invalid(fault.pointer, fault.message))?;
    begin(ctx, &agent, NewTask { prompt, priority, variables, trial }, key).await
}

/// Whether that can be a task.
pub(super) fn is_task(prompt: &str) -> bool {
    !prompt.trim().is_empty() && prompt.chars().count() <= MAX_PROMPT
}

/// Starts the run in which an agent does a task.
pub(super) async fn begin(ctx: &Ctx, agent: &Agent, task: NewTask, key: Option<String>) -> Result<RunId, Error> {
    let NewTask { prompt, priority, variables, trial } = task;
    let mut definition = steps::agent_definition(&agent.name, variables.keys().map(String::as_str));
    if trial {
        for step in &mut definition.steps {
            step.config.insert("trial".to_owned(), json!(true));
        }
    }
    definition.flow = Some(Flow {
        // Whoever tries something does not wait for the work, nor the work for them.
        concurrency: if trial { None } else { concurrency(agent) },
        priority: priority.map(|level| Priority::Level(i64::from(level))),
        rate: None,
    });
    // Whoever has the task is above those whom it asks.
    definition.team = agent.spec.team.clone().map(|team| team.led_by(&agent.name));
    let source = Source::Inline(Box::new(definition));
    let mut inputs = json!({"prompt": prompt});
    if !variables.is_empty() {
        inputs["variables"] = json!(variables);
    }
    let new = NewRun::new(source, inputs, TriggerKind::Manual);
    let run = super::start(ctx, NewRun { idempotency_key: key, ..new }).await?;
    if !trial {
        note_given(ctx, agent, run, prompt).await;
    }
    Ok(run)
}

/// How many tasks of an agent go on at once.
fn concurrency(agent: &Agent) -> Option<Concurrency> {
    agent.spec.limits.parallel.map(|limit| Concurrency { key: key_of(&agent.name), limit, when_full: WhenFull::Queue })
}

/// The key under which the tasks of an agent queue.
fn key_of(name: &str) -> String {
    format!("agent:{name}")
}

/// Puts the task on the agent's list. The list is a note: what is true of the task stands in its run.
async fn note_given(ctx: &Ctx, agent: &Agent, run_id: RunId, prompt: String) {
    let note = Note {
        run_id,
        step: steps::AGENT_STEP.to_owned(),
        agent: agent.id,
        version: agent.version,
        workflow_name: agent.name.clone(),
        prompt,
        status: TaskStatus::Queued,
        is_trial: false,
        turns: 0,
        tokens: 0,
        cost_micros: 0,
        processes: Processes::default(),
        waits_for: None,
    };
    if let Err(error) = agents::note_given(ctx, &note).await {
        tracing::warn!(run = %run_id, %error, "the board of agents is behind");
    }
}

/// Changes an agent, as [`agents::update`]. Where it may work at another number of tasks at once, that holds for those that wait.
///
/// # Errors
/// As [`agents::update`].
pub async fn change_agent(
    ctx: &Ctx,
    id: AgentId,
    version: impl Into<Option<i64>>,
    draft: AgentDraft,
) -> Result<Agent, Error> {
    ctx.authorize(Action::EditAgent)?;
    let other = |error: agents::Error| Error::Other(error.into());
    let before = agents::get(ctx, id).await.map_err(other)?;
    let agent = agents::update(ctx, id, version, draft).await.map_err(other)?;
    let parallel = agent.spec.limits.parallel;
    if before.spec.limits.parallel != parallel {
        // Under the name that they were accepted with.
        let lane = format!("key:{}", key_of(&before.name));
        let mut tx = ctx.db.begin().await?;
        flow::lock(&mut tx, ctx.workspace()).await?;
        let waiting = flow::limit::set(&mut tx, ctx.workspace(), &lane, parallel).await?;
        tx.commit().await?;
        if waiting > 0 {
            Engine::of(ctx.runtime()).let_in(ctx.workspace());
        }
    }
    Ok(agent)
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
    let Some(pause) = history::find_newest(&ctx.db, ctx.workspace(), run, "run_paused").await? else {
        return Ok(false);
    };
    if !matches!(pause.fact, Fact::RunPaused { by: None, .. }) {
        return Ok(false);
    }
    let was_stopped = |error: &StepError| error.class == StepError::STOPPED;
    // What it was paused for stands right before: also of a step inside of a container.
    let reason = history::list(&ctx.db, ctx.workspace(), run, pause.seq - 2, 1).await?.pop().map(|event| event.fact);
    let is_for_it = matches!(reason, Some(Fact::RetryScheduled { error, .. }) if was_stopped(&error));
    if !is_for_it {
        let detail = runs::get_run(ctx, run).await?;
        if !detail.steps.iter().any(|step| step.error.as_ref().is_some_and(was_stopped)) {
            return Ok(false);
        }
    }
    runs::control(ctx, run, Command::Resume).await.map(|_| true)
}

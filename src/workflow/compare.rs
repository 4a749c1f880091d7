//! Two versions of an agent at the same tasks, each in a run of its own.
//!
//! Owns what is started and how what came of it is read. Promises: each version does each task at most once, because a run is
//! started under a key that is made of the comparison, the task and the version; and nothing of it outlasts the runs: they are
//! trials, in which what would act, write or ask is refused. Where not all runs could be started, the caller is told, and the
//! comparison shows those that were.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::runs::{self, NewRun, Source};
use super::{Error, give_task, steps, store};
use crate::agents::{self, comparisons};
use crate::model::agent::{
    Agent, Check, CheckOutcome, ComparedTask, Comparison, ComparisonDraft, ComparisonPlan, ComparisonResult,
    MAX_CHECKS, MAX_TASKS, Trial,
};
use crate::model::auth::Action;
use crate::model::gateway::Usage;
use crate::model::workflow::expression::{self, Scope, StepScope};
use crate::model::workflow::flow::{Concurrency, Flow, Priority, WhenFull};
use crate::model::workflow::{RunDetail, RunStatus, StepStatus, TriggerKind};
use crate::model::{AgentId, ComparisonId, FieldError, RunId, Timestamp};
use crate::runtime::Ctx;

/// Runs of a comparison at once.
const AT_ONCE: u32 = 4;
/// How long starting all runs of a comparison may take, in milliseconds.
const BEGINS_WITHIN_MS: i64 = 60_000;
const MAX_NAME: usize = 60;
const MAX_EXPRESSION: usize = 2_000;

/// Starts a comparison.
///
/// # Errors
/// [`Error::Invalid`] with the place of what does not fit; [`Error::NotFound`] for no such agent; [`Error::Conflict`] for one that
/// is stopped; and as [`super::start()`].
pub async fn start(ctx: &Ctx, agent: AgentId, draft: ComparisonDraft) -> Result<ComparisonResult, Error> {
    ctx.authorize(Action::StartRun)?;
    let agent = agents::get(ctx, agent).await.map_err(other)?;
    if agent.stopped_at.is_some() {
        return Err(Error::Conflict(format!("the agent {} is stopped; let it work again first", agent.name)));
    }
    let plan = plan(ctx, &agent, draft).await?;
    let comparison = comparisons::keep(ctx, agent.id, plan).await.map_err(other)?;
    let versions = [comparison.plan.first, comparison.plan.second];
    let mut begun = 0;
    for (place, task) in comparison.plan.tasks.iter().enumerate() {
        for version in versions {
            if let Err(error) = begin(ctx, &agent, &comparison, place, task, version).await {
                // Of what has begun the results are worth keeping; of nothing there are none.
                if begun == 0 {
                    comparisons::withdraw(ctx, comparison.id).await.map_err(other)?;
                }
                return Err(error);
            }
            begun += 1;
        }
    }
    read(ctx, comparison).await
}

/// A comparison with what came of it so far.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(ctx: &Ctx, id: ComparisonId) -> Result<ComparisonResult, Error> {
    ctx.authorize(Action::ReadRun)?;
    let comparison = comparisons::get(ctx, id).await.map_err(other)?;
    read(ctx, comparison).await
}

/// Deletes a comparison whose runs are over; they stay.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] while runs of it go on: nobody would find them any more.
pub async fn delete(ctx: &Ctx, id: ComparisonId) -> Result<(), Error> {
    ctx.authorize(Action::EditAgent)?;
    if !get(ctx, id).await?.is_over {
        return Err(Error::Conflict("the comparison is not over; cancel its runs first, or wait".to_owned()));
    }
    comparisons::delete(ctx, id).await.map_err(other)
}

async fn plan(ctx: &Ctx, agent: &Agent, draft: ComparisonDraft) -> Result<ComparisonPlan, Error> {
    let ComparisonDraft { first, second, runs, prompts, checks } = draft;
    let mut refused = faults(&checks);
    if first == second {
        refused.push(FieldError::new("/second", "expected another version than the first"));
    }
    let count = runs.len() + prompts.len();
    if !(1..=MAX_TASKS).contains(&count) {
        let place = if runs.is_empty() { "/prompts" } else { "/runs" };
        refused.push(FieldError::new(place, format!("expected 1 to {MAX_TASKS} tasks in all, found {count}")));
    }
    let mut specs = Vec::new();
    for (version, place) in [(first, "/first"), (second, "/second")] {
        match agents::get_version(ctx, agent.id, version).await {
            Ok(found) => specs.push((version, found.spec)),
            Err(agents::Error::NotFound(_)) => {
                refused.push(FieldError::new(place, "expected a version of the agent, one of its newest 100"));
            }
            Err(error) => return Err(other(error)),
        }
    }
    let mut tasks = Vec::new();
    for (place, run) in runs.into_iter().enumerate().take(MAX_TASKS) {
        match recorded(ctx, agent, run).await? {
            Some(task) => tasks.push((format!("/runs/{place}"), task)),
            None => {
                let message = format!("expected the run of a task that {} was given", agent.name);
                refused.push(FieldError::new(format!("/runs/{place}"), message));
            }
        }
    }
    let written = prompts.into_iter().map(|prompt| ComparedTask { prompt, variables: BTreeMap::new(), recorded: None });
    tasks.extend(written.enumerate().map(|(place, task)| (format!("/prompts/{place}"), task)));
    for (place, task) in &tasks {
        if !give_task::is_task(&task.prompt) || task.prompt.contains('\0') {
            let message = format!("expected a task of 1 to {} characters", give_task::MAX_PROMPT);
            refused.push(FieldError::new(place.clone(), message));
            continue;
        }
        // What one of the versions could not begin is refused now.
        for (version, spec) in &specs {
            if let Err(fault) = spec.take_persona(&task.prompt, &task.variables) {
                let what = fault.pointer.trim_start_matches('/').to_owned();
                let message = format!("version {version} can't begin it: {what}: {}", fault.message);
                refused.push(FieldError::new(place.clone(), message));
            }
        }
    }
    if !refused.is_empty() {
        return Err(Error::Invalid(refused));
    }
    Ok(ComparisonPlan { first, second, tasks: tasks.into_iter().map(|(_, task)| task).collect(), checks })
}

/// The task that an agent was given in a run, if it was that.
async fn recorded(ctx: &Ctx, agent: &Agent, run: RunId) -> Result<Option<ComparedTask>, Error> {
    let detail = match runs::get_run(ctx, run).await {
        Ok(detail) => detail,
        Err(Error::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_one_step = matches!(detail.definition.steps.as_slice(), [step] if step.id == steps::AGENT_STEP);
    let is_theirs = is_one_step && agents::has_task(ctx, agent.id, run, steps::AGENT_STEP).await.map_err(other)?;
    let (true, Some(prompt)) = (is_theirs, detail.inputs.get("prompt").and_then(Value::as_str)) else {
        return Ok(None);
    };
    let variables = detail.inputs.get("variables").cloned().and_then(|given| serde_json::from_value(given).ok());
    Ok(Some(ComparedTask { prompt: prompt.to_owned(), variables: variables.unwrap_or_default(), recorded: Some(run) }))
}

/// What is wrong with checks.
fn faults(checks: &[Check]) -> Vec<FieldError> {
    let mut faults = Vec::new();
    if checks.len() > MAX_CHECKS {
        faults.push(FieldError::new("/checks", format!("expected at most {MAX_CHECKS}, found {}", checks.len())));
    }
    for (place, check) in checks.iter().enumerate().take(MAX_CHECKS) {
        let mut at = |field: &str, message: String| {
            faults.push(FieldError::new(format!("/checks/{place}/{field}"), message));
        };
        let name = check.name.trim();
        if !(1..=MAX_NAME).contains(&name.chars().count()) || name.contains(char::is_control) {
            at("name", format!("expected 1 to {MAX_NAME} characters"));
        } else if checks[..place].iter().any(|one| one.name.trim() == name) {
            at("name", format!("{name} is there twice"));
        }
        if !(1..=MAX_EXPRESSION).contains(&check.holds.trim().chars().count()) || check.holds.contains('\0') {
            at("holds", format!("expected an expression of 1 to {MAX_EXPRESSION} characters"));
            continue;
        }
        match expression::check_expression(check.holds.trim()) {
            Err(error) => at("holds", error.to_string()),
            Ok(refs) => {
                let is_known = |path: &String| {
                    path == "inputs.prompt" || path == "steps.work.output" || path.starts_with("steps.work.output.")
                };
                if let Some(path) = refs.paths.iter().find(|path| !is_known(path)) {
                    at("holds", format!("expected inputs.prompt or steps.work.output, found {path}"));
                }
            }
        }
    }
    faults
}

/// Starts the run of a version at a task, if it is not there.
async fn begin(
    ctx: &Ctx,
    agent: &Agent,
    comparison: &Comparison,
    place: usize,
    task: &ComparedTask,
    version: i64,
) -> Result<(), Error> {
    let mut definition = steps::agent_definition(&agent.name, task.variables.keys().map(String::as_str));
    for step in &mut definition.steps {
        step.config.insert("version".to_owned(), json!(version));
        step.config.insert("trial".to_owned(), json!(true));
    }
    definition.flow = Some(Flow {
        concurrency: Some(Concurrency {
            key: format!("comparison:{}", comparison.id),
            limit: AT_ONCE,
            when_full: WhenFull::Queue,
        }),
        // Nobody waits for a comparison who can't wait for work.
        priority: Some(Priority::Level(2)),
        rate: None,
    });
    let mut inputs = json!({"prompt": task.prompt});
    if !task.variables.is_empty() {
        inputs["variables"] = json!(task.variables);
    }
    let new = NewRun::new(Source::Inline(Box::new(definition)), inputs, TriggerKind::Manual);
    let key = key(comparison.id, place, version);
    super::start(ctx, NewRun { idempotency_key: Some(key), ..new }).await.map(drop)
}

/// The key of a run: whoever has the comparison finds it.
fn key(id: ComparisonId, place: usize, version: i64) -> String {
    format!("comparison:{id}:{place}:{version}")
}

async fn read(ctx: &Ctx, comparison: Comparison) -> Result<ComparisonResult, Error> {
    let mut both = [Vec::new(), Vec::new()];
    for (trials, version) in both.iter_mut().zip([comparison.plan.first, comparison.plan.second]) {
        for place in 0..comparison.plan.tasks.len() {
            trials.push(trial(ctx, &comparison, place, version).await?);
        }
    }
    let [first, second] = both;
    Ok(ComparisonResult::new(comparison, first, second))
}

async fn trial(ctx: &Ctx, comparison: &Comparison, place: usize, version: i64) -> Result<Trial, Error> {
    let checks = &comparison.plan.checks;
    let none = || Trial { checks: vec![CheckOutcome::Open; checks.len()], ..Trial::default() };
    let key = key(comparison.id, place, version);
    let Some((run, _)) = store::run::find_by_key(&ctx.db, ctx.workspace(), &key).await? else {
        // Whoever starts it may be about to; later it is gone.
        let is_fresh = ctx.clock.now().ms_since(comparison.created_at) < BEGINS_WITHIN_MS;
        return Ok(Trial { status: is_fresh.then_some(RunStatus::Queued), ..none() });
    };
    match runs::get_run(ctx, run).await {
        Ok(detail) => Ok(read_trial(&detail, checks)),
        Err(Error::NotFound(_)) => Ok(none()),
        Err(error) => Err(error),
    }
}

/// What came of a run.
fn read_trial(detail: &RunDetail, checks: &[Check]) -> Trial {
    let status = detail.summary.status;
    let output = &detail.output;
    let scope = AnswerScope { inputs: &detail.inputs, output };
    let check = |check: &Check| match status {
        RunStatus::Succeeded => match expression::eval_bool(check.holds.trim(), &scope) {
            Ok(true) => CheckOutcome::Passed,
            // What can't be said of an answer does not hold for it.
            Ok(false) | Err(_) => CheckOutcome::Missed,
        },
        status if status.is_final() => CheckOutcome::Missed,
        _ => CheckOutcome::Open,
    };
    let number = |name: &str| output.get(name).and_then(Value::as_i64).unwrap_or_default();
    let usage =
        output.get("usage").cloned().and_then(|usage| serde_json::from_value::<Usage>(usage).ok()).unwrap_or_default();
    let cost = output.get("cost_usd").and_then(Value::as_f64).map(|usd| (usd * 1e6).round() as i64);
    let ms = detail.summary.started_at.zip(detail.summary.ended_at).map(|(from, to)| to.ms_since(from).max(0));
    Trial {
        run_id: Some(detail.summary.id),
        status: Some(status),
        checks: checks.iter().map(check).collect(),
        turns: number("turns"),
        tokens: usage.prompt() + usage.output,
        cost_micros: cost,
        ms,
        error: detail.error.as_ref().map(|error| error.message.clone()),
    }
}

/// What a check sees: the task and the answer.
struct AnswerScope<'a> {
    inputs: &'a Value,
    output: &'a Value,
}

impl Scope for AnswerScope<'_> {
    fn inputs(&self) -> &Value {
        self.inputs
    }

    fn step(&self, id: &str) -> Option<StepScope<'_>> {
        let step = StepScope { output: self.output, status: StepStatus::Succeeded, error: None, input: None };
        (id == steps::AGENT_STEP).then_some(step)
    }

    fn step_ids(&self) -> Vec<String> {
        vec![steps::AGENT_STEP.to_owned()]
    }

    fn run_id(&self) -> RunId {
        RunId(uuid::Uuid::nil())
    }

    fn started_at(&self) -> Option<Timestamp> {
        None
    }

    fn workflow_name(&self) -> &'static str {
        ""
    }
}

fn other(error: agents::Error) -> Error {
    Error::Other(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(checks: &[(&str, &str)]) -> Vec<String> {
        let checks: Vec<Check> =
            checks.iter().map(|(name, holds)| Check { name: (*name).into(), holds: (*holds).into() }).collect();
        faults(&checks).into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn a_check_is_an_expression_over_the_task_and_the_answer() {
        assert_eq!(
            at(&[("a", "\"loom\" in steps.work.output.text"), ("b", "inputs.prompt == steps.work.output.text")]),
            [""; 0]
        );
        assert_eq!(
            at(&[("a", "steps.other.output"), ("b", "run.id"), ("c", "inputs.other")]),
            [0, 1, 2].map(|n| format!("/checks/{n}/holds"))
        );
        assert_eq!(
            at(&[("", "true"), ("a", ""), ("a", "1 +")]),
            ["/checks/0/name", "/checks/1/holds", "/checks/2/name", "/checks/2/holds"]
        );
        let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        assert_eq!(at(&many.iter().map(|name| (name.as_str(), "true")).collect::<Vec<_>>()), ["/checks"]);
    }
}

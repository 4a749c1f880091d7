//! `agent`: a model at work with tools, piece by piece.
//!
//! Owns what happens between a task and its answer. Each piece (an answer of the model, what its tools gave, a person's word)
//! is an entry of the step's journal, stored in the run's history before the next piece begins; the engine then calls this
//! again. So a process may end anywhere: what was paid for is not asked for again, and what was done is not done again. What
//! can't be done twice is noted before it begins; where its result is missing later, the model is told that nobody knows.
//!
//! What comes next is pure (`work` folds, `next` decides, `reach` refuses, `talk` words the request); here it is done.

mod above;
mod answer;
mod begin;
mod code;
mod files;
mod hand;
mod hooks;
mod leases;
mod merge;
mod next;
mod outcome;
mod place;
mod question;
mod reach;
mod release;
mod repository;
mod seen;
mod spend;
mod talk;
mod team;
#[cfg(test)]
mod tests;
mod tools;
mod work;

use serde_json::{Map, Value, json};

use self::leases::Ready;
use self::next::{Next, next};
pub use self::place::watch as watch_folders;
pub use self::spend::reserve;
use self::work::{Call, Work};
use super::prompt::{Asked, Tally, ask};
use super::{Outcome, StepCall, workflow};
use crate::agents::{self, Note};
use crate::model::AgentId;
use crate::model::agent::{AgentTool, Entry, Processes, Spent, TaskStatus, ToolResult, WaitsFor};
use crate::model::cache::{CacheMode, CacheWish};
use crate::model::gateway::{ContextWish, Request};
use crate::model::workflow::{Await, Definition, Step, StepError};
use crate::workflow::engine::Stream;
use crate::workflow::runs::Source;

/// How often it is looked whether somebody has stopped the agent, in milliseconds: with the time to end what is in motion, it
/// has stopped within two seconds.
const LOOK_MS: i64 = 1_000;
/// Runs of agents inside of runs, at most: agents that ask agents.
const MAX_DEPTH: u32 = 8;

/// The step of [`definition`].
pub const STEP: &str = "work";

/// A definition that gives an agent the task in `inputs.prompt`, with the variables of its persona of these names in
/// `inputs.variables`, and gives back its answer.
pub fn definition<'a>(agent: &str, variables: impl Iterator<Item = &'a str>) -> Definition {
    let mut step = Step::new(STEP, "agent");
    step.config.insert("agent".to_owned(), json!(agent));
    step.config.insert("prompt".to_owned(), json!("{{ inputs.prompt }}"));
    let mut properties = json!({"prompt": {"type": "string"}});
    let given: Map<String, Value> =
        variables.map(|name| (name.to_owned(), json!(format!("{{{{ inputs.variables.{name} }}}}")))).collect();
    if !given.is_empty() {
        step.config.insert("variables".to_owned(), Value::Object(given));
        properties["variables"] = json!({"type": "object", "additionalProperties": {"type": "string"}});
    }
    Definition {
        inputs: json!({"type": "object", "required": ["prompt"], "properties": properties}),
        steps: vec![step],
        output: json!("{{ steps.work.output }}"),
        ..Definition::empty(agent)
    }
}

/// Does the next piece of the work.
///
/// # Errors
/// Class `limit`, `loop`, `hook`, `schema`, `max_tokens`, `refused_by_model` and `too_large` where the agent can't go on; `stopped`
/// and `budget`, of which the run waits; the gateway's where no model answers.
pub async fn run(call: StepCall) -> Result<Outcome, StepError> {
    let entries: Vec<Entry> = call
        .journal
        .iter()
        .map(|entry| Entry::read(entry))
        .collect::<Result<_, _>>()
        .map_err(|error| StepError::permanent("journal", format!("the agent's journal can't be read: {error}")))?;
    let Some(work) = Work::fold(&entries)? else { return begin::begin(&call).await };
    if is_stopped(&call, work.agent).await {
        return Err(stopped(&work));
    }
    let next = next(&work, call.attempt, call.is_repeat);
    let outcome = tokio::select! {
        outcome = perform(&call, &work, next) => outcome,
        error = until_stopped(&call, &work) => Err(error),
    };
    // What comes of a copy of a repository is read from it again if the server ends before this is stored.
    if matches!(outcome, Ok(Outcome::Done { .. })) && !place::has_repository(&work) {
        place::clean_up(&call).await;
    }
    note(&call, &work, &outcome).await;
    outcome
}

fn advanced(entry: &Entry) -> Result<Outcome, StepError> {
    let entry = serde_json::to_value(entry)
        .map_err(|error| StepError::permanent("internal", format!("an entry could not be written: {error}")))?;
    Ok(Outcome::Advanced { entry })
}

async fn perform(call: &StepCall, work: &Work, next: Next) -> Result<Outcome, StepError> {
    match next {
        Next::Say(request) => {
            above::limit(call, work).await?;
            match team::hear(call, work).await? {
                // With what was heard in it the request is another.
                Some(heard) => {
                    if let Entry::Heard { judged, .. } = &heard {
                        for line in judged.iter().flat_map(hooks::lines) {
                            print(call, &line).await;
                        }
                    }
                    advanced(&heard)
                }
                None => advanced(&say(call, work, *request).await?),
            }
        }
        Next::Judge(calls) => {
            for line in calls.iter().flat_map(hooks::lines) {
                print(call, &line).await;
            }
            advanced(&Entry::Judged { calls })
        }
        Next::Use(calls, refusals) => {
            let began = call.ctx.clock.now();
            for refusal in &refusals {
                print(call, &format!("✗ {}: {}", refusal.tool, refusal.content)).await;
            }
            let (here, elsewhere): (Vec<&Call>, Vec<&Call>) =
                calls.iter().partition(|one| one.tool.is_some_and(|tool| tool.needs_folder() || tool.is_of_team()));
            let here = async {
                let mut done = Vec::new();
                for one in here {
                    done.push(tools::use_now(call, work, one).await);
                }
                done
            };
            let elsewhere = futures::future::join_all(elsewhere.into_iter().map(|one| tools::use_now(call, work, one)));
            let (here, elsewhere) = futures::join!(here, elsewhere);
            let (done, put_off): (Vec<_>, Vec<_>) = here.into_iter().chain(elsewhere).partition(Result::is_ok);
            let done: Vec<ToolResult> = refusals.into_iter().chain(done.into_iter().flatten()).collect();
            match put_off.into_iter().find_map(Result::err) {
                // What is put off is looked at again once what was done is stored.
                Some(entry) if done.is_empty() => advanced(&entry),
                _ => advanced(&results(call, began, done)),
            }
        }
        Next::Start(one) => advanced(&start(call, work, one).await),
        Next::Queue(one) => queue(call, work, one).await,
        Next::Act(one) => {
            let began = call.ctx.clock.now();
            let result = match tools::act(call, work, &one).await {
                Ok(result) => result,
                Err(entry) => return advanced(&entry),
            };
            if call.cancel.is_cancelled() {
                return Err(StepError::transient("cancelled", "the agent was stopped in the middle of an action"));
            }
            advanced(&results(call, began, vec![result]))
        }
        Next::Unknown(one) => {
            let why = "This was cut off while it ran, and nobody knows whether it took effect. Find out before you do it again.";
            print(call, &format!("? {}: {why}", one.name)).await;
            advanced(&Entry::Used { results: vec![outcome::refused(&one, why)], ms: 0 })
        }
        Next::Consent(one) => consent(call, work, &one).await,
        Next::Wait(one) => wait(call, work, &one).await,
        Next::Release => question::release(call, work),
        Next::Done(mut output) => {
            if place::has_repository(work) {
                output["changes"] = changes(call, work).await;
            }
            Ok(Outcome::out(output))
        }
        Next::Fail(error) => Err(error),
    }
}

/// Notes that a call begins which can't be done twice, once it has the lease that it needs.
async fn start(call: &StepCall, work: &Work, one: Call) -> Entry {
    match leases::ready(call, work, &one).await {
        Ready::Yes => Entry::Started { id: one.id, attempt: call.attempt },
        Ready::Queued { thing, why, .. } => Entry::Queued { id: one.id, thing, why },
        Ready::Refused(why) => refusal(call, &one, &why).await,
    }
}

/// Does a call that waited for its lease, if it has it, or goes on waiting.
async fn queue(call: &StepCall, work: &Work, one: Call) -> Result<Outcome, StepError> {
    match leases::ready(call, work, &one).await {
        Ready::Queued { id, why, .. } => {
            print(call, &format!("… {why}")).await;
            let on = Await::Event { key: crate::agents::leases::key(id), fields: Value::Null };
            Ok(Outcome::Waiting { reason: why, until: None, on: Some(on) })
        }
        Ready::Refused(why) => advanced(&refusal(call, &one, &why).await),
        Ready::Yes if next::is_harmless(work, &one) => {
            let began = call.ctx.clock.now();
            match tools::act(call, work, &one).await {
                Ok(result) => advanced(&results(call, began, vec![result])),
                Err(entry) => advanced(&entry),
            }
        }
        Ready::Yes => advanced(&Entry::Started { id: one.id, attempt: call.attempt }),
    }
}

/// A call is not done, and why.
async fn refusal(call: &StepCall, one: &Call, why: &str) -> Entry {
    print(call, &format!("✗ {}: {why}", one.name)).await;
    Entry::Used { results: vec![outcome::refused(one, why)], ms: 0 }
}

/// Asks whether a call may be done; about changes with all of them, so that just these are published.
async fn consent(call: &StepCall, work: &Work, one: &Call) -> Result<Outcome, StepError> {
    if one.tool != Some(AgentTool::PublishChanges) {
        return Ok(question::consent(call, work, one, None));
    }
    let message = one.arguments.get("message").and_then(Value::as_str).unwrap_or_default();
    let why = match repository::propose(call, work, message, Some(one)).await {
        Ok(Some(changes)) => return Ok(question::consent(call, work, one, Some(&changes))),
        Ok(None) => repository::NOTHING_CHANGED.to_owned(),
        Err(why) => why,
    };
    print(call, &format!("✗ {}: {why}", one.name)).await;
    advanced(&Entry::Used { results: vec![outcome::refused(one, &why)], ms: 0 })
}

/// What was changed in the copy of the repository, for the step's output. Where it can't be told, that is said.
async fn changes(call: &StepCall, work: &Work) -> Value {
    let message = format!("{}: {}", work.name, work.prompt.lines().next().unwrap_or_default());
    match repository::propose(call, work, &message, None).await {
        Ok(Some(changes)) => serde_json::to_value(changes).unwrap_or_default(),
        Ok(None) => Value::Null,
        Err(why) => json!({"error": why}),
    }
}

fn results(call: &StepCall, began: crate::model::Timestamp, results: Vec<ToolResult>) -> Entry {
    Entry::Used { results, ms: call.ctx.clock.now().ms_since(began).max(0) }
}

/// One answer of the model.
async fn say(call: &StepCall, work: &Work, mut request: Request) -> Result<Entry, StepError> {
    request.session = Some(format!("{}/{}", call.run_id, call.step));
    let wish = CacheWish { mode: CacheMode::Never, ..CacheWish::default() };
    let mut tally = Tally::new();
    let began = call.ctx.clock.now();
    let agent = Some(work.agent);
    let asked = Asked { request, cache: wish, context: ContextWish::of(&work.spec.context), agent };
    let mut response = ask(call, asked, &mut tally).await?;
    answer::tell_apart(&mut response.content);
    if let Some(left_out) = &tally.context {
        print(call, &format!("To make room, {}.", left_out.words())).await;
    }
    let spent =
        Spent { usage: tally.usage, cost_micros: tally.cost_micros, ms: call.ctx.clock.now().ms_since(began).max(0) };
    Ok(Entry::Said {
        content: response.content,
        stop: response.stop,
        spent,
        provider: tally.provider,
        model: tally.model,
        why: tally.why,
        context: tally.context,
    })
}

/// Begins what gives its result in its own time.
async fn wait(call: &StepCall, work: &Work, one: &Call) -> Result<Outcome, StepError> {
    use crate::model::agent::AgentTool as T;
    let text = |name: &str| one.arguments.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let begun = match one.tool {
        Some(T::AskPerson) => return Ok(question::to_person(call, work, one)),
        Some(T::AskAgent | T::HandOver) if call.depth >= MAX_DEPTH => {
            Err(StepError::permanent("too_deep", format!("agents may ask each other at most {MAX_DEPTH} deep")))
        }
        Some(T::AskAgent | T::HandOver) => {
            let name = text("agent");
            if let Some(why) = team::keeps_from(call, work, &name).await? {
                return advanced(&refusal(call, one, &why).await);
            }
            let source = Source::Inline(Box::new(definition(&name, std::iter::empty())));
            workflow::begin(call, source, json!({"prompt": text("task")}), &name, false).await
        }
        _ => {
            let inputs = one.arguments.get("inputs").cloned().unwrap_or(Value::Null);
            workflow::begin_named(call, &text("workflow"), inputs, false).await
        }
    };
    match begun {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.retryable => Err(error),
        Err(error) => advanced(&Entry::Used { results: vec![outcome::refused(one, &error.message)], ms: 0 }),
    }
}

/// A line of the step's log.
async fn print(call: &StepCall, line: &str) {
    let mut line: String = line.chars().take(2_000).collect();
    line.push('\n');
    call.log.write(Stream::Log, &line).await;
}

fn stopped(work: &Work) -> StepError {
    StepError::permanent(StepError::STOPPED, format!("the agent {} was stopped", work.name))
}

async fn is_stopped(call: &StepCall, agent: AgentId) -> bool {
    // Where that can't be read, nothing of the kind is known.
    agents::is_stopped(&call.ctx, agent).await.unwrap_or_else(|error| {
        tracing::warn!(%agent, %error, "it can't be read whether an agent was stopped");
        false
    })
}

async fn until_stopped(call: &StepCall, work: &Work) -> StepError {
    loop {
        call.ctx.clock.sleep_ms(LOOK_MS).await;
        if is_stopped(call, work.agent).await {
            return stopped(work);
        }
    }
}

/// Tells how the work stands after this piece.
async fn note(call: &StepCall, work: &Work, outcome: &Result<Outcome, StepError>) {
    let status = match outcome {
        Ok(Outcome::Done { .. }) => TaskStatus::Done,
        Ok(Outcome::Advanced { .. }) => TaskStatus::Working,
        Ok(Outcome::Waiting { .. }) => TaskStatus::Waiting,
        Err(error) if error.class == StepError::STOPPED || error.class == StepError::BUDGET => TaskStatus::Waiting,
        Err(_) if call.cancel.is_cancelled() => TaskStatus::Waiting,
        Err(_) => TaskStatus::Failed,
    };
    let waits_for = match outcome {
        Ok(Outcome::Waiting { on: Some(Await::Approval { .. }), .. }) => Some(WaitsFor::People),
        Err(error) if error.class == StepError::BUDGET => Some(WaitsFor::Budget),
        _ => None,
    };
    tell(call, work, status, waits_for).await;
}

async fn tell(call: &StepCall, work: &Work, status: TaskStatus, waits_for: Option<WaitsFor>) {
    tell_with(call, work, (status, waits_for), Processes::default()).await;
}

/// As [`tell`], with what processes use that run at the moment.
async fn tell_with(
    call: &StepCall,
    work: &Work,
    (status, waits_for): (TaskStatus, Option<WaitsFor>),
    running: Processes,
) {
    let note = Note {
        run_id: call.run_id,
        step: call.step.clone(),
        agent: work.agent,
        version: work.version,
        workflow_name: call.workflow_name.clone(),
        prompt: work.prompt.chars().take(300).collect(),
        status,
        is_trial: work.is_trial,
        turns: work.totals.turns,
        tokens: work.totals.tokens,
        cost_micros: work.totals.cost_micros,
        processes: work.totals.processes.plus(running),
        waits_for,
    };
    if let Err(error) = agents::note_task(&call.ctx, &note).await {
        tracing::warn!(run = %call.run_id, %error, "the board of agents is behind");
    }
}

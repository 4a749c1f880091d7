//! What an agent does next: pure, from where its work stands.

use super::outcome::refused;
use super::work::{Call, Work};
use super::{reach, talk};
use crate::model::agent::{AgentTool, Effect, Judgement, ToolResult};
use crate::model::gateway::Request;
use crate::model::workflow::StepError;

/// The next thing.
#[derive(Debug, Clone)]
pub enum Next {
    /// Ask the model.
    Say(Box<Request>),
    /// Note what the hooks say.
    Judge(Vec<Judgement>),
    /// Do these at once, side by side; the results beside them are refusals that cost nothing.
    Use(Vec<Call>, Vec<ToolResult>),
    /// Note that this begins, which can't be done twice.
    Start(Call),
    /// Do this, which has just been noted.
    Act(Call),
    /// This waits for a lease: look whether it has it.
    Queue(Call),
    /// This was begun and cut off: whether it took effect is not known.
    Unknown(Call),
    /// Ask a person whether this may be done.
    Consent(Call),
    /// Wait for what this gives.
    Wait(Call),
    /// Ask a person whether the answer may be given.
    Release,
    /// It is done.
    Done(serde_json::Value),
    /// It can't be done.
    Fail(StepError),
}

/// Decides. `attempt` is the step's, `is_repeat` whether the same was begun before, in a process that ended.
pub fn next(work: &Work, attempt: u32, is_repeat: bool) -> Next {
    match &work.end {
        Some(Ok(answer)) => return Next::Done(work.output(answer)),
        Some(Err(error)) => return Next::Fail(error.clone()),
        None => {}
    }
    match work.saying.as_ref().map(|saying| saying.judgement.is_some()) {
        Some(true) => return Next::Release,
        Some(false) => return Next::Judge(work.judge()),
        None => {}
    }
    if reach::is_hopeless(work) {
        let message = "the agent calls the same tool with the same arguments again and again";
        return Next::Fail(StepError::permanent("loop", message));
    }
    if work.calls.is_empty() {
        return match reached(work) {
            Some(limit) => Next::Fail(StepError::permanent("limit", limit)),
            None => Next::Say(Box::new(talk::request(work))),
        };
    }
    let judgements = work.judge();
    if !judgements.is_empty() {
        return Next::Judge(judgements);
    }
    let open = || work.calls.iter().filter(|call| call.result.is_none());
    let refuse = |call: &Call| reach::surplus(work, call).or_else(|| reach::refusal(work, call));
    let refusals: Vec<ToolResult> = open().filter_map(|call| Some(refused(call, &refuse(call)?))).collect();
    let free: Vec<&Call> = open().filter(|call| refuse(call).is_none()).collect();
    // What has begun is looked after first.
    if let Some(call) = free.iter().find(|call| call.begun_in.is_some()) {
        let is_fresh = call.begun_in == Some(attempt) && !is_repeat;
        return if is_fresh { Next::Act((*call).clone()) } else { Next::Unknown((*call).clone()) };
    }
    if let Some(call) = free.iter().find(|call| call.is_queued) {
        return Next::Queue((*call).clone());
    }
    let at_once: Vec<Call> = free.iter().filter(|call| is_harmless(work, call)).map(|call| (*call).clone()).collect();
    if !at_once.is_empty() || !refusals.is_empty() {
        return Next::Use(at_once, refusals);
    }
    let Some(call) = free.first().copied().cloned() else {
        // Every call has a result, and then the turn is closed by the fold.
        return Next::Fail(StepError::permanent("journal", "the agent's journal has a turn that does not end"));
    };
    if work.asks_first(&call) {
        Next::Consent(call)
    } else if call.tool.is_some_and(AgentTool::waits) {
        Next::Wait(call)
    } else {
        Next::Start(call)
    }
}

/// Whether doing it twice does no harm: what reads, and what writes the same under the same key.
pub fn is_harmless(work: &Work, call: &Call) -> bool {
    let Some(tool) = call.tool else { return false };
    !work.asks_first(call) && !tool.waits() && work.spec.effect(tool, &call.arguments) != Effect::Acts
}

/// The limit that the work has reached.
fn reached(work: &Work) -> Option<String> {
    let (limits, totals) = (work.spec.limits, work.totals);
    if totals.turns >= limits.turns {
        return Some(format!("the agent has used its {} turns", limits.turns));
    }
    if totals.tokens >= limits.tokens {
        return Some(format!("the agent has used {} tokens of its {}", totals.tokens, limits.tokens));
    }
    if let Some(limit) = limits.cost_micros.filter(|limit| totals.cost_micros >= *limit) {
        let usd = crate::model::gateway::short_usd;
        return Some(format!("the agent has spent {} of its {}", usd(totals.cost_micros), usd(limit)));
    }
    (totals.ms >= limits.work_ms)
        .then(|| format!("the agent has worked {} s of its {} s", totals.ms / 1000, limits.work_ms / 1000))
}

//! Trying the hooks of an agent: what they would say of a call, which nobody makes.

use serde_json::Value;

use super::error::{Error, Result};
use crate::model::agent::hook::{judge, judge_words};
use crate::model::agent::{AgentTool, HookCall, HookOutcome, HookTrial, HookTried, HookWords};
use crate::model::auth::Action;
use crate::runtime::Ctx;

/// Problems of arguments that are told at once.
const MAX_REASONS: usize = 5;

/// Tells what hooks say of a call, of what it would give, and of words that come without one. The rules and the reach of an agent are looked at besides them. Nothing
/// is done, and nothing is kept.
///
/// # Errors
/// [`Error::Denied`] for who may not change agents; [`Error::Invalid`] with pointers such as `/hooks/0/condition`.
pub fn try_hooks(ctx: &Ctx, trial: &HookTrial) -> Result<HookTried> {
    ctx.authorize(Action::EditAgent)?;
    let faults = trial.faults();
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let call = HookCall {
        id: "",
        agent: &trial.agent,
        tool: trial.tool.as_str(),
        arguments: &trial.arguments,
        is_tainted: trial.tainted,
        came: None,
    };
    let before = judge(&trial.hooks, &call);
    let arguments = before.arguments.as_ref().unwrap_or(&trial.arguments);
    let misfit = misfit(trial.tool, arguments);
    let is_made = before.outcome != HookOutcome::Denied && misfit.is_none();
    let result = trial.result.as_deref().filter(|_| is_made);
    let after =
        result.map(|text| judge(&trial.hooks, &HookCall { arguments, came: Some((text, trial.is_error)), ..call }));
    let (agent, is_tainted) = (trial.agent.as_str(), trial.tainted);
    let answer = trial.answer.as_deref().map(|text| {
        let json = serde_json::from_str(text).unwrap_or(Value::Null);
        judge_words(&trial.hooks, &HookWords::Answer { agent, text, json: &json, task: "", is_tainted })
    });
    let heard = trial.heard.as_deref().map(|text| {
        let words = HookWords::Heard { agent, number: 1, sender: "another", kind: "note", text, is_tainted };
        judge_words(&trial.hooks, &words)
    });
    Ok(HookTried { before, misfit, after, answer, heard })
}

/// Why arguments are not what a tool is called with, in words; `None` where they are.
pub fn misfit(tool: AgentTool, arguments: &Value) -> Option<String> {
    if !arguments.is_object() {
        return Some("expected a JSON object".to_owned());
    }
    let validator = jsonschema::validator_for(&tool.schema()).ok()?;
    let reasons: Vec<String> = validator
        .iter_errors(arguments)
        .take(MAX_REASONS)
        .map(|error| match error.instance_path().to_string() {
            at if at.is_empty() => error.to_string(),
            at => format!("{at}: {error}"),
        })
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

//! What hooks come to: pure, so that the browser tries them as the server does.

use serde_json::Value;

use super::{Hook, HookAct, HookDid, HookOutcome, HookPoint, HookSaid, Judgement, MAX_HOOK_MESSAGE, edit};
use crate::model::workflow::expression::{self, Named};

/// A call of a tool, as hooks see it.
#[derive(Debug, Clone, Copy)]
pub struct HookCall<'a> {
    /// The call's id.
    pub id: &'a str,
    /// The agent's name.
    pub agent: &'a str,
    /// The tool's name.
    pub tool: &'a str,
    /// What it is called with.
    pub arguments: &'a Value,
    /// Whether the agent has read what strangers may have written.
    pub is_tainted: bool,
    /// What it gave, and whether that is an error; `None` before the call.
    pub came: Option<(&'a str, bool)>,
}

/// What one hook that matched does.
enum Step {
    Goes(HookDid, String),
    Arguments(Value, String),
    Text(String),
    Ends(HookDid, HookOutcome, String),
}

/// What the hooks say of a call: before it, or after it where it `came` to something.
pub fn judge(hooks: &[Hook], call: &HookCall<'_>) -> Judgement {
    let when = if call.came.is_some() { HookPoint::After } else { HookPoint::Before };
    let mut judgement = Judgement {
        id: call.id.to_owned(),
        tool: call.tool.to_owned(),
        when,
        said: Vec::new(),
        outcome: HookOutcome::Undecided,
        by: String::new(),
        words: String::new(),
        asked: None,
        arguments: None,
        result: None,
    };
    for hook in hooks.iter().filter(|hook| hook.when == when) {
        let (did, words) = if judgement.outcome != HookOutcome::Undecided {
            (HookDid::NotReached, String::new())
        } else if hook.is_about(call.tool) {
            match look(hook, call, &judgement) {
                None => (HookDid::NotMet, String::new()),
                Some(step) => judgement.take(hook, step),
            }
        } else {
            (HookDid::OtherTool, String::new())
        };
        judgement.said.push(HookSaid { hook: hook.name.clone(), did, words });
    }
    if judgement.arguments.as_ref() == Some(call.arguments) {
        judgement.arguments = None;
    }
    judgement.asked = judgement.arguments.is_some().then(|| call.arguments.clone());
    judgement
}

impl Judgement {
    fn take(&mut self, hook: &Hook, step: Step) -> (HookDid, String) {
        match step {
            Step::Goes(did, words) => (did, words),
            Step::Arguments(arguments, words) => {
                self.arguments = Some(arguments);
                (HookDid::Edited, words)
            }
            Step::Text(text) => {
                self.result = Some(text);
                (HookDid::Edited, String::new())
            }
            Step::Ends(did, outcome, words) => {
                self.outcome = outcome;
                self.by.clone_from(&hook.name);
                self.words.clone_from(&words);
                (did, words)
            }
        }
    }
}

/// What a hook does, after what those before it did; `None` where its condition does not hold.
fn look(hook: &Hook, call: &HookCall<'_>, so_far: &Judgement) -> Option<Step> {
    let (tool, agent) = (Value::from(call.tool), Value::from(call.agent));
    let tainted = Value::from(call.is_tainted);
    let arguments = so_far.arguments.as_ref().unwrap_or(call.arguments);
    let came = call
        .came
        .map(|(text, is_error)| (Value::from(so_far.result.as_deref().unwrap_or(text)), Value::from(is_error)));
    let known = [("tool", &tool), ("agent", &agent), ("tainted", &tainted), ("arguments", arguments)];
    let after = came.iter().flat_map(|(result, is_error)| [("result", result), ("is_error", is_error)]);
    let scope = Named::new(hook.when.names(), known.into_iter().chain(after));
    let holds = match hook.condition.trim() {
        "" => Ok(true),
        condition => expression::eval_bool(condition, &scope).map_err(|error| error.to_string()),
    };
    match holds {
        Ok(false) => None,
        Ok(true) => Some(act(hook, arguments, &scope).unwrap_or_else(failed)),
        Err(why) => Some(failed(why)),
    }
}

/// What could not be evaluated denies: nobody knows what it would have said.
fn failed(why: String) -> Step {
    Step::Ends(HookDid::Failed, HookOutcome::Denied, format!("it could not be evaluated: {why}"))
}

fn act(hook: &Hook, arguments: &Value, scope: &Named<'_>) -> Result<Step, String> {
    Ok(match &hook.does {
        HookAct::Allow {} => Step::Ends(HookDid::Allowed, HookOutcome::Allowed, String::new()),
        HookAct::Deny { message } => Step::Ends(HookDid::Denied, HookOutcome::Denied, message.trim().to_owned()),
        // After a call there is nothing to ask about any more: what asks then holds back.
        HookAct::Ask { message } => match hook.when {
            HookPoint::Before => Step::Ends(HookDid::Asked, HookOutcome::Asked, message.trim().to_owned()),
            HookPoint::After => Step::Ends(HookDid::Denied, HookOutcome::Denied, message.trim().to_owned()),
        },
        HookAct::Log { message } => {
            let value =
                expression::render(&Value::String(message.clone()), scope).map_err(|error| error.to_string())?;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Step::Goes(HookDid::Logged, text.chars().take(MAX_HOOK_MESSAGE).collect())
        }
        HookAct::Edit { whole, .. } if hook.when == HookPoint::After => Step::Text(edit::text(whole, scope)?),
        HookAct::Edit { set, whole } if whole.trim().is_empty() => {
            let paths: Vec<&str> = set.iter().map(|setting| setting.path.as_str()).collect();
            Step::Arguments(edit::set(arguments, set, scope)?, format!("sets {}", paths.join(", ")))
        }
        HookAct::Edit { whole, .. } => Step::Arguments(edit::whole(whole, scope)?, "sets all arguments".to_owned()),
    })
}

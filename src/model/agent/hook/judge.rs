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

/// Words that come without a tool, as hooks see them.
#[derive(Debug, Clone, Copy)]
pub enum HookWords<'a> {
    /// What the agent answers.
    Answer {
        /// The agent's name.
        agent: &'a str,
        /// The words.
        text: &'a str,
        /// The value that fits the schema; null without one.
        json: &'a Value,
        /// What it was to do.
        task: &'a str,
        /// Whether the agent has read what strangers may have written.
        is_tainted: bool,
    },
    /// What another of its team wrote to it.
    Heard {
        /// The agent's name.
        agent: &'a str,
        /// The message's number in the team.
        number: i64,
        /// Who wrote it.
        sender: &'a str,
        /// What it is: `task`, `question`, `answer`, `report`, `note`.
        kind: &'a str,
        /// The words, with what came with them.
        text: &'a str,
        /// Whether the agent has read what strangers may have written before.
        is_tainted: bool,
    },
}

/// What the hooks say of a call: before it, or after it where it `came` to something.
pub fn judge(hooks: &[Hook], call: &HookCall<'_>) -> Judgement {
    let when = if call.came.is_some() { HookPoint::After } else { HookPoint::Before };
    let of = Judgement { id: call.id.to_owned(), tool: call.tool.to_owned(), ..Judgement::of(when) };
    let mut judgement = ask(hooks, of, |hook, so_far| look(hook, call, so_far));
    if judgement.arguments.as_ref() == Some(call.arguments) {
        judgement.arguments = None;
    }
    judgement.asked = judgement.arguments.is_some().then(|| call.arguments.clone());
    judgement
}

/// What the hooks say of words that come without a tool.
pub fn judge_words(hooks: &[Hook], words: &HookWords<'_>) -> Judgement {
    let of = match words {
        HookWords::Answer { .. } => Judgement { tool: "answer".to_owned(), ..Judgement::of(HookPoint::Answer) },
        HookWords::Heard { number, sender, .. } => {
            Judgement { id: number.to_string(), tool: (*sender).to_owned(), ..Judgement::of(HookPoint::Heard) }
        }
    };
    ask(hooks, of, |hook, so_far| look_at_words(hook, words, so_far))
}

/// Asks the hooks one after the other, until one decides.
fn ask(hooks: &[Hook], mut judgement: Judgement, look: impl Fn(&Hook, &Judgement) -> Option<Step>) -> Judgement {
    let when = judgement.when;
    for hook in hooks.iter().filter(|hook| hook.when == when) {
        let (did, words) = if judgement.outcome != HookOutcome::Undecided {
            (HookDid::NotReached, String::new())
        } else if when.is_of_words() || hook.is_about(&judgement.tool) {
            match look(hook, &judgement) {
                None => (HookDid::NotMet, String::new()),
                Some(step) => judgement.take(hook, step),
            }
        } else {
            (HookDid::OtherTool, String::new())
        };
        judgement.said.push(HookSaid { hook: hook.name.clone(), did, words });
    }
    judgement
}

impl Judgement {
    /// One that says nothing yet.
    fn of(when: HookPoint) -> Self {
        Self {
            id: String::new(),
            tool: String::new(),
            when,
            said: Vec::new(),
            outcome: HookOutcome::Undecided,
            by: String::new(),
            words: String::new(),
            asked: None,
            arguments: None,
            result: None,
        }
    }

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
    held(hook, arguments, &Named::new(hook.when.names(), known.into_iter().chain(after)))
}

/// As [`look`], at words.
fn look_at_words(hook: &Hook, words: &HookWords<'_>, so_far: &Judgement) -> Option<Step> {
    let nothing = Value::Null;
    match *words {
        HookWords::Answer { agent, text, json, task, is_tainted } => {
            let text = Value::from(so_far.result.as_deref().unwrap_or(text));
            // What was edited is judged by its words; whether they fit the schema is looked at when all hooks have spoken.
            let edited = so_far.result.as_deref().map(|text| serde_json::from_str(text).unwrap_or(Value::Null));
            let json = edited.as_ref().filter(|_| !json.is_null()).unwrap_or(json);
            let (agent, task, tainted) = (Value::from(agent), Value::from(task), Value::from(is_tainted));
            let known = [("text", &text), ("json", json), ("task", &task), ("agent", &agent), ("tainted", &tainted)];
            held(hook, &nothing, &Named::new(hook.when.names(), known))
        }
        HookWords::Heard { agent, sender, kind, text, is_tainted, .. } => {
            let text = Value::from(so_far.result.as_deref().unwrap_or(text));
            let (agent, sender, kind) = (Value::from(agent), Value::from(sender), Value::from(kind));
            let tainted = Value::from(is_tainted);
            let known =
                [("text", &text), ("sender", &sender), ("kind", &kind), ("agent", &agent), ("tainted", &tainted)];
            held(hook, &nothing, &Named::new(hook.when.names(), known))
        }
    }
}

/// What a hook does where its condition holds.
fn held(hook: &Hook, arguments: &Value, scope: &Named<'_>) -> Option<Step> {
    let holds = match hook.condition.trim() {
        "" => Ok(true),
        condition => expression::eval_bool(condition, scope).map_err(|error| error.to_string()),
    };
    match holds {
        Ok(false) => None,
        Ok(true) => Some(act(hook, arguments, scope).unwrap_or_else(failed)),
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
        HookAct::Ask { message } if hook.when.can_ask() => {
            Step::Ends(HookDid::Asked, HookOutcome::Asked, message.trim().to_owned())
        }
        // Where there is nothing to ask about any more, what asks holds back.
        HookAct::Ask { message } => Step::Ends(HookDid::Denied, HookOutcome::Denied, message.trim().to_owned()),
        HookAct::Log { message } => {
            let value =
                expression::render(&Value::String(message.clone()), scope).map_err(|error| error.to_string())?;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Step::Goes(HookDid::Logged, text.chars().take(MAX_HOOK_MESSAGE).collect())
        }
        HookAct::Edit { whole, .. } if hook.when != HookPoint::Before => Step::Text(edit::text(whole, scope)?),
        HookAct::Edit { set, whole } if whole.trim().is_empty() => {
            let paths: Vec<&str> = set.iter().map(|setting| setting.path.as_str()).collect();
            Step::Arguments(edit::set(arguments, set, scope)?, format!("sets {}", paths.join(", ")))
        }
        HookAct::Edit { whole, .. } => Step::Arguments(edit::whole(whole, scope)?, "sets all arguments".to_owned()),
    })
}

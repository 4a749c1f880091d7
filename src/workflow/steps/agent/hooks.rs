//! Hooks in the work of an agent: which calls they are asked about, and what follows from what they said. What becomes of its
//! answer is in `release`.
//!
//! They are asked once: what they said is an entry of the journal before anything is done with it. So a call that a person agrees
//! to is the call that is made, whatever happens to the server in between.

use super::work::{Call, Work, unreadable};
use crate::model::agent::hook::{self, judge};
use crate::model::agent::{HookCall, HookDid, HookOutcome, HookPoint, Judgement, ToolResult};
use crate::model::workflow::StepError;

impl Work {
    /// Whether hooks are to be asked about a call, or about what it gave, before anything else is done with it.
    pub fn awaits_hooks(&self, call: &Call) -> bool {
        let hooks = &self.spec.hooks;
        // Of a tool that the agent does not have nothing is done.
        if call.tool.is_none() {
            return false;
        }
        match &call.result {
            None => call.before.is_none() && hook::is_hooked(hooks, HookPoint::Before, &call.name),
            // What a hook held back gave nothing.
            Some(_) => {
                call.after.is_none() && denial(call).is_none() && hook::is_hooked(hooks, HookPoint::After, &call.name)
            }
        }
    }

    /// What the hooks say of the calls that wait for them, and of the answer.
    pub fn judge(&self) -> Vec<Judgement> {
        let waiting = self.calls.iter().filter(|call| self.awaits_hooks(call));
        let judged = waiting.map(|call| {
            let call = HookCall {
                id: &call.id,
                agent: &self.name,
                tool: &call.name,
                arguments: &call.arguments,
                is_tainted: self.is_tainted,
                came: call.result.as_ref().map(|result| (result.content.as_str(), result.is_error)),
            };
            judge(&self.spec.hooks, &call).kept()
        });
        judged.chain(self.judge_answer()).collect()
    }

    /// Takes in what hooks said.
    ///
    /// # Errors
    /// Class `journal` for a call that nobody made, that was judged before, or that had begun by then, and for an answer that does
    /// not wait for them.
    pub fn judged(&mut self, judgements: &[Judgement]) -> Result<(), StepError> {
        for judgement in judgements {
            if judgement.when == HookPoint::Answer {
                self.judged_answer(judgement)?;
                continue;
            }
            let is_of = |call: &Call| match judgement.when {
                HookPoint::Before => call.before.is_none() && call.begun_in.is_none() && call.result.is_none(),
                HookPoint::After => call.after.is_none() && call.result.is_some(),
                // What was written to the agent is judged when it hears it.
                HookPoint::Answer | HookPoint::Heard => false,
            };
            let call = self.calls.iter_mut().find(|call| call.id == judgement.id && is_of(call));
            let call = call.ok_or_else(|| unreadable("hooks judge a call that is not theirs to judge"))?;
            match judgement.when {
                HookPoint::Before => {
                    if let Some(arguments) = &judgement.arguments {
                        call.arguments.clone_from(arguments);
                    }
                    call.before = Some(judgement.clone());
                }
                _ => call.after = Some(judgement.clone()),
            }
        }
        Ok(())
    }
}

/// Whether a hook wants a person asked about a call.
pub fn asks(call: &Call) -> bool {
    call.before.as_ref().is_some_and(|judgement| judgement.outcome == HookOutcome::Asked)
}

/// Why a hook does not let a call be made, in words for the model.
pub fn denial(call: &Call) -> Option<String> {
    call.before.as_ref().and_then(Judgement::denial)
}

/// What a person who is asked about a call is told of its hooks; empty where there is nothing to tell.
pub fn question(call: &Call) -> String {
    call.before.as_ref().map(|judgement| wanted(judgement, "what the agent asked for")).unwrap_or_default()
}

/// What a person is told of hooks that changed something, or want them asked.
pub fn wanted(judgement: &Judgement, what: &str) -> String {
    let mut text = String::new();
    let editors = judgement.editors();
    if !editors.is_empty() {
        text.push_str(&format!("\nThis is what hooks made of {what}: {}.\n", editors.join(", ")));
    }
    if judgement.outcome == HookOutcome::Asked {
        let words = judgement.words.trim();
        let says = if words.is_empty() { ".".to_owned() } else { format!(": {words}") };
        text.push_str(&format!("\nThe hook **{}** wants you asked{says}\n", judgement.by.replace('*', " ")));
    }
    text
}

/// What the model reads of a call that came to something: words of ours in front, and the result as hooks left it. Whether
/// strangers may have written it stays as it was.
pub fn told(call: Call) -> Option<(String, ToolResult)> {
    let edited = call.before.as_ref().filter(|before| before.outcome != HookOutcome::Denied);
    let editors = edited.map(Judgement::editors).unwrap_or_default();
    let note = match editors.as_slice() {
        [] => String::new(),
        names => format!("Note: hooks changed what this was called with: {}.\n\n", names.join(", ")),
    };
    let result = call.result?;
    let Some(after) = &call.after else { return Some((note, result)) };
    if let Some(denial) = after.denial() {
        return Some((note, ToolResult { content: denial, is_error: true, is_untrusted: false, omitted: 0, ..result }));
    }
    let content = after.result.clone().unwrap_or(result.content);
    Some((note, ToolResult { content, ..result }))
}

/// What the hooks did, a line each, for the step's log.
pub fn lines(judgement: &Judgement) -> Vec<String> {
    let line = |said: &crate::model::agent::HookSaid| {
        let mark = match said.did {
            HookDid::Denied | HookDid::Failed => "✗",
            HookDid::Asked => "?",
            _ => "·",
        };
        let words = if said.words.is_empty() { String::new() } else { format!(": {}", said.words) };
        format!("{mark} {}: hook {} {}{words}", judgement.tool, said.hook, said.did.label())
    };
    judgement.said.iter().map(line).collect()
}

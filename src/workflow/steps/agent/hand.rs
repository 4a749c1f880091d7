//! Handing a task over for good: what the other agent answers is the answer, and this one is not asked again.

use super::outcome::cut;
use super::talk::{data, remark};
use super::work::Work;
use crate::model::agent::hook;
use crate::model::agent::{AgentTool, HookPoint, ToolResult};

impl Work {
    /// Gives the answer of the agent that has the task now, once hooks have let its result through. Where it does not fit what is asked
    /// for, the model is told and goes on.
    pub fn hand_on(&mut self, results: &[(String, ToolResult)]) {
        let Some((id, whole)) = self.handed.take() else { return };
        let Some((_, result)) = results.iter().find(|(_, result)| result.id == id && !result.is_error) else {
            return;
        };
        // Of a long one the model would be shown a part. Where hooks looked at that, what they let through is the answer.
        let is_hooked = hook::is_hooked(&self.spec.hooks, HookPoint::After, AgentTool::HandOver.as_str());
        let whole = whole.replace('\0', "\u{fffd}");
        let text = if !is_hooked && cut(&whole).0 == result.content { &whole } else { &result.content };
        match self.fit(text) {
            Ok(answer) => self.offer(answer),
            Err(reasons) => remark(
                &mut self.messages,
                // The reasons repeat what the other wrote, however much that is.
                &format!(
                    "What you handed your task over for does not fit the JSON Schema of your answer:\n{}\nAnswer yourself, with what \
                     the other agent found.",
                    data(&result.tool, &cut(&reasons).0)
                ),
            ),
        }
    }
}

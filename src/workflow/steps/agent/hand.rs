//! Handing a task over for good: what the other agent answers is the answer, and this one is not asked again.

use super::outcome::cut;
use super::talk::remark;
use super::work::Work;
use crate::model::agent::{AgentTool, ToolResult};

impl Work {
    /// Gives the answer of the agent that has the task now, once hooks have let its result through. Where it does not fit what is asked
    /// for, the model is told and goes on.
    pub fn hand_on(&mut self, results: &[(String, ToolResult)]) {
        let Some(whole) = self.handed.take() else { return };
        let is_handed = |result: &ToolResult| AgentTool::parse(&result.tool) == Some(AgentTool::HandOver);
        let Some((_, result)) = results.iter().find(|(_, result)| is_handed(result) && !result.is_error) else {
            return;
        };
        // Of a long one the model would be shown a part; what hooks made of it counts as they made it.
        let whole = whole.replace('\0', "\u{fffd}");
        let text = if cut(&whole).0 == result.content { &whole } else { &result.content };
        match self.fit(text) {
            Ok(answer) => self.offer(answer),
            Err(reasons) => remark(
                &mut self.messages,
                &format!(
                    "What you handed your task over for does not fit the JSON Schema of your answer: {reasons}\nAnswer yourself, with what \
                     the other agent found."
                ),
            ),
        }
    }
}

//! The agent's last word, and what comes out of its step.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::work::Work;
use crate::model::gateway::{Block, Message, Role, StopReason};
use crate::model::workflow::StepError;

/// Times that an answer that does not fit its schema is asked for again.
pub const REPAIRS: u32 = 2;

/// The agent's last word.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The words.
    pub text: String,
    /// The value that fits the schema; null without one.
    pub json: Value,
}

impl Work {
    /// The model wants nothing done any more.
    pub fn conclude(&mut self, text: &str, stop: &StopReason) {
        let failed = |class: &str, message: String| Some(Err(StepError::permanent(class, message)));
        match stop {
            StopReason::Refusal => {
                let start: String = text.chars().take(300).collect();
                self.end = failed("refused_by_model", format!("the model declined to go on: {start}"));
            }
            StopReason::MaxTokens => {
                let message = "the model's answer was cut at its limit of tokens; raise max_tokens of the agent";
                self.end = failed("max_tokens", message.to_owned());
            }
            StopReason::WindowFull => {
                let message = "the conversation no longer fits into the window of the model";
                self.end = failed("too_large", message.to_owned());
            }
            // The provider paused a long turn: it is sent back as it is.
            StopReason::Pause => {}
            _ => match self.fit(text) {
                Ok(answer) => self.offer(answer),
                Err(reasons) if self.repairs >= REPAIRS => {
                    let message = format!("after {} answers none fits the schema: {reasons}", self.repairs + 1);
                    self.end = failed("schema", message);
                }
                Err(reasons) => {
                    self.repairs += 1;
                    let again = format!(
                        "That does not fit the JSON Schema: {reasons}\nAnswer again, with the whole JSON value and nothing else."
                    );
                    self.messages.push(Message::text(Role::User, again));
                }
            },
        }
    }

    /// What comes out of the step.
    pub fn output(&self, answer: &Answer) -> Value {
        let cost = self
            .totals
            .is_priced
            .then(|| crate::model::gateway::format_usd(self.totals.cost_micros).parse::<f64>().unwrap_or_default());
        json!({
            "text": answer.text,
            "json": answer.json,
            "agent": self.name,
            "version": self.version,
            "turns": self.totals.turns,
            "tool_calls": self.totals.tools,
            "usage": self.totals.usage,
            "cost_usd": cost,
            "untrusted": self.is_tainted,
        })
    }
}

/// Lets no two calls of an answer have the same id: what becomes of one, a person's consent too, must not be taken for the other's.
pub fn tell_apart(content: &mut [Block]) {
    let mut taken = HashSet::new();
    // The last number that an id got, so that thousands of the same one do not begin at the first each.
    let mut numbers: HashMap<String, u32> = HashMap::new();
    for block in content {
        let Block::ToolUse { id, .. } = block else { continue };
        let given = id.clone();
        while !taken.insert(id.clone()) {
            let number = numbers.entry(given.clone()).or_insert(1);
            *number += 1;
            *id = format!("{given}-{number}");
        }
    }
}

/// The words of an answer.
pub fn words(content: &[Block]) -> String {
    let texts = content.iter().filter_map(|block| match block {
        Block::Text { text, .. } | Block::Refusal { text } => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("").replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gateway::Extra;

    #[test]
    fn calls_of_the_same_id_are_told_apart() {
        let call = |id: &str| Block::ToolUse {
            id: id.to_owned(),
            name: "shell".to_owned(),
            input: json!({}),
            cache: None,
            extra: Extra::new(),
        };
        let mut content = vec![call("a"), Block::text("x"), call("a"), call("a-2"), call(""), call("")];
        tell_apart(&mut content);
        let ids: Vec<&str> = content
            .iter()
            .filter_map(|block| match block {
                Block::ToolUse { id, .. } => Some(id.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(ids, ["a", "a-2", "a-2-2", "", "-2"]);
    }
}

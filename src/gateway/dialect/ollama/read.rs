//! Answers, whole and piece by piece, from Ollama's JSON. Both have one shape: the pieces are answers with a part of the message.

use serde_json::{Value, json};

use crate::gateway::dialect::fields::Fields;
use crate::gateway::dialect::{Event, event_json, malformed, read_error};
use crate::model::gateway::{Block, Delta, Extra, Fault, FaultClass, Fold, Response, StopReason, Usage};

/// What kind of words are coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    Text,
    Thinking,
}

/// Reads lines.
#[derive(Debug, Default)]
pub struct Reader {
    /// What the answer is called; Ollama has no name for it.
    id: Option<String>,
    next: u32,
    open: Option<(u32, Words)>,
    calls: u32,
    ended: bool,
}

impl Reader {
    pub(in crate::gateway::dialect) fn read(&mut self, event: &Event) -> Result<Vec<Delta>, Fault> {
        let value = event_json(event)?;
        if !value["error"].is_null() {
            return Err(read_error(&value["error"]));
        }
        self.answer(value).map_err(malformed)
    }

    fn answer(&mut self, value: Value) -> Result<Vec<Delta>, Fault> {
        let mut fields = Fields::of(value, "")?;
        let mut deltas = Vec::new();
        let (model, made) = (fields.text("model")?.unwrap_or_default(), fields.text("created_at")?.unwrap_or_default());
        if self.id.is_none() {
            let id: String = made.chars().filter(char::is_ascii_digit).collect();
            deltas.push(Delta::Start { id: format!("ollama-{id}"), model, usage: Usage::default() });
            self.id = Some(id);
        }
        if let Some(mut message) = fields.object("message")? {
            self.words(Words::Thinking, message.text("thinking")?, &mut deltas);
            self.words(Words::Text, message.text("content")?, &mut deltas);
            for (place, call) in message.list("tool_calls")?.unwrap_or_default().into_iter().enumerate() {
                self.call(call, &format!("/message/tool_calls/{place}"), &mut deltas)?;
            }
        }
        if fields.flag("done")?.unwrap_or(false) && !std::mem::replace(&mut self.ended, true) {
            self.close(&mut deltas);
            let usage = Usage {
                input: fields.tokens("prompt_eval_count")?,
                output: fields.tokens("eval_count")?,
                ..Usage::default()
            };
            let reason = match fields.text("done_reason")?.as_deref() {
                Some("length") => StopReason::MaxTokens,
                None | Some("stop") if self.calls > 0 => StopReason::ToolUse,
                None | Some("stop") => StopReason::EndTurn,
                Some(word) => StopReason::Other { word: word.to_owned() },
            };
            deltas.push(Delta::Stop { reason, sequence: None, usage });
            deltas.push(Delta::End);
        }
        Ok(deltas)
    }

    fn words(&mut self, words: Words, text: Option<String>, deltas: &mut Vec<Delta>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        let index = match self.open {
            Some((index, open)) if open == words => index,
            _ => {
                let block = match words {
                    Words::Text => Block::text(""),
                    Words::Thinking => Block::Thinking { text: String::new(), signature: None },
                };
                let index = self.begin(block, deltas);
                self.open = Some((index, words));
                index
            }
        };
        deltas.push(match words {
            Words::Text => Delta::Text { index, text },
            Words::Thinking => Delta::Thinking { index, text },
        });
    }

    /// A use of a tool, which comes whole. Older servers give it no name.
    fn call(&mut self, call: Value, at: &str, deltas: &mut Vec<Delta>) -> Result<(), Fault> {
        let mut call = Fields::of(call, at)?;
        let id = call.text("id")?.filter(|id| !id.is_empty());
        let mut function = Fields::of(call.need("function")?, call.at("function"))?;
        let id = id.unwrap_or_else(|| format!("call_{}_{}", self.id.as_deref().unwrap_or_default(), self.calls));
        self.calls += 1;
        let name = function.need_text("name")?;
        let json = match function.value("arguments") {
            None => String::new(),
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
        };
        let index = self.begin(Block::ToolUse { id, name, input: json!({}), cache: None, extra: Extra::new() }, deltas);
        if !json.is_empty() {
            deltas.push(Delta::Input { index, json });
        }
        deltas.push(Delta::Close { index });
        Ok(())
    }

    fn begin(&mut self, block: Block, deltas: &mut Vec<Delta>) -> u32 {
        self.close(deltas);
        let index = self.next;
        self.next += 1;
        deltas.push(Delta::Open { index, block });
        index
    }

    fn close(&mut self, deltas: &mut Vec<Delta>) {
        if let Some((index, _)) = self.open.take() {
            deltas.push(Delta::Close { index });
        }
    }
}

/// A whole answer: the one piece of a stream that has one.
pub(in crate::gateway::dialect) fn read_response(body: Value) -> Result<Response, Fault> {
    if !body["error"].is_null() {
        return Err(read_error(&body["error"]));
    }
    let mut fold = Fold::default();
    for delta in Reader::default().answer(body)? {
        fold.push(&delta);
    }
    if !fold.is_complete() {
        return Err(Fault::new(FaultClass::Malformed, "expected an answer that is done"));
    }
    Ok(fold.finish())
}

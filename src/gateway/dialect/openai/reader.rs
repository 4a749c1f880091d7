//! Answers piece by piece: OpenAI's chunks to deltas.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::read::{MOST_ANSWERS, stopped_for};
use super::{read_stop, read_usage};
use crate::gateway::dialect::fields::Fields;
use crate::gateway::dialect::{Event, event_json, malformed, read_error};
use crate::model::gateway::{ANSWER_BLOCKS, Block, Delta, Extra, Fault, StopReason, Usage};

/// What kind of words are coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    Text,
    Refusal,
    Thinking,
}

/// A use of a tool whose turn has not come: pieces of several may come in any order, and blocks come one after the other.
#[derive(Debug)]
struct Waiting {
    /// The provider's number for it.
    number: u32,
    block: Block,
    json: String,
}

/// Reads chunks.
#[derive(Debug, Default)]
pub struct Reader {
    begun: bool,
    ended: bool,
    /// Each answer by its number: one, unless several were asked for.
    answers: BTreeMap<u32, Answer>,
    usage: Usage,
}

/// One answer on its way.
#[derive(Debug, Default)]
struct Answer {
    /// The place of the next block.
    next: u32,
    /// The block that is open.
    open: Option<(u32, Option<Words>)>,
    /// Where each tool's use went, by the provider's number for it.
    calls: BTreeMap<u32, u32>,
    /// The input so far of the tool's use that is open, while another may come before it is whole.
    input: String,
    waiting: VecDeque<Waiting>,
    declined: bool,
    stop: Option<StopReason>,
}

impl Reader {
    pub(in crate::gateway::dialect) fn read(&mut self, event: &Event) -> Result<Vec<Delta>, Fault> {
        if event.data.trim() == "[DONE]" {
            return Ok(self.end());
        }
        let value = event_json(event)?;
        if !value["error"].is_null() {
            return Err(read_error(&value["error"]));
        }
        self.chunk(value).map_err(malformed)
    }

    /// The end: what is open closes, and the reason and the usage, which come apart, are said together.
    pub(in crate::gateway::dialect) fn end(&mut self) -> Vec<Delta> {
        let is_whole = !self.answers.is_empty() && self.answers.values().all(|answer| answer.stop.is_some());
        if self.ended || !is_whole {
            return Vec::new();
        }
        self.ended = true;
        let (mut deltas, mut first) = (Vec::new(), StopReason::EndTurn);
        for (number, answer) in &mut self.answers {
            let reason = answer.end(&mut deltas);
            match number {
                0 => first = reason,
                answer => deltas.push(Delta::Stopped { answer: *answer, reason }),
            }
        }
        deltas.push(Delta::Stop { reason: first, sequence: None, usage: self.usage });
        deltas.push(Delta::End);
        deltas
    }

    fn chunk(&mut self, value: Value) -> Result<Vec<Delta>, Fault> {
        let mut fields = Fields::of(value, "")?;
        let mut deltas = Vec::new();
        if !std::mem::replace(&mut self.begun, true) {
            let (id, model) = (fields.text("id")?.unwrap_or_default(), fields.text("model")?.unwrap_or_default());
            deltas.push(Delta::Start { id, model, usage: Usage::default() });
        }
        self.usage = self.usage.updated(read_usage(fields.value("usage"), "/usage")?);
        for (place, choice) in fields.list("choices")?.unwrap_or_default().into_iter().enumerate() {
            let mut choice = Fields::of(choice, format!("/choices/{place}"))?;
            let number = choice.count("index")?.unwrap_or(0);
            if number >= MOST_ANSWERS {
                let message = format!("expected a number below {MOST_ANSWERS}, found {number}");
                return Err(Fault::invalid(format!("/choices/{place}/index"), message));
            }
            let new = || Answer { next: number * ANSWER_BLOCKS, ..Answer::default() };
            let answer = self.answers.entry(number).or_insert_with(new);
            let logprobs = choice.value("logprobs");
            if let Some(delta) = choice.object("delta")? {
                answer.delta(delta, logprobs, &mut deltas)?;
            }
            if let Some(word) = choice.text("finish_reason")? {
                answer.stop = Some(read_stop(&word));
            }
        }
        Ok(deltas)
    }
}

impl Answer {
    /// Nothing more comes: what is open closes. Gives why it ended.
    fn end(&mut self, deltas: &mut Vec<Delta>) -> StopReason {
        self.let_all_in(deltas);
        self.close(deltas);
        let reason = self.stop.take().unwrap_or(StopReason::EndTurn);
        stopped_for(reason, !self.calls.is_empty(), self.declined)
    }

    fn delta(&mut self, mut delta: Fields, logprobs: Option<Value>, deltas: &mut Vec<Delta>) -> Result<(), Fault> {
        let thought = match delta.value("reasoning") {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let thought = delta.text("reasoning_content")?.or(thought);
        self.words(Words::Thinking, thought, deltas);
        for block in delta.list("thinking_blocks")?.unwrap_or_default() {
            self.proof(&block, deltas);
        }
        let (text, before) = (delta.text("content")?, deltas.len());
        self.words(Words::Text, text, deltas);
        // In front of the words that they are of.
        if let (Some(logprobs), Some(Delta::Text { index, .. })) = (logprobs, deltas[before..].last()) {
            let beside = Delta::Native { index: *index, value: json!({"logprobs": logprobs}) };
            deltas.insert(deltas.len() - 1, beside);
        }
        let annotations = delta.list("annotations")?.unwrap_or_default();
        if let (false, Some((index, Some(Words::Text)))) = (annotations.is_empty(), self.open) {
            deltas.push(Delta::Native { index, value: json!({"annotations": annotations}) });
        }
        let refusal = delta.text("refusal")?;
        self.words(Words::Refusal, refusal, deltas);
        for (place, call) in delta.list("tool_calls")?.unwrap_or_default().into_iter().enumerate() {
            let call = Fields::of(call, format!("/choices/0/delta/tool_calls/{place}"))?;
            self.call(call, u32::try_from(place).unwrap_or_default(), deltas)?;
        }
        Ok(())
    }

    fn words(&mut self, words: Words, text: Option<String>, deltas: &mut Vec<Delta>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        let index = match self.open {
            Some((index, Some(open))) if open == words => index,
            _ => self.begin_after_all(
                Some(words),
                match words {
                    Words::Text => Block::text(""),
                    Words::Refusal => Block::Refusal { text: String::new() },
                    Words::Thinking => Block::Thinking { text: String::new(), signature: None },
                },
                deltas,
            ),
        };
        self.declined |= words == Words::Refusal;
        deltas.push(match words {
            Words::Thinking => Delta::Thinking { index, text },
            Words::Text | Words::Refusal => Delta::Text { index, text },
        });
    }

    /// The proof of the thoughts that have come as words, or thoughts that nobody may read.
    fn proof(&mut self, block: &Value, deltas: &mut Vec<Delta>) {
        if let Some(data) = block["data"].as_str() {
            self.begin_after_all(None, Block::RedactedThinking { data: data.to_owned() }, deltas);
        } else if let Some(signature) = block["signature"].as_str().filter(|signature| !signature.is_empty()) {
            let index = match self.open {
                Some((index, Some(Words::Thinking))) => index,
                _ => {
                    let empty = Block::Thinking { text: String::new(), signature: None };
                    self.begin_after_all(Some(Words::Thinking), empty, deltas)
                }
            };
            deltas.push(Delta::Signature { index, signature: signature.to_owned() });
        }
    }

    fn call(&mut self, mut call: Fields, place: u32, deltas: &mut Vec<Delta>) -> Result<(), Fault> {
        let number = call.count("index")?.unwrap_or(place);
        let id = call.text("id")?;
        let mut function = call.object("function")?;
        let name = function.as_mut().map_or(Ok(None), |function| function.text("name"))?;
        let arguments = function.as_mut().and_then(|function| function.value("arguments"));
        let json = match arguments {
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
            None => String::new(),
        };
        if let Some(index) = self.calls.get(&number).copied() {
            self.add_input(index, json, deltas);
        } else if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.number == number) {
            waiting.json.push_str(&json);
        } else {
            let id = id.unwrap_or_else(|| format!("call_{number}"));
            let block = Block::ToolUse {
                id,
                name: name.unwrap_or_default(),
                input: json!({}),
                cache: None,
                extra: Extra::new(),
            };
            self.waiting.push_back(Waiting { number, block, json });
        }
        if !self.has_open_call() || is_whole(&self.input) {
            self.let_in(deltas);
        }
        Ok(())
    }

    fn has_open_call(&self) -> bool {
        self.open.is_some_and(|(index, _)| self.calls.values().any(|call| *call == index))
    }

    fn add_input(&mut self, index: u32, json: String, deltas: &mut Vec<Delta>) {
        if json.is_empty() {
            return;
        }
        if self.open.is_some_and(|(open, _)| open == index) {
            self.input.push_str(&json);
        }
        deltas.push(Delta::Input { index, json });
    }

    /// Begins those that wait, in order, up to the first whose input is not whole yet.
    fn let_in(&mut self, deltas: &mut Vec<Delta>) {
        while let Some(Waiting { number, block, json }) = self.waiting.pop_front() {
            let index = self.begin(None, block, deltas);
            self.calls.insert(number, index);
            self.add_input(index, json, deltas);
            if !is_whole(&self.input) {
                break;
            }
        }
    }

    /// Begins all that wait: nothing more comes for the one that is open.
    fn let_all_in(&mut self, deltas: &mut Vec<Delta>) {
        while !self.waiting.is_empty() {
            self.let_in(deltas);
        }
    }

    fn begin_after_all(&mut self, words: Option<Words>, block: Block, deltas: &mut Vec<Delta>) -> u32 {
        self.let_all_in(deltas);
        self.begin(words, block, deltas)
    }

    fn begin(&mut self, words: Option<Words>, block: Block, deltas: &mut Vec<Delta>) -> u32 {
        self.close(deltas);
        let index = self.next;
        self.next += 1;
        self.open = Some((index, words));
        self.input.clear();
        deltas.push(Delta::Open { index, block });
        index
    }

    fn close(&mut self, deltas: &mut Vec<Delta>) {
        if let Some((index, _)) = self.open.take() {
            deltas.push(Delta::Close { index });
        }
    }
}

/// Whether the input of a tool is all there.
fn is_whole(json: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok()
}

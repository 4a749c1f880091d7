//! Answers piece by piece: deltas to OpenAI's chunks.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::{Value, json};

use super::write::write_thought;
use super::{write_stop, write_usage};
use crate::gateway::dialect::{Envelope, sse};
use crate::model::gateway::{Block, Delta, Extra, StopReason, add_beside, answer_of};

/// A use of a tool that was begun.
#[derive(Debug)]
struct Call {
    /// Its place among the blocks.
    index: u32,
    /// Its input, where none has come piece by piece.
    silent: Option<String>,
}

/// Writes chunks.
#[derive(Debug)]
pub struct Writer {
    envelope: Envelope,
    id: String,
    model: String,
    /// What is open, by its place.
    blocks: BTreeMap<u32, Block>,
    /// Each answer by its number: one, unless several were asked for.
    answers: BTreeMap<u32, Said>,
}

/// What was said of one answer.
#[derive(Debug, Default)]
struct Said {
    /// Uses of tools so far.
    calls: Vec<Call>,
    declined: bool,
    /// Likelihoods of the words that come next.
    logprobs: Extra,
    /// Annotations of an answer that was kept: its words come first.
    annotations: Option<Value>,
}

impl Writer {
    pub(in crate::gateway::dialect) fn new(envelope: Envelope) -> Self {
        let model = envelope.model.clone();
        Self { envelope, id: String::new(), model, blocks: BTreeMap::new(), answers: BTreeMap::new() }
    }

    pub(in crate::gateway::dialect) fn write(&mut self, delta: &Delta) -> String {
        match delta {
            Delta::Start { id, model, .. } => {
                self.id.clone_from(id);
                if !model.is_empty() {
                    self.model.clone_from(model);
                }
                self.begin(0)
            }
            Delta::Ping => ": ping\n\n".to_owned(),
            Delta::Open { index, block } => {
                self.blocks.insert(*index, block.clone());
                let mut said = self.begin(answer_of(*index));
                said.push_str(&self.open(*index, block));
                said
            }
            Delta::Text { index, text } => match self.blocks.get(index) {
                Some(Block::Refusal { .. }) => self.chunk(answer_of(*index), json!({"refusal": text})),
                _ => self.words(answer_of(*index), text),
            },
            Delta::Thinking { index, text: piece } => {
                if let Some(Block::Thinking { text, .. }) = self.blocks.get_mut(index) {
                    text.push_str(piece);
                }
                self.chunk(answer_of(*index), json!({"reasoning_content": piece}))
            }
            Delta::Signature { index, signature: piece } => {
                if let Some(Block::Thinking { signature, .. }) = self.blocks.get_mut(index) {
                    signature.get_or_insert_default().push_str(piece);
                }
                String::new()
            }
            Delta::Input { index, json } => {
                let number = answer_of(*index);
                let calls = self.answers.get_mut(&number).map(|said| &mut said.calls);
                let call = calls.and_then(|calls| {
                    let place = calls.iter().position(|call| call.index == *index)?;
                    calls[place].silent = None;
                    Some(place)
                });
                call.map_or_else(String::new, |call| self.arguments(number, call, json))
            }
            Delta::Native { index, value } if self.envelope.same_dialect => self.beside(answer_of(*index), value),
            Delta::Native { .. } => String::new(),
            Delta::Close { index } => match self.blocks.remove(index).as_ref().and_then(write_thought) {
                Some(thought) => self.chunk(answer_of(*index), json!({"thinking_blocks": [thought]})),
                None => String::new(),
            },
            Delta::Stopped { answer, reason } => {
                let mut said = self.begin(*answer);
                said.push_str(&self.stop(*answer, reason));
                said
            }
            Delta::Stop { reason, usage, .. } => {
                let mut said = self.stop(0, reason);
                if self.envelope.stream_usage {
                    let mut last = self.frame(json!([]));
                    last["usage"] = write_usage(*usage);
                    said.push_str(&sse::write(None, &last));
                }
                said
            }
            Delta::End => "data: [DONE]\n\n".to_owned(),
        }
    }

    /// Says that an answer begins, where that was not said yet, and those before it: OpenAI's SDK puts each new one behind the last.
    fn begin(&mut self, answer: u32) -> String {
        let mut said = String::new();
        for number in 0..=answer {
            if let Entry::Vacant(place) = self.answers.entry(number) {
                place.insert(Said::default());
                said.push_str(&self.chunk(number, json!({"role": "assistant", "content": ""})));
            }
        }
        said
    }

    /// Says why an answer ended. What takes nothing is called with an empty object: programs read the arguments as JSON.
    fn stop(&self, answer: u32, reason: &StopReason) -> String {
        let Some(told) = self.answers.get(&answer) else {
            return self.with_reason(answer, json!({}), Some(write_stop(reason, false)));
        };
        let silent = told.calls.iter().enumerate().filter_map(|(call, one)| Some((call, one.silent.as_ref()?)));
        let mut said: String = silent.map(|(call, input)| self.arguments(answer, call, input)).collect();
        said.push_str(&self.with_reason(answer, json!({}), Some(write_stop(reason, told.declined))));
        said
    }

    fn arguments(&self, answer: u32, call: usize, json: &str) -> String {
        self.chunk(answer, json!({"tool_calls": [{"index": call, "function": {"arguments": json}}]}))
    }

    fn open(&mut self, index: u32, block: &Block) -> String {
        let answer = answer_of(index);
        let told = self.answers.entry(answer).or_default();
        told.declined |= matches!(block, Block::Refusal { .. });
        match block {
            Block::ToolUse { id, name, input, .. } => {
                let call = told.calls.len();
                told.calls.push(Call { index, silent: Some(input.to_string()) });
                let function = json!({"name": name, "arguments": ""});
                let call = json!({"index": call, "id": id, "type": "function", "function": function});
                self.chunk(answer, json!({"tool_calls": [call]}))
            }
            Block::Text { text, extra, .. } => {
                // Of an answer that was kept all of it stands here.
                if self.envelope.same_dialect {
                    told.annotations = extra.get("annotations").cloned();
                    if let Some(logprobs) = extra.get("logprobs") {
                        add_beside(&mut told.logprobs, &json!({"logprobs": logprobs}));
                    }
                }
                if text.is_empty() { String::new() } else { self.words(answer, text) }
            }
            Block::Refusal { text } if !text.is_empty() => self.chunk(answer, json!({"refusal": text})),
            Block::Thinking { text, .. } if !text.is_empty() => self.chunk(answer, json!({"reasoning_content": text})),
            _ => String::new(),
        }
    }

    /// What stands beside words: likelihoods go with the next of them, annotations at once.
    fn beside(&mut self, answer: u32, value: &Value) -> String {
        if value["logprobs"].is_object() {
            add_beside(&mut self.answers.entry(answer).or_default().logprobs, value);
            String::new()
        } else if value["annotations"].is_array() {
            self.chunk(answer, value.clone())
        } else {
            String::new()
        }
    }

    fn words(&mut self, answer: u32, text: &str) -> String {
        let told = self.answers.entry(answer).or_default();
        let (logprobs, annotations) = (told.logprobs.remove("logprobs"), told.annotations.take());
        let mut said = self.choice(answer, json!({"content": text}), None, logprobs);
        if let Some(annotations) = annotations {
            said.push_str(&self.chunk(answer, json!({"annotations": annotations})));
        }
        said
    }

    fn chunk(&self, answer: u32, delta: Value) -> String {
        self.with_reason(answer, delta, None)
    }

    fn with_reason(&self, answer: u32, delta: Value, reason: Option<&str>) -> String {
        self.choice(answer, delta, reason, None)
    }

    fn choice(&self, answer: u32, delta: Value, reason: Option<&str>, logprobs: Option<Value>) -> String {
        let choice = json!({"index": answer, "delta": delta, "logprobs": logprobs, "finish_reason": reason});
        sse::write(None, &self.frame(json!([choice])))
    }

    fn frame(&self, choices: Value) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.envelope.at.unix_ms().div_euclid(1000),
            "model": self.model,
            "choices": choices,
        })
    }
}

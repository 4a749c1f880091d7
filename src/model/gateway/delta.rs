//! An answer piece by piece, and the fold of the pieces into the whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::message::{Block, Extra};
use super::response::{Other, Response, StopReason, Usage, estimate_tokens};

/// Places that each of several answers has for its blocks: those of the second begin here, those of the third at twice as much.
pub const ANSWER_BLOCKS: u32 = 1 << 20;

/// To which of several answers, from 0, the block at a place belongs.
pub const fn answer_of(index: u32) -> u32 {
    index / ANSWER_BLOCKS
}

/// A piece of an answer. Blocks open and close one after the other, by their place in the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Delta {
    /// The answer begins.
    Start {
        /// The provider's name for it.
        id: String,
        /// The model that answers.
        model: String,
        /// What was read, where that is known already.
        usage: Usage,
    },
    /// The provider is still there.
    Ping,
    /// A block begins, mostly empty.
    Open {
        /// Its place, from 0.
        index: u32,
        /// What it is.
        block: Block,
    },
    /// More words of a text or a refusal.
    Text {
        /// Of which block.
        index: u32,
        /// The words.
        text: String,
    },
    /// More thoughts.
    Thinking {
        /// Of which block.
        index: u32,
        /// The thoughts.
        text: String,
    },
    /// The proof of the thoughts.
    Signature {
        /// Of which block.
        index: u32,
        /// The proof.
        signature: String,
    },
    /// More of a tool's input, as JSON text that is complete only with the last piece.
    Input {
        /// Of which block.
        index: u32,
        /// The piece.
        json: String,
    },
    /// A piece that only its dialect knows.
    Native {
        /// Of which block.
        index: u32,
        /// As it was sent.
        value: Value,
    },
    /// A block is complete.
    Close {
        /// Which.
        index: u32,
    },
    /// One of the answers besides the first has ended, where several were asked for.
    Stopped {
        /// Which, from 1.
        answer: u32,
        /// Why.
        reason: StopReason,
    },
    /// The answer has ended, and all others with it.
    Stop {
        /// Why.
        reason: StopReason,
        /// By which text, where the provider says.
        sequence: Option<String>,
        /// What it took; cumulative.
        usage: Usage,
    },
    /// Nothing more comes.
    End,
}

/// The whole that the pieces so far make.
#[derive(Debug, Clone, Default)]
pub struct Fold {
    id: String,
    model: String,
    blocks: BTreeMap<u32, Block>,
    inputs: BTreeMap<u32, String>,
    stop: Option<(StopReason, Option<String>)>,
    /// Why the answers besides the first ended.
    stopped: BTreeMap<u32, StopReason>,
    usage: Usage,
    chars: u64,
    ended: bool,
    /// Whether pieces are counted only.
    counts: bool,
}

impl Fold {
    /// Lets go of what was said, and only counts what comes: its [`Fold::finish`] has no content.
    pub fn count_only(&mut self) {
        self.counts = true;
        self.blocks = BTreeMap::new();
        self.inputs = BTreeMap::new();
    }

    /// Adds a piece.
    pub fn push(&mut self, delta: &Delta) {
        match delta {
            Delta::Start { id, model, usage } => {
                (self.id, self.model) = (id.clone(), model.clone());
                self.usage = self.usage.updated(*usage);
            }
            Delta::Open { index, block } => {
                self.chars += block.chars();
                if !self.counts {
                    self.blocks.insert(*index, block.clone());
                }
            }
            Delta::Text { index, text: piece } | Delta::Thinking { index, text: piece } => {
                self.chars += piece.chars().count() as u64;
                if let Some(Block::Text { text, .. } | Block::Refusal { text } | Block::Thinking { text, .. }) =
                    self.blocks.get_mut(index)
                {
                    text.push_str(piece);
                }
            }
            Delta::Signature { index, signature: piece } => {
                if let Some(Block::Thinking { signature, .. }) = self.blocks.get_mut(index) {
                    signature.get_or_insert_default().push_str(piece);
                }
            }
            Delta::Input { index, json } => {
                self.chars += json.chars().count() as u64;
                if !self.counts {
                    self.inputs.entry(*index).or_default().push_str(json);
                }
            }
            Delta::Native { index, value } => match self.blocks.get_mut(index) {
                Some(Block::Native { value: block }) => {
                    if let Some(list) = block.as_object_mut()
                        && let Some(deltas) = list.entry("deltas").or_insert_with(|| json!([])).as_array_mut()
                    {
                        deltas.push(value.clone());
                    }
                }
                Some(Block::Text { extra, .. }) => add_beside(extra, value),
                _ => {}
            },
            Delta::Stop { reason, sequence, usage } => {
                self.usage = self.usage.updated(*usage);
                self.stop = Some((reason.clone(), sequence.clone()));
            }
            Delta::Stopped { answer, reason } => {
                self.stopped.insert(*answer, reason.clone());
            }
            Delta::End => self.ended = true,
            Delta::Close { .. } | Delta::Ping => {}
        }
    }

    /// Whether the answer came to its end.
    pub const fn is_complete(&self) -> bool {
        self.ended && self.stop.is_some()
    }

    /// What was reported so far.
    pub const fn usage(&self) -> Usage {
        self.usage
    }

    /// Tokens of what has come, when nobody has told their number.
    pub const fn estimated_output(&self) -> i64 {
        estimate_tokens(self.chars)
    }

    /// The whole, or what there is of it.
    pub fn finish(mut self) -> Response {
        for (index, text) in std::mem::take(&mut self.inputs) {
            if let Some(Block::ToolUse { input, .. }) = self.blocks.get_mut(&index) {
                *input = parse_input(&text);
            } else if let Some(Block::Native { value }) = self.blocks.get_mut(&index) {
                value["input"] = parse_input(&text);
            }
        }
        let mut others: BTreeMap<u32, Vec<Block>> = BTreeMap::new();
        for (index, block) in self.blocks.split_off(&ANSWER_BLOCKS) {
            others.entry(answer_of(index)).or_default().push(block);
        }
        // One may have ended without a word.
        for answer in self.stopped.keys() {
            others.entry(*answer).or_default();
        }
        let interrupted = || StopReason::Other { word: "interrupted".into() };
        let (stop, stop_sequence) = self.stop.take().unwrap_or_else(|| (interrupted(), None));
        let others = others.into_iter().map(|(answer, content)| {
            let stop = self.stopped.remove(&answer).unwrap_or_else(interrupted);
            Other { content, stop }
        });
        let others = others.collect();
        Response {
            id: self.id,
            model: self.model,
            content: self.blocks.into_values().collect(),
            stop,
            stop_sequence,
            usage: self.usage,
            extra: Extra::new(),
            others,
        }
    }
}

/// Adds what stands beside a text, as each dialect tells it of a stream: a citation of Anthropic's, an annotation of Responses, lists of
/// annotations and of likelihoods of Chat Completions.
pub fn add_beside(extra: &mut Extra, value: &Value) {
    let mut add = |name: &str, one: &Value| {
        if let Some(list) = extra.entry(name).or_insert_with(|| json!([])).as_array_mut() {
            list.push(one.clone());
        }
    };
    match (&value["type"], &value["logprobs"], &value["annotations"]) {
        (Value::String(kind), ..) if kind == "citations_delta" => add("citations", &value["citation"]),
        // Of a kind that is not known here.
        (Value::String(kind), ..) if kind.ends_with("_delta") => {}
        (_, Value::Object(more), _) => {
            let known = extra.entry("logprobs").or_insert_with(|| json!({}));
            if !known.is_object() {
                *known = json!({});
            }
            for (name, list) in more {
                match (known[name].as_array_mut(), list) {
                    (Some(known), Value::Array(list)) => known.extend(list.iter().cloned()),
                    _ => known[name] = list.clone(),
                }
            }
        }
        (_, _, Value::Array(list)) => list.iter().for_each(|one| add("annotations", one)),
        _ => add("annotations", value),
    }
}

/// A tool's input from its text: an object; `{}` for nothing; the text itself where it is not JSON.
pub fn parse_input(text: &str) -> Value {
    if text.trim().is_empty() {
        return json!({});
    }
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => value,
        _ => Value::String(text.to_owned()),
    }
}

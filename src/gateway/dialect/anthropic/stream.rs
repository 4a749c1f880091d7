//! Answers piece by piece: Anthropic's events to deltas and back.

use serde_json::{Value, json};

use super::block::read_block;
use super::write::answer_block;
use super::{read_stop, read_usage, write_stop, write_usage};
use crate::gateway::dialect::fields::Fields;
use crate::gateway::dialect::{Envelope, Event, event_json, malformed, read_error, sse};
use crate::model::gateway::{ANSWER_BLOCKS, Block, Delta, Fault, StopReason, Usage};

/// Reads events.
#[derive(Debug, Default)]
pub struct Reader {
    usage: Usage,
}

impl Reader {
    pub(in crate::gateway::dialect) fn read(&mut self, event: &Event) -> Result<Vec<Delta>, Fault> {
        let value = event_json(event)?;
        let kind = value["type"].as_str().unwrap_or(&event.name).to_owned();
        if kind == "error" {
            return Err(read_error(&value["error"]));
        }
        let delta = self.delta(&kind, Fields::of(value, "").map_err(malformed)?).map_err(malformed)?;
        Ok(delta.into_iter().collect())
    }

    fn delta(&mut self, kind: &str, mut fields: Fields) -> Result<Option<Delta>, Fault> {
        let index = fields.count("index")?.unwrap_or(0);
        if index >= ANSWER_BLOCKS {
            return Err(Fault::invalid("/index", format!("expected a number below {ANSWER_BLOCKS}, found {index}")));
        }
        Ok(Some(match kind {
            "message_start" => {
                let mut message = Fields::of(fields.need("message")?, "/message")?;
                self.usage = read_usage(message.value("usage"), "/message/usage")?;
                Delta::Start {
                    id: message.text("id")?.unwrap_or_default(),
                    model: message.text("model")?.unwrap_or_default(),
                    usage: self.usage,
                }
            }
            "content_block_start" => {
                Delta::Open { index, block: read_block(fields.need("content_block")?, "/content_block")? }
            }
            "content_block_delta" => return read_piece(index, fields.need("delta")?).map(Some),
            "content_block_stop" => Delta::Close { index },
            "message_delta" => {
                self.usage = self.usage.updated(read_usage(fields.value("usage"), "/usage")?);
                let mut delta = Fields::of(fields.need("delta")?, "/delta")?;
                let word = delta.text("stop_reason")?;
                let reason = word.as_deref().map_or(StopReason::EndTurn, read_stop);
                Delta::Stop { reason, sequence: delta.text("stop_sequence")?, usage: self.usage }
            }
            "message_stop" => Delta::End,
            "ping" => Delta::Ping,
            // New kinds of events may appear at any time, and mean nothing to those who don't know them.
            _ => return Ok(None),
        }))
    }
}

fn read_piece(index: u32, value: Value) -> Result<Delta, Fault> {
    let mut piece = Fields::of(value.clone(), "/delta")?;
    Ok(match piece.need_text("type")?.as_str() {
        "text_delta" => Delta::Text { index, text: piece.need_text("text")? },
        "thinking_delta" => Delta::Thinking { index, text: piece.need_text("thinking")? },
        "signature_delta" => Delta::Signature { index, signature: piece.need_text("signature")? },
        "input_json_delta" => Delta::Input { index, json: piece.need_text("partial_json")? },
        _ => Delta::Native { index, value },
    })
}

/// Writes events.
#[derive(Debug)]
pub struct Writer {
    envelope: Envelope,
    /// Places of blocks that are left out.
    hidden: Vec<u32>,
}

impl Writer {
    pub(in crate::gateway::dialect) const fn new(envelope: Envelope) -> Self {
        Self { envelope, hidden: Vec::new() }
    }

    pub(in crate::gateway::dialect) fn write(&mut self, delta: &Delta) -> String {
        let said = match delta {
            Delta::Start { id, model, usage } => json!({"type": "message_start", "message": {
                "id": id, "type": "message", "role": "assistant", "model": model, "content": [],
                "stop_reason": null, "stop_sequence": null, "usage": write_usage(*usage),
            }}),
            Delta::Ping => json!({"type": "ping"}),
            Delta::Open { index, block } => match self.open(*index, block) {
                Some(block) => json!({"type": "content_block_start", "index": index, "content_block": block}),
                None => return String::new(),
            },
            Delta::Text { index, .. }
            | Delta::Thinking { index, .. }
            | Delta::Signature { index, .. }
            | Delta::Input { index, .. }
            | Delta::Native { index, .. }
            | Delta::Close { index }
                if self.hidden.contains(index) =>
            {
                return String::new();
            }
            Delta::Text { index, text } => piece(*index, &json!({"type": "text_delta", "text": text})),
            Delta::Thinking { index, text } => piece(*index, &json!({"type": "thinking_delta", "thinking": text})),
            Delta::Signature { index, signature } => {
                piece(*index, &json!({"type": "signature_delta", "signature": signature}))
            }
            Delta::Input { index, json } => piece(*index, &json!({"type": "input_json_delta", "partial_json": json})),
            Delta::Native { index, value } if self.envelope.same_dialect => piece(*index, value),
            // Of several answers the first; they are not asked for in this dialect.
            Delta::Native { .. } | Delta::Stopped { .. } => return String::new(),
            Delta::Close { index } => json!({"type": "content_block_stop", "index": index}),
            Delta::Stop { reason, sequence, usage } => json!({
                "type": "message_delta",
                "delta": {"stop_reason": write_stop(reason), "stop_sequence": sequence},
                "usage": write_usage(*usage),
            }),
            Delta::End => json!({"type": "message_stop"}),
        };
        sse::write(said["type"].as_str(), &said)
    }

    fn open(&mut self, index: u32, block: &Block) -> Option<Value> {
        let written = answer_block(block, self.envelope.same_dialect);
        if written.is_none() {
            self.hidden.push(index);
        }
        written
    }
}

fn piece(index: u32, delta: &Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

//! An answer piece by piece: deltas to events, numbered, with the items that they build.

use serde_json::{Value, json};

use super::content::write_said;
use super::item::{item_of, push_part, write_call};
use super::write::{item_id, message_item, snapshot};
use super::{proof, write_stop, write_usage};
use crate::gateway::dialect::{Envelope, sse};
use crate::model::gateway::{Block, Delta, Fault, FaultClass, StopReason, Usage, parse_input};

/// What is open.
#[derive(Debug)]
enum Open {
    /// A part of the message.
    Part { block: Block, annotations: Vec<Value> },
    /// A thought, with the parts of its summary.
    Thought { block: Block, parts: Vec<String> },
    /// A use of a tool, with its input so far.
    Call { block: Block, item: Value, arguments: String },
}

/// Writes events.
#[derive(Debug)]
pub struct Writer {
    envelope: Envelope,
    id: String,
    model: String,
    sequence: u64,
    /// The items that are complete.
    output: Vec<Value>,
    /// The message that is not, with the parts that are.
    message: Option<Value>,
    open: Option<(u32, Open)>,
    declined: bool,
}

impl Writer {
    pub(in crate::gateway::dialect) fn new(envelope: Envelope) -> Self {
        let model = envelope.model.clone();
        Self {
            envelope,
            id: String::new(),
            model,
            sequence: 0,
            output: Vec::new(),
            message: None,
            open: None,
            declined: false,
        }
    }

    pub(in crate::gateway::dialect) fn write(&mut self, delta: &Delta) -> String {
        let mut said = String::new();
        match delta {
            Delta::Start { id, model, .. } => {
                self.id.clone_from(id);
                if !model.is_empty() {
                    self.model.clone_from(model);
                }
                for kind in ["response.created", "response.in_progress"] {
                    let response = self.snapshot("in_progress", Vec::new());
                    self.event(&mut said, kind, json!({"response": response}));
                }
            }
            Delta::Ping => said.push_str(": ping\n\n"),
            Delta::Open { index, block } => self.begin(*index, block, &mut said),
            Delta::Text { index, text } => self.text(*index, text, &mut said),
            Delta::Thinking { index, text } => self.thinking(*index, text, &mut said),
            Delta::Signature { index, signature: piece } => {
                if let Some(Open::Thought { block: Block::Thinking { signature, .. }, .. }) = self.at(*index) {
                    signature.get_or_insert_default().push_str(piece);
                }
            }
            Delta::Input { index, json } => self.input(*index, json, &mut said),
            Delta::Native { index, value } => self.annotation(*index, value, &mut said),
            Delta::Close { index } => {
                if self.at(*index).is_some() {
                    self.close(&mut said);
                }
            }
            Delta::Stop { reason, usage, .. } => self.stop(reason, *usage, &mut said),
            // The last event was the answer as a whole.
            // Several answers are not asked for in this dialect.
            Delta::End | Delta::Stopped { .. } => {}
        }
        said
    }

    /// The event that says that it broke off, with what there is of the answer.
    pub(in crate::gateway::dialect) fn fail(&self, fault: &Fault) -> String {
        let mut output = self.output.clone();
        output.extend(self.message.clone());
        let mut response = self.snapshot("failed", output);
        let code = if fault.class == FaultClass::RateLimited { "rate_limit_exceeded" } else { "server_error" };
        response["error"] = json!({"code": code, "message": fault.message});
        let kind = "response.failed";
        sse::write(Some(kind), &json!({"type": kind, "sequence_number": self.sequence, "response": response}))
    }

    fn event(&mut self, said: &mut String, kind: &str, mut body: Value) {
        body["type"] = json!(kind);
        body["sequence_number"] = json!(self.sequence);
        self.sequence += 1;
        said.push_str(&sse::write(Some(kind), &body));
    }

    fn snapshot(&self, status: &str, output: Vec<Value>) -> Value {
        snapshot(&self.envelope, (&self.id, &self.model), status, output)
    }

    /// What is open, if it is the block of this place.
    fn at(&mut self, index: u32) -> Option<&mut Open> {
        self.open.as_mut().filter(|(open, _)| *open == index).map(|(_, open)| open)
    }

    /// The id of the item that is being written, and its place; for a part of a message also the part's.
    fn place(&self) -> Value {
        let id = match &self.open {
            Some((_, Open::Thought { .. })) => self.thought_id(),
            Some((_, Open::Call { item, .. })) => item["id"].as_str().unwrap_or_default().to_owned(),
            _ => self.message.as_ref().and_then(|message| message["id"].as_str()).unwrap_or_default().to_owned(),
        };
        let mut place = json!({"item_id": id, "output_index": self.output.len()});
        if let (Some(message), Some((_, Open::Part { .. })) | None) = (&self.message, &self.open) {
            place["content_index"] = json!(message["content"].as_array().map_or(0, Vec::len));
        }
        place
    }

    fn thought_id(&self) -> String {
        item_id("rs", &self.id, self.output.len())
    }

    fn at_place(&self, name: &str, value: Value) -> Value {
        let mut body = self.place();
        body[name] = value;
        body
    }

    fn begin(&mut self, index: u32, block: &Block, said: &mut String) {
        self.close(said);
        let same = self.envelope.same_dialect;
        if let Some(part) = write_said(&empty(block), same) {
            let own = item_of(block).filter(|_| same);
            if own.is_some() {
                self.end_message(said);
            }
            if self.message.is_none() {
                let message = message_item(own, &item_id("msg", &self.id, self.output.len()), "in_progress");
                self.add_item(&message, said);
                self.message = Some(message);
            }
            self.declined |= matches!(block, Block::Refusal { .. });
            self.open = Some((index, Open::Part { block: empty(block), annotations: Vec::new() }));
            let body = self.at_place("part", part);
            self.event(said, "response.content_part.added", body);
            if let Block::Text { text, .. } | Block::Refusal { text } = block {
                self.text(index, text, said);
            }
            return;
        }
        self.end_message(said);
        match block {
            Block::ToolUse { .. } => {
                let id = item_id("fc", &self.id, self.output.len());
                let mut item = write_call(block, same, Some(id));
                item["arguments"] = json!("");
                item["status"] = json!("in_progress");
                self.add_item(&item, said);
                self.open = Some((index, Open::Call { block: block.clone(), item, arguments: String::new() }));
            }
            Block::Thinking { text, .. } => {
                let item = json!({"id": self.thought_id(), "type": "reasoning", "summary": []});
                self.add_item(&item, said);
                self.open = Some((index, Open::Thought { block: empty(block), parts: Vec::new() }));
                self.thinking(index, text, said);
            }
            Block::Native { value } if same => self.whole_item(value.clone(), said),
            block => {
                let item = proof::write(block, &format!("{}_{}", self.id, self.output.len()));
                if let Some(item) = item {
                    self.whole_item(item, said);
                }
            }
        }
    }

    fn add_item(&mut self, item: &Value, said: &mut String) {
        let body = json!({"output_index": self.output.len(), "item": item});
        self.event(said, "response.output_item.added", body);
    }

    fn end_item(&mut self, item: Value, said: &mut String) {
        let body = json!({"output_index": self.output.len(), "item": item});
        self.event(said, "response.output_item.done", body);
        self.output.push(item);
    }

    fn whole_item(&mut self, item: Value, said: &mut String) {
        self.add_item(&item, said);
        self.end_item(item, said);
    }

    fn end_message(&mut self, said: &mut String) {
        if let Some(mut message) = self.message.take() {
            message["status"] = json!("completed");
            self.end_item(message, said);
        }
    }

    fn text(&mut self, index: u32, piece: &str, said: &mut String) {
        let kind = match self.at(index) {
            Some(Open::Part { block: Block::Refusal { text }, .. }) => {
                text.push_str(piece);
                "response.refusal.delta"
            }
            Some(Open::Part { block: Block::Text { text, .. }, .. }) => {
                text.push_str(piece);
                "response.output_text.delta"
            }
            _ => return,
        };
        if piece.is_empty() {
            return;
        }
        let mut body = self.at_place("delta", json!(piece));
        if kind == "response.output_text.delta" {
            body["logprobs"] = json!([]);
        }
        self.event(said, kind, body);
    }

    fn annotation(&mut self, index: u32, value: &Value, said: &mut String) {
        if !self.envelope.same_dialect {
            return;
        }
        let Some(Open::Part { annotations, .. }) = self.at(index) else { return };
        let number = annotations.len();
        annotations.push(value.clone());
        let mut body = self.at_place("annotation", value.clone());
        body["annotation_index"] = json!(number);
        self.event(said, "response.output_text.annotation.added", body);
    }

    fn thinking(&mut self, index: u32, piece: &str, said: &mut String) {
        if piece.is_empty() {
            return;
        }
        let Some(Open::Thought { block: Block::Thinking { text, .. }, parts }) = self.at(index) else { return };
        let ends_part = piece == "\n\n" && !parts.is_empty();
        text.push_str(piece);
        if ends_part {
            self.end_summary(said);
        }
        let Some(Open::Thought { parts, .. }) = self.at(index) else { return };
        let begins_part = ends_part || parts.is_empty();
        if begins_part {
            parts.push(String::new());
        }
        let number = parts.len() - 1;
        if !ends_part {
            parts[number].push_str(piece);
        }
        if begins_part {
            let mut body = self.at_place("part", json!({"type": "summary_text", "text": ""}));
            body["summary_index"] = json!(number);
            self.event(said, "response.reasoning_summary_part.added", body);
        }
        if !ends_part {
            let mut body = self.at_place("delta", json!(piece));
            body["summary_index"] = json!(number);
            self.event(said, "response.reasoning_summary_text.delta", body);
        }
    }

    /// Ends the part of the summary that is being written.
    fn end_summary(&mut self, said: &mut String) {
        let Some((_, Open::Thought { parts, .. })) = &self.open else { return };
        let Some(text) = parts.last().cloned() else { return };
        let number = parts.len() - 1;
        let mut body = self.at_place("text", json!(text));
        body["summary_index"] = json!(number);
        self.event(said, "response.reasoning_summary_text.done", body);
        let mut body = self.at_place("part", json!({"type": "summary_text", "text": text}));
        body["summary_index"] = json!(number);
        self.event(said, "response.reasoning_summary_part.done", body);
    }

    fn input(&mut self, index: u32, piece: &str, said: &mut String) {
        let Some(Open::Call { arguments, .. }) = self.at(index) else { return };
        arguments.push_str(piece);
        if !piece.is_empty() {
            let body = self.at_place("delta", json!(piece));
            self.event(said, "response.function_call_arguments.delta", body);
        }
    }

    /// Ends what is open.
    fn close(&mut self, said: &mut String) {
        match &self.open {
            None => {}
            Some((_, Open::Part { .. })) => self.end_part(said),
            Some((_, Open::Thought { .. })) => {
                self.end_summary(said);
                let name = format!("{}_{}", self.id, self.output.len());
                if let Some((_, Open::Thought { block, parts })) = self.open.take()
                    && let Some(mut item) = proof::write(&block, &name)
                {
                    if parts.len() > 1 && item["id"] == json!(self.thought_id()) {
                        let part = |text: &String| json!({"type": "summary_text", "text": text});
                        item["summary"] = parts.iter().map(part).collect();
                    }
                    self.end_item(item, said);
                }
            }
            Some((_, Open::Call { .. })) => self.end_call(said),
        }
    }

    fn end_part(&mut self, said: &mut String) {
        let Some((_, Open::Part { block, annotations })) = &self.open else { return };
        let Some(mut part) = write_said(block, self.envelope.same_dialect) else { return };
        let (kind, name) = match block {
            Block::Refusal { .. } => ("response.refusal.done", "refusal"),
            _ => ("response.output_text.done", "text"),
        };
        if name == "text" && !annotations.is_empty() {
            part["annotations"] = json!(annotations);
        }
        let mut body = self.at_place(name, part[name].clone());
        if name == "text" {
            body["logprobs"] = json!([]);
        }
        self.event(said, kind, body);
        let body = self.at_place("part", part.clone());
        self.event(said, "response.content_part.done", body);
        self.open = None;
        if let Some(message) = &mut self.message {
            push_part(message, part);
        }
    }

    fn end_call(&mut self, said: &mut String) {
        let Some((_, Open::Call { block, item, arguments })) = &self.open else { return };
        let mut item = item.clone();
        // What came with the block itself, where no piece did.
        let whole = match block {
            Block::ToolUse { input, .. } if arguments.is_empty() => match input {
                Value::String(text) => text.clone(),
                input => input.to_string(),
            },
            _ => arguments.clone(),
        };
        let is_whole = parse_input(&whole).is_object();
        item["arguments"] = json!(whole);
        item["status"] = json!(if is_whole { "completed" } else { "incomplete" });
        let mut body = self.at_place("arguments", json!(whole));
        body["name"] = item["name"].clone();
        self.event(said, "response.function_call_arguments.done", body);
        self.open = None;
        self.end_item(item, said);
    }

    fn stop(&mut self, reason: &StopReason, usage: Usage, said: &mut String) {
        self.close(said);
        self.end_message(said);
        let (status, details) = write_stop(reason, self.declined);
        let mut response = self.snapshot(status, self.output.clone());
        response["incomplete_details"] = details;
        response["usage"] = write_usage(usage);
        self.event(said, &format!("response.{status}"), json!({"response": response}));
    }
}

/// The block without its words, which come apart.
fn empty(block: &Block) -> Block {
    let mut block = block.clone();
    if let Block::Text { text, .. } | Block::Refusal { text } | Block::Thinking { text, .. } = &mut block {
        text.clear();
    }
    block
}

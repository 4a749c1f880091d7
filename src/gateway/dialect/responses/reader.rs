//! An answer piece by piece: OpenAI's events to deltas.

use serde_json::{Value, json};

use super::{ITEM, proof, read_stop, read_usage};
use crate::gateway::dialect::fields::Fields;
use crate::gateway::dialect::{Event, event_json, malformed, read_error};
use crate::model::gateway::{Block, Delta, Extra, Fault, Usage};

/// What is open: the place of the item in the answer, and of the part in it; thoughts and uses of tools are whole items.
type Place = (u32, Option<u32>);

/// A block that is open.
#[derive(Debug)]
struct Open {
    place: Place,
    index: u32,
    /// Whether something of it has come.
    has_come: bool,
}

/// Reads events.
#[derive(Debug, Default)]
pub struct Reader {
    begun: bool,
    next: u32,
    open: Option<Open>,
    /// What the message says of itself whose first part is still to come.
    message: Option<Extra>,
    wants_tool: bool,
    declined: bool,
}

impl Reader {
    pub(in crate::gateway::dialect) fn read(&mut self, event: &Event) -> Result<Vec<Delta>, Fault> {
        let value = event_json(event)?;
        let kind = value["type"].as_str().unwrap_or(&event.name).to_owned();
        match kind.as_str() {
            "error" => Err(read_error(if value["error"].is_null() { &value } else { &value["error"] })),
            "response.failed" => Err(read_error(&value["response"]["error"])),
            // Some servers send an error without a type.
            "" if !value["error"].is_null() => Err(read_error(&value["error"])),
            _ => {
                let mut deltas = Vec::new();
                let fields = Fields::of(value, "").map_err(malformed)?;
                self.event(&kind, fields, &mut deltas).map_err(malformed)?;
                Ok(deltas)
            }
        }
    }

    fn event(&mut self, kind: &str, mut fields: Fields, deltas: &mut Vec<Delta>) -> Result<(), Fault> {
        let item = fields.count("output_index")?.unwrap_or(0);
        let part = (item, Some(fields.count("content_index")?.unwrap_or(0)));
        let whole = (item, None);
        match kind {
            "response.created" | "response.in_progress" | "response.queued" => self.begin(&mut fields, deltas),
            "response.output_item.added" => self.item_added(item, fields.need("item")?, deltas),
            "response.content_part.added" => self.part_added(part, fields.need("part")?, deltas),
            "response.output_text.delta" => {
                let text = fields.need_text("delta")?;
                let index = self.at(part, || Block::text(""), deltas);
                deltas.push(Delta::Text { index, text });
                Ok(())
            }
            "response.refusal.delta" => {
                let text = fields.need_text("delta")?;
                let index = self.at(part, || Block::Refusal { text: String::new() }, deltas);
                deltas.push(Delta::Text { index, text });
                Ok(())
            }
            "response.output_text.annotation.added" => {
                if let (Some(open), Some(value)) = (&self.open, fields.value("annotation")) {
                    deltas.push(Delta::Native { index: open.index, value });
                }
                Ok(())
            }
            "response.reasoning_summary_part.added" => {
                let index = self.at(whole, thought, deltas);
                if self.open.as_ref().is_some_and(|open| open.has_come) {
                    deltas.push(Delta::Thinking { index, text: "\n\n".to_owned() });
                }
                Ok(())
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                let text = fields.need_text("delta")?;
                let index = self.at(whole, thought, deltas);
                self.has_come();
                deltas.push(Delta::Thinking { index, text });
                Ok(())
            }
            "response.function_call_arguments.delta" => {
                let json = fields.need_text("delta")?;
                self.input(whole, json, deltas);
                Ok(())
            }
            "response.content_part.done" => {
                self.close_if(part, deltas);
                Ok(())
            }
            "response.output_item.done" => self.item_done(item, fields.need("item")?, deltas),
            "response.completed" | "response.incomplete" => self.end(&mut fields, deltas),
            // New kinds of events may appear at any time, and what is done was said before it was.
            _ => Ok(()),
        }
    }

    fn begin(&mut self, fields: &mut Fields, deltas: &mut Vec<Delta>) -> Result<(), Fault> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        let (mut id, mut model) = (String::new(), String::new());
        if let Some(mut response) = fields.object("response")? {
            id = response.text("id")?.unwrap_or_default();
            model = response.text("model")?.unwrap_or_default();
        }
        deltas.push(Delta::Start { id, model, usage: Usage::default() });
        Ok(())
    }

    fn item_added(&mut self, item: u32, value: Value, deltas: &mut Vec<Delta>) -> Result<(), Fault> {
        let mut fields = Fields::of(value, "/item")?;
        match fields.need_text("type")?.as_str() {
            "message" => {
                let (_, _) = (fields.value("content"), fields.value("role"));
                let mut own = fields.rest();
                // It is about to be.
                own.remove("status");
                self.message = Some(own);
            }
            "reasoning" => {
                self.at((item, None), thought, deltas);
            }
            "function_call" => {
                let (id, name) = (fields.need_text("call_id")?, fields.need_text("name")?);
                let _ = (fields.value("arguments"), fields.value("status"));
                let extra = fields.rest();
                self.wants_tool = true;
                self.at((item, None), || Block::ToolUse { id, name, input: json!({}), cache: None, extra }, deltas);
            }
            // What only this dialect knows is handed on once it is whole.
            _ => {}
        }
        Ok(())
    }

    fn part_added(&mut self, place: Place, value: Value, deltas: &mut Vec<Delta>) -> Result<(), Fault> {
        let mut part = Fields::of(value, "/part")?;
        match part.need_text("type")?.as_str() {
            "output_text" => drop(self.at(place, || Block::text(""), deltas)),
            "refusal" => drop(self.at(place, || Block::Refusal { text: String::new() }, deltas)),
            _ => {}
        }
        Ok(())
    }

    fn item_done(&mut self, item: u32, value: Value, deltas: &mut Vec<Delta>) -> Result<(), Fault> {
        let place = (item, None);
        match value["type"].as_str().unwrap_or_default() {
            "message" => {}
            "reasoning" => {
                let has_come = self.open.as_ref().is_some_and(|open| open.place == place && open.has_come);
                let index = self.at(place, thought, deltas);
                if let Block::Thinking { text, signature } = proof::read(value, "/item")? {
                    // Where the summary came at once.
                    if !has_come && !text.is_empty() {
                        deltas.push(Delta::Thinking { index, text });
                    }
                    deltas.extend(signature.map(|signature| Delta::Signature { index, signature }));
                }
                self.close(deltas);
            }
            "function_call" => {
                let has_come = self.open.as_ref().is_some_and(|open| open.place == place && open.has_come);
                if let (false, Some(json)) = (has_come, value["arguments"].as_str()) {
                    self.input(place, json.to_owned(), deltas);
                }
                self.close_if(place, deltas);
            }
            _ => {
                self.at(place, || Block::Native { value }, deltas);
                self.close(deltas);
            }
        }
        Ok(())
    }

    fn input(&mut self, place: Place, json: String, deltas: &mut Vec<Delta>) {
        // Without a use of a tool there is nothing that it could be the input of.
        if let Some(open) = self.open.as_mut().filter(|open| open.place == place)
            && !json.is_empty()
        {
            open.has_come = true;
            deltas.push(Delta::Input { index: open.index, json });
        }
    }

    fn end(&mut self, fields: &mut Fields, deltas: &mut Vec<Delta>) -> Result<(), Fault> {
        self.close(deltas);
        let mut response = Fields::of(fields.need("response")?, "/response")?;
        let usage = read_usage(response.value("usage"), "/response/usage")?;
        let status = response.text("status")?.unwrap_or_else(|| "completed".to_owned());
        let reason = match response.object("incomplete_details")? {
            Some(mut details) => details.text("reason")?,
            None => None,
        };
        let reason = read_stop(&status, reason.as_deref(), self.wants_tool, self.declined);
        deltas.push(Delta::Stop { reason, sequence: None, usage });
        deltas.push(Delta::End);
        Ok(())
    }

    /// The block at this place; what is open elsewhere closes, since blocks come one after the other.
    fn at(&mut self, place: Place, block: impl FnOnce() -> Block, deltas: &mut Vec<Delta>) -> u32 {
        if let Some(open) = self.open.as_ref().filter(|open| open.place == place) {
            return open.index;
        }
        self.close(deltas);
        let mut block = block();
        self.declined |= matches!(block, Block::Refusal { .. });
        if let (Block::Text { extra, .. }, Some(own)) = (&mut block, self.message.take()) {
            extra.insert(ITEM.to_owned(), Value::Object(own));
        }
        let index = self.next;
        self.next += 1;
        self.open = Some(Open { place, index, has_come: false });
        deltas.push(Delta::Open { index, block });
        index
    }

    fn has_come(&mut self) {
        self.open.iter_mut().for_each(|open| open.has_come = true);
    }

    fn close_if(&mut self, place: Place, deltas: &mut Vec<Delta>) {
        if self.open.as_ref().is_some_and(|open| open.place == place) {
            self.close(deltas);
        }
    }

    fn close(&mut self, deltas: &mut Vec<Delta>) {
        if let Some(open) = self.open.take() {
            deltas.push(Delta::Close { index: open.index });
        }
    }
}

fn thought() -> Block {
    Block::Thinking { text: String::new(), signature: None }
}

//! Items into turns, and turns into items.

use serde_json::{Map, Value, json};

use super::content::{read_parts, write_parts, write_said};
use super::{ITEM, OURS, proof};
use crate::gateway::dialect::fields::{Built, Fields, kind};
use crate::model::gateway::{Block, Extra, Fault, Message, Role, parse_input};

/// A text, or a list of items. What follows each other on one side is one turn.
pub(super) fn read_input(value: Value) -> Result<Vec<Message>, Fault> {
    let mut turns = Vec::new();
    match value {
        Value::String(text) => turns.push(Message::text(Role::User, text)),
        Value::Array(list) => {
            for (index, value) in list.into_iter().enumerate() {
                read_item(value, &format!("/input/{index}"), &mut turns)?;
            }
        }
        other => {
            let message = format!("expected text or a list of items, found {}", kind(&other));
            return Err(Fault::invalid("/input", message));
        }
    }
    Ok(turns)
}

/// Adds what an item says to the turns before it.
pub(super) fn read_item(value: Value, at: &str, turns: &mut Vec<Message>) -> Result<(), Fault> {
    let whole = value.clone();
    let mut fields = Fields::of(value, at)?;
    match fields.text("type")?.as_deref() {
        None | Some("message") => return read_message(fields, at, turns),
        Some("function_call") => {
            let (id, name) = (fields.need_text("call_id")?, fields.need_text("name")?);
            let input = parse_input(&fields.text("arguments")?.unwrap_or_default());
            add(turns, Role::Assistant, Block::ToolUse { id, name, input, cache: None, extra: own_fields(fields) });
        }
        Some("function_call_output") => {
            let place = fields.at("output");
            let result = Block::ToolResult {
                tool_use_id: fields.need_text("call_id")?,
                content: read_parts(fields.need("output")?, &place)?,
                is_error: false,
                cache: None,
                extra: own_fields(fields),
            };
            add(turns, Role::User, result);
        }
        Some("reasoning") => add(turns, Role::Assistant, proof::read(whole, at)?),
        Some("item_reference") => {
            let message = "expected the item itself: answers are not kept here, so that none can be referred to";
            return Err(Fault::invalid(at, message));
        }
        Some(word) => {
            let role = if word.ends_with("_output") { Role::User } else { Role::Assistant };
            add(turns, role, Block::Native { value: whole });
        }
    }
    Ok(())
}

fn read_message(mut fields: Fields, at: &str, turns: &mut Vec<Message>) -> Result<(), Fault> {
    let role = fields.need_text("role")?;
    let place = fields.at("content");
    let mut content = read_parts(fields.need("content")?, &place)?;
    let mut own = own_fields(fields);
    let role = match role.as_str() {
        "user" => Role::User,
        "system" => Role::System,
        "developer" => {
            own.insert("role".to_owned(), json!("developer"));
            Role::System
        }
        "assistant" => {
            // Where a message begins, and what it says of itself, is told by its first text.
            if let Some(Block::Text { extra, .. }) = content.first_mut() {
                extra.insert(ITEM.to_owned(), Value::Object(own));
            }
            for block in content {
                add(turns, Role::Assistant, block);
            }
            return Ok(());
        }
        other => {
            let message = format!("expected user, assistant, system or developer, found {other}");
            return Err(Fault::invalid(format!("{at}/role"), message));
        }
    };
    turns.push(Message { role, content, extra: own });
    Ok(())
}

/// What an item says of itself, without an id that was made here.
fn own_fields(fields: Fields) -> Extra {
    let mut own = fields.rest();
    own.retain(|name, value| name != "id" || !value.as_str().is_some_and(|id| id.contains(OURS)));
    own
}

/// Adds to the model's turn, or to what its tools gave.
fn add(turns: &mut Vec<Message>, role: Role, block: Block) {
    let is_result = |block: &Block| matches!(block, Block::ToolResult { .. } | Block::Native { .. });
    match turns.last_mut() {
        Some(last) if last.role == role && (role == Role::Assistant || last.content.first().is_some_and(is_result)) => {
            last.content.push(block);
        }
        _ => turns.push(Message { role, content: vec![block], extra: Extra::new() }),
    }
}

/// The items that say one of our turns.
pub(super) fn write_turn(turn: &Message, same: bool, at: &str, items: &mut Vec<Value>) -> Result<(), Fault> {
    if turn.role == Role::Assistant {
        return write_answer(&turn.content, same, at, items);
    }
    let mut parts: Vec<&Block> = Vec::new();
    for (index, block) in turn.content.iter().enumerate() {
        match block {
            Block::ToolResult { tool_use_id, content, is_error, extra, .. } => {
                flush(turn, &mut parts, same, at, items)?;
                let mut built = Built::default();
                built.set("type", "function_call_output");
                built.set("call_id", tool_use_id.as_str());
                built.set("output", write_result(content, *is_error, same, &format!("{at}/{index}"))?);
                if same {
                    built.extend(extra);
                }
                items.push(built.into());
            }
            // What a tool of the provider's gave is an item, what the user gives a part.
            Block::Native { value } if same && !block.kind().starts_with("input_") => {
                flush(turn, &mut parts, same, at, items)?;
                items.push(value.clone());
            }
            block => parts.push(block),
        }
    }
    flush(turn, &mut parts, same, at, items)
}

fn flush(turn: &Message, parts: &mut Vec<&Block>, same: bool, at: &str, items: &mut Vec<Value>) -> Result<(), Fault> {
    if parts.is_empty() {
        return Ok(());
    }
    let mut built = Built::default();
    built.set("type", "message");
    built.set("content", write_parts(parts, same, at)?);
    if same {
        built.extend(&turn.extra);
    }
    let role = if turn.role == Role::System { "system" } else { "user" };
    built.0.entry("role").or_insert_with(|| json!(role));
    items.push(built.into());
    parts.clear();
    Ok(())
}

/// Words as one text. A failed tool has no field of its own; its words say so.
fn write_result(content: &[Block], is_error: bool, same: bool, at: &str) -> Result<Value, Fault> {
    let plain = |block: &Block| match block {
        Block::Text { text, extra, .. } if extra.is_empty() || !same => Some(text.clone()),
        _ => None,
    };
    let texts: Option<Vec<String>> = content.iter().map(plain).collect();
    let Some(texts) = texts.filter(|texts| texts.len() <= 1 || is_error) else {
        let blocks: Vec<&Block> = content.iter().collect();
        let mut parts = write_parts(&blocks, same, at)?;
        if let (true, Some(parts)) = (is_error, parts.as_array_mut()) {
            parts.insert(0, json!({"type": "input_text", "text": "Error:"}));
        }
        return Ok(parts);
    };
    let text = texts.join("\n\n");
    let says_so = !is_error || text.to_lowercase().starts_with("error");
    Ok(json!(if says_so { text } else { format!("Error: {text}") }))
}

/// The items of what the model said, for OpenAI. Thoughts that it can't take back are left out.
fn write_answer(content: &[Block], same: bool, at: &str, items: &mut Vec<Value>) -> Result<(), Fault> {
    let mut said: Option<Value> = None;
    for (index, block) in content.iter().enumerate() {
        if let Some(part) = write_said(block, same) {
            let own = item_of(block).filter(|_| same);
            if own.is_some() {
                items.extend(said.take());
            }
            push_part(said.get_or_insert_with(|| begin_message(own)), part);
            continue;
        }
        items.extend(said.take());
        match block {
            Block::ToolUse { .. } => items.push(write_call(block, same, None)),
            Block::Thinking { .. } | Block::RedactedThinking { .. } => items.extend(proof::write_back(block)),
            Block::Native { value } if same => items.push(value.clone()),
            block => {
                let message = format!("a block of the type {} has no counterpart in Responses", block.kind());
                return Err(Fault::untranslatable(format!("{at}/{index}"), message));
            }
        }
    }
    items.extend(said);
    Ok(())
}

/// What the item says of itself that begins with this block; `None` where it began before, or elsewhere.
pub(super) fn item_of(block: &Block) -> Option<&Map<String, Value>> {
    match block {
        Block::Text { extra, .. } => extra.get(ITEM)?.as_object(),
        _ => None,
    }
}

/// A message of the model's, without a part yet.
pub(super) fn begin_message(own: Option<&Map<String, Value>>) -> Value {
    let mut built = Built::default();
    built.set("type", "message");
    built.set("role", "assistant");
    built.set("content", json!([]));
    built.0.extend(own.cloned().unwrap_or_default());
    built.into()
}

pub(super) fn push_part(message: &mut Value, part: Value) {
    if let Some(content) = message["content"].as_array_mut() {
        content.push(part);
    }
}

/// A use of a tool; the input as the text that it was, where it was none of JSON. `id` is the item's, where it has none.
pub(super) fn write_call(block: &Block, same: bool, id: Option<String>) -> Value {
    let Block::ToolUse { id: call_id, name, input, extra, .. } = block else { return Value::Null };
    let arguments = match input {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut built = Built::default();
    built.set("type", "function_call");
    built.set("call_id", call_id.as_str());
    built.set("name", name.as_str());
    built.set("arguments", arguments);
    if same {
        built.extend(extra);
    }
    if let Some(id) = id {
        built.0.entry("id").or_insert_with(|| json!(id));
        built.0.entry("status").or_insert_with(|| json!("completed"));
    }
    built.into()
}

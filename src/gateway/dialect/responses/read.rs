//! Requests and whole answers, from JSON.

use serde_json::{Value, json};

use super::item::{read_input, read_item};
use super::{read_stop, read_usage};
use crate::gateway::dialect::fields::{Fields, kind};
use crate::gateway::dialect::{malformed, read_error};
use crate::model::gateway::{
    Block, Dialect, Effort, Extra, Fault, Message, Output, Request, Response, Sampling, Tool, ToolChoice, declined,
    wants_tool,
};

pub(in crate::gateway::dialect) fn read_request(body: Value) -> Result<Request, Fault> {
    let mut fields = Fields::of(body, "")?;
    let mut request = Request::new(Dialect::Responses, fields.need_text("model")?);
    refuse_what_would_be_kept(&mut fields)?;
    request.system.extend(fields.text("instructions")?.map(Block::text));
    request.messages = read_input(fields.need("input")?)?;
    let tools = fields.list("tools")?.unwrap_or_default().into_iter().enumerate();
    request.tools =
        tools.map(|(index, value)| read_tool(value, &format!("/tools/{index}"))).collect::<Result<Vec<Tool>, _>>()?;
    read_tool_choice(&mut fields, &mut request)?;
    request.parallel_tools = fields.flag("parallel_tool_calls")?;
    request.max_tokens = fields.count("max_output_tokens")?;
    request.sampling =
        Sampling { temperature: fields.number("temperature")?, top_p: fields.number("top_p")?, ..Sampling::default() };
    request.stream = fields.flag("stream")?.unwrap_or(false);
    // Padding against eavesdroppers on the wire; the answer is the same without.
    let _ = fields.value("stream_options");
    read_text(&mut fields, &mut request)?;
    read_reasoning(&mut fields, &mut request)?;
    // What is usual says nothing.
    if let Some(word) = fields.text("truncation")?.filter(|word| word != "disabled") {
        request.extra.insert("truncation".to_owned(), json!(word));
    }
    request.extra.extend(fields.rest());
    Ok(request)
}

/// Answers are not kept between calls, and none is made while nobody waits for it.
fn refuse_what_would_be_kept(fields: &mut Fields) -> Result<(), Fault> {
    for name in ["previous_response_id", "conversation"] {
        if fields.value(name).is_some() {
            let message = "expected none: answers are not kept here; send the whole conversation as input, with the items of \
                           earlier answers in it";
            return Err(Fault::invalid(format!("/{name}"), message));
        }
    }
    if fields.flag("background")?.unwrap_or(false) {
        let message = "expected false: no answer is made in the background; send stream: true for one that takes long";
        return Err(Fault::invalid("/background", message));
    }
    // Taken either way, since it is what SDKs send; the answer says that it was not stored.
    let _ = fields.flag("store")?;
    Ok(())
}

fn read_tool(value: Value, at: &str) -> Result<Tool, Fault> {
    let whole = value.clone();
    let mut fields = Fields::of(value, at)?;
    if fields.need_text("type")? != "function" {
        return Ok(Tool::Native { value: whole });
    }
    Ok(Tool::Function {
        name: fields.need_text("name")?,
        description: fields.text("description")?,
        // A function without parameters takes none.
        input_schema: fields.value("parameters").unwrap_or_else(|| json!({"type": "object", "properties": {}})),
        strict: fields.flag("strict")?,
        cache: None,
        extra: fields.rest(),
    })
}

fn read_tool_choice(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    let Some(value) = fields.value("tool_choice") else { return Ok(()) };
    request.tool_choice = match &value {
        Value::String(word) => Some(match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Any,
            other => {
                let message = format!("expected auto, none, required or a tool, found {other}");
                return Err(Fault::invalid("/tool_choice", message));
            }
        }),
        Value::Object(_) => match (value["type"].as_str(), value["name"].as_str()) {
            (Some("function"), Some(name)) => Some(ToolChoice::Tool { name: name.to_owned() }),
            (Some("function"), None) => return Err(Fault::invalid("/tool_choice/name", "this field is required")),
            _ => {
                // A choice among several, or of a kind that only this dialect knows.
                request.extra.insert("tool_choice".to_owned(), value);
                None
            }
        },
        other => {
            return Err(Fault::invalid("/tool_choice", format!("expected text or an object, found {}", kind(other))));
        }
    };
    Ok(())
}

fn read_text(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    let Some(mut text) = fields.object("text")? else { return Ok(()) };
    if let Some(mut format) = text.object("format")? {
        request.output = match format.need_text("type")?.as_str() {
            "text" => None,
            "json_object" => Some(Output::Json),
            "json_schema" => Some(Output::Schema {
                name: format.text("name")?,
                description: format.text("description")?,
                schema: format.need("schema")?,
                strict: format.flag("strict")?,
            }),
            other => {
                let message = format!("expected text, json_object or json_schema, found {other}");
                return Err(Fault::invalid("/text/format/type", message));
            }
        };
    }
    keep_rest(request, "text", text);
    Ok(())
}

fn read_reasoning(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    let Some(mut reasoning) = fields.object("reasoning")? else { return Ok(()) };
    if let Some(word) = reasoning.text("effort")? {
        request.effort = Some(Effort::parse(&word).ok_or_else(|| {
            let message = format!("expected none, minimal, low, medium, high or xhigh, found {word}");
            Fault::invalid("/reasoning/effort", message)
        })?);
    }
    keep_rest(request, "reasoning", reasoning);
    Ok(())
}

/// What is beside the fields that all know stays in `extra`, and is merged back by the writer.
fn keep_rest(request: &mut Request, name: &str, fields: Fields) {
    let rest = fields.rest();
    if !rest.is_empty() {
        request.extra.insert(name.to_owned(), Value::Object(rest));
    }
}

/// A whole answer. One that failed says so in itself, with a status of success.
pub(in crate::gateway::dialect) fn read_response(body: Value) -> Result<Response, Fault> {
    if body["status"] == "failed" || !body["error"].is_null() {
        return Err(read_error(&body["error"]));
    }
    read_complete(body).map_err(malformed)
}

fn read_complete(body: Value) -> Result<Response, Fault> {
    let mut fields = Fields::of(body, "")?;
    let id = fields.text("id")?.unwrap_or_default();
    let model = fields.text("model")?.unwrap_or_default();
    let content = read_output(fields.need_list("output")?)?;
    let usage = read_usage(fields.value("usage"), "/usage")?;
    let status = fields.text("status")?.unwrap_or_else(|| "completed".to_owned());
    let reason = match fields.object("incomplete_details")? {
        Some(mut details) => details.text("reason")?,
        None => None,
    };
    let stop = read_stop(&status, reason.as_deref(), wants_tool(&content), declined(&content));
    let mut extra: Extra = fields.rest();
    for name in ["object", "created_at", "store", "output_text", "background", "previous_response_id"] {
        extra.remove(name);
    }
    Ok(Response { id, model, content, stop, stop_sequence: None, usage, extra, others: Vec::new() })
}

/// The blocks of an answer's items.
fn read_output(items: Vec<Value>) -> Result<Vec<Block>, Fault> {
    let mut turns: Vec<Message> = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        read_item(item, &format!("/output/{index}"), &mut turns)?;
    }
    Ok(turns.into_iter().flat_map(|turn| turn.content).collect())
}

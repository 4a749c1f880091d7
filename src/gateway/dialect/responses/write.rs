//! Requests and whole answers, as JSON.

use serde_json::{Value, json};

use super::content::{write_parts, write_said};
use super::item::{begin_message, item_of, push_part, write_call, write_turn};
use super::{OURS, SEALED, proof, write_stop, write_usage};
use crate::gateway::dialect::fields::Built;
use crate::gateway::dialect::{Addressee, Envelope, foreign, openai};
use crate::model::gateway::{
    Block, Dialect, Effort, Extra, Fault, Output, Request, Response, Thinking, Tool, ToolChoice, declined,
};

/// Fields of Chat Completions that are called the same here.
pub(in crate::gateway::dialect) const SHARED: [&str; 6] =
    ["metadata", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier", "user"];

pub(in crate::gateway::dialect) fn write_request(request: &Request, to: Addressee<'_>) -> Result<Value, Fault> {
    let same = request.dialect == Dialect::Responses;
    let mut built = Built::default();
    built.set("model", to.model.id.as_str());
    let mut items = Vec::new();
    write_system(request, same, &mut built, &mut items)?;
    for (index, turn) in request.messages.iter().enumerate() {
        write_turn(turn, same, &format!("/messages/{index}/content"), &mut items)?;
    }
    built.set("input", items);
    write_tools(request, same, &mut built)?;
    built.put("max_output_tokens", request.max_tokens);
    write_sampling(request, &mut built)?;
    built.put("stream", request.stream.then_some(true));
    write_text(request.output_for(to.model.json_schema), request, &mut built);
    write_reasoning(request, &mut built);
    write_include(request, same, &mut built);
    // Nothing is kept at the provider: what an answer thought comes back sealed.
    built.set("store", false);
    if same {
        built.extend(&request.extra);
    } else {
        foreign::refuse(request, &[], "in Responses")?;
        if request.dialect == Dialect::OpenAi {
            let shared = request.extra.iter().filter(|(name, _)| SHARED.contains(&name.as_str()));
            built.0.extend(shared.map(|(name, value)| (name.clone(), value.clone())));
        }
    }
    Ok(built.into())
}

/// The task as one text; where it is more than words, as the first message.
fn write_system(request: &Request, same: bool, built: &mut Built, items: &mut Vec<Value>) -> Result<(), Fault> {
    let texts: Option<Vec<&str>> = request
        .system
        .iter()
        .map(|block| match block {
            Block::Text { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    match texts {
        Some(texts) if texts.is_empty() => {}
        Some(texts) => built.set("instructions", texts.join("\n\n")),
        None => {
            let blocks: Vec<&Block> = request.system.iter().collect();
            let content = write_parts(&blocks, same, "/system")?;
            items.push(json!({"type": "message", "role": "system", "content": content}));
        }
    }
    Ok(())
}

fn write_tools(request: &Request, same: bool, built: &mut Built) -> Result<(), Fault> {
    if request.tools.is_empty() {
        return Ok(());
    }
    let tools = request.tools.iter().enumerate();
    let tools = tools.map(|(index, tool)| write_tool(tool, same, &format!("/tools/{index}")));
    built.set("tools", tools.collect::<Result<Vec<Value>, Fault>>()?);
    built.put("tool_choice", request.tool_choice.as_ref().map(write_choice));
    built.put("parallel_tool_calls", request.parallel_tools);
    Ok(())
}

fn write_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::Any => json!("required"),
        ToolChoice::None => json!("none"),
        ToolChoice::Tool { name } => json!({"type": "function", "name": name}),
    }
}

fn write_tool(tool: &Tool, same: bool, at: &str) -> Result<Value, Fault> {
    match tool {
        Tool::Function { name, description, input_schema, strict, extra, .. } => {
            let mut built = Built::default();
            built.set("type", "function");
            built.set("name", name.as_str());
            built.put("description", description.as_deref());
            built.set("parameters", input_schema.clone());
            // Strict is the usual here and nowhere else.
            built.put("strict", strict.or(if same { None } else { Some(false) }));
            if same {
                built.extend(extra);
            }
            Ok(built.into())
        }
        Tool::Native { value } if same => Ok(value.clone()),
        Tool::Native { value } => {
            let kind = value["type"].as_str().unwrap_or("unknown");
            Err(Fault::untranslatable(at, format!("a tool of the type {kind} has no counterpart in Responses")))
        }
    }
}

fn write_sampling(request: &Request, built: &mut Built) -> Result<(), Fault> {
    let sampling = request.sampling;
    built.put("temperature", sampling.temperature);
    built.put("top_p", sampling.top_p);
    let weighs = |value: Option<f64>| value.is_some_and(|value| value != 0.0);
    // A seed is only ever best effort.
    for (name, is_there) in [
        ("/top_k", sampling.top_k.is_some()),
        ("/frequency_penalty", weighs(sampling.frequency_penalty)),
        ("/presence_penalty", weighs(sampling.presence_penalty)),
        (if request.dialect == Dialect::Anthropic { "/stop_sequences" } else { "/stop" }, !request.stop.is_empty()),
    ] {
        if is_there {
            return Err(Fault::untranslatable(name, "this field has no counterpart in Responses"));
        }
    }
    Ok(())
}

fn write_text(output: Option<&Output>, request: &Request, built: &mut Built) {
    let mut text = Built::default();
    text.put(
        "format",
        output.map(|output| match output {
            Output::Json => json!({"type": "json_object"}),
            Output::Schema { name, description, schema, strict } => {
                let mut format = Built::default();
                format.set("type", "json_schema");
                // The dialect wants a name.
                format.set("name", name.as_deref().unwrap_or("answer"));
                format.put("description", description.as_deref());
                format.set("schema", schema.clone());
                format.put("strict", *strict);
                format.into()
            }
        }),
    );
    match (request.dialect, request.extra.get("text"), request.extra.get("verbosity")) {
        (Dialect::Responses, Some(Value::Object(rest)), _) => text.extend(rest),
        (Dialect::OpenAi, _, Some(verbosity)) => text.set("verbosity", verbosity.clone()),
        _ => {}
    }
    if !text.0.is_empty() {
        built.set("text", text);
    }
}

fn write_reasoning(request: &Request, built: &mut Built) {
    let mut reasoning = Built::default();
    reasoning.put("effort", openai::effort_of(request).map(Effort::as_str));
    if let (Dialect::Responses, Some(Value::Object(rest))) = (request.dialect, request.extra.get("reasoning")) {
        reasoning.extend(rest);
    }
    if !reasoning.0.is_empty() {
        built.set("reasoning", reasoning);
    }
}

/// Thoughts come back sealed wherever the request is about thinking; models that never think refuse to be asked for them.
fn write_include(request: &Request, same: bool, built: &mut Built) {
    let asked = request.extra.get("include").and_then(Value::as_array).filter(|_| same);
    let mut include = asked.cloned().unwrap_or_default();
    let thinks = request.effort.is_some_and(|effort| effort != Effort::None)
        || request.thinking.is_some_and(|thinking| thinking != Thinking::Off)
        || built.0.contains_key("reasoning");
    if thinks && !include.iter().any(|word| word == SEALED) {
        include.push(json!(SEALED));
    }
    if !include.is_empty() {
        built.set("include", include);
    }
}

/// What an answer repeats of its request.
pub(in crate::gateway::dialect) fn echo(request: &Request) -> Extra {
    let mut built = Built::default();
    built.extend(&request.extra);
    built.0.remove("include");
    built.set(
        "instructions",
        request.system.first().map_or(Value::Null, |block| match block {
            Block::Text { text, .. } => json!(text),
            _ => Value::Null,
        }),
    );
    let tools = request.tools.iter().filter_map(|tool| write_tool(tool, true, "").ok());
    built.set("tools", tools.collect::<Vec<Value>>());
    let choice = request.tool_choice.as_ref().map(write_choice);
    built.0.entry("tool_choice").or_insert_with(|| choice.unwrap_or_else(|| json!("auto")));
    built.set("parallel_tool_calls", request.parallel_tools.unwrap_or(true));
    built.set("max_output_tokens", json!(request.max_tokens));
    built.set("temperature", json!(request.sampling.temperature));
    built.set("top_p", json!(request.sampling.top_p));
    write_text(request.output.as_ref(), request, &mut built);
    built.0.entry("text").or_insert_with(|| json!({}));
    if built.0["text"].get("format").is_none() {
        built.0["text"]["format"] = json!({"type": "text"});
    }
    write_reasoning(request, &mut built);
    for (name, usual) in [
        ("reasoning", json!({"effort": null, "summary": null})),
        ("truncation", json!("disabled")),
        ("metadata", json!({})),
        ("user", Value::Null),
    ] {
        built.0.entry(name).or_insert(usual);
    }
    built.0
}

/// The answer as it is known so far. What it repeats is the request's; `output` are its items.
pub(super) fn snapshot(envelope: &Envelope, (id, model): (&str, &str), status: &str, output: Vec<Value>) -> Value {
    let mut built = Built(envelope.echo.clone());
    built.set("id", if id.starts_with("resp_") { id.to_owned() } else { format!("resp_{id}") });
    built.set("object", "response");
    built.set("created_at", envelope.at.unix_ms().div_euclid(1000));
    built.set("model", model);
    built.set("status", status);
    built.set("output", output);
    for name in ["error", "incomplete_details", "previous_response_id", "usage"] {
        built.set(name, Value::Null);
    }
    built.set("store", false);
    built.set("background", false);
    built.into()
}

pub(in crate::gateway::dialect) fn write_response(response: &Response, envelope: &Envelope) -> Value {
    let same = envelope.same_dialect;
    let (status, details) = write_stop(&response.stop, declined(&response.content));
    let output = write_output(&response.content, same, &response.id);
    let mut said = snapshot(envelope, (&response.id, &response.model), status, output);
    if same {
        for (name, value) in &response.extra {
            said[name] = value.clone();
        }
    }
    said["incomplete_details"] = details;
    said["usage"] = write_usage(response.usage);
    said
}

/// The id of an item that has none.
pub(super) fn item_id(prefix: &str, response: &str, index: usize) -> String {
    format!("{prefix}{OURS}{response}_{index}")
}

fn write_output(content: &[Block], same: bool, response: &str) -> Vec<Value> {
    let mut items: Vec<Value> = Vec::new();
    let mut speaks = false;
    for block in content {
        if let Some(part) = write_said(block, same) {
            let own = item_of(block).filter(|_| same);
            if !speaks || own.is_some() {
                items.push(message_item(own, &item_id("msg", response, items.len()), "completed"));
            }
            speaks = true;
            items.last_mut().into_iter().for_each(|message| push_part(message, part.clone()));
            continue;
        }
        speaks = false;
        match block {
            Block::ToolUse { .. } => {
                let id = item_id("fc", response, items.len());
                items.push(write_call(block, same, Some(id)));
            }
            Block::Native { value } if same => items.push(value.clone()),
            block => {
                let thought = proof::write(block, &format!("{response}_{}", items.len()));
                items.extend(thought);
            }
        }
    }
    items
}

/// A message of the model's for a program, which wants an id and a status.
pub(super) fn message_item(own: Option<&Extra>, id: &str, status: &str) -> Value {
    let mut message = begin_message(own);
    for (name, usual) in [("id", id), ("status", status)] {
        if message.get(name).is_none() {
            message[name] = json!(usual);
        }
    }
    message
}

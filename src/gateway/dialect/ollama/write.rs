//! Requests, as Ollama's JSON.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::gateway::dialect::fields::Built;
use crate::gateway::dialect::{Addressee, foreign};
use crate::model::gateway::{
    Block, Dialect, Effort, Fault, ImageSource, Message, Output, Request, Role, Thinking, Tool, ToolChoice,
};

/// Fields of Ollama's that a caller of Chat Completions may add.
pub(in crate::gateway::dialect) const OWN: [&str; 3] = ["keep_alive", "options", "think"];

pub(in crate::gateway::dialect) fn write_request(request: &Request, to: Addressee<'_>) -> Result<Value, Fault> {
    let mut built = Built::default();
    built.set("model", to.model.id.as_str());
    built.set("messages", write_messages(request)?);
    write_tools(request, &mut built)?;
    built.set("stream", request.stream);
    built.put(
        "format",
        request.output_for(to.model.json_schema).map(|output| match output {
            Output::Json => json!("json"),
            Output::Schema { schema, .. } => schema.clone(),
        }),
    );
    built.put("think", write_think(request, &to.model.id));
    let own = if request.dialect == Dialect::OpenAi { &OWN[..] } else { &[] };
    foreign::refuse(request, own, "at Ollama")?;
    let mut options = write_options(request);
    for name in own {
        match (request.extra.get(*name), *name) {
            (Some(Value::Object(more)), "options") => options.0.extend(more.clone()),
            (Some(other), "options") => {
                let message = format!("expected an object, found {}", crate::gateway::dialect::fields::kind(other));
                return Err(Fault::invalid("/options", message));
            }
            (Some(value), name) => built.set(name, value.clone()),
            (None, _) => {}
        }
    }
    if !options.0.is_empty() {
        built.set("options", options);
    }
    Ok(built.into())
}

fn write_messages(request: &Request) -> Result<Vec<Value>, Fault> {
    let mut messages = Vec::new();
    // A result is told apart by the tool's name.
    let mut names: HashMap<&str, &str> = HashMap::new();
    if !request.system.is_empty() {
        let system: Vec<&Block> = request.system.iter().collect();
        messages.push(write_said("system", &system, "/system")?);
    }
    for (index, message) in request.messages.iter().enumerate() {
        for block in &message.content {
            if let Block::ToolUse { id, name, .. } = block {
                names.insert(id, name);
            }
        }
        write_message(message, &names, &format!("/messages/{index}/content"), &mut messages)?;
    }
    Ok(messages)
}

/// The messages that say what one of ours says. What tools gave are messages of their own, before the rest.
fn write_message(message: &Message, names: &HashMap<&str, &str>, at: &str, to: &mut Vec<Value>) -> Result<(), Fault> {
    let mut rest: Vec<&Block> = Vec::new();
    for (index, block) in message.content.iter().enumerate() {
        let Block::ToolResult { tool_use_id, content, is_error, .. } = block else {
            rest.push(block);
            continue;
        };
        let content: Vec<&Block> = content.iter().collect();
        let mut result = write_said("tool", &content, &format!("{at}/{index}/content"))?;
        if *is_error && !result["content"].as_str().is_some_and(|text| text.to_lowercase().starts_with("error")) {
            result["content"] = json!(format!("Error: {}", result["content"].as_str().unwrap_or_default()));
        }
        result["tool_call_id"] = json!(tool_use_id);
        if let Some(name) = names.get(tool_use_id.as_str()) {
            result["tool_name"] = json!(name);
        }
        to.push(result);
    }
    if rest.is_empty() && !message.content.is_empty() {
        return Ok(());
    }
    let role = match message.role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::System => "system",
    };
    to.push(write_said(role, &rest, at)?);
    Ok(())
}

fn write_said(role: &str, blocks: &[&Block], at: &str) -> Result<Value, Fault> {
    let (mut texts, mut thoughts, mut images, mut calls) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, block) in blocks.iter().enumerate() {
        match block {
            Block::Text { text, .. } | Block::Refusal { text } => texts.push(text.as_str()),
            Block::Thinking { text, .. } => thoughts.push(text.as_str()),
            Block::RedactedThinking { .. } => {}
            Block::Image { source: ImageSource::Base64 { data, .. }, .. } => images.push(data.as_str()),
            Block::Image { .. } => {
                let message = "Ollama fetches no pictures; send the picture itself, in base64";
                return Err(Fault::untranslatable(format!("{at}/{index}"), message));
            }
            Block::ToolUse { id, name, input, .. } => {
                // Ollama takes an object alone.
                let arguments = if input.is_object() { input.clone() } else { json!({}) };
                calls.push(json!({"id": id, "function": {"name": name, "arguments": arguments}}));
            }
            block => {
                let message = format!("a block of the type {} has no counterpart at Ollama", block.kind());
                return Err(Fault::untranslatable(format!("{at}/{index}"), message));
            }
        }
    }
    let mut said = Built::default();
    said.set("role", role);
    said.set("content", texts.join("\n\n"));
    said.put("thinking", (!thoughts.is_empty()).then(|| thoughts.join("\n\n")));
    said.put("images", (!images.is_empty()).then_some(images));
    said.put("tool_calls", (!calls.is_empty()).then_some(calls));
    Ok(said.into())
}

fn write_tools(request: &Request, built: &mut Built) -> Result<(), Fault> {
    let refuse = |at: &str, what: &str| Err(Fault::untranslatable(at, format!("{what} has no counterpart at Ollama")));
    match &request.tool_choice {
        Some(ToolChoice::None) => return Ok(()),
        Some(ToolChoice::Any | ToolChoice::Tool { .. }) => return refuse("/tool_choice", "that a tool must be used"),
        Some(ToolChoice::Auto) | None => {}
    }
    if request.tools.is_empty() {
        return Ok(());
    }
    if request.parallel_tools == Some(false) {
        return refuse("/parallel_tool_calls", "that only one tool is used at a time");
    }
    let mut tools = Vec::new();
    for (index, tool) in request.tools.iter().enumerate() {
        match tool {
            Tool::Function { name, description, input_schema, .. } => {
                let mut function = Built::default();
                function.set("name", name.as_str());
                function.put("description", description.as_deref());
                function.set("parameters", input_schema.clone());
                tools.push(json!({"type": "function", "function": Value::from(function)}));
            }
            Tool::Native { value } => {
                let kind = value["type"].as_str().unwrap_or("unknown");
                return refuse(&format!("/tools/{index}"), &format!("a tool of the type {kind}"));
            }
        }
    }
    built.set("tools", tools);
    Ok(())
}

/// Whether a model can be told how much it is to think.
pub(in crate::gateway::dialect) fn takes_effort(model: &str) -> bool {
    model.contains("gpt-oss")
}

/// Models that can think do so unless told not to, and others refuse to be told that they should; how much can be said to one
/// family alone.
fn write_think(request: &Request, model: &str) -> Option<Value> {
    match (request.thinking, request.effort) {
        (Some(Thinking::Off), _) | (None, Some(Effort::None | Effort::Minimal)) => Some(json!(false)),
        (_, Some(effort)) if takes_effort(model) => Some(match effort {
            Effort::None | Effort::Minimal | Effort::Low => json!("low"),
            Effort::Medium => json!("medium"),
            Effort::High | Effort::Xhigh | Effort::Max => json!("high"),
        }),
        _ => None,
    }
}

fn write_options(request: &Request) -> Built {
    let sampling = request.sampling;
    let mut options = Built::default();
    options.put("temperature", sampling.temperature);
    options.put("top_p", sampling.top_p);
    options.put("top_k", sampling.top_k);
    options.put("seed", sampling.seed);
    options.put("frequency_penalty", sampling.frequency_penalty);
    options.put("presence_penalty", sampling.presence_penalty);
    options.put("num_predict", request.max_tokens);
    options.put("stop", (!request.stop.is_empty()).then(|| request.stop.clone()));
    options
}

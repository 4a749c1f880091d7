//! Messages, their parts, and tools.

use serde_json::{Value, json};

use crate::gateway::dialect::fields::{Built, Fields, kind};
use crate::model::gateway::{
    Block, CacheMark, CacheTtl, Extra, Fault, ImageSource, Message, ProviderKind, Role, Tool, parse_input,
};

/// A message. What a tool gave is what the user says in our words.
pub(super) fn read_message(value: Value, at: &str) -> Result<Message, Fault> {
    let mut fields = Fields::of(value, at)?;
    let role = fields.need_text("role")?;
    let place = fields.at("content");
    let content = fields.value("content");
    let role = match role.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => {
            let content = read_answer(&mut fields, content, &place)?;
            return Ok(Message { role: Role::Assistant, content, extra: fields.rest() });
        }
        "tool" => {
            let result = Block::ToolResult {
                tool_use_id: fields.need_text("tool_call_id")?,
                content: content.map_or(Ok(Vec::new()), |content| read_parts(content, &place))?,
                is_error: false,
                cache: read_cache(&mut fields)?,
                extra: Extra::new(),
            };
            return Ok(Message { role: Role::User, content: vec![result], extra: fields.rest() });
        }
        other => {
            let message = format!("expected system, developer, user, assistant or tool, found {other}");
            return Err(Fault::invalid(format!("{at}/role"), message));
        }
    };
    let content = content.ok_or_else(|| Fault::invalid(place.as_str(), "this field is required"))?;
    Ok(Message { role, content: read_parts(content, &place)?, extra: fields.rest() })
}

/// What the model said: thoughts, words, tools.
pub(super) fn read_answer(fields: &mut Fields, content: Option<Value>, at: &str) -> Result<Vec<Block>, Fault> {
    let mut blocks = read_thoughts(fields)?;
    if let Some(content) = content {
        let parts = read_parts(content, at)?;
        blocks.extend(parts.into_iter().filter(|part| !matches!(part, Block::Text { text, .. } if text.is_empty())));
    }
    if let Some(text) = fields.text("refusal")? {
        blocks.push(Block::Refusal { text });
    }
    let place = fields.at("tool_calls");
    for (index, call) in fields.list("tool_calls")?.unwrap_or_default().into_iter().enumerate() {
        blocks.push(read_call(call, &format!("{place}/{index}"))?);
    }
    if fields.value("function_call").is_some() {
        return Err(Fault::invalid(fields.at("function_call"), "expected tool_calls, which replace this field"));
    }
    Ok(blocks)
}

fn read_thoughts(fields: &mut Fields) -> Result<Vec<Block>, Fault> {
    let plain = fields.text("reasoning_content")?;
    // Elsewhere `reasoning` is an object with other things.
    let plain = match fields.value("reasoning") {
        Some(Value::String(text)) => plain.or(Some(text)),
        _ => plain,
    };
    let place = fields.at("thinking_blocks");
    let Some(list) = fields.list("thinking_blocks")? else {
        let thought = plain.filter(|text| !text.is_empty());
        return Ok(thought.map(|text| Block::Thinking { text, signature: None }).into_iter().collect());
    };
    list.into_iter()
        .enumerate()
        .map(|(index, value)| {
            let mut block = Fields::of(value, format!("{place}/{index}"))?;
            Ok(match block.need_text("type")?.as_str() {
                "redacted_thinking" => Block::RedactedThinking { data: block.need_text("data")? },
                _ => Block::Thinking {
                    text: block.text("thinking")?.unwrap_or_default(),
                    signature: block.text("signature")?,
                },
            })
        })
        .collect()
}

fn read_call(value: Value, at: &str) -> Result<Block, Fault> {
    let whole = value.clone();
    let mut fields = Fields::of(value, at)?;
    if fields.text("type")?.is_some_and(|kind| kind != "function") {
        return Ok(Block::Native { value: whole });
    }
    let id = fields.text("id")?.unwrap_or_default();
    let Some(mut function) = fields.object("function")? else {
        return Err(Fault::invalid(format!("{at}/function"), "this field is required"));
    };
    let name = function.need_text("name")?;
    let input = match function.value("arguments") {
        None => json!({}),
        Some(Value::String(text)) => parse_input(&text),
        // Some servers send the object itself.
        Some(other) => other,
    };
    let _ = fields.value("index");
    Ok(Block::ToolUse { id, name, input, cache: None, extra: fields.rest() })
}

/// A text, or a list of parts.
pub(super) fn read_parts(content: Value, at: &str) -> Result<Vec<Block>, Fault> {
    match content {
        Value::String(text) => Ok(vec![Block::text(text)]),
        Value::Array(list) => {
            list.into_iter().enumerate().map(|(index, value)| read_part(value, &format!("{at}/{index}"))).collect()
        }
        other => Err(Fault::invalid(at, format!("expected text or a list of parts, found {}", kind(&other)))),
    }
}

fn read_part(value: Value, at: &str) -> Result<Block, Fault> {
    let whole = value.clone();
    let mut fields = Fields::of(value, at)?;
    Ok(match fields.need_text("type")?.as_str() {
        "text" => {
            let (text, cache) = (fields.need_text("text")?, read_cache(&mut fields)?);
            Block::Text { text, cache, extra: fields.rest() }
        }
        "refusal" => Block::Refusal { text: fields.need_text("refusal")? },
        "image_url" => {
            let mut image = Fields::of(fields.need("image_url")?, fields.at("image_url"))?;
            let url = image.need_text("url")?;
            let cache = read_cache(&mut fields)?;
            Block::Image { source: read_image(url), cache, extra: image.rest() }
        }
        _ => Block::Native { value: whole },
    })
}

fn read_image(url: String) -> ImageSource {
    let parts = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match parts {
        Some((media_type, data)) => ImageSource::Base64 { media_type: media_type.to_owned(), data: data.to_owned() },
        None => ImageSource::Url { url },
    }
}

/// Not OpenAI's own, but what many send who mean to be translated.
fn read_cache(fields: &mut Fields) -> Result<Option<CacheMark>, Fault> {
    let Some(mut mark) = fields.object("cache_control")? else { return Ok(None) };
    let hour = mark.text("ttl")?.is_some_and(|ttl| ttl == "1h");
    Ok(Some(CacheMark { ttl: hour.then_some(CacheTtl::Hour) }))
}

/// The messages that say what one of ours says. What tools gave are messages of their own, before the rest.
pub(super) fn write_message(message: &Message, at: &str, out: &Destination, to: &mut Vec<Value>) -> Result<(), Fault> {
    let mut rest: Vec<&Block> = Vec::new();
    let mut pictures = Vec::new();
    for (index, block) in message.content.iter().enumerate() {
        let Block::ToolResult { tool_use_id, content, is_error, .. } = block else {
            rest.push(block);
            continue;
        };
        let (seen, said): (Vec<&Block>, Vec<&Block>) =
            content.iter().partition(|block| matches!(block, Block::Image { .. }));
        if !seen.is_empty() {
            // A tool's message holds words only.
            pictures.push(json!({"type": "text", "text": format!("What the tool call {tool_use_id} shows:")}));
            for image in seen {
                pictures.push(write_part(image, out, at)?);
            }
        }
        let mut result = Built::default();
        result.set("role", "tool");
        result.set("tool_call_id", tool_use_id.as_str());
        result.set("content", write_result(&said, *is_error, out, &format!("{at}/{index}"))?);
        if out.same {
            result.extend(&message.extra);
        }
        to.push(result.into());
    }
    if !pictures.is_empty() {
        to.push(json!({"role": "user", "content": pictures}));
    }
    if rest.is_empty() && !message.content.is_empty() {
        return Ok(());
    }
    let mut turn = match message.role {
        Role::Assistant => write_answer(&rest, out, at)?,
        role => {
            let mut turn = Built::default();
            turn.set("role", if role == Role::System { "system" } else { "user" });
            turn.set("content", write_parts(&rest, out, at)?);
            turn
        }
    };
    if out.same {
        turn.extend(&message.extra);
    }
    to.push(turn.into());
    Ok(())
}

/// Whom messages are written for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Destination {
    /// Whether what is `extra` was written in this dialect.
    pub same: bool,
    /// Whether lists of texts are understood: some servers read nothing but one text.
    pub lists: bool,
}

impl Destination {
    pub const fn of(kind: ProviderKind, same: bool) -> Self {
        Self { same, lists: matches!(kind, ProviderKind::OpenAi) }
    }
}

/// A failed tool has no field of its own; its words say so.
fn write_result(said: &[&Block], is_error: bool, out: &Destination, at: &str) -> Result<Value, Fault> {
    let mut content = write_parts(said, out, at)?;
    if is_error {
        let text = match &content {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        content = json!(if text.to_lowercase().starts_with("error") { text } else { format!("Error: {text}") });
    }
    Ok(content)
}

/// Parts as a list, or as one text where they are nothing else.
pub(super) fn write_parts(blocks: &[&Block], out: &Destination, at: &str) -> Result<Value, Fault> {
    let plain = |block: &&Block| match block {
        Block::Text { text, extra, .. } if extra.is_empty() || !out.same => Some(text.clone()),
        _ => None,
    };
    let texts: Option<Vec<String>> = blocks.iter().map(plain).collect();
    match texts {
        Some(texts) if texts.len() <= 1 || !out.lists => Ok(json!(texts.join("\n\n"))),
        _ => {
            let parts = blocks.iter().enumerate();
            let parts = parts.map(|(index, block)| write_part(block, out, &format!("{at}/{index}")));
            Ok(Value::Array(parts.collect::<Result<_, _>>()?))
        }
    }
}

fn write_part(block: &Block, out: &Destination, at: &str) -> Result<Value, Fault> {
    let mut built = Built::default();
    match block {
        Block::Text { text, extra, .. } => {
            built.set("type", "text");
            built.set("text", text.as_str());
            if out.same {
                built.extend(extra);
            }
        }
        Block::Refusal { text } => {
            built.set("type", "refusal");
            built.set("refusal", text.as_str());
        }
        Block::Image { source, extra, .. } => {
            let url = match source {
                ImageSource::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
                ImageSource::Url { url } => url.clone(),
            };
            let mut image = Built::default();
            image.set("url", url);
            if out.same {
                image.extend(extra);
            }
            built.set("type", "image_url");
            built.set("image_url", image);
        }
        Block::Native { value } if out.same => return Ok(value.clone()),
        block => {
            let message = format!("a block of the type {} has no counterpart in Chat Completions", block.kind());
            return Err(Fault::untranslatable(at, message));
        }
    }
    Ok(built.into())
}

/// What the model said. Thoughts are not sent back to where they mean nothing.
fn write_answer(blocks: &[&Block], out: &Destination, at: &str) -> Result<Built, Fault> {
    let mut turn = Built::default();
    turn.set("role", "assistant");
    let (mut parts, mut calls, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
    for block in blocks {
        match block {
            Block::ToolUse { .. } => calls.push(write_call(block, out.same)),
            Block::Thinking { .. } | Block::RedactedThinking { .. } => {}
            Block::Refusal { text } => refusals.push(text.as_str()),
            Block::Native { value } if out.same && value.get("type").is_some_and(|kind| kind == "custom") => {
                calls.push(value.clone());
            }
            block => parts.push(*block),
        }
    }
    turn.set("content", if parts.is_empty() { Value::Null } else { write_parts(&parts, out, at)? });
    turn.put("refusal", (!refusals.is_empty()).then(|| refusals.concat()));
    turn.put("tool_calls", (!calls.is_empty()).then_some(calls));
    Ok(turn)
}

/// A use of a tool; the input as the text that it was, where it was none of JSON.
pub(super) fn write_call(block: &Block, same: bool) -> Value {
    let Block::ToolUse { id, name, input, extra, .. } = block else { return Value::Null };
    let arguments = match input {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut call = Built::default();
    call.set("id", id.as_str());
    call.set("type", "function");
    call.set("function", json!({"name": name, "arguments": arguments}));
    if same {
        call.extend(extra);
    }
    call.into()
}

pub(super) fn read_tool(value: Value, at: &str) -> Result<Tool, Fault> {
    let whole = value.clone();
    let mut fields = Fields::of(value, at)?;
    if fields.need_text("type")? != "function" {
        return Ok(Tool::Native { value: whole });
    }
    let mut function = Fields::of(fields.need("function")?, fields.at("function"))?;
    Ok(Tool::Function {
        name: function.need_text("name")?,
        description: function.text("description")?,
        // A function without parameters takes none.
        input_schema: function.value("parameters").unwrap_or_else(|| json!({"type": "object", "properties": {}})),
        strict: function.flag("strict")?,
        cache: read_cache(&mut fields)?,
        extra: fields.rest(),
    })
}

pub(super) fn write_tool(tool: &Tool, same: bool, at: &str) -> Result<Value, Fault> {
    match tool {
        Tool::Function { name, description, input_schema, strict, extra, .. } => {
            let mut function = Built::default();
            function.set("name", name.as_str());
            function.put("description", description.as_deref());
            function.set("parameters", input_schema.clone());
            function.put("strict", *strict);
            let mut built = Built::default();
            built.set("type", "function");
            built.set("function", function);
            if same {
                built.extend(extra);
            }
            Ok(built.into())
        }
        Tool::Native { value } if same => Ok(value.clone()),
        Tool::Native { value } => {
            let kind = value["type"].as_str().unwrap_or("unknown");
            let message = format!("a tool of the type {kind} has no counterpart in Chat Completions");
            Err(Fault::untranslatable(at, message))
        }
    }
}

//! Blocks, tools and cache marks.

use serde_json::{Value, json};

use crate::gateway::dialect::fields::{Built, Fields, kind};
use crate::gateway::dialect::responses;
use crate::model::gateway::{Block, CacheMark, CacheTtl, Extra, Fault, ImageSource, Tool};

/// A text, or a list of blocks.
pub(super) fn read_content(value: Value, at: &str) -> Result<Vec<Block>, Fault> {
    match value {
        Value::String(text) => Ok(vec![Block::text(text)]),
        Value::Array(list) => {
            list.into_iter().enumerate().map(|(index, value)| read_block(value, &format!("{at}/{index}"))).collect()
        }
        other => Err(Fault::invalid(at, format!("expected text or a list of blocks, found {}", kind(&other)))),
    }
}

/// One block. What has a type that is not known here is kept as it is.
pub(super) fn read_block(value: Value, at: &str) -> Result<Block, Fault> {
    let whole = value.clone();
    let mut fields = Fields::of(value, at)?;
    let kind = fields.need_text("type")?;
    let native = Ok(Block::Native { value: whole });
    Ok(match kind.as_str() {
        "text" => {
            let (text, cache) = (fields.need_text("text")?, read_cache(&mut fields)?);
            Block::Text { text, cache, extra: fields.rest() }
        }
        "image" => {
            let mut source = Fields::of(fields.need("source")?, fields.at("source"))?;
            let source = match source.need_text("type")?.as_str() {
                "base64" => {
                    ImageSource::Base64 { media_type: source.need_text("media_type")?, data: source.need_text("data")? }
                }
                "url" => ImageSource::Url { url: source.need_text("url")? },
                // A file that was uploaded to this provider.
                _ => return native,
            };
            Block::Image { source, cache: read_cache(&mut fields)?, extra: fields.rest() }
        }
        "tool_use" => Block::ToolUse {
            id: fields.need_text("id")?,
            name: fields.need_text("name")?,
            input: fields.value("input").unwrap_or_else(|| json!({})),
            cache: read_cache(&mut fields)?,
            extra: fields.rest(),
        },
        "tool_result" => {
            let place = fields.at("content");
            let content = fields.value("content").map_or(Ok(Vec::new()), |content| read_content(content, &place))?;
            Block::ToolResult {
                tool_use_id: fields.need_text("tool_use_id")?,
                content,
                is_error: fields.flag("is_error")?.unwrap_or(false),
                cache: read_cache(&mut fields)?,
                extra: fields.rest(),
            }
        }
        "thinking" => Block::Thinking {
            text: fields.text("thinking")?.unwrap_or_default(),
            signature: fields.text("signature")?.filter(|signature| !signature.is_empty()),
        },
        "redacted_thinking" => Block::RedactedThinking { data: fields.need_text("data")? },
        _ => return native,
    })
}

pub(super) fn read_cache(fields: &mut Fields) -> Result<Option<CacheMark>, Fault> {
    let at = fields.at("cache_control");
    let Some(mut mark) = fields.object("cache_control")? else { return Ok(None) };
    let ttl = match mark.text("ttl")?.as_deref() {
        None => None,
        Some("5m") => Some(CacheTtl::Minutes5),
        Some("1h") => Some(CacheTtl::Hour),
        Some(other) => return Err(Fault::invalid(format!("{at}/ttl"), format!("expected 5m or 1h, found {other}"))),
    };
    Ok(Some(CacheMark { ttl }))
}

fn write_cache(built: &mut Built, cache: Option<CacheMark>) {
    let Some(mark) = cache else { return };
    built.set(
        "cache_control",
        match mark.ttl {
            None => json!({"type": "ephemeral"}),
            Some(CacheTtl::Minutes5) => json!({"type": "ephemeral", "ttl": "5m"}),
            Some(CacheTtl::Hour) => json!({"type": "ephemeral", "ttl": "1h"}),
        },
    );
}

/// Blocks as a list, or a single plain text as that text.
pub(super) fn write_content(blocks: &[Block], same: bool, at: &str) -> Result<Value, Fault> {
    if let [Block::Text { text, cache: None, extra }] = blocks
        && (extra.is_empty() || !same)
    {
        return Ok(json!(text));
    }
    write_blocks(blocks, same, at).map(Value::Array)
}

/// Blocks as a list. Thoughts of another provider, which have no proof, are left out: nobody takes them back.
fn write_blocks(blocks: &[Block], same: bool, at: &str) -> Result<Vec<Value>, Fault> {
    let usable = |block: &&Block| match block {
        Block::Thinking { signature: None, .. } => same,
        Block::Thinking { signature: Some(proof), .. } => !responses::is_proof(proof),
        _ => true,
    };
    let blocks = blocks.iter().filter(usable).enumerate();
    blocks.map(|(index, block)| write_block(block, same, &format!("{at}/{index}"))).collect()
}

/// One block. `same` says whether what is `extra` was written in this dialect.
pub(super) fn write_block(block: &Block, same: bool, at: &str) -> Result<Value, Fault> {
    let mut built = Built::default();
    let own = |built: &mut Built, cache: Option<CacheMark>, extra: &Extra| {
        write_cache(built, cache);
        if same {
            built.extend(extra);
        }
    };
    match block {
        Block::Text { text, cache, extra } => {
            built.set("type", "text");
            built.set("text", text.as_str());
            own(&mut built, *cache, extra);
        }
        Block::Refusal { text } => {
            built.set("type", "text");
            built.set("text", text.as_str());
        }
        Block::Image { source, cache, extra } => {
            built.set("type", "image");
            built.set(
                "source",
                match source {
                    ImageSource::Base64 { media_type, data } => {
                        json!({"type": "base64", "media_type": media_type, "data": data})
                    }
                    ImageSource::Url { url } => json!({"type": "url", "url": url}),
                },
            );
            own(&mut built, *cache, extra);
        }
        Block::ToolUse { id, name, input, cache, extra } => {
            built.set("type", "tool_use");
            built.set("id", id.as_str());
            built.set("name", name.as_str());
            built.set("input", input.clone());
            own(&mut built, *cache, extra);
        }
        Block::ToolResult { tool_use_id, content, is_error, cache, extra } => {
            built.set("type", "tool_result");
            built.set("tool_use_id", tool_use_id.as_str());
            if !content.is_empty() {
                built.set("content", write_content(content, same, &format!("{at}/content"))?);
            }
            built.put("is_error", is_error.then_some(true));
            own(&mut built, *cache, extra);
        }
        Block::Thinking { text, signature } => {
            built.set("type", "thinking");
            built.set("thinking", text.as_str());
            built.set("signature", signature.as_deref().unwrap_or_default());
        }
        Block::RedactedThinking { data } => {
            built.set("type", "redacted_thinking");
            built.set("data", data.as_str());
        }
        Block::Native { value } if same => return Ok(value.clone()),
        Block::Native { .. } => {
            let message = format!("a block of the type {} has no counterpart at Anthropic", block.kind());
            return Err(Fault::untranslatable(at, message));
        }
    }
    Ok(built.into())
}

pub(super) fn read_tool(value: Value, at: &str) -> Result<Tool, Fault> {
    let whole = value.clone();
    let mut fields = Fields::of(value, at)?;
    // Anthropic's own tools have a type with a date in it, and no schema.
    if fields.text("type")?.is_some_and(|kind| kind != "custom") {
        return Ok(Tool::Native { value: whole });
    }
    Ok(Tool::Function {
        name: fields.need_text("name")?,
        description: fields.text("description")?,
        input_schema: fields.need("input_schema")?,
        strict: fields.flag("strict")?,
        cache: read_cache(&mut fields)?,
        extra: fields.rest(),
    })
}

pub(super) fn write_tool(tool: &Tool, same: bool, at: &str) -> Result<Value, Fault> {
    match tool {
        Tool::Function { name, description, input_schema, strict, cache, extra } => {
            let mut built = Built::default();
            built.set("name", name.as_str());
            built.put("description", description.as_deref());
            built.set("input_schema", input_schema.clone());
            built.put("strict", *strict);
            write_cache(&mut built, *cache);
            if same {
                built.extend(extra);
            }
            Ok(built.into())
        }
        Tool::Native { value } if same => Ok(value.clone()),
        Tool::Native { value } => {
            let kind = value["type"].as_str().unwrap_or("unknown");
            Err(Fault::untranslatable(at, format!("a tool of the type {kind} has no counterpart at Anthropic")))
        }
    }
}

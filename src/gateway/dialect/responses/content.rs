//! The parts of an item: words, pictures, and what only this dialect knows.

use serde_json::{Value, json};

use crate::gateway::dialect::fields::{Built, Fields, kind};
use crate::model::gateway::{Block, Fault, ImageSource};

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

pub(super) fn read_part(value: Value, at: &str) -> Result<Block, Fault> {
    let whole = value.clone();
    let mut fields = Fields::of(value, at)?;
    Ok(match fields.need_text("type")?.as_str() {
        "input_text" | "output_text" | "text" => {
            let text = fields.need_text("text")?;
            let mut extra = fields.rest();
            // That there are none of these says nothing.
            extra.retain(|_, value| !value.as_array().is_some_and(Vec::is_empty));
            Block::Text { text, cache: None, extra }
        }
        "refusal" => Block::Refusal { text: fields.need_text("refusal")? },
        "input_image" => match fields.text("image_url")? {
            Some(url) => {
                let mut extra = fields.rest();
                // What is usual says nothing.
                extra.retain(|name, value| name != "detail" || value != "auto");
                Block::Image { source: read_image(url), cache: None, extra }
            }
            // A file that was uploaded to this provider.
            None => Block::Native { value: whole },
        },
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

/// What the user, the task or a tool says, as a list of parts. `same` says whether what is `extra` was written in this dialect.
pub(super) fn write_parts(blocks: &[&Block], same: bool, at: &str) -> Result<Value, Fault> {
    let parts = blocks.iter().enumerate();
    let parts = parts.map(|(index, block)| write_part(block, same, &format!("{at}/{index}")));
    Ok(Value::Array(parts.collect::<Result<_, _>>()?))
}

fn write_part(block: &Block, same: bool, at: &str) -> Result<Value, Fault> {
    let mut built = Built::default();
    match block {
        Block::Text { text, extra, .. } => {
            built.set("type", "input_text");
            built.set("text", text.as_str());
            if same {
                built.extend(extra);
            }
        }
        Block::Refusal { text } => {
            built.set("type", "input_text");
            built.set("text", text.as_str());
        }
        Block::Image { source, extra, .. } => {
            let url = match source {
                ImageSource::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
                ImageSource::Url { url } => url.clone(),
            };
            built.set("type", "input_image");
            built.set("image_url", url);
            if same {
                built.extend(extra);
            }
            built.0.entry("detail").or_insert_with(|| json!("auto"));
        }
        Block::Native { value } if same => return Ok(value.clone()),
        block => {
            let message = format!("a block of the type {} has no counterpart in Responses", block.kind());
            return Err(Fault::untranslatable(at, message));
        }
    }
    Ok(built.into())
}

/// What the model says, as a part; `None` for what is no part.
pub(super) fn write_said(block: &Block, same: bool) -> Option<Value> {
    let mut built = Built::default();
    match block {
        Block::Text { text, extra, .. } => {
            built.set("type", "output_text");
            built.set("text", text.as_str());
            if same {
                built.extend(extra);
                built.0.remove(super::ITEM);
            }
            for name in ["annotations", "logprobs"] {
                built.0.entry(name).or_insert_with(|| json!([]));
            }
        }
        Block::Refusal { text } => {
            built.set("type", "refusal");
            built.set("refusal", text.as_str());
        }
        _ => return None,
    }
    Some(built.into())
}

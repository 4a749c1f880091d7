//! Thoughts as items, and how their proof survives a turn in every dialect.
//!
//! What OpenAI takes back is the very item that it gave: so the proof of such a thought is that item, as JSON, and a caller of any
//! dialect who sends the proof back sends the item. The proofs of others are no JSON; in an item of ours they stand where OpenAI
//! has its sealed thoughts, and the item's id says that they do.

use serde_json::{Value, json};

use super::OURS;
use crate::gateway::dialect::fields::Fields;
use crate::model::gateway::{Block, Fault};

/// The ids of items with thoughts that nobody may read.
const REDACTED: &str = "rs_weft_redacted_";

/// Whether the proof of a thought is OpenAI's, which nobody else takes back.
pub(in crate::gateway::dialect) fn is_proof(signature: &str) -> bool {
    signature.starts_with('{')
}

/// A thought from its item.
pub(super) fn read(item: Value, at: &str) -> Result<Block, Fault> {
    let whole = item.to_string();
    let mut fields = Fields::of(item, at)?;
    let id = fields.text("id")?.unwrap_or_default();
    let sealed = fields.text("encrypted_content")?;
    let mut texts = Vec::new();
    for part in
        fields.list("summary")?.unwrap_or_default().into_iter().chain(fields.list("content")?.unwrap_or_default())
    {
        texts.extend(Fields::of(part, fields.at("summary"))?.text("text")?);
    }
    let text = texts.join("\n\n");
    Ok(match sealed {
        Some(data) if id.starts_with(REDACTED) => Block::RedactedThinking { data },
        signature if id.contains(OURS) => Block::Thinking { text, signature },
        _ => Block::Thinking { text, signature: Some(whole) },
    })
}

/// The item of a thought of OpenAI's own.
fn own(block: &Block) -> Option<Value> {
    let Block::Thinking { signature: Some(proof), .. } = block else { return None };
    let item: Value = if is_proof(proof) { serde_json::from_str(proof).ok()? } else { return None };
    (item["type"] == "reasoning").then_some(item)
}

/// A thought for OpenAI: its own item, if its sealed thoughts are in it. Nothing else can be taken back, since nothing is kept there.
pub(in crate::gateway::dialect) fn write_back(block: &Block) -> Option<Value> {
    own(block).filter(|item| item["encrypted_content"].is_string())
}

/// A thought for a program; `name` tells it from others.
pub(super) fn write(block: &Block, name: &str) -> Option<Value> {
    if let Some(item) = own(block) {
        return Some(item);
    }
    let (id, text, sealed) = match block {
        Block::RedactedThinking { data } => (format!("{REDACTED}{name}"), "", Some(data)),
        Block::Thinking { text, signature } => (format!("rs{OURS}{name}"), text.as_str(), signature.as_ref()),
        _ => return None,
    };
    let summary = if text.is_empty() { json!([]) } else { json!([{"type": "summary_text", "text": text}]) };
    Some(json!({"id": id, "type": "reasoning", "summary": summary, "encrypted_content": sealed}))
}

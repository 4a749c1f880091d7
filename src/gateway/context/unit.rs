//! A conversation in the pieces that go or stay as one. Pure.
//!
//! A call of a tool and what it gave are one piece, and so are turns of the model that follow each other: its thoughts, which bear
//! the provider's proof, stay with what it did next. What the person said is a piece of its own and opens a round: all that
//! follows until they speak again.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;

use crate::model::gateway::{Block, Message, Role, weigh_block, weigh_message};

/// Results of tools that weigh less (quarters of a token) are not worth leaving out.
pub(super) const WORTH_LEAVING: i64 = 400;
/// What the words weigh that stand in the place of a result.
pub(super) const LEFT_OUT: i64 = 80;

/// A piece of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// Its messages.
    pub at: Range<usize>,
    /// What it weighs, in quarters of a token.
    pub weight: i64,
    /// What it weighs less without the results of its tools.
    pub spare: i64,
    /// Whether it stays in any case.
    pub is_pinned: bool,
    /// Whether a round begins with it.
    pub opens: bool,
}

/// Takes a conversation apart. `pinned` counts what the person said, from 1.
pub(super) fn units(messages: &[Message], pinned: &[u32]) -> Vec<Unit> {
    let bound = bound_to(messages);
    let (mut units, mut said, mut start) = (Vec::new(), 0, 0);
    while start < messages.len() {
        let mut end = start + 1;
        let mut at = start;
        // What a message is bound to may be bound further.
        while at < end {
            end = end.max(bound[at] + 1);
            if messages[at].role == Role::Assistant && messages.get(at + 1).is_some_and(|m| m.role == Role::Assistant) {
                end = end.max(at + 2);
            }
            at += 1;
        }
        let part = &messages[start..end];
        let before = said;
        said += part.iter().filter(|message| says(message)).count() as u32;
        let is_system = part.iter().any(|message| message.role == Role::System);
        units.push(Unit {
            at: start..end,
            weight: part.iter().map(weigh_message).sum(),
            spare: part.iter().flat_map(|message| &message.content).map(spare).sum(),
            is_pinned: is_system || pinned.iter().any(|place| (before + 1..=said).contains(place)),
            opens: said > before,
        });
        start = end;
    }
    units
}

/// What is saved where this is replaced by the word that it was left out.
pub(super) fn spare(block: &Block) -> i64 {
    match block {
        Block::ToolResult { content, .. } => {
            let weight: i64 = content.iter().map(weigh_block).sum();
            if weight > WORTH_LEAVING { weight - LEFT_OUT } else { 0 }
        }
        _ => 0,
    }
}

/// Whether the person says something in it, and not only their tools.
fn says(message: &Message) -> bool {
    message.role == Role::User && message.content.iter().any(|block| result_of(block).is_none())
}

/// For each message the last one that it can't be without: that with the results of its calls.
fn bound_to(messages: &[Message]) -> Vec<usize> {
    let mut bound: Vec<usize> = (0..messages.len()).collect();
    // Some servers count the calls of each turn anew: a result belongs to the latest call of that name.
    let mut calls: HashMap<&str, usize> = HashMap::new();
    for (at, message) in messages.iter().enumerate() {
        for block in &message.content {
            if let Some(id) = result_of(block) {
                if let Some(call) = calls.get(id) {
                    bound[*call] = bound[*call].max(at);
                }
            } else if let Some(id) = call_of(block) {
                calls.insert(id, at);
            }
        }
    }
    bound
}

/// By what a call of a tool is known.
fn call_of(block: &Block) -> Option<&str> {
    match block {
        Block::ToolUse { id, .. } => Some(id),
        Block::Native { value } => ["call_id", "id"].into_iter().find_map(|name| value.get(name)?.as_str()),
        _ => None,
    }
}

/// Of which call it is the result. Of what only one dialect knows: by how these name what a tool gave.
fn result_of(block: &Block) -> Option<&str> {
    match block {
        Block::ToolResult { tool_use_id, .. } => Some(tool_use_id),
        Block::Native { value } => {
            let kind = value.get("type").and_then(Value::as_str)?;
            let is_result = kind.ends_with("_output") || kind.ends_with("_result") || kind.ends_with("_response");
            let names = ["call_id", "tool_use_id", "approval_request_id", "id"];
            names.into_iter().filter(|_| is_result).find_map(|name| value.get(name)?.as_str())
        }
        _ => None,
    }
}

/// Calls without a result and results without a call: what must not become more.
#[cfg(test)]
pub(super) fn lonely(messages: &[Message]) -> usize {
    use std::collections::HashSet;

    let blocks = || messages.iter().flat_map(|message| &message.content);
    let calls: HashSet<&str> = blocks().filter(|block| result_of(block).is_none()).filter_map(call_of).collect();
    let results: HashSet<&str> = blocks().filter_map(result_of).collect();
    calls.symmetric_difference(&results).count()
}

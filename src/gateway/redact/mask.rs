//! Puts placeholders for what must not leave, and puts it back.
//!
//! A placeholder is `[[weft-WHAT-N]]`. `N` counts the different values of a kind in the order in which they stand in the request,
//! so that a conversation that has grown is masked as before in its old part: what a provider keeps of it stays useful. What
//! a model thought is left alone both ways: it bears the provider's proof, and was written over placeholders.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use serde_json::Value;

use super::rules::Rules;
use crate::model::gateway::{Block, EmbedInput, EmbedRequest, Masked, Request, Response, Tool};

/// How every placeholder begins.
pub(super) const OPEN: &str = "[[weft-";
/// And ends.
pub(super) const CLOSE: &str = "]]";
/// Bytes of the longest placeholder: a name of 32, a number of 10, and what stands around them.
pub(super) const LONGEST: usize = 64;

/// Fields of blocks that only one dialect knows which hold no text: they stay as they are.
const OPAQUE: [&str; 8] =
    ["data", "signature", "encrypted_content", "id", "type", "media_type", "tool_use_id", "call_id"];

/// What was masked in a call, and what stands in its place.
#[derive(Default)]
pub(in crate::gateway) struct Mask {
    /// Placeholders by what is masked and the value.
    given: HashMap<(String, String), String>,
    /// Values by placeholder.
    values: HashMap<String, String>,
    /// The last number of each kind.
    last: HashMap<String, u32>,
    /// What looks like a placeholder and stood in the request before.
    foreign: HashSet<String>,
    counts: BTreeMap<String, u32>,
}

/// Says how much it holds, and nothing of it.
impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mask").field("counts", &self.counts).finish_non_exhaustive()
    }
}

impl Mask {
    /// Masks a request; `None` when there was nothing to mask.
    pub fn cover(rules: &Rules, request: &mut Request) -> Option<Self> {
        Self::cover_all(rules, |visit| {
            let turns = request.messages.iter_mut().flat_map(|message| &mut message.content);
            request.system.iter_mut().chain(turns).for_each(|block| each_text_of(block, visit));
            for tool in &mut request.tools {
                match tool {
                    Tool::Function { description: Some(text), .. } => visit(text),
                    Tool::Function { .. } => {}
                    Tool::Native { value } => each_text_in(value, visit),
                }
            }
            // The model comes to the placeholder, not to the value.
            request.stop.iter_mut().for_each(&mut *visit);
            // Last, so that what they hold does not move the numbers of the conversation.
            let own = request.messages.iter_mut().flat_map(|message| message.extra.values_mut());
            request.extra.values_mut().chain(own).for_each(|value| each_text_in(value, visit));
        })
    }

    /// Masks texts that are to become vectors.
    pub fn cover_texts(rules: &Rules, request: &mut EmbedRequest) -> Option<Self> {
        Self::cover_all(rules, |visit| {
            if let EmbedInput::Texts(texts) = &mut request.input {
                texts.iter_mut().for_each(visit);
            }
        })
    }

    /// Masks a text.
    pub fn cover_text(rules: &Rules, text: &mut String) -> Vec<Masked> {
        Self::cover_all(rules, |visit| visit(text)).map_or_else(Vec::new, |mask| mask.masked())
    }

    fn cover_all(rules: &Rules, mut each: impl FnMut(&mut dyn FnMut(&mut String))) -> Option<Self> {
        if rules.is_empty() {
            return None;
        }
        let mut mask = Self::default();
        each(&mut |text| mask.note_foreign(text));
        each(&mut |text| mask.cover_one(rules, text));
        (!mask.values.is_empty()).then_some(mask)
    }

    fn note_foreign(&mut self, text: &str) {
        for (at, _) in text.match_indices(OPEN) {
            if let Some(placeholder) = placeholder_at(&text[at..]) {
                self.foreign.insert(placeholder.to_owned());
            }
        }
    }

    fn cover_one(&mut self, rules: &Rules, text: &mut String) {
        let found = rules.find(text);
        if found.is_empty() {
            return;
        }
        let mut covered = String::with_capacity(text.len());
        let mut end = 0;
        for one in found {
            covered.push_str(&text[end..one.at.start]);
            covered.push_str(self.placeholder(one.what, &text[one.at.clone()]));
            end = one.at.end;
            *self.counts.entry(one.what.to_owned()).or_default() += 1;
        }
        covered.push_str(&text[end..]);
        *text = covered;
    }

    fn placeholder(&mut self, what: &str, value: &str) -> &str {
        let Self { given, values, last, foreign, .. } = self;
        given.entry((what.to_owned(), value.to_owned())).or_insert_with(|| {
            let number = last.entry(what.to_owned()).or_default();
            let placeholder = loop {
                *number += 1;
                let placeholder = format!("{OPEN}{what}-{number}{CLOSE}");
                if !foreign.contains(&placeholder) {
                    break placeholder;
                }
            };
            values.insert(placeholder.clone(), value.to_owned());
            placeholder
        })
    }

    /// What was masked, without its values.
    pub fn masked(&self) -> Vec<Masked> {
        self.counts.iter().map(|(what, count)| Masked { what: what.clone(), count: *count }).collect()
    }

    /// What a placeholder stands for.
    pub(super) fn value(&self, placeholder: &str) -> Option<&str> {
        self.values.get(placeholder).map(String::as_str)
    }

    /// A text with the values in place of their placeholders; in JSON text they are written as JSON writes them.
    pub(super) fn reveal<'a>(&self, text: &'a str, is_json: bool) -> Cow<'a, str> {
        let mut revealed = String::new();
        let mut end = 0;
        for (at, _) in text.match_indices(OPEN) {
            let Some(placeholder) = placeholder_at(&text[at..]).filter(|_| at >= end) else { continue };
            let Some(value) = self.value(placeholder) else { continue };
            revealed.push_str(&text[end..at]);
            push(&mut revealed, value, is_json);
            end = at + placeholder.len();
        }
        if end == 0 {
            return Cow::Borrowed(text);
        }
        revealed.push_str(&text[end..]);
        Cow::Owned(revealed)
    }

    fn reveal_in(&self, text: &mut String) {
        if let Cow::Owned(revealed) = self.reveal(text, false) {
            *text = revealed;
        }
    }

    /// A whole answer with the values put back.
    pub fn reveal_response(&self, response: &mut Response) {
        let others = response.others.iter_mut().flat_map(|other| &mut other.content);
        response.content.iter_mut().chain(others).for_each(|block| self.reveal_block(block));
        self.reveal_sequence(&mut response.stop_sequence);
    }

    /// What ended an answer, as it was asked for.
    pub(super) fn reveal_sequence(&self, sequence: &mut Option<String>) {
        if let Some(text) = sequence {
            self.reveal_in(text);
        }
    }

    pub(super) fn reveal_block(&self, block: &mut Block) {
        each_text_of(block, &mut |text| self.reveal_in(text));
    }

    pub(super) fn reveal_value(&self, value: &mut Value) {
        each_text_in(value, &mut |text| self.reveal_in(text));
    }
}

/// Writes a value into a text, or into the inside of a JSON text.
pub(super) fn push(to: &mut String, value: &str, is_json: bool) {
    if is_json {
        let quoted = Value::String(value.to_owned()).to_string();
        to.push_str(&quoted[1..quoted.len() - 1]);
    } else {
        to.push_str(value);
    }
}

/// The placeholder that a text begins with.
pub(super) fn placeholder_at(text: &str) -> Option<&str> {
    let name = text.strip_prefix(OPEN)?;
    let length = name.bytes().position(|b| !is_inside(b))?;
    let end = OPEN.len() + length + CLOSE.len();
    (name[length..].starts_with(CLOSE) && end <= LONGEST).then(|| &text[..end])
}

/// Whether it can stand between the brackets.
pub(super) const fn is_inside(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-')
}

fn each_text_of(block: &mut Block, visit: &mut dyn FnMut(&mut String)) {
    match block {
        Block::Text { text, .. } | Block::Refusal { text } => visit(text),
        Block::ToolUse { input, .. } => each_text_in(input, visit),
        Block::ToolResult { content, .. } => content.iter_mut().for_each(|block| each_text_of(block, visit)),
        Block::Native { value } => each_text_in(value, visit),
        Block::Image { .. } | Block::Thinking { .. } | Block::RedactedThinking { .. } => {}
    }
}

fn each_text_in(value: &mut Value, visit: &mut dyn FnMut(&mut String)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text_in(item, visit)),
        Value::Object(fields) => {
            let readable = fields.iter_mut().filter(|(name, _)| !OPAQUE.contains(&name.as_str()));
            readable.for_each(|(_, value)| each_text_in(value, visit));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

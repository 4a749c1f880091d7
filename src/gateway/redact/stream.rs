//! Puts values back while an answer comes piece by piece: a placeholder may come in several.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::mask::{CLOSE, LONGEST, Mask, OPEN, is_inside, placeholder_at, push};
use crate::model::gateway::Delta;

/// What is held back of a block: it may be the beginning of a placeholder.
#[derive(Debug, Default)]
struct Held {
    text: String,
    /// Whether it is a piece of a tool's input, which is JSON text.
    is_json: bool,
}

/// The way of an answer's pieces to whoever asked.
#[derive(Debug)]
pub(in crate::gateway) struct Reveal {
    mask: Arc<Mask>,
    held: BTreeMap<u32, Held>,
    ready: VecDeque<Delta>,
}

impl Reveal {
    pub const fn new(mask: Arc<Mask>) -> Self {
        Self { mask, held: BTreeMap::new(), ready: VecDeque::new() }
    }

    pub const fn mask(&self) -> &Arc<Mask> {
        &self.mask
    }

    /// The next piece that is ready.
    pub fn pop(&mut self) -> Option<Delta> {
        self.ready.pop_front()
    }

    /// A piece has come.
    pub fn push(&mut self, delta: Delta) {
        match delta {
            Delta::Text { index, text } => self.add(index, &text, false),
            Delta::Input { index, json } => self.add(index, &json, true),
            Delta::Open { index, mut block } => {
                self.mask.reveal_block(&mut block);
                self.ready.push_back(Delta::Open { index, block });
            }
            Delta::Native { index, mut value } => {
                self.mask.reveal_value(&mut value);
                self.ready.push_back(Delta::Native { index, value });
            }
            Delta::Close { index } => {
                self.let_out(index);
                self.ready.push_back(Delta::Close { index });
            }
            Delta::Stop { reason, mut sequence, usage } => {
                self.flush();
                self.mask.reveal_sequence(&mut sequence);
                self.ready.push_back(Delta::Stop { reason, sequence, usage });
            }
            Delta::End => {
                self.flush();
                self.ready.push_back(Delta::End);
            }
            Delta::Start { .. }
            | Delta::Ping
            | Delta::Thinking { .. }
            | Delta::Signature { .. }
            | Delta::Stopped { .. } => {
                self.ready.push_back(delta);
            }
        }
    }

    /// Nothing more comes: what is held back is no placeholder.
    pub fn flush(&mut self) {
        for index in self.held.keys().copied().collect::<Vec<_>>() {
            self.let_out(index);
        }
    }

    fn add(&mut self, index: u32, piece: &str, is_json: bool) {
        let held = self.held.entry(index).or_default();
        held.is_json = is_json;
        held.text.push_str(piece);
        let mut out = String::new();
        let mut rest = std::mem::take(&mut held.text);
        while let Some(at) = rest.find('[') {
            out.push_str(&rest[..at]);
            rest.drain(..at);
            if let Some(placeholder) = placeholder_at(&rest) {
                match self.mask.value(placeholder) {
                    Some(value) => push(&mut out, value, is_json),
                    None => out.push_str(placeholder),
                }
                rest.drain(..placeholder.len());
            } else if may_become_one(&rest) {
                break;
            } else {
                out.push('[');
                rest.drain(..1);
            }
        }
        if !rest.starts_with('[') {
            out.push_str(&rest);
            rest.clear();
        }
        held.text = rest;
        self.say(index, out, is_json);
    }

    fn let_out(&mut self, index: u32) {
        if let Some(held) = self.held.remove(&index) {
            self.say(index, held.text, held.is_json);
        }
    }

    fn say(&mut self, index: u32, text: String, is_json: bool) {
        if text.is_empty() {
            return;
        }
        let delta = if is_json { Delta::Input { index, json: text } } else { Delta::Text { index, text } };
        self.ready.push_back(delta);
    }
}

/// Whether a placeholder may come of it with more text.
fn may_become_one(text: &str) -> bool {
    if text.len() < OPEN.len() {
        return OPEN.starts_with(text);
    }
    let Some(inside) = text.strip_prefix(OPEN) else { return false };
    let rest = inside.trim_start_matches(|c: char| c.is_ascii() && is_inside(c as u8));
    text.len() < LONGEST && CLOSE.starts_with(rest)
}

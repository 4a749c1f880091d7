//! What an answer loses, or has said in another way, on its way back to a program that speaks another dialect than who answered; in
//! words for whoever asked.
//!
//! Seen piece by piece, so that it is known of a stream by its end; a whole answer is seen as its pieces are. What both dialects have
//! a word for, and what only repeats the request or names the server, is no loss. Nothing of the answer's words stands in it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::notices::bounded;
use super::responses::ITEM;
use crate::model::gateway::{Block, Delta, Dialect, Extra, Response, StopReason, Usage, add_beside, answer_of};

/// Kinds of what is left out that are told apart; whoever answers makes them up.
const MOST_KINDS: usize = 8;

/// What is lost of one answer so far.
#[derive(Debug)]
pub struct Losses {
    to: Dialect,
    /// What only the dialect of who answered knows, by its kind: how often.
    kinds: BTreeMap<String, u32>,
    /// What stands beside texts, such as citations, by its name: of how many texts.
    beside: BTreeMap<String, u32>,
    /// The text that was counted last, and for what.
    last: Option<(u32, String)>,
    /// Texts that are open.
    texts: Vec<u32>,
    refusals: u32,
    /// The answers besides the first.
    others: u32,
    /// Why it ended, where there is no word for that.
    stop: Option<String>,
    sequence: bool,
    /// What else was counted, and is not told.
    uncounted: Vec<String>,
    usage: Usage,
}

impl Losses {
    /// Of an answer by who speaks `from` to a program that speaks `to`; `None` where they speak the same.
    pub fn between(from: Dialect, to: Dialect) -> Option<Self> {
        let (kinds, beside, last, texts) = (BTreeMap::new(), BTreeMap::new(), None, Vec::new());
        let (refusals, others, stop, sequence) = (0, 0, None, false);
        let (uncounted, usage) = (Vec::new(), Usage::default());
        (from != to).then_some(Self {
            to,
            kinds,
            beside,
            last,
            texts,
            refusals,
            others,
            stop,
            sequence,
            uncounted,
            usage,
        })
    }

    /// What a whole answer loses.
    pub fn of(response: &Response, from: Dialect, to: Dialect) -> Vec<String> {
        let Some(mut losses) = Self::between(from, to) else { return Vec::new() };
        for (place, block) in response.content.iter().enumerate() {
            losses.block(u32::try_from(place).unwrap_or(u32::MAX), block);
        }
        losses.others = u32::try_from(response.others.len()).unwrap_or(u32::MAX);
        losses.ended(&response.stop, response.stop_sequence.is_some(), response.usage);
        let counted = response.extra.get("usage").filter(|_| from == Dialect::Anthropic);
        losses.uncounted =
            counted.and_then(|usage| usage.get("server_tool_use")).into_iter().flat_map(calls_of).collect();
        losses.words()
    }

    /// Sees a piece.
    pub fn see(&mut self, delta: &Delta) {
        match delta {
            Delta::Open { index, block } if answer_of(*index) == 0 => {
                if matches!(block, Block::Text { .. }) {
                    self.texts.push(*index);
                }
                self.block(*index, block);
            }
            Delta::Close { index } => self.texts.retain(|open| open != index),
            Delta::Native { index, value } if self.texts.contains(index) => {
                let mut beside = Extra::new();
                add_beside(&mut beside, value);
                for name in named(&beside) {
                    self.beside(*index, name);
                }
            }
            Delta::Stopped { answer, .. } => self.others = self.others.max(*answer),
            Delta::Stop { reason, sequence, usage } => self.ended(reason, sequence.is_some(), *usage),
            _ => {}
        }
    }

    fn block(&mut self, index: u32, block: &Block) {
        match block {
            Block::Text { extra, .. } => {
                for name in named(extra) {
                    self.beside(index, name);
                }
            }
            Block::Refusal { .. } if self.to == Dialect::Anthropic => self.refusals += 1,
            Block::Image { .. } if self.to == Dialect::Anthropic => {}
            Block::Native { .. } | Block::Image { .. } | Block::ToolResult { .. }
                if self.kinds.len() < MOST_KINDS || self.kinds.contains_key(block.kind()) =>
            {
                *self.kinds.entry(block.kind().to_owned()).or_default() += 1;
            }
            _ => {}
        }
    }

    fn beside(&mut self, index: u32, name: &str) {
        let this = Some((index, name.to_owned()));
        if self.last != this && (self.beside.len() < MOST_KINDS || self.beside.contains_key(name)) {
            *self.beside.entry(name.to_owned()).or_default() += 1;
            self.last = this;
        }
    }

    fn ended(&mut self, reason: &StopReason, by_sequence: bool, usage: Usage) {
        let is_known = match (reason, self.to) {
            (_, Dialect::Anthropic) => true,
            (StopReason::Other { word }, Dialect::Responses) => word == "interrupted",
            (StopReason::StopSequence | StopReason::Pause | StopReason::WindowFull | StopReason::Other { .. }, _) => {
                false
            }
            _ => true,
        };
        self.stop = (!is_known).then(|| match reason {
            StopReason::StopSequence => "a text that ends it".to_owned(),
            StopReason::Pause => "a pause of the provider: to go on, it has to be sent back".to_owned(),
            StopReason::WindowFull => "a full window".to_owned(),
            StopReason::Other { word } => word.clone(),
            _ => String::new(),
        });
        self.sequence = by_sequence && self.to != Dialect::Anthropic;
        self.usage = self.usage.updated(usage);
    }

    /// In sentences; nothing where nothing is lost. At most 13 of 160 characters, without what no header can carry.
    pub fn words(&self) -> Vec<String> {
        let whose = self.to.label();
        let mut said = Vec::new();
        for (kind, count) in &self.kinds {
            let blocks = if *count == 1 { "block" } else { "blocks" };
            said.push(format!("{count} {blocks} of the type {kind} left out of the answer: {whose} has none"));
        }
        for (name, count) in &self.beside {
            let texts = if *count == 1 { "text" } else { "texts" };
            said.push(format!(
                "{name} of {count} {texts} left out of the answer: {whose} has another form for them, or none"
            ));
        }
        if self.refusals > 0 {
            said.push("that the model declined is said as text, and by stop_reason".to_owned());
        }
        if self.others > 0 && self.to != Dialect::OpenAi {
            let answers = if self.others == 1 { "answer" } else { "answers" };
            said.push(format!("{} more {answers} left out: {whose} gives one", self.others));
        }
        if let Some(why) = &self.stop {
            said.push(format!("why the answer ended is not told in {whose}: {why}"));
        }
        if self.sequence {
            said.push(format!("which text ended the answer is not told in {whose}"));
        }
        let Usage { reasoning, cache_write_hour, .. } = self.usage;
        if self.to == Dialect::Anthropic && reasoning > 0 {
            said.push(format!(
                "{reasoning} tokens of thoughts are within output_tokens: {whose} does not tell them apart"
            ));
        }
        if self.to != Dialect::Anthropic && cache_write_hour > 0 {
            said.push(format!(
                "{cache_write_hour} tokens kept by the provider for an hour are told with those for minutes"
            ));
        }
        for one in &self.uncounted {
            said.push(format!("{one} of the provider's own tools are not counted in {whose}"));
        }
        bounded(said)
    }
}

/// What stands beside a text and says something.
fn named(extra: &Extra) -> impl Iterator<Item = &str> {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        _ => true,
    };
    extra.iter().filter(move |(name, value)| name.as_str() != ITEM && says(value)).map(|(name, _)| name.as_str())
}

/// Calls of tools that the provider performed, such as `2 web_search_requests`.
fn calls_of(counts: &Value) -> Vec<String> {
    let counts = counts.as_object().into_iter().flatten();
    let counts = counts.filter_map(|(name, count)| Some((name, count.as_u64().filter(|count| *count > 0)?)));
    counts.take(MOST_KINDS).map(|(name, count)| format!("{count} {name}")).collect()
}

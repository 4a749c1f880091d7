//! What makes a text suspicious: signs that somebody wrote it to steer a model, or to hide something in it.
//!
//! Pure. Each sign has a weight in tenths; a field whose signs weigh [`HELD`] together, no more than [`NEAR`] words apart, is
//! suspicious, and the reasons name every sign with the words that it was seen by. A sign counts once.
//!
//! It knows usual ways of saying things, mostly in English, and usual ways of hiding them. Who knows this list gets around it,
//! and a text about such attacks is held like one. So it decides only that a person looks, and labels and marks hold besides.

mod phrases;
mod words;

pub(super) use self::words::words;

use serde_json::Value;

use self::words::Word;
use crate::model::invisible::{is_tag, turns, visible};
use crate::model::memory::EntryDraft;

/// The weight from which a field is suspicious, in tenths.
const HELD: u32 = 10;
/// Signs by phrases count together within so many words: a long document says many harmless things, far apart.
const NEAR: usize = 80;
/// Characters of the words that a reason quotes.
const QUOTED: usize = 80;
/// Most reasons that are given.
const MOST_REASONS: usize = 8;

/// What a text is suspected of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    /// A model shall forget what it was told.
    Override,
    /// A model shall tell what it must not, or send it somewhere.
    Leak,
    /// A model shall keep something from people.
    Conceal,
    /// It speaks to a model.
    Address,
    /// A model shall be something else, or do something else.
    Role,
    /// A model shall call or run something.
    Command,
    /// Marks by which conversations with models are taken apart.
    Markup,
    /// Words are shown in another order than they stand in.
    Turned,
    /// Something is written that nobody sees.
    Hidden,
}

impl Sign {
    /// The sign as the end of a reason.
    const fn said(self) -> &'static str {
        match self {
            Self::Override => "tells a model to forget what it was told",
            Self::Leak => "asks a model for what it must not tell",
            Self::Conceal => "tells a model to keep something from people",
            Self::Address => "speaks to a model",
            Self::Role => "gives a model another task or part",
            Self::Command => "tells a model to call or run something",
            Self::Markup => "has marks by which conversations with models are taken apart",
            Self::Turned => "has characters that turn the order of reading around",
            Self::Hidden => "has characters that nobody sees",
        }
    }
}

/// A sign that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    sign: Sign,
    /// In tenths.
    weight: u32,
    /// At which word.
    at: usize,
    /// By which part of the text, in bytes.
    from: usize,
    to: usize,
}

/// Why an entry would be suspicious, for people; empty when it isn't.
pub(super) fn reasons(key: &str, draft: &EntryDraft) -> Vec<String> {
    let mut reasons = told("key", key);
    reasons.extend(told("content", &draft.content));
    reasons.extend(told("tags", &draft.tags.join("\n")));
    reasons.extend(told("value", &texts(&draft.value)));
    for (name, value) in &draft.metadata {
        reasons.extend(told("metadata", &format!("{name}\n{}", texts(value))));
    }
    reasons.truncate(MOST_REASONS);
    reasons
}

/// Every text of a JSON value, names included, a line each.
fn texts(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(texts).collect::<Vec<_>>().join("\n"),
        Value::Object(map) => {
            map.iter().map(|(name, value)| format!("{name}\n{}", texts(value))).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn told(field: &str, text: &str) -> Vec<String> {
    let told = |finding: Finding| {
        let quote: String = visible(&text[finding.from..finding.to]).chars().take(QUOTED).collect();
        format!("{field} {}: “{}”", finding.sign.said(), quote.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    suspicious(text).into_iter().map(told).collect()
}

/// The signs of a text around the first place where they weigh enough together; each once, where it weighs the most.
fn suspicious(text: &str) -> Vec<Finding> {
    let words = words(text);
    let mut found = phrases::find(&words);
    found.extend(markup(text, &words));
    found.extend(hidden(text, &words));
    found.sort_by_key(|finding| finding.at);
    let is_enough = |together: &Vec<&Finding>| together.iter().map(|finding| finding.weight).sum::<u32>() >= HELD;
    let first = (0..found.len()).map(|from| together(&found[from..])).find(is_enough);
    first.unwrap_or_default().into_iter().cloned().collect()
}

/// What counts together with the first of these.
fn together(found: &[Finding]) -> Vec<&Finding> {
    let mut together: Vec<&Finding> = Vec::new();
    for finding in found.iter().take_while(|finding| finding.at - found[0].at <= NEAR) {
        match together.iter_mut().find(|known| known.sign == finding.sign) {
            Some(known) if known.weight < finding.weight => *known = finding,
            Some(_) => {}
            None => together.push(finding),
        }
    }
    together
}

/// How many words begin before a place.
fn word_at(words: &[Word], place: usize) -> usize {
    words.partition_point(|word| word.from < place)
}

/// What parts the turns of a conversation for some models, and the end of what we mark as written by others.
const MARKS: [(&str, u32); 13] = [
    ("<|im_start|>", 10),
    ("<|im_end|>", 10),
    ("<|system|>", 10),
    ("<|user|>", 10),
    ("<|assistant|>", 10),
    ("<|endoftext|>", 10),
    ("<|eot_id|>", 10),
    ("<|start_header_id|>", 10),
    ("<start_of_turn>", 10),
    ("[/inst]", 10),
    ("<<sys>>", 10),
    ("</system-reminder>", 10),
    // An element of HTML too, so it weighs less.
    ("</data>", 5),
];

fn markup(text: &str, words: &[Word]) -> Option<Finding> {
    let lower = text.to_ascii_lowercase();
    let seen = |(mark, weight): &(&str, u32)| {
        let from = lower.find(mark)?;
        let at = word_at(words, from);
        Some(Finding { sign: Sign::Markup, weight: *weight, at, from, to: from + mark.len() })
    };
    MARKS.iter().filter_map(seen).max_by_key(|finding| finding.weight)
}

/// Most tags of a flag, its end included; the longest in use have six.
const FLAG_TAGS: u32 = 7;

/// Characters that hide: any that turns the order of reading around, any tag that is no part of a flag, two selectors of
/// variants behind each other, and one without width between two letters of ASCII.
///
/// Joiners between the letters of other scripts and between emoji are how those are written; right-to-left marks are how
/// Hebrew and Arabic are.
fn hidden(text: &str, words: &[Word]) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let (mut before, mut flag) = (None, None);
    let mut rest = text.char_indices().peekable();
    while let Some((from, c)) = rest.next() {
        let after = rest.peek().map(|(_, c)| *c);
        flag = match flag {
            _ if c == '\u{1f3f4}' => Some(0),
            Some(tags) if is_tag(c) && tags < FLAG_TAGS => Some(tags + 1),
            _ => None,
        };
        let sign = if turns(c) {
            Some(Sign::Turned)
        } else if (is_tag(c) && flag.is_none()) || (is_variant(c) && before.is_some_and(is_variant)) {
            Some(Sign::Hidden)
        } else {
            let is_ascii = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            (is_widthless(c) && is_ascii(before) && is_ascii(after)).then_some(Sign::Hidden)
        };
        let is_news = |sign: &Sign| !found.iter().any(|known| known.sign == *sign);
        if let Some(sign) = sign.filter(is_news) {
            let start = text[..from].char_indices().rev().nth(15).map_or(0, |(at, _)| at);
            let end = text[from..].char_indices().nth(16).map_or(text.len(), |(at, _)| from + at);
            found.push(Finding { sign, weight: HELD, at: word_at(words, from), from: start, to: end });
        }
        before = Some(c);
    }
    found
}

const fn is_variant(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

const fn is_widthless(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{180e}' | '\u{feff}')
}

#[cfg(test)]
mod tests;

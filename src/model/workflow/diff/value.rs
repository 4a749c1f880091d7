//! What differs between two JSON values, down to the leaf, in a bounded list.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Differences of one pair of values that are told.
const MAX_DIFFERENCES: usize = 50;
/// Differences of one pair of values that are counted.
const MAX_COUNTED: u32 = 10_000;
/// Characters of a text that are told.
const MAX_CHARS: usize = 200;
/// Characters that are told before the first one that differs.
const BEFORE_CHARS: usize = 40;
/// How deep values are compared; what lies deeper is compared as a whole.
const MAX_DEPTH: usize = 64;

/// What differs between two values.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Differences {
    /// In the order of the first value, at most 50.
    pub items: Vec<Difference>,
    /// Those that are not listed.
    pub more: u32,
}

impl Differences {
    /// Whether the values are equal.
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// One place in which two values differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// A JSON pointer; empty for the whole value.
    pub path: String,
    /// What became of it.
    pub kind: DifferenceKind,
    /// In the first; null where it is not there. Long texts are cut to where they differ, large values told by their size.
    pub a: Value,
    /// In the second.
    pub b: Value,
}

/// What became of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// Only the second has it.
    Added,
    /// Only the first has it.
    Removed,
    /// They hold different values.
    Changed,
}

/// What differs between two values. Lists are compared place by place once what they begin and end with alike is set
/// aside, so that one item more at the front is one difference.
pub fn compare(a: &Value, b: &Value) -> Differences {
    let mut found = Differences::default();
    walk(a, b, &mut String::new(), 0, &mut found);
    found
}

fn tell(found: &mut Differences, path: &str, kind: DifferenceKind, a: Value, b: Value) {
    if found.items.len() < MAX_DIFFERENCES {
        found.items.push(Difference { path: path.to_owned(), kind, a, b });
    } else {
        found.more = found.more.saturating_add(1);
    }
}

fn walk(a: &Value, b: &Value, path: &mut String, depth: usize, found: &mut Differences) {
    if a == b || found.more >= MAX_COUNTED {
        return;
    }
    match (a, b) {
        (Value::Object(x), Value::Object(y)) if depth < MAX_DEPTH => {
            let names: BTreeSet<&String> = x.keys().chain(y.keys()).collect();
            for name in names {
                let part = name.replace('~', "~0").replace('/', "~1");
                visit(x.get(name), y.get(name), &part, path, depth, found);
            }
        }
        (Value::Array(x), Value::Array(y)) if depth < MAX_DEPTH => {
            let front = x.iter().zip(y).take_while(|(x, y)| x == y).count();
            let most = x.len().min(y.len()) - front;
            let back = x.iter().rev().zip(y.iter().rev()).take(most).take_while(|(x, y)| x == y).count();
            let end = x.len().max(y.len()) - back;
            for at in front..end {
                let before = x.get(at).filter(|_| at < x.len() - back);
                let after = y.get(at).filter(|_| at < y.len() - back);
                visit(before, after, &at.to_string(), path, depth, found);
            }
        }
        (Value::String(x), Value::String(y)) => {
            let (x, y) = excerpts(x, y);
            tell(found, path, DifferenceKind::Changed, x.into(), y.into());
        }
        _ => tell(found, path, DifferenceKind::Changed, brief(a), brief(b)),
    }
}

fn visit(a: Option<&Value>, b: Option<&Value>, part: &str, path: &mut String, depth: usize, found: &mut Differences) {
    let length = path.len();
    path.push('/');
    path.push_str(part);
    match (a, b) {
        (Some(a), Some(b)) => walk(a, b, path, depth + 1, found),
        (Some(a), None) => tell(found, path, DifferenceKind::Removed, brief(a), Value::Null),
        (None, Some(b)) => tell(found, path, DifferenceKind::Added, Value::Null, brief(b)),
        (None, None) => {}
    }
    path.truncate(length);
}

/// A value as it is while it is small, else a word for it.
fn brief(value: &Value) -> Value {
    match value {
        Value::String(text) => excerpts(text, "").0.into(),
        Value::Array(items) if value.to_string().chars().count() > MAX_CHARS => {
            format!("a list of {}", items.len()).into()
        }
        Value::Object(fields) if value.to_string().chars().count() > MAX_CHARS => {
            format!("an object of {} fields", fields.len()).into()
        }
        small => small.clone(),
    }
}

/// The parts of two texts where they differ.
fn excerpts(a: &str, b: &str) -> (String, String) {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let longest = a.chars().count().max(b.chars().count());
    let skipped = if longest <= MAX_CHARS { 0 } else { same.saturating_sub(BEFORE_CHARS) };
    let cut = |text: &str| {
        let kept: String = text.chars().skip(skipped).take(MAX_CHARS).collect();
        let before = if skipped > 0 { "…" } else { "" };
        let after = if text.chars().nth(skipped + MAX_CHARS).is_some() { "…" } else { "" };
        format!("{before}{kept}{after}")
    };
    (cut(a), cut(b))
}

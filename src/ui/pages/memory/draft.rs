//! What is typed into the form of an entry, and what of it is kept while the form is closed.

use std::collections::BTreeMap;

use leptos::prelude::*;
use serde_json::{Map, Value};

use crate::model::memory::{Entry, EntryDraft, Sibling, Trust};
use crate::model::{ApiError, Timestamp};

/// What the form begins with, and what it holds: the texts of its fields.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Start {
    pub namespace: String,
    pub key: String,
    pub content: String,
    tags: String,
    importance: String,
    value: String,
    metadata: String,
    group: String,
    position: String,
    trust: String,
    expires_at: Option<Timestamp>,
    /// The version that is edited; 0 for a new entry.
    pub version: i64,
    /// Siblings that saving merges.
    pub merges: Vec<i64>,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            namespace: String::new(),
            key: String::new(),
            content: String::new(),
            tags: String::new(),
            importance: "0.5".to_owned(),
            value: String::new(),
            metadata: String::new(),
            group: String::new(),
            position: String::new(),
            trust: Trust::User.as_str().to_owned(),
            expires_at: None,
            version: 0,
            merges: Vec::new(),
        }
    }
}

impl Start {
    /// Nothing yet, in a namespace.
    pub fn within(namespace: String) -> Self {
        Self { namespace, ..Self::default() }
    }

    /// An entry, to edit.
    pub fn of(entry: &Entry) -> Self {
        let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
        Self {
            namespace: entry.namespace.clone(),
            key: entry.key.clone(),
            content: entry.content.clone(),
            tags: entry.tags.join(", "),
            importance: entry.importance.to_string(),
            value: if entry.value.is_null() { String::new() } else { pretty(&entry.value) },
            metadata: if entry.metadata.is_empty() {
                String::new()
            } else {
                pretty(&Value::Object(entry.metadata.clone()))
            },
            group: entry.group.clone().unwrap_or_default(),
            position: entry.position.map(|position| position.to_string()).unwrap_or_default(),
            trust: entry.trust.as_str().to_owned(),
            expires_at: entry.expires_at,
            version: entry.version,
            merges: Vec::new(),
        }
    }

    /// An entry and a text beside it, to make one of both.
    pub fn merging(entry: &Entry, sibling: &Sibling) -> Self {
        let mut tags = entry.tags.clone();
        tags.extend(sibling.tags.iter().cloned());
        tags.sort();
        tags.dedup();
        Self {
            content: format!("{}\n\n{}", entry.content.trim_end(), sibling.content),
            tags: tags.join(", "),
            trust: entry.trust.lower(sibling.trust).as_str().to_owned(),
            merges: vec![sibling.id],
            ..Self::of(entry)
        }
    }

    /// Whether it makes an entry that is not there yet.
    pub const fn is_new(&self) -> bool {
        self.version == 0
    }

    /// For which entry the form is: all versions of it are the same, and so are all new ones of a namespace.
    fn about(&self) -> About {
        (self.is_new(), self.namespace.clone(), self.key.clone(), self.merges.clone())
    }
}

/// Whether an entry is new, its namespace and its key, and what saving merges, as the form began.
type About = (bool, String, String, Vec<i64>);

/// What was typed into forms that were closed without saving, until they are opened for the same entry again.
///
/// Esc closes a dialog whatever the page says to it, so asking first would not save anything from the second press.
#[derive(Debug, Default)]
pub(super) struct Kept(BTreeMap<About, (Start, Start)>);

impl Kept {
    /// Keeps what was typed over `base`, if that changed anything.
    pub fn put_aside(&mut self, base: Start, typed: Start) {
        if typed != base {
            self.0.insert(base.about(), (base, typed));
        }
    }

    /// What was typed before into a form that begins so, and what it had begun with: its version is still the one that was
    /// read, so that saving tells when somebody else was faster.
    pub fn take(&mut self, start: &Start) -> Option<(Start, Start)> {
        self.0.remove(&start.about())
    }
}

/// The texts of the form.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub namespace: RwSignal<String>,
    pub key: RwSignal<String>,
    pub content: RwSignal<String>,
    pub tags: RwSignal<String>,
    pub importance: RwSignal<String>,
    pub value: RwSignal<String>,
    pub metadata: RwSignal<String>,
    pub group: RwSignal<String>,
    pub position: RwSignal<String>,
    pub trust: RwSignal<String>,
    expires_at: StoredValue<Option<Timestamp>>,
}

impl Fields {
    pub fn new(start: Start) -> Self {
        Self {
            namespace: RwSignal::new(start.namespace),
            key: RwSignal::new(start.key),
            content: RwSignal::new(start.content),
            tags: RwSignal::new(start.tags),
            importance: RwSignal::new(start.importance),
            value: RwSignal::new(start.value),
            metadata: RwSignal::new(start.metadata),
            group: RwSignal::new(start.group),
            position: RwSignal::new(start.position),
            trust: RwSignal::new(start.trust),
            expires_at: StoredValue::new(start.expires_at),
        }
    }

    /// Puts other texts into all of them.
    pub fn load(self, start: Start) {
        self.namespace.set(start.namespace);
        self.key.set(start.key);
        self.content.set(start.content);
        self.tags.set(start.tags);
        self.importance.set(start.importance);
        self.value.set(start.value);
        self.metadata.set(start.metadata);
        self.group.set(start.group);
        self.position.set(start.position);
        self.trust.set(start.trust);
        self.expires_at.set_value(start.expires_at);
    }

    /// What they hold, of a form that began so.
    pub fn texts(self, base: &Start) -> Start {
        Start {
            namespace: self.namespace.get_untracked(),
            key: self.key.get_untracked(),
            content: self.content.get_untracked(),
            tags: self.tags.get_untracked(),
            importance: self.importance.get_untracked(),
            value: self.value.get_untracked(),
            metadata: self.metadata.get_untracked(),
            group: self.group.get_untracked(),
            position: self.position.get_untracked(),
            trust: self.trust.get_untracked(),
            expires_at: self.expires_at.get_value(),
            version: base.version,
            merges: base.merges.clone(),
        }
    }

    /// The draft; or what doesn't read as what it should be. What else fits, the server knows.
    pub fn draft(self) -> Result<EntryDraft, ApiError> {
        let importance = self.importance.with_untracked(|text| text.trim().parse::<f64>());
        let importance = importance.map_err(|_| ApiError::invalid("/importance", "expected a number from 0 to 1"))?;
        let metadata = match parse_json("/metadata", &self.metadata.get_untracked())? {
            Value::Null => Map::new(),
            Value::Object(map) => map,
            _ => return Err(ApiError::invalid("/metadata", "expected a JSON object")),
        };
        Ok(EntryDraft {
            content: self.content.get_untracked(),
            value: parse_json("/value", &self.value.get_untracked())?,
            tags: split_tags(&self.tags.get_untracked()),
            metadata,
            importance: Some(importance),
            expires_at: self.expires_at.get_value(),
            group: Some(self.group.get_untracked().trim().to_owned()).filter(|group| !group.is_empty()),
            position: parse_position(&self.position.get_untracked())?,
            trust: self.trust.with_untracked(|word| Trust::parse(word)),
        })
    }
}

fn parse_json(pointer: &str, text: &str) -> Result<Value, ApiError> {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(text).map_err(|error| ApiError::invalid(pointer, format!("expected JSON: {error}")))
}

fn parse_position(text: &str) -> Result<Option<i64>, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| ApiError::invalid("/position", "expected a whole number"))
}

fn split_tags(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(version: i64) -> Start {
        Start { key: "size".to_owned(), version, ..Start::within("code".to_owned()) }
    }

    #[test]
    fn what_was_typed_comes_back_for_the_same_entry_and_no_other() {
        let mut kept = Kept::default();
        let typed = Start { content: "40".to_owned(), ..edited(1) };
        kept.put_aside(edited(1), typed.clone());
        assert_eq!(kept.take(&Start::within("code".to_owned())), None);
        assert_eq!(kept.take(&Start { key: "other".to_owned(), ..edited(1) }), None);
        // Somebody saved version 2 meanwhile: the words are back, and still over version 1.
        assert_eq!(kept.take(&edited(2)), Some((edited(1), typed)));
        assert_eq!(kept.take(&edited(2)), None, "it is taken once");
    }

    #[test]
    fn a_form_in_which_nothing_was_typed_leaves_nothing() {
        let mut kept = Kept::default();
        kept.put_aside(edited(1), edited(1));
        assert_eq!(kept.take(&edited(1)), None);
    }
}

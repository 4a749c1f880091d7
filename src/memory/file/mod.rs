//! Entries as files: one line of JSON each, or a folder of Markdown with front matter that people edit and keep in git.
//!
//! Pure. A file holds what a writer gives and nothing that the store adds, so that what was exported, edited and imported
//! again changes just what was edited.

mod archive;
mod foreign;
mod lines;

pub use archive::Archive;
pub use foreign::Foreign;
pub use lines::Lines;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::Timestamp;
use crate::model::memory::{Entry, EntryDraft, Trust};

/// The longest name of a file, in bytes; most file systems take 255.
const MAX_NAME_BYTES: usize = 200;

/// An entry as a line of JSON. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// A `/`-path.
    pub namespace: String,
    /// Unique in the namespace.
    pub key: String,
    /// Text or Markdown.
    pub content: String,
    /// Everything else.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    /// Labels.
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    /// Facts about the entry.
    pub metadata: Map<String, Value>,
    /// 0..=1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<f64>,
    /// After this it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The conversation or document that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its place there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// Who its words came from; absent for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
}

/// What stands before the content of a Markdown file. Unknown fields are refused.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    importance: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trust: Option<Trust>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    value: Value,
}

impl From<Entry> for Record {
    fn from(entry: Entry) -> Self {
        let Entry { namespace, key, content, value, tags, metadata, importance, expires_at, group, position, .. } =
            entry;
        let (importance, trust) = (Some(importance), Some(entry.trust).filter(|trust| *trust != Trust::User));
        Self { namespace, key, content, value, tags, metadata, importance, expires_at, group, position, trust }
    }
}

impl Record {
    /// What a writer gives for it.
    pub fn draft(&self) -> EntryDraft {
        let Self { content, value, tags, metadata, importance, expires_at, group, position, trust, .. } = self.clone();
        EntryDraft { content, value, tags, metadata, importance, expires_at, group, position, trust }
    }

    /// As it would be kept: tags trimmed, sorted, without repeats; the importance that nobody gave.
    #[must_use]
    pub fn as_kept(mut self) -> Self {
        for tag in &mut self.tags {
            *tag = tag.trim().to_owned();
        }
        self.tags.sort();
        self.tags.dedup();
        self.importance.get_or_insert(super::DEFAULT_IMPORTANCE);
        self
    }

    /// The line, with its end.
    pub fn to_line(&self) -> Bytes {
        let mut line = serde_json::to_vec(self).expect("JSON values are JSON");
        line.push(b'\n');
        line.into()
    }

    /// The text of its Markdown file. The namespace is the file's folder.
    pub fn to_markdown(&self) -> String {
        let Self { key, content, value, tags, metadata, importance, expires_at, group, position, trust, .. } =
            self.clone();
        let front = Front { key: Some(key), tags, importance, expires_at, group, position, trust, metadata, value };
        let front = serde_yaml_ng::to_string(&front).expect("JSON values are YAML values");
        format!("---\n{front}---\n{content}")
    }

    /// Reads a Markdown file: front matter if there is any, the rest is the content. Without a key the file's name is it.
    ///
    /// # Errors
    /// What is wrong with the front matter, with its line.
    pub fn from_markdown(namespace: &str, name: &str, text: &str) -> Result<Self, String> {
        let (front, content) = split(text)?;
        let front: Front = if front.trim().is_empty() {
            Front::default()
        } else {
            serde_yaml_ng::from_str(front).map_err(|error| format!("front matter: {error}"))?
        };
        let Front { key, tags, importance, expires_at, group, position, trust, metadata, value } = front;
        let key = key.unwrap_or_else(|| unescape(name.trim_end_matches(".md")));
        let (namespace, content) = (namespace.to_owned(), content.to_owned());
        Ok(Self { namespace, key, content, value, tags, metadata, importance, expires_at, group, position, trust })
    }

    /// Where its Markdown file stands in the exported folder: segments, the last one the file's name.
    pub fn path(&self) -> Vec<String> {
        let mut path: Vec<String> = self.namespace.split('/').map(escape).collect();
        let mut name = escape(&self.key);
        if name.len() > MAX_NAME_BYTES {
            // The key stands in the file; the name just has to be one of its own.
            name.truncate(MAX_NAME_BYTES - 17);
            name.push('-');
            name.push_str(&blake3::hash(self.key.as_bytes()).to_hex()[..16]);
        }
        path.push(format!("{name}.md"));
        path
    }
}

/// The namespace of a folder's segments.
pub fn namespace_of<'a>(segments: impl Iterator<Item = &'a str>) -> String {
    segments.map(unescape).collect::<Vec<_>>().join("/")
}

/// Parts the front matter from the content.
fn split(text: &str) -> Result<(&str, &str), String> {
    let Some(rest) = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n")) else {
        return Ok(("", text));
    };
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Ok((&rest[..at], &rest[at + line.len()..]));
        }
        at += line.len();
    }
    Err("front matter: expected a line --- at its end".to_owned())
}

/// A name that any file system takes and that leads nowhere else: letters, digits, `-` and `_` stay, also a dot that is not
/// the first character; of everything else the UTF-8 bytes in percent notation.
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || (c == '.' && at > 0) {
            escaped.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                escaped.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    escaped
}

fn unescape(name: &str) -> String {
    percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(namespace: &str, key: &str, content: &str) -> Record {
        Record {
            namespace: namespace.to_owned(),
            key: key.to_owned(),
            content: content.to_owned(),
            value: Value::Null,
            tags: Vec::new(),
            metadata: Map::new(),
            importance: None,
            expires_at: None,
            group: None,
            position: None,
            trust: None,
        }
    }

    #[test]
    fn a_markdown_file_gives_back_what_was_written() {
        let full = Record {
            value: json!({"a": [1, 2.5, null, "x"]}),
            tags: vec!["loom".to_owned(), "yes".to_owned()],
            metadata: json!({"by": "Ada: her notes", "n": 7}).as_object().unwrap().clone(),
            importance: Some(0.25),
            expires_at: Some(Timestamp(1_795_248_000_000_000)),
            group: Some("talk: 7".to_owned()),
            position: Some(-3),
            trust: Some(Trust::Web),
            ..record("code/health", "/notes/a b", "# Title\n---\nText without a newline")
        };
        for record in [full, record("a", "k", ""), record("a", "true", "---\nlooks like front matter\n")] {
            let text = record.to_markdown();
            assert_eq!(Record::from_markdown(&record.namespace, "other.md", &text).as_ref(), Ok(&record), "{text}");
        }
    }

    #[test]
    fn a_file_without_front_matter_is_content_under_its_own_name() {
        let read = Record::from_markdown("notes", "the%20loom.md", "Thread.\n");
        assert_eq!(read, Ok(record("notes", "the loom", "Thread.\n")));
    }

    #[test]
    fn front_matter_that_does_not_fit_is_refused() {
        for (text, expected) in [
            ("---\nkey: a\n", "expected a line ---"),
            ("---\nkye: a\n---\n", "unknown field `kye`"),
            ("---\nimportance: much\n---\n", "importance"),
        ] {
            let error = Record::from_markdown("a", "k.md", text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn no_key_or_namespace_leads_out_of_the_folder() {
        assert_eq!(record("../..", "../../etc/passwd", "").path(), ["%2E.", "%2E.", "%2E.%2F..%2Fetc%2Fpasswd.md"]);
        assert_eq!(namespace_of(["%2E.", "code"].into_iter()), "../code");
        let long = record("a", &"ä".repeat(400), "").path();
        assert!(long[1].len() <= 255, "{}", long[1].len());
        assert_ne!(long, record("a", &format!("{}b", "ä".repeat(399)), "").path());
    }
}

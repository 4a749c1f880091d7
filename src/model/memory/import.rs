//! Files that become entries: whose they are, how they are cut into items, and what would come of each. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::EntryStep;

/// Items that one call takes at most.
pub const MAX_IMPORT_ITEMS: usize = 100;
/// Bytes of the items of one call.
pub const MAX_IMPORT_BYTES: usize = 1 << 20;
/// Items that are left out and named, and entries that a preview shows.
pub const MAX_IMPORT_NAMED: usize = 200;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// One entry a line, as the export writes them.
    Jsonl,
    /// A table with a line of names.
    Csv,
    /// `conversations.json` of an export of ChatGPT.
    ChatGpt,
    /// `conversations.json` of an export of Claude.
    Claude,
    /// What mem0's `get_all` gives.
    Mem0,
    /// A file of Markdown, perhaps with front matter; its folders are its namespace.
    Markdown,
}

impl ImportKind {
    /// As a person calls it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Jsonl => "JSON Lines",
            Self::Csv => "CSV",
            Self::ChatGpt => "an export of ChatGPT",
            Self::Claude => "an export of Claude",
            Self::Mem0 => "a dump of mem0",
            Self::Markdown => "Markdown",
        }
    }

    /// What a list of JSON is, by its first item; `None` of another program's.
    pub fn of_item(item: &Value) -> Option<Self> {
        [("mapping", Self::ChatGpt), ("chat_messages", Self::Claude), ("memory", Self::Mem0)]
            .into_iter()
            .find(|(field, _)| item.get(field).is_some())
            .map(|(_, kind)| kind)
    }
}

/// A part of a file that is read by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportItem {
    /// Where it stands, for people: "line 3"; of Markdown the path of its file.
    pub place: String,
    /// A file of its kind with this one item.
    pub text: String,
}

/// Items of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportPart {
    /// What they are.
    pub kind: ImportKind,
    /// 1..=100, together at most 1 MiB.
    pub items: Vec<ImportItem>,
    /// Put everything below this namespace; empty: each entry where its item says.
    pub into: String,
}

/// An item that is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRefusal {
    /// Where it stands.
    pub place: String,
    /// Why, in words.
    pub reason: String,
}

/// An entry as it would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSample {
    /// Where it would stand.
    pub namespace: String,
    /// Its key.
    pub key: String,
    /// How its content begins, at most 120 characters.
    pub excerpt: String,
}

/// What came of items, or would.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportReport {
    /// New entries.
    pub new: u32,
    /// Entries with a new version.
    pub updated: u32,
    /// Entries that are so already.
    pub unchanged: u32,
    /// Of those written, how many were set aside.
    pub held: u32,
    /// How many go into each namespace, without the unchanged.
    pub namespaces: BTreeMap<String, u32>,
    /// The first of them; of a preview alone.
    pub sample: Vec<ImportSample>,
    /// Items, or entries of them, that are left out; the first 200.
    pub refused: Vec<ImportRefusal>,
    /// How many more are left out.
    pub more_refused: u32,
    /// What takes it all back, in the order in which to do it.
    pub undo: Vec<EntryStep>,
}

impl ImportReport {
    /// Notes an item that is left out.
    pub fn refuse(&mut self, place: &str, reason: String) {
        if self.refused.len() < MAX_IMPORT_NAMED {
            self.refused.push(ImportRefusal { place: place.to_owned(), reason });
        } else {
            self.more_refused += 1;
        }
    }

    /// How many are left out.
    pub fn all_refused(&self) -> u32 {
        self.refused.len() as u32 + self.more_refused
    }

    /// Adds what came of the items behind these: what was written last is taken back first.
    pub fn join(&mut self, behind: Self) {
        self.new += behind.new;
        self.updated += behind.updated;
        self.unchanged += behind.unchanged;
        self.held += behind.held;
        for (namespace, count) in behind.namespaces {
            *self.namespaces.entry(namespace).or_default() += count;
        }
        let room = MAX_IMPORT_NAMED.saturating_sub(self.sample.len());
        self.sample.extend(behind.sample.into_iter().take(room));
        self.more_refused += behind.more_refused;
        for ImportRefusal { place, reason } in behind.refused {
            self.refuse(&place, reason);
        }
        self.undo.splice(0..0, behind.undo);
    }
}

/// Tells what a file is and cuts it into items.
///
/// # Errors
/// What was expected, in words.
pub fn cut(name: &str, text: &str) -> Result<(ImportKind, Vec<ImportItem>), String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "md" | "markdown" => {
            Ok((ImportKind::Markdown, vec![ImportItem { place: name.to_owned(), text: text.to_owned() }]))
        }
        "csv" => Ok((ImportKind::Csv, rows(text)?)),
        _ => cut_json(text),
    }
}

/// A list of another program's, or lines of JSON.
fn cut_json(text: &str) -> Result<(ImportKind, Vec<ImportItem>), String> {
    let whole = serde_json::from_str::<Value>(text).ok();
    let list = whole.as_ref().and_then(|value| value.as_array().or_else(|| value.get("results")?.as_array()));
    if let Some(list) = list {
        let first = list.first().ok_or("the list is empty")?;
        let kind = ImportKind::of_item(first)
            .ok_or("expected conversations of ChatGPT or Claude, memories of mem0, or an entry a line")?;
        let what = if kind == ImportKind::Mem0 { "memory" } else { "conversation" };
        let item = |(at, item): (usize, &Value)| ImportItem {
            place: format!("{what} {}", at + 1),
            text: Value::Array(vec![item.clone()]).to_string(),
        };
        return Ok((kind, list.iter().enumerate().map(item).collect()));
    }
    let items: Vec<ImportItem> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| ImportItem { place: format!("line {}", at + 1), text: line.to_owned() })
        .collect();
    if items.is_empty() { Err("the file is empty".to_owned()) } else { Ok((ImportKind::Jsonl, items)) }
}

/// The rows of a table, each behind the line of names. Within quotes an end of a line ends no row.
fn rows(text: &str) -> Result<Vec<ImportItem>, String> {
    let mut rows: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        match rows.last_mut().filter(|_| open) {
            Some((_, row)) => row.push_str(line),
            None => rows.push((at + 1, line.to_owned())),
        }
        // A quote within a quoted cell is written twice, which changes nothing here.
        if line.matches('"').count() % 2 == 1 {
            open = !open;
        }
    }
    let mut rows = rows.into_iter().filter(|(_, row)| !row.trim().is_empty());
    let (_, mut names) = rows.next().ok_or("expected a line of names, with key and content among them")?;
    if !names.ends_with('\n') {
        names.push('\n');
    }
    let items: Vec<ImportItem> =
        rows.map(|(at, row)| ImportItem { place: format!("line {at}"), text: format!("{names}{row}") }).collect();
    if items.is_empty() { Err("the table has no rows".to_owned()) } else { Ok(items) }
}

/// Items for one call after the other, as many as one takes. An item that is too large for any is given back with why.
pub fn parts(items: Vec<ImportItem>) -> (Vec<Vec<ImportItem>>, Vec<ImportRefusal>) {
    let (mut parts, mut refused): (Vec<Vec<ImportItem>>, Vec<ImportRefusal>) = Default::default();
    let mut bytes = 0;
    for item in items {
        let size = item.text.len();
        if size > MAX_IMPORT_BYTES {
            let reason = format!("it has more than {MAX_IMPORT_BYTES} bytes; weft memory import reads it");
            refused.push(ImportRefusal { place: item.place, reason });
            continue;
        }
        match parts.last_mut().filter(|part| part.len() < MAX_IMPORT_ITEMS && bytes + size <= MAX_IMPORT_BYTES) {
            Some(part) => {
                part.push(item);
                bytes += size;
            }
            None => {
                parts.push(vec![item]);
                bytes = size;
            }
        }
    }
    (parts, refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(name: &str, text: &str) -> (ImportKind, Vec<(String, String)>) {
        let (kind, items) = cut(name, text).expect("it is cut");
        (kind, items.into_iter().map(|item| (item.place, item.text)).collect())
    }

    fn pair(place: &str, text: &str) -> (String, String) {
        (place.to_owned(), text.to_owned())
    }

    #[test]
    fn lines_of_json_are_items_with_their_numbers() {
        let (kind, items) = shape("team.jsonl", "{\"key\":\"a\"}\n\nnot json\n");
        assert_eq!(kind, ImportKind::Jsonl);
        assert_eq!(items, [pair("line 1", "{\"key\":\"a\"}"), pair("line 3", "not json")]);
        // One line alone is no list.
        assert_eq!(shape("one.json", "{\"key\":\"a\"}").0, ImportKind::Jsonl);
    }

    #[test]
    fn a_row_of_a_table_goes_with_its_names_and_may_have_several_lines() {
        let (kind, items) = shape("t.CSV", "\u{feff}key,content\na,\"one\ntwo \"\"x\"\"\"\n\nb,three");
        assert_eq!(kind, ImportKind::Csv);
        let expected =
            [pair("line 2", "key,content\na,\"one\ntwo \"\"x\"\"\"\n"), pair("line 5", "key,content\nb,three")];
        assert_eq!(items, expected);
        assert!(cut("t.csv", "key,content\n").is_err());
    }

    #[test]
    fn lists_of_other_programs_are_known_by_their_first_item() {
        for (text, expected) in [
            (r#"[{"mapping": {}}, {"mapping": {}}]"#, ImportKind::ChatGpt),
            (r#"[{"chat_messages": []}]"#, ImportKind::Claude),
            (r#"{"results": [{"memory": "x"}]}"#, ImportKind::Mem0),
        ] {
            assert_eq!(shape("conversations.json", text).0, expected);
        }
        assert_eq!(shape("m.json", r#"[{"memory": "x"}]"#).1, [pair("memory 1", r#"[{"memory":"x"}]"#)]);
        for wrong in ["[]", r#"[{"what": 1}]"#, "", "\n\n"] {
            assert!(cut("x.json", wrong).is_err(), "{wrong}");
        }
        assert_eq!(shape("notes/a.md", "# A").1, [pair("notes/a.md", "# A")]);
    }

    #[test]
    fn items_go_in_calls_that_are_not_too_large() {
        let item = |bytes: usize| ImportItem { place: "line 1".to_owned(), text: "x".repeat(bytes) };
        let (many, none) = parts(vec![item(1); 250]);
        assert_eq!((many.iter().map(Vec::len).collect::<Vec<_>>(), none.len()), (vec![100, 100, 50], 0));
        let (large, refused) = parts(vec![item(600_000), item(600_000), item(MAX_IMPORT_BYTES + 1), item(1)]);
        assert_eq!((large.iter().map(Vec::len).collect::<Vec<_>>(), refused.len()), (vec![1, 2], 1));
    }

    #[test]
    fn what_was_written_last_is_taken_back_first_and_the_rest_adds_up() {
        let step = |key: &str| EntryStep {
            namespace: "a".to_owned(),
            key: key.to_owned(),
            version: Some(1),
            act: super::super::EntryAct::Delete {},
        };
        let report = |key: &str| ImportReport {
            new: 1,
            namespaces: BTreeMap::from([("a".to_owned(), 1)]),
            undo: vec![step(key)],
            ..ImportReport::default()
        };
        let mut all = report("first");
        all.join(report("second"));
        assert_eq!((all.new, all.namespaces["a"], all.undo[0].key.as_str()), (2, 2, "second"));
        for _ in 0..MAX_IMPORT_NAMED + 3 {
            all.refuse("line 1", "no".to_owned());
        }
        assert_eq!((all.refused.len(), all.more_refused, all.all_refused()), (MAX_IMPORT_NAMED, 3, 203));
    }
}

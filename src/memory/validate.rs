//! What fits into memory. Pure; every refusal names the field and what was expected.

use serde_json::Value;

use super::Error;
use crate::model::memory::{EntryDraft, EntryFilter, Search, Source, Trust};
use crate::model::{FieldError, PageRequest, Timestamp};

const MAX_SEGMENTS: usize = 8;
const MAX_SEGMENT_CHARS: usize = 64;
const MAX_KEY_CHARS: usize = 512;
/// Most bytes of an entry's content.
pub const MAX_CONTENT_BYTES: usize = 1 << 20;
/// Most bytes of an entry's value, and of its metadata, as JSON.
pub const MAX_JSON_BYTES: usize = 256 << 10;
/// Deepest nesting of an entry's value and metadata.
const MAX_JSON_DEPTH: usize = 64;
const MAX_TAGS: usize = 32;
const MAX_TAG_CHARS: usize = 64;
const MAX_METADATA_KEYS: usize = 64;
const MAX_GROUP_CHARS: usize = 256;
/// Most facts of the metadata that a search asks for.
const MAX_ASKED_FACTS: usize = 16;
/// Most entries before and behind a hit that come with it.
const MAX_NEIGHBOURS: u32 = 5;
const MAX_QUERY_CHARS: usize = 1000;
/// Most entries that one search leaves out by name.
const MAX_WITHOUT: usize = 20;
/// Most hits of one search.
pub const MAX_HITS: u32 = 100;

/// What is wrong with a namespace, if anything. `.` and `..` are no segments: browsers and proxies resolve them as parts of
/// an address, and as a folder of an export they would lead out of it.
///
/// # Errors
/// The field `namespace`, and what was expected.
pub fn namespace(path: &str) -> Result<(), FieldError> {
    let fits = |segment: &str| {
        (1..=MAX_SEGMENT_CHARS).contains(&segment.chars().count())
            && segment.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'))
            && !matches!(segment, "." | "..")
    };
    let segments = path.split('/').count();
    if segments <= MAX_SEGMENTS && path.split('/').all(fits) {
        Ok(())
    } else {
        Err(FieldError::new(
            "namespace",
            format!(
                "expected 1 to {MAX_SEGMENTS} segments between '/', each 1 to {MAX_SEGMENT_CHARS} letters, digits, '_', '.' or '-', and none of them '.' or '..'"
            ),
        ))
    }
}

/// What is wrong with a key, if anything.
pub fn key(key: &str) -> Result<(), FieldError> {
    if (1..=MAX_KEY_CHARS).contains(&key.chars().count()) && !key.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(FieldError::new("key", format!("expected 1 to {MAX_KEY_CHARS} characters without control characters")))
    }
}

/// Refuses what can't be the place of an entry.
pub(super) fn place(ns: &str, k: &str) -> Result<(), Error> {
    let wrong: Vec<FieldError> = [namespace(ns), key(k)].into_iter().filter_map(Result::err).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

/// Refuses a filter's namespace that none can have; empty means all.
pub(super) fn subtree(ns: &str) -> Result<(), Error> {
    if ns.is_empty() { Ok(()) } else { namespace(ns).map_err(|field| Error::Invalid(vec![field])) }
}

/// Refuses a list that can't be answered; gives the change number before which its page begins.
pub(super) fn listing(filter: &EntryFilter, page: &PageRequest) -> Result<i64, Error> {
    subtree(&filter.namespace)?;
    if filter.trust.len() > Trust::ALL.len() {
        return Err(Error::Invalid(vec![FieldError::new("trust", "expected each label once")]));
    }
    if [&filter.prefix, &filter.tag].iter().any(|text| text.contains('\0')) {
        return Err(Error::Invalid(vec![FieldError::new("prefix", "expected text without the character U+0000")]));
    }
    let Some(cursor) = page.cursor.as_deref() else { return Ok(i64::MAX) };
    let expected = || Error::Invalid(vec![FieldError::new("cursor", "expected the \"next\" of the page before")]);
    cursor.parse().map_err(|_| expected())
}

/// Refuses an expiry that is over before the entry is there.
///
/// A run's step says after how long, and its time may run out while it waits for the database: that is no mistake in what
/// was asked, so it is taken.
pub(super) fn expiry(at: Option<Timestamp>, now: Timestamp, source: &Source) -> Result<(), Error> {
    if at.is_none_or(|at| at > now) || matches!(source, Source::Run { .. }) {
        return Ok(());
    }
    Err(Error::Invalid(vec![FieldError::new("/expires_at", "expected a time to come")]))
}

/// A draft made fit for keeping: tags trimmed, sorted, without repeats.
pub(super) fn draft(mut draft: EntryDraft) -> Result<EntryDraft, Error> {
    if draft.content.len() > MAX_CONTENT_BYTES {
        return Err(Error::TooLarge(format!(
            "content: expected at most {MAX_CONTENT_BYTES} bytes, found {}",
            draft.content.len()
        )));
    }
    for tag in &mut draft.tags {
        *tag = tag.trim().to_owned();
    }
    let mut wrong = Vec::new();
    if draft.content.contains('\0') {
        wrong.push(FieldError::new("/content", "expected text without the character U+0000"));
    }
    for (at, tag) in draft.tags.iter().enumerate() {
        if !(1..=MAX_TAG_CHARS).contains(&tag.chars().count()) || tag.chars().any(char::is_control) {
            let expected = format!("expected 1 to {MAX_TAG_CHARS} characters without control characters");
            wrong.push(FieldError::new(format!("/tags/{at}"), expected));
        }
    }
    draft.tags.sort();
    draft.tags.dedup();
    if draft.tags.len() > MAX_TAGS {
        wrong.push(FieldError::new("/tags", format!("expected at most {MAX_TAGS} tags, found {}", draft.tags.len())));
    }
    if draft.metadata.len() > MAX_METADATA_KEYS {
        let expected = format!("expected at most {MAX_METADATA_KEYS} keys, found {}", draft.metadata.len());
        wrong.push(FieldError::new("/metadata", expected));
    }
    if draft.importance.is_some_and(|importance| !(0.0..=1.0).contains(&importance)) {
        wrong.push(FieldError::new("/importance", "expected a number from 0 to 1"));
    }
    if let Some(group) = &draft.group
        && let Err(field) = group_name(group)
    {
        wrong.push(FieldError::new("/group", field));
    }
    if draft.position.is_some() && draft.group.is_none() {
        wrong.push(FieldError::new("/position", "expected a group beside it"));
    }
    let metadata = Value::Object(draft.metadata);
    wrong.extend(json("/value", &draft.value));
    wrong.extend(json("/metadata", &metadata));
    draft.metadata = if let Value::Object(metadata) = metadata { metadata } else { serde_json::Map::new() };
    if wrong.is_empty() { Ok(draft) } else { Err(Error::Invalid(wrong)) }
}

/// What is wrong with the name of a group, if anything.
fn group_name(name: &str) -> Result<(), String> {
    if (1..=MAX_GROUP_CHARS).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(format!("expected 1 to {MAX_GROUP_CHARS} characters without control characters"))
    }
}

/// What is wrong with JSON to keep, if anything. Postgres can't hold U+0000.
fn json(pointer: &str, value: &Value) -> Option<FieldError> {
    if !shallow(value, MAX_JSON_DEPTH) {
        return Some(FieldError::new(pointer, format!("expected at most {MAX_JSON_DEPTH} levels")));
    }
    let text = value.to_string();
    if text.len() > MAX_JSON_BYTES {
        return Some(FieldError::new(
            pointer,
            format!("expected at most {MAX_JSON_BYTES} bytes of JSON, found {}", text.len()),
        ));
    }
    has_nul(value).then(|| FieldError::new(pointer, "expected texts without the character U+0000"))
}

fn shallow(value: &Value, levels: usize) -> bool {
    levels > 0
        && match value {
            Value::Array(items) => items.iter().all(|item| shallow(item, levels - 1)),
            Value::Object(map) => map.values().all(|item| shallow(item, levels - 1)),
            _ => true,
        }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(key, item)| key.contains('\0') || has_nul(item)),
        _ => false,
    }
}

/// Refuses a search that can't be answered.
pub(super) fn search(search: &Search) -> Result<(), Error> {
    let mut wrong = Vec::new();
    if !(1..=MAX_QUERY_CHARS).contains(&search.query.trim().chars().count()) {
        wrong.push(FieldError::new("/query", format!("expected 1 to {MAX_QUERY_CHARS} characters")));
    }
    if !(1..=MAX_HITS).contains(&search.limit) {
        wrong.push(FieldError::new("/limit", format!("expected 1 to {MAX_HITS}")));
    }
    if search.tags.len() > MAX_TAGS {
        wrong.push(FieldError::new("/tags", format!("expected at most {MAX_TAGS} tags")));
    }
    if let Some(ns) = search.namespace.as_deref().filter(|ns| !ns.is_empty())
        && let Err(field) = namespace(ns)
    {
        wrong.push(FieldError::new("/namespace", field.message));
    }
    wrong.extend(facts(search));
    if search.min_score.is_some_and(|score| !score.is_finite()) {
        wrong.push(FieldError::new("/min_score", "expected a number"));
    }
    if search.neighbours > MAX_NEIGHBOURS {
        wrong.push(FieldError::new("/neighbours", format!("expected 0 to {MAX_NEIGHBOURS}")));
    }
    if search.without.len() > MAX_WITHOUT {
        wrong.push(FieldError::new("/without", format!("expected at most {MAX_WITHOUT} ids")));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

/// What is wrong with the facts that a search asks for.
fn facts(search: &Search) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    if search.metadata.len() > MAX_ASKED_FACTS {
        wrong.push(FieldError::new("/metadata", format!("expected at most {MAX_ASKED_FACTS} facts")));
    }
    for (key, value) in &search.metadata {
        if !super::index::is_filterable(key, value) {
            let expected = "expected a text of at most 500 bytes, a number, true, false or null";
            wrong.push(FieldError::new(format!("/metadata/{key}"), expected));
        }
    }
    if let Some(source) = &search.source
        && !matches!(source.as_str(), "user" | "run" | "import" | "cli")
        && !source
            .split_once(':')
            .is_some_and(|(kind, who)| matches!(kind, "user" | "run" | "import") && !who.is_empty())
    {
        wrong.push(FieldError::new("/source", "expected user, user:NAME, run, run:ID, import, import:NAME or cli"));
    }
    if search.trust.len() > Trust::ALL.len() {
        wrong.push(FieldError::new("/trust", "expected each label once"));
    }
    if let Some(Err(expected)) = search.group.as_deref().map(group_name) {
        wrong.push(FieldError::new("/group", expected));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_a_path_of_short_plain_segments() {
        for fits in ["code", "code/decisions", "a.b/c-d/e_f", ".a/b..", "...", "日本/メモ"] {
            assert!(namespace(fits).is_ok(), "{fits}");
        }
        for wrong in
            ["", "/", "/a", "a/", "a//b", "a b", "a:b", ".", "..", "../..", "a/./b", "a/..", "a/b/c/d/e/f/g/h/i"]
        {
            assert!(namespace(wrong).is_err(), "{wrong}");
        }
        assert!(namespace(&"a".repeat(65)).is_err());
    }

    #[test]
    fn a_key_is_a_short_line() {
        assert!(key("./src/main.rs: what, why?").is_ok());
        for wrong in ["", "a\nb", "a\0"] {
            assert!(key(wrong).is_err(), "{wrong:?}");
        }
        assert!(key(&"k".repeat(513)).is_err());
    }

    #[test]
    fn an_entry_is_not_written_to_be_gone_at_once() {
        let (now, mara) = (Timestamp(1_000_000), Source::User { name: "Mara".to_owned() });
        assert!(expiry(None, now, &mara).is_ok());
        assert!(expiry(Some(now.plus_ms(1)), now, &mara).is_ok());
        for over in [now, Timestamp(0)] {
            let Err(Error::Invalid(fields)) = expiry(Some(over), now, &mara) else { panic!("refused") };
            assert_eq!(fields[0].pointer, "/expires_at");
        }
        let run = Source::Run { run_id: crate::model::RunId(uuid::Uuid::nil()), step: "note".to_owned() };
        assert!(expiry(Some(now), now, &run).is_ok());
    }

    #[test]
    fn every_wrong_field_of_a_draft_is_named() {
        let wrong = EntryDraft {
            content: "a\0".to_owned(),
            value: serde_json::json!({"a": ["\0"]}),
            tags: vec![String::new(), "ok".to_owned()],
            importance: Some(1.5),
            ..EntryDraft::default()
        };
        let Err(Error::Invalid(fields)) = draft(wrong) else { panic!("refused") };
        let pointers: Vec<&str> = fields.iter().map(|f| f.pointer.as_str()).collect();
        assert_eq!(pointers, ["/content", "/tags/0", "/importance", "/value"]);
    }

    #[test]
    fn tags_are_sorted_without_repeats() {
        let tags = ["b", " a", "b"].map(str::to_owned).to_vec();
        assert_eq!(draft(EntryDraft { tags, ..EntryDraft::default() }).expect("fits").tags, ["a", "b"]);
    }
}

//! Memories of mem0: what a model took out of conversations.

use serde_json::{Value, json};

use super::{bare, plain};
use crate::memory::file::Record;
use crate::model::memory::Trust;

/// The items of a file: a list, or one under `results`.
pub(super) fn items(value: &Value) -> Option<&[Value]> {
    let list = value.as_array().or_else(|| value.get("results")?.as_array())?;
    Some(list)
}

pub(super) fn read(items: &[Value], namespace: &str) -> Result<Vec<(String, Record)>, String> {
    let mut records = Vec::with_capacity(items.len());
    for (number, item) in items.iter().enumerate() {
        let place = format!("memory {}", number + 1);
        let text = |field: &str| item.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        let id = text("id").ok_or_else(|| format!("{place}: expected an id"))?;
        let content = text("memory").ok_or_else(|| format!("{place}: expected a memory"))?;
        let mut record = bare(namespace, plain(id, 500), content.replace('\0', "\u{fffd}"), Some(Trust::Model));
        let categories = item.get("categories").and_then(Value::as_array);
        record.tags = categories.into_iter().flatten().filter_map(Value::as_str).map(|tag| plain(tag, 64)).collect();
        record.tags.retain(|tag| !tag.is_empty());
        if let Some(metadata) = item.get("metadata").and_then(Value::as_object) {
            record.metadata.clone_from(metadata);
        }
        for field in ["user_id", "agent_id", "run_id", "created_at", "updated_at"] {
            if let Some(value) = text(field) {
                record.metadata.entry(field).or_insert_with(|| json!(value));
            }
        }
        records.push((place, record));
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::super::Foreign;
    use super::*;

    #[test]
    fn a_memory_keeps_its_facts_and_is_a_models() {
        let item = json!({"id": "m1", "memory": "Likes tea", "categories": ["food", ""], "metadata": {"n": 1}, "user_id": "ada"});
        for text in [json!({"results": [item]}), json!([item])] {
            let text = text.to_string();
            assert_eq!(Foreign::detect(&text), Some(Foreign::Mem0));
            let records = Foreign::Mem0.read(&text).expect("it reads");
            let record = &records[0].1;
            assert_eq!(
                (record.key.as_str(), record.content.as_str(), record.trust),
                ("m1", "Likes tea", Some(Trust::Model))
            );
            assert_eq!((record.tags.join(","), record.metadata["user_id"].clone()), ("food".to_owned(), json!("ada")));
        }
        let error = Foreign::Mem0.read(r#"[{"id": "x"}]"#).expect_err("refused");
        assert_eq!(error, "memory 1: expected a memory");
    }
}

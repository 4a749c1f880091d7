//! Conversations with ChatGPT and with Claude.

use serde_json::{Map, Value, json};

use super::{bare, plain};
use crate::memory::file::Record;
use crate::model::memory::Trust;

/// Characters of a title in a group's name.
const TITLE_CHARS: usize = 120;

/// A message on its way to become an entry.
struct Said {
    by: &'static str,
    text: String,
    at: Option<String>,
}

/// A conversation of ChatGPT is a tree; what is read is the way to the message that was shown last.
pub(super) fn chatgpt(items: &[Value], namespace: &str) -> Result<Vec<(String, Record)>, String> {
    let mut records = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let place = format!("conversation {}", number + 1);
        let id = text_of(item, &["conversation_id", "id"]).ok_or_else(|| format!("{place}: expected an id"))?;
        let mapping = item.get("mapping").and_then(Value::as_object);
        let mapping = mapping.ok_or_else(|| format!("{place}: expected a mapping"))?;
        let said = shown(item, mapping).ok_or_else(|| format!("{place}: expected a current_node"))?;
        push(&mut records, (namespace, &place), (&id, text_of(item, &["title"]).as_deref()), said);
    }
    Ok(records)
}

/// The messages on the way from the root to the one that was shown last; `None` where the way is not there or leads in a circle.
fn shown(item: &Value, mapping: &Map<String, Value>) -> Option<Vec<Said>> {
    let mut at = item.get("current_node")?.as_str().map(str::to_owned);
    let mut said = Vec::new();
    let mut steps = 0;
    while let Some(id) = at {
        steps += 1;
        if steps > mapping.len() {
            return None;
        }
        let node = mapping.get(&id)?;
        said.extend(node.get("message").and_then(of_chatgpt));
        at = node.get("parent").and_then(Value::as_str).map(str::to_owned);
    }
    said.reverse();
    Some(said)
}

/// What a person or the model said; tools and what the program says to the model are left out.
fn of_chatgpt(message: &Value) -> Option<Said> {
    let by = match message.pointer("/author/role")?.as_str()? {
        "user" => "user",
        "assistant" => "assistant",
        _ => return None,
    };
    let parts = message.pointer("/content/parts")?.as_array()?;
    // Pictures and files are no text.
    let text: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
    let at = message.get("create_time").and_then(Value::as_f64).map(moment);
    Some(Said { by, text: text.join("\n"), at })
}

/// Seconds since 1970 as a time.
fn moment(seconds: f64) -> String {
    crate::model::Timestamp((seconds * 1_000_000.0) as i64).to_string()
}

/// A conversation of Claude is a list.
pub(super) fn claude(items: &[Value], namespace: &str) -> Result<Vec<(String, Record)>, String> {
    let mut records = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let place = format!("conversation {}", number + 1);
        let id = text_of(item, &["uuid"]).ok_or_else(|| format!("{place}: expected a uuid"))?;
        let messages = item.get("chat_messages").and_then(Value::as_array);
        let messages = messages.ok_or_else(|| format!("{place}: expected chat_messages"))?;
        let said = messages.iter().filter_map(of_claude).collect();
        push(&mut records, (namespace, &place), (&id, text_of(item, &["name"]).as_deref()), said);
    }
    Ok(records)
}

fn of_claude(message: &Value) -> Option<Said> {
    let by = match message.get("sender")?.as_str()? {
        "human" => "user",
        "assistant" => "assistant",
        _ => return None,
    };
    let parts = message.get("content").and_then(Value::as_array);
    let parts: Vec<&str> = parts.into_iter().flatten().filter_map(|part| part.get("text")?.as_str()).collect();
    // Older exports have the text alone.
    let text = if parts.is_empty() { text_of(message, &["text"]).unwrap_or_default() } else { parts.join("\n") };
    Some(Said { by, text, at: text_of(message, &["created_at"]) })
}

fn text_of(value: &Value, fields: &[&str]) -> Option<String> {
    fields.iter().find_map(|field| value.get(field)?.as_str()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn push(
    records: &mut Vec<(String, Record)>,
    (namespace, place): (&str, &str),
    (id, title): (&str, Option<&str>),
    said: Vec<Said>,
) {
    let title = title.map(|title| plain(title, TITLE_CHARS)).filter(|title| !title.is_empty());
    let id = plain(id, 200);
    let group = title.as_ref().map_or_else(|| id.clone(), |title| format!("{title} ({})", plain(&id, 8)));
    for (at, Said { by, text, at: when }) in said.into_iter().filter(|said| !said.text.trim().is_empty()).enumerate() {
        let trust = (by == "assistant").then_some(Trust::Model);
        let mut record = bare(namespace, format!("{id}/{:04}", at + 1), text.replace('\0', "\u{fffd}"), trust);
        record.group = Some(group.clone());
        record.position = Some(at as i64 + 1);
        record.tags = vec!["conversation".to_owned()];
        record.metadata.insert("said_by".to_owned(), json!(by));
        for (name, value) in [("title", &title), ("said_at", &when)] {
            if let Some(value) = value {
                record.metadata.insert(name.to_owned(), json!(value));
            }
        }
        records.push((format!("{place}, message {}", at + 1), record));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Foreign;
    use super::*;

    fn told(foreign: Foreign, text: &str) -> Vec<(String, String, Option<i64>, Option<Trust>)> {
        assert_eq!(Foreign::detect(text), Some(foreign));
        let records = foreign.read(text).expect("it reads");
        records.into_iter().map(|(_, record)| (record.key, record.content, record.position, record.trust)).collect()
    }

    #[test]
    fn of_a_conversation_with_chatgpt_what_was_shown_last_is_read() {
        let text = json!([{
            "conversation_id": "c1", "title": "Looms", "current_node": "d",
            "mapping": {
                "root": {"id": "root", "parent": null, "message": null},
                "a": {"parent": "root", "message": {"author": {"role": "user"}, "create_time": 1.5, "content": {"content_type": "text", "parts": ["How many shafts?"]}}},
                "b": {"parent": "a", "message": {"author": {"role": "assistant"}, "content": {"parts": ["Ten."]}}},
                "c": {"parent": "a", "message": {"author": {"role": "tool"}, "content": {"parts": ["looked"]}}},
                "d": {"parent": "c", "message": {"author": {"role": "assistant"}, "content": {"parts": [{"asset": 1}, "Twenty."]}}},
            },
        }])
        .to_string();
        let said = told(Foreign::ChatGpt, &text);
        assert_eq!(
            said,
            [
                ("c1/0001".to_owned(), "How many shafts?".to_owned(), Some(1), None),
                ("c1/0002".to_owned(), "Twenty.".to_owned(), Some(2), Some(Trust::Model)),
            ]
        );
        let record = &Foreign::ChatGpt.read(&text).expect("it reads")[0].1;
        assert_eq!((record.group.as_deref(), record.namespace.as_str()), (Some("Looms (c1)"), "imports/chatgpt"));
        assert_eq!(record.metadata["said_at"], json!("1970-01-01T00:00:01.5Z"));
    }

    #[test]
    fn a_circle_or_a_way_that_is_not_there_is_refused() {
        let circle = json!([{"id": "c", "current_node": "a", "mapping": {"a": {"parent": "b"}, "b": {"parent": "a"}}}]);
        let lost = json!([{"id": "c", "current_node": "x", "mapping": {"a": {}}}]);
        for text in [circle, lost] {
            let error = Foreign::ChatGpt.read(&text.to_string()).expect_err("refused");
            assert!(error.starts_with("conversation 1: expected a current_node"), "{error}");
        }
    }

    #[test]
    fn a_conversation_with_claude_is_read_in_its_order() {
        let text = json!([{
            "uuid": "u-1", "name": "",
            "chat_messages": [
                {"sender": "human", "text": "old", "content": [{"type": "text", "text": "Hello"}], "created_at": "2026-01-01T00:00:00Z"},
                {"sender": "assistant", "text": "Hi there"},
                {"sender": "assistant", "text": "  "},
            ],
        }])
        .to_string();
        let said = told(Foreign::Claude, &text);
        assert_eq!((said.len(), said[0].1.as_str(), said[1].1.as_str()), (2, "Hello", "Hi there"));
        assert_eq!(said[1].3, Some(Trust::Model));
    }
}

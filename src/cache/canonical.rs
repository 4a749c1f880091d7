//! When two questions are the same: one digest over whom is asked, for whom, and the request as the provider would get it.
//!
//! JSON is written anew with its keys in order and nothing between its parts; that is all that is folded. Texts stay as they
//! are: white space in them, case, symbols, whatever the script. Numbers stay as they were written: `1` is not `1.0`.

use serde_json::Value;

use crate::model::cache::{Dependency, Sharing};
use crate::model::{ProviderId, WorkspaceId};
use crate::runtime::Keys;

/// A digest.
pub(super) type Key = [u8; 32];

/// All that makes a question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub workspace: WorkspaceId,
    pub sharing: (Sharing, Option<uuid::Uuid>),
    pub provider: ProviderId,
    /// What is at the other end, and where.
    pub endpoint: &'a str,
    pub model: &'a str,
    /// What is switched on by a header.
    pub betas: &'a [String],
    /// As the provider would get it.
    pub body: &'a Value,
    /// What the answer depends on: which things, not in which state.
    pub depends_on: &'a [Dependency],
}

const QUESTIONS: &str = "weft 2026 response cache questions";
const CONTEXTS: &str = "weft 2026 response cache contexts";
/// What the secrets under the digests are for: what is kept is found by them, so they stay when the master key changes.
pub const LASTING: [&str; 2] = [QUESTIONS, CONTEXTS];

/// The digest of a question. Keyed: who reads the database can't try out what was asked.
pub(super) fn key(keys: &Keys, asked: &Asked<'_>) -> Key {
    digest(&keys.lasting(QUESTIONS), asked)
}

/// The digest of all but the last words of a question: `asked.body` is without them.
pub(super) fn context(keys: &Keys, asked: &Asked<'_>) -> Key {
    digest(&keys.lasting(CONTEXTS), asked)
}

fn digest(secret: &[u8; 32], asked: &Asked<'_>) -> Key {
    let mut hasher = blake3::Hasher::new_keyed(secret);
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(b"1");
    part(asked.workspace.0.as_bytes());
    part(asked.sharing.0.as_str().as_bytes());
    part(asked.sharing.1.map(|id| *id.as_bytes()).unwrap_or_default().as_slice());
    part(asked.provider.0.as_bytes());
    part(asked.endpoint.as_bytes());
    part(asked.model.as_bytes());
    part(&(asked.betas.len() as u64).to_le_bytes());
    for beta in asked.betas {
        part(beta.as_bytes());
    }
    part(&write(asked.body));
    for one in asked.depends_on {
        part(one.kind.as_str().as_bytes());
        part(one.id.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// A value as bytes that do not depend on the order of its keys.
pub(super) fn write(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(value, &mut bytes);
    bytes
}

fn put(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Array(items) => {
            bytes.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    bytes.push(b',');
                }
                put(item, bytes);
            }
            bytes.push(b']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            bytes.push(b'{');
            for (at, (name, field)) in fields.into_iter().enumerate() {
                if at > 0 {
                    bytes.push(b',');
                }
                put(&Value::String(name.clone()), bytes);
                bytes.push(b':');
                put(field, bytes);
            }
            bytes.push(b'}');
        }
        // Texts, numbers, true, false and null have one way to be written.
        plain => bytes.extend_from_slice(plain.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::cache::SourceKind;
    use crate::runtime::Ids;

    fn asked(body: &Value) -> Asked<'_> {
        Asked {
            workspace: WorkspaceId(uuid::Uuid::from_u128(1)),
            sharing: (Sharing::Workspace, None),
            provider: ProviderId(uuid::Uuid::from_u128(2)),
            endpoint: "anthropic https://api.example.com",
            model: "m",
            betas: &[],
            body,
            depends_on: &[],
        }
    }

    fn text(text: &str) -> Value {
        json!({"messages": [{"role": "user", "content": text}], "temperature": 0.0})
    }

    #[test]
    fn the_order_of_keys_and_white_space_between_them_are_folded() {
        let keys = Keys::ephemeral(&Ids);
        let one: Value = serde_json::from_str(r#"{"a": {"x": 1, "y": [1,  2]}, "b": "t"}"#).unwrap();
        let two: Value = serde_json::from_str("{\"b\":\"t\",\n\t\"a\":{\"y\":[1,2],\"x\":1}}").unwrap();
        assert_eq!(write(&one), write(&two));
        assert_eq!(key(&keys, &asked(&one)), key(&keys, &asked(&two)));
        assert_eq!(write(&one), br#"{"a":{"x":1,"y":[1,2]},"b":"t"}"#);
    }

    #[test]
    fn nothing_else_is_folded() {
        let keys = Keys::ephemeral(&Ids);
        let texts = [
            "Is 3 < 4?",
            "is 3 < 4?",
            "Is 3 > 4?",
            "Is 3  < 4?",
            "Is 3 < 4? ",
            "\nIs 3 < 4?",
            "Is 3 < 4",
            "Is 3\u{a0}< 4?",
            "",
            "Was ist ein Webstuhl?",
            "Was ist kein Webstuhl?",
            "織機とは",
            "織機とは?",
            "织机",
            "ткацкий станок",
            "é",
            "e\u{301}",
            "I",
            "ı",
            "İ",
            "\u{200b}",
            "\u{feff}",
            "a\u{0}b",
            "ß",
            "ss",
            "𝒜",
            "A",
            "(a)",
            "a",
            "$1",
            "€1",
            "x == y",
            "x = y",
            "x != y",
        ];
        let mut seen = std::collections::HashMap::new();
        for one in texts {
            if let Some(other) = seen.insert(key(&keys, &asked(&text(one))), one) {
                panic!("{one:?} is taken for {other:?}");
            }
        }
        let values = [
            json!({"t": 1}),
            json!({"t": 1.0}),
            json!({"t": 0}),
            json!({"t": -0.0}),
            json!({"t": 0.1}),
            json!({"t": "1"}),
            json!({"t": null}),
            json!({"t": []}),
            json!({"t": {}}),
            json!({"t": [1, 2]}),
            json!({"t": [2, 1]}),
            json!({"t": [[1], 2]}),
            json!({"T": 1}),
            json!({}),
        ];
        for one in &values {
            assert!(seen.insert(key(&keys, &asked(one)), "a value").is_none(), "{one}");
        }
    }

    #[test]
    fn whom_is_asked_and_for_whom_makes_another_question() {
        let keys = Keys::ephemeral(&Ids);
        let body = text("x");
        let base = asked(&body);
        let betas = ["a".to_owned(), "b".to_owned()];
        let joined = ["ab".to_owned()];
        let on = |id: &str, print: &str| {
            [Dependency { kind: SourceKind::File, id: id.into(), fingerprint: Some(print.into()) }]
        };
        let (one, two, later) = (on("a", "1"), on("b", "1"), on("a", "2"));
        let user = |n| (Sharing::User, Some(uuid::Uuid::from_u128(n)));
        let others = [
            base,
            Asked { workspace: WorkspaceId(uuid::Uuid::from_u128(9)), ..base },
            Asked { sharing: user(1), ..base },
            Asked { sharing: user(2), ..base },
            Asked { sharing: (Sharing::Key, Some(uuid::Uuid::from_u128(1))), ..base },
            Asked { provider: ProviderId(uuid::Uuid::from_u128(9)), ..base },
            Asked { endpoint: "anthropic https://other.example.com", ..base },
            Asked { model: "n", ..base },
            Asked { betas: &betas, ..base },
            Asked { betas: &joined, ..base },
            Asked { depends_on: &one, ..base },
            Asked { depends_on: &two, ..base },
        ];
        let all: std::collections::HashSet<Key> = others.iter().map(|asked| key(&keys, asked)).collect();
        assert_eq!(all.len(), others.len());
        assert_eq!(key(&keys, &Asked { depends_on: &later, ..base }), key(&keys, &Asked { depends_on: &one, ..base }));
        assert_ne!(key(&Keys::ephemeral(&Ids), &base), key(&keys, &base), "keyed");
    }
}

//! Bodies inside of bodies, read from text however deep the checker allows.
//!
//! A parser of JSON gives up at 128 levels, and a container takes three of them: 50 containers would not be read. Each
//! body is therefore taken as a text of its own, and its levels are counted anew. What lies deeper than any definition
//! that passes the checker is refused before it is parsed, so that no text exhausts the stack.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use super::Body;
use super::check::MAX_NESTING;

/// The name by which a deserialiser of `serde_json` (feature `raw_value`) is asked for the text of a value. It answers with a map of this one key.
/// Other formats take it for the name of a wrapper and hand over what is inside.
const AS_TEXT: &str = "$serde_json::private::RawValue";

/// Levels that a body may have: three for each container, and what the parser allows for the settings of the innermost.
const MOST_LEVELS: usize = 3 * MAX_NESTING + 128;

/// For `deserialize_with` on a step's body.
///
/// # Errors
/// The deserialiser's own, and for text that is deeper than any definition may be.
pub(super) fn body<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Body>, D::Error> {
    deserializer.deserialize_newtype_struct(AS_TEXT, AnyFormat)
}

struct AnyFormat;

impl<'de> Visitor<'de> for AnyFormat {
    type Value = Option<Body>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a body: steps and edges")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Option::deserialize(deserializer)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some((_, text)) = map.next_entry::<String, String>()? else {
            return Err(de::Error::invalid_length(0, &self));
        };
        if levels(&text) > MOST_LEVELS {
            return Err(de::Error::custom(format!("expected at most {MAX_NESTING} containers inside of each other")));
        }
        serde_json::from_str(&text).map_err(|error| de::Error::custom(format!("{error} of a container's body")))
    }
}

/// How deep the arrays and objects of a JSON text lie inside of each other.
fn levels(text: &str) -> usize {
    let (mut level, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                level += 1;
                deepest = deepest.max(level);
            }
            b'}' | b']' if !in_string => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::workflow::{Definition, Step};

    fn containers(count: usize) -> Definition {
        let innermost = Step {
            config: serde_json::from_value(json!({ "value": [[[[[["\\\"}"]]]]]] })).expect("fits"),
            ..Step::new("innermost", "transform")
        };
        let step = (0..count).fold(innermost, |inside, level| Step {
            body: Some(Body { steps: vec![inside], ..Body::default() }),
            ..Step::new(&format!("group_{level}"), "group")
        });
        Definition { steps: vec![step], ..Definition::empty("Deep") }
    }

    #[test]
    fn as_many_containers_as_the_checker_allows_are_read_back_from_text_and_from_a_tree() {
        let definition = containers(MAX_NESTING);
        let text = serde_json::to_string(&definition).expect("written");
        assert_eq!(serde_json::from_str::<Definition>(&text).expect("read from text"), definition);
        let tree = serde_json::to_value(&definition).expect("written");
        assert_eq!(serde_json::from_value::<Definition>(tree).expect("read from a tree"), definition);
    }

    #[test]
    fn a_hundred_thousand_containers_are_refused_and_not_parsed() {
        let (open, close) = (r#"[{"id":"a","kind":"group","body":{"steps":"#.repeat(100_000), "}}]".repeat(100_000));
        let text = format!(r#"{{"weft":1,"name":"Deep","steps":{open}[]{close}}}"#);
        let error = serde_json::from_str::<Definition>(&text).expect_err("refused").to_string();
        assert!(error.contains("at most 50 containers"), "{error}");
    }

    #[test]
    fn what_is_wrong_inside_of_a_body_is_named_with_its_place() {
        let text = r#"{"weft":1,"name":"a","steps":[{"id":"a","kind":"group","body":{"stages":[]}}]}"#;
        let error = serde_json::from_str::<Definition>(text).expect_err("refused").to_string();
        assert!(error.contains("stages") && error.contains("of a container's body"), "{error}");
    }

    #[test]
    fn brackets_in_texts_are_no_levels() {
        assert_eq!(levels(r#"{"a": "[[[\"[", "b": [1, {}]}"#), 3);
        assert_eq!(levels("1"), 0);
    }
}

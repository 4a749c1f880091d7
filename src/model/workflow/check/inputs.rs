//! Whether the schema of the inputs is one that the form and the server understand.

use serde_json::Value;

use super::{Findings, is_step_id};

/// The types that an input may have.
const INPUT_TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

pub(super) fn check(inputs: &Value, found: &mut Findings) {
    let schema = match inputs {
        Value::Null => return,
        Value::Object(schema) => schema,
        _ => return found.error(None, "/inputs", "expected a JSON Schema of an object"),
    };
    if schema.get("type").is_some_and(|t| t != "object") {
        found.error(None, "/inputs/type", "expected \"object\": inputs have names");
    }
    let none = serde_json::Map::new();
    let properties = match schema.get("properties") {
        None => &none,
        Some(Value::Object(properties)) => properties,
        Some(_) => return found.error(None, "/inputs/properties", "expected an object"),
    };
    for (name, property) in properties {
        let at = format!("/inputs/properties/{name}");
        if !is_step_id(name) {
            found.error(None, &at, "expected a name of letters, digits and _, not beginning with a digit");
        }
        match property.get("type") {
            None if property.is_object() => {}
            Some(Value::String(word)) if INPUT_TYPES.contains(&word.as_str()) => {
                if let Some(default) = property.get("default").filter(|default| !is_of(word, default)) {
                    found.error(
                        None,
                        format!("{at}/default"),
                        format!("expected a default of type {word}, found {default}"),
                    );
                }
            }
            _ => found.error(None, format!("{at}/type"), format!("expected one of {}", INPUT_TYPES.join(", "))),
        }
    }
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if name.as_str().is_none_or(|name| !properties.contains_key(name)) {
            found.error(None, "/inputs/required", format!("{name} is required but not among the properties"));
        }
    }
}

fn is_of(word: &str, value: &Value) -> bool {
    match word {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        _ => value.is_object(),
    }
}

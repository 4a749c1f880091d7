//! The inputs of a workflow as fields of a form: from the JSON Schema to texts, and from texts to JSON. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

/// A text that may be longer than this gets a field of several lines.
const LINE_CHARS: u64 = 200;

/// What fits a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A line of text.
    Text,
    /// Lines of text.
    LongText,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Switch,
    /// One of these values.
    Choice(Vec<Value>),
    /// Any other JSON, with the word for what is expected: `list`, `object` or `value`.
    Json(&'static str),
}

/// An input as a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its key.
    pub name: String,
    /// As a person reads it.
    pub label: String,
    /// What it is for; may be empty.
    pub hint: String,
    /// Whether it must be there.
    pub required: bool,
    /// What fits.
    pub shape: Shape,
    /// What stands in when it is left empty.
    pub default: Option<Value>,
}

/// The texts of a form, by the names of its fields.
pub type Texts = BTreeMap<String, String>;

/// The fields of a schema whose root is an object: what is required first, in its order, then the others by name.
pub fn fields(schema: &Value) -> Vec<Field> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Vec::new();
    };
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let rank = |name: &str| required.iter().position(|known| *known == name).unwrap_or(required.len());
    let mut fields: Vec<_> =
        properties.iter().map(|(name, schema)| field(name, schema, required.contains(&name.as_str()))).collect();
    fields.sort_by_key(|field| rank(&field.name));
    fields
}

fn field(name: &str, schema: &Value, required: bool) -> Field {
    let text = |key: &str| schema.get(key).and_then(Value::as_str).map(str::to_owned);
    let shape = match (schema.get("enum").and_then(Value::as_array), schema.get("type").and_then(Value::as_str)) {
        (Some(values), _) => Shape::Choice(values.clone()),
        (None, Some("string")) if is_long(schema) => Shape::LongText,
        (None, Some("string")) => Shape::Text,
        (None, Some("integer")) => Shape::Integer,
        (None, Some("number")) => Shape::Number,
        (None, Some("boolean")) => Shape::Switch,
        (None, Some("array")) => Shape::Json("list"),
        (None, Some("object")) => Shape::Json("object"),
        (None, _) => Shape::Json("value"),
    };
    Field {
        name: name.to_owned(),
        label: text("title").unwrap_or_else(|| labelled(name)),
        hint: text("description").unwrap_or_default(),
        required,
        shape,
        default: schema.get("default").cloned(),
    }
}

/// Whether a text is meant to have several lines: it says so, or it may be longer than a line.
fn is_long(schema: &Value) -> bool {
    let format = schema.get("format").and_then(Value::as_str);
    matches!(format, Some("multiline" | "textarea" | "markdown"))
        || schema.get("maxLength").and_then(Value::as_u64).is_some_and(|most| most > LINE_CHARS)
}

/// A key as a label: `max_items` is "Max items".
fn labelled(name: &str) -> String {
    let words = name.replace(['_', '-'], " ");
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// What the form begins with: what was given, else the default.
pub fn begin(fields: &[Field], given: Option<&Value>) -> Texts {
    let start = |field: &Field| given.and_then(|given| given.get(&field.name)).or(field.default.as_ref()).cloned();
    fields
        .iter()
        .map(|field| (field.name.clone(), start(field).map(|value| written(field, &value)).unwrap_or_default()))
        .collect()
}

/// A value as the text of its field.
pub fn written(field: &Field, value: &Value) -> String {
    match (&field.shape, value) {
        (Shape::Json(_), value) => serde_json::to_string_pretty(value).expect("a JSON value is always written"),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Null) => String::new(),
        (_, value) => value.to_string(),
    }
}

/// Reads a field; `None` leaves it out.
fn read(field: &Field, text: &str) -> Result<Option<Value>, String> {
    let trimmed = text.trim();
    if field.shape == Shape::Switch {
        let on = trimmed == "true";
        return Ok((on || field.required || field.default.is_some()).then_some(Value::Bool(on)));
    }
    if trimmed.is_empty() {
        return if field.required { Err("this is required".to_owned()) } else { Ok(None) };
    }
    let value = match &field.shape {
        Shape::Text | Shape::LongText => Value::String(text.to_owned()),
        Shape::Integer => {
            Value::Number(trimmed.parse::<i64>().map_err(|_| "expected a whole number, such as 12")?.into())
        }
        Shape::Number => {
            let number = trimmed.parse::<f64>().ok().and_then(Number::from_f64);
            Value::Number(number.ok_or("expected a number, such as 0.8")?)
        }
        Shape::Choice(values) => {
            let chosen = values.iter().find(|value| written(field, value) == text);
            chosen.cloned().ok_or("expected one of the list")?
        }
        Shape::Json(what) => json(trimmed, what)?,
        Shape::Switch => Value::Bool(trimmed == "true"),
    };
    Ok(Some(value))
}

fn json(text: &str, what: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"))?;
    match what {
        "list" if !value.is_array() => Err("expected a list: [ … ]".to_owned()),
        "object" if !value.is_object() => Err("expected an object: { … }".to_owned()),
        _ => Ok(value),
    }
}

/// Reads a whole form.
///
/// # Errors
/// What does not fit, by the names of the fields.
pub fn collect(fields: &[Field], texts: &Texts) -> Result<Value, BTreeMap<String, String>> {
    let mut values = Map::new();
    let mut errors = BTreeMap::new();
    for field in fields {
        match read(field, texts.get(&field.name).map_or("", String::as_str)) {
            Ok(Some(value)) => {
                values.insert(field.name.clone(), value);
            }
            Ok(None) => {}
            Err(error) => {
                errors.insert(field.name.clone(), error);
            }
        }
    }
    if errors.is_empty() { Ok(Value::Object(values)) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["path"],
            "properties": {
                "path": {"type": "string", "description": "A directory."},
                "limit": {"type": "integer", "default": 5},
                "share": {"type": "number"},
                "deep": {"type": "boolean"},
                "level": {"enum": ["low", "high", 3]},
                "tags": {"type": "array"},
            },
        })
    }

    fn texts(pairs: &[(&str, &str)]) -> Texts {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn what_is_required_stands_first() {
        let names: Vec<_> = fields(&schema()).into_iter().map(|field| field.name).collect();
        assert_eq!(names, ["path", "deep", "level", "limit", "share", "tags"]);
    }

    #[test]
    fn a_form_begins_with_what_was_given_and_else_with_the_defaults() {
        let begun = begin(&fields(&schema()), Some(&json!({"path": "/srv", "tags": ["a"]})));
        assert_eq!(begun["path"], "/srv");
        assert_eq!(begun["limit"], "5");
        assert_eq!(begun["tags"], "[\n  \"a\"\n]");
        assert_eq!(begun["share"], "");
    }

    #[test]
    fn texts_become_what_the_schema_says_and_empty_ones_are_left_out() {
        let fields = fields(&schema());
        let form = texts(&[("path", "/srv"), ("limit", " 7 "), ("level", "3"), ("tags", "[1]"), ("deep", "true")]);
        let expected = json!({"path": "/srv", "limit": 7, "level": 3, "tags": [1], "deep": true});
        assert_eq!(collect(&fields, &form), Ok(expected));
    }

    #[test]
    fn every_field_that_does_not_fit_is_named() {
        let form = texts(&[("limit", "many"), ("share", "NaN"), ("tags", "{}"), ("level", "none")]);
        let errors = collect(&fields(&schema()), &form).expect_err("refused");
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["level", "limit", "path", "share", "tags"]);
        assert_eq!(errors["path"], "this is required");
    }

    #[test]
    fn a_text_of_several_lines_has_room_for_them() {
        let shape = |schema: Value| fields(&json!({"properties": {"a": schema}}))[0].shape.clone();
        assert_eq!(shape(json!({"type": "string", "format": "multiline"})), Shape::LongText);
        assert_eq!(shape(json!({"type": "string", "maxLength": 2000})), Shape::LongText);
        assert_eq!(shape(json!({"type": "string", "maxLength": 80})), Shape::Text);
    }

    #[test]
    fn a_workflow_without_inputs_takes_an_empty_object() {
        assert_eq!(collect(&fields(&Value::Null), &Texts::new()), Ok(json!({})));
    }
}

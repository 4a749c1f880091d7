//! Inputs against the schema that the definition gives for them.

use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};

use super::Error;
use crate::model::FieldError;

/// Field errors of one answer.
const MAX_ERRORS: usize = 50;

/// The same for what people fill in when they answer; pointers begin with `/form`.
pub(super) fn fit_form(schema: &Value, form: Value) -> Result<Value, Error> {
    fit(schema, form).map_err(|error| match error {
        Error::Invalid(fields) => Error::Invalid(
            fields
                .into_iter()
                .map(|field| FieldError::new(field.pointer.replacen("/inputs", "/form", 1), field.message))
                .collect(),
        ),
        error => error,
    })
}

/// Fills in the defaults of absent inputs and checks the whole against `schema`; a null schema takes any object.
pub(super) fn fit(schema: &Value, inputs: Value) -> Result<Value, Error> {
    let mut inputs = match inputs {
        Value::Null => Map::new(),
        Value::Object(inputs) => inputs,
        other => {
            return Err(Error::invalid("/inputs", format!("expected an object, found {}", kind(&other))));
        }
    };
    if schema.is_null() {
        return Ok(Value::Object(inputs));
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            if let Some(default) = property.get("default")
                && !inputs.contains_key(name)
            {
                inputs.insert(name.clone(), default.clone());
            }
        }
    }
    let validator = jsonschema::validator_for(schema)
        .map_err(|error| Error::invalid("/inputs", format!("the workflow's schema of inputs is not valid: {error}")))?;
    let inputs = Value::Object(inputs);
    let errors: Vec<FieldError> = validator.iter_errors(&inputs).take(MAX_ERRORS).map(|error| read(&error)).collect();
    if errors.is_empty() { Ok(inputs) } else { Err(Error::Invalid(errors)) }
}

fn read(error: &jsonschema::ValidationError<'_>) -> FieldError {
    let at = format!("/inputs{}", error.instance_path());
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default().replace('~', "~0").replace('/', "~1");
            FieldError::new(format!("{at}/{name}"), "is required")
        }
        _ => FieldError::new(at, error.to_string()),
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_missing_input_is_named() {
        let schema = json!({"type": "object", "required": ["path"], "properties": {
            "path": {"type": "string"}, "depth": {"type": "integer", "default": 3}}});
        assert_eq!(fit(&schema, json!({"path": "."})).expect("fits"), json!({"path": ".", "depth": 3}));
        for (inputs, pointer) in [
            (json!({}), "/inputs/path"),
            (json!({"path": 1}), "/inputs/path"),
            (json!({"path": ".", "depth": "x"}), "/inputs/depth"),
            (json!([]), "/inputs"),
        ] {
            let Err(Error::Invalid(fields)) = fit(&schema, inputs) else { panic!("refused") };
            assert_eq!(fields[0].pointer, pointer);
        }
    }
}

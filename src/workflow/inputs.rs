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

/// Checks what a person gives as a step's output; pointers begin with `/output`.
pub(super) fn fit_output(schema: &Value, output: &Value) -> Result<(), Error> {
    let validator = jsonschema::validator_for(schema)
        .map_err(|error| Error::invalid("/output", format!("the step's schema is not valid: {error}")))?;
    let errors = validator.iter_errors(output).take(MAX_ERRORS).map(|error| read(&error, "/output"));
    let errors: Vec<FieldError> = errors.collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// Fills in the defaults of absent inputs and checks the whole against `schema`; a null schema takes any object.
pub(super) fn fit(schema: &Value, inputs: Value) -> Result<Value, Error> {
    Schema::of(schema).fit(inputs)
}

/// A schema made ready: reading one costs more than checking by it.
#[derive(Debug)]
pub(super) struct Schema {
    defaults: Vec<(String, Value)>,
    /// `None` takes any object; what is wrong with a schema that does not read is said to whoever gives inputs.
    validator: Option<Result<jsonschema::Validator, String>>,
}

impl Schema {
    pub(super) fn of(schema: &Value) -> Self {
        let properties = schema.get("properties").and_then(Value::as_object);
        let default = |(name, property): (&String, &Value)| Some((name.clone(), property.get("default")?.clone()));
        let defaults = properties.into_iter().flatten().filter_map(default).collect();
        let read = || jsonschema::validator_for(schema).map_err(|error| error.to_string());
        Self { defaults, validator: (!schema.is_null()).then(read) }
    }

    /// See [`fit`].
    pub(super) fn fit(&self, inputs: Value) -> Result<Value, Error> {
        let mut inputs = match inputs {
            Value::Null => Map::new(),
            Value::Object(inputs) => inputs,
            other => {
                return Err(Error::invalid("/inputs", format!("expected an object, found {}", kind(&other))));
            }
        };
        for (name, default) in &self.defaults {
            if !inputs.contains_key(name) {
                inputs.insert(name.clone(), default.clone());
            }
        }
        let inputs = Value::Object(inputs);
        let errors: Vec<FieldError> = match &self.validator {
            None => Vec::new(),
            Some(Ok(validator)) if validator.is_valid(&inputs) => Vec::new(),
            Some(Ok(validator)) => {
                validator.iter_errors(&inputs).take(MAX_ERRORS).map(|error| read(&error, "/inputs")).collect()
            }
            Some(Err(error)) => {
                let message = format!("the workflow's schema of inputs is not valid: {error}");
                return Err(Error::invalid("/inputs", message));
            }
        };
        if errors.is_empty() { Ok(inputs) } else { Err(Error::Invalid(errors)) }
    }
}

fn read(error: &jsonschema::ValidationError<'_>, whose: &str) -> FieldError {
    let at = format!("{whose}{}", error.instance_path());
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

//! What hooks change: the arguments of a call, and what it gave.

use serde_json::{Map, Value};

use super::Setting;
use crate::model::workflow::expression::{self, Named};

/// Bytes of the arguments of a call that a hook edits or that one tries.
pub(super) const MAX_ARGUMENTS: usize = 256 * 1024;
/// Characters of a result that a hook gives.
pub(super) const MAX_TEXT: usize = 64_000;

/// The arguments with some of them set; every template sees them as they were before.
///
/// # Errors
/// What could not be evaluated or set, in words.
pub(super) fn set(arguments: &Value, settings: &[Setting], scope: &Named<'_>) -> Result<Value, String> {
    let mut edited = arguments.clone();
    for setting in settings {
        let value = expression::render(&Value::String(setting.value.clone()), scope)
            .map_err(|error| format!("{}: {error}", setting.path))?;
        put(&mut edited, &setting.path, value)?;
    }
    bounded(edited)
}

/// All arguments anew.
///
/// # Errors
/// What could not be evaluated, or is no object.
pub(super) fn whole(source: &str, scope: &Named<'_>) -> Result<Value, String> {
    match expression::eval(source, scope).map_err(|error| error.to_string())? {
        value @ Value::Object(_) => bounded(value),
        _ => Err("expected arguments: an object".to_owned()),
    }
}

/// A result anew: a text as it is, anything else as JSON.
///
/// # Errors
/// What could not be evaluated, or is too long.
pub(super) fn text(source: &str, scope: &Named<'_>) -> Result<String, String> {
    let text = match expression::eval(source, scope).map_err(|error| error.to_string())? {
        Value::String(text) => text,
        other => other.to_string(),
    };
    if text.chars().count() > MAX_TEXT {
        return Err(format!("expected a result of at most {MAX_TEXT} characters"));
    }
    Ok(text.replace('\0', "\u{fffd}"))
}

fn bounded(arguments: Value) -> Result<Value, String> {
    if arguments.to_string().len() > MAX_ARGUMENTS {
        return Err(format!("expected arguments of at most {MAX_ARGUMENTS} bytes"));
    }
    Ok(arguments)
}

/// Sets what a path leads to; objects on the way that there are not are made, items of lists must be there.
fn put(arguments: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let mut place = arguments;
    for part in path.split('.') {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        place = match place {
            Value::Object(fields) => fields.entry(part.to_owned()).or_insert(Value::Null),
            Value::Array(items) => {
                let item = part.parse::<usize>().ok().and_then(|at| items.get_mut(at));
                item.ok_or_else(|| format!("{path}: there is no item {part:?} in the list"))?
            }
            _ => return Err(format!("{path}: {part:?} would stand in what is neither an object nor a list")),
        };
    }
    *place = value;
    Ok(())
}

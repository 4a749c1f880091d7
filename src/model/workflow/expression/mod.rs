//! Expressions and templates: one language for conditions, configs and outputs.
//!
//! Owns how `{{ steps.fetch.output.title }}` and `steps.review.output.score >= 0.8` are checked and evaluated, in the
//! browser, the command line and the server alike. It is MiniJinja with an allowlist: the names, filters and tests listed
//! in [`FILTERS`], [`TESTS`] and [`ROOTS`], `if` and `for` as the only statements, strict undefined, fuel, a recursion
//! limit and bounded results. There is no clock, no randomness, no host object and no loader, so the same scope always
//! gives the same value, and there is no sandbox to escape from.

mod language;
mod scope;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::StepError;
pub use language::{FILTERS, ROOTS, TESTS};
pub use scope::{Around, Named, Scope, StepScope};

/// The longest template or expression, in bytes.
pub const MAX_SOURCE_BYTES: usize = 65_536;
/// The largest value that one evaluation may give, in bytes of text plus eight for each node.
pub const MAX_RESULT_BYTES: usize = 16 * 1024 * 1024;

/// Why a template or an expression can't be read or evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} (line {line}, column {column})")]
pub struct ExprError {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// What is wrong and what was expected.
    pub message: String,
}

impl ExprError {
    /// As the failure of a step, in a field of its config.
    pub fn at(self, field: &str) -> StepError {
        StepError::permanent("expression", format!("{field}: {self}"))
    }
}

/// What a template mentions: dotted paths such as `inputs.path` or `steps.scan.output.summary`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Refs {
    /// In alphabetical order.
    pub paths: BTreeSet<String>,
}

impl Refs {
    /// The ids of the steps that are mentioned by name.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        let mut last = None;
        self.paths.iter().filter_map(|path| path.strip_prefix("steps.")?.split('.').next()).filter(move |&id| {
            let fresh = last != Some(id.to_owned());
            last = Some(id.to_owned());
            fresh
        })
    }

    /// The inputs that are mentioned by name.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().filter_map(|path| path.strip_prefix("inputs.")?.split('.').next())
    }

    /// Adds what another template mentions.
    pub fn extend(&mut self, other: Self) {
        self.paths.extend(other.paths);
    }
}

/// Reads a text with templates and tells what it mentions. A text without any mentions nothing.
///
/// # Errors
/// With the position, when it does not parse, or uses a name, filter, test or statement that there is not.
pub fn check_template(source: &str) -> Result<Refs, ExprError> {
    check_template_of(source, ROOTS)
}

/// As [`check_template`], for a template that sees these names and no run.
///
/// # Errors
/// As [`check_template`].
pub fn check_template_of(source: &str, roots: &[&str]) -> Result<Refs, ExprError> {
    if !language::has_template(source) {
        return language::check_length(source).map(|()| Refs::default());
    }
    match language::sole_expression(source) {
        Some(expression) if language::compile_expression(expression).is_ok() => {
            language::refs_of_expression(expression, roots).map_err(|error| shifted(error, source, expression))
        }
        _ => language::refs_of_template(source, roots),
    }
}

/// Reads a bare expression, such as a condition's `when`, and tells what it mentions.
///
/// # Errors
/// With the position, when it does not parse, or uses a name, filter or test that there is not.
pub fn check_expression(source: &str) -> Result<Refs, ExprError> {
    check_expression_of(source, ROOTS)
}

/// As [`check_expression`], for an expression that sees these names and no run.
///
/// # Errors
/// As [`check_expression`].
pub fn check_expression_of(source: &str, roots: &[&str]) -> Result<Refs, ExprError> {
    language::refs_of_expression(source, roots)
}

/// Reads every template in a JSON value; the first error comes with its JSON pointer.
///
/// # Errors
/// The pointer into `value`, and the error there.
pub fn check_value(value: &Value) -> Result<Refs, (String, ExprError)> {
    let mut refs = Refs::default();
    match value {
        Value::String(text) => refs = check_template(text).map_err(|error| (String::new(), error))?,
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                refs.extend(check_value(item).map_err(|(at, error)| (format!("/{index}{at}"), error))?);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                refs.extend(check_value(field).map_err(|(at, error)| (format!("/{name}{at}"), error))?);
            }
        }
        _ => {}
    }
    Ok(refs)
}

/// Whether an expression holds: anything but false, zero, null and the empty text, list or object.
///
/// # Errors
/// As [`check_expression`], and when something undefined is used or a limit is hit.
pub fn eval_bool(source: &str, scope: &dyn Scope) -> Result<bool, ExprError> {
    language::eval(source, scope).map(|value| value.is_true())
}

/// The value of an expression.
///
/// # Errors
/// As [`eval_bool`].
pub fn eval(source: &str, scope: &dyn Scope) -> Result<Value, ExprError> {
    let mut left = MAX_RESULT_BYTES;
    language::to_json(&language::eval(source, scope)?, &mut left)
}

/// Renders every template in a JSON value. A text that is exactly one `{{ … }}` becomes its value, with its type.
///
/// # Errors
/// As [`eval_bool`]; also when the whole is larger than [`MAX_RESULT_BYTES`].
pub fn render(value: &Value, scope: &dyn Scope) -> Result<Value, ExprError> {
    let mut left = MAX_RESULT_BYTES;
    render_within(value, scope, &mut left)
}

/// Renders a config, field by field.
///
/// # Errors
/// As [`render`], as the failure of a step that names the field.
pub fn render_config(config: &Map<String, Value>, scope: &dyn Scope) -> Result<Map<String, Value>, StepError> {
    let mut left = MAX_RESULT_BYTES;
    config
        .iter()
        .map(|(name, value)| match render_within(value, scope, &mut left) {
            Ok(value) => Ok((name.clone(), value)),
            Err(error) => Err(error.at(name)),
        })
        .collect()
}

fn render_within(value: &Value, scope: &dyn Scope, left: &mut usize) -> Result<Value, ExprError> {
    match value {
        Value::String(text) if language::has_template(text) => render_text(text, scope, left),
        Value::Array(items) => items.iter().map(|item| render_within(item, scope, left)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| Ok((name.clone(), render_within(field, scope, left)?)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object),
        other => Ok(other.clone()),
    }
}

fn render_text(source: &str, scope: &dyn Scope, left: &mut usize) -> Result<Value, ExprError> {
    match language::sole_expression(source) {
        Some(expression) if language::compile_expression(expression).is_ok() => {
            let value = language::eval(expression, scope).map_err(|error| shifted(error, source, expression))?;
            language::to_json(&value, left)
        }
        _ => {
            let text = language::render(source, scope, *left)?;
            *left -= text.len().min(*left);
            Ok(Value::String(text))
        }
    }
}

/// The position inside `source`, of which `part` is a slice.
fn shifted(mut error: ExprError, source: &str, part: &str) -> ExprError {
    let offset = part.as_ptr() as usize - source.as_ptr() as usize;
    let (line, column) = words::position(source, offset);
    if error.line == 1 {
        error.column += column - 1;
    }
    error.line += line - 1;
    error
}

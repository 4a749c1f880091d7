//! The language: MiniJinja cut down to an allowlist, with limits.

use std::io;
use std::sync::LazyLock;

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value as Jinja};
use serde_json::{Map, Number, Value};

use super::words::{at, check_statements, check_words, code_parts, find_word};
use super::{ExprError, MAX_RESULT_BYTES, MAX_SOURCE_BYTES, Refs, Scope, scope};

/// The names at the root of a scope; the last four in the bodies of containers only.
pub const ROOTS: &[&str] = &["inputs", "steps", "run", "workflow", "item", "index", "iteration", "last"];

/// What a trigger's inputs see in place of these; a step never does.
pub(super) const EVENT: &str = "event";

/// Functions that may be called.
const FUNCTIONS: &[&str] = &["range", "dict"];

/// Steps of the language's machine that one evaluation may take: some tens of milliseconds.
const FUEL: u64 = 500_000;

/// The same for what sees values by their names: many of them are evaluated one after the other, for one call of a tool.
const FUEL_OF_NAMED: u64 = 20_000;

/// Nested calls and blocks.
const RECURSION: usize = 64;

/// The filters that there are.
#[rustfmt::skip] // a list to read, not a column
pub const FILTERS: &[&str] = &[
    "abs", "attr", "batch", "bool", "capitalize", "chain", "count", "d", "default", "dictsort", "first", "float",
    "groupby", "int", "items", "join", "last", "length", "lines", "list", "lower", "map", "max", "min", "reject",
    "rejectattr", "replace", "reverse", "round", "select", "selectattr", "slice", "sort", "split", "string", "sum",
    "title", "tojson", "trim", "truncate", "unique", "upper", "zip",
];

/// The tests that there are, after `is`.
#[rustfmt::skip] // a list to read, not a column
pub const TESTS: &[&str] = &[
    "boolean", "defined", "divisibleby", "endingwith", "eq", "equalto", "even", "false", "float", "ge",
    "greaterthan", "gt", "in", "int", "integer", "iterable", "le", "lessthan", "lower", "lt", "mapping", "ne",
    "none", "number", "odd", "sameas", "sequence", "startingwith", "string", "true", "undefined", "upper",
];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| environment(FUEL));
static OF_NAMED: LazyLock<Environment<'static>> = LazyLock::new(|| environment(FUEL_OF_NAMED));

fn environment(fuel: u64) -> Environment<'static> {
    // `new` knows every filter, test and operator; what is not on the list goes.
    let mut env = Environment::new();
    for filter in ["safe", "escape", "e", "format", "indent", "pprint", "urlencode", "debug"] {
        env.remove_filter(filter);
    }
    for test in ["safe", "escaped", "filter", "test"] {
        env.remove_test(test);
    }
    for function in ["debug", "namespace"] {
        env.remove_global(function);
    }
    env.add_filter("replace", replace);
    env.add_filter("join", join);
    env.add_filter("truncate", truncate);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_formatter(|out, state, value| match value.kind() {
        // What has a structure is written as JSON, and not as the language prints it for debugging.
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable | ValueKind::None => {
            let json = to_json(value, &mut MAX_RESULT_BYTES.clone()).map_err(|error| too_large(&error.message))?;
            out.write_str(&json.to_string()).map_err(Error::from)
        }
        _ => minijinja::escape_formatter(out, state, value),
    });
    env.set_fuel(Some(fuel));
    env.set_recursion_limit(RECURSION);
    env.set_debug(true);
    env
}

fn too_large(what: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, what.to_owned())
}

/// `replace`, with a bound on what comes out.
fn replace(text: String, from: String, to: String) -> Result<String, Error> {
    let hits = if from.is_empty() { text.len() + 1 } else { text.matches(from.as_str()).count() };
    if text.len().saturating_add(hits.saturating_mul(to.len())) > MAX_RESULT_BYTES {
        return Err(too_large("replace: the text would become too large"));
    }
    Ok(text.replace(from.as_str(), &to))
}

/// `join`, with a bound on what comes out.
fn join(values: Jinja, separator: Option<String>) -> Result<String, Error> {
    let separator = separator.unwrap_or_default();
    let mut text = String::new();
    for (index, value) in values.try_iter()?.enumerate() {
        if index > 0 {
            text.push_str(&separator);
        }
        match value.as_str() {
            Some(part) => text.push_str(part),
            None => text.push_str(&value.to_string()),
        }
        if text.len() > MAX_RESULT_BYTES {
            return Err(too_large("join: the text would become too large"));
        }
    }
    Ok(text)
}

/// The first `length` characters, with `…` in place of the rest.
fn truncate(text: String, length: u32) -> String {
    match text.char_indices().nth(length as usize) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Whether the text holds a template at all.
pub(super) fn has_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// The inside of a text that looks like exactly one `{{ … }}`. The caller tries whether it really is one expression.
pub(super) fn sole_expression(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inside = inside.strip_prefix('-').unwrap_or(inside);
    Some(inside.strip_suffix('-').unwrap_or(inside))
}

pub(super) fn check_length(source: &str) -> Result<(), ExprError> {
    if source.len() > MAX_SOURCE_BYTES && has_template(source) {
        let message = format!("expected at most {MAX_SOURCE_BYTES} bytes in a template, found {}", source.len());
        return Err(ExprError { line: 1, column: 1, message });
    }
    Ok(())
}

/// The language for what knows these roots.
fn environment_of(roots: &[&str]) -> &'static Environment<'static> {
    if roots == ROOTS { &ENVIRONMENT } else { &OF_NAMED }
}

pub(super) fn compile_expression(source: &str) -> Result<minijinja::Expression<'_, '_>, ExprError> {
    compile_in(&ENVIRONMENT, source)
}

fn compile_in<'source>(
    environment: &'static Environment<'static>,
    source: &'source str,
) -> Result<minijinja::Expression<'source, 'source>, ExprError> {
    if source.len() > MAX_SOURCE_BYTES {
        let message = format!("expected at most {MAX_SOURCE_BYTES} bytes, found {}", source.len());
        return Err(ExprError { line: 1, column: 1, message });
    }
    if source.trim().is_empty() {
        return Err(ExprError { line: 1, column: 1, message: "expected an expression, found nothing".to_owned() });
    }
    environment.compile_expression(source).map_err(|error| read(&error, source))
}

fn compile_template<'source>(
    environment: &'static Environment<'static>,
    source: &'source str,
) -> Result<minijinja::Template<'source, 'source>, ExprError> {
    check_length(source)?;
    check_statements(source)?;
    environment.template_from_str(source).map_err(|error| read(&error, source))
}

pub(super) fn refs_of_expression(source: &str, roots: &[&str]) -> Result<Refs, ExprError> {
    let expression = compile_expression(source)?;
    check_words(source, 0..source.len())?;
    refs(expression.undeclared_variables(true), source, roots)
}

pub(super) fn refs_of_template(source: &str, roots: &[&str]) -> Result<Refs, ExprError> {
    let template = compile_template(&ENVIRONMENT, source)?;
    for part in code_parts(source) {
        check_words(source, part)?;
    }
    refs(template.undeclared_variables(true), source, roots)
}

fn refs(names: std::collections::HashSet<String>, source: &str, roots: &[&str]) -> Result<Refs, ExprError> {
    let mut found = Refs::default();
    for path in names {
        let root = path.split('.').next().unwrap_or_default();
        if roots.contains(&root) || (root == EVENT && roots == ROOTS) {
            found.paths.insert(path);
        } else if !FUNCTIONS.contains(&root) {
            let offset = find_word(source, root).unwrap_or(0);
            let message = format!("unknown name {root:?}, expected one of {}", roots.join(", "));
            return Err(at(source, offset, message));
        }
    }
    Ok(found)
}

pub(super) fn eval(source: &str, scope: &dyn Scope) -> Result<Jinja, ExprError> {
    let expression = compile_in(environment_of(scope.roots()), source)?;
    let refs = refs(expression.undeclared_variables(true), source, scope.roots())?;
    let value = expression.eval(scope::context(&refs, scope)).map_err(|error| read(&error, source))?;
    if value.is_undefined() {
        return Err(at(source, 0, format!("{} is not defined", source.trim())));
    }
    Ok(value)
}

pub(super) fn render(source: &str, scope: &dyn Scope, limit: usize) -> Result<String, ExprError> {
    let template = compile_template(environment_of(scope.roots()), source)?;
    let refs = refs(template.undeclared_variables(true), source, scope.roots())?;
    let mut out = Bounded { text: Vec::new(), limit };
    template.render_captured_to(scope::context(&refs, scope), &mut out).map_err(|error| read(&error, source))?;
    String::from_utf8(out.text).map_err(|_| at(source, 0, "the result is not text".to_owned()))
}

struct Bounded {
    text: Vec<u8>,
    limit: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.text.len() + part.len() > self.limit {
            return Err(io::Error::other("the result is too large"));
        }
        self.text.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value of the language as JSON; `left` counts down what may still come out.
pub(super) fn to_json(value: &Jinja, left: &mut usize) -> Result<Value, ExprError> {
    let cost = 8 + value.as_str().map_or(0, str::len);
    let Some(rest) = left.checked_sub(cost) else {
        let message = format!("expected a result of at most {} MiB", MAX_RESULT_BYTES / 1024 / 1024);
        return Err(ExprError { line: 1, column: 1, message });
    };
    *left = rest;
    let failed = |error: Error| read(&error, "");
    Ok(match value.kind() {
        ValueKind::Undefined | ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => match serde_json::to_value(value) {
            Ok(Value::Number(number)) => Value::Number(number),
            // Beyond 64 bits, infinite or no number: JSON has no word for it.
            _ => f64::try_from(value.clone()).ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number),
        },
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = Vec::new();
            for item in value.try_iter().map_err(failed)? {
                items.push(to_json(&item, left)?);
            }
            Value::Array(items)
        }
        ValueKind::Map => {
            let mut fields = Map::new();
            for key in value.try_iter().map_err(failed)? {
                let item = value.get_item(&key).map_err(failed)?;
                fields.insert(key.to_string(), to_json(&item, left)?);
            }
            Value::Object(fields)
        }
        _ => Value::String(value.to_string()),
    })
}

/// An error of the language with its position and a sentence of ours.
fn read(error: &Error, source: &str) -> ExprError {
    let detail = error.detail().unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::UndefinedError if detail.is_empty() => match error.range().and_then(|range| source.get(range)) {
            Some(part) => format!("{} is not defined", part.trim_matches(['{', '}', ' ', '-'])),
            None => "a value that is not defined is used".to_owned(),
        },
        ErrorKind::OutOfFuel => "it takes too long: too many steps to evaluate".to_owned(),
        ErrorKind::WriteFailure => "the result is too large".to_owned(),
        kind if detail.is_empty() => kind.to_string(),
        _ => detail.to_owned(),
    };
    match error.range() {
        Some(range) => at(source, range.start, message),
        None => ExprError { line: error.line().unwrap_or(1) as u32, column: 1, message },
    }
}

//! Whether a step's config fits the fields of its kind.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::expression;
use super::super::kind::respond::is_answerable;
use super::super::kind::{Field, Kind, Shape, model};
use super::super::state::SOURCES;
use super::super::{Edge, Step, is_approver};
use super::{Findings, is_step_id};

pub(super) fn check(step: &Step, kind: &Kind, found: &mut Findings) {
    let id = Some(step.id.as_str());
    for name in step.config.keys() {
        if !kind.fields.iter().any(|field| field.name == name) {
            let known: Vec<&str> = kind.fields.iter().map(|field| field.name).collect();
            found.error(
                id,
                format!("/config/{name}"),
                format!("unknown field; {} has {}", kind.name, known.join(", ")),
            );
        }
    }
    for field in kind.fields {
        let at = format!("/config/{}", field.name);
        match step.config.get(field.name).filter(|value| !value.is_null()) {
            None if field.required => found.error(id, at, format!("{} is required", field.name)),
            None => {}
            Some(Value::String(text)) if field.required && text.trim().is_empty() => {
                found.error(id, at, format!("{} is empty", field.name));
            }
            Some(value) => check_value(id, &at, field, value, found),
        }
    }
    check_kind(step, found);
}

/// What one field's shape can't say.
fn check_kind(step: &Step, found: &mut Findings) {
    let id = Some(step.id.as_str());
    let has = |name: &str| step.config.get(name).is_some_and(|value| !value.is_null() && value != "");
    match step.kind.as_str() {
        "repeat" if has("until") == has("while") => found.error(id, "/config/until", "expected either until or while"),
        "map" => match SOURCES.iter().filter(|source| has(source)).count() {
            0 => found.error(id, "/config/items", "items is required, or else a file or pages"),
            1 if step
                .config
                .get("items")
                .is_some_and(|items| has("items") && !items.is_array() && !items.is_string()) =>
            {
                found.error(id, "/config/items", "expected a list, or a template that yields one");
            }
            1 => {}
            _ => found.error(id, "/config/items", "expected one of items, file and pages"),
        },
        "approval" => {
            check_decisions(step, found);
            check_approvers(step, found);
        }
        "wait" if has("ms") == has("until") => found.error(id, "/config/ms", "expected either ms or until"),
        "shell" if has("argv") == has("script") => found.error(id, "/config/argv", "expected either argv or script"),
        "respond" => check_respond(id, step, has("json") && has("body"), found),
        "prompt" | "classify" | "extract" | "summarize" => {
            check_prompt(id, step, has("route") && has("model"), found);
            if step.kind == "classify" {
                check_labels(step, found);
            }
        }
        "http" if has("json") && has("body") => found.error(id, "/config/body", "expected json or body, not both"),
        _ => {}
    }
}

fn check_prompt(id: Option<&str>, step: &Step, has_both: bool, found: &mut Findings) {
    if has_both {
        found.error(id, "/config/route", "expected a route or a model, not both");
    }
    let schema = step.config.get("schema").filter(|schema| !schema.is_null() && *schema != "");
    if schema.is_some_and(|schema| !schema.is_object() && !schema.is_string()) {
        found.error(id, "/config/schema", "expected a JSON Schema, which is an object, or a template that yields one");
    }
}

fn check_labels(step: &Step, found: &mut Findings) {
    let id = Some(step.id.as_str());
    let mut seen = vec![model::OTHER, Edge::ERROR];
    for (index, label) in model::labels(&step.config).enumerate() {
        let at = format!("/config/labels/{index}");
        if !is_step_id(label.name) {
            found.error(id, at, "expected a name of letters, digits and _, not beginning with a digit");
        } else if seen.contains(&label.name) {
            found.error(id, at, format!("the label {:?} is taken", label.name));
        } else {
            seen.push(label.name);
        }
    }
    match model::labels(&step.config).count() {
        0 => found.error(id, "/config/labels", "expected at least one label"),
        count if count > model::MAX_LABELS => {
            found.error(id, "/config/labels", format!("expected at most {} labels", model::MAX_LABELS));
        }
        _ => {}
    }
}

fn check_decisions(step: &Step, found: &mut Findings) {
    let id = Some(step.id.as_str());
    let mut seen = vec!["expired", "cancelled", Edge::ERROR];
    let words = step.config.get("decisions").and_then(Value::as_array);
    for (index, word) in words.into_iter().flatten().enumerate() {
        let at = format!("/config/decisions/{index}");
        match word.as_str() {
            Some(word) if !is_step_id(word) => {
                found.error(id, at, "expected letters, digits and _, not beginning with a digit");
            }
            Some(word) if seen.contains(&word) => found.error(id, at, format!("the decision {word:?} is taken")),
            Some(word) => seen.push(word),
            None => {}
        }
    }
    if let Some(form) = step.config.get("form").filter(|form| !form.is_null())
        && form.get("type").is_some_and(|kind| kind != "object")
    {
        found.error(id, "/config/form", "expected a JSON Schema of an object");
    }
}

/// Names that name nobody, and fewer people than are to agree: such a question could never be answered.
fn check_approvers(step: &Step, found: &mut Findings) {
    let id = Some(step.id.as_str());
    let names = step.config.get("approvers").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<(usize, &str)> =
        names.enumerate().filter_map(|(at, name)| Some((at, name.as_str()?.trim()))).collect();
    let is_open = |name: &str| name.contains("{{") || name.starts_with("role:");
    for (at, name) in names.iter().filter(|(_, name)| !name.is_empty() && !name.contains("{{") && !is_approver(name)) {
        let message = format!("expected an e-mail address, or a role such as role:admin, found {name:?}");
        found.error(id, format!("/config/approvers/{at}"), message);
    }
    let people: BTreeSet<String> =
        names.iter().map(|(_, name)| name.to_lowercase()).filter(|name| !name.is_empty()).collect();
    let required = step.config.get("required").and_then(Value::as_u64).unwrap_or(1);
    if !people.is_empty() && !people.iter().any(|name| is_open(name)) && required > people.len() as u64 {
        let message = format!("expected at most {}: no more people may answer", people.len());
        found.error(id, "/config/required", message);
    }
}

fn check_respond(id: Option<&str>, step: &Step, has_both: bool, found: &mut Findings) {
    if has_both {
        found.error(id, "/config/body", "expected json or body, not both");
    }
    for name in step.config.get("headers").and_then(Value::as_object).into_iter().flat_map(serde_json::Map::keys) {
        if !is_answerable(name) {
            let message = "expected a header such as content-type or location, or one that begins with x-";
            found.error(id, format!("/config/headers/{name}"), message);
        }
    }
}

fn check_value(id: Option<&str>, at: &str, field: &Field, value: &Value, found: &mut Findings) {
    match (&field.shape, value) {
        (Shape::Template { .. }, Value::String(text)) => check_template(id, at, text, found),
        (Shape::Template { .. }, Value::Number(_) | Value::Bool(_)) => {}
        (Shape::Expression, Value::String(text)) => check_expression(id, at, text, found),
        (Shape::Integer { .. } | Shape::Time { .. } | Shape::Number { .. }, Value::String(text)) => {
            if text.contains("{{") {
                check_template(id, at, text, found);
            } else {
                let what =
                    if matches!(field.shape, Shape::Time { .. }) { "a time such as 90 s or 2 d" } else { "a number" };
                found.error(id, at, format!("expected {what} or a template, found {text:?}"));
            }
        }
        (Shape::Integer { min, max } | Shape::Time { min, max }, value) => {
            if value.as_i64().is_none_or(|n| n < *min || n > *max) {
                found.error(id, at, format!("expected a whole number from {min} to {max}, found {value}"));
            }
        }
        (Shape::Number { min, max }, value) => {
            if value.as_f64().is_none_or(|n| n < *min || n > *max) {
                found.error(id, at, format!("expected a number from {min} to {max}, found {value}"));
            }
        }
        (Shape::Bool, Value::Bool(_)) => {}
        (Shape::Choice { options }, Value::String(word)) if options.contains(&word.as_str()) => {}
        (Shape::Choice { options }, value) => {
            found.error(id, at, format!("expected one of {}, found {value}", options.join(", ")));
        }
        (Shape::Json, value) => check_json(id, at, value, 0, found),
        (Shape::TextMap, Value::Object(map)) => {
            for (name, value) in map {
                check_text(id, &format!("{at}/{name}"), value, found);
            }
        }
        (Shape::TextList, Value::Array(items)) => {
            for (index, value) in items.iter().enumerate() {
                check_text(id, &format!("{at}/{index}"), value, found);
            }
        }
        (Shape::IntegerList, Value::Array(items)) => {
            for (index, value) in items.iter().enumerate().filter(|(_, value)| value.as_i64().is_none()) {
                found.error(id, format!("{at}/{index}"), format!("expected a whole number, found {value}"));
            }
        }
        (Shape::Cases, Value::Array(cases)) => check_cases(id, at, cases, found),
        (Shape::Limits { keys }, Value::Object(map)) => check_limits(id, at, keys, map, found),
        (Shape::Fields { fields }, Value::Object(map)) => {
            for (name, value) in map {
                let at = format!("{at}/{name}");
                match fields.iter().find(|field| field.name == name) {
                    Some(field) => check_value(id, &at, field, value, found),
                    None => {
                        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
                        found.error(id, at, format!("unknown field; there are {}", names.join(", ")));
                    }
                }
            }
        }
        (shape, value) => found.error(id, at, format!("expected {}, found {value}", expected(shape))),
    }
}

const fn expected(shape: &Shape) -> &'static str {
    match shape {
        Shape::Template { .. } => "text",
        Shape::Expression => "an expression, as text",
        Shape::Integer { .. } | Shape::Time { .. } | Shape::Number { .. } => "a number",
        Shape::Bool => "true or false",
        Shape::Choice { .. } => "a word",
        Shape::Json => "JSON",
        Shape::TextMap => "an object of texts",
        Shape::TextList => "a list of texts",
        Shape::IntegerList => "a list of whole numbers",
        Shape::Cases => "a list of {port, when}",
        Shape::Limits { .. } => "an object of whole numbers",
        Shape::Fields { .. } => "an object",
    }
}

fn check_text(id: Option<&str>, at: &str, value: &Value, found: &mut Findings) {
    match value {
        Value::String(text) => check_template(id, at, text, found),
        other => found.error(id, at, format!("expected text, found {other}")),
    }
}

/// Nesting of a JSON value in a config.
const MAX_DEPTH: u32 = 64;

fn check_json(id: Option<&str>, at: &str, value: &Value, depth: u32, found: &mut Findings) {
    if depth > MAX_DEPTH {
        return found.error(id, at, format!("expected at most {MAX_DEPTH} levels"));
    }
    match value {
        Value::String(text) => check_template(id, at, text, found),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_json(id, &format!("{at}/{index}"), item, depth + 1, found);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                check_json(id, &format!("{at}/{name}"), item, depth + 1, found);
            }
        }
        _ => {}
    }
}

fn check_cases(id: Option<&str>, at: &str, cases: &[Value], found: &mut Findings) {
    if cases.is_empty() {
        found.error(id, at, "expected at least one case");
    }
    let mut ports = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let at = format!("{at}/{index}");
        match case.get("port").and_then(Value::as_str) {
            Some(port) if !is_step_id(port) => {
                found.error(id, format!("{at}/port"), "expected letters, digits and _, not beginning with a digit");
            }
            Some(port) if port == Edge::ERROR || port == "default" || ports.contains(&port) => {
                found.error(id, format!("{at}/port"), format!("the port {port:?} is taken"));
            }
            Some(port) => ports.push(port),
            None => found.error(id, format!("{at}/port"), "expected a port's name"),
        }
        match case.get("when").and_then(Value::as_str) {
            Some(when) => check_expression(id, &format!("{at}/when"), when, found),
            None => found.error(id, format!("{at}/when"), "expected an expression, as text"),
        }
    }
}

fn check_limits(id: Option<&str>, at: &str, keys: &[&str], map: &serde_json::Map<String, Value>, found: &mut Findings) {
    for (name, value) in map {
        if !keys.contains(&name.as_str()) {
            found.error(id, format!("{at}/{name}"), format!("unknown limit; there are {}", keys.join(", ")));
        } else if value.as_i64().is_none_or(|n| n < 1) {
            found.error(id, format!("{at}/{name}"), format!("expected a whole number from 1, found {value}"));
        }
    }
}

pub(super) fn check_template(id: Option<&str>, at: &str, text: &str, found: &mut Findings) {
    if let Err(error) = expression::check_template(text) {
        found.error(id, at, error.to_string());
    }
}

pub(super) fn check_expression(id: Option<&str>, at: &str, text: &str, found: &mut Findings) {
    if let Err(error) = expression::check_expression(text) {
        found.error(id, at, error.to_string());
    }
}

//! Renaming a step's id: the edges and every expression that speaks of it follow.

use serde_json::Value;

use super::replaced;
use crate::model::workflow::kind::{Kind, Shape};
use crate::model::workflow::{Definition, Step};
use crate::ui::designer::change::{Change, Details};
use crate::ui::designer::document::{Document, Selection};

/// Renames a step.
///
/// # Errors
/// What is wrong with the new id, for people.
pub fn rename_id(document: &Document, old: &str, new: &str) -> Result<Vec<Change>, String> {
    let definition = &document.definition;
    if old == new {
        return Ok(Vec::new());
    }
    if !is_id(new) {
        return Err("Start with a letter or _, then letters, digits and _, at most 64.".to_owned());
    }
    if definition.step(new).is_some() {
        return Err(format!("Another step is called {new}."));
    }
    let Some(step) = definition.step(old) else {
        return Err("This step is gone.".to_owned());
    };
    let mut changes = vec![Change::mark(format!("Rename {old} to {new}"))];
    let mut renamed = referring(step, old, new);
    new.clone_into(&mut renamed.id);
    changes.push(replaced(old, renamed));
    for other in definition.steps.iter().filter(|other| other.id != old) {
        let altered = referring(other, old, new);
        if altered != *other {
            changes.push(replaced(&other.id, altered));
        }
    }
    changes.extend(edges(definition, old, new));
    let details = Details { output: in_templates(&definition.output, old, new), ..Details::of(definition) };
    if details != Details::of(definition) {
        changes.push(Change::SetDetails(Box::new(details)));
    }
    changes.push(Change::Select(Selection::of(new)));
    Ok(changes)
}

fn edges(definition: &Definition, old: &str, new: &str) -> Vec<Change> {
    let mut changes = Vec::new();
    for (index, edge) in definition.edges.iter().enumerate() {
        let mut altered = edge.clone();
        for end in [&mut altered.from, &mut altered.to] {
            if *end == old {
                new.clone_into(end);
            }
        }
        altered.when = altered.when.map(|when| in_expression(&when, old, new));
        if altered != *edge {
            changes.push(Change::ReplaceEdge { index, edge: altered });
        }
    }
    changes
}

/// Whether a text may be a step's id.
pub fn is_id(text: &str) -> bool {
    let mut letters = text.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && text.len() <= 64 && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The step with its expressions speaking of `new` where they spoke of `old`.
pub(super) fn referring(step: &Step, old: &str, new: &str) -> Step {
    let mut step = step.clone();
    let kind = Kind::find(&step.kind);
    for (name, value) in &mut step.config {
        let shape = kind.and_then(|kind| kind.fields.iter().find(|field| field.name == name)).map(|field| &field.shape);
        *value = match (shape, &*value) {
            (Some(Shape::Expression), Value::String(text)) => Value::String(in_expression(text, old, new)),
            (Some(Shape::Cases), Value::Array(cases)) => {
                Value::Array(cases.iter().map(|case| in_case(case, old, new)).collect())
            }
            _ => in_templates(value, old, new),
        };
    }
    step.default = in_templates(&step.default, old, new);
    if let Some(concurrency) = &mut step.concurrency
        && let Value::String(key) = in_templates(&Value::String(concurrency.key.clone()), old, new)
    {
        concurrency.key = key;
    }
    step
}

fn in_case(case: &Value, old: &str, new: &str) -> Value {
    let mut case = case.clone();
    if let Some(Value::String(when)) = case.get_mut("when") {
        *when = in_expression(when, old, new);
    }
    case
}

fn in_templates(value: &Value, old: &str, new: &str) -> Value {
    match value {
        Value::String(text) => Value::String(in_template(text, old, new)),
        Value::Array(items) => Value::Array(items.iter().map(|item| in_templates(item, old, new)).collect()),
        Value::Object(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), in_templates(v, old, new))).collect()),
        other => other.clone(),
    }
}

/// Renames inside `{{ … }}` and `{% … %}` only.
fn in_template(text: &str, old: &str, new: &str) -> String {
    let (mut done, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(open) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        let close = if rest[open..].starts_with("{{") { "}}" } else { "%}" };
        let end = rest[open + 2..].find(close).map_or(rest.len(), |at| open + 2 + at + 2);
        done.push_str(&rest[..open]);
        done.push_str(&in_expression(&rest[open..end], old, new));
        rest = &rest[end..];
    }
    done.push_str(rest);
    done
}

/// Renames `steps.OLD`, `steps["OLD"]` and `steps['OLD']`.
fn in_expression(text: &str, old: &str, new: &str) -> String {
    let (mut done, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("steps") {
        let (before, from) = rest.split_at(at);
        let after = &from["steps".len()..];
        let starts = !before.chars().next_back().or(done.chars().next_back()).is_some_and(is_word_or_dot);
        let quoted = [format!("[\"{old}\"]"), format!("['{old}']")].into_iter().find(|q| after.starts_with(q.as_str()));
        let dotted = after
            .strip_prefix('.')
            .and_then(|a| a.strip_prefix(old))
            .filter(|a| !a.chars().next().is_some_and(is_word));
        done.push_str(before);
        done.push_str("steps");
        rest = after;
        if !starts {
            continue;
        }
        if let Some(tail) = dotted {
            done.push('.');
            done.push_str(new);
            rest = tail;
        } else if let Some(quoted) = quoted {
            done.push_str(&quoted.replace(old, new));
            rest = &after[quoted.len()..];
        }
    }
    done.push_str(rest);
    done
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_word_or_dot(c: char) -> bool {
    is_word(c) || c == '.'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_follow_a_new_id_and_nothing_else_does() {
        let check = |text: &str, expected: &str| assert_eq!(in_template(text, "scan", "look"), expected);
        check("{{ steps.scan.output }}", "{{ steps.look.output }}");
        check("steps.scan is text", "steps.scan is text");
        check("{{ steps.scanner.output }} {{ mysteps.scan }}", "{{ steps.scanner.output }} {{ mysteps.scan }}");
        check("{{ steps[\"scan\"].x }}{% if steps['scan'] %}", "{{ steps[\"look\"].x }}{% if steps['look'] %}");
        check("a {{ steps.scan.n + steps.scan.m", "a {{ steps.look.n + steps.look.m");
        assert_eq!(in_expression("steps.scan.output > 0", "scan", "look"), "steps.look.output > 0");
    }

    #[test]
    fn an_id_is_a_word() {
        assert!(is_id("_a1") && is_id("Scan_2"));
        assert!(!is_id("") && !is_id("1a") && !is_id("a b") && !is_id(&"a".repeat(65)));
    }
}

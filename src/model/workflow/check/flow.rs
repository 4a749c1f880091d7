//! Whether keys, priorities, rates, slots and teams say something that can be obeyed.

use serde_json::Value;

use super::super::expression::{self, Refs};
use super::super::flow::{Flow, MAX_COUNT, MAX_LIMIT, MAX_PER_MS, MAX_SLOTS, Priority};
use super::super::{Definition, Step, kind::Kind};
use super::Findings;

/// The workflow's own part.
pub(super) fn check(definition: &Definition, found: &mut Findings) {
    if let Some(days) = definition.retention_days.filter(|days| !(1..=3650).contains(days)) {
        found.error(None, "/retention_days", format!("expected 1 to 3650 days, found {days}"));
    }
    for fault in definition.team.iter().flat_map(|team| team.faults("/team")) {
        found.error(None, fault.pointer, fault.message);
    }
    let Some(Flow { concurrency, priority, rate }) = &definition.flow else {
        return;
    };
    if let Some(concurrency) = concurrency {
        check_early(definition, "/flow/concurrency/key", &concurrency.key, found);
        check_limit(None, "/flow/concurrency/limit", concurrency.limit, found);
    }
    match priority {
        Some(Priority::Level(level)) if !(1..=9).contains(level) => {
            found.error(None, "/flow/priority", format!("expected 1 to 9, of which 9 is first, found {level}"));
        }
        Some(Priority::Template(template)) => check_early(definition, "/flow/priority", template, found),
        _ => {}
    }
    if let Some(rate) = rate {
        check_early(definition, "/flow/rate/key", &rate.key, found);
        if !(1..=MAX_COUNT).contains(&rate.count) {
            found.error(None, "/flow/rate/count", format!("expected 1 to {MAX_COUNT} runs, found {}", rate.count));
        }
        if !(1..=MAX_PER_MS).contains(&rate.per_ms) {
            let message = format!("expected 1 to {MAX_PER_MS} (a day), found {}", rate.per_ms);
            found.error(None, "/flow/rate/per_ms", message);
        }
    }
}

/// A step's part; its key's references are checked with those of its config.
pub(super) fn check_step(step: &Step, kind: &Kind, found: &mut Findings) {
    let id = Some(step.id.as_str());
    let works = !kind.pure_step && kind.name != "wait";
    if let Some(concurrency) = &step.concurrency {
        if !works {
            let message = format!("the kind {} does no work that others could wait for", step.kind);
            found.error(id, "/concurrency", message);
        }
        check_key(id, "/concurrency/key", &concurrency.key, found);
        check_limit(id, "/concurrency/limit", concurrency.limit, found);
    }
    if let Some(slots) = step.slots {
        if !(1..=MAX_SLOTS).contains(&slots) {
            found.error(id, "/slots", format!("expected 1 to {MAX_SLOTS} slots, found {slots}"));
        } else if !works {
            found.error(id, "/slots", format!("the kind {} takes no slot", step.kind));
        }
    }
}

fn check_limit(step: Option<&str>, at: &str, limit: u32, found: &mut Findings) {
    if !(1..=MAX_LIMIT).contains(&limit) {
        found.error(step, at, format!("expected 1 to {MAX_LIMIT} at a time, found {limit}"));
    }
}

fn check_key(step: Option<&str>, at: &str, template: &str, found: &mut Findings) -> Refs {
    if template.trim().is_empty() {
        found.error(step, at, "expected a text or a template, such as {{ inputs.customer }}");
    }
    expression::check_template(template).unwrap_or_else(|error| {
        found.error(step, at, error.to_string());
        Refs::default()
    })
}

/// A template that is rendered before the run begins: it sees inputs, and no step.
fn check_early(definition: &Definition, at: &str, template: &str, found: &mut Findings) {
    let refs = check_key(None, at, template, found);
    if let Some(path) = refs.paths.iter().find(|path| *path == "steps" || path.starts_with("steps.")) {
        found.error(
            None,
            at,
            format!("{path} is not known yet: this is decided before the run begins, from its inputs"),
        );
    }
    if refs.paths.contains("run.started_at") {
        found.error(None, at, "run.started_at is not known yet: this is decided before the run begins");
    }
    let declared = definition.inputs.get("properties").and_then(Value::as_object);
    let is_closed = definition.inputs.is_null() || declared.is_some();
    for name in refs.inputs().filter(|name| is_closed && declared.is_none_or(|known| !known.contains_key(*name))) {
        found.error(None, at, format!("there is no input {name:?}"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::model::workflow::check::check;

    fn problems(flow: Value, step: Value) -> Vec<String> {
        let mut first = json!({"id": "a", "kind": "http", "config": {"url": "http://x"}});
        first.as_object_mut().expect("an object").extend(step.as_object().expect("an object").clone());
        let mut definition = json!({"weft": 1, "name": "w", "steps": [first],
            "inputs": {"type": "object", "properties": {"customer": {"type": "string"}}}});
        definition.as_object_mut().expect("an object").extend(flow.as_object().expect("an object").clone());
        let definition = serde_json::from_value(definition).expect("fits");
        check(&definition).into_iter().map(|problem| format!("{} {}", problem.field, problem.message)).collect()
    }

    #[test]
    fn limits_that_can_be_obeyed_pass() {
        let flow = json!({"retention_days": 7, "flow": {"priority": "{{ inputs.customer }}",
            "concurrency": {"key": "{{ inputs.customer }}", "limit": 3, "when_full": "cancel_running"},
            "rate": {"key": "{{ workflow.name }}", "count": 10, "per_ms": 60_000}}});
        let step = json!({"slots": 4, "concurrency": {"key": "{{ inputs.customer }}", "limit": 2}});
        assert_eq!(problems(flow, step), Vec::<String>::new());
    }

    #[test]
    fn each_limit_that_can_not_is_named() {
        let flow = json!({"retention_days": 0, "flow": {"priority": 10,
            "concurrency": {"key": "{{ steps.a.output }}", "limit": 0},
            "rate": {"key": "{{ inputs.nobody }}", "count": 0, "per_ms": 0}}});
        let found = problems(flow, json!({"slots": 101, "concurrency": {"key": " ", "limit": 1001}}));
        assert_eq!(
            found,
            [
                "/retention_days expected 1 to 3650 days, found 0",
                "/flow/concurrency/key steps.a.output is not known yet: this is decided before the run begins, from its inputs",
                "/flow/concurrency/limit expected 1 to 1000 at a time, found 0",
                "/flow/priority expected 1 to 9, of which 9 is first, found 10",
                "/flow/rate/key there is no input \"nobody\"",
                "/flow/rate/count expected 1 to 100000 runs, found 0",
                "/flow/rate/per_ms expected 1 to 86400000 (a day), found 0",
                "/concurrency/key expected a text or a template, such as {{ inputs.customer }}",
                "/concurrency/limit expected 1 to 1000 at a time, found 1001",
                "/slots expected 1 to 100 slots, found 101",
            ]
        );
    }

    #[test]
    fn a_step_that_only_computes_has_no_key_and_no_slots() {
        let step = json!({"kind": "transform", "config": {"value": 1}, "slots": 2, "concurrency": {"key": "x"}});
        assert_eq!(problems(json!({}), step).len(), 2);
    }
}

//! What a run is given: the trigger's template, filled in from the event.

use serde_json::{Map, Value};

use super::Kind;
use crate::model::workflow::expression::{self, ExprError, Scope, StepScope};
use crate::model::{RunId, Timestamp};

/// What a trigger's template can see: `event`, and nothing of a run.
struct EventScope<'a>(&'a Value);

impl Scope for EventScope<'_> {
    fn inputs(&self) -> &Value {
        &Value::Null
    }

    fn step(&self, _id: &str) -> Option<StepScope<'_>> {
        None
    }

    fn step_ids(&self) -> Vec<String> {
        Vec::new()
    }

    fn run_id(&self) -> RunId {
        RunId(uuid::Uuid::nil())
    }

    fn started_at(&self) -> Option<Timestamp> {
        None
    }

    fn workflow_name(&self) -> &'static str {
        ""
    }

    fn event(&self) -> Option<&Value> {
        Some(self.0)
    }
}

/// Reads the templates of `inputs`; they may mention `event` only.
///
/// # Errors
/// A JSON pointer into `inputs`, and what is wrong there.
pub fn check(inputs: &Value) -> Result<(), (String, String)> {
    if !matches!(inputs, Value::Null | Value::Object(_)) && !inputs.is_string() {
        return Err((String::new(), "expected an object, or a template that gives one".to_owned()));
    }
    let refs = expression::check_value(inputs).map_err(|(at, error)| (at, error.to_string()))?;
    match refs.paths.iter().find(|path| path.split('.').next() != Some("event")) {
        Some(path) => Err((String::new(), format!("{path} is not known here; a trigger's inputs see event only"))),
        None => Ok(()),
    }
}

/// The inputs of a run. Without a template: nothing for a schedule, the body for a webhook, else the event.
///
/// # Errors
/// What the template uses and the event does not have.
pub fn fill(kind: Kind, inputs: &Value, event: &Value) -> Result<Value, ExprError> {
    match (inputs, kind) {
        (Value::Null, Kind::Schedule) => Ok(Value::Object(Map::new())),
        (Value::Null, Kind::Webhook) => Ok(event.get("body").cloned().unwrap_or_default()),
        (Value::Null, Kind::Memory | Kind::RunFinished) => Ok(event.clone()),
        (template, _) => expression::render(template, &EventScope(event)),
    }
}

/// Reads a template that gives one text, such as `{{ event.body.id }}`; it may mention `event` only.
///
/// # Errors
/// What is wrong.
pub fn check_text(template: &str) -> Result<(), String> {
    let template = Value::String(template.to_owned());
    check(&template).map_err(|(_, message)| message)?;
    let says_something = expression::check_value(&template).is_ok_and(|refs| !refs.paths.is_empty());
    if says_something { Ok(()) } else { Err("expected a template over event, such as {{ event.body.id }}".to_owned()) }
}

/// The text that a template gives; `None` where the event lacks what it uses, or where that is neither text nor a number.
pub fn text(template: &str, event: &Value) -> Option<String> {
    match expression::render(&Value::String(template.to_owned()), &EventScope(event)).ok()? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_sees_the_event_and_keeps_types() {
        let event = json!({"body": {"n": 3, "who": "Mara"}, "headers": {"x-kind": "push"}});
        let template =
            json!({"count": "{{ event.body.n }}", "text": "{{ event.body.who }}: {{ event.headers['x-kind'] }}"});
        assert_eq!(check(&template), Ok(()));
        assert_eq!(fill(Kind::Webhook, &template, &event), Ok(json!({"count": 3, "text": "Mara: push"})));
    }

    #[test]
    fn a_text_is_given_or_nothing() {
        let event = json!({"body": {"id": 7, "name": " evt_1 ", "none": null}});
        let given = |template: &str| text(template, &event);
        assert_eq!(given("{{ event.body.id }}").as_deref(), Some("7"));
        assert_eq!(given("{{ event.body.name }}").as_deref(), Some("evt_1"));
        assert_eq!(given("a-{{ event.body.id }}").as_deref(), Some("a-7"));
        for nothing in ["{{ event.body.none }}", "{{ event.body.other }}", "{{ event.body }}", ""] {
            assert_eq!(given(nothing), None, "{nothing}");
        }
        assert_eq!(check_text("{{ event.body.id }}"), Ok(()));
        assert!(check_text("{{ run.id }}").is_err());
        assert!(check_text("always the same").is_err(), "every call would be a repeat of the first");
    }

    #[test]
    fn nothing_of_a_run_is_in_sight() {
        for template in
            [json!({"a": "{{ inputs.x }}"}), json!({"a": "{{ steps.x.output }}"}), json!({"a": "{{ run.id }}"})]
        {
            assert!(check(&template).is_err(), "{template}");
        }
        assert_eq!(check(&json!([1])).expect_err("refused").1, "expected an object, or a template that gives one");
        assert_eq!(check(&json!({"a": {"b": "{{ event. }}"}})).expect_err("refused").0, "/a/b");
    }

    #[test]
    fn without_a_template_the_event_stands_for_itself() {
        let event = json!({"body": {"a": 1}});
        assert_eq!(fill(Kind::Webhook, &Value::Null, &event), Ok(json!({"a": 1})));
        assert_eq!(fill(Kind::Schedule, &Value::Null, &event), Ok(json!({})));
        assert_eq!(fill(Kind::Memory, &Value::Null, &event), Ok(event));
    }
}

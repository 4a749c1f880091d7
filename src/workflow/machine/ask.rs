//! Approvals and events: what is asked, when it is decided, and what an end without an answer means.

use serde_json::{Map, Value, json};

use crate::model::Timestamp;
use crate::model::workflow::{Await, DEFAULT_DECISIONS, Question, Signal, StepError, Vote, is_approver};
use crate::workflow::steps::{Outcome, whole};

/// The longest deadline: a year.
const MAX_DEADLINE_MS: i64 = 31_536_000_000;
/// Characters of an event's key.
pub const MAX_KEY_CHARS: usize = 200;
/// The port of a deadline that has passed.
pub const EXPIRED: &str = "expired";

fn refuse(field: &str, expected: &str, found: &Value) -> StepError {
    let found: String = found.to_string().chars().take(80).collect();
    StepError::permanent("config", format!("{field}: expected {expected}, found {found}"))
}

/// What a field says; `None` for one that was left out.
fn given<'a>(config: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    config.get(field).filter(|value| !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty()))
}

/// The texts of a list, without those that are blank, or one text; a template in a list may give a list. `None` for anything
/// else.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(list) => Some(list.iter().map(texts).collect::<Option<Vec<_>>>()?.concat()),
        Value::String(text) => {
            Some(Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned).into_iter().collect())
        }
        _ => None,
    }
}

/// Who may answer. A template that gives nobody must not let everybody answer: that is said by leaving the field out.
fn approvers(config: &Map<String, Value>, raw: &Map<String, Value>) -> Result<Vec<String>, StepError> {
    let rendered = given(config, "approvers");
    let names = rendered.map_or_else(|| Some(Vec::new()), texts);
    let is_narrowed = given(raw, "approvers").is_some_and(|raw| texts(raw).is_none_or(|names| !names.is_empty()));
    let fits = |names: &Vec<String>| names.iter().all(|name| is_approver(name)) && (!names.is_empty() || !is_narrowed);
    names.filter(fits).ok_or_else(|| {
        refuse("approvers", "e-mail addresses, or roles such as role:admin", rendered.unwrap_or(&Value::Null))
    })
}

/// What an approval step asks, from its config as it was written and as it was rendered, and the sentence that says so. The id
/// is made of `key`.
pub(super) fn approval(
    raw: &Map<String, Value>,
    config: &Map<String, Value>,
    key: &str,
) -> Result<(String, Await), StepError> {
    let text = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let title: String = text("title").chars().take(200).collect();
    if title.is_empty() {
        return Err(refuse("title", "text", config.get("title").unwrap_or(&Value::Null)));
    }
    // What can't be read is refused, and not taken for what asks for less.
    let required = match given(config, "required") {
        None => 1,
        Some(value) => whole(value)
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| (1..=20).contains(number))
            .ok_or_else(|| refuse("required", "a number from 1 to 20", value))?,
    };
    let four_eyes = match given(config, "four_eyes") {
        None => false,
        Some(value) => value
            .as_bool()
            .or_else(|| value.as_str()?.trim().parse().ok())
            .ok_or_else(|| refuse("four_eyes", "true or false", value))?,
    };
    let mut decisions = match given(config, "decisions") {
        None => Vec::new(),
        Some(value) => texts(value).ok_or_else(|| refuse("decisions", "a list of texts", value))?,
    };
    if decisions.is_empty() {
        decisions = DEFAULT_DECISIONS.map(str::to_owned).to_vec();
    }
    let mut id = [0; 16];
    id.copy_from_slice(&blake3::hash(key.as_bytes()).as_bytes()[..16]);
    let question = Question {
        text: text("text"),
        form: config.get("form").cloned().unwrap_or_default(),
        approvers: approvers(config, raw)?,
        required,
        four_eyes,
        decisions,
        title,
    };
    let reason = format!("waits for people: {}", question.title);
    let id = uuid::Builder::from_custom_bytes(id).into_uuid().into();
    Ok((reason, Await::Approval { id, question }))
}

/// What an event step waits for, from its rendered config, and the sentence that says so.
pub(super) fn event(config: &Map<String, Value>) -> Result<(String, Await), StepError> {
    let given = config.get("key").unwrap_or(&Value::Null);
    let key = given.as_str().map_or_else(|| given.to_string(), |key| key.trim().to_owned());
    if given.is_null() || key.is_empty() || key.chars().count() > MAX_KEY_CHARS || key.chars().any(char::is_control) {
        return Err(refuse("key", "1 to 200 characters", given));
    }
    let fields = config.get("match").cloned().unwrap_or_default();
    if !fields.is_null() && !fields.is_object() {
        return Err(refuse("match", "an object", &fields));
    }
    Ok((format!("waits for the event {key}"), Await::Event { key, fields }))
}

/// When waiting ends without an answer.
pub(super) fn deadline(config: &Map<String, Value>, now: Timestamp) -> Result<Option<Timestamp>, StepError> {
    match given(config, "deadline_ms") {
        None => Ok(None),
        Some(given) => match whole(given).filter(|ms| (1..=MAX_DEADLINE_MS).contains(ms)) {
            Some(ms) => Ok(Some(now.plus_ms(ms))),
            None => Err(refuse("deadline_ms", "a whole number from 1 to 31536000000", given)),
        },
    }
}

/// What the end of the time means for who waits.
pub(super) fn expired(on: &Await, limit_ms: Option<u64>) -> Result<Outcome, StepError> {
    match on {
        Await::Run { .. } => {
            let message = format!("the sub-run did not end within {} ms", limit_ms.unwrap_or_default());
            Err(StepError::transient("timeout", message))
        }
        Await::Approval { .. } => Ok(Outcome::port(EXPIRED, json!({ "decision": EXPIRED }))),
        Await::Event { .. } => Ok(Outcome::port(EXPIRED, Value::Null)),
    }
}

/// The answers among what has reached a step.
pub(super) fn votes(signals: &[Signal]) -> impl Iterator<Item = &Vote> {
    signals.iter().filter_map(|signal| match signal {
        Signal::Vote(vote) => Some(vote),
        _ => None,
    })
}

/// What the newest vote decides, if it does: the first decision once enough people gave it, any other at once.
pub(super) fn decided(question: &Question, before: &[&Vote], vote: &Vote) -> Option<Outcome> {
    let is_first = question.decisions.first() == Some(&vote.decision);
    let given = 1 + before.iter().filter(|earlier| earlier.decision == vote.decision).count();
    if is_first && given < question.required as usize {
        return None;
    }
    let votes: Vec<Value> = before
        .iter()
        .copied()
        .chain([vote])
        .map(|vote| json!({"by": vote.name, "decision": vote.decision, "form": vote.form, "comment": vote.comment}))
        .collect();
    let output = json!({
        "decision": vote.decision, "form": vote.form, "by": vote.name, "comment": vote.comment, "votes": votes,
    });
    Some(Outcome::port(&vote.decision, output))
}

/// Whether a payload has the fields that are asked for.
pub fn fits(fields: &Value, payload: &Value) -> bool {
    match fields {
        Value::Object(fields) => fields.iter().all(|(name, value)| payload.get(name) == Some(value)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(raw: Value, rendered: Value) -> Result<Question, String> {
        let map = |value: Value| {
            let mut map = value.as_object().cloned().unwrap_or_default();
            map.insert("title".to_owned(), json!("Go?"));
            map
        };
        match approval(&map(raw), &map(rendered), "key") {
            Ok((_, Await::Approval { question, .. })) => Ok(question),
            Ok((_, on)) => Err(format!("{on:?}")),
            Err(error) => Err(error.message),
        }
    }

    #[test]
    fn a_template_that_names_nobody_does_not_let_everybody_answer() {
        let raw = json!({"approvers": ["{{ inputs.who }}"]});
        for rendered in [json!([""]), json!([null]), json!([7]), json!([[]]), json!(["Ada"]), json!(["role:boss"])] {
            let refused = asked(raw.clone(), json!({"approvers": rendered.clone()})).unwrap_err();
            assert!(refused.starts_with("approvers: expected e-mail addresses"), "{rendered}: {refused}");
        }
        let two = asked(raw, json!({"approvers": [["ada@x.example", " bob@x.example "]]})).unwrap();
        assert_eq!(two.approvers, ["ada@x.example", "bob@x.example"]);
        for nobody in [json!({}), json!({"approvers": []}), json!({"approvers": null}), json!({"approvers": [""]})] {
            assert_eq!(asked(nobody.clone(), nobody).unwrap().approvers, Vec::<String>::new());
        }
    }

    #[test]
    fn what_can_not_be_read_is_not_taken_for_what_asks_for_less() {
        for (field, value) in [
            ("required", json!("two")),
            ("required", json!([2])),
            ("required", json!(0)),
            ("four_eyes", json!("yes")),
            ("four_eyes", json!(1)),
            ("decisions", json!({"a": 1})),
        ] {
            let config = json!({field: value});
            let refused = asked(config.clone(), config).unwrap_err();
            assert!(refused.starts_with(&format!("{field}: expected")), "{refused}");
        }
        let config = json!({"required": "2", "four_eyes": "true", "decisions": ["yes", "no"]});
        let read = asked(config.clone(), config).unwrap();
        assert_eq!((read.required, read.four_eyes, read.decisions.len()), (2, true, 2));
    }
}

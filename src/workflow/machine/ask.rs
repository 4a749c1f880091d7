//! Approvals and events: what is asked, when it is decided, and what an end without an answer means.

use serde_json::{Map, Value, json};

use crate::model::Timestamp;
use crate::model::workflow::{Await, DEFAULT_DECISIONS, Question, Signal, StepError, Vote};
use crate::workflow::steps::Outcome;

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

fn number(config: &Map<String, Value>, field: &str) -> Option<i64> {
    let value = config.get(field)?;
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn texts(config: &Map<String, Value>, field: &str) -> Vec<String> {
    let list = config.get(field).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|text| Some(text.as_str()?.trim().to_owned()).filter(|text| !text.is_empty())).collect()
}

/// What an approval step asks, from its rendered config, and the sentence that says so. The id is made of `key`.
pub(super) fn approval(config: &Map<String, Value>, key: &str) -> Result<(String, Await), StepError> {
    let text = |field: &str| config.get(field).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let title: String = text("title").chars().take(200).collect();
    if title.is_empty() {
        return Err(refuse("title", "text", config.get("title").unwrap_or(&Value::Null)));
    }
    let required = number(config, "required").unwrap_or(1);
    let required = u32::try_from(required).ok().filter(|n| (1..=20).contains(n));
    let required = required.ok_or_else(|| refuse("required", "a number from 1 to 20", &config["required"]))?;
    let mut decisions = texts(config, "decisions");
    if decisions.is_empty() {
        decisions = DEFAULT_DECISIONS.map(str::to_owned).to_vec();
    }
    let mut id = [0; 16];
    id.copy_from_slice(&blake3::hash(key.as_bytes()).as_bytes()[..16]);
    let question = Question {
        text: text("text"),
        form: config.get("form").cloned().unwrap_or_default(),
        approvers: texts(config, "approvers"),
        required,
        four_eyes: config.get("four_eyes").and_then(Value::as_bool).unwrap_or(false),
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
    match config.get("deadline_ms").filter(|value| !value.is_null() && value.as_str() != Some("")) {
        None => Ok(None),
        Some(given) => match number(config, "deadline_ms").filter(|ms| (1..=MAX_DEADLINE_MS).contains(ms)) {
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

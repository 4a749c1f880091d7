//! Flow control as data: which runs and steps share a place, how many at a time, in what order, how often.
//!
//! The names under which runs meet are templates over the inputs. They are rendered once, when a run is accepted; what
//! came out ([`Limits`]) decides from then on. The order in which waiting runs are let in is [`admission`]'s.

pub mod admission;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::expression::{self, Scope, StepScope};
use crate::model::{FieldError, RunId, Timestamp};

/// What limits the runs of a workflow. Absent: nothing does but the workspace's quota.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// How many runs under one key may be in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// 1 to 9, or a template that yields one; 9 is first. Absent: 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// How many runs under one key may begin in a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// How many runs under one key may be in progress: begun and not ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Concurrency {
    /// A template over inputs, such as `{{ inputs.customer }}`. Workflows of the workspace that give the same key share it.
    pub key: String,
    /// Runs at a time, 1..=1000.
    #[serde(default = "one")]
    pub limit: u32,
    /// What becomes of a run that finds the key full.
    #[serde(default, skip_serializing_if = "WhenFull::is_default")]
    pub when_full: WhenFull,
}

/// What becomes of a run that finds its key full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// It waits for its turn.
    #[default]
    Queue,
    /// The oldest under the key is cancelled, and the new one begins when that has ended.
    CancelRunning,
    /// It is refused.
    Reject,
}

impl WhenFull {
    /// Every word.
    pub const ALL: [Self; 3] = [Self::Queue, Self::CancelRunning, Self::Reject];

    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// As in a definition.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::CancelRunning => "cancel_running",
            Self::Reject => "reject",
        }
    }
}

/// 1 to 9, or a template that yields one; 9 is first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected a whole number from 1 to 9 or a template")]
pub enum Priority {
    /// As it is.
    Level(i64),
    /// From the inputs.
    Template(String),
}

/// How many runs under one key may begin in a time: a sliding window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// A template over inputs; workflows of the workspace that give the same key share it.
    pub key: String,
    /// Runs that may begin in any `per_ms`, 1..=100_000.
    pub count: u32,
    /// The window, 1..=86_400_000 (a day).
    pub per_ms: u64,
}

/// How many steps under one key may be at work, over all runs of the workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepConcurrency {
    /// A template over inputs and earlier steps.
    pub key: String,
    /// Steps at a time, 1..=1000.
    #[serde(default = "one")]
    pub limit: u32,
}

const fn one() -> u32 {
    1
}

/// The priority of a run that names none.
pub const DEFAULT_PRIORITY: u8 = 5;
/// The most that a key's limit may be.
pub const MAX_LIMIT: u32 = 1000;
/// The most runs that a rate may let begin in its window.
pub const MAX_COUNT: u32 = 100_000;
/// The longest window of a rate: a day, for ended runs are kept for at least as long.
pub const MAX_PER_MS: u64 = 86_400_000;
/// The most slots that a step may cost.
pub const MAX_SLOTS: u32 = 100;
/// Characters of a rendered key.
pub const MAX_KEY_CHARS: usize = 200;

/// What a run's flow control came to when the run was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Where it queues: runs of one lane are let in by priority, then age; lanes of the same priority in turn.
    pub lane: String,
    /// The key that it shares, and how.
    pub key: Option<Key>,
    /// The window that it shares.
    pub rate: Option<Window>,
    /// 1..=9, 9 first.
    pub priority: u8,
}

/// A rendered [`Concurrency`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// 1..=200 characters.
    pub name: String,
    /// Runs at a time.
    pub limit: u32,
    /// What becomes of a run that finds it full.
    pub when_full: WhenFull,
}

/// A rendered [`Rate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// 1..=200 characters.
    pub name: String,
    /// Runs that may begin in any `per_ms`.
    pub count: u32,
    /// The window.
    pub per_ms: u64,
}

impl Limits {
    /// Renders a definition's flow control for a run. `flow` is `None` where only the workspace's quota limits it.
    ///
    /// # Errors
    /// The field and what was expected of it, for a template that gives no key or no priority.
    pub fn of(flow: Option<&Flow>, workflow: &str, run: RunId, inputs: &Value) -> Result<Self, FieldError> {
        let given = Given { workflow, run, inputs };
        let concurrency = flow.and_then(|flow| flow.concurrency.as_ref());
        let key = concurrency.map(|concurrency| {
            let name = render_key(&concurrency.key, &given, "/flow/concurrency/key")?;
            Ok::<_, FieldError>(Key { name, limit: concurrency.limit, when_full: concurrency.when_full })
        });
        let rate = flow.and_then(|flow| flow.rate.as_ref()).map(|rate| {
            let name = render_key(&rate.key, &given, "/flow/rate/key")?;
            Ok::<_, FieldError>(Window { name, count: rate.count, per_ms: rate.per_ms })
        });
        let (key, rate) = (key.transpose()?, rate.transpose()?);
        let lane = match (&key, &rate) {
            (Some(key), _) => format!("key:{}", key.name),
            (None, Some(rate)) => format!("rate:{}", rate.name),
            (None, None) => format!("workflow:{workflow}"),
        };
        let priority = flow.and_then(|flow| flow.priority.as_ref());
        let priority = priority.map_or(Ok(DEFAULT_PRIORITY), |priority| priority.level(&given))?;
        Ok(Self { lane, key, rate, priority })
    }
}

impl Priority {
    /// The number that it comes to.
    ///
    /// # Errors
    /// When the template fails or gives something else than 1 to 9.
    pub fn level(&self, scope: &dyn Scope) -> Result<u8, FieldError> {
        let refuse = |found: String| FieldError::new("/flow/priority", format!("expected 1 to 9, found {found}"));
        let value = match self {
            Self::Level(level) => Value::from(*level),
            Self::Template(template) => expression::render(&Value::String(template.clone()), scope)
                .map_err(|error| FieldError::new("/flow/priority", error.to_string()))?,
        };
        let level = value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
        let level = level.and_then(|level| u8::try_from(level).ok()).filter(|level| (1..=9).contains(level));
        level.ok_or_else(|| refuse(value.to_string()))
    }
}

/// The key that a template gives.
///
/// # Errors
/// When the template fails, or gives no text, number or truth of 1 to 200 characters.
pub fn render_key(template: &str, scope: &dyn Scope, at: &str) -> Result<String, FieldError> {
    let value = expression::render(&Value::String(template.to_owned()), scope)
        .map_err(|error| FieldError::new(at, error.to_string()))?;
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        other => {
            let kind = if other.is_null() { "null" } else { "a list or an object" };
            return Err(FieldError::new(at, format!("expected a text for a key, found {kind}")));
        }
    };
    let text = text.trim();
    let chars = text.chars().count();
    if chars == 0 || chars > MAX_KEY_CHARS || text.chars().any(char::is_control) {
        let message = format!("expected 1 to {MAX_KEY_CHARS} characters and no control characters, found {chars}");
        return Err(FieldError::new(at, message));
    }
    Ok(text.to_owned())
}

/// What is known of a run before it begins.
struct Given<'a> {
    workflow: &'a str,
    run: RunId,
    inputs: &'a Value,
}

impl Scope for Given<'_> {
    fn inputs(&self) -> &Value {
        self.inputs
    }

    fn step(&self, _id: &str) -> Option<StepScope<'_>> {
        None
    }

    fn step_ids(&self) -> Vec<String> {
        Vec::new()
    }

    fn run_id(&self) -> RunId {
        self.run
    }

    fn started_at(&self) -> Option<Timestamp> {
        None
    }

    fn workflow_name(&self) -> &str {
        self.workflow
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limits(flow: Value, inputs: &Value) -> Result<Limits, FieldError> {
        let flow: Flow = serde_json::from_value(flow).expect("fits");
        Limits::of(Some(&flow), "Invoices", RunId(uuid::Uuid::nil()), inputs)
    }

    #[test]
    fn a_key_comes_from_the_inputs() {
        let flow = json!({"concurrency": {"key": "{{ inputs.customer }}"}, "priority": "{{ inputs.level }}"});
        let found = limits(flow, &json!({"customer": 7, "level": 9})).expect("renders");
        assert_eq!(found.lane, "key:7");
        assert_eq!(found.key, Some(Key { name: "7".into(), limit: 1, when_full: WhenFull::Queue }));
        assert_eq!(found.priority, 9);
    }

    #[test]
    fn what_gives_no_key_is_refused_with_its_field() {
        let key = json!({"concurrency": {"key": "{{ inputs.customer }}"}});
        for inputs in [json!({"customer": ""}), json!({"customer": null}), json!({"customer": []}), json!({})] {
            assert_eq!(limits(key.clone(), &inputs).expect_err("refused").pointer, "/flow/concurrency/key");
        }
        let error = limits(json!({"priority": "{{ inputs.n }}"}), &json!({"n": 12})).expect_err("refused");
        assert_eq!((error.pointer.as_str(), error.message.as_str()), ("/flow/priority", "expected 1 to 9, found 12"));
    }

    #[test]
    fn runs_without_a_key_queue_by_rate_or_workflow() {
        let rate = json!({"rate": {"key": "mail", "count": 2, "per_ms": 1000}});
        assert_eq!(limits(rate, &json!({})).expect("renders").lane, "rate:mail");
        assert_eq!(limits(json!({}), &json!({})).expect("renders").lane, "workflow:Invoices");
    }

    #[test]
    fn a_priority_of_another_shape_is_refused_in_words() {
        let error = serde_json::from_value::<Flow>(json!({"priority": [1]})).expect_err("refused");
        assert_eq!(error.to_string(), "expected a whole number from 1 to 9 or a template");
    }
}

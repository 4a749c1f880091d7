//! `condition`: goes one way when an expression holds, the other way when not. Pure.

use serde_json::{Map, Value, json};

use super::Outcome;
use crate::model::workflow::StepError;
use crate::model::workflow::expression::{self, Scope};

/// Leaves by `true` or `false`, as `when` says.
pub fn choose(config: &Map<String, Value>, scope: &dyn Scope) -> Result<Outcome, StepError> {
    let when = config.get("when").and_then(Value::as_str).unwrap_or_default();
    let holds = expression::eval_bool(when, scope).map_err(|error| error.at("when"))?;
    Ok(Outcome::port(if holds { "true" } else { "false" }, json!({ "value": holds })))
}

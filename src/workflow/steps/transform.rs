//! `transform`: builds a value from what came before. Pure.

use serde_json::{Map, Value};

use super::Outcome;
use crate::model::workflow::StepError;
use crate::model::workflow::expression::{self, Scope};

/// Renders `value`.
pub fn build(config: &Map<String, Value>, scope: &dyn Scope) -> Result<Outcome, StepError> {
    let template = config.get("value").unwrap_or(&Value::Null);
    Ok(Outcome::out(expression::render(template, scope).map_err(|error| error.at("value"))?))
}

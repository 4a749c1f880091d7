//! `respond`: answers the webhook that started the run. Pure: whoever waits reads it from the history.

use serde_json::{Map, Value, json};

use super::Outcome;
use crate::model::workflow::StepError;
use crate::model::workflow::expression::{self, Scope};
use crate::model::workflow::kind::respond::{DEFAULT_STATUS, STATUSES, is_answerable};

/// Renders the answer, which is the step's output: `status`, `headers`, and `json` or `body`.
pub fn build(config: &Map<String, Value>, scope: &dyn Scope) -> Result<Outcome, StepError> {
    let config = expression::render_config(config, scope)?;
    let status = match config.get("status") {
        None | Some(Value::Null) => DEFAULT_STATUS,
        Some(value) => super::whole(value).unwrap_or(0),
    };
    if !STATUSES.contains(&status) {
        let message =
            format!("status: expected {} to {}, found {}", STATUSES.start(), STATUSES.end(), config["status"]);
        return Err(StepError::permanent("config", message));
    }
    let mut headers = Map::new();
    for (name, value) in config.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !is_answerable(name) || text.chars().any(char::is_control) {
            return Err(StepError::permanent("config", format!("headers/{name}: this header can't be answered with")));
        }
        headers.insert(name.to_lowercase(), json!(text));
    }
    let mut output = json!({"status": status, "headers": headers});
    for field in ["json", "body"] {
        if let Some(value) = config.get(field).filter(|value| !value.is_null()) {
            output[field] = value.clone();
        }
    }
    Ok(Outcome::out(output))
}

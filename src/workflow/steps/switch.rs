//! `switch`: leaves by the first case that holds, else by `default`. Pure.

use serde_json::{Map, Value, json};

use super::Outcome;
use crate::model::workflow::StepError;
use crate::model::workflow::expression::{self, Scope};

/// Asks the cases in their order; those after the first that holds are not evaluated.
pub fn choose(config: &Map<String, Value>, scope: &dyn Scope) -> Result<Outcome, StepError> {
    let cases = config.get("cases").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (index, case) in cases.iter().enumerate() {
        let when = case.get("when").and_then(Value::as_str).unwrap_or_default();
        let holds = expression::eval_bool(when, scope).map_err(|error| error.at(&format!("cases/{index}/when")))?;
        if holds {
            let port = case.get("port").and_then(Value::as_str).unwrap_or("default");
            return Ok(Outcome::port(port, json!({ "port": port })));
        }
    }
    Ok(Outcome::port("default", json!({ "port": "default" })))
}

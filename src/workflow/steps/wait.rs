//! `wait`: goes on after a time, or at a time. Journaled, so that it survives a restart and costs no task.

use serde_json::{Map, Value};

use crate::model::Timestamp;
use crate::model::workflow::StepError;

/// The longest wait: a year.
const MAX_MS: i64 = 31_536_000_000;

/// When a wait that begins at `now` is over. `config` is rendered; numbers may come as text, as templates yield them.
pub fn until(config: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, StepError> {
    let given = |name: &str| config.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""));
    match (given("ms"), given("until")) {
        (Some(ms), None) => {
            let ms = super::whole(ms).filter(|ms| (0..=MAX_MS).contains(ms)).ok_or_else(|| {
                StepError::permanent("config", format!("ms: expected a whole number from 0 to {MAX_MS}, found {ms}"))
            })?;
            Ok(now.plus_ms(ms))
        }
        (None, Some(until)) => until.as_str().and_then(Timestamp::parse).ok_or_else(|| {
            StepError::permanent(
                "config",
                format!("until: expected a time such as 2026-12-24T08:00:00Z, found {until}"),
            )
        }),
        _ => Err(StepError::permanent("config", "a wait needs either ms or until")),
    }
}

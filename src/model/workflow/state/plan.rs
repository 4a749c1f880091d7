//! How often a container's body runs: its rendered config, read.

use serde_json::Value;

use super::super::StepError;
use super::look::short;
use super::pages::Items;

/// The most bodies of one container in motion at once.
pub const MAX_CONCURRENCY: u32 = 1000;
/// Bodies in motion at once where a `map` says nothing.
pub const DEFAULT_CONCURRENCY: u32 = 10;
/// The most iterations of a `repeat`.
pub const MAX_ITERATIONS: u32 = 1_000_000;
/// Of a paged source, the most items whose results are kept in a list.
pub const MAX_LISTED: u32 = 100_000;

/// What a failed item does to its `map`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ItemErrors {
    /// The map fails at once; what is in motion is stopped.
    Fail,
    /// The error stands in the list in place of the item's output, for at most so many items in a hundred; more fail the
    /// map.
    Collect {
        /// 0.0..=100.0.
        percent: f64,
    },
}

/// How often a container's body runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// Once for each item.
    Map {
        /// At once, 1..=[`MAX_CONCURRENCY`].
        concurrency: u32,
        /// What a failure does.
        errors: ItemErrors,
        /// So many successes end the map, from 1; what is still in motion is stopped.
        enough: u32,
        /// Whether what each item gives is kept, or only counted.
        listed: bool,
    },
    /// Until a condition holds.
    Repeat {
        /// Iterations at most, 1..=[`MAX_ITERATIONS`].
        max: u32,
    },
    /// Once.
    Group,
}

impl Plan {
    /// Reads a container's rendered config.
    ///
    /// # Errors
    /// Class `config`: the field and what was expected.
    pub fn read(kind: &str, config: &Value) -> Result<Self, StepError> {
        let refuse = |field: &str, expected: &str| {
            let found = config.get(field).map_or_else(|| "nothing".to_owned(), |value| short(value, 80));
            Err(StepError::permanent("config", format!("{field}: expected {expected}, found {found}")))
        };
        let number = |field: &str| {
            let value = config.get(field).filter(|value| !value.is_null() && value.as_str() != Some(""))?;
            Some(value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).unwrap_or(f64::NAN))
        };
        let whole = |field: &str, default: u32, max: u32| match number(field) {
            None => Ok(default),
            Some(n) if n.fract() == 0.0 && (1.0..=f64::from(max)).contains(&n) => Ok(n as u32),
            Some(_) => Err(format!("a whole number from 1 to {max}")),
        };
        match kind {
            "map" => {
                if let Err((field, expected)) = Items::read(config) {
                    return refuse(field, expected);
                }
                let listed = match config.get("results").and_then(Value::as_str) {
                    None | Some("" | "list") => true,
                    Some("count") => false,
                    Some(_) => return refuse("results", "list or count"),
                };
                let Ok(concurrency) = whole("concurrency", DEFAULT_CONCURRENCY, MAX_CONCURRENCY) else {
                    return refuse("concurrency", &format!("a whole number from 1 to {MAX_CONCURRENCY}"));
                };
                let errors = match config.get("on_item_error").and_then(Value::as_str) {
                    None | Some("" | "fail") => ItemErrors::Fail,
                    Some("collect") => ItemErrors::Collect { percent: 100.0 },
                    Some("tolerate") => match number("tolerate_percent").unwrap_or(0.0) {
                        percent if (0.0..=100.0).contains(&percent) => ItemErrors::Collect { percent },
                        _ => return refuse("tolerate_percent", "a number from 0 to 100"),
                    },
                    Some(_) => return refuse("on_item_error", "fail, collect or tolerate"),
                };
                let Ok(enough) = whole("enough", u32::MAX, u32::MAX) else {
                    return refuse("enough", "a whole number from 1");
                };
                Ok(Self::Map { concurrency, errors, enough, listed })
            }
            "repeat" => match whole("max_iterations", 100, MAX_ITERATIONS) {
                Ok(max) => Ok(Self::Repeat { max }),
                Err(expected) => refuse("max_iterations", &expected),
            },
            _ => Ok(Self::Group),
        }
    }
}

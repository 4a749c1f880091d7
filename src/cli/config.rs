//! `weft config`: the settings and where each came from.

use serde_json::json;

use super::{Failure, Global, out};

pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let config = global.settings()?;
    for outcome in &config.outcomes {
        let (name, value, origin) = (outcome.setting.name, outcome.shown(), outcome.origin.to_string());
        let value = if value.is_empty() && !global.json { "-".to_owned() } else { value };
        if global.json {
            out::json(&json!({"name": name, "value": value, "origin": origin, "help": outcome.setting.help}));
        } else {
            out::line(format_args!("{name:<16} {value:<40} {origin}"));
        }
    }
    Ok(())
}

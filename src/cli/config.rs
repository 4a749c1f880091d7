//! `weft config`: the settings and where each came from.

use serde_json::json;

use super::{Failure, Global, out};

pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let config = global.settings()?;
    let shown = |value: String| if value.is_empty() && !global.json { "-".to_owned() } else { value };
    let rows = config.outcomes.iter().map(|outcome| (outcome, shown(outcome.shown()), outcome.origin.to_string()));
    let rows: Vec<_> = rows.collect();
    let names = rows.iter().map(|(outcome, ..)| outcome.setting.name.len()).max().unwrap_or_default();
    let values = rows.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or_default();
    for (outcome, value, origin) in rows {
        let name = outcome.setting.name;
        if global.json {
            out::json(&json!({"name": name, "value": value, "origin": origin, "help": outcome.setting.help}));
        } else {
            out::line(format_args!("{name:<names$}  {value:<values$}  {origin}"));
        }
    }
    Ok(())
}

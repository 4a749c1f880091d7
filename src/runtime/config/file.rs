//! The file of the settings, `weft.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Error, SETTINGS};

/// What it says, by the setting's name; nothing where there is none.
///
/// # Errors
/// It can't be read, is no TOML, or has a name or a value that is none of a setting.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, String>, Error> {
    let failed = |expected: &str, found: String| Error {
        name: "weft.toml".to_owned(),
        origin: path.display().to_string(),
        expected: expected.to_owned(),
        found,
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(failed("a readable file", error.to_string())),
    };
    let table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| failed("TOML", error.message().to_owned()))?;
    let mut values = BTreeMap::new();
    for (name, value) in table {
        if !SETTINGS.iter().any(|s| s.name == name) {
            return Err(failed("only the settings that `weft config` lists", name));
        }
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            other => return Err(failed("text or a whole number", format!("{name} = {other}"))),
        };
        values.insert(name, text);
    }
    Ok(values)
}

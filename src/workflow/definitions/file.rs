//! Definitions as files: JSON or YAML, the same tree.

use super::super::Error;
use crate::model::workflow::Definition;

/// Reads a definition from JSON or YAML text.
///
/// # Errors
/// [`Error::Invalid`] with the line and column, and what was expected.
pub fn parse(text: &str) -> Result<Definition, Error> {
    if text.len() > super::MAX_BYTES {
        return Err(Error::invalid("", format!("expected at most {} bytes, found {}", super::MAX_BYTES, text.len())));
    }
    let read = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else {
        serde_yaml_ng::from_str(text).map_err(|error| error.to_string())
    };
    read.map_err(|message: String| Error::invalid("", format!("this is no workflow definition: {message}")))
}

/// Writes a definition as YAML, for people and git.
pub fn to_yaml(definition: &Definition) -> String {
    serde_yaml_ng::to_string(definition).expect("our own types serialise")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_reads_back_as_it_was_written() {
        for template in super::super::templates::list() {
            assert_eq!(parse(&to_yaml(&template.definition)).expect("reads"), template.definition);
        }
    }

    #[test]
    fn an_unknown_field_is_refused_by_name_and_place() {
        let error = parse("weft: 1\nname: a\nstages: []\n").expect_err("refused").to_string();
        assert!(error.contains("stages") && error.contains("line 3"), "{error}");
    }
}

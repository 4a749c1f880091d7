//! What only the request's own dialect knows, on its way to a provider that speaks another.

use serde_json::Value;

use crate::model::gateway::{Dialect, Fault, Request};

/// Fields that change nothing about what the answer may be, by the dialect that they belong to.
const fn harmless(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Anthropic => &["context_management", "metadata", "service_tier", "thinking"],
        Dialect::OpenAi => &[
            "metadata",
            "prompt_cache_key",
            "prompt_cache_retention",
            "safety_identifier",
            "service_tier",
            "store",
            "user",
            "verbosity",
        ],
        Dialect::Responses => &[
            "client_metadata",
            "include",
            // Counts the tools that the provider performs, and those are refused by themselves.
            "max_tool_calls",
            "metadata",
            "prompt_cache_key",
            "prompt_cache_retention",
            "reasoning",
            "safety_identifier",
            "service_tier",
            "text",
            "user",
        ],
    }
}

/// Refuses the first field that would have to be left out. `known` are those that the provider has a word for, all the same.
///
/// # Errors
/// `untranslatable`, naming the field.
pub(super) fn refuse(request: &Request, known: &[&str], at: &str) -> Result<(), Fault> {
    let harmless = harmless(request.dialect);
    let foreign = |name: &&String| !harmless.contains(&name.as_str()) && !known.contains(&name.as_str());
    if let Some(name) = request.extra.keys().find(foreign) {
        return Err(Fault::untranslatable(format!("/{name}"), format!("this field has no counterpart {at}")));
    }
    let wanted = request.extra.get("include").and_then(Value::as_array).into_iter().flatten();
    match wanted.filter_map(Value::as_str).find(|word| *word != super::responses::SEALED) {
        Some(word) => Err(Fault::untranslatable("/include", format!("{word} has no counterpart {at}"))),
        None => Ok(()),
    }
}

/// The field by which the request's own dialect says what the answer must look like.
pub(super) const fn output_field(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Anthropic => "/output_config/format",
        Dialect::OpenAi => "/response_format",
        Dialect::Responses => "/text/format",
    }
}

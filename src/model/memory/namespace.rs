//! Namespaces: how much is in them, and what they are for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RetentionRule;

/// Characters of a description.
pub const MAX_DESCRIPTION_CHARS: usize = 500;
/// Namespaces of a workspace that somebody has described.
pub const MAX_DESCRIBED: i64 = 1_000;

/// Namespaces that agents' templates and most teams begin with, and what each is for. It is said of them until somebody says
/// something else.
pub const STANDARD_NAMESPACES: [(&str, &str); 6] = [
    ("sessions", "What was talked about and done in working conversations, one group a session."),
    ("workflows", "What runs have learned: results, summaries, and what the next run should know."),
    ("code", "How the code is built: modules, conventions, health, and where things stand."),
    ("decisions", "What was decided, when, why, and what was turned down."),
    ("performance", "Measurements: what took how long and cost how much, and under which conditions."),
    ("errors", "What went wrong, how it showed, its cause, and what helped."),
];

/// What a standard namespace is for; `None` of all others.
pub fn purpose(path: &str) -> Option<&'static str> {
    STANDARD_NAMESPACES.iter().find(|(standard, _)| *standard == path).map(|(_, purpose)| *purpose)
}

/// A namespace with how much is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Namespace {
    /// A `/`-path.
    pub path: String,
    /// Entries in it, not below it.
    pub entries: i64,
    /// What it is for: as somebody has described it, else the purpose of a standard namespace; absent of all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How long its entries are kept: its own rule, or that of the nearest namespace above it; absent where they are kept for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<RetentionRule>,
    /// Whether a rule keeps who asks from changing what is in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

/// What is said of a namespace. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamespaceDescription {
    /// At most 500 characters on one or more lines; empty takes the description away.
    pub description: String,
}

/// Whether a path is a namespace or lies below it; everything lies below the empty one. Pure.
pub fn is_within(path: &str, subtree: &str) -> bool {
    subtree.is_empty() || path.strip_prefix(subtree).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subtree_holds_itself_and_what_is_below_it_and_nothing_beside_it() {
        for (path, subtree, expected) in [
            ("code", "code", true),
            ("code/db", "code", true),
            ("codec", "code", false),
            ("code-x", "code", false),
            ("code", "code/db", false),
            ("anything", "", true),
        ] {
            assert_eq!(is_within(path, subtree), expected, "{path} in {subtree:?}");
        }
    }

    #[test]
    fn a_standard_namespace_says_what_it_is_for_in_one_description() {
        assert!(STANDARD_NAMESPACES.iter().all(|(_, purpose)| purpose.chars().count() <= MAX_DESCRIPTION_CHARS));
        assert!(purpose("decisions").is_some_and(|purpose| purpose.contains("decided")));
        assert_eq!(purpose("decisions/db"), None);
    }
}

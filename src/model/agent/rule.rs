//! What an agent may do by itself, what people are asked about first, and what it may never do.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{AgentTool, Effect};

/// What comes of a call of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// It is done.
    Allow,
    /// A person is asked first, and sees exactly what would be done.
    Ask,
    /// It is not done, and the model is told so.
    Deny,
}

impl Ruling {
    /// As on a form.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask a person",
            Self::Deny => "deny",
        }
    }
}

/// A rule about calls of tools.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Of which tool; absent: of all.
    #[serde(default)]
    pub tool: Option<AgentTool>,
    /// A text that one of the arguments must contain, `*` for anything in between; empty: whatever they are. At most 200
    /// characters.
    #[serde(default)]
    pub matching: String,
    /// Only once the agent has read what strangers may have written: a web page, a file, an entry of memory.
    #[serde(default)]
    pub after_untrusted: bool,
    /// What comes of it.
    pub ruling: Ruling,
}

impl Rule {
    fn fits(&self, tool: AgentTool, arguments: &Value, is_tainted: bool) -> bool {
        self.tool.is_none_or(|of| of == tool)
            && (!self.after_untrusted || is_tainted)
            && (self.matching.is_empty() || any_text(arguments, &|text| contains(text, &self.matching)))
    }
}

/// What was decided about a call, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruled {
    /// What comes of it.
    pub ruling: Ruling,
    /// The place of the rule in its list; `None` where none fits.
    pub rule: Option<usize>,
}

/// The first rule that fits decides; where none does, what acts outside is asked about, and the rest is done.
pub(super) fn decide(rules: &[Rule], tool: AgentTool, arguments: &Value, is_tainted: bool, effect: Effect) -> Ruled {
    match rules.iter().position(|rule| rule.fits(tool, arguments, is_tainted)) {
        Some(at) => Ruled { ruling: rules[at].ruling, rule: Some(at) },
        None => {
            let asks = effect == Effect::Acts;
            Ruled { ruling: if asks { Ruling::Ask } else { Ruling::Allow }, rule: None }
        }
    }
}

/// Whether a text, or a number as it is written, somewhere in a value is such.
fn any_text(value: &Value, is: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, is)),
        Value::Object(fields) => fields.iter().any(|(name, field)| is(name) || any_text(field, is)),
        Value::Null => false,
        other => is(&other.to_string()),
    }
}

/// Whether a text has the parts of a pattern in their order, whatever the case.
fn contains(text: &str, pattern: &str) -> bool {
    let text = text.to_lowercase();
    let mut rest = text.as_str();
    pattern.to_lowercase().split('*').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::agent::AgentSpec;

    fn rule(tool: Option<AgentTool>, matching: &str, after_untrusted: bool, ruling: Ruling) -> Rule {
        Rule { tool, matching: matching.to_owned(), after_untrusted, ruling }
    }

    #[test]
    fn without_a_rule_what_acts_outside_is_asked_about() {
        let spec = AgentSpec::new("You weave.");
        let ruling = |tool: AgentTool, arguments: Value| spec.decide(tool, &arguments, false);
        assert_eq!(ruling(AgentTool::Shell, json!({"script": "ls"})), Ruled { ruling: Ruling::Ask, rule: None });
        assert_eq!(ruling(AgentTool::HttpRequest, json!({"method": "DELETE"})).ruling, Ruling::Ask);
        assert_eq!(ruling(AgentTool::HttpRequest, json!({"method": "GET"})).ruling, Ruling::Allow);
        assert_eq!(ruling(AgentTool::MemoryWrite, json!({})).ruling, Ruling::Allow);
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rules = [
            rule(Some(AgentTool::Shell), "rm *-rf", false, Ruling::Deny),
            rule(Some(AgentTool::Shell), "", true, Ruling::Ask),
            rule(Some(AgentTool::Shell), "", false, Ruling::Allow),
            rule(None, "", true, Ruling::Deny),
        ];
        let spec = AgentSpec { rules: rules.to_vec(), ..AgentSpec::new("You weave.") };
        let ruled = |script: &str, is_tainted| spec.decide(AgentTool::Shell, &json!({"script": script}), is_tainted);
        assert_eq!(ruled("RM  x -rf", false), Ruled { ruling: Ruling::Deny, rule: Some(0) });
        assert_eq!(ruled("ls", true), Ruled { ruling: Ruling::Ask, rule: Some(1) });
        assert_eq!(ruled("ls", false), Ruled { ruling: Ruling::Allow, rule: Some(2) });
        let search = spec.decide(AgentTool::MemorySearch, &json!({"query": "x"}), true);
        assert_eq!(search, Ruled { ruling: Ruling::Deny, rule: Some(3) });
    }

    #[test]
    fn writing_into_a_folder_of_the_server_is_asked_about() {
        let own = AgentSpec::new("You weave.");
        let named = AgentSpec { folder: "/srv/loom".to_owned(), ..own.clone() };
        for (spec, ruling) in [(&own, Ruling::Allow), (&named, Ruling::Ask)] {
            assert_eq!(spec.decide(AgentTool::WriteFile, &json!({"path": "a"}), false).ruling, ruling);
            assert_eq!(spec.decide(AgentTool::EditFile, &json!({"path": "a"}), false).ruling, ruling);
            assert_eq!(spec.decide(AgentTool::ReadFile, &json!({"path": "a"}), false).ruling, Ruling::Allow);
        }
        assert_eq!(own.decide(AgentTool::PublishChanges, &json!({"message": "a"}), false).ruling, Ruling::Ask);
    }

    #[test]
    fn a_pattern_is_looked_for_in_names_lists_and_numbers_too() {
        let arguments = json!({"headers": {"X-Admin": "1"}, "list": [{"deep": 42}]});
        for (pattern, fits) in [("x-admin", true), ("42", true), ("43", false), ("x-*in", true), ("in*x-", false)] {
            assert_eq!(any_text(&arguments, &|text| contains(text, pattern)), fits, "{pattern}");
        }
    }
}

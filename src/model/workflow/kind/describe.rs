//! A kind as programs read it: the JSON Schema of its config, what holds when a field is absent, and an example.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::super::state::DEFAULT_CONCURRENCY;
use super::super::{DEFAULT_DECISIONS, Join, OnError, Step};
use super::{Group, Kind};
use crate::model::memory::Search;

/// A kind of step, for `GET /api/v1/step-kinds`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Description {
    /// As in a definition: `http`.
    pub name: &'static str,
    /// As on the palette: "HTTP request".
    pub title: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Where it stands on the palette.
    pub group: Group,
    /// The JSON Schema of `config`.
    pub config_schema: Value,
    /// The output ports; `switch` has one for each case besides.
    pub ports: Vec<&'static str>,
    /// Whether it only computes.
    pub pure_step: bool,
    /// What holds where a step says nothing.
    pub defaults: Defaults,
    /// A step of this kind that the checker accepts.
    pub example: Step,
}

/// What holds where a step says nothing.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Defaults {
    /// Of the config's fields; one that is absent here has no default.
    pub config: Value,
    /// The limit of one attempt; null means none.
    pub timeout_ms: Option<u64>,
    /// All tries together.
    pub max_attempts: u32,
    /// What the last failure does.
    pub on_error: OnError,
    /// Which of several inbound edges must be taken.
    pub join: Join,
}

impl Kind {
    /// The kind as programs read it.
    pub fn describe(&self) -> Description {
        let mut example =
            json!({"id": self.name, "kind": self.name, "name": self.title, "config": self.example_config()});
        if self.has_body() {
            let value = if self.name == "map" { "{{ item }}" } else { "{{ inputs.path }}" };
            example["body"] = json!({"steps": [{"id": "inside", "kind": "transform", "config": {"value": value}}]});
        }
        Description {
            name: self.name,
            title: self.title,
            summary: self.summary,
            group: self.group,
            config_schema: self.config_schema(),
            ports: self.ports.to_vec(),
            pure_step: self.pure_step,
            defaults: Defaults {
                config: self.default_config(),
                timeout_ms: Some(self.default_timeout_ms).filter(|ms| *ms > 0),
                max_attempts: 1,
                on_error: OnError::default(),
                join: Join::default(),
            },
            example: serde_json::from_value(example).expect("a test reads every example"),
        }
    }

    fn default_config(&self) -> Value {
        match self.name {
            "approval" => json!({"required": 1, "four_eyes": false, "approvers": [], "decisions": DEFAULT_DECISIONS}),
            "map" => json!({"concurrency": DEFAULT_CONCURRENCY, "on_item_error": "fail"}),
            "repeat" => json!({"max_iterations": 100}),
            "workflow" => json!({"inputs": {}, "detached": false}),
            "http" => json!({"method": "GET", "headers": {}, "query": {}, "expect_status": []}),
            "shell" => json!({"interpreter": "/bin/sh", "network": false, "env": {}, "ok_codes": [0]}),
            "prompt" | "classify" | "extract" => json!({"repairs": 2}),
            "summarize" => json!({"words": 150, "part_tokens": 24_000}),
            "analyze" => json!({"include": [], "exclude": []}),
            "respond" => json!({"status": super::respond::DEFAULT_STATUS, "headers": {}}),
            "memory_search" => json!({"namespace": "", "limit": Search::text("").limit}),
            "memory_write" => json!({"tags": [], "metadata": {}, "importance": 0.5}),
            _ => json!({}),
        }
    }

    fn example_config(&self) -> Value {
        match self.name {
            "condition" => json!({"when": "inputs.score >= 0.8"}),
            "switch" => {
                json!({"cases": [{"port": "good", "when": "inputs.score >= 0.8"}, {"port": "fair", "when": "inputs.score >= 0.5"}]})
            }
            "wait" => json!({"ms": 60_000}),
            "approval" => json!({"title": "Publish {{ inputs.path }}?", "required": 2, "four_eyes": true}),
            "event" => json!({"key": "payment/{{ inputs.path }}", "deadline_ms": 86_400_000}),
            "map" => json!({"items": "{{ inputs.files }}", "concurrency": 4}),
            "repeat" => json!({"until": "last.done", "max_iterations": 10}),
            "workflow" => json!({"workflow": "Repository health check", "inputs": {"path": "{{ inputs.path }}"}}),
            "http" => {
                json!({"method": "GET", "url": "https://example.com/api", "headers": {"accept": "application/json"}})
            }
            "shell" => {
                json!({"argv": ["git", "log", "-1", "--format=%H"], "cwd": "{{ inputs.path }}", "limits": {"time_ms": 60_000}})
            }
            "analyze" => json!({"path": "{{ inputs.path }}", "exclude": ["vendor/"]}),
            "prompt" => json!({"prompt": "Is {{ inputs.question }} about money?", "schema": {
                "type": "object", "required": ["money"], "properties": {"money": {"type": "boolean"}},
            }}),
            "classify" => json!({"text": "{{ inputs.question }}", "labels": [
                "billing: money, invoices, refunds", "bug: something does not work", "praise",
            ]}),
            "extract" => json!({"text": "{{ inputs.question }}", "schema": {"type": "object", "required": ["company"],
                "properties": {"company": {"type": "string"}, "amount": {"type": ["number", "null"]}},
            }}),
            "summarize" => json!({"text": "{{ inputs.question }}", "words": 50}),
            "agent" => json!({"agent": "researcher", "prompt": "Find out what {{ inputs.question }} is about."}),
            "transform" => json!({"value": {"title": "Report on {{ inputs.path }}"}}),
            "respond" => json!({"status": 200, "json": {"received": "{{ inputs.path }}"}}),
            "memory_search" => json!({"query": "{{ inputs.question }}", "namespace": "code", "limit": 5}),
            "memory_write" => {
                json!({"namespace": "code/health", "key": "{{ inputs.path }}", "content": "All is well.", "tags": ["health"]})
            }
            _ => json!({}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::KINDS;
    use super::*;
    use crate::model::workflow::Definition;
    use crate::model::workflow::check::check;

    #[test]
    fn every_example_is_free_of_problems_and_fits_the_schema_beside_it() {
        let inputs = json!({"type": "object", "properties": {"path": {}, "score": {}, "question": {}, "files": {}}});
        for kind in KINDS {
            let described = kind.describe();
            let definition =
                Definition { inputs: inputs.clone(), steps: vec![described.example], ..Definition::empty("example") };
            assert_eq!(check(&definition), [], "{}", kind.name);
        }
    }

    #[test]
    fn every_default_is_a_field_of_its_kind() {
        for kind in KINDS {
            for name in kind.default_config().as_object().expect("an object").keys() {
                assert!(kind.fields.iter().any(|field| field.name == name), "{} {name}", kind.name);
            }
        }
    }
}

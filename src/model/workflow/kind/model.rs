//! The kinds that put a model to one narrow task: their forms, and what of their config the checker and the step both read.

use serde_json::{Map, Value};

use super::{Field, Group, Kind, Shape, field};
use crate::model::gateway::{LEAST_WINDOW, MOST_RECENT, MOST_WINDOW};
use crate::model::workflow::Edge;

const TEXT: Shape = Shape::Template { lines: 1 };
const LONG_TEXT: Shape = Shape::Template { lines: 6 };

/// The port, and the label, of a text that no label fits.
pub const OTHER: &str = "other";
/// Labels of one step at most.
pub const MAX_LABELS: usize = 50;

const ROUTE: Field = field("route", "Route", TEXT)
    .hint("Empty, as the model: the route called default, else the first model of the oldest provider.")
    .placeholder("default");
const MODEL: Field = field("model", "Model", TEXT).hint("In place of a route: a model, or provider/model.");
const REPAIRS: Field = field("repairs", "Times it is asked again", Shape::Integer { min: 0, max: 5 })
    .hint("For an answer that does not fit.")
    .placeholder("2");
const TEMPERATURE: Field = field("temperature", "Temperature", Shape::Number { min: 0.0, max: 2.0 })
    .hint("0 is always the likeliest. Empty: as the provider has it; some models take no other.");
const MAX_TOKENS: Field = field("max_tokens", "Tokens at most", Shape::Integer { min: 1, max: 1_000_000 })
    .hint("Of one answer, thoughts included.");
/// As `context` of a route and of an agent.
pub(super) const CONTEXT: Field = field(
    "context",
    "When it gets too long",
    Shape::Fields {
        fields: &[
            field("when_full", "What is done", Shape::Choice { options: &["refuse", "prune", "summarize"] })
                .hint("refuse: nothing is sent. prune: old results of tools are left out, then old turns. summarize: the same, and a model summarizes the turns that go."),
            field("window", "Too long from, in tokens", Shape::Integer { min: LEAST_WINDOW as i64, max: MOST_WINDOW as i64 })
                .hint("With the answer, by an estimate. Never more than its route, or its agent, allows.")
                .placeholder("100000"),
            field("keep_recent", "Newest messages that stay", Shape::Integer { min: 1, max: MOST_RECENT as i64 })
                .placeholder("6"),
            field("summary_route", "Who summarizes", TEXT)
                .hint("A route, a model, or provider/model. Empty: who is asked anyway."),
        ],
    },
)
.hint("Empty: as its route, or its agent, has it.")
.rare();
/// How long a call of a model may take.
const TIMEOUT_MS: u64 = 600_000;

pub(super) const CLASSIFY: Kind = Kind {
    name: "classify",
    title: "Classify",
    summary: "Has a model put a text under one of your labels, and leaves by the port of that label.",
    group: Group::Work,
    icon: "tag",
    fields: &[
        field("text", "Text", LONG_TEXT).required().placeholder("{{ inputs.text }}"),
        field("labels", "Labels", Shape::TextList)
            .required()
            .hint("One a line: a name, or a name, a colon and what belongs there. Each is a port."),
        field("instructions", "What to look at", LONG_TEXT).hint("What decides between the labels."),
        ROUTE,
        MODEL,
        REPAIRS,
        TEMPERATURE,
        MAX_TOKENS,
    ],
    ports: &[OTHER, Edge::ERROR],
    pure_step: false,
    default_timeout_ms: TIMEOUT_MS,
};

pub(super) const EXTRACT: Kind = Kind {
    name: "extract",
    title: "Extract",
    summary: "Has a model read a text and give back what it says, in the shape that you want.",
    group: Group::Work,
    icon: "table",
    fields: &[
        field("text", "Text", LONG_TEXT).required().placeholder("{{ inputs.text }}"),
        field("schema", "Shape", Shape::Json)
            .required()
            .hint("A JSON Schema; the descriptions of its fields tell the model what to look for."),
        field("instructions", "What to look at", LONG_TEXT).hint("What the schema does not say."),
        ROUTE,
        MODEL,
        REPAIRS,
        TEMPERATURE,
        MAX_TOKENS,
    ],
    ports: &[Edge::OUT, Edge::ERROR],
    pure_step: false,
    default_timeout_ms: TIMEOUT_MS,
};

pub(super) const SUMMARIZE: Kind = Kind {
    name: "summarize",
    title: "Summarize",
    summary: "Has a model say a text in fewer words; a long one part by part, and then the parts together.",
    group: Group::Work,
    icon: "list",
    fields: &[
        field("text", "Text", LONG_TEXT).required().placeholder("{{ inputs.text }}"),
        field("instructions", "What matters", LONG_TEXT).hint("For whom the summary is, and what must be in it."),
        field("words", "Words", Shape::Integer { min: 5, max: 5_000 }).hint("About so many.").placeholder("150"),
        field("part_tokens", "Tokens of one part", Shape::Integer { min: 200, max: 1_000_000 })
            .hint("A text that is longer, by an estimate, is read in parts of this length.")
            .placeholder("24000"),
        ROUTE,
        MODEL,
        TEMPERATURE,
        MAX_TOKENS,
    ],
    ports: &[Edge::OUT, Edge::ERROR],
    pure_step: false,
    default_timeout_ms: 1_800_000,
};

pub(super) const AGENT: Kind = Kind {
    name: "agent",
    title: "Agent",
    summary: "Gives an agent a task: it works with its tools, within its rules and limits, until it has an answer.",
    group: Group::Work,
    icon: "agent",
    fields: &[
        field("agent", "Agent", TEXT).required().hint("Its name.").placeholder("researcher"),
        field("prompt", "Task", LONG_TEXT).required().placeholder("Find out what {{ inputs.company }} makes."),
        field("schema", "Answer as JSON", Shape::Json)
            .hint("A JSON Schema. The answer is checked against it, and asked for again where it does not fit."),
        field("variables", "Variables of its persona", Shape::TextMap)
            .rare()
            .hint("By name. Those that are left out are as the agent has them."),
        field("version", "Version of the agent", Shape::Integer { min: 1, max: 1_000_000_000 })
            .rare()
            .hint("Empty: as the agent is when the step begins. One of the newest 100."),
        field("trial", "A trial", Shape::Bool)
            .rare()
            .hint("Nothing is done that outlasts the step but in its own folder, and nobody is asked: such calls are refused."),
        CONTEXT,
    ],
    ports: &[Edge::OUT, Edge::ERROR],
    pure_step: false,
    default_timeout_ms: TIMEOUT_MS,
};

/// A label of a `classify` step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label<'a> {
    /// Its name, and that of its port.
    pub name: &'a str,
    /// What belongs there; may be empty.
    pub meaning: &'a str,
}

/// The labels of a config, in order.
pub fn labels(config: &Map<String, Value>) -> impl Iterator<Item = Label<'_>> {
    let lines = config.get("labels").and_then(Value::as_array).into_iter().flatten();
    lines.filter_map(Value::as_str).map(label)
}

/// Reads `name` or `name: what belongs there`.
pub fn label(line: &str) -> Label<'_> {
    let (name, meaning) = line.split_once(':').unwrap_or((line, ""));
    Label { name: name.trim(), meaning: meaning.trim() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_name_and_what_belongs_there() {
        assert_eq!(label("bug"), Label { name: "bug", meaning: "" });
        assert_eq!(label(" bug : it fails: at all "), Label { name: "bug", meaning: "it fails: at all" });
    }
}

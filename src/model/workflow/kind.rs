//! The kinds of steps: one table, from which come the checker's rules, the designer's forms and the JSON Schemas.

mod describe;
pub mod respond;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::Edge;
pub use describe::{Defaults, Description};

/// A kind of step, described for people and machines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kind {
    /// As in a definition: `http`.
    pub name: &'static str,
    /// As on the palette: "HTTP request".
    pub title: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Where it stands on the palette.
    pub group: Group,
    /// A symbol of the icon sprite, without the `i-`.
    pub icon: &'static str,
    /// The fields of `config`, in the order of the form.
    pub fields: &'static [Field],
    /// The output ports; `switch` adds one for each case. `error` is listed where a step may fail.
    pub ports: &'static [&'static str],
    /// Whether it only computes: no effect outside, nothing to wait for, no random or clock.
    pub pure_step: bool,
    /// The limit of one attempt where a step sets none, in milliseconds; 0 means none.
    pub default_timeout_ms: u64,
}

/// A group of the palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Decides what comes next.
    Flow,
    /// Does something.
    Work,
    /// Reads and writes what agents remember.
    Memory,
}

impl Group {
    /// As on the palette.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Flow => "Flow",
            Self::Work => "Work",
            Self::Memory => "Memory",
        }
    }
}

/// A field of a kind's config.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// As on the form.
    pub label: &'static str,
    /// One sentence under the field.
    pub hint: &'static str,
    /// What fits.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// An example or the default, as placeholder.
    pub placeholder: &'static str,
}

/// What fits a field.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Shape {
    /// Text with templates; `lines` rows on the form.
    Template { lines: u8 },
    /// A bare expression.
    Expression,
    /// A whole number in the range, or a template that yields one.
    Integer { min: i64, max: i64 },
    /// A number in the range, or a template that yields one.
    Number { min: f64, max: f64 },
    /// Yes or no.
    Bool,
    /// One of these words.
    Choice { options: &'static [&'static str] },
    /// Any JSON with templates.
    Json,
    /// An object from text to templated text, such as headers.
    TextMap,
    /// A list of templated texts, such as an argv.
    TextList,
    /// A list of whole numbers.
    IntegerList,
    /// `switch`'s list of `{port, when}`.
    Cases,
    /// `shell`'s limits: an object of whole numbers with these keys.
    Limits { keys: &'static [&'static str] },
}

const fn field(name: &'static str, label: &'static str, shape: Shape) -> Field {
    Field { name, label, hint: "", shape, required: false, placeholder: "" }
}

impl Field {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    const fn placeholder(mut self, placeholder: &'static str) -> Self {
        self.placeholder = placeholder;
        self
    }
}

const TEXT: Shape = Shape::Template { lines: 1 };
const LONG_TEXT: Shape = Shape::Template { lines: 6 };
const OUT: &[&str] = &[Edge::OUT];
const OUT_ERROR: &[&str] = &[Edge::OUT, Edge::ERROR];

/// Every kind that this program can run.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "condition",
        title: "Condition",
        summary: "Goes one way when an expression holds, the other way when not.",
        group: Group::Flow,
        icon: "condition",
        fields: &[field("when", "When", Shape::Expression)
            .required()
            .placeholder("steps.scan.output.syntax_errors > 0")],
        ports: &["true", "false"],
        pure_step: true,
        default_timeout_ms: 0,
    },
    Kind {
        name: "switch",
        title: "Switch",
        summary: "Leaves by the first case that holds.",
        group: Group::Flow,
        icon: "switch",
        fields: &[field("cases", "Cases", Shape::Cases)
            .required()
            .hint("The first case that holds is taken, else the port default.")],
        ports: &["default"],
        pure_step: true,
        default_timeout_ms: 0,
    },
    Kind {
        name: "wait",
        title: "Wait",
        summary: "Goes on after a time, or at a time. Costs nothing while it waits.",
        group: Group::Flow,
        icon: "wait",
        fields: &[
            field("ms", "For", Shape::Integer { min: 0, max: 31_536_000_000 })
                .hint("Milliseconds, at most a year.")
                .placeholder("60000"),
            field("until", "Until", TEXT)
                .hint("A time in RFC 3339, in place of a duration.")
                .placeholder("2026-12-24T08:00:00Z"),
        ],
        ports: OUT,
        pure_step: false,
        default_timeout_ms: 0,
    },
    Kind {
        name: "http",
        title: "HTTP request",
        summary: "Calls a web address and reads the answer.",
        group: Group::Work,
        icon: "http",
        fields: &[
            field("method", "Method", Shape::Choice { options: &["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] })
                .placeholder("GET"),
            field("url", "Address", TEXT).required().placeholder("https://example.com/api"),
            field("query", "Query", Shape::TextMap),
            field("headers", "Headers", Shape::TextMap),
            field("json", "JSON body", Shape::Json),
            field("body", "Text body", LONG_TEXT).hint("In place of a JSON body."),
            field("expect_status", "Expected status", Shape::IntegerList)
                .hint("Any other status fails the step. Empty: 200 to 299."),
        ],
        ports: OUT_ERROR,
        pure_step: false,
        default_timeout_ms: 30_000,
    },
    Kind {
        name: "shell",
        title: "Shell",
        summary: "Runs a command or a script in a sandbox.",
        group: Group::Work,
        icon: "shell",
        fields: &[
            field("argv", "Command", Shape::TextList)
                .hint("The program and its arguments, one a line. No shell reads them."),
            field("script", "Script", LONG_TEXT).hint("In place of a command."),
            field("interpreter", "Interpreter", TEXT).hint("What runs the script.").placeholder("/bin/sh"),
            field("stdin", "Standard input", LONG_TEXT),
            field("env", "Environment", Shape::TextMap),
            field("cwd", "Working directory", TEXT)
                .hint("The only place where it may write. Empty: a fresh one for this run."),
            field("network", "May use the network", Shape::Bool),
            field(
                "limits",
                "Limits",
                Shape::Limits { keys: &["cpu_ms", "memory_mb", "processes", "file_mb", "time_ms"] },
            ),
            field("ok_codes", "Good exit codes", Shape::IntegerList).hint("Any other fails the step. Empty: 0."),
        ],
        ports: OUT_ERROR,
        pure_step: false,
        default_timeout_ms: 600_000,
    },
    Kind {
        name: "analyze",
        title: "Analyze code",
        summary: "Measures the code of a directory: languages, complexity, duplicates, risks, tests.",
        group: Group::Work,
        icon: "analyze",
        fields: &[
            field("path", "Directory", TEXT)
                .required()
                .hint("A directory on the server.")
                .placeholder("{{ inputs.path }}"),
            field("include", "Only", Shape::TextList).hint("Globs; empty means everything that git doesn't ignore."),
            field("exclude", "Without", Shape::TextList).hint("Globs."),
        ],
        ports: OUT_ERROR,
        pure_step: false,
        default_timeout_ms: 600_000,
    },
    Kind {
        name: "transform",
        title: "Transform",
        summary: "Builds a value from what came before.",
        group: Group::Work,
        icon: "transform",
        fields: &[field("value", "Value", Shape::Json)
            .required()
            .hint("JSON with templates. A text that is exactly one {{ … }} keeps the type of its value.")],
        ports: OUT_ERROR,
        pure_step: true,
        default_timeout_ms: 0,
    },
    Kind {
        name: "respond",
        title: "Respond",
        summary: "Answers the call of the webhook that started the run, if its caller waits.",
        group: Group::Work,
        icon: "enter",
        fields: &[
            field(
                "status",
                "Status",
                Shape::Integer { min: *respond::STATUSES.start(), max: *respond::STATUSES.end() },
            )
            .placeholder("200"),
            field("headers", "Headers", Shape::TextMap)
                .hint("Such as content-type, location, or names that begin with x-."),
            field("json", "JSON body", Shape::Json),
            field("body", "Text body", LONG_TEXT).hint("In place of a JSON body."),
        ],
        ports: OUT_ERROR,
        pure_step: true,
        default_timeout_ms: 0,
    },
    Kind {
        name: "memory_search",
        title: "Search memory",
        summary: "Finds entries by their words.",
        group: Group::Memory,
        icon: "memory-search",
        fields: &[
            field("query", "Query", TEXT).required(),
            field("namespace", "Namespace", TEXT)
                .hint("This namespace and all below it. Empty: everything.")
                .placeholder("code"),
            field("limit", "At most", Shape::Integer { min: 1, max: 100 }).placeholder("10"),
        ],
        ports: &[Edge::OUT, "empty"],
        pure_step: false,
        default_timeout_ms: 30_000,
    },
    Kind {
        name: "memory_write",
        title: "Write memory",
        summary: "Keeps a piece of knowledge under a key.",
        group: Group::Memory,
        icon: "memory-write",
        fields: &[
            field("namespace", "Namespace", TEXT).required().placeholder("code/health"),
            field("key", "Key", TEXT).required(),
            field("content", "Content", LONG_TEXT).required().hint("Text or Markdown."),
            field("value", "Value", Shape::Json).hint("Structured data beside the text."),
            field("tags", "Tags", Shape::TextList),
            field("metadata", "Metadata", Shape::Json),
            field("importance", "Importance", Shape::Number { min: 0.0, max: 1.0 }).placeholder("0.5"),
            field("expires_in_ms", "Expires after", Shape::Integer { min: 1, max: 315_360_000_000 })
                .hint("Milliseconds."),
        ],
        ports: OUT_ERROR,
        pure_step: false,
        default_timeout_ms: 30_000,
    },
];

impl Kind {
    /// The kind with this name, if this program can run it.
    pub fn find(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// The JSON Schema of the config.
    pub fn config_schema(&self) -> Value {
        let properties: Map<String, Value> = self.fields.iter().map(|f| (f.name.to_owned(), f.schema())).collect();
        let required: Vec<&str> = self.fields.iter().filter(|f| f.required).map(|f| f.name).collect();
        json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
    }

    /// Output ports of a step of this kind: `switch` has one for each case before `default`.
    pub fn ports_of(&self, config: &Map<String, Value>) -> Vec<String> {
        let cases = config.get("cases").and_then(Value::as_array).filter(|_| self.name == "switch");
        let own = cases.into_iter().flatten().filter_map(|case| Some(case.get("port")?.as_str()?.to_owned()));
        own.chain(self.ports.iter().map(|&port| port.to_owned())).collect()
    }
}

impl Field {
    fn schema(&self) -> Value {
        let mut schema = match &self.shape {
            Shape::Template { .. } | Shape::Expression => json!({"type": "string"}),
            Shape::Integer { min, max } => {
                json!({"anyOf": [{"type": "integer", "minimum": min, "maximum": max}, {"type": "string"}]})
            }
            Shape::Number { min, max } => {
                json!({"anyOf": [{"type": "number", "minimum": min, "maximum": max}, {"type": "string"}]})
            }
            Shape::Bool => json!({"type": "boolean"}),
            Shape::Choice { options } => json!({"enum": options}),
            Shape::Json => json!({}),
            Shape::TextMap => json!({"type": "object", "additionalProperties": {"type": "string"}}),
            Shape::TextList => json!({"type": "array", "items": {"type": "string"}}),
            Shape::IntegerList => json!({"type": "array", "items": {"type": "integer"}}),
            Shape::Cases => json!({"type": "array", "items": {
                "type": "object", "additionalProperties": false, "required": ["port", "when"],
                "properties": {"port": {"type": "string"}, "when": {"type": "string"}}}}),
            Shape::Limits { keys } => {
                let properties: Map<String, Value> =
                    keys.iter().map(|&key| (key.to_owned(), json!({"type": "integer", "minimum": 1}))).collect();
                json!({"type": "object", "additionalProperties": false, "properties": properties})
            }
        };
        schema["title"] = json!(self.label);
        if !self.hint.is_empty() {
            schema["description"] = json!(self.hint);
        }
        schema
    }
}

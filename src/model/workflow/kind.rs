//! The kinds of steps: one table, from which come the checker's rules, the designer's forms and the JSON Schemas.

mod describe;
pub mod model;
mod output;
pub mod respond;
mod table;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::DEFAULT_DECISIONS;
pub use describe::{Defaults, Description};
pub use table::KINDS;

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
    /// Runs a graph of its own: a body.
    Container,
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
            Self::Container => "Containers",
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
    /// Whether it is seldom set: the form shows it on request.
    #[serde(skip)]
    pub rare: bool,
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
    /// A length of time in ms: a whole number in the range, or a template that yields one.
    Time { min: i64, max: i64 },
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
    /// An object of these.
    Fields { fields: &'static [Field] },
}

const fn field(name: &'static str, label: &'static str, shape: Shape) -> Field {
    Field { name, label, hint: "", shape, required: false, placeholder: "", rare: false }
}

impl Field {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn rare(mut self) -> Self {
        self.rare = true;
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

impl Kind {
    /// The kind with this name, if this program can run it.
    pub fn find(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// Whether steps of this kind have a body.
    pub fn has_body(&self) -> bool {
        matches!(self.name, "map" | "repeat" | "group")
    }

    /// Whether steps of this kind do their work piece by piece, and go on from what stands in the history.
    pub fn keeps_journal(&self) -> bool {
        self.name == "agent"
    }

    /// Whether steps of this kind call models.
    pub fn calls_models(&self) -> bool {
        self.name == "agent" || self.fields.iter().any(|field| field.name == "model")
    }

    /// Whether steps of this kind may start runs and wait for them.
    pub fn starts_runs(&self) -> bool {
        matches!(self.name, "workflow" | "agent")
    }

    /// The JSON Schema of the config.
    pub fn config_schema(&self) -> Value {
        let properties: Map<String, Value> = self.fields.iter().map(|f| (f.name.to_owned(), f.schema())).collect();
        let required: Vec<&str> = self.fields.iter().filter(|f| f.required).map(|f| f.name).collect();
        json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
    }

    /// Output ports of a step of this kind: `switch` has one for each case before `default`, `approval` one for each
    /// decision, `classify` one for each label before `other`.
    pub fn ports_of(&self, config: &Map<String, Value>) -> Vec<String> {
        let list = |name: &str| config.get(name).and_then(Value::as_array).into_iter().flatten();
        let own: Vec<String> = match self.name {
            "switch" => list("cases").filter_map(|case| Some(case.get("port")?.as_str()?.to_owned())).collect(),
            "approval" => {
                let named: Vec<String> = list("decisions").filter_map(|word| Some(word.as_str()?.to_owned())).collect();
                if named.is_empty() { DEFAULT_DECISIONS.map(str::to_owned).to_vec() } else { named }
            }
            "classify" => model::labels(config).map(|label| label.name.to_owned()).collect(),
            _ => Vec::new(),
        };
        own.into_iter().chain(self.ports.iter().map(|&port| port.to_owned())).collect()
    }
}

impl Field {
    fn schema(&self) -> Value {
        let mut schema = match &self.shape {
            Shape::Template { .. } | Shape::Expression => json!({"type": "string"}),
            Shape::Integer { min, max } | Shape::Time { min, max } => {
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
            Shape::Fields { fields } => {
                let properties: Map<String, Value> =
                    fields.iter().map(|field| (field.name.to_owned(), field.schema())).collect();
                json!({"type": "object", "additionalProperties": false, "properties": properties})
            }
        };
        schema["title"] = json!(self.label);
        let unit = if matches!(self.shape, Shape::Time { .. }) { "In milliseconds. " } else { "" };
        let described = format!("{unit}{}", self.hint);
        if !described.is_empty() {
            schema["description"] = json!(described.trim_end());
        }
        schema
    }
}

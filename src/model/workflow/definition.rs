//! The definition of a workflow, version 1: what `contract.md` section 5 shows, as types.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A graph of steps. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The format's version: 1.
    pub weft: u32,
    /// 1..=120 characters.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// A JSON Schema of the inputs; its root is an object.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub inputs: Value,
    /// The nodes, in any order.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What follows what.
    #[serde(default)]
    pub edges: Vec<Edge>,
    /// The run's output: any JSON with templates.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub output: Value,
}

impl Definition {
    /// The format that this program reads and writes.
    pub const FORMAT: u32 = 1;

    /// An empty graph.
    pub fn empty(name: &str) -> Self {
        Self {
            weft: Self::FORMAT,
            name: name.to_owned(),
            description: String::new(),
            inputs: Value::Null,
            steps: Vec::new(),
            edges: Vec::new(),
            output: Value::Null,
        }
    }

    /// The step with this id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }
}

/// A node of the graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Unique in the definition: a letter or `_`, then letters, digits and `_`, at most 64.
    pub id: String,
    /// What it does, such as `http`; see [`super::kind`].
    pub kind: String,
    /// What people read on the canvas; the id when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The kind's own settings.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub config: Map<String, Value>,
    /// How often and how patiently to try again. Absent: one attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// The limit of one attempt, 1..=604_800_000. Absent: the kind's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// What the last failure does.
    #[serde(default, skip_serializing_if = "OnError::is_default")]
    pub on_error: OnError,
    /// The output in place of the failed one, when `on_error` is `continue`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub default: Value,
    /// When several edges lead here, which of them must have been taken.
    #[serde(default, skip_serializing_if = "Join::is_default")]
    pub join: Join,
    /// With `join: any`: whether the branches that lost are cancelled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel_others: bool,
    /// A disabled step is passed over: its inbound edges continue to what follows, with a null output.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// An output that stands in for the work: the step ends with it at once, and nothing is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Value>,
    /// The port that a pinned step leaves by. Absent: what the output of a `condition` or `switch` says, else the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_port: Option<String>,
    /// Where it stands on the canvas.
    #[serde(default)]
    pub position: Position,
}

impl Step {
    /// What people read.
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }

    /// The port and the output of a pinned step; `None` for one that works.
    pub fn pinned_outcome(&self) -> Option<(String, &Value)> {
        let output = self.pinned.as_ref()?;
        let port = self.pinned_port.clone().unwrap_or_else(|| port_of(&self.kind, output));
        Some((port, output))
    }
}

/// The port that an output of this kind leaves by, where nobody chose one.
pub fn port_of(kind: &str, output: &Value) -> String {
    match kind {
        "condition" => if output.get("value") == Some(&Value::Bool(true)) { "true" } else { "false" }.to_owned(),
        "switch" => output.get("port").and_then(Value::as_str).unwrap_or("default").to_owned(),
        kind => {
            super::kind::Kind::find(kind).and_then(|kind| kind.ports.first()).map_or(Edge::OUT, |port| port).to_owned()
        }
    }
}

/// Canvas coordinates of a node's top left corner, in CSS pixels at zoom 1; y runs down.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// How often and how patiently a step is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// All tries together, 1..=100.
    pub max_attempts: u32,
    /// The wait before the second attempt, 0..=86_400_000.
    pub initial_ms: u64,
    /// What each further wait is multiplied by, 1.0..=10.0.
    pub factor: f64,
    /// The longest wait.
    pub max_ms: u64,
    /// Whether each wait is drawn from half to the whole of it, so that many runs don't return at once.
    pub jitter: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self { max_attempts: 3, initial_ms: 500, factor: 2.0, max_ms: 30_000, jitter: true }
    }
}

/// What the last failure of a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The run fails.
    #[default]
    Fail,
    /// The step counts as succeeded with its `default` as output.
    Continue,
    /// The edges at the port `error` are taken; the error is in `steps.ID.error`.
    Port,
}

impl OnError {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Which of several inbound edges must be taken before a step starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// Waits until each is settled; starts if at least one was taken.
    #[default]
    All,
    /// Starts with the first that is taken.
    Any,
}

impl Join {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What follows what: from a step's output port to a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// The id of the step that it leaves.
    pub from: String,
    /// The output port that it leaves; `out` when absent.
    #[serde(default = "Edge::default_port", skip_serializing_if = "Edge::is_default_port")]
    pub port: String,
    /// The id of the step that it enters.
    pub to: String,
    /// An expression; when false the edge is skipped although its port was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

impl Edge {
    /// The port of kinds that have just one.
    pub const OUT: &'static str = "out";
    /// The port that `on_error: port` opens.
    pub const ERROR: &'static str = "error";

    fn default_port() -> String {
        Self::OUT.to_owned()
    }

    fn is_default_port(port: &str) -> bool {
        port == Self::OUT
    }
}

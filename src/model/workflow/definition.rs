//! The definition of a workflow, version 1: what `contract.md` section 5 shows, as types.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::super::agent::Team;
use super::compensation::{Compensation, CompensationPolicy};
use super::flow::{Flow, StepConcurrency};
use super::join::Join;

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
    /// What limits its runs: keys, priority, rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<Flow>,
    /// When a run undoes what it did. Absent: when it fails and when it is cancelled, if its steps say how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensation: Option<CompensationPolicy>,
    /// The name or the id of the workflow that is started when a run fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
    /// Who may write to whom among the agents that work under its runs; absent: all to all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Team>,
    /// Days that its ended runs are kept, 1..=3650. Absent: as the workspace or the server has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
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
            flow: None,
            compensation: None,
            on_failure: None,
            team: None,
            retention_days: None,
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
    /// What undoes it once it has succeeded, when the run fails or is cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensate: Option<Compensation>,
    /// When several edges lead here, how many of them must have been taken.
    #[serde(default, skip_serializing_if = "Join::is_default")]
    pub join: Join,
    /// With `join: any` or a number: whether the branches that lost are cancelled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel_others: bool,
    /// How many steps under one key may be at work, over all runs of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<StepConcurrency>,
    /// How many of the server's slots an attempt takes, 1..=100. Absent: one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// A disabled step is passed over: its inbound edges continue to what follows, with a null output.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// What a container (`map`, `repeat`, `group`) runs.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::depth::body")]
    #[schema(no_recursion)]
    pub body: Option<Body>,
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
    /// Whether it asks people, itself or inside: what they say is nobody's to give or to edit.
    pub fn asks_people(&self) -> bool {
        self.kind == "approval" || self.body.iter().flat_map(|body| &body.steps).any(Self::asks_people)
    }

    /// A step with the settings that each has when nothing is said.
    pub fn new(id: &str, kind: &str) -> Self {
        Self {
            id: id.to_owned(),
            kind: kind.to_owned(),
            name: String::new(),
            config: Map::new(),
            retry: None,
            timeout_ms: None,
            on_error: OnError::Fail,
            default: Value::Null,
            compensate: None,
            join: Join::All,
            cancel_others: false,
            concurrency: None,
            slots: None,
            disabled: false,
            body: None,
            pinned: None,
            pinned_port: None,
            position: Position::default(),
        }
    }

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
        "classify" => output.get("label").and_then(Value::as_str).unwrap_or(super::kind::model::OTHER).to_owned(),
        "switch" => output.get("port").and_then(Value::as_str).unwrap_or("default").to_owned(),
        kind => {
            super::kind::Kind::find(kind).and_then(|kind| kind.ports.first()).map_or(Edge::OUT, |port| port).to_owned()
        }
    }
}

/// The graph inside a container: run once for each item, iteration, or just once.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// The nodes, in any order. Their ids are unique in the whole definition.
    #[serde(default)]
    #[schema(no_recursion)]
    pub steps: Vec<Step>,
    /// What follows what, inside.
    #[serde(default)]
    pub edges: Vec<Edge>,
    /// What one run of the body gives: any JSON with templates. Absent: the output of the step that nothing follows, or an
    /// object of the outputs by id where there are several such steps.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub output: Value,
    /// Whether the canvas draws the body inside of the container's node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfolded: bool,
}

impl Body {
    /// The step with this id, if it stands right here and not in a container further inside.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
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
    /// Whether a container begins from the start, rather than with what has not ended inside of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,
    /// The error classes that are tried again, such as `http_status:5xx`; empty: every error that may pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// The error classes that are not tried again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub never: Vec<String>,
}

impl Retry {
    /// Whether an error of this class is worth another attempt.
    pub fn covers(&self, error: &super::StepError) -> bool {
        let named = |classes: &[String]| classes.iter().any(|class| error.is(class));
        // A class that is asked for by name is tried again even if its kind thinks it hopeless.
        (if self.only.is_empty() { error.retryable } else { named(&self.only) }) && !named(&self.never)
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            initial_ms: 500,
            factor: 2.0,
            max_ms: 30_000,
            jitter: true,
            anew: false,
            only: Vec::new(),
            never: Vec::new(),
        }
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
    /// The run is paused; resuming it tries the step once more.
    Pause,
}

impl OnError {
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

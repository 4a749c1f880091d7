//! What an expression can see, and how little of it is converted to evaluate one.

use std::collections::BTreeMap;

use minijinja::Value as Jinja;
use minijinja::value::Serde;
use serde::Serialize;
use serde_json::{Value, json};

use super::Refs;
use crate::model::workflow::{StepError, StepStatus};
use crate::model::{RunId, Timestamp};

/// What an expression can see of a run.
pub trait Scope {
    /// `inputs`.
    fn inputs(&self) -> &Value;
    /// `steps.ID`.
    fn step(&self, id: &str) -> Option<StepScope<'_>>;
    /// Every id, for an expression that looks at `steps` as a whole.
    fn step_ids(&self) -> Vec<String>;
    /// `run.id`.
    fn run_id(&self) -> RunId;
    /// `run.started_at`.
    fn started_at(&self) -> Option<Timestamp>;
    /// `workflow.name`.
    fn workflow_name(&self) -> &str;
    /// `event`: what a trigger was fired by. A run knows none.
    fn event(&self) -> Option<&Value> {
        None
    }
    /// What the containers around show; nothing outside of bodies.
    fn around(&self) -> Around<'_> {
        Around::default()
    }
    /// The names at its root.
    fn roots(&self) -> &'static [&'static str] {
        super::ROOTS
    }
    /// A value by its name, where the names are others than those of a run.
    fn named(&self, _root: &str) -> Option<&Value> {
        None
    }
}

/// Values by their names, and no run: what the expressions of an agent's hooks see.
#[derive(Debug)]
pub struct Named<'a> {
    roots: &'static [&'static str],
    values: BTreeMap<&'static str, &'a Value>,
}

impl<'a> Named<'a> {
    /// These names, each with its value; one that has none is not defined.
    pub fn new(roots: &'static [&'static str], values: impl IntoIterator<Item = (&'static str, &'a Value)>) -> Self {
        Self { roots, values: values.into_iter().collect() }
    }
}

/// Nothing but its names is ever looked at: the language refuses the names of a run here.
impl Scope for Named<'_> {
    fn inputs(&self) -> &Value {
        static NOTHING: Value = Value::Null;
        &NOTHING
    }
    fn step(&self, _id: &str) -> Option<StepScope<'_>> {
        None
    }
    fn step_ids(&self) -> Vec<String> {
        Vec::new()
    }
    fn run_id(&self) -> RunId {
        uuid::Uuid::nil().into()
    }
    fn started_at(&self) -> Option<Timestamp> {
        None
    }
    fn workflow_name(&self) -> &'static str {
        ""
    }
    fn roots(&self) -> &'static [&'static str] {
        self.roots
    }
    fn named(&self, root: &str) -> Option<&Value> {
        self.values.get(root).copied()
    }
}

/// What containers show to the expressions in their bodies; the nearest of each kind.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around<'a> {
    /// `item`: of a `map`.
    pub item: Option<&'a Value>,
    /// `index`: its place, from 0.
    pub index: Option<u32>,
    /// `iteration`: of a `repeat`, from 1.
    pub iteration: Option<u32>,
    /// `last`: what the iteration before gave; null in the first.
    pub last: Option<&'a Value>,
}

/// `steps.ID`: `output` is null before the step has ended, and where it did not run.
#[derive(Debug, Clone, Copy)]
pub struct StepScope<'a> {
    /// What came out.
    pub output: &'a Value,
    /// Where it stands.
    pub status: StepStatus,
    /// The newest failure.
    pub error: Option<&'a StepError>,
    /// The rendered config, where it is shown: in what undoes the step.
    pub input: Option<&'a Value>,
}

/// The paths of a template as a tree.
#[derive(Debug, Default)]
struct Node<'a> {
    /// Mentioned itself, and not only something inside it.
    whole: bool,
    inside: BTreeMap<&'a str, Node<'a>>,
}

fn jinja(value: impl Serialize) -> Jinja {
    Serde(value).into()
}

/// The part of the scope that `refs` mention: a step in a run of ten thousand must not cost ten thousand conversions.
pub(super) fn context(refs: &Refs, scope: &dyn Scope) -> Jinja {
    let mut tree = Node::default();
    for path in &refs.paths {
        let mut node = &mut tree;
        for part in path.split('.') {
            node = node.inside.entry(part).or_default();
        }
        node.whole = true;
    }
    let roots = tree.inside.iter().filter_map(|(&root, node)| {
        let value = match root {
            "inputs" => narrow(scope.inputs(), node),
            "steps" => steps(node, scope),
            "run" => jinja(json!({ "id": scope.run_id(), "started_at": scope.started_at().map(|at| at.to_string()) })),
            super::language::EVENT => narrow(scope.event()?, node),
            "workflow" => jinja(json!({ "name": scope.workflow_name() })),
            "item" => narrow(scope.around().item?, node),
            "index" => Jinja::from(scope.around().index?),
            "iteration" => Jinja::from(scope.around().iteration?),
            "last" => narrow(scope.around().last?, node),
            named => narrow(scope.named(named)?, node),
        };
        Some((root.to_owned(), value))
    });
    roots.collect::<BTreeMap<String, Jinja>>().into()
}

fn steps(node: &Node<'_>, scope: &dyn Scope) -> Jinja {
    if node.whole {
        let all = Node { whole: true, inside: BTreeMap::new() };
        let steps = scope.step_ids().into_iter().filter_map(|id| Some((id.clone(), step(&all, scope.step(&id)?))));
        return steps.collect::<BTreeMap<String, Jinja>>().into();
    }
    let steps = node.inside.iter().filter_map(|(&id, node)| Some((id.to_owned(), step(node, scope.step(id)?))));
    steps.collect::<BTreeMap<String, Jinja>>().into()
}

fn step(node: &Node<'_>, step: StepScope<'_>) -> Jinja {
    let mut fields = BTreeMap::new();
    if node.whole {
        fields.insert("output".to_owned(), jinja(step.output));
    } else if let Some(node) = node.inside.get("output") {
        fields.insert("output".to_owned(), narrow(step.output, node));
    }
    if let Some(input) = step.input {
        let inside = node.inside.get("input").filter(|_| !node.whole);
        fields.insert("input".to_owned(), inside.map_or_else(|| jinja(input), |node| narrow(input, node)));
    }
    fields.insert("status".to_owned(), Jinja::from(step.status.as_str()));
    fields.insert("error".to_owned(), jinja(step.error));
    fields.into()
}

/// Converts what is mentioned; the whole value where the path leaves the objects, so that the language's own rules and
/// errors apply.
fn narrow(value: &Value, node: &Node<'_>) -> Jinja {
    match value {
        Value::Object(fields) if !node.whole => {
            let known =
                node.inside.iter().filter_map(|(&name, node)| Some((name.to_owned(), narrow(fields.get(name)?, node))));
            known.collect::<BTreeMap<String, Jinja>>().into()
        }
        other => jinja(other),
    }
}

//! The checker: what stops a definition from running, and what is worth a look.
//!
//! The same code runs in the designer, on the command line and before every publish and run. It reports everything that
//! it finds, in the order of the definition, and never stops at the first.

mod compensation;
mod config;
mod flow;
mod graph;
mod inputs;
mod refs;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::{Definition, Edge, Join, OnError, Problem, Retry, Severity, Step, kind::Kind};

/// Steps that a definition may have.
pub const MAX_STEPS: usize = 20_000;
/// Edges that a definition may have.
pub const MAX_EDGES: usize = 60_000;
/// Characters of a workflow's name.
pub const MAX_NAME_CHARS: usize = 120;
/// Characters of a step's id.
pub const MAX_ID_CHARS: usize = 64;
/// Containers inside of containers in one definition; sub-workflows begin anew.
pub const MAX_NESTING: usize = 50;
/// The largest number of a join.
const MAX_JOIN: u32 = 1000;

/// What the checker has found so far.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Problem>);

impl Findings {
    fn error(&mut self, step: Option<&str>, field: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Error, step, field.into(), message.into());
    }

    fn warning(&mut self, step: Option<&str>, field: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Warning, step, field.into(), message.into());
    }

    fn add(&mut self, severity: Severity, step: Option<&str>, field: String, message: String) {
        self.0.push(Problem { severity, step: step.map(str::to_owned), field, message });
    }
}

/// Everything wrong with a definition, in its order; empty means that it can be published and run.
pub fn check(definition: &Definition) -> Vec<Problem> {
    let mut found = Findings::default();
    check_head(definition, &mut found);
    flow::check(definition, &mut found);
    compensation::check(definition, &mut found);
    check_ids(definition, &mut found);
    check_level(definition, &Around::default(), &mut found);
    found.0
}

/// What a body sees of what lies around it.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// Steps outside that have run by then.
    steps: BTreeSet<String>,
    /// The names that the containers around provide.
    names: BTreeSet<&'static str>,
    /// How many containers there are.
    nesting: usize,
}

/// Checks the steps and edges of the whole, or of a body in the shape of a definition.
fn check_level(level: &Definition, around: &Around, found: &mut Findings) {
    for step in &level.steps {
        check_step(step, found);
    }
    let graph = graph::check(level, found);
    let before = refs::check(level, graph.as_ref(), around, found);
    for (at, step) in level.steps.iter().enumerate() {
        let (Some(body), Some(kind)) = (&step.body, Kind::find(&step.kind)) else { continue };
        if !kind.has_body() {
            found.error(Some(&step.id), "/body", format!("the kind {} has no body", kind.name));
            continue;
        }
        if around.nesting >= MAX_NESTING {
            found.error(
                Some(&step.id),
                "/body",
                format!("expected at most {MAX_NESTING} containers inside of each other"),
            );
            continue;
        }
        let inside = Around {
            steps: around.steps.iter().cloned().chain(before.ids_before(at)).collect(),
            names: around.names.iter().copied().chain(refs::names_inside(kind.name).iter().copied()).collect(),
            nesting: around.nesting + 1,
        };
        let body = Definition {
            inputs: level.inputs.clone(),
            steps: body.steps.clone(),
            edges: body.edges.clone(),
            output: body.output.clone(),
            ..Definition::empty(&level.name)
        };
        let mut found_inside = Findings::default();
        check_level(&body, &inside, &mut found_inside);
        for problem in found_inside.0 {
            let (step, field) = match problem.step {
                Some(step) => (step, problem.field),
                None => (step.id.clone(), format!("/body{}", problem.field)),
            };
            found.add(problem.severity, Some(&step), field, problem.message);
        }
    }
}

/// Every step, also those inside of containers, from the outside to the inside.
fn all_steps(steps: &[Step]) -> Vec<&Step> {
    let mut all: Vec<&Step> = steps.iter().collect();
    let mut next = 0;
    while let Some(step) = all.get(next).copied() {
        all.extend(step.body.iter().flat_map(|body| &body.steps));
        next += 1;
    }
    all
}

/// Whether one of them stops a publish or a run.
pub fn has_errors(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

/// Whether `id` may name a step.
pub fn is_step_id(id: &str) -> bool {
    let mut chars = id.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && id.len() <= MAX_ID_CHARS && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn check_head(definition: &Definition, found: &mut Findings) {
    if definition.weft != Definition::FORMAT {
        found.error(None, "/weft", format!("expected format 1, found {}", definition.weft));
    }
    let chars = definition.name.trim().chars().count();
    if chars == 0 || chars > MAX_NAME_CHARS {
        found.error(None, "/name", format!("expected 1 to {MAX_NAME_CHARS} characters, found {chars}"));
    }
    if definition.steps.is_empty() {
        found.error(None, "/steps", "expected at least one step");
    }
    let count = all_steps(&definition.steps).len();
    if count > MAX_STEPS {
        found.error(None, "/steps", format!("expected at most {MAX_STEPS} steps, found {count}"));
    }
    if definition.edges.len() > MAX_EDGES {
        found.error(None, "/edges", format!("expected at most {MAX_EDGES} edges, found {}", definition.edges.len()));
    }
    inputs::check(&definition.inputs, found);
}

fn check_ids(definition: &Definition, found: &mut Findings) {
    let mut seen = BTreeSet::new();
    for step in all_steps(&definition.steps) {
        if !is_step_id(&step.id) {
            let message = format!("expected 1 to {MAX_ID_CHARS} letters, digits and _, not beginning with a digit");
            found.error(Some(&step.id), "/id", message);
        }
        if !seen.insert(step.id.as_str()) {
            found.error(Some(&step.id), "/id", format!("the id {:?} is used twice", step.id));
        }
    }
}

/// A pinned step is fine while one works on the others, and easily forgotten.
fn check_pin(step: &Step, kind: &Kind, found: &mut Findings) {
    let id = Some(step.id.as_str());
    if step.pinned.is_some() {
        found.warning(id, "/pinned", "its output is pinned: the step ends with that and does nothing");
    }
    let ports = kind.ports_of(&step.config);
    if let Some(port) = step.pinned_port.as_ref().filter(|port| !ports.contains(port)) {
        found.error(id, "/pinned_port", format!("expected one of {}, found {port:?}", ports.join(", ")));
    }
}

/// How often something is tried, and how long.
fn check_patience(id: &str, retry: Option<&Retry>, timeout_ms: Option<u64>, found: &mut Findings) {
    let id = Some(id);
    if let Some(retry) = retry {
        if !(1..=100).contains(&retry.max_attempts) {
            found.error(id, "/retry/max_attempts", format!("expected 1 to 100, found {}", retry.max_attempts));
        }
        if !(1.0..=10.0).contains(&retry.factor) {
            found.error(id, "/retry/factor", format!("expected 1 to 10, found {}", retry.factor));
        }
        if retry.initial_ms > 86_400_000 || retry.max_ms > 86_400_000 {
            found.error(id, "/retry/max_ms", "expected at most 86400000 (a day)");
        }
    }
    if timeout_ms.is_some_and(|ms| !(1..=604_800_000).contains(&ms)) {
        found.error(id, "/timeout_ms", "expected 1 to 604800000 (a week)");
    }
}

fn check_step(step: &Step, found: &mut Findings) {
    let id = Some(step.id.as_str());
    let Some(kind) = Kind::find(&step.kind) else {
        return found.error(id, "/kind", format!("unknown kind {:?}", step.kind));
    };
    config::check(step, kind, found);
    if kind.has_body() && step.body.as_ref().is_none_or(|body| body.steps.is_empty()) {
        found.error(id, "/body/steps", "expected at least one step inside");
    }
    if let Join::Count(count) = step.join
        && !(1..=MAX_JOIN).contains(&count)
    {
        found.error(id, "/join", format!("expected all, any or a number from 1 to {MAX_JOIN}, found {count}"));
    }
    flow::check_step(step, kind, found);
    check_patience(&step.id, step.retry.as_ref(), step.timeout_ms, found);
    check_pin(step, kind, found);
    if let Some(compensation) = &step.compensate {
        compensation::check_step(step, compensation, found);
    }
    if step.on_error == OnError::Port && !kind.ports.contains(&Edge::ERROR) {
        found.error(id, "/on_error", format!("the kind {} has no error port", step.kind));
    }
    if !kind.has_body() && step.retry.as_ref().is_some_and(|retry| retry.anew) {
        found.warning(id, "/retry/anew", "only a container can begin from the start");
    }
    if step.on_error != OnError::Continue && !step.default.is_null() {
        found.warning(id, "/default", "a default is used only with on_error: continue");
    }
}

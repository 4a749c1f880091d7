//! What differs between two runs: what they were given, what they ran, what each step did, and where they first part.
//!
//! Pure and bounded: values are compared to the leaf, and only so many differences of each are told, with the number of the
//! rest. How long a step took and what it cost is told but counts as no difference.

mod definition;
mod inside;
mod order;
#[cfg(test)]
mod tests;
mod value;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{RunDetail, RunSummary, SkipReason, Step, StepState, StepStatus};

pub use definition::{ChangedStep, DefinitionDiff, changed_fields};
pub use inside::first_inside;
pub use value::{Difference, DifferenceKind, Differences, compare};

/// Steps that a comparison lists at most; those that differ come before those that don't.
pub const MAX_STEPS: usize = 2000;

/// Two runs side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunDiff {
    /// The one run.
    pub a: RunSummary,
    /// The other run.
    pub b: RunSummary,
    /// What they were given.
    pub inputs: Differences,
    /// What came out.
    pub output: Differences,
    /// What they ran.
    pub definition: DefinitionDiff,
    /// In the order in which they ran; at most 2000.
    pub steps: Vec<StepDiff>,
    /// Steps that are not listed.
    pub more_steps: u32,
    /// The first step that went another way; `None` when all went the same.
    pub first: Option<Divergence>,
}

impl RunDiff {
    /// Whether nothing differs but times.
    pub fn is_same(&self) -> bool {
        let steps = self.steps.iter().all(|step| step.aspects.is_empty());
        steps
            && self.inputs.is_empty()
            && self.output.is_empty()
            && self.definition.is_empty()
            && self.a.status == self.b.status
    }
}

/// Where two runs part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Divergence {
    /// The step: in a container its path, such as `each[3].fetch`.
    pub step: String,
    /// What it did in the one and in the other, as a sentence without a full stop.
    pub what: String,
}

/// One step in two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepDiff {
    /// Its id.
    pub id: String,
    /// What people read.
    pub name: String,
    /// In the one run; `None` where its definition has no such step.
    pub a: Option<StepSide>,
    /// In the other.
    pub b: Option<StepSide>,
    /// What differs; empty for a step that went the same.
    pub aspects: Vec<Aspect>,
    /// Between its rendered configs.
    pub input: Differences,
    /// Between what came out.
    pub output: Differences,
}

impl StepDiff {
    /// Whether it went another way.
    pub fn diverges(&self) -> bool {
        self.aspects.iter().any(|aspect| !matches!(aspect, Aspect::Definition | Aspect::Attempts))
    }
}

/// What of a step differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// Only one of the definitions has it.
    Presence,
    /// How it is defined.
    Definition,
    /// Where it stands.
    Status,
    /// The port that it left by.
    Port,
    /// What it was given.
    Input,
    /// What came out.
    Output,
    /// Why it failed.
    Error,
    /// How many tries it took.
    Attempts,
}

/// What a step did in one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepSide {
    /// Where it stands.
    pub status: StepStatus,
    /// Tries begun.
    pub attempts: u32,
    /// From its first attempt to its end, in ms.
    pub took_ms: Option<i64>,
    /// What its output says that it cost, in US dollars.
    pub cost_usd: Option<f64>,
    /// The port that it left by.
    pub port: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Why it did not run.
    pub skipped: Option<SkipReason>,
    /// Whether its output was pinned.
    pub pinned: bool,
}

impl StepSide {
    fn of(step: &Step, state: &StepState) -> Self {
        let took = state.started_at.zip(state.ended_at).map(|(from, to)| to.ms_since(from).max(0));
        Self {
            status: state.status,
            attempts: state.attempt,
            took_ms: took,
            cost_usd: state.output.get("cost_usd").and_then(serde_json::Value::as_f64),
            port: state.port.clone(),
            error: state.error.as_ref().map(|error| error.message.clone()),
            skipped: state.skipped,
            pinned: step.pinned.is_some(),
        }
    }
}

/// Compares two runs. The order of the answer is the order in which the steps ran.
pub fn diff(a: &RunDetail, b: &RunDetail) -> RunDiff {
    let mut steps: Vec<StepDiff> = order::execution_order(a, b).iter().map(|id| step_diff(a, b, id)).collect();
    let first = steps.iter().find(|step| step.diverges()).map(divergence);
    let all = steps.len();
    if all > MAX_STEPS {
        steps.sort_by_key(|step| step.aspects.is_empty());
        steps.truncate(MAX_STEPS);
    }
    RunDiff {
        a: a.summary.clone(),
        b: b.summary.clone(),
        inputs: compare(&a.inputs, &b.inputs),
        output: compare(&a.output, &b.output),
        definition: definition::compare(&a.definition, &b.definition),
        more_steps: u32::try_from(all - steps.len()).unwrap_or(u32::MAX),
        steps,
        first,
    }
}

fn side<'a>(run: &'a RunDetail, id: &str) -> Option<(&'a Step, &'a StepState)> {
    Some((run.definition.step(id)?, run.steps.iter().find(|step| step.id == id)?))
}

fn step_diff(a: &RunDetail, b: &RunDetail, id: &str) -> StepDiff {
    diff_of(id, side(a, id), side(b, id))
}

/// A step of two runs, or what of one there is.
fn diff_of(id: &str, a: Option<(&Step, &StepState)>, b: Option<(&Step, &StepState)>) -> StepDiff {
    let name = b.or(a).map_or(id, |(step, _)| step.label()).to_owned();
    let (mut aspects, mut input, mut output) = (Vec::new(), Differences::default(), Differences::default());
    match (a, b) {
        (Some((old, before)), Some((new, after))) => {
            input = compare(&before.input, &after.input);
            output = compare(&before.output, &after.output);
            let message = |state: &StepState| state.error.as_ref().map(|error| error.message.clone());
            let differs = [
                (Aspect::Definition, !changed_fields(old, new).is_empty()),
                (Aspect::Status, before.status != after.status),
                (Aspect::Port, before.port != after.port),
                (Aspect::Input, !input.is_empty()),
                (Aspect::Output, !output.is_empty()),
                (Aspect::Error, message(before) != message(after)),
                (Aspect::Attempts, before.attempt != after.attempt),
            ];
            aspects.extend(differs.into_iter().filter(|(_, differs)| *differs).map(|(aspect, _)| aspect));
        }
        (None, None) => {}
        _ => aspects.push(Aspect::Presence),
    }
    let told = |side: Option<(&Step, &StepState)>| side.map(|(step, state)| StepSide::of(step, state));
    StepDiff { id: id.to_owned(), name, a: told(a), b: told(b), aspects, input, output }
}

fn divergence(step: &StepDiff) -> Divergence {
    let word = |side: &StepSide| side.status.label().to_lowercase();
    let has = |aspect| step.aspects.contains(&aspect);
    let what = match (&step.a, &step.b) {
        (Some(_), None) => "it is in the first run's definition only".to_owned(),
        (None, Some(_)) => "it is in the second run's definition only".to_owned(),
        (Some(a), Some(b)) if has(Aspect::Input) && !has(Aspect::Status) => {
            format!(
                "it was given something else{}",
                if has(Aspect::Output) { " and gave back something else" } else { port(a, b) }
            )
        }
        (Some(a), Some(b)) if has(Aspect::Status) => {
            format!("it {} in the first run and {} in the second", stands(&word(a)), stands(&word(b)))
        }
        (Some(a), Some(b)) if has(Aspect::Port) => {
            let by = |side: &StepSide| side.port.clone().unwrap_or_else(|| "no port".to_owned());
            format!("it left by {} in the first run and by {} in the second", by(a), by(b))
        }
        (Some(_), Some(_)) if has(Aspect::Output) => "it gave back something else".to_owned(),
        _ => "it failed for another reason".to_owned(),
    };
    Divergence { step: step.id.clone(), what }
}

/// "succeeded" and "failed" are verbs already; "running" and "skipped" are not.
fn stands(word: &str) -> String {
    if matches!(word, "succeeded" | "failed") { word.to_owned() } else { format!("was {word}") }
}

fn port(a: &StepSide, b: &StepSide) -> &'static str {
    if a.port == b.port { "" } else { " and left by another port" }
}

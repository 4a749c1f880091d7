//! A run as a recording that another definition can be held against, and what came of that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::diff::Differences;
use super::{Event, Fact, FailureHandling, RunStatus, State, StepError, StepState, StepStatus};
use crate::model::{RunId, TestId, Timestamp, WorkflowId};

/// Everything of a run that its replay needs: what it was given, how each attempt ended, and what came of it all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// The run.
    pub run_id: RunId,
    /// When it began.
    pub started_at: Timestamp,
    /// What it was given.
    pub inputs: Value,
    /// The step that it was asked to go up to.
    #[serde(default)]
    pub until: Option<String>,
    /// How it ended.
    pub status: RunStatus,
    /// What came out.
    pub output: Value,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<StepError>,
    /// By path.
    pub steps: BTreeMap<String, RecordedStep>,
}

/// A step of a recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordedStep {
    /// The kind that it had.
    pub kind: String,
    /// How it ended; `None` for a step inside a container.
    pub end: Option<RecordedEnd>,
    /// How its attempts ended, oldest first.
    pub outcomes: Vec<Outcome>,
}

/// How a step of the root ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedEnd {
    /// Where it stood.
    pub status: StepStatus,
    /// The port that it left by.
    pub port: Option<String>,
    /// The newest rendered config.
    pub input: Value,
    /// What came out.
    pub output: Value,
    /// Why it failed.
    pub error: Option<StepError>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its place among all outcomes of the run.
    pub seq: i64,
    /// The rendered config.
    pub input: Value,
    /// The port and the output, or the error.
    pub result: Result<(String, Value), StepError>,
}

impl Recording {
    /// Records a run that has ended. `state` is the fold of `events`.
    pub fn of(state: &State, events: &[Event]) -> Self {
        let mut steps: BTreeMap<String, RecordedStep> = BTreeMap::new();
        for event in events {
            match &event.step {
                Some(path) => note(steps.entry(path.clone()).or_default(), event),
                None => forget_ended(&mut steps, &event.fact),
            }
        }
        for (path, step) in &mut steps {
            state.graph().kind_at(path).unwrap_or_default().clone_into(&mut step.kind);
        }
        for (step, number) in state.steps().iter().zip(0..) {
            let recorded = steps.entry(step.id.clone()).or_default();
            recorded.kind.clone_from(&state.graph().step(number).kind);
            recorded.end = Some(end_of(step));
        }
        let started_at = super::expression::Scope::started_at(state).unwrap_or(Timestamp(0));
        Self {
            run_id: state.id(),
            started_at,
            inputs: state.given().clone(),
            until: state.until().map(|step| state.steps()[step as usize].id.clone()),
            status: state.status(),
            output: state.output().clone(),
            error: state.error().cloned(),
            steps,
        }
    }
}

/// How a step stands.
pub fn end_of(step: &StepState) -> RecordedEnd {
    RecordedEnd {
        status: step.status,
        port: step.port.clone(),
        input: step.input.clone(),
        output: step.output.clone(),
        error: step.error.clone(),
    }
}

fn note(step: &mut RecordedStep, event: &Event) {
    let result = match &event.fact {
        Fact::StepStarted { input, .. } => {
            // An attempt in flight: its place is taken by its end.
            let open = Outcome { seq: 0, input: input.clone(), result: Err(StepError::permanent("open", "")) };
            step.outcomes.retain(|outcome| outcome.seq > 0);
            return step.outcomes.push(open);
        }
        Fact::StepSucceeded { port, output, .. } => Ok((port.clone(), output.clone())),
        Fact::StepFailed { error, .. } | Fact::RetryScheduled { error, .. } => Err(error.clone()),
        Fact::StepSkipped { .. } => return step.outcomes.retain(|outcome| outcome.seq > 0),
        Fact::PageCame { items, next, .. } => {
            // One of several ends of the same attempt: the container goes on.
            let open = step.outcomes.iter().position(|outcome| outcome.seq == 0).unwrap_or(step.outcomes.len());
            let input = step.outcomes.get(open).map_or(Value::Null, |open| open.input.clone());
            let page = Ok((super::Edge::OUT.to_owned(), json!({ "items": items, "next": next })));
            return step.outcomes.insert(open, Outcome { seq: event.seq, input, result: page });
        }
        _ => return,
    };
    if matches!(event.fact, Fact::StepFailed { handled: FailureHandling::FailsRun, .. }) {
        // Should a person try it again, this one counts no more.
        "fatal".clone_into(&mut step.kind);
    }
    match step.outcomes.last_mut().filter(|outcome| outcome.seq == 0) {
        Some(open) => (open.seq, open.result) = (event.seq, result),
        None => {
            // One that was given by hand stands in for the attempt that would have come.
            let is_given = matches!(event.fact, Fact::StepSucceeded { given: Some(_), .. });
            let input = step.outcomes.last().filter(|_| is_given).map_or(Value::Null, |failed| failed.input.clone());
            step.outcomes.push(Outcome { seq: event.seq, input, result });
        }
    }
}

/// What a person tried again, or forked, counts from there: a failure before it is not how the run went.
fn forget_ended(steps: &mut BTreeMap<String, RecordedStep>, fact: &Fact) {
    if matches!(fact, Fact::RunRetried { .. } | Fact::RunForked(_)) {
        for step in steps.values_mut().filter(|step| step.kind == "fatal") {
            // The pages that came stay: a retry goes on after them.
            step.outcomes.retain(|outcome| outcome.result.is_ok());
            step.kind.clear();
        }
    }
}

/// How closely a replay must agree with what was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strictness {
    /// The path taken, the end and the output; other inputs and outputs of steps are told and pass.
    #[default]
    Result,
    /// Everything: a step that was given something else fails the replay as well.
    Strict,
}

impl Strictness {
    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::Strict => "strict",
        }
    }

    /// Reads [`Strictness::as_str`] back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Result, Self::Strict].into_iter().find(|strictness| strictness.as_str() == text)
    }
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Replay {
    /// Whether nothing that counts differs.
    pub passed: bool,
    /// How the recorded run ended.
    pub recorded: RunStatus,
    /// How the replay ended.
    pub replayed: RunStatus,
    /// Those that fail the replay first; at most 200.
    pub differences: Vec<ReplayDifference>,
}

/// One thing that went another way than recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReplayDifference {
    /// The step; `None` for the run as a whole.
    pub step: Option<String>,
    /// Whether it fails the replay.
    pub fails: bool,
    /// A sentence without a full stop.
    pub message: String,
    /// Where values differ.
    pub details: Differences,
}

/// What a replay is held against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The draft of the run's workflow.
    Draft,
    /// A version of the run's workflow.
    Version(i64),
    /// A definition that is not stored.
    Definition(Box<super::Definition>),
}

/// A run that was kept as a regression test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkflowTest {
    /// Its id.
    pub id: TestId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Unique in the workflow, 1..=120 characters.
    pub name: String,
    /// How closely a replay must agree.
    pub strictness: Strictness,
    /// The run that was recorded; it may be gone by now.
    pub run_id: RunId,
    /// The name of who kept it, if known.
    pub created_by: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// The regression tests of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkflowTests {
    /// Whether publishing is refused while one fails.
    pub gate: bool,
    /// By name.
    pub tests: Vec<WorkflowTest>,
}

/// A test and what its replay found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TestResult {
    /// The test.
    pub test: WorkflowTest,
    /// What was found.
    pub replay: Replay,
}

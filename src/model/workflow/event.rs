//! The history of a run: the append-only list of facts from which its state is folded.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::travel::Forked;
use super::{Ending, Given, Migrated, Question, RunStatus, Vote};
use crate::model::{ApprovalId, RunId, Timestamp, UserId};

/// One fact. `seq` counts 1, 2, 3, … within a run without gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the history.
    pub seq: i64,
    /// When it was decided.
    pub at: Timestamp,
    /// The path of the step it is about, if any: `fetch`, or `each[3].fetch` inside a container's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

/// What happened: `kind` and `data` on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum Fact {
    /// The run was accepted and waits until its flow control lets it begin.
    RunQueued {
        inputs: Value,
        /// The step after which the run ends, when only a part was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<String>,
    },
    /// The run began with these inputs.
    RunStarted {
        inputs: Value,
        /// The step after which the run ends, when only a part was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<String>,
    },
    /// What stands before was copied from another run; from here on this one goes its own way.
    RunForked(Box<Forked>),
    /// An attempt began; `input` is the rendered config (secrets masked), `key` names the attempt, the same for a repeat. A
    /// container that `goes_on` has the input and the bodies that it had.
    StepStarted {
        attempt: u32,
        input: Value,
        key: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        goes_on: bool,
    },
    /// The attempt succeeded and leaves by `port`. `untaken` lists the edges at that port whose `when` did not hold, by
    /// their place in the definition, so that a replay evaluates nothing.
    StepSucceeded {
        attempt: u32,
        port: String,
        output: Value,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        untaken: Vec<u32>,
        /// Who gave the output by hand, after the attempt had failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        given: Option<Box<Given>>,
    },
    /// The attempt failed and will not be tried again. `handled` tells what comes of it; `untaken` as above.
    StepFailed {
        attempt: u32,
        error: StepError,
        handled: FailureHandling,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        untaken: Vec<u32>,
    },
    /// No inbound edge was taken, or the step was cut off by a race or a cancel, or is disabled; `untaken` as above.
    StepSkipped {
        reason: SkipReason,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        untaken: Vec<u32>,
    },
    /// The step waits, and says for what: a time, a signal, or a signal until a time.
    StepWaiting {
        attempt: u32,
        reason: String,
        until: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<Await>,
    },
    /// Something from outside reached the step that waits for it, which goes on waiting: a vote of several.
    StepSignalled { attempt: u32, signal: Signal },
    /// The attempt has come further and goes on: what `entry` says is done, and is not done again. Its shape is the kind's own.
    StepAdvanced { attempt: u32, entry: Value },
    /// What the attempt waited for has come, and it goes on with that: by which port, and what; or how it failed.
    StepAnswered {
        attempt: u32,
        port: String,
        output: Value,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<StepError>,
    },
    /// A `map` asked its source for a page, counted from 0, going on by `cursor`.
    PageAsked { page: u32, cursor: Value },
    /// The page came; `next` is what to go on by, null when there is no more.
    PageCame { page: u32, items: Vec<Value>, next: Value },
    /// A container began its body for this item or iteration, from 0.
    BodyStarted { index: u32 },
    /// The body ended.
    BodySucceeded { index: u32, output: Value },
    /// A step of the body failed and was not handled inside; `step` is its path.
    BodyFailed { index: u32, step: Option<String>, error: StepError },
    /// The attempt failed; the next begins at `at`. Of a container it `keeps` what has ended inside.
    RetryScheduled {
        attempt: u32,
        error: StepError,
        at: Timestamp,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        keeps: bool,
    },
    /// The step has succeeded, and this would undo it: the rendered config of its compensation, or why there is none.
    CompensationPlanned {
        config: Value,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<StepError>,
    },
    /// The run will end so; before, it undoes what it did, the newest first. What was in motion is stopped.
    CompensationStarted { ending: Ending },
    /// The run was started or a step was in flight when its process ended; another took over.
    RunTakenOver { steps_in_flight: Vec<String> },
    /// A person held the run: nothing new starts. `with_parent`: they held the run that waits for this one.
    RunPaused {
        by: Option<String>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        with_parent: bool,
    },
    /// A person let it go on; nobody is named where they cancelled it, and it goes on to undo what it did.
    RunResumed { by: Option<String> },
    /// A person asked to try the failed steps again.
    RunRetried { by: Option<String>, steps: Vec<String> },
    /// A person asked to stop; steps in flight are being ended.
    CancelRequested { by: Option<String> },
    /// The run goes on with another version of its workflow.
    RunMigrated(Box<Migrated>),
    /// The run ended well.
    RunSucceeded { output: Value },
    /// The run ended badly.
    RunFailed { step: Option<String>, error: StepError },
    /// The run was stopped.
    RunCancelled {},
}

impl Fact {
    /// The kind on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::RunQueued { .. } => "run_queued",
            Self::RunStarted { .. } => "run_started",
            Self::RunForked(_) => "run_forked",
            Self::StepStarted { .. } => "step_started",
            Self::StepSucceeded { .. } => "step_succeeded",
            Self::StepFailed { .. } => "step_failed",
            Self::StepSkipped { .. } => "step_skipped",
            Self::StepWaiting { .. } => "step_waiting",
            Self::StepSignalled { .. } => "step_signalled",
            Self::StepAdvanced { .. } => "step_advanced",
            Self::StepAnswered { .. } => "step_answered",
            Self::PageAsked { .. } => "page_asked",
            Self::PageCame { .. } => "page_came",
            Self::BodyStarted { .. } => "body_started",
            Self::BodySucceeded { .. } => "body_succeeded",
            Self::BodyFailed { .. } => "body_failed",
            Self::RetryScheduled { .. } => "retry_scheduled",
            Self::CompensationPlanned { .. } => "compensation_planned",
            Self::CompensationStarted { .. } => "compensation_started",
            Self::RunTakenOver { .. } => "run_taken_over",
            Self::RunPaused { .. } => "run_paused",
            Self::RunResumed { .. } => "run_resumed",
            Self::RunRetried { .. } => "run_retried",
            Self::RunMigrated(_) => "run_migrated",
            Self::CancelRequested { .. } => "cancel_requested",
            Self::RunSucceeded { .. } => "run_succeeded",
            Self::RunFailed { .. } => "run_failed",
            Self::RunCancelled {} => "run_cancelled",
        }
    }
}

/// What, besides time, a step can wait for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "for")]
pub enum Await {
    /// The end of a sub-run.
    Run {
        /// Which.
        run: RunId,
    },
    /// People.
    Approval {
        /// Its id, made of the attempt's key.
        id: ApprovalId,
        /// What they are asked.
        #[serde(flatten)]
        question: Question,
    },
    /// Something that happens outside.
    Event {
        /// What it is called.
        key: String,
        /// Fields that its payload must have with these values; null takes any.
        #[serde(default, rename = "match", skip_serializing_if = "Value::is_null")]
        fields: Value,
    },
}

/// What can reach a waiting step, or a run, from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "signal")]
pub enum Signal {
    /// The sub-run ended.
    RunEnded { run: RunId, status: RunStatus, output: Value, error: Option<StepError> },
    /// The run that started this one ended or no longer wants it.
    ParentGone {},
    /// The run that waits for this one is held.
    ParentPaused {},
    /// It goes on.
    ParentResumed {},
    /// A person answered.
    Vote(Vote),
    /// A person let somebody else answer too.
    Delegated {
        by: String,
        to: String,
        /// What they were asked. Absent in older histories.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<ApprovalId>,
        /// Whose voice it is that either of them may give now. Absent in older histories.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voice: Option<UserId>,
    },
    /// It happened. `event` says which it is, so that one which nobody takes in can be given back.
    Event {
        payload: Value,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<uuid::Uuid>,
    },
}

/// What comes of the last failure of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureHandling {
    /// The run fails; inside a body, the body.
    FailsRun,
    /// The default stands in as output.
    Continues,
    /// The error port is taken.
    ErrorPort,
}

/// Why a step never ran, or ended without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Every inbound edge was skipped.
    NotReached,
    /// Another branch of a race was first.
    LostRace,
    /// The step is disabled.
    Disabled,
    /// The run ended or was cancelled before it.
    RunEnded,
    /// The run was asked to go up to another step only.
    NotAsked,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepError {
    /// A stable word to decide by, such as `timeout`, `http_status`, `expression`, `refused`, `exit_code`.
    pub class: String,
    /// A sentence for people.
    pub message: String,
    /// Whether another attempt may help.
    pub retryable: bool,
    /// What exactly within the class, where it has numbers: the status of `http_status`, the code of `exit_code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl StepError {
    /// The class of a step whose next call of a model no budget pays for. A run waits for a person instead of failing of it.
    pub const BUDGET: &'static str = "budget";
    /// The class of a step whose agent somebody has stopped. The run waits until it is let go on.
    pub const STOPPED: &'static str = "stopped";

    /// An error that another attempt will not mend.
    pub fn permanent(class: &str, message: impl Into<String>) -> Self {
        Self { class: class.to_owned(), message: message.into(), retryable: false, code: None }
    }

    /// An error that may pass.
    pub fn transient(class: &str, message: impl Into<String>) -> Self {
        Self { class: class.to_owned(), message: message.into(), retryable: true, code: None }
    }

    /// The same, saying what exactly within its class.
    #[must_use]
    pub fn with_code(mut self, code: impl ToString) -> Self {
        self.code = Some(code.to_string());
        self
    }

    /// Whether it is what is named: a class, or a class with a code in which `x` stands for any digit: `http_status`,
    /// `http_status:429`, `http_status:5xx`.
    pub fn is(&self, named: &str) -> bool {
        let Some((class, wanted)) = named.split_once(':') else { return self.class == named };
        let same = |(wanted, own): (char, char)| wanted == own || (wanted == 'x' && own.is_ascii_digit());
        self.class == class
            && self.code.as_deref().is_some_and(|own| {
                own.chars().count() == wanted.chars().count() && wanted.chars().zip(own.chars()).all(same)
            })
    }
}

/// How far an attempt is. Told to those who watch, and kept nowhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepProgress {
    /// The step's path.
    pub step: String,
    /// The attempt.
    pub attempt: u32,
    /// A sentence without a full stop.
    pub text: String,
    /// How much is done, 0.0..=1.0, where that is known.
    pub fraction: Option<f64>,
}

/// A piece of what a step printed. Kept apart from the history, which it never decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogChunk {
    /// Its place in the run's log, from 1.
    pub seq: i64,
    /// When it was received.
    pub at: Timestamp,
    /// The step that printed it.
    pub step: String,
    /// The attempt.
    pub attempt: u32,
    /// `stdout`, `stderr` or `log`.
    pub stream: String,
    /// Whole lines where possible.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_named_by_its_class_alone_or_with_its_code() {
        let error = StepError::transient("http_status", "").with_code(503);
        for named in ["http_status", "http_status:503", "http_status:5xx", "http_status:50x", "http_status:xxx"] {
            assert!(error.is(named), "{named}");
        }
        for other in ["timeout", "http_status:502", "http_status:4xx", "http_status:5x", "http_status:", "http", ""] {
            assert!(!error.is(other), "{other}");
        }
        let bare = StepError::transient("timeout", "");
        assert!(bare.is("timeout") && !bare.is("timeout:x") && !bare.is("timeout:"));
    }
}

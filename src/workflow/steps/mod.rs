//! What the kinds of steps do: one file a kind, one function each.
//!
//! Owns the door between the engine and the work. A kind with an effect is an `async fn run(call: StepCall) ->
//! Result<Outcome, StepError>`, named in the one `match` of [`run`]; it reads its rendered config with [`StepCall::config`],
//! prints through [`StepCall::log`], ends soon after [`StepCall::cancel`] fires, and passes [`StepCall::effect_key`] on where the
//! outside knows idempotency keys. Timeouts, retries, panics and the history are the engine's.
//!
//! A kind that only computes is a pure function from its config and a scope; the machine calls it without a task.
//!
//! Refuses nothing at run time that the checker could refuse: an unknown kind never gets here.

mod agent;
mod analyze;
mod condition;
mod folder;
mod halted;
mod http;
mod memory;
mod pages;
mod prompt;
mod records;
mod respond;
mod shell;
mod switch;
mod task;
mod transform;
mod wait;
mod workflow;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::engine::{LogSink, Progress};
use crate::model::workflow::{Await, Edge, StepError};
use crate::model::{RunId, Timestamp, UserId};
use crate::runtime::Ctx;

pub(super) use self::prompt::REPAIRS as USUAL_REPAIRS;
pub(super) use agent::{STEP as AGENT_STEP, definition as agent_definition, watch_folders};
pub(super) use condition::choose as choose_condition;
pub(super) use respond::build as build_response;
pub(super) use switch::choose as choose_switch;
pub(super) use transform::build as build_transform;
pub(super) use wait::until as wait_until;
pub(super) use workflow::{MAX_DEPTH, sub_run_key};

/// One attempt of a step that has an effect.
#[derive(Debug, Clone)]
pub struct StepCall {
    /// Acts for the program in the run's workspace, and reaches everything ambient.
    pub ctx: Ctx,
    /// Which run.
    pub run_id: RunId,
    /// The fencing token of the run's owner: what is done in the run's name under an older one is refused.
    pub token: i64,
    /// Who started it, if it was a person.
    pub started_by: Option<(UserId, String)>,
    /// How many runs are around that one.
    pub depth: u32,
    /// The name of the workflow, for provenance.
    pub workflow_name: String,
    /// The step's path: its id, inside of a container also where.
    pub step: String,
    /// 1 for the first try.
    pub attempt: u32,
    /// The attempt's key: the same when this very attempt is repeated after a crash, another for each further attempt. What
    /// it starts in this program is found again by it.
    pub key: String,
    /// The idempotency key for the world outside: the same for all attempts of the step in this run, another for each item
    /// and iteration.
    pub effect_key: String,
    /// The config with its templates rendered.
    pub config: Map<String, Value>,
    /// What its attempts have done so far, oldest first; empty for kinds that do their work in one go.
    pub journal: Vec<Arc<Value>>,
    /// Whether the same was begun before, in a process that has ended since.
    pub is_repeat: bool,
    /// Fires when the result is no longer wanted: cancelled, timed out, the server stops. End soon, and leave nothing behind.
    pub cancel: CancellationToken,
    /// Where output goes while it comes.
    pub log: LogSink,
    /// Tells those who watch how far it is.
    pub progress: Progress,
}

impl StepCall {
    /// The config as a type of the kind's own.
    ///
    /// # Errors
    /// Class `config`, permanent, saying which field does not fit and what was expected.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, StepError> {
        T::deserialize(Value::Object(self.config.clone()))
            .map_err(|error| StepError::permanent("config", format!("the config does not fit: {error}")))
    }
}

/// How an attempt ended well.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is done and leaves by `port`.
    Done {
        /// One of the kind's output ports.
        port: String,
        /// What came out.
        output: Value,
    },
    /// It has come further: `entry` is added to its journal, and once that is stored the engine calls again.
    Advanced {
        /// What was done.
        entry: Value,
    },
    /// It has to wait; the engine calls again, with the same attempt and key, once `until` has come. What it waits for
    /// besides ends the attempt by itself.
    Waiting {
        /// A sentence for people.
        reason: String,
        /// When to look again, if time plays a part.
        until: Option<Timestamp>,
        /// The signal that it waits for, if any.
        on: Option<Await>,
    },
}

impl Outcome {
    /// Done, leaving by `out`.
    pub fn out(output: Value) -> Self {
        Self::Done { port: Edge::OUT.to_owned(), output }
    }

    /// Done, leaving by another port.
    pub fn port(port: &str, output: Value) -> Self {
        Self::Done { port: port.to_owned(), output }
    }
}

/// A whole number, as templates yield it: a number, also one such as 90000.0 that was reckoned, or its text.
pub fn whole(value: &Value) -> Option<i64> {
    let reckoned = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
    let number = value.as_i64().or_else(|| value.as_f64().and_then(reckoned));
    number.or_else(|| value.as_str()?.trim().parse().ok())
}

/// Runs one attempt of a step that has an effect.
///
/// # Errors
/// Why the attempt failed, and whether another may help.
pub async fn run(kind: &str, call: StepCall) -> Result<Outcome, StepError> {
    halted::run(kind, call).await
}

async fn perform(kind: &str, call: StepCall) -> Result<Outcome, StepError> {
    match kind {
        "agent" => agent::run(call).await,
        "analyze" => analyze::run(call).await,
        "classify" => task::classify(call).await,
        "extract" => task::extract(call).await,
        "http" => http::run(call).await,
        "map" => pages::pull(call).await,
        "memory_search" => memory::search(call).await,
        "memory_write" => memory::write(call).await,
        "prompt" => prompt::run(call).await,
        "shell" => shell::run(call).await,
        "summarize" => task::summarize(call).await,
        "workflow" => workflow::run(call).await,
        other => Err(StepError::permanent(
            "unknown_kind",
            format!("this server can't run steps of the kind {other:?}; step {:?}", call.step),
        )),
    }
}

//! One attempt of a step: its place in the queue, its time limit, its panics.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::owner::Message;
use super::queue::Ticket;
use super::{Engine, LogSink, Progress};
use crate::model::workflow::StepError;
use crate::model::{RunId, UserId, WorkspaceId};
use crate::runtime::Runtime;
use crate::workflow::steps::{self, Outcome, StepCall};
use crate::workflow::store;

/// How long an attempt that was told to stop may take to clean up.
const CLEAN_UP: Duration = Duration::from_secs(10);

/// The largest output: 16 MiB of text, counting eight bytes for each node.
const MAX_OUTPUT_BYTES: usize = 16 * 1024 * 1024;

/// What to attempt.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) workspace: WorkspaceId,
    pub(super) run: RunId,
    pub(super) workflow_name: String,
    pub(super) started_by: Option<(UserId, String)>,
    pub(super) depth: u32,
    /// The path.
    pub(super) step: String,
    pub(super) key: String,
    /// The key under which it acts outside.
    pub(super) effect_key: String,
    /// The number of the event that began it, which tells it from every other attempt of the run.
    pub(super) began: i64,
    pub(super) kind: String,
    pub(super) attempt: u32,
    pub(super) config: Value,
    /// Whether the same was begun before, in a process that has ended since.
    pub(super) is_repeat: bool,
    /// What its attempts have done so far.
    pub(super) journal: Vec<Arc<Value>>,
    /// 0 means no limit.
    pub(super) timeout_ms: u64,
    /// Slots that it takes.
    pub(super) slots: u32,
    /// 1..=9, 9 first.
    pub(super) priority: u8,
    /// The run's fencing token.
    pub(super) token: i64,
    /// The same where the step has a key, to give it back by.
    pub(super) keyed: Option<i64>,
    pub(super) cancel: CancellationToken,
}

/// Performs the attempt and tells the run's owner how it ended.
pub(super) async fn perform(runtime: Runtime, engine: Arc<Engine>, order: Order, owner: mpsc::Sender<Message>) {
    let (step, attempt, began) = (order.step.clone(), order.attempt, order.began);
    let (run, keyed, cancel) = (order.run, order.keyed, order.cancel.clone());
    let since = runtime.clock.now();
    let ticket = Ticket { run, step: step.clone(), cost: order.slots, priority: order.priority, since };
    let permit = tokio::select! {
        permit = engine.queue.enter(ticket) => permit,
        () = cancel.cancelled() => {
            return give_back(&runtime, &engine, order.workspace, run, &step, keyed).await;
        }
    };
    let workspace = order.workspace;
    let log = LogSink::new(engine.log.clone(), order.workspace, order.run, &order.step, order.attempt);
    let result = attempt_within_limits(&runtime, order, log.clone()).await;
    log.flush().await;
    drop(permit);
    if cancel.is_cancelled() {
        give_back(&runtime, &engine, workspace, run, &step, keyed).await;
    }
    // The owner is gone only when it no longer wants the result.
    let _ = owner.send(Message::Done { step, attempt, began, result }).await;
}

/// Gives back the key of an attempt that was stopped: it may have come after the flush that let go of it.
async fn give_back(
    runtime: &Runtime,
    engine: &Engine,
    workspace: WorkspaceId,
    run: RunId,
    step: &str,
    keyed: Option<i64>,
) {
    let Some(token) = keyed else { return };
    match store::step_key::give_back(&runtime.db, run, step, token).await {
        Ok(()) => engine.keys.look_at(workspace),
        Err(error) => tracing::warn!(%run, step, %error, "a key is given back when its run ends"),
    }
}

async fn attempt_within_limits(runtime: &Runtime, order: Order, log: LogSink) -> Result<Outcome, StepError> {
    let outer = order.cancel.clone();
    let inner = CancellationToken::new();
    let Value::Object(config) = order.config else {
        return Err(StepError::permanent("config", "the config is not an object"));
    };
    let progress = Progress::new(runtime, order.workspace, order.run, &order.step, order.attempt);
    let call = StepCall {
        progress,
        ctx: runtime.system(order.workspace),
        run_id: order.run,
        token: order.token,
        workflow_name: order.workflow_name,
        started_by: order.started_by,
        depth: order.depth,
        key: order.key,
        effect_key: order.effect_key,
        step: order.step,
        attempt: order.attempt,
        config,
        journal: order.journal,
        is_repeat: order.is_repeat,
        cancel: inner.clone(),
        log,
    };
    let work = contained(steps::run(&order.kind, call));
    tokio::pin!(work);
    let limit = async {
        match order.timeout_ms {
            0 => std::future::pending().await,
            ms => runtime.clock.sleep_ms(i64::try_from(ms).unwrap_or(i64::MAX)).await,
        }
    };
    let cut_off = tokio::select! {
        ended = &mut work => return ended.and_then(check_size),
        () = limit => StepError::transient("timeout", format!("did not end within {} ms", order.timeout_ms)),
        () = outer.cancelled() => StepError::transient("cancelled", "the attempt was stopped"),
    };
    inner.cancel();
    if tokio::time::timeout(CLEAN_UP, &mut work).await.is_err() {
        tracing::warn!(kind = order.kind, "a step did not stop in time and was dropped");
    }
    Err(cut_off)
}

/// A panic of a step's code is an error of the attempt, and of nothing else.
async fn contained(work: impl Future<Output = Result<Outcome, StepError>>) -> Result<Outcome, StepError> {
    // What it held is dropped with it: nobody sees it half-changed.
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> StepError {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    StepError::transient("panic", format!("the step's code panicked: {}", text.unwrap_or("no message")))
}

fn check_size(outcome: Outcome) -> Result<Outcome, StepError> {
    let Outcome::Done { output, .. } = &outcome else {
        return Ok(outcome);
    };
    if size(output) > MAX_OUTPUT_BYTES {
        let message = format!("expected an output of at most {} MiB", MAX_OUTPUT_BYTES / 1024 / 1024);
        return Err(StepError::permanent("too_large", message));
    }
    Ok(outcome)
}

fn size(value: &Value) -> usize {
    8 + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.iter().map(|(name, field)| name.len() + size(field)).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use serde_json::json;

    use super::super::queue::Queue;
    use super::*;
    use crate::model::Timestamp;

    /// Work of a hundred polls, one in a hundred of which panics.
    async fn breaks_now_and_then(seed: u64) -> Result<Outcome, StepError> {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for poll in 0..100 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            assert!(!random.is_multiple_of(100), "poll {poll} of {seed}");
            tokio::task::yield_now().await;
        }
        Ok(Outcome::out(json!(seed)))
    }

    #[tokio::test]
    async fn a_panic_in_a_hundred_polls_ends_its_attempt_and_gives_the_slot_back() {
        let queue = Queue::new(3);
        let attempt = |seed: u64| {
            let queue = queue.clone();
            async move {
                let run = RunId(uuid::Uuid::from_u128(u128::from(seed % 5)));
                let ticket = Ticket { run, step: "s".to_owned(), cost: 1, priority: 5, since: Timestamp(0) };
                let _permit = queue.enter(ticket).await;
                contained(breaks_now_and_then(seed)).await
            }
        };
        let ended = join_all((0..200).map(attempt)).await;
        let broken = ended.iter().filter(|result| result.is_err()).count();
        assert!((60..190).contains(&broken), "{broken} of 200 broke");
        for error in ended.into_iter().filter_map(Result::err) {
            assert!(error.class == "panic" && error.retryable && error.message.contains("poll "), "{error:?}");
        }
        assert_eq!(queue.look(RunId(uuid::Uuid::nil())).1, 0, "no slot is taken");
    }
}

//! Shows a run that goes on in this process until it has ended.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::interrupt::Interrupt;
use super::{Failure, out};
use crate::model::live::Topic;
use crate::model::workflow::{Command, Definition, Event, Fact, LogChunk, RunDetail, RunStatus};
use crate::model::{ApiError, RunId};
use crate::runtime::Ctx;
use crate::runtime::events::Change;
use crate::workflow;

/// How a run is shown. Made before the run is started or commanded, so that nothing is missed.
pub(super) struct Follow<'a> {
    ctx: &'a Ctx,
    updates: Receiver<Arc<Change>>,
    interrupt: Interrupt,
    /// Lines of JSON on standard output instead of text on standard error.
    json: bool,
    /// What the steps print, too.
    watch: bool,
    /// The number of the newest event that was shown.
    seen: i64,
}

impl<'a> Follow<'a> {
    /// Listens to what happens from now on, and to signals.
    pub(super) fn new(ctx: &'a Ctx, json: bool, watch: bool) -> Self {
        Self { ctx, updates: ctx.events.subscribe(), interrupt: Interrupt::listen(), json, watch, seen: 0 }
    }

    /// Shows only what comes after the event with this number.
    pub(super) fn after(mut self, seen: i64) -> Self {
        self.seen = seen;
        self
    }

    /// Shows the run until it has ended, and its outcome. A first signal cancels it and waits for its end, a second
    /// one doesn't wait.
    ///
    /// # Errors
    /// Code 1 when the run did not succeed.
    pub(super) async fn until_end(mut self, id: RunId, definition: &Definition) -> Result<(), Failure> {
        let mut cancelled = false;
        loop {
            let run = workflow::wait_for_end(self.ctx, id, Duration::ZERO).await.map_err(ApiError::from)?;
            self.catch_up(id, definition).await?;
            if run.status.is_final() {
                let detail = workflow::get_run(self.ctx, id).await.map_err(ApiError::from)?;
                return conclude(self.json, &detail);
            }
            tokio::select! {
                change = self.updates.recv() => match change {
                    Ok(change) => self.show_log(id, &change),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Err(Failure::failed("the program is stopping")),
                },
                () = self.interrupt.asked() => {
                    if cancelled {
                        return Err(Failure::failed("stopped before the run had ended"));
                    }
                    cancelled = true;
                    self.cancel(id).await?;
                }
            }
        }
    }

    /// A run that ends by itself meanwhile is no error.
    async fn cancel(&self, id: RunId) -> Result<(), Failure> {
        out::note("Cancelling…");
        let Err(refusal) = workflow::control(self.ctx, id, Command::Cancel).await else { return Ok(()) };
        let run = workflow::wait_for_end(self.ctx, id, Duration::ZERO).await.map_err(ApiError::from)?;
        if run.status.is_final() { Ok(()) } else { Err(ApiError::from(refusal).into()) }
    }

    fn show_log(&self, id: RunId, change: &Change) {
        if !self.watch || change.update.topic != Topic::Run(id) || change.update.kind != "log" {
            return;
        }
        if let Ok(chunk) = serde_json::from_value::<LogChunk>(change.update.data.clone()) {
            if self.json { out::json(&chunk) } else { out::note(chunk.text.trim_end()) }
        }
    }

    /// Shows the history after what was seen.
    async fn catch_up(&mut self, id: RunId, definition: &Definition) -> Result<(), Failure> {
        loop {
            let events = workflow::list_events(self.ctx, id, self.seen, 500).await.map_err(ApiError::from)?;
            let Some(last) = events.last() else { return Ok(()) };
            self.seen = last.seq;
            for event in &events {
                if self.json {
                    out::json(event);
                } else if let Some(line) = describe(event, definition) {
                    out::note(line);
                }
            }
        }
    }
}

/// One line for people; `None` for what needs no line.
fn describe(event: &Event, definition: &Definition) -> Option<String> {
    let label = event.step.as_deref().map(|id| definition.step(id).map_or(id, |step| step.label()));
    let label = label.unwrap_or_default();
    match &event.fact {
        Fact::StepStarted { attempt: 1, .. } => Some(format!("  ▸ {label}")),
        Fact::StepStarted { attempt, .. } => Some(format!("  ▸ {label}, attempt {attempt}")),
        Fact::StepSucceeded { given: Some(given), .. } => {
            let by = given.by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
            Some(format!("  ✓ {label}: given by hand{by}: {}", given.reason))
        }
        Fact::StepSucceeded { port, .. } if port == "out" => Some(format!("  ✓ {label}")),
        Fact::StepSucceeded { port, .. } => Some(format!("  ✓ {label}: {port}")),
        Fact::StepFailed { error, .. } => Some(format!("  ✗ {label}: {}", error.message)),
        Fact::StepWaiting { reason, .. } => Some(format!("  … {label}: {reason}")),
        Fact::RetryScheduled { error, at, .. } => Some(format!("  ↻ {label}: {}; again at {at}", error.message)),
        _ => None,
    }
}

/// Prints what the run gave: its report if it has one, else its output.
fn conclude(json: bool, detail: &RunDetail) -> Result<(), Failure> {
    if json {
        out::json(detail);
    } else if detail.summary.status == RunStatus::Succeeded {
        match detail.output.get("report").and_then(Value::as_str) {
            Some(report) => out::line(report),
            None if detail.output.is_null() => {}
            None => out::line(serde_json::to_string_pretty(&detail.output).unwrap_or_default()),
        }
    }
    match detail.summary.status {
        RunStatus::Succeeded => Ok(()),
        RunStatus::Cancelled => Err(Failure::failed("the run was cancelled")),
        _ => Err(Failure::failed(match &detail.error {
            Some(error) => format!("the run failed: {}", error.message),
            None => "the run failed".to_owned(),
        })),
    }
}

//! What is done because of a fact, once it is durable: attempts begin and are stopped.

use std::sync::Arc;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::Owner;
use crate::model::workflow::{Event, Fact, Slot, StepStatus, state};
use crate::workflow::engine::attempt;
use crate::workflow::machine::{self, Effect};

/// An attempt in flight.
pub(super) struct Flying {
    /// The number of the event that began it.
    pub(super) began: i64,
    /// Its key.
    pub(super) key: String,
    cancel: CancellationToken,
}

impl Flying {
    fn new(order: &attempt::Order) -> Self {
        Self { began: order.began, key: order.key.clone(), cancel: order.cancel.clone() }
    }
}

impl Drop for Flying {
    /// Nobody waits for it any more, also where its owner broke: whoever goes on with the run begins it anew.
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// How long one page may take, tries and pauses together.
const PAGE_TIMEOUT_MS: u64 = 180_000;

impl Owner {
    pub(super) fn perform(&mut self, event: &Event) {
        match machine::effect(event) {
            Some(Effect::Execute { step, attempt }) => {
                // Between two pieces of its work a step keeps the key that it has.
                let has_key = matches!(event.fact, Fact::StepAdvanced { .. });
                self.execute(&step, attempt, event.seq, has_key);
            }
            Some(Effect::Pull { step }) => self.pull(&step, event.seq),
            Some(Effect::Stop { step }) => {
                self.stop(&step);
                self.stop_under(&format!("{step}["));
            }
            Some(Effect::StopBody { prefix }) => self.stop_under(&prefix),
            Some(Effect::End) => {
                self.stop_under("");
                // Nobody may be waiting.
                let _ = self.engine.ended.send(self.state.id());
            }
            None => {}
        }
    }

    /// Stops every attempt whose path begins so.
    pub(super) fn stop_under(&mut self, prefix: &str) {
        let inside = self.attempts.range(prefix.to_owned()..).take_while(|(path, _)| path.starts_with(prefix));
        for path in inside.map(|(path, _)| path.clone()).collect::<Vec<_>>() {
            self.stop(&path);
        }
    }

    fn stop(&mut self, path: &str) {
        if self.attempts.remove(path).is_some() && self.marks.keys {
            // It may have waited for its key, inside of a container that no flush gives a key back for.
            self.engine.keys.look_at(self.workspace);
        }
    }

    /// The attempts in flight: path and number.
    pub(super) fn list_in_flight(&self) -> Vec<(String, u32)> {
        self.state.in_flight().map(|slot| (self.state.path(slot), self.state.step_at(slot).attempt)).collect()
    }

    /// Starts an attempt, unless it has ended since, or the process stops and the next one will begin it.
    pub(super) fn execute(&mut self, path: &str, attempt: u32, began: i64, has_key: bool) {
        let Some(slot) = self.state.find_slot(path) else {
            return;
        };
        let graph = Arc::clone(self.state.graph_of(slot));
        let step = self.state.step_at(slot);
        let is_container = graph.body(slot.step).is_some();
        let is_over = step.status != StepStatus::Running || step.attempt != attempt || self.state.is_ended();
        if is_over || is_container || self.runtime.tasks.stopping().is_cancelled() {
            return;
        }
        let definition = graph.step(slot.step);
        let default_ms = graph.kind(slot.step).map_or(0, |kind| kind.default_timeout_ms);
        let order = attempt::Order {
            config: step.input.clone(),
            journal: self.state.journal(slot).to_vec(),
            is_repeat: self.state.repeats(slot) > 0,
            timeout_ms: definition.timeout_ms.unwrap_or(default_ms),
            slots: definition.slots.unwrap_or(1),
            keyed: definition.concurrency.as_ref().map(|_| self.token),
            ..self.order(slot, path, began)
        };
        self.attempts.insert(path.to_owned(), Flying::new(&order));
        if has_key {
            let work = attempt::perform(self.runtime.clone(), Arc::clone(&self.engine), order, self.mailbox.clone());
            return self.runtime.tasks.spawn("step", work);
        }
        self.dispatch(definition, slot, order);
    }

    /// Has the page brought that a container has asked for, unless it has ended since, or the process stops.
    pub(super) fn pull(&mut self, path: &str, began: i64) {
        let Some(slot) = self.state.find_slot(path) else {
            return;
        };
        let step = self.state.step_at(slot);
        let asked = self.state.cell(slot).map(state::Cell::items).filter(|items| items.is_asked());
        let Some((page, cursor)) = asked.and_then(state::Items::next_page) else {
            return;
        };
        if step.status != StepStatus::Running || self.state.is_ended() || self.runtime.tasks.stopping().is_cancelled() {
            return;
        }
        let order = self.order(slot, path, began);
        let flying = Flying::new(&order);
        let order = attempt::Order {
            config: state::request(&step.input, cursor).into(),
            timeout_ms: PAGE_TIMEOUT_MS,
            key: format!("{}/page/{page}", order.key),
            ..order
        };
        self.attempts.insert(path.to_owned(), flying);
        let work = attempt::perform(self.runtime.clone(), Arc::clone(&self.engine), order, self.mailbox.clone());
        self.runtime.tasks.spawn("page", work);
    }

    /// What every attempt of a step is told, but for what it is to do.
    fn order(&self, slot: Slot, path: &str, began: i64) -> attempt::Order {
        let attempt = self.state.step_at(slot).attempt;
        attempt::Order {
            workspace: self.workspace,
            run: self.state.id(),
            workflow_name: self.card.workflow_name.clone(),
            started_by: self.card.started_by_id.zip(self.card.started_by.clone()),
            depth: self.card.depth,
            step: path.to_owned(),
            key: machine::key(&self.state, slot, attempt),
            effect_key: machine::effect_key(&self.state, slot),
            began,
            kind: self.state.graph_of(slot).step(slot.step).kind.clone(),
            attempt,
            config: Value::Null,
            journal: Vec::new(),
            is_repeat: false,
            timeout_ms: 0,
            slots: 1,
            priority: self.priority(),
            token: self.token,
            keyed: None,
            cancel: CancellationToken::new(),
        }
    }
}

//! What a flush means for flow control, and how a step with a key begins.

use super::{Message, Owner};
use crate::model::workflow::flow::{DEFAULT_PRIORITY, render_key};
use crate::model::workflow::{Event, Fact, RunStatus, Slot, Step, StepError, TriggerKind};
use crate::workflow::engine::{admit, attempt};
use crate::workflow::flow::Marks;
use crate::workflow::machine::{self, Effect};
use crate::workflow::store::step_key::Ask;
use crate::workflow::store::{Keys, Moved, Place};

impl Owner {
    /// Whether the run may have a place among those in progress: by its definition, the server's settings, or a limit that its
    /// workspace has set, if only after it had begun.
    fn may_have_place(&self) -> bool {
        self.marks.place || self.engine.quotas.may_hold(self.workspace)
    }

    /// What becomes of the run's place among those in progress.
    pub(super) fn place(&self, events: &[Event]) -> Place {
        if !self.may_have_place() {
            return Place::Keep;
        }
        if events.iter().any(|event| machine::effect(event) == Some(Effect::End)) {
            return Place::Leave;
        }
        let begins_again = |event: &Event| matches!(event.fact, Fact::RunRetried { .. } | Fact::RunForked(_));
        if !events.iter().any(begins_again) {
            return Place::Keep;
        }
        if self.state.is_started() { Place::Take { quota: self.runtime.config.max_running_runs } } else { Place::Queue }
    }

    /// What becomes of the keys of its steps.
    pub(super) fn keys(&self, events: &[Event]) -> Keys {
        if !self.marks.keys {
            return Keys::Keep;
        }
        let all = |event: &Event| {
            matches!(event.fact, Fact::RunTakenOver { .. } | Fact::CompensationStarted { .. })
                || machine::effect(event) == Some(Effect::End)
        };
        if events.iter().any(all) {
            return Keys::ReleaseAll;
        }
        let over = |event: &&Event| {
            matches!(
                event.fact,
                Fact::StepSucceeded { .. }
                    | Fact::StepFailed { .. }
                    | Fact::StepSkipped { .. }
                    | Fact::StepWaiting { .. }
                    | Fact::RetryScheduled { .. }
            )
        };
        let steps = events.iter().filter(over).filter_map(|event| event.step.as_deref());
        let keyed = |step: &&str| self.state.graph().find_path(step).is_some_and(|step| step.concurrency.is_some());
        let steps: Vec<String> = steps.filter(keyed).map(str::to_owned).collect();
        if steps.is_empty() { Keys::Keep } else { Keys::Release(steps) }
    }

    /// What becomes of what agents in its steps have to themselves: that ends with the step, or with the container that it is
    /// in. It stays with a step that waits, that is tried again, or that another process goes on with.
    pub(super) fn leases(&self, events: &[Event]) -> Keys {
        if !self.state.graph().has_agents() {
            return Keys::Keep;
        }
        let ends_all = |event: &Event| {
            matches!(event.fact, Fact::CompensationStarted { .. }) || machine::effect(event) == Some(Effect::End)
        };
        if events.iter().any(ends_all) {
            return Keys::ReleaseAll;
        }
        let may_have_some = |path: &str| {
            let step = self.state.graph().find_path(path);
            step.is_some_and(|step| step.kind == "agent" || step.body.is_some())
        };
        let over = |event: &Event| {
            let path = event.step.as_deref()?;
            match &event.fact {
                Fact::StepSucceeded { .. } | Fact::StepFailed { .. } | Fact::StepSkipped { .. } => {
                    may_have_some(path).then(|| path.to_owned())
                }
                Fact::BodySucceeded { index, .. } | Fact::BodyFailed { index, .. } => Some(format!("{path}[{index}]")),
                _ => None,
            }
        };
        let steps: Vec<String> = events.iter().filter_map(over).collect();
        if steps.is_empty() { Keys::Keep } else { Keys::Release(steps) }
    }

    /// The workflow to start because the run fails with these events. One that was started so starts no other, and a test
    /// calls nobody.
    pub(super) fn handler(&self, events: &[Event]) -> Option<String> {
        let calls = !matches!(self.card.trigger, TriggerKind::Failure | TriggerKind::Test);
        let fails = calls && events.iter().any(|event| matches!(event.fact, Fact::RunFailed { .. }));
        self.state.definition().on_failure.clone().filter(|_| fails)
    }

    /// Another version of the workflow counts from here on.
    pub(super) fn note_move(&mut self, events: &[Event]) -> Option<Moved> {
        let mut moves = events.iter().filter_map(|event| match &event.fact {
            Fact::RunMigrated(migrated) => Some(migrated),
            _ => None,
        });
        let migrated = moves.next_back()?;
        self.card.version = Some(migrated.version);
        self.card.steps_total = migrated.definition.steps.len() as u32;
        // A key that an old step holds is given back all the same.
        let keys = self.marks.keys;
        self.marks = Marks::of(self.state.graph(), &self.runtime.config);
        self.marks.keys |= keys;
        Some(Moved {
            version: migrated.version,
            steps_total: self.card.steps_total,
            keep_days: migrated.definition.retention_days,
        })
    }

    /// Tells those who wait for what the flush set free.
    pub(super) fn tell_waiting(&self, place: Place, keys: &Keys, leases: &Keys) {
        if *leases != Keys::Keep {
            crate::agents::leases::nudge(&self.runtime);
        }
        admit::after_flush(&self.engine, self.workspace, place, *keys != Keys::Keep);
    }

    /// Tells the queue that a run which has not begun is nobody's again.
    pub(super) fn tell_queue(&self) {
        if self.state.status() == RunStatus::Queued && self.may_have_place() {
            self.engine.desk.look_at(self.workspace, true);
        }
    }

    /// The priority of the run's steps in the queue of the process.
    pub(super) fn priority(&self) -> u8 {
        let priority = self.state.definition().flow.as_ref().and_then(|flow| flow.priority.as_ref());
        // What it came to was checked when the run was accepted.
        priority.and_then(|priority| priority.level(&self.state).ok()).unwrap_or(DEFAULT_PRIORITY)
    }

    /// Begins an attempt: at once, or when it has its key.
    pub(super) fn dispatch(&self, step: &Step, slot: Slot, order: attempt::Order) {
        let (runtime, engine, mailbox) = (self.runtime.clone(), self.engine.clone(), self.mailbox.clone());
        let Some(concurrency) = &step.concurrency else {
            return self.runtime.tasks.spawn("step", attempt::perform(runtime, engine, order, mailbox));
        };
        match render_key(&concurrency.key, &self.state.scope_of(slot), "concurrency.key") {
            Ok(key) => {
                let ask = Ask {
                    workspace: self.workspace,
                    run: self.state.id(),
                    step: order.step.clone(),
                    token: self.token,
                    key,
                    asked_at: runtime.clock.now(),
                };
                engine.keys.ask(ask, concurrency.limit, order, mailbox);
            }
            Err(error) => {
                let error = StepError::permanent("expression", format!("{}: {}", error.pointer, error.message));
                let (step, attempt, began) = (order.step, order.attempt, order.began);
                // The owner may be waiting for its own mailbox to empty.
                self.runtime.tasks.spawn("step", async move {
                    let _ = mailbox.send(Message::Done { step, attempt, began, result: Err(error) }).await;
                });
            }
        }
    }
}

//! How an owner lets go of its run.

use std::sync::Arc;

use super::{Message, Owner};
use crate::model::workflow::RunStatus;
use crate::workflow::store;

/// How long to wait before trying again to give a run back: until then nobody else would take it.
const RELEASE_RETRY_MS: i64 = 1_000;

impl Owner {
    /// Gives the run back: to the table until it is due, to whoever wants to command it, to the next process.
    pub(super) async fn let_go(mut self) {
        self.stop_under("");
        let (was_given_back, clock) = (self.given_back, self.runtime.clock.clone());
        while !self.given_back
            && let Err(error) = store::lease::release(&self.runtime.db, self.state.id(), self.token, clock.now()).await
        {
            tracing::warn!(run = %self.state.id(), %error, "a run could not be given back");
            if self.runtime.tasks.stopping().is_cancelled() {
                break; // the next process takes it over
            }
            clock.sleep_ms(RELEASE_RETRY_MS).await;
        }
        let due = self.state.next_due().filter(|_| self.state.status() == RunStatus::Waiting);
        if self.runtime.tasks.stopping().is_cancelled() && self.engine.node.has_others() {
            self.engine.hints.add(super::super::hints::Hint::Due);
        }
        let engine = Arc::clone(&self.engine);
        self.tell_queue();
        self.leave();
        // It may be in motion, or have something to take in: it is looked for at once.
        let due = if was_given_back { due } else { Some(clock.now()) };
        if let Some(due) = due {
            engine.timer.set(due);
        }
    }

    /// Those who still wait in the mailbox find it closed and look again.
    pub(super) fn leave(mut self) {
        self.engine.strike(self.state.id());
        self.inbox.close();
        // What reached the run at the last moment has made it due.
        while let Ok(message) = self.inbox.try_recv() {
            if matches!(message, Message::Signals) {
                self.engine.timer.set(self.runtime.clock.now());
            }
        }
    }
}

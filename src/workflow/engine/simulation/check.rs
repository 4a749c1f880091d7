//! What must hold: whenever an attempt begins, whenever a change was stored, when all is at rest, and at the end.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::owner::Owner;
use super::tables::Row;
use super::world::Sim;
use super::{more, undone};
use crate::model::workflow::{Await, Event, Fact, Graph, RunStatus, Signal, State};
use crate::model::{RunId, UserId};

/// What somebody was told, which must be found in the history.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// The vote counts.
    Vote { run: RunId, step: String, attempt: u32, by: UserId },
    /// The command of this name was obeyed.
    Obeyed { run: RunId, by: String },
    /// It was, for another process, which finds the answer.
    Forwarded { id: Uuid },
}

/// Whether a fact ends an attempt of its step.
const fn concludes(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::StepSucceeded { .. } | Fact::StepFailed { .. } | Fact::StepSkipped { .. } | Fact::RetryScheduled { .. }
    )
}

impl Sim {
    /// An attempt is about to begin: what led to it is stored, under this key, and no result of it is, unless another
    /// process has taken the run over meanwhile.
    pub fn check_may_begin(&self, owner: &Owner, path: &str, attempt: u32, key: &str) {
        let row = self.tables.row(owner.state.id());
        let own = || row.history.iter().rev().filter(|event| event.step.as_deref() == Some(path));
        let began = own().find_map(|event| match &event.fact {
            Fact::StepStarted { attempt: stored, key, .. } if *stored == attempt => Some((event.seq, key)),
            _ => None,
        });
        let (seq, stored) =
            began.unwrap_or_else(|| panic!("{path} begins its attempt {attempt} before that is stored"));
        assert_eq!(stored, key, "the attempt of {path} has another key than was stored");
        if row.token == owner.token {
            let ended = own().take_while(|event| event.seq > seq).find(|event| concludes(&event.fact));
            assert!(ended.is_none(), "{path} begins its attempt {attempt} again after {ended:?}");
        }
    }

    /// What an owner has in memory is what the tables say, now and then.
    pub fn compare_with_tables(&self, owner: &Owner) {
        let row = self.tables.row(owner.state.id());
        if row.token != owner.token || row.last_seq != owner.state.last_seq() || !self.ambient.rng.chance(20) {
            return;
        }
        assert_same(&self.fold(owner.state.id()), &owner.state);
    }

    /// Nothing moves any more, and nothing is due: each run has ended or waits for somebody, and says for whom.
    pub fn check_rest(&self) {
        for (&run, row) in &self.tables.runs {
            let state = self.fold(run);
            assert_eq!(row.status, state.status(), "the row of {run} and its history");
            assert_eq!(row.last_seq, row.history.len() as i64, "the row of {run} and its history");
            if state.is_ended() {
                continue;
            }
            assert_eq!(row.owner, None, "{run} is {:?} and in hand at rest: {:?}", row.status, state.headline());
            assert_eq!(row.signals, 0, "{run} has signals that nobody took in");
            assert!(
                !self.tables.signals.iter().any(|(to, _)| *to == run),
                "{run} was sent a signal that it did not take in"
            );
            assert_eq!(row.wake_at, state.next_due(), "{run} wakes when something is due");
            assert!(matches!(row.status, RunStatus::Waiting | RunStatus::Paused), "{run} is stuck: {:?}", row.status);
            assert!(
                state.is_paused() || state.headline().is_some_and(|why| !why.is_empty()),
                "{run} says not why it waits"
            );
            assert!(
                state.is_paused() || state.next_due().is_none(),
                "{run} is due at {:?} and nobody comes",
                row.wake_at
            );
            undone::check_held(&row.history, &state);
            self.check_waits(run, row, &state);
        }
        self.check_projections();
    }

    fn check_waits(&self, run: RunId, row: &Row, state: &State) {
        for slot in state.awaiting() {
            let path = state.path(slot);
            let waiting =
                state.step_at(slot).waiting.as_ref().unwrap_or_else(|| panic!("{path} does not say why it waits"));
            assert!(!waiting.reason.is_empty(), "{path} does not say why it waits");
            match &waiting.on {
                Some(Await::Run { run: child }) => {
                    assert!(!self.tables.row(*child).is_ended, "{path} of {run} waits for {child}, which has ended");
                }
                Some(Await::Approval { id, .. }) => {
                    let asked = self.tables.approvals.get(id).unwrap_or_else(|| panic!("{path} asks nobody"));
                    assert_eq!(asked.outcome, None, "{path} of {run} waits for an answer that was given");
                }
                Some(Await::Event { key, fields }) => {
                    let listed = self.tables.waits.get(&(run, path.clone()));
                    assert!(listed.is_some_and(|wait| wait.key == *key), "{path} of {run} is not listed for {key}");
                    let missed = self.tables.sent.iter().find(|sent| self.tables.is_for(run, key, fields, sent));
                    assert!(missed.is_none(), "{path} of {run} missed the event {missed:?}");
                }
                None => panic!("{path} of {run} waits for nothing"),
            }
        }
        if let Some(parent) = row.parent.as_ref().filter(|parent| parent.waits) {
            let outer = self.fold(parent.run);
            let held = state.is_held_with_parent() && !outer.is_paused();
            assert!(!held, "{run} is held though {} goes on", parent.run);
            let step = outer.find_slot(&parent.step).map(|slot| outer.step_at(slot));
            let awaits = step.and_then(|step| step.waiting.as_ref()?.on.clone()) == Some(Await::Run { run });
            // Whoever resumes a run that is held begins the attempt again, which finds its sub-run.
            let will_find = outer.is_paused()
                && outer
                    .in_flight()
                    .any(|slot| outer.path(slot) == parent.step && outer.step_at(slot).attempt == parent.attempt);
            // It is about to end, once whoever holds it lets go.
            let turned = state.is_paused() && state.undoing().is_some();
            let retried = row.history.iter().any(|event| matches!(event.fact, Fact::RunRetried { .. }));
            assert!(
                awaits || will_find || turned || retried,
                "{run} goes on though {} of {} does not wait for it any more",
                parent.step,
                parent.run
            );
        }
    }

    /// The tables beside the histories list what the histories say.
    fn check_projections(&self) {
        let folded = |run: &RunId, step: &str| -> Option<Await> {
            let state = self.fold(*run);
            let slot = state.find_slot(step)?;
            state.step_at(slot).waiting.as_ref()?.on.clone()
        };
        for (id, asked) in self.tables.approvals.iter().filter(|(_, asked)| asked.outcome.is_none()) {
            let open = folded(&asked.run, &asked.step);
            let is_asked = matches!(open, Some(Await::Approval { id: open, .. }) if open == *id);
            assert!(is_asked, "people are still asked about {} of {}", asked.step, asked.run);
        }
        for (run, step) in self.tables.waits.keys() {
            let waits = matches!(folded(run, step), Some(Await::Event { .. }));
            assert!(waits, "{step} of {run} is still listed as waiting for an event");
        }
    }

    /// Everything has ended: what was ever acknowledged stands in the histories, and each effect was applied once.
    pub fn check_end(&self) {
        for (run, row) in &self.tables.runs {
            assert!(row.is_ended, "{run} does not end: {:?}", row.status);
            check_history(&row.history);
            let state = self.fold(*run);
            self.tables.check_taken(*run, row, state.graph());
            let open = state.steps().iter().find(|step| !step.status.is_final());
            assert!(open.is_none(), "{run} has ended, its step {open:?} has not");
        }
        for change in &self.acknowledged {
            let row = self.tables.row(change.run);
            for event in change.events.iter() {
                assert_eq!(
                    row.history.get(event.seq as usize - 1),
                    Some(event),
                    "a stored event of {} is lost",
                    change.run
                );
            }
        }
        let mut promised: BTreeMap<&Promise, usize> = BTreeMap::new();
        self.promises.iter().for_each(|promise| *promised.entry(promise).or_default() += 1);
        for (promise, times) in promised {
            let Promise::Vote { run, step, attempt, by } = promise else {
                self.check_obeyed(promise);
                continue;
            };
            let votes = self.tables.row(*run).history.iter().filter(|event| {
                event.step.as_ref() == Some(step)
                    && matches!(&event.fact, Fact::StepSignalled { attempt: a, signal: Signal::Vote(vote) }
                        if a == attempt && vote.by == *by)
            });
            // A container that was begun anew asks again.
            assert!(votes.count() >= times, "a vote of {by} on {step} of {run} is lost");
        }
        self.check_effects();
        self.check_more();
    }

    fn check_obeyed(&self, promise: &Promise) {
        let Promise::Obeyed { run, by } = promise else { return };
        assert_eq!(more::obeyed(&self.tables.row(*run).history, by), 1, "a command to {run} was said to be obeyed");
    }

    /// What seeds with more promise besides.
    fn check_more(&self) {
        for (run, by) in &self.withdrawn {
            assert_eq!(more::obeyed(&self.tables.row(*run).history, by), 0, "a command to {run} that was withdrawn");
        }
        for (run, row) in self.tables.runs.iter().filter(|_| self.has_more()) {
            let moved = more::moved(&row.history).map_or(1, |moved| moved.version);
            assert_eq!(row.version, moved, "the version of {run} in its row and in its history");
            let policy = self.graphs[row.workflow].definition().compensation.unwrap_or_default();
            undone::check_undone(&row.history, policy);
            more::check_pages(&row.history, &self.brought);
        }
    }

    fn check_effects(&self) {
        let mut keys = BTreeSet::new();
        // How much of its work the journal of each agent has, by its key without the attempt.
        let mut journals: BTreeMap<&str, u64> = BTreeMap::new();
        for (run, row) in &self.tables.runs {
            let state = self.fold(*run);
            // What a fork has copied is another run's.
            let own = row.history.iter().rposition(|event| matches!(event.fact, Fact::RunForked(_))).unwrap_or(0);
            let mut begun: BTreeMap<&str, &str> = BTreeMap::new();
            for event in &row.history[own..] {
                let Some(path) = event.step.as_deref() else { continue };
                if let Fact::StepStarted { key, .. } = &event.fact {
                    // An agent that was held goes on with the attempt that it had.
                    let goes_on = begun.get(path) == Some(&key.as_str()) && self.is_agent(row, path);
                    assert!(keys.insert(key.as_str()) || goes_on, "two attempts have the key {key}");
                    begun.insert(path, key);
                }
                let Some(key) = begun.get(path) else { continue };
                let work = key.rsplit_once('/').map_or(*key, |(work, _)| work);
                match &event.fact {
                    Fact::StepAdvanced { entry, .. } => {
                        let done = journals.entry(work).or_default();
                        assert_eq!(entry["n"], *done, "a piece of {work} was done again, or left out");
                        *done += 1;
                    }
                    Fact::StepAnswered { .. } => *journals.entry(work).or_default() += 1,
                    _ => {}
                }
                self.check_result(state.graph(), path, key, event);
            }
        }
        for key in self.applied.keys() {
            assert!(keys.contains(key.as_str()), "an effect was applied under {key}, which no history has");
        }
    }

    fn is_agent(&self, row: &Row, path: &str) -> bool {
        self.graphs[row.workflow].find_path(path).is_some_and(|step| step.kind == "agent")
    }

    /// The result that the history has is the one that the world gave.
    fn check_result(&self, graph: &Graph, path: &str, key: &str, event: &Event) {
        let is_pinned = graph.find_path(path).is_some_and(|step| step.pinned.is_some());
        if graph.kind_at(path) != Some("http") || is_pinned {
            return;
        }
        match (&event.fact, self.applied.get(key)) {
            // A person did it.
            (Fact::StepSucceeded { given: Some(_), .. }, _) => {}
            (Fact::StepSucceeded { output, .. }, given) => {
                assert_eq!(given.map(Result::as_ref), Some(Ok(output)), "the result of {path} under {key}");
            }
            (Fact::StepFailed { error, .. } | Fact::RetryScheduled { error, .. }, given) => {
                let own = matches!(error.class.as_str(), "interrupted" | "expression" | "config");
                assert!(own || given == Some(&Err(error.clone())), "the failure of {path} under {key}: {error:?}");
            }
            _ => {}
        }
    }
}

/// Two folds of the same history.
pub fn assert_same(stored: &State, live: &State) {
    assert_eq!(stored, live, "the history folds to another state");
    assert!(stored.in_flight().eq(live.in_flight()), "the history folds to other attempts in flight");
    assert_eq!((stored.status(), stored.next_ready()), (live.status(), live.next_ready()));
    assert_eq!((stored.next_doomed(), stored.steps_done()), (live.next_doomed(), live.steps_done()));
}

/// A history is one that a run can have: numbered without gaps, results of attempts that had begun and had none, and
/// nothing behind an end but a person's wish to go on.
pub fn check_history(history: &[Event]) {
    let mut open: BTreeMap<&str, u32> = BTreeMap::new();
    // Containers that were cut off go on with the attempt that they had when a person asks for it.
    let mut cut_off: BTreeMap<&str, u32> = BTreeMap::new();
    // They are to be tried again: by the next attempt, or by hand.
    let mut failed: BTreeMap<&str, u32> = BTreeMap::new();
    let mut is_ended = false;
    for (event, seq) in history.iter().zip(1..) {
        assert_eq!(event.seq, seq, "a gap");
        if is_ended {
            let goes_on = matches!(event.fact, Fact::RunRetried { .. } | Fact::RunForked(_));
            assert!(goes_on, "{event:?} stands behind the end");
            is_ended = false;
        }
        if matches!(event.fact, Fact::RunRetried { .. } | Fact::RunForked(_)) {
            open.append(&mut cut_off);
        }
        let path = event.step.as_deref().unwrap_or_default();
        match &event.fact {
            Fact::StepStarted { attempt, goes_on, .. } => {
                let inside = |cut: &str| cut.strip_prefix(path).is_some_and(|rest| rest.starts_with('['));
                // What was cut off inside of it belongs to an attempt before, or goes on with it.
                let (mut own, rest) =
                    std::mem::take(&mut cut_off).into_iter().partition::<BTreeMap<_, _>, _>(|(cut, _)| inside(cut));
                cut_off = rest;
                cut_off.remove(path);
                failed.remove(path);
                if *goes_on {
                    open.append(&mut own);
                }
                open.insert(path, *attempt);
            }
            Fact::StepWaiting { attempt, .. }
            | Fact::StepSignalled { attempt, .. }
            | Fact::StepAdvanced { attempt, .. }
            | Fact::StepAnswered { attempt, .. } => {
                assert_eq!(open.get(path), Some(attempt), "{event:?} is of no attempt that is open");
            }
            Fact::StepSucceeded { attempt, given: Some(_), .. } => {
                assert_eq!(failed.remove(path), Some(*attempt), "{event:?} is of no attempt that failed");
                cut_off.remove(path);
            }
            Fact::StepSucceeded { attempt, .. }
            | Fact::StepFailed { attempt, .. }
            | Fact::RetryScheduled { attempt, .. } => {
                assert_eq!(open.remove(path), Some(*attempt), "{event:?} is of no attempt that is open");
                if matches!(event.fact, Fact::StepFailed { .. } | Fact::RetryScheduled { keeps: true, .. }) {
                    cut_off.insert(path, *attempt);
                }
                if matches!(event.fact, Fact::RetryScheduled { .. }) {
                    failed.insert(path, *attempt);
                }
            }
            Fact::StepSkipped { .. } => cut_off.extend(open.remove_entry(path)),
            Fact::RunSucceeded { .. } | Fact::RunFailed { .. } | Fact::RunCancelled {} => is_ended = true,
            _ => {}
        }
    }
}

//! What people and the world outside do to runs: commands, votes, events, forks.

use serde_json::{Value, json};
use uuid::Uuid;

use super::check::Promise;
use super::generate;
use super::owner::{First, Flying, Owner};
use super::world::{ROOTS, Sim};
use crate::model::workflow::{Command, Fact, Forked, Signal, State, Vote};
use crate::model::{RunId, UserId};
use crate::workflow::engine::owner::mind::World;
use crate::workflow::machine::Input;

impl Sim {
    pub fn command(&mut self, p: usize) {
        let runs = self.runs(|_| true);
        if runs.is_empty() {
            return;
        }
        let run = *self.ambient.rng.pick(&runs);
        let command = match self.ambient.rng.below(10) {
            0 => Command::Cancel,
            // What undoes is more about cancelling.
            1 | 2 if self.has_more() => Command::Cancel,
            1..4 => Command::Pause,
            4..7 => Command::Resume,
            _ => Command::Retry,
        };
        if self.has_more() {
            return self.command_by_name(p, run, command);
        }
        self.tell(p, run, Input::Command { command, by: Some("Ada".to_owned()) }, None);
    }

    pub fn vote(&mut self, p: usize) {
        let open: Vec<_> = self.tables.approvals.values().filter(|asked| asked.outcome.is_none()).collect();
        if open.is_empty() {
            return;
        }
        let asked = *self.ambient.rng.pick(&open);
        let (run, step, attempt) = (asked.run, asked.step.clone(), asked.attempt);
        if self.ambient.rng.chance(10) {
            let signal = Signal::Delegated {
                by: "Ada".to_owned(),
                to: "eve@example.com".to_owned(),
                approval: None,
                voice: None,
            };
            return self.tell(p, run, Input::Signal { step: Some(step), attempt, signal }, None);
        }
        let decision = *self.ambient.rng.pick(&["approved", "approved", "rejected"]);
        let by = 1 + self.ambient.rng.below(3) as u128;
        self.answer(p, (run, step, attempt), decision, by);
    }

    fn answer(&mut self, p: usize, (run, step, attempt): (RunId, String, u32), decision: &str, by: u128) {
        let (by, decision) = (UserId(Uuid::from_u128(by)), decision.to_owned());
        let vote = Vote {
            by,
            name: "Ada".to_owned(),
            decision,
            form: Value::Null,
            comment: String::new(),
            approval: None,
            instead_of: None,
        };
        let promise = Promise::Vote { run, step: step.clone(), attempt, by };
        self.tell(p, run, Input::Signal { step: Some(step), attempt, signal: Signal::Vote(vote) }, Some(promise));
    }

    pub fn send(&mut self, p: usize) {
        let (key, n) = (*self.ambient.rng.pick(&generate::KEYS), self.ambient.rng.below(3));
        self.send_event(p, key, n);
    }

    fn send_event(&mut self, p: usize, key: &str, n: usize) {
        let outcome = self.commit();
        if outcome == super::faults::Commit::Lost {
            return;
        }
        let ambient = &self.ambient;
        let payload = json!({ "n": n, "number": self.tables.sent.len() });
        let reached = self.tables.send(key, &payload, || World::fresh(ambient), ambient.now());
        if outcome == super::faults::Commit::Done {
            for run in reached {
                self.poke(p, run);
            }
        }
    }

    /// Somebody forks a run at one of its events.
    pub fn fork(&mut self, p: usize) {
        let sources = self.runs(|_| true);
        if sources.is_empty() || self.roots == ROOTS {
            return;
        }
        self.roots += 1;
        let from_run = *self.ambient.rng.pick(&sources);
        let row = self.tables.row(from_run);
        let from_seq = 1 + self.ambient.rng.below(row.history.len()) as i64;
        let copied = row.history[..from_seq as usize].to_vec();
        // Its face refuses to go on from what was undone, and copies a run that was moved as one of its newest version.
        let is_refused = |fact: &Fact| matches!(fact, Fact::CompensationStarted { .. } | Fact::RunMigrated(_));
        if copied.iter().any(|event| is_refused(&event.fact)) {
            return;
        }
        let workflow = row.workflow;
        let run: RunId = self.ambient.fresh_id();
        let mut state = State::on(run, self.graphs[workflow].clone()).without_old_inputs();
        for event in &copied {
            state.apply(event);
        }
        let create = crate::workflow::store::Create { copied, ..self.create(p, workflow, None, None) };
        let mut owner = Owner::new(state, 1, None, First::Nothing);
        let forked = Forked { from_run, from_seq, by: None, restarted: None, edited: Vec::new() };
        let mut events = Vec::new();
        self.think(&mut owner, Input::Fork(Box::new(forked)), &mut events).expect("a fork is never refused");
        self.flush(p, owner, events, Some(create), Flying::default());
    }

    /// People do what is waited for; what they can't bring to an end they cancel.
    pub fn people_act(&mut self, round: usize) {
        if round < 6 {
            for asked in self.questions() {
                self.answer(0, asked.clone(), "approved", 1);
                self.answer(0, asked, "approved", 2);
            }
            for key in generate::KEYS {
                self.send_event(0, key, 1);
            }
        }
        for run in self.runs(|status| !status.is_final()) {
            // What undoes already can't be cancelled once more: where somebody holds it, it is let go on.
            let is_held = self.has_more() && self.fold(run).undoing().is_some();
            let command = if round < 6 || is_held { Command::Resume } else { Command::Cancel };
            self.tell(0, run, Input::Command { command, by: None }, None);
        }
    }

    fn questions(&self) -> Vec<(RunId, String, u32)> {
        let open = self.tables.approvals.values().filter(|asked| asked.outcome.is_none());
        open.map(|asked| (asked.run, asked.step.clone(), asked.attempt)).collect()
    }
}

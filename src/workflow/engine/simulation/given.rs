//! From a certain seed on people also give steps that are to be tried again their outputs by hand.

use serde_json::json;
use uuid::Uuid;

use super::check::Promise;
use super::more::MORE;
use super::world::Sim;
use crate::model::RunId;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Edge, Given, GivenOutput, StepStatus};
use crate::workflow::machine::Input;

/// From this seed on they do. Those seeds have also what [`MORE`] has.
pub const GIVEN: u64 = MORE << 1;

impl Sim {
    pub fn has_given(&self) -> bool {
        self.seed >= GIVEN
    }

    /// Somebody has done the work of a step that failed, under a name that nobody else has.
    pub fn give(&mut self, p: usize) {
        let mut failed: Vec<(RunId, String, String)> = Vec::new();
        for run in self.runs(|status| !status.is_final()) {
            let state = self.fold(run);
            let slots = state.timers().map(|(_, slot)| slot);
            for slot in slots.filter(|&slot| state.step_at(slot).status == StepStatus::Retrying) {
                let kind = Kind::find(&state.graph_of(slot).step(slot.step).kind);
                let port = kind.and_then(|kind| kind.ports.first()).map_or(Edge::OUT, |port| port);
                failed.push((run, state.path(slot), port.to_owned()));
            }
        }
        if failed.is_empty() {
            return;
        }
        let (run, step, port) = self.ambient.rng.pick(&failed).clone();
        let by = self.ambient.fresh_id::<Uuid>().to_string();
        let given = Given { by: Some(by.clone()), reason: "done by hand".to_owned() };
        let gift = GivenOutput { step, port, output: json!({ "by": "hand" }), given };
        self.tell(p, run, Input::Give(Box::new(gift)), Some(Promise::Obeyed { run, by }));
    }
}

#[test]
fn outputs_that_are_given_by_hand_keep_every_promise() {
    super::simulate(GIVEN..GIVEN + 1_000);
}

#[test]
fn outputs_are_given_by_hand_in_those_seeds() {
    use crate::model::workflow::Fact;
    let (mut given, mut inside) = (0, 0);
    for seed in GIVEN..GIVEN + 200 {
        let mut sim = Sim::new(seed);
        sim.run();
        let events = sim.tables.runs.values().flat_map(|row| &row.history);
        for event in events.filter(|event| matches!(event.fact, Fact::StepSucceeded { given: Some(_), .. })) {
            given += 1;
            inside += usize::from(event.step.as_deref().is_some_and(|path| path.contains('[')));
        }
    }
    assert!(given > 0 && inside > 0, "{given} were given, {inside} of them inside of containers");
}

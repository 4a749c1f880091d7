//! What an expression sees: inside a body also what lies around it.

use serde_json::Value;

use super::{RunId, Slot, State, Timestamp};
use crate::model::workflow::expression::{Around, Scope, StepScope};

/// What an expression of a step in a frame sees.
#[derive(Debug, Clone, Copy)]
pub struct FrameScope<'a> {
    state: &'a State,
    frame: u32,
}

impl State {
    /// What an expression sees in the frame of this step.
    pub const fn scope_of(&self, slot: Slot) -> FrameScope<'_> {
        FrameScope { state: self, frame: slot.frame }
    }

    /// What an expression sees in a frame.
    pub const fn scope_in(&self, frame: u32) -> FrameScope<'_> {
        FrameScope { state: self, frame }
    }
}

impl<'a> FrameScope<'a> {
    /// This frame and those around it, from the inside.
    fn frames(self) -> impl Iterator<Item = u32> + 'a {
        let state = self.state;
        std::iter::successors(Some(self.frame), move |&frame| {
            state.frame(frame).home.as_ref().map(|home| home.container.frame)
        })
    }

    /// A step of this frame or of one around it.
    pub fn find_step(self, id: &str) -> Option<StepScope<'a>> {
        let state = self.state;
        self.frames().find_map(|frame| {
            let step = state.frame(frame).graph.find(id)?;
            let step = state.step_at(Slot { frame, step });
            Some(StepScope { output: &step.output, status: step.status, error: step.error.as_ref(), input: None })
        })
    }

    /// What the containers around show.
    pub fn shown(self) -> Around<'a> {
        let state = self.state;
        let mut around = Around::default();
        for frame in self.frames() {
            let Some(home) = &state.frame(frame).home else { break };
            let Some(cell) = state.cell(home.container) else { break };
            cell.show(&state.step_at(home.container).input, home.index, &mut around);
        }
        around
    }
}

impl Scope for FrameScope<'_> {
    fn inputs(&self) -> &Value {
        &self.state.inputs
    }

    fn step(&self, id: &str) -> Option<StepScope<'_>> {
        self.find_step(id)
    }

    fn step_ids(&self) -> Vec<String> {
        self.frames().flat_map(|frame| self.state.frame(frame).steps.iter().map(|step| step.id.clone())).collect()
    }

    fn run_id(&self) -> RunId {
        self.state.id
    }

    fn started_at(&self) -> Option<Timestamp> {
        self.state.started_at
    }

    fn workflow_name(&self) -> &str {
        &self.state.definition().name
    }

    fn around(&self) -> Around<'_> {
        self.shown()
    }
}

impl Scope for State {
    fn inputs(&self) -> &Value {
        &self.inputs
    }

    fn step(&self, id: &str) -> Option<StepScope<'_>> {
        let step = self.find_step(id)?;
        Some(StepScope { output: &step.output, status: step.status, error: step.error.as_ref(), input: None })
    }

    fn step_ids(&self) -> Vec<String> {
        self.steps().iter().map(|step| step.id.clone()).collect()
    }

    fn run_id(&self) -> RunId {
        self.id
    }

    fn started_at(&self) -> Option<Timestamp> {
        self.started_at
    }

    fn workflow_name(&self) -> &str {
        &self.definition().name
    }
}

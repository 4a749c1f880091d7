//! The copied beginning of a fork: carried over to the definition that the fork runs, edited, and proven to belong there.
//!
//! Pure. Each event is folded on the fork's definition before the next is looked at, so that what a fork begins with is a
//! history that this definition could have had: a step has begun only where an edge that was taken led to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::inside;
use crate::model::RunId;
use crate::model::workflow::fit::{Likeness, Touched, misfits};
use crate::model::workflow::{
    Edge, Event, Fact, FailureHandling, Graph, SkipReason, Slot, State, Step, StepError, StepStatus, body_of, port_of,
    root_of,
};
use crate::workflow::machine::untaken;

/// What a fork alters in what it copies.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// They fit the schema of the fork's definition.
    pub inputs: Option<Value>,
    /// By step.
    pub outputs: BTreeMap<String, Value>,
}

/// Why a history can't begin a run of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Misfit {
    /// The definition differs where the run already was.
    Definition { step: String, message: String },
    /// An output can't be edited so.
    Output { step: String, message: String },
}

/// What a fork begins with.
#[derive(Debug)]
pub(super) struct Prefix {
    /// From 1 without gaps.
    pub events: Vec<Event>,
    /// Their fold.
    pub state: State,
}

/// Carries `events` of a run of `source` over to a run of `onto`.
///
/// # Errors
/// Names the step that stands in the way.
pub(super) fn carry(
    run: RunId,
    source: &Graph,
    onto: &Arc<Graph>,
    events: Vec<Event>,
    edits: &Edits,
) -> Result<Prefix, Misfit> {
    check_edited(&events, source, edits)?;
    check_definition(&events, source, onto)?;
    let events = inside::lift_failures(events, edits);
    let mut carried = Carrier { source, edits, state: State::on(run, Arc::clone(onto)), last: conclusions(&events) };
    let mut kept = Vec::with_capacity(events.len());
    for event in events {
        let event = carried.carry(event)?;
        carried.state.apply(&event);
        kept.push(event);
    }
    inside::check_seen(&kept, &carried.state, edits)?;
    Ok(Prefix { events: kept, state: carried.state })
}

/// The newest conclusion of each step: the one that an edited output replaces.
fn conclusions(events: &[Event]) -> BTreeMap<String, i64> {
    let ends = |event: &&Event| matches!(event.fact, Fact::StepSucceeded { .. } | Fact::StepFailed { .. });
    events.iter().filter(ends).filter_map(|event| Some((event.step.clone()?, event.seq))).collect()
}

fn check_edited(events: &[Event], source: &Graph, edits: &Edits) -> Result<(), Misfit> {
    let ended = conclusions(events);
    if let Some(step) = edits.outputs.keys().find(|step| !ended.contains_key(*step)) {
        let message = if source.find_path(step).is_none() {
            format!("the run has no step {step}")
        } else {
            format!("step {step} has no output before the fork: fork at a later event, or pin its output in the draft")
        };
        return Err(Misfit::Output { step: step.clone(), message });
    }
    let asks = |step: &&String| source.find_path(step).is_some_and(Step::asks_people);
    if let Some(step) = edits.outputs.keys().find(asks) {
        let message = format!("people answer the approval in step {step}: fork before it, and it is asked anew");
        return Err(Misfit::Output { step: step.clone(), message });
    }
    Ok(())
}

/// The compatibility rule, for the steps that the prefix mentions.
fn check_definition(events: &[Event], source: &Graph, onto: &Graph) -> Result<(), Misfit> {
    let mut touched = Touched::new();
    for path in events.iter().filter_map(|event| event.step.as_deref()) {
        touched.entry(root_of(path)).or_default().inside |= root_of(path) != path;
    }
    match misfits(source, onto, &touched, None, Likeness::Shape, " before the fork").into_iter().next() {
        Some(misfit) => Err(Misfit::Definition { step: misfit.step.unwrap_or_default(), message: misfit.message }),
        None => Ok(()),
    }
}

/// A history as if the run had run from the start what it was moved to, and that: the moves are gone from it, and what
/// stands before them chooses its edges by the newer version. The numbers of the events stay.
///
/// # Errors
/// A history that no machine of ours wrote.
pub(super) fn flatten(run: RunId, source: Arc<Graph>, events: Vec<Event>) -> Result<(Arc<Graph>, Vec<Event>), Misfit> {
    let (mut graph, mut kept) = (source, Vec::with_capacity(events.len()));
    for event in events {
        let Fact::RunMigrated(migrated) = event.fact else {
            kept.push(event);
            continue;
        };
        let next = Graph::new(migrated.definition);
        let edits = Edits { inputs: migrated.inputs, ..Edits::default() };
        kept = carry(run, &graph, &next, kept, &edits)?.events;
        graph = next;
    }
    Ok((graph, kept))
}

struct Carrier<'a> {
    source: &'a Graph,
    edits: &'a Edits,
    state: State,
    last: BTreeMap<String, i64>,
}

impl Carrier<'_> {
    fn carry(&self, mut event: Event) -> Result<Event, Misfit> {
        let Some(path) = event.step.clone() else {
            // A run that flow control let in says twice what it was given.
            if let (Fact::RunQueued { inputs, .. } | Fact::RunStarted { inputs, .. }, Some(edited)) =
                (&mut event.fact, &self.edits.inputs)
            {
                inputs.clone_from(edited);
            }
            return Ok(event);
        };
        let slot = match self.state.graph().find(&path) {
            Some(step) => Some(Slot::root(step)),
            // What stands inside of a container is the same in both definitions.
            None if inside::is_touched(&path, self.edits) => self.state.find_slot(&path),
            None => None,
        };
        let Some(slot) = slot else { return Ok(event) };
        self.check_begun(slot, &event)?;
        let edited = self.edits.outputs.get(&path).filter(|_| self.last.get(&path) == Some(&event.seq));
        event.fact = match (event.fact, edited) {
            (fact @ (Fact::StepSucceeded { .. } | Fact::StepFailed { .. }), Some(output)) => {
                self.replaced(slot, &fact, output)?
            }
            (fact, _) if slot.frame == Slot::RUN => self.renumbered(slot.step, fact)?,
            (fact, _) => fact,
        };
        Ok(event)
    }

    /// A step begins only where the definition, and what was edited, lead to it.
    fn check_begun(&self, slot: Slot, event: &Event) -> Result<(), Misfit> {
        let status = self.state.step_at(slot).status;
        let fits = match &event.fact {
            Fact::StepStarted { .. } => {
                matches!(status, StepStatus::Ready | StepStatus::Waiting | StepStatus::Retrying | StepStatus::Running)
            }
            Fact::StepSkipped { reason: SkipReason::NotReached, .. } => status == StepStatus::Queued,
            _ => true,
        };
        if fits {
            return Ok(());
        }
        let id = self.state.path(slot);
        let began = if matches!(event.fact, Fact::StepStarted { .. }) { "began" } else { "was skipped" };
        match self.edits.outputs.keys().find(|edited| body_of(edited) == body_of(&id)) {
            Some(edited) => Err(Misfit::Output {
                step: edited.clone(),
                message: format!(
                    "step {id} {began} at event {} because of the output that is edited: fork before that event",
                    event.seq
                ),
            }),
            None => {
                let message =
                    format!("step {id} {began} at event {}, where this definition does not lead to it", event.seq);
                Err(Misfit::Definition { step: id, message })
            }
        }
    }

    /// The step succeeds with another output: its edges are chosen by that one.
    fn replaced(&self, slot: Slot, fact: &Fact, output: &Value) -> Result<Fact, Misfit> {
        let definition = self.state.graph_of(slot).step(slot.step);
        let (attempt, recorded) = match fact {
            Fact::StepSucceeded { attempt, port, .. } => (*attempt, Some(port.clone())),
            Fact::StepFailed { attempt, .. } => (*attempt, None),
            _ => (1, None),
        };
        let computed = matches!(definition.kind.as_str(), "condition" | "switch" | "classify");
        let port = recorded.filter(|_| !computed).unwrap_or_else(|| port_of(&definition.kind, output));
        let untaken = untaken(&self.state, slot, StepStatus::Succeeded, output, None, |edge| edge.port == port)
            .map_err(|error| Misfit::Output { step: self.state.path(slot), message: error.message })?;
        Ok(Fact::StepSucceeded { attempt, port, output: output.clone(), untaken, given: None })
    }

    /// The same choice of edges in the numbers of this definition; edges that are new here are chosen now.
    fn renumbered(&self, step: u32, mut fact: Fact) -> Result<Fact, Misfit> {
        match &mut fact {
            Fact::StepSucceeded { port, output, untaken, .. } => {
                let ended = Ended { status: StepStatus::Succeeded, output, error: None };
                *untaken = self.choose(step, untaken, &ended, |edge| edge.port == *port)?;
            }
            Fact::StepFailed { handled: FailureHandling::Continues, untaken, error, .. } => {
                let default = &self.state.graph().step(step).default;
                let ended = Ended { status: StepStatus::Succeeded, output: default, error: Some(&*error) };
                *untaken = self.choose(step, untaken, &ended, |edge| edge.port == Edge::OUT)?;
            }
            Fact::StepFailed { handled: FailureHandling::ErrorPort, untaken, error, .. } => {
                let ended = Ended { status: StepStatus::Failed, output: &Value::Null, error: Some(&*error) };
                *untaken = self.choose(step, untaken, &ended, |edge| edge.port == Edge::ERROR)?;
            }
            Fact::StepSkipped { reason: SkipReason::Disabled, untaken } => {
                let ended = Ended { status: StepStatus::Skipped, output: &Value::Null, error: None };
                *untaken = self.choose(step, untaken, &ended, |edge| edge.port != Edge::ERROR)?;
            }
            _ => {}
        }
        Ok(fact)
    }

    fn choose(
        &self,
        step: u32,
        recorded: &[u32],
        ended: &Ended<'_>,
        is_chosen: impl Fn(&Edge) -> bool,
    ) -> Result<Vec<u32>, Misfit> {
        let graph = self.state.graph();
        let id = &graph.step(step).id;
        let before = self.source.find(id).map_or(&[][..], |step| self.source.outbound(step));
        let mut chosen = Vec::new();
        for &number in graph.outbound(step) {
            let edge = graph.edge(number);
            if edge.when.is_none() || !is_chosen(edge) {
                continue;
            }
            let is_untaken = match before.iter().find(|&&old| self.source.edge(old) == edge) {
                Some(old) => recorded.contains(old),
                None => untaken(&self.state, Slot::root(step), ended.status, ended.output, ended.error, |other| {
                    other == edge
                })
                .map_err(|error| Misfit::Definition { step: id.clone(), message: error.message })?
                .contains(&number),
            };
            if is_untaken {
                chosen.push(number);
            }
        }
        Ok(chosen)
    }
}

/// How a step ended, for the conditions of its edges.
struct Ended<'a> {
    status: StepStatus,
    output: &'a Value,
    error: Option<&'a StepError>,
}

//! A run laid over the graph: what each step and each thread shows of it.

use std::collections::{BTreeMap, HashMap};

use leptos::prelude::*;
use serde_json::Value;

use crate::model::Timestamp;
use crate::model::workflow::{Bodies, Edge, RunDetail, StepProgress, StepState, StepStatus};
use crate::ui::designer::container::told_words;
use crate::ui::format;

/// A run with its steps by id.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// The run.
    pub detail: RunDetail,
    places: HashMap<String, usize>,
    /// Of each container that one has gone into, the body that is looked at; outermost first.
    pub inside: Vec<Inside>,
}

/// A body of a container of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Inside {
    /// The container's id.
    pub container: String,
    /// The item or iteration, from 0.
    pub index: u32,
    /// How many have begun.
    pub begun: u32,
    /// What it is one of: `map`, `repeat`, `group`.
    pub kind: String,
    /// Of a `map`: its item.
    pub item: Option<Value>,
    /// Its steps.
    pub steps: Vec<StepState>,
}

impl RunView {
    /// A run, ready to be asked for its steps.
    pub fn new(detail: RunDetail) -> Self {
        let places = detail.steps.iter().enumerate().map(|(place, step)| (step.id.clone(), place)).collect();
        Self { detail, places, inside: Vec::new() }
    }

    /// The run with these bodies looked at.
    #[must_use]
    pub fn looking_into(self, inside: Vec<Inside>) -> Self {
        Self { inside, ..self }
    }

    /// The state of a step, if the run knows it; inside of containers, in the body that is looked at.
    pub fn step(&self, id: &str) -> Option<&StepState> {
        let inside = || self.inside.iter().flat_map(|inside| &inside.steps).find(|step| step.id == id);
        self.places.get(id).and_then(|place| self.detail.steps.get(*place)).or_else(inside)
    }

    /// The path of a step in the run: inside of containers, in the body that is looked at.
    fn path(&self, id: &str) -> Option<String> {
        if self.places.contains_key(id) {
            return Some(id.to_owned());
        }
        let mut around = String::new();
        for inside in &self.inside {
            around = format!("{around}{}[{}].", inside.container, inside.index);
            if inside.steps.iter().any(|step| step.id == id) {
                return Some(around + id);
            }
        }
        None
    }
}

/// What a node shows of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StepFacts {
    /// Where the step stands.
    pub status: StepStatus,
    /// Tries begun.
    pub attempt: u32,
    /// How long it took, or has taken so far.
    pub took_ms: Option<i64>,
    /// Why it waits.
    pub waiting: Option<String>,
    /// How far a container is.
    pub bodies: Option<Bodies>,
    /// How far the attempt in flight is, if it tells.
    pub told: Option<StepProgress>,
}

impl StepFacts {
    fn of(step: &StepState, now: Timestamp, told: Option<&StepProgress>) -> Self {
        let running = matches!(step.status, StepStatus::Running | StepStatus::Waiting | StepStatus::Retrying);
        let until = step.ended_at.or_else(|| running.then_some(now));
        let took_ms = step.started_at.zip(until).map(|(from, to)| to.ms_since(from).max(0));
        let waiting = step.waiting.as_ref().map(|waiting| waiting.reason.clone());
        let works = step.status == StepStatus::Running;
        let told = told.filter(|told| works && told.attempt == step.attempt).cloned();
        Self { status: step.status, attempt: step.attempt, took_ms, waiting, bodies: step.bodies, told }
    }

    /// The facts worth a place beside the kind.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        match self.status {
            StepStatus::Skipped => words.push("not taken".to_owned()),
            StepStatus::Queued | StepStatus::Ready => {}
            _ => words.extend(self.took_ms.map(format::duration)),
        }
        if self.attempt > 1 {
            words.push(format!("attempt {}", self.attempt));
        }
        words.extend(self.told.as_ref().map(told_words));
        words
    }
}

/// The run over the graph, if there is one. Copied into every view through the context.
#[derive(Clone, Copy)]
pub struct Overlay {
    /// The run.
    pub run: RwSignal<Option<RunView>>,
    /// Whether it is drawn; its data serves previews in any case.
    pub shown: RwSignal<bool>,
    /// The bodies that somebody chose to look at, by container; the newest where nobody did.
    pub chosen: RwSignal<HashMap<String, u32>>,
    /// How far attempts in flight are, of the steps that are looked at, by path.
    told: RwSignal<BTreeMap<String, StepProgress>>,
    /// The browser's clock, moved on while the run is in motion.
    pub now: RwSignal<Timestamp>,
}

/// The overlay of the designer that this stands in.
pub fn use_overlay() -> Overlay {
    expect_context::<Overlay>()
}

impl Overlay {
    /// No run yet.
    pub fn new() -> Self {
        Self {
            run: RwSignal::new(None),
            shown: RwSignal::new(false),
            chosen: RwSignal::default(),
            told: RwSignal::default(),
            now: RwSignal::new(Timestamp(0)),
        }
    }

    /// What a step shows.
    pub fn facts(self, id: String) -> Memo<Option<StepFacts>> {
        Memo::new(move |_| {
            if !self.shown.get() {
                return None;
            }
            let run = self.run.read();
            let step = run.as_ref()?.step(&id)?;
            let now = if step.status.is_final() || step.started_at.is_none() { Timestamp(0) } else { self.now.get() };
            let path = run.as_ref()?.path(&id).unwrap_or_default();
            let works = step.status == StepStatus::Running;
            Some(StepFacts::of(step, now, works.then(|| self.told.read()).as_ref().and_then(|told| told.get(&path))))
        })
    }

    /// Takes over how far an attempt is, if its step is looked at: those inside of containers are many.
    pub fn hear(self, told: StepProgress) {
        let id = told.step.rsplit('.').next().unwrap_or_default();
        let path = self.run.try_with_untracked(|run| run.as_ref().and_then(|run| run.path(id))).flatten();
        if path.as_ref() == Some(&told.step) {
            self.told.try_update(|known| known.insert(told.step.clone(), told));
        }
    }

    /// Begins with another run.
    pub fn forget(self) {
        let _ = self.shown.try_set(true);
        let _ = self.chosen.try_set(HashMap::new());
        let _ = self.told.try_set(BTreeMap::new());
    }

    /// How a thread is drawn.
    pub fn edge_state(self, edge: Signal<Edge>) -> Memo<&'static str> {
        Memo::new(move |_| match &*self.run.read() {
            Some(run) if self.shown.get() => {
                edge.with(|edge| edge_state(edge, run.step(&edge.from), run.step(&edge.to)))
            }
            _ => "idle",
        })
    }
}

impl Default for Overlay {
    fn default() -> Self {
        Self::new()
    }
}

/// `idle` before its source has ended; then taken, by what its target does with it, or not taken.
fn edge_state(edge: &Edge, from: Option<&StepState>, to: Option<&StepState>) -> &'static str {
    let (Some(from), Some(to)) = (from, to) else {
        return "idle";
    };
    if !from.status.is_final() {
        return "idle";
    }
    if from.port.as_deref() != Some(edge.port.as_str()) {
        return if from.status == StepStatus::Failed && edge.port != Edge::ERROR { "idle" } else { "skipped" };
    }
    match to.status {
        StepStatus::Running | StepStatus::Retrying => "live",
        StepStatus::Waiting => "held",
        StepStatus::Skipped => "skipped",
        _ => "taken",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(id: &str, status: StepStatus, port: Option<&str>) -> StepState {
        StepState {
            id: id.to_owned(),
            status,
            attempt: 1,
            started_at: Some(Timestamp(0)),
            ended_at: None,
            input: Value::Null,
            output: Value::Null,
            port: port.map(str::to_owned),
            error: None,
            waiting: None,
            skipped: None,
            sub_run: None,
            given: None,
            bodies: None,
            spans: Vec::new(),
        }
    }

    #[test]
    fn a_thread_shows_what_came_of_it() {
        use StepStatus::{Failed, Queued, Running, Skipped, Succeeded, Waiting};
        let rows = [
            ("true", Succeeded, Some("true"), Running, "live"),
            ("true", Succeeded, Some("true"), Waiting, "held"),
            ("true", Succeeded, Some("true"), Succeeded, "taken"),
            ("false", Succeeded, Some("true"), Skipped, "skipped"),
            ("out", Running, None, Queued, "idle"),
            ("error", Failed, Some("error"), Queued, "taken"),
            ("out", Skipped, None, Skipped, "skipped"),
        ];
        for (port, from, left_by, to, expected) in rows {
            let edge = Edge { from: "a".into(), port: port.into(), to: "b".into(), when: None };
            let (a, b) = (state("a", from, left_by), state("b", to, None));
            assert_eq!(edge_state(&edge, Some(&a), Some(&b)), expected, "{port} {from:?} {to:?}");
        }
    }

    #[test]
    fn a_running_step_counts_up() {
        let facts = StepFacts::of(&state("a", StepStatus::Running, None), Timestamp(1_800_000), None);
        assert_eq!(facts.took_ms, Some(1800));
    }
}

//! The document made reactive: every change goes through here, and only the signals of what altered are set.
//!
//! A step has a signal, a thread has a signal. After each change the document is compared with them, so a step that is
//! dragged among hundreds redraws itself and its threads, and nothing else.

use std::collections::{HashMap, HashSet};

use leptos::prelude::*;

use super::change::{Change, Details};
use super::document::{Ask, Document, EdgeKey, Selection, edge_keys};
use super::history::History;
use super::kernel::route::{self, Ends, Lanes, Route};
use super::kernel::{Point, Rect, Size, View, geometry, layout};
use super::level::Crumb;
use super::tool::{Input, Tool};
use crate::model::workflow::{Definition, Edge, Step};
use crate::ui::browser;
use crate::ui::components::{Toasts, Tone, use_toasts};

/// A thread as drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Thread {
    /// What it stands for.
    pub edge: Edge,
    /// Its way.
    pub route: Route,
    /// The `d` of the pieces where it crosses over others.
    pub casing: String,
}

/// The designer's state and signals. Copied into every view through the context.
#[derive(Clone, Copy)]
pub struct Editor {
    state: StoredValue<State>,
    /// What the pointer is doing.
    pub tool: RwSignal<Tool>,
    /// Where one looks.
    pub view: RwSignal<View>,
    /// The canvas in px.
    pub size: RwSignal<Size>,
    /// What is chosen.
    pub selection: RwSignal<Selection>,
    /// The question above the canvas.
    pub ask: RwSignal<Option<Ask>>,
    /// Ids of the steps, in the order of the graph.
    pub order: RwSignal<Vec<String>>,
    /// Keys of the edges, in the order of the graph.
    pub edges: RwSignal<Vec<EdgeKey>>,
    /// Name, description, inputs.
    pub details: RwSignal<Details>,
    /// The output of the workflow, or of the body that one is in.
    pub output: RwSignal<serde_json::Value>,
    /// The way from the workflow to the level that one stands in.
    pub trail: RwSignal<Vec<Crumb>>,
    /// Goes up with every edit.
    pub edited: RwSignal<u32>,
    /// What undo takes back, and what redo does again.
    pub names: RwSignal<(Option<String>, Option<String>)>,
    /// What a screen reader is told.
    pub said: RwSignal<String>,
    /// Whether the inspector is open: beside the canvas, or in place of it on a phone.
    pub inspector: RwSignal<bool>,
    /// The tab of the inspector: `setup`, `input`, `output` or `log`; kept from step to step.
    pub tab: RwSignal<String>,
    /// Whether the palette floats over a narrow canvas.
    pub palette: RwSignal<bool>,
    /// Where it is said what can't be done.
    toasts: Toasts,
    /// Whether the reader may change anything.
    pub may_edit: bool,
    frame_wanted: StoredValue<Option<Input>>,
}

struct State {
    document: Document,
    history: History,
    steps: HashMap<String, ArcRwSignal<Step>>,
    threads: HashMap<EdgeKey, ArcRwSignal<Thread>>,
}

/// The editor of the designer that this stands in.
pub fn use_editor() -> Editor {
    expect_context::<Editor>()
}

impl Editor {
    /// An editor of a definition, owned by the calling component.
    pub fn new(definition: Definition, may_edit: bool) -> Self {
        let document = Document::new(layout::placed(definition), may_edit);
        let (details, trail) = (document.details.clone(), document.trail());
        let output = document.graph.output.clone();
        let state = State { document, history: History::default(), steps: HashMap::new(), threads: HashMap::new() };
        let editor = Self {
            state: StoredValue::new(state),
            tool: RwSignal::default(),
            view: RwSignal::new(View::default()),
            size: RwSignal::new(Size::default()),
            selection: RwSignal::default(),
            ask: RwSignal::new(None),
            order: RwSignal::default(),
            edges: RwSignal::default(),
            details: RwSignal::new(details),
            output: RwSignal::new(output),
            trail: RwSignal::new(trail),
            edited: RwSignal::new(0),
            names: RwSignal::new((None, None)),
            said: RwSignal::new(String::new()),
            inspector: RwSignal::new(true),
            tab: RwSignal::new("setup".to_owned()),
            palette: RwSignal::new(false),
            toasts: use_toasts(),
            may_edit,
            frame_wanted: StoredValue::new(None),
        };
        editor.publish_definition(None);
        editor
    }

    /// Puts another definition in the place of this one, where one stands. What was done to the old one can't be undone on
    /// it, so that is forgotten. Not an edit.
    pub fn load(self, definition: Definition) {
        self.state.try_update_value(|state| state.history = History::default());
        self.perform(vec![Change::Load(Box::new(layout::placed(definition)))]);
    }

    /// Looks at the document; not tracked.
    pub fn with<T>(self, look: impl FnOnce(&Document) -> T) -> T {
        self.state.with_value(|state| look(&state.document))
    }

    /// Applies changes and sets the signals of what altered.
    pub fn perform(self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let moved = moved_only(&changes);
        let loaded = changes.iter().any(|change| matches!(change, Change::Load(_) | Change::Enter(_)));
        let level = self.level();
        let edited = self.state.try_update_value(|state| state.history.perform(&mut state.document, changes));
        if edited == Some(true) || loaded {
            self.publish_definition(moved.as_ref());
        }
        if edited == Some(true) {
            self.edited.update(|edited| *edited += 1);
        }
        self.publish_rest();
        self.say_level(&level);
    }

    /// The containers that one has gone into; not tracked.
    fn level(self) -> Vec<String> {
        self.with(Document::path)
    }

    /// Says where one is now, if that is elsewhere.
    fn say_level(self, before: &[String]) {
        if self.level() != before {
            let here = self.trail.with_untracked(|trail| trail.last().map(|crumb| crumb.label.clone()));
            self.say(format!("In {}", here.unwrap_or_default()));
        }
    }

    /// Reads the document, makes changes of it, applies them.
    pub fn act(self, action: impl FnOnce(&Document) -> Vec<Change>) {
        let changes = self.with(action);
        self.perform(changes);
    }

    /// As [`Editor::act`], for what may be refused: the reason is shown.
    pub fn try_act(self, action: impl FnOnce(&Document) -> Result<Vec<Change>, String>) {
        if !self.may_edit {
            return;
        }
        match self.with(action) {
            Ok(changes) => self.perform(changes),
            Err(why) => self.toasts.say(Tone::Warn, why),
        }
    }

    /// Feeds the pointer's state machine.
    pub fn input(self, input: Input) {
        let before = self.tool.get_untracked();
        let was_dragging = matches!(before, Tool::Dragging { .. });
        let (tool, changes) = self.with(|document| before.clone().on(input, document));
        let stopped = was_dragging && tool.is_idle();
        if tool != before {
            self.tool.set(tool);
        }
        self.perform(changes);
        if stopped {
            self.publish_definition(None);
        }
    }

    /// Feeds a move with the next frame; of several in one frame only the newest counts.
    pub fn input_with_frame(self, input: Input) {
        let waiting = self.frame_wanted.try_update_value(|wanted| wanted.replace(input).is_some());
        if waiting == Some(false) {
            browser::next_frame(move || self.flush_frame());
        }
    }

    /// Feeds the move that waits for a frame now.
    pub fn flush_frame(self) {
        if let Some(input) = self.frame_wanted.try_update_value(Option::take).flatten() {
            self.input(input);
        }
    }

    /// Takes the newest mark back.
    pub fn undo(self) {
        self.travel("Undone", History::undo);
    }

    /// Does again what was taken back.
    pub fn redo(self) {
        self.travel("Redone", History::redo);
    }

    fn travel(self, verb: &str, go: impl FnOnce(&mut History, &mut Document) -> Option<String>) {
        let name = self.state.try_update_value(|state| go(&mut state.history, &mut state.document)).flatten();
        if let Some(name) = name {
            self.publish_definition(None);
            self.edited.update(|edited| *edited += 1);
            self.publish_rest();
            self.say(format!("{verb}: {name}"));
        }
    }

    /// Tells a screen reader, politely.
    pub fn say(self, text: impl Into<String>) {
        self.said.set(text.into());
    }

    /// The signal of a step, if it is there.
    pub fn step(self, id: &str) -> Option<RwSignal<Step>> {
        self.state.with_value(|state| state.steps.get(id).cloned()).map(RwSignal::from)
    }

    /// The signal of a thread, if it is there.
    pub fn thread(self, key: &EdgeKey) -> Option<RwSignal<Thread>> {
        self.state.with_value(|state| state.threads.get(key).cloned()).map(RwSignal::from)
    }

    /// Shows the whole graph.
    pub fn fit(self) {
        self.act(|document| document.fitted().map(|view| vec![Change::Look(view)]).unwrap_or_default());
    }

    /// Goes to the level of a step, chooses it and brings it into sight.
    pub fn go_to(self, id: &str) {
        if let Some(path) = self.with(|document| document.level_of(id)) {
            self.go_to_level(path);
        }
        self.act(|document| {
            let Some(step) = document.graph.step(id) else {
                return Vec::new();
            };
            let view = document.view.revealing(geometry::node_rect(step), document.size, 64.0);
            vec![Change::Select(Selection::of(id)), Change::Look(view)]
        });
    }

    /// Goes to a level, if one is not there yet.
    pub fn go_to_level(self, path: Vec<String>) {
        if self.level() != path {
            self.perform(vec![Change::Enter(path)]);
        }
    }

    /// Sets what isn't the graph, where it differs.
    fn publish_rest(self) {
        let (selection, view, size, ask, undo, redo) = self.state.with_value(|state| {
            let document = &state.document;
            let (undo, redo) =
                (state.history.undo_name().map(str::to_owned), state.history.redo_name().map(str::to_owned));
            (document.selection.clone(), document.view, document.size, document.ask.clone(), undo, redo)
        });
        set_if_new(self.selection, selection);
        set_if_new(self.view, view);
        set_if_new(self.size, size);
        set_if_new(self.ask, ask);
        set_if_new(self.names, (undo, redo));
    }

    /// Sets the signals of steps and threads that differ. With `moved`, only threads near those steps are routed anew.
    fn publish_definition(self, moved: Option<&HashSet<String>>) {
        let lists = self.state.try_update_value(|state| {
            state.publish_steps();
            let keys = state.publish_threads(moved);
            let order: Vec<String> = state.document.graph.steps.iter().map(|step| step.id.clone()).collect();
            let document = &state.document;
            (order, keys, document.details.clone(), document.graph.output.clone(), document.trail())
        });
        let Some((order, keys, details, output, trail)) = lists else { return };
        set_if_new(self.trail, trail);
        set_if_new(self.order, order);
        set_if_new(self.edges, keys);
        set_if_new(self.details, details);
        set_if_new(self.output, output);
    }
}

fn piece((from, to): &(Point, Point)) -> String {
    format!("M{:.1} {:.1}L{:.1} {:.1}", from.x, from.y, to.x, to.y)
}

fn set_if_new<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}

/// The steps that move, if that is all that happens.
fn moved_only(changes: &[Change]) -> Option<HashSet<String>> {
    let mut ids = HashSet::new();
    for change in changes {
        match change {
            Change::MoveSteps(places) => ids.extend(places.iter().map(|(id, _)| id.clone())),
            change if change.is_edit() || matches!(change, Change::Load(_)) => return None,
            _ => {}
        }
    }
    // Beyond a few, routing all is as quick, and prettier.
    (!ids.is_empty()).then_some(ids)
}

impl State {
    fn publish_steps(&mut self) {
        for step in &self.document.graph.steps {
            match self.steps.get(&step.id) {
                Some(signal) if signal.with_untracked(|old| old == step) => {}
                Some(signal) => signal.set(step.clone()),
                None => {
                    self.steps.insert(step.id.clone(), ArcRwSignal::new(step.clone()));
                }
            }
        }
        if self.steps.len() > self.document.graph.steps.len() {
            let graph = &self.document.graph;
            self.steps.retain(|id, _| graph.step(id).is_some());
        }
    }

    fn publish_threads(&mut self, moved: Option<&HashSet<String>>) -> Vec<EdgeKey> {
        let graph = &self.document.graph;
        let keys = edge_keys(&graph.edges);
        let index: HashMap<&str, usize> = graph.steps.iter().enumerate().map(|(i, s)| (s.id.as_str(), i)).collect();
        let boxes: Vec<Rect> = graph.steps.iter().map(geometry::node_rect).collect();
        let (mut lanes, mut open) = (Lanes::default(), Vec::new());
        let mut drawn: HashSet<EdgeKey> = HashSet::with_capacity(keys.len());
        for (edge, key) in graph.edges.iter().zip(&keys) {
            let (Some(&a), Some(&b)) = (index.get(edge.from.as_str()), index.get(edge.to.as_str())) else {
                continue;
            };
            drawn.insert(key.clone());
            let (from, side) = geometry::out_point(&graph.steps[a], &edge.port);
            let ends = Ends { from, side, to: geometry::in_point(&graph.steps[b]), source: a, target: b };
            let kept = moved.filter(|moved| !moved.contains(&edge.from) && !moved.contains(&edge.to));
            let old = kept.and_then(|_| Some(self.threads.get(key)?.with_untracked(|thread| thread.route.clone())));
            match old {
                Some(route) => lanes.add(&ends, &route),
                None => open.push((edge, key, ends)),
            }
        }
        for (edge, key, ends) in open {
            let route = route::route(&ends, &boxes, &lanes);
            let casing = lanes.crossings(&ends, &route).iter().map(piece).collect();
            lanes.add(&ends, &route);
            let thread = Thread { edge: edge.clone(), route, casing };
            match self.threads.get(key) {
                Some(signal) if signal.with_untracked(|old| *old == thread) => {}
                Some(signal) => signal.set(thread),
                None => {
                    self.threads.insert(key.clone(), ArcRwSignal::new(thread));
                }
            }
        }
        self.threads.retain(|key, _| drawn.contains(key));
        keys.into_iter().filter(|key| drawn.contains(key)).collect()
    }
}

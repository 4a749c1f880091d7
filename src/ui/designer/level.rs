//! The levels of a document: one stands in the workflow's own graph, or in the body of a container, and goes in and out.
//!
//! A zipper: the body that one stands in is taken out of its container, which is kept aside with what lies around it. So
//! everything that works on a graph works inside of a container as it does outside.

use super::document::{Document, Selection};
use super::kernel::View;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Body, Definition, Step};

/// A container that one has gone into.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Its id.
    container: String,
    /// The graph that it stands in; its own body is taken out.
    around: Body,
    /// Where one looked before.
    view: View,
}

/// A place of the way from the workflow to the level that one stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    /// The containers to go into.
    pub path: Vec<String>,
    /// What people read.
    pub label: String,
    /// An icon; none for the workflow.
    pub icon: &'static str,
}

/// These steps and all that their bodies hold, the outer ones first.
pub fn deep(steps: &[Step]) -> Vec<&Step> {
    let mut all: Vec<&Step> = steps.iter().collect();
    let mut next = 0;
    while let Some(step) = all.get(next).copied() {
        all.extend(step.body.iter().flat_map(|body| &body.steps));
        next += 1;
    }
    all
}

/// Whether a step has a body, or may have one.
pub fn is_container(step: &Step) -> bool {
    step.body.is_some() || Kind::find(&step.kind).is_some_and(Kind::has_body)
}

impl Document {
    /// The draft with all its levels.
    pub fn whole(&self) -> Definition {
        let mut graph = self.graph.clone();
        for level in self.levels.iter().rev() {
            let mut around = level.around.clone();
            if let Some(step) = around.steps.iter_mut().find(|step| step.id == level.container) {
                step.body = Some(graph);
            }
            graph = around;
        }
        Definition { weft: self.weft, ..self.details.clone().joined(graph) }
    }

    /// The ids of the containers that one has gone into, outermost first; empty in the workflow's own graph.
    pub fn path(&self) -> Vec<String> {
        self.levels.iter().map(|level| level.container.clone()).collect()
    }

    /// The containers that one has gone into, outermost first; without the body of the next one inside.
    pub fn containers(&self) -> impl DoubleEndedIterator<Item = &Step> {
        self.levels.iter().filter_map(|level| level.around.step(&level.container))
    }

    /// The graphs around, outermost first, each with the container through which one went.
    pub fn around(&self) -> impl DoubleEndedIterator<Item = (&Body, &str)> {
        self.levels.iter().map(|level| (&level.around, level.container.as_str()))
    }

    /// The way from the workflow to here, both included.
    pub fn trail(&self) -> Vec<Crumb> {
        let mut trail = vec![Crumb { path: Vec::new(), label: self.details.name.clone(), icon: "" }];
        let mut path = Vec::new();
        for step in self.containers() {
            path.push(step.id.clone());
            let icon = Kind::find(&step.kind).map_or("group", |kind| kind.icon);
            trail.push(Crumb { path: path.clone(), label: step.label().to_owned(), icon });
        }
        trail
    }

    /// Every step of the draft, at whatever level.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        let around = self.levels.iter().flat_map(|level| deep(&level.around.steps));
        around.chain(deep(&self.graph.steps))
    }

    /// The step with this id, at whatever level. The containers that one has gone into come without their bodies.
    pub fn find(&self, id: &str) -> Option<&Step> {
        self.all_steps().find(|step| step.id == id)
    }

    /// The containers around a step, outermost first; `None` where there is no such step.
    pub fn level_of(&self, id: &str) -> Option<Vec<String>> {
        if let Some(path) = path_in(&self.graph.steps, id) {
            return Some([self.path(), path].concat());
        }
        let path = self.path();
        self.levels
            .iter()
            .enumerate()
            .find_map(|(depth, level)| Some([path[..depth].to_vec(), path_in(&level.around.steps, id)?].concat()))
    }

    /// Goes out to what the two ways have in common and then in, as far as there are such containers. Going out puts the
    /// view back and chooses the container that one was in; going in shows the whole body.
    pub(super) fn enter(&mut self, path: &[String]) {
        let common = self.levels.iter().zip(path).take_while(|(level, id)| level.container == **id).count();
        while self.levels.len() > common {
            self.leave();
        }
        for id in &path[common..] {
            if !self.go_in(id) {
                break;
            }
        }
    }

    fn leave(&mut self) {
        let Some(Level { container, around, view }) = self.levels.pop() else { return };
        let body = std::mem::replace(&mut self.graph, around);
        if let Some(step) = self.graph.steps.iter_mut().find(|step| step.id == container) {
            step.body = Some(body);
        }
        (self.view, self.ask) = (view, None);
        self.selection = Selection::of(&container).pruned(&self.graph);
    }

    fn go_in(&mut self, id: &str) -> bool {
        let Some(step) = self.graph.steps.iter_mut().find(|step| step.id == id).filter(|step| is_container(step))
        else {
            return false;
        };
        let body = step.body.take().unwrap_or_default();
        let around = std::mem::replace(&mut self.graph, body);
        self.levels.push(Level { container: id.to_owned(), around, view: self.view });
        (self.selection, self.ask) = (Selection::default(), None);
        self.view = self.fitted().unwrap_or_else(|| self.empty_view());
        true
    }

    /// Of an empty body: the origin in the middle, so that the first step does not stand in a corner.
    fn empty_view(&self) -> View {
        View { x: self.size.w / 2.0, y: self.size.h / 3.0, zoom: 1.0 }
    }
}

fn path_in(steps: &[Step], id: &str) -> Option<Vec<String>> {
    steps.iter().find_map(|step| {
        if step.id == id {
            return Some(Vec::new());
        }
        let inside = path_in(&step.body.as_ref()?.steps, id)?;
        Some([vec![step.id.clone()], inside].concat())
    })
}

#[cfg(test)]
#[path = "level_tests.rs"]
mod tests;

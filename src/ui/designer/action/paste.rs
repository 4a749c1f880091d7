//! Copying and pasting steps as JSON: a fragment of a definition, or a whole one.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::add::fresh;
use super::speech::Speech;
use super::{counted, subject};
use crate::model::workflow::{Body, Definition, Edge, Position, Step};
use crate::ui::designer::change::Change;
use crate::ui::designer::document::{Document, Selection};
use crate::ui::designer::kernel::snap::to_grid;
use crate::ui::designer::kernel::{Point, Rect, geometry};
use crate::ui::designer::level::deep;

/// Steps with the edges among them: what the clipboard holds. A whole definition reads as one too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fragment {
    /// The steps.
    pub steps: Vec<Step>,
    /// The edges among them.
    #[serde(default)]
    pub edges: Vec<Edge>,
}

/// The chosen steps with the edges among them; `None` when no step is chosen.
pub fn copy(document: &Document) -> Option<Fragment> {
    let steps: Vec<Step> = document.chosen().cloned().collect();
    let inside = |id: &str| document.selection.steps.contains(id);
    let edges = document.graph.edges.iter().filter(|e| inside(&e.from) && inside(&e.to)).cloned().collect();
    (!steps.is_empty()).then_some(Fragment { steps, edges })
}

/// Reads a fragment or a definition from JSON, or takes them from the clipboard's text.
///
/// # Errors
/// What the text lacks, for people.
pub fn paste(document: &Document, text: &str, middle: Option<Point>) -> Result<Vec<Change>, String> {
    let fragment = match serde_json::from_str::<Definition>(text) {
        Ok(whole) => Fragment { steps: whole.steps, edges: whole.edges },
        Err(_) => serde_json::from_str::<Fragment>(text)
            .map_err(|why| format!("The clipboard holds no steps: expected JSON with \"steps\" ({why})."))?,
    };
    if fragment.steps.is_empty() {
        return Err("The clipboard's graph has no steps.".to_owned());
    }
    let name = format!("Paste {}", counted(fragment.steps.len(), "step"));
    Ok(inserted(document, fragment, name, middle))
}

/// Copies the chosen steps beside themselves.
pub fn duplicate(document: &Document) -> Vec<Change> {
    let name = format!("Duplicate {}", subject(document));
    copy(document).map(|fragment| inserted(document, fragment, name, None)).unwrap_or_default()
}

/// A fragment beside what is there, under ids of its own, as one mark of this name.
pub(super) fn inserted(document: &Document, fragment: Fragment, name: String, middle: Option<Point>) -> Vec<Change> {
    let graph = &document.graph;
    let ids = fresh_ids(document, &fragment.steps);
    let (dx, dy) = offset(graph, &fragment.steps, middle);
    let mut changes = vec![Change::mark(name)];
    for (index, step) in fragment.steps.iter().enumerate() {
        let step = ids.iter().fold(step.clone(), |step, (old, new)| Speech::renamed(old, new).in_step(&step));
        let mut step = named(step, &ids);
        step.position = Position { x: step.position.x + dx, y: step.position.y + dy };
        changes.push(Change::AddStep { index: graph.steps.len() + index, step: Box::new(step) });
    }
    let renamed = |id: &String| ids.get(id).cloned().unwrap_or_else(|| id.clone());
    let known = |id: &str| fragment.steps.iter().any(|step| step.id == id);
    for edge in fragment.edges.iter().filter(|edge| known(&edge.from) && known(&edge.to)) {
        let edge = ids.iter().fold(edge.clone(), |edge, (old, new)| Speech::renamed(old, new).in_edge(&edge));
        changes.push(Change::AddEdge { index: usize::MAX, edge: retied(edge, &ids) });
    }
    let pasted: Vec<String> = fragment.steps.iter().map(|step| renamed(&step.id)).collect();
    changes.push(Change::Select(Selection::of_many(pasted)));
    changes
}

/// The step and all inside of it under their new ids.
fn named(mut step: Step, ids: &HashMap<String, String>) -> Step {
    step.id = ids.get(&step.id).cloned().unwrap_or(step.id);
    if let Some(body) = &mut step.body {
        body.steps = std::mem::take(&mut body.steps).into_iter().map(|step| named(step, ids)).collect();
        body.edges = std::mem::take(&mut body.edges).into_iter().map(|edge| retied(edge, ids)).collect();
    }
    step
}

fn retied(edge: Edge, ids: &HashMap<String, String>) -> Edge {
    let renamed = |id: String| ids.get(&id).cloned().unwrap_or(id);
    Edge { from: renamed(edge.from), to: renamed(edge.to), port: edge.port, when: edge.when }
}

/// A free id for each step, also inside of containers, whose own is taken at any level.
fn fresh_ids(document: &Document, steps: &[Step]) -> HashMap<String, String> {
    let brought = deep(steps);
    let mut taken: HashSet<String> = document.all_steps().map(|step| step.id.clone()).collect();
    let mut ids = HashMap::new();
    for step in &brought {
        let base = step.id.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_');
        let base = if base.is_empty() { "step" } else { base };
        let id = if taken.contains(&step.id) {
            fresh(base, |id| !taken.contains(id) && brought.iter().all(|s| s.id != id), '_')
        } else {
            step.id.clone()
        };
        taken.insert(id.clone());
        if id != step.id {
            ids.insert(step.id.clone(), id);
        }
    }
    ids
}

/// To the middle of where one points, else a little down and right until it covers nothing exactly.
fn offset(graph: &Body, steps: &[Step], middle: Option<Point>) -> (f64, f64) {
    let Some(all) = steps.iter().map(geometry::node_rect).reduce(Rect::union) else {
        return (0.0, 0.0);
    };
    if let Some(to) = middle {
        return (to_grid(to.x - all.center().x), to_grid(to.y - all.center().y));
    }
    let covered = |by: f64| {
        steps.iter().any(|new| {
            let at = Position { x: new.position.x + by, y: new.position.y + by };
            graph.steps.iter().any(|old| old.position == at)
        })
    };
    let by = (1..40).map(|n: i32| f64::from(n) * 32.0).find(|by| !covered(*by)).unwrap_or(32.0);
    (by, by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::designer::action;
    use crate::ui::designer::document::Link;
    use crate::ui::designer::history::History;

    fn two_steps() -> (Document, History) {
        let (mut document, mut history) = (Document::new(Definition::empty("test"), true), History::default());
        let changes = action::add_step(&document, "analyze", None, None);
        history.perform(&mut document, changes);
        let link = Link::After { step: "analyze".to_owned(), port: "out".to_owned() };
        let changes = action::add_step(&document, "transform", None, Some(link));
        history.perform(&mut document, changes);
        let changes =
            action::set_config(&document, "transform", "value", Some("{{ steps.analyze.output }}".into()), "Value");
        history.perform(&mut document, changes);
        (document, history)
    }

    #[test]
    fn pasted_steps_get_ids_of_their_own_and_speak_of_each_other() {
        let (mut document, mut history) = two_steps();
        history.perform(
            &mut document,
            vec![Change::Select(Selection::of_many(["analyze".to_owned(), "transform".to_owned()]))],
        );
        let text = serde_json::to_string(&copy(&document).unwrap()).unwrap();
        let changes = paste(&document, &text, None).unwrap();
        history.perform(&mut document, changes);
        let pasted = document.graph.step("transform_2").unwrap();
        assert_eq!(pasted.config["value"], "{{ steps.analyze_2.output }}");
        assert_eq!(document.graph.edges.len(), 2);
        assert_eq!(document.graph.edges[1].from, "analyze_2");
        assert_eq!(history.undo_name(), Some("Paste 2 steps"));
    }

    #[test]
    fn what_is_no_fragment_is_refused_with_its_reason() {
        let (document, _) = two_steps();
        assert!(paste(&document, "hello", None).unwrap_err().contains("expected JSON"));
        assert!(paste(&document, "{\"steps\": []}", None).is_err());
    }
}

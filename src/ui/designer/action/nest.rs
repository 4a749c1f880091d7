//! Going into containers and out of them, and folding them.

use super::replaced;
use crate::model::workflow::{Body, Step};
use crate::ui::designer::change::Change;
use crate::ui::designer::document::Document;
use crate::ui::designer::kernel::geometry;
use crate::ui::designer::kernel::snap::to_grid;
use crate::ui::designer::level::is_container;

/// Goes into a container of this level. Nothing to do for other steps.
pub fn go_into(document: &Document, id: &str) -> Vec<Change> {
    if !document.graph.step(id).is_some_and(is_container) {
        return Vec::new();
    }
    vec![Change::Enter([document.path(), vec![id.to_owned()]].concat())]
}

/// Goes out of the innermost container. Nothing to do in the workflow's own graph.
pub fn go_up(document: &Document) -> Vec<Change> {
    let mut path = document.path();
    if path.pop().is_none() {
        return Vec::new();
    }
    vec![Change::Enter(path)]
}

/// Unfolds the containers with these ids, or folds them when all are unfolded. What stands below and beside makes room,
/// and comes back when they fold.
pub fn toggle_folded<'a>(document: &Document, ids: impl IntoIterator<Item = &'a str>) -> Vec<Change> {
    let steps: Vec<&Step> =
        ids.into_iter().filter_map(|id| document.graph.step(id)).filter(|step| is_container(step)).collect();
    let unfolded = |step: &Step| step.body.as_ref().is_some_and(|body| body.unfolded);
    let all = steps.iter().all(|step| unfolded(step));
    let verb = if all { "Fold" } else { "Unfold" };
    let Some(first) = steps.first() else { return Vec::new() };
    let name = if steps.len() == 1 { first.label().to_owned() } else { super::counted(steps.len(), "container") };
    let mut level = document.graph.steps.clone();
    for step in steps.into_iter().filter(|step| unfolded(step) == all) {
        let body = Body { unfolded: !all, ..step.body.clone().unwrap_or_default() };
        resize(&mut level, Step { body: Some(body), ..step.clone() });
    }
    let altered = level.into_iter().zip(&document.graph.steps).filter(|(new, old)| new != *old);
    let mut changes = vec![Change::mark(format!("{verb} {name}"))];
    let mut places = Vec::new();
    for (new, old) in altered {
        if new.body == old.body {
            places.push((new.id, new.position));
        } else {
            changes.push(replaced(&old.id, new));
        }
    }
    if !places.is_empty() {
        changes.push(Change::MoveSteps(places));
    }
    changes
}

/// Puts a step that is drawn in another size in its place, its middle where it was: what stands below moves down by what
/// it grows, what stands beside it aside. Made small again, everything is back.
fn resize(level: &mut [Step], altered: Step) {
    let Some(at) = level.iter().position(|step| step.id == altered.id) else { return };
    let old = geometry::node_rect(&level[at]);
    let new = geometry::node_size(&altered);
    let (dx, dy) = (to_grid((new.w - old.w) / 2.0), new.h - old.h);
    level[at] = altered;
    level[at].position.x = old.x - dx;
    for (_, step) in level.iter_mut().enumerate().filter(|(other, _)| *other != at) {
        let other = geometry::node_rect(step);
        let is_beside = other.bottom() > old.y;
        if other.y >= old.bottom() {
            step.position.y += dy;
        } else if is_beside && other.x >= old.right() {
            step.position.x += dx;
        } else if is_beside && other.right() <= old.x {
            step.position.x -= dx;
        }
    }
}

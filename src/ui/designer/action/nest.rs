//! Going into containers and out of them, and folding them.

use super::replaced;
use crate::model::workflow::{Body, Step};
use crate::ui::designer::change::Change;
use crate::ui::designer::document::Document;
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

/// Unfolds the containers with these ids, or folds them when all are unfolded.
pub fn toggle_folded<'a>(document: &Document, ids: impl IntoIterator<Item = &'a str>) -> Vec<Change> {
    let steps: Vec<&Step> =
        ids.into_iter().filter_map(|id| document.graph.step(id)).filter(|step| is_container(step)).collect();
    let unfolded = |step: &Step| step.body.as_ref().is_some_and(|body| body.unfolded);
    let all = steps.iter().all(|step| unfolded(step));
    let verb = if all { "Fold" } else { "Unfold" };
    let Some(first) = steps.first() else { return Vec::new() };
    let name = if steps.len() == 1 { first.label().to_owned() } else { super::counted(steps.len(), "container") };
    let mut changes = vec![Change::mark(format!("{verb} {name}"))];
    for step in steps.into_iter().filter(|step| unfolded(step) == all) {
        let body = Body { unfolded: !all, ..step.body.clone().unwrap_or_default() };
        changes.push(replaced(&step.id, Step { body: Some(body), ..step.clone() }));
    }
    changes
}

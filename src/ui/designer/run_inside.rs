//! The bodies of a run that one looks into: read level by level along the way that one has gone into containers.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::editor::Editor;
use super::overlay::{Inside, Overlay, RunView};
use crate::api;
use crate::model::RunId;
use crate::model::workflow::StepState;

/// What decides which bodies are read.
#[derive(Debug, Clone, PartialEq)]
struct Wanted {
    run: RunId,
    /// The history up to which the run is known; with each step of it the bodies are read anew.
    seq: i64,
    /// Containers, and which of their bodies somebody chose.
    path: Vec<(String, Option<u32>)>,
}

/// Reads the bodies on the way to the level of the editor, as long as the caller's owner lives.
pub fn follow(editor: Editor, overlay: Overlay) {
    let wanted = Memo::new(move |_| {
        let trail = editor.trail.read();
        let path = trail.last().map(|here| here.path.clone()).unwrap_or_default();
        let chosen = overlay.chosen.read();
        let path = path.into_iter().map(|id| (id.clone(), chosen.get(&id).copied())).collect();
        let run = overlay.run.read();
        run.as_ref().map(|run| Wanted { run: run.detail.summary.id, seq: run.detail.last_seq, path })
    });
    Effect::new(move |_| {
        let Some(now) = wanted.get() else { return };
        spawn_local(async move {
            let inside = read(overlay, &now).await;
            // What has moved on meanwhile is read by the next.
            if wanted.try_get_untracked().flatten() == Some(now) {
                let _ = overlay.run.try_maybe_update(|run| match run {
                    Some(run) if run.inside != inside => {
                        run.inside = inside;
                        (true, ())
                    }
                    _ => (false, ()),
                });
            }
        });
    });
}

/// As far as bodies have begun.
async fn read(overlay: Overlay, wanted: &Wanted) -> Vec<Inside> {
    let mut inside: Vec<Inside> = Vec::new();
    let mut prefix = String::new();
    for (container, chosen) in &wanted.path {
        let state = match inside.last() {
            Some(around) => around.steps.iter().find(|step| step.id == *container).cloned(),
            None => outermost(overlay, container),
        };
        let Some(begun) = state.as_ref().map(begun).filter(|begun| *begun > 0) else { break };
        let index = chosen.unwrap_or(begun - 1).min(begun - 1);
        let path = format!("{prefix}{container}[{index}]");
        let Ok(body) = api::runs::get_body(wanted.run, path.clone()).await else { break };
        let (kind, item) = described(overlay, container, state.as_ref(), index);
        inside.push(Inside { container: container.clone(), index, begun, kind, item, steps: body.steps });
        prefix = format!("{path}.");
    }
    inside
}

fn outermost(overlay: Overlay, container: &str) -> Option<StepState> {
    let find = |run: &Option<RunView>| {
        run.as_ref().and_then(|run| run.detail.steps.iter().find(|step| step.id == container).cloned())
    };
    overlay.run.try_with_untracked(find).flatten()
}

/// How many bodies of a container have begun.
fn begun(container: &StepState) -> u32 {
    container.bodies.map_or(0, |bodies| bodies.begun)
}

/// The container's kind, and the item of this body.
fn described(
    overlay: Overlay,
    container: &str,
    state: Option<&StepState>,
    index: u32,
) -> (String, Option<serde_json::Value>) {
    let find = |run: &Option<RunView>| {
        let steps = &run.as_ref()?.detail.definition.steps;
        super::level::deep(steps).into_iter().find(|step| step.id == container).map(|step| step.kind.clone())
    };
    let kind = overlay.run.try_with_untracked(find).flatten().unwrap_or_default();
    let items = state.and_then(|state| state.input.get("items")).and_then(serde_json::Value::as_array);
    (kind, items.and_then(|items| items.get(index as usize)).cloned())
}

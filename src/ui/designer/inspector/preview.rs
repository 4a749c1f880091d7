//! The value that an expression would have had in the last run.

use serde_json::Value;

use crate::model::workflow::expression::{self, Around, Scope, StepScope};
use crate::model::{RunId, Timestamp};
use crate::ui::designer::overlay::RunView;

/// How much of a value is shown.
const SHOWN_CHARS: usize = 600;

impl Scope for RunView {
    fn inputs(&self) -> &Value {
        &self.detail.inputs
    }

    fn step(&self, id: &str) -> Option<StepScope<'_>> {
        let step = Self::step(self, id)?;
        Some(StepScope { output: &step.output, status: step.status, error: step.error.as_ref(), input: None })
    }

    fn step_ids(&self) -> Vec<String> {
        let inside = self.inside.iter().flat_map(|inside| &inside.steps);
        self.detail.steps.iter().chain(inside).map(|step| step.id.clone()).collect()
    }

    fn run_id(&self) -> RunId {
        self.detail.summary.id
    }

    fn started_at(&self) -> Option<Timestamp> {
        self.detail.summary.started_at
    }

    fn workflow_name(&self) -> &str {
        &self.detail.definition.name
    }

    // What the iteration before gave is not read along: an expression with `last` has no value here.
    fn around(&self) -> Around<'_> {
        let nearest = |kind: &str| self.inside.iter().rev().find(|inside| inside.kind == kind);
        let (map, repeat) = (nearest("map"), nearest("repeat"));
        Around {
            item: map.and_then(|map| map.item.as_ref()),
            index: map.map(|map| map.index),
            iteration: repeat.map(|repeat| repeat.index + 1),
            last: repeat.filter(|repeat| repeat.index == 0).map(|_| &Value::Null),
        }
    }
}

/// What an expression gives in a run: its value or what is wrong. `None` for plain text, which needs no preview.
pub fn preview(source: &str, bare: bool, run: &RunView) -> Option<Result<String, String>> {
    if source.trim().is_empty() || !bare && !source.contains("{{") && !source.contains("{%") {
        return None;
    }
    let value =
        if bare { expression::eval(source, run) } else { expression::render(&Value::String(source.to_owned()), run) };
    Some(value.map(|value| shown(&value)).map_err(|error| error.to_string()))
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

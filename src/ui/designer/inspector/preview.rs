//! The value that an expression would have had in the last run.

use serde_json::Value;

use crate::model::workflow::expression::{self, Scope, StepScope};
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
        Some(StepScope { output: &step.output, status: step.status, error: step.error.as_ref() })
    }

    fn step_ids(&self) -> Vec<String> {
        self.detail.steps.iter().map(|step| step.id.clone()).collect()
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

//! What happens when a run of the workflow ends badly: what it did is undone, another workflow is started.

use leptos::prelude::*;

use super::limits::{TemplateLine, problem_at};
use super::settings::Part;
use super::workflow::alter;
use crate::model::workflow::{CompensateWhen, CompensationFailure, CompensationPolicy};
use crate::ui::components::{Choice, Select};
use crate::ui::designer::editor::use_editor;

const WHEN: [(CompensateWhen, &str, &str); 4] = [
    (CompensateWhen::Always, "always", "When a run fails or is cancelled"),
    (CompensateWhen::Failed, "failed", "When a run fails"),
    (CompensateWhen::Cancelled, "cancelled", "When a run is cancelled"),
    (CompensateWhen::Never, "never", "Never"),
];

const ON_ERROR: [(CompensationFailure, &str, &str); 2] = [
    (CompensationFailure::Continue, "continue", "The others are still undone"),
    (CompensationFailure::Stop, "stop", "Nothing more is undone"),
];

/// Undoing, and the workflow that is told.
#[component]
pub fn BadEnd() -> impl IntoView {
    view! {
        <h3 class="label">"When a run ends badly"</h3>
        <div class="disclosures">
            <UndoingPart />
            <HandlerPart />
        </div>
    }
}

#[component]
fn UndoingPart() -> impl IntoView {
    let editor = use_editor();
    let policy = Memo::new(move |_| editor.details.read().compensation);
    let when = move || WHEN.into_iter().find(|(when, ..)| *when == policy.get().when).unwrap_or(WHEN[0]);
    let on_error =
        move || ON_ERROR.into_iter().find(|(then, ..)| *then == policy.get().on_error).unwrap_or(ON_ERROR[0]);
    let put = move |what: &'static str, by: &dyn Fn(&mut CompensationPolicy)| {
        alter(editor, what, |details| by(&mut details.compensation));
    };
    let set_when = Callback::new(move |word: String| {
        let chosen = WHEN.into_iter().find(|(_, name, _)| *name == word).map(|(when, ..)| when).unwrap_or_default();
        put("when steps are undone", &|policy| policy.when = chosen);
    });
    let set_on_error = Callback::new(move |word: String| {
        let chosen = ON_ERROR.into_iter().find(|(_, name, _)| *name == word).map(|(then, ..)| then);
        put("what a failure to undo does", &|policy| policy.on_error = chosen.unwrap_or_default());
    });
    view! {
        <Part title="Undo what it did" aside=Signal::derive(move || when().2.to_owned())>
            <Select
                id="compensate-when"
                label="When"
                value=(Signal::derive(move || when().1.to_owned()), set_when)
                choices=Signal::stored(WHEN.map(|(_, name, words)| Choice::new(name, words)).to_vec())
                hint=Signal::stored(Some("Of the steps that say what undoes them, those that succeeded; the newest first.".to_owned()))
            />
            <Select
                id="compensate-on-error"
                label="If something can't be undone"
                value=(Signal::derive(move || on_error().1.to_owned()), set_on_error)
                choices=Signal::stored(ON_ERROR.map(|(_, name, words)| Choice::new(name, words)).to_vec())
            />
        </Part>
    }
}

#[component]
fn HandlerPart() -> impl IntoView {
    let editor = use_editor();
    let handler = Memo::new(move |_| editor.details.read().on_failure.clone());
    let aside = Signal::derive(move || handler.get().unwrap_or_else(|| "No workflow".to_owned()));
    let value = Signal::derive(move || handler.get().unwrap_or_default());
    let set = Callback::new(move |text: String| {
        let name = text.trim().to_owned();
        alter(editor, "what is started when a run fails", |details| {
            details.on_failure = (!name.is_empty()).then_some(name);
        });
    });
    view! {
        <Part title="Start when a run fails" aside>
            <TemplateLine
                id="on-failure"
                label="Workflow, by name or id"
                value
                set
                placeholder="Tell the team"
                hint="Its newest version is started once for each failure, with the inputs run_id, error, inputs and workflow; it gets those that it knows."
                error=problem_at("/on_failure")
            />
        </Part>
    }
}

//! What is wrong with the draft: counted on each step, listed in the header, one press from its place.

use std::collections::HashMap;

use leptos::prelude::*;

use super::document::Document;
use super::editor::{Editor, use_editor};
use super::keys;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Problem, Severity, Step, check};
use crate::ui::browser;
use crate::ui::components::Icon;

/// How long the draft is left alone before it is checked.
const SETTLE_MS: i32 = 120;

/// The problems of the draft. Copied into every view through the context.
#[derive(Clone, Copy)]
pub struct Problems {
    all: Memo<Vec<Problem>>,
    counts: Memo<HashMap<String, usize>>,
}

/// The problems of the designer that this stands in.
pub fn use_problems() -> Problems {
    expect_context::<Problems>()
}

impl Problems {
    /// Checks the editor's draft now, and again whenever it has settled after an edit.
    pub fn new(editor: Editor) -> Self {
        let settled = RwSignal::new(0_u32);
        Effect::new(move |_| {
            let edited = editor.edited.get();
            let guard = StoredValue::new_local(browser::after_ms(SETTLE_MS, move || {
                let _ = settled.try_set(edited);
            }));
            on_cleanup(move || guard.dispose());
        });
        let all = Memo::new(move |_| {
            settled.track();
            editor.with(|document| check::check(&document.whole()))
        });
        let counts = Memo::new(move |_| {
            let mut counts: HashMap<String, usize> = HashMap::new();
            for id in all.read().iter().filter_map(|problem| problem.step.clone()) {
                // What is wrong inside of a container is seen on it too, else nobody would look there.
                for around in editor.with(|document| document.level_of(&id)).unwrap_or_default() {
                    *counts.entry(around).or_default() += 1;
                }
                *counts.entry(id).or_default() += 1;
            }
            counts
        });
        Self { all, counts }
    }

    /// How many a step has.
    pub fn of_step(self, id: String) -> Memo<usize> {
        Memo::new(move |_| self.counts.read().get(&id).copied().unwrap_or(0))
    }

    /// The messages at a field of a step, such as `/config/url`, or below it.
    pub fn at(self, step: String, field: &str) -> Memo<Option<String>> {
        let (field, below) = (field.to_owned(), format!("{field}/"));
        Memo::new(move |_| {
            let all = self.all.read();
            let here =
                |p: &&Problem| p.step.as_ref() == Some(&step) && (p.field == field || p.field.starts_with(&below));
            let found: Vec<&str> = all.iter().filter(here).map(|problem| problem.message.as_str()).collect();
            (!found.is_empty()).then(|| found.join("; "))
        })
    }

    /// All of them.
    pub fn all(self) -> Memo<Vec<Problem>> {
        self.all
    }

    /// Why the draft can't be published or run, if it can't.
    pub fn refusal(self) -> Option<String> {
        let errors = self.all.read().iter().filter(|problem| problem.severity == Severity::Error).count();
        (errors > 0).then(|| format!("Mend {} first", super::action::counted(errors, "problem")))
    }
}

/// The button that counts the problems and opens their list; absent while there is none.
#[component]
pub fn ProblemsButton() -> impl IntoView {
    let problems = use_problems().all();
    let editor = use_editor();
    let count = Memo::new(move |_| problems.read().len());
    let place = RwSignal::new(browser::Beside::default());
    let button = NodeRef::<leptos::html::Button>::new();
    let style = move || format!("--x: {}; --y: {}", place.get().x, place.get().y);
    view! {
        <Show when=move || count.get() != 0>
            <button
                class="button"
                data-variant="danger"
                data-size="sm"
                data-collapse=""
                popovertarget="problems"
                aria-haspopup="dialog"
                node_ref=button
                on:click=move |_| {
                    if let Some(button) = button.get_untracked() {
                        place.set(browser::beside(&button));
                    }
                }
            >
                <Icon name="warning" />
                <span class="button-label">{move || super::action::counted(count.get(), "problem")}</span>
            </button>
        </Show>
        <div
            class="menu problems-menu"
            id="problems"
            popover="auto"
            role="dialog"
            aria-label="Problems"
            data-align=move || place.get().from_right.then_some("end")
            style=style
        >
            <ul class="problems">
                {move || problems.get().into_iter().map(|problem| view! { <Row problem editor /> }).collect_view()}
            </ul>
        </div>
    }
}

#[component]
fn Row(problem: Problem, editor: Editor) -> impl IntoView {
    let place = editor.with(|document| place(document, &problem));
    let Problem { severity, step, field, message } = problem;
    let go = move |_| {
        editor.inspector.set(true);
        match &step {
            // What is wrong with a body as a whole, such as its output, is mended in it.
            Some(step) if field.starts_with("/body/") => {
                editor.go_to(step);
                editor.act(|document| super::action::go_into(document, step));
            }
            Some(step) => editor.go_to(step),
            None => {
                editor.go_to_level(Vec::new());
                editor.perform(vec![super::change::Change::Select(super::document::Selection::default())]);
            }
        }
        browser::next_frame(move || keys::focus_canvas(editor));
    };
    let level = (severity == Severity::Warning).then_some("warning");
    view! {
        <li>
            <button class="problem" popovertarget="problems" popovertargetaction="hide" data-level=level on:click=go>
                <Icon name="warning" />
                <span>{sentence(&message)}</span>
                <span class="where">{place}</span>
            </button>
        </li>
    }
}

/// "Fetch the page, Address"; inside of containers "For each file / Fetch the page, Address".
fn place(document: &Document, problem: &Problem) -> String {
    let Some(step) = problem.step.as_deref() else {
        return "The workflow".to_owned();
    };
    let known = document.find(step);
    let mut way = document.level_of(step).unwrap_or_default();
    way.push(step.to_owned());
    let labels: Vec<&str> = way.iter().map(|id| document.find(id).map_or(id.as_str(), Step::label)).collect();
    let label = labels.join(" / ");
    let mut parts = problem.field.split('/').skip(1);
    let field = match (parts.next(), parts.next()) {
        (Some("config"), Some(name)) => known
            .and_then(|step| Kind::find(&step.kind))
            .and_then(|kind| kind.fields.iter().find(|field| field.name == name))
            .map_or_else(|| name.to_owned(), |field| field.label.to_owned()),
        (Some("body"), Some("output")) => "what it gives".to_owned(),
        (Some("body"), _) => "steps inside".to_owned(),
        (Some(first), _) => first.replace('_', " "),
        (None, _) => String::new(),
    };
    if field.is_empty() { label } else { format!("{label}, {field}") }
}

/// With a capital first letter and a full stop.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

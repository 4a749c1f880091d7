//! What undoes a step when its run fails or is cancelled later.

use leptos::prelude::*;
use serde_json::Value;

use super::field::{FieldContext, ShapeEditor};
use super::number::NumberLine;
use super::settings::{MAX_TIMEOUT_MS, Part};
use crate::model::workflow::kind::{Field, KINDS, Kind};
use crate::model::workflow::{Compensation, Retry, Step};
use crate::ui::components::{Choice, Select};
use crate::ui::designer::action;
use crate::ui::designer::editor::{Editor, use_editor};
use crate::ui::designer::problems::{sentence, use_problems};
use crate::ui::format;

/// The kinds that can undo something.
fn offered() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(|kind| !kind.pure_step && !kind.has_body())
}

/// What undoes it: a kind, its fields, and how patiently.
#[component]
pub fn UndoPart(id: String, step: RwSignal<Step>) -> impl IntoView {
    let kind = Memo::new(move |_| step.read().compensate.as_ref().map(|undo| undo.kind.clone()));
    let title = |name: &str| Kind::find(name).map_or(name, |kind| kind.title).to_owned();
    let aside = Signal::derive(move || kind.get().map_or_else(|| "Nothing does".to_owned(), |kind| title(&kind)));
    let value = Signal::derive(move || kind.get().unwrap_or_default());
    let put = Put { step, editor: use_editor() };
    let set = Callback::new(move |name: String| {
        put.whole("what undoes it", |undo| {
            *undo = (!name.is_empty()).then(|| {
                let patience = undo.take().map(|undo| (undo.retry, undo.timeout_ms)).unwrap_or_default();
                let (retry, timeout_ms) = patience;
                Compensation { kind: name, name: String::new(), config: serde_json::Map::new(), retry, timeout_ms }
            });
        });
    });
    let choices: Vec<Choice> = std::iter::once(Choice::new("", "Nothing undoes it"))
        .chain(offered().map(|kind| Choice::new(kind.name, kind.title)))
        .collect();
    let problem = use_problems().at(id.clone(), "/compensate/kind");
    let error = Signal::derive(move || problem.get().map(|problem| sentence(&problem)));
    let hint = "When the run fails or is cancelled after this step has succeeded. The newest step is undone first.";
    let id = StoredValue::new(id);
    view! {
        <Part title="Undo" aside>
            <Select
                id="undo-kind"
                label="What undoes it"
                value=(value, set)
                choices=Signal::stored(choices.clone())
                hint=Signal::stored(Some(hint.to_owned()))
                error
            />
            {move || {
                kind.get().map(|name| {
                    let kind = Kind::find(&name);
                    view! {
                        <p class="hint">
                            "Its fields see " <code>{id.with_value(|id| format!("steps.{id}.output"))}</code> " and "
                            <code>{id.with_value(|id| format!("steps.{id}.input"))}</code>
                            ", and what ran before; they are filled in when the step succeeds."
                        </p>
                        {kind.map(|kind| {
                            let field = |field| view! { <UndoField id=id.get_value() step field /> };
                            kind.fields.iter().map(field).collect_view()
                        })}
                        <Patience step kind />
                    }
                })
            }}
        </Part>
    }
}

/// Alters what undoes a step.
#[derive(Clone, Copy)]
struct Put {
    step: RwSignal<Step>,
    editor: Editor,
}

impl Put {
    fn whole(self, what: &str, by: impl FnOnce(&mut Option<Compensation>)) {
        let mut altered = self.step.get_untracked();
        by(&mut altered.compensate);
        self.editor.act(|document| action::set_step(document, altered, what));
    }

    fn part(self, what: &str, by: impl FnOnce(&mut Compensation)) {
        self.whole(what, |undo| {
            if let Some(undo) = undo {
                by(undo);
            }
        });
    }
}

/// A field of what undoes a step.
#[component]
fn UndoField(id: String, step: RwSignal<Step>, field: &'static Field) -> impl IntoView {
    let name = field.name;
    let put = Put { step, editor: use_editor() };
    let context = FieldContext {
        control: StoredValue::new(format!("undo-{name}")),
        step: StoredValue::new(id.clone()),
        field,
        value: Memo::new(move |_| step.read().compensate.as_ref().and_then(|undo| undo.config.get(name).cloned())),
        error: use_problems().at(id, &format!("/compensate/config/{name}")),
        set: Callback::new(move |value: Option<Value>| {
            put.part(field.label, |undo| match value {
                Some(value) => drop(undo.config.insert(name.to_owned(), value)),
                None => drop(undo.config.remove(name)),
            });
        }),
    };
    view! { <ShapeEditor context /> }
}

/// How often it is tried, and how long.
#[component]
fn Patience(step: RwSignal<Step>, kind: Option<&'static Kind>) -> impl IntoView {
    let put = Put { step, editor: use_editor() };
    let read = move |by: fn(&Compensation) -> Option<String>| {
        Signal::derive(move || step.read().compensate.as_ref().and_then(by).unwrap_or_default())
    };
    let set_attempts = Callback::new(move |number: Option<f64>| {
        put.part("how often undoing is tried", |undo| {
            let attempts = number.unwrap_or(1.0).clamp(1.0, 100.0) as u32;
            let known = undo.retry.take().unwrap_or_default();
            undo.retry = (attempts > 1).then_some(Retry { max_attempts: attempts, ..known });
        });
    });
    let set_limit = Callback::new(move |number: Option<f64>| {
        put.part("how long undoing may take", |undo| {
            undo.timeout_ms = number.map(|ms| ms.clamp(1.0, MAX_TIMEOUT_MS) as u64);
        });
    });
    view! {
        <div class="grid" style="--cols: 1fr 1fr">
            <NumberLine
                id="undo-attempts"
                label="Attempts in all"
                value=read(|undo| undo.retry.as_ref().map(|retry| retry.max_attempts.to_string()))
                placeholder="1".to_owned()
                within=(1.0, 100.0)
                whole=true
                set=set_attempts
            />
            <NumberLine
                id="undo-timeout"
                label="Time limit"
                value=read(|undo| undo.timeout_ms.map(|ms| ms.to_string()))
                placeholder=kind.map_or_else(String::new, |kind| format::span(kind.default_timeout_ms as i64))
                within=(1.0, MAX_TIMEOUT_MS)
                time=true
                set=set_limit
            />
        </div>
    }
}

//! How a route orders its models: the part of its form below the models, and what each of them needs for it.

use leptos::prelude::*;

use super::route_dialog::Saving;
use super::route_form::{Form, Line, RULES};
use crate::model::ApiError;
use crate::model::gateway::{By, Level};
use crate::ui::components::{Bound, Checkbox, Choice, Select, TextInput};

/// What the chosen order means.
const fn hint(by: By) -> &'static str {
    match by {
        By::Order => "The next is asked where the one before does not answer.",
        By::Weight => {
            "The first is drawn for each call, with a chance as its weight: 90 and 10 are a roll-out of ten percent. The weight 0 switches a model off."
        }
        By::Cost => "By the prices of the providers and the length of the call. What has no price comes last.",
        By::Latency => {
            "By how soon each began to answer in the last ten minutes. What was not asked lately comes first, to find out."
        }
        By::Task => {
            "By a score of the task: files, technologies, length, tools. It goes to the plainest model that takes it."
        }
    }
}

fn chosen(form: RwSignal<Form>) -> Memo<By> {
    Memo::new(move |_| form.with(|form| By::parse(&form.by).unwrap_or_default()))
}

/// By what, and what belongs to that.
#[component]
pub(super) fn PolicyFields(form: RwSignal<Form>, save: Saving) -> impl IntoView {
    let by = chosen(form);
    let value = Bound::from((
        Memo::new(move |_| form.with(|form| form.by.clone())).into(),
        Callback::new(move |value: String| form.update(|form| form.by = value)),
    ));
    let sticky = Bound::from((
        Memo::new(move |_| form.with(|form| form.sticky)).into(),
        Callback::new(move |value: bool| form.update(|form| form.sticky = value)),
    ));
    let choices: Vec<Choice> = By::ALL.iter().map(|by| Choice::new(by.as_str(), by.label())).collect();
    view! {
        <Select
            id="route-by" label="Which is asked first" value choices=Signal::stored(choices)
            hint=Signal::derive(move || Some(hint(by.get()).to_owned()))
        />
        <Show when=move || by.get() == By::Task fallback=|| ()>
            <TaskFields form save />
        </Show>
        <Show when=move || by.get() != By::Order fallback=|| ()>
            <Checkbox id="route-sticky" label="Calls of one session stay with the model that answered first" value=sticky />
        </Show>
        <HedgeFields form save />
    }
}

/// Whether the next is asked too where one is slow, and when; of use to routes of several models only.
#[component]
fn HedgeFields(form: RwSignal<Form>, save: Saving) -> impl IntoView {
    let hedges = Memo::new(move |_| form.with(|form| form.hedges));
    let is_offered = Memo::new(move |_| form.with(|form| form.hedges || form.lines.len() > 1));
    let wanted = Bound::from((hedges.into(), Callback::new(move |value| form.update(|form| form.hedges = value))));
    let after = Bound::from((
        Memo::new(move |_| form.with(|form| form.hedge_ms.clone())).into(),
        Callback::new(move |value: String| form.update(|form| form.hedge_ms = value)),
    ));
    let error = Signal::derive(move || {
        save.value().with(|answer| match answer {
            Some(Err(error)) => ApiError::field(error, "/policy/hedge/after_ms").map(str::to_owned),
            _ => None,
        })
    });
    view! {
        <Show when=move || is_offered.get() fallback=|| ()>
            <Checkbox id="route-hedge" label="Ask the next one too where one is slow to begin" value=wanted />
        </Show>
        <Show when=move || hedges.get() fallback=|| ()>
            <TextInput
                id="route-hedge-ms" label="Ask the next one too after, in ms" value=after error attr:inputmode="numeric"
                hint=Some("Whoever begins first answers. The other is dropped, and costs what it had read by then. At most one call in ten is made twice.".to_owned())
            />
        </Show>
    }
}

/// The points of a task.
#[component]
fn TaskFields(form: RwSignal<Form>, save: Saving) -> impl IntoView {
    let error = move |pointer: String| {
        Signal::derive(move || {
            save.value().with(|answer| match answer {
                Some(Err(error)) => ApiError::field(error, &pointer).map(str::to_owned),
                _ => None,
            })
        })
    };
    let field = move |(at, (name, label)): (usize, &'static (&'static str, &'static str))| {
        let value = Bound::from((
            Memo::new(move |_| form.with(|form| form.rules[at].clone())).into(),
            Callback::new(move |value: String| form.update(|form| form.rules[at] = value)),
        ));
        view! {
            <TextInput id=format!("route-task-{name}") label=*label value error=error(format!("/policy/task/{name}")) attr:inputmode="numeric" />
        }
    };
    view! {
        <fieldset class="field">
            <legend>"Points"</legend>
            <div class="task-rules">{RULES.iter().enumerate().map(field).collect_view()}</div>
        </fieldset>
    }
}

/// What a model of the route needs for the order that is chosen.
#[component]
pub(super) fn LinePolicy(form: RwSignal<Form>, key: u32, place: Memo<usize>) -> impl IntoView {
    let by = chosen(form);
    let line = move |get: fn(&Line) -> String| {
        form.with(|form| form.lines.iter().find(|line| line.key == key).map(get)).unwrap_or_default()
    };
    let write = move |set: fn(&mut Line, String), value: String| {
        form.update(|form| {
            if let Some(line) = form.lines.iter_mut().find(|line| line.key == key) {
                set(line, value);
            }
        });
    };
    move || {
        match by.get() {
        By::Weight => view! {
            <input
                class="input num line-policy" inputmode="numeric" aria-label=move || format!("Weight of model {}", place.get() + 1) title="Weight"
                prop:value=move || line(|line| line.weight.clone())
                on:input=move |event| write(|line, value| line.weight = value, event_target_value(&event))
            />
        }
        .into_any(),
        By::Task => {
            let chosen = form.with_untracked(|form| {
                form.lines.iter().find(|line| line.key == key).map(|line| line.takes.clone()).unwrap_or_default()
            });
            let option = |level: &Level| {
                let selected = level.as_str() == chosen;
                view! { <option value=level.as_str() selected=selected>{format!("up to {}", level.as_str())}</option> }
            };
            view! {
                <select
                    class="input line-policy" aria-label=move || format!("Tasks of model {}", place.get() + 1) title="The hardest task that it takes"
                    prop:value=move || line(|line| line.takes.clone())
                    on:change=move |event| write(|line, value| line.takes = value, event_target_value(&event))
                >
                    {Level::ALL.iter().map(option).collect_view()}
                </select>
            }
            .into_any()
        }
        By::Order | By::Cost | By::Latency => ().into_any(),
    }
    }
}

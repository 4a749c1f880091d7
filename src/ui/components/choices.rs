//! Controls that choose: one of a list, yes or no.

use leptos::prelude::*;

use super::field::{FieldNotes, described_by};
use super::{Bound, Field};

/// One of the values that a [`Select`] offers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Choice {
    /// As stored.
    pub value: String,
    /// As a person reads it.
    pub label: String,
}

impl Choice {
    /// A value and how a person reads it.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }
}

/// One of a list. A value that the list lacks is shown as it is, so that nothing is altered unseen.
#[component]
pub fn Select(
    /// Unique on the page; also its name in a form.
    #[prop(into)]
    id: String,
    #[prop(into)] label: Signal<String>,
    #[prop(into)] value: Bound<String>,
    #[prop(into)] choices: Signal<Vec<Choice>>,
    #[prop(into, optional)] hint: Signal<Option<String>>,
    #[prop(into, optional)] error: Signal<Option<String>>,
    #[prop(into, optional)] aside: Signal<Option<String>>,
) -> impl IntoView {
    let described = described_by(&id, hint, error);
    let offered = move || {
        let mut choices = choices.get();
        let chosen = value.get.get();
        if !chosen.is_empty() && !choices.iter().any(|choice| choice.value == chosen) {
            choices.insert(0, Choice::new(chosen.clone(), chosen));
        }
        choices
    };
    view! {
        <Field id=id.clone() label hint error aside>
            <select
                class="input"
                id=id.clone()
                name=id
                aria-describedby=move || described.get()
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                on:change=move |event| value.set.run(event_target_value(&event))
            >
                <For each=offered key=Clone::clone let:choice>
                    <ChoiceOption choice value=value.get />
                </For>
            </select>
        </Field>
    }
}

#[component]
fn ChoiceOption(choice: Choice, value: Signal<String>) -> impl IntoView {
    let Choice { value: own, label } = choice;
    let chosen = {
        let own = own.clone();
        Signal::derive(move || value.with(|value| *value == own))
    };
    view! { <option value=own selected=move || chosen.get() prop:selected=move || chosen.get()>{label}</option> }
}

/// A box with its label.
#[component]
pub fn Checkbox(
    /// Unique on the page; also its name in a form.
    #[prop(into)]
    id: String,
    #[prop(into)] label: Signal<String>,
    #[prop(into)] value: Bound<bool>,
) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                id=id.clone()
                name=id
                checked=value.get.get_untracked()
                prop:checked=move || value.get.get()
                on:change=move |event| value.set.run(event_target_checked(&event))
            />
            {move || label.get()}
        </label>
    }
}

/// A switch with its label: it works at once, no button sends it.
#[component]
pub fn Switch(
    /// Unique on the page.
    #[prop(into)]
    id: String,
    #[prop(into)] label: Signal<String>,
    #[prop(into)] value: Bound<bool>,
    #[prop(into, optional)] hint: Signal<Option<String>>,
    #[prop(into, optional)] error: Signal<Option<String>>,
) -> impl IntoView {
    let described = described_by(&id, hint, error);
    view! {
        <div class="toggle">
            <input
                class="switch"
                type="checkbox"
                role="switch"
                id=id.clone()
                checked=value.get.get_untracked()
                aria-describedby=move || described.get()
                prop:checked=move || value.get.get()
                on:change=move |event| value.set.run(event_target_checked(&event))
            />
            <label for=id.clone()>{move || label.get()}</label>
            <FieldNotes id hint error />
        </div>
    }
}

/// One of a list, in a toolbar: what it narrows is read out, not shown.
#[component]
pub fn FilterSelect(
    /// Read out: "Trigger".
    label: &'static str,
    /// The chosen one.
    #[prop(into)]
    value: Signal<String>,
    #[prop(into)] choices: Signal<Vec<Choice>>,
    #[prop(into)] on_choose: Callback<String>,
) -> impl IntoView {
    let options = move || {
        let option = |Choice { value: own, label }: Choice| {
            let chosen = value.with_untracked(|value| *value == own);
            view! { <option value=own selected=chosen>{label}</option> }
        };
        choices.get().into_iter().map(option).collect_view()
    };
    view! {
        <select
            class="input"
            data-fit=""
            data-size="sm"
            aria-label=label
            prop:value=move || {
                choices.track();
                value.get()
            }
            on:change=move |event| on_choose.run(event_target_value(&event))
        >
            {options}
        </select>
    }
}

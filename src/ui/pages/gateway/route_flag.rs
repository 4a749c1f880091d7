//! Behind which flag a model of a route stands.

use leptos::prelude::*;

use super::route_form::Form;

/// A choice of flags; nothing where there is none.
#[component]
pub(super) fn LineFlag(
    form: RwSignal<Form>,
    flags: RwSignal<Vec<String>>,
    key: u32,
    place: Memo<usize>,
) -> impl IntoView {
    let value = Memo::new(move |_| {
        form.with(|form| form.lines.iter().find(|line| line.key == key).map(|line| line.flag.clone()))
            .unwrap_or_default()
    });
    let choose = move |event| {
        let flag = event_target_value(&event);
        form.update(|form| {
            if let Some(line) = form.lines.iter_mut().find(|line| line.key == key) {
                line.flag = flag;
            }
        });
    };
    move || {
        let mut names = flags.get();
        let chosen = value.get_untracked();
        if names.is_empty() && chosen.is_empty() {
            return ().into_any();
        }
        if !chosen.is_empty() && !names.contains(&chosen) {
            names.push(chosen.clone());
        }
        let option = |name: String| {
            let selected = name == chosen;
            view! { <option value=name.clone() selected=selected>{format!("behind the flag {name}")}</option> }
        };
        let options = names.into_iter().map(option).collect_view();
        view! {
            <select
                class="input line-flag" aria-label=move || format!("Flag of model {}", place.get() + 1)
                prop:value=move || value.get() on:change=choose
            >
                <option value="" selected=chosen.is_empty()>"for every call"</option>
                {options}
            </select>
        }
        .into_any()
    }
}

//! A field that searches as one types.

use leptos::prelude::*;

use super::Icon;
use crate::ui::browser;

/// How long the typing must rest before the search begins, in ms.
const REST_MS: i32 = 200;

/// A search field. What is typed is told once the typing rests, or at Enter.
#[component]
pub fn SearchBox(
    /// "Search workflows".
    label: &'static str,
    /// What is searched for; another value than what was typed last replaces the text.
    #[prop(into)]
    words: Signal<String>,
    #[prop(into)] on_search: Callback<String>,
) -> impl IntoView {
    let text = RwSignal::new(words.get_untracked());
    let told = StoredValue::new(words.get_untracked());
    let timer = browser::GuardSlot::new();
    Effect::new(move |_| {
        let words = words.get();
        if told.with_value(|told| *told != words) {
            told.set_value(words.clone());
            text.set(words);
        }
    });
    let tell = move || {
        let words = text.get_untracked().trim().to_owned();
        if told.with_value(|told| *told != words) {
            told.set_value(words.clone());
            on_search.run(words);
        }
    };
    let typed = move |event| {
        text.set(event_target_value(&event));
        timer.keep(Some(browser::after_ms(REST_MS, tell)));
    };
    view! {
        <label class="input searchbox" data-size="sm">
            <Icon name="search" />
            <input
                type="search"
                aria-label=label
                placeholder=label
                value=text.get_untracked()
                prop:value=move || text.get()
                on:input=typed
                on:keydown=move |event| {
                    if event.key() == "Enter" {
                        event.prevent_default();
                        tell();
                    }
                }
            />
        </label>
    }
}

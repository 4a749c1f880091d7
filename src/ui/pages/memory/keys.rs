//! The page's own keys: `/` searches, arrows move among the results, `E` edits, `N` adds, Escape closes the entry.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::Element;

use super::State;
use crate::ui::browser;

/// The search field's id.
pub(super) const SEARCH: &str = "memory-search";

/// Listens as long as the page lives.
pub(super) fn listen(state: State) {
    let on_key = move |event: leptos::ev::KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() || is_typing(&event) {
            return;
        }
        match event.key().as_str() {
            "/" => browser::focus_id(SEARCH),
            "n" | "N" => state.add(),
            "e" | "E" => {
                let Some(Ok(Some(entry))) = state.entry.get_untracked() else { return };
                // The one that was open before stays in sight while the next one loads.
                if state.place.with_untracked(|place| place.is_open(&entry.namespace, &entry.key)) {
                    state.edit(&entry);
                }
            }
            "Escape" if state.place.with_untracked(|place| !place.key.is_empty()) => {
                state.go.run(state.place.get_untracked().closing());
            }
            _ => return,
        }
        event.prevent_default();
    };
    Effect::new(move |_| {
        let handle = window_event_listener(leptos::ev::keydown, on_key);
        on_cleanup(move || handle.remove());
    });
}

/// Whether the key belongs to a field or an open dialog.
fn is_typing(event: &leptos::ev::KeyboardEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    element.is_some_and(|element| element.closest("input, textarea, select, dialog[open]").ok().flatten().is_some())
}

//! Keys that work everywhere, and the sheet that lists them.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos_router::hooks::use_navigate;

use crate::ui::browser;
use crate::ui::components::{Dialog, DialogSize};

/// How long the second key of a chord may take, in ms.
const CHORD_MS: f64 = 800.0;

/// Where `G` and a letter lead.
const PLACES: [(&str, &str, &str); 7] = [
    ("d", "/", "Dashboard"),
    ("i", "/approvals", "Approvals"),
    ("w", "/workflows", "Workflows"),
    ("r", "/runs", "Runs"),
    ("m", "/memory", "Memory"),
    ("u", "/users", "Users"),
    ("a", "/account", "Account and sessions"),
];

/// Listens as long as the caller lives.
pub(super) fn listen(palette_open: RwSignal<bool>, keys_open: RwSignal<bool>) {
    let navigate = use_navigate();
    let chord_at = StoredValue::new(f64::NEG_INFINITY);
    let on_key = move |event: KeyboardEvent| {
        let key = event.key();
        if (event.ctrl_key() || event.meta_key()) && key.eq_ignore_ascii_case("k") {
            event.prevent_default();
            palette_open.update(|open| *open = !*open);
            return;
        }
        if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() || is_typing(&event) {
            return;
        }
        let now = browser::now_ms();
        let in_chord = now - chord_at.get_value() < CHORD_MS;
        chord_at.set_value(f64::NEG_INFINITY);
        if in_chord {
            if let Some((_, path, _)) = PLACES.iter().find(|(letter, _, _)| key.eq_ignore_ascii_case(letter)) {
                event.prevent_default();
                navigate(path, Default::default());
            }
        } else if key == "?" {
            event.prevent_default();
            keys_open.set(true);
        } else if key.eq_ignore_ascii_case("g") {
            chord_at.set_value(now);
        }
    };
    Effect::new(move |_| {
        let handle = window_event_listener(leptos::ev::keydown, on_key.clone());
        on_cleanup(move || handle.remove());
    });
}

/// Whether the key belongs to a field or an open dialog.
pub fn is_typing(event: &KeyboardEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<leptos::web_sys::Element>().ok());
    element.is_some_and(|element| {
        element.closest("input, textarea, select, [contenteditable], dialog[open]").ok().flatten().is_some()
    })
}

/// Lists every key.
#[component]
pub(super) fn KeysSheet(open: RwSignal<bool>) -> impl IntoView {
    view! {
        <Dialog id="keys-title" title="Keys" open size=DialogSize::Large>
            <div class="keys">
                <section>
                    <h3>"Anywhere"</h3>
                    <dl>
                        <div><dt>"Search and run actions"</dt><dd><kbd>"Ctrl"</kbd><kbd>"K"</kbd></dd></div>
                        <div><dt>"This sheet"</dt><dd><kbd>"?"</kbd></dd></div>
                        <div><dt>"Close what is open"</dt><dd><kbd>"Esc"</kbd></dd></div>
                        {PLACES.map(|(key, _, label)| view! {
                            <div><dt>{label}</dt><dd><kbd>"G"</kbd><kbd>{key.to_uppercase()}</kbd></dd></div>
                        }).into_iter().collect::<Vec<_>>()}
                    </dl>
                </section>
                <section>
                    <h3>"Designer"</h3>
                    <dl>
                        {DESIGNER.map(|(label, keys)| view! {
                            <div><dt>{label}</dt><dd>{keys.split(' ').map(|key| view! { <kbd>{key.to_owned()}</kbd> }).collect::<Vec<_>>()}</dd></div>
                        }).into_iter().collect::<Vec<_>>()}
                    </dl>
                </section>
                <section>
                    <h3>"Approvals"</h3>
                    <dl>
                        <div><dt>"Next and previous"</dt><dd><kbd>"J"</kbd><kbd>"K"</kbd></dd></div>
                        <div><dt>"To the button that agrees"</dt><dd><kbd>"A"</kbd></dd></div>
                        <div><dt>"To the button that rejects"</dt><dd><kbd>"R"</kbd></dd></div>
                        <div><dt>"Give the chosen answer"</dt><dd><kbd>"Enter"</kbd></dd></div>
                    </dl>
                </section>
                <section>
                    <h3>"Memory"</h3>
                    <dl>
                        <div><dt>"Search"</dt><dd><kbd>"/"</kbd></dd></div>
                        <div><dt>"Move in the list"</dt><dd><kbd>"↑"</kbd><kbd>"↓"</kbd></dd></div>
                        <div><dt>"Open an entry"</dt><dd><kbd>"Enter"</kbd></dd></div>
                        <div><dt>"Edit an entry"</dt><dd><kbd>"E"</kbd></dd></div>
                    </dl>
                </section>
            </div>
        </Dialog>
    }
}

const DESIGNER: [(&str, &str); 22] = [
    ("Add a step", "A"),
    ("Walk the graph", "← ↑ → ↓"),
    ("Go into a container, or to the settings", "Enter"),
    ("Out of a container", "U"),
    ("Fold or unfold", "F"),
    ("Put into a group", "Ctrl G"),
    ("Take a group apart", "Ctrl Shift G"),
    ("Connect to…", "C"),
    ("Rename", "F2"),
    ("Disable", "D"),
    ("Delete", "Del"),
    ("Copy", "Ctrl C"),
    ("Paste", "Ctrl V"),
    ("Duplicate", "Ctrl D"),
    ("Select all", "Ctrl A"),
    ("Undo", "Ctrl Z"),
    ("Redo", "Ctrl Shift Z"),
    ("Move by a grid step", "Alt ← →"),
    ("Tidy up", "L"),
    ("Zoom", "+ -"),
    ("Fit", "1"),
    ("Test run", "R"),
];

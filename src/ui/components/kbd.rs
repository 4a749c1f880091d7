//! Keys on their caps.

use leptos::prelude::*;

/// The keys of a shortcut, each on its cap: `Ctrl+K`, `G R`.
#[component]
pub fn Kbd(
    /// Held together with `+`, one after the other with a space.
    keys: &'static str,
) -> impl IntoView {
    keys.split(['+', ' ']).filter(|key| !key.is_empty()).map(|key| view! { <kbd>{key}</kbd> }).collect_view()
}

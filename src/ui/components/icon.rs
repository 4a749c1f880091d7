//! A symbol of the sprite.

use leptos::prelude::*;

/// A symbol of `/icons.svg`, beside words that say the same; it has no name of its own.
#[component]
pub fn Icon(
    /// Without the `i-`: `play`, `s-running`.
    #[prop(into)]
    name: Signal<&'static str>,
) -> impl IntoView {
    view! {
        <svg class="icon" aria-hidden="true">
            <use_ href=move || format!("/icons.svg#i-{}", name.get())></use_>
        </svg>
    }
}

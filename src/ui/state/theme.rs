//! Light, dark, or as the system.

use leptos::prelude::*;

use crate::ui::browser;
use crate::ui::components::Icon;
use crate::ui::shell::{PageAssets, THEME_COOKIE};

/// Chooses the theme: the next of system, light, dark.
#[component]
pub fn ThemeButton() -> impl IntoView {
    // The server knows it from the cookie; the browser reads it from the document that the server made.
    let start = use_context::<PageAssets>().map_or_else(browser::theme, |assets| assets.theme);
    let theme = RwSignal::new(start);
    let next = move |_| {
        let chosen = match theme.get_untracked().as_str() {
            "" => "light",
            "light" => "dark",
            _ => "",
        };
        theme.set(chosen.to_owned());
        browser::set_theme(THEME_COOKIE, chosen);
    };
    let look = Signal::derive(move || match theme.read().as_str() {
        "light" => ("sun", "Light theme"),
        "dark" => ("moon", "Dark theme"),
        _ => ("system", "Theme of the system"),
    });
    let icon = Signal::derive(move || look.get().0);
    view! {
        <button class="rail-link" type="button" title=move || look.get().1 on:click=next>
            <Icon name=icon />
            <span class="rail-label">{move || look.get().1}</span>
        </button>
    }
}

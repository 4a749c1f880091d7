//! Copying to the clipboard.

use leptos::prelude::*;

use super::{Button, ButtonShape, ButtonSize, ButtonVariant};
use crate::ui::browser;

/// How long "Copied" stays, in ms.
const SHOWN_MS: i32 = 1_600;

/// Copies a text, and says for a moment whether it did.
#[component]
pub fn CopyButton(
    /// What is copied, read at the press.
    #[prop(into)]
    text: Signal<String>,
    /// What it copies: "Copy the link".
    #[prop(into, optional)]
    label: Option<&'static str>,
    #[prop(default = ButtonShape::IconOnly)] shape: ButtonShape,
) -> impl IntoView {
    let outcome = RwSignal::new(None::<bool>);
    let timer = browser::GuardSlot::new();
    let label = label.unwrap_or("Copy");
    let done = Callback::new(move |copied| {
        outcome.set(Some(copied));
        timer.keep(Some(browser::after_ms(SHOWN_MS, move || {
            outcome.try_set(None);
        })));
    });
    let said = move || match outcome.get() {
        None => "",
        Some(true) => "Copied",
        Some(false) => "The browser didn't allow copying",
    };
    view! {
        <Button
            label=Signal::derive(move || if outcome.get() == Some(true) { "Copied".to_owned() } else { label.to_owned() })
            icon="copy"
            variant=ButtonVariant::Quiet
            size=ButtonSize::Small
            shape
            on_press=move |()| browser::copy_text(&text.get_untracked(), done)
        />
        <span class="visually-hidden" role="status">{said}</span>
    }
}

//! What happened elsewhere, said at the edge of the page for a while; with a way to take it back.

use leptos::prelude::*;

use super::{Button, ButtonShape, ButtonSize, ButtonVariant, Icon, Tone};
use crate::ui::browser;

/// How long a toast stays, in ms.
const STAYS_MS: i32 = 6_000;
/// How long a toast stays that offers to take something back, in ms.
const STAYS_WITH_UNDO_MS: i32 = 12_000;
/// At most this many at a time; the oldest goes.
const MOST: usize = 4;

/// Takes something back.
#[derive(Debug, Clone, Copy)]
struct Undo {
    label: &'static str,
    run: Callback<()>,
}

#[derive(Debug, Clone)]
struct Toast {
    id: u32,
    tone: Tone,
    text: String,
    undo: Option<Undo>,
}

/// Where to say it; from [`use_toasts`].
#[derive(Debug, Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    next: StoredValue<u32>,
}

impl Toasts {
    /// Says what happened, for a few seconds. Not for what the page shows anyway.
    pub fn say(self, tone: Tone, text: impl Into<String>) {
        self.push(tone, text.into(), None);
    }

    /// Says what happened and offers to take it back, for twice as long.
    pub fn say_with_undo(self, text: impl Into<String>, label: &'static str, undo: Callback<()>) {
        self.push(Tone::Good, text.into(), Some(Undo { label, run: undo }));
    }

    fn push(self, tone: Tone, text: String, undo: Option<Undo>) {
        let id = self.next.get_value();
        self.next.set_value(id.wrapping_add(1));
        self.shown.update(|shown| {
            shown.push(Toast { id, tone, text, undo });
            if shown.len() > MOST {
                shown.remove(0);
            }
        });
    }

    fn dismiss(self, id: u32) {
        self.shown.try_update(|shown| shown.retain(|toast| toast.id != id));
    }
}

/// Makes the place for toasts; called once, by the root.
pub fn provide_toasts() {
    provide_context(Toasts { shown: RwSignal::new(Vec::new()), next: StoredValue::new(0) });
}

/// The place for toasts.
pub fn use_toasts() -> Toasts {
    expect_context::<Toasts>()
}

/// Draws the toasts; stands once, at the end of the page. New ones are read out politely.
#[component]
pub fn Toaster() -> impl IntoView {
    let toasts = use_toasts();
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For each=move || toasts.shown.get() key=|toast| toast.id let:toast>
                <ToastView toast toasts />
            </For>
        </div>
    }
}

#[component]
fn ToastView(toast: Toast, toasts: Toasts) -> impl IntoView {
    let Toast { id, tone, text, undo } = toast;
    let stays = if undo.is_some() { STAYS_WITH_UNDO_MS } else { STAYS_MS };
    // under the pointer or with the focus in it, a toast stays
    let held = RwSignal::new(false);
    Effect::new(move |_| {
        if !held.get() {
            StoredValue::new_local(browser::after_ms(stays, move || toasts.dismiss(id)));
        }
    });
    let take_back = undo.map(|Undo { label, run }| {
        let press = move |()| {
            toasts.dismiss(id);
            run.run(());
        };
        view! { <Button label variant=ButtonVariant::Quiet size=ButtonSize::Small on_press=press /> }
    });
    view! {
        <div
            class="toast"
            data-tone=tone.as_str()
            on:pointerenter=move |_| held.set(true)
            on:pointerleave=move |_| held.set(false)
            on:focusin=move |_| held.set(true)
            on:focusout=move |_| held.set(false)
        >
            <Icon name=tone.icon() />
            <span class="grow">{text}</span>
            {take_back}
            <Button
                label="Dismiss"
                icon="x"
                variant=ButtonVariant::Quiet
                size=ButtonSize::Small
                shape=ButtonShape::IconOnly
                on_press=move |()| toasts.dismiss(id)
            />
        </div>
    }
}

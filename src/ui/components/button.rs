//! Buttons, and links that look like them.

use leptos::prelude::*;

use super::{Icon, Kbd};

/// What a button is among others. One primary button per view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ButtonVariant {
    /// With a frame.
    #[default]
    Plain,
    /// The one thing to do here.
    Primary,
    /// Without a frame, for toolbars and rows.
    Quiet,
    /// It takes something away.
    Danger,
}

impl ButtonVariant {
    const fn data(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Primary => Some("primary"),
            Self::Quiet => Some("quiet"),
            Self::Danger => Some("danger"),
        }
    }
}

/// How much room a button takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ButtonSize {
    /// In forms and dialogs.
    #[default]
    Normal,
    /// In headers, toolbars and rows.
    Small,
    /// As wide as what holds it.
    Wide,
}

/// What of a button is shown; its label is read out in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ButtonShape {
    /// Icon, label, keys.
    #[default]
    Labelled,
    /// The icon alone.
    IconOnly,
    /// In a page header: the icon alone once the header is narrow.
    Collapsing,
}

/// Does something. It always has a name, and when it can't be pressed it says why.
#[component]
pub fn Button(
    /// A verb and its object: "Publish v15".
    #[prop(into)]
    label: Signal<String>,
    #[prop(optional)] variant: ButtonVariant,
    #[prop(optional)] size: ButtonSize,
    #[prop(optional)] shape: ButtonShape,
    /// A symbol of the sprite.
    #[prop(optional)]
    icon: Option<&'static str>,
    /// The keys that do the same, shown on it: `R`, `Ctrl+Enter`.
    #[prop(optional)]
    keys: Option<&'static str>,
    /// It is at work: shown turning, a second press does nothing.
    #[prop(into, optional)]
    busy: Signal<bool>,
    /// Why it can't be pressed now; it keeps the focus and shows the reason.
    #[prop(into, optional)]
    refused: Signal<Option<String>>,
    /// For one of a pair of states: `aria-pressed`.
    #[prop(into, optional)]
    pressed: Signal<Option<bool>>,
    /// Sends the form that it stands in.
    #[prop(optional)]
    submit: bool,
    /// Called on a press, unless it is busy or refused.
    #[prop(into, optional)]
    on_press: Option<Callback<()>>,
) -> impl IntoView {
    let held = move || busy.get_untracked() || refused.with_untracked(Option::is_some);
    let press = move |event: leptos::ev::MouseEvent| {
        if held() {
            event.prevent_default();
        } else if let Some(on_press) = on_press {
            on_press.run(());
        }
    };
    let icon_only = shape == ButtonShape::IconOnly;
    view! {
        <button
            class="button"
            type=if submit { "submit" } else { "button" }
            data-variant=variant.data()
            data-size=(size == ButtonSize::Small).then_some("sm")
            data-wide=(size == ButtonSize::Wide).then_some("")
            data-icon=icon_only.then_some("")
            data-collapse=(shape == ButtonShape::Collapsing).then_some("")
            aria-label=move || icon_only.then(|| label.get())
            title=move || refused.get().or_else(|| icon_only.then(|| label.get()))
            aria-busy=move || busy.get().then_some("true")
            aria-disabled=move || refused.with(Option::is_some).then_some("true")
            aria-pressed=move || pressed.get().map(|pressed| pressed.to_string())
            on:click=press
        >
            <ButtonFace label icon keys busy icon_only />
        </button>
    }
}

/// Icon, label and keys, in this order.
#[component]
fn ButtonFace(
    label: Signal<String>,
    icon: Option<&'static str>,
    keys: Option<&'static str>,
    busy: Signal<bool>,
    icon_only: bool,
) -> impl IntoView {
    let name = move || if busy.get() { Some("s-running") } else { icon };
    view! {
        {move || name().map(|name| view! { <Icon name /> })}
        {(!icon_only).then(|| view! { <span class="button-label">{move || label.get()}</span> })}
        {(!icon_only).then_some(keys).flatten().map(|keys| view! { <Kbd keys /> })}
    }
}

/// Goes somewhere, and looks like a button.
#[component]
pub fn ButtonLink(
    /// Where to.
    #[prop(into)]
    href: Signal<String>,
    /// A verb and its object: "Open the run".
    #[prop(into)]
    label: Signal<String>,
    #[prop(optional)] variant: ButtonVariant,
    #[prop(optional)] size: ButtonSize,
    #[prop(optional)] shape: ButtonShape,
    /// A symbol of the sprite.
    #[prop(optional)]
    icon: Option<&'static str>,
) -> impl IntoView {
    let icon_only = shape == ButtonShape::IconOnly;
    view! {
        <a
            class="button"
            href=move || href.get()
            data-variant=variant.data()
            data-size=(size == ButtonSize::Small).then_some("sm")
            data-wide=(size == ButtonSize::Wide).then_some("")
            data-icon=icon_only.then_some("")
            data-collapse=(shape == ButtonShape::Collapsing).then_some("")
            aria-label=move || icon_only.then(|| label.get())
            title=move || icon_only.then(|| label.get())
        >
            <ButtonFace label icon keys=None busy=Signal::from(false) icon_only />
        </a>
    }
}

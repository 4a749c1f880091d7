//! Menus that a button opens. The browser closes them on Esc and on a press elsewhere (`popover`).

use leptos::html;
use leptos::prelude::*;

use super::{Button, ButtonShape, ButtonSize, ButtonVariant, Icon, Kbd, Tone};
use crate::ui::browser;

/// The id of the menu that an item stands in: pressing the item closes it.
#[derive(Debug, Clone)]
struct MenuId(String);

/// A button and the menu it opens, on the roomier side of the button.
#[component]
pub fn Menu(
    /// Unique on the page.
    #[prop(into)]
    id: String,
    /// What it offers: "More actions for this run".
    #[prop(into)]
    label: Signal<String>,
    #[prop(default = "more")] icon: &'static str,
    #[prop(default = ButtonShape::IconOnly)] shape: ButtonShape,
    #[prop(default = ButtonVariant::Quiet)] variant: ButtonVariant,
    #[prop(default = ButtonSize::Small)] size: ButtonSize,
    /// [`MenuItem`]s and [`MenuLink`]s.
    children: Children,
) -> impl IntoView {
    let holder = NodeRef::<html::Span>::new();
    let menu = NodeRef::<html::Div>::new();
    let place = RwSignal::new(browser::Beside::default());
    provide_context(MenuId(id.clone()));
    // before it opens, so that it is never seen at another place
    let before = move |_: leptos::ev::MouseEvent| {
        if let Some(holder) = holder.get() {
            place.set(browser::beside(&holder));
        }
    };
    let keys = move |event: leptos::ev::KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            "Home" => i32::MIN,
            "End" => i32::MAX,
            _ => return,
        };
        event.prevent_default();
        if let Some(menu) = menu.get() {
            browser::move_focus(&menu, ".menu-item", step);
        }
    };
    view! {
        <span node_ref=holder on:click=before on:keydown=keys>
            <Button label icon shape variant size attr:popovertarget=id.clone() attr:aria-haspopup="menu" />
            <div
                class="menu"
                popover="auto"
                role="menu"
                id=id
                node_ref=menu
                aria-label=move || label.get()
                data-align=move || place.get().from_right.then_some("end")
                data-side=move || place.get().from_bottom.then_some("above")
                style=move || format!("--x: {}; --y: {}", place.get().x, place.get().y)
            >
                {children()}
            </div>
        </span>
    }
}

/// Something that a menu does.
#[component]
pub fn MenuItem(
    /// A verb and its object.
    #[prop(into)]
    label: Signal<String>,
    #[prop(optional)] icon: Option<&'static str>,
    /// The keys that do the same.
    #[prop(optional)]
    keys: Option<&'static str>,
    #[prop(optional)] tone: Tone,
    /// Why it can't be done now.
    #[prop(into, optional)]
    refused: Signal<Option<String>>,
    #[prop(into)] on_press: Callback<()>,
) -> impl IntoView {
    let menu = use_context::<MenuId>().map(|menu| menu.0);
    let press = move |_| {
        if refused.with_untracked(Option::is_none) {
            on_press.run(());
        }
    };
    view! {
        <button
            class="menu-item"
            type="button"
            role="menuitem"
            popovertarget=menu
            popovertargetaction="hide"
            data-tone=(tone == Tone::Bad).then_some("bad")
            aria-disabled=move || refused.with(Option::is_some).then_some("true")
            title=move || refused.get()
            on:click=press
        >
            {icon.map(|name| view! { <Icon name /> })}
            <span class="name">{move || label.get()}</span>
            {keys.map(|keys| view! { <span class="aside"><Kbd keys /></span> })}
        </button>
    }
}

/// Somewhere that a menu leads to.
#[component]
pub fn MenuLink(
    #[prop(into)] href: Signal<String>,
    #[prop(into)] label: Signal<String>,
    #[prop(optional)] icon: Option<&'static str>,
) -> impl IntoView {
    view! {
        <a class="menu-item" role="menuitem" href=move || href.get()>
            {icon.map(|name| view! { <Icon name /> })}
            <span class="name">{move || label.get()}</span>
        </a>
    }
}

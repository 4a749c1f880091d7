//! Native dialogs: the browser keeps the focus inside, closes them with Esc and gives the focus back.

use leptos::html;
use leptos::prelude::*;

use super::{Button, ButtonVariant};
use crate::ui::browser;

/// What takes text or a choice.
const FIELDS: &str = "input, textarea, select";

/// How wide a dialog is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DialogSize {
    /// For a question.
    #[default]
    Normal,
    /// For lists and columns.
    Large,
}

/// A dialog over the page. Its content lives while it is open, so a form in it begins afresh each time.
#[component]
pub fn Dialog(
    /// The id of its title, unique on the page.
    id: &'static str,
    #[prop(into)] title: Signal<String>,
    /// Whether it is open; Esc sets it too.
    open: RwSignal<bool>,
    #[prop(optional)] size: DialogSize,
    /// Buttons, the safe one first.
    #[prop(into, optional)]
    footer: ViewFn,
    children: ChildrenFn,
) -> impl IntoView {
    let element = NodeRef::<html::Dialog>::new();
    let body = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        let open = open.get();
        let Some(dialog) = element.get() else { return };
        if !open {
            return browser::close_modal(&dialog);
        }
        browser::show_modal(&dialog);
        // A body that scrolls is the first thing that can have the focus; what is typed goes into its first field instead.
        if let Some(body) = body.get_untracked().filter(|body| body.matches(":focus").unwrap_or(false)) {
            browser::move_focus(&body, FIELDS, 1);
        }
    });
    let footer = StoredValue::new(footer);
    let children = StoredValue::new(children);
    view! {
        <dialog
            class="dialog"
            data-size=(size == DialogSize::Large).then_some("lg")
            aria-labelledby=id
            node_ref=element
            on:close=move |_| open.set(false)
        >
            <header>
                <h2 id=id>{move || title.get()}</h2>
            </header>
            <div class="dialog-body" node_ref=body>
                <Show when=move || open.get()>{move || children.read_value()()}</Show>
            </div>
            <footer>
                <Show when=move || open.get()>{move || footer.read_value().run()}</Show>
            </footer>
        </dialog>
    }
}

/// Asks before something that can't be undone. Where undo will do, use that instead.
#[component]
pub fn ConfirmDialog(
    /// Unique on the page.
    id: &'static str,
    /// The question, with the numbers: "Delete 3 steps?"
    #[prop(into)]
    title: Signal<String>,
    open: RwSignal<bool>,
    /// The button that does it, a verb and its object: "Delete 3 steps".
    #[prop(into)]
    action: Signal<String>,
    /// The button that does not.
    #[prop(default = "Keep")]
    keep: &'static str,
    #[prop(into, optional)] busy: Signal<bool>,
    /// Called on a yes; the caller closes the dialog.
    #[prop(into)]
    on_confirm: Callback<()>,
    /// What will be gone, and what will not.
    children: ChildrenFn,
) -> impl IntoView {
    let footer = move || {
        view! {
            <Button label=keep on_press=move |()| open.set(false) />
            <Button label=action variant=ButtonVariant::Danger busy on_press=on_confirm />
        }
    };
    view! {
        <Dialog id title open footer=ViewFn::from(footer)>
            {children()}
        </Dialog>
    }
}

//! The tools at the lower left of the canvas.

use leptos::prelude::*;

use super::editor::use_editor;
use super::keys;
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant};

/// Zoom, fit, tidy.
#[component]
pub fn CanvasTools() -> impl IntoView {
    let editor = use_editor();
    let percent = move || format!("{:.0} %", editor.view.read().zoom * 100.0);
    view! {
        <div class="canvas-tools" role="toolbar" aria-label="Canvas" aria-orientation="vertical">
            <Tool label="Zoom in (+)" icon="plus" on_press=move |()| keys::zoom(editor, Some(super::kernel::View::STEP)) />
            <button
                class="button zoom"
                type="button"
                data-variant="quiet"
                data-size="sm"
                aria-label=move || format!("{}, zoom to 100 % (0)", percent())
                title="Zoom to 100 % (0)"
                on:click=move |_| keys::zoom(editor, None)
            >
                {percent}
            </button>
            <Tool label="Zoom out (-)" icon="minus" on_press=move |()| keys::zoom(editor, Some(1.0 / super::kernel::View::STEP)) />
            <Tool label="Fit to view (1)" icon="fit" on_press=move |()| editor.fit() />
            {editor.may_edit.then(|| {
                view! { <Tool label="Tidy the layout (L)" icon="tidy" on_press=move |()| keys::tidy(editor) /> }
            })}
        </div>
    }
}

/// The way to add a step where the palette has no room.
#[component]
pub fn AddTool() -> impl IntoView {
    let editor = use_editor();
    editor.may_edit.then(|| {
        view! {
            <div class="canvas-add">
                <Button label="Add a step" icon="plus" size=ButtonSize::Small on_press=move |()| keys::add(editor) />
            </div>
        }
    })
}

#[component]
fn Tool(label: &'static str, icon: &'static str, #[prop(into)] on_press: Callback<()>) -> impl IntoView {
    view! {
        <Button
            label=label
            icon=icon
            variant=ButtonVariant::Quiet
            size=ButtonSize::Small
            shape=ButtonShape::IconOnly
            on_press=on_press
        />
    }
}

//! The way from the workflow to the level that one stands in, above the canvas: each place of it is a press away.

use leptos::prelude::*;

use super::editor::use_editor;
use super::keys;
use super::level::Crumb;
use super::overlay::use_overlay;
use crate::ui::browser;
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant, Icon};

/// Shown inside of containers.
#[component]
pub fn Trail() -> impl IntoView {
    let editor = use_editor();
    let nested = Memo::new(move |_| editor.trail.read().len() > 1);
    view! {
        <Show when=move || nested.get()>
            <nav class="trail" aria-label="Containers around">
                <Button
                    label="Out of this container (U)"
                    icon="up-level"
                    variant=ButtonVariant::Quiet
                    size=ButtonSize::Small
                    shape=ButtonShape::IconOnly
                    on_press=move |()| keys::go_up(editor)
                />
                <ol>
                    {move || {
                        let trail = editor.trail.get();
                        let last = trail.len() - 1;
                        trail
                            .into_iter()
                            .enumerate()
                            .map(|(at, crumb)| view! { <Place crumb here=at == last /> })
                            .collect_view()
                    }}
                </ol>
                <WhichBody />
            </nav>
        </Show>
    }
}

/// Which item or iteration of the run is seen, and the ways to its neighbours.
#[component]
fn WhichBody() -> impl IntoView {
    let overlay = use_overlay();
    let seen = Memo::new(move |_| {
        let run = overlay.run.read();
        let inside = run.as_ref().filter(|_| overlay.shown.get())?.inside.last()?;
        (inside.kind != "group").then(|| (inside.container.clone(), inside.kind.clone(), inside.index, inside.begun))
    });
    let go = move |by: i64| {
        if let Some((container, _, index, begun)) = seen.get_untracked() {
            let to = (i64::from(index) + by).clamp(0, i64::from(begun) - 1) as u32;
            overlay.chosen.update(|chosen| {
                chosen.insert(container, to);
            });
        }
    };
    let words = move || {
        seen.get().map(|(_, kind, index, begun)| {
            let what = if kind == "repeat" { "Iteration" } else { "Item" };
            format!("{what} {} of {begun}", index + 1)
        })
    };
    let first = Signal::derive(move || (seen.get()?.2 == 0).then(|| "This is the first".to_owned()));
    let last = Signal::derive(move || {
        let (.., index, begun) = seen.get()?;
        (index + 1 >= begun).then(|| "This is the newest".to_owned())
    });
    let step = move |label: &'static str, icon: &'static str, refused: Signal<Option<String>>, by: i64| {
        view! {
            <Button
                label
                icon
                variant=ButtonVariant::Quiet
                size=ButtonSize::Small
                shape=ButtonShape::IconOnly
                refused
                on_press=move |()| go(by)
            />
        }
    };
    view! {
        <Show when=move || seen.read().is_some()>
            <div class="which" role="group" aria-label="Which one of the run is seen">
                {step("The one before", "left", first, -1)}
                <span role="status">{words}</span>
                {step("The next one", "right", last, 1)}
            </div>
        </Show>
    }
}

#[component]
fn Place(crumb: Crumb, here: bool) -> impl IntoView {
    let editor = use_editor();
    let Crumb { path, label, icon } = crumb;
    let icon = (!icon.is_empty()).then(|| view! { <Icon name=icon /> });
    let title = label.clone();
    if here {
        return view! { <li><span class="here" aria-current="location" title=title>{icon}<span>{label}</span></span></li> }.into_any();
    }
    let go = move |_| {
        editor.go_to_level(path.clone());
        browser::next_frame(move || keys::focus_canvas(editor));
    };
    view! {
        <li>
            <button type="button" title=title on:click=go>{icon}<span>{label}</span></button>
            <span class="sep" aria-hidden="true">"/"</span>
        </li>
    }
    .into_any()
}

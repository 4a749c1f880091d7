//! "Add a step": a quick search that floats where the new step will be.

use leptos::prelude::*;

use super::change::Change;
use super::document::{Ask, Link};
use super::editor::use_editor;
use super::kernel::{Point, geometry};
use super::keys;
use super::palette::{add_linked, found};
use crate::model::workflow::kind::Kind;
use crate::ui::browser;
use crate::ui::components::Icon;

/// Its size in px, so that it stays on the canvas.
const WIDTH: f64 = 288.0;
const HEIGHT: f64 = 320.0;
const FIELD: &str = "quick-add-field";

/// Shown while the editor asks which step to add.
#[component]
pub fn QuickAdd() -> impl IntoView {
    let editor = use_editor();
    let asked = Memo::new(move |_| match editor.ask.get() {
        Some(Ask::AddStep { at, link }) => Some((at, link)),
        _ => None,
    });
    move || asked.get().map(|(at, link)| view! { <Search at link /> })
}

#[component]
fn Search(at: Option<Point>, link: Option<Link>) -> impl IntoView {
    let editor = use_editor();
    let query = RwSignal::new(String::new());
    let index = RwSignal::new(0_usize);
    let kinds = Memo::new(move |_| found(&query.read()).into_iter().map(|kind| kind.name).collect::<Vec<_>>());
    let place = place(editor, at);
    let title = title(editor, link.as_ref());
    let heading = title.clone();
    let link = StoredValue::new(link);
    Effect::new(|_| browser::next_frame(|| browser::focus_id(FIELD)));

    let close = move || {
        editor.perform(vec![Change::Ask(None)]);
        keys::focus_canvas(editor);
    };
    let choose = Callback::new(move |name: &'static str| {
        let link = link.get_value();
        editor.perform(vec![Change::Ask(None)]);
        add_linked(editor, name, at, link);
    });
    let keydown = move |event: leptos::ev::KeyboardEvent| {
        let count = kinds.read().len();
        match event.key().as_str() {
            "ArrowDown" => index.update(|i| *i = (*i + 1).min(count.saturating_sub(1))),
            "ArrowUp" => index.update(|i| *i = i.saturating_sub(1)),
            "Escape" | "Tab" => close(),
            "Enter" => {
                let name = kinds.read().get(index.get_untracked()).copied();
                if let Some(name) = name {
                    choose.run(name);
                }
            }
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    view! {
        <div
            class="menu quick-add"
            role="dialog"
            aria-label=title
            style=place
            on:focusout=move |event| {
                if !browser::focus_stays(&event) && event.related_target().is_some() {
                    editor.perform(vec![Change::Ask(None)]);
                }
            }
        >
            <h2>{heading}</h2>
            <label class="input searchbox" data-size="sm">
                <Icon name="search" />
                <input
                    id=FIELD
                    type="text"
                    role="combobox"
                    autocomplete="off"
                    aria-expanded="true"
                    aria-controls="quick-add-list"
                    aria-label="Find a step to add"
                    aria-activedescendant=move || kinds.read().get(index.get()).map(|name| format!("quick-add-{name}"))
                    placeholder="Find a step"
                    prop:value=move || query.get()
                    on:input=move |event| {
                        query.set(event_target_value(&event));
                        index.set(0);
                    }
                    on:keydown=keydown
                />
            </label>
            <div class="quick-add-list" role="listbox" id="quick-add-list" aria-label="Kinds of steps">
                {move || {
                    kinds
                        .get()
                        .into_iter()
                        .enumerate()
                        .map(|(at, name)| view! { <Row name at index choose /> })
                        .collect_view()
                }}
            </div>
            {move || kinds.read().is_empty().then(|| view! { <p class="palette-none">"No kind of step matches."</p> })}
        </div>
    }
}

#[component]
fn Row(name: &'static str, at: usize, index: RwSignal<usize>, choose: Callback<&'static str>) -> impl IntoView {
    Kind::find(name).map(|kind| {
        view! {
            <div
                class="menu-item"
                role="option"
                id=format!("quick-add-{name}")
                title=kind.summary
                aria-selected=move || (index.get() == at).to_string()
                on:pointermove=move |_| if index.get_untracked() != at { index.set(at) }
                on:pointerdown=|event| event.prevent_default()
                on:click=move |_| choose.run(name)
            >
                <Icon name=kind.icon />
                <span class="name">{kind.title}</span>
                <span class="aside">{kind.group.label()}</span>
            </div>
        }
    })
}

fn title(editor: super::editor::Editor, link: Option<&Link>) -> String {
    let label = |id: &str| editor.with(|document| document.graph.step(id).map(|step| step.label().to_owned()));
    match link {
        Some(Link::After { step, .. }) => format!("Add after {}", label(step).unwrap_or_default()),
        Some(Link::Before { step }) => format!("Add before {}", label(step).unwrap_or_default()),
        Some(Link::Between(_)) => "Add into this edge".to_owned(),
        None => "Add a step".to_owned(),
    }
}

/// Where the new step will be, or below the leading one; always inside the canvas.
fn place(editor: super::editor::Editor, at: Option<Point>) -> String {
    let (x, y) = editor.with(|document| {
        let lead = document.selection.lead.as_deref().and_then(|lead| document.graph.step(lead));
        let world = at.or_else(|| {
            let frame = geometry::node_rect(lead?);
            Some(Point::new(frame.center().x, frame.bottom() + 12.0))
        });
        let middle = Point::new(document.size.w / 2.0, document.size.h / 3.0);
        let screen = world.map_or(middle, |world| document.view.screen_from_world(world));
        let x = (screen.x - WIDTH / 2.0).clamp(8.0, (document.size.w - WIDTH - 8.0).max(8.0));
        (x, screen.y.clamp(8.0, (document.size.h - HEIGHT - 8.0).max(8.0)))
    });
    format!("left: {x:.0}px; top: {y:.0}px")
}

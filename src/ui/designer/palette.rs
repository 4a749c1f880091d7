//! The steps one can add: searched, grouped; added by drag, double-click or Enter.

use leptos::prelude::*;

use super::action;
use super::canvas::Origin;
use super::editor::{Editor, use_editor};
use super::keys;
use super::patterns::Patterns;
use super::tool::{Input, Tool};
use crate::model::workflow::kind::{Group, KINDS, Kind};
use crate::ui::browser;
use crate::ui::components::Icon;

/// The kinds whose title, name or summary contain every word of the query, best first; all of them, by group, without one.
pub fn found(query: &str) -> Vec<&'static Kind> {
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let rank = |kind: &Kind| {
        let (title, all) =
            (kind.title.to_lowercase(), format!("{} {} {}", kind.title, kind.name, kind.summary).to_lowercase());
        let fits = words.iter().all(|word| all.contains(word.as_str()));
        fits.then(|| u8::from(!words.iter().all(|word| title.contains(word.as_str()))))
    };
    let mut kinds: Vec<(u8, &Kind)> = KINDS.iter().filter_map(|kind| Some((rank(kind)?, kind))).collect();
    kinds.sort_by_key(|(rank, kind)| (*rank, kind.group));
    kinds.into_iter().map(|(_, kind)| kind).collect()
}

/// The left pane.
#[component]
pub fn Palette() -> impl IntoView {
    let editor = use_editor();
    let query = RwSignal::new(String::new());
    let first = move || found(&query.read()).first().copied();
    let enter = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Enter"
            && let Some(kind) = first()
        {
            event.prevent_default();
            add(editor, kind.name);
        }
    };
    view! {
        <aside class="pane palette-pane" aria-label="Steps to add" data-open=move || editor.palette.get().then_some("")>
            <label class="input searchbox" data-size="sm">
                <Icon name="search" />
                <input
                    type="search"
                    id="palette-search"
                    placeholder="Add a step"
                    aria-label="Find a step to add"
                    prop:value=move || query.get()
                    on:input=move |event| query.set(event_target_value(&event))
                    on:keydown=enter
                />
                <kbd>"A"</kbd>
            </label>
            {move || {
                let kinds = found(&query.read());
                if kinds.is_empty() {
                    let text = format!("No kind of step matches “{}”.", query.read().trim());
                    return view! { <p class="palette-none">{text}</p> }.into_any();
                }
                [Group::Flow, Group::Container, Group::Work, Group::Memory]
                    .into_iter()
                    .map(|group| view! { <Section group kinds=kinds.clone() /> })
                    .collect_view()
                    .into_any()
            }}
            <Show when=move || editor.may_edit && query.read().is_empty()><Patterns /></Show>
        </aside>
    }
}

#[component]
fn Section(group: Group, kinds: Vec<&'static Kind>) -> impl IntoView {
    let kinds: Vec<&'static Kind> = kinds.into_iter().filter(|kind| kind.group == group).collect();
    (!kinds.is_empty()).then(|| {
        view! {
            <section>
                <h2>{group.label()}</h2>
                {kinds.into_iter().map(|kind| view! { <Item kind /> }).collect_view()}
            </section>
        }
    })
}

/// One kind. A press that moves drags it; a double click, a tap, or Enter adds it.
#[component]
fn Item(kind: &'static Kind) -> impl IntoView {
    let editor = use_editor();
    let origin = use_context::<Origin>();
    let pressed = StoredValue::new(None::<(i32, i32)>);
    let down = move |event: leptos::ev::PointerEvent| {
        if event.button() == 0 && event.pointer_type() != "touch" {
            pressed.set_value(Some((event.client_x(), event.client_y())));
            browser::capture_pointer(&event);
            if let Some(origin) = origin {
                origin.measure();
            }
        }
    };
    let moved = move |event: leptos::ev::PointerEvent| {
        let (Some((x, y)), Some(origin)) = (pressed.get_value(), origin) else {
            return;
        };
        let far = (event.client_x() - x).abs() + (event.client_y() - y).abs() > 5;
        if far || editor.tool.with_untracked(|tool| matches!(tool, Tool::Placing { .. })) {
            let at = origin.point_inside(&event, editor.size.get_untracked());
            editor.input_with_frame(Input::Place { kind: kind.name.to_owned(), at });
        }
    };
    let up = move |_| {
        pressed.set_value(None);
        editor.flush_frame();
        if editor.tool.with_untracked(|tool| matches!(tool, Tool::Placing { .. })) {
            editor.input(Input::Drop);
            keys::focus_canvas(editor);
        }
    };
    let click = move |event: leptos::ev::MouseEvent| {
        // By Enter, Space or a screen reader there is no pointer behind a click.
        if event.detail() == 0 {
            add(editor, kind.name);
        }
    };
    view! {
        <button
            class="menu-item"
            type="button"
            title=kind.summary
            draggable="false"
            on:pointerdown=down
            on:pointermove=moved
            on:pointerup=up
            on:pointercancel=move |event| {
                pressed.set_value(None);
                editor.input(Input::Lost { pointer: event.pointer_id() });
            }
            on:click=click
            on:dblclick=move |_| add(editor, kind.name)
        >
            <Icon name=kind.icon />
            <span class="name">{kind.title}</span>
        </button>
    }
}

/// Adds a step after the leading one, or into the middle of the view.
fn add(editor: Editor, kind: &str) {
    let link = editor.with(|document| {
        document.selection.lead.as_ref().map(|step| super::document::Link::After {
            step: step.clone(),
            port: action::free_port(&document.graph, step),
        })
    });
    add_linked(editor, kind, None, link);
}

/// Adds a step, brings it into sight and gives it the focus.
pub fn add_linked(editor: Editor, kind: &str, at: Option<super::kernel::Point>, link: Option<super::document::Link>) {
    editor.act(|document| action::add_step(document, kind, at, link));
    editor.palette.set(false);
    if let Some(id) = editor.with(|document| document.selection.lead.clone()) {
        editor.go_to(&id);
    }
    browser::next_frame(move || keys::focus_canvas(editor));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_what_they_do_titles_first() {
        let names = |query: &str| found(query).into_iter().map(|kind| kind.name).collect::<Vec<_>>();
        assert_eq!(names("").len(), KINDS.len());
        assert_eq!(names("memory write").first(), Some(&"memory_write"));
        assert_eq!(names("web address"), ["http"]);
        assert!(names("nothing like it").is_empty());
    }
}

//! "Connect to…": the way to draw a thread without a pointer, and on a phone.

use leptos::prelude::*;

use super::action;
use super::change::Change;
use super::document::Ask;
use super::editor::use_editor;
use super::kernel::{geometry, hit, walk};
use super::keys;
use crate::model::workflow::Edge;
use crate::ui::components::{Bound, Button, ButtonVariant, Choice, Dialog, Select};

/// Asks for the port and the step, while the editor asks.
#[component]
pub fn ConnectDialog() -> impl IntoView {
    let editor = use_editor();
    let open = RwSignal::new(false);
    let from = Memo::new(move |_| match editor.ask.get() {
        Some(Ask::Connect { from }) => Some(from),
        _ => None,
    });
    let port = RwSignal::new(String::new());
    let to = RwSignal::new(String::new());
    // The dialog keeps its own openness, since Esc closes it.
    Effect::new(move |_| {
        if let Some(from) = from.get() {
            port.set(editor.with(|document| action::free_port(&document.graph, &from)));
            to.set(targets(editor, &from).first().map(|choice| choice.value.clone()).unwrap_or_default());
            open.set(true);
        }
    });
    Effect::new(move |was: Option<bool>| {
        let is_open = open.get();
        if was == Some(true) && !is_open {
            editor.perform(vec![Change::Ask(None)]);
            keys::focus_canvas(editor);
        }
        is_open
    });
    let title = move || {
        let name =
            from.get().and_then(|id| editor.with(|document| document.graph.step(&id).map(|s| s.label().to_owned())));
        format!("Connect {} to…", name.unwrap_or_default())
    };
    let connect = Callback::new(move |()| {
        if let Some(from) = from.get_untracked() {
            let (port, to) = (port.get_untracked(), to.get_untracked());
            editor.act(|document| action::connect(document, &from, &port, &to));
            open.set(false);
        }
    });
    let refused =
        Signal::derive(move || to.read().is_empty().then(|| "There is no step that it could lead to".to_owned()));
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| open.set(false) />
            <Button label="Connect" variant=ButtonVariant::Primary refused on_press=connect />
        }
    };
    view! {
        <Dialog id="connect-title" title=Signal::derive(title) open footer=ViewFn::from(footer)>
            <ConnectForm from port to />
        </Dialog>
    }
}

#[component]
fn ConnectForm(from: Memo<Option<String>>, port: RwSignal<String>, to: RwSignal<String>) -> impl IntoView {
    let editor = use_editor();
    let ports = Signal::derive(move || {
        let Some(from) = from.get() else { return Vec::new() };
        editor.with(|document| {
            let Some(step) = document.graph.step(&from) else {
                return Vec::new();
            };
            let mut ports = geometry::out_ports(step);
            if geometry::has_error_port(step) {
                ports.push(Edge::ERROR.to_owned());
            }
            ports.into_iter().map(|port| Choice::new(port.clone(), port)).collect()
        })
    });
    let steps = Signal::derive(move || from.get().map(|from| targets(editor, &from)).unwrap_or_default());
    view! {
        <div class="form">
            <Show when=move || !ports.read().is_empty() && ports.read().len() != 1>
                <Select id="connect-port" label="From the port" value=Bound::from(port) choices=ports />
            </Show>
            <Select id="connect-to" label="To the step" value=Bound::from(to) choices=steps />
        </div>
    }
}

/// The steps that this one may lead to, in reading order; none that would close a circle.
fn targets(editor: super::editor::Editor, from: &str) -> Vec<Choice> {
    editor.with(|document| {
        let graph = &document.graph;
        let fits = |id: &str| id != from && !hit::closes_circle(graph, from, id);
        let steps = walk::reading_order(graph).into_iter().filter(|step| fits(&step.id));
        steps.map(|step| Choice::new(step.id.clone(), format!("{} ({})", step.label(), step.id))).collect()
    })
}

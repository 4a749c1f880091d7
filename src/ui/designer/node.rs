//! A step on the canvas: its frame, icon, name, one line of facts, status, and its ports.

use leptos::prelude::*;

use super::action;
use super::canvas::{Origin, press_on};
use super::change::Change;
use super::container::{ContainerParts, Told};
use super::costs::NodeCost;
use super::editor::use_editor;
use super::kernel::{Size, geometry};
use super::level::is_container;
use super::overlay::{StepFacts, use_overlay};
use super::problems::use_problems;
use super::tool::{Catch, Hold, Target, Tool};
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Edge, Join, Position, Step};
use crate::ui::browser;
use crate::ui::components::{Icon, StatusBadge, StatusLook, StatusShape};

/// A step. Redrawn only when its own signal, its choice, its problems or its run change.
#[component]
pub fn NodeView(id: String) -> impl IntoView {
    let editor = use_editor();
    editor.step(&id).map(|step| view! { <Node id step /> })
}

#[component]
fn Node(id: String, step: RwSignal<Step>) -> impl IntoView {
    let editor = use_editor();
    let origin = expect_context::<Origin>();
    let id = StoredValue::new(id);
    let is = move |other: &str| id.with_value(|id| id == other);

    let chosen = Memo::new(move |_| id.with_value(|id| editor.selection.read().steps.contains(id)));
    let leads = Memo::new(move |_| {
        let selection = editor.selection.read();
        selection.steps.len() == 1 && selection.lead.as_deref().is_some_and(is)
    });
    let moving = Memo::new(move |_| match &*editor.tool.read() {
        Tool::Dragging { start, .. } => start.iter().any(|(id, _)| is(id)),
        _ => false,
    });
    let facts = use_overlay().facts(id.get_value());
    let problems = use_problems().of_step(id.get_value());
    let name = Memo::new(move |_| step.read().label().to_owned());
    let icon = Memo::new(move |_| Kind::find(&step.read().kind).map_or("help", |kind| kind.icon));
    let meta = Memo::new(move |_| meta(&step.read(), facts.get().as_ref()));
    let aria = move || label(&name.get(), &meta.get(), facts.get().as_ref(), problems.get());
    let at = Memo::new(move |_| step.read().position);
    let size = Memo::new(move |_| geometry::node_size(&step.read()));
    let container = Memo::new(move |_| is_container(&step.read()));
    let bodies = Signal::derive(move || facts.get().and_then(|facts| facts.bodies));
    let on_open = Callback::new(move |()| {
        editor.act(|document| id.with_value(|id| action::go_into(document, id)));
        browser::next_frame(move || super::keys::focus_canvas(editor));
    });
    let on_fold = editor.may_edit.then(|| {
        Callback::new(move |()| {
            editor.act(|document| id.with_value(|id| action::toggle_folded(document, [id.as_str()])))
        })
    });

    let down = move |event: leptos::ev::PointerEvent| {
        event.stop_propagation();
        browser::capture_pointer(&event);
        press_on(editor, origin, &event, Target::Step(id.get_value()));
        browser::focus_id(&id.with_value(|id| format!("step-{id}")));
    };
    view! {
        <article
            class="node"
            id=id.with_value(|id| format!("step-{id}"))
            tabindex="-1"
            aria-label=aria
            aria-current=move || leads.get().then_some("true")
            data-chosen=move || chosen.get().then_some("")
            data-status=move || facts.get().map(|facts| facts.status.as_str())
            data-problem=move || (problems.get() > 0).then_some("")
            data-pinned=move || step.read().pinned.is_some().then_some("")
            data-disabled=move || step.read().disabled.then_some("")
            data-moving=move || moving.get().then_some("")
            data-shape=move || container.get().then_some("container")
            style=move || {
                let (Position { x, y }, Size { w, h }) = (at.get(), size.get());
                format!("--x: {x}; --y: {y}; --node-w: {w}; --node-h: {h}")
            }
            on:pointerdown=down
            on:dblclick=move |_| super::keys::enter(editor)
            on:focus=move |_| {
                if !chosen.get_untracked() && editor.tool.with_untracked(Tool::is_idle) {
                    editor.perform(vec![Change::Select(super::document::Selection::of(&id.get_value()))]);
                }
            }
        >
            <div class="node-main">
                <span class="node-icon"><Icon name=icon /></span>
                <div>
                    <div class="node-name">
                        {move || step.read().pinned.is_some().then(|| view! { <Icon name="pin" /> })} {move || name.get()}
                    </div>
                    <div class="node-meta">{move || meta.get()}</div>
                </div>
                {move || {
                    facts.get().map(|facts| {
                        view! { <StatusBadge status=Signal::from(StatusLook::from(facts.status)) shape=StatusShape::Mark /> }
                    })
                }}
            </div>
            <ContainerParts step bodies on_open=Some(on_open) on_fold />
            <Told told=Signal::derive(move || facts.get().and_then(|facts| facts.told)) />
            <NodeCost id=id.get_value() step />
            <Ports id=id.get_value() step name />
            {move || (problems.get() > 0).then(|| view! { <span class="node-problem"><Icon name="bang" /></span> })}
        </article>
    }
}

/// The kind, then the fact worth knowing: of the run if there is one, else of the draft.
fn meta(step: &Step, facts: Option<&StepFacts>) -> String {
    let kind = Kind::find(&step.kind).map_or(step.kind.as_str(), |kind| kind.name).replace('_', " ");
    let mut parts = vec![kind];
    if step.disabled {
        parts.push("disabled".to_owned());
    }
    if step.pinned.is_some() {
        parts.push("pinned".to_owned());
    }
    if let Some(facts) = facts {
        parts.extend(facts.words());
    } else {
        match step.join {
            Join::All => {}
            Join::Any => parts.push("joins any".to_owned()),
            Join::Count(count) => parts.push(format!("joins {count}")),
        }
        if step.compensate.is_some() {
            parts.push("can be undone".to_owned());
        }
        if let Some(retry) = step.retry.as_ref().filter(|retry| retry.max_attempts > 1) {
            parts.push(format!("{} attempts", retry.max_attempts));
        }
    }
    parts.join(", ")
}

fn label(name: &str, meta: &str, facts: Option<&StepFacts>, problems: usize) -> String {
    let mut label = format!("{name}, {meta}");
    if let Some(facts) = facts {
        label.push_str(", ");
        label.push_str(facts.status.label());
    }
    if problems > 0 {
        label.push_str(", ");
        label.push_str(&super::action::counted(problems, "problem"));
    }
    label
}

/// The ports of a step. Pressed and dragged they draw a thread; by keyboard there is "Connect to…".
#[component]
fn Ports(id: String, step: RwSignal<Step>, name: Memo<String>) -> impl IntoView {
    let editor = use_editor();
    let id = StoredValue::new(id);
    let ports = Memo::new(move |_| geometry::out_ports(&step.read()));
    let has_error = Memo::new(move |_| geometry::has_error_port(&step.read()));
    let caught = Memo::new(move |_| match &*editor.tool.read() {
        Tool::Connecting { catch: Some(Catch::In { step }), .. } if id.with_value(|id| id == step) => Some(false),
        Tool::Connecting { catch: Some(Catch::Refused { step }), hold: Hold::Out { .. }, .. }
            if id.with_value(|id| id == step) =>
        {
            Some(true)
        }
        _ => None,
    });
    let input = Target::In { step: id.get_value() };
    let out = move |port: &str| Target::Out { step: id.get_value(), port: port.to_owned() };
    view! {
        <Port side="in" at=50.0 label=Signal::derive(move || format!("Input of {}", name.get())) target=input caught />
        {move || {
            let ports = ports.get();
            let count = ports.len();
            ports
                .into_iter()
                .enumerate()
                .map(|(index, port)| {
                    let at = geometry::port_fraction(index, count) * 100.0;
                    let target = out(&port);
                    let label = Signal::derive(move || format!("Output {port} of {}", name.get()));
                    view! { <Port side="out" at label target caught=Memo::new(|_| None) /> }
                })
                .collect_view()
        }}
        {move || {
            has_error.get().then(|| {
                let label = Signal::derive(move || format!("Error port of {}", name.get()));
                view! { <Port side="error" at=100.0 label target=out(Edge::ERROR) caught=Memo::new(|_| None) /> }
            })
        }}
    }
}

/// `caught`: a thread would hold here (`false`), or is refused (`true`).
#[component]
fn Port(
    side: &'static str,
    at: f64,
    label: Signal<String>,
    target: Target,
    caught: Memo<Option<bool>>,
) -> impl IntoView {
    let editor = use_editor();
    let origin = expect_context::<Origin>();
    let down = move |event: leptos::ev::PointerEvent| {
        event.stop_propagation();
        event.prevent_default();
        browser::capture_pointer(&event);
        press_on(editor, origin, &event, target.clone());
    };
    view! {
        <span
            class="port"
            data-side=side
            style=format!("--at: {at:.2}%")
            title=move || label.get()
            data-target=move || (caught.get() == Some(false)).then_some("")
            data-refused=move || (caught.get() == Some(true)).then_some("")
            on:pointerdown=down
        ></span>
    }
}

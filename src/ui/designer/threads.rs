//! All threads in one picture: the edges, the one that is being drawn, and the snapping guides.

use leptos::prelude::*;

use super::canvas::{Origin, press_on};
use super::document::EdgeKey;
use super::editor::{Thread, use_editor};
use super::kernel::{Point, Rect, Side, geometry, route};
use super::overlay::use_overlay;
use super::tool::{Catch, Hold, Target, Tool};
use crate::model::workflow::Edge;
use crate::ui::browser;

/// The threads, and the words beside their ports.
#[component]
pub fn Threads() -> impl IntoView {
    let editor = use_editor();
    view! {
        <svg class="edges" width="9" height="9" aria-hidden="true">
            <For each=move || editor.edges.get() key=Clone::clone let:key>
                <ThreadView key />
            </For>
            <Draft />
            <Guides />
        </svg>
        <For each=move || editor.edges.get() key=Clone::clone let:key>
            <Word key />
        </For>
    }
}

#[component]
fn ThreadView(key: EdgeKey) -> impl IntoView {
    let editor = use_editor();
    editor.thread(&key).map(|thread| view! { <Line key thread /> })
}

#[component]
fn Line(key: EdgeKey, thread: RwSignal<Thread>) -> impl IntoView {
    let editor = use_editor();
    let origin = expect_context::<Origin>();
    let key = StoredValue::new(key);
    let d = Memo::new(move |_| thread.read().route.path());
    let casing = Memo::new(move |_| thread.read().casing.clone());
    let head = Memo::new(move |_| thread.read().route.head());
    let chosen = Memo::new(move |_| key.with_value(|key| editor.selection.read().edges.contains(key)));
    let current = move || chosen.get().then_some("true");
    let state = use_overlay().edge_state(Signal::derive(move || thread.read().edge.clone()));
    let down = move |event: leptos::ev::PointerEvent| {
        event.stop_propagation();
        browser::capture_pointer(&event);
        press_on(editor, origin, &event, Target::Edge(key.get_value()));
        browser::focus_id(super::keys::CANVAS);
    };
    view! {
        <g>
            <path class="casing" d=move || casing.get()></path>
            <path class="edge-hit" d=move || d.get() on:pointerdown=down></path>
            <path class="edge" d=move || d.get() data-state=move || state.get() aria-current=current></path>
            <path class="head" d=move || head.get() data-state=move || state.get() aria-current=current></path>
        </g>
    }
}

/// The port's name, where a step has several, and the edge's own condition.
#[component]
fn Word(key: EdgeKey) -> impl IntoView {
    let editor = use_editor();
    let thread = editor.thread(&key)?;
    let text = Memo::new(move |_| {
        let thread = thread.read();
        let port = (thread.edge.port != Edge::OUT).then(|| thread.edge.port.clone());
        let when = thread.edge.when.as_ref().map(|when| format!("if {}", shortened(when)));
        [port, when].into_iter().flatten().collect::<Vec<_>>().join(", ")
    });
    let place = Memo::new(move |_| {
        let thread = thread.read();
        let at = thread.route.label_at();
        let error = thread.edge.port == Edge::ERROR;
        let left = thread.route.points.get(1).is_some_and(|next| next.x <= at.x - 1.0)
            || thread.route.points.get(2).is_some_and(|next| next.x < at.x - 1.0);
        (if error { at.plus(24.0, 2.0) } else { at.plus(if left { -6.0 } else { 6.0 }, 0.0) }, left && !error)
    });
    Some(move || {
        (!text.read().is_empty()).then(|| {
            let style = move || format!("--x: {:.1}; --y: {:.1}", place.get().0.x, place.get().0.y);
            let beside = move || if place.get().1 { "left" } else { "right" };
            view! { <span class="edge-label" data-beside=beside style=style>{move || text.get()}</span> }
        })
    })
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 28 { text.to_owned() } else { text.chars().take(27).chain(['…']).collect() }
}

/// The thread that is being drawn.
#[component]
fn Draft() -> impl IntoView {
    let editor = use_editor();
    let drawn = Memo::new(move |_| match &*editor.tool.read() {
        Tool::Connecting { hold, from, at, catch, .. } => {
            let refused = matches!(catch, Some(Catch::Refused { .. }));
            // Only a thread that is caught goes around: under a free pointer its end would jump.
            let boxes = if catch.is_some() && !refused { frames(editor) } else { Vec::new() };
            let route = match hold {
                Hold::In { .. } => route::draft(*at, Side::Bottom, *from, &boxes),
                Hold::Out { step, port } => route::draft(*from, side(editor, step, port), *at, &boxes),
            };
            Some((route.path(), route.head(), refused))
        }
        _ => None,
    });
    move || {
        drawn.get().map(|(d, head, refused)| {
            view! {
                <path class="edge" data-state="draft" data-refused=refused.then_some("") d=d></path>
                <path class="head" data-state="draft" d=head></path>
            }
        })
    }
}

fn frames(editor: super::editor::Editor) -> Vec<Rect> {
    editor.with(|document| document.graph.steps.iter().map(geometry::node_rect).collect())
}

fn side(editor: super::editor::Editor, step: &str, port: &str) -> Side {
    editor.with(|document| document.graph.step(step).map_or(Side::Bottom, |step| geometry::out_point(step, port).1))
}

/// What a move snaps to.
#[component]
fn Guides() -> impl IntoView {
    let editor = use_editor();
    let guides = Memo::new(move |_| match &*editor.tool.read() {
        Tool::Dragging { guides, .. } => guides.clone(),
        _ => Vec::new(),
    });
    move || {
        let line = |from: Point, to: Point| view! { <line class="guide" x1=from.x y1=from.y x2=to.x y2=to.y></line> };
        guides.get().into_iter().map(|guide| line(guide.from, guide.to)).collect_view()
    }
}

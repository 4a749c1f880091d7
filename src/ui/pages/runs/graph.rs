//! The definition as it was drawn, with what became of each step. To look at; it is changed in the designer.

use leptos::html;
use leptos::prelude::*;

use super::page::{Place, View};
use super::watch::Watch;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Edge, SkipReason, Step, StepState, StepStatus};
use crate::ui::components::{
    Button, ButtonShape, ButtonSize, ButtonVariant, Icon, StatusBadge, StatusLook, StatusShape,
};
use crate::ui::designer::container::{ContainerParts, Told, told_words};
use crate::ui::designer::kernel::route::{self, Route};
use crate::ui::designer::kernel::{Point, Rect, Size, View as Camera, geometry};
use crate::ui::designer::level::is_container;
use crate::ui::{browser, format};

/// The air around the graph, in px: top, right, bottom, left, where the tools stand.
const MARGINS: [f64; 4] = [20.0, 28.0, 20.0, 56.0];

/// The graph: drag or scroll to move, Ctrl and scroll to zoom; each step is a link to its detail.
#[component]
pub fn GraphView(watch: Watch, place: Place) -> impl IntoView {
    let canvas = NodeRef::<html::Section>::new();
    let size = RwSignal::new(Size::default());
    let moved = RwSignal::new(None::<Camera>);
    let bounds = watch
        .definition
        .with_value(|definition| geometry::bounds(&definition.steps))
        .unwrap_or(Rect::new(0.0, 0.0, 1.0, 1.0));
    let camera = Memo::new(move |_| moved.get().unwrap_or_else(|| Camera::fitted(bounds, size.get(), MARGINS)));
    Effect::new(move |_| {
        if let Some(element) = canvas.get() {
            StoredValue::new_local(browser::on_resize(&element, move |w, h| {
                size.try_set(Size { w, h });
            }));
        }
    });
    let zoom = move |factor: f64| {
        let Size { w, h } = size.get_untracked();
        moved.set(Some(camera.get_untracked().zoomed_at(Point::new(w / 2.0, h / 2.0), factor)));
    };
    let drag = StoredValue::new(None::<(f64, f64, Camera)>);
    let down = move |event: leptos::ev::PointerEvent| {
        if event.button() == 0 {
            drag.set_value(Some((f64::from(event.client_x()), f64::from(event.client_y()), camera.get_untracked())));
        }
    };
    let follow = move |event: leptos::ev::PointerEvent| {
        if let Some((x, y, from)) = drag.get_value() {
            moved.set(Some(from.panned(f64::from(event.client_x()) - x, f64::from(event.client_y()) - y)));
        }
    };
    let wheel = move |event: leptos::ev::WheelEvent| {
        event.prevent_default();
        let at = camera.get_untracked();
        let to = if event.ctrl_key() || event.meta_key() {
            let Size { w, h } = size.get_untracked();
            at.zoomed_at(Point::new(w / 2.0, h / 2.0), (-event.delta_y() / 400.0).exp())
        } else {
            at.panned(-event.delta_x(), -event.delta_y())
        };
        moved.set(Some(to));
    };
    let ways = watch.definition.with_value(|definition| route::ways(&definition.steps, &definition.edges));
    let steps = watch.definition.with_value(|definition| definition.steps.clone());
    let style = move || {
        let Camera { x, y, zoom } = camera.get();
        format!("--pan-x: {x:.1}; --pan-y: {y:.1}; --zoom: {zoom:.3}")
    };
    view! {
        <section
            class="canvas run-graph"
            tabindex="0"
            role="region"
            aria-label="Graph"
            data-tool="pan"
            data-far=move || (camera.get().zoom < Camera::FAR).then_some("")
            node_ref=canvas
            style=style
            on:pointerdown=down
            on:pointermove=follow
            on:pointerup=move |_| drag.set_value(None)
            on:pointerleave=move |_| drag.set_value(None)
            on:wheel=wheel
        >
            <div class="world">
                <svg class="edges" width="9" height="9" aria-hidden="true">
                    {ways.into_iter().map(|(edge, way)| view! { <Thread watch edge way /> }).collect_view()}
                </svg>
                {steps.into_iter().map(|step| view! { <Node watch place step /> }).collect_view()}
            </div>
            <div class="canvas-tools" role="toolbar" aria-label="Canvas">
                <Tool label="Zoom in" icon="plus" on_press=move |()| zoom(Camera::STEP) />
                <Tool label="Zoom out" icon="minus" on_press=move |()| zoom(1.0 / Camera::STEP) />
                <Tool label="Show the whole graph" icon="fit" on_press=move |()| moved.set(None) />
            </div>
        </section>
    }
}

#[component]
fn Tool(label: &'static str, icon: &'static str, #[prop(into)] on_press: Callback<()>) -> impl IntoView {
    view! {
        <Button label icon variant=ButtonVariant::Quiet size=ButtonSize::Small shape=ButtonShape::IconOnly on_press />
    }
}

/// How an edge looks: by where its ends stand.
fn edge_state(from: &StepState, to: &StepState, edge: &Edge) -> &'static str {
    let passed_over = from.skipped == Some(SkipReason::Disabled) && edge.port != Edge::ERROR;
    if from.port.as_deref() != Some(edge.port.as_str()) && !passed_over {
        return if from.status.is_final() { "skipped" } else { "idle" };
    }
    match to.status {
        StepStatus::Running => "live",
        StepStatus::Waiting | StepStatus::Retrying => "held",
        StepStatus::Skipped => "skipped",
        _ if edge.port == Edge::ERROR => "failed",
        _ => "taken",
    }
}

#[component]
fn Thread(watch: Watch, edge: Edge, way: Route) -> impl IntoView {
    let (from, to) = (watch.step(&edge.from)?, watch.step(&edge.to)?);
    let state = Memo::new(move |_| edge_state(&from.read(), &to.read(), &edge));
    let line = way.path();
    Some(view! {
        <g>
            <path class="casing" d=line.clone()></path>
            <path class="edge" d=line data-state=move || state.get()></path>
            <path class="head" d=way.head() data-state=move || state.get()></path>
        </g>
    })
}

#[component]
fn Node(watch: Watch, place: Place, step: Step) -> impl IntoView {
    let state = watch.step(&step.id)?;
    let name = step.label().to_owned();
    let icon = Kind::find(&step.kind).map_or("help", |kind| kind.icon);
    let kind = step.kind.replace('_', " ");
    let Rect { x, y, w, h } = geometry::node_rect(&step);
    let at = format!("--x: {x}; --y: {y}; --node-w: {w}; --node-h: {h}");
    let shape = is_container(&step).then_some("container");
    let whole = Signal::stored(step.clone());
    let bodies = Signal::derive(move || state.read().bodies);
    let disabled = step.disabled.then_some("");
    let told = Signal::derive(move || state.with(|step| watch.progress_of(&step.id)));
    let id = StoredValue::new(step.id);
    let chosen = Memo::new(move |_| place.step.with(|step| id.with_value(|id| step.as_deref() == Some(id))));
    let meta = move || {
        let step = state.read();
        let took = step.started_at.zip(step.ended_at).map(|(from, to)| format::duration(to.ms_since(from)));
        let tries = (step.attempt > 1).then(|| format!("attempt {}", step.attempt));
        let far = watch.progress_of(&step.id).map(|told| told_words(&told));
        [Some(kind.clone()), tries, took, far].into_iter().flatten().collect::<Vec<_>>().join(", ")
    };
    Some(view! {
        <article
            class="node"
            data-status=move || state.read().status.as_str()
            data-disabled=disabled
            aria-current=move || chosen.get().then_some("true")
            data-shape=shape
            style=at
        >
            <div class="node-main">
                <span class="node-icon"><Icon name=icon /></span>
                <div>
                    <div class="node-name">
                        <a class="node-link" draggable="false" data-noscroll="" href=move || place.href(View::Graph, Some(&id.get_value()))>
                            {name}
                        </a>
                    </div>
                    <div class="node-meta">{meta}</div>
                </div>
                <StatusBadge status=Signal::derive(move || StatusLook::from(state.read().status)) shape=StatusShape::Mark />
            </div>
            <ContainerParts step=whole bodies />
            <Told told />
        </article>
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_edge_is_shown_as_taken_only_when_its_port_was() {
        let step = |status: &str, port: Option<&str>, skipped: Option<&str>| -> StepState {
            serde_json::from_value(json!({
                "id": "a", "status": status, "attempt": 1, "started_at": null, "ended_at": null, "input": null,
                "output": null, "port": port, "error": null, "waiting": null, "skipped": skipped, "spans": [],
            }))
            .expect("fits")
        };
        let edge = |port: &str| Edge { from: "a".into(), port: port.into(), to: "b".into(), when: None };
        let done = step("succeeded", Some("out"), None);
        let check = |from: &StepState, to: &StepState, port: &str, expected: &str| {
            assert_eq!(edge_state(from, to, &edge(port)), expected, "{from:?} {to:?} {port}");
        };
        check(&step("running", None, None), &step("queued", None, None), "out", "idle");
        check(&done, &step("running", None, None), "out", "live");
        check(&done, &done, "out", "taken");
        check(&done, &done, "error", "skipped");
        check(&step("skipped", None, Some("not_reached")), &done, "out", "skipped");
        check(&step("skipped", None, Some("disabled")), &done, "out", "taken");
        check(&step("failed", Some("error"), None), &done, "error", "failed");
    }
}

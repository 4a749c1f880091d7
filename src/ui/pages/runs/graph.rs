//! The definition as it was drawn, with what became of each step. To look at; it is changed in the designer.

use leptos::html;
use leptos::prelude::*;

use super::page::{Place, View};
use super::watch::Watch;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Edge, Step, StepState, StepStatus};
use crate::ui::components::{
    Button, ButtonShape, ButtonSize, ButtonVariant, Icon, StatusBadge, StatusLook, StatusShape,
};
use crate::ui::pages::workflows::sketch::{self, Bounds};
use crate::ui::{browser, format};

/// The air around the graph, in px.
const MARGIN: f64 = 28.0;
/// How small and how large it may be drawn.
const ZOOM: (f64, f64) = (0.2, 2.0);

/// Where the world lies in the canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Camera {
    x: f64,
    y: f64,
    zoom: f64,
}

impl Camera {
    /// Shows the whole of `bounds` in the middle, at most in its own size.
    fn fitted(bounds: Bounds, width: f64, height: f64) -> Self {
        let room = |size: f64| (size - 2.0 * MARGIN).max(1.0);
        let zoom = (room(width) / bounds.w).min(room(height) / bounds.h).clamp(ZOOM.0, 1.0);
        Self {
            x: (width - bounds.w * zoom) / 2.0 - bounds.x * zoom,
            y: ((height - bounds.h * zoom) / 2.0).max(MARGIN.min(height / 8.0)) - bounds.y * zoom,
            zoom,
        }
    }

    /// Larger or smaller around a point of the canvas.
    fn zoomed(self, factor: f64, x: f64, y: f64) -> Self {
        let zoom = (self.zoom * factor).clamp(ZOOM.0, ZOOM.1);
        let scale = zoom / self.zoom;
        Self {
            x: x - (x - self.x) * scale,
            y: y - (y - self.y) * scale,
            zoom,
        }
    }
}

/// The graph: drag or scroll to move, Ctrl and scroll to zoom; each step is a link to its detail.
#[component]
pub fn GraphView(watch: Watch, place: Place) -> impl IntoView {
    let canvas = NodeRef::<html::Section>::new();
    let size = RwSignal::new((0.0_f64, 0.0_f64));
    let moved = RwSignal::new(None::<Camera>);
    let bounds = watch.definition.with_value(sketch::bounds).unwrap_or(Bounds {
        x: 0.0,
        y: 0.0,
        w: 1.0,
        h: 1.0,
    });
    let camera = Memo::new(move |_| {
        let (width, height) = size.get();
        moved.get().unwrap_or_else(|| Camera::fitted(bounds, width, height))
    });
    Effect::new(move |_| {
        if let Some(element) = canvas.get() {
            StoredValue::new_local(browser::on_resize(&element, move |width, height| {
                size.try_set((width, height));
            }));
        }
    });
    let zoom = move |factor: f64| {
        let (width, height) = size.get_untracked();
        moved.set(Some(camera.get_untracked().zoomed(factor, width / 2.0, height / 2.0)));
    };
    let drag = StoredValue::new(None::<(f64, f64, Camera)>);
    let down = move |event: leptos::ev::PointerEvent| {
        if event.button() == 0 {
            drag.set_value(Some((
                f64::from(event.client_x()),
                f64::from(event.client_y()),
                camera.get_untracked(),
            )));
        }
    };
    let follow = move |event: leptos::ev::PointerEvent| {
        if let Some((x, y, from)) = drag.get_value() {
            let (dx, dy) = (f64::from(event.client_x()) - x, f64::from(event.client_y()) - y);
            moved.set(Some(Camera {
                x: from.x + dx,
                y: from.y + dy,
                ..from
            }));
        }
    };
    let wheel = move |event: leptos::ev::WheelEvent| {
        event.prevent_default();
        let at = camera.get_untracked();
        let to = if event.ctrl_key() || event.meta_key() {
            at.zoomed(
                (-event.delta_y() / 400.0).exp(),
                f64::from(event.offset_x()),
                f64::from(event.offset_y()),
            )
        } else {
            Camera {
                x: at.x - event.delta_x(),
                y: at.y - event.delta_y(),
                ..at
            }
        };
        moved.set(Some(to));
    };
    let steps = watch.definition.with_value(|definition| definition.steps.clone());
    let edges = watch.definition.with_value(|definition| definition.edges.clone());
    view! {
        <section
            class="canvas run-graph"
            tabindex="0"
            role="region"
            aria-label="Graph"
            data-tool="pan"
            data-far=move || (camera.get().zoom < 0.5).then_some("")
            node_ref=canvas
            style=move || {
                let Camera { x, y, zoom } = camera.get();
                format!("--pan-x: {x:.1}; --pan-y: {y:.1}; --zoom: {zoom:.3}")
            }
            on:pointerdown=down
            on:pointermove=follow
            on:pointerup=move |_| drag.set_value(None)
            on:pointerleave=move |_| drag.set_value(None)
            on:wheel=wheel
        >
            <div class="world">
                <svg class="edges" width="9" height="9" aria-hidden="true">
                    {edges.into_iter().map(|edge| view! { <Thread watch edge /> }).collect_view()}
                </svg>
                {steps.into_iter().map(|step| view! { <Node watch place step /> }).collect_view()}
            </div>
            <div class="canvas-tools" role="toolbar" aria-label="Canvas">
                <Tool label="Zoom in" icon="plus" on_press=move |()| zoom(1.25) />
                <Tool label="Zoom out" icon="minus" on_press=move |()| zoom(0.8) />
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
    let left_by_it = from.port.as_deref() == Some(edge.port.as_str())
        || (from.status == StepStatus::Skipped && to.status != StepStatus::Skipped && to.attempt > 0);
    match from.status {
        StepStatus::Succeeded | StepStatus::Failed | StepStatus::Skipped if left_by_it => match to.status {
            StepStatus::Running => "live",
            StepStatus::Waiting | StepStatus::Retrying => "held",
            StepStatus::Skipped => "skipped",
            _ if edge.port == Edge::ERROR => "failed",
            _ => "taken",
        },
        status if status.is_final() => "skipped",
        _ => "idle",
    }
}

#[component]
fn Thread(watch: Watch, edge: Edge) -> impl IntoView {
    let (line, head) = watch
        .definition
        .with_value(|definition| sketch::way(definition, &edge))?;
    let (from, to) = (watch.step(&edge.from)?, watch.step(&edge.to)?);
    let state = Memo::new(move |_| edge_state(&from.read(), &to.read(), &edge));
    Some(view! {
        <g>
            <path class="casing" d=line.clone()></path>
            <path class="edge" d=line data-state=move || state.get()></path>
            <path class="head" d=head data-state=move || state.get()></path>
        </g>
    })
}

#[component]
fn Node(watch: Watch, place: Place, step: Step) -> impl IntoView {
    let state = watch.step(&step.id)?;
    let name = step.label().to_owned();
    let icon = Kind::find(&step.kind).map_or("help", |kind| kind.icon);
    let kind = step.kind.replace('_', " ");
    let at = format!("--x: {}; --y: {}", step.position.x, step.position.y);
    let disabled = step.disabled.then_some("");
    let id = StoredValue::new(step.id);
    let chosen = Memo::new(move |_| place.step.with(|step| id.with_value(|id| step.as_deref() == Some(id))));
    let meta = move || {
        let step = state.read();
        let took = step
            .started_at
            .zip(step.ended_at)
            .map(|(from, to)| format::duration(to.ms_since(from)));
        let tries = (step.attempt > 1).then(|| format!("attempt {}", step.attempt));
        [Some(kind.clone()), tries, took]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
    };
    Some(view! {
        <article
            class="node"
            data-status=move || state.read().status.as_str()
            data-disabled=disabled
            aria-current=move || chosen.get().then_some("true")
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
        </article>
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fitted_graph_lies_within_its_canvas() {
        let bounds = Bounds {
            x: -100.0,
            y: 40.0,
            w: 900.0,
            h: 600.0,
        };
        let Camera { x, y, zoom } = Camera::fitted(bounds, 700.0, 400.0);
        assert!(bounds.x * zoom + x >= 0.0 && (bounds.x + bounds.w) * zoom + x <= 700.0);
        assert!(bounds.y * zoom + y >= 0.0 && (bounds.y + bounds.h) * zoom + y <= 400.0);
    }

    #[test]
    fn what_is_under_the_pointer_stays_there_while_zooming() {
        let before = Camera {
            x: 10.0,
            y: 20.0,
            zoom: 1.0,
        };
        let after = before.zoomed(2.0, 110.0, 120.0);
        assert!(
            ((110.0 - after.x) / after.zoom - 100.0).abs() < 1e-9
                && ((120.0 - after.y) / after.zoom - 100.0).abs() < 1e-9
        );
    }
}

//! The overview at the lower right: the whole graph, what is seen of it, and a quick way elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use leptos::html;
use leptos::prelude::*;

use super::change::Change;
use super::editor::use_editor;
use super::kernel::{Point, Rect, Size, geometry, minimap};
use super::overlay::use_overlay;
use crate::ui::browser;

/// The overview. Press or drag to look elsewhere.
#[component]
pub fn Minimap() -> impl IntoView {
    let editor = use_editor();
    let overlay = use_overlay();
    let element = NodeRef::<html::Div>::new();
    let held = StoredValue::new(None::<(f64, f64, f64, f64)>);
    let frame = Memo::new(move |_| {
        editor.edited.track();
        editor.order.track();
        let (view, size) = (editor.view.get(), editor.size.get());
        minimap::frame(editor.with(super::document::Document::bounds), view, size)
    });
    let visible = Memo::new(move |_| editor.view.get().visible(editor.size.get()));
    // One path a status, not one box a step: hundreds of steps are a handful of elements.
    let paths = Memo::new(move |_| {
        editor.edited.track();
        editor.order.track();
        let shown = overlay.shown.get();
        let run = overlay.run.read();
        let mut paths: BTreeMap<&'static str, String> = BTreeMap::new();
        editor.with(|document| {
            for step in &document.graph.steps {
                let status = run
                    .as_ref()
                    .filter(|_| shown)
                    .and_then(|run| run.step(&step.id))
                    .map_or("", |step| step.status.as_str());
                let Rect { x, y, w, h } = geometry::node_rect(step);
                let _ = write!(paths.entry(status).or_default(), "M{x:.0} {y:.0}h{w}v{h}h-{w}z");
            }
        });
        paths.into_iter().collect::<Vec<_>>()
    });
    let look = move |event: &leptos::ev::PointerEvent| {
        let Some((x, y, w, h)) = held.get_value() else { return };
        let at = Point::new(f64::from(event.client_x()) - x, f64::from(event.client_y()) - y);
        let world = minimap::world_from_map(frame.get_untracked(), Size { w, h }, at);
        editor.act(|document| vec![Change::Look(minimap::centered(document.view, document.size, world))]);
    };
    let down = move |event: leptos::ev::PointerEvent| {
        event.stop_propagation();
        browser::capture_pointer(&event);
        held.set_value(element.get_untracked().map(|element| browser::frame_of(&element)));
        look(&event);
    };
    let view_box = move || {
        let Rect { x, y, w, h } = frame.get();
        format!("{x:.0} {y:.0} {w:.0} {h:.0}")
    };
    view! {
        <div
            class="minimap"
            node_ref=element
            on:pointerdown=down
            on:pointermove=move |event| look(&event)
            on:pointerup=move |_| held.set_value(None)
            on:pointercancel=move |_| held.set_value(None)
        >
            <svg width="100%" height="100%" viewBox=view_box aria-hidden="true">
                {move || {
                    paths
                        .get()
                        .into_iter()
                        .map(|(status, d)| view! { <path class="steps" data-status=(!status.is_empty()).then_some(status) d=d></path> })
                        .collect_view()
                }}
                <rect
                    class="view"
                    vector-effect="non-scaling-stroke"
                    x=move || visible.get().x
                    y=move || visible.get().y
                    width=move || visible.get().w
                    height=move || visible.get().h
                    rx="8"
                ></rect>
            </svg>
        </div>
    }
}

//! The canvas: it turns the browser's events into inputs and draws the moving world.

use leptos::ev::PointerEvent;
use leptos::html;
use leptos::prelude::*;

use super::editor::use_editor;
use super::kernel::{Point, Rect, Size, View};
use super::keys;
use super::minimap::Minimap;
use super::node::NodeView;
use super::quick_add::QuickAdd;
use super::threads::Threads;
use super::tool::{Button, Held, Input, Target, Tool};
use super::toolbar::{AddTool, CanvasTools};
use super::trail::Trail;
use crate::ui::browser;

/// Where the canvas stands in the window: read at a press and when it is measured, never while dragging.
#[derive(Clone, Copy)]
pub struct Origin(StoredValue<(f64, f64)>, NodeRef<html::Section>);

impl Origin {
    /// Reads the place anew.
    pub fn measure(self) {
        if let Some(element) = self.1.get_untracked() {
            let (x, y, ..) = browser::frame_of(&element);
            self.0.set_value((x, y));
        }
    }

    /// The canvas pixel under a pointer or wheel.
    pub fn point(self, client_x: i32, client_y: i32) -> Point {
        let (x, y) = self.0.get_value();
        Point::new(f64::from(client_x) - x, f64::from(client_y) - y)
    }

    /// As [`Origin::point`], but `None` beside the canvas.
    pub fn point_inside(self, event: &PointerEvent, size: Size) -> Option<Point> {
        let at = self.point(event.client_x(), event.client_y());
        Rect::new(0.0, 0.0, size.w, size.h).contains(at).then_some(at)
    }
}

/// The keys held with a pointer.
pub fn held(event: &PointerEvent) -> Held {
    Held { shift: event.shift_key(), ctrl: event.ctrl_key() || event.meta_key() }
}

/// Begins a press.
pub fn press_on(editor: super::editor::Editor, origin: Origin, event: &PointerEvent, target: Target) {
    let button = match (event.pointer_type().as_str(), event.button()) {
        ("touch", _) => Button::Touch,
        (_, 0) => Button::Main,
        (_, 1) => Button::Middle,
        _ => return,
    };
    if event.button() == 1 {
        event.prevent_default();
    }
    origin.measure();
    editor.flush_frame();
    let at = origin.point(event.client_x(), event.client_y());
    editor.input(Input::Down { pointer: event.pointer_id(), at, target, button, held: held(event) });
}

/// The canvas with everything on it.
#[component]
pub fn Canvas(
    /// The run bar, the empty state: what floats above the world.
    children: Children,
) -> impl IntoView {
    let editor = use_editor();
    let element = NodeRef::<html::Section>::new();
    let origin = Origin(StoredValue::new((0.0, 0.0)), element);
    provide_context(origin);
    measure(editor, origin, element);

    let down = move |event: PointerEvent| {
        if browser::is_within(
            &event,
            ".canvas-tools, .canvas-add, .minimap, .runbar, .quick-add, .trail, .canvas > .empty .button",
        ) {
            return;
        }
        browser::capture_pointer(&event);
        press_on(editor, origin, &event, Target::Ground);
        keys::focus_canvas(editor);
    };
    let moved = move |event: PointerEvent| {
        if !editor.tool.with_untracked(Tool::is_idle) {
            let at = origin.point(event.client_x(), event.client_y());
            let input = Input::Move { pointer: event.pointer_id(), at, held: held(&event) };
            if event.pointer_type() == "touch" { editor.input(input) } else { editor.input_with_frame(input) }
        }
    };
    let up = move |event: PointerEvent| {
        editor.flush_frame();
        editor.input(Input::Up { pointer: event.pointer_id(), at: origin.point(event.client_x(), event.client_y()) });
    };
    let wheel = move |event: leptos::ev::WheelEvent| {
        event.prevent_default();
        // Lines and pages of old wheels count as 16 and 400 pixels.
        let scale = [1.0, 16.0, 400.0].get(event.delta_mode() as usize).copied().unwrap_or(1.0);
        let at = origin.point(event.client_x(), event.client_y());
        let (mut dx, mut dy) = (event.delta_x() * scale, event.delta_y() * scale);
        if event.shift_key() && dx == 0.0 {
            (dx, dy) = (dy, 0.0);
        }
        editor.input(Input::Wheel { at, dx, dy, zoom: event.ctrl_key() || event.meta_key() });
    };
    let far = Memo::new(move |_| editor.view.read().zoom < View::FAR);
    let cursor = Memo::new(move |_| editor.tool.read().cursor());
    let count = Memo::new(move |_| editor.order.read().len());
    let nested = Memo::new(move |_| editor.trail.read().len() > 1);
    let place = Memo::new(move |_| match &**editor.trail.read() {
        [_, .., here] => format!("Steps inside {}", here.label),
        _ => "Workflow graph".to_owned(),
    });

    view! {
        <section
            class="pane canvas"
            id=keys::CANVAS
            tabindex="0"
            role="application"
            aria-roledescription="workflow canvas"
            aria-label=move || format!("{}, {}", place.get(), super::action::counted(count.get(), "step"))
            data-tool=move || cursor.get()
            data-far=move || far.get().then_some("")
            data-nested=move || nested.get().then_some("")
            style:background-position-x=move || format!("{:.1}px", editor.view.read().x)
            node_ref=element
            on:pointerdown=down
            on:pointermove=moved
            on:pointerup=up
            on:pointercancel=move |event| editor.input(Input::Lost { pointer: event.pointer_id() })
            on:pointerenter=move |_| origin.measure()
            on:wheel=wheel
            on:contextmenu=|event| event.prevent_default()
        >
            <World />
            <Trail />
            {children()}
            <CanvasTools />
            <AddTool />
            <Minimap />
            <QuickAdd />
        </section>
    }
}

fn measure(editor: super::editor::Editor, origin: Origin, element: NodeRef<html::Section>) {
    Effect::new(move |_| {
        let Some(element) = element.get() else { return };
        let guard = StoredValue::new_local(browser::on_resize(&element, move |w, h| {
            origin.measure();
            // Hidden, as by the inspector on a phone, it has no size, and one may have gone elsewhere meanwhile.
            let appears = w > 0.0 && editor.with(|document| document.size.w <= 0.0);
            editor.perform(vec![super::change::Change::Measure(Size { w, h })]);
            if appears {
                editor.fit();
            }
        }));
        on_cleanup(move || guard.dispose());
    });
}

/// What pans and zooms: one layer, moved by its transform alone.
#[component]
fn World() -> impl IntoView {
    let editor = use_editor();
    let transform = move || {
        let View { x, y, zoom } = editor.view.get();
        format!("translate({x:.2}px, {y:.2}px) scale({zoom:.4})")
    };
    let zoom = Memo::new(move |_| editor.view.read().zoom);
    view! {
        <div class="world" style:transform=transform style=("--zoom", move || format!("{:.4}", zoom.get()))>
            <Threads />
            <For each=move || editor.order.get() key=Clone::clone let:id>
                <NodeView id />
            </For>
            <Marquee />
            <Ghost />
        </div>
    }
}

/// The box that is being drawn.
#[component]
fn Marquee() -> impl IntoView {
    let editor = use_editor();
    let area = Memo::new(move |_| match &*editor.tool.read() {
        Tool::Boxing { from, to, .. } => Some(Rect::between(*from, *to)),
        _ => None,
    });
    move || {
        area.get().map(|Rect { x, y, w, h }| {
            view! { <div class="marquee" style=format!("--x: {x:.1}; --y: {y:.1}; --w: {w:.1}; --h: {h:.1}")></div> }
        })
    }
}

/// The kind that is being dragged in from the palette.
#[component]
fn Ghost() -> impl IntoView {
    let editor = use_editor();
    let placing = Memo::new(move |_| match &*editor.tool.read() {
        Tool::Placing { kind, at: Some(at) } => Some((kind.clone(), *at)),
        _ => None,
    });
    move || {
        let (kind, at) = placing.get()?;
        let kind = crate::model::workflow::kind::Kind::find(&kind)?;
        let (x, y) = (at.x - super::kernel::NODE_W / 2.0, at.y - super::kernel::NODE_H / 2.0);
        Some(view! {
            <div class="node" data-ghost="" style=format!("--x: {x:.1}; --y: {y:.1}")>
                <div class="node-main">
                    <span class="node-icon"><crate::ui::components::Icon name=kind.icon /></span>
                    <div><div class="node-name">{kind.title}</div><div class="node-meta">{kind.name}</div></div>
                </div>
            </div>
        })
    }
}

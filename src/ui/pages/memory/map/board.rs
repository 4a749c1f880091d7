//! The drawing: moved and zoomed by pointers, fingers, wheel and keys, with a lasso and the name of what is under the pointer.

use leptos::ev::{KeyboardEvent, PointerEvent, WheelEvent};
use leptos::html;
use leptos::prelude::*;

use super::State;
use super::scene::{Camera, INKS, MOST_CORNERS, Px, held, under};
use crate::ui::browser;
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant};
use crate::ui::format;

/// One press on a key of the map.
const PAN_PX: f64 = 60.0;
const STEP: f64 = 1.4;
/// A press that moves less is a click, in px.
const CLICK_PX: f64 = 4.0;

/// Pointers that are down, where each was last.
#[derive(Debug, Clone, Default)]
struct Down {
    fingers: Vec<(i32, Px)>,
    from: Px,
    has_moved: bool,
}

#[component]
pub(super) fn Board(state: State) -> impl IntoView {
    let (board, canvas, inks) =
        (NodeRef::<html::Section>::new(), NodeRef::<html::Canvas>::new(), NodeRef::<html::Span>::new());
    let size = RwSignal::new((0.0_f64, 0.0_f64));
    let lasso = RwSignal::new(Vec::<Px>::new());
    let hover = RwSignal::new(None::<usize>);
    let down = StoredValue::new(Down::default());
    Effect::new(move |_| {
        if let Some(element) = board.get() {
            StoredValue::new_local(browser::on_resize(&element, move |w, h| {
                size.try_set((w, h));
            }));
        }
    });
    // With other points the number of the one under the pointer is another one's.
    Effect::new(move |_| {
        state.taken.track();
        hover.set(None);
    });
    paint(state, (canvas, inks), size);
    let at = move |event: &PointerEvent| -> Px {
        let Some(board) = board.get_untracked() else { return (0.0, 0.0) };
        let (left, top, ..) = browser::frame_of(&board);
        (f64::from(event.client_x()) - left, f64::from(event.client_y()) - top)
    };
    let find = move |at: Px| {
        let (camera, size) = (state.camera.get_untracked(), size.get_untracked());
        state.places(|places| under(places, camera, size, at)).flatten()
    };
    let press = move |event: PointerEvent| {
        if event.button() != 0 || browser::is_within(&event, ".canvas-tools") {
            return;
        }
        browser::capture_pointer(&event);
        let at = at(&event);
        down.update_value(|down| {
            down.fingers.retain(|(id, _)| *id != event.pointer_id());
            down.fingers.push((event.pointer_id(), at));
            down.fingers.truncate(2);
            (down.from, down.has_moved) = (at, down.fingers.len() > 1);
        });
        let is_one = down.with_value(|down| down.fingers.len() == 1);
        lasso.set(if is_one && state.is_lasso.get_untracked() { vec![at] } else { Vec::new() });
    };
    let follow = move |event: PointerEvent| {
        let now = at(&event);
        let Some((before, other)) = down.with_value(|down| {
            let mine = down.fingers.iter().find(|(id, _)| *id == event.pointer_id())?;
            Some((mine.1, down.fingers.iter().find(|(id, _)| *id != event.pointer_id()).map(|other| other.1)))
        }) else {
            hover.set(find(now));
            return;
        };
        down.update_value(|down| {
            down.has_moved |= (now.0 - down.from.0).hypot(now.1 - down.from.1) > CLICK_PX;
            down.fingers.iter_mut().filter(|(id, _)| *id == event.pointer_id()).for_each(|finger| finger.1 = now);
        });
        let size = size.get_untracked();
        if let Some(other) = other {
            let apart = |a: Px| (a.0 - other.0).hypot(a.1 - other.1).max(1.0);
            let middle = (f64::midpoint(now.0, other.0), f64::midpoint(now.1, other.1));
            let half = ((now.0 - before.0) / 2.0, (now.1 - before.1) / 2.0);
            state.camera.update(|camera| {
                *camera = camera.panned(half, size).zoomed(middle, apart(now) / apart(before), size);
            });
        } else if lasso.with_untracked(Vec::is_empty) {
            state.camera.update(|camera| *camera = camera.panned((now.0 - before.0, now.1 - before.1), size));
        } else {
            lasso.update(|lasso| {
                if lasso.len() < MOST_CORNERS {
                    lasso.push(now);
                } else if let Some(last) = lasso.last_mut() {
                    *last = now;
                }
            });
        }
    };
    let lift = move |event: PointerEvent| {
        let now = at(&event);
        let was_down = down.with_value(|down| down.fingers.iter().any(|(id, _)| *id == event.pointer_id()));
        let is_click = was_down && !down.with_value(|down| down.has_moved);
        down.update_value(|down| down.fingers.retain(|(id, _)| *id != event.pointer_id()));
        let drawn = lasso.get_untracked();
        lasso.set(Vec::new());
        if is_click {
            if let Some(point) = find(now) {
                toggle(state, point);
            }
        } else if drawn.len() > 2 {
            let (camera, size) = (state.camera.get_untracked(), size.get_untracked());
            let inside = state.places(|places| held(places, camera, size, &drawn)).unwrap_or_default();
            state.only_chosen.set(!inside.is_empty());
            state.chosen.set(inside.into_iter().collect());
        }
    };
    let drop_all = move |event: PointerEvent| {
        down.update_value(|down| down.fingers.retain(|(id, _)| *id != event.pointer_id()));
        lasso.set(Vec::new());
    };
    let wheel = move |event: WheelEvent| {
        event.prevent_default();
        let Some(board) = board.get_untracked() else { return };
        let (left, top, ..) = browser::frame_of(&board);
        let at = (f64::from(event.client_x()) - left, f64::from(event.client_y()) - top);
        let factor = (-event.delta_y() / 300.0).clamp(-1.0, 1.0).exp();
        state.camera.update(|camera| *camera = camera.zoomed(at, factor, size.get_untracked()));
    };
    let zoom = move |factor: f64| {
        let size = size.get_untracked();
        state.camera.update(|camera| *camera = camera.zoomed((size.0 / 2.0, size.1 / 2.0), factor, size));
    };
    let key = move |event: KeyboardEvent| {
        let pan = |dx: f64, dy: f64| {
            let size = size.get_untracked();
            state.camera.update(|camera| *camera = camera.panned((dx * PAN_PX, dy * PAN_PX), size));
        };
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        match event.key().as_str() {
            "ArrowLeft" => pan(1.0, 0.0),
            "ArrowRight" => pan(-1.0, 0.0),
            "ArrowUp" => pan(0.0, 1.0),
            "ArrowDown" => pan(0.0, -1.0),
            "+" | "=" => zoom(STEP),
            "-" => zoom(1.0 / STEP),
            "0" => state.camera.set(Camera::ALL),
            "Escape" => {
                lasso.set(Vec::new());
                state.chosen.set(std::collections::BTreeSet::new());
                state.only_chosen.set(false);
            }
            _ => return,
        }
        event.prevent_default();
    };
    let words = move || {
        let chosen = match state.chosen.with(std::collections::BTreeSet::len) {
            0 => String::new(),
            some => format!(", {} chosen", format::count(some as i64)),
        };
        format!(
            "Map of {} entries{chosen}. The list beside it holds the same entries.",
            format::count(state.count.get() as i64)
        )
    };
    view! {
        <section
            class="canvas map-board"
            tabindex="0"
            aria-label="Map: arrow keys move, plus and minus zoom, 0 shows all, Escape chooses nothing"
            data-tool=move || if state.is_lasso.get() { "lasso" } else { "pan" }
            node_ref=board
            on:pointerdown=press
            on:pointermove=follow
            on:pointerup=lift
            on:pointercancel=drop_all
            on:pointerleave=move |_| hover.set(None)
            on:wheel=wheel
            on:keydown=key
        >
            <canvas node_ref=canvas role="img" aria-label=words></canvas>
            <span class="map-inks" hidden node_ref=inks>
                {(0..=INKS).map(|ink| view! { <i class="map-ink" data-ink=ink.to_string()></i> }).collect_view()}
                <i class="map-ink" data-ink="ring"></i>
            </span>
            <Drawn lasso />
            <HoverLabel state size hover />
            <div class="canvas-tools" role="toolbar" aria-label="Zoom">
                <Tool label="Zoom in" icon="plus" on_press=move |()| zoom(STEP) />
                <Tool label="Zoom out" icon="minus" on_press=move |()| zoom(1.0 / STEP) />
                <Tool label="Show the whole map" icon="fit" on_press=move |()| state.camera.set(Camera::ALL) />
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

/// Chooses a point, or lets it go.
pub(super) fn toggle(state: State, point: usize) {
    state.chosen.update(|chosen| {
        if !chosen.remove(&point) {
            chosen.insert(point);
        }
    });
}

/// The lasso while it is drawn. It lies over the points: they are not drawn anew for it, nor for what is under the pointer.
#[component]
fn Drawn(lasso: RwSignal<Vec<Px>>) -> impl IntoView {
    let points =
        move || lasso.with(|lasso| lasso.iter().map(|(x, y)| format!("{x:.0},{y:.0}")).collect::<Vec<_>>().join(" "));
    view! { <svg class="map-lasso" aria-hidden="true"><polygon points=points></polygon></svg> }
}

/// What is under the pointer, in words.
#[component]
fn HoverLabel(state: State, size: RwSignal<Px>, hover: RwSignal<Option<usize>>) -> impl IntoView {
    move || {
        let (point, camera) = (hover.get()?, state.camera.get());
        let (x, y) = state.places(|places| places.get(point).map(|place| camera.on_screen(*place, size.get())))??;
        let (key, title) =
            state.points.try_with_value(|points| points.get(point).map(|p| (p.key.clone(), p.title.clone())))??;
        let style = format!("--x: {x:.0}px; --y: {y:.0}px");
        let ring = format!("--x: {x:.1}px; --y: {y:.1}px; --r: {:.1}px", camera.radius() + 2.0);
        Some(view! {
            <i class="map-ring" style=ring aria-hidden="true"></i>
            <div class="map-label small" style=style><b>{key}</b><span class="dim">{title}</span></div>
        })
    }
}

/// Draws anew with the next frame whenever something is other than it was.
fn paint(state: State, (canvas, inks): (NodeRef<html::Canvas>, NodeRef<html::Span>), size: RwSignal<Px>) {
    let is_due = StoredValue::new(false);
    let draw = move || {
        let _ = is_due.try_set_value(false);
        let (Some(canvas), Some(inks)) = (canvas.try_get_untracked().flatten(), inks.try_get_untracked().flatten())
        else {
            return;
        };
        let (size, camera) = (size.get_untracked(), state.camera.get_untracked());
        let radius = camera.radius();
        let dots: Option<Vec<browser::Dot>> = state.places(|places| {
            state.colours.with_untracked(|(colours, _)| {
                state.chosen.with_untracked(|chosen| {
                    let dot = |(number, place): (usize, &[f32; 2])| {
                        let (x, y) = camera.on_screen(*place, size);
                        (x, y, radius, colours.get(number).copied().unwrap_or(0), chosen.contains(&number))
                    };
                    places.iter().enumerate().map(dot).collect()
                })
            })
        });
        browser::paint_dots(&canvas, size, &dots.unwrap_or_default(), &browser::inks_of(&inks));
    };
    Effect::new(move |_| {
        let _ = (state.moved.get(), state.camera.get(), size.get());
        state.colours.track();
        state.chosen.track();
        if canvas.get().is_none() || is_due.get_value() {
            return;
        }
        is_due.set_value(true);
        browser::next_frame(draw);
    });
}

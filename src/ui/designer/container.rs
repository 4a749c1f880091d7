//! What a container shows below its head: its body in small when it is unfolded, and a foot with what is inside, how far
//! a run of it is, and the ways in.

use leptos::prelude::*;

use super::action::counted;
use super::kernel::route::{self, Route};
use super::kernel::{Point, geometry, miniature};
use super::level::deep;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Bodies, Body, Step, StepProgress};
use crate::ui::components::Icon;

/// How many steps inside the foot names by their icons.
const CHIPS: usize = 5;
/// How many bodies inside of bodies the picture shows; the rest is too small to be told.
const DEPTH: u8 = 3;

/// The picture of the body and the foot. Nothing for steps without a body.
#[component]
pub fn ContainerParts(
    #[prop(into)] step: Signal<Step>,
    /// How far a run of it is.
    #[prop(into)]
    bodies: Signal<Option<Bodies>>,
    /// Goes inside; absent where there is no inside to go to.
    #[prop(optional_no_strip)]
    on_open: Option<Callback<()>>,
    /// Folds or unfolds; absent where nothing may be changed.
    #[prop(optional_no_strip)]
    on_fold: Option<Callback<()>>,
) -> impl IntoView {
    let body = Memo::new(move |_| step.read().body.clone());
    let width = Memo::new(move |_| geometry::node_size(&step.read()).w);
    let unfolded = Memo::new(move |_| body.read().as_ref().is_some_and(|body| body.unfolded));
    let progress = Memo::new(move |_| bodies.get());
    let name = Memo::new(move |_| step.read().label().to_owned());
    let fold = move || {
        on_fold.map(|on_fold| {
            let label =
                Signal::derive(move || format!("{} {}", if unfolded.get() { "Fold" } else { "Unfold" }, name.get()));
            let icon = Signal::derive(move || if unfolded.get() { "fold" } else { "unfold" });
            view! { <Control label icon on_press=on_fold /> }
        })
    };
    move || {
        let body = body.get()?;
        let picture = body.unfolded.then(|| view! { <Picture body=body.clone() width=width.get() /> });
        Some(view! {
            {picture}
            <div class="node-foot">
                {move || match progress.get() {
                    Some(bodies) => view! { <Progress bodies /> }.into_any(),
                    None => view! { <Inside body=body.clone() /> }.into_any(),
                }}
                <span class="node-controls">
                    {fold()}
                    {on_open.map(|on_press| {
                        let label = Signal::derive(move || format!("Open {}", name.get()));
                        view! { <Control label icon="into" on_press /> }
                    })}
                </span>
            </div>
        })
    }
}

/// The steps inside by their icons, and how many they are with those further inside.
#[component]
fn Inside(body: Body) -> impl IntoView {
    let all = deep(&body.steps).len();
    let icons = body.steps.iter().take(CHIPS).map(icon_of).map(|name| view! { <Icon name /> }).collect_view();
    let words = if all == 0 { "Nothing inside yet".to_owned() } else { format!("{} inside", counted(all, "step")) };
    view! { <span class="node-chips" aria-hidden="true">{icons}</span><span class="node-inside">{words}</span> }
}

fn icon_of(step: &Step) -> &'static str {
    Kind::find(&step.kind).map_or("help", |kind| kind.icon)
}

/// "3 of 10, 1 failed", with a line that fills.
#[component]
fn Progress(bodies: Bodies) -> impl IntoView {
    let share = bodies.total.filter(|total| *total > 0).map(|total| {
        let of = |count: u32| f64::from(count) / f64::from(total) * 100.0;
        format!("--share: {:.1}%; --failed: {:.1}%", of(bodies.ended), of(bodies.failed))
    });
    view! {
        <span class="node-inside">{progress_words(&bodies)}</span>
        {share.map(|share| view! { <span class="node-progress" style=share></span> })}
    }
}

/// How far an attempt in flight is, in words.
pub fn told_words(told: &StepProgress) -> String {
    match told.fraction {
        Some(fraction) => format!("{:.0} %, {}", fraction * 100.0, told.text),
        None => told.text.clone(),
    }
}

/// A line at the foot of a step that fills as its attempt goes on; absent where nobody knows how far it is.
#[component]
pub fn Told(#[prop(into)] told: Signal<Option<StepProgress>>) -> impl IntoView {
    let share = Memo::new(move |_| told.read().as_ref().and_then(|told| told.fraction));
    move || {
        share.get().map(|share| {
            let style = format!("--share: {:.1}%", share * 100.0);
            view! { <span class="node-told" aria-hidden="true" style=style></span> }
        })
    }
}

/// How far a container is, in words.
pub fn progress_words(bodies: &Bodies) -> String {
    let ended = match bodies.total {
        Some(total) => format!("{} of {total}", bodies.ended),
        None => format!("{} done", bodies.ended),
    };
    if bodies.failed > 0 { format!("{ended} · {} failed", bodies.failed) } else { ended }
}

/// A small button on a node. By keys there are Enter and F.
#[component]
fn Control(
    #[prop(into)] label: Signal<String>,
    #[prop(into)] icon: Signal<&'static str>,
    on_press: Callback<()>,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="node-control"
            tabindex="-1"
            aria-label=move || label.get()
            title=move || label.get()
            on:pointerdown=|event| event.stop_propagation()
            on:dblclick=|event| event.stop_propagation()
            on:click=move |event| {
                event.stop_propagation();
                on_press.run(());
            }
        >
            {move || view! { <Icon name=icon.get() /> }}
        </button>
    }
}

/// The body in small. To look at: one works inside.
#[component]
fn Picture(body: Body, width: f64) -> impl IntoView {
    let height = miniature::size(&body).h;
    let world = miniature::placed(&body, width).map(|placed| world(&body, placed, DEPTH));
    let empty = world.is_none().then(|| view! { <span class="dim small">"No steps inside yet"</span> });
    view! { <div class="node-body" aria-hidden="true" style=format!("--w: {width:.0}; --h: {height:.0}")>{world}{empty}</div> }
}

fn world(body: &Body, (origin, scale): (Point, f64), depth: u8) -> AnyView {
    let ways = route::ways(&body.steps, &body.edges);
    let line = |way: &Route| view! { <path d=way.path()></path> <path class="head" d=way.head()></path> };
    let lines = ways.iter().map(|(_, way)| line(way)).collect_view();
    let steps = body.steps.iter().map(|step| small(step, depth)).collect_view();
    let style = format!("transform: translate({:.1}px, {:.1}px) scale({scale:.3})", origin.x, origin.y);
    view! {
        <div class="small-world" style=style>
            <svg width="9" height="9">{lines}</svg>
            {steps}
        </div>
    }
    .into_any()
}

fn small(step: &Step, depth: u8) -> AnyView {
    let frame = geometry::node_rect(step);
    let inner = step.body.as_ref().filter(|body| body.unfolded && depth > 0).and_then(|body| {
        let height = miniature::size(body).h;
        let world = world(body, miniature::placed(body, frame.w)?, depth - 1);
        Some(view! { <div class="node-body" style=format!("--w: {:.0}; --h: {height:.0}", frame.w)>{world}</div> })
    });
    let foot = step.body.as_ref().map(|body| {
        let inside = format!("{} inside", counted(deep(&body.steps).len(), "step"));
        view! { <div class="small-foot">{inside}</div> }
    });
    let style = format!("--x: {}; --y: {}; --w: {}; --h: {}", frame.x, frame.y, frame.w, frame.h);
    view! {
        <div class="small-node" style=style>
            <div class="small-head"><Icon name=icon_of(step) /><span>{step.label().to_owned()}</span></div>
            {inner}
            {foot}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_a_container_is_reads_as_a_sentence() {
        let check = |total, ended, failed, expected: &str| {
            assert_eq!(
                progress_words(&Bodies { total, ended, failed, running: 0, begun: ended, cut_off: 0 }),
                expected
            );
        };
        check(Some(10), 3, 1, "3 of 10 · 1 failed");
        check(Some(3), 3, 0, "3 of 3");
        check(None, 4, 0, "4 done");
    }
}

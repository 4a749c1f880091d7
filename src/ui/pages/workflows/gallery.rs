//! The templates that ship with Weft, as cards with the graph in small.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;

use crate::api;
use crate::model::auth::{Action, Me};
use crate::model::workflow::{Definition, Template};
use crate::ui::components::{Button, ButtonSize, Load, SkeletonShape, Tone, use_toasts};
use crate::ui::designer::kernel::Rect;
use crate::ui::format;

/// The width and height of a card's picture.
const THUMB: (f64, f64) = (300.0, 96.0);
/// The air around the graph in it.
const AIR: f64 = 8.0;

/// Every template; each can be used by those who may make workflows.
#[component]
pub fn Gallery() -> impl IntoView {
    let templates = Resource::new(|| (), |()| api::workflows::list_templates());
    view! {
        <section class="templates" aria-labelledby="templates">
            <h2 id="templates">"Templates"</h2>
            <Load resource=templates what="the templates" shape=SkeletonShape::Block(12) let:templates>
                <ul class="gallery">
                    {templates.into_iter().map(|template| view! { <Card template /> }).collect_view()}
                </ul>
            </Load>
        </section>
    }
}

#[component]
fn Card(template: Template) -> impl IntoView {
    let Template { name, description, definition, .. } = template;
    let toasts = use_toasts();
    let navigate = use_navigate();
    let may = use_context::<Me>().is_some_and(|me| me.may(Action::EditWorkflow));
    let busy = RwSignal::new(false);
    let steps = format::plural(definition.steps.len() as i64, "step");
    let thumb = thumb(&definition);
    let use_it = move |()| {
        busy.set(true);
        let (definition, navigate) = (definition.clone(), navigate.clone());
        spawn_local(async move {
            match api::workflows::create_workflow(definition).await {
                Ok(workflow) => {
                    navigate(&format!("/workflows/{}", workflow.id), leptos_router::NavigateOptions::default())
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
        });
    };
    let use_it = Callback::new(use_it);
    view! {
        <li class="template">
            {thumb}
            <h3>{name}</h3>
            <p>{description}</p>
            <footer>
                <span>{steps}</span>
                {may.then(|| view! { <Button label="Use this template" size=ButtonSize::Small busy on_press=use_it /> })}
            </footer>
        </li>
    }
}

/// The graph in small, turned on its side where it is much higher than wide: time then runs to the right.
fn thumb(definition: &Definition) -> impl IntoView + use<> {
    let corners = definition.steps.iter().map(|step| Rect::new(step.position.x, step.position.y, 0.0, 0.0));
    let bounds = corners.reduce(Rect::union).unwrap_or_default();
    // how far the corners of the boxes lie apart
    let (right, down) = (bounds.w, bounds.h);
    let turned = down > right;
    // a turned picture keeps its boxes upright: only their places are turned
    let (w, h) = if turned { (down, right) } else { (right, down) };
    let (box_w, box_h) = (26.0, 12.0);
    let scale_to = |room: f64, size: f64| ((room - 2.0 * AIR) / size.max(1.0)).min(0.34);
    let scale = (scale_to(THUMB.0 - box_w, w), scale_to(THUMB.1 - box_h, h));
    let origin = ((THUMB.0 - box_w - w * scale.0) / 2.0, (THUMB.1 - box_h - h * scale.1) / 2.0);
    let place = move |x: f64, y: f64| {
        let (x, y) = if turned { (y - bounds.y, x - bounds.x) } else { (x - bounds.x, y - bounds.y) };
        (origin.0 + x * scale.0, origin.1 + y * scale.1)
    };
    let ways: Vec<_> = definition
        .edges
        .iter()
        .filter_map(|edge| {
            let (from, to) = (definition.step(&edge.from)?.position, definition.step(&edge.to)?.position);
            let (from, to) = (place(from.x, from.y), place(to.x, to.y));
            Some(if turned {
                let (x1, y1, x2, y2) = (from.0 + box_w, from.1 + box_h / 2.0, to.0, to.1 + box_h / 2.0);
                let middle = f64::midpoint(x1, x2);
                format!("M{x1:.1} {y1:.1}H{middle:.1}V{y2:.1}H{x2:.1}")
            } else {
                let (x1, y1, x2, y2) = (from.0 + box_w / 2.0, from.1 + box_h, to.0 + box_w / 2.0, to.1);
                let middle = f64::midpoint(y1, y2);
                format!("M{x1:.1} {y1:.1}V{middle:.1}H{x2:.1}V{y2:.1}")
            })
        })
        .collect();
    let boxes: Vec<_> = definition.steps.iter().map(|step| place(step.position.x, step.position.y)).collect();
    view! {
        <svg class="thumb" viewBox=format!("0 0 {} {}", THUMB.0, THUMB.1) aria-hidden="true">
            {ways.into_iter().map(|d| view! { <path d=d></path> }).collect_view()}
            {boxes
                .into_iter()
                .map(|(x, y)| {
                    view! { <rect x=format!("{x:.1}") y=format!("{y:.1}") width=box_w height=box_h rx="3"></rect> }
                })
                .collect_view()}
        </svg>
    }
}

//! Of a container's form: the steps inside, and the ways to them.

use leptos::prelude::*;

use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Body, Step};
use crate::ui::components::{Button, ButtonSize, ButtonVariant, Icon};
use crate::ui::designer::editor::use_editor;
use crate::ui::designer::kernel::walk;
use crate::ui::designer::{action, keys};

/// The steps inside of a container, each a press away.
#[component]
pub fn StepsInside(#[prop(into)] step: Signal<Step>) -> impl IntoView {
    let editor = use_editor();
    let body = Memo::new(move |_| step.read().body.clone());
    let unfolded = Memo::new(move |_| body.read().as_ref().is_some_and(|body| body.unfolded));
    let fold = Signal::derive(move || if unfolded.get() { "Fold".to_owned() } else { "Unfold".to_owned() });
    let gives = Memo::new(move |_| {
        let body = body.read();
        body.as_ref().filter(|body| !body.output.is_null()).map(|body| match &body.output {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    });
    view! {
        <section class="field" aria-labelledby="steps-inside">
            <h3 class="label" id="steps-inside">"Steps inside"</h3>
            {move || body.get().map(|body| view! { <List body /> })}
            {move || {
                gives.get().map(|gives| view! { <p class="small dim gives">"Gives " <code>{gives}</code></p> })
            }}
            <div class="form-actions">
                <Button label="Open" icon="into" keys="Enter" size=ButtonSize::Small on_press=move |()| keys::enter(editor) />
                {editor.may_edit.then(|| {
                    view! {
                        <Button
                            label=fold
                            icon="unfold"
                            keys="F"
                            size=ButtonSize::Small
                            variant=ButtonVariant::Quiet
                            on_press=move |()| keys::fold(editor)
                        />
                    }
                })}
            </div>
        </section>
    }
}

#[component]
fn List(body: Body) -> impl IntoView {
    if body.steps.is_empty() {
        return view! { <p class="small dim">"None yet. Open it and add what it runs."</p> }.into_any();
    }
    let steps = walk::reading_order(&body).into_iter().map(|step| view! { <Row step=step.clone() /> }).collect_view();
    view! { <ul class="inside-list">{steps}</ul> }.into_any()
}

#[component]
fn Row(step: Step) -> impl IntoView {
    let editor = use_editor();
    let icon = Kind::find(&step.kind).map_or("help", |kind| kind.icon);
    let inside = step.body.as_ref().map(|body| action::counted(body.steps.len(), "step"));
    let label = step.label().to_owned();
    let go = move |_| {
        editor.go_to(&step.id);
        crate::ui::browser::next_frame(move || keys::focus_canvas(editor));
    };
    view! {
        <li>
            <button type="button" class="menu-item" on:click=go>
                <Icon name=icon />
                <span class="name">{label}</span>
                {inside.map(|inside| view! { <span class="aside">{inside}</span> })}
            </button>
        </li>
    }
}

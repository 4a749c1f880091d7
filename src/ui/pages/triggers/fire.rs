//! Firing by hand: a test of a trigger, with an event that one writes oneself.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;
use serde_json::{Value, json};

use super::row::RowActs;
use crate::api::triggers::fire_trigger;
use crate::model::trigger::{Kind, Outcome, Trigger};
use crate::ui::components::{Button, ButtonVariant, Dialog, Icon, TextArea};

#[component]
pub(super) fn FireDialog(acts: RowActs) -> impl IntoView {
    let busy = RwSignal::new(false);
    let text = RwSignal::new(String::new());
    let refused = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        if acts.fire_open.get() {
            text.set(acts.fire.with_untracked(|trigger| trigger.as_ref().map(example).unwrap_or_default()));
            refused.set(None);
        }
    });
    let navigate = use_navigate();
    let fire = move |()| {
        let Some(trigger) = acts.fire.get_untracked() else { return };
        let event = match read(&text.get_untracked()) {
            Ok(event) => event,
            Err(error) => return refused.set(Some(error)),
        };
        busy.set(true);
        refused.set(None);
        let navigate = navigate.clone();
        spawn_local(async move {
            match fire_trigger(trigger.id, event).await {
                Ok(firing) if firing.outcome == Outcome::Started => {
                    acts.fire_open.try_set(false);
                    acts.changed.try_update(|n| *n += 1);
                    if let Some(run) = firing.run_id {
                        navigate(&format!("/runs/{run}"), leptos_router::NavigateOptions::default());
                    }
                }
                Ok(firing) => {
                    refused.try_set(Some(firing.reason));
                    acts.changed.try_update(|n| *n += 1);
                }
                Err(error) => drop(refused.try_set(Some(error.detail().to_owned()))),
            }
            busy.try_set(false);
        });
    };
    let fire = Callback::new(fire);
    let title =
        move || acts.fire.with(|trigger| trigger.as_ref().map(|t| format!("Fire {}", t.name))).unwrap_or_default();
    let asks = move || acts.fire.with(|trigger| trigger.as_ref().is_some_and(|t| t.config.kind() != Kind::Schedule));
    let footer = move || {
        view! {
            <Button label="Close" on_press=move |()| acts.fire_open.set(false) />
            <Button label="Fire now" icon="play" variant=ButtonVariant::Primary busy on_press=fire />
        }
    };
    view! {
        <Dialog id="fire-trigger" title=Signal::derive(title) open=acts.fire_open footer=ViewFn::from(footer)>
            <div class="form">
                <div role="alert">
                    {move || refused.get().map(|text| view! { <div class="form-error"><Icon name="s-failed" /><span>{text}</span></div> })}
                </div>
                {move || if asks() {
                    view! {
                        <TextArea
                            id="fire-event" label="Event" value=text rows=10 mono=true
                            hint=Some("What the trigger's inputs see as event. It starts a real run of the published version.".to_owned())
                        />
                    }.into_any()
                } else {
                    view! { <p>"It starts a real run of the published version now, as if one of its times had come."</p> }.into_any()
                }}
            </div>
        </Dialog>
    }
}

/// An event of the kind, to begin from.
fn example(trigger: &Trigger) -> String {
    let event = match trigger.config.kind() {
        Kind::Schedule => return String::new(),
        Kind::Webhook => json!({"body": {"hello": "world"}, "headers": {}, "query": {}}),
        Kind::Memory => json!({
            "change": "written", "namespace": "notes", "key": "a", "version": 1, "content": "A thought.", "value": null, "tags": [],
        }),
        Kind::RunFinished => json!({
            "run_id": "00000000-0000-0000-0000-000000000000", "status": "failed", "workflow": {"name": "Nightly tests"},
            "inputs": {}, "output": null, "error": {"class": "timeout", "message": "took too long"},
        }),
    };
    serde_json::to_string_pretty(&event).unwrap_or_default()
}

fn read(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    match serde_json::from_str(text) {
        Ok(event @ Value::Object(_)) => Ok(event),
        Ok(_) => Err("Expected an object: { … }".to_owned()),
        Err(error) => Err(format!("The event is no JSON: {error}")),
    }
}

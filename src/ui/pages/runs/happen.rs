//! "Send the event…": what a run waits for has happened, and nobody told it.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use crate::api;
use crate::model::auth::{Action, Me};
use crate::ui::components::{Button, ButtonSize, ButtonVariant, Dialog, Icon, TextArea, Tone, use_toasts};
use crate::ui::format;

const FORM: &str = "event-form";

/// The key that is sent, and whether the dialog is open. From the context of a run's page.
#[derive(Debug, Clone, Copy)]
pub struct Happening {
    open: RwSignal<bool>,
    key: RwSignal<String>,
}

impl Happening {
    /// Nothing is asked for.
    pub fn new() -> Self {
        Self { open: RwSignal::new(false), key: RwSignal::new(String::new()) }
    }
}

/// Beside the wait for an event.
#[component]
pub fn SendButton(key: String) -> impl IntoView {
    let happening = use_context::<Happening>();
    let may = use_context::<Me>().is_some_and(|me| me.may(Action::ControlRun));
    let refused = (!may).then(|| format!("Your role may not {}", Action::ControlRun.phrase()));
    let press = move |()| {
        if let Some(happening) = happening {
            happening.key.set(key.clone());
            happening.open.set(true);
        }
    };
    view! {
        <Button label="Send the event…" icon="event" size=ButtonSize::Small refused=Signal::stored(refused) on_press=press />
    }
}

/// Asks for what the event says, and sends it. Once on the page, so that what is typed stays while the run moves.
#[component]
pub fn SendDialog(happening: Happening) -> impl IntoView {
    let busy = RwSignal::new(false);
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| happening.open.set(false) />
            <Button label="Send it" variant=ButtonVariant::Primary submit=true busy attr:form=FORM />
        }
    };
    view! {
        <Dialog id="event-title" title="Send an event" open=happening.open footer=ViewFn::from(footer)>
            <Form happening busy />
        </Dialog>
    }
}

#[component]
fn Form(happening: Happening, busy: RwSignal<bool>) -> impl IntoView {
    let toasts = use_toasts();
    let key = happening.key.get_untracked();
    let payload = RwSignal::new("{}".to_owned());
    let refused = RwSignal::new(None::<String>);
    let sent = key.clone();
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let said = match read(&payload.get_untracked()) {
            Ok(said) => said,
            Err(why) => return refused.set(Some(why)),
        };
        busy.set(true);
        refused.set(None);
        let key = sent.clone();
        spawn_local(async move {
            match api::runs::send_event(key, said).await {
                Ok(reached) => {
                    happening.open.try_set(false);
                    toasts.say(Tone::Good, told(reached.len()));
                }
                Err(error) => drop(refused.try_set(Some(error.detail().to_owned()))),
            }
            busy.try_set(false);
        });
    };
    view! {
        <form class="form" id=FORM novalidate on:submit=send>
            {move || {
                refused.get().map(|text| {
                    view! { <div class="form-error" role="alert"><Icon name="s-failed" /><span>{text}</span></div> }
                })
            }}
            <p>
                "Every run that waits for " <code>{key}</code> " takes it, each once, as if the sender had sent it."
            </p>
            <TextArea
                id="event-payload"
                label="What it says"
                value=payload
                rows=6
                mono=true
                hint=Some("JSON. It becomes the output of the step that waits.".to_owned())
            />
        </form>
    }
}

fn read(payload: &str) -> Result<Value, String> {
    if payload.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(payload).map_err(|error| format!("What it says is no JSON: {error}."))
}

/// What came of it.
fn told(reached: usize) -> String {
    match reached {
        0 => "The event is kept; no run that waits fits what it says.".to_owned(),
        reached => format!("The event reached {}.", format::plural(reached as i64, "run")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_event_says_is_json_or_nothing() {
        assert_eq!(read(" "), Ok(Value::Null));
        assert_eq!(read("{\"paid\": true}"), Ok(json!({"paid": true})));
        assert!(read("{").expect_err("refused").starts_with("What it says is no JSON"));
    }

    #[test]
    fn who_was_reached_is_told() {
        assert_eq!(told(2), "The event reached 2 runs.");
        assert!(told(0).starts_with("The event is kept"));
    }
}

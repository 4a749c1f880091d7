//! What came out of a run, shown while no step is chosen.

use leptos::prelude::*;

use super::order::running_order;
use super::page::Place;
use super::value::ValueView;
use super::watch::Watch;
use crate::model::workflow::{RunStatus, StepError, StepStatus};
use crate::ui::components::{ButtonLink, ButtonSize, Icon, JsonTree, Remedy, Tab, TabPanel, Tabs};

const TABS: &str = "result";
const OUTPUT: &str = "output";
const INPUTS: &str = "inputs";

/// The run's output, its inputs, or why it failed.
#[component]
pub fn ResultPane(watch: Watch, place: Place) -> impl IntoView {
    let chosen = RwSignal::new(OUTPUT.to_owned());
    let tabs = vec![Tab::new(OUTPUT, "Output"), Tab::new(INPUTS, "Inputs")];
    let output = Memo::new(move |_| watch.ends.read().output.clone());
    let inputs = Memo::new(move |_| watch.ends.read().inputs.clone());
    let succeeded = Memo::new(move |_| watch.status().get() == RunStatus::Succeeded);
    view! {
        <section class="pane" data-depth="surface" aria-label="Result of the run">
            <Tabs id=TABS label="Result of the run" tabs=Signal::stored(tabs) chosen on_choose=move |tab| chosen.set(tab) />
            <Failure watch place />
            <TabPanel id=TABS name=OUTPUT chosen>
                <Show when=move || succeeded.get() fallback=move || view! { <p class="pane-note">{move || nothing(watch.status().get())}</p> }>
                    <ValueView label="Output of the run" value=output />
                </Show>
            </TabPanel>
            <TabPanel id=TABS name=INPUTS chosen>
                <JsonTree label="Inputs of the run" value=inputs />
            </TabPanel>
        </section>
    }
}

/// Why there is no output.
const fn nothing(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued => "The run has not begun. Its output appears here when it has succeeded.",
        RunStatus::Running => {
            "The run is in motion. Its output appears here when it has succeeded; choose a step to see what it does."
        }
        RunStatus::Waiting => {
            "The run waits. Its output appears here when it has succeeded; choose a step to see what it waits for."
        }
        RunStatus::Paused => {
            "The run is paused: nothing new starts until it is resumed, nor in the runs that it waits for."
        }
        RunStatus::Cancelled => "The run was cancelled, so it has no output.",
        RunStatus::Failed => "A failed run has no output. Choose a step to see what it was given and what it printed.",
        RunStatus::Succeeded => "",
    }
}

#[component]
fn Failure(watch: Watch, place: Place) -> impl IntoView {
    let error = Memo::new(move |_| watch.ends.read().error.clone());
    move || {
        error.get().map(|StepError { class, message, .. }| {
            let failed = failed_step(watch);
            let remedy = view! { <Remedy class=class.clone() /> };
            let link = failed.map(|(id, name)| {
                let href = Signal::derive(move || place.href(place.view.get(), Some(&id)));
                view! { <ButtonLink href label=format!("Open {name}") size=ButtonSize::Small attr:data-noscroll="" /> }
            });
            view! {
                <div class="notice step-notice" data-tone="bad">
                    <Icon name="s-failed" />
                    <span class="grow">
                        <code class="error-class">{class}</code>
                        <span class="error-message">{message}</span>
                    </span>
                    {remedy}
                    {link}
                </div>
            }
        })
    }
}

/// The last of the steps whose failure was not handled: its id and label.
fn failed_step(watch: Watch) -> Option<(String, String)> {
    let order = watch.definition.with_value(|definition| running_order(&definition.steps, &definition.edges));
    let is_fatal = |id: &String| {
        watch.step(id).is_some_and(|step| {
            let step = step.read();
            step.status == StepStatus::Failed && step.port.is_none()
        })
    };
    let id = order.into_iter().rfind(is_fatal)?;
    let name = watch.definition.with_value(|definition| definition.step(&id).map(|step| step.label().to_owned()))?;
    Some((id, name))
}

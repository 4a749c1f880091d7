//! "Replay as test": the run held against another definition, and kept as a regression test.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api;
use crate::model::auth::{Action, Me};
use crate::model::workflow::{Against, Replay, ReplayDifference, Strictness};
use crate::model::{ApiError, PageRequest, WorkflowId};
use crate::ui::components::{
    Button, ButtonVariant, Checkbox, Choice, Dialog, DialogSize, Icon, Select, TextInput, Tone, use_toasts,
};
use crate::ui::pages::runs::travel::compare::DifferenceList;
use crate::ui::pages::runs::watch::Watch;

/// What the dialog asks for and found.
#[derive(Clone, Copy)]
struct Held {
    against: RwSignal<String>,
    strict: RwSignal<bool>,
    name: RwSignal<String>,
    found: RwSignal<Option<Result<Replay, ApiError>>>,
}

impl Held {
    fn strictness(self) -> Strictness {
        if self.strict.get_untracked() { Strictness::Strict } else { Strictness::Result }
    }
}

/// Plays the run, shows what differs, and keeps it as a test.
#[component]
pub fn ReplayDialog(watch: Watch, open: RwSignal<bool>) -> impl IntoView {
    let busy = RwSignal::new(false);
    let held = Held {
        against: RwSignal::new("draft".to_owned()),
        strict: RwSignal::new(false),
        name: RwSignal::new(String::new()),
        found: RwSignal::new(None),
    };
    let play = move |()| {
        let against = held.against.get_untracked().parse().map_or(Against::Draft, Against::Version);
        let strictness = held.strictness();
        busy.set(true);
        spawn_local(async move {
            held.found.try_set(Some(api::travel::replay_run(watch.id, against, strictness).await));
            busy.try_set(false);
        });
    };
    let footer = move || {
        view! {
            <Button label="Close" on_press=move |()| open.set(false) />
            <Button label="Replay" icon="play" variant=ButtonVariant::Primary busy on_press=play />
        }
    };
    let workflow = watch.summary.with_untracked(|run| run.workflow_id);
    view! {
        <Dialog id="replay-title" title="Replay as test" open size=DialogSize::Large footer=ViewFn::from(footer)>
            <p>
                "Plays this run on another definition. Steps with an effect end as they were recorded, the others are computed anew; nothing leaves."
            </p>
            {match workflow {
                Some(workflow) => view! { <Ask workflow held /> <Keep watch workflow held /> }.into_any(),
                None => view! { <p class="dim">"This run's definition was never stored, so that there is nothing to hold it against."</p> }.into_any(),
            }}
            <div role="status">{move || held.found.get().map(|found| view! { <Found found /> })}</div>
        </Dialog>
    }
}

#[component]
fn Ask(workflow: WorkflowId, held: Held) -> impl IntoView {
    let versions =
        LocalResource::new(move || api::workflows::list_versions(workflow, PageRequest { limit: 20, cursor: None }));
    let choices = Signal::derive(move || {
        let known = versions.get().and_then(Result::ok).map(|page| page.items).unwrap_or_default();
        let known = known.into_iter().map(|v| Choice::new(v.version.to_string(), format!("Version {}", v.version)));
        std::iter::once(Choice::new("draft", "The draft")).chain(known).collect::<Vec<_>>()
    });
    view! {
        <div class="form">
            <Select id="replay-against" label="On" value=held.against choices />
            <Checkbox id="replay-strict" label="Fail also where a step was given or gave back something else" value=held.strict />
        </div>
    }
}

/// Keeps the run as a regression test.
#[component]
fn Keep(watch: Watch, workflow: WorkflowId, held: Held) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<String>);
    let may = use_context::<Me>().is_some_and(|me| me.may(Action::EditWorkflow));
    let keep = move |()| {
        let (name, strictness) = (held.name.get_untracked(), held.strictness());
        busy.set(true);
        spawn_local(async move {
            match api::travel::save_test(workflow, watch.id, name, strictness).await {
                Ok(test) => {
                    error.try_set(None);
                    held.name.try_set(String::new());
                    toasts.say(Tone::Good, format!("Kept as the test “{}” of this workflow.", test.name));
                }
                Err(why) => {
                    error.try_set(Some(why.field("/name").unwrap_or(why.detail()).to_owned()));
                }
            }
            busy.try_set(false);
        });
    };
    may.then(|| {
        view! {
            <div class="form keep-test">
                <TextInput
                    id="test-name"
                    label="Keep as a regression test"
                    value=held.name
                    error
                    placeholder="What it shows"
                    hint=Some("Its recorded outcomes stay when the run is deleted.".to_owned())
                />
                <Button label="Keep this run" icon="save" busy on_press=keep />
            </div>
        }
    })
}

#[component]
fn Found(found: Result<Replay, ApiError>) -> impl IntoView {
    match found {
        Err(error) => view! {
            <div class="notice" data-tone="bad"><Icon name="s-failed" /><span class="grow">{error.detail().to_owned()}</span></div>
        }
        .into_any(),
        Ok(replay) => view! { <ReplayResult replay /> }.into_any(),
    }
}

/// What a replay found.
#[component]
pub fn ReplayResult(replay: Replay) -> impl IntoView {
    let (tone, icon, text) = if replay.passed {
        ("plain", "s-succeeded", "Passed: it goes as it was recorded.")
    } else {
        ("bad", "s-failed", "Failed: it does not go as it was recorded.")
    };
    let differences = replay.differences.into_iter().map(|difference| view! { <Told difference /> }).collect_view();
    view! {
        <div class="notice" data-tone=tone><Icon name=icon /><span class="grow">{text}</span></div>
        <ul class="told">{differences}</ul>
    }
}

#[component]
fn Told(difference: ReplayDifference) -> impl IntoView {
    let ReplayDifference { step, fails, message, details } = difference;
    view! {
        <li data-fails=fails.then_some("")>
            <Icon name=if fails { "s-failed" } else { "info" } />
            <div class="grow">
                <strong>{step.unwrap_or_else(|| "The run".to_owned())}</strong>
                {format!(": {message}")}
                <DifferenceList differences=details />
            </div>
        </li>
    }
}

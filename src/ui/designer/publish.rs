//! Publishing: at once where a workflow has no tests, else after a look at what they say of the draft.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::movable::{MoveDialog, MoveOffer};
use super::problems::{sentence, use_problems};
use super::save::{SaveState, Saver, use_saver};
use crate::api;
use crate::model::auth::{Action, Me};
use crate::model::workflow::{TestResult, WorkflowTests};
use crate::model::{ApiError, TestId, WorkflowId};
use crate::ui::components::{
    Bound, Button, ButtonShape, ButtonSize, ButtonVariant, Dialog, DialogSize, ErrorState, Icon, Skeleton,
    SkeletonShape, Switch, Toasts, Tone, use_toasts,
};

/// Makes the next version; refused, with its reason, while there are errors or unsaved edits.
#[component]
pub fn Publish(id: WorkflowId) -> impl IntoView {
    let saver = use_saver();
    let problems = use_problems();
    let toasts = use_toasts();
    let (busy, open) = (RwSignal::new(false), RwSignal::new(false));
    let offer = MoveOffer::new(id);
    let next = move || saver.published.get().unwrap_or(0) + 1;
    let refused = Signal::derive(move || {
        problems.refusal().or_else(|| match saver.state.get() {
            SaveState::Saved if !saver.draft_changed.get() => {
                Some(format!("The draft is the same as v{}", saver.published.get().unwrap_or(0)))
            }
            SaveState::Saved => None,
            SaveState::Edited | SaveState::Saving => Some("Saving first".to_owned()),
            SaveState::Failed(_) | SaveState::Conflict { .. } => Some("The draft is not saved".to_owned()),
        })
    });
    // A workflow without tests is published as ever; one with tests shows them first.
    let press = move |()| {
        busy.set(true);
        spawn_local(async move {
            let tests = api::travel::list_tests(id).await;
            let _ = busy.try_set(false);
            match tests {
                Ok(tests) if tests.tests.is_empty() => publish(id, saver, toasts, busy, open, offer),
                Ok(_) => drop(open.try_set(true)),
                Err(error) => toasts.say(Tone::Bad, format!("Not published. {}", sentence(error.detail()))),
            }
        });
    };
    let label = Signal::derive(move || format!("Publish v{}", next()));
    view! {
        <Button label variant=ButtonVariant::Primary size=ButtonSize::Small busy=Signal::from(busy) refused on_press=press />
        <PublishDialog id label open busy on_publish=move |()| publish(id, saver, toasts, busy, open, offer) />
        <MoveDialog offer />
    }
}

fn publish(id: WorkflowId, saver: Saver, toasts: Toasts, busy: RwSignal<bool>, open: RwSignal<bool>, offer: MoveOffer) {
    let _ = busy.try_set(true);
    spawn_local(async move {
        let answer = api::workflows::publish_workflow(id, saver.revision.try_get_untracked()).await;
        let _ = busy.try_set(false);
        match answer {
            Ok(version) => {
                let _ = saver.published.try_set(Some(version));
                let _ = saver.draft_changed.try_set(false);
                let _ = open.try_set(false);
                toasts.say(Tone::Good, format!("Published v{version}. New runs use it."));
                offer.look().await;
            }
            Err(error @ ApiError::Conflict { .. }) => {
                let _ = open.try_set(false);
                saver.overtaken(&error);
            }
            Err(error) => toasts.say(Tone::Bad, format!("Not published. {}", sentence(error.detail()))),
        }
    });
}

/// The tests of a workflow, and what each says of the draft.
type Looked = Result<(WorkflowTests, Vec<TestResult>), ApiError>;

async fn look(id: WorkflowId) -> Looked {
    let tests = api::travel::list_tests(id).await?;
    let results = api::travel::run_tests(id).await?;
    Ok((tests, results))
}

/// Shows the tests with their result against the draft.
#[component]
fn PublishDialog(
    id: WorkflowId,
    label: Signal<String>,
    open: RwSignal<bool>,
    busy: RwSignal<bool>,
    #[prop(into)] on_publish: Callback<()>,
) -> impl IntoView {
    let gated = RwSignal::new(None::<String>);
    let footer = move || {
        view! {
            <Button label="Not now" on_press=move |()| open.set(false) />
            <Button label variant=ButtonVariant::Primary busy refused=gated on_press=on_publish />
        }
    };
    view! {
        <Dialog id="publish-title" title=label open size=DialogSize::Large footer=ViewFn::from(footer)>
            <Tests id gated />
        </Dialog>
    }
}

#[component]
fn Tests(id: WorkflowId, gated: RwSignal<Option<String>>) -> impl IntoView {
    let looked = LocalResource::new(move || look(id));
    let may_edit = use_context::<Me>().is_some_and(|me| me.may(Action::EditWorkflow));
    let gate = Memo::new(move |_| looked.get().and_then(Result::ok).is_some_and(|(tests, _)| tests.gate));
    let failed = Memo::new(move |_| {
        looked.get().and_then(Result::ok).map_or(0, |(_, results)| results.iter().filter(|r| !r.replay.passed).count())
    });
    // The button stands outside of what is loaded here.
    Effect::new(move |_| {
        let count = super::action::counted(failed.get(), "test");
        gated.set((gate.get() && failed.get() > 0).then(|| format!("{count} failed, and tests gate publishing")));
    });
    let switch = Callback::new(move |on: bool| {
        spawn_local(async move {
            if api::travel::set_gate(id, on).await.is_ok() {
                looked.refetch();
            }
        });
    });
    let forget = Callback::new(move |test: TestId| {
        spawn_local(async move {
            if api::travel::delete_test(id, test).await.is_ok() {
                looked.refetch();
            }
        });
    });
    view! {
        {move || match looked.get() {
            None => view! { <Skeleton what="the tests" shape=SkeletonShape::Rows(3) /> }.into_any(),
            Some(Err(error)) => view! { <ErrorState error what="the tests" /> }.into_any(),
            Some(Ok((_, results))) => {
                let rows = results.into_iter().map(|result| view! { <TestRow result may_edit forget /> }).collect_view();
                view! { <ul class="told">{rows}</ul> }.into_any()
            }
        }}
        <Show when=move || may_edit>
            <Switch
                id="tests-gate"
                label="Tests gate publishing"
                value=Bound::from((Signal::from(gate), switch))
                hint=Some("Publishing is refused while one fails on the draft.".to_owned())
            />
        </Show>
    }
}

#[component]
fn TestRow(result: TestResult, may_edit: bool, forget: Callback<TestId>) -> impl IntoView {
    let TestResult { test, replay } = result;
    let first = replay.differences.iter().find(|difference| difference.fails).map(|difference| {
        let step = difference.step.as_ref().map(|step| format!("{step}: ")).unwrap_or_default();
        format!("{step}{}", difference.message)
    });
    let word = if replay.passed { "passed".to_owned() } else { format!("failed, {}", first.unwrap_or_default()) };
    let id = test.id;
    view! {
        <li data-fails=(!replay.passed).then_some("")>
            <Icon name=if replay.passed { "s-succeeded" } else { "s-failed" } />
            <span class="grow"><a class="link" href=format!("/runs/{}", test.run_id)>{test.name.clone()}</a> {format!(" {word}")}</span>
            {may_edit.then(|| {
                view! {
                    <Button
                        label=format!("Delete the test {}", test.name)
                        icon="trash"
                        variant=ButtonVariant::Quiet
                        size=ButtonSize::Small
                        shape=ButtonShape::IconOnly
                        on_press=move |()| forget.run(id)
                    />
                }
            })}
        </li>
    }
}

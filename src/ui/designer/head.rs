//! The header: what is edited, whether it is saved, undo and redo, problems, test run, publish.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::editor::use_editor;
use super::problems::{ProblemsButton, sentence, use_problems};
use super::run::use_runner;
use super::save::{SaveState, SaveWord, use_saver};
use crate::api;
use crate::model::WorkflowId;
use crate::ui::components::{
    Badge, Button, ButtonShape, ButtonSize, ButtonVariant, Crumb, PageHeader, Tone, use_toasts,
};

/// The header.
#[component]
pub fn Head(id: WorkflowId, may_publish: bool, may_run: bool) -> impl IntoView {
    let editor = use_editor();
    let saver = use_saver();
    let title = Signal::derive(move || editor.details.read().name.clone());
    let version = Signal::derive(move || match (saver.published.get(), editor.may_edit) {
        (None, _) => "Draft".to_owned(),
        (Some(version), true) if saver.draft_changed.get() => format!("Draft of v{}", version + 1),
        (Some(version), _) => format!("v{version}"),
    });
    let crumbs = vec![Crumb::new("/workflows", "Workflows")];
    let actions = move || {
        view! {
            {editor.may_edit.then(|| view! { <History /> <ProblemsButton /> })}
            {may_run.then(|| view! { <TestRun /> })}
            {may_publish.then(|| view! { <Publish id /> })}
        }
    };
    view! {
        <PageHeader title crumbs actions=ViewFnOnce::from(actions)>
            <Badge label=version />
            {editor.may_edit.then(|| view! { <SaveWord /> })}
            {(!editor.may_edit).then(|| view! { <Badge label="Read only" tone=Signal::stored(Tone::Plain) /> })}
        </PageHeader>
    }
}

/// Undo and redo, each with the name of what it does.
#[component]
fn History() -> impl IntoView {
    let editor = use_editor();
    let label =
        |verb: &str, name: Option<String>| name.map_or_else(|| verb.to_owned(), |name| format!("{verb}: {name}"));
    let undo = Signal::derive(move || label("Undo", editor.names.get().0));
    let redo = Signal::derive(move || label("Redo", editor.names.get().1));
    let no_undo = Signal::derive(move || editor.names.read().0.is_none().then(|| "Nothing to undo".to_owned()));
    let no_redo = Signal::derive(move || editor.names.read().1.is_none().then(|| "Nothing to redo".to_owned()));
    view! {
        <Button
            label=undo
            icon="undo"
            variant=ButtonVariant::Quiet
            size=ButtonSize::Small
            shape=ButtonShape::IconOnly
            refused=no_undo
            on_press=move |()| editor.undo()
        />
        <Button
            label=redo
            icon="redo"
            variant=ButtonVariant::Quiet
            size=ButtonSize::Small
            shape=ButtonShape::IconOnly
            refused=no_redo
            on_press=move |()| editor.redo()
        />
    }
}

/// Tries the draft out.
#[component]
fn TestRun() -> impl IntoView {
    let runner = use_runner();
    let problems = use_problems();
    let refused = Signal::derive(move || problems.refusal());
    view! {
        <Button
            label="Test run"
            icon="play"
            keys="R"
            size=ButtonSize::Small
            shape=ButtonShape::Collapsing
            refused
            on_press=move |()| runner.ask()
        />
    }
}

/// Makes the next version; refused, with its reason, while there are errors or unsaved edits.
#[component]
fn Publish(id: WorkflowId) -> impl IntoView {
    let saver = use_saver();
    let problems = use_problems();
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
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
    let publish = move |()| {
        busy.set(true);
        spawn_local(async move {
            let answer = api::workflows::publish_workflow(id).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(version) => {
                    let _ = saver.published.try_set(Some(version));
                    let _ = saver.draft_changed.try_set(false);
                    toasts.say(Tone::Good, format!("Published v{version}. New runs use it."));
                }
                Err(error) => toasts.say(Tone::Bad, format!("Not published. {}", sentence(error.detail()))),
            }
        });
    };
    view! {
        <Button
            label=Signal::derive(move || format!("Publish v{}", next()))
            variant=ButtonVariant::Primary
            size=ButtonSize::Small
            busy=Signal::from(busy)
            refused
            on_press=publish
        />
    }
}

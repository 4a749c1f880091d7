//! The header: what is edited, whether it is saved, undo and redo, problems, test run, publish.

use leptos::prelude::*;

use super::editor::use_editor;
use super::problems::{ProblemsButton, use_problems};
use super::publish::Publish;
use super::run::use_runner;
use super::save::use_saver;
use super::save_view::SaveWord;
use crate::model::WorkflowId;
use crate::ui::components::{Badge, Button, ButtonShape, ButtonSize, ButtonVariant, Crumb, PageHeader, Tone};

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

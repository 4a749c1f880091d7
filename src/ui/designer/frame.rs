//! The designer of one workflow: palette, canvas, inspector, and the state that they share.

use leptos::prelude::*;

use super::canvas::Canvas;
use super::connect::ConnectDialog;
use super::costs::Costs;
use super::editor::{Editor, use_editor};
use super::head::Head;
use super::inspector::Inspector;
use super::overlay::Overlay;
use super::palette::Palette;
use super::problems::Problems;
use super::run::Runner;
use super::save::Saver;
use super::save_view::SaveBanner;
use super::step_list::StepList;
use super::test_run::{RunBar, TestRunDialog};
use super::{clipboard, commands, keys};
use crate::model::workflow::Workflow;
use crate::ui::components::{Button, ButtonVariant, use_toasts};

/// The designer.
#[component]
pub fn Designer(
    /// As it was when the page opened.
    workflow: Workflow,
    /// Whether the reader may change the draft; all else is for looking.
    may_edit: bool,
    /// Whether the reader may start runs.
    may_run: bool,
    /// Whether the reader may publish.
    may_publish: bool,
) -> impl IntoView {
    let editor = Editor::new(workflow.draft.clone(), may_edit);
    provide_context(editor);
    let (overlay, problems, saver) = (Overlay::new(), Problems::new(editor), Saver::new(editor, &workflow));
    provide_context(overlay);
    provide_context(problems);
    provide_context(saver);
    let costs = Costs::new(workflow.id);
    provide_context(costs);
    costs.follow(overlay);
    let runner = Runner::new(workflow.id, editor, saver, overlay, problems, use_toasts());
    provide_context(runner);
    let test_run = Callback::new(move |()| {
        if may_run {
            runner.ask()
        }
    });
    keys::listen(editor, test_run);
    clipboard::listen(editor, use_toasts());
    commands::offer(editor, may_run, test_run);
    view! {
        <Head id=workflow.id may_publish may_run />
        <SaveBanner />
        <div class="page-body" data-flush="">
            <div
                class="panes designer"
                data-palette=(!may_edit).then_some("none")
                data-inspector=move || (!editor.inspector.get()).then_some("closed")
                data-phone=move || phone(editor)
            >
                {may_edit.then(|| view! { <Palette /> })}
                <Canvas>
                    <Empty />
                    <RunBar />
                </Canvas>
                <StepList />
                <Show when=move || editor.inspector.get()>
                    <Inspector />
                </Show>
            </div>
        </div>
        <ConnectDialog />
        <TestRunDialog />
        <p class="visually-hidden" role="status" aria-live="polite">{move || editor.said.get()}</p>
    }
}

/// On a phone the inspector is a page of its own, once a step was opened.
fn phone(editor: Editor) -> Option<&'static str> {
    let opened = editor.inspector.get() && !editor.selection.read().is_empty();
    opened.then_some("inspector")
}

/// An empty canvas says what to do.
#[component]
fn Empty() -> impl IntoView {
    let editor = use_editor();
    let is_empty = Memo::new(move |_| editor.order.read().is_empty());
    view! {
        <Show when=move || is_empty.get()>
            <div class="empty">
                <h2>"No steps yet"</h2>
                <p>
                    {if editor.may_edit {
                        "A workflow is steps tied by threads. Drag one in from the left, or press A."
                    } else {
                        "Someone who may change workflows can add steps here."
                    }}
                </p>
                {editor.may_edit.then(|| {
                    view! {
                        <div class="actions">
                            <Button
                                label="Add a step"
                                icon="plus"
                                keys="A"
                                variant=ButtonVariant::Primary
                                on_press=move |()| keys::add(editor)
                            />
                        </div>
                    }
                })}
            </div>
        </Show>
    }
}

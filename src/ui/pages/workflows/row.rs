//! A workflow's row: what it shows, what its menu does, and the question before a deletion.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::start::Target;
use crate::api;
use crate::model::WorkflowId;
use crate::model::auth::{Action, Me};
use crate::model::workflow::WorkflowSummary;
use crate::ui::browser;
use crate::ui::components::{
    Badge, ConfirmDialog, Menu, MenuItem, MenuLink, RelativeTime, StatusBadge, StatusLook, Toasts, Tone,
};
use crate::ui::format;

/// What a row may ask for; the dialogs stand once, beside the table.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) start: RwSignal<Option<Target>>,
    pub(super) start_open: RwSignal<bool>,
    pub(super) delete: RwSignal<Option<(WorkflowId, String)>>,
    pub(super) delete_open: RwSignal<bool>,
    /// Grows whenever the list is to be read anew.
    pub(super) changed: RwSignal<u32>,
    pub(super) toasts: Toasts,
}

#[component]
pub(super) fn Row(row: WorkflowSummary, asked: Asked) -> impl IntoView {
    let WorkflowSummary {
        id,
        name,
        description,
        steps,
        published_version,
        draft_changed,
        owner_name,
        updated_at,
        last_run,
    } = row;
    let last = match last_run {
        Some(run) => view! {
            <a class="last-run over" href=format!("/runs/{}", run.id)>
                <StatusBadge status=Signal::stored(StatusLook::from(run.status)) />
                <span class="dim"><RelativeTime at=run.created_at /></span>
            </a>
        }
        .into_any(),
        None => view! { <span class="dimmer">"never ran"</span> }.into_any(),
    };
    view! {
        <tr>
            <td class="workflow-name">
                <a class="cover" href=format!("/workflows/{id}") title=name.clone()>{name.clone()}</a>
                {(!description.is_empty()).then(|| view! { <span class="dim truncate">{description}</span> })}
            </td>
            <td class="num">{format::count(i64::from(steps))}</td>
            <td>
                {published_version.map(|version| format!("v{version} "))}
                {version_badge(published_version, draft_changed).map(|(label, tone)| view! { <Badge label tone /> })}
            </td>
            <td>{owner_name}</td>
            <td>{last}</td>
            <td><RelativeTime at=updated_at /></td>
            <td class="row-actions"><div class="over"><RowMenu id name asked /></div></td>
        </tr>
    }
}

/// What is to be said of the draft.
const fn version_badge(published: Option<i64>, changed: bool) -> Option<(&'static str, Tone)> {
    match (published, changed) {
        (None, _) => Some(("draft", Tone::Plain)),
        (Some(_), true) => Some(("draft differs", Tone::Accent)),
        (Some(_), false) => None,
    }
}

#[component]
fn RowMenu(id: WorkflowId, name: String, asked: Asked) -> impl IntoView {
    let me = use_context::<Me>();
    let may = |action| me.as_ref().is_some_and(|me| me.may(action));
    let (may_run, may_edit) = (may(Action::StartRun), may(Action::EditWorkflow));
    let label = format!("Actions for {name}");
    let name = StoredValue::new(name);
    let toasts = asked.toasts;
    let run = move |()| {
        asked.start.set(Some(Target { workflow: id, inputs: None }));
        asked.start_open.set(true);
    };
    let export = move |()| {
        spawn_local(async move {
            match api::workflows::export_workflow(id).await {
                Ok(text) => {
                    browser::save_file(&format!("{}.yaml", file_name(&name.get_value())), "application/yaml", &text)
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
        });
    };
    let duplicate = move |()| {
        spawn_local(async move {
            let copied = async {
                let workflow = api::workflows::get_workflow(id).await?;
                api::workflows::create_workflow(workflow.draft).await
            };
            match copied.await {
                Ok(copy) => {
                    toasts.say(Tone::Good, format!("{} was made", copy.name));
                    asked.changed.update(|n| *n += 1);
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
        });
    };
    let delete = move |()| {
        asked.delete.set(Some((id, name.get_value())));
        asked.delete_open.set(true);
    };
    view! {
        <Menu id=format!("menu-{id}") label>
            {may_run.then(|| view! { <MenuItem label="Run…" icon="play" on_press=run /> })}
            <MenuLink href=format!("/workflows/{id}") label="Open" icon="workflow" />
            <MenuLink href=format!("/runs?workflow={id}") label="Show its runs" icon="runs" />
            <MenuLink href=format!("/triggers?workflow={id}") label="Show its triggers" icon="bolt" />
            <MenuItem label="Export YAML" icon="download" on_press=export />
            {may_edit.then(|| view! {
                <MenuItem label="Duplicate" icon="duplicate" on_press=duplicate />
                <hr />
                <MenuItem label="Delete…" icon="trash" tone=Tone::Bad on_press=delete />
            })}
        </Menu>
    }
}

/// A name as a file's: letters and digits, dashes between.
fn file_name(name: &str) -> String {
    let words: Vec<_> = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let joined = words.join("-").to_lowercase();
    if joined.is_empty() { "workflow".to_owned() } else { joined }
}

#[component]
pub(super) fn DeleteDialog(asked: Asked) -> impl IntoView {
    let busy = RwSignal::new(false);
    let name = move || asked.delete.with(|asked| asked.as_ref().map(|(_, name)| name.clone())).unwrap_or_default();
    let confirm = move |()| {
        let Some((id, name)) = asked.delete.get_untracked() else {
            return;
        };
        busy.set(true);
        spawn_local(async move {
            match api::workflows::delete_workflow(id).await {
                Ok(()) => {
                    asked.toasts.say(Tone::Good, format!("{name} was deleted"));
                    asked.changed.update(|n| *n += 1);
                }
                Err(error) => asked.toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
            asked.delete_open.try_set(false);
        });
    };
    view! {
        <ConfirmDialog
            id="delete-workflow"
            title=Signal::derive(move || format!("Delete {}?", name()))
            open=asked.delete_open
            action="Delete the workflow"
            busy
            on_confirm=confirm
        >
            <p>"Its draft and all its versions are deleted, and this can't be undone. Its runs stay, with their history and logs."</p>
        </ConfirmDialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_file_name() {
        assert_eq!(file_name("Nightly tests (2)"), "nightly-tests-2");
        assert_eq!(file_name("…"), "workflow");
    }

    #[test]
    fn a_draft_is_only_spoken_of_where_it_differs() {
        assert_eq!(version_badge(None, true), Some(("draft", Tone::Plain)));
        assert_eq!(version_badge(Some(3), false), None);
    }
}

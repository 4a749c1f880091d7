//! Every workflow of the workspace, last changed first, and the templates to begin from.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use leptos_router::params::ParamsMap;

use super::gallery::Gallery;
use super::import::ImportDialog;
use super::start::{StartRunDialog, Target};
use crate::api;
use crate::model::auth::{Action, Me};
use crate::model::live::{ServerMessage, Topic};
use crate::model::workflow::{Definition, WorkflowSummary};
use crate::model::{ApiError, Page, PageRequest, WorkflowId};
use crate::ui::browser;
use crate::ui::components::{
    Badge, Button, ButtonSize, ButtonVariant, Column, ConfirmDialog, DataTable, EmptyState, Load, Menu, MenuItem,
    MenuLink, PageHeader, RelativeTime, SearchBox, SkeletonShape, StatusBadge, StatusLook, Toasts, Tone, use_toasts,
};
use crate::ui::format;
use crate::ui::state::live::follow;

/// How long changes are gathered before the list is read anew, in ms.
const GATHER_MS: i32 = 250;

/// The page of all workflows: `/workflows?q=words`.
#[component]
pub fn WorkflowsPage() -> impl IntoView {
    let query = use_query_map();
    let words = Memo::new(move |_| query.with(|query| query.get("q")).unwrap_or_default());
    let first = Resource::new(
        move || words.get(),
        |words| async move {
            let page = api::workflows::list_workflows(words.clone(), PageRequest::default()).await?;
            Ok::<_, ApiError>((words, page))
        },
    );
    let import = RwSignal::new(false);
    let navigate = use_navigate();
    let search = move |words: String| {
        let mut query = ParamsMap::new();
        if !words.is_empty() {
            query.insert("q", words);
        }
        let href = format!("/workflows{}", query.to_query_string());
        navigate(&href, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
    };
    let changed = RwSignal::new(0);
    count_changes(changed);
    // The dialogs stand outside of what is drawn anew: a list that changes must not close what a person fills in.
    let asked = Asked {
        start: RwSignal::new(None),
        start_open: RwSignal::new(false),
        delete: RwSignal::new(None),
        delete_open: RwSignal::new(false),
        changed,
        toasts: use_toasts(),
    };
    view! {
        <PageHeader title="Workflows" actions=ViewFnOnce::from(move || view! { <HeadActions import /> }) />
        <div class="toolbar" role="search" data-line="">
            <SearchBox label="Search workflows" words on_search=search />
        </div>
        <div class="page-body" data-flush="">
            <Load resource=first what="the workflows" shape=SkeletonShape::Rows(6) let:loaded>
                <Workflows words=loaded.0 page=loaded.1 asked />
            </Load>
            <Gallery />
        </div>
        <ImportDialog open=import />
        <StartRunDialog id="start-run" open=asked.start_open target=asked.start.into() />
        <DeleteDialog asked />
    }
}

/// Counts, a moment later, that workflows or their runs changed.
fn count_changes(changed: RwSignal<u32>) {
    let timer = browser::GuardSlot::new();
    let hear = move |message: ServerMessage| {
        if matches!(message, ServerMessage::Update(_)) {
            timer.keep(Some(browser::after_ms(GATHER_MS, move || changed.update(|n| *n += 1))));
        }
    };
    follow(Signal::stored(Some(Topic::Workflows)), || 0, hear);
    follow(Signal::stored(Some(Topic::Runs)), || 0, hear);
}

#[component]
fn HeadActions(import: RwSignal<bool>) -> impl IntoView {
    let toasts = use_toasts();
    let navigate = use_navigate();
    let busy = RwSignal::new(false);
    let may = use_context::<Me>().is_some_and(|me| me.may(Action::EditWorkflow));
    let create = Callback::new(move |()| {
        busy.set(true);
        let navigate = navigate.clone();
        spawn_local(async move {
            match api::workflows::create_workflow(Definition::empty("New workflow")).await {
                Ok(workflow) => navigate(&format!("/workflows/{}", workflow.id), NavigateOptions::default()),
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
        });
    });
    may.then(|| {
        view! {
            <Button label="Import" icon="upload" size=ButtonSize::Small on_press=move |()| import.set(true) />
            <Button label="New workflow" icon="plus" variant=ButtonVariant::Primary size=ButtonSize::Small busy on_press=create />
        }
    })
}

/// What a row may ask for; the dialogs stand once, beside the table.
#[derive(Clone, Copy)]
struct Asked {
    start: RwSignal<Option<Target>>,
    start_open: RwSignal<bool>,
    delete: RwSignal<Option<(WorkflowId, String)>>,
    delete_open: RwSignal<bool>,
    /// Grows whenever the list is to be read anew.
    changed: RwSignal<u32>,
    toasts: Toasts,
}

#[component]
fn Workflows(words: String, page: Page<WorkflowSummary>, asked: Asked) -> impl IntoView {
    let rows = RwSignal::new(page.items);
    let next = RwSignal::new(page.next);
    let sought = StoredValue::new(words.clone());
    Effect::new(move |seen: Option<u32>| {
        let changed = asked.changed.get();
        if seen.is_some_and(|seen| seen != changed) {
            spawn_local(reread(sought.get_value(), rows, next));
        }
        changed
    });
    view! {
        <Show when=move || rows.with(Vec::is_empty)>
            <Nothing words=sought.get_value() />
        </Show>
        <div hidden=move || rows.with(Vec::is_empty)>
            <WorkflowTable rows asked />
            <More words next rows />
        </div>
    }
}

/// Reads as many rows as are shown. Those that did not change stay as they are; on an error all do.
async fn reread(words: String, rows: RwSignal<Vec<WorkflowSummary>>, next: RwSignal<Option<String>>) {
    let shown = rows.try_with_untracked(Vec::len).unwrap_or_default() as u32;
    let request = PageRequest { limit: shown.clamp(PageRequest::default().limit, 200), cursor: None };
    if let Ok(page) = api::workflows::list_workflows(words, request).await {
        rows.try_set(page.items);
        next.try_set(page.next);
    }
}

#[component]
fn WorkflowTable(rows: RwSignal<Vec<WorkflowSummary>>, asked: Asked) -> impl IntoView {
    let columns = vec![
        Column::text("Name"),
        Column::number("Steps"),
        Column::text("Version"),
        Column::text("Owner"),
        Column::text("Last run"),
        Column::text("Changed"),
        Column::text(""),
    ];
    view! {
        <DataTable label="Workflows" columns>
            <For each=move || rows.get() key=|row| (row.id, row.updated_at, row.last_run.as_ref().map(|run| (run.id, run.status))) let:row>
                <Row row asked />
            </For>
        </DataTable>
    }
}

#[component]
fn Nothing(words: String) -> impl IntoView {
    if words.is_empty() {
        return view! {
            <EmptyState title="No workflows yet">
                "A workflow is a graph of steps that runs durably: drawn once, run as often as you like. Begin with a template below, or with an empty one."
            </EmptyState>
        }
        .into_any();
    }
    view! {
        <EmptyState title="No workflow fits">
            {format!("No name or description contains “{words}”. ")}
            <a class="link" href="/workflows">"Show all workflows"</a>
        </EmptyState>
    }
    .into_any()
}

#[component]
fn Row(row: WorkflowSummary, asked: Asked) -> impl IntoView {
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
                <a class="cover" href=format!("/workflows/{id}")>{name.clone()}</a>
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
fn DeleteDialog(asked: Asked) -> impl IntoView {
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

#[component]
fn More(words: String, rows: RwSignal<Vec<WorkflowSummary>>, next: RwSignal<Option<String>>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let words = StoredValue::new(words);
    let load = move |()| {
        busy.set(true);
        let page = PageRequest { cursor: next.get_untracked(), ..PageRequest::default() };
        spawn_local(async move {
            match api::workflows::list_workflows(words.get_value(), page).await {
                Ok(page) => {
                    next.try_set(page.next);
                    rows.try_update(|rows| {
                        let fresh: Vec<_> =
                            page.items.into_iter().filter(|row| rows.iter().all(|known| known.id != row.id)).collect();
                        rows.extend(fresh);
                    });
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
        });
    };
    view! {
        <Show when=move || next.read().is_some()>
            <nav class="pager" aria-label="Pages">
                <span class="tally">{move || format::plural(rows.read().len() as i64, "workflow")}</span>
                <Button label="Load more" size=ButtonSize::Small busy on_press=load />
            </nav>
        </Show>
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

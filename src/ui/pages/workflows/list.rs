//! Every workflow of the workspace, last changed first, and the templates to begin from.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use leptos_router::params::ParamsMap;

use super::gallery::Gallery;
use super::import::ImportDialog;
use super::row::{Asked, DeleteDialog, Row};
use super::start::StartRunDialog;
use crate::api;
use crate::model::auth::{Action, Me};
use crate::model::live::{ServerMessage, Topic};
use crate::model::workflow::{Definition, WorkflowSummary};
use crate::model::{ApiError, Page, PageRequest};
use crate::ui::browser;
use crate::ui::components::{
    Button, ButtonSize, ButtonVariant, Column, DataTable, EmptyState, Load, PageHeader, SearchBox, SkeletonShape, Tone,
    use_toasts,
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

//! The rows of the list of runs: read in pages, changed in place, never moved under the pointer.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::bulk::{BulkBar, Tick, Ticked};
use super::clock::{Elapsed, use_clock};
use super::filters::{Filters, trigger_label};
use crate::api;
use crate::model::live::{ServerMessage, Topic};
use crate::model::workflow::{RunFilter, RunStatus, RunSummary};
use crate::model::{Page, PageRequest, RunId};
use crate::ui::components::{
    Button, ButtonSize, Column, DataTable, EmptyState, RelativeTime, StatusBadge, StatusLook, StatusShape, Tone,
    use_toasts,
};
use crate::ui::state::live::follow;
use crate::ui::{browser, format};

/// Runs kept beyond the first page while new ones arrive.
const MOST_ROWS: usize = 2_000;

/// The rows, and what has arrived but is not shown yet.
#[derive(Debug, Clone, Copy)]
struct Rows {
    shown: RwSignal<Vec<(RunId, ArcRwSignal<RunSummary>)>>,
    arrived: RwSignal<Vec<RunSummary>>,
    next: RwSignal<Option<String>>,
}

impl Rows {
    fn new(page: Page<RunSummary>) -> Self {
        let shown = page.items.into_iter().map(row).collect();
        Self { shown: RwSignal::new(shown), arrived: RwSignal::new(Vec::new()), next: RwSignal::new(page.next) }
    }

    /// Writes a run into its row; gives it back if it has none.
    fn patch(self, run: RunSummary) -> Option<RunSummary> {
        let known = self
            .shown
            .try_with_untracked(|rows| rows.iter().find(|(id, _)| *id == run.id).map(|(_, signal)| signal.clone()))?;
        if let Some(signal) = known {
            if signal.with_untracked(|known| *known != run) {
                signal.set(run);
            }
            return None;
        }
        Some(run)
    }

    /// Keeps a new run for later, or a newer state of one that is kept.
    fn keep(self, run: RunSummary) {
        self.arrived.try_update(|arrived| match arrived.iter_mut().find(|known| known.id == run.id) {
            Some(known) => *known = run,
            None => arrived.push(run),
        });
    }

    /// Puts what has arrived on top, newest first.
    fn show_arrived(self) {
        let Some(mut arrived) = self.arrived.try_update(std::mem::take) else {
            return;
        };
        if arrived.is_empty() {
            return;
        }
        arrived.sort_by_key(|run| std::cmp::Reverse((run.created_at, run.id)));
        self.shown.update(|rows| {
            let fresh = arrived.into_iter().map(row).collect::<Vec<_>>();
            rows.splice(0..0, fresh);
            rows.truncate(MOST_ROWS);
        });
    }

    fn newest(self) -> Option<RunSummary> {
        self.shown.with_untracked(|rows| rows.first().map(|(_, run)| run.get_untracked()))
    }
}

fn row(run: RunSummary) -> (RunId, ArcRwSignal<RunSummary>) {
    (run.id, ArcRwSignal::new(run))
}

/// The runs of a filter.
#[component]
pub fn RunsTable(page: Page<RunSummary>, filter: RunFilter, filters: Filters) -> impl IntoView {
    let rows = Rows::new(page);
    let ticked = Ticked::new();
    provide_context(ticked);
    let filter = StoredValue::new(filter);
    let body = NodeRef::<html::Div>::new();
    let pointed = RwSignal::new(false);
    // At the top and with the pointer elsewhere, new runs may push the others down.
    let calm =
        move || !pointed.get_untracked() && body.get_untracked().is_none_or(|body| browser::scroll_of(&body).0 < 4.0);
    listen(rows, filter, filters, calm);
    let is_active = Signal::derive(move || {
        rows.shown.read().iter().any(|(_, run)| run.with(|run| !run.status.is_final() && run.started_at.is_some()))
    });
    let clock = use_clock(is_active);
    let shown = Signal::derive(move || rows.shown.with(|rows| rows.iter().map(|(id, _)| *id).collect::<Vec<_>>()));
    let columns = vec![
        Column::text(""),
        Column::text("Workflow"),
        Column::text("Status"),
        Column::text("What happened"),
        Column::number("Steps"),
        Column::text("Trigger"),
        Column::text("Started by"),
        Column::text("Started"),
        Column::number("Took"),
    ];
    view! {
        <div class="page-body" data-flush="" node_ref=body on:pointerenter=move |_| pointed.set(true) on:pointerleave=move |_| pointed.set(false)>
            <Arrived rows body />
            <BulkBar ticked shown />
            <Show
                when=move || !rows.shown.read().is_empty()
                fallback=|| {
                    view! {
                        <EmptyState title="No run fits">
                            "Nothing matches these filters. " <a class="link" href="/runs">"Show all runs"</a>
                        </EmptyState>
                    }
                }
            >
                <DataTable label="Runs" columns=columns.clone()>
                    <For each=move || rows.shown.get() key=|(id, _)| *id let((_, run))>
                        <RunRow run clock />
                    </For>
                </DataTable>
                <More rows filter />
            </Show>
        </div>
    }
}

/// Hears of changes: rows are written in place, new runs come on top when nothing is disturbed by it.
fn listen(rows: Rows, filter: StoredValue<RunFilter>, filters: Filters, calm: impl Fn() -> bool + Copy + 'static) {
    let filters = StoredValue::new(filters);
    let take = move |run: RunSummary| {
        let Some(run) = rows.patch(run) else { return };
        let newer = rows.newest().is_none_or(|newest| (run.created_at, run.id) > (newest.created_at, newest.id));
        if newer && filters.try_with_value(|filters| filters.wants(&run)) == Some(true) {
            rows.keep(run);
        }
        if calm() {
            rows.show_arrived();
        }
    };
    follow(
        Signal::stored(Some(Topic::Runs)),
        || 0,
        move |message| match message {
            ServerMessage::Update(update) if update.kind == "run_changed" => {
                if let Ok(run) = serde_json::from_value::<RunSummary>(update.data) {
                    take(run);
                }
            }
            ServerMessage::Snapshot { .. } => {
                let Some(filter) = filter.try_get_value() else { return };
                spawn_local(async move {
                    // What can't be read now is read at the next reconnect; the rows that are shown stay.
                    if let Ok(page) = api::runs::list_runs(filter, PageRequest::default()).await {
                        page.items.into_iter().rev().for_each(take);
                    }
                });
            }
            _ => {}
        },
    );
}

/// "3 new runs", while showing them would move what one looks at.
#[component]
fn Arrived(rows: Rows, body: NodeRef<html::Div>) -> impl IntoView {
    let count = Memo::new(move |_| rows.arrived.read().len());
    let show = move |_| {
        rows.show_arrived();
        if let Some(body) = body.get_untracked() {
            browser::scroll_to(&body, 0.0);
        }
    };
    view! {
        <div role="status" class="arrived">
            <Show when=move || { count.get() > 0 }>
                <button class="button" type="button" data-size="sm" on:click=show>
                    {move || format!("Show {}", format::plural(count.get() as i64, "new run"))}
                </button>
            </Show>
        </div>
    }
}

#[component]
fn RunRow(run: ArcRwSignal<RunSummary>, clock: Signal<Option<i64>>) -> impl IntoView {
    let run = RwSignal::from(run);
    let RunSummary { id, workflow_name, version, trigger, started_by, created_at, .. } = run.get_untracked();
    let status = Signal::derive(move || StatusLook::from(run.read().status));
    let span = Signal::derive(move || run.with(|run| (run.started_at, run.ended_at)));
    let headline = move || run.with(what_happened);
    let version = version.map_or_else(|| "draft".to_owned(), |version| format!("v{version}"));
    view! {
        <tr>
            <td class="tick"><Tick id name=workflow_name.clone() /></td>
            <td>
                <a class="cover" href=format!("/runs/{id}")>
                    {workflow_name}
                    <span class="dimmer small">{version}</span>
                </a>
            </td>
            <td><StatusBadge status shape=StatusShape::Pill /></td>
            <td class="run-headline"><span class="truncate" title=headline>{headline}</span></td>
            <td class="num">{move || run.with(|run| format!("{} of {}", run.steps_done, run.steps_total))}</td>
            <td>{trigger_label(trigger)}</td>
            <td>{started_by}</td>
            <td><RelativeTime at=created_at /></td>
            <td class="num"><Elapsed span clock /></td>
        </tr>
    }
}

/// The headline, or what goes without saying.
fn what_happened(run: &RunSummary) -> String {
    run.headline.clone().unwrap_or_else(|| match run.status {
        RunStatus::Queued => "Waits for room".to_owned(),
        RunStatus::Paused => "Held by a person".to_owned(),
        RunStatus::Cancelled => format!("Stopped after {}", format::plural(i64::from(run.steps_done), "step")),
        RunStatus::Running | RunStatus::Waiting | RunStatus::Succeeded | RunStatus::Failed => String::new(),
    })
}

#[component]
fn More(rows: Rows, filter: StoredValue<RunFilter>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let load = move |()| {
        busy.set(true);
        let page = PageRequest { cursor: rows.next.get_untracked(), ..PageRequest::default() };
        spawn_local(async move {
            match api::runs::list_runs(filter.get_value(), page).await {
                Ok(page) => {
                    rows.next.try_set(page.next);
                    rows.shown.try_update(|shown| {
                        let fresh = page.items.into_iter().filter(|run| shown.iter().all(|(id, _)| *id != run.id));
                        let fresh: Vec<_> = fresh.map(row).collect();
                        shown.extend(fresh);
                    });
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
        });
    };
    view! {
        <nav class="pager" aria-label="Pages">
            <span class="tally">{move || format::plural(rows.shown.read().len() as i64, "run")}</span>
            <Show when=move || rows.next.read().is_some()>
                <Button label="Load older runs" size=ButtonSize::Small busy on_press=load />
            </Show>
        </nav>
    }
}

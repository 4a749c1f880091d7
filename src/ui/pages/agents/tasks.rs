//! What an agent was given to do, the newest first.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::card::{processes, prompt_or, task_href};
use crate::api::agents::list_agent_tasks;
use crate::model::agent::AgentTask;
use crate::model::{AgentId, Page, PageRequest};
use crate::ui::components::{
    Button, ButtonSize, Column, DataTable, EmptyState, RelativeTime, StatusBadge, StatusLook, StatusShape, Tone,
    use_toasts,
};
use crate::ui::format;

#[component]
pub(super) fn Tasks(id: AgentId, page: Page<AgentTask>, changed: RwSignal<u32>) -> impl IntoView {
    let rows = RwSignal::new(page.items);
    let next = RwSignal::new(page.next);
    Effect::new(move |seen: Option<u32>| {
        let now = changed.get();
        if seen.is_some_and(|seen| seen != now) {
            spawn_local(reread(id, rows, next));
        }
        now
    });
    let is_empty = Memo::new(move |_| rows.with(Vec::is_empty));
    let columns = vec![
        Column::text("Task"),
        Column::text("Status"),
        Column::number("Turns"),
        Column::number("Tokens"),
        Column::number("Cost"),
        Column::number("Scripts"),
        Column::text("Began"),
        Column::text("Last act"),
    ];
    view! {
        {move || is_empty.get().then(|| view! {
            <EmptyState title="No tasks yet">
                "A task is given here, or by a step of a workflow that names this agent."
            </EmptyState>
        })}
        <div hidden=move || is_empty.get()>
            <DataTable label="Tasks" columns>
                <For each=move || rows.get() key=row_key let:task><Row task /></For>
            </DataTable>
            <More id rows next />
        </div>
    }
}

/// What a row shows that changes.
fn row_key(task: &AgentTask) -> impl std::hash::Hash + Eq + use<> {
    (task.run_id, task.step.clone(), task.status, task.turns, task.active_at)
}

#[component]
fn Row(task: AgentTask) -> impl IntoView {
    let href = task_href(task.run_id, &task.step);
    let of = format!("{}, step {}, version {}", task.workflow_name, task.step, task.version);
    view! {
        <tr>
            <td class="task-prompt">
                <a class="cover" href=href>{prompt_or(&task.prompt)}</a>
                <span class="small dimmer">{of}</span>
            </td>
            <td><StatusBadge status=Signal::stored(StatusLook::from(task.status)) shape=StatusShape::Pill /></td>
            <td class="num">{format::count(i64::from(task.turns))}</td>
            <td class="num">{format::count(task.tokens)}</td>
            <td class="num">{format::dollars(task.cost_micros)}</td>
            <td class="num">{processes(task.processes)}</td>
            <td><RelativeTime at=task.started_at /></td>
            <td><RelativeTime at=task.active_at /></td>
        </tr>
    }
}

/// Reads as many rows as are shown; on an error all stay.
async fn reread(id: AgentId, rows: RwSignal<Vec<AgentTask>>, next: RwSignal<Option<String>>) {
    let shown = rows.try_with_untracked(Vec::len).unwrap_or_default() as u32;
    let request = PageRequest { limit: shown.clamp(PageRequest::default().limit, PageRequest::MAX), cursor: None };
    if shown > PageRequest::MAX {
        return;
    }
    if let Ok(page) = list_agent_tasks(id, request).await {
        rows.try_set(page.items);
        next.try_set(page.next);
    }
}

#[component]
fn More(id: AgentId, rows: RwSignal<Vec<AgentTask>>, next: RwSignal<Option<String>>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let load = move |()| {
        busy.set(true);
        let page = PageRequest { cursor: next.get_untracked(), ..PageRequest::default() };
        spawn_local(async move {
            match list_agent_tasks(id, page).await {
                Ok(page) => {
                    next.try_set(page.next);
                    rows.try_update(|rows| {
                        let is_known = |task: &AgentTask| {
                            rows.iter().any(|row| row.run_id == task.run_id && row.step == task.step)
                        };
                        let fresh: Vec<_> = page.items.into_iter().filter(|task| !is_known(task)).collect();
                        rows.extend(fresh);
                    });
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
        });
    };
    view! {
        <nav class="pager" aria-label="Pages">
            <span class="tally">{move || format::plural(rows.read().len() as i64, "task")}</span>
            <Show when=move || next.read().is_some()>
                <Button label="Load older tasks" size=ButtonSize::Small busy on_press=load />
            </Show>
        </nav>
    }
}

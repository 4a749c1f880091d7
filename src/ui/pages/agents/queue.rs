//! Tasks that are for whoever is best for them: what waits, who has what, and why that agent.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::acts::Acts;
use super::card::{prompt_or, task_href};
use crate::api::agents::{cancel_queued_task, list_queued_tasks};
use crate::model::agent::{Assignment, QueuedStatus, QueuedTask, Scored};
use crate::model::{PageRequest, QueuedTaskId};
use crate::ui::components::{
    Button, ButtonSize, Column, DataTable, Icon, RelativeTime, StatusBadge, StatusLook, StatusShape, Tone, use_toasts,
};
use crate::ui::format;

/// Tasks that are shown, the newest.
pub(super) const SHOWN: u32 = 20;
/// The step of a task's run in which its agent works.
const STEP: &str = "work";

/// What part of the queue is shown.
pub(super) fn newest() -> PageRequest {
    PageRequest { limit: SHOWN, cursor: None }
}

/// The newest tasks of the queue; nothing where there never was one.
#[component]
pub(super) fn Queue(list: Vec<QueuedTask>, acts: Acts) -> impl IntoView {
    let rows = RwSignal::new(list);
    Effect::new(move |seen: Option<u32>| {
        let now = acts.changed.get();
        if seen.is_some_and(|seen| seen != now) {
            spawn_local(async move {
                // On an error what is shown stays.
                if let Ok(page) = list_queued_tasks(newest()).await {
                    rows.try_set(page.items);
                }
            });
        }
        now
    });
    let is_empty = Memo::new(move |_| rows.with(Vec::is_empty));
    view! {
        <section class="stack agent-queue" aria-labelledby="agent-queue" hidden=move || is_empty.get()>
            <h2 id="agent-queue">"Tasks for whoever is best"</h2>
            <div class="disclosures">
                <For each=move || rows.get() key=row_key let:task><Row task acts /></For>
            </div>
        </section>
    }
}

/// What a row shows that changes.
fn row_key(task: &QueuedTask) -> impl std::hash::Hash + Eq + use<> {
    (task.id, task.status, task.attempt, task.reason.clone(), task.run_id)
}

const fn look(status: QueuedStatus) -> StatusLook {
    let (name, label) = match status {
        QueuedStatus::Waiting => ("queued", "Waiting"),
        QueuedStatus::Assigned => ("running", "Assigned"),
        QueuedStatus::Done => ("succeeded", "Done"),
        QueuedStatus::Failed => ("failed", "Failed"),
        QueuedStatus::Cancelled => ("cancelled", "Cancelled"),
    };
    StatusLook { name, label }
}

#[component]
fn Row(task: QueuedTask, acts: Acts) -> impl IntoView {
    let QueuedTask { id, task: asked, status, reason, agent_name, run_id, assignment, created_at, .. } = task;
    let may_cancel = acts.may_control && !status.is_final();
    let run = run_id.map(|run| view! { <a class="link" href=task_href(run, STEP)>"The run"</a> });
    let wants = wants(&asked.expertise, asked.level());
    view! {
        <details class="disclosure">
            <summary>
                <span>{prompt_or(&asked.prompt)}" "<StatusBadge status=Signal::stored(look(status)) shape=StatusShape::Pill /></span>
                <span class="aside">{agent_name.map(|name| format!("{name}, "))}<RelativeTime at=created_at /></span>
                <span class="twist" aria-hidden="true"><Icon name="right" /></span>
            </summary>
            <div class="disclosure-body stack">
                <p class="dim">{wants}</p>
                {(!reason.is_empty()).then(|| view! { <p>{format::sentence(&reason)}</p> })}
                {assignment.map(|assignment| view! { <Why assignment /> })}
                <div class="row wrap">
                    {run}
                    {may_cancel.then(|| view! { <Cancel id acts /> })}
                </div>
            </div>
        </details>
    }
}

/// What a task asks for.
fn wants(expertise: &[String], level: u8) -> String {
    let knows = if expertise.is_empty() { "nothing in particular".to_owned() } else { expertise.join(", ") };
    format!("Asks for {knows}. Priority {level}.")
}

/// Why this agent, and what every other came to.
#[component]
fn Why(assignment: Assignment) -> impl IntoView {
    let Assignment { why, candidates, left_out, .. } = assignment;
    let columns = vec![
        Column::text("Agent"),
        Column::number("Score"),
        Column::number("Free in"),
        Column::number("Takes"),
        Column::number("Availability"),
        Column::number("Expertise"),
        Column::number("Workload"),
        Column::number("Success"),
        Column::number("Affinity"),
    ];
    let rows = candidates.into_iter().map(|one| view! { <Part one /> }).collect_view();
    let out: Vec<String> = left_out.iter().map(|one| format!("{} {}", one.name, one.because.phrase())).collect();
    view! {
        <h3>"Why this agent"</h3>
        <p>{why}</p>
        <DataTable label="What each agent came to" columns>{rows}</DataTable>
        {(!out.is_empty()).then(|| view! { <p class="small dim">{format!("Left out: {}.", out.join(", "))}</p> })}
    }
}

#[component]
fn Part(one: Scored) -> impl IntoView {
    let number = |value: f64| view! { <td class="num">{format!("{value:.2}")}</td> };
    let free = if one.wait_ms > 0 { format::duration(one.wait_ms) } else { "now".to_owned() };
    let takes = one.takes_ms.map_or_else(|| "unknown".to_owned(), format::duration);
    let parts = one.parts.named().map(|(_, part)| number(part)).into_iter().collect_view();
    view! { <tr>
        <td title=one.why>{one.name}</td>
        {number(one.score)}
        <td class="num">{free}</td>
        <td class="num">{takes}</td>
        {parts}
    </tr> }
}

#[component]
fn Cancel(id: QueuedTaskId, acts: Acts) -> impl IntoView {
    let toasts = use_toasts();
    let cancel = Action::new(move |(): &()| cancel_queued_task(id));
    Effect::new(move |_| match cancel.value().get() {
        Some(Ok(_)) => acts.changed.update(|n| *n += 1),
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    view! {
        <Button label="Cancel the task" size=ButtonSize::Small busy=cancel.pending() on_press=move |()| drop(cancel.dispatch(())) />
    }
}

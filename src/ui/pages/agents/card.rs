//! An agent on the board: what it is for, what it is busy with, and what that cost.

use leptos::prelude::*;

use super::acts::{Acts, Halt};
use super::words::states;
use crate::model::agent::{AgentTask, BoardAgent, Busy, Processes, TaskStatus};
use crate::model::{AgentId, Timestamp};
use crate::ui::components::{Button, ButtonSize, Icon, RelativeTime, StatusBadge, StatusLook, StatusShape};
use crate::ui::format;

/// A card that follows its agent; its buttons stay in place while it changes.
#[component]
pub(super) fn AgentCard(id: AgentId, line: ArcRwSignal<BoardAgent>, acts: Acts) -> impl IntoView {
    let line = RwSignal::from(line);
    let name = Memo::new(move |_| line.with(|one| one.name.clone()));
    let description = Memo::new(move |_| line.with(|one| one.description.clone()));
    let latest = Memo::new(move |_| line.with(|one| one.latest.clone()));
    let busy = Memo::new(move |_| line.with(|one| one.busy));
    let sums = Memo::new(move |_| line.with(sums));
    let model = Memo::new(move |_| line.with(|one| model_of(&one.model)));
    let is_stopped = Memo::new(move |_| busy.get().is_stopped);
    let refused = Signal::derive(move || Acts::refused(is_stopped.get()));
    let title = format!("agent-{id}");
    view! {
        <li class="agent" aria-labelledby=title.clone()>
            <header>
                <span class="avatar" data-kind="agent"><Icon name="agent" /></span>
                <h2 id=title.clone() title=move || name.get()><a href=format!("/agents/{id}")>{move || name.get()}</a></h2>
                <States busy />
            </header>
            {move || (!description.with(String::is_empty)).then(|| view! { <p class="agent-for">{description.get()}</p> })}
            <Latest latest />
            <div class="agent-sums"><span class="truncate">{move || model.get()}</span><span class="num">{move || sums.get()}</span></div>
            <footer>
                {acts.may_start.then(|| view! {
                    <Button
                        label="Give a task…" size=ButtonSize::Small attr:aria-describedby=title.clone()
                        refused on_press=move |()| acts.give_to(id)
                    />
                })}
                {acts.may_control.then(|| view! { <Halt id is_stopped named_by=title.clone() acts /> })}
            </footer>
        </li>
    }
}

/// How it stands: one word, or two where some of its tasks wait while others go on.
#[component]
pub(super) fn States(#[prop(into)] busy: Signal<Busy>) -> impl IntoView {
    let shown = Memo::new(move |_| {
        states(busy.get()).into_iter().map(|(look, n)| (look.name, look.label, n)).collect::<Vec<_>>()
    });
    move || {
        shown
            .get()
            .into_iter()
            .map(|(name, label, count)| {
                view! {
                    <span class="agent-state">
                        <StatusBadge status=Signal::stored(StatusLook { name, label }) />
                        {(count > 0).then(|| view! { <span class="num small dim">{count}</span> })}
                    </span>
                }
            })
            .collect_view()
    }
}

/// What it last did something of, and when. While one task goes on, its texts change and nothing is drawn anew.
#[component]
fn Latest(latest: Memo<Option<AgentTask>>) -> impl IntoView {
    let which = Memo::new(move |_| {
        latest.with(|task| task.as_ref().map(|task| (task.run_id, task.step.clone(), task.prompt.clone())))
    });
    move || match which.get() {
        None => view! { <p class="small dimmer">"Has done nothing yet."</p> }.into_any(),
        Some((run, step, prompt)) => {
            let of = move |read: fn(&AgentTask) -> String| {
                Memo::new(move |_| latest.with(|task| task.as_ref().map(read).unwrap_or_default()))
            };
            let look = Memo::new(move |_| {
                let status = latest.with(|task| task.as_ref().map(|task| task.status));
                StatusLook::from(status.unwrap_or(TaskStatus::Queued))
            });
            let at = Memo::new(move |_| latest.with(|task| task.as_ref().map(|task| task.active_at)));
            let spent = of(spent);
            view! {
                <div class="agent-task">
                    <StatusBadge status=look shape=StatusShape::Mark />
                    <a class="link" href=task_href(run, &step)>{prompt_or(&prompt)}</a>
                    <span class="small dimmer">
                        <RelativeTime at=Signal::derive(move || at.get().unwrap_or(Timestamp(0))) />
                        {move || spent.get()}
                    </span>
                </div>
            }
            .into_any()
        }
    }
}

/// What a task took so far, after a comma; empty where that is nothing.
fn spent(task: &AgentTask) -> String {
    let tokens = (task.tokens > 0).then(|| format!(", {} tokens", format::short_count(task.tokens)));
    let cost = (task.cost_micros > 0).then(|| format!(", {}", format::dollars(task.cost_micros)));
    let scripts = (!task.processes.is_none()).then(|| format!(", scripts {}", processes(task.processes)));
    [tokens, cost, scripts].into_iter().flatten().collect()
}

/// What processes took: their processor time, and the most memory at once.
pub(super) fn processes(took: Processes) -> String {
    if took.is_none() {
        return String::new();
    }
    format!("{} CPU, {} MiB", format::duration(took.cpu_ms), format::count(took.memory_mb))
}

/// Where a task is shown with all that was said and done.
pub(super) fn task_href(run: crate::model::RunId, step: &str) -> String {
    let mut query = leptos_router::params::ParamsMap::new();
    query.insert("step", step.to_owned());
    format!("/runs/{run}{}", query.to_query_string())
}

/// What it was asked, or that it was nothing.
pub(super) fn prompt_or(prompt: &str) -> String {
    if prompt.trim().is_empty() { "A task without words".to_owned() } else { prompt.to_owned() }
}

/// By which name it asks for models.
pub(super) fn model_of(model: &str) -> String {
    if model.is_empty() { "the default model".to_owned() } else { model.to_owned() }
}

/// What came of the last 30 days.
fn sums(standing: &BoardAgent) -> String {
    if standing.done + standing.failed == 0 && standing.cost_micros == 0 {
        return "nothing in 30 days".to_owned();
    }
    let failed = if standing.failed > 0 { format!(", {} failed", standing.failed) } else { String::new() };
    format!("{} done{failed}, {} in 30 days", standing.done, format::dollars(standing.cost_micros))
}

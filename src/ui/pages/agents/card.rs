//! An agent on the board: what it is for, what it is busy with, and what that cost.

use leptos::prelude::*;

use super::acts::{Acts, Halt};
use super::words::states;
use crate::model::AgentId;
use crate::model::agent::{AgentStanding, AgentTask};
use crate::ui::components::{Button, ButtonSize, Icon, RelativeTime, StatusBadge, StatusLook, StatusShape};
use crate::ui::format;

/// A card that follows its agent; its buttons stay in place while it changes.
#[component]
pub(super) fn AgentCard(
    id: AgentId,
    first: AgentStanding,
    rows: RwSignal<Vec<AgentStanding>>,
    acts: Acts,
) -> impl IntoView {
    let standing = Memo::new(move |before: Option<&AgentStanding>| {
        let found = rows.with(|rows| rows.iter().find(|one| one.agent.id == id).cloned());
        found.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
    });
    let name = Memo::new(move |_| standing.with(|one| one.agent.name.clone()));
    let description = Memo::new(move |_| standing.with(|one| one.agent.spec.description.clone()));
    let latest = Memo::new(move |_| standing.with(|one| one.latest.clone()));
    let is_stopped = Memo::new(move |_| standing.with(|one| one.agent.stopped_at.is_some()));
    let sums = move || standing.with(sums);
    let refused = Signal::derive(move || Acts::refused(is_stopped.get()));
    let (title, model) = (format!("agent-{id}"), move || standing.with(|one| model_of(&one.agent.spec.model)));
    view! {
        <li class="agent" aria-labelledby=title.clone()>
            <header>
                <span class="avatar" data-kind="agent"><Icon name="agent" /></span>
                <h2 id=title.clone() title=move || name.get()><a href=format!("/agents/{id}")>{move || name.get()}</a></h2>
                <States standing />
            </header>
            {move || (!description.with(String::is_empty)).then(|| view! { <p class="agent-for">{description.get()}</p> })}
            {move || match latest.get() {
                Some(task) => view! { <Latest task /> }.into_any(),
                None => view! { <p class="small dimmer">"Has done nothing yet."</p> }.into_any(),
            }}
            <div class="agent-sums"><span class="truncate">{model}</span><span class="num">{sums}</span></div>
            <footer>
                {acts.may_start.then(|| view! {
                    <Button
                        label="Give a task…" size=ButtonSize::Small attr:aria-describedby=title.clone()
                        refused
                        on_press=move |()| acts.give(standing.get_untracked().agent)
                    />
                })}
                {acts.may_control.then(|| view! { <Halt id is_stopped named_by=title.clone() acts /> })}
            </footer>
        </li>
    }
}

/// How it stands: one word, or two where some of its tasks wait while others go on.
#[component]
pub(super) fn States(#[prop(into)] standing: Signal<AgentStanding>) -> impl IntoView {
    let shown = Memo::new(move |_| {
        standing.with(states).into_iter().map(|(look, n)| (look.name, look.label, n)).collect::<Vec<_>>()
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

/// What it last did something of, and when.
#[component]
fn Latest(task: AgentTask) -> impl IntoView {
    let AgentTask { run_id, step, prompt, status, tokens, active_at, .. } = task;
    let look = StatusLook::from(status);
    let spent = (tokens > 0).then(|| format!("{} tokens", format::short_count(tokens)));
    view! {
        <div class="agent-task">
            <StatusBadge status=Signal::stored(look) shape=StatusShape::Mark />
            <a class="link" href=task_href(run_id, &step)>{prompt_or(&prompt)}</a>
            <span class="small dimmer"><RelativeTime at=active_at />{spent.map(|spent| format!(", {spent}"))}</span>
        </div>
    }
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
fn sums(standing: &AgentStanding) -> String {
    if standing.done + standing.failed == 0 && standing.cost_micros == 0 {
        return "nothing in 30 days".to_owned();
    }
    let failed = if standing.failed > 0 { format!(", {} failed", standing.failed) } else { String::new() };
    format!("{} done{failed}, {} in 30 days", standing.done, format::dollars(standing.cost_micros))
}

//! `/agents`: every agent, what it is busy with, and the way to make one.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::acts::{Acts, GiveDialog};
use super::card::AgentCard;
use super::leases::Leases;
use super::live::{count_changes, count_while};
use super::queue::{Queue, newest};
use super::queue_dialog::QueueTask;
use crate::api::agents::{list_agent_leases, list_agents, list_queued_tasks};
use crate::model::agent::{AgentStanding, AgentTemplate, TEMPLATES};
use crate::model::auth::{Action as May, Me};
use crate::ui::components::{
    Button, ButtonShape, ButtonSize, ButtonVariant, EmptyState, Load, Menu, MenuLink, NeedsProvider, PageHeader,
    SkeletonShape,
};
use crate::ui::format;

/// The page of all agents.
#[component]
pub fn AgentsPage() -> impl IntoView {
    let may_edit = expect_context::<Me>().may(May::EditAgent);
    let changed = RwSignal::new(0_u32);
    count_changes(changed);
    let acts = Acts::new(changed);
    let first = Resource::new(|| (), |()| list_agents());
    let queue = Resource::new(|| (), |()| list_queued_tasks(newest()));
    let leases = Resource::new(|| (), |()| list_agent_leases());
    view! {
        <PageHeader title="Agents" actions=ViewFnOnce::from(move || may_edit.then(|| view! { <NewAgent /> })) />
        <div class="page-body stack">
            <NeedsProvider why="Agents have nobody to think with." />
            <Load resource=first what="the agents" shape=SkeletonShape::Block(12) let:list>
                <Board list acts />
            </Load>
            <Load resource=queue what="the queue" shape=SkeletonShape::Rows(2) let:page>
                <Queue list=page.items acts />
            </Load>
            <Load resource=leases what="the leases" shape=SkeletonShape::Rows(2) let:list>
                <Leases list acts />
            </Load>
        </div>
        <GiveDialog acts />
    }
}

/// A menu of what one can begin from.
#[component]
fn NewAgent() -> impl IntoView {
    let templates = TEMPLATES.iter().map(|template| {
        view! { <MenuLink href=new_href(template) label=format!("As a {}", template.name) icon="agent" /> }
    });
    view! {
        <Menu id="new-agent" label="New agent" icon="plus" shape=ButtonShape::Labelled variant=ButtonVariant::Primary size=ButtonSize::Small>
            <MenuLink href="/agents/new" label="From scratch" icon="plus" />
            {templates.collect_view()}
        </Menu>
    }
}

fn new_href(template: &AgentTemplate) -> String {
    format!("/agents/new?template={}", template.name)
}

#[component]
fn Board(list: Vec<AgentStanding>, acts: Acts) -> impl IntoView {
    let rows = RwSignal::new(list);
    Effect::new(move |seen: Option<u32>| {
        let now = acts.changed.get();
        if seen.is_some_and(|seen| seen != now) {
            spawn_local(async move {
                // On an error what is shown stays.
                if let Ok(list) = list_agents().await {
                    rows.try_set(list);
                }
            });
        }
        now
    });
    let is_busy =
        Memo::new(move |_| rows.with(|rows| rows.iter().any(|one| one.working + one.waiting + one.queued > 0)));
    count_while(is_busy, acts.changed);
    let is_empty = Memo::new(move |_| rows.with(Vec::is_empty));
    view! {
        {move || is_empty.get().then(|| view! { <Nothing may_edit=acts.may_edit /> })}
        <div class="stack" hidden=move || is_empty.get()>
            <Summary rows acts />
            <ul class="agents" role="list">
                <For each=move || rows.get() key=|one| one.agent.id let:one>
                    <AgentCard id=one.agent.id first=one rows acts />
                </For>
            </ul>
        </div>
    }
}

/// All together in a line, and the brake.
#[component]
fn Summary(rows: RwSignal<Vec<AgentStanding>>, acts: Acts) -> impl IntoView {
    let text = Memo::new(move |_| rows.with(|rows| summary(rows)));
    let is_stopping = RwSignal::new(false);
    let none_works = Signal::derive(move || {
        rows.with(|rows| rows.iter().all(|one| one.agent.stopped_at.is_some())).then(|| "All are stopped".to_owned())
    });
    let stop = move |()| {
        let working = rows.with_untracked(|rows| {
            rows.iter().filter(|one| one.agent.stopped_at.is_none()).map(|one| one.agent.id).collect::<Vec<_>>()
        });
        is_stopping.set(true);
        spawn_local(async move {
            acts.stop_all(working).await;
            is_stopping.try_set(false);
        });
    };
    view! {
        <div class="row wrap">
            <span class="dim grow" style="--basis: 14rem">{move || text.get()}</span>
            {acts.may_start.then(|| view! { <QueueTask acts /> })}
            {acts.may_control.then(|| view! {
                <Button label="Stop all" icon="stop" size=ButtonSize::Small variant=ButtonVariant::Danger refused=none_works busy=is_stopping on_press=stop />
            })}
        </div>
    }
}

fn summary(rows: &[AgentStanding]) -> String {
    let stopped = rows.iter().filter(|one| one.agent.stopped_at.is_some()).count();
    let working: u32 = rows.iter().map(|one| one.working).sum();
    let waiting: u32 = rows.iter().map(|one| one.waiting).sum();
    let queued: u32 = rows.iter().map(|one| one.queued).sum();
    let cost = rows.iter().map(|one| one.cost_micros).sum();
    let mut parts = vec![format::plural(rows.len() as i64, "agent")];
    if stopped > 0 {
        parts.push(format!("{stopped} stopped"));
    }
    for (count, doing) in [(working, "under way"), (waiting, "waiting"), (queued, "queued")] {
        if count > 0 {
            parts.push(format!("{} {doing}", format::plural(i64::from(count), "task")));
        }
    }
    parts.push(format!("{} in 30 days", format::dollars(cost)));
    parts.join(", ")
}

/// What agents are, and those that one can begin from.
#[component]
fn Nothing(may_edit: bool) -> impl IntoView {
    let templates = TEMPLATES.iter().map(|template| {
        view! {
            <li class="template">
                <h3><a href=new_href(template)>{template.name}</a></h3>
                <p>{template.description}</p>
            </li>
        }
    });
    let text = "An agent is a model with a persona, tools, and rules about what it may do by itself. It works in runs: each answer and \
                each use of a tool is kept, so that nothing is done twice, and people are asked about what acts outside.";
    view! {
        <EmptyState title="No agents yet">{text}</EmptyState>
        {may_edit.then(|| view! {
            <section class="agent-templates" aria-labelledby="agent-templates">
                <h2 id="agent-templates">"Begin from one of these"</h2>
                <ul class="gallery" role="list">
                    {templates.collect_view()}
                    <li class="template">
                        <h3><a href="/agents/new">"From scratch"</a></h3>
                        <p>"One that only talks, until you give it tools."</p>
                    </li>
                </ul>
            </section>
        })}
    }
}

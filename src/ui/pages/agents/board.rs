//! `/agents`: every agent, what it is busy with, and the way to make one.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::acts::{Acts, GiveDialog};
use super::card::AgentCard;
use super::leases::Leases;
use super::live::{Gather, News, count_while, hear};
use super::queue::{Queue, newest};
use super::queue_dialog::QueueTask;
use super::rows::Rows;
use crate::api::agents::{list_agent_leases, list_board, list_queued_tasks};
use crate::model::agent::{AgentTemplate, BoardAgent, TEMPLATES};
use crate::model::auth::{Action as May, Me};
use crate::ui::components::{
    Button, ButtonLink, ButtonShape, ButtonSize, ButtonVariant, EmptyState, Load, Menu, MenuLink, NeedsProvider,
    PageHeader, SkeletonShape,
};

/// The page of all agents.
#[component]
pub fn AgentsPage() -> impl IntoView {
    let may_edit = expect_context::<Me>().may(May::EditAgent);
    let acts = Acts::new(RwSignal::new(0_u32));
    let beside = Beside { queue: RwSignal::new(0), leases: RwSignal::new(0), has_leases: RwSignal::new(false) };
    let first = Resource::new(|| (), |()| list_board(Vec::new()));
    let queue = Resource::new(|| (), |()| list_queued_tasks(newest()));
    let leases = Resource::new(|| (), |()| list_agent_leases());
    view! {
        <PageHeader title="Agents" actions=ViewFnOnce::from(move || may_edit.then(|| view! { <NewAgent /> })) />
        <div class="page-body stack">
            <NeedsProvider why="Agents have nobody to think with." />
            <Load resource=first what="the agents" shape=SkeletonShape::Block(12) let:list>
                <Board list acts beside />
            </Load>
            <Load resource=queue what="the queue" shape=SkeletonShape::Rows(2) let:page>
                <Queue list=page.items acts=acts.counting(beside.queue) />
            </Load>
            <Load resource=leases what="the leases" shape=SkeletonShape::Rows(2) let:list>
                <Leases list acts=acts.counting(beside.leases) has_any=beside.has_leases />
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
fn Board(list: Vec<BoardAgent>, acts: Acts, beside: Beside) -> impl IntoView {
    let rows = Rows::new(list);
    let is_read = RwSignal::new(News::default());
    let gather = Gather::new(Callback::new(move |news: News| {
        is_read.try_set(news);
    }));
    Effect::new(move |_| {
        let news = is_read.get();
        beside.tell(&news);
        spawn_local(async move {
            rows.read(&news).await;
            gather.done();
        });
    });
    hear(move |news| gather.add(news));
    Effect::new(move |seen: Option<u32>| {
        let now = acts.changed.get();
        if seen.is_some_and(|seen| seen != now) {
            gather.add(News::all());
        }
        now
    });
    count_while(Memo::new(move |_| rows.sums.get().is_any_busy()), acts.changed);
    let is_empty = Memo::new(move |_| rows.order.with(Vec::is_empty));
    let only_mine = RwSignal::new(false);
    let shown = Memo::new(move |_| rows.shown(only_mine.get()));
    let has_none = Memo::new(move |_| only_mine.get() && shown.with(Vec::is_empty));
    view! {
        {move || is_empty.get().then(|| view! { <Nothing may_edit=acts.may_edit /> })}
        <div class="stack" hidden=move || is_empty.get()>
            <Summary rows acts only_mine />
            {move || has_none.get().then(|| view! { <p class="dim">"Nothing waits for you."</p> })}
            <ul class="agents" role="list">
                <For each=move || shown.get() key=|id| *id let:id>
                    {rows.one(id).map(|line| view! { <AgentCard id line acts /> })}
                </For>
            </ul>
        </div>
    }
}

/// What stands below the agents, and when it is read anew.
#[derive(Clone, Copy)]
struct Beside {
    queue: RwSignal<u32>,
    leases: RwSignal<u32>,
    /// Whether there are leases: they end with what their agents do.
    has_leases: RwSignal<bool>,
}

impl Beside {
    fn tell(self, news: &News) {
        if news.all || news.queue {
            self.queue.try_update(|n| *n += 1);
        }
        let may_have_ended = !news.agents.is_empty() && self.has_leases.try_get_untracked() == Some(true);
        if news.all || news.leases || may_have_ended {
            self.leases.try_update(|n| *n += 1);
        }
    }
}

/// All together in a line, and the brake.
#[component]
fn Summary(rows: Rows, acts: Acts, only_mine: RwSignal<bool>) -> impl IntoView {
    let is_stopping = RwSignal::new(false);
    let none_works = Signal::derive(move || {
        rows.sums.with(|sums| sums.agents == sums.stopped).then(|| "All are stopped".to_owned())
    });
    let stop = move |()| {
        let working = rows.list_working();
        is_stopping.set(true);
        spawn_local(async move {
            acts.stop_all(working).await;
            is_stopping.try_set(false);
        });
    };
    view! {
        <div class="row wrap">
            <span class="dim grow" style="--basis: 14rem">{move || rows.sums.get().words()}</span>
            <WaitsForMe rows only_mine />
            <ButtonLink href="/agents/assignment" label="How tasks are assigned" size=ButtonSize::Small />
            {acts.may_start.then(|| view! { <QueueTask acts /> })}
            {acts.may_control.then(|| view! {
                <Button label="Stop all" icon="stop" size=ButtonSize::Small variant=ButtonVariant::Danger refused=none_works busy=is_stopping on_press=stop />
            })}
        </div>
    }
}

/// Narrows the board to those that wait for whoever looks, and says how many tasks do; there while it is of use.
#[component]
fn WaitsForMe(rows: Rows, only_mine: RwSignal<bool>) -> impl IntoView {
    let count = Memo::new(move |_| rows.sums.with(|sums| sums.for_me));
    let is_shown = Memo::new(move |_| count.get() > 0 || only_mine.get());
    move || {
        is_shown.get().then(|| {
            view! {
                <button
                    type="button"
                    class="chip"
                    data-tone=move || only_mine.get().then_some("accent")
                    aria-pressed=move || only_mine.get().to_string()
                    on:click=move |_| only_mine.update(|only| *only = !*only)
                >
                    "Waits for me " <span class="num">{move || count.get()}</span>
                </button>
            }
        })
    }
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

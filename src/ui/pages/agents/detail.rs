//! `/agents/ID`: one agent, what it was given to do, what it may do, and what it was before.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map, use_query_map};

use super::acts::{Acts, DeleteDialog, GiveDialog, Halt};
use super::card::{States, model_of};
use super::compare::Comparisons;
use super::compare_dialog::{CompareDialog, Comparing};
use super::configuration::Configuration;
use super::live::{count_changes_of, count_while};
use super::memory::MemoryRead;
use super::results::Results;
use super::tasks::Tasks;
use super::versions::Versions;
use crate::api::agents::{
    get_agent, get_agent_results, list_agent_memory, list_agent_tasks, list_agent_versions, list_comparisons,
};
use crate::model::agent::{AgentResults, AgentStanding, AgentTask, AgentVersion, Comparison};
use crate::model::dashboard::Period;
use crate::model::memory::RunRead;
use crate::model::{AgentId, ApiError, Page, PageRequest};
use crate::ui::components::{
    Button, ButtonLink, ButtonShape, ButtonSize, ButtonVariant, Crumb, Load, PageHeader, RelativeTime, SkeletonShape,
    Tab, TabPanel, Tabs, is_about,
};
use crate::ui::format;

/// The tabs by their names in the URL; the first is shown where none is named.
const TABS: [Tab; 6] = [
    Tab::new("tasks", "Tasks"),
    Tab::new("results", "Results"),
    Tab::new("memory", "Memory"),
    Tab::new("configuration", "Configuration"),
    Tab::new("versions", "Versions"),
    Tab::new("compare", "Compare"),
];

/// What the page reads at once: what is drawn makes no resource of its own.
#[derive(Clone, Copy)]
struct Lists {
    tasks: Resource<Result<Page<AgentTask>, ApiError>>,
    results: Resource<Result<AgentResults, ApiError>>,
    memory: Resource<Result<Page<RunRead>, ApiError>>,
    versions: Resource<Result<Vec<AgentVersion>, ApiError>>,
    comparisons: Resource<Result<Vec<Comparison>, ApiError>>,
}

/// The page of one agent: `/agents/ID?tab=configuration`.
#[component]
pub fn AgentPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse::<AgentId>().ok()));
    let changed = RwSignal::new(0_u32);
    count_changes_of(id, changed);
    let acts = Acts::new(changed);
    let none = || ApiError::not_found("agent");
    let agent = Resource::new(move || id.get(), move |id| async move { get_agent(id.ok_or_else(none)?).await });
    let tasks = Resource::new(
        move || id.get(),
        move |id| async move { list_agent_tasks(id.ok_or_else(none)?, PageRequest::default()).await },
    );
    let memory = Resource::new(
        move || id.get(),
        move |id| async move { list_agent_memory(id.ok_or_else(none)?, PageRequest::default()).await },
    );
    let versions =
        Resource::new(move || id.get(), move |id| async move { list_agent_versions(id.ok_or_else(none)?).await });
    let results = Resource::new(
        move || id.get(),
        move |id| async move { get_agent_results(id.ok_or_else(none)?, Period::Month).await },
    );
    let comparisons =
        Resource::new(move || id.get(), move |id| async move { list_comparisons(id.ok_or_else(none)?).await });
    let comparing = Comparing::new(acts.may_start, acts.may_edit);
    // What can be chosen from stands in what the page has read.
    Effect::new(move |_| {
        if let Some(Ok(versions)) = versions.get() {
            comparing.versions.set(versions);
        }
        if let Some(Ok(page)) = tasks.get() {
            comparing.tasks.set(page.items.into_iter().filter(is_given).collect());
        }
    });
    let lists = Lists { tasks, results, memory, versions, comparisons };
    let is_current = is_about(id, |standing: &AgentStanding| standing.agent.id);
    view! {
        <Load resource=agent what="the agent" is_current let:standing>
            <Shown standing lists acts comparing />
        </Load>
        <GiveDialog acts />
        <DeleteDialog acts />
        <CompareDialog id comparing />
    }
}

/// Whether a task was given to the agent itself, and not by a step of a workflow.
fn is_given(task: &AgentTask) -> bool {
    task.step == "work"
}

#[component]
fn Shown(standing: AgentStanding, lists: Lists, acts: Acts, comparing: Comparing) -> impl IntoView {
    let id = standing.agent.id;
    let current = RwSignal::new(standing);
    Effect::new(move |seen: Option<u32>| {
        let now = acts.changed.get();
        if seen.is_some_and(|seen| seen != now) {
            spawn_local(async move {
                // On an error what is shown stays.
                if let Ok(standing) = get_agent(id).await {
                    current.try_set(standing);
                }
            });
        }
        now
    });
    let ended = Memo::new(move |_| current.with(|one| (one.done, one.failed)));
    Effect::new(move |seen: Option<(u32, u32)>| {
        let now = ended.get();
        if seen.is_some_and(|seen| seen != now) {
            lists.results.refetch();
        }
        now
    });
    count_while(Memo::new(move |_| current.with(|one| one.working + one.waiting + one.queued > 0)), acts.changed);
    let title = Signal::derive(move || current.with(|one| one.agent.name.clone()));
    let query = use_query_map();
    let chosen = Memo::new(move |_| {
        let asked = query.with(|query| query.get("tab")).unwrap_or_default();
        TABS.iter().find(|tab| tab.name == asked).unwrap_or(&TABS[0]).name.to_owned()
    });
    let navigate = use_navigate();
    let choose = move |name: String| {
        let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
        navigate(&format!("/agents/{id}?tab={name}"), options);
    };
    let spec = Memo::new(move |_| current.with(|one| one.agent.spec.clone()));
    view! {
        <PageHeader title crumbs=vec![Crumb::new("/agents", "Agents")] actions=ViewFnOnce::from(move || view! { <Actions current acts /> })>
            <States busy=Signal::derive(move || current.with(AgentStanding::busy)) />
        </PageHeader>
        <Facts current />
        <div class="page-body stack">
            <Tabs id="agent" label="Agent" tabs=Signal::stored(TABS.to_vec()) chosen on_choose=choose />
            <TabPanel id="agent" name="tasks" chosen>
                <Load resource=lists.tasks what="the tasks" shape=SkeletonShape::Rows(4) let:page>
                    <Tasks id page changed=acts.changed />
                </Load>
            </TabPanel>
            <TabPanel id="agent" name="results" chosen>
                <Load resource=lists.results what="the results" shape=SkeletonShape::Block(12) let:results>
                    <div class="stack"><Results results /></div>
                </Load>
            </TabPanel>
            <TabPanel id="agent" name="memory" chosen>
                <Load resource=lists.memory what="what it read of memory" shape=SkeletonShape::Rows(4) let:page>
                    <MemoryRead id page changed=acts.changed />
                </Load>
            </TabPanel>
            <TabPanel id="agent" name="configuration" chosen>
                {move || view! { <Configuration spec=spec.get() prefix="now".to_owned() /> }}
            </TabPanel>
            <TabPanel id="agent" name="versions" chosen>
                <Load resource=lists.versions what="the versions" shape=SkeletonShape::Rows(4) let:versions>
                    <Versions versions />
                </Load>
            </TabPanel>
            <TabPanel id="agent" name="compare" chosen>
                <Load resource=lists.comparisons what="the comparisons" shape=SkeletonShape::Rows(4) let:list>
                    <div class="stack"><Comparisons id list comparing changed=acts.changed /></div>
                </Load>
            </TabPanel>
        </div>
    }
}

#[component]
fn Actions(current: RwSignal<AgentStanding>, acts: Acts) -> impl IntoView {
    let id = current.with_untracked(|one| one.agent.id);
    let agent = move || current.get_untracked().agent;
    let is_stopped = Memo::new(move |_| current.with(|one| one.agent.stopped_at.is_some()));
    let refused = Signal::derive(move || Acts::refused(is_stopped.get()));
    view! {
        {acts.may_edit.then(|| view! {
            <Button label="Delete" icon="trash" size=ButtonSize::Small shape=ButtonShape::Collapsing on_press=move |()| acts.delete(agent()) />
            <ButtonLink href=format!("/agents/{id}/edit") label="Edit" icon="edit" size=ButtonSize::Small shape=ButtonShape::Collapsing />
        })}
        {acts.may_control.then(|| view! { <Halt id is_stopped acts /> })}
        {acts.may_start.then(|| view! {
            <Button
                label="Try it…" icon="bolt" size=ButtonSize::Small shape=ButtonShape::Collapsing refused
                on_press=move |()| acts.give_trial(agent())
            />
            <Button
                label="Give a task…" icon="play" variant=ButtonVariant::Primary size=ButtonSize::Small shape=ButtonShape::Collapsing refused
                on_press=move |()| acts.give(agent())
            />
        })}
    }
}

#[component]
fn Facts(current: RwSignal<AgentStanding>) -> impl IntoView {
    let of = move |fact: fn(&AgentStanding) -> String| move || current.with(fact);
    let stopped =
        Memo::new(move |_| current.with(|one| one.agent.stopped_at.map(|at| (at, one.agent.stopped_by.clone()))));
    let purpose = Memo::new(move |_| current.with(|one| one.agent.spec.description.clone()));
    let updated = Signal::derive(move || current.with(|one| one.agent.updated_at));
    view! {
        {move || (!purpose.with(String::is_empty)).then(|| view! { <p class="agent-purpose">{purpose.get()}</p> })}
        <dl class="facts wrap">
            <div><dt>"Model"</dt><dd>{of(|one| model_of(&one.agent.spec.model))}</dd></div>
            <div><dt>"Done in 30 days"</dt><dd class="num">{of(|one| format::count(i64::from(one.done)))}</dd></div>
            <div><dt>"Failed"</dt><dd class="num">{of(|one| format::count(i64::from(one.failed)))}</dd></div>
            <div><dt>"Cost"</dt><dd class="num">{of(|one| format::dollars(one.cost_micros))}</dd></div>
            <div><dt>"Version"</dt><dd>{of(|one| one.agent.version.to_string())}", "<RelativeTime at=updated /></dd></div>
            {move || stopped.get().map(|(at, by)| view! {
                <div><dt>"Stopped"</dt><dd><RelativeTime at />{by.map(|by| format!(" by {by}"))}</dd></div>
            })}
        </dl>
    }
}

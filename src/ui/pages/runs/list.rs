//! Every run of the workspace, newest first, as they happen.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};

use super::filters::{Filters, Period, STATUS_GROUPS, StatusGroup, TRIGGERS, trigger_label};
use super::kept::KeptFor;
use super::quotas::HowMany;
use super::rows::RunsTable;
use crate::api;
use crate::model::PageRequest;
use crate::model::auth::{Action, Me};
use crate::model::workflow::{RunFilter, TriggerKind};
use crate::ui::components::{
    Button, ButtonLink, ButtonSize, Choice, EmptyState, ErrorState, FilterSelect, Now, PageHeader, SearchBox, Skeleton,
    SkeletonShape, drawn_in, settled,
};
use crate::ui::pages::workflows::start::PickRunDialog;

/// The page of all runs: `/runs?status=failed,running&workflow=ID&since=24h&trigger=manual&q=words`.
#[component]
pub fn RunsPage() -> impl IntoView {
    let query = use_query_map();
    let filters = Memo::new(move |_| query.with(Filters::read));
    let wanted = wanted(filters);
    let first = Resource::new(
        move || wanted.get(),
        async |wanted| match wanted {
            Some(filter) => api::runs::list_runs(filter, PageRequest::default()).await.map(Some),
            None => Ok(None),
        },
    );
    let again = Callback::new(move |()| first.refetch());
    view! {
        <PageHeader title="Runs" actions=ViewFnOnce::from(move || view! { <RunSomething /> }) />
        <FilterBar filters />
        <Transition fallback=|| view! { <Skeleton what="the runs" shape=SkeletonShape::Rows(8) /> }>
            {
                let place = Owner::current();
                move || {
                    let place = place.clone();
                    Suspend::new(async move {
                        let answer = settled(first).await;
                        drawn_in(place, move || match answer {
                            Ok(Some(page)) if page.items.is_empty() && filters.get_untracked().is_empty() => {
                                view! { <div class="page-body" data-flush=""><NoRuns /></div> }.into_any()
                            }
                            Ok(Some(page)) => {
                                let filter = wanted.get_untracked().unwrap_or_default();
                                view! { <RunsTable page filter filters=filters.get_untracked() /> }.into_any()
                            }
                            Ok(None) => view! { <Skeleton what="the runs" shape=SkeletonShape::Rows(8) /> }.into_any(),
                            Err(error) => view! { <ErrorState error what="the runs" on_retry=again /> }.into_any(),
                        })
                    })
                }
            }
        </Transition>
    }
}

/// What to ask the server for; `None` while a period is wanted and the browser's clock is not known.
fn wanted(filters: Memo<Filters>) -> Memo<Option<RunFilter>> {
    let now = use_context::<Now>();
    let awake = Memo::new(move |_| now.is_some_and(|now| now.0.get().is_some()));
    Memo::new(move |_| {
        let filters = filters.get();
        let since = match filters.period {
            None => None,
            // the clock is read once: its later ticks don't ask again
            Some(period) if awake.get() => now.and_then(|now| now.0.get_untracked()).map(|now| period.since(now)),
            Some(_) => return None,
        };
        Some(RunFilter {
            workflow_id: filters.workflow,
            statuses: filters.statuses,
            trigger: filters.trigger,
            since,
            until: None,
            query: filters.words,
        })
    })
}

#[component]
fn RunSomething() -> impl IntoView {
    let open = RwSignal::new(false);
    let may = |action| use_context::<Me>().is_some_and(|me| me.may(action));
    let start = may(Action::StartRun).then(|| {
        view! {
            <Button label="Run a workflow" icon="play" size=ButtonSize::Small on_press=move |()| open.set(true) />
            <PickRunDialog id="run-a-workflow" open />
        }
    });
    view! {
        <HowMany />
        <KeptFor />
        {start}
    }
}

#[component]
fn NoRuns() -> impl IntoView {
    let actions =
        ViewFnOnce::from(|| view! { <ButtonLink href="/workflows" label="Choose a workflow" icon="workflow" /> });
    view! {
        <EmptyState title="No runs yet" actions>
            "A run is one execution of a workflow. Each one is kept here with what every step was given, printed and gave back."
        </EmptyState>
    }
}

/// The filters; each change is a URL.
#[component]
fn FilterBar(filters: Memo<Filters>) -> impl IntoView {
    let navigate = use_navigate();
    let go = Callback::new(move |filters: Filters| {
        navigate(&filters.href(), NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
    });
    let change = move |alter: &dyn Fn(&mut Filters)| {
        let mut filters = filters.get_untracked();
        alter(&mut filters);
        go.run(filters);
    };
    let words = Signal::derive(move || filters.read().words.clone());
    let search = move |words: String| change(&|filters| filters.words.clone_from(&words));
    let period = Signal::derive(move || filters.read().period.map(Period::as_str).unwrap_or_default().to_owned());
    let periods = std::iter::once(Choice::new("", "Any time"))
        .chain(Period::ALL.map(|period| Choice::new(period.as_str(), period.label())));
    let trigger =
        Signal::derive(move || filters.read().trigger.map(TriggerKind::as_str).unwrap_or_default().to_owned());
    let triggers = std::iter::once(Choice::new("", "Any trigger"))
        .chain(TRIGGERS.map(|kind| Choice::new(kind.as_str(), trigger_label(kind))));
    let read = |key: &'static str, value: String| {
        let mut map = leptos_router::params::ParamsMap::new();
        map.insert(key, value);
        Filters::read(&map)
    };
    view! {
        <div class="toolbar" role="search" data-line="">
            <SearchBox label="Search runs" words on_search=search />
            <div class="segmented" role="group" aria-label="Status">
                {STATUS_GROUPS.into_iter().map(|group| view! { <GroupButton group filters go /> }).collect_view()}
            </div>
            <div class="filters">
                <FilterSelect
                    label="Started"
                    value=period
                    choices=Signal::stored(periods.collect::<Vec<_>>())
                    on_choose=move |word: String| change(&|filters| filters.period = read("since", word.clone()).period)
                />
                <FilterSelect
                    label="Trigger"
                    value=trigger
                    choices=Signal::stored(triggers.collect::<Vec<_>>())
                    on_choose=move |word: String| change(&|filters| filters.trigger = read("trigger", word.clone()).trigger)
                />
                <WorkflowSelect filters go />
            </div>
            <Show when=move || !filters.read().is_empty()>
                <a class="link" href="/runs" data-noscroll="">"Show all"</a>
            </Show>
        </div>
    }
}

#[component]
fn GroupButton(group: StatusGroup, filters: Memo<Filters>, go: Callback<Filters>) -> impl IntoView {
    let pressed = move || match filters.read().has(&group) {
        Some(true) => "true",
        Some(false) => "false",
        None => "mixed",
    };
    let press = move |_| go.run(filters.with_untracked(|filters| filters.toggled(&group)));
    view! { <button type="button" aria-pressed=pressed on:click=press>{group.label}</button> }
}

/// The workflows that one can filter by; loaded in the browser, the list of runs does not wait for them.
#[component]
fn WorkflowSelect(filters: Memo<Filters>, go: Callback<Filters>) -> impl IntoView {
    let known =
        LocalResource::new(|| api::workflows::list_workflows(String::new(), PageRequest { limit: 200, cursor: None }));
    let choices = Signal::derive(move || {
        let workflows = known.get().and_then(Result::ok).map(|page| page.items).unwrap_or_default();
        let mut choices: Vec<_> =
            workflows.into_iter().map(|workflow| Choice::new(workflow.id.to_string(), workflow.name)).collect();
        choices.sort_by_key(|choice| choice.label.to_lowercase());
        let chosen = filters.read().workflow.map(|id| id.to_string());
        if let Some(chosen) = chosen.filter(|chosen| choices.iter().all(|choice| choice.value != *chosen)) {
            choices.push(Choice::new(chosen, "This workflow"));
        }
        choices.insert(0, Choice::new("", "Any workflow"));
        choices
    });
    let value = Signal::derive(move || filters.read().workflow.map(|id| id.to_string()).unwrap_or_default());
    let choose = move |id: String| {
        let workflow = id.parse().ok();
        go.run(Filters { workflow, ..filters.get_untracked() });
    };
    view! { <FilterSelect label="Workflow" value choices on_choose=choose /> }
}

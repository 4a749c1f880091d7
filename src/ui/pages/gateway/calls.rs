//! `/gateway/calls`: what was called, why it was that model, and what it cost.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};

use super::frame::{GatewayHeader, NoProviders, Part};
use super::line::CallRows;
use super::place::{Place, outcome_label};
use super::usage::{Known, PeriodSwitch, Usage};
use crate::api::gateway::{get_spending, list_calls};
use crate::api::providers::list_providers;
use crate::model::gateway::{CallLine, CallOutcome};
use crate::model::{ApiError, Page, PageRequest};
use crate::ui::components::{
    Button, ButtonShape, ButtonSize, Choice, Column, DataTable, EmptyState, FilterSelect, Load, SkeletonShape, Tone,
    use_toasts,
};
use crate::ui::format;

/// `/gateway/calls?period=week&by=key&model=acme/big&provider=acme&outcome=failed&run=ID&key=ID&agent=ID&session=NAME`.
#[component]
pub fn CallsPage() -> impl IntoView {
    let query = use_query_map();
    let place = Memo::new(move |_| query.with(Place::read));
    let changed = RwSignal::new(0_u32);
    // What the sums depend on: a filter of the list asks for none anew.
    let summed = Memo::new(move |_| place.with(|place| (place.by, place.period, place.filter.run_id)));
    let spent = Resource::new(
        move || (summed.get(), changed.get()),
        |((by, period, run), _)| async move {
            let (spent, providers) = futures::try_join!(get_spending(by, period, run), list_providers())?;
            Ok::<_, ApiError>((spent, providers))
        },
    );
    let listed = Memo::new(move |_| place.with(|place| (place.filter.clone(), place.period)));
    let calls = Resource::new(
        move || (listed.get(), changed.get()),
        |((filter, period), _)| async move {
            let (page, providers) =
                futures::try_join!(list_calls(filter, period, PageRequest::default()), list_providers())?;
            Ok::<_, ApiError>((page, !providers.is_empty()))
        },
    );
    let again = move |()| changed.update(|n| *n += 1);
    let actions = move || {
        view! {
            <PeriodSwitch place />
            <Button label="Read again" icon="retry" size=ButtonSize::Small shape=ButtonShape::IconOnly on_press=again />
        }
    };
    view! {
        <GatewayHeader part=Part::Calls actions=ViewFnOnce::from(actions) />
        <div class="page-body stack">
            <Load resource=spent what="the costs" shape=SkeletonShape::Block(12) let:loaded>
                {
                    let (spent, providers) = loaded;
                    let place = place.get_untracked();
                    let known: Known = providers.iter().map(|one| (one.name.clone(), one.id)).collect();
                    (spent.total.calls > 0).then(|| view! { <Usage spent known place /> })
                }
            </Load>
            <Filters place spent />
            <Load resource=calls what="the calls" let:loaded>
                <List page=loaded.0 has_providers=loaded.1 place />
            </Load>
        </div>
    }
}

type Spent = Resource<Result<(crate::model::gateway::Spending, Vec<crate::model::gateway::Provider>), ApiError>>;

/// The filters; each change is a URL.
#[component]
fn Filters(place: Memo<Place>, spent: Spent) -> impl IntoView {
    let navigate = use_navigate();
    let go = Callback::new(move |place: Place| {
        navigate(&place.href(), NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
    });
    let names = RwSignal::new((Vec::<String>::new(), Vec::<String>::new()));
    // Without any call there is nothing to pick from.
    let is_quiet = RwSignal::new(false);
    Effect::new(move |_| {
        if let Some(Ok((spent, _))) = spent.get() {
            is_quiet.set(spent.total.calls == 0);
            names.set((spent.models, spent.providers));
        }
    });
    let choices = move |any: &'static str, chosen: Option<String>, mut names: Vec<String>| {
        if let Some(chosen) = chosen.filter(|chosen| !names.contains(chosen)) {
            names.push(chosen);
        }
        names.sort();
        std::iter::once(Choice::new("", any))
            .chain(names.into_iter().map(|name| Choice::new(name.clone(), name)))
            .collect()
    };
    let models = Signal::derive(move || choices("Any model", place.get().filter.model, names.get().0));
    let providers = Signal::derive(move || choices("Any provider", place.get().filter.provider, names.get().1));
    let outcomes = std::iter::once(Choice::new("", "Any outcome"))
        .chain(CallOutcome::ALL.map(|outcome| Choice::new(outcome.as_str(), outcome_label(outcome))));
    let some = |word: String| (!word.is_empty()).then_some(word);
    let change = move |alter: &dyn Fn(&mut Place)| {
        let mut place = place.get_untracked();
        alter(&mut place);
        go.run(place);
    };
    let value = move |get: fn(&Place) -> Option<String>| Signal::derive(move || place.with(get).unwrap_or_default());
    let narrowed = move || place.with(|place| (place.filter.run_id.is_some(), place.filter.key_id.is_some()));
    let also = move || place.with(|place| (place.filter.agent_id.is_some(), place.filter.session.is_some()));
    view! {
        <div class="toolbar call-filters" role="search" aria-label="Calls" hidden=move || is_quiet.get() && !place.with(Place::is_filtered)>
            <div class="filters">
                <FilterSelect
                    label="Model" value=value(|place| place.filter.model.clone()) choices=models
                    on_choose=move |word: String| change(&|place| place.filter.model = some(word.clone()))
                />
                <FilterSelect
                    label="Provider" value=value(|place| place.filter.provider.clone()) choices=providers
                    on_choose=move |word: String| change(&|place| place.filter.provider = some(word.clone()))
                />
                <FilterSelect
                    label="Outcome" value=value(|place| place.filter.outcome.map(|outcome| outcome.as_str().to_owned()))
                    choices=Signal::stored(outcomes.collect::<Vec<_>>())
                    on_choose=move |word: String| change(&|place| place.filter.outcome = CallOutcome::parse(&word))
                />
            </div>
            {move || narrowed().0.then(|| view! { <span class="chip" data-tone="accent">"of one run"</span> })}
            {move || narrowed().1.then(|| view! { <span class="chip" data-tone="accent">"with one key"</span> })}
            {move || also().0.then(|| view! { <span class="chip" data-tone="accent">"of one agent"</span> })}
            {move || also().1.then(|| view! { <span class="chip" data-tone="accent">"of one session"</span> })}
            <Show when=move || place.with(Place::is_filtered)>
                <a class="link" href=move || place.with(|place| place.unfiltered().href()) data-noscroll="">"Show all"</a>
            </Show>
        </div>
    }
}

#[component]
fn List(page: Page<CallLine>, has_providers: bool, place: Memo<Place>) -> impl IntoView {
    if page.items.is_empty() && !has_providers && !place.with_untracked(Place::is_filtered) {
        return view! {
            <NoProviders>"Calls of models are listed here with what they cost, once there is a model to ask."</NoProviders>
        }
        .into_any();
    }
    if page.items.is_empty() {
        return view! { <Nothing is_filtered=place.with_untracked(Place::is_filtered) /> }.into_any();
    }
    let rows = RwSignal::new(page.items);
    let next = RwSignal::new(page.next);
    let columns = vec![
        Column::text("When"),
        Column::text("Who"),
        Column::text("Model"),
        Column::text("Outcome"),
        Column::number("Tokens"),
        Column::number("Cost"),
        Column::number("First token"),
        Column::number("Total"),
    ];
    view! {
        <div class="calls">
            <DataTable label="Calls" columns>
                <For each=move || rows.get() key=|line| line.call.id let:line><CallRows line /></For>
            </DataTable>
        </div>
        <More place rows next />
    }
    .into_any()
}

#[component]
fn Nothing(is_filtered: bool) -> impl IntoView {
    if is_filtered {
        view! { <EmptyState title="No such calls">"None in this time fits the filters. A longer time or fewer filters may show some."</EmptyState> }
            .into_any()
    } else {
        view! {
            <EmptyState title="No calls in this time">
                "Every call of a model is kept here once, by a step or by a program: who asked, why it was this model, what it took and cost. Not what was said."
            </EmptyState>
        }
        .into_any()
    }
}

#[component]
fn More(place: Memo<Place>, rows: RwSignal<Vec<CallLine>>, next: RwSignal<Option<String>>) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let load = move |()| {
        busy.set(true);
        let page = PageRequest { cursor: next.get_untracked(), ..PageRequest::default() };
        let Place { filter, period, .. } = place.get_untracked();
        spawn_local(async move {
            match list_calls(filter, period, page).await {
                Ok(page) => {
                    next.try_set(page.next);
                    rows.try_update(|rows| rows.extend(page.items));
                }
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            busy.try_set(false);
        });
    };
    view! {
        <Show when=move || next.read().is_some()>
            <nav class="pager" aria-label="Pages">
                <span class="tally">{move || format::plural(rows.read().len() as i64, "call")}</span>
                <Button label="Load more" size=ButtonSize::Small busy on_press=load />
            </nav>
        </Show>
    }
}

//! The dashboard: what runs, what needs somebody, how it went, how the machine is.
//!
//! Owns the overview of one period and keeps it fresh: whatever happens to runs or memory makes it ask again, at most once a
//! second, and nothing else does but a new hour. Promises that everything shown is counted and leads to where one can act.
//! Refuses to show what isn't there: a card without content is absent or says so.

mod activity;
mod charts;
mod failures;
mod feed;
mod needs;
mod period;
mod start;
mod sums;
mod system;
mod tiles;

use leptos::prelude::*;

use crate::api;
use crate::model::auth::{Action, Me};
use crate::model::dashboard::{Overview, Period};
use crate::ui::components::{
    Button, ButtonLink, ButtonSize, ButtonVariant, EmptyState, Load, PageHeader, SkeletonShape,
};
use crate::ui::state::live::Connection;
use feed::Feed;

pub(super) use charts::use_zone;
pub(super) use sums::{slot_name, slots_of};

/// The dashboard, at `/`. `?period=` chooses the span, `?run=choose` asks at once what to run.
#[component]
pub fn DashboardPage() -> impl IntoView {
    let period = period::use_period();
    let first = Resource::new(|| (), move |()| api::dashboard::get_overview(period.get_untracked()));
    let choosing = start::use_choosing(period);
    let actions = move || {
        view! {
            <period::PeriodSwitch period />
            <start::StartButton choosing />
        }
    };
    view! {
        <PageHeader title="Dashboard" actions>
            <LiveMark />
        </PageHeader>
        <div class="page-body">
            <Load resource=first what="the dashboard" shape=SkeletonShape::Rows(8) let:overview>
                <Board first=overview period choosing />
            </Load>
        </div>
        <start::StartDialog choosing />
    }
}

/// Whether what is shown follows what happens.
#[component]
fn LiveMark() -> impl IntoView {
    let connection = use_context::<Connection>();
    let open = move || connection.is_none_or(|connection| connection.0.get());
    view! {
        <span class="live" data-state=move || (!open()).then_some("offline")>
            {move || if open() { "Live" } else { "Not connected" }}
        </span>
    }
}

/// Everything under the header, kept fresh.
#[component]
fn Board(first: Overview, period: Memo<Period>, choosing: RwSignal<bool>) -> impl IntoView {
    let feed = Feed::start(first, period);
    let shown: Signal<Overview> = feed.shown.into();
    let any = Memo::new(move |_| shown.with(|shown| shown.any_runs));
    let stale = move || feed.error.get().map(|error| view! { <Stale detail=error.detail().to_owned() feed /> });
    view! {
        {stale}
        <Show when=move || any.get() fallback=move || view! { <FirstRun choosing /> }>
            <Cards shown />
        </Show>
    }
}

/// Says that what is shown is old, and why.
#[component]
fn Stale(detail: String, feed: Feed) -> impl IntoView {
    view! {
        <div class="notice dash-stale" data-tone="warn" role="alert">
            <span class="grow">{format!("These numbers are old: {detail}")}</span>
            <Button label="Try again" size=ButtonSize::Small on_press=move |()| feed.ask_now() />
        </div>
    }
}

#[component]
fn Cards(shown: Signal<Overview>) -> impl IntoView {
    view! {
        <div class="dash">
            <needs::Needs shown />
            <tiles::Tiles shown />
            <charts::RunsOverTime shown />
            <activity::RunningNow shown />
            <failures::RecentFailures shown />
            <charts::DurationOverTime shown />
            <charts::MemoryGrowth shown />
            <system::SystemHealth shown />
        </div>
    }
}

/// Before the first run: how to come to one.
#[component]
fn FirstRun(choosing: RwSignal<bool>) -> impl IntoView {
    let may = |action| use_context::<Me>().is_some_and(|me| me.may(action));
    let (edits, starts) = (may(Action::EditWorkflow), may(Action::StartRun));
    let actions = move || {
        view! {
            {edits
                .then(|| {
                    view! {
                        <ButtonLink
                            href="/workflows?new=template"
                            label="Open a template"
                            icon="template"
                            variant=ButtonVariant::Primary
                        />
                    }
                })}
            {(starts && !edits)
                .then(|| view! { <Button label="Run a workflow" icon="play" on_press=move |()| choosing.set(true) /> })}
            <ButtonLink href="/workflows" label="See the workflows" />
        }
    };
    view! {
        <section class="card">
            <EmptyState title="Nothing has run yet" actions>
                "Runs, how often they succeed and how long they take will show here as they happen. A template is the
                quickest start: the repository health check works on any checkout."
            </EmptyState>
        </section>
    }
}

//! The response cache: what it saves, what is kept, and what the workspace wants of it.
//!
//! Owns the page `/gateway/cache`. Promises that every number is counted from the log of calls, and that what was asked and said
//! is fetched only when somebody looks at one answer. Offers what the role may do, by the table that the server obeys.

mod detail;
mod entries;
mod invalidate;
mod meaning;
mod place;
mod report;
mod semantic;
mod settings;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::gateway::{GatewayHeader, Part, period_label};
use crate::api::cache::{get_cache_report, get_cache_settings};
use crate::model::auth::{Action as May, Me};
use crate::model::cache::{CacheReport, CacheSettings};
use crate::model::dashboard::Period;
use crate::ui::components::{Button, ButtonShape, ButtonSize, Icon, Load, NeedsProvider, SkeletonShape};
use place::Place;

/// `/gateway/cache?period=week&model=big&wrong=yes`.
#[component]
pub fn CachePage() -> impl IntoView {
    let may_manage = expect_context::<Me>().may(May::ManageProvider);
    let query = use_query_map();
    let place = Memo::new(move |_| query.with(Place::read));
    let changed = RwSignal::new(0_u32);
    let period = Memo::new(move |_| place.read().period);
    let report = Resource::new(
        move || (period.get(), changed.get()),
        |(period, _)| async move { futures::try_join!(get_cache_report(period), get_cache_settings()) },
    );
    let wanted = settings::Wanted::new(changed);
    let throwing = RwSignal::new(false);
    let again = move |()| changed.update(|n| *n += 1);
    let actions = move || {
        view! {
            <PeriodSwitch place />
            <Button label="Read again" icon="retry" size=ButtonSize::Small shape=ButtonShape::IconOnly on_press=again />
            {may_manage.then(|| view! {
                <Button label="Settings" icon="settings" size=ButtonSize::Small shape=ButtonShape::Collapsing on_press=move |()| wanted.open() />
                <Button label="Throw away…" icon="trash" size=ButtonSize::Small shape=ButtonShape::Collapsing on_press=move |()| throwing.set(true) />
            })}
        }
    };
    view! {
        <GatewayHeader part=Part::Cache actions=ViewFnOnce::from(actions) />
        <div class="page-body stack">
            <NeedsProvider why="Until models answer, there is nothing to keep." />
            <Load resource=report what="what the cache saves" shape=SkeletonShape::Block(12) let:loaded>
                {(!loaded.1.enabled).then(|| view! { <Off /> })}
                <report::Report report=loaded.0.clone() />
                {has_meaning(&loaded.0, loaded.1).then(|| view! { <semantic::Rates report=loaded.0.semantic /> })}
            </Load>
            <entries::Entries place changed />
            <semantic::Given changed />
        </div>
        {may_manage.then(|| view! {
            <settings::SettingsDialog wanted />
            <invalidate::InvalidateDialog open=throwing changed />
        })}
    }
}

/// Whether anything is to be told of answers by meaning.
fn has_meaning(report: &CacheReport, settings: CacheSettings) -> bool {
    settings.semantic.enabled || report.semantic.hits > 0
}

#[component]
fn Off() -> impl IntoView {
    view! {
        <div class="notice" data-tone="warn">
            <Icon name="info" />
            <span class="grow">"The cache is off: no answer is kept, and none is given. What was kept before is forgotten in its time."</span>
        </div>
    }
}

/// Chooses how far back is looked.
#[component]
fn PeriodSwitch(place: Memo<Place>) -> impl IntoView {
    let link = move |own: Period| {
        let current = move || (place.read().period == own).then_some("true");
        let href = move || Place { period: own, ..place.get() }.href();
        view! { <a href=href data-noscroll="" aria-current=current>{period_label(own)}</a> }
    };
    view! { <div class="segmented" role="group" aria-label="Time range">{Period::ALL.map(link).into_iter().collect_view()}</div> }
}

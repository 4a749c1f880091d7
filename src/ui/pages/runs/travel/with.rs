//! "Compare with…": the other runs of the same workflow.

use leptos::prelude::*;

use super::short;
use crate::api;
use crate::model::PageRequest;
use crate::model::workflow::{RunFilter, RunSummary};
use crate::ui::components::{
    Button, Dialog, ErrorState, Icon, RelativeTime, Skeleton, SkeletonShape, StatusBadge, StatusLook, StatusShape,
};
use crate::ui::pages::runs::watch::Watch;

/// Runs that are offered.
const OFFERED: u32 = 30;

/// Chooses the run to compare with, and goes there.
#[component]
pub fn CompareDialog(watch: Watch, open: RwSignal<bool>) -> impl IntoView {
    let footer = move || view! { <Button label="Close" on_press=move |()| open.set(false) /> };
    view! {
        <Dialog id="compare-title" title="Compare with" open footer=ViewFn::from(footer)>
            <Others watch />
        </Dialog>
    }
}

#[component]
fn Others(watch: Watch) -> impl IntoView {
    let (workflow_id, name) = watch.summary.with_untracked(|run| (run.workflow_id, run.workflow_name.clone()));
    let query = if workflow_id.is_none() { name } else { String::new() };
    let filter = RunFilter { workflow_id, query, ..RunFilter::default() };
    let runs =
        LocalResource::new(move || api::runs::list_runs(filter.clone(), PageRequest { limit: OFFERED, cursor: None }));
    move || match runs.get() {
        None => view! { <Skeleton what="the other runs" shape=SkeletonShape::Rows(4) /> }.into_any(),
        Some(Err(error)) => view! { <ErrorState error what="the other runs" /> }.into_any(),
        Some(Ok(page)) => {
            let others: Vec<_> = page.items.into_iter().filter(|run| run.id != watch.id).collect();
            if others.is_empty() {
                return view! { <p class="dim">"This workflow has no other run yet."</p> }.into_any();
            }
            let rows = others.into_iter().map(|run| view! { <li><Other run watch /></li> }).collect_view();
            view! { <ul class="pick-list">{rows}</ul> }.into_any()
        }
    }
}

#[component]
fn Other(run: RunSummary, watch: Watch) -> impl IntoView {
    // The older one stands on the left.
    let (a, b) = if run.id < watch.id { (run.id, watch.id) } else { (watch.id, run.id) };
    let version = run.version.map_or_else(|| "draft".to_owned(), |version| format!("v{version}"));
    view! {
        <a class="step-row" href=format!("/runs/compare?a={a}&b={b}")>
            <StatusBadge status=Signal::stored(StatusLook::from(run.status)) shape=StatusShape::Mark />
            <span class="grow">
                <span class="name"><RelativeTime at=run.created_at /></span>
                <span class="meta">{format!("…{} · {version} · {}", short(run.id), run.status.label().to_lowercase())}</span>
            </span>
            <Icon name="right" />
        </a>
    }
}

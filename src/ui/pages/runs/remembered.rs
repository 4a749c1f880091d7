//! What of the memory a step was given: asked for when somebody opens it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::params::ParamsMap;

use crate::api;
use crate::model::memory::RunRead;
use crate::model::{ApiError, RunId};
use crate::ui::components::{RelativeTime, Skeleton, SkeletonShape};

/// Kinds of steps that may be given entries.
pub fn may_remember(kind: &str) -> bool {
    matches!(kind, "agent" | "memory_search")
}

/// The entries that a step opened or found, folded away until somebody wants them.
#[component]
pub fn Remembered(run: RunId, step: String) -> impl IntoView {
    let found = RwSignal::new(None::<Result<Vec<RunRead>, ApiError>>);
    let is_open = RwSignal::new(false);
    let load = move |_| {
        is_open.update(|open| *open = !*open);
        if !is_open.get_untracked() {
            return;
        }
        let step = step.clone();
        spawn_local(async move {
            let answer = api::runs::list_memory_reads(run, Some(step)).await;
            let _ = found.try_set(Some(answer));
        });
    };
    let shown = move || {
        match found.get() {
        None => view! { <Skeleton shape=SkeletonShape::Lines(2) what="the entries" /> }.into_any(),
        Some(Err(error)) => view! { <p class="small" role="alert">{error.detail()}</p> }.into_any(),
        Some(Ok(reads)) if reads.is_empty() => {
            view! { <p class="small dim">"None that is still there; what it was given a second ago may not be listed yet."</p> }.into_any()
        }
        Some(Ok(reads)) => {
            view! { <ul class="stack" role="list">{reads.into_iter().map(row).collect_view()}</ul> }.into_any()
        }
    }
    };
    view! {
        <details class="pane-body" on:toggle=load>
            <summary>"Memory that it was given"</summary>
            <Show when=move || is_open.get()>{shown}</Show>
        </details>
    }
}

fn row(read: RunRead) -> impl IntoView {
    let mut place = ParamsMap::new();
    place.insert("ns", read.namespace.clone());
    place.insert("key", read.key.clone());
    let href = format!("/memory{}", place.to_query_string());
    let why = match read.reading.sought {
        Some(sought) => format!("found by “{}” at place {}", sought.query, sought.rank),
        None => String::new(),
    };
    let opened = match (read.reading.reads, why.is_empty()) {
        (0, _) => "",
        (_, true) => "opened",
        (_, false) => ", and opened",
    };
    view! {
        <li class="stack">
            <span class="row wrap">
                <a class="link over target" href=href>{read.key}</a>
                <span class="path small">{read.namespace}</span>
            </span>
            <span class="small dim over">
                {why} {opened} ", version " {read.reading.version} ", " <RelativeTime at=read.reading.last_at />
            </span>
        </li>
    }
}

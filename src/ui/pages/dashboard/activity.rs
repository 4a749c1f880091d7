//! What runs at this moment.

use leptos::prelude::*;

use crate::model::Timestamp;
use crate::model::dashboard::Overview;
use crate::model::workflow::RunSummary;
use crate::ui::components::{StatusBadge, StatusShape};
use crate::ui::format;
use crate::ui::pages::runs::clock::use_clock;

/// Rows at most; the rest is behind the link.
const MOST: usize = 5;

#[component]
pub(super) fn RunningNow(shown: Signal<Overview>) -> impl IntoView {
    let total = Memo::new(move |_| shown.with(|shown| shown.active_total));
    let rows = Memo::new(move |_| shown.with(|shown| shown.active.iter().take(MOST).cloned().collect::<Vec<_>>()));
    let read_at = Memo::new(move |_| shown.with(|shown| shown.at));
    let clock = use_clock(Signal::derive(move || total.get() > 0));
    let any = Memo::new(move |_| total.get() > 0);
    let all = move || {
        let total = total.get();
        (total > 0).then(|| {
            view! { <a class="link small" href="/runs?status=queued,running,waiting">{format!("All {}", format::count(total))}</a> }
        })
    };
    view! {
        <section class="card" aria-labelledby="running-now" style="--span: 4">
            <div class="card-head">
                <h2 id="running-now">"Running now"</h2>
                <div class="actions">{all}</div>
            </div>
            <Show
                when=move || any.get()
                fallback=|| view! { <p class="dash-quiet">"Nothing runs at the moment."</p> }
            >
                <ul class="rows">
                    <For each=move || rows.get() key=|run| (run.id, run.status, run.headline.clone(), run.steps_done) let:run>
                        <li>
                            <Row run clock read_at />
                        </li>
                    </For>
                </ul>
            </Show>
        </section>
    }
}

#[component]
fn Row(run: RunSummary, clock: Signal<Option<i64>>, read_at: Memo<Timestamp>) -> impl IntoView {
    let since = run.started_at.unwrap_or(run.created_at);
    // until the page is awake, as it was when the overview was read
    let elapsed = move || {
        let now_ms = clock.get().unwrap_or_else(|| read_at.get().unix_ms());
        format::stopwatch(now_ms - since.unix_ms())
    };
    let doing = doing(&run);
    view! {
        <a class="row-link" href=format!("/runs/{}", run.id)>
            <span class="grow">
                <span class="row">
                    <StatusBadge status=Signal::stored(run.status.into()) shape=StatusShape::Mark />
                    <strong class="truncate">{run.workflow_name}</strong>
                </span>
                <span class="small dimmer truncate under-mark">{doing}</span>
            </span>
            <span class="num dim">{elapsed}</span>
        </a>
    }
}

/// What a run is at: its headline and how far it is, "Fetch the page, 7 of 12".
fn doing(run: &RunSummary) -> String {
    let steps = format!("{} of {}", run.steps_done, run.steps_total);
    match &run.headline {
        Some(headline) if !headline.is_empty() => format!("{headline}, {steps}"),
        _ => format!("{steps} steps"),
    }
}

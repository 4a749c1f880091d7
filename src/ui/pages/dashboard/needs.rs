//! What needs somebody. Absent when nothing does.

use leptos::prelude::*;

use crate::model::dashboard::{Need, Overview};
use crate::model::workflow::RunStatus;
use crate::ui::components::{ButtonLink, ButtonSize, RelativeTime, StatusBadge, StatusShape};
use crate::ui::format;

#[component]
pub(super) fn Needs(shown: Signal<Overview>) -> impl IntoView {
    let needs = Memo::new(move |_| shown.with(|shown| shown.needs_me.clone()));
    move || {
        let needs = needs.get();
        let count = needs.len();
        (count > 0).then(|| {
            let rows = needs.into_iter().map(|need| view! { <Row need /> }).collect::<Vec<_>>();
            view! {
                <section class="card" aria-labelledby="needs-title">
                    <div class="card-head">
                        <h2 id="needs-title">"Needs you"</h2>
                        <span class="count" data-tone="accent">{count}</span>
                    </div>
                    <ul class="rows need-rows">{rows}</ul>
                </section>
            }
        })
    }
}

/// "Nightly tests is paused", "Nightly tests failed", "Nightly tests failed 9 times".
fn what(need: &Need) -> String {
    let name = &need.run.workflow_name;
    match (need.run.status, need.failures) {
        (RunStatus::Paused, _) => format!("{name} is paused"),
        (_, 0 | 1) => format!("{name} failed"),
        (_, times) => format!("{name} failed {} times", format::count(times)),
    }
}

#[component]
fn Row(need: Need) -> impl IntoView {
    let at = need.run.ended_at.unwrap_or(need.run.created_at);
    let title = what(&need);
    let label = format!("Review {}", need.run.workflow_name);
    view! {
        <li class="need">
            <StatusBadge status=Signal::stored(need.run.status.into()) shape=StatusShape::Mark />
            <span class="grow">
                <strong>{title}</strong>
                " "
                <span class="dim">{need.run.headline.clone()}</span>
            </span>
            <span class="dimmer small nowrap"><RelativeTime at=Signal::stored(at) /></span>
            <ButtonLink href=format!("/runs/{}", need.run.id) label="Review" size=ButtonSize::Small attr:aria-label=label />
        </li>
    }
}

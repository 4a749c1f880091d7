//! What needs somebody. Absent when nothing does.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::approvals::list_approvals;
use crate::model::PageRequest;
use crate::model::auth::{Action, Me};
use crate::model::dashboard::{Need, Overview};
use crate::model::workflow::{Approval, ApprovalFilter, RunStatus};
use crate::ui::components::{ButtonLink, ButtonSize, Icon, RelativeTime, StatusBadge, StatusShape};
use crate::ui::format;
use crate::ui::pages::approvals::Due;
use crate::ui::state::approvals::Inbox;

/// Approvals shown here; the page of approvals has them all.
const MOST_APPROVALS: usize = 5;

#[component]
pub(super) fn Needs(shown: Signal<Overview>) -> impl IntoView {
    let needs = Memo::new(move |_| shown.with(|shown| shown.needs_me.clone()));
    let approvals = follow_approvals();
    move || {
        let (needs, approvals) = (needs.get(), approvals.get());
        let count = needs.len() + approvals.len();
        (count > 0).then(|| {
            let more = approvals.len().saturating_sub(MOST_APPROVALS);
            let asked = approvals.into_iter().take(MOST_APPROVALS).map(|approval| view! { <Asked approval /> });
            let rows = needs.into_iter().map(|need| view! { <Row need /> }).collect::<Vec<_>>();
            view! {
                <section class="card" aria-labelledby="needs-title">
                    <div class="card-head">
                        <h2 id="needs-title">"Needs you"</h2>
                        <span class="count" data-tone="accent">{count}</span>
                    </div>
                    <ul class="rows need-rows">
                        {asked.collect::<Vec<_>>()}
                        {(more > 0).then(|| view! {
                            <li class="need">
                                <a class="link" href="/approvals">{format!("{} more", format::plural(more as i64, "approval"))}</a>
                            </li>
                        })}
                        {rows}
                    </ul>
                </section>
            }
        })
    }
}

/// The open approvals that this person may answer, oldest first; read anew with each change of any.
fn follow_approvals() -> RwSignal<Vec<Approval>> {
    let mine = RwSignal::new(Vec::new());
    let may = use_context::<Me>().is_some_and(|me| me.may(Action::ReadRun));
    if let Some(inbox) = use_context::<Inbox>().filter(|_| may) {
        Effect::new(move |_| {
            inbox.changes.track();
            spawn_local(async move {
                // What can't be read now stays as it is until the next change.
                if let Ok(page) = list_approvals(ApprovalFilter::Open, PageRequest::default()).await {
                    mine.try_set(page.items.into_iter().filter(|approval| approval.refusal.is_none()).collect());
                }
            });
        });
    }
    mine
}

#[component]
fn Asked(approval: Approval) -> impl IntoView {
    let label = format!("Answer {}", approval.question.title);
    view! {
        <li class="need">
            <span class="status" data-variant="mark" data-status="waiting">
                <Icon name="s-waiting" />
                <span class="visually-hidden">"Waits for an answer"</span>
            </span>
            <span class="grow">
                <strong>{approval.question.title}</strong>
                " "
                <span class="dim">{approval.workflow_name}</span>
            </span>
            <span class="dimmer small nowrap"><Due deadline=approval.deadline_at /></span>
            <ButtonLink href=format!("/approvals/{}", approval.id) label="Answer" size=ButtonSize::Small attr:aria-label=label />
        </li>
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

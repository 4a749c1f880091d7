//! The runs that failed last, with a way to try again.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::period;
use crate::api;
use crate::model::auth::{Action, Me};
use crate::model::dashboard::Overview;
use crate::model::workflow::{Command, RunStatus, RunSummary};
use crate::ui::components::{
    Button, ButtonSize, ButtonVariant, Card, Column, DataTable, RelativeTime, StatusBadge, StatusShape, Tone,
    use_toasts,
};
use crate::ui::format;

#[component]
pub(super) fn RecentFailures(shown: Signal<Overview>) -> impl IntoView {
    let failures = Memo::new(move |_| shown.with(|shown| shown.failures.clone()));
    let span = Memo::new(move |_| shown.with(|shown| shown.period));
    let count = move || shown.with(|shown| shown.buckets.iter().map(|bucket| bucket.failed).sum::<i64>());
    let sub = Signal::derive(move || Some(format!("{} in {}", format::count(count()), period::label(span.get()))));
    let any = Memo::new(move |_| failures.with(|failures| !failures.is_empty()));
    let actions = move || {
        move || {
            any.get().then(
                || view! { <a class="link small" href=period::runs_href(span.get(), "failed")>"All failed runs"</a> },
            )
        }
    };
    let nothing =
        move || view! { <p class="dash-quiet">{format!("No run failed in {}.", period::label(span.get()))}</p> };
    view! {
        <Card id="recent-failures" title="Recent failures" sub span=8 flush=true actions>
            <Show when=move || any.get() fallback=nothing>
                <Table failures />
            </Show>
        </Card>
    }
}

#[component]
fn Table(failures: Memo<Vec<RunSummary>>) -> impl IntoView {
    let may_retry = use_context::<Me>().is_some_and(|me| me.may(Action::ControlRun));
    let mut columns =
        vec![Column::text("Workflow"), Column::text("What happened"), Column::number("Took"), Column::number("Failed")];
    if may_retry {
        columns.push(Column::text(""));
    }
    view! {
        <DataTable label="Recent failures" columns>
            <For each=move || failures.get() key=|run| (run.id, run.ended_at) let:run>
                <Row run may_retry />
            </For>
        </DataTable>
    }
}

#[component]
fn Row(run: RunSummary, may_retry: bool) -> impl IntoView {
    let RunSummary { id, workflow_name, headline, .. } = run;
    let ended = run.ended_at.unwrap_or(run.created_at);
    let took = format::duration(ended.ms_since(run.started_at.unwrap_or(run.created_at)));
    let retry = (may_retry && run.status.allows(Command::Retry))
        .then(|| view! { <Retry run=run.id name=workflow_name.clone() /> });
    view! {
        <tr>
            <td>
                <a class="cover" href=format!("/runs/{id}")>
                    <StatusBadge status=Signal::stored(RunStatus::Failed.into()) shape=StatusShape::Mark />
                    {workflow_name}
                </a>
            </td>
            <td class="dim truncate dash-what">{headline}</td>
            <td class="num dim">{took}</td>
            <td class="num dim"><RelativeTime at=Signal::stored(ended) /></td>
            {may_retry.then(|| view! { <td class="num">{retry}</td> })}
        </tr>
    }
}

/// Tries the failed steps again. The row goes by itself once the run is in motion.
#[component]
fn Retry(run: crate::model::RunId, name: String) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let press = move |()| {
        busy.set(true);
        spawn_local(async move {
            let answer = api::runs::control_run(run, Command::Retry).await;
            busy.try_set(false);
            if let Err(error) = answer {
                toasts.say(Tone::Bad, format!("The run was not retried: {}", error.detail()));
            }
        });
    };
    view! {
        <Button
            label="Retry"
            icon="retry"
            variant=ButtonVariant::Quiet
            size=ButtonSize::Small
            busy
            on_press=press
            attr:title=format!("Try the failed steps of {name} again")
        />
    }
}

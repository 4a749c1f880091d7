//! Two versions of an agent at the same tasks: what was compared, and what came of it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::web_sys::HtmlDetailsElement;

use super::card::{prompt_or, task_href};
use super::compare_dialog::Comparing;
use super::live::count_while;
use crate::api::agents::{delete_comparison, get_comparison, list_comparisons};
use crate::model::agent::{Check, CheckOutcome, Comparison, ComparisonResult, Sums, Trial};
use crate::model::{AgentId, ComparisonId};
use crate::ui::components::{
    Button, ButtonSize, Column, DataTable, EmptyState, Icon, RelativeTime, Skeleton, SkeletonShape, StatusBadge,
    StatusLook, StatusShape, Tone, use_toasts,
};
use crate::ui::format;

/// The step in which an agent works.
const STEP: &str = "work";

/// What was compared of an agent, the newest first.
#[component]
pub(super) fn Comparisons(
    id: AgentId,
    list: Vec<Comparison>,
    comparing: Comparing,
    changed: RwSignal<u32>,
) -> impl IntoView {
    let rows = RwSignal::new(list);
    Effect::new(move |seen: Option<u32>| {
        let now = comparing.changed.get();
        if seen.is_some_and(|seen| seen != now) {
            spawn_local(async move {
                // On an error what is shown stays.
                if let Ok(list) = list_comparisons(id).await {
                    rows.try_set(list);
                }
            });
        }
        now
    });
    let is_empty = Memo::new(move |_| rows.with(Vec::is_empty));
    let refused = Signal::derive(move || comparing.refused());
    let begin = move |()| comparing.is_open.set(true);
    view! {
        {move || is_empty.get().then(|| view! {
            <EmptyState title="Nothing compared yet">
                "Two versions of this agent do the same tasks, and stand beside each other: what they did, what holds of their answers, what they took. \
                 They are trials: nothing acts outside, nobody is asked."
            </EmptyState>
        })}
        {comparing.may_start.then(|| view! {
            <div><Button label="Compare two versions…" icon="plus" size=ButtonSize::Small refused on_press=begin /></div>
        })}
        <div class="disclosures agent-versions" hidden=move || is_empty.get()>
            <For each=move || rows.get() key=|one| one.id let:comparison><Row comparison comparing changed /></For>
        </div>
    }
}

#[component]
fn Row(comparison: Comparison, comparing: Comparing, changed: RwSignal<u32>) -> impl IntoView {
    let id = comparison.id;
    let plan = &comparison.plan;
    let title = format!("Version {} and version {}", plan.first, plan.second);
    let what = format!(": {}", format::plural(plan.tasks.len() as i64, "task"));
    let by = comparison.made_by.clone().map(|by| format!(" by {by}"));
    let is_open = RwSignal::new(false);
    let result = RwSignal::new(None::<ComparisonResult>);
    let failed = RwSignal::new(None::<String>);
    let goes_on =
        Memo::new(move |_| is_open.get() && result.with(|result| result.as_ref().is_none_or(|result| !result.is_over)));
    // The last event of a run may come before what came of it is stored.
    count_while(goes_on, changed);
    let read = move || {
        spawn_local(async move {
            match get_comparison(id).await {
                Ok(read) => {
                    failed.try_set(None);
                    result.try_set(Some(read));
                }
                Err(error) => drop(failed.try_set(Some(error.detail().to_owned()))),
            }
        });
    };
    Effect::new(move |_| {
        changed.track();
        let is_over = result.with_untracked(|result| result.as_ref().is_some_and(|result| result.is_over));
        if is_open.get() && !is_over {
            read();
        }
    });
    let shown = Memo::new(move |_| result.get());
    view! {
        <details class="disclosure" on:toggle=move |event| is_open.set(event_target::<HtmlDetailsElement>(&event).open())>
            <summary>
                <span>{title}<span class="dim">{what}</span></span>
                <span class="aside"><RelativeTime at=comparison.created_at />{by}</span>
                <span class="twist" aria-hidden="true"><Icon name="right" /></span>
            </summary>
            <div class="disclosure-body stack">
                {move || failed.get().map(|text| view! { <p class="error" role="alert"><Icon name="s-failed" />{format::sentence(&text)}</p> })}
                {move || match shown.get() {
                    Some(result) => view! { <Outcome result /> }.into_any(),
                    None if failed.with(Option::is_some) || !is_open.get() => ().into_any(),
                    None => view! { <Skeleton shape=SkeletonShape::Rows(3) what="the comparison" /> }.into_any(),
                }}
                {comparing.may_edit.then(|| view! { <Delete id comparing /> })}
            </div>
        </details>
    }
}

#[component]
fn Delete(id: ComparisonId, comparing: Comparing) -> impl IntoView {
    let toasts = use_toasts();
    let delete = Action::new(move |(): &()| delete_comparison(id));
    Effect::new(move |_| match delete.value().get() {
        Some(Ok(())) => comparing.changed.update(|n| *n += 1),
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    view! {
        <div>
            <Button
                label="Delete the comparison" icon="trash" size=ButtonSize::Small busy=delete.pending()
                on_press=move |()| drop(delete.dispatch(()))
            />
        </div>
    }
}

#[component]
fn Outcome(result: ComparisonResult) -> impl IntoView {
    let plan = result.comparison.plan.clone();
    let sums = [(plan.first, result.first_sums), (plan.second, result.second_sums)];
    let columns = vec![
        Column::text("Version"),
        Column::number("Done"),
        Column::number("Failed"),
        Column::number("Checks passed"),
        Column::number("Turns"),
        Column::number("Tokens"),
        Column::number("Cost"),
        Column::number("Time"),
    ];
    let rows = sums.map(|(version, sums)| view! { <Sum version sums /> }).into_iter().collect_view();
    let tasks = plan.tasks.iter().zip(result.first.iter().zip(&result.second)).map(|(task, (first, second))| {
        let trials = [(plan.first, first.clone()), (plan.second, second.clone())];
        let prompt = prompt_or(&task.prompt).chars().take(200).collect::<String>();
        view! {
            <li class="stack">
                <p class="wrapped">{prompt}</p>
                <ul class="stack" role="list">
                    {trials.map(|(version, trial)| view! { <Try version trial checks=plan.checks.clone() /> }).into_iter().collect_view()}
                </ul>
            </li>
        }
    });
    view! {
        <p role="status">{result.verdict.clone()}</p>
        <DataTable label="Both versions" columns>{rows}</DataTable>
        <p class="small dim">"Turns, tokens, cost and time: the median of the tasks that both have done."</p>
        <ol class="compared-tasks">{tasks.collect_view()}</ol>
    }
}

#[component]
fn Sum(version: i64, sums: Sums) -> impl IntoView {
    let say = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let checks = (sums.checked > 0).then(|| format!("{} of {}", sums.passed, sums.checked));
    view! {
        <tr>
            <td>{format!("Version {version}")}</td>
            <td class="num">{sums.done.to_string()}</td>
            <td class="num">{sums.failed.to_string()}</td>
            <td class="num">{say(checks)}</td>
            <td class="num">{say(sums.turns.map(format::count))}</td>
            <td class="num">{say(sums.tokens.map(format::short_count))}</td>
            <td class="num">{say(sums.cost_micros.map(format::dollars))}</td>
            <td class="num">{say(sums.ms.map(format::duration))}</td>
        </tr>
    }
}

/// One version at one task.
#[component]
fn Try(version: i64, trial: Trial, checks: Vec<Check>) -> impl IntoView {
    let took = took(&trial);
    let name = format!("Version {version}");
    let name = match trial.run_id {
        Some(run) => view! { <a class="link" href=task_href(run, STEP)>{name}</a> }.into_any(),
        None => view! { <span>{name}</span> }.into_any(),
    };
    let status = trial.status.map(|status| {
        view! { <StatusBadge status=Signal::stored(StatusLook::from(status)) shape=StatusShape::Pill /> }
    });
    let missed: Vec<String> = checks
        .into_iter()
        .zip(&trial.checks)
        .filter(|(_, outcome)| **outcome == CheckOutcome::Missed)
        .map(|(check, _)| check.name)
        .collect();
    let missed = (!missed.is_empty() && trial.is_done()).then(|| format!("Does not hold: {}.", missed.join(", ")));
    view! {
        <li>
            <div class="row wrap">{name}{status}<span class="dim num">{took}</span></div>
            {missed.map(|text| view! { <p class="small">{text}</p> })}
            {trial.error.map(|text| view! { <p class="small wrapped">{format::sentence(&text)}</p> })}
        </li>
    }
}

/// What a trial took, in a line.
fn took(trial: &Trial) -> String {
    if !trial.is_done() {
        let is_gone = trial.run_id.is_none() && trial.status.is_none();
        return if is_gone { "its run is gone".to_owned() } else { String::new() };
    }
    let passed = trial.checks.iter().filter(|one| **one == CheckOutcome::Passed).count();
    let parts = [
        (!trial.checks.is_empty()).then(|| format!("{passed} of {} checks", trial.checks.len())),
        Some(format::plural(trial.turns, "turn")),
        trial.cost_micros.map(format::dollars),
        trial.ms.map(format::duration),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::workflow::RunStatus;

    #[test]
    fn a_trial_says_what_it_took_once_it_is_done() {
        let trial = Trial {
            run_id: Some(crate::model::RunId(uuid::Uuid::nil())),
            status: Some(RunStatus::Succeeded),
            checks: vec![CheckOutcome::Passed, CheckOutcome::Missed],
            turns: 1,
            tokens: 10,
            cost_micros: None,
            ms: Some(1_000),
            error: None,
        };
        assert!(took(&trial).starts_with("1 of 2 checks, 1 turn, "), "{}", took(&trial));
        assert_eq!(took(&Trial { status: Some(RunStatus::Running), ..trial.clone() }), "");
        assert_eq!(took(&Trial::default()), "its run is gone");
    }
}

//! Who would have the tasks of today under the weights that are being typed.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::card::prompt_or;
use crate::api::agents::preview_assignment_weights;
use crate::model::agent::{AssignmentPreview, Pick, PreviewedTask, Weights};
use crate::model::{ApiError, FieldError};
use crate::ui::browser;
use crate::ui::components::{Column, DataTable, RelativeTime};
use crate::ui::format;

/// How long nothing more is typed before it is looked what that would change, in ms.
const PAUSE_MS: i32 = 300;

/// The tasks under both weights. It follows what is typed, once that fits; until then what was shown stays.
#[component]
pub(super) fn Preview(read: Memo<Result<Weights, Vec<FieldError>>>, saved: RwSignal<Weights>) -> impl IntoView {
    let shown = RwSignal::new(None::<Result<AssignmentPreview, ApiError>>);
    let newest = StoredValue::new(0_u32);
    let timer = browser::GuardSlot::new();
    Effect::new(move |_| {
        // Whom the weights that hold would choose differs with them.
        saved.track();
        let Ok(weights) = read.get() else { return };
        timer.keep(Some(browser::after_ms(PAUSE_MS, move || {
            let number = newest.try_get_value().unwrap_or_default() + 1;
            newest.try_set_value(number);
            spawn_local(async move {
                let answer = preview_assignment_weights(weights).await;
                // An answer about what was typed before is of no use.
                if newest.try_get_value() == Some(number) {
                    shown.try_set(Some(answer));
                }
            });
        })));
    });
    view! {
        <section class="stack" aria-labelledby="weights-preview">
            <h2 id="weights-preview">"What that would change"</h2>
            {move || match shown.get() {
                None => view! { <p class="dim">"It is looked who would have the tasks of today…"</p> }.into_any(),
                Some(Err(error)) => view! { <p class="dim">{error.detail().to_owned()}</p> }.into_any(),
                Some(Ok(preview)) => view! { <Tasks preview /> }.into_any(),
            }}
        </section>
    }
}

#[component]
fn Tasks(preview: AssignmentPreview) -> impl IntoView {
    let words = words(&preview);
    let columns = vec![
        Column::text("Task"),
        Column::text("Given"),
        Column::text("Has it"),
        Column::number("Score"),
        Column::text("Would have it"),
        Column::number("Score"),
    ];
    let is_empty = preview.tasks.is_empty();
    let rows = preview.tasks.into_iter().map(|task| view! { <Row task /> }).collect_view();
    view! {
        <p role="status">{words}</p>
        {(!is_empty).then(|| view! { <DataTable label="Tasks under these weights" columns>{rows}</DataTable> })}
        <p class="prose small dim">
            "Tasks of the last 24 hours are judged by what was known of the agents when they were given; tasks that wait, by what is known now, as if their turn had come. Nothing is given to anybody here."
        </p>
    }
}

#[component]
fn Row(task: PreviewedTask) -> impl IntoView {
    let has_moved = task.has_moved();
    let PreviewedTask { prompt, given_at, now, then, reason, .. } = task;
    let given = match given_at {
        Some(at) => view! { <RelativeTime at /> }.into_any(),
        None => view! { "waits" }.into_any(),
    };
    let name = |pick: Option<&Pick>| pick.map_or_else(|| "nobody".to_owned(), |pick| pick.name.clone());
    let score = |pick: Option<&Pick>| pick.map(|pick| format!("{:.2}", pick.score)).unwrap_or_default();
    let why = then.as_ref().map_or(reason, |pick| pick.why.clone());
    let then_name = name(then.as_ref());
    let (then_score, now_name, now_score) = (score(then.as_ref()), name(now.as_ref()), score(now.as_ref()));
    view! {
        <tr data-moved=has_moved.then_some("")>
            <td class="task-prompt"><span>{prompt_or(&prompt)}</span></td>
            <td>{given}</td>
            <td>{now_name}</td>
            <td class="num">{now_score}</td>
            <td title=format::sentence(&why)>
                {if has_moved { view! { <strong>{then_name}</strong>" instead" }.into_any() } else { then_name.into_any() }}
            </td>
            <td class="num">{then_score}</td>
        </tr>
    }
}

fn words(preview: &AssignmentPreview) -> String {
    let number = preview.tasks.len() as i64;
    if number == 0 {
        return "No task waits, and none was given in the last 24 hours: there is nothing to try the weights on."
            .to_owned();
    }
    let of = format::plural(number, "task");
    let omitted = if preview.omitted > 0 { " More than these are not looked at." } else { "" };
    match preview.moved {
        0 => format!("Of {of} none would have another agent.{omitted}"),
        moved => format!("{moved} of {of} would have another agent.{omitted}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::agent::QueuedStatus;
    use crate::model::{AgentId, QueuedTaskId};

    #[test]
    fn what_would_change_is_said_in_a_sentence() {
        let task = PreviewedTask {
            id: QueuedTaskId(uuid::Uuid::nil()),
            prompt: "Weave.".to_owned(),
            status: QueuedStatus::Waiting,
            given_at: None,
            now: None,
            then: None,
            reason: String::new(),
        };
        let pick = Pick { agent: AgentId(uuid::Uuid::nil()), name: "anna".to_owned(), score: 0.5, why: String::new() };
        let moved = PreviewedTask { then: Some(pick), ..task.clone() };
        assert!(moved.has_moved() && !task.has_moved());
        let preview = |tasks: Vec<PreviewedTask>, moved, omitted| {
            words(&AssignmentPreview { weights: Weights::default(), tasks, moved, omitted })
        };
        assert!(preview(Vec::new(), 0, 0).starts_with("No task waits"));
        assert_eq!(preview(vec![task.clone()], 0, 0), "Of 1 task none would have another agent.");
        let said = preview(vec![task, moved], 1, 1);
        assert_eq!(said, "1 of 2 tasks would have another agent. More than these are not looked at.");
    }
}

//! What a run undid: its rows beside those of the steps, and the command that stops it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::watch::Watch;
use crate::model::auth::{Action, Me};
use crate::model::workflow::{Command, CompensationStatus, Definition, Step, UNDO};
use crate::ui::components::{
    Button, ButtonShape, ButtonSize, ButtonVariant, ConfirmDialog, Icon, StatusBadge, StatusLook, StatusShape,
    use_toasts,
};

/// The name and the kind of a step, or of what undoes one, by its path.
pub fn named(definition: &Definition, id: &str) -> Option<(String, String)> {
    let Some(path) = id.strip_prefix(UNDO) else {
        return definition.step(id).map(|step| (step.label().to_owned(), step.kind.clone()));
    };
    let path = path.trim_end_matches('\'');
    let (around, last) = path.rsplit_once('.').map_or(("", path), |(around, last)| (around, last));
    let step = find(&definition.steps, last)?;
    let undo = step.compensate.as_ref()?;
    let name = if undo.name.is_empty() { format!("Undo {}", step.label()) } else { undo.name.clone() };
    let place = around.rsplit_once('[').and_then(|(_, index)| index.strip_suffix(']')?.parse::<u32>().ok());
    let name = place.map_or_else(|| name.clone(), |index| format!("{name} ({})", index + 1));
    Some((name, undo.kind.clone()))
}

/// A step by its id, however deep it stands: ids are unique in a definition.
pub(super) fn find<'a>(steps: &'a [Step], id: &str) -> Option<&'a Step> {
    let inside = |step: &'a Step| step.body.as_ref().and_then(|body| find(&body.steps, id));
    steps.iter().find(|step| step.id == id).or_else(|| steps.iter().find_map(inside))
}

/// Among the facts of a run: how far it is with undoing.
#[component]
pub fn UndoneFacts(watch: Watch) -> impl IntoView {
    let told = Memo::new(move |_| {
        watch.compensation.with(|undone| undone.as_ref().map(|undone| (undone.status, undone.steps.len())))
    });
    move || {
        told.get().map(|(status, count)| {
            let look = match status {
                CompensationStatus::Running => crate::model::workflow::StepStatus::Running,
                CompensationStatus::Compensated => crate::model::workflow::StepStatus::Succeeded,
                CompensationStatus::Failed => crate::model::workflow::StepStatus::Failed,
                CompensationStatus::Stopped => crate::model::workflow::StepStatus::Cancelled,
            };
            let title = crate::ui::format::plural(count as i64, "step");
            view! {
                <div title=title>
                    <dt>"Undoing"</dt>
                    <dd>
                        <StatusBadge status=Signal::stored(StatusLook::from(look)) shape=StatusShape::Mark />
                        {words(status)}
                    </dd>
                </div>
            }
        })
    }
}

const fn words(status: CompensationStatus) -> &'static str {
    match status {
        CompensationStatus::Running => "In motion",
        CompensationStatus::Compensated => "All undone",
        CompensationStatus::Failed => "Not all could be undone",
        CompensationStatus::Stopped => "Stopped",
    }
}

/// What was started because the run failed, or why nothing was.
#[component]
pub fn HandlerFacts(watch: Watch) -> impl IntoView {
    let handlers = Memo::new(move |_| watch.lineage.read().handlers.clone());
    move || {
        let rows = handlers.get();
        (!rows.is_empty()).then(|| {
            let row = |handler: crate::model::workflow::Handler| match (handler.run_id, handler.refused) {
                (Some(run), _) => {
                    view! { <a class="link" href=format!("/runs/{run}")>{handler.workflow}</a> }.into_any()
                }
                (None, Some(refused)) => {
                    let said = format!("{} could not be started: {refused}", handler.workflow);
                    view! { <span class="bad-text" title=said><Icon name="s-failed" />{format!("{} could not be started", handler.workflow)}</span> }
                        .into_any()
                }
                (None, None) => view! { <span>{format!("{} is about to start", handler.workflow)}</span> }.into_any(),
            };
            view! { <div><dt>"On failure"</dt><dd>{rows.into_iter().map(row).collect_view()}</dd></div> }
        })
    }
}

/// Ends undoing where it is. It can't be taken back, so that it is asked for.
#[component]
pub fn StopUndoing(watch: Watch) -> impl IntoView {
    let toasts = use_toasts();
    let (open, busy) = (RwSignal::new(false), RwSignal::new(false));
    let may = use_context::<Me>().is_some_and(|me| me.may(Action::ControlRun));
    let refused = (!may).then(|| format!("Your role may not {}", Action::ControlRun.phrase()));
    let confirm = move |()| {
        busy.set(true);
        spawn_local(async move {
            watch.control(Command::ForceCancel, toasts).await;
            busy.try_set(false);
            open.try_set(false);
        });
    };
    view! {
        <Button
            label="Stop undoing…"
            icon="stop"
            variant=ButtonVariant::Quiet
            size=ButtonSize::Small
            shape=ButtonShape::Collapsing
            refused=Signal::stored(refused)
            on_press=move |()| open.set(true)
        />
        <ConfirmDialog
            id="stop-undoing"
            title=Signal::stored("Stop undoing?".to_owned())
            open
            action=Signal::stored("Stop undoing".to_owned())
            keep="Go on undoing"
            busy
            on_confirm=confirm
        >
            "The run ends at once. What was not undone yet stays as the run left it."
        </ConfirmDialog>
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_undoes_a_step_is_named_after_it() {
        let undo = json!({"kind": "http", "config": {"url": "http://x"}});
        let inner = json!({"id": "book", "kind": "http", "name": "Book a seat", "compensate": undo});
        let definition = serde_json::from_value(json!({"weft": 1, "name": "w", "steps": [
            {"id": "each", "kind": "map", "body": {"steps": [inner]}},
            {"id": "pay", "kind": "http", "compensate": {"kind": "shell", "name": "Pay back"}},
        ]}))
        .expect("fits");
        let check = |id: &str, name: &str, kind: &str| {
            assert_eq!(named(&definition, id), Some((name.to_owned(), kind.to_owned())), "{id}");
        };
        check("pay", "pay", "http");
        check("undo:pay", "Pay back", "shell");
        check("undo:each#2[3].book", "Undo Book a seat (4)", "http");
        assert_eq!(named(&definition, "undo:gone"), None);
    }
}

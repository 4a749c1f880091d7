//! After publishing: runs in motion that still run an older version, and the move of those that fit.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::problems::sentence;
use crate::api;
use crate::model::WorkflowId;
use crate::model::auth::{Action, Me};
use crate::model::workflow::{Movable, MovableRuns};
use crate::ui::components::{
    Button, ButtonVariant, Dialog, DialogSize, Icon, StatusBadge, StatusLook, StatusShape, Tone, use_toasts,
};

/// What was found; open while there is something.
#[derive(Debug, Clone, Copy)]
pub struct MoveOffer {
    id: WorkflowId,
    may: bool,
    open: RwSignal<bool>,
    found: RwSignal<Option<MovableRuns>>,
}

impl MoveOffer {
    /// Nothing is offered yet.
    pub fn new(id: WorkflowId) -> Self {
        let may = use_context::<Me>().is_some_and(|me| me.may(Action::ControlRun));
        Self { id, may, open: RwSignal::new(false), found: RwSignal::new(None) }
    }

    /// Looks for runs of older versions, and offers to move them. Says nothing where there is none, or to who may not.
    pub async fn look(self) {
        if !self.may {
            return;
        }
        let Ok(found) = api::versions::list_movable_runs(self.id).await else { return };
        if !found.runs.is_empty() {
            self.found.try_set(Some(found));
            self.open.try_set(true);
        }
    }
}

fn fit(runs: &[Movable]) -> usize {
    runs.iter().filter(|movable| movable.misfits.is_empty()).count()
}

/// The runs, and the button that moves those that fit.
#[component]
pub fn MoveDialog(offer: MoveOffer) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let count = move || offer.found.with(|found| found.as_ref().map_or(0, |found| fit(&found.runs)));
    let action = Signal::derive(move || format!("Move {}", super::action::counted(count(), "run")));
    let refused = Signal::derive(move || (count() == 0).then(|| "None of them fits the new version".to_owned()));
    let press = move |()| {
        let Some(version) = offer.found.with_untracked(|found| found.as_ref().map(|found| found.version)) else {
            return;
        };
        busy.set(true);
        spawn_local(async move {
            match api::versions::migrate_runs(offer.id, version).await {
                Ok(results) => {
                    let moved = results.iter().filter(|result| result.status.is_some()).count();
                    offer.open.try_set(false);
                    toasts.say(Tone::Good, format!("{} moved to v{version}.", super::action::counted(moved, "run")));
                }
                Err(error) => toasts.say(Tone::Bad, sentence(error.detail())),
            }
            busy.try_set(false);
        });
    };
    let footer = move || {
        view! {
            <Button label="Leave them" on_press=move |()| offer.open.set(false) />
            <Button label=action variant=ButtonVariant::Primary busy refused on_press=press />
        }
    };
    view! {
        <Dialog
            id="move-title"
            title="Runs of older versions"
            open=offer.open
            size=DialogSize::Large
            footer=ViewFn::from(footer)
        >
            {move || offer.found.get().map(|found| view! { <Found found /> })}
        </Dialog>
    }
}

#[component]
fn Found(found: MovableRuns) -> impl IntoView {
    let MovableRuns { version, runs, more } = found;
    let fits = fit(&runs);
    let all = super::action::counted(runs.len(), "run");
    let said = format!(
        "{all} in motion began with an older version, of which {fits} can go on with v{version}. The others keep theirs."
    );
    let row = |movable: Movable| {
        let id = movable.run.id.to_string();
        let end = id.get(id.len() - 8..).unwrap_or(&id).to_owned();
        let of = movable.run.version.map(|version| format!("v{version}")).unwrap_or_default();
        let why = movable.misfits.first().map(|misfit| {
            let others = movable.misfits.len() - 1;
            let more = if others > 0 { format!(" And {others} more.") } else { String::new() };
            format!("{}{more}", sentence(&misfit.message))
        });
        let fails = why.is_some().then_some("");
        let icon = if fails.is_some() { "s-failed" } else { "s-succeeded" };
        view! {
            <li data-fails=fails>
                <Icon name=icon />
                <a class="link" href=format!("/runs/{id}")>{format!("Run …{end}")}</a>
                <StatusBadge status=Signal::stored(StatusLook::from(movable.run.status)) shape=StatusShape::Mark />
                <span class="dim">{of}</span>
                <span class="grow">{why.unwrap_or_else(|| "Fits.".to_owned())}</span>
            </li>
        }
    };
    view! {
        <p>{said}</p>
        <ul class="told">{runs.into_iter().map(row).collect_view()}</ul>
        {more.then(|| view! { <p class="dim">"There are more than 200; these are the newest."</p> })}
    }
}

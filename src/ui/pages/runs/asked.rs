//! What a run asks people: above its views, and in the panel of the step that waits.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::page::{Place, View};
use super::watch::Watch;
use crate::api::approvals::list_approvals_of_run;
use crate::model::ApprovalId;
use crate::model::workflow::Approval;
use crate::ui::components::{Button, ButtonSize, Dialog, DialogSize, Icon};
use crate::ui::format;
use crate::ui::pages::approvals::{Case, Due, Setting, words};
use crate::ui::state::approvals::Inbox;

/// The open approvals of the run that is looked at; in the context of its page.
#[derive(Debug, Clone, Copy)]
pub struct Asked(RwSignal<Vec<Approval>>);

impl Asked {
    /// Begins to follow, as long as the caller lives.
    pub fn follow(watch: Watch) -> Self {
        let asked = Self(RwSignal::new(Vec::new()));
        let inbox = use_context::<Inbox>();
        // An approval is asked, answered or ended only together with one of these.
        let moved = Memo::new(move |_| {
            let changes = inbox.map(|inbox| inbox.changes.get());
            watch.summary.with(|run| (run.status, run.steps_done, changes))
        });
        Effect::new(move |_| {
            let (status, ..) = moved.get();
            if status.is_final() {
                asked.0.set(Vec::new());
            } else {
                asked.read(watch);
            }
        });
        asked
    }

    fn read(self, watch: Watch) {
        spawn_local(async move {
            // What can't be read now stays as it is until the run moves on.
            if let Ok(open) = list_approvals_of_run(watch.id).await
                && self.0.try_with_untracked(|known| *known != open) == Some(true)
            {
                self.0.try_set(open);
            }
        });
    }

    /// The open approval of a step, by its path.
    pub fn of_step(self, step: &str) -> Option<Approval> {
        self.0.with(|open| open.iter().find(|approval| approval.step == step).cloned())
    }
}

/// A line for each open approval of the run, with the way to answer it; not for the step that is open with its question.
#[component]
pub fn AskedNotices(asked: Asked, place: Place) -> impl IntoView {
    let chosen = RwSignal::new(None::<ApprovalId>);
    let opened = RwSignal::new(false);
    let answer = Callback::new(move |id: ApprovalId| {
        chosen.set(Some(id));
        opened.set(true);
    });
    // Closed by itself once it is decided: the line that it stands for is gone, too.
    let present = Memo::new(move |_| chosen.get().filter(|id| asked.0.with(|open| open.iter().any(|a| a.id == *id))));
    Effect::new(move |_| {
        if present.get().is_none() {
            opened.set(false);
        }
    });
    let case = move || {
        let id = present.get()?;
        let approval = asked.0.with_untracked(|open| open.iter().find(|approval| approval.id == id).cloned())?;
        let done = move |_| opened.set(false);
        Some(view! { <Case approval setting=Setting::RunHead on_answered=done /> })
    };
    let lines = move || {
        let shown = place.step.get().filter(|_| place.view.get() != View::Log);
        asked.0.with(|open| open.iter().filter(|a| shown.as_ref() != Some(&a.step)).cloned().collect::<Vec<_>>())
    };
    let key = |a: &Approval| (a.id, a.votes.len(), a.refusal.clone());
    view! {
        <For each=lines key let:approval>
            <Notice approval answer />
        </For>
        <Dialog id="asked-title" title="Your answer" open=opened size=DialogSize::Large>
            {case}
        </Dialog>
    }
}

#[component]
fn Notice(approval: Approval, answer: Callback<ApprovalId>) -> impl IntoView {
    let id = approval.id;
    let waits = format::sentence(&words::waits_for(&approval));
    let title = approval.question.title.clone();
    let button = match &approval.refusal {
        None => {
            view! { <Button label="Answer…" size=ButtonSize::Small on_press=move |()| answer.run(id) /> }.into_any()
        }
        Some(_) => {
            view! { <Button label="Read…" size=ButtonSize::Small on_press=move |()| answer.run(id) /> }.into_any()
        }
    };
    view! {
        <div class="notice run-notice asked" data-tone="warn">
            <Icon name="s-waiting" />
            <span class="grow">
                <strong>{title}</strong> " " <span class="dim">{waits}</span>
            </span>
            {approval.deadline_at.is_some().then(|| view! { <Due deadline=approval.deadline_at /> })}
            {button}
        </div>
    }
}

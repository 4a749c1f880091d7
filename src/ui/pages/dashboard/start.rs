//! "Run a workflow": the button, and the dialog that it and the palette open.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};

use super::period;
use crate::model::auth::{Action, Me};
use crate::model::dashboard::Period;
use crate::ui::components::{Button, ButtonSize, ButtonVariant};
use crate::ui::pages::workflows::start::PickRunDialog;

/// Whether somebody is choosing what to run. `?run=choose` of the address begins it, and leaves the address when it ends.
pub(super) fn use_choosing(period: Memo<Period>) -> RwSignal<bool> {
    let choosing = RwSignal::new(false);
    let query = use_query_map();
    let asked = Memo::new(move |_| query.read().get("run").as_deref() == Some("choose"));
    let navigate = use_navigate();
    Effect::new(move |_| {
        if asked.get() {
            choosing.set(true);
        }
    });
    Effect::new(move |was: Option<bool>| {
        let now = choosing.get();
        if was == Some(true) && !now && asked.get_untracked() {
            let here = period::href(period.get_untracked());
            navigate(&here, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
        }
        now
    });
    choosing
}

fn may_start() -> bool {
    use_context::<Me>().is_some_and(|me| me.may(Action::StartRun))
}

/// Opens the dialog; absent for who may not start runs.
#[component]
pub(super) fn StartButton(choosing: RwSignal<bool>) -> impl IntoView {
    may_start().then(|| {
        view! {
            <Button
                label="Run a workflow"
                icon="play"
                variant=ButtonVariant::Primary
                size=ButtonSize::Small
                on_press=move |()| choosing.set(true)
            />
        }
    })
}

/// Asks what to run, starts it and goes there.
#[component]
pub(super) fn StartDialog(choosing: RwSignal<bool>) -> impl IntoView {
    may_start().then(|| view! { <PickRunDialog id="choose-run" open=choosing /> })
}

//! What the workspace wants of its cache.

use leptos::prelude::*;

use crate::api::cache::{get_cache_settings, update_cache_settings};
use crate::model::ApiError;
use crate::model::cache::{CacheSettings, Programs};
use crate::ui::components::{Bound, Button, ButtonVariant, Choice, Dialog, Select, Switch, Tone, use_toasts};

type Reading = Action<(), Result<CacheSettings, ApiError>>;

/// The settings while somebody changes them.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    open: RwSignal<bool>,
    enabled: RwSignal<bool>,
    programs: RwSignal<Programs>,
    read: Reading,
    changed: RwSignal<u32>,
}

impl Wanted {
    pub(super) fn new(changed: RwSignal<u32>) -> Self {
        Self {
            open: RwSignal::new(false),
            enabled: RwSignal::new(true),
            programs: RwSignal::new(Programs::default()),
            read: Action::new(|(): &()| get_cache_settings()),
            changed,
        }
    }

    /// Reads them as they are now, and opens the dialog.
    pub(super) fn open(self) {
        self.read.dispatch(());
    }
}

#[component]
pub(super) fn SettingsDialog(wanted: Wanted) -> impl IntoView {
    let toasts = use_toasts();
    Effect::new(move |_| match wanted.read.value().get() {
        Some(Ok(settings)) => {
            wanted.enabled.set(settings.enabled);
            wanted.programs.set(settings.programs);
            wanted.open.set(true);
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let save = Action::new(|settings: &CacheSettings| update_cache_settings(*settings));
    Effect::new(move |_| match save.value().get() {
        Some(Ok(_)) => {
            wanted.open.set(false);
            wanted.changed.update(|n| *n += 1);
            toasts.say(Tone::Good, "The settings hold from the next call on");
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let send = move |()| {
        save.dispatch(CacheSettings {
            enabled: wanted.enabled.get_untracked(),
            programs: wanted.programs.get_untracked(),
        });
    };
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| wanted.open.set(false) />
            <Button label="Save" variant=ButtonVariant::Primary busy=save.pending() on_press=send />
        }
    };
    let choices = vec![
        Choice::new("person", "With the keys of the same person"),
        Choice::new("workspace", "With the whole workspace"),
    ];
    let programs = Bound::from((
        Signal::derive(move || wanted.programs.get().as_str().to_owned()),
        Callback::new(move |word: String| wanted.programs.set(Programs::parse(&word).unwrap_or_default())),
    ));
    view! {
        <Dialog id="cache-settings" title="Settings of the cache" open=wanted.open footer=ViewFn::from(footer)>
            <div class="form wide">
                <Switch
                    id="cache-enabled" label="Keep answers" value=wanted.enabled
                    hint=Some("Off, no answer is kept and none is given, whatever routes, keys, steps and calls ask for.".to_owned())
                />
                <Select
                    id="cache-programs" label="Answers to programs are shared" choices=Signal::stored(choices.clone()) value=programs
                    hint=Some("Programs are what asks with a key, or with somebody's own sign-in. Answers to steps of workflows are shared in the workspace.".to_owned())
                />
            </div>
        </Dialog>
    }
}

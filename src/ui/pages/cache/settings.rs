//! What the workspace wants of its cache.

use leptos::prelude::*;

use super::meaning::{Form, MeaningFields, fault};
use crate::api::cache::{get_cache_settings, update_cache_settings};
use crate::api::memory::get_embedder;
use crate::model::ApiError;
use crate::model::cache::{CacheSettings, Programs};
use crate::ui::components::{
    Bound, Button, ButtonVariant, Choice, Dialog, Select, Switch, TextInput, Tone, use_toasts,
};

/// The settings, and the model that makes vectors, if one is set.
type Read = (CacheSettings, Option<String>);
type Reading = Action<(), Result<Read, ApiError>>;

/// The settings while somebody changes them.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    open: RwSignal<bool>,
    enabled: RwSignal<bool>,
    programs: RwSignal<Programs>,
    meaning: Form,
    /// Minutes before a schedule fires, as they are typed.
    warm: RwSignal<String>,
    read: Reading,
    changed: RwSignal<u32>,
}

impl Wanted {
    pub(super) fn new(changed: RwSignal<u32>) -> Self {
        Self {
            open: RwSignal::new(false),
            enabled: RwSignal::new(true),
            programs: RwSignal::new(Programs::default()),
            meaning: Form::new(),
            warm: RwSignal::new(String::new()),
            read: Action::new(|(): &()| read()),
            changed,
        }
    }

    /// Reads them as they are now, and opens the dialog.
    pub(super) fn open(self) {
        self.read.dispatch(());
    }
}

async fn read() -> Result<Read, ApiError> {
    let (settings, embedder) = futures::try_join!(get_cache_settings(), get_embedder())?;
    Ok((settings, embedder.serving.map(|serving| serving.model)))
}

#[component]
pub(super) fn SettingsDialog(wanted: Wanted) -> impl IntoView {
    let toasts = use_toasts();
    let save = Action::new(|settings: &CacheSettings| update_cache_settings(*settings));
    Effect::new(move |_| match wanted.read.value().get() {
        Some(Ok((settings, embedder))) => {
            wanted.enabled.set(settings.enabled);
            wanted.programs.set(settings.programs);
            wanted.meaning.read(settings.semantic, embedder);
            wanted.warm.set(settings.warm_minutes.to_string());
            save.value().set(None);
            wanted.open.set(true);
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    Effect::new(move |_| match save.value().get() {
        Some(Ok(_)) => {
            wanted.open.set(false);
            wanted.changed.update(|n| *n += 1);
            toasts.say(Tone::Good, "The settings hold from the next call on");
        }
        // What names a field stands beside it.
        Some(Err(ApiError::Invalid { .. })) | None => {}
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
    });
    let send = move |()| {
        save.dispatch(CacheSettings {
            enabled: wanted.enabled.get_untracked(),
            programs: wanted.programs.get_untracked(),
            semantic: wanted.meaning.settings(),
            // What is no number is out of range, so that the server names the field.
            warm_minutes: wanted.warm.with_untracked(|text| text.trim().parse().unwrap_or(u32::MAX)),
        });
    };
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| wanted.open.set(false) />
            <Button label="Save" variant=ButtonVariant::Primary busy=save.pending() on_press=send />
        }
    };
    let refused = Signal::derive(move || save.value().get().and_then(Result::err));
    view! {
        <Dialog id="cache-settings" title="Settings of the cache" open=wanted.open footer=ViewFn::from(footer)>
            <div class="form wide">
                <Usual wanted />
                <Warm minutes=wanted.warm refused />
                <MeaningFields form=wanted.meaning refused />
            </div>
        </Dialog>
    }
}

/// What holds for every kept answer.
#[component]
fn Usual(wanted: Wanted) -> impl IntoView {
    let choices = vec![
        Choice::new("person", "With the keys of the same person"),
        Choice::new("workspace", "With the whole workspace"),
    ];
    let programs = Bound::from((
        Signal::derive(move || wanted.programs.get().as_str().to_owned()),
        Callback::new(move |word: String| wanted.programs.set(Programs::parse(&word).unwrap_or_default())),
    ));
    view! {
        <Switch
            id="cache-enabled" label="Keep answers" value=wanted.enabled
            hint=Some("Off, no answer is kept and none is given, whatever routes, keys, steps and calls ask for.".to_owned())
        />
        <Select
            id="cache-programs" label="Answers to programs are shared" choices=Signal::stored(choices) value=programs
            hint=Some("Programs are what asks with a key, or with somebody's own sign-in. Answers to steps of workflows are shared in the workspace.".to_owned())
        />
    }
}

#[component]
fn Warm(minutes: RwSignal<String>, refused: Signal<Option<ApiError>>) -> impl IntoView {
    let error = fault(refused, "/warm_minutes", Some("Expected a whole number from 0 to 1440."));
    let hint = "So long before a schedule fires, answers that its last two runs both asked for, and that would be too old by then, are asked of the model anew, at its price. 0 for never.";
    view! {
        <TextInput
            id="cache-warm" label="Ask anew before schedules" aside=Some("minutes".to_owned()) value=minutes
            hint=Some(hint.to_owned()) error
        />
    }
}

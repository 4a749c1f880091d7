//! What is done about what is written: whose words are looked at before they can be found, and what becomes of what is there already.

use leptos::prelude::*;

use crate::api::memory::{get_memory_settings, update_memory_settings};
use crate::model::auth::{Action as May, Me};
use crate::model::memory::{Duplicates, MemorySettings, Trust};
use crate::ui::components::{Bound, Button, ButtonVariant, Choice, Dialog, Select, Switch, Tone, use_toasts};

/// The labels that can be looked at, with what the switch says.
const LOOKED_AT: [(Trust, &str); 3] = [
    (Trust::Model, "Look at what models write"),
    (Trust::Web, "Look at what comes from the web"),
    (Trust::Tool, "Look at what steps write"),
];

/// The dialog and its switches.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    open: RwSignal<bool>,
    switches: [RwSignal<bool>; 3],
    duplicates: RwSignal<String>,
    read: Action<(), Result<MemorySettings, crate::model::ApiError>>,
}

impl Rules {
    pub(super) fn new() -> Self {
        Self {
            open: RwSignal::new(false),
            switches: LOOKED_AT.map(|_| RwSignal::new(false)),
            duplicates: RwSignal::new(String::new()),
            read: Action::new(|(): &()| get_memory_settings()),
        }
    }

    /// Reads them as they are now, and opens the dialog.
    pub(super) fn open(self) {
        self.read.dispatch(());
    }
}

#[component]
pub(super) fn RulesDialog(rules: Rules) -> impl IntoView {
    let toasts = use_toasts();
    let may = use_context::<Me>().is_none_or(|me| me.may(May::ManageProvider));
    let save = Action::new(|settings: &MemorySettings| update_memory_settings(settings.clone()));
    Effect::new(move |_| match rules.read.value().get() {
        Some(Ok(settings)) => {
            for ((trust, _), switch) in LOOKED_AT.iter().zip(rules.switches) {
                switch.set(settings.quarantine.contains(trust));
            }
            rules.duplicates.set(settings.duplicates.as_str().to_owned());
            rules.open.set(true);
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    Effect::new(move |_| match save.value().get() {
        Some(Ok(_)) => {
            rules.open.set(false);
            toasts.say(Tone::Good, "The rules hold from the next write on");
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let send = move |()| {
        let chosen = LOOKED_AT.iter().zip(rules.switches).filter(|(_, switch)| switch.get_untracked());
        let duplicates = rules.duplicates.with_untracked(|word| Duplicates::parse(word)).unwrap_or_default();
        save.dispatch(MemorySettings { quarantine: chosen.map(|((trust, _), _)| *trust).collect(), duplicates });
    };
    let choices = vec![
        Choice::new(Duplicates::Keep.as_str(), "Kept as well"),
        Choice::new(Duplicates::Merge.as_str(), "Made a version of the older one"),
        Choice::new(Duplicates::Refuse.as_str(), "Refused"),
    ];
    let refused = Signal::stored((!may).then(|| "Your role can't change what is looked at".to_owned()));
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| rules.open.set(false) />
            <Button label="Save" variant=ButtonVariant::Primary busy=save.pending() refused on_press=send />
        }
    };
    view! {
        <Dialog id="memory-rules" title="Rules for what is written" open=rules.open footer=ViewFn::from(footer)>
            <div class="form">
                <p class="dim">
                    "New words are looked at for ways of steering a model and for characters that hide something. Suspicious ones go into quarantine until a person has looked. That catches usual ways, not all."
                </p>
                <fieldset class="field" disabled=!may>
                    <legend class="visually-hidden">"Whose words are looked at"</legend>
                    {LOOKED_AT
                        .iter()
                        .zip(rules.switches)
                        .map(|((trust, label), value)| {
                            view! { <Switch id=format!("look-at-{}", trust.as_str()) label=*label value /> }
                        })
                        .collect_view()}
                    <Select
                        id="memory-duplicates" label="What says nearly the same as another entry of its namespace is"
                        choices=Signal::stored(choices.clone()) value=Bound::from(rules.duplicates)
                        hint=Some("Compared by words when an entry is made. Parts of conversations and documents, and texts of a few words, are always kept.".to_owned())
                    />
                </fieldset>
            </div>
        </Dialog>
    }
}

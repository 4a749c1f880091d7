//! Quarantine: what is said about an entry that is set aside, and how it is set aside and let out.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::State;
use super::entry::origin;
use crate::api::memory::{quarantine_entry, release_entry};
use crate::model::ApiError;
use crate::model::memory::{Entry, Quarantine, Trust};
use crate::ui::components::{
    Badge, Bound, Button, ButtonSize, ButtonVariant, Dialog, Icon, RelativeTime, TextArea, Tone, use_toasts,
};

/// Who the words came from, where that is not people.
pub(super) fn source_badge(trust: Trust) -> Option<impl IntoView + use<>> {
    let tone = if trust == Trust::Web { Tone::Warn } else { Tone::Plain };
    (trust != Trust::User).then(|| view! { <Badge label=format!("from {}", trust.label()) tone /> })
}

/// Why an entry is set aside, as a list.
pub(super) fn reasons(quarantine: &Quarantine) -> AnyView {
    if quarantine.reasons.is_empty() {
        return ().into_any();
    }
    let line = |reason: &String| view! { <li class="over">{reason.clone()}</li> };
    view! { <ul class="small dim">{quarantine.reasons.iter().map(line).collect_view()}</ul> }.into_any()
}

/// Above an entry in quarantine: since when, by whom, why, and the way out. Of one that was let out: who did it.
#[component]
pub(super) fn QuarantineNotice(entry: Entry, state: State) -> impl IntoView {
    let Some(quarantine) = entry.quarantine.clone() else { return ().into_any() };
    if let Some(release) = quarantine.released {
        return view! {
            <p class="small dimmer">
                "Let out of quarantine by " {origin(release.by)} " " <RelativeTime at=release.at /> "."
            </p>
        }
        .into_any();
    }
    let why = reasons(&quarantine);
    let by = match quarantine.by {
        Some(by) => view! { "by " {origin(by)} }.into_any(),
        None => "by the rule of the workspace".into_any(),
    };
    view! {
        <section class="notice" data-tone="warn" aria-label="Quarantine">
            <Icon name="warning" />
            <div class="grow stack">
                <p>
                    <b>"In quarantine"</b> " " {by} " " <RelativeTime at=quarantine.at />
                    ". No search, step or agent finds it."
                </p>
                {why}
            </div>
            <Release entry state />
        </section>
    }
    .into_any()
}

#[component]
fn Release(entry: Entry, state: State) -> impl IntoView {
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let press = move |()| {
        let (namespace, key, version) = (entry.namespace.clone(), entry.key.clone(), entry.version);
        busy.set(true);
        spawn_local(async move {
            match release_entry(namespace, key.clone(), version).await {
                Ok(_) => toasts.say(Tone::Good, format!("{key} is out of quarantine")),
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
            let _ = busy.try_set(false);
            state.load_anew();
        });
    };
    view! { <Button label="Release" icon="check" size=ButtonSize::Small busy refused=state.refused on_press=press /> }
}

/// Which entry is about to be set aside. It is the page's, not the pane's: what is drawn anew while somebody writes a reason
/// must not close the dialog.
#[derive(Clone, Copy)]
pub(super) struct Aside {
    open: RwSignal<bool>,
    /// Namespace, key and version.
    entry: RwSignal<(String, String, i64)>,
}

impl Aside {
    pub(super) fn new() -> Self {
        Self { open: RwSignal::new(false), entry: RwSignal::default() }
    }

    /// Opens the dialog for an entry as it was seen.
    pub(super) fn begin(self, entry: &Entry) {
        self.entry.set((entry.namespace.clone(), entry.key.clone(), entry.version));
        self.open.set(true);
    }
}

/// The dialog that sets an entry aside.
#[component]
pub(super) fn QuarantineDialog(state: State) -> impl IntoView {
    let Aside { open, entry } = state.aside;
    let toasts = use_toasts();
    let (reason, busy) = (RwSignal::new(String::new()), RwSignal::new(false));
    let refusal = RwSignal::new(None::<ApiError>);
    Effect::new(move |_| {
        if open.get() {
            reason.set(String::new());
            refusal.set(None);
        }
    });
    let send = move |()| {
        let (namespace, key, version) = entry.get_untracked();
        let reason = reason.get_untracked();
        busy.set(true);
        spawn_local(async move {
            match quarantine_entry(namespace, key.clone(), reason, version).await {
                Ok(_) => {
                    toasts.say(Tone::Good, format!("{key} is in quarantine"));
                    let _ = open.try_set(false);
                    state.load_anew();
                }
                Err(error) => drop(refusal.try_set(Some(error))),
            }
            let _ = busy.try_set(false);
        });
    };
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| open.set(false) />
            <Button label="Put into quarantine" variant=ButtonVariant::Primary busy on_press=send />
        }
    };
    let error = Signal::derive(move || refusal.get().map(|error| error.detail().to_owned()));
    view! {
        <Dialog id="quarantine-title" title="Put into quarantine?" open footer=ViewFn::from(footer)>
            <div class="form">
                <p class="dim">
                    "No search, step or agent finds it until somebody lets it out. It stays under Quarantine on this page, with its versions."
                </p>
                <TextArea
                    id="quarantine-reason" label="Why" value=Bound::from(reason) rows=3 error
                    aside=Some("optional".to_owned())
                />
            </div>
        </Dialog>
    }
}

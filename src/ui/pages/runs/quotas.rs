//! How many runs may wait and may be in progress: changed above the list, by whoever looks after the workspace.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::api::workspace::{get_quotas, set_quotas};
use crate::model::auth::{Action as May, Me};
use crate::model::workflow::Quotas;
use crate::ui::components::{Button, ButtonShape, ButtonSize, ButtonVariant, Dialog, TextInput, Tone, use_toasts};

/// The form that the button of the dialog sends.
const FORM: &str = "quotas-form";

/// A button, and the dialog behind it. Nothing for who may not change it.
#[component]
pub(super) fn HowMany() -> impl IntoView {
    let may = use_context::<Me>().is_some_and(|me| me.may(May::ManageUser));
    let open = RwSignal::new(false);
    may.then(|| {
        view! {
            <Button
                label="How many runs at once…" icon="cpu" size=ButtonSize::Small shape=ButtonShape::Collapsing
                variant=ButtonVariant::Quiet on_press=move |()| open.set(true)
            />
            <QuotasDialog open />
        }
    })
}

#[component]
fn QuotasDialog(open: RwSignal<bool>) -> impl IntoView {
    let toasts = use_toasts();
    let (queued, running) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let load = Action::new(|(): &()| get_quotas());
    let save = Action::new(|(queued, running): &(Option<u32>, Option<u32>)| set_quotas(*queued, *running));
    Effect::new(move |_| {
        if open.get() {
            load.dispatch(());
        }
    });
    Effect::new(move |_| match load.value().get() {
        Some(Ok(known)) => {
            queued.set(typed(known.max_queued_runs));
            running.set(typed(known.max_running_runs));
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    Effect::new(move |_| match save.value().get() {
        Some(Ok(known)) => {
            open.set(false);
            toasts.say(Tone::Good, said(&known));
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let known = Memo::new(move |_| load.value().with(|value| value.as_ref()?.as_ref().ok().copied()));
    let most_queued = Memo::new(move |_| known.get().map_or(Quotas::MAX, |known| known.server_max_queued_runs));
    let most_running =
        Memo::new(move |_| known.get().and_then(|known| known.server_max_running_runs).unwrap_or(Quotas::MAX));
    let queued_error = Memo::new(move |_| queued.with(|text| read(text, most_queued.get()).err()));
    let running_error = Memo::new(move |_| running.with(|text| read(text, most_running.get()).err()));
    let queued_hint = Signal::derive(move || {
        let server = known.get().map(|known| format!(", {}", known.server_max_queued_runs)).unwrap_or_default();
        Some(format!("A start beyond that is refused. Empty: as the server has it{server}."))
    });
    let running_hint = Signal::derive(move || {
        let server = known.get().map(|known| {
            known.server_max_running_runs.map_or_else(|| ", any number".to_owned(), |most| format!(", {most}"))
        });
        Some(format!("Beyond that runs wait. Empty: as the server has it{}.", server.unwrap_or_default()))
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let queued = queued.with_untracked(|text| read(text, most_queued.get_untracked()));
        let running = running.with_untracked(|text| read(text, most_running.get_untracked()));
        if let (Ok(queued), Ok(running)) = (queued, running) {
            save.dispatch((queued, running));
        }
    };
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| open.set(false) />
            <Button label="Allow so many" variant=ButtonVariant::Primary submit=true busy=save.pending() attr:form=FORM />
        }
    };
    let running_value = (Signal::from(running), Callback::new(move |text: String| running.set(text)));
    let queued_value = (Signal::from(queued), Callback::new(move |text: String| queued.set(text)));
    view! {
        <Dialog id="quotas-title" title="How many runs at once" open footer=ViewFn::from(footer)>
            <form id=FORM class="form" on:submit=submit>
                <TextInput
                    id="max-running-runs" label="Runs in progress" value=running_value hint=running_hint error=running_error
                />
                <TextInput
                    id="max-queued-runs" label="Runs that wait" value=queued_value hint=queued_hint error=queued_error
                />
            </form>
        </Dialog>
    }
}

fn typed(runs: Option<u32>) -> String {
    runs.map(|runs| runs.to_string()).unwrap_or_default()
}

fn said(known: &Quotas) -> String {
    let running = known.running_in_force().map_or_else(|| "Any number".to_owned(), |runs| format!("At most {runs}"));
    format!("{running} in progress, at most {} that wait.", known.queued_in_force())
}

/// The runs that were typed; `None` for an empty field.
fn read(text: &str, most: u32) -> Result<Option<u32>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let runs = text.parse().ok().filter(|runs| (1..=most).contains(runs));
    runs.map(Some).ok_or_else(|| format!("Expected 1 to {most}, or nothing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_read_up_to_what_the_server_allows() {
        assert_eq!(read(" 30 ", 30), Ok(Some(30)));
        assert_eq!(read("", 30), Ok(None));
        for text in ["0", "31", "some", "-1", "1.5"] {
            assert!(read(text, 30).is_err(), "{text}");
        }
    }

    #[test]
    fn what_holds_is_said() {
        let mut known = Quotas {
            max_queued_runs: Some(5),
            max_running_runs: None,
            server_max_queued_runs: 10,
            server_max_running_runs: None,
        };
        assert_eq!(said(&known), "Any number in progress, at most 5 that wait.");
        known.max_running_runs = Some(2);
        assert_eq!(said(&known), "At most 2 in progress, at most 5 that wait.");
    }
}

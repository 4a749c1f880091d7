//! How long ended runs are kept: changed above the list, by whoever looks after the workspace.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::api::workspace::{get_retention, set_retention};
use crate::model::auth::{Action as May, Me};
use crate::ui::components::{
    Button, ButtonShape, ButtonSize, ButtonVariant, Dialog, Icon, TextInput, Tone, use_toasts,
};
use crate::ui::format;

/// The form that the button of the dialog sends.
const FORM: &str = "retention-form";

/// A button, and the dialog behind it. Nothing for who may not change it.
#[component]
pub(super) fn KeptFor() -> impl IntoView {
    let may = use_context::<Me>().is_some_and(|me| me.may(May::ManageUser));
    let open = RwSignal::new(false);
    may.then(|| {
        view! {
            <Button
                label="How long runs are kept…" icon="history" size=ButtonSize::Small shape=ButtonShape::Collapsing
                variant=ButtonVariant::Quiet on_press=move |()| open.set(true)
            />
            <KeptDialog open />
        }
    })
}

#[component]
fn KeptDialog(open: RwSignal<bool>) -> impl IntoView {
    let toasts = use_toasts();
    let days = RwSignal::new(String::new());
    let load = Action::new(|(): &()| get_retention());
    let save = Action::new(|days: &Option<u32>| set_retention(*days));
    Effect::new(move |_| {
        if open.get() {
            load.dispatch(());
        }
    });
    Effect::new(move |_| match load.value().get() {
        Some(Ok(kept)) => days.set(kept.days.map(|days| days.to_string()).unwrap_or_default()),
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    Effect::new(move |_| match save.value().get() {
        Some(Ok(kept)) => {
            open.set(false);
            let days = format::plural(kept.in_force().into(), "day");
            toasts.say(Tone::Good, format!("Ended runs are kept for {days}."));
        }
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let error = Memo::new(move |_| days.with(|text| read(text).err()));
    let hint = Signal::derive(move || {
        let known = load.value().with(|value| value.as_ref().and_then(|kept| kept.as_ref().ok()).copied());
        let server = known.map(|kept| format!(", {}", kept.server_days)).unwrap_or_default();
        Some(format!("Empty: as the server has it{server}. A workflow may say otherwise, among its limits."))
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Ok(asked) = days.with_untracked(|text| read(text)) {
            save.dispatch(asked);
        }
    };
    let footer = move || {
        view! {
            <Button label="Cancel" on_press=move |()| open.set(false) />
            <Button label="Keep them so long" variant=ButtonVariant::Primary submit=true busy=save.pending() attr:form=FORM />
        }
    };
    let value = (Signal::from(days), Callback::new(move |text: String| days.set(text)));
    view! {
        <Dialog id="retention-title" title="How long ended runs are kept" open footer=ViewFn::from(footer)>
            <form id=FORM class="form" on:submit=submit>
                <TextInput id="kept-days" label="Days" value hint error />
                <p class="notice" data-tone="warn">
                    <Icon name="warning" />
                    <span class="grow">"What ended before that is deleted for good, with its logs and outputs, within the hour."</span>
                </p>
            </form>
        </Dialog>
    }
}

/// The days that were typed; `None` for an empty field.
fn read(text: &str) -> Result<Option<u32>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let days = text.parse().ok().filter(|days| (1..=3650).contains(days));
    days.map(Some).ok_or_else(|| "Expected 1 to 3650 days, or nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn days_are_read_within_their_bounds() {
        assert_eq!(read(" 30 "), Ok(Some(30)));
        assert_eq!(read(""), Ok(None));
        for text in ["0", "3651", "a month", "-1", "1.5"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}

//! Adding and changing a flag.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::audience::AudienceFields;
use super::form::Form;
use crate::api::flags::{create_flag, update_flag};
use crate::model::gateway::{Flag, FlagState, StickyBy};
use crate::model::{ApiError, FlagId};
use crate::ui::components::{
    Bound, Button, ButtonVariant, Checkbox, Choice, Dialog, DialogSize, Icon, Select, TextInput, Tone, use_toasts,
};

/// Fields that show their own errors.
const SHOWN: [&str; 4] = ["/name", "/description", "/percent", "/audience"];
/// The form that the button of the dialog sends.
const FORM: &str = "flag-form";

type Saving = Action<(Option<(FlagId, i64)>, Form), Result<FlagState, ApiError>>;

/// Which flag the dialog is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    open: RwSignal<bool>,
    /// The one that is changed; `None` for a new one.
    editing: RwSignal<Option<(FlagId, i64)>>,
    form: RwSignal<Form>,
    changed: RwSignal<u32>,
}

impl Asked {
    pub(super) fn new(changed: RwSignal<u32>) -> Self {
        Self { open: RwSignal::new(false), editing: RwSignal::new(None), form: RwSignal::new(Form::blank()), changed }
    }

    /// Opens the dialog for a new flag.
    pub(super) fn add(self) {
        self.editing.set(None);
        self.form.set(Form::blank());
        self.open.set(true);
    }

    /// Opens the dialog for a flag that there is.
    pub(super) fn edit(self, flag: &Flag) {
        self.editing.set(Some((flag.id, flag.revision)));
        self.form.set(Form::of(flag));
        self.open.set(true);
    }

    /// A part of the form as a control reads and writes it.
    fn bind<T: Clone + PartialEq + Send + Sync + 'static>(
        self,
        get: fn(&Form) -> T,
        set: fn(&mut Form, T),
    ) -> Bound<T> {
        let form = self.form;
        let read = Memo::new(move |_| form.with(get));
        Bound::from((read.into(), Callback::new(move |value| form.update(|form| set(form, value)))))
    }
}

/// What the first wrong field below a pointer is told; the field itself counts.
fn told(error: &ApiError, pointer: &str) -> Option<String> {
    let ApiError::Invalid { fields, .. } = error else { return None };
    let is_below =
        |other: &str| other.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    fields.iter().find(|field| is_below(&field.pointer)).map(|field| field.message.clone())
}

#[component]
pub(super) fn FlagDialog(asked: Asked) -> impl IntoView {
    let toasts = use_toasts();
    let save: Saving = Action::new(|(editing, form): &(Option<(FlagId, i64)>, Form)| {
        let (editing, draft) = (*editing, form.draft());
        async move {
            match editing {
                Some((id, revision)) => update_flag(id, revision, draft?).await,
                None => create_flag(draft?).await,
            }
        }
    });
    Effect::new(move |_| {
        if let Some(Ok(state)) = save.value().get() {
            asked.open.set(false);
            asked.changed.update(|n| *n += 1);
            toasts.say(Tone::Good, format!("The flag {} is saved; it holds from the next call on", state.flag.name));
        }
    });
    Effect::new(move |_| {
        if asked.open.get() {
            save.value().set(None);
        }
    });
    let is_new = move || asked.editing.with(Option::is_none);
    let footer = move || {
        let label = Signal::derive(move || if is_new() { "Add the flag" } else { "Save" }.to_owned());
        view! {
            <Button label="Cancel" on_press=move |()| asked.open.set(false) />
            <Button label variant=ButtonVariant::Primary submit=true busy=save.pending() attr:form=FORM />
        }
    };
    let title = Signal::derive(move || if is_new() { "Add a flag" } else { "Edit the flag" }.to_owned());
    view! {
        <Dialog id="flag-dialog" title open=asked.open size=DialogSize::Large footer=ViewFn::from(footer)>
            <FlagForm asked save />
        </Dialog>
    }
}

#[component]
fn FlagForm(asked: Asked, save: Saving) -> impl IntoView {
    let error = move |pointer: &'static str| {
        Signal::derive(move || {
            save.value().with(|answer| match answer {
                Some(Err(error)) => told(error, pointer),
                _ => None,
            })
        })
    };
    let whole = move || {
        save.value().with(|answer| match answer {
            Some(Err(error)) if SHOWN.iter().all(|pointer| told(error, pointer).is_none()) => {
                Some(error.detail().to_owned())
            }
            _ => None,
        })
    };
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if !save.pending().get_untracked() {
            save.dispatch((asked.editing.get_untracked(), asked.form.get_untracked()));
        }
    };
    let sticky = StickyBy::ALL.map(|by| Choice::new(by.as_str(), by.label()));
    view! {
        <form class="form wide" id=FORM novalidate on:submit=send>
            <div role="alert">
                {move || whole().map(|text| view! { <div class="form-error"><Icon name="s-failed" /><span>{text}</span></div> })}
            </div>
            <div class="grid pair">
                <TextInput
                    id="flag-name" label="Name" required=true mono=true placeholder="new-model" error=error("/name")
                    value=asked.bind(|form| form.name.clone(), |form, value| form.name = value)
                    hint=Some("Models of routes stand behind it by this name.".to_owned())
                />
                <TextInput
                    id="flag-description" label="What it rolls out" aside=Some("optional".to_owned()) error=error("/description")
                    value=asked.bind(|form| form.description.clone(), |form, value| form.description = value)
                />
            </div>
            <Checkbox
                id="flag-enabled" label="On: it takes its share from the next call on"
                value=asked.bind(|form| form.enabled, |form, value| form.enabled = value)
            />
            <div class="grid pair">
                <TextInput
                    id="flag-percent" label="Percent" required=true mono=true error=error("/percent") attr:inputmode="numeric"
                    value=asked.bind(|form| form.percent.clone(), |form, value| form.percent = value)
                    hint=Some("Who was taken stays taken while it grows.".to_owned())
                />
                <Select
                    id="flag-sticky" label="What stays together" choices=Signal::stored(sticky.to_vec())
                    value=asked.bind(|form| form.sticky_by.clone(), |form, value| form.sticky_by = value)
                    hint=Some("A session is a program's conversation, or a run. Without one a person, a key or an agent counts.".to_owned())
                />
            </div>
            <AudienceFields form=asked.form open=asked.open error=error("/audience") />
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FieldError;

    #[test]
    fn what_is_wrong_below_a_field_is_told_at_it() {
        let fields = vec![FieldError::new("/audience/users/0", "no such person")];
        let error = ApiError::Invalid { detail: "x".to_owned(), fields };
        assert_eq!(told(&error, "/audience").as_deref(), Some("no such person"));
        assert_eq!(told(&error, "/aud"), None);
        assert_eq!(told(&error, "/name"), None);
    }
}

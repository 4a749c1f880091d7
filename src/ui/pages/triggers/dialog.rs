//! Making and changing a trigger: what it starts, what it waits for, what the run is given.

use std::collections::BTreeMap;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use super::config_fields::ConfigFields;
use super::form::{Form, curl};
use super::inputs_fields::InputsFields;
use crate::api;
use crate::model::trigger::{Kind, Trigger, TriggerMade};
use crate::model::{ApiError, PageRequest, TriggerId};
use crate::ui::browser;
use crate::ui::components::{
    Bound, Button, ButtonShape, ButtonVariant, Choice, CopyButton, Dialog, DialogSize, Icon, Select, TextInput,
};
use crate::ui::pages::workflows::inputs::{self, Field, Texts};

/// The form that the button of the dialog sends.
const FORM: &str = "trigger-form";

/// Which trigger the dialog is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    open: RwSignal<bool>,
    /// The one that is changed; `None` for a new one.
    editing: RwSignal<Option<(TriggerId, i64)>>,
    form: RwSignal<Form>,
    /// What is shown once, after it was made.
    made: RwSignal<Option<TriggerMade>>,
    changed: RwSignal<u32>,
}

impl Asked {
    pub(super) fn new(changed: RwSignal<u32>) -> Self {
        Self {
            open: RwSignal::new(false),
            editing: RwSignal::new(None),
            form: RwSignal::new(Form::blank(Kind::Schedule)),
            made: RwSignal::new(None),
            changed,
        }
    }

    /// Opens the dialog for a new trigger.
    pub(super) fn make(self, kind: Kind) {
        self.begin(None, Form { timezone: browser::time_zone(), ..Form::blank(kind) });
    }

    /// Opens the dialog for a trigger that there is.
    pub(super) fn edit(self, trigger: Trigger) {
        self.begin(Some((trigger.id, trigger.revision)), Form::of(&trigger));
    }

    /// Shows what is shown once.
    pub(super) fn show(self, made: TriggerMade) {
        self.editing.set(Some((made.trigger.id, made.trigger.revision)));
        self.form.set(Form::of(&made.trigger));
        self.made.set(Some(made));
        self.open.set(true);
    }

    fn begin(self, editing: Option<(TriggerId, i64)>, form: Form) {
        self.editing.set(editing);
        self.form.set(form);
        self.made.set(None);
        self.open.set(true);
    }
}

/// What the form shows of a refusal.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Refused {
    pub(super) fields: BTreeMap<String, String>,
    pub(super) whole: Option<String>,
}

/// What every part of the form reads and writes.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    pub(super) form: RwSignal<Form>,
    pub(super) refused: RwSignal<Refused>,
    /// The fields of the chosen workflow's schema, and their texts.
    pub(super) fields: RwSignal<Vec<Field>>,
    pub(super) texts: RwSignal<Texts>,
}

impl Parts {
    /// A part of the form as a control reads and writes it.
    pub(super) fn bind<T: Clone + PartialEq + Send + Sync + 'static>(
        self,
        get: fn(&Form) -> T,
        set: fn(&mut Form, T),
    ) -> Bound<T> {
        let form = self.form;
        let read = Memo::new(move |_| form.with(get));
        Bound::from((read.into(), Callback::new(move |value| form.update(|form| set(form, value)))))
    }

    /// What was said about a field.
    pub(super) fn error(self, pointer: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || self.refused.with(|refused| refused.fields.get(pointer).cloned()))
    }
}

#[component]
pub(super) fn TriggerDialog(asked: Asked) -> impl IntoView {
    let busy = RwSignal::new(false);
    let title = move || {
        let kind = asked.form.with(|form| form.kind.label().to_lowercase());
        match (asked.made.with(Option::is_some), asked.editing.with(Option::is_some)) {
            (true, _) => "Keep this now".to_owned(),
            (false, true) => format!("Edit the trigger: {kind}"),
            (false, false) => format!("New trigger: {kind}"),
        }
    };
    let footer = move || {
        if asked.made.with(Option::is_some) {
            return view! { <Button label="Done" variant=ButtonVariant::Primary on_press=move |()| asked.open.set(false) /> }.into_any();
        }
        let label = move || if asked.editing.with(Option::is_some) { "Save" } else { "Create" }.to_owned();
        view! {
            <Button label="Cancel" on_press=move |()| asked.open.set(false) />
            <Button label=Signal::derive(label) variant=ButtonVariant::Primary submit=true busy attr:form=FORM />
        }
        .into_any()
    };
    view! {
        <Dialog id="trigger-dialog" title=Signal::derive(title) open=asked.open size=DialogSize::Large footer=ViewFn::from(footer)>
            {move || match asked.made.get() {
                Some(made) => view! { <Made made /> }.into_any(),
                None => view! { <TriggerForm asked busy /> }.into_any(),
            }}
        </Dialog>
    }
}

#[component]
fn TriggerForm(asked: Asked, busy: RwSignal<bool>) -> impl IntoView {
    let parts = Parts {
        form: asked.form,
        refused: RwSignal::new(Refused::default()),
        fields: RwSignal::new(Vec::new()),
        texts: RwSignal::new(Texts::new()),
    };
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if !busy.get_untracked() {
            save(asked, parts, busy);
        }
    };
    let workflows =
        LocalResource::new(|| api::workflows::list_workflows(String::new(), PageRequest { limit: 200, cursor: None }));
    let choices = Signal::derive(move || {
        let page = workflows.get().and_then(Result::ok);
        let mut choices: Vec<_> = page
            .map(|page| page.items)
            .unwrap_or_default()
            .into_iter()
            .map(|workflow| {
                let note = if workflow.published_version.is_none() { " (not published)" } else { "" };
                Choice::new(workflow.id.to_string(), format!("{}{note}", workflow.name))
            })
            .collect();
        choices.insert(0, Choice::new("", "Choose a workflow"));
        choices
    });
    let whole = move || parts.refused.with(|refused| refused.whole.clone());
    view! {
        <form class="form trigger" id=FORM novalidate on:submit=send>
            <div role="alert">
                {move || whole().map(|text| view! { <div class="form-error"><Icon name="s-failed" /><span>{text}</span></div> })}
            </div>
            <Select
                id="trigger-workflow" label="Starts" choices
                value=parts.bind(|form| form.workflow.clone(), |form, value| form.workflow = value)
                error=parts.error("/workflow_id")
                hint=Some("Its newest published version.".to_owned())
            />
            <ConfigFields parts choices />
            <InputsFields parts />
            <TextInput
                id="trigger-name" label="Name" aside=Some("optional".to_owned())
                value=parts.bind(|form| form.name.clone(), |form, value| form.name = value)
                error=parts.error("/name")
                hint=Some("Empty: named after what it waits for.".to_owned())
            />
        </form>
    }
}

/// Sends the form; what is refused stands beside its field.
fn save(asked: Asked, parts: Parts, busy: RwSignal<bool>) {
    parts.refused.set(Refused::default());
    let filled =
        parts.fields.with_untracked(|fields| parts.texts.with_untracked(|texts| inputs::collect(fields, texts)));
    let form = asked.form.get_untracked();
    let filled = match filled {
        Ok(filled) => filled,
        Err(_) if form.source != super::form::Source::Fields => Value::Null,
        Err(fields) => {
            let fields = fields.into_iter().map(|(name, error)| (format!("/inputs/{name}"), error)).collect();
            return parts.refused.set(Refused { fields, whole: None });
        }
    };
    let draft = match form.draft(filled) {
        Ok(draft) => draft,
        Err(fields) => return parts.refused.set(Refused { fields, whole: None }),
    };
    busy.set(true);
    let editing = asked.editing.get_untracked();
    spawn_local(async move {
        let outcome = match editing {
            Some((id, revision)) => api::triggers::update_trigger(id, revision, draft).await,
            None => api::triggers::create_trigger(draft).await,
        };
        match outcome {
            Ok(made) if made.url.is_some() || made.secret.is_some() => {
                asked.made.set(Some(made));
                asked.changed.try_update(|n| *n += 1);
            }
            Ok(_) => {
                asked.open.set(false);
                asked.changed.try_update(|n| *n += 1);
            }
            Err(error) => drop(parts.refused.try_set(explained(&error))),
        }
        busy.try_set(false);
    });
}

/// Sorts what the server said to the fields that the form has.
fn explained(error: &ApiError) -> Refused {
    const SHOWN: [&str; 12] = [
        "/workflow_id",
        "/name",
        "/inputs",
        "/config/cron",
        "/config/timezone",
        "/config/answer/ms",
        "/config/rate_per_minute",
        "/config/namespace",
        "/config/on",
        "/config/of",
        "/config/statuses",
        "/config/kind",
    ];
    let mut refused = Refused::default();
    if let ApiError::Invalid { fields, .. } = error {
        for field in fields {
            let pointer = if field.pointer.starts_with("/inputs/") { "/inputs" } else { field.pointer.as_str() };
            if SHOWN.contains(&pointer) {
                refused.fields.insert(pointer.to_owned(), field.message.clone());
            }
        }
    }
    if refused.fields.is_empty() {
        refused.whole = Some(error.detail().to_owned());
    }
    refused
}

/// What is shown this once: the address and the secret of a webhook.
#[component]
fn Made(made: TriggerMade) -> impl IntoView {
    let is_signed = made.trigger.webhook.as_ref().is_some_and(|webhook| !webhook.secrets.is_empty());
    let address = made.url.map(|url| {
        let call = curl(&url, is_signed);
        view! {
            <h3>"Address"</h3>
            <Shown text=url label="Copy the address" />
            <h3>"A call"</h3>
            <Shown text=call label="Copy the call" />
        }
    });
    let secret = made.secret.map(|secret| {
        view! {
            <h3>"Secret that calls are signed with"</h3>
            <Shown text=secret.0 label="Copy the secret" />
        }
    });
    view! {
        <div class="stack">
            <p>"Weft keeps no copy that it could show again. Whoever knows the address can start the workflow."</p>
            {address}
            {secret}
        </div>
    }
}

/// A text to copy.
#[component]
pub(super) fn Shown(text: String, label: &'static str) -> impl IntoView {
    let copied = text.clone();
    view! {
        <div class="secret">
            <code class="call">{text}</code>
            <CopyButton text=Signal::stored(copied) label shape=ButtonShape::Labelled />
        </div>
    }
}

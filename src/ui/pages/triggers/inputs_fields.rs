//! What the run is given: the fields of the workflow's schema, the event as it is, or a template.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::Parts;
use super::form::Source;
use crate::api;
use crate::model::trigger::Kind;
use crate::model::{ApiError, PageRequest, WorkflowId};
use crate::ui::components::{Bound, Choice, Select, Switch, TextArea, TextInput};
use crate::ui::pages::workflows::inputs::{self, Field, Shape};

#[component]
pub(super) fn InputsFields(parts: Parts) -> impl IntoView {
    let form = parts.form;
    let workflow = Memo::new(move |_| form.with(|form| form.workflow.clone()));
    Effect::new(move |_| {
        let chosen = workflow.get();
        let id = chosen.parse::<WorkflowId>();
        parts.fields.set(Vec::new());
        if let Ok(id) = id {
            spawn_local(async move {
                // Without its schema the form still takes a template.
                if let Ok(fields) = schema_fields(id).await
                    && workflow.try_get_untracked().as_deref() == Some(chosen.as_str())
                {
                    let given = form.with_untracked(|form| form.given.clone());
                    parts.texts.try_set(inputs::begin(&fields, Some(&given)));
                    parts.fields.try_set(fields);
                }
            });
        }
    });
    let kind = form.with_untracked(|form| form.kind);
    let own = match kind {
        Kind::Schedule => Choice::new(Source::Fields.as_str(), "What is filled in here"),
        Kind::Webhook => Choice::new(Source::Event.as_str(), "The call's body, as it is"),
        Kind::Memory | Kind::RunFinished => Choice::new(Source::Event.as_str(), "The event, as it is"),
    };
    let choices = vec![own, Choice::new(Source::Template.as_str(), "JSON with templates over the event")];
    let source = Memo::new(move |_| form.with(|form| form.source));
    let value = parts.bind(
        |form| form.source.as_str().to_owned(),
        |form, text| {
            form.source = Source::parse(&text);
        },
    );
    let begin_template = move |text: String| {
        value.set.run(text);
        form.update(|form| {
            if form.source == Source::Template && form.template.trim().is_empty() {
                form.template = parts.fields.with_untracked(|fields| suggestion(kind, fields));
            }
        });
    };
    let value = Bound::from((value.get, Callback::new(begin_template)));
    view! {
        <Select id="trigger-source" label="The run is given" value choices=Signal::stored(choices) />
        {move || match source.get() {
            Source::Fields => view! { <SchemaFields parts /> }.into_any(),
            Source::Event => ().into_any(),
            Source::Template => view! { <Template parts kind /> }.into_any(),
        }}
    }
}

/// The fields of what will run: the newest version, or the draft where there is none.
async fn schema_fields(id: WorkflowId) -> Result<Vec<Field>, ApiError> {
    let newest = api::workflows::list_versions(id, PageRequest { limit: 1, cursor: None }).await?.items.pop();
    let schema = match newest {
        Some(version) => version.definition.inputs,
        None => api::workflows::get_workflow(id).await?.draft.inputs,
    };
    Ok(inputs::fields(&schema))
}

/// A template to begin from: each input from a field of the event that has its name.
fn suggestion(kind: Kind, fields: &[Field]) -> String {
    let from = match kind {
        Kind::Schedule => "scheduled_for".to_owned(),
        Kind::Webhook => "body".to_owned(),
        Kind::Memory => "content".to_owned(),
        Kind::RunFinished => "run_id".to_owned(),
    };
    let part = |field: &Field| {
        let path = if kind == Kind::Webhook { format!("body.{}", field.name) } else { from.clone() };
        (field.name.clone(), serde_json::Value::String(format!("{{{{ event.{path} }}}}")))
    };
    let mut template: serde_json::Map<String, serde_json::Value> = fields.iter().map(part).collect();
    if template.is_empty() {
        template.insert("input".to_owned(), format!("{{{{ event.{from} }}}}").into());
    }
    serde_json::to_string_pretty(&template).unwrap_or_default()
}

#[component]
fn Template(parts: Parts, kind: Kind) -> impl IntoView {
    let sees = match kind {
        Kind::Schedule => "event has scheduled_for and trigger.",
        Kind::Webhook => "event has body, headers and query.",
        Kind::Memory => "event has change, namespace, key, version, content, value, tags, source and at.",
        Kind::RunFinished => "event has run_id, status, workflow, inputs, output, error, started_at and ended_at.",
    };
    view! {
        <TextArea
            id="trigger-template" label="Inputs" rows=6 mono=true
            value=parts.bind(|form| form.template.clone(), |form, value| form.template = value)
            error=parts.error("/inputs")
            hint=Some(format!("{sees} A text that is exactly one {{{{ … }}}} keeps the type of its value."))
        />
    }
}

#[component]
fn SchemaFields(parts: Parts) -> impl IntoView {
    let is_chosen = move || parts.form.with(|form| !form.workflow.is_empty());
    move || {
        let fields = parts.fields.get();
        if fields.is_empty() {
            return is_chosen().then(|| view! { <p class="dim">"This workflow asks for nothing."</p> }).into_any();
        }
        fields.into_iter().map(|field| view! { <SchemaField field parts /> }).collect_view().into_any()
    }
}

#[component]
fn SchemaField(field: Field, parts: Parts) -> impl IntoView {
    let id = format!("trigger-input-{}", field.name);
    let pointer = format!("/inputs/{}", field.name);
    let Field { name, label, hint, required, shape, .. } = field;
    let hint = Signal::stored((!hint.is_empty()).then_some(hint));
    let aside = Signal::stored((!required && shape != Shape::Switch).then(|| "optional".to_owned()));
    let key = StoredValue::new(name);
    let texts = parts.texts;
    let get =
        Signal::derive(move || key.with_value(|key| texts.with(|texts| texts.get(key).cloned().unwrap_or_default())));
    let set = Callback::new(move |text: String| texts.update(|texts| drop(texts.insert(key.get_value(), text))));
    let value = Bound::from((get, set));
    let error = Signal::derive(move || parts.refused.with(|refused| refused.fields.get(&pointer).cloned()));
    match shape {
        Shape::Text => view! { <TextInput id label value hint error aside required /> }.into_any(),
        Shape::Integer | Shape::Number => {
            view! { <TextInput id label value hint error aside required mono=true /> }.into_any()
        }
        Shape::LongText => view! { <TextArea id label value hint error aside required /> }.into_any(),
        Shape::Switch => {
            let on = Signal::derive(move || get.get() == "true");
            let switch = Callback::new(move |on: bool| set.run(on.to_string()));
            view! { <Switch id label value=Bound::from((on, switch)) hint error /> }.into_any()
        }
        Shape::Choice(values) => {
            let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let mut choices: Vec<_> = values.iter().map(|value| Choice::new(text(value), text(value))).collect();
            choices.insert(0, Choice::new("", if required { "Choose" } else { "Not set" }));
            view! { <Select id label value choices=Signal::stored(choices) hint error aside /> }.into_any()
        }
        Shape::Json(_) => {
            view! { <TextArea id label value hint error aside required mono=true placeholder="JSON" /> }.into_any()
        }
    }
}

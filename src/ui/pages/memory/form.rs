//! The dialog that adds or edits an entry.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};

use super::State;
use crate::api::memory::{get_entry, put_entry};
use crate::model::memory::{Entry, EntryDraft, Source};
use crate::model::{ApiError, FieldError, Timestamp};
use crate::ui::components::{
    Bound, Button, ButtonVariant, Dialog, DialogSize, Icon, TextArea, TextInput, Tone, use_toasts,
};

/// What the form begins with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Start {
    namespace: String,
    key: String,
    content: String,
    tags: String,
    importance: String,
    value: String,
    metadata: String,
    group: String,
    position: String,
    expires_at: Option<Timestamp>,
    /// The version that is edited; 0 for a new entry.
    version: i64,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            namespace: String::new(),
            key: String::new(),
            content: String::new(),
            tags: String::new(),
            importance: "0.5".to_owned(),
            value: String::new(),
            metadata: String::new(),
            group: String::new(),
            position: String::new(),
            expires_at: None,
            version: 0,
        }
    }
}

impl Start {
    /// Nothing yet, in a namespace.
    pub fn within(namespace: String) -> Self {
        Self { namespace, ..Self::default() }
    }

    /// An entry, to edit.
    pub fn of(entry: &Entry) -> Self {
        let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
        Self {
            namespace: entry.namespace.clone(),
            key: entry.key.clone(),
            content: entry.content.clone(),
            tags: entry.tags.join(", "),
            importance: entry.importance.to_string(),
            value: if entry.value.is_null() { String::new() } else { pretty(&entry.value) },
            metadata: if entry.metadata.is_empty() {
                String::new()
            } else {
                pretty(&Value::Object(entry.metadata.clone()))
            },
            group: entry.group.clone().unwrap_or_default(),
            position: entry.position.map(|position| position.to_string()).unwrap_or_default(),
            expires_at: entry.expires_at,
            version: entry.version,
        }
    }
}

/// The texts of the form.
#[derive(Clone, Copy)]
struct Fields {
    namespace: RwSignal<String>,
    key: RwSignal<String>,
    content: RwSignal<String>,
    tags: RwSignal<String>,
    importance: RwSignal<String>,
    value: RwSignal<String>,
    metadata: RwSignal<String>,
    group: RwSignal<String>,
    position: RwSignal<String>,
    expires_at: StoredValue<Option<Timestamp>>,
}

impl Fields {
    fn new(start: Start) -> Self {
        Self {
            namespace: RwSignal::new(start.namespace),
            key: RwSignal::new(start.key),
            content: RwSignal::new(start.content),
            tags: RwSignal::new(start.tags),
            importance: RwSignal::new(start.importance),
            value: RwSignal::new(start.value),
            metadata: RwSignal::new(start.metadata),
            group: RwSignal::new(start.group),
            position: RwSignal::new(start.position),
            expires_at: StoredValue::new(start.expires_at),
        }
    }

    /// The draft; or what doesn't read as what it should be. What else fits, the server knows.
    fn draft(self) -> Result<EntryDraft, ApiError> {
        let importance = self.importance.with_untracked(|text| text.trim().parse::<f64>());
        let importance = importance.map_err(|_| ApiError::invalid("/importance", "expected a number from 0 to 1"))?;
        let metadata = match parse_json("/metadata", &self.metadata.get_untracked())? {
            Value::Null => Map::new(),
            Value::Object(map) => map,
            _ => return Err(ApiError::invalid("/metadata", "expected a JSON object")),
        };
        Ok(EntryDraft {
            content: self.content.get_untracked(),
            value: parse_json("/value", &self.value.get_untracked())?,
            tags: split_tags(&self.tags.get_untracked()),
            metadata,
            importance: Some(importance),
            expires_at: self.expires_at.get_value(),
            group: Some(self.group.get_untracked().trim().to_owned()).filter(|group| !group.is_empty()),
            position: parse_position(&self.position.get_untracked())?,
        })
    }
}

fn parse_json(pointer: &str, text: &str) -> Result<Value, ApiError> {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(text).map_err(|error| ApiError::invalid(pointer, format!("expected JSON: {error}")))
}

fn parse_position(text: &str) -> Result<Option<i64>, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| ApiError::invalid("/position", "expected a whole number"))
}

fn split_tags(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// The dialog; its form begins afresh each time that it opens.
#[component]
pub(super) fn EntryDialog(state: State) -> impl IntoView {
    let title = Signal::derive(move || {
        state
            .start
            .with(|start| if start.version == 0 { "Add entry".to_owned() } else { format!("Edit {}", start.key) })
    });
    view! {
        <Dialog id="entry-form-title" title open=state.form_open size=DialogSize::Large>
            <EntryForm state />
        </Dialog>
    }
}

#[component]
fn EntryForm(state: State) -> impl IntoView {
    let start = state.start.get_untracked();
    let is_new = start.version == 0;
    let version = StoredValue::new(start.version);
    let fields = Fields::new(start);
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let toasts = use_toasts();
    let save = move || {
        if busy.get_untracked() {
            return;
        }
        let draft = match fields.draft() {
            Ok(draft) => draft,
            Err(wrong) => return error.set(Some(wrong)),
        };
        let (namespace, key) = (fields.namespace.get_untracked(), fields.key.get_untracked());
        busy.set(true);
        spawn_local(async move {
            let done = put_entry(namespace.clone(), key.clone(), draft, version.get_value()).await;
            let _ = busy.try_set(false);
            match done {
                Ok(entry) => {
                    state.form_open.set(false);
                    toasts.say(Tone::Good, format!("Saved {} as version {}", entry.key, entry.version));
                    state.go.run(state.place.get_untracked().opening(&entry.namespace, &entry.key));
                    state.load_anew();
                }
                Err(ApiError::Conflict { .. }) => {
                    let (told, newest) = conflict(namespace, key, version.get_value()).await;
                    let _ = version.try_set_value(newest);
                    error.try_set(Some(told));
                }
                Err(refusal) => {
                    error.try_set(Some(refusal));
                }
            }
        });
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        save();
    };
    view! {
        <form class="form" on:submit=submit>
            <FormError error />
            {is_new.then(|| view! { <Where fields error /> })}
            <What fields error />
            <div class="form-actions">
                <Button label="Cancel" on_press=move |()| state.form_open.set(false) />
                <Button label=if is_new { "Add entry" } else { "Save" } variant=ButtonVariant::Primary submit=true busy />
            </div>
        </form>
    }
}

/// What to say when somebody else was faster, and the version that the next try writes over.
async fn conflict(namespace: String, key: String, saw: i64) -> (ApiError, i64) {
    match get_entry(namespace, key).await {
        Ok(entry) => {
            let who = match &entry.source {
                Source::User { name } => name.clone(),
                Source::Run { .. } => "A run".to_owned(),
                Source::Cli {} | Source::Expiry {} => "Somebody".to_owned(),
            };
            let detail = if saw == 0 {
                format!(
                    "An entry with this key exists, in version {}. Choose another key, or press again to write over it.",
                    entry.version
                )
            } else {
                format!(
                    "{who} saved version {} meanwhile. Nothing of yours was saved. Press Save again to write over it, or cancel to keep theirs.",
                    entry.version
                )
            };
            (ApiError::Conflict { detail }, entry.version)
        }
        Err(ApiError::NotFound { .. }) => {
            let detail = "The entry was deleted meanwhile. Press again to write it anew, or cancel.".to_owned();
            (ApiError::Conflict { detail }, 0)
        }
        Err(error) => (error, saw),
    }
}

#[component]
fn FormError(error: RwSignal<Option<ApiError>>) -> impl IntoView {
    move || {
        error.get().map(|error| {
            view! {
                <div class="form-error" role="alert" tabindex="-1">
                    <Icon name="s-failed" />
                    <span>{error.detail().to_owned()}</span>
                </div>
            }
        })
    }
}

/// What the server or the form says about a field.
fn told(error: RwSignal<Option<ApiError>>, pointer: &'static str) -> Signal<Option<String>> {
    Signal::derive(move || {
        error.with(|error| match error {
            Some(ApiError::Invalid { fields, .. }) => {
                let about =
                    |field: &&FieldError| field.pointer == pointer || field.pointer.starts_with(&format!("{pointer}/"));
                fields.iter().find(about).map(|field| field.message.clone())
            }
            _ => None,
        })
    })
}

#[component]
fn Where(fields: Fields, error: RwSignal<Option<ApiError>>) -> impl IntoView {
    view! {
        <TextInput id="entry-namespace" label="Namespace" value=Bound::from(fields.namespace) hint=Some("A path such as code/decisions.".to_owned()) error=told(error, "namespace") required=true />
        <TextInput id="entry-key" label="Key" value=Bound::from(fields.key) hint=Some("Unique in its namespace.".to_owned()) error=told(error, "key") required=true />
    }
}

#[component]
fn What(fields: Fields, error: RwSignal<Option<ApiError>>) -> impl IntoView {
    let optional = Some("optional".to_owned());
    view! {
        <TextArea id="entry-content" label="Content" value=Bound::from(fields.content) rows=12 hint=Some("Markdown, or JSON.".to_owned()) error=told(error, "/content") />
        <TextInput id="entry-tags" label="Tags" value=Bound::from(fields.tags) hint=Some("Separated by commas.".to_owned()) error=told(error, "/tags") aside=optional.clone() />
        <TextInput id="entry-importance" label="Importance" value=Bound::from(fields.importance) hint=Some("0 to 1. Searches put what is important first; 0.5 is usual.".to_owned()) error=told(error, "/importance") />
        <TextArea id="entry-value" label="Value" value=Bound::from(fields.value) rows=3 mono=true hint=Some("Structured data beside the text, as JSON.".to_owned()) error=told(error, "/value") aside=optional.clone() />
        <TextArea id="entry-metadata" label="Metadata" value=Bound::from(fields.metadata) rows=3 mono=true hint=Some("Facts about the entry, as a JSON object.".to_owned()) error=told(error, "/metadata") aside=optional.clone() />
        <TextInput id="entry-group" label="Group" value=Bound::from(fields.group) hint=Some("The conversation or document that it belongs to. Searches read entries of a group in their context.".to_owned()) error=told(error, "/group") aside=optional.clone() />
        <TextInput id="entry-position" label="Position" value=Bound::from(fields.position) hint=Some("Its place in the group, as a number.".to_owned()) error=told(error, "/position") aside=optional />
    }
}

//! The dialog that adds or edits an entry.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::State;
use super::draft::{Fields, Kept, Start};
use crate::api::memory::{get_entry, merge_entry, put_entry};
use crate::model::memory::{EntryDraft, STANDARD_NAMESPACES, Source, Trust, purpose};
use crate::model::{ApiError, FieldError};
use crate::ui::browser;
use crate::ui::components::{
    Bound, Button, ButtonVariant, Choice, Dialog, DialogSize, Icon, Select, TextArea, TextInput, Toasts, Tone,
    use_toasts,
};

/// The form's id, for the button that sends it from the dialog's foot.
const FORM: &str = "entry-form";
/// The id of what the form could not send.
const ERROR: &str = "entry-form-error";

/// What an entry turned out to be when it was to be saved over another version.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Theirs {
    namespace: String,
    key: String,
    /// 0 when it was deleted.
    version: i64,
}

impl Theirs {
    /// The button that saves over it all the same.
    fn action(&self) -> String {
        match self.version {
            0 => "Write it anew".to_owned(),
            version => format!("Write over version {version}"),
        }
    }
}

/// The form: made once by the page, and filled anew each time that it opens.
#[derive(Clone, Copy)]
pub(super) struct Form {
    open: RwSignal<bool>,
    /// What it began with; its version is the one that saving expects to find.
    base: RwSignal<Start>,
    fields: Fields,
    kept: StoredValue<Kept>,
    /// Whether it holds again what was typed before it was closed.
    is_resumed: RwSignal<bool>,
    error: RwSignal<Option<ApiError>>,
    /// What to save over, if the person says so.
    theirs: RwSignal<Option<Theirs>>,
    busy: RwSignal<bool>,
}

impl Form {
    pub fn new() -> Self {
        Self {
            open: RwSignal::new(false),
            base: RwSignal::new(Start::default()),
            fields: Fields::new(Start::default()),
            kept: StoredValue::new(Kept::default()),
            is_resumed: RwSignal::new(false),
            error: RwSignal::new(None),
            theirs: RwSignal::new(None),
            busy: RwSignal::new(false),
        }
    }

    /// Opens it; with what was typed into it before, if it was closed without saving.
    pub fn begin(self, start: Start) {
        let kept = self.kept.try_update_value(|kept| kept.take(&start)).flatten();
        self.is_resumed.set(kept.is_some());
        let (base, typed) = kept.unwrap_or_else(|| (start.clone(), start));
        self.base.set(base);
        self.fields.load(typed);
        self.error.set(None);
        self.theirs.set(None);
        self.busy.set(false);
        self.open.set(true);
    }

    /// Closes it and forgets what was typed.
    fn drop_it(self) {
        self.fields.load(self.base.get_untracked());
        self.open.set(false);
    }

    /// It has been closed, in whatever way: what was typed and not saved is kept.
    fn put_aside(self) {
        let base = self.base.get_untracked();
        let typed = self.fields.texts(&base);
        self.kept.update_value(|kept| kept.put_aside(base, typed));
    }

    /// What the person may save over, as long as the form still names it.
    fn over(self) -> Option<Theirs> {
        let named = |theirs: &Theirs| {
            self.fields.namespace.with(|it| *it == theirs.namespace) && self.fields.key.with(|it| *it == theirs.key)
        };
        self.theirs.get().filter(named)
    }

    /// Saves over the version that the form began with, or over `theirs`.
    fn save(self, state: State, toasts: Toasts, theirs: Option<Theirs>) {
        if self.busy.get_untracked() {
            return;
        }
        let draft = match self.fields.draft() {
            Ok(draft) => draft,
            Err(wrong) => return self.error.set(Some(wrong)),
        };
        let base = self.base.get_untracked();
        let expected = theirs.map_or(base.version, |theirs| theirs.version);
        let (namespace, key) = (self.fields.namespace.get_untracked(), self.fields.key.get_untracked());
        self.busy.set(true);
        spawn_local(async move {
            let (refusal, theirs) = match put(namespace, key.clone(), draft, expected, base.merges.clone()).await {
                Ok((namespace, key, version)) => {
                    toasts.say(Tone::Good, format!("Saved {key} as version {version}"));
                    if self.is_still_about(&base) {
                        self.drop_it();
                    }
                    let _ = self.kept.try_update_value(|kept| kept.take(&base));
                    if let Some(place) = state.place.try_get_untracked() {
                        state.go.run(place.opening(&namespace, &key));
                    }
                    state.load_anew();
                    return;
                }
                Err(refused) => refused,
            };
            if self.is_still_about(&base) {
                self.busy.set(false);
                self.theirs.set(theirs);
                self.error.set(Some(refusal));
            } else {
                toasts.say(Tone::Bad, format!("{key} was not saved: {}", refusal.detail()));
            }
        });
    }

    /// Whether the form is open, and for the same entry as when a call began.
    fn is_still_about(self, base: &Start) -> bool {
        self.open.try_get_untracked() == Some(true) && self.base.try_get_untracked().as_ref() == Some(base)
    }
}

/// Saves; gives where the words are now and in which version, or the refusal and what stands there instead.
async fn put(
    namespace: String,
    key: String,
    draft: EntryDraft,
    expected: i64,
    merges: Vec<i64>,
) -> Result<(String, String, i64), (ApiError, Option<Theirs>)> {
    let put = if merges.is_empty() {
        put_entry(namespace.clone(), key.clone(), draft, expected).await
    } else {
        merge_entry(namespace.clone(), key.clone(), draft, expected, merges).await
    };
    match put {
        Ok(entry) => Ok((entry.namespace, entry.key, entry.version)),
        Err(ApiError::Conflict { detail }) => Err(conflict(namespace, key, expected, detail).await),
        Err(refusal) => Err((refusal, None)),
    }
}

/// What to say when somebody else was faster, and what could be written over.
async fn conflict(namespace: String, key: String, expected: i64, detail: String) -> (ApiError, Option<Theirs>) {
    let (detail, version) = match get_entry(namespace.clone(), key.clone()).await {
        Ok(entry) => (told_of(expected, &entry.source, entry.version), entry.version),
        // Another entry is in the way.
        Err(ApiError::NotFound { .. }) if expected == 0 => return (ApiError::Conflict { detail }, None),
        Err(ApiError::NotFound { .. }) => {
            ("The entry was deleted meanwhile. Nothing of yours was saved.".to_owned(), 0)
        }
        Err(error) => return (error, None),
    };
    (ApiError::Conflict { detail }, Some(Theirs { namespace, key, version }))
}

/// What happened while the form was open.
fn told_of(expected: i64, source: &Source, found: i64) -> String {
    if expected == 0 {
        return format!("An entry with this key exists, in version {found}. Choose another key, or write over it.");
    }
    let who = match source {
        Source::User { name } | Source::Import { name: Some(name) } => name.as_str(),
        Source::Run { .. } => "A run",
        Source::Cli {} | Source::Import { name: None } | Source::Expiry {} => "Somebody",
    };
    format!("{who} saved version {found} meanwhile. Nothing of yours was saved.")
}

/// The dialog.
#[component]
pub(super) fn EntryDialog(state: State) -> impl IntoView {
    let form = state.form;
    let toasts = use_toasts();
    Effect::new(move |was: Option<bool>| {
        let is_open = form.open.get();
        if was == Some(true) && !is_open {
            form.put_aside();
        }
        is_open
    });
    let title = Signal::derive(move || {
        form.base.with(|base| if base.is_new() { "Add entry".to_owned() } else { format!("Edit {}", base.key) })
    });
    let footer = move || {
        let label = form.base.with_untracked(|base| if base.is_new() { "Add entry" } else { "Save" });
        let over = move || {
            form.over().map(|theirs| {
                let label = theirs.action();
                let press = move |()| form.save(state, toasts, Some(theirs.clone()));
                view! { <Button label variant=ButtonVariant::Danger busy=form.busy on_press=press /> }
            })
        };
        view! {
            <Button label="Cancel" on_press=move |()| form.drop_it() />
            {over}
            <Button label variant=ButtonVariant::Primary submit=true busy=form.busy attr:form=FORM />
        }
    };
    view! {
        <Dialog id="entry-form-title" title open=form.open size=DialogSize::Large footer=ViewFn::from(footer)>
            <EntryForm state toasts />
        </Dialog>
    }
}

#[component]
fn EntryForm(state: State, toasts: Toasts) -> impl IntoView {
    let form = state.form;
    let (fields, error) = (form.fields, form.error);
    let is_new = form.base.with_untracked(Start::is_new);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.save(state, toasts, None);
    };
    let start_over = move |()| {
        form.is_resumed.set(false);
        fields.load(form.base.get_untracked());
    };
    view! {
        <form class="form" id=FORM on:submit=submit>
            <Show when=move || form.is_resumed.get()>
                <div class="row wrap" role="status">
                    <span>"You closed this without saving. What you typed is here again."</span>
                    <Button label="Start over" on_press=start_over />
                </div>
            </Show>
            <FormError state />
            {is_new.then(|| view! { <Where fields error /> })}
            <What fields error />
        </form>
    }
}

/// What could not be saved. It takes the focus, and so comes into sight.
#[component]
fn FormError(state: State) -> impl IntoView {
    let Form { error, .. } = state.form;
    Effect::new(move |_| {
        if error.with(Option::is_some) {
            browser::next_frame(|| browser::focus_id(ERROR));
        }
    });
    // In a window of its own: what was typed stays here.
    let look = move || {
        let theirs = state.form.over().filter(|theirs| theirs.version > 0)?;
        let href = state.place.get_untracked().opening(&theirs.namespace, &theirs.key).href();
        let label = format!("Look at version {}", theirs.version);
        Some(view! { " " <a class="link" href=href target="_blank">{label}</a> })
    };
    move || {
        error.get().map(|error| {
            view! {
                <div class="form-error" id=ERROR role="alert" tabindex="-1">
                    <Icon name="s-failed" />
                    <span>{error.detail().to_owned()} {look}</span>
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
    let about =
        Signal::derive(move || {
            let usual = || {
                let names: Vec<&str> = STANDARD_NAMESPACES.iter().map(|(path, _)| *path).collect();
                format!("A path such as code/db. Usual ones begin with {}.", names.join(", "))
            };
            Some(fields.namespace.with(|path| {
                purpose(path.trim().split('/').next().unwrap_or_default()).map_or_else(usual, str::to_owned)
            }))
        });
    view! {
        <TextInput id="entry-namespace" label="Namespace" value=Bound::from(fields.namespace) hint=about error=told(error, "namespace") required=true />
        <TextInput id="entry-key" label="Key" value=Bound::from(fields.key) hint=Some("Unique in its namespace.".to_owned()) error=told(error, "key") required=true />
    }
}

#[component]
fn What(fields: Fields, error: RwSignal<Option<ApiError>>) -> impl IntoView {
    let optional = Some("optional".to_owned());
    let choice = |trust: Trust| Choice::new(trust.as_str(), trust.label());
    let choices: Vec<Choice> = Trust::ALL.into_iter().map(choice).collect();
    view! {
        <TextArea id="entry-content" label="Content" value=Bound::from(fields.content) rows=12 hint=Some("Markdown, or JSON.".to_owned()) error=told(error, "/content") />
        <TextInput id="entry-tags" label="Tags" value=Bound::from(fields.tags) hint=Some("Separated by commas.".to_owned()) error=told(error, "/tags") aside=optional.clone() />
        <TextInput id="entry-importance" label="Importance" value=Bound::from(fields.importance) hint=Some("0 to 1. Searches put what is important first; 0.5 is usual.".to_owned()) error=told(error, "/importance") />
        <TextArea id="entry-value" label="Value" value=Bound::from(fields.value) rows=3 mono=true hint=Some("Structured data beside the text, as JSON.".to_owned()) error=told(error, "/value") aside=optional.clone() />
        <TextArea id="entry-metadata" label="Metadata" value=Bound::from(fields.metadata) rows=3 mono=true hint=Some("Facts about the entry, as a JSON object.".to_owned()) error=told(error, "/metadata") aside=optional.clone() />
        <TextInput id="entry-group" label="Group" value=Bound::from(fields.group) hint=Some("The conversation or document that it belongs to. Searches read entries of a group in their context.".to_owned()) error=told(error, "/group") aside=optional.clone() />
        <TextInput id="entry-position" label="Position" value=Bound::from(fields.position) hint=Some("Its place in the group, as a number.".to_owned()) error=told(error, "/position") aside=optional />
        <Select id="entry-trust" label="Words from" choices=Signal::stored(choices) value=Bound::from(fields.trust) hint=Some("Who wrote the words, not who keeps them. Only words that you changed can be yours.".to_owned()) error=told(error, "/trust") />
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_says_who_was_faster_and_names_what_would_be_written_over() {
        let mara = Source::User { name: "Mara".to_owned() };
        assert!(told_of(1, &mara, 2).starts_with("Mara saved version 2 meanwhile."));
        assert!(told_of(0, &mara, 2).starts_with("An entry with this key exists, in version 2."));
        let over = |version| Theirs { namespace: "code".to_owned(), key: "size".to_owned(), version }.action();
        assert_eq!((over(2), over(0)), ("Write over version 2".to_owned(), "Write it anew".to_owned()));
    }
}

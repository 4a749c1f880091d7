//! A control with its label, its hint and its error; text fields.

use leptos::prelude::*;

use super::Icon;

/// A value that a control shows and alters: an `RwSignal`, or a signal to read and a callback to write.
#[derive(Debug)]
pub struct Bound<T: Send + Sync + 'static> {
    /// What it shows.
    pub get: Signal<T>,
    /// Called with what was entered.
    pub set: Callback<T>,
}

impl<T: Send + Sync + 'static> Clone for Bound<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Bound<T> {}

impl<T: Clone + Send + Sync + 'static> From<RwSignal<T>> for Bound<T> {
    fn from(signal: RwSignal<T>) -> Self {
        Self { get: signal.into(), set: Callback::new(move |value| signal.set(value)) }
    }
}

impl<T: Send + Sync + 'static> From<(Signal<T>, Callback<T>)> for Bound<T> {
    fn from((get, set): (Signal<T>, Callback<T>)) -> Self {
        Self { get, set }
    }
}

/// The ids of the texts that describe a control, for `aria-describedby`.
pub(super) fn described_by(
    id: &str,
    hint: Signal<Option<String>>,
    error: Signal<Option<String>>,
) -> Signal<Option<String>> {
    let id = id.to_owned();
    Signal::derive(move || {
        let mut ids = Vec::new();
        if hint.with(Option::is_some) {
            ids.push(format!("{id}-hint"));
        }
        if error.with(Option::is_some) {
            ids.push(format!("{id}-error"));
        }
        (!ids.is_empty()).then(|| ids.join(" "))
    })
}

/// The hint and the error under a control, with the ids that [`described_by`] names.
#[component]
pub(super) fn FieldNotes(id: String, hint: Signal<Option<String>>, error: Signal<Option<String>>) -> impl IntoView {
    let error_id = format!("{id}-error");
    let hint_id = format!("{id}-hint");
    view! {
        {move || hint.get().map(|hint| view! { <span class="hint" id=hint_id.clone()>{hint}</span> })}
        {move || {
            error.get().map(|error| view! { <span class="error" id=error_id.clone()><Icon name="s-failed" />{error}</span> })
        }}
    }
}

/// A label over a control of any sort, with its hint and its error under it.
///
/// The control has `id`, and describes itself by `{id}-hint` and `{id}-error`, as [`TextInput`] does.
#[component]
pub fn Field(
    /// The id of the control, unique on the page.
    #[prop(into)]
    id: String,
    #[prop(into)] label: Signal<String>,
    #[prop(into, optional)] hint: Signal<Option<String>>,
    #[prop(into, optional)] error: Signal<Option<String>>,
    /// A word at the right of the label: "optional".
    #[prop(into, optional)]
    aside: Signal<Option<String>>,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id.clone()>
                {move || label.get()} {move || aside.get().map(|aside| view! { <span class="aside">{aside}</span> })}
            </label>
            {children()}
            <FieldNotes id hint error />
        </div>
    }
}

/// A line of text.
#[component]
pub fn TextInput(
    /// Unique on the page; also its name in a form.
    #[prop(into)]
    id: String,
    #[prop(into)] label: Signal<String>,
    #[prop(into)] value: Bound<String>,
    #[prop(into, optional)] hint: Signal<Option<String>>,
    #[prop(into, optional)] error: Signal<Option<String>>,
    #[prop(into, optional)] aside: Signal<Option<String>>,
    /// `text`, `email`, `password`, `number`, `url`.
    #[prop(default = "text")]
    kind: &'static str,
    /// As the browser's password manager wants it: `username`, `new-password`.
    #[prop(optional)]
    autocomplete: Option<&'static str>,
    #[prop(optional)] placeholder: Option<&'static str>,
    #[prop(optional)] required: bool,
    /// For code, keys and paths.
    #[prop(optional)]
    mono: bool,
) -> impl IntoView {
    let described = described_by(&id, hint, error);
    view! {
        <Field id=id.clone() label hint error aside>
            <input
                class="input"
                id=id.clone()
                name=id
                type=kind
                autocomplete=autocomplete
                placeholder=placeholder
                required=required
                data-mono=mono.then_some("")
                spellcheck=(mono || kind != "text").then_some("false")
                aria-describedby=move || described.get()
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                prop:value=move || value.get.get()
                on:input=move |event| value.set.run(event_target_value(&event))
            />
        </Field>
    }
}

/// Lines of text. Its content is set as a property: children of a `<textarea>` would not be escaped by the server.
#[component]
pub fn TextArea(
    /// Unique on the page; also its name in a form.
    #[prop(into)]
    id: String,
    #[prop(into)] label: Signal<String>,
    #[prop(into)] value: Bound<String>,
    #[prop(into, optional)] hint: Signal<Option<String>>,
    #[prop(into, optional)] error: Signal<Option<String>>,
    #[prop(into, optional)] aside: Signal<Option<String>>,
    /// Lines shown at first, 1 or more.
    #[prop(default = 4)]
    rows: u32,
    #[prop(optional)] placeholder: Option<&'static str>,
    #[prop(optional)] required: bool,
    /// For code, YAML and expressions.
    #[prop(optional)]
    mono: bool,
) -> impl IntoView {
    let described = described_by(&id, hint, error);
    view! {
        <Field id=id.clone() label hint error aside>
            <textarea
                class="input"
                id=id.clone()
                name=id
                rows=rows.to_string()
                placeholder=placeholder
                required=required
                data-mono=mono.then_some("")
                spellcheck=mono.then_some("false")
                aria-describedby=move || described.get()
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                prop:value=move || value.get.get()
                on:input=move |event| value.set.run(event_target_value(&event))
            ></textarea>
        </Field>
    }
}

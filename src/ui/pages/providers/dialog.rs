//! Adding and changing a provider.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::form::{Form, LIMITS};
use crate::api::providers::{create_provider, update_provider};
use crate::model::gateway::{Provider, ProviderKind};
use crate::model::{ApiError, ProviderId};
use crate::ui::components::{
    Bound, Button, ButtonVariant, Checkbox, Choice, Dialog, DialogSize, Icon, Select, TextArea, TextInput, Tone,
    use_toasts,
};

/// Fields that show their own errors.
const SHOWN: [&str; 3] = ["/name", "/base_url", "/credential"];
/// The form that the button of the dialog sends.
const FORM: &str = "provider-form";

type Saving = Action<(Option<(ProviderId, i64)>, Form), Result<Provider, ApiError>>;

/// Which provider the dialog is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    open: RwSignal<bool>,
    /// The one that is changed; `None` for a new one.
    editing: RwSignal<Option<(ProviderId, i64)>>,
    /// Whether it has a key.
    has_key: RwSignal<bool>,
    form: RwSignal<Form>,
    changed: RwSignal<u32>,
}

impl Asked {
    pub(super) fn new(changed: RwSignal<u32>) -> Self {
        Self {
            open: RwSignal::new(false),
            editing: RwSignal::new(None),
            has_key: RwSignal::new(false),
            form: RwSignal::new(Form::blank()),
            changed,
        }
    }

    /// Opens the dialog for a new provider.
    pub(super) fn add(self) {
        self.editing.set(None);
        self.has_key.set(false);
        self.form.set(Form::blank());
        self.open.set(true);
    }

    /// Opens the dialog for a provider that there is.
    pub(super) fn edit(self, provider: &Provider) {
        self.editing.set(Some((provider.id, provider.revision)));
        self.has_key.set(provider.credential_hint.is_some());
        self.form.set(Form::of(provider));
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

#[component]
pub(super) fn ProviderDialog(asked: Asked) -> impl IntoView {
    let toasts = use_toasts();
    let save: Saving = Action::new(|(editing, form): &(Option<(ProviderId, i64)>, Form)| {
        let (editing, draft) = (*editing, form.draft());
        async move {
            match editing {
                Some((id, revision)) => update_provider(id, revision, draft?).await,
                None => create_provider(draft?).await,
            }
        }
    });
    Effect::new(move |_| {
        if let Some(Ok(provider)) = save.value().get() {
            asked.open.set(false);
            asked.changed.update(|n| *n += 1);
            toasts.say(Tone::Good, format!("{} is saved; test it to see whether it answers", provider.name));
        }
    });
    Effect::new(move |_| {
        if asked.open.get() {
            save.value().set(None);
        }
    });
    let is_new = move || asked.editing.with(Option::is_none);
    let footer = move || {
        let label = Signal::derive(move || if is_new() { "Add the provider" } else { "Save" }.to_owned());
        view! {
            <Button label="Cancel" on_press=move |()| asked.open.set(false) />
            <Button label variant=ButtonVariant::Primary submit=true busy=save.pending() attr:form=FORM />
        }
    };
    let title = Signal::derive(move || if is_new() { "Add a provider" } else { "Edit the provider" }.to_owned());
    view! {
        <Dialog id="provider-dialog" title open=asked.open size=DialogSize::Large footer=ViewFn::from(footer)>
            <ProviderForm asked save />
        </Dialog>
    }
}

#[component]
fn ProviderForm(asked: Asked, save: Saving) -> impl IntoView {
    let error = move |pointer: &'static str| {
        Signal::derive(move || {
            save.value().with(|answer| match answer {
                Some(Err(error)) => error.field(pointer).map(str::to_owned),
                _ => None,
            })
        })
    };
    let models_error = Signal::derive(move || {
        save.value().with(|answer| match answer {
            Some(Err(error)) => of_models(error),
            _ => None,
        })
    });
    let whole = move || {
        save.value().with(|answer| match answer {
            Some(Err(error))
                if SHOWN.iter().all(|pointer| error.field(pointer).is_none())
                    && of_models(error).is_none()
                    && !is_of_limits(error) =>
            {
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
    view! {
        <form class="form" id=FORM novalidate on:submit=send>
            <div role="alert">
                {move || whole().map(|text| view! { <div class="form-error"><Icon name="s-failed" /><span>{text}</span></div> })}
            </div>
            <KindField asked />
            <TextInput
                id="provider-name" label="Name" required=true mono=true placeholder="claude" error=error("/name")
                value=asked.bind(|form| form.name.clone(), |form, value| form.name = value)
                hint=Some("Part of provider/model, by which one asks for a model of it.".to_owned())
            />
            <TextInput
                id="provider-url" label="Address" kind="url" mono=true error=error("/base_url")
                value=asked.bind(|form| form.base_url.clone(), |form, value| form.base_url = value)
                hint=Signal::derive(move || Some(usual_address(asked.form.with(|form| form.kind))))
            />
            <TextInput
                id="provider-key" label="Key" kind="password" autocomplete="off" mono=true error=error("/credential")
                value=asked.bind(|form| form.credential.clone(), |form, value| form.credential = value)
                hint=Signal::derive(move || Some(key_hint(asked.has_key.get()).to_owned()))
            />
            <TextArea
                id="provider-models" label="Models" rows=5 mono=true placeholder="claude-sonnet-4-5 context=200k" error=models_error
                value=asked.bind(|form| form.models.clone(), |form, value| form.models = value)
                hint=Some("One on a line, best first. Behind the name, what calls are held against: context=128k (tokens that it holds), output=16k (of an answer), schema, no-images, no-tools. Empty: it is asked for any model. Testing the provider lists what it has.".to_owned())
            />
            <ResponsesField asked />
            <LimitFields asked save />
            <Checkbox
                id="provider-enabled" label="Ask this provider"
                value=asked.bind(|form| form.enabled, |form, value| form.enabled = value)
            />
        </form>
    }
}

/// Whether one of the limits that the form shows is wrong.
fn is_of_limits(error: &ApiError) -> bool {
    LIMITS.iter().any(|field| error.field(&format!("/limits/{field}")).is_some())
}

/// How much it is asked at once, and how long it may take: folded, since most providers need none of it.
#[component]
fn LimitFields(asked: Asked, save: Saving) -> impl IntoView {
    let error = move |at: usize| {
        Signal::derive(move || {
            save.value().with(|answer| match answer {
                Some(Err(error)) => error.field(&format!("/limits/{}", LIMITS[at])).map(str::to_owned),
                _ => None,
            })
        })
    };
    let is_wrong = move || save.value().with(|answer| matches!(answer, Some(Err(error)) if is_of_limits(error)));
    let value = move |at: usize| {
        let form = asked.form;
        let read = Memo::new(move |_| form.with(|form| form.limits[at].clone()));
        Bound::from((read.into(), Callback::new(move |value| form.update(|form| form.limits[at] = value))))
    };
    let any = || Some("any number".to_owned());
    view! {
        <details class="disclosure" open=is_wrong>
            <summary>
                <span>"Limits"</span>
                <span class="aside">{move || asked.form.with(|form| limits_aside(&form.limits))}</span>
                <svg class="icon twist" aria-hidden="true"><use_ href="/icons.svg#i-right"></use_></svg>
            </summary>
            <div class="disclosure-body">
                <div class="grid pair">
                    <TextInput id="provider-concurrent" label="Calls at once" aside=any() value=value(0) error=error(0) attr:inputmode="numeric" />
                    <TextInput id="provider-requests" label="Calls in a minute" aside=any() value=value(1) error=error(1) attr:inputmode="numeric" />
                    <TextInput id="provider-tokens" label="Tokens in a minute" aside=any() value=value(2) error=error(2) attr:inputmode="numeric" />
                    <TextInput id="provider-queue" label="Calls that may wait" value=value(3) error=error(3) attr:inputmode="numeric" />
                    <TextInput
                        id="provider-queue-s" label="For how long, in seconds" value=value(4) error=error(4) attr:inputmode="decimal"
                        hint=Some("Then a call goes to the next model of its route, or is refused.".to_owned())
                    />
                </div>
                <span class="hint">
                    "Calls beyond these wait in line. What Anthropic and OpenAI tell of their own limits is heeded without this. Each process \
                     of the server keeps them for itself."
                </span>
                <div class="grid pair">
                    <TextInput
                        id="provider-connect-s" label="Until the connection stands, in seconds" value=value(5) error=error(5)
                        attr:inputmode="decimal"
                    />
                    <TextInput
                        id="provider-first-s" label="Until the answer begins, in seconds" value=value(6) error=error(6)
                        attr:inputmode="decimal" hint=Some("Also the longest silence inside an answer.".to_owned())
                    />
                    <TextInput
                        id="provider-total-s" label="Until the answer is complete, in seconds" value=value(7) error=error(7)
                        attr:inputmode="decimal"
                    />
                    <TextInput
                        id="provider-retries" label="Asked again at most" value=value(8) error=error(8) attr:inputmode="numeric"
                        hint=Some("After a failure that may pass, 0 to 5 times.".to_owned())
                    />
                </div>
            </div>
        </details>
    }
}

/// What the limits are, in a few words.
fn limits_aside(limits: &[String; LIMITS.len()]) -> String {
    let of = |at: usize, what: &str| {
        let number = limits[at].trim();
        (!number.is_empty()).then(|| format!("{number} {what}"))
    };
    let parts: Vec<String> =
        [of(0, "at once"), of(1, "calls a minute"), of(2, "tokens a minute")].into_iter().flatten().collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// What is wrong with the models: the line, and what was expected there.
fn of_models(error: &ApiError) -> Option<String> {
    let ApiError::Invalid { fields, .. } = error else { return None };
    let field = fields.iter().find(|field| field.pointer.starts_with("/models"))?;
    let mut parts = field.pointer.split('/').skip(2);
    let Some(place) = parts.next().and_then(|place| place.parse::<usize>().ok()) else {
        return Some(field.message.clone());
    };
    let what = if parts.next() == Some("id") && field.message.contains("blanks") {
        "expected a name, and behind it only context=, output=, schema, no-images, no-tools"
    } else {
        &field.message
    };
    Some(format!("line {}: {what}", place + 1))
}

/// A provider keeps its kind: it can be chosen for a new one only.
#[component]
fn KindField(asked: Asked) -> impl IntoView {
    let choices: Vec<Choice> =
        ProviderKind::ALL.into_iter().map(|kind| Choice::new(kind.as_str(), kind.label())).collect();
    let value = asked.bind(
        |form| form.kind.as_str().to_owned(),
        |form, value| form.kind = ProviderKind::parse(&value).unwrap_or(form.kind),
    );
    move || {
        if asked.editing.with(Option::is_some) {
            let kind = asked.form.with(|form| form.kind.label());
            view! { <dl class="pairs"><dt>"Kind"</dt><dd>{kind}</dd></dl> }.into_any()
        } else {
            view! { <Select id="provider-kind" label="Kind" value choices=Signal::stored(choices.clone()) /> }
                .into_any()
        }
    }
}

/// OpenAI and compatible servers have two dialects.
#[component]
fn ResponsesField(asked: Asked) -> impl IntoView {
    let offered = Memo::new(move |_| asked.form.with(|form| form.kind.may_speak_responses()));
    let value = asked.bind(|form| form.responses, |form, value| form.responses = value);
    move || {
        offered.get().then(|| {
            view! {
                <div class="field">
                    <div><Checkbox id="provider-responses" label="Always ask by the Responses API" value /></div>
                    <span class="hint">
                        "What a model thought comes back sealed, and is sent along with the next turn. Otherwise it is asked by Chat \
                         Completions; OpenAI itself in whichever of the two the caller speaks."
                    </span>
                </div>
            }
        })
    }
}

fn usual_address(kind: ProviderKind) -> String {
    match (kind, kind.usual_base_url()) {
        (_, "") => "Such as https://models.example.com/v1.".to_owned(),
        (ProviderKind::Ollama, usual) => {
            format!(
                "Empty: {usual}. This server reaches a private address only if its setting allow_private names it, such as \
                 WEFT_ALLOW_PRIVATE=127.0.0.1/32. A local Ollama needs no key."
            )
        }
        (_, usual) => format!("Empty: {usual}."),
    }
}

const fn key_hint(has_key: bool) -> &'static str {
    if has_key {
        "Empty: the stored key stays. It is encrypted and shown to nobody."
    } else {
        "Encrypted, sent to this provider only, and shown to nobody again."
    }
}

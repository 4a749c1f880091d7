//! The rules: what is found by itself, and patterns of the workspace's own.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::form::{Form, Line};
use crate::api::redaction::update_redaction;
use crate::model::ApiError;
use crate::model::auth::{Action as May, Me};
use crate::model::gateway::{Contents, MAX_MASK_PATTERNS, MaskKind, Redaction};
use crate::ui::browser;
use crate::ui::components::{
    Button, ButtonShape, ButtonSize, ButtonVariant, Card, Choice, Icon, Select, Switch, TextInput, Tone, use_toasts,
};

/// The rules on their way to the server.
type Saving = Action<(i64, Form), Result<Redaction, ApiError>>;

#[component]
pub(super) fn RulesCard(form: RwSignal<Form>, revision: i64) -> impl IntoView {
    let may_manage = expect_context::<Me>().may(May::ManageProvider);
    let toasts = use_toasts();
    let revision = RwSignal::new(revision);
    let saved = RwSignal::new(form.get_untracked().draft());
    let save: Saving = Action::new(|(revision, form): &(i64, Form)| update_redaction(*revision, form.draft()));
    Effect::new(move |_| match save.value().get() {
        Some(Ok(redaction)) => {
            revision.set(redaction.revision);
            saved.set(redaction.draft());
            toasts.say(Tone::Good, "It holds from the next call on");
        }
        // It stands at its field.
        Some(Err(ApiError::Invalid { fields, .. })) if !fields.is_empty() => {}
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let is_changed = Memo::new(move |_| form.with(Form::draft) != saved.get());
    let refused = Signal::derive(move || (!is_changed.get()).then(|| "Nothing was changed".to_owned()));
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if is_changed.get_untracked() {
            save.dispatch((revision.get_untracked(), form.get_untracked()));
        }
    };
    let kinds = MaskKind::ALL.map(|kind| view! { <KindSwitch form kind /> }).into_iter().collect_view();
    view! {
        <Card id="rules" title="What is masked">
            <form class="form wide" novalidate on:submit=send>
                <p class="dim">
                    "Before a call leaves for a provider, what these rules find is replaced by placeholders. In the answer, and in what it asks tools to do, they are put back: who asked notices nothing. The log of calls keeps what was found and how often, never the value."
                </p>
                <fieldset class="field mask-kinds" disabled=!may_manage>
                    <legend class="visually-hidden">"Found by themselves"</legend>
                    {kinds}
                </fieldset>
                <fieldset class="field" disabled=!may_manage aria-describedby="mask-patterns-hint">
                    <legend>"Patterns of your own"</legend>
                    <Patterns form save />
                    <span class="hint" id="mask-patterns-hint">
                        "Regular expressions, such as "<code>"CUST-[0-9]{6}"</code>". Where one has a group, the group is masked: "<code>"patient: (\\w+)"</code>"."
                    </span>
                    {may_manage.then(|| view! { <AddPattern form /> })}
                </fieldset>
                <fieldset class="field" disabled=!may_manage>
                    <legend>"Requests and answers"</legend>
                    <KeepFields form save />
                </fieldset>
                {may_manage.then(|| view! {
                    <div><Button label="Save" variant=ButtonVariant::Primary submit=true busy=save.pending() refused /></div>
                })}
            </form>
        </Card>
    }
}

/// What is kept beside the numbers of a call.
#[component]
fn KeepFields(form: RwSignal<Form>, save: Saving) -> impl IntoView {
    let contents = (
        Signal::derive(move || form.with(|form| form.contents.as_str().to_owned())),
        Callback::new(move |word: String| {
            form.update(|form| form.contents = Contents::parse(&word).unwrap_or_default())
        }),
    );
    let days = (
        Signal::derive(move || form.with(|form| form.days.clone())),
        Callback::new(move |text: String| form.update(|form| form.days = text)),
    );
    let error = Signal::derive(move || {
        save.value().with(|answer| match answer {
            Some(Err(error)) => error.field("/keep/days").map(str::to_owned),
            _ => None,
        })
    });
    let choices: Vec<Choice> = Contents::ALL.map(|one| Choice::new(one.as_str(), one.label())).into();
    view! {
        <div class="grid pair">
            <Select
                id="keep-contents" label="Are kept" choices=Signal::stored(choices) value=contents
                hint=Some("Masked and encrypted. They stand in the log of calls, for who made the call and for those who manage providers.".to_owned())
            />
            <TextInput id="keep-days" label="Days" value=days error attr:inputmode="numeric" />
        </div>
    }
}

#[component]
fn KindSwitch(form: RwSignal<Form>, kind: MaskKind) -> impl IntoView {
    let value = (
        Signal::derive(move || form.with(|form| form.kinds.contains(&kind))),
        Callback::new(move |on: bool| form.update(|form| form.switch(kind, on))),
    );
    view! { <Switch id=format!("mask-{}", kind.as_str()) label=kind.label() value hint=Some(kind.hint().to_owned()) /> }
}

#[component]
fn AddPattern(form: RwSignal<Form>) -> impl IntoView {
    let full = Signal::derive(move || {
        form.with(Form::is_full).then(|| format!("A workspace has at most {MAX_MASK_PATTERNS}"))
    });
    let add = move |()| {
        let key = form.try_update(Form::add).unwrap_or_default();
        browser::after_ms_detached(0, move || browser::focus_id(&format!("mask-name-{key}")));
    };
    view! { <div><Button label="Add a pattern" icon="plus" size=ButtonSize::Small refused=full on_press=add /></div> }
}

#[component]
fn Patterns(form: RwSignal<Form>, save: Saving) -> impl IntoView {
    let keys = move || form.with(|form| form.lines.iter().map(|line| line.key).collect::<Vec<_>>());
    view! {
        <ul class="mask-patterns">
            <For each=keys key=|key| *key let:key>
                <PatternFields form key save />
            </For>
        </ul>
    }
}

#[component]
fn PatternFields(form: RwSignal<Form>, key: u32, save: Saving) -> impl IntoView {
    let read = move |get: fn(&Line) -> &String| {
        form.with(|form| form.lines.iter().find(|line| line.key == key).map(|line| get(line).clone()))
            .unwrap_or_default()
    };
    let write = move |set: fn(&mut Line, String), value: String| {
        form.update(|form| {
            if let Some(line) = form.lines.iter_mut().find(|line| line.key == key) {
                set(line, value);
            }
        });
    };
    let error = Memo::new(move |_| {
        save.value().with(|answer| {
            let Some(Err(error)) = answer else { return None };
            let place = form.with_untracked(|form| form.place(key))?;
            let of = |field: &&str| error.field(&format!("/patterns/{place}/{field}")).map(str::to_owned);
            ["name", "pattern"].iter().find_map(of)
        })
    });
    let invalid = move || error.with(Option::is_some).then_some("true");
    let described = move || error.with(Option::is_some).then(|| format!("mask-error-{key}"));
    let called = move || {
        let name = read(|line| &line.name);
        if name.trim().is_empty() { "the new pattern".to_owned() } else { name }
    };
    view! {
        <li>
            <input
                class="input" id=format!("mask-name-{key}") data-mono="" placeholder="name" spellcheck="false" autocomplete="off"
                aria-label=move || format!("Name of {}", called()) aria-invalid=invalid aria-describedby=described
                prop:value=move || read(|line| &line.name)
                on:input=move |event| write(|line, value| line.name = value, event_target_value(&event))
            />
            <input
                class="input" data-mono="" placeholder="regular expression" spellcheck="false" autocomplete="off"
                aria-label=move || format!("Expression of {}", called()) aria-invalid=invalid aria-describedby=described
                prop:value=move || read(|line| &line.pattern)
                on:input=move |event| write(|line, value| line.pattern = value, event_target_value(&event))
            />
            <Button
                label=Signal::derive(move || format!("Remove {}", called())) icon="x" size=ButtonSize::Small
                variant=ButtonVariant::Quiet shape=ButtonShape::IconOnly
                on_press=move |()| form.update(|form| form.lines.retain(|line| line.key != key))
            />
            {move || error.get().map(|text| view! {
                <span class="error" id=format!("mask-error-{key}")><Icon name="s-failed" />{text}</span>
            })}
        </li>
    }
}

//! Adding and changing a route.

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::prelude::*;

use super::route_flag::LineFlag;
use super::route_form::{Form, Line, MOST};
use super::route_policy::{LinePolicy, PolicyFields};
use crate::api::routes::{create_route, update_route};
use crate::model::cache::CacheMode;
use crate::model::gateway::{Provider, Route};
use crate::model::{ApiError, RouteId};
use crate::ui::browser;
use crate::ui::components::{
    Bound, Button, ButtonShape, ButtonSize, ButtonVariant, Choice, ContextFields, ContextForm, Dialog, DialogSize,
    Icon, Select, TextInput, Tone, use_toasts,
};

/// The form that the button of the dialog sends.
const FORM: &str = "route-form";

pub(super) type Saving = Action<(Option<(RouteId, i64)>, Form), Result<Route, ApiError>>;

/// Which route the dialog is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    open: RwSignal<bool>,
    /// The one that is changed; `None` for a new one.
    editing: RwSignal<Option<(RouteId, i64)>>,
    form: RwSignal<Form>,
    /// What there is to choose from.
    pub(super) providers: RwSignal<Vec<Provider>>,
    /// The names of the flags that a model can stand behind.
    pub(super) flags: RwSignal<Vec<String>>,
    pub(super) changed: RwSignal<u32>,
}

impl Asked {
    pub(super) fn new() -> Self {
        Self {
            open: RwSignal::new(false),
            editing: RwSignal::new(None),
            form: RwSignal::new(Form::default()),
            providers: RwSignal::new(Vec::new()),
            flags: RwSignal::new(Vec::new()),
            changed: RwSignal::new(0),
        }
    }

    /// Opens the dialog for a new route.
    pub(super) fn add(self) {
        self.editing.set(None);
        self.form.set(self.providers.with_untracked(|providers| Form::blank(providers)));
        self.open.set(true);
    }

    /// Opens the dialog for a route that there is.
    pub(super) fn edit(self, route: &Route) {
        self.editing.set(Some((route.id, route.revision)));
        self.form.set(Form::of(route));
        self.open.set(true);
    }

    /// A part of the form as a control reads and writes it.
    fn bind(self, get: fn(&Form) -> String, set: fn(&mut Form, String)) -> Bound<String> {
        let form = self.form;
        let read = Memo::new(move |_| form.with(get));
        Bound::from((read.into(), Callback::new(move |value| form.update(|form| set(form, value)))))
    }

    /// What is done with a conversation that is too long.
    fn context(self) -> Bound<ContextForm> {
        let form = self.form;
        let read = Memo::new(move |_| form.with(|form| form.context.clone()));
        Bound::from((read.into(), Callback::new(move |value| form.update(|form| form.context = value))))
    }

    /// A part of a line.
    fn of_line(self, key: u32, get: fn(&Line) -> &str) -> Memo<String> {
        let form = self.form;
        Memo::new(move |_| {
            form.with(|form| form.lines.iter().find(|line| line.key == key).map(|line| get(line).to_owned()))
                .unwrap_or_default()
        })
    }
}

#[component]
pub(super) fn RouteDialog(asked: Asked) -> impl IntoView {
    let toasts = use_toasts();
    let save: Saving = Action::new(|(editing, form): &(Option<(RouteId, i64)>, Form)| {
        let (editing, draft) = (*editing, form.draft());
        async move {
            match editing {
                Some((id, revision)) => update_route(id, revision, draft?).await,
                None => create_route(draft?).await,
            }
        }
    });
    Effect::new(move |_| {
        if let Some(Ok(route)) = save.value().get() {
            asked.open.set(false);
            asked.changed.update(|n| *n += 1);
            toasts.say(Tone::Good, format!("The route {} is saved; it holds from the next call on", route.name));
        }
    });
    Effect::new(move |_| {
        if asked.open.get() {
            save.value().set(None);
        }
    });
    let is_new = move || asked.editing.with(Option::is_none);
    let footer = move || {
        let label = Signal::derive(move || if is_new() { "Add the route" } else { "Save" }.to_owned());
        view! {
            <Button label="Cancel" on_press=move |()| asked.open.set(false) />
            <Button label variant=ButtonVariant::Primary submit=true busy=save.pending() attr:form=FORM />
        }
    };
    let title = Signal::derive(move || if is_new() { "New route" } else { "Edit the route" }.to_owned());
    view! {
        <Dialog id="route-dialog" title open=asked.open size=DialogSize::Large footer=ViewFn::from(footer)>
            <RouteForm asked save />
        </Dialog>
    }
}

#[component]
fn RouteForm(asked: Asked, save: Saving) -> impl IntoView {
    let error = move |pointer: &'static str| {
        Signal::derive(move || {
            save.value().with(|answer| match answer {
                Some(Err(error)) => error.field(pointer).map(str::to_owned),
                _ => None,
            })
        })
    };
    // What stands at a field is not said above all of them.
    let whole = move || {
        save.value().with(|answer| match answer {
            Some(Err(ApiError::Invalid { fields, .. })) if !fields.is_empty() => None,
            Some(Err(error)) => Some(error.detail().to_owned()),
            _ => None,
        })
    };
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if !save.pending().get_untracked() {
            save.dispatch((asked.editing.get_untracked(), asked.form.get_untracked()));
        }
    };
    let add = move |()| {
        let providers = asked.providers.get_untracked();
        let mut added = 0;
        asked.form.update(|form| added = form.add(&providers));
        browser::after_ms_detached(0, move || browser::focus_id(&format!("route-provider-{added}")));
    };
    let full = Signal::derive(move || {
        asked.form.with(|form| (form.lines.len() >= MOST).then(|| format!("A route has at most {MOST} models")))
    });
    let lines_error = error("/targets");
    view! {
        <form class="form wide" id=FORM novalidate on:submit=send>
            <div role="alert">
                {move || whole().map(|text| view! { <div class="form-error"><Icon name="s-failed" /><span>{text}</span></div> })}
            </div>
            <div class="grid pair">
                <TextInput
                    id="route-name" label="Name" required=true mono=true placeholder="smart" error=error("/name")
                    value=asked.bind(|form| form.name.clone(), |form, value| form.name = value)
                    hint=Some("Callers send it as the model. The one called default is taken where nobody names one.".to_owned())
                />
                <TextInput
                    id="route-description" label="What it is for" aside=Some("optional".to_owned()) error=error("/description")
                    value=asked.bind(|form| form.description.clone(), |form, value| form.description = value)
                />
            </div>
            <fieldset class="field" aria-describedby="route-models-hint">
                <legend>"Models, in the order in which they are asked"</legend>
                <ol class="targets-edit">
                    <For each=move || asked.form.with(|form| form.lines.iter().map(|line| line.key).collect::<Vec<_>>()) key=|key| *key let:key>
                        <LineFields asked key save />
                    </For>
                </ol>
                <span class="hint" id="route-models-hint">
                    "The next is asked where the one before does not answer. "<kbd>"Alt ↑"</kbd>" and "<kbd>"Alt ↓"</kbd>" move a line."
                </span>
                {move || lines_error.get().map(|text| view! { <span class="error"><Icon name="s-failed" />{text}</span> })}
                <div><Button label="Add a model" icon="plus" size=ButtonSize::Small refused=full on_press=add /></div>
            </fieldset>
            <PolicyFields form=asked.form save />
            <Select
                id="route-cache" label="Answers that are kept" choices=Signal::stored(cache_choices())
                value=asked.bind(|form| form.cache.clone(), |form, value| form.cache = value)
                hint=Some("A kept answer is given again, for nothing, to who asks the same. What a call or its key says comes first.".to_owned())
            />
            <ContextFields
                prefix="route" value=asked.context() without="Nothing: it is sent as it is"
                errors=[error("/context/window"), error("/context/keep_recent"), error("/context/summary_route")]
            />
        </form>
    }
}

/// Which answers are kept.
pub(super) fn cache_choices() -> Vec<Choice> {
    CacheMode::ALL.into_iter().map(|mode| Choice::new(mode.as_str(), mode.label())).collect()
}

/// One model of the route: its provider, its name, its place.
#[component]
fn LineFields(asked: Asked, key: u32, save: Saving) -> impl IntoView {
    let place = Memo::new(move |_| asked.form.with(|form| form.place(key)).unwrap_or_default());
    let count = Memo::new(move |_| asked.form.with(|form| form.lines.len()));
    let shift = move |by: isize| {
        asked.form.update(|form| form.shift(key, by));
        // The line was taken out and put in again, and has lost the focus.
        let at = asked.form.with_untracked(|form| form.place(key)).unwrap_or_default();
        let last = count.get_untracked().saturating_sub(1);
        let button = if (by < 0 && at > 0) || at == last { "up" } else { "down" };
        browser::after_ms_detached(0, move || browser::focus_id(&format!("route-{button}-{key}")));
    };
    let keys = move |event: KeyboardEvent| {
        let by = match (event.alt_key(), event.key().as_str()) {
            (true, "ArrowUp") => -1,
            (true, "ArrowDown") => 1,
            _ => return,
        };
        event.prevent_default();
        shift(by);
    };
    let error = move || {
        let at = place.get();
        save.value().with(|answer| match answer {
            Some(Err(ApiError::Invalid { fields, .. })) => {
                let (line, below) = (format!("/targets/{at}"), format!("/targets/{at}/"));
                let field = fields.iter().find(|field| field.pointer == line || field.pointer.starts_with(&below));
                field.map(|field| field.message.clone())
            }
            _ => None,
        })
    };
    let what = move |verb: &'static str| Signal::derive(move || format!("{verb} model {}", place.get() + 1));
    let first = Signal::derive(move || (place.get() == 0).then(|| "It is the first".to_owned()));
    let last = Signal::derive(move || (place.get() + 1 >= count.get()).then(|| "It is the last".to_owned()));
    let only = Signal::derive(move || (count.get() <= 1).then(|| "A route has at least one model".to_owned()));
    view! {
        <li on:keydown=keys>
            <ProviderSelect asked key place />
            <ModelField asked key place />
            <LinePolicy form=asked.form key place />
            <span class="row">
                <Button
                    label=Signal::derive(move || format!("Move model {} up", place.get() + 1)) icon="up" size=ButtonSize::Small
                    variant=ButtonVariant::Quiet shape=ButtonShape::IconOnly refused=first on_press=move |()| shift(-1) attr:id=format!("route-up-{key}")
                />
                <Button
                    label=Signal::derive(move || format!("Move model {} down", place.get() + 1)) icon="down" size=ButtonSize::Small
                    variant=ButtonVariant::Quiet shape=ButtonShape::IconOnly refused=last on_press=move |()| shift(1) attr:id=format!("route-down-{key}")
                />
                <Button
                    label=what("Remove") icon="x" size=ButtonSize::Small variant=ButtonVariant::Quiet shape=ButtonShape::IconOnly
                    refused=only on_press=move |()| asked.form.update(|form| form.remove(key))
                />
            </span>
            <LineFlag form=asked.form flags=asked.flags key place />
            {move || error().map(|text| view! { <span class="error"><Icon name="s-failed" />{text}</span> })}
        </li>
    }
}

#[component]
fn ProviderSelect(asked: Asked, key: u32, place: Memo<usize>) -> impl IntoView {
    let value = asked.of_line(key, |line| &line.provider);
    let options = move || {
        let chosen = value.get_untracked();
        let providers = asked.providers.get();
        let is_known = providers.iter().any(|provider| provider.id.to_string() == chosen);
        let gone = (!is_known)
            .then(|| view! { <option value=chosen.clone() selected=true>"a provider that is gone"</option> });
        let option = |provider: Provider| {
            let id = provider.id.to_string();
            let off = if provider.enabled { "" } else { " (off)" };
            let selected = id == chosen;
            view! { <option value=id selected=selected>{format!("{}{off}", provider.name)}</option> }
        };
        (gone, providers.into_iter().map(option).collect_view())
    };
    let choose = move |event| {
        let id = event_target_value(&event);
        asked.form.update(|form| asked.providers.with_untracked(|providers| form.choose(key, &id, providers)));
    };
    view! {
        <select
            class="input" id=format!("route-provider-{key}") aria-label=move || format!("Provider {}", place.get() + 1)
            prop:value=move || value.get() on:change=choose
        >
            {options}
        </select>
    }
}

/// A list of what the provider lists; a field where it takes any name.
#[component]
fn ModelField(asked: Asked, key: u32, place: Memo<usize>) -> impl IntoView {
    let (provider, value) = (asked.of_line(key, |line| &line.provider), asked.of_line(key, |line| &line.model));
    let listed = Memo::new(move |_| {
        let of = |one: &&Provider| provider.with(|id| one.id.to_string() == *id);
        let models = |one: &Provider| one.models.iter().map(|model| model.id.clone()).collect::<Vec<_>>();
        asked.providers.with(|providers| providers.iter().find(of).map(models)).unwrap_or_default()
    });
    let write = move |event| {
        let model = event_target_value(&event);
        asked.form.update(|form| {
            if let Some(line) = form.lines.iter_mut().find(|line| line.key == key) {
                line.model = model;
            }
        });
    };
    let label = move || format!("Model {}", place.get() + 1);
    move || {
        let mut models = listed.get();
        if models.is_empty() {
            return view! {
                <input
                    class="input" data-mono="" spellcheck="false" placeholder="any model" aria-label=label
                    prop:value=move || value.get() on:input=write
                />
            }
            .into_any();
        }
        let chosen = value.get_untracked();
        if !models.contains(&chosen) {
            models.insert(0, chosen.clone());
        }
        let option = |model: String| {
            let selected = model == chosen;
            view! { <option value=model.clone() selected=selected>{model.clone()}</option> }
        };
        let options = models.into_iter().map(option).collect_view();
        view! {
            <select class="input" data-mono="" aria-label=label prop:value=move || value.get() on:change=write>{options}</select>
        }
        .into_any()
    }
}

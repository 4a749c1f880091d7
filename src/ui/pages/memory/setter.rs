//! The form of what makes vectors: nothing, a model of this machine, or one that is reached through the gateway; and a trial of it.
//!
//! Belongs to the page `/memory/embedder`. Who may not set it sees what is set.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::api::memory::try_embedder;
use crate::model::ApiError;
use crate::model::auth::{Action as May, Me};
use crate::model::memory::{EmbedTrial, EmbedTried, EmbedderDraft, EmbedderReport, LOCAL_MODELS, LocalModel};
use crate::ui::components::{Button, ButtonSize, ButtonVariant, Card, Choice, Select, TextInput, Tone, use_toasts};
use crate::ui::format;

/// A draft on its way to the server.
pub(super) type Setting = Action<EmbedderDraft, Result<EmbedderReport, ApiError>>;

/// A trial on its way.
type Trial = Action<EmbedTrial, Result<EmbedTried, ApiError>>;

/// The sentence that is embedded when nobody wrote another.
const SENTENCE: &str = "The loom stands by the window.";

/// Where vectors come from, as the select has it.
mod way {
    pub const NONE: &str = "none";
    pub const LOCAL: &str = "local";
    pub const GATEWAY: &str = "gateway";
}

fn way_of(model: Option<&str>) -> &'static str {
    match model {
        None => way::NONE,
        Some(model) if model.starts_with(LOCAL_MODELS) => way::LOCAL,
        Some(_) => way::GATEWAY,
    }
}

/// What is chosen; `None` in a field until somebody touches it.
#[derive(Clone, Copy)]
struct Wanted {
    /// What was set last; empty for nothing.
    newest: Memo<Option<String>>,
    way: RwSignal<Option<String>>,
    local: RwSignal<Option<String>>,
    typed: RwSignal<Option<String>>,
    /// The first model of this machine that can be used.
    first: StoredValue<String>,
}

impl Wanted {
    fn way(self) -> String {
        self.way.get().unwrap_or_else(|| self.newest.with(|newest| way_of(newest.as_deref()).to_owned()))
    }

    /// What is set, if it is of this way.
    fn newest_of(self, way: &str) -> Option<String> {
        self.newest.get().filter(|model| way_of(Some(model)) == way)
    }

    fn local(self) -> String {
        let newest = || self.newest_of(way::LOCAL);
        self.local.get().or_else(newest).unwrap_or_else(|| self.first.get_value())
    }

    fn typed(self) -> String {
        self.typed.get().or_else(|| self.newest_of(way::GATEWAY)).unwrap_or_default()
    }

    /// The model by what is chosen; empty for none.
    fn model(self) -> String {
        match self.way().as_str() {
            way::LOCAL => self.local(),
            way::GATEWAY => self.typed().trim().to_owned(),
            _ => String::new(),
        }
    }

    fn forget(self) {
        self.way.set(None);
        self.local.set(None);
        self.typed.set(None);
    }
}

/// The form.
#[component]
pub(super) fn Setter(report: RwSignal<EmbedderReport>, set: Setting, models: Vec<LocalModel>) -> impl IntoView {
    let may = expect_context::<Me>().may(May::ManageProvider);
    let toasts = use_toasts();
    let newest = Memo::new(move |_| {
        report.with(|report| report.building.as_ref().or(report.serving.as_ref()).map(|one| one.model.clone()))
    });
    let first = models.iter().find(|model| model.problem.is_none()).map(|model| model.model.clone());
    let wanted = Wanted {
        newest,
        way: RwSignal::new(None),
        local: RwSignal::new(None),
        typed: RwSignal::new(None),
        first: StoredValue::new(first.unwrap_or_default()),
    };
    Effect::new(move |_| match set.value().get() {
        Some(Ok(report)) => {
            wanted.forget();
            let said = if report.serving.is_some() { "Entries are being embedded" } else { "Words alone count now" };
            toasts.say(Tone::Good, said);
        }
        // It stands at its field.
        Some(Err(ApiError::Invalid { fields, .. })) if !fields.is_empty() => {}
        Some(Err(error)) => toasts.say(Tone::Bad, error.detail()),
        None => {}
    });
    let error = Signal::derive(move || {
        set.value().with(|answer| match answer {
            Some(Err(error)) => error.field("/model").map(str::to_owned),
            _ => None,
        })
    });
    let refused = Signal::derive(move || {
        let model = wanted.model();
        if !may {
            Some("Your role can't set what makes vectors".to_owned())
        } else if model == newest.get().unwrap_or_default() {
            Some("Nothing was changed".to_owned())
        } else if model.is_empty() && wanted.way() != way::NONE {
            Some("Name a model".to_owned())
        } else {
            None
        }
    });
    let not_yours = Signal::derive(move || (!may).then(|| "Your role can't set what makes vectors".to_owned()));
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if refused.with_untracked(Option::is_none) {
            set.dispatch(EmbedderDraft { model: Some(untrack(move || wanted.model())), anew: false });
        }
    };
    let anew = move |()| drop(set.dispatch(EmbedderDraft { model: newest.get_untracked(), anew: true }));
    let actions = move || {
        move || {
            newest.get().map(|_| {
                view! {
                    <Button label="Embed everything anew" icon="retry" size=ButtonSize::Small busy=set.pending() refused=not_yours on_press=anew />
                }
            })
        }
    };
    view! {
        <Card id="embedder-set" title="What makes vectors" actions=ViewFnOnce::from(actions)>
            <form class="form" novalidate on:submit=send>
                <p class="dim">
                    "A model that turns texts into vectors. Each entry is embedded once and again when its content changes; each new question once. Another model embeds everything anew; the one that serves goes on until then."
                </p>
                <fieldset class="field" disabled=!may>
                    <legend class="visually-hidden">"Model"</legend>
                    <Choices wanted models error />
                </fieldset>
                <div><Button label="Save" variant=ButtonVariant::Primary submit=true busy=set.pending() refused /></div>
            </form>
        </Card>
        {may.then(|| view! { <TryIt wanted /> })}
    }
}

/// Where vectors come from, and by which model.
#[component]
fn Choices(wanted: Wanted, models: Vec<LocalModel>, error: Signal<Option<String>>) -> impl IntoView {
    let shown = Memo::new(move |_| wanted.way());
    let ways = vec![
        Choice::new(way::NONE, "Nothing: words alone"),
        Choice::new(way::LOCAL, "A model on this machine"),
        Choice::new(way::GATEWAY, "A model through the gateway"),
    ];
    let value = (Signal::from(shown), Callback::new(move |chosen: String| wanted.way.set(Some(chosen))));
    let models = StoredValue::new(models);
    let rest = move || match shown.get().as_str() {
        way::LOCAL => view! { <OfThisMachine wanted models error /> }.into_any(),
        way::GATEWAY => view! { <ThroughTheGateway wanted error /> }.into_any(),
        _ => ().into_any(),
    };
    view! {
        <Select id="embedder-way" label="Vectors come from" value choices=ways />
        {rest}
    }
}

#[component]
fn ThroughTheGateway(wanted: Wanted, error: Signal<Option<String>>) -> impl IntoView {
    let shown = Signal::derive(move || wanted.typed());
    let value = (shown, Callback::new(move |text: String| wanted.typed.set(Some(text))));
    let hint = "A route, provider/model, or a model that makes vectors, such as text-embedding-3-small. Every call is masked, budgeted and kept in the log as memory's.";
    view! { <TextInput id="embedder-model" label="Model" value error mono=true hint=Some(hint.to_owned()) /> }
}

#[component]
fn OfThisMachine(wanted: Wanted, models: StoredValue<Vec<LocalModel>>, error: Signal<Option<String>>) -> impl IntoView {
    let usable = models.with_value(|all| {
        let fit = all.iter().filter(|model| model.problem.is_none());
        fit.map(|model| Choice::new(model.model.clone(), name(&model.model))).collect::<Vec<_>>()
    });
    let broken = models.with_value(|all| {
        let line = |model: &LocalModel| {
            let problem = model.problem.clone()?;
            Some(view! { <li class="small over"><b class="mono">{name(&model.model)}</b>" can't be used: "{problem}</li> })
        };
        all.iter().filter_map(line).collect::<Vec<_>>()
    });
    let shown = Signal::derive(move || wanted.local());
    let value = (shown, Callback::new(move |chosen: String| wanted.local.set(Some(chosen))));
    let about = Signal::derive(move || {
        let chosen = shown.get();
        models.with_value(|all| all.iter().find(|model| model.model == chosen).map(describe))
    });
    let none = usable.is_empty().then(|| {
        view! {
            <p class="small dim">
                "There is no model that can be used in the folder of the setting "<code>"embedders"</code>". A folder with the files of one, as they are published, is enough; "<code>"make embedder"</code>" fetches a small one."
            </p>
        }
    });
    view! {
        <Select id="embedder-local" label="Model" value choices=usable hint=about error />
        {none}
        {(!broken.is_empty()).then(|| view! { <ul class="stack" role="list">{broken}</ul> })}
    }
}

fn name(model: &str) -> String {
    model.strip_prefix(LOCAL_MODELS).unwrap_or(model).to_owned()
}

/// What a model is, in a line.
fn describe(model: &LocalModel) -> String {
    let mut parts = vec![format!(
        "Costs nothing, and nothing leaves this machine. {} numbers a vector",
        model.dimensions.unwrap_or_default()
    )];
    parts.extend(model.tokens.map(|tokens| format!("reads {tokens} tokens of a passage")));
    parts.extend(model.bytes.and_then(|bytes| u64::try_from(bytes).ok()).map(format::bytes));
    if !model.languages.is_empty() {
        parts.push(format!("languages: {}", model.languages.join(", ")));
    }
    parts.join(", ") + "."
}

/// A sentence, embedded now.
#[component]
fn TryIt(wanted: Wanted) -> impl IntoView {
    let text = RwSignal::new(SENTENCE.to_owned());
    let attempt: Trial = Action::new(|trial: &EmbedTrial| try_embedder(trial.clone()));
    let refused = Signal::derive(move || {
        if wanted.model().is_empty() {
            Some("Choose a model first".to_owned())
        } else if text.with(|text| text.trim().is_empty()) {
            Some("Write a sentence first".to_owned())
        } else {
            None
        }
    });
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if refused.with_untracked(Option::is_none) {
            let model = Some(untrack(move || wanted.model()));
            attempt.dispatch(EmbedTrial { model, text: text.get_untracked() });
        }
    };
    let came = move || {
        attempt.value().get().map(|answer| match answer {
            Ok(EmbedTried { model, dimensions, took_ms }) => {
                format!("{model} made a vector of {dimensions} numbers in {}", format::duration(i64::from(took_ms)))
            }
            Err(error) => {
                let said = error.field("/model").or_else(|| error.field("/text")).map(str::to_owned);
                said.unwrap_or_else(|| error.detail().to_owned())
            }
        })
    };
    view! {
        <Card id="embedder-try" title="Try it">
            <form class="form" novalidate on:submit=send>
                <TextInput
                    id="embedder-sentence" label="A sentence" value=text
                    hint=Some("It is embedded by the model that is chosen above, and nothing of it is kept.".to_owned())
                />
                <div><Button label="Embed it" icon="play" submit=true busy=attempt.pending() refused /></div>
                <p class="small over" role="status">{came}</p>
            </form>
        </Card>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_of_this_machine_is_told_by_its_name() {
        assert_eq!([None, Some("local/x"), Some("acme/local")].map(way_of), [way::NONE, way::LOCAL, way::GATEWAY]);
        let model = LocalModel {
            model: "local/x".to_owned(),
            dimensions: Some(384),
            tokens: Some(256),
            bytes: Some(90_868_376),
            languages: vec!["en".to_owned(), "de".to_owned()],
            problem: None,
        };
        let told = describe(&model);
        assert!(
            told.contains("384 numbers a vector, reads 256 tokens") && told.ends_with("languages: en, de."),
            "{told}"
        );
        assert_eq!(name(&model.model), "x");
    }
}

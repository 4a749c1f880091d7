//! How things are found: what makes vectors of entries, how far it has come, and what stands in its way.
//!
//! Owns the page `/memory/embedder`. Who may not set it sees it. While something goes on, the numbers are asked for again.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::place::Place;
use crate::api::memory::{get_embedder, set_embedder};
use crate::model::ApiError;
use crate::model::auth::{Action as May, Me};
use crate::model::memory::{EmbedFailure, Embedder, EmbedderDraft, EmbedderReport, EmbedderState};
use crate::ui::browser;
use crate::ui::components::{
    Badge, Button, ButtonSize, ButtonVariant, Card, Crumb, Load, NeedsProvider, PageHeader, RelativeTime,
    SkeletonShape, TextInput, Tone, use_toasts,
};
use crate::ui::format;

/// How often the numbers are asked for while something goes on, in ms.
const AGAIN_MS: i32 = 2_000;

/// A draft on its way to the server.
type Setting = Action<EmbedderDraft, Result<EmbedderReport, ApiError>>;

/// `/memory/embedder`.
#[component]
pub fn EmbedderPage() -> impl IntoView {
    let report = Resource::new(|| (), |()| get_embedder());
    view! {
        <PageHeader title="How things are found" crumbs=vec![Crumb::new("/memory", "Memory")] />
        <div class="page-body stack" data-narrow>
            <NeedsProvider why="Without one entries are found by their words and by what stands around them." />
            <Load resource=report what="the embedder" shape=SkeletonShape::Block(10) let:report>
                <Both report />
            </Load>
        </div>
    }
}

/// What there is, and the form; the form stays while the numbers change.
#[component]
fn Both(report: EmbedderReport) -> impl IntoView {
    let report = RwSignal::new(report);
    let look = Action::new(|(): &()| get_embedder());
    let set: Setting = Action::new(|draft: &EmbedderDraft| set_embedder(draft.clone()));
    for answer in [look.value(), set.value()] {
        Effect::new(move |_| {
            if let Some(Ok(fresh)) = answer.get() {
                report.set(fresh);
            }
        });
    }
    let timer = browser::GuardSlot::new();
    Effect::new(move |_| {
        // Also after an answer that failed: the next one may not.
        look.value().track();
        let again = report.with(goes_on);
        timer.keep(again.then(|| browser::after_ms(AGAIN_MS, move || drop(look.dispatch(())))));
    });
    // Drawn anew only when something changed.
    let shown = Memo::new(move |_| report.get());
    view! {
        {move || view! { <State report=shown.get() /> }}
        <Setter report set />
    }
}

fn goes_on(report: &EmbedderReport) -> bool {
    [&report.serving, &report.building].into_iter().flatten().any(|one| one.state != EmbedderState::Whole)
}

/// What there is now.
#[component]
fn State(report: EmbedderReport) -> impl IntoView {
    let EmbedderReport { entries, serving, building, failures } = report;
    let words = match &serving {
        Some(_) => "Entries are found by their words, by what stands around them, and by what they mean.",
        None => "Entries are found by their words and by what stands around them. That needs no model.",
    };
    let title = |serves: bool| if serves { "Searches use" } else { "Takes over when it is whole" };
    let one = move |embedder: Option<Embedder>, serves: bool| {
        embedder.map(|embedder| view! { <Progress embedder entries title=title(serves) /> })
    };
    view! {
        <Card id="embedder-now" title="Now">
            <div class="stack">
                <p class="dim">{words}</p>
                {one(serving, true)}
                {one(building, false)}
            </div>
        </Card>
        {(!failures.is_empty()).then(|| view! { <Failures failures /> })}
    }
}

/// An embedder, and how many entries have their vector.
#[component]
fn Progress(embedder: Embedder, entries: i64, title: &'static str) -> impl IntoView {
    let (tone, word) = match embedder.state {
        EmbedderState::Working => (Tone::Live, "At work"),
        EmbedderState::Paused => (Tone::Warn, "Waits"),
        EmbedderState::Whole => (Tone::Good, "Whole"),
    };
    let share = if entries > 0 { embedder.embedded * 100 / entries } else { 100 };
    let has = format!("{} of {} entries have their vector", format::count(embedder.embedded), format::count(entries));
    let given_up = (embedder.given_up > 0).then(|| format!(", {} given up", format::count(embedder.given_up)));
    let why = embedder.paused.map(|why| {
        let again = embedder.retry_at.map(|at| view! { " It is tried again "<RelativeTime at />"." });
        view! { <p class="small" role="status">"It waits: "{why}"."{again}</p> }
    });
    view! {
        <section class="stack" aria-label=title>
            <div class="row wrap">
                <span class="small dimmer">{title}</span>
                <b class="mono over">{embedder.model}</b>
                <Badge label=word tone />
                <span class="small dimmer end nowrap">{format!("{} numbers a vector", embedder.dimensions)}</span>
            </div>
            <span class="meter" data-tone=tone.as_str() style=format!("--value: {}%", share.clamp(0, 100))></span>
            <p class="small dim">{has}{given_up}</p>
            {why}
        </section>
    }
}

/// Entries that could not be embedded.
#[component]
fn Failures(failures: Vec<EmbedFailure>) -> impl IntoView {
    let line = |failure: EmbedFailure| {
        let EmbedFailure { namespace, key, reason, retry_at } = failure;
        let href = Place::default().opening(&namespace, &key).href();
        let then = match retry_at {
            Some(at) => view! { "tried again "<RelativeTime at /> }.into_any(),
            None => "given up: it is tried when its content changes".into_any(),
        };
        view! {
            <li class="stack">
                <a class="link over" href=href>{format!("{namespace}/{key}")}</a>
                <span class="small dim over">{reason}</span>
                <span class="small dimmer">{then}</span>
            </li>
        }
    };
    view! {
        <Card id="embedder-failures" title="Not embedded" sub=Some("still found by their words".to_owned())>
            <ul class="stack" role="list">{failures.into_iter().map(line).collect_view()}</ul>
        </Card>
    }
}

/// The form.
#[component]
fn Setter(report: RwSignal<EmbedderReport>, set: Setting) -> impl IntoView {
    let may = expect_context::<Me>().may(May::ManageProvider);
    let toasts = use_toasts();
    let newest = Memo::new(move |_| {
        report.with(|report| report.building.as_ref().or(report.serving.as_ref()).map(|one| one.model.clone()))
    });
    // `None` until somebody types.
    let typed = RwSignal::new(None::<String>);
    let shown = Signal::derive(move || typed.get().or_else(|| newest.get()).unwrap_or_default());
    let model = (shown, Callback::new(move |text: String| typed.set(Some(text))));
    Effect::new(move |_| match set.value().get() {
        Some(Ok(report)) => {
            typed.set(None);
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
    let refused = Signal::derive(move || match (may, shown.get().trim() == newest.get().unwrap_or_default()) {
        (false, _) => Some("Your role can't set what makes vectors".to_owned()),
        (true, true) => Some("Nothing was changed".to_owned()),
        (true, false) => None,
    });
    let not_yours = Signal::derive(move || (!may).then(|| "Your role can't set what makes vectors".to_owned()));
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if refused.with_untracked(Option::is_none) {
            set.dispatch(EmbedderDraft { model: Some(shown.get_untracked()), anew: false });
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
                    "A model that turns texts into vectors, reached through the gateway: every call is masked, budgeted and kept in the log as memory's. Each entry is embedded once and again when its content changes; each new question once."
                </p>
                <fieldset class="field" disabled=!may>
                    <legend class="visually-hidden">"Model"</legend>
                    <TextInput
                        id="embedder-model" label="Model" value=model error mono=true
                        hint=Some("A route, provider/model, or a model that makes vectors, such as text-embedding-3-small. Empty for words alone. Another model embeds everything anew; the one that serves goes on until then.".to_owned())
                    />
                </fieldset>
                <div><Button label="Save" variant=ButtonVariant::Primary submit=true busy=set.pending() refused /></div>
            </form>
        </Card>
    }
}

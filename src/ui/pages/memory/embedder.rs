//! How things are found: what makes vectors of entries, how far it has come, and what stands in its way.
//!
//! Owns the page `/memory/embedder`. Who may not set it sees it. While something goes on, the numbers are asked for again.

use leptos::prelude::*;

use super::place::Place;
use super::setter::{Setter, Setting};
use crate::api::memory::{get_embedder, list_local_models, set_embedder};
use crate::model::ApiError;
use crate::model::auth::{Action as May, Me};
use crate::model::memory::{EmbedFailure, Embedder, EmbedderDraft, EmbedderReport, EmbedderState, LocalModel};
use crate::ui::browser;
use crate::ui::components::{Badge, Card, Crumb, Load, NeedsProvider, PageHeader, RelativeTime, SkeletonShape, Tone};
use crate::ui::format;

/// How often the numbers are asked for while something goes on, in ms.
const AGAIN_MS: i32 = 2_000;

/// `/memory/embedder`.
#[component]
pub fn EmbedderPage() -> impl IntoView {
    let may = use_context::<Me>().is_some_and(|me| me.may(May::ManageProvider));
    let read = Resource::new(|| (), move |()| read(may));
    view! {
        <PageHeader title="How things are found" crumbs=vec![Crumb::new("/memory", "Memory")] />
        <div class="page-body stack" data-narrow>
            <Load resource=read what="the embedder" shape=SkeletonShape::Block(10) let:read>
                <Both read />
            </Load>
        </div>
    }
}

/// How things are found, and the models of this machine, for who may choose one.
async fn read(may: bool) -> Result<(EmbedderReport, Vec<LocalModel>), ApiError> {
    let models = async { if may { list_local_models().await } else { Ok(Vec::new()) } };
    futures::try_join!(get_embedder(), models)
}

/// What there is, and the form; the form stays while the numbers change.
#[component]
fn Both(read: (EmbedderReport, Vec<LocalModel>)) -> impl IntoView {
    let (report, models) = read;
    let has_own = models.iter().any(|model| model.problem.is_none());
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
    let why =
        "Without one, or a model on this machine, entries are found by their words and by what stands around them.";
    view! {
        {(!has_own).then(|| view! { <NeedsProvider why /> })}
        {move || view! { <State report=shown.get() /> }}
        <Setter report set models />
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

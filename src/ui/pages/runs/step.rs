//! The chosen step: what went in, what came out, and its attempts.

use std::collections::BTreeMap;

use leptos::prelude::*;

use super::asked::Asked;
use super::bodies::{BodyList, Whose, body_word};
use super::changes::{ChangesView, changes_of};
use super::give::GiveButton;
use super::page::Place;
use super::remembered::{Remembered, may_remember};
use super::timeline::skipped;
use super::transcript::Transcript;
use super::travel::StepTravel;
use super::undone::named;
use super::value::ValueView;
use super::watch::Watch;
use crate::api;
use crate::model::agent::Changes;
use crate::model::workflow::kind::Kind;
use crate::model::workflow::{Approval, Fact, Given, Span, StepError, StepState, StepStatus, UNDO};
use crate::model::{ApiError, ApprovalId, RunId, Timestamp};
use crate::ui::components::{
    ButtonLink, ButtonShape, ButtonSize, ButtonVariant, Icon, JsonTree, RelativeTime, Remedy, StatusBadge, StatusLook,
    StatusShape, Tab, TabPanel, Tabs,
};
use crate::ui::format;
use crate::ui::pages::approvals::{Case, Setting};

const INSIDE: &str = "inside";
const TRANSCRIPT: &str = "transcript";
const CHANGES: &str = "changes";
const QUESTION: &str = "question";
const OUTPUT: &str = "output";
const INPUT: &str = "input";
const ATTEMPTS: &str = "attempts";
const TABS: &str = "step";

/// The chosen step.
#[component]
pub fn StepPane(id: String, watch: Watch, place: Place, clock: Signal<Option<i64>>) -> impl IntoView {
    let state = watch.step(&id)?;
    let (name, kind) = watch.definition.with_value(|definition| named(definition, &id))?;
    let is_undo = id.starts_with(UNDO);
    let pinned = watch.definition.with_value(|d| d.step(&id).is_some_and(|step| step.pinned.is_some()));
    let known = Kind::find(&kind);
    let kind_name = StoredValue::new(kind.clone());
    let kind = known.map_or(kind, |kind| kind.title.to_owned());
    let status = Signal::derive(move || StatusLook::from(state.read().status));
    let is_container = known.is_some_and(Kind::has_body);
    let is_agent = kind_name.with_value(|kind| kind == "agent");
    let remembers = kind_name.with_value(|kind| may_remember(kind));
    let inside = is_agent.then(|| Tab::new(TRANSCRIPT, "Transcript"));
    let inside = inside.or_else(|| {
        is_container.then(|| match body_word(&kind_name.get_value()) {
            "Inside" => Tab::new(INSIDE, "Inside"),
            word => {
                let count = state.read_untracked().bodies.and_then(|bodies| bodies.total);
                Tab { count, ..Tab::new(INSIDE, if word == "Item" { "Items" } else { "Iterations" }) }
            }
        })
    });
    let panel = Panel::new(&id, state, inside);
    let chosen = panel.chosen();
    let whose = Whose {
        watch,
        place,
        step: StoredValue::new(id.clone()),
        container: StoredValue::new(id.clone()),
        kind: kind_name,
        bodies: Signal::derive(move || state.read().bodies),
        clock,
    };
    let own = StoredValue::new(id.clone());
    let is_retrying = Memo::new(move |_| state.read().status == StepStatus::Retrying);
    let sub_run = Memo::new(move |_| state.read().sub_run);
    let close = move || place.href(place.view.get(), None);
    let labelled = |what: &'static str| {
        let name = name.clone();
        Signal::stored(format!("{what} of {name}"))
    };
    let (output_label, input_label) = (labelled("Output"), labelled("Input"));
    let region = name.clone();
    Some(view! {
        <section class="pane" data-depth="surface" aria-label=region>
            <div class="pane-head">
                <StatusBadge status shape=StatusShape::Mark />
                <h2>{name}</h2>
                <span class="badge">{kind}</span>
                {pinned.then(|| view! { <span class="badge" data-tone="warn"><Icon name="pin" />"pinned"</span> })}
                <div class="actions">
                    <Show when=move || is_retrying.get()>
                        <GiveButton path=own.get_value() />
                    </Show>
                    {(!is_undo).then(|| view! { <StepTravel path=id.clone() watch /> })}
                    {move || {
                        sub_run.get().map(|run| {
                            view! {
                                <ButtonLink href=format!("/runs/{run}") label="Open its run" icon="into" size=ButtonSize::Small />
                            }
                        })
                    }}
                    <ButtonLink
                        href=Signal::derive(close)
                        label="Close the step"
                        icon="x"
                        variant=ButtonVariant::Quiet
                        size=ButtonSize::Small
                        shape=ButtonShape::IconOnly
                        attr:data-noscroll=""
                    />
                </div>
            </div>
            <Tabs id=TABS label="Step" tabs=Signal::derive(move || panel.tabs()) chosen on_choose=move |tab| panel.picked.set(Some(tab)) />
            <Show when=move || chosen.with(|tab| tab != QUESTION)><Says state /></Show>
            <TabPanel id=TABS name=QUESTION chosen>{move || panel.ask()}</TabPanel>
            {is_container.then(|| {
                view! { <TabPanel id=TABS name=INSIDE chosen><BodyList whose /></TabPanel> }
            })}
            {is_agent.then(|| {
                let id = id.clone();
                view! { <TabPanel id=TABS name=TRANSCRIPT chosen><Transcript id=id.clone() watch /></TabPanel> }
            })}
            <TabPanel id=TABS name=CHANGES chosen>
                {move || panel.changes.get().map(|changes| view! { <ChangesView changes /> })}
            </TabPanel>
            <TabPanel id=TABS name=OUTPUT chosen>
                <Output state label=output_label />
                {remembers.then(|| view! { <Remembered run=watch.id step=own.get_value() /> })}
            </TabPanel>
            <TabPanel id=TABS name=INPUT chosen>
                <Input state label=input_label />
            </TabPanel>
            <TabPanel id=TABS name=ATTEMPTS chosen>
                <AttemptList id=id.clone() run=watch.id state clock />
            </TabPanel>
        </section>
    })
}

/// The tabs. A step that asks people opens with its question, and goes on to its output once that is decided.
#[derive(Debug, Clone, Copy)]
struct Panel {
    state: RwSignal<StepState>,
    question: Memo<Option<Approval>>,
    /// Of the question, which is drawn anew for another one only: what is typed stays while others answer.
    asks: Memo<Option<ApprovalId>>,
    /// The tab of a container, with what it ran, or of an agent, with what it did.
    inside: StoredValue<Option<Tab>>,
    /// What an agent changed in its copy of a repository.
    changes: Memo<Option<Result<Changes, String>>>,
    /// The tab that was pressed.
    picked: RwSignal<Option<String>>,
}

impl Panel {
    fn new(id: &str, state: RwSignal<StepState>, inside: Option<Tab>) -> Self {
        let (id, asked) = (id.to_owned(), use_context::<Asked>());
        let question = Memo::new(move |_| asked.and_then(|asked| asked.of_step(&id)));
        let asks = Memo::new(move |_| question.with(|question| question.as_ref().map(|question| question.id)));
        let is_agent = inside.as_ref().is_some_and(|tab| tab.name == TRANSCRIPT);
        let changes = Memo::new(move |_| if is_agent { changes_of(&state.read().output) } else { None });
        Self { state, question, asks, inside: StoredValue::new(inside), changes, picked: RwSignal::new(None) }
    }

    fn chosen(self) -> Signal<String> {
        Signal::derive(move || {
            let asks = self.asks.get().is_some();
            let first = match self.inside.with_value(|tab| tab.as_ref().map(|tab| tab.name)) {
                _ if asks => QUESTION,
                Some(inside) => inside,
                None => OUTPUT,
            };
            let has_changes = self.changes.with(Option::is_some);
            let is_there = |tab: &String| (asks || tab != QUESTION) && (has_changes || tab != CHANGES);
            self.picked.get().filter(is_there).unwrap_or_else(|| first.to_owned())
        })
    }

    fn tabs(self) -> Vec<Tab> {
        let count = Some(self.state.read().attempt).filter(|count| *count > 0);
        let question = self.asks.get().map(|_| Tab::new(QUESTION, "Question"));
        let changes = self.changes.with(|changes| {
            let count = changes.as_ref()?.as_ref().map_or(0, |changes| changes.files.len());
            Some(Tab { count: u32::try_from(count).ok().filter(|count| *count > 0), ..Tab::new(CHANGES, "Changes") })
        });
        let others =
            [Tab::new(OUTPUT, "Output"), Tab::new(INPUT, "Input"), Tab { count, ..Tab::new(ATTEMPTS, "Attempts") }];
        question.into_iter().chain(self.inside.get_value()).chain(changes).chain(others).collect()
    }

    fn ask(self) -> Option<impl IntoView> {
        self.asks.get()?;
        self.question.get_untracked().map(|approval| view! { <Case approval setting=Setting::RunStep /> })
    }
}

/// Why a step failed, waits, or did not run; who gave its output by hand.
#[component]
pub(super) fn Says(state: RwSignal<StepState>) -> impl IntoView {
    let said = Memo::new(move |_| {
        let step = state.read();
        if let Some(given) = step.given.as_deref() {
            return Some(("plain", "edit", String::new(), by_hand(given)));
        }
        match step.status {
            StepStatus::Failed | StepStatus::Retrying | StepStatus::Succeeded => {
                let tone = if step.status == StepStatus::Failed { "bad" } else { "warn" };
                step.error.as_ref().map(|error| (tone, "s-failed", error.class.clone(), error.message.clone()))
            }
            StepStatus::Waiting => {
                step.waiting.as_ref().map(|waiting| ("warn", "s-waiting", String::new(), waiting.reason.clone()))
            }
            StepStatus::Skipped | StepStatus::Cancelled => step.skipped.map(|reason| {
                ("plain", "s-skipped", String::new(), format!("This step did not run to its end: {}.", skipped(reason)))
            }),
            StepStatus::Queued | StepStatus::Ready | StepStatus::Running => None,
        }
    });
    move || {
        said.get().map(|(tone, icon, class, message)| {
            let remedy = view! { <Remedy class=class.clone() /> };
            view! {
                <div class="notice step-notice" data-tone=tone>
                    <Icon name=icon />
                    <span class="grow">
                        {(!class.is_empty()).then(|| view! { <code class="error-class">{class}</code> })}
                        <span class="error-message">{message}</span>
                    </span>
                    {remedy}
                </div>
            }
        })
    }
}

/// Who gave an output by hand, and why.
fn by_hand(given: &Given) -> String {
    match &given.by {
        Some(by) => format!("{by} gave its output by hand: {}", given.reason),
        None => format!("Its output was given by hand: {}", given.reason),
    }
}

#[component]
fn Output(state: RwSignal<StepState>, label: Signal<String>) -> impl IntoView {
    let value = Memo::new(move |_| state.read().output.clone());
    let is_there = Memo::new(move |_| {
        let step = state.read();
        step.status == StepStatus::Succeeded || !step.output.is_null()
    });
    let none = move || match state.read().status {
        StepStatus::Failed | StepStatus::Skipped | StepStatus::Cancelled => "There is no output.",
        _ => "The output appears here when the step has succeeded.",
    };
    view! {
        <Show when=move || is_there.get() fallback=move || view! { <p class="pane-note">{none}</p> }>
            <ValueView label value />
        </Show>
    }
}

#[component]
fn Input(state: RwSignal<StepState>, label: Signal<String>) -> impl IntoView {
    let value = Memo::new(move |_| state.read().input.clone());
    let is_there = Memo::new(move |_| state.read().attempt > 0);
    view! {
        <Show
            when=move || is_there.get()
            fallback=|| view! { <p class="pane-note">"The input is rendered when the step starts."</p> }
        >
            <JsonTree label value />
        </Show>
    }
}

/// What each attempt failed with, from the history. The newest stands in the state already.
async fn errors(run: RunId, step: &str) -> Result<BTreeMap<u32, StepError>, ApiError> {
    let mut errors = BTreeMap::new();
    let mut after = 0;
    loop {
        let events = api::runs::list_run_events(run, after).await?;
        let Some(last) = events.last() else { return Ok(errors) };
        after = last.seq;
        for event in events.into_iter().filter(|event| event.step.as_deref() == Some(step)) {
            if let Fact::RetryScheduled { attempt, error, .. } | Fact::StepFailed { attempt, error, .. } = event.fact {
                errors.insert(attempt, error);
            }
        }
    }
}

/// Every attempt and every wait, with what it failed of.
#[component]
pub(super) fn AttemptList(
    id: String,
    run: RunId,
    state: RwSignal<StepState>,
    clock: Signal<Option<i64>>,
) -> impl IntoView {
    // Only a step that was tried more than once has errors beside the newest.
    let tried = Memo::new(move |_| state.read().attempt);
    let past = LocalResource::new(move || {
        let (tried, id) = (tried.get(), id.clone());
        async move { if tried > 1 { errors(run, &id).await.unwrap_or_default() } else { BTreeMap::new() } }
    });
    let spans = Memo::new(move |_| state.read().spans.clone());
    let error_of = move |span: &Span| {
        let newest = state.with(|step| step.error.clone().filter(|_| step.attempt == span.attempt));
        (span.status == StepStatus::Failed)
            .then(|| past.get().and_then(|past| past.get(&span.attempt).cloned()).or(newest))
            .flatten()
    };
    let row = move |span: Span| {
        let error = error_of(&span);
        view! { <AttemptRow span error clock /> }
    };
    view! {
        <Show
            when=move || !spans.read().is_empty()
            fallback=|| view! { <p class="pane-note">"The step has not been tried."</p> }
        >
            <ol class="attempts">{move || spans.get().into_iter().map(row).collect_view()}</ol>
        </Show>
    }
}

#[component]
fn AttemptRow(span: Span, error: Option<StepError>, clock: Signal<Option<i64>>) -> impl IntoView {
    let Span { status, attempt, from, to } = span;
    let took = move || {
        let end = to.or_else(|| clock.get().map(|ms| Timestamp(ms * 1000)));
        end.map(|end| format::duration(end.ms_since(from)))
    };
    let title = match status {
        StepStatus::Waiting => "Waited".to_owned(),
        StepStatus::Retrying => format!("Pause before attempt {}", attempt + 1),
        _ => format!("Attempt {attempt}"),
    };
    view! {
        <li>
            <StatusBadge status=Signal::stored(StatusLook::from(status)) shape=StatusShape::Mark />
            <div class="grow">
                <strong>{title}</strong>
                " "
                <span class="dim">
                    <RelativeTime at=Signal::stored(from) />
                    ", "
                    {took}
                </span>
                {error.map(|error| {
                    view! {
                        <p class="attempt-error">
                            <code class="error-class">{error.class}</code>
                            <span class="error-message">{error.message}</span>
                        </p>
                    }
                })}
            </div>
        </li>
    }
}

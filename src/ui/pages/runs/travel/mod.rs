//! Time travel from the page of a run: fork it, restart it, compare it, replay it; and where it comes from.

mod compare;
mod fork;
mod replay;
mod version;
mod whence;
mod with;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use super::watch::Watch;
use crate::api;
use crate::model::RunId;
use crate::model::auth::{Action, Me};
use crate::model::workflow::{Fork, RunStatus};
use crate::ui::components::{
    Button, ButtonShape, ButtonSize, Menu, MenuItem, StatusBadge, StatusLook, StatusShape, Tone, use_toasts,
};
pub use compare::ComparePage;

/// Forks that the line of facts lists.
const LISTED: usize = 3;

/// Which of the dialogs is open, and where a fork is to begin. From the context of a run's page.
#[derive(Debug, Clone, Copy)]
pub struct Travel {
    fork: RwSignal<bool>,
    /// `end`, `start`, `seq`, or `step:ID`.
    from: RwSignal<String>,
    compare: RwSignal<bool>,
    replay: RwSignal<bool>,
    version: RwSignal<bool>,
}

impl Travel {
    /// Nothing is open.
    pub fn new() -> Self {
        Self {
            fork: RwSignal::new(false),
            from: RwSignal::new("end".to_owned()),
            compare: RwSignal::new(false),
            replay: RwSignal::new(false),
            version: RwSignal::new(false),
        }
    }

    fn fork_from(self, place: String) {
        self.from.set(place);
        self.fork.set(true);
    }
}

/// The dialogs of a run's page.
#[component]
pub fn TravelDialogs(watch: Watch, travel: Travel) -> impl IntoView {
    view! {
        <fork::ForkDialog watch open=travel.fork from=travel.from />
        <with::CompareDialog watch open=travel.compare />
        <replay::ReplayDialog watch open=travel.replay />
        <version::VersionDialog watch open=travel.version />
    }
}

/// Why the caller may not start runs.
fn no_start() -> Option<String> {
    let may = use_context::<Me>().is_some_and(|me| me.may(Action::StartRun));
    (!may).then(|| format!("Your role may not {}", Action::StartRun.phrase()))
}

/// In the head of the page: fork, and a menu with the rest.
#[component]
pub fn TravelMenu(watch: Watch) -> impl IntoView {
    let travel = expect_context::<Travel>();
    let unfinished = Signal::derive(move || {
        let status = watch.status().get();
        let fits = matches!(status, RunStatus::Succeeded | RunStatus::Failed);
        (!fits).then(|| {
            format!("A replay needs a run that succeeded or failed; this one is {}", status.label().to_lowercase())
        })
    });
    let may_move = use_context::<Me>().is_some_and(|me| me.may(Action::ControlRun));
    let unmovable = Signal::derive(move || {
        let run = watch.summary.read();
        if !may_move {
            Some(format!("Your role may not {}", Action::ControlRun.phrase()))
        } else if run.status.is_final() {
            Some(format!("The run has ended: it is {}", run.status.label().to_lowercase()))
        } else if run.version.is_none() {
            Some("The run is of a draft".to_owned())
        } else {
            None
        }
    });
    view! {
        <Button
            label="Fork…"
            icon="fork"
            size=ButtonSize::Small
            shape=ButtonShape::Collapsing
            refused=Signal::stored(no_start())
            on_press=move |()| travel.fork_from("end".to_owned())
        />
        <Menu id="run-menu" label="More actions for this run">
            <MenuItem label="Compare with…" icon="updown" on_press=move |()| travel.compare.set(true) />
            <MenuItem label="Replay as test…" icon="history" refused=unfinished on_press=move |()| travel.replay.set(true) />
            <MenuItem label="Move to the newest version…" icon="up" refused=unmovable on_press=move |()| travel.version.set(true) />
        </Menu>
    }
}

/// In the head of a step, an item or an iteration: run it again, or with something edited.
#[component]
pub fn StepTravel(
    /// Its path: `fetch`, `each[3]`, `each[3].fetch`.
    path: String,
    watch: Watch,
) -> impl IntoView {
    let travel = expect_context::<Travel>();
    let navigate = use_navigate();
    let toasts = use_toasts();
    let word = if path.ends_with(']') { "here" } else { "this step" };
    // Several may be on the page, one inside of the other.
    let menu = format!("travel-{}", path.replace(['[', ']', '.'], "-"));
    let step = StoredValue::new(path);
    let refused = Signal::stored(no_start());
    let restart = move |()| {
        let navigate = navigate.clone();
        spawn_local(async move {
            match api::travel::fork_run(watch.id, step.with_value(|step| Fork::step(step))).await {
                Ok(run) => navigate(&format!("/runs/{run}"), NavigateOptions::default()),
                Err(error) => toasts.say(Tone::Bad, error.detail()),
            }
        });
    };
    let edit = move |()| travel.fork_from(step.with_value(|step| format!("step:{step}")));
    view! {
        <Menu id=menu label=format!("Run again from {word}")>
            <MenuItem label=format!("Restart from {word}") icon="retry" refused on_press=restart />
            <MenuItem label="Edit and run from here…" icon="fork" refused on_press=edit />
        </Menu>
    }
}

/// The first characters of an id: enough to tell runs of a page apart. The last ones, since the first tell the time.
fn short(run: RunId) -> String {
    let text = run.to_string();
    text.get(text.len() - 8..).unwrap_or(&text).to_owned()
}

/// Among the facts of a run: where it comes from, which runs come from it, how far it was to go.
#[component]
pub fn LineageFacts(watch: Watch) -> impl IntoView {
    let lineage = watch.lineage;
    let name_of = move |id: String| {
        watch
            .definition
            .with_value(|definition| definition.step(&id).map_or(id.clone(), |step| step.label().to_owned()))
    };
    let origin = move || {
        lineage.read().forked_from.clone().map(|origin| {
            let compare = format!("/runs/compare?a={}&b={}", origin.run_id, watch.id);
            view! {
                <div>
                    <dt>"Forked from"</dt>
                    <dd>
                        <a class="link" href=format!("/runs/{}", origin.run_id)>{format!("run …{}", short(origin.run_id))}</a>
                        {format!(" after event {} ", origin.seq)}
                        <a class="link" href=compare>"Compare"</a>
                    </dd>
                </div>
            }
        })
    };
    let until =
        move || lineage.read().until.clone().map(|id| view! { <div><dt>"Up to"</dt><dd>{name_of(id)}</dd></div> });
    let forks = move || {
        let forks = lineage.read().forks.clone();
        (!forks.is_empty()).then(|| {
            let more = forks.len().saturating_sub(LISTED);
            let links = forks.into_iter().take(LISTED).map(|fork| {
                view! {
                    <a class="link fork-link" href=format!("/runs/{}", fork.run_id)>
                        <StatusBadge status=Signal::stored(StatusLook::from(fork.status)) shape=StatusShape::Mark />
                        {format!("…{}", short(fork.run_id))}
                    </a>
                }
            });
            view! {
                <div>
                    <dt>"Forks"</dt>
                    <dd>{links.collect_view()} {(more > 0).then(|| format!("and {more} more"))}</dd>
                </div>
            }
        })
    };
    view! { {origin} {until} {forks} }
}

//! One run, as it happens.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use leptos_router::params::ParamsMap;

use super::asked::{Asked, AskedNotices};
use super::clock::use_clock;
use super::facts::{Facts, Head};
use super::give::{GiveDialog, Giving};
use super::graph::GraphView;
use super::happen::{Happening, SendDialog};
use super::log::LogPane;
use super::messages::{MessagesView, may_have_agents};
use super::result::ResultPane;
use super::step::StepPane;
use super::timeline::Timeline;
use super::travel::{Travel, TravelDialogs};
use super::watch::{Renew, Watch};
use super::why::WhyCard;
use crate::api;
use crate::model::workflow::RunDetail;
use crate::model::workflow::why::Why;
use crate::model::{ApiError, RunId};
use crate::ui::components::{Crumb, Load, PageHeader, SkeletonShape, is_about, settled};

/// What is shown of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// Bars over time.
    #[default]
    Timeline,
    /// The definition with what became of it.
    Graph,
    /// Everything that was printed.
    Log,
    /// What its agents wrote to each other.
    Messages,
}

impl View {
    const ALL: [Self; 4] = [Self::Timeline, Self::Graph, Self::Log, Self::Messages];

    /// As in the URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeline => "timeline",
            Self::Graph => "graph",
            Self::Log => "log",
            Self::Messages => "messages",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Timeline => "Timeline",
            Self::Graph => "Graph",
            Self::Log => "Log",
            Self::Messages => "Messages",
        }
    }

    fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|view| view.as_str() == text).unwrap_or_default()
    }
}

/// Where one looks, as the URL says: a view, and the chosen step.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    run: RunId,
    /// The view.
    pub view: Memo<View>,
    /// The id of the chosen step, if the definition has it.
    pub step: Memo<Option<String>>,
    /// Inside of the chosen step, the path of the chosen body or of a step in it.
    pub at: Memo<Option<String>>,
}

impl Place {
    /// The URL of a view with a step chosen, or none.
    pub fn href(self, view: View, step: Option<&str>) -> String {
        self.href_at(view, step, None)
    }

    /// The URL of a view with something chosen inside of its step.
    pub fn href_at(self, view: View, step: Option<&str>, at: Option<&str>) -> String {
        let mut query = ParamsMap::new();
        if view != View::default() {
            query.insert("view", view.as_str().to_owned());
        }
        for (name, value) in [("step", step), ("at", at)] {
            if let Some(value) = value {
                query.insert(name, value.to_owned());
            }
        }
        format!("/runs/{}{}", self.run, query.to_query_string())
    }
}

/// The page of one run: `/runs/:id?view=timeline|graph|log|messages&step=ID&at=PATH`.
#[component]
pub fn RunPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").and_then(|id| id.parse::<RunId>().ok()));
    // Another version is another page: what it draws is laid out anew.
    let renew = Renew(RwSignal::new(0));
    provide_context(renew);
    let run = Resource::new(
        move || (id.get(), renew.0.get()),
        async |(id, _)| match id {
            Some(id) => load(id).await,
            None => Err(ApiError::not_found("run")),
        },
    );
    // A run that is there has a head of its own.
    let plain = || view! { <PageHeader title="Run" crumbs=vec![Crumb::new("/runs", "Runs")] /> };
    let is_current = is_about(id, |read: &(RunDetail, Vec<Why>)| read.0.summary.id);
    view! {
        <Transition fallback=plain>
            {move || Suspend::new(async move { settled(run).await.is_err().then(plain) })}
        </Transition>
        <Load resource=run what="the run" shape=SkeletonShape::Rows(8) is_current let:read>
            <RunView detail=read.0 whys=read.1 />
        </Load>
    }
}

/// A run, and why it waits.
async fn load(id: RunId) -> Result<(RunDetail, Vec<Why>), ApiError> {
    // A failure of the second says nothing about the run; the page asks again.
    let (detail, whys) = futures::join!(api::runs::get_run(id), api::runs::why_run_waits(id));
    Ok((detail?, whys.unwrap_or_default()))
}

#[component]
fn RunView(detail: RunDetail, whys: Vec<Why>) -> impl IntoView {
    let watch = Watch::new(detail);
    watch.follow();
    let travel = Travel::new();
    provide_context(travel);
    let giving = Giving::new();
    provide_context(giving);
    let happening = Happening::new();
    provide_context(happening);
    let asked = Asked::follow(watch);
    provide_context(asked);
    let query = use_query_map();
    let place = Place {
        run: watch.id,
        view: Memo::new(move |_| {
            query.with(|query| query.get("view")).map(|view| View::parse(&view)).unwrap_or_default()
        }),
        step: Memo::new(move |_| query.with(|query| query.get("step")).filter(|step| watch.step(step).is_some())),
        at: Memo::new(move |_| query.with(|query| query.get("at"))),
    };
    let clock = use_clock(Signal::derive(move || watch.summary.read().ended_at.is_none()));
    let tab = move |view: View| {
        let href = move || place.step.with(|step| place.href(view, step.as_deref()));
        let current = move || (place.view.get() == view).then_some("page");
        view! { <a href=href data-noscroll="" aria-current=current>{view.label()}</a> }
    };
    // Without agents nobody writes.
    let has_agents = watch.definition.with_value(may_have_agents) || place.view.get_untracked() == View::Messages;
    let views = View::ALL.into_iter().filter(move |view| has_agents || *view != View::Messages);
    let phone = move || {
        if place.step.with(Option::is_some) { "detail" } else { "list" }
    };
    view! {
        <Head watch />
        <TravelDialogs watch travel />
        <GiveDialog watch giving />
        <SendDialog happening />
        <div class="page-body run-body" data-flush="">
            <Facts watch clock />
            <WhyCard watch first=whys />
            <AskedNotices asked place />
            <nav class="tabs" aria-label="Views of the run">{views.map(tab).collect_view()}</nav>
            <div class="run" data-view=move || place.view.get().as_str() data-phone=phone>
                {move || match place.view.get() {
                    View::Timeline => {
                        view! {
                            <div class="run-view" role="region" aria-label="Timeline">
                                <Timeline watch clock place />
                            </div>
                        }
                            .into_any()
                    }
                    View::Graph => view! { <div class="run-view"><GraphView watch place /></div> }.into_any(),
                    View::Log => {
                        view! { <div class="run-view run-log"><LogPane watch step=Signal::stored(None) /></div> }.into_any()
                    }
                    View::Messages => view! {
                        <div class="run-view" role="region" aria-label="Messages" tabindex="0"><MessagesView watch /></div>
                    }
                    .into_any(),
                }}
                <Show when=move || !matches!(place.view.get(), View::Log | View::Messages)>
                    <Panes watch place clock />
                </Show>
            </div>
        </div>
    }
}

/// Whose log is shown: the step's, or of the one that is chosen inside of it.
fn log_of(place: Place, step: &str) -> String {
    let at = place.at.read();
    at.as_ref().filter(|at| !at.ends_with(']')).cloned().unwrap_or_else(|| step.to_owned())
}

/// Below the view: the chosen step with its log, or what came out of the run.
#[component]
fn Panes(watch: Watch, place: Place, clock: Signal<Option<i64>>) -> impl IntoView {
    move || match place.step.get() {
        Some(id) => view! {
            <div class="panes">
                <StepPane id=id.clone() watch place clock />
                <div class="pane" data-depth="surface">
                    <LogPane watch step=Signal::derive(move || Some(log_of(place, &id))) />
                </div>
            </div>
        }
        .into_any(),
        None => view! { <div class="panes run-result"><ResultPane watch place /></div> }.into_any(),
    }
}

//! `/runs/compare?a=ID&b=ID`: two runs side by side, and where they first part.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use serde_json::Value;

use super::short;
use crate::api;
use crate::model::workflow::diff::{
    Aspect, DefinitionDiff, Difference, DifferenceKind, Differences, RunDiff, StepDiff, StepSide,
};
use crate::model::workflow::{RunSummary, root_of};
use crate::model::{ApiError, RunId};
use crate::ui::components::{
    Crumb, Icon, Load, PageHeader, RelativeTime, SkeletonShape, StatusBadge, StatusLook, StatusShape,
};
use crate::ui::format;

/// The page.
#[component]
pub fn ComparePage() -> impl IntoView {
    let query = use_query_map();
    let wanted = Memo::new(move |_| {
        let id = |name: &str| query.with(|query| query.get(name)).and_then(|id| id.parse::<RunId>().ok());
        id("a").zip(id("b"))
    });
    let found = Resource::new(
        move || wanted.get(),
        async |wanted| match wanted {
            Some((a, b)) => api::travel::diff_runs(a, b).await,
            None => Err(ApiError::invalid("a", "expected the ids of two runs, as in /runs/compare?a=…&b=…")),
        },
    );
    view! {
        <PageHeader title="Compare two runs" crumbs=vec![Crumb::new("/runs", "Runs")] />
        <Load resource=found what="the comparison" shape=SkeletonShape::Rows(8) let:diff>
            <Compared diff />
        </Load>
    }
}

#[component]
fn Compared(diff: RunDiff) -> impl IntoView {
    let same = diff.is_same();
    let RunDiff { a, b, inputs, output, definition, steps, more_steps, first } = diff;
    // It may be inside of a container, which then is the one that is listed.
    let first_step = first.as_ref().map(|first| root_of(&first.step).to_owned());
    let name = first.as_ref().map(|first| {
        let listed = steps.iter().find(|step| first_step.as_ref() == Some(&step.id));
        let name = listed.map_or(first.step.as_str(), |step| step.name.as_str());
        let inside = first_step.as_ref().and_then(|id| first.step.strip_prefix(id.as_str())).unwrap_or_default();
        if inside.is_empty() { name.to_owned() } else { format!("{name} ({})", first.step) }
    });
    let parts = first.zip(name).map(|(first, name)| {
        view! {
            <div class="notice" data-tone="warn" id="first-divergence">
                <Icon name="fork" />
                <span class="grow"><strong>{format!("They first part at {name}")}</strong>{format!(": {}.", first.what)}</span>
                <a class="link" href=format!("#step-{}", root_of(&first.step))>"Go to the step"</a>
            </div>
        }
    });
    let (changed, alike): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| !step.aspects.is_empty());
    let is_first = |step: &StepDiff| first_step.as_deref() == Some(step.id.as_str());
    let rows = changed.into_iter().map(|step| view! { <StepRow first=is_first(&step) step /> }).collect_view();
    let count = alike.len() as i64;
    let others = alike.into_iter().map(|step| view! { <StepRow first=false step /> }).collect_view();
    view! {
        <div class="page-body compare">
            <div class="compare-heads"><Side run=a what="First" /><Side run=b what="Second" /></div>
            {same.then(|| view! { <div class="notice" data-tone="plain"><Icon name="check" /><span class="grow">"Nothing differs but times."</span></div> })}
            {parts}
            <Values title="Inputs" differences=inputs />
            <Definitions definition />
            <section aria-label="Steps that differ" class="compare-steps">{rows}</section>
            <Values title="Output" differences=output />
            {(count > 0).then(|| {
                view! {
                    <details class="compare-same">
                        <summary>{format!("{} went the same", format::plural(count, "step"))}</summary>
                        <div class="compare-steps">{others}</div>
                    </details>
                }
            })}
            {(more_steps > 0).then(|| view! { <p class="dim">{format!("{more_steps} more steps are not listed.")}</p> })}
        </div>
    }
}

/// One of the runs: a link, its status, when.
#[component]
fn Side(run: RunSummary, what: &'static str) -> impl IntoView {
    let version = run.version.map_or_else(|| "draft".to_owned(), |version| format!("v{version}"));
    let took = run.started_at.zip(run.ended_at).map(|(from, to)| format::duration(to.ms_since(from)));
    view! {
        <section class="card compare-head" aria-label=format!("{what} run")>
            <span class="small dim">{what}</span>
            <h2><a class="link" href=format!("/runs/{}", run.id)>{run.workflow_name} " …" {short(run.id)}</a></h2>
            <p class="compare-facts">
                <StatusBadge status=Signal::stored(StatusLook::from(run.status)) shape=StatusShape::Pill />
                <span class="dim">{version}</span>
                <span class="dim"><RelativeTime at=run.created_at /></span>
                {took.map(|took| view! { <span class="dim num">{took}</span> })}
            </p>
        </section>
    }
}

#[component]
fn Values(title: &'static str, differences: Differences) -> impl IntoView {
    (!differences.is_empty()).then(|| {
        view! {
            <section class="compare-part" aria-label=title>
                <h2>{title}</h2>
                <DifferenceList differences />
            </section>
        }
    })
}

/// What differs of the definitions.
#[component]
fn Definitions(definition: DefinitionDiff) -> impl IntoView {
    if definition.is_empty() {
        return ().into_any();
    }
    let DefinitionDiff { added, removed, changed, edges_added, edges_removed, fields } = definition;
    let edge =
        |word: &str, edge: &crate::model::workflow::Edge| format!("{word} the edge from {} to {}", edge.from, edge.to);
    let mut lines: Vec<String> = added.into_iter().map(|id| format!("added step {id}")).collect();
    lines.extend(removed.into_iter().map(|id| format!("removed step {id}")));
    lines.extend(changed.into_iter().map(|step| format!("changed step {}: {}", step.id, step.fields.join(", "))));
    lines.extend(edges_added.iter().map(|e| edge("added", e)));
    lines.extend(edges_removed.iter().map(|e| edge("removed", e)));
    lines.extend(fields.into_iter().map(|field| format!("changed the workflow's {field}")));
    view! {
        <section class="compare-part" aria-label="Definition">
            <h2>"Definition"</h2>
            <ul class="told">{lines.into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// A step in both runs.
#[component]
fn StepRow(step: StepDiff, first: bool) -> impl IntoView {
    let StepDiff { id, name, a, b, aspects, input, output } = step;
    let words = aspects.iter().map(|aspect| word(*aspect)).collect::<Vec<_>>().join(", ");
    let values = |title: &'static str, differences: Differences| {
        (!differences.is_empty()).then(|| view! { <h4>{title}</h4> <DifferenceList differences /> })
    };
    view! {
        <article class="compare-step" id=format!("step-{id}") data-first=first.then_some("")>
            <header>
                <h3>{name}</h3>
                {first.then(|| view! { <span class="badge" data-tone="warn">"first to part"</span> })}
                <span class="dim small">{words}</span>
            </header>
            <div class="compare-sides"><SideFacts side=a /><SideFacts side=b /></div>
            {values("Input", input)}
            {values("Output", output)}
        </article>
    }
}

const fn word(aspect: Aspect) -> &'static str {
    match aspect {
        Aspect::Presence => "in one definition only",
        Aspect::Definition => "definition",
        Aspect::Status => "status",
        Aspect::Port => "port",
        Aspect::Input => "input",
        Aspect::Output => "output",
        Aspect::Error => "error",
        Aspect::Attempts => "attempts",
    }
}

#[component]
fn SideFacts(side: Option<StepSide>) -> impl IntoView {
    let Some(side) = side else {
        return view! { <p class="dim">"Not in this definition"</p> }.into_any();
    };
    let attempts = (side.attempts > 1).then(|| format!("{} attempts", side.attempts));
    let port = side.port.filter(|port| port != "out").map(|port| format!("by {port}"));
    let cost = side.cost_usd.map(|cost| format!("${cost:.4}"));
    let pinned = side.pinned.then(|| "pinned".to_owned());
    let facts = [side.took_ms.map(format::duration), attempts, port, cost, pinned].into_iter().flatten();
    let facts = facts.collect::<Vec<_>>().join(" · ");
    view! {
        <div>
            <p class="compare-facts">
                <StatusBadge status=Signal::stored(StatusLook::from(side.status)) />
                <span class="dim small num">{facts}</span>
            </p>
            {side.error.map(|error| view! { <p class="error-message small">{error}</p> })}
        </div>
    }
    .into_any()
}

/// The places where two values differ: a path, then what stands there in the first and in the second.
#[component]
pub fn DifferenceList(differences: Differences) -> impl IntoView {
    let Differences { items, more } = differences;
    (!items.is_empty()).then(|| {
        let rows = items.into_iter().map(|difference| view! { <DifferenceRow difference /> }).collect_view();
        view! {
            <dl class="differences">{rows}</dl>
            {(more > 0).then(|| view! { <p class="dim small">{format!("and {more} more")}</p> })}
        }
    })
}

#[component]
fn DifferenceRow(difference: Difference) -> impl IntoView {
    let Difference { path, kind, a, b } = difference;
    let path = if path.is_empty() { "the whole value".to_owned() } else { path };
    let side = |value: Value, missing: bool, tone: &'static str| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if missing {
            view! { <dd class="dim" data-side=tone>"not there"</dd> }.into_any()
        } else {
            view! { <dd data-side=tone><code>{text}</code></dd> }.into_any()
        }
    };
    view! {
        <div>
            <dt><code>{path}</code></dt>
            {side(a, kind == DifferenceKind::Added, "a")}
            {side(b, kind == DifferenceKind::Removed, "b")}
        </div>
    }
}

//! Workloads of runs, each through the face that everybody uses.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use serde_json::{Value, json};

use super::{Bar, Engine, Figure, process};
use crate::cli::Failure;
use crate::model::workflow::{Definition, RunDetail, RunStatus, StepStatus, TriggerKind};
use crate::model::{ApiError, RunId};
use crate::runtime::Ctx;
use crate::workflow::{self, NewRun, Source};

/// Starts that are asked for at the same time.
const AT_ONCE: usize = 64;
/// How long one measurement may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_mins(20);
/// Steps of the long run.
const LONG: u32 = 10_000;

/// The cheapest step that the engine must take for an effect: a search of the empty memory.
fn effect() -> Value {
    json!({"kind": "memory_search", "config": {"query": "warp"}})
}

pub(super) async fn pure(ctx: &Ctx, engine: &Engine) -> Result<Vec<Figure>, Failure> {
    let chain = chain(engine.steps, "out", &json!({"kind": "transform", "config": {"value": "{{ 1 + 1 }}"}}))?;
    let mut taken = Vec::new();
    for _ in warm(engine.rounds) {
        taken.push(whole(ctx, &chain).await?.0 * 1_000.0 / f64::from(engine.steps));
    }
    Ok(vec![Figure::of("pure", "pure steps in a row", "ms a step", Bar::AtMost(0.05), after_warming(taken))])
}

pub(super) async fn effects(ctx: &Ctx, engine: &Engine) -> Result<Vec<Figure>, Failure> {
    let bar = if ctx.db.is_shared() { 0.7 } else { 0.35 };
    let chain = chain(engine.steps, "empty", &effect())?;
    let (mut taken, mut middle) = (Vec::new(), Vec::new());
    for _ in warm(engine.rounds) {
        let (seconds, detail) = whole(ctx, &chain).await?;
        taken.push(seconds * 1_000.0 / f64::from(engine.steps));
        middle.push(median(intervals(&detail)));
    }
    Ok(vec![
        Figure::of("effects", "steps with an effect in a row", "ms a step", Bar::None, after_warming(taken)),
        Figure::of("effects_p50", "… the median step", "ms a step", Bar::AtMost(bar), after_warming(middle)),
    ])
}

pub(super) async fn runs(ctx: &Ctx, engine: &Engine) -> Result<Vec<Figure>, Failure> {
    let short = chain(1, "empty", &effect())?;
    let mut taken = Vec::new();
    for _ in warm(engine.rounds) {
        let began = ctx.clock.now();
        let mut ends = stream::iter(0..engine.runs)
            .map(|_| async { end(ctx, start(ctx, &short).await?).await })
            .buffer_unordered(AT_ONCE);
        while let Some(ended) = ends.next().await {
            ended?;
        }
        taken.push(f64::from(engine.runs) / seconds_since(ctx, began));
    }
    Ok(vec![Figure::of("runs", "one-step runs at once", "runs a second", Bar::AtLeast(1_500.0), after_warming(taken))])
}

pub(super) async fn branches(ctx: &Ctx, engine: &Engine) -> Result<Vec<Figure>, Failure> {
    let step = |n: u32| json!({"id": format!("b{n}"), "kind": "wait", "config": {"ms": 1_000}});
    let branches = definition(json!({"steps": (0..10).map(step).collect::<Vec<_>>()}))?;
    let mut taken = Vec::new();
    for _ in 0..engine.rounds {
        taken.push(whole(ctx, &branches).await?.0);
    }
    Ok(vec![Figure::of("branches", "10 branches of 1 s", "s", Bar::AtMost(1.1), taken)])
}

pub(super) async fn map(ctx: &Ctx, engine: &Engine) -> Result<Vec<Figure>, Failure> {
    let mut step = effect();
    step["id"] = json!("search");
    let config = json!({"items": "{{ inputs.items }}", "concurrency": 50});
    let each = json!({"id": "each", "kind": "map", "config": config, "body": {"steps": [step]}});
    let schema = json!({"type": "object", "properties": {"items": {"type": "array"}}});
    let map = definition(json!({"inputs": schema, "steps": [each]}))?;
    let inputs = json!({ "items": (0..engine.items).collect::<Vec<_>>() });
    let (mut taken, mut grown) = (Vec::new(), Vec::new());
    for _ in warm(engine.rounds) {
        process::forget_peak();
        let before = process::resident();
        let began = ctx.clock.now();
        end(ctx, start_with(ctx, &map, inputs.clone()).await?).await?;
        taken.push(f64::from(engine.items) / seconds_since(ctx, began));
        grown.extend(before.zip(process::resident()).map(|((before, _), (_, peak))| peak - before));
    }
    Ok(vec![
        Figure::of("map", "map, each item an effect, 50 at a time", "items a second", Bar::None, after_warming(taken)),
        Figure::of("map_memory", "… resident memory grows by", "MiB", Bar::AtMost(64.0), after_warming(grown)),
    ])
}

pub(super) async fn file(ctx: &Ctx, engine: &Engine, folder: &Path) -> Result<Vec<Figure>, Failure> {
    let path = folder.join("items.txt");
    let mut text = String::new();
    for line in 0..engine.lines {
        // Writing into a String does not fail.
        let _ = writeln!(text, "{line}");
    }
    std::fs::write(&path, text).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    let config = json!({"file": path, "results": "count", "concurrency": 50});
    let step = json!({"id": "double", "kind": "transform", "config": {"value": "{{ item ~ item }}"}});
    let each = json!({"id": "each", "kind": "map", "config": config, "body": {"steps": [step]}});
    let map = definition(json!({"steps": [each], "output": "{{ steps.each.output.items }}"}))?;
    process::forget_peak();
    let began = ctx.clock.now();
    let run = start(ctx, &map).await?;
    end(ctx, run).await?;
    let taken = f64::from(engine.lines) / seconds_since(ctx, began);
    let detail = workflow::get_run(ctx, run).await.map_err(ApiError::from)?;
    if detail.output != json!(engine.lines) {
        return Err(Failure::failed(format!("of {} items {} were done", engine.lines, detail.output)));
    }
    let peak = process::resident().map(|(_, peak)| peak);
    Ok(vec![
        Figure::of("file", "map over the lines of a file", "items a second", Bar::None, vec![taken]),
        Figure::of("file_memory", "… resident memory at most", "MiB", Bar::AtMost(200.0), peak.into_iter().collect()),
    ])
}

pub(super) async fn long(ctx: &Ctx) -> Result<Vec<Figure>, Failure> {
    let (_, detail) = whole(ctx, &chain(LONG, "empty", &effect())?).await?;
    let intervals = intervals(&detail);
    let (first, last) = (&intervals[10..1_010], &intervals[intervals.len() - 1_000..]);
    let times = median(last.to_vec()) / median(first.to_vec()).max(1e-6);
    let title = "steps 9,000 to 10,000 against the first thousand";
    Ok(vec![Figure::of("long", title, "times", Bar::AtMost(1.5), vec![times])])
}

/// A round before the first is thrown away: caches fill, files grow.
fn warm(rounds: u32) -> std::ops::RangeInclusive<u32> {
    0..=rounds
}

fn after_warming(taken: Vec<f64>) -> Vec<f64> {
    taken.into_iter().skip(1).collect()
}

/// From the beginning of each step to that of the next, in milliseconds.
fn intervals(detail: &RunDetail) -> Vec<f64> {
    let began: Vec<i64> = detail.steps.iter().filter_map(|step| Some(step.started_at?.0)).collect();
    began.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1_000.0).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Steps in a row, each left by `port`.
fn chain(length: u32, port: &str, step: &Value) -> Result<Definition, Failure> {
    let name = |n: u32| format!("s{n}");
    let steps: Vec<Value> = (0..length)
        .map(|n| {
            let mut step = step.clone();
            step["id"] = json!(name(n));
            step
        })
        .collect();
    let edges: Vec<Value> = (1..length).map(|n| json!({"from": name(n - 1), "port": port, "to": name(n)})).collect();
    definition(json!({"steps": steps, "edges": edges}))
}

pub(super) fn definition(mut graph: Value) -> Result<Definition, Failure> {
    graph["weft"] = json!(1);
    graph["name"] = json!("bench");
    serde_json::from_value(graph).map_err(|error| Failure::failed(error.to_string()))
}

async fn start(ctx: &Ctx, definition: &Definition) -> Result<RunId, Failure> {
    start_with(ctx, definition, json!({})).await
}

async fn start_with(ctx: &Ctx, definition: &Definition, inputs: Value) -> Result<RunId, Failure> {
    let source = Source::Inline(Box::new(definition.clone()));
    let new = NewRun::new(source, inputs, TriggerKind::Cli);
    Ok(workflow::start(ctx, new).await.map_err(ApiError::from)?)
}

async fn end(ctx: &Ctx, run: RunId) -> Result<(), Failure> {
    let summary = workflow::wait_for_end(ctx, run, PATIENCE).await.map_err(ApiError::from)?;
    if summary.status == RunStatus::Succeeded {
        return Ok(());
    }
    let why = summary.headline.unwrap_or_default();
    Err(Failure::failed(format!("a run that was measured is {}: {why}", summary.status.as_str())))
}

/// The seconds that a run takes, and how it stands; one that left its way would look fast.
async fn whole(ctx: &Ctx, definition: &Definition) -> Result<(f64, RunDetail), Failure> {
    let began = ctx.clock.now();
    let run = start(ctx, definition).await?;
    end(ctx, run).await?;
    let taken = seconds_since(ctx, began);
    let detail = workflow::get_run(ctx, run).await.map_err(ApiError::from)?;
    let done = detail.steps.iter().filter(|step| step.status == StepStatus::Succeeded).count();
    if done == detail.steps.len() {
        return Ok((taken, detail));
    }
    Err(Failure::failed(format!("of {} steps that were measured {done} were done", detail.steps.len())))
}

fn seconds_since(ctx: &Ctx, began: crate::model::Timestamp) -> f64 {
    (ctx.clock.now().0 - began.0).max(1) as f64 / 1e6
}

//! `weft bench`: what this machine does, with real flushes, in a database of its own.

use std::time::Duration;

use clap::{Args, Subcommand};
use futures::stream::{self, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};

use super::serve::{self, KeySource};
use super::table::{Column, Paint, table};
use super::{Failure, Global, out};
use crate::auth;
use crate::model::workflow::{Definition, RunStatus, StepStatus, TriggerKind};
use crate::model::{ApiError, RunId};
use crate::runtime::{Config, Ctx};
use crate::workflow::{self, NewRun, Source};

/// Starts that are asked for at the same time.
const AT_ONCE: usize = 64;
/// How long one measurement may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_mins(5);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Durable steps in a row, and short runs at once. Uses a new SQLite file, or the empty Postgres of --database-url.
    Engine(Engine),
}

#[derive(Debug, Clone, Copy, Args)]
struct Engine {
    /// Steps of the chain.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    steps: u32,
    /// Short runs, started as fast as they are accepted.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    runs: u32,
    /// How often each figure is taken.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
}

/// One figure over its rounds.
#[derive(Debug, Serialize)]
struct Figure {
    name: &'static str,
    unit: &'static str,
    min: f64,
    median: f64,
    max: f64,
}

impl Figure {
    fn of(name: &'static str, unit: &'static str, mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let at = |index: usize| rounds.get(index).copied().unwrap_or_default();
        Self { name, unit, min: at(0), median: at(rounds.len() / 2), max: at(rounds.len().saturating_sub(1)) }
    }
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let What::Engine(engine) = arguments.what;
    let mut config = global.command()?;
    let on_file = !config.database_url.starts_with("postgres");
    let folder = config.data_dir.join(format!("bench-{}", std::process::id()));
    if on_file {
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::failed(format!("the folder {} can't be made: {error}", folder.display())))?;
        config.database_url = format!("sqlite:{}", folder.join("bench.db").display());
    }
    let measured = measure(config, engine).await;
    if on_file {
        let _ = std::fs::remove_dir_all(&folder); // the figures count, not the leftovers
    }
    show(global, &measured?);
    Ok(())
}

fn show(global: &Global, figures: &[Figure]) {
    if global.json {
        return out::json(&figures);
    }
    let columns =
        [Column::left("Figure"), Column::right("Min"), Column::right("Median"), Column::right("Max"), Column::left("")];
    let row = |figure: &Figure| {
        let number = |value: f64| if value < 10.0 { format!("{value:.3}") } else { format!("{value:.0}") };
        let numbers = [figure.min, figure.median, figure.max].map(number);
        std::iter::once(figure.name.to_owned()).chain(numbers).chain([figure.unit.to_owned()]).collect()
    };
    out::line(table(Paint::of_stdout(), &columns, figures.iter().map(row).collect()).trim_end());
}

async fn measure(config: Config, engine: Engine) -> Result<Vec<Figure>, Failure> {
    let runtime = serve::boot_with(config, KeySource::Ephemeral).await?;
    if auth::find_workspace(&runtime).await.map_err(ApiError::from)?.is_some() {
        return Err(Failure::usage("this database is in use; give an empty one"));
    }
    let workspace = auth::create_local_workspace(&runtime).await.map_err(ApiError::from)?;
    let ctx = runtime.system(workspace);
    workflow::boot(&runtime).await.map_err(ApiError::from)?;
    // A search of the empty memory is the cheapest step that the engine must take for an effect.
    let search = json!({"kind": "memory_search", "config": {"query": "warp"}});
    let pure = chain(engine.steps, "out", &json!({"kind": "transform", "config": {"value": "{{ 1 + 1 }}"}}))?;
    let effects = chain(engine.steps, "empty", &search)?;
    let short = chain(1, "empty", &search)?;
    let mut rounds = [Vec::new(), Vec::new(), Vec::new()];
    // A round before the first is thrown away: caches fill, files grow.
    for round in 0..=engine.rounds {
        let taken = [
            ms_a_step(&ctx, &pure, engine.steps).await?,
            ms_a_step(&ctx, &effects, engine.steps).await?,
            runs_a_second(&ctx, &short, engine.runs).await?,
        ];
        if round > 0 {
            rounds.iter_mut().zip(taken).for_each(|(rounds, taken)| rounds.push(taken));
        }
    }
    ctx.tasks.stop(Duration::from_secs(5)).await;
    ctx.db.close().await;
    let [pure, effects, short] = rounds;
    Ok(vec![
        Figure::of("pure steps in a row", "ms a step", pure),
        Figure::of("steps with an effect in a row", "ms a step", effects),
        Figure::of("one-step runs at once", "runs a second", short),
    ])
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
    serde_json::from_value(json!({"weft": 1, "name": "bench", "steps": steps, "edges": edges}))
        .map_err(|error| Failure::failed(error.to_string()))
}

async fn start(ctx: &Ctx, definition: &Definition) -> Result<RunId, Failure> {
    let source = Source::Inline(Box::new(definition.clone()));
    let new = NewRun { source, inputs: json!({}), trigger: TriggerKind::Cli, idempotency_key: None, until: None };
    Ok(workflow::start(ctx, new).await.map_err(ApiError::from)?)
}

async fn end(ctx: &Ctx, run: RunId) -> Result<(), Failure> {
    let summary = workflow::wait_for_end(ctx, run, PATIENCE).await.map_err(ApiError::from)?;
    if summary.status == RunStatus::Succeeded {
        return Ok(());
    }
    Err(Failure::failed(format!("a run that was measured is {}", summary.status.as_str())))
}

/// A chain that left its way would look fast.
async fn expect_whole(ctx: &Ctx, run: RunId) -> Result<(), Failure> {
    let detail = workflow::get_run(ctx, run).await.map_err(ApiError::from)?;
    let done = detail.steps.iter().filter(|step| step.status == StepStatus::Succeeded).count();
    if done == detail.steps.len() {
        return Ok(());
    }
    Err(Failure::failed(format!("of {} steps that were measured {done} were done", detail.steps.len())))
}

async fn ms_a_step(ctx: &Ctx, definition: &Definition, steps: u32) -> Result<f64, Failure> {
    let began = ctx.clock.now();
    let run = start(ctx, definition).await?;
    end(ctx, run).await?;
    let ended = ctx.clock.now();
    expect_whole(ctx, run).await?;
    Ok(micros(began.0, ended.0) / 1_000.0 / f64::from(steps))
}

async fn runs_a_second(ctx: &Ctx, definition: &Definition, runs: u32) -> Result<f64, Failure> {
    let began = ctx.clock.now();
    let mut ends = stream::iter(0..runs)
        .map(|_| async { end(ctx, start(ctx, definition).await?).await })
        .buffer_unordered(AT_ONCE);
    while let Some(ended) = ends.next().await {
        ended?;
    }
    Ok(f64::from(runs) / (micros(began.0, ctx.clock.now().0) / 1_000_000.0))
}

fn micros(from: i64, to: i64) -> f64 {
    (to - from).max(1) as f64
}

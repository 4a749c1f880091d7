//! `weft bench`: what this machine does, with real flushes, in a database of its own.

mod agents;
mod cache;
mod gateway;
mod hooks;
mod memory;
mod nearest;
mod process;
mod vectors;
mod work;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::serve::{self, KeySource};
use super::table::{Column, Paint, table};
use super::{Failure, Global, out};
use crate::auth;
use crate::model::ApiError;
use crate::runtime::Ctx;
use crate::{trigger, workflow};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The engine's workloads. Uses a new SQLite file, or the empty Postgres of --database-url.
    Engine(Engine),
    /// What the gateway adds to a call, before a model server that answers at once. Uses a new SQLite file, or the empty
    /// Postgres of --database-url.
    Gateway(gateway::Gateway),
    /// How well and how fast memory is searched, beside a textbook BM25. Uses a database as above.
    Memory(memory::Arguments),
    /// What the cache would give by meaning, and how much of it wrongly, on labelled pairs of questions, beside single thresholds.
    Cache(cache::Arguments),
    /// Which agent is given which task: the makespan of the score against first come, first served, and chance, in a
    /// simulation, and what a decision costs. Needs no database.
    Agents(agents::Arguments),
}

#[derive(Debug, Clone, Args)]
struct Engine {
    /// Steps of the chains.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    steps: u32,
    /// Short runs, started as fast as they are accepted.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    runs: u32,
    /// Items of the map, 50 at a time.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    items: u32,
    /// Lines of the file that is mapped over.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    lines: u32,
    /// Calls of webhooks, over 10 connections.
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    calls: u32,
    /// How often each figure is taken; the file is mapped over once.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Workloads to run, with commas between; all without it.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<Workload>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Workload {
    /// Pure steps in a row.
    Pure,
    /// Steps with an effect in a row.
    Effects,
    /// One-step runs at once.
    Runs,
    /// Ten branches of a second each.
    Branches,
    /// A map over a list, each item a step with an effect.
    Map,
    /// A map over a file, each item a pure step.
    File,
    /// The last steps of a run of 10,000 against its first.
    Long,
    /// Webhook, transform, respond.
    Hooks,
}

/// One figure over its rounds.
#[derive(Debug, Clone, Serialize)]
struct Figure {
    /// The workload.
    name: &'static str,
    /// What it says.
    title: &'static str,
    unit: &'static str,
    rounds: usize,
    min: f64,
    median: f64,
    max: f64,
    /// What is to be reached, in the worst round.
    bar: Option<f64>,
    /// Whether it was.
    met: Option<bool>,
}

/// Which way a bar is met.
#[derive(Debug, Clone, Copy)]
enum Bar {
    AtMost(f64),
    AtLeast(f64),
    None,
}

impl Figure {
    fn of(name: &'static str, title: &'static str, unit: &'static str, bar: Bar, mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let at = |index: usize| rounds.get(index).copied().unwrap_or_default();
        let (min, max) = (at(0), at(rounds.len().saturating_sub(1)));
        let (bar, met) = match bar {
            Bar::AtMost(bar) => (Some(bar), Some(max <= bar)),
            Bar::AtLeast(bar) => (Some(bar), Some(min >= bar)),
            Bar::None => (None, None),
        };
        Self { name, title, unit, rounds: rounds.len(), min, median: at(rounds.len() / 2), max, bar, met }
    }
}

/// All figures of one engine, as `benches/peers` prints them for others.
#[derive(Debug, Serialize)]
struct Report {
    engine: &'static str,
    version: &'static str,
    database: &'static str,
    cores: u32,
    figures: Vec<Figure>,
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    match arguments.what {
        What::Engine(engine) => {
            let report = within(global, None, async |ctx, work| {
                workflow::boot(ctx.runtime()).await.map_err(ApiError::from)?;
                trigger::boot(ctx.runtime()).await.map_err(ApiError::from)?;
                measure(ctx, &engine, work).await
            });
            show(global, &report.await?);
        }
        What::Agents(arguments) => show(global, &agents::measure(&arguments)?),
        What::Memory(arguments) => {
            let sets = memory::sets(&arguments)?;
            let made_by = vectors::Vectors::of(arguments.embedder.as_deref(), arguments.model.as_deref())?;
            let shelf = made_by.as_ref().and_then(vectors::Vectors::shelf);
            let report =
                within(global, shelf, async |ctx, _| memory::measure(ctx, &arguments, sets, made_by.as_ref()).await);
            memory::show(global, &report.await?);
        }
        What::Cache(arguments) => {
            let (files, pairs) = cache::pairs(&arguments)?;
            let mut report = cache::measure_gate(&arguments, (files, &pairs));
            if let Some(vectors) = cache::vectors(&arguments)? {
                let shelf = vectors.shelf();
                let measured = within(global, shelf, async |ctx, _| {
                    cache::measure(ctx, &arguments, &pairs, &vectors, report).await
                });
                report = measured.await?;
            }
            cache::show(global, &report);
        }
        What::Gateway(options) if options.measures_weft() => {
            let measured = within(global, None, async |ctx, _| {
                Ok(report("Weft", ctx.db.engine(), gateway::measure(Some(ctx), &options).await?))
            });
            show(global, &measured.await?);
        }
        What::Gateway(options) => {
            show(global, &report("another gateway", "", gateway::measure(None, &options).await?));
        }
    }
    Ok(())
}

/// Measures in an empty database, and a folder beside it, that are both gone afterwards (a Postgres stays as it was left);
/// `shelf` is the folder of models of this machine, if one is used.
async fn within<T>(
    global: &Global,
    shelf: Option<PathBuf>,
    measure: impl AsyncFnOnce(&Ctx, &Path) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut config = global.command()?;
    let folder = config.data_dir.join(format!("bench-{}", std::process::id()));
    let work = folder.join("work");
    std::fs::create_dir_all(&work)
        .map_err(|error| Failure::failed(format!("the folder {} can't be made: {error}", work.display())))?;
    // Steps may not read what is in the data folder.
    config.data_dir = folder.join("data");
    if let Some(shelf) = shelf {
        config.embedders = shelf;
    }
    // The model server of the bench.
    config.allow_private.push("127.0.0.1/32".to_owned());
    if !config.database_url.starts_with("postgres") {
        config.database_url = format!("sqlite:{}", config.data_dir.join("bench.db").display());
    }
    let measured = async {
        let runtime = serve::boot_with(config, KeySource::Ephemeral).await?;
        if auth::find_workspace(&runtime).await.map_err(ApiError::from)?.is_some() {
            return Err(Failure::usage("this database is in use; give an empty one"));
        }
        let workspace = auth::create_local_workspace(&runtime).await.map_err(ApiError::from)?;
        let report = measure(&runtime.system(workspace), &work).await;
        runtime.tasks.stop(Duration::from_secs(5)).await;
        runtime.db.close().await;
        report
    };
    let measured = measured.await;
    let _ = std::fs::remove_dir_all(&folder); // the figures count, not the leftovers
    measured
}

fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
}

fn report(engine: &'static str, database: &'static str, figures: Vec<Figure>) -> Report {
    let version = if engine == "Weft" { env!("CARGO_PKG_VERSION") } else { "" };
    Report { engine, version, database, cores: cores(), figures }
}

async fn measure(ctx: &Ctx, engine: &Engine, work: &Path) -> Result<Report, Failure> {
    let mut figures = Vec::new();
    for workload in Workload::value_variants() {
        if !engine.only.is_empty() && !engine.only.contains(workload) {
            continue;
        }
        figures.extend(match workload {
            Workload::Pure => work::pure(ctx, engine).await?,
            Workload::Effects => work::effects(ctx, engine).await?,
            Workload::Runs => work::runs(ctx, engine).await?,
            Workload::Branches => work::branches(ctx, engine).await?,
            Workload::Map => work::map(ctx, engine).await?,
            Workload::File => work::file(ctx, engine, work).await?,
            Workload::Long => work::long(ctx).await?,
            Workload::Hooks => hooks::hooks(ctx, engine).await?,
        });
    }
    Ok(report("Weft", ctx.db.engine(), figures))
}

fn show(global: &Global, report: &Report) {
    if global.json {
        return out::json(report);
    }
    let columns = [
        Column::left(report.database),
        Column::right("Min"),
        Column::right("Median"),
        Column::right("Max"),
        Column::left(""),
        Column::right("Bar"),
        Column::left(""),
    ];
    let number = |value: f64| match value {
        value if value < 10.0 => format!("{value:.3}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    };
    let row = |figure: &Figure| {
        let met = match figure.met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "",
        };
        vec![
            figure.title.to_owned(),
            number(figure.min),
            number(figure.median),
            number(figure.max),
            figure.unit.to_owned(),
            figure.bar.map(number).unwrap_or_default(),
            met.to_owned(),
        ]
    };
    out::line(table(Paint::of_stdout(), &columns, report.figures.iter().map(row).collect()).trim_end());
}

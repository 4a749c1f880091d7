//! `weft run`: runs a definition to its end and shows how it goes; looks at and commands runs.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value};
use tokio::sync::broadcast::error::RecvError;

use super::{Failure, Global, local, out, runs, workflow as definition_file};
use crate::model::live::Topic;
use crate::model::workflow::check::{check, has_errors};
use crate::model::workflow::{
    Command as RunCommand, Definition, Event, Fact, LogChunk, RunDetail, RunStatus, TriggerKind,
};
use crate::model::{ApiError, RunId};
use crate::runtime::{Config, Ctx};
use crate::workflow::definitions::{self, templates};
use crate::workflow::{self, NewRun, Source};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<runs::Command>,
    #[command(flatten)]
    start: Start,
}

#[derive(Debug, Args)]
struct Start {
    /// A definition file, the name of a stored workflow, or a template such as repository-health-check.
    #[arg(required = true)]
    what: Option<String>,
    /// An input: name=value. The value is JSON where the input is no text (repeatable).
    #[arg(long, value_name = "NAME=VALUE")]
    input: Vec<String>,
    /// A JSON or YAML file with all inputs.
    #[arg(long, value_name = "FILE")]
    inputs: Option<String>,
    /// Show what the steps print, too.
    #[arg(long)]
    watch: bool,
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Some(command) => runs::run(global, command).await,
        None => start(global, arguments.start).await,
    }
}

async fn start(global: &Global, start: Start) -> Result<(), Failure> {
    let what = start.what.clone().unwrap_or_default();
    let config = global.config()?;
    let given = has_database(&config);
    let (ctx, source, definition) = resolve(config, given, &what).await?;
    let problems = check(&definition);
    if has_errors(&problems) {
        for problem in &problems {
            out::note(definition_file::describe(problem));
        }
        return Err(Failure::usage(format!("{what} can't run: it has problems")));
    }
    let inputs = read_inputs(&start, &definition)?;
    let updates = ctx.events.subscribe();
    let new = NewRun { source, inputs, trigger: TriggerKind::Cli, idempotency_key: None };
    let id = workflow::start(&ctx, new).await.map_err(|error| refused(&what, error.into()))?;
    follow(&ctx, id, &definition, updates, global.json, start.watch).await?;
    let detail = workflow::get_run(&ctx, id).await.map_err(ApiError::from)?;
    ctx.tasks.stop(Duration::from_secs(5)).await;
    ctx.db.close().await;
    conclude(global, &detail)
}

/// A refused start is a call that doesn't fit: code 2, every field named.
fn refused(what: &str, error: ApiError) -> Failure {
    if let ApiError::Invalid { fields, .. } = &error {
        for field in fields {
            out::note(format_args!("error: {}: {}", field.pointer, field.message));
        }
        return Failure::usage(format!("{what} can't run: {error}"));
    }
    error.into()
}

/// Whether the call or the environment names a database; a definition that is no stored one otherwise runs in memory.
fn has_database(config: &Config) -> bool {
    let named = ["database_url", "data_dir"];
    config
        .outcomes
        .iter()
        .any(|o| named.contains(&o.setting.name) && o.origin != crate::runtime::config::Origin::Default)
}

/// What is to run, and where: a file, then a stored workflow, then a template.
async fn resolve(config: Config, given: bool, what: &str) -> Result<(Ctx, Source, Definition), Failure> {
    if Path::new(what).is_file() || what == "-" {
        let definition = definition_file::read(what)?;
        return Ok((open(config, given).await?, Source::Inline(Box::new(definition.clone())), definition));
    }
    let template = templates::find(what).map(|template| template.definition.clone());
    if template.is_none() && !given && !config.data_dir.exists() {
        return Err(unknown(what));
    }
    if given || template.is_none() {
        let ctx = local::open_with(config).await?;
        match definitions::get_by_name(&ctx, what).await {
            Ok(stored) => {
                let version = stored.published_version;
                let source = match version {
                    Some(_) => Source::Version(stored.id, version),
                    None => Source::Draft(stored.id),
                };
                let definition = match version {
                    Some(version) => {
                        definitions::get_version(&ctx, stored.id, version).await.map_err(ApiError::from)?.definition
                    }
                    None => stored.draft,
                };
                return Ok((ctx, source, definition));
            }
            Err(workflow::Error::NotFound(_)) => {
                let definition = template.ok_or_else(|| unknown(what))?;
                return Ok((ctx, Source::Inline(Box::new(definition.clone())), definition));
            }
            Err(error) => return Err(ApiError::from(error).into()),
        }
    }
    let definition = template.ok_or_else(|| unknown(what))?;
    Ok((local::in_memory(config).await?, Source::Inline(Box::new(definition.clone())), definition))
}

async fn open(config: Config, given: bool) -> Result<Ctx, Failure> {
    if given { local::open_with(config).await } else { local::in_memory(config).await }
}

fn unknown(what: &str) -> Failure {
    let names: Vec<&str> = templates::list().iter().map(|t| t.slug.as_str()).collect();
    let message = format!("{what:?} is no file, no stored workflow and no template (there are {})", names.join(", "));
    Failure { code: 4, message }
}

/// The inputs of `--inputs` under those of `--input`. Texts stay text where the schema says so, else they are read as JSON.
fn read_inputs(start: &Start, definition: &Definition) -> Result<Value, Failure> {
    let mut inputs = match &start.inputs {
        None => Map::new(),
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure { code: 4, message: format!("{file} can't be read: {error}") })?;
            let value: Value =
                serde_yaml_ng::from_str(&text).map_err(|error| Failure::usage(format!("{file}: {error}")))?;
            match value {
                Value::Object(map) => map,
                _ => return Err(Failure::usage(format!("{file}: expected an object of inputs"))),
            }
        }
    };
    for pair in &start.input {
        let (name, text) =
            pair.split_once('=').ok_or_else(|| Failure::usage(format!("--input {pair}: expected NAME=VALUE")))?;
        let word = definition.inputs.pointer(&format!("/properties/{name}/type")).and_then(Value::as_str);
        let value = match word {
            Some("string") | None => Value::String(text.to_owned()),
            Some(word) => serde_json::from_str(text)
                .map_err(|_| Failure::usage(format!("--input {name}: expected {word}, found {text:?}")))?,
        };
        inputs.insert(name.to_owned(), value);
    }
    absolute_paths(&mut inputs, definition);
    Ok(Value::Object(inputs))
}

/// The server may work elsewhere than the caller: `path=.` means the caller's folder.
fn absolute_paths(inputs: &mut Map<String, Value>, definition: &Definition) {
    let is_text =
        |name: &str| definition.inputs.pointer(&format!("/properties/{name}/type")).is_some_and(|t| t == "string");
    for name in ["path", "folder", "directory"] {
        if is_text(name)
            && let Some(Value::String(text)) = inputs.get_mut(name)
            && let Ok(real) = Path::new(text.as_str()).canonicalize()
        {
            *text = real.display().to_string();
        }
    }
}

/// Shows what happens until the run has ended. Ctrl-C cancels the run and waits for its end.
async fn follow(
    ctx: &Ctx,
    id: RunId,
    definition: &Definition,
    mut updates: tokio::sync::broadcast::Receiver<std::sync::Arc<crate::runtime::events::Change>>,
    json: bool,
    watch: bool,
) -> Result<(), Failure> {
    let mut seen = 0;
    let mut cancelled = false;
    seen = catch_up(ctx, id, definition, seen, json).await?;
    loop {
        let run = workflow::wait_for_end(ctx, id, Duration::ZERO).await.map_err(ApiError::from)?;
        if run.status.is_final() {
            catch_up(ctx, id, definition, seen, json).await?;
            return Ok(());
        }
        tokio::select! {
            change = updates.recv() => match change {
                Ok(change) if change.update.topic == Topic::Run(id) => {
                    if change.update.kind == "event" {
                        seen = catch_up(ctx, id, definition, seen, json).await?;
                    } else if watch && let Ok(chunk) = serde_json::from_value::<LogChunk>(change.update.data.clone()) {
                        if json { out::json(&chunk) } else { out::note(chunk.text.trim_end()) }
                    }
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => seen = catch_up(ctx, id, definition, seen, json).await?,
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = tokio::signal::ctrl_c(), if !cancelled => {
                cancelled = true;
                out::note("Cancelling…");
                workflow::control(ctx, id, RunCommand::Cancel).await.map_err(ApiError::from)?;
            }
        }
    }
}

/// Prints the history after `seen`; returns the newest number.
async fn catch_up(ctx: &Ctx, id: RunId, definition: &Definition, seen: i64, json: bool) -> Result<i64, Failure> {
    let mut seen = seen;
    loop {
        let events = workflow::list_events(ctx, id, seen, 500).await.map_err(ApiError::from)?;
        let Some(last) = events.last() else { return Ok(seen) };
        seen = last.seq;
        for event in &events {
            if json {
                out::json(event);
            } else if let Some(line) = describe(event, definition) {
                out::note(line);
            }
        }
    }
}

/// One line for people; `None` for what needs no line.
fn describe(event: &Event, definition: &Definition) -> Option<String> {
    let label = event.step.as_deref().map(|id| definition.step(id).map_or(id, |step| step.label()));
    let label = label.unwrap_or_default();
    match &event.fact {
        Fact::StepStarted { attempt: 1, .. } => Some(format!("  ▸ {label}")),
        Fact::StepStarted { attempt, .. } => Some(format!("  ▸ {label}, attempt {attempt}")),
        Fact::StepSucceeded { port, .. } if port == "out" => Some(format!("  ✓ {label}")),
        Fact::StepSucceeded { port, .. } => Some(format!("  ✓ {label}: {port}")),
        Fact::StepFailed { error, .. } => Some(format!("  ✗ {label}: {}", error.message)),
        Fact::StepWaiting { reason, .. } => Some(format!("  … {label}: {reason}")),
        Fact::RetryScheduled { error, at, .. } => Some(format!("  ↻ {label}: {}; again at {at}", error.message)),
        _ => None,
    }
}

fn conclude(global: &Global, detail: &RunDetail) -> Result<(), Failure> {
    if global.json {
        out::json(detail);
    } else if detail.summary.status == RunStatus::Succeeded {
        match detail.output.get("report").and_then(Value::as_str) {
            Some(report) => out::line(report),
            None if detail.output.is_null() => {}
            None => out::line(serde_json::to_string_pretty(&detail.output).unwrap_or_default()),
        }
    }
    match detail.summary.status {
        RunStatus::Succeeded => Ok(()),
        RunStatus::Cancelled => Err(Failure::failed("the run was cancelled")),
        _ => Err(Failure::failed(match &detail.error {
            Some(error) => format!("the run failed: {}", error.message),
            None => "the run failed".to_owned(),
        })),
    }
}

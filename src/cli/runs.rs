//! `weft run list|show|events|cancel|pause|resume|retry|give-output|move|send-event|fork|diff|replay`: the runs of the database
//! of the settings.

use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;
use serde_json::Value;

use super::follow::Follow;
use super::table::{Column, Paint, table};
use super::{Failure, Global, file, local, out, travel};
use crate::model::workflow::why::Why;
use crate::model::workflow::{Command as RunCommand, GiveOutput, RunDetail, RunFilter, RunStatus};
use crate::model::{ApiError, PageRequest, RunId};
use crate::runtime::Ctx;
use crate::workflow;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List runs, newest first.
    List {
        /// Only runs in this status (repeatable).
        #[arg(long, value_parser = read_status)]
        status: Vec<RunStatus>,
        /// At most so many, 1 to 200.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
        /// The cursor that the page before ended with.
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show a run, its steps, and why it waits.
    Show {
        /// The run's id.
        #[arg(value_parser = read_id)]
        id: RunId,
    },
    /// Print a run's history, one line of JSON for each event.
    Events {
        /// The run's id.
        #[arg(value_parser = read_id)]
        id: RunId,
        /// Go on until the run has ended, while another process has it in hand.
        #[arg(long)]
        follow: bool,
    },
    /// Stop a run for good. Where its workflow says how, what it did is undone first.
    Cancel {
        /// The run's id.
        #[arg(value_parser = read_id)]
        id: RunId,
        /// At once: what it did is not undone, and what is being undone stays as it is.
        #[arg(long)]
        force: bool,
    },
    /// Start nothing new in a run.
    Pause {
        /// The run's id.
        #[arg(value_parser = read_id)]
        id: RunId,
    },
    /// Let a paused run go on, here and to its end.
    Resume {
        /// The run's id.
        #[arg(value_parser = read_id)]
        id: RunId,
    },
    /// Try the failed steps of a run again, here and to its end.
    Retry {
        /// The run's id.
        #[arg(value_parser = read_id)]
        id: RunId,
    },
    /// End a step that has failed and is to be tried again with an output that you give. A paused run stays paused; another
    /// goes on, here and to its end.
    GiveOutput {
        /// The run's id.
        #[arg(value_parser = read_id)]
        id: RunId,
        /// The step's path, such as fetch or each[3].fetch.
        step: String,
        /// What it gives, as JSON.
        #[arg(long, value_name = "JSON", required_unless_present = "output_file")]
        output: Option<String>,
        /// A JSON file with what it gives; - is standard input.
        #[arg(long, value_name = "FILE", conflicts_with = "output")]
        output_file: Option<String>,
        /// The port that it leaves by, where the output does not say so.
        #[arg(long)]
        port: Option<String>,
        /// Why, for whoever reads the history.
        #[arg(long)]
        reason: String,
    },
    /// Move a run that has not ended to another version of its workflow. Where that does not fit, each difference is told and
    /// nothing is moved: code 1.
    Move {
        /// The run's id.
        #[arg(value_parser = read_id)]
        id: RunId,
        /// The version to go on with [default: the newest]
        #[arg(long, value_name = "N")]
        to: Option<i64>,
        /// Only say whether it fits.
        #[arg(long)]
        check: bool,
    },
    /// Send an event to the runs that wait for its key. A server goes on with them.
    SendEvent {
        /// Its key, such as payment/4711.
        key: String,
        /// What it carries, as JSON.
        #[arg(long, value_name = "JSON", default_value = "null")]
        payload: String,
        /// The sender's id of it: the same one is taken once.
        #[arg(long)]
        id: Option<String>,
    },
    /// Start a run that begins with the history of another, here and to its end.
    // `--version` names a version of the workflow here.
    #[command(disable_version_flag = true)]
    Fork(travel::Fork),
    /// Compare two runs, and say where they first part.
    Diff {
        /// The first run's id.
        #[arg(value_parser = read_id)]
        a: RunId,
        /// The second run's id.
        #[arg(value_parser = read_id)]
        b: RunId,
    },
    /// Play a run on another definition; nothing leaves. Code 1 when something differs.
    #[command(disable_version_flag = true)]
    Replay(travel::Replay),
}

fn read_status(text: &str) -> Result<RunStatus, String> {
    let words = RunStatus::ALL.map(RunStatus::as_str).join(", ");
    RunStatus::parse(text).ok_or_else(|| format!("expected one of {words}"))
}

/// The id of a run.
pub(super) fn read_id(text: &str) -> Result<RunId, String> {
    text.parse().map_err(|_| "expected a run's id, as `weft run list` shows it".to_owned())
}

/// How often `events --follow` looks for more.
const LOOK: Duration = Duration::from_millis(500);

pub(super) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    local::within(global, async |ctx| match command {
        Command::List { status, limit, cursor } => list(global, ctx, status, PageRequest { limit, cursor }).await,
        Command::Show { id } => show(global, ctx, id).await,
        Command::Events { id, follow } => events(ctx, id, follow).await,
        Command::Cancel { id, force } => {
            let command = if force { RunCommand::ForceCancel } else { RunCommand::Cancel };
            control(global, ctx, id, command).await
        }
        Command::Pause { id } => control(global, ctx, id, RunCommand::Pause).await,
        Command::Resume { id } => go_on(global, ctx, id, RunCommand::Resume).await,
        Command::Retry { id } => go_on(global, ctx, id, RunCommand::Retry).await,
        Command::GiveOutput { id, step, output, output_file, port, reason } => {
            let output = read_output(output, output_file.as_deref())?;
            give_output(global, ctx, id, GiveOutput { step, output, port, reason }).await
        }
        Command::Move { id, to, check } => move_run(global, ctx, id, to, check).await,
        Command::SendEvent { key, payload, id } => send_event(global, ctx, &key, &payload, id.as_deref()).await,
        Command::Fork(fork) => travel::fork(global, ctx, fork).await,
        Command::Diff { a, b } => travel::diff(global, ctx, a, b).await,
        Command::Replay(replay) => travel::replay(global, ctx, replay).await,
    })
    .await
}

async fn list(global: &Global, ctx: &Ctx, statuses: Vec<RunStatus>, page: PageRequest) -> Result<(), Failure> {
    let filter = RunFilter { statuses, ..RunFilter::default() };
    let found = workflow::list_runs(ctx, &filter, &page).await.map_err(ApiError::from)?;
    if global.json {
        for run in &found.items {
            out::json(run);
        }
        out::more(found.next.as_deref());
        return Ok(());
    }
    if found.items.is_empty() {
        out::note("no runs");
        return Ok(());
    }
    let rows = found.items.into_iter().map(|run| {
        let steps = format!("{} of {}", run.steps_done, run.steps_total);
        vec![run.id.to_string(), run.workflow_name, run.status.label().to_owned(), steps, run.created_at.to_string()]
    });
    let columns = [
        Column::left("Run"),
        Column::left("Workflow"),
        Column::left("Status"),
        Column::left("Steps"),
        Column::left("Accepted"),
    ];
    out::line(table(Paint::of_stdout(), &columns, rows.collect()).trim_end());
    out::more(found.next.as_deref());
    Ok(())
}

/// A run and why it waits.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    run: &'a RunDetail,
    waiting: &'a [Why],
}

fn explain(why: &Why) {
    let step = why.step.as_deref().map(|step| format!("{step}: ")).unwrap_or_default();
    out::line(format_args!("{step}{}", why.sentence));
    for unblock in &why.unblocks {
        out::line(format_args!("  unblocked by {}", unblock.phrase()));
    }
}

async fn show(global: &Global, ctx: &Ctx, id: RunId) -> Result<(), Failure> {
    let run = workflow::get_run(ctx, id).await.map_err(ApiError::from)?;
    let whys = workflow::why_waiting(ctx, id).await.map_err(ApiError::from)?;
    if global.json {
        out::json(&Shown { run: &run, waiting: &whys });
        return Ok(());
    }
    out::line(format_args!("{} · {}", run.summary.workflow_name, run.summary.status.label()));
    for why in &whys {
        explain(why);
    }
    if let Some(error) = &run.error {
        out::line(format_args!("Failed: {}", error.message));
    }
    let rows = run.steps.iter().map(|step| {
        let what = step.error.as_ref().map(|error| error.message.clone()).unwrap_or_default();
        vec![step.id.clone(), step.status.label().to_owned(), step.attempt.to_string(), what]
    });
    let columns =
        [Column::left("Step"), Column::left("Status"), Column::right("Attempts"), Column::left("What happened")];
    out::line(table(Paint::of_stdout(), &columns, rows.collect()).trim_end());
    Ok(())
}

async fn events(ctx: &Ctx, id: RunId, follow: bool) -> Result<(), Failure> {
    let mut after = 0;
    let mut patience = Duration::ZERO;
    loop {
        // Asked before the events are read: of a run that has ended by now, none comes later.
        let run = workflow::wait_for_end(ctx, id, patience).await.map_err(ApiError::from)?;
        loop {
            let events = workflow::list_events(ctx, id, after, 500).await.map_err(ApiError::from)?;
            let Some(last) = events.last() else { break };
            after = last.seq;
            for event in &events {
                out::json(event);
            }
        }
        if !follow || run.status.is_final() {
            return Ok(());
        }
        patience = LOOK;
    }
}

async fn control(global: &Global, ctx: &Ctx, id: RunId, command: RunCommand) -> Result<(), Failure> {
    let run = workflow::control(ctx, id, command).await.map_err(ApiError::from)?;
    if global.json {
        out::json(&run)
    } else {
        out::line(run.status.label())
    }
    Ok(())
}

/// Gives a command after which the run goes on in this process, and shows it to its end.
async fn go_on(global: &Global, ctx: &Ctx, id: RunId, command: RunCommand) -> Result<(), Failure> {
    let run = workflow::get_run(ctx, id).await.map_err(ApiError::from)?;
    let follow = Follow::new(ctx, global.json, false).after(run.last_seq);
    workflow::control(ctx, id, command).await.map_err(ApiError::from)?;
    follow.until_end(id, &run.definition).await
}

/// What is given, from the command line or a file.
fn read_output(text: Option<String>, path: Option<&str>) -> Result<Value, Failure> {
    match (text, path) {
        (None, Some(path)) => serde_json::from_str(&file::read_text(path)?)
            .map_err(|error| Failure::usage(format!("{path}: expected JSON: {error}"))),
        (text, _) => serde_json::from_str(&text.unwrap_or_default())
            .map_err(|error| Failure::usage(format!("--output: expected JSON: {error}"))),
    }
}

/// Gives a step its output; a run that is not held goes on in this process, and is shown to its end.
async fn give_output(global: &Global, ctx: &Ctx, id: RunId, asked: GiveOutput) -> Result<(), Failure> {
    let run = workflow::get_run(ctx, id).await.map_err(ApiError::from)?;
    let follow = Follow::new(ctx, global.json, false).after(run.last_seq);
    let stands = workflow::give_output(ctx, id, asked).await.map_err(ApiError::from)?;
    if stands.status == RunStatus::Paused {
        if global.json {
            out::json(&stands);
        } else {
            out::line(stands.status.label());
        }
        return Ok(());
    }
    follow.until_end(id, &run.definition).await
}

/// Moves a run, or says what keeps it from being moved.
async fn move_run(global: &Global, ctx: &Ctx, id: RunId, to: Option<i64>, check: bool) -> Result<(), Failure> {
    let found = workflow::check_migration(ctx, id, to).await.map_err(ApiError::from)?;
    let (fits, version) = (found.misfits.is_empty(), found.version);
    if fits && !check {
        let run = workflow::migrate(ctx, id, Some(version)).await.map_err(ApiError::from)?;
        if global.json {
            out::json(&run);
        } else {
            out::line(format_args!("{}: it goes on with version {version}.", run.status.label()));
        }
        return Ok(());
    }
    if global.json {
        out::json(&found);
    } else if fits {
        out::line(format_args!("It fits version {version}."));
    } else {
        for misfit in &found.misfits {
            out::line(format_args!("✗ {}", misfit.message));
        }
    }
    if fits { Ok(()) } else { Err(Failure::failed(format!("the run does not fit version {version}"))) }
}

/// Sends an event, and says which runs it reached.
async fn send_event(
    global: &Global,
    ctx: &Ctx,
    key: &str,
    payload: &str,
    sender_id: Option<&str>,
) -> Result<(), Failure> {
    let payload: Value =
        serde_json::from_str(payload).map_err(|error| Failure::usage(format!("--payload: expected JSON: {error}")))?;
    let runs = workflow::events::send(ctx, key, &payload, sender_id).await.map_err(ApiError::from)?;
    if global.json {
        out::json(&serde_json::json!({ "runs": runs }));
        return Ok(());
    }
    for run in &runs {
        out::line(run);
    }
    if runs.is_empty() {
        out::note("no run waits for it now; one that has begun and comes to wait for it within a week takes it");
    }
    Ok(())
}

//! `weft agent`: the agents of the first workspace, and giving them something to do.

use clap::{Args, Subcommand};

use super::follow::Follow;
use super::table::{Column, Paint, table};
use super::{Failure, Global, file, local, out, queue, weights};
use crate::model::ApiError;
use crate::model::agent::{AgentStanding, NewTask};
use crate::model::gateway::short_usd;
use crate::runtime::Ctx;
use crate::{agents, monitor, workflow};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List agents and what they are busy with, by name.
    List,
    /// Print an agent as YAML (with --json as JSON).
    Show {
        /// The agent's name.
        name: String,
    },
    /// Give an agent a task, and wait for its answer.
    Run {
        /// The agent's name.
        name: String,
        /// The task; - reads it from standard input.
        prompt: String,
        /// 1 to 9, 9 first, among the tasks that wait for the agent; 5 without it.
        #[arg(long, value_parser = clap::value_parser!(u8).range(1..=9))]
        priority: Option<u8>,
        /// A variable of the agent's persona, as NAME=VALUE; more than once for several.
        #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
        variables: Vec<(String, String)>,
        /// Only try it: nothing is done that outlasts the run, and nobody is asked.
        #[arg(long)]
        trial: bool,
        /// Show what it does, too.
        #[arg(long)]
        watch: bool,
    },
    /// Tasks for whichever agent is best for them.
    #[command(subcommand)]
    Queue(queue::Command),
    /// What the parts of an agent's score count when such a task is given to one.
    #[command(subcommand)]
    Weights(weights::Command),
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::List => local::within(global, async |ctx| list(global, ctx).await).await,
        Command::Show { name } => local::within(global, async |ctx| show(global, ctx, &name).await).await,
        Command::Run { name, prompt, priority, variables, trial, watch } => {
            let prompt = if prompt == "-" { file::read_text("-")? } else { prompt };
            let task = NewTask { prompt, priority, variables: variables.into_iter().collect(), trial };
            local::within(global, async |ctx| give(global, ctx, &name, task, watch).await).await
        }
        Command::Queue(command) => queue::run(global, command).await,
        Command::Weights(command) => weights::run(global, command).await,
    }
}

/// Reads `NAME=VALUE`.
fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// What it is busy with, in a word or two.
fn state(standing: &AgentStanding) -> String {
    if standing.agent.stopped_at.is_some() {
        return "stopped".to_owned();
    }
    let parts = [
        (standing.working > 0).then(|| format!("working at {}", standing.working)),
        (standing.waiting > 0).then(|| format!("waiting with {}", standing.waiting)),
        (standing.queued > 0).then(|| format!("{} queued", standing.queued)),
    ];
    let said: Vec<String> = parts.into_iter().flatten().collect();
    if said.is_empty() { "idle".to_owned() } else { said.join(", ") }
}

async fn list(global: &Global, ctx: &Ctx) -> Result<(), Failure> {
    let standings = monitor::list_agents(ctx).await?;
    if global.json {
        standings.iter().for_each(out::json);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = standings
        .iter()
        .map(|standing| {
            let name = standing.agent.name.clone();
            let done = standing.done.to_string();
            vec![name, state(standing), done, short_usd(standing.cost_micros), standing.agent.spec.description.clone()]
        })
        .collect();
    if rows.is_empty() {
        out::note("no agents");
        return Ok(());
    }
    let columns = [
        Column::left("Name"),
        Column::left("State"),
        Column::right("Done, 30 days"),
        Column::right("Cost, 30 days"),
        Column::left("What it is for"),
    ];
    out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
    Ok(())
}

async fn show(global: &Global, ctx: &Ctx, name: &str) -> Result<(), Failure> {
    let agent = agents::find_by_name(ctx, name).await.map_err(ApiError::from)?;
    if global.json {
        out::json(&agent);
        return Ok(());
    }
    let text = serde_yaml_ng::to_string(&agent.spec)
        .map_err(|error| Failure::failed(format!("the agent can't be written as YAML: {error}")))?;
    out::line(format_args!("# {} v{}", agent.name, agent.version));
    out::line(text.trim_end());
    Ok(())
}

async fn give(global: &Global, ctx: &Ctx, name: &str, task: NewTask, watch: bool) -> Result<(), Failure> {
    let agent = agents::find_by_name(ctx, name).await.map_err(ApiError::from)?;
    // Who waits for people or for another run is given back and must be taken in hand again.
    workflow::boot(ctx.runtime()).await.map_err(ApiError::from)?;
    let follow = Follow::new(ctx, global.json, watch);
    let run = workflow::give_task(ctx, agent.id, task, None).await.map_err(ApiError::from)?;
    let definition = workflow::get_run(ctx, run).await.map_err(ApiError::from)?.definition;
    follow.until_end(run, &definition).await
}

//! `weft workflow`: definitions as files, and the workflows of the first workspace.

use clap::{Args, Subcommand};
use serde_json::json;

use super::table::{Column, Paint, table};
use super::{Failure, Global, file, local, out, travel};
use crate::model::workflow::check::{check, has_errors};
use crate::model::workflow::{Definition, Problem, Severity};
use crate::model::{ApiError, PageRequest};
use crate::runtime::Ctx;
use crate::workflow::definitions::{self, Filter, file as yaml};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a definition file; every problem with its step and field.
    Check {
        /// JSON or YAML; - is standard input.
        file: String,
    },
    /// Store a definition file as a new workflow.
    Import {
        /// JSON or YAML; - is standard input.
        file: String,
    },
    /// Print a workflow's draft as YAML (with --json as JSON).
    Export {
        /// The workflow's name.
        name: String,
    },
    /// List workflows, last changed first.
    List {
        /// Only names and descriptions with these words.
        #[arg(default_value = "")]
        query: String,
    },
    /// Play the regression tests of a workflow on its draft, or on a definition file of the same name. Code 1 when one
    /// fails.
    Test {
        /// The workflow's name, or a JSON or YAML file.
        what: String,
    },
    /// Make an immutable version of a workflow's draft.
    Publish {
        /// The workflow's name.
        name: String,
    },
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Check { file } => check_file(global, &file),
        Command::Import { file } => {
            let definition = read(&file)?;
            local::within(global, async |ctx| import(global, ctx, definition).await).await
        }
        Command::Export { name } => local::within(global, async |ctx| export(global, ctx, &name).await).await,
        Command::Test { what } => local::within(global, async |ctx| travel::test(global, ctx, &what).await).await,
        Command::List { query } => local::within(global, async |ctx| list(global, ctx, query).await).await,
        Command::Publish { name } => local::within(global, async |ctx| publish(global, ctx, &name).await).await,
    }
}

async fn import(global: &Global, ctx: &Ctx, definition: Definition) -> Result<(), Failure> {
    let problems = check(&definition);
    let workflow = definitions::create(ctx, definition).await.map_err(ApiError::from)?;
    if global.json {
        out::json(&workflow);
    } else {
        out::line(format_args!("Stored as {:?}.", workflow.name));
    }
    for problem in &problems {
        out::note(describe(problem));
    }
    if has_errors(&problems) {
        out::note("It can't run before its errors are mended.");
    }
    Ok(())
}

async fn export(global: &Global, ctx: &Ctx, name: &str) -> Result<(), Failure> {
    let workflow = definitions::get_by_name(ctx, name).await.map_err(ApiError::from)?;
    if global.json {
        out::json(&workflow.draft);
    } else {
        out::line(yaml::to_yaml(&workflow.draft).trim_end());
    }
    Ok(())
}

async fn publish(global: &Global, ctx: &Ctx, name: &str) -> Result<(), Failure> {
    let workflow = definitions::get_by_name(ctx, name).await.map_err(ApiError::from)?;
    let version = definitions::publish(ctx, workflow.id).await.map_err(ApiError::from)?;
    if global.json {
        out::json(&json!({"version": version}));
    } else {
        out::line(format_args!("Version {version}."));
    }
    Ok(())
}

fn check_file(global: &Global, file: &str) -> Result<(), Failure> {
    let definition = read(file)?;
    let problems = check(&definition);
    if global.json {
        out::json(&json!({"problems": problems}));
    } else {
        for problem in &problems {
            out::line(describe(problem));
        }
    }
    if has_errors(&problems) {
        return Err(Failure::usage(format!("{file} has problems")));
    }
    if !global.json {
        let steps = definition.steps.len();
        let noun = if steps == 1 { "step" } else { "steps" };
        out::line(format_args!("{} is sound: {steps} {noun}.", definition.name));
    }
    Ok(())
}

/// A problem as one line: `error: scan /config/path: path is required`.
pub(super) fn describe(problem: &Problem) -> String {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let step = problem.step.as_deref().unwrap_or("workflow");
    let place = if problem.field.is_empty() { step.to_owned() } else { format!("{step} {}", problem.field) };
    format!("{severity}: {place}: {}", problem.message)
}

/// Reads a definition from a file or standard input.
pub(super) fn read(path: &str) -> Result<Definition, Failure> {
    let text = file::read_text(path)?;
    yaml::parse(&text).map_err(|error| Failure::usage(format!("{path}: {error}")))
}

async fn list(global: &Global, ctx: &Ctx, query: String) -> Result<(), Failure> {
    let mut page = PageRequest { limit: PageRequest::MAX, cursor: None };
    let filter = Filter { query };
    let mut rows = Vec::new();
    loop {
        let found = definitions::list(ctx, &filter, &page).await.map_err(ApiError::from)?;
        for workflow in found.items {
            if global.json {
                out::json(&workflow);
            }
            let version = workflow.published_version.map_or_else(|| "draft".to_owned(), |v| format!("v{v}"));
            rows.push(vec![workflow.name, version, workflow.steps.to_string(), workflow.updated_at.to_string()]);
        }
        page.cursor = found.next;
        if page.cursor.is_none() {
            break;
        }
    }
    if rows.is_empty() {
        out::note("no workflows");
    } else if !global.json {
        let columns = [Column::left("Name"), Column::left("Version"), Column::right("Steps"), Column::left("Changed")];
        out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
    }
    Ok(())
}

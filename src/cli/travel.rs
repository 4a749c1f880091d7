//! `weft run fork|diff|replay` and `weft workflow test`.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use super::follow::Follow;
use super::run::{read_inputs, refuse_unknown};
use super::runs::read_id;
use super::table::{Column, Paint, table};
use super::{Failure, Global, out, workflow as definition_file};
use crate::model::workflow::diff::{Differences, StepDiff};
use crate::model::workflow::{
    Against, Definition, Fork as Forking, ForkOnto, ForkPoint, Replay as Replayed, Strictness,
};
use crate::model::{ApiError, RunId};
use crate::runtime::Ctx;
use crate::workflow::{self, definitions, travel};

/// Where to fork, and what to edit.
#[derive(Debug, Args)]
pub(super) struct Fork {
    /// The run to begin from.
    #[arg(value_parser = read_id)]
    id: RunId,
    /// The number of the newest event that counts (`weft run events ID` lists them).
    #[arg(long, value_name = "SEQ", required_unless_present = "step", conflicts_with = "step")]
    from: Option<i64>,
    /// A step that runs again with all that depends on it.
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
    /// An input that is edited: name=value (repeatable); the others stay.
    #[arg(long, value_name = "NAME=VALUE")]
    input: Vec<String>,
    /// The output of a step that had ended: step=JSON (repeatable).
    #[arg(long, value_name = "STEP=JSON")]
    output: Vec<String>,
    /// A version of the same workflow, in place of what the run ran.
    #[arg(long, value_name = "N", conflicts_with = "draft")]
    version: Option<i64>,
    /// The draft of the same workflow, as a test.
    #[arg(long)]
    draft: bool,
}

/// What to hold a run against.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The run to play.
    #[arg(value_parser = read_id)]
    id: RunId,
    /// A version of the run's workflow.
    #[arg(long, value_name = "N", conflicts_with_all = ["draft", "file"])]
    version: Option<i64>,
    /// The draft of the run's workflow; what is meant when nothing is said.
    #[arg(long, conflicts_with = "file")]
    draft: bool,
    /// A definition file.
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
    /// Fail also where a step was given something else or gave back something else.
    #[arg(long)]
    strict: bool,
}

/// Starts the fork and shows it to its end.
pub(super) async fn fork(global: &Global, ctx: &Ctx, fork: Fork) -> Result<(), Failure> {
    let source = workflow::get_run(ctx, fork.id).await.map_err(ApiError::from)?;
    let from = match (fork.from, fork.step) {
        (_, Some(step)) => ForkPoint::Step(step),
        (seq, None) => ForkPoint::Seq(seq.unwrap_or_default()),
    };
    let onto = match (fork.version, fork.draft) {
        (Some(version), _) => ForkOnto::Version(version),
        (None, true) => ForkOnto::Draft,
        (None, false) => ForkOnto::Same,
    };
    // What another version or the draft takes, it says itself.
    if matches!(onto, ForkOnto::Same) {
        refuse_unknown(&fork.input, &source.definition)?;
    }
    let inputs = edited(&fork.input, &source.inputs, &source.definition)?;
    let outputs = fork.output.iter().map(|pair| read_output(pair)).collect::<Result<_, _>>()?;
    let follow = Follow::new(ctx, global.json, false);
    let id = travel::fork(ctx, fork.id, Forking { from, inputs, outputs, onto }, None).await.map_err(ApiError::from)?;
    let run = workflow::get_run(ctx, id).await.map_err(ApiError::from)?;
    if !global.json {
        out::note(format_args!("forked as {id}"));
    }
    follow.until_end(id, &run.definition).await
}

/// The inputs of the source with those that are edited; `None` when none is.
fn edited(pairs: &[String], source: &Value, definition: &Definition) -> Result<Option<Value>, Failure> {
    if pairs.is_empty() {
        return Ok(None);
    }
    let mut inputs = source.clone();
    if let (Some(all), Value::Object(edited)) = (inputs.as_object_mut(), read_inputs(pairs, None, definition)?) {
        all.extend(edited);
    }
    Ok(Some(inputs))
}

fn read_output(pair: &str) -> Result<(String, Value), Failure> {
    let expected = || Failure::usage(format!("--output {pair}: expected STEP=JSON"));
    let (step, text) = pair.split_once('=').ok_or_else(expected)?;
    Ok((step.to_owned(), serde_json::from_str(text).map_err(|_| expected())?))
}

/// Shows what differs between two runs.
pub(super) async fn diff(global: &Global, ctx: &Ctx, a: RunId, b: RunId) -> Result<(), Failure> {
    let found = travel::compare(ctx, a, b).await.map_err(ApiError::from)?;
    if global.json {
        out::json(&found);
        return Ok(());
    }
    if found.is_same() {
        out::line("The runs are the same.");
        return Ok(());
    }
    match &found.first {
        Some(first) => out::line(format_args!("They first part at {}: {}.", first.step, first.what)),
        None => out::line("No step went another way."),
    }
    told("inputs", &found.inputs);
    let rows = found.steps.iter().filter(|step| !step.aspects.is_empty()).map(row);
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        let columns = [Column::left("Step"), Column::left("First"), Column::left("Second"), Column::left("Differs")];
        out::line(table(Paint::of_stdout(), &columns, rows).trim_end());
    }
    for step in &found.steps {
        told(&format!("{} input", step.id), &step.input);
        told(&format!("{} output", step.id), &step.output);
    }
    told("output", &found.output);
    Ok(())
}

fn row(step: &StepDiff) -> Vec<String> {
    let side = |side: &Option<crate::model::workflow::diff::StepSide>| {
        side.as_ref().map_or_else(|| "not there".to_owned(), |side| side.status.label().to_owned())
    };
    let aspects: Vec<String> = step.aspects.iter().map(|aspect| format!("{aspect:?}").to_lowercase()).collect();
    vec![step.id.clone(), side(&step.a), side(&step.b), aspects.join(", ")]
}

/// One line for each difference: `inputs/path: 1 -> 2`.
fn told(what: &str, differences: &Differences) {
    for item in &differences.items {
        out::line(format_args!("{what}{}: {} -> {}", item.path, item.a, item.b));
    }
    if differences.more > 0 {
        out::line(format_args!("{what}: {} more", differences.more));
    }
}

/// Plays a run on another definition.
pub(super) async fn replay(global: &Global, ctx: &Ctx, replay: Replay) -> Result<(), Failure> {
    let against = match (&replay.file, replay.version) {
        (Some(file), _) => Against::Definition(Box::new(definition_file::read(file)?)),
        (None, Some(version)) => Against::Version(version),
        (None, None) => Against::Draft,
    };
    let strictness = if replay.strict { Strictness::Strict } else { Strictness::Result };
    let found = travel::replay(ctx, replay.id, against, strictness).await.map_err(ApiError::from)?;
    if global.json {
        out::json(&found);
    } else {
        out::line(if found.passed { "Passed: it goes as it was recorded." } else { "Failed." });
        differences(&found);
    }
    if found.passed { Ok(()) } else { Err(Failure::failed("the replay differs from the recorded run")) }
}

fn differences(replay: &Replayed) {
    for difference in &replay.differences {
        let mark = if difference.fails { "✗" } else { "·" };
        let step = difference.step.as_deref().unwrap_or("run");
        out::line(format_args!("  {mark} {step}: {}", difference.message));
        for item in &difference.details.items {
            out::line(format_args!("      {}: {} -> {}", item.path, item.a, item.b));
        }
    }
}

/// Plays every test of a workflow.
pub(super) async fn test(global: &Global, ctx: &Ctx, what: &str) -> Result<(), Failure> {
    let (name, against) = if Path::new(what).is_file() || what == "-" {
        let definition = definition_file::read(what)?;
        (definition.name.clone(), Against::Definition(Box::new(definition)))
    } else {
        (what.to_owned(), Against::Draft)
    };
    let workflow = definitions::get_by_name(ctx, &name).await.map_err(ApiError::from)?;
    let results = travel::run_tests(ctx, workflow.id, against).await.map_err(ApiError::from)?;
    let failed = results.iter().filter(|result| !result.replay.passed).count();
    if global.json {
        out::json(&json!({"passed": failed == 0, "results": results}));
    } else {
        for result in &results {
            out::line(format_args!("{} {}", if result.replay.passed { "✓" } else { "✗" }, result.test.name));
            differences(&result.replay);
        }
        if results.is_empty() {
            out::note(format_args!("{name:?} has no tests; keep a run as one on its page"));
        }
    }
    match failed {
        0 => Ok(()),
        1 => Err(Failure::failed("1 test failed")),
        failed => Err(Failure::failed(format!("{failed} tests failed"))),
    }
}

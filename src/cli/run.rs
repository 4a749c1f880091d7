//! `weft run`: finds out what to run, where and with which inputs; runs it to its end.

use std::path::Path;

use clap::Args;
use serde_json::{Map, Value};

use super::follow::Follow;
use super::{Failure, Global, file, local, out, runs, workflow as definition_file};
use crate::model::ApiError;
use crate::model::workflow::check::{check, has_errors};
use crate::model::workflow::{Definition, TriggerKind};
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
    /// A JSON or YAML file with all inputs; - is standard input.
    #[arg(long, value_name = "FILE")]
    inputs: Option<String>,
    /// Show what the steps print, too.
    #[arg(long)]
    watch: bool,
    /// End after this step: what leads to it runs, the rest is skipped.
    #[arg(long, value_name = "STEP")]
    until: Option<String>,
}

pub(super) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Some(command) => runs::run(global, command).await,
        None => start(global, arguments.start).await,
    }
}

async fn start(global: &Global, start: Start) -> Result<(), Failure> {
    let what = start.what.clone().unwrap_or_default();
    let config = global.command()?;
    // Where the caller names a database, the run is kept there; otherwise a definition that is no stored one runs in memory.
    let given = config.is_given("database_url") || config.is_given("data_dir");
    let (ctx, source, definition) = resolve(config, given, &what).await?;
    let done = start_in(&ctx, global, &start, source, &definition).await;
    local::close(&ctx).await;
    done
}

async fn start_in(
    ctx: &Ctx,
    global: &Global,
    start: &Start,
    source: Source,
    definition: &Definition,
) -> Result<(), Failure> {
    let what = start.what.as_deref().unwrap_or_default();
    let problems = check(definition);
    if has_errors(&problems) {
        for problem in &problems {
            out::note(definition_file::describe(problem));
        }
        return Err(Failure::usage(format!("{what} can't run: it has problems")));
    }
    let inputs = read_inputs(&start.input, start.inputs.as_deref(), definition)?;
    refuse_unknown(&start.input, definition)?;
    // Who waits for long, or for another run, is given back and must be taken in hand again.
    workflow::boot(ctx.runtime()).await.map_err(ApiError::from)?;
    let follow = Follow::new(ctx, global.json, start.watch);
    let new = NewRun { until: start.until.clone(), ..NewRun::new(source, inputs, TriggerKind::Cli) };
    let id = workflow::start(ctx, new).await.map_err(|error| refused(what, error.into()))?;
    follow.until_end(id, definition).await
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
        let ctx = local::open(config).await?;
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
    if given { local::open(config).await } else { local::in_memory(config).await }
}

fn unknown(what: &str) -> Failure {
    let names: Vec<&str> = templates::list().iter().map(|t| t.slug.as_str()).collect();
    let message = format!("{what:?} is no file, no stored workflow and no template (there are {})", names.join(", "));
    Failure { code: 4, message }
}

/// The inputs of `--inputs` under those of `--input`. Texts stay text where the schema says so, else they are read as JSON.
pub(super) fn read_inputs(pairs: &[String], all: Option<&str>, definition: &Definition) -> Result<Value, Failure> {
    let mut inputs = match all {
        None => Map::new(),
        Some(path) => {
            let read = serde_yaml_ng::from_str(&file::read_text(path)?);
            match read.map_err(|error| Failure::usage(format!("{path}: {error}")))? {
                Value::Object(map) => map,
                _ => return Err(Failure::usage(format!("{path}: expected an object of inputs"))),
            }
        }
    };
    for pair in pairs {
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

/// Refuses an `--input` that the workflow does not have: most often its name is misspelt.
///
/// # Errors
/// Code 2, with the names that there are.
pub(super) fn refuse_unknown(pairs: &[String], definition: &Definition) -> Result<(), Failure> {
    let Some(known) = declared(&definition.inputs) else { return Ok(()) };
    let mut names = pairs.iter().filter_map(|pair| pair.split_once('=')).map(|(name, _)| name);
    if let Some(name) = names.find(|name| !known.contains(name)) {
        let has = if known.is_empty() { "it has none".to_owned() } else { format!("it has: {}", known.join(", ")) };
        return Err(Failure::usage(format!("input {name}: this workflow has no such input; {has}")));
    }
    Ok(())
}

/// The names of all inputs that a schema lets in; `None` where it lets in others than it names.
fn declared(schema: &Value) -> Option<Vec<&str>> {
    /// By these a schema names inputs elsewhere than in its properties.
    const ELSEWHERE: [&str; 5] = ["patternProperties", "$ref", "allOf", "anyOf", "oneOf"];
    if schema.is_null() {
        return Some(Vec::new());
    }
    let is_open = schema.get("additionalProperties").is_some_and(|others| *others != Value::Bool(false))
        || ELSEWHERE.iter().any(|word| schema.get(word).is_some());
    let properties = schema.get("properties").and_then(Value::as_object)?;
    (!is_open).then(|| properties.keys().map(String::as_str).collect())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_input_is_unknown_where_the_schema_names_them_all() {
        let check = |schema: Value, expected: Option<&str>| {
            let definition = Definition { inputs: schema, ..Definition::empty("Sums") };
            let refused = refuse_unknown(&["pth=a".to_owned()], &definition).err().map(|failure| failure.message);
            assert_eq!(refused.as_deref(), expected);
        };
        let only_path = "input pth: this workflow has no such input; it has: path";
        check(json!({"type": "object", "properties": {"path": {}}}), Some(only_path));
        check(json!({"properties": {"path": {}}, "additionalProperties": false}), Some(only_path));
        check(Value::Null, Some("input pth: this workflow has no such input; it has none"));
        check(json!({"properties": {"pth": {}}}), None);
        check(json!({"properties": {}, "additionalProperties": true}), None);
        check(json!({"properties": {}, "additionalProperties": {"type": "string"}}), None);
        check(json!({"properties": {}, "patternProperties": {"^p": {}}}), None);
        check(json!({"type": "object"}), None);
    }
}

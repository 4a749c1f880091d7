//! How the work begins: the agent as it is then, or as it was, and as the persona that the task calls for.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::work::Work;
use super::{Outcome, above, advanced, team, tell};
use crate::agents;
use crate::model::AgentId;
use crate::model::agent::{Agent, AgentSpec, Entry, TaskStatus};
use crate::model::workflow::StepError;
use crate::workflow::steps::StepCall;
use crate::workflow::steps::prompt::read_context;

#[derive(Debug, Deserialize)]
struct Config {
    agent: String,
    prompt: String,
    #[serde(default)]
    schema: Value,
    #[serde(default)]
    context: Value,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    version: Option<i64>,
    #[serde(default)]
    trial: bool,
}

/// Takes the agent as it is now: it stays so for this work.
pub(super) async fn begin(call: &StepCall) -> Result<Outcome, StepError> {
    let config: Config = call.config()?;
    let name = config.agent.trim();
    let Agent { id, name, version, spec, stopped_at, .. } =
        agents::find_by_name(&call.ctx, name).await.map_err(|error| match error {
            agents::Error::NotFound(_) => StepError::permanent("not_found", format!("there is no agent {name:?}")),
            agents::Error::Db(error) if error.is_transient() => StepError::transient("unavailable", error.to_string()),
            error => StepError::permanent("refused", error.to_string()),
        })?;
    let (version, spec) = match config.version {
        Some(asked) if asked != version => (asked, version_of(call, id, asked).await?),
        _ => (version, spec),
    };
    if config.prompt.trim().is_empty() {
        return Err(StepError::permanent("config", "prompt: expected a task, found nothing"));
    }
    let schema = match config.schema {
        Value::String(text) if text.trim().is_empty() => Value::Null,
        Value::String(text) => serde_json::from_str(&text)
            .map_err(|error| StepError::permanent("config", format!("schema: expected a JSON Schema: {error}")))?,
        schema => schema,
    };
    if !schema.is_null() {
        jsonschema::validator_for(&schema)
            .map_err(|error| StepError::permanent("config", format!("schema: expected a JSON Schema: {error}")))?;
    }
    let context = read_context(&config.context)?.over(&spec.context);
    let taken = spec.take_persona(&config.prompt, &config.variables).map_err(|fault| {
        StepError::permanent("config", format!("{}: {}", fault.pointer.trim_start_matches('/'), fault.message))
    })?;
    let above = above::look(call).await?;
    let spec = above.narrow(AgentSpec { context, persona: taken.text, ..spec });
    let seat = if spec.is_in_team() { team::join(call, id, &name).await? } else { None };
    let entry = Entry::Begun {
        agent: id,
        name,
        version,
        spec: Box::new(spec),
        prompt: config.prompt,
        schema,
        seat,
        persona: taken.chosen,
        is_trial: config.trial,
        untrusted: above.untrusted,
    };
    if let Some(work) = Work::fold(std::slice::from_ref(&entry))? {
        let status = if stopped_at.is_some() { TaskStatus::Waiting } else { TaskStatus::Working };
        tell(call, &work, status, None).await;
    }
    advanced(&entry)
}

/// What the agent was at a version.
async fn version_of(call: &StepCall, id: AgentId, version: i64) -> Result<AgentSpec, StepError> {
    match agents::get_version(&call.ctx, id, version).await {
        Ok(found) => Ok(found.spec),
        Err(agents::Error::Db(error)) if error.is_transient() => {
            Err(StepError::transient("unavailable", error.to_string()))
        }
        Err(error) => Err(StepError::permanent("not_found", format!("version {version} of the agent: {error}"))),
    }
}

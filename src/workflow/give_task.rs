//! Giving an agent something to do: a run of one step.

use serde_json::json;

use super::runs::{NewRun, Source};
use super::{Error, steps};
use crate::agents;
use crate::model::workflow::TriggerKind;
use crate::model::{AgentId, RunId};
use crate::runtime::Ctx;

/// Characters of a task at most.
const MAX_PROMPT: usize = 100_000;

/// Gives an agent a task. Returns once the run is durable; it goes on by itself.
///
/// # Errors
/// [`Error::Invalid`] for a task that is empty or too long, [`Error::NotFound`] for no such agent, [`Error::Conflict`] for
/// one that was stopped, and as [`super::start()`].
pub async fn give_task(ctx: &Ctx, id: AgentId, prompt: String) -> Result<RunId, Error> {
    ctx.authorize(crate::model::auth::Action::StartRun)?;
    if prompt.trim().is_empty() || prompt.chars().count() > MAX_PROMPT {
        return Err(Error::invalid("/prompt", format!("expected a task of 1 to {MAX_PROMPT} characters")));
    }
    let agent = agents::get(ctx, id).await.map_err(|error| Error::Other(error.into()))?;
    if agent.stopped_at.is_some() {
        return Err(Error::Conflict(format!("the agent {} is stopped; let it work again first", agent.name)));
    }
    let source = Source::Inline(Box::new(steps::agent_definition(&agent.name)));
    super::start(ctx, NewRun::new(source, json!({"prompt": prompt}), TriggerKind::Manual)).await
}

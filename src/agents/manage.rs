//! Adding, changing, stopping and deleting agents.

use serde_json::json;

use super::error::{Error, Result};
use super::{queue, store, validate};
use crate::db;
use crate::model::agent::{Agent, AgentDraft, AgentTemplate, AgentVersion, TEMPLATES};
use crate::model::auth::Action;
use crate::model::live::Topic;
use crate::model::{AgentId, WorkspaceId};
use crate::runtime::{Ctx, Principal, Runtime};

/// Agents of one workspace.
const MAX_AGENTS: i64 = 500;

/// Every agent, by name.
///
/// # Errors
/// [`Error::Denied`].
pub async fn list(ctx: &Ctx) -> Result<Vec<Agent>> {
    ctx.authorize(Action::ReadAgent)?;
    Ok(store::agent::list(&ctx.db, ctx.workspace()).await?)
}

/// One agent.
///
/// # Errors
/// [`Error::NotFound`] also for another workspace's.
pub async fn get(ctx: &Ctx, id: AgentId) -> Result<Agent> {
    ctx.authorize(Action::ReadAgent)?;
    find(ctx, id).await
}

/// The agent of this name, as it is written.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_by_name(ctx: &Ctx, name: &str) -> Result<Agent> {
    ctx.authorize(Action::ReadAgent)?;
    store::agent::find_by_name(&ctx.db, ctx.workspace(), name).await?.ok_or(Error::NotFound("agent"))
}

/// What an agent was, the newest version first; at most 100.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn list_versions(ctx: &Ctx, id: AgentId) -> Result<Vec<AgentVersion>> {
    ctx.authorize(Action::ReadAgent)?;
    find(ctx, id).await?;
    Ok(store::version::list(&ctx.db, ctx.workspace(), id).await?)
}

/// What an agent was at a version, one of the newest 100.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_version(ctx: &Ctx, id: AgentId, version: i64) -> Result<AgentVersion> {
    ctx.authorize(Action::ReadAgent)?;
    store::version::find(&ctx.db, ctx.workspace(), id, version).await?.ok_or(Error::NotFound("version"))
}

/// Whether an agent may do nothing: somebody stopped it, or it is gone. Asked before each thing that it does.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn is_stopped(ctx: &Ctx, id: AgentId) -> Result<bool> {
    ctx.authorize(Action::ReadAgent)?;
    Ok(!store::agent::may_work(&ctx.db, ctx.workspace(), id).await?)
}

/// Agents to begin with. Some need to be told first what only the team knows, such as hosts.
///
/// # Errors
/// [`Error::Denied`].
pub fn list_templates(ctx: &Ctx) -> Result<Vec<AgentDraft>> {
    ctx.authorize(Action::ReadAgent)?;
    let draft = |template: &AgentTemplate| AgentDraft { name: template.name.to_owned(), spec: template.spec() };
    Ok(TEMPLATES.iter().map(draft).collect())
}

/// Adds an agent, at version 1.
///
/// # Errors
/// [`Error::Invalid`] with pointers such as `/spec/limits/turns`; [`Error::Conflict`] when the name is taken or there are too many.
pub async fn create(ctx: &Ctx, draft: AgentDraft) -> Result<Agent> {
    ctx.authorize(Action::EditAgent)?;
    validate::draft(&draft)?;
    let id: AgentId = ctx.ids.fresh();
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    if store::agent::count(&mut tx, ctx.workspace()).await? >= MAX_AGENTS {
        return Err(Error::Conflict(format!("the workspace has {MAX_AGENTS} agents; delete one first")));
    }
    unless_taken(store::agent::insert(&mut tx, ctx.workspace(), id, &draft, now).await, &draft.name)?;
    store::version::insert(&mut tx, ctx.workspace(), (id, 1), &draft.spec, who(ctx), now).await?;
    tx.commit().await?;
    tracing::info!(agent = %id, by = %ctx.actor.principal, "an agent was added");
    publish_change(ctx, id);
    find(ctx, id).await
}

/// Changes an agent that somebody saw at `version` (`None`: however it is) and so makes its next version; none where nothing differs.
/// What it is busy with goes on as it began.
///
/// # Errors
/// [`Error::Conflict`] when somebody changed it since, or the name is taken; [`Error::NotFound`]; [`Error::Invalid`].
pub async fn update(ctx: &Ctx, id: AgentId, version: impl Into<Option<i64>>, draft: AgentDraft) -> Result<Agent> {
    ctx.authorize(Action::EditAgent)?;
    let before = find(ctx, id).await?;
    let version = version.into().unwrap_or(before.version);
    validate::draft(&draft)?;
    if version == before.version && draft.name == before.name && draft.spec == before.spec {
        return Ok(before);
    }
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let changed = store::agent::update(&mut tx, ctx.workspace(), (id, version), &draft, now).await;
    if !unless_taken(changed, &draft.name)? {
        return Err(Error::Conflict(format!(
            "the agent was changed by somebody else meanwhile: it is at version {}, yours began at {version}",
            before.version
        )));
    }
    store::version::insert(&mut tx, ctx.workspace(), (id, version + 1), &draft.spec, who(ctx), now).await?;
    tx.commit().await?;
    tracing::info!(agent = %id, version = version + 1, by = %ctx.actor.principal, "an agent was changed");
    publish_change(ctx, id);
    find(ctx, id).await
}

/// Deletes an agent with its versions and the list of its tasks. What it is doing stops; the runs stay.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(ctx: &Ctx, id: AgentId) -> Result<()> {
    ctx.authorize(Action::EditAgent)?;
    let mut tx = ctx.db.begin().await?;
    if !store::agent::delete(&mut tx, ctx.workspace(), id).await? {
        return Err(Error::NotFound("agent"));
    }
    tx.commit().await?;
    tracing::info!(agent = %id, by = %ctx.actor.principal, "an agent was deleted");
    publish_change(ctx, id);
    Ok(())
}

/// Stops an agent, or lets it work again. Stopping one that is stopped changes nothing, not even who did it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn halt(ctx: &Ctx, id: AgentId, stopped: bool) -> Result<Agent> {
    ctx.authorize(Action::ControlRun)?;
    let mut tx = ctx.db.begin().await?;
    let changed = if stopped {
        store::agent::stop(&mut tx, ctx.workspace(), id, who(ctx), ctx.clock.now()).await?
    } else {
        store::agent::release(&mut tx, ctx.workspace(), id).await?
    };
    tx.commit().await?;
    let agent = find(ctx, id).await?;
    if changed {
        let what = if stopped { "an agent was stopped" } else { "an agent may work again" };
        tracing::info!(agent = %id, by = %ctx.actor.principal, "{what}");
        publish_change(ctx, id);
    }
    Ok(agent)
}

async fn find(ctx: &Ctx, id: AgentId) -> Result<Agent> {
    store::agent::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("agent"))
}

/// Tells whoever looks at agents that one of them differs, and whoever gives them tasks.
fn publish_change(ctx: &Ctx, id: AgentId) {
    publish(ctx.runtime(), ctx.workspace(), id);
    queue::nudge(ctx.runtime());
}

/// Tells whoever looks at agents that one of them differs.
pub(super) fn publish(runtime: &Runtime, workspace: WorkspaceId, id: AgentId) {
    runtime.events.publish(workspace, Topic::Agents, "agents_changed", json!({"id": id}));
}

/// Tells whoever looks at agents that leases differ, such as one of this agent.
pub(super) fn publish_leases(ctx: &Ctx, id: AgentId) {
    ctx.events.publish(ctx.workspace(), Topic::Agents, "agents_changed", json!({"id": id, "lease": true}));
}

/// A person's or a key's name; none for the program itself.
fn who(ctx: &Ctx) -> Option<&str> {
    match &ctx.actor.principal {
        Principal::User { name, .. } | Principal::Key { name, .. } => Some(name),
        Principal::OnBehalf { .. } | Principal::System => None,
    }
}

/// A name that is in use already, as the conflict that it is.
fn unless_taken<T>(done: db::Result<T>, name: &str) -> Result<T> {
    done.map_err(|error| match error {
        db::Error::Duplicate(_) => Error::Conflict(format!("there is an agent called {name} already")),
        error => error.into(),
    })
}

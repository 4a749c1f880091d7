//! Workflows as people keep them: drafts, immutable versions, templates, files.
//!
//! A draft may be anything that parses, also with problems; publishing refuses what the checker calls an error. Every save
//! names the revision that it began from, so that two editors never overwrite each other unknowingly.

pub mod file;
mod store;
pub mod templates;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::store::run::newest_of_each;
use super::{Error, travel};
use crate::model::auth::Action;
use crate::model::live::Topic;
use crate::model::workflow::check::{self, check};
use crate::model::workflow::kind::{Description, KINDS, Kind};
use crate::model::workflow::{Definition, Problem, Template, Version, Workflow, WorkflowSummary};
use crate::model::{Page, PageRequest, WorkflowId};
use crate::runtime::Ctx;

/// Bytes that a definition may take as JSON.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What part of the list is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Filter {
    /// Words that the name or the description contains, in any case; empty means all.
    pub query: String,
}

/// Lists workflows, last changed first.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn list(ctx: &Ctx, filter: &Filter, page: &PageRequest) -> Result<Page<WorkflowSummary>, Error> {
    ctx.authorize(Action::ReadWorkflow)?;
    if filter.query.contains('\0') {
        return Err(Error::invalid("query", "expected no NUL characters"));
    }
    let mut page = store::list(&ctx.db, ctx.workspace(), filter, page).await?;
    if let (Some(first), Some(last)) = (page.items.first(), page.items.last()) {
        let changed = last.updated_at..=first.updated_at;
        let newest = newest_of_each(&ctx.db, ctx.workspace(), changed).await?;
        let mut newest: HashMap<_, _> = newest.into_iter().map(|run| (run.workflow_id, run)).collect();
        for workflow in &mut page.items {
            workflow.last_run = newest.remove(&Some(workflow.id));
        }
    }
    Ok(page)
}

/// One workflow with its draft.
///
/// # Errors
/// [`Error::NotFound`] also for another workspace's.
pub async fn get(ctx: &Ctx, id: WorkflowId) -> Result<Workflow, Error> {
    ctx.authorize(Action::ReadWorkflow)?;
    store::get(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("workflow"))
}

/// The workflow with this name.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_by_name(ctx: &Ctx, name: &str) -> Result<Workflow, Error> {
    ctx.authorize(Action::ReadWorkflow)?;
    if name.contains('\0') {
        return Err(Error::NotFound("workflow"));
    }
    let id = store::find_by_name(&ctx.db, ctx.workspace(), name).await?.ok_or(Error::NotFound("workflow"))?;
    get(ctx, id).await
}

/// Makes a workflow whose draft is `definition`. A name that is taken gets a number: "Nightly tests 2".
///
/// # Errors
/// [`Error::Invalid`] for a name or a size that doesn't fit. Other problems of the draft are no hindrance.
pub async fn create(ctx: &Ctx, mut definition: Definition) -> Result<Workflow, Error> {
    ctx.authorize(Action::EditWorkflow)?;
    check_storable(&definition)?;
    let mut tx = ctx.db.begin().await?;
    definition.name = store::free_name(&mut tx, ctx.workspace(), definition.name.trim()).await?;
    let id: WorkflowId = ctx.ids.fresh();
    let owner = ctx.actor.principal.user_id();
    store::insert(&mut tx, id, ctx.workspace(), owner, &definition, ctx.clock.now()).await?;
    tx.commit().await?;
    changed(ctx, id);
    get(ctx, id).await
}

/// Saves the draft that was edited from `revision`.
///
/// # Errors
/// [`Error::Conflict`] when somebody saved since; nothing is changed then. [`Error::Invalid`] as for [`create`].
pub async fn save_draft(ctx: &Ctx, id: WorkflowId, revision: i64, definition: &Definition) -> Result<Workflow, Error> {
    ctx.authorize(Action::EditWorkflow)?;
    check_storable(definition)?;
    let mut tx = ctx.db.begin().await?;
    let current = store::revision(&mut tx, ctx.workspace(), id).await?.ok_or(Error::NotFound("workflow"))?;
    if current != revision {
        return Err(Error::Conflict(format!(
            "the draft was saved by somebody else meanwhile: it is at revision {current}, yours began at {revision}"
        )));
    }
    store::update_draft(&mut tx, id, definition, ctx.actor.principal.acts_for(), ctx.clock.now()).await?;
    tx.commit().await?;
    changed(ctx, id);
    get(ctx, id).await
}

/// Makes an immutable version of the draft and returns its number. A draft that equals the newest version makes none and
/// returns that one's number.
///
/// # Errors
/// [`Error::Problems`] when the checker finds errors; [`Error::TestsFailed`] when the workflow's tests gate publishing and
/// one fails on the draft.
pub async fn publish(ctx: &Ctx, id: WorkflowId) -> Result<i64, Error> {
    publish_seen(ctx, id, None).await
}

/// As [`publish`], of the draft that was seen at a revision, and of no other.
///
/// # Errors
/// Those of [`publish`], and [`Error::Conflict`] when somebody saved since.
pub async fn publish_seen(ctx: &Ctx, id: WorkflowId, revision: Option<i64>) -> Result<i64, Error> {
    ctx.authorize(Action::PublishWorkflow)?;
    let workflow = get(ctx, id).await?;
    check_seen(&workflow, revision)?;
    let problems = check(&workflow.draft);
    if check::has_errors(&problems) {
        return Err(Error::Problems(problems));
    }
    if let (Some(version), false) = (workflow.published_version, workflow.draft_changed) {
        return Ok(version);
    }
    travel::check_gate(ctx, id, &workflow.draft).await?;
    let mut tx = ctx.db.begin().await?;
    let current = store::revision(&mut tx, ctx.workspace(), id).await?.ok_or(Error::NotFound("workflow"))?;
    if current != workflow.revision {
        return Err(Error::Conflict(
            "the draft was saved by somebody else just now; look at it, then publish".to_owned(),
        ));
    }
    let by = ctx.actor.principal.user_id();
    let version = store::insert_version(&mut tx, id, &workflow.draft, by, ctx.clock.now()).await?;
    tx.commit().await?;
    changed(ctx, id);
    Ok(version)
}

/// Refuses what is asked of a draft that is not the one that was seen.
///
/// # Errors
/// [`Error::Conflict`].
pub fn check_seen(workflow: &Workflow, revision: Option<i64>) -> Result<(), Error> {
    match revision.filter(|seen| *seen != workflow.revision) {
        None => Ok(()),
        Some(seen) => Err(Error::Conflict(format!(
            "the draft was saved by somebody else meanwhile: it is at revision {}, you saw {seen}",
            workflow.revision
        ))),
    }
}

/// Every version, newest first.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn list_versions(ctx: &Ctx, id: WorkflowId, page: &PageRequest) -> Result<Page<Version>, Error> {
    get(ctx, id).await?;
    store::list_versions(&ctx.db, id, page).await
}

/// One version.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_version(ctx: &Ctx, id: WorkflowId, version: i64) -> Result<Version, Error> {
    get(ctx, id).await?;
    store::get_version(&ctx.db, id, version).await?.ok_or(Error::NotFound("version"))
}

/// Deletes a workflow with its versions. Its runs stay, with what they ran.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete(ctx: &Ctx, id: WorkflowId) -> Result<(), Error> {
    ctx.authorize(Action::EditWorkflow)?;
    let mut tx = ctx.db.begin().await?;
    if !store::delete(&mut tx, ctx.workspace(), id).await? {
        return Err(Error::NotFound("workflow"));
    }
    tx.commit().await?;
    changed(ctx, id);
    Ok(())
}

/// Every problem of a definition that need not be stored.
///
/// # Errors
/// [`Error::Denied`].
pub fn list_problems(ctx: &Ctx, definition: &Definition) -> Result<Vec<Problem>, Error> {
    ctx.authorize(Action::ReadWorkflow)?;
    Ok(check(definition))
}

/// Every kind of step, in the order of the palette.
///
/// # Errors
/// [`Error::Denied`].
pub fn list_kinds(ctx: &Ctx) -> Result<Vec<Description>, Error> {
    ctx.authorize(Action::ReadWorkflow)?;
    Ok(KINDS.iter().map(Kind::describe).collect())
}

/// The workflows that ship with Weft.
///
/// # Errors
/// [`Error::Denied`].
pub fn list_templates(ctx: &Ctx) -> Result<Vec<Template>, Error> {
    ctx.authorize(Action::ReadWorkflow)?;
    Ok(templates::list().to_vec())
}

/// What must fit before a draft is stored at all.
fn check_storable(definition: &Definition) -> Result<(), Error> {
    let chars = definition.name.trim().chars().count();
    if chars == 0 || chars > check::MAX_NAME_CHARS {
        return Err(Error::invalid(
            "/name",
            format!("expected 1 to {} characters, found {chars}", check::MAX_NAME_CHARS),
        ));
    }
    if definition.name.chars().any(char::is_control) {
        return Err(Error::invalid("/name", "expected no control characters"));
    }
    let text = serde_json::to_string(definition).expect("our own types serialise");
    if text.len() > MAX_BYTES {
        return Err(Error::invalid("", format!("expected at most {MAX_BYTES} bytes, found {}", text.len())));
    }
    // Postgres' jsonb can't hold it. A backslash that was written as one stands there twice: `\\u0000` is no escape.
    if text.replace(r"\\", "").contains(r"\u0000") {
        return Err(Error::invalid("", "expected no NUL characters"));
    }
    Ok(())
}

fn changed(ctx: &Ctx, id: WorkflowId) {
    ctx.events.publish(ctx.workspace(), Topic::Workflows, "workflow_changed", json!({"id": id}));
}

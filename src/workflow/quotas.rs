//! How many runs a workspace may have.

use super::Error;
use super::engine::Engine;
use super::store::flow;
use super::store::flow::quota::{self, Own};
use crate::model::FieldError;
use crate::model::auth::Action;
use crate::model::workflow::Quotas;
use crate::runtime::Ctx;

/// Runs of the workspace that may wait and that may be in progress.
///
/// # Errors
/// The database's.
pub async fn get_quotas(ctx: &Ctx) -> Result<Quotas, Error> {
    ctx.authorize(Action::ReadRun)?;
    Ok(shown(ctx, quota::find(&ctx.db, ctx.workspace()).await?))
}

/// Sets how many runs of the workspace may wait and may be in progress; `None` for as many as the server allows. Runs in
/// progress count at once and go on, also where they are more; those that may begin now do.
///
/// # Errors
/// [`Error::Invalid`] for other than 1 to what the server allows.
pub async fn set_quotas(ctx: &Ctx, queued: Option<u32>, running: Option<u32>) -> Result<Quotas, Error> {
    // Who looks after the people of a workspace looks after its settings.
    ctx.authorize(Action::ManageUser)?;
    let check = |field: &str, asked: Option<u32>, most: u32| {
        let asked = asked.filter(|asked| !(1..=most).contains(asked))?;
        Some(FieldError::new(field, format!("expected 1 to {most}, found {asked}")))
    };
    let refused: Vec<FieldError> = [
        check("max_queued_runs", queued, ctx.config.max_queued_runs),
        check("max_running_runs", running, ctx.config.max_running_runs.unwrap_or(Quotas::MAX)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !refused.is_empty() {
        return Err(Error::Invalid(refused));
    }
    let (engine, workspace, own) = (Engine::of(ctx.runtime()), ctx.workspace(), Own { queued, running });
    // Before it holds: a run that ends meanwhile gives back the place that it is about to get.
    if running.is_some() {
        engine.note_limit(workspace, true);
    }
    let mut tx = ctx.db.begin().await?;
    flow::lock(&mut tx, workspace).await?;
    quota::set(&mut tx, workspace, own).await?;
    if running.is_some() {
        quota::settle(&mut tx, workspace, ctx.clock.now()).await?;
    }
    tx.commit().await?;
    engine.note_limit(workspace, running.is_some());
    engine.limit_changed(workspace);
    Ok(shown(ctx, own))
}

fn shown(ctx: &Ctx, own: Own) -> Quotas {
    Quotas {
        max_queued_runs: own.queued,
        max_running_runs: own.running,
        server_max_queued_runs: ctx.config.max_queued_runs,
        server_max_running_runs: ctx.config.max_running_runs,
    }
}

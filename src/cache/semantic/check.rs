//! Shadow checks: of the answers that were given by meaning, a share is asked of the model too.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::error::Result;
use super::super::keep::{Ticket, hold};
use super::super::look::{Hit, Kept};
use super::super::measure;
use super::super::store::hit;
use super::super::store::semantic::{self, NewObservation};
use super::near::Given;
use super::{keep, threshold};
use crate::model::WorkspaceId;
use crate::model::gateway::Response;
use crate::runtime::Ctx;

/// Workspaces whose answers are being checked by this process: one at a time in each.
#[derive(Debug, Default)]
struct Busy(Mutex<HashSet<WorkspaceId>>);

/// An answer to be checked. Dropped, the next one may be.
pub struct Check {
    ctx: Ctx,
    kept: Arc<Kept>,
    given: Given,
    busy: Arc<Busy>,
    _ticket: Ticket,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check").field("given", &self.given.id).finish_non_exhaustive()
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        self.busy.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.ctx.workspace());
    }
}

/// Draws whether this answer is checked; never while another one of the workspace is.
pub fn draw_check(ctx: &Ctx, hit: &Hit) -> Option<Check> {
    let given = hit.given.as_deref()?;
    if ctx.ids.fraction() * 100.0 >= f64::from(given.shadow_percent) {
        return None;
    }
    let busy: Arc<Busy> = ctx.shared();
    if !busy.0.lock().unwrap_or_else(PoisonError::into_inner).insert(ctx.workspace()) {
        return None;
    }
    let ticket = hold(ctx.runtime());
    Some(Check { ctx: ctx.clone(), kept: Arc::clone(&hit.kept), given: given.clone(), busy, _ticket: ticket })
}

impl Check {
    /// Compares what the model says with what was given, and notes that. Where it can't be told nothing is noted.
    pub async fn tell(self, response: &Response) {
        match self.note(response).await {
            Ok(Some(true)) => measure::semantic("checked_same"),
            Ok(Some(false)) => measure::semantic("checked_wrong"),
            Ok(None) => measure::semantic("checked_unknown"),
            Err(error) => tracing::warn!(%error, "what a check of a kept answer showed was not noted"),
        }
    }

    async fn note(&self, response: &Response) -> Result<Option<bool>> {
        let (ctx, given) = (&self.ctx, &self.given);
        let person = ctx.actor.principal.user_id();
        let same = keep::is_same(ctx, &given.serving, (response, &self.kept.response), person).await;
        let Some(same) = same else { return Ok(None) };
        let new = NewObservation {
            id: ctx.ids.fresh(),
            key: &given.kept_key,
            embedder: given.serving.id,
            similarity: given.similarity,
            same,
            source: "checked",
            at: ctx.clock.now(),
        };
        let mut tx = ctx.db.begin().await?;
        hit::note_check(&mut tx, ctx.workspace(), given.id, same).await?;
        semantic::insert_observation(&mut tx, ctx.workspace(), &new, threshold::MOST).await?;
        tx.commit().await?;
        Ok(Some(same))
    }
}

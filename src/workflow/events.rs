//! Events from outside: sent by key, taken in by every run that waits for that key.
//!
//! Promises that an event that was acknowledged is taken once by each run that waits for it, or comes to wait for it a
//! little later and had begun by then; that of several events a run takes the oldest first; and that the same sender's id
//! is taken once.

use serde_json::Value;

use super::engine::Engine;
use super::machine::MAX_KEY_CHARS;
use super::store::event::{self, NewEvent};
use super::{Error, engine};
use crate::model::RunId;
use crate::model::auth::Action;
use crate::runtime::Ctx;

/// Bytes of a payload as JSON.
pub const MAX_PAYLOAD_BYTES: usize = 256 * 1024;

/// Sends an event. Returns the runs that it reached; none when it was sent before under the same id.
///
/// # Errors
/// [`Error::Invalid`] naming `/key`, `/id` or `/payload`.
pub async fn send(ctx: &Ctx, key: &str, payload: &Value, sender_id: Option<&str>) -> Result<Vec<RunId>, Error> {
    ctx.authorize(Action::ControlRun)?;
    let fits = |text: &str| !text.trim().is_empty() && text.chars().count() <= MAX_KEY_CHARS;
    let is_clean = |text: &str| !text.chars().any(char::is_control);
    if !fits(key) || !is_clean(key) || key.trim() != key {
        return Err(Error::invalid(
            "/key",
            "expected 1 to 200 characters, no control characters, no space at the ends",
        ));
    }
    if sender_id.is_some_and(|id| !fits(id) || !is_clean(id)) {
        return Err(Error::invalid("/id", "expected 1 to 200 characters and no control characters"));
    }
    if payload.to_string().len() > MAX_PAYLOAD_BYTES {
        return Err(Error::invalid("/payload", format!("expected at most {} KiB", MAX_PAYLOAD_BYTES / 1024)));
    }
    let sent_by = ctx.actor.principal.acts_for();
    let new = NewEvent { id: ctx.ids.fresh(), key, payload, sender_id, sent_by };
    let mut tx = ctx.db.begin().await?;
    let reached = event::send(&mut tx, ctx.workspace(), &new, || ctx.ids.fresh(), ctx.clock.now()).await?;
    tx.commit().await?;
    let reached = reached.unwrap_or_default();
    let engine: std::sync::Arc<engine::Engine> = Engine::of(ctx.runtime());
    for run in &reached {
        engine.poke(ctx.runtime(), *run);
    }
    Ok(reached)
}

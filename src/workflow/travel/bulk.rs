//! One command to many runs.

use crate::model::auth::Action;
use crate::model::workflow::{BulkResult, Command};
use crate::model::{ApiError, RunId};
use crate::runtime::Ctx;
use crate::workflow::{Error, runs};

/// Runs that one command reaches at most.
pub const MAX_RUNS: usize = 200;

/// Gives a command to each run, one after the other, and tells of each what came of it. One that is refused does not keep
/// the others from it.
///
/// # Errors
/// [`Error::Invalid`] for no runs or more than [`MAX_RUNS`], [`Error::Denied`].
pub async fn control_many(ctx: &Ctx, ids: &[RunId], command: Command) -> Result<Vec<BulkResult>, Error> {
    ctx.authorize(Action::ControlRun)?;
    if ids.is_empty() || ids.len() > MAX_RUNS {
        return Err(Error::invalid("/ids", format!("expected 1 to {MAX_RUNS} runs, found {}", ids.len())));
    }
    let mut results = Vec::with_capacity(ids.len());
    for &run_id in ids {
        results.push(match runs::control(ctx, run_id, command).await {
            Ok(summary) => BulkResult { run_id, status: Some(summary.status), refused: None },
            Err(error) => BulkResult { run_id, status: None, refused: Some(ApiError::from(error).to_string()) },
        });
    }
    Ok(results)
}

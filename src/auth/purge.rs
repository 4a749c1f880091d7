//! Forgets what ended by time, so that no table grows for ever.

use std::time::Duration;

use super::error::Result;
use super::login_session::hold;
use super::store;
use crate::runtime::Runtime;

const EVERY: Duration = Duration::from_hours(1);

/// Starts the hourly purge; it ends with the process.
pub fn start(runtime: &Runtime) {
    let runtime = runtime.clone();
    runtime.clone().tasks.spawn("auth purge", async move {
        let stopping = runtime.tasks.stopping().clone();
        loop {
            if runtime.keeps_house()
                && let Err(error) = purge(&runtime).await
            {
                tracing::warn!(%error, "expired sign-ins and invitations were not forgotten; trying again in an hour");
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    });
}

/// Forgets expired login sessions (with their refresh tokens) and invitations. Gives how many.
///
/// # Errors
/// When the database refuses.
pub async fn purge(runtime: &Runtime) -> Result<u64> {
    let hold = hold(runtime);
    let mut tx = runtime.db.begin().await?;
    let sessions = store::login_sessions::purge(&mut tx, hold).await?;
    let invites = store::invites::purge(&mut tx, hold.now).await?;
    tx.commit().await?;
    Ok(sessions + invites)
}

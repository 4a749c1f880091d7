//! Commands without a server: they open the database of the settings and act for the program itself in its oldest workspace.

use std::path::Path;
use std::time::Duration;

use super::{Failure, Global, serve};
use crate::model::ApiError;
use crate::runtime::{Config, Ctx};
use crate::{auth, gateway, master};

/// How long the end of a command waits for what it began.
const DRAIN: Duration = Duration::from_secs(5);

/// Does some work in the database of the settings, and closes it in order.
///
/// # Errors
/// As opening the database; code 4 when nobody has set Weft up there; what the work refuses.
pub(super) async fn within(
    global: &Global,
    work: impl AsyncFnOnce(&Ctx) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let ctx = open(global.command()?).await?;
    let done = work(&ctx).await;
    close(&ctx).await;
    done
}

/// Acts in the database of `config`. Leaves no trace where there is none yet.
///
/// # Errors
/// As [`within`].
pub(super) async fn open(config: Config) -> Result<Ctx, Failure> {
    if sqlite_file(&config).is_some_and(|file| !file.exists()) {
        return Err(not_set_up(&config));
    }
    let refusal = not_set_up(&config);
    let runtime = serve::boot(config).await?;
    // Beside servers on Postgres another master key may begin to seal while this goes on.
    master::accompany(&runtime);
    let workspace = auth::find_workspace(&runtime).await.map_err(ApiError::from)?.ok_or(refusal)?;
    Ok(runtime.system(workspace))
}

/// Acts in a database in memory, which is gone when the command ends.
///
/// # Errors
/// As opening the database.
pub(super) async fn in_memory(mut config: Config) -> Result<Ctx, Failure> {
    "sqlite::memory:".clone_into(&mut config.database_url);
    let runtime = serve::boot_with(config, serve::KeySource::Ephemeral).await?;
    let workspace = auth::create_local_workspace(&runtime).await.map_err(ApiError::from)?;
    gateway::seed(&runtime, workspace).await;
    Ok(runtime.system(workspace))
}

/// Ends what goes on, then the database.
pub(super) async fn close(ctx: &Ctx) {
    ctx.tasks.stop(DRAIN).await;
    ctx.db.close().await;
}

fn not_set_up(config: &Config) -> Failure {
    let place = sqlite_file(config).map_or_else(|| "this database".to_owned(), |file| file.display().to_string());
    Failure { code: 4, message: format!("there is no workspace in {place} yet; start `weft serve` once and set it up") }
}

/// The database's file, if it is one.
fn sqlite_file(config: &Config) -> Option<&Path> {
    let path = config.database_url.strip_prefix("sqlite:")?.trim_start_matches("//");
    (path != ":memory:").then(|| Path::new(path))
}

//! Commands without a server: they open the database of the settings and act for the program itself in its oldest workspace.

use super::{Failure, Global, serve};
use crate::auth;
use crate::model::ApiError;
use crate::runtime::{Config, Ctx};

/// Acts in the database of the settings.
///
/// # Errors
/// As opening the database; code 4 when nobody has set Weft up there.
pub(super) async fn open(global: &Global) -> Result<Ctx, Failure> {
    open_with(global.config()?).await
}

/// Acts in the database of `config`.
///
/// # Errors
/// As [`open`].
pub(super) async fn open_with(config: Config) -> Result<Ctx, Failure> {
    let runtime = serve::boot(config).await?;
    let workspace = auth::find_workspace(&runtime).await.map_err(ApiError::from)?.ok_or_else(|| Failure {
        code: 4,
        message: "there is no workspace in this database yet; start `weft serve` once and set it up".to_owned(),
    })?;
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
    Ok(runtime.system(workspace))
}

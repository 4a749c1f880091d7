//! Settings of a workspace.

use sqlx::{query, query_as};

use crate::db::{Db, Error, Result, Tx};
use crate::model::cache::{CacheSettings, Programs};
use crate::model::{Timestamp, WorkspaceId};
use crate::{read, within};

/// The settings of a workspace; the usual ones where it never said anything.
pub async fn find(db: &Db, workspace: WorkspaceId) -> Result<CacheSettings> {
    let row: Option<(bool, String)> = read!(db, conn => query_as("select enabled, programs from cache_setting where workspace_id = $1")
            .bind(workspace)
            .fetch_optional(conn)
            .await)?;
    let Some((enabled, programs)) = row else { return Ok(CacheSettings::default()) };
    let programs =
        Programs::parse(&programs).ok_or_else(|| Error::inconsistent("cache_setting", "programs", &programs))?;
    Ok(CacheSettings { enabled, programs })
}

/// Writes them.
pub async fn put(tx: &mut Tx, workspace: WorkspaceId, settings: CacheSettings, now: Timestamp) -> Result<()> {
    within!(tx, conn => query(
        "insert into cache_setting (workspace_id, enabled, programs, updated_at) values ($1, $2, $3, $4)
         on conflict (workspace_id) do update set
            enabled = excluded.enabled, programs = excluded.programs, updated_at = excluded.updated_at",
    )
    .bind(workspace)
    .bind(settings.enabled)
    .bind(settings.programs.as_str())
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

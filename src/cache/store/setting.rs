//! Settings of a workspace.

use sqlx::{query, query_as};

use crate::db::{Db, Error, Result, Tx};
use crate::model::cache::{CacheSettings, Programs, SemanticSettings};
use crate::model::{Timestamp, WorkspaceId};
use crate::{read, within};

/// The settings of a workspace; the usual ones where it never said anything.
pub async fn find(db: &Db, workspace: WorkspaceId) -> Result<CacheSettings> {
    let row: Option<(bool, String, bool, f64, i64, i64)> = read!(db, conn => query_as(
        "select enabled, programs, semantic, error_budget, shadow_percent, warm_minutes from cache_setting where workspace_id = $1",
    )
    .bind(workspace)
    .fetch_optional(conn)
    .await)?;
    let Some((enabled, programs, semantic, error_budget, shadow, warm)) = row else {
        return Ok(CacheSettings::default());
    };
    let whole = |column, number: i64| {
        u32::try_from(number).map_err(|_| Error::inconsistent("cache_setting", column, number.to_string()))
    };
    let (shadow_percent, warm_minutes) = (whole("shadow_percent", shadow)?, whole("warm_minutes", warm)?);
    let programs =
        Programs::parse(&programs).ok_or_else(|| Error::inconsistent("cache_setting", "programs", &programs))?;
    let semantic = SemanticSettings { enabled: semantic, error_budget, shadow_percent };
    Ok(CacheSettings { enabled, programs, semantic, warm_minutes })
}

/// Writes them.
pub async fn put(tx: &mut Tx, workspace: WorkspaceId, settings: CacheSettings, now: Timestamp) -> Result<()> {
    within!(tx, conn => query(
        "insert into cache_setting (workspace_id, enabled, programs, updated_at, semantic, error_budget, shadow_percent,
            warm_minutes)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (workspace_id) do update set
            enabled = excluded.enabled, programs = excluded.programs, updated_at = excluded.updated_at,
            semantic = excluded.semantic, error_budget = excluded.error_budget, shadow_percent = excluded.shadow_percent,
            warm_minutes = excluded.warm_minutes",
    )
    .bind(workspace)
    .bind(settings.enabled)
    .bind(settings.programs.as_str())
    .bind(now)
    .bind(settings.semantic.enabled)
    .bind(settings.semantic.error_budget)
    .bind(i64::from(settings.semantic.shadow_percent))
    .bind(i64::from(settings.warm_minutes))
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

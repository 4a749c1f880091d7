//! Entries that are set aside, and what a workspace wants set aside.

use sqlx::types::Json;
use sqlx::{query, query_as};

use crate::db::{Db, Result, Tx};
use crate::model::memory::{Duplicates, MemorySettings, Quarantine, Trust};
use crate::model::{EntryId, WorkspaceId};
use crate::{read, within};

/// A word for copies that this program does not know is another program's: nothing is done about them.
fn settings_of(quarantine: Json<Vec<Trust>>, duplicates: &str) -> MemorySettings {
    MemorySettings { quarantine: quarantine.0, duplicates: Duplicates::parse(duplicates).unwrap_or_default() }
}

/// As [`super::next_change`], with what the workspace wants done about what is written: it stands in the same row, so that a
/// write asks the database no more often for it.
pub(in crate::memory) async fn begin_write(tx: &mut Tx, workspace: WorkspaceId) -> Result<(i64, MemorySettings)> {
    let (change, quarantine, duplicates): (i64, Json<Vec<Trust>>, String) = within!(tx, conn => query_as(
        "insert into memory_change (workspace_id, last_change) values ($1, 1)
         on conflict (workspace_id) do update set last_change = memory_change.last_change + 1
         returning last_change, quarantine, duplicates",
    )
    .bind(workspace)
    .fetch_one(conn)
    .await)?;
    Ok((change, settings_of(quarantine, &duplicates)))
}

/// What a workspace wants done about what is written; the usual where it never said anything.
pub(in crate::memory) async fn settings(db: &Db, workspace: WorkspaceId) -> Result<MemorySettings> {
    let row: Option<(Json<Vec<Trust>>, String)> = read!(db, conn => query_as(
        "select quarantine, duplicates from memory_change where workspace_id = $1",
    )
    .bind(workspace)
    .fetch_optional(conn)
    .await)?;
    Ok(row.map(|(quarantine, duplicates)| settings_of(quarantine, &duplicates)).unwrap_or_default())
}

/// Writes it. No change number is taken.
pub(in crate::memory) async fn put_settings(
    tx: &mut Tx,
    workspace: WorkspaceId,
    settings: &MemorySettings,
) -> Result<()> {
    within!(tx, conn => query(
        "insert into memory_change (workspace_id, last_change, quarantine, duplicates) values ($1, 0, $2, $3)
         on conflict (workspace_id) do update set quarantine = excluded.quarantine, duplicates = excluded.duplicates",
    )
    .bind(workspace)
    .bind(Json(&settings.quarantine))
    .bind(settings.duplicates.as_str())
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Sets an entry aside as it is, with its newest version.
pub(in crate::memory) async fn hold(tx: &mut Tx, id: EntryId, quarantine: &Quarantine, change: i64) -> Result<()> {
    within!(tx, conn => query(
        "update memory_entry set quarantine = $2, quarantined_at = $3, change = $4 where id = $1",
    )
    .bind(id)
    .bind(Json(quarantine))
    .bind(quarantine.at)
    .bind(change)
    .execute(conn)
    .await
    .map(drop))?;
    within!(tx, conn => query(
        "update memory_version set quarantined_at = $2, quarantine = $3
         where entry_id = $1 and version = (select version from memory_entry where id = $1)",
    )
    .bind(id)
    .bind(quarantine.at)
    .bind(Json(quarantine))
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

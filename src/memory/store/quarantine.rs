//! Entries that are set aside, and what a workspace wants set aside.

use std::sync::Arc;

use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{query, query_as};

use super::row::{clear_of, place_of_entry, place_of_version, without_reasons};
use crate::db::{self, Db, Result, Tx};
use crate::memory::Error;
use crate::memory::crypt::{self, DataKey};
use crate::model::WorkspaceId;
use crate::model::memory::{Duplicates, Entry, MemorySettings, Trust};
use crate::runtime::Ctx;
use crate::{read, within};

/// A word for copies that this program does not know is another program's: nothing is done about them.
fn settings_of(quarantine: Json<Vec<Trust>>, duplicates: &str) -> MemorySettings {
    MemorySettings { quarantine: quarantine.0, duplicates: Duplicates::parse(duplicates).unwrap_or_default() }
}

/// What every write of texts begins with.
#[derive(Debug)]
pub(in crate::memory) struct Begun {
    /// Its change number.
    pub change: i64,
    /// What the workspace wants done about what is written.
    pub settings: MemorySettings,
    /// What it is encrypted with.
    pub key: Arc<DataKey>,
}

/// As [`super::next_change`], with what else a write of texts has to know: it stands in the same row, so that a write asks the
/// database no more often for it.
pub(in crate::memory) async fn begin_write(tx: &mut Tx, ctx: &Ctx) -> Result<Begun, Error> {
    tx.mark();
    let row = within!(tx, conn => query_as::<_, (i64, Json<Vec<Trust>>, String, Option<i64>)>(
        "insert into memory_change (workspace_id, last_change) values ($1, 1)
         on conflict (workspace_id) do update set last_change = memory_change.last_change + 1
         returning last_change, quarantine, duplicates, data_key",
    )
    .bind(ctx.workspace())
    .fetch_one(conn)
    .await);
    let (change, quarantine, duplicates, number) = row.map_err(db::Error::from)?;
    let key = crypt::key_for_writing(tx, ctx, number).await?;
    Ok(Begun { change, settings: settings_of(quarantine, &duplicates), key })
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

/// Sets an entry aside as it is, with its newest version; `entry` has the quarantine already.
pub(in crate::memory) async fn hold(tx: &mut Tx, ctx: &Ctx, entry: &Entry, begun: &Begun) -> Result<()> {
    let (clear, chars) = (clear_of(entry), entry.content.chars().count() as i64);
    let (id, version) = (entry.id, entry.version);
    let quarantine = entry.quarantine.as_ref().map(without_reasons);
    let at = quarantine.as_ref().map(|quarantine| quarantine.at);
    within!(tx, conn => query(
        "update memory_entry set quarantine = $2, quarantined_at = $3, change = $4, plain = '', value = $5, metadata = $6,
             sealed = $7, data_key = $8, chars = $9 where id = $1",
    )
    .bind(id)
    .bind(quarantine.as_ref().map(Json))
    .bind(at)
    .bind(begun.change)
    .bind(Json(Value::Null))
    .bind(Json(Map::<String, Value>::new()))
    .bind(begun.key.seal(&ctx.ids, &place_of_entry(id, version), &clear))
    .bind(begun.key.number())
    .bind(chars)
    .execute(conn)
    .await
    .map(drop))?;
    within!(tx, conn => query(
        "update memory_version set quarantined_at = $3, quarantine = $4, plain = '', value = $5, metadata = $6, sealed = $7,
             data_key = $8, chars = $9
         where entry_id = $1 and version = $2",
    )
    .bind(id)
    .bind(version)
    .bind(at)
    .bind(quarantine.as_ref().map(Json))
    .bind(Json(Value::Null))
    .bind(Json(Map::<String, Value>::new()))
    .bind(begun.key.seal(&ctx.ids, &place_of_version(id, version), &clear))
    .bind(begun.key.number())
    .bind(chars)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

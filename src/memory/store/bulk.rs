//! An entry under another name.

use sqlx::query;

use crate::db::{Result, Tx};
use crate::model::EntryId;
use crate::within;

/// Puts an entry into another namespace; what its newest version says is written by whoever calls.
pub(in crate::memory) async fn relocate(tx: &mut Tx, id: EntryId, to: &str) -> Result<()> {
    within!(tx, conn => query("update memory_entry set namespace = $2 where id = $1")
        .bind(id)
        .bind(to)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

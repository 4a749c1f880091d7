//! How the memory of a workspace is encrypted, and a new key for it.

use super::{Error, make_key, store};
use crate::model::auth::Action;
use crate::model::memory::{DataKeyInfo, EncryptionReport};
use crate::runtime::Ctx;

/// Keys of a workspace at once: a rotation while so many are still in use is refused.
const MOST_OF_A_WORKSPACE: usize = 16;

/// Under which keys the memory rests, and how far a change of them has come.
///
/// # Errors
/// When the role doesn't allow it, or the database fails.
pub async fn get_encryption(ctx: &Ctx) -> Result<EncryptionReport, Error> {
    ctx.authorize(Action::ReadMemory)?;
    let Some(row) = store::sealing(&ctx.db, ctx.workspace()).await? else {
        return Ok(EncryptionReport { whole: true, ..EncryptionReport::default() });
    };
    let keys = store::keys(&ctx.db, ctx.workspace()).await?;
    let upto = if row.is_done() { i64::MAX } else { row.reseal_after };
    let (done, entries) = store::count_looked_at(&ctx.db, ctx.workspace(), upto).await?;
    Ok(EncryptionReport {
        key: row.data_key,
        keys: keys.into_iter().map(|(number, created_at)| DataKeyInfo { number, created_at }).collect(),
        entries,
        done,
        // Nothing was written yet, and so nothing waits.
        whole: row.is_done() || entries == 0,
        unreadable: row.unreadable,
    })
}

/// Makes a new key for the memory of the workspace: what is written from now on is under it, everything else follows in the
/// background, and the keys before it are deleted when nothing is under them any more.
///
/// # Errors
/// [`Error::Rotating`] while too many keys are still in use.
pub async fn rotate_data_key(ctx: &Ctx) -> Result<EncryptionReport, Error> {
    ctx.authorize(Action::ManageProvider)?;
    let keys = store::keys(&ctx.db, ctx.workspace()).await?;
    if keys.len() >= MOST_OF_A_WORKSPACE {
        return Err(Error::Rotating);
    }
    let mut tx = ctx.db.begin().await?;
    let row = store::lock_sealing(&mut tx, ctx.workspace()).await?;
    let key = make_key(&mut tx, ctx, row.data_key.unwrap_or(0) + 1).await?;
    tx.commit().await?;
    tracing::info!(key = key.number(), by = %ctx.actor.principal, "the memory of a workspace has a new key");
    super::round::wake(ctx.runtime());
    get_encryption(ctx).await
}

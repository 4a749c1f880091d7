//! Who hears of a change: answers that were made of the entry, the index, those who watch, and the work in the background.

use serde_json::json;

use super::{Error, catalog, changes, embed};
use crate::cache;
use crate::db::Tx;
use crate::model::EntryId;
use crate::model::cache::SourceKind;
use crate::model::live::Topic;
use crate::model::memory::Entry;
use crate::runtime::Ctx;

/// Tells the cache, in the same transaction: no answer outlives what it was made of.
pub(super) async fn note(tx: &mut Tx, ctx: &Ctx, (namespace, key): (&str, &str), state: &str) -> Result<(), Error> {
    let id = format!("{namespace}/{key}");
    let about = (SourceKind::Memory, id.as_str());
    cache::note_change(tx, ctx.workspace(), about, state, ctx.clock.now()).await?;
    Ok(())
}

/// Tells the index, the watchers and what works in the background, once a write is stored.
pub(super) async fn written(ctx: &Ctx, entry: &Entry, change: i64) -> Result<(), Error> {
    if entry.is_quarantined() {
        catalog::note_deleted(ctx, entry.id, change).await?;
    } else {
        catalog::note_written(ctx, entry, change).await?;
    }
    let data = json!({"namespace": entry.namespace, "key": entry.key, "version": entry.version});
    ctx.events.publish(ctx.workspace(), Topic::Memory(entry.namespace.clone()), "entry_written", data);
    changes::tell(ctx.runtime());
    embed::tell(ctx.runtime());
    Ok(())
}

/// The same of a deletion.
pub(super) async fn deleted(ctx: &Ctx, namespace: &str, key: &str, id: EntryId, change: i64) -> Result<(), Error> {
    catalog::note_deleted(ctx, id, change).await?;
    let data = json!({"namespace": namespace, "key": key});
    ctx.events.publish(ctx.workspace(), Topic::Memory(namespace.to_owned()), "entry_deleted", data);
    changes::tell(ctx.runtime());
    Ok(())
}

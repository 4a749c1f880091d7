//! What was heard of the things that answers depend on.

use std::collections::VecDeque;

use super::error::Result;
use super::merkle::{self, Known, Root};
use super::store::source;
use crate::db::Db;
use crate::model::WorkspaceId;
use crate::model::cache::{Dependency, SourceRef};

/// Things that one answer may depend on, those below included.
pub(super) const MOST: usize = 1_000;

/// These, and all that they depend on; `None` when that is more than [`MOST`].
pub(super) async fn known(
    db: &Db,
    workspace: WorkspaceId,
    roots: impl Iterator<Item = SourceRef>,
) -> Result<Option<Known>> {
    let mut known = Known::new();
    let mut open: VecDeque<SourceRef> = roots.collect();
    while let Some(next) = open.pop_front() {
        if known.contains_key(&next) {
            continue;
        }
        if known.len() >= MOST {
            return Ok(None);
        }
        let found = source::find(db, workspace, &next).await?.unwrap_or_default();
        open.extend(found.needs.iter().cloned());
        known.insert(next, found);
    }
    Ok(Some(known))
}

/// The state of these dependencies now; `None` when that can't be told.
pub(super) async fn root(db: &Db, workspace: WorkspaceId, depends_on: &[Dependency]) -> Result<Option<Root>> {
    let known = known(db, workspace, depends_on.iter().map(Dependency::source)).await?;
    Ok(known.and_then(|known| merkle::root(depends_on, &known)))
}

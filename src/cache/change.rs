//! Something changed: the answers that depended on it are gone, and no others.
//!
//! Whether an answer may be given is decided when it is asked for, by the state of all that it depends on. What is deleted here
//! is what would never be given again; it is deleted so that it is seen to be gone.

use std::collections::{BTreeSet, VecDeque};

use super::error::{Error, Result};
use super::store::{entry, source};
use super::{guard, measure, merkle, sources};
use crate::db::Tx;
use crate::model::auth::Action;
use crate::model::cache::{Dependency, SourceChange, SourceChanged, SourceKind, SourceRef};
use crate::model::{FieldError, Timestamp, WorkspaceId};
use crate::runtime::Ctx;

/// Things that a workspace may tell about.
const MOST_SOURCES: i64 = 100_000;

/// Takes note of a change. Told the same again, nothing happens.
///
/// # Errors
/// [`Error::Invalid`] for what does not fit, for entries of the memory that who asks may not read, and for a circle; [`Error::Conflict`] when the workspace tells about too much.
pub async fn changed(ctx: &Ctx, change: SourceChange) -> Result<SourceChanged> {
    ctx.authorize(Action::UseModel)?;
    let faults = change.check();
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    let about = change.source();
    let needs = change.depends_on.clone().map(|mut needs| {
        needs.sort();
        needs.dedup();
        needs
    });
    check_readable(ctx, &change).await?;
    check_circle(ctx, &about, needs.as_deref().unwrap_or_default()).await?;
    let mut tx = ctx.db.begin().await?;
    let before = source::find_within(&mut tx, ctx.workspace(), &about).await?;
    if before.is_none() && source::count(&mut tx, ctx.workspace()).await? >= MOST_SOURCES {
        let message = format!(
            "the workspace tells about {MOST_SOURCES} things already; those that nothing uses are forgotten after 30 days"
        );
        return Err(Error::Conflict(message));
    }
    let is_news = before.as_ref().is_none_or(|before| {
        before.fingerprint.as_ref() != Some(&change.fingerprint)
            || needs.as_ref().is_some_and(|needs| *needs != before.needs)
    });
    if !is_news {
        return Ok(SourceChanged { changed: false, invalidated: 0 });
    }
    source::put(&mut tx, ctx.workspace(), &about, &change.fingerprint, ctx.clock.now()).await?;
    if let Some(needs) = &needs {
        source::replace_needs(&mut tx, ctx.workspace(), &about, needs).await?;
    }
    tx.commit().await?;
    let invalidated = drop_stale(ctx, about).await?;
    tracing::info!(kind = change.kind.as_str(), id = change.id, invalidated, by = %ctx.actor.principal, "something that answers depend on has changed");
    Ok(SourceChanged { changed: true, invalidated })
}

/// Notes a change from within the transaction that makes it, if any answer was ever said to depend on that.
///
/// # Errors
/// The database's.
pub async fn note_change(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (kind, id): (SourceKind, &str),
    fingerprint: &str,
    at: Timestamp,
) -> Result<(), crate::db::Error> {
    source::touch(tx, workspace, &SourceRef { kind, id: id.to_owned() }, fingerprint, at).await
}

/// Refuses entries of the memory that who asks may not read: what came of it would tell whether they are there, and as what.
async fn check_readable(ctx: &Ctx, change: &SourceChange) -> Result<()> {
    let mut told = vec![change.source()];
    told.extend(change.depends_on.iter().flatten().cloned());
    let pointer = |at: usize| if at == 0 { "/id".to_owned() } else { format!("/depends_on/{}", at - 1) };
    let message = "expected an entry of the memory that you may read";
    let hidden = guard::hidden(ctx, &told).await?;
    let faults: Vec<FieldError> = hidden.into_iter().map(|at| FieldError::new(pointer(at), message)).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

/// Refuses what would depend on itself in the end.
async fn check_circle(ctx: &Ctx, about: &SourceRef, needs: &[SourceRef]) -> Result<()> {
    for (at, need) in needs.iter().enumerate() {
        let below = sources::known(&ctx.db, ctx.workspace(), std::iter::once(need.clone())).await?;
        let message = match below {
            None => format!("it depends on more than {} things", sources::MOST),
            Some(below) if below.contains_key(about) => "that depends on this one itself".to_owned(),
            Some(_) => continue,
        };
        return Err(Error::Invalid(vec![FieldError::new(format!("/depends_on/{at}"), message)]));
    }
    Ok(())
}

/// Deletes the answers that depend on it, however far, and whose state is another now.
async fn drop_stale(ctx: &Ctx, about: SourceRef) -> Result<i64> {
    let (db, workspace) = (&ctx.db, ctx.workspace());
    let mut above = BTreeSet::new();
    let mut open = VecDeque::from([about]);
    let mut candidates = BTreeSet::new();
    while let Some(next) = open.pop_front() {
        if !above.insert(next.clone()) {
            continue;
        }
        candidates.extend(entry::list_depending(db, workspace, &next).await?);
        open.extend(source::list_needing(db, workspace, &next).await?);
    }
    let mut stale = Vec::new();
    for (id, root) in candidates {
        let depends_on: Vec<Dependency> = entry::list_dependencies(db, workspace, id).await?;
        let known = sources::known(db, workspace, depends_on.iter().map(Dependency::source)).await?;
        let now = known.and_then(|known| merkle::root(&depends_on, &known));
        if now.is_none_or(|now| root != now) {
            stale.push(id);
        }
    }
    let mut gone = 0;
    for some in stale.chunks(500) {
        let mut tx = db.begin().await?;
        for id in some {
            gone += i64::from(entry::delete(&mut tx, workspace, *id, true).await?);
        }
        tx.commit().await?;
    }
    measure::gone("changed", gone as u64);
    Ok(gone)
}

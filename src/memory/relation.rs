//! What people say of two entries: one takes the place of the other, both can't be true, or both hold.
//!
//! Nothing is lost by it: an entry whose place another takes stays, is found behind it, and says so. Of two entries one thing is
//! said at a time, and what is said later replaces it; so a contradiction is resolved by choosing one, or by saying that both hold.
//! What is deleted or in quarantine takes nobody's place: the sweeper sees to that within a minute.

use serde_json::json;

use super::heard::{note, written};
use super::{Error, access, store, validate};
use crate::db::Tx;
use crate::model::auth::Action;
use crate::model::live::Topic;
use crate::model::memory::{EntryName, MAX_RELATIONS, Reach, Relation, RelationDraft, RelationKind};
use crate::model::{EntryId, FieldError, Timestamp};
use crate::runtime::{Ctx, Runtime};

/// What is said of an entry and others, the last said first.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn relations(ctx: &Ctx, namespace: &str, key: &str) -> Result<Vec<Relation>, Error> {
    let reach = access::reading(ctx).await?;
    validate::place(namespace, key)?;
    let now = ctx.clock.now();
    let row = store::find(ctx, &reach, (namespace, key)).await?;
    let row = row.filter(|row| row.is_live(now)).ok_or(Error::NotFound)?;
    store::relations_of(ctx, &reach, row.id, now).await
}

/// Says something of an entry and another, in place of what was said of them before; gives what is said of the entry then.
///
/// # Errors
/// [`Error::NoNamespace`] and [`Error::ReadOnly`] of either place; [`Error::NotFound`] for either; [`Error::Quarantined`]; [`Error::Invalid`] for an entry and itself, one whose place would come to
/// be taken by itself, and more than 64 relations of an entry.
pub async fn relate(ctx: &Ctx, place: (&str, &str), draft: &RelationDraft) -> Result<Vec<Relation>, Error> {
    ctx.authorize(Action::WriteMemory)?;
    let (namespace, key) = place;
    validate::place(namespace, key)?;
    validate::place(&draft.namespace, &draft.key)?;
    let reach = access::writing(ctx, namespace).await?;
    access::writing(ctx, &draft.namespace).await?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    // The lock of all writers: what is said of entries is decided in an order.
    let first = store::next_change(&mut tx, ctx.workspace()).await?;
    let one = side(&mut tx, ctx, place, true).await?;
    let other = side(&mut tx, ctx, (&draft.namespace, &draft.key), true).await?;
    if one.id == other.id {
        return Err(refused("expected another entry than this one"));
    }
    store::unrelate(&mut tx, one.id, other.id).await?;
    for id in [one.id, other.id] {
        if store::count_relations(&mut tx, id).await? >= MAX_RELATIONS as i64 {
            return Err(refused(format!("expected entries of which at most {MAX_RELATIONS} things are said")));
        }
    }
    let (from, to) = match draft.kind {
        RelationKind::Supersedes => (one.id, other.id),
        // They stand once, whoever is named first.
        RelationKind::Contradicts | RelationKind::Agrees => (one.id.min(other.id), one.id.max(other.id)),
    };
    if draft.kind == RelationKind::Supersedes && store::supersedes(&mut tx, to, from).await? {
        return Err(refused("expected an entry that does not take the place of this one, through others between"));
    }
    store::relate(&mut tx, ctx.workspace(), (from, draft.kind, to), (&super::source(ctx), now)).await?;
    let id = one.id;
    settle(ctx, tx, first, [one, other]).await?;
    tracing::info!(namespace, key, kind = draft.kind.as_str(), by = %ctx.actor.principal, "something was said of two entries");
    store::relations_of(ctx, &reach, id, now).await
}

/// Takes back what is said of an entry and another.
///
/// # Errors
/// [`Error::NoNamespace`] and [`Error::ReadOnly`] of either place; [`Error::NotFound`] for either, and where nothing is said of them.
pub async fn unrelate(ctx: &Ctx, place: (&str, &str), other: &EntryName) -> Result<(), Error> {
    ctx.authorize(Action::WriteMemory)?;
    validate::place(place.0, place.1)?;
    validate::place(&other.namespace, &other.key)?;
    access::writing(ctx, place.0).await?;
    access::writing(ctx, &other.namespace).await?;
    let mut tx = ctx.db.begin().await?;
    let first = store::next_change(&mut tx, ctx.workspace()).await?;
    let there = (other.namespace.as_str(), other.key.as_str());
    let (one, second) = (side(&mut tx, ctx, place, false).await?, side(&mut tx, ctx, there, false).await?);
    if !store::unrelate(&mut tx, one.id, second.id).await? {
        return Err(Error::NotFound);
    }
    settle(ctx, tx, first, [one, second]).await
}

fn refused(expected: impl Into<String>) -> Error {
    Error::Invalid(vec![FieldError::new("/key", expected)])
}

/// An entry of which something is said.
struct Side {
    namespace: String,
    key: String,
    id: EntryId,
    /// Since when another takes its place, as its mark says.
    since: Option<Timestamp>,
}

/// The entry at a place; `but_held` leaves out those in quarantine.
async fn side(tx: &mut Tx, ctx: &Ctx, (namespace, key): (&str, &str), but_held: bool) -> Result<Side, Error> {
    let now = ctx.clock.now();
    let row = store::find_within(tx, ctx, namespace, key).await?;
    let row = row.filter(|row| row.is_live(now)).ok_or(Error::NotFound)?;
    if but_held && !row.is_findable(now) {
        return Err(Error::Quarantined);
    }
    Ok(Side { namespace: namespace.to_owned(), key: key.to_owned(), id: row.id, since: row.superseded_at })
}

/// Brings the marks of two entries in line with what is said, commits, and tells everybody who hears of changes.
async fn settle(ctx: &Ctx, mut tx: Tx, first: i64, sides: [Side; 2]) -> Result<(), Error> {
    let mut next = Some(first);
    let mut marked = Vec::new();
    for side in &sides {
        let since = store::superseded_since(&mut tx, side.id).await?;
        if since.is_some() == side.since.is_some() {
            continue;
        }
        // Each has a change number of its own: no two entries share one.
        let change = match next.take() {
            Some(change) => change,
            None => store::next_change(&mut tx, ctx.workspace()).await?,
        };
        store::mark_superseded(&mut tx, side.id, since, change).await?;
        // No answer that was made of it is given any more.
        note(&mut tx, ctx, (&side.namespace, &side.key), &format!("related {change}")).await?;
        marked.push((side, change));
    }
    tx.commit().await?;
    for (side, change) in marked {
        let Some(row) = store::find(ctx, &Reach::everything(), (&side.namespace, &side.key)).await? else { continue };
        // A row that can't be decrypted is in no index.
        if row.unreadable().is_none() {
            written(ctx, &row.shown(), change).await?;
        }
    }
    for Side { namespace, key, .. } in sides {
        let data = json!({"namespace": namespace, "key": key});
        ctx.events.publish(ctx.workspace(), Topic::Memory(namespace), "entry_related", data);
    }
    Ok(())
}

/// Brings the marks of entries in line with what took their place since: it may have been deleted, set aside, or come back. Takes no
/// input and may run in several processes at once; gives how many were wrong, at most `limit`.
pub(super) async fn mend(runtime: &Runtime, limit: i64) -> Result<u64, Error> {
    let mut mended = 0;
    for (workspace, id) in store::wrongly_marked(&runtime.db, limit).await? {
        let ctx = runtime.system(workspace);
        let mut tx = ctx.db.begin().await?;
        let change = store::next_change(&mut tx, workspace).await?;
        let since = store::superseded_since(&mut tx, id).await?;
        store::mark_superseded(&mut tx, id, since, change).await?;
        if let Some((namespace, key)) = store::place_of(&mut tx, id).await? {
            // No answer that was made of it is given any more.
            note(&mut tx, &ctx, (&namespace, &key), &format!("related {change}")).await?;
        }
        tx.commit().await?;
        mended += 1;
        let Some(row) = store::fetch(&ctx, &Reach::everything(), &[id]).await?.pop() else { continue };
        if row.deleted_at.is_none() && row.unreadable().is_none() {
            written(&ctx, &row.shown(), change).await?;
        }
    }
    Ok(mended)
}

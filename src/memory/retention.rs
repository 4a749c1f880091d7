//! How long the entries of a namespace are kept: rules of subtrees, what they would remove, and their work.
//!
//! Of the rules over an entry the one of the longest path holds. The sweeper removes what it says, the way an entry goes whose time ran
//! out: deleted in a version of its own, back within 30 days for who wants it. What is in quarantine waits for a person and stays.

use serde_json::json;

use super::{Error, access, store, sweep, validate};
use crate::model::auth::Action;
use crate::model::live::Topic;
use crate::model::memory::{MAX_RETENTIONS, PREVIEWED, Retention, RetentionPreview, RetentionRule};
use crate::model::{FieldError, Timestamp};
use crate::runtime::{Ctx, Runtime};

/// Refuses what is no rule of a namespace.
fn check(path: &str, retention: Retention) -> Result<(), Error> {
    let mut wrong: Vec<FieldError> = validate::namespace(path).err().into_iter().collect();
    wrong.extend(retention.check());
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

/// Says how long the entries of a namespace and all below it are kept, in place of what was said before. The next sweep removes what
/// has to go.
///
/// # Errors
/// [`Error::Invalid`] for what doesn't fit, and where there are 100 rules for other namespaces; [`Error::NoNamespace`] and
/// [`Error::ReadOnly`] for who may not change the entries there.
pub async fn keep_for(ctx: &Ctx, path: &str, retention: Retention) -> Result<RetentionRule, Error> {
    ctx.authorize(Action::ManageProvider)?;
    check(path, retention)?;
    access::writing(ctx, path).await?;
    let (workspace, now) = (ctx.workspace(), ctx.clock.now());
    let by = ctx.actor.principal.user_name();
    let mut tx = ctx.db.begin().await?;
    // Whoever makes rules takes turns with the others and with what removes.
    store::next_change(&mut tx, workspace).await?;
    if store::count_retentions(&mut tx, workspace, path).await? >= MAX_RETENTIONS {
        let expected = format!("expected at most {MAX_RETENTIONS} rules in a workspace; change or remove one");
        return Err(Error::Invalid(vec![FieldError::new("/days", expected)]));
    }
    store::put_retention(&mut tx, workspace, path, retention, (by, now)).await?;
    tx.commit().await?;
    let Retention { days, from } = retention;
    tracing::info!(namespace = path, days, ?from, by = %ctx.actor.principal, "how long memory is kept was changed");
    tell(ctx, path);
    let rules = store::retentions(&ctx.db, workspace).await?;
    rules.into_iter().find(|rule| rule.path == path).ok_or(Error::NoRetention)
}

/// Removes the rule of a namespace: what a rule above says holds again, or nothing does.
///
/// # Errors
/// [`Error::NoRetention`]; as [`keep_for`] for who may not change the entries there.
pub async fn keep_for_ever(ctx: &Ctx, path: &str) -> Result<(), Error> {
    ctx.authorize(Action::ManageProvider)?;
    access::writing(ctx, path).await?;
    let mut tx = ctx.db.begin().await?;
    store::next_change(&mut tx, ctx.workspace()).await?;
    if !store::delete_retention(&mut tx, ctx.workspace(), path).await? {
        return Err(Error::NoRetention);
    }
    tx.commit().await?;
    tracing::info!(namespace = path, by = %ctx.actor.principal, "a rule of how long memory is kept was removed");
    tell(ctx, path);
    Ok(())
}

fn tell(ctx: &Ctx, path: &str) {
    ctx.events.publish(ctx.workspace(), Topic::Memory(path.to_owned()), "namespace_kept", json!({"namespace": path}));
}

/// What a rule for a namespace would remove now, in place of the one that stands there. Nothing is. Counted is all of it, named only
/// what who asks may read.
///
/// # Errors
/// [`Error::Invalid`] for what doesn't fit.
pub async fn preview_retention(ctx: &Ctx, path: &str, retention: Retention) -> Result<RetentionPreview, Error> {
    ctx.authorize(Action::ManageProvider)?;
    let reach = access::reading(ctx).await?;
    check(path, retention)?;
    let (workspace, now, rule) = (ctx.workspace(), ctx.clock.now(), (path, retention));
    Ok(RetentionPreview {
        removes: store::count_due(&ctx.db, workspace, rule, now).await?,
        first: store::first_due(&ctx.db, workspace, &reach, rule, (now, PREVIEWED)).await?,
    })
}

/// Removes what the rules of all workspaces say, at most so many entries. Returns how many.
pub(super) async fn enforce(runtime: &Runtime, now: Timestamp, most: i64) -> Result<u64, Error> {
    let mut all = 0;
    for (workspace, rule) in store::all_retentions(&runtime.db).await? {
        let left = most - all;
        if left <= 0 || runtime.tasks.stopping().is_cancelled() {
            break;
        }
        let ctx = runtime.system(workspace);
        let mut removed = 0;
        for id in store::due(&ctx.db, workspace, &rule, now, left).await? {
            let mut tx = ctx.db.begin().await?;
            let change = store::next_change(&mut tx, workspace).await?;
            let Some(found) = store::find_due(&mut tx, workspace, &rule, id, now).await? else { continue };
            store::note_removed(&mut tx, workspace, &rule.path, (1, now)).await?;
            sweep::remove(&ctx, tx, (id, found), now, change).await?;
            removed += 1;
        }
        if removed > 0 {
            let RetentionRule { path, days, from, .. } = &rule;
            tracing::info!(
                namespace = path,
                days,
                ?from,
                removed,
                "entries of the memory were kept long enough and removed"
            );
        }
        all += removed;
    }
    Ok(all.unsigned_abs())
}

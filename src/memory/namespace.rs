//! Namespaces: which there are, how much is in them, and what a team says of them.

use serde_json::json;

use super::{Error, access, store, validate};
use crate::model::FieldError;
use crate::model::auth::Action;
use crate::model::live::Topic;
use crate::model::memory::{
    MAX_DESCRIBED, MAX_DESCRIPTION_CHARS, Namespace, NamespaceDescription, RetentionRule, purpose,
};
use crate::runtime::Ctx;

/// The namespaces that hold entries, are described or have a rule of how long entries are kept, by path.
///
/// # Errors
/// When the role doesn't allow it, or the database fails.
pub async fn namespaces(ctx: &Ctx) -> Result<Vec<Namespace>, Error> {
    let reach = access::reading(ctx).await?;
    let mut counts = store::counts(&ctx.db, ctx.workspace(), ctx.clock.now()).await?;
    let mut said = store::descriptions(&ctx.db, ctx.workspace()).await?;
    let rules = store::retentions(&ctx.db, ctx.workspace()).await?;
    for path in said.keys().chain(rules.iter().map(|rule| &rule.path)) {
        counts.entry(path.clone()).or_default();
    }
    counts.retain(|path, _| reach.may_read(path));
    let named = |(path, entries): (String, i64)| {
        let description = said.remove(&path).or_else(|| purpose(&path).map(str::to_owned));
        let retention = RetentionRule::in_force(&rules, &path).cloned();
        let read_only = !reach.may_write(&path);
        Namespace { path, entries, description, retention, read_only }
    };
    Ok(counts.into_iter().map(named).collect())
}

/// Says what a namespace is for; empty takes that back. Gives the namespace as it is told of then.
///
/// # Errors
/// [`Error::Invalid`] for a path that no namespace can have, a text that is too long, and where 1,000 others are described.
pub async fn describe(ctx: &Ctx, path: &str, said: &NamespaceDescription) -> Result<Namespace, Error> {
    ctx.authorize(Action::WriteMemory)?;
    validate::namespace(path).map_err(|field| Error::Invalid(vec![field]))?;
    access::writing(ctx, path).await?;
    let description = said.description.trim();
    let is_plain = |c: char| c == '\n' || !c.is_control();
    if description.chars().count() > MAX_DESCRIPTION_CHARS || !description.chars().all(is_plain) {
        let expected = format!("expected at most {MAX_DESCRIPTION_CHARS} characters without control characters");
        return Err(Error::Invalid(vec![FieldError::new("/description", expected)]));
    }
    let workspace = ctx.workspace();
    let mut tx = ctx.db.begin().await?;
    if description.is_empty() {
        store::delete_description(&mut tx, workspace, path).await?;
    } else {
        // Whoever describes takes turns, so that there are never more than may be.
        store::next_change(&mut tx, workspace).await?;
        if store::count_described(&mut tx, workspace, path).await? >= MAX_DESCRIBED {
            let expected =
                format!("expected at most {MAX_DESCRIBED} described namespaces; take another's description away");
            return Err(Error::Invalid(vec![FieldError::new("/description", expected)]));
        }
        store::put_description(&mut tx, workspace, path, description).await?;
    }
    tx.commit().await?;
    tracing::info!(namespace = path, by = %ctx.actor.principal, "a namespace of the memory was described");
    ctx.events.publish(workspace, Topic::Memory(path.to_owned()), "namespace_described", json!({"namespace": path}));
    let entries = store::count_in(&ctx.db, workspace, path, ctx.clock.now()).await?;
    let own = (!description.is_empty()).then(|| description.to_owned());
    let description = own.or_else(|| purpose(path).map(str::to_owned));
    let rules = store::retentions(&ctx.db, workspace).await?;
    let retention = RetentionRule::in_force(&rules, path).cloned();
    Ok(Namespace { path: path.to_owned(), entries, description, retention, read_only: false })
}

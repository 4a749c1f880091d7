//! What answers of models may be said to depend on: entries that who asks may read, as the cache is told.

use std::sync::Arc;

use super::{Error, access};
use crate::cache::{self, Guard, Guarding};
use crate::model::cache::{SourceKind, SourceRef};
use crate::model::memory::Reach;
use crate::runtime::{Ctx, Runtime};

/// Asks the rules.
struct OfRules;

impl Guard for OfRules {
    fn may_read<'a>(&'a self, ctx: &'a Ctx, ids: Vec<&'a str>) -> Guarding<'a> {
        Box::pin(async move {
            let reach = access::reach(ctx).await?;
            Ok(ids.into_iter().map(|id| reads(&reach, id)).collect())
        })
    }
}

/// Gives the cache what decides who may make answers depend on which entries.
pub fn lend_guard(runtime: &Runtime) {
    cache::lend_guard(runtime, Arc::new(OfRules));
}

/// Whether who asks may read all of these that are entries of the memory.
///
/// # Errors
/// When the database fails.
pub async fn may_depend(ctx: &Ctx, sources: &[SourceRef]) -> Result<bool, Error> {
    if sources.iter().all(|source| source.kind != SourceKind::Memory) {
        return Ok(true);
    }
    let reach = access::reach(ctx).await?;
    Ok(sources.iter().all(|source| source.kind != SourceKind::Memory || reads(&reach, &source.id)))
}

/// Whether an entry `namespace/key` may be read. Both may hold slashes: it must be so wherever the namespace ends.
fn reads(reach: &Reach, id: &str) -> bool {
    id.match_indices('/').all(|(at, _)| reach.may_read(&id[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::model::auth::Role;
    use crate::model::memory::{AccessRule, Allowed, Asker};

    #[test]
    fn an_entry_is_read_wherever_its_namespace_ends() {
        let rule = |path: &str, role: Role| {
            let allowed = Allowed { role: Some(role), users: Vec::new() };
            let (read, write) = (allowed.clone(), allowed);
            AccessRule { path: path.to_owned(), read, write, set_by: None, set_at: Timestamp(0) }
        };
        let rules = [rule("people/pay", Role::Admin), rule("plans", Role::Admin), rule("plans/open", Role::Viewer)];
        let reach = Reach::of(&rules, Asker { role: Role::Builder, user: None });
        for (id, expected) in [
            ("people/k", true),
            ("people/pay", true),
            ("people/pay/k", false),
            ("people/pay/k/l", false),
            ("people/payroll/k", true),
            // It may be the entry open/k of plans.
            ("plans/open/k", false),
            ("k", true),
        ] {
            assert_eq!(reads(&reach, id), expected, "{id}");
        }
    }
}

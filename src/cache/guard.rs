//! Who may make answers depend on which entries of the memory: whether one is there, and in which version, is not for everybody.
//!
//! Knows no memory itself: memory lends what decides. Where nothing is lent owners alone may, whom no rule keeps out.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use super::error::Result;
use crate::db;
use crate::model::auth::Role;
use crate::model::cache::{SourceKind, SourceRef};
use crate::runtime::{Ctx, Runtime};

/// A decision on its way.
pub type Guarding<'a> = Pin<Box<dyn Future<Output = db::Result<Vec<bool>>> + Send + 'a>>;

/// What decides who may read which entries of the memory.
pub trait Guard: Send + Sync {
    /// Of each entry, `namespace/key`, whether who asks may read it, in order.
    fn may_read<'a>(&'a self, ctx: &'a Ctx, ids: Vec<&'a str>) -> Guarding<'a>;
}

/// The one guard of this process.
#[derive(Default)]
struct Lent(OnceLock<Arc<dyn Guard>>);

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lent").field(&self.0.get().is_some()).finish()
    }
}

/// Gives the cache what decides. The first one stays.
pub fn lend_guard(runtime: &Runtime, guard: Arc<dyn Guard>) {
    let _ = runtime.shared::<Lent>().0.set(guard); // a second one is the same
}

/// The places in the list of those that who asks may not read, in order.
pub(super) async fn hidden(ctx: &Ctx, sources: &[SourceRef]) -> Result<Vec<usize>> {
    let of_memory = |(_, source): &(usize, &SourceRef)| source.kind == SourceKind::Memory;
    let (places, ids): (Vec<usize>, Vec<&str>) =
        sources.iter().enumerate().filter(of_memory).map(|(at, source)| (at, source.id.as_str())).unzip();
    if places.is_empty() {
        return Ok(places);
    }
    let lent = ctx.shared::<Lent>();
    let may = match lent.0.get() {
        Some(guard) => guard.may_read(ctx, ids).await?,
        None => vec![ctx.actor.role == Role::Owner && ctx.actor.principal.shaped_by().is_empty(); ids.len()],
    };
    Ok(places.into_iter().zip(may).filter_map(|(at, may)| (!may).then_some(at)).collect())
}
